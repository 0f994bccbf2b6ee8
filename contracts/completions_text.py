"""Legacy completions: where a text begins and ends. Limits, stop sequences, and the echo of the prompt.

The requests are those of completions.py.
"""

from __future__ import annotations

from typing import Any

from wireproof.clause import Exchange, NotApplicable, answered, clause, expect, sequence, shown

from ._asked import choices_asked, cut, prompts, stops
from ._completions import (
    FINISH_REASONS,
    SAME_PROMPT,
    TWICE,
    added_text,
    by_probe,
    choices_told,
    first_text,
    texts_of,
    tokens_told,
)
from ._noise import repeats
from ._reading import as_count, told

WHOLE = answered("createCompletion", streamed=False)


# ------------------------------------------------------------------------------------------- why it ended


@clause(
    "completions.finish-reason", level="MUST", source="SPEC CreateCompletionResponse.choices.finish_reason", on=WHOLE
)
def finish_reason_is_known(exchange: Exchange) -> None:
    """Every choice ends for one of three reasons: stop, length, content_filter."""
    for event, at, choice in choices_told(exchange):
        expect(
            choice.get("finish_reason") in FINISH_REASONS,
            expected=f"one of {shown(FINISH_REASONS)}",
            got=told(choice, "finish_reason"),
            at=f"{at}/finish_reason",
            event=event,
        )


@clause(
    "completions.finish-length",
    level="MUST",
    source="SPEC CreateCompletionResponse.choices.finish_reason",
    on=answered("createCompletion", streamed=False, asks=lambda body: (as_count(body.get("max_tokens")) or 0) > 0),
    model="some-output",
)
def cut_text_says_length(exchange: Exchange) -> None:
    """A text of exactly `max_tokens` tokens that no stop sequence ended has `finish_reason: length`.

    Judged where several choices used all their tokens: one of them may have ended by itself just there, not all.
    """
    asked = exchange.request.asked
    choices = [choice for _, _, choice in choices_told(exchange)]
    most = asked["max_tokens"] * len(choices)
    if stops(asked) or len(choices) < 2 or tokens_told(exchange, "completion_tokens") != most:
        raise NotApplicable("no answer with several choices used all its tokens")
    got = [choice.get("finish_reason") for choice in choices]
    expect(
        any(reason != "stop" for reason in got),
        expected='"length" where the limit ended the text',
        got=shown(got),
        at="/choices/0/finish_reason",
    )


@clause(
    "completions.max-tokens",
    level="MUST",
    source="SPEC CreateCompletionRequest.max_tokens",
    on=answered(
        "createCompletion",
        asks=lambda body: (as_count(body.get("max_tokens")) or 0) > 0 and not (as_count(body.get("best_of")) or 0) > 1,
    ),
    fields=("max_tokens",),
)
def max_tokens_is_a_limit(exchange: Exchange) -> None:
    """A choice has at most `max_tokens` tokens; the prompt, echoed or not, is not among them."""
    spent = tokens_told(exchange, "completion_tokens")
    if spent is None:
        raise NotApplicable("the answer does not say how many tokens it has")
    asked = exchange.request.asked
    most = asked["max_tokens"] * choices_asked(asked)
    expect(spent <= most, expected=f"at most {most} completion tokens", got=f"{spent}", at="/usage/completion_tokens")


# ------------------------------------------------------------------------------------------ stop and echo


@clause(
    "completions.stop",
    level="MUST",
    source="SPEC CreateCompletionRequest.stop",
    on=answered("createCompletion", asks=lambda body: bool(stops(body)) and isinstance(body.get("prompt"), str)),
    model="some-output",
    fields=("stop",),
)
def stop_never_appears(exchange: Exchange) -> None:
    """No sequence of `stop` appears in what is added to the prompt, the later ones of a list no more than the first."""
    added = added_text(exchange)
    for stop in stops(exchange.request.asked):
        expect(
            stop not in added,
            expected=f"text that ends before {shown(stop)}",
            got=shown(added),
            at="/choices/0/text",
        )


@clause(
    "completions.stop-finish",
    level="MUST",
    source="SPEC CreateCompletionResponse.choices.finish_reason: a natural stop point or a stop sequence",
    on=sequence(answered("createCompletion", probes=SAME_PROMPT[:2])),
    model="some-output",
)
def stop_ends_with_stop(exchanges: list[Exchange]) -> None:
    """A text that a stop sequence ended has `finish_reason: stop`."""
    found = by_probe(exchanges)
    stopped = found.get("completions.echo")
    if stopped is None:
        raise NotApplicable("completions.echo was not answered")
    kept = cut(first_text(found["completions.plain"]), stops(stopped.request.asked))
    if kept is None or added_text(stopped).rstrip() != kept.rstrip():
        raise NotApplicable("the text did not end where its stop sequence stands in completions.plain")
    got = next((choice.get("finish_reason") for _, _, choice in choices_told(stopped)), None)
    expect(got == "stop", expected='"stop"', got=shown(got), at=f"{stopped.id} /choices/0/finish_reason")


@clause(
    "completions.stop-keeps",
    level="SHOULD",
    source="SPEC CreateCompletionRequest.stop: the returned text will not contain the stop sequence",
    on=sequence(answered(probes=(*SAME_PROMPT[:2], *TWICE))),
    model="some-output",
)
def stop_loses_nothing(exchanges: list[Exchange]) -> None:
    """A stop sequence takes away itself and what follows, nothing of what came before."""
    found = by_probe(exchanges)
    stopped = found.get("completions.echo")
    if stopped is None or repeats(exchanges) is not True:
        raise NotApplicable("nothing was stopped, or the backend does not repeat itself at temperature 0")
    kept = cut(first_text(found["completions.plain"]), stops(stopped.request.asked))
    added = added_text(stopped)
    if kept is None or not kept.startswith(added.rstrip()):
        raise NotApplicable("the text does not begin as completions.plain does")
    got = added.rstrip()
    expect(got == kept.rstrip(), expected=shown(kept), got=shown(added), at=f"{stopped.id} /choices/0/text")


def _echoes_text(body: dict[str, Any]) -> bool:
    return body.get("echo") is True and all(isinstance(prompt, str) for prompt in prompts(body))


@clause(
    "completions.echo",
    level="MUST",
    source="SPEC CreateCompletionRequest.echo",
    on=answered("createCompletion", asks=_echoes_text),
    fields=("echo",),
)
def echo_begins_with_the_prompt(exchange: Exchange) -> None:
    """With `echo: true` the text of each choice begins with its prompt: `n` choices of the first, then of the next.

    A server that cannot echo should refuse it: clients that score a prompt read its tokens from there.
    """
    asked = exchange.request.asked
    found, texts = prompts(asked), texts_of(exchange)
    if len(found) > 1 and sorted(map(str, texts)) != sorted(map(str, range(choices_asked(asked)))):
        raise NotApplicable("not all prompts were answered: completions.choices judges that")
    each = max(1, len(texts) // len(found))
    for index, text in texts.items():
        prompt = found[index // each if index is not None and len(found) > 1 else 0]
        # A tokenizer may put a blank in front, or take it away.
        held = text.strip().startswith(prompt.strip())
        expect(held, expected=f"text that begins with {shown(prompt)}", got=shown(text), at=f"/choices/{index}/text")


@clause(
    "completions.echo-unasked",
    level="MUST",
    source="SPEC CreateCompletionRequest.echo (default false)",
    on=answered(
        "createCompletion",
        asks=lambda body: (
            not body.get("echo") and isinstance(body.get("prompt"), str) and len(body["prompt"].split()) >= 5
        ),
    ),
    model="some-output",
)
def no_echo_unless_asked(exchange: Exchange) -> None:
    """Without `echo` the text does not begin with the prompt.

    Clients join prompt and text; the prompt would stand there twice.
    """
    prompt = exchange.request.asked["prompt"].strip()
    for index, text in texts_of(exchange).items():
        expect(
            not text.strip().startswith(prompt),
            expected="only what goes on after the prompt",
            got=shown(text),
            at=f"/choices/{index}/text",
        )
