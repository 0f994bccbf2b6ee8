"""Token counts of answers in one piece, chat and legacy completions alike: what is billed must add up."""

from __future__ import annotations

from typing import Any

from wireproof.clause import (
    Exchange,
    Inconclusive,
    NotApplicable,
    answered,
    clause,
    expect,
    shown,
    together,
)

from ._asked import choices_asked, prompts
from ._chat import text_of
from ._reading import as_count, as_object, as_objects, as_text, object_of, told
from ._stream import bodies

COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")
PROMPT_PARTS = ("cached_tokens", "cache_write_tokens", "audio_tokens", "image_tokens", "text_tokens")
COMPLETION_PARTS = (
    "reasoning_tokens",
    "audio_tokens",
    "text_tokens",
    "accepted_prediction_tokens",
    "rejected_prediction_tokens",
)
WHOLE = answered("createChatCompletion", "createCompletion", streamed=False)
# The second prompt of completions.batch has five words; no tokenizer makes less of them.
SECOND_PROMPT = 4


# ------------------------------------------------------------------------------------------------ reading


def _usage(exchange: Exchange) -> dict[str, Any]:
    usage = object_of(exchange).get("usage")
    if not isinstance(usage, dict):
        raise Inconclusive("the answer has no usage")
    return usage


def _counted(exchange: Exchange, name: str) -> int:
    count = as_count(_usage(exchange).get(name))
    if count is None:
        raise Inconclusive(f"usage has no whole number {name}")
    return count


def _choices(exchange: Exchange) -> list[dict[str, Any]]:
    return as_objects(object_of(exchange).get("choices"))


def _text(choice: dict[str, Any]) -> str:
    """What a choice says, in chat or in legacy completions."""
    message = choice.get("message")
    return text_of(message) if isinstance(message, dict) else as_text(choice.get("text"))


# ------------------------------------------------------------------------------------------------ clauses


@clause("usage.present", level="MUST", source="SPEC CompletionUsage (required)", on=WHOLE)
def usage_is_there(exchange: Exchange) -> None:
    """An answer says what it cost: `usage` with whole `prompt_tokens`, `completion_tokens` and `total_tokens`.

    Bills, budgets and dashboards read exactly these names; `input_tokens` belongs to another API.
    """
    found = object_of(exchange).get("usage")
    usage = as_object(found)
    expect(usage is found, expected=f"an object with {shown(COUNTS)}", got=shown(found), at="/usage")
    for name in COUNTS:
        count = as_count(usage.get(name))
        expect(
            count is not None and count >= 0,
            expected="a whole number, 0 or more",
            got=told(usage, name),
            at=f"/usage/{name}",
        )


@clause("usage.total", level="MUST", source="SPEC CompletionUsage.total_tokens (prompt + completion)", on=WHOLE)
def total_is_the_sum(exchange: Exchange) -> None:
    """`total_tokens` is `prompt_tokens` plus `completion_tokens`."""
    prompt, completion, total = (_counted(exchange, name) for name in COUNTS)
    expect(
        total == prompt + completion,
        expected=f"{prompt} + {completion} = {prompt + completion}",
        got=f"{total}",
        at="/usage/total_tokens",
    )


@clause("usage.prompt", level="MUST", source="SPEC CompletionUsage.prompt_tokens", on=WHOLE)
def prompt_is_counted(exchange: Exchange) -> None:
    """A prompt with words in it costs at least one prompt token."""
    if not (exchange.request.asked.get("messages") or exchange.request.asked.get("prompt")):
        raise NotApplicable("the prompt is empty")
    got = _counted(exchange, "prompt_tokens")
    least = len(prompts(exchange.request.asked))
    expect(got >= least, expected=f"at least {least}", got=f"{got}", at="/usage/prompt_tokens")


@clause("usage.completion", level="MUST", source="SPEC CompletionUsage.completion_tokens", on=WHOLE)
def completion_is_counted(exchange: Exchange) -> None:
    """An answer with text in it costs at least one completion token."""
    if exchange.request.asked.get("echo") or not any(_text(choice) for choice in _choices(exchange)):
        raise NotApplicable("no answer has text of its own")
    got = _counted(exchange, "completion_tokens")
    expect(got >= 1, expected="at least 1", got=f"{got}", at="/usage/completion_tokens")


@clause("usage.prompt-details", level="MUST", source="SPEC CompletionUsage.prompt_tokens_details", on=WHOLE)
def prompt_details_are_parts(exchange: Exchange) -> None:
    """What `prompt_tokens_details` counts, cached tokens above all, is part of `prompt_tokens`, never more."""
    _expect_parts(exchange, "prompt_tokens", PROMPT_PARTS)


@clause("usage.completion-details", level="MUST", source="SPEC CompletionUsage.completion_tokens_details", on=WHOLE)
def completion_details_are_parts(exchange: Exchange) -> None:
    """What `completion_tokens_details` counts, reasoning above all, is part of `completion_tokens`, never more."""
    _expect_parts(exchange, "completion_tokens", COMPLETION_PARTS)


def _expect_parts(exchange: Exchange, whole: str, names: tuple[str, ...]) -> None:
    details = _usage(exchange).get(f"{whole}_details")
    if not isinstance(details, dict):
        raise NotApplicable(f"no answer has {whole}_details")
    most = _counted(exchange, whole)
    for name in names:
        if details.get(name) is None:
            continue
        part = as_count(details[name])
        expect(
            part is not None and 0 <= part <= most,
            expected=f"a whole number from 0 to {most} ({whole})",
            got=shown(details[name]),
            at=f"/usage/{whole}_details/{name}",
        )


@clause(
    "usage.choices",
    level="MUST",
    source="SPEC CreateChatCompletionRequest.n: charged for the tokens of all choices",
    on=answered("createChatCompletion", "createCompletion", streamed=False, asks=lambda body: choices_asked(body) > 1),
)
def all_choices_are_counted(exchange: Exchange) -> None:
    """`completion_tokens` covers all choices, not one of them.

    Where `max_tokens` cut every choice, each has exactly so many tokens; else each with text has one or more.
    """
    choices, asked = _choices(exchange), exchange.request.asked
    if len(choices) < 2:
        raise Inconclusive("there is only one choice")
    cap = as_count(asked.get("max_completion_tokens")) or as_count(asked.get("max_tokens")) or 0
    least = sum(bool(_text(choice)) for choice in choices)
    if cap > 1 and all(choice.get("finish_reason") == "length" for choice in choices):
        # A choice may lack the one token that opened it; some servers do not count that.
        least = len(choices) * (cap - 1)
    got = _counted(exchange, "completion_tokens")
    expect(
        got >= least,
        expected=f"at least {least} for {len(choices)} choices",
        got=f"{got}",
        at="/usage/completion_tokens",
    )


@clause(
    "usage.repeats",
    level="MUST",
    source="SPEC CompletionUsage.prompt_tokens: number of tokens in the prompt",
    on=together("chat.plain", "chat.plain-again"),
)
def same_prompt_same_count(first: Exchange, second: Exchange) -> None:
    """The same prompt has the same `prompt_tokens` every time; those from a cache are counted among them."""
    before, after = _counted(first, "prompt_tokens"), _counted(second, "prompt_tokens")
    expect(before == after, expected=f"{before}, as before", got=f"{after}", at="/usage/prompt_tokens")


@clause(
    "usage.prompts",
    level="MUST",
    source="SPEC CompletionUsage.prompt_tokens; CreateCompletionRequest.prompt: array of strings",
    on=together("completions.plain", "completions.batch"),
)
def all_prompts_are_counted(one: Exchange, several: Exchange) -> None:
    """The prompts of a list are all counted, not the first alone."""
    least, got = _counted(one, "prompt_tokens") + SECOND_PROMPT, _counted(several, "prompt_tokens")
    if least == SECOND_PROMPT or len(_choices(several)) != choices_asked(several.request.asked):
        raise NotApplicable("the one prompt is free, or not all were answered: other clauses judge that")
    expect(got >= least, expected=f"at least {least} for two prompts", got=f"{got}", at="/usage/prompt_tokens")


@clause(
    "usage.prompt-once",
    level="SHOULD",
    source="SPEC CreateChatCompletionRequest.n: charged for the tokens generated across all choices",
    on=together("chat.stream-cut", "chat.n"),
)
def choices_share_one_prompt(one: Exchange, several: Exchange) -> None:
    """`n` choices are made of one prompt, which is counted once.

    A gateway that asks its backend `n` times should not hand on the sum.
    """
    usages = [as_object(body.get("usage")) for _, body in bodies(one)]
    wanted = next((count for usage in reversed(usages) if (count := as_count(usage.get("prompt_tokens")))), None)
    if wanted is None or one.request.asked.get("messages") != several.request.asked.get("messages"):
        raise Inconclusive("there is no count of the same prompt for one choice")
    got = _counted(several, "prompt_tokens")
    if not got:
        raise NotApplicable("usage.prompt judges that")
    expect(got == wanted, expected=f"{wanted}, as for one choice", got=f"{got}", at="/usage/prompt_tokens")
