"""Where an answer of chat ends, and why: the finish reason, the token limits, the stop sequences.

Where a clause needs to know what the model would have said, it compares with `chat.plain` (chat.py): the same question
at temperature 0, cut shorter or stopped earlier. A backend that does not repeat itself then leaves nothing to judge.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wireproof.clause import (
    Exchange,
    Inconclusive,
    NotApplicable,
    answered,
    clause,
    expect,
    sequence,
    shown,
)

from ._asked import choices_asked, cut, stops
from ._chat import FINISH_REASONS, choices_of, first_text, reasoning_tokens
from ._noise import expect_repeats
from ._reading import as_count, tokens_of, told
from ._tool_calls import choices_told

WHOLE = answered("createChatCompletion", streamed=False)
CUT_SHORT = answered("createChatCompletion", streamed=False, probes=("chat.plain", "chat.cap", "chat.cap-completion"))
STOPPED = answered(
    "createChatCompletion", probes=("chat.plain", "chat.plain-again", "chat.stop", "chat.stop-list", "chat.recovers")
)


def _by_probe(exchanges: Sequence[Exchange]) -> tuple[Exchange, list[Exchange]]:
    """The latest `chat.plain`, and the others."""
    plain = [exchange for exchange in exchanges if exchange.probe == "chat.plain"]
    if not plain:
        raise NotApplicable("chat.plain was not answered, so there is nothing to compare with")
    return plain[-1], [exchange for exchange in exchanges if exchange.probe != "chat.plain"]


# ------------------------------------------------------------------------------------------- why it ended


@clause("chat.finish-reason", level="MUST", source="SPEC CreateChatCompletionResponse.choices.finish_reason", on=WHOLE)
def finish_reason_is_known(exchange: Exchange) -> None:
    """Every choice ends for one of five reasons: stop, length, tool_calls, content_filter, function_call.

    Clients branch on these words; `"STOP"`, `"eos"`, `"end_turn"` and null fall through every branch.
    """
    for at, choice in enumerate(choices_of(exchange)):
        got = choice.get("finish_reason")
        expect(
            got in FINISH_REASONS,
            expected=f"one of {shown(FINISH_REASONS)}",
            got=told(choice, "finish_reason"),
            at=f"/choices/{at}/finish_reason",
        )


@clause(
    "chat.finish-length",
    level="MUST",
    source="SPEC CreateChatCompletionResponse.choices.finish_reason",
    on=sequence(CUT_SHORT),
    model="some-output",
)
def cut_text_says_length(exchanges: list[Exchange]) -> None:
    """A text that the token limit cut short ends with `finish_reason: length`.

    With `stop` there, a client takes half a sentence for the whole answer.
    """
    plain, others = _by_probe(exchanges)
    whole = first_text(plain)
    judged = 0
    for other in others:
        text, spent = first_text(other), tokens_of(other, "completion_tokens")
        if spent is not None and spent < _cap(other):
            continue  # it stopped by itself, and earlier than chat.plain
        was_cut = text != whole and whole.startswith(text) and (bool(text.strip()) or (spent or 0) >= _cap(other))
        if was_cut:
            got = choices_of(other)[0].get("finish_reason")
            expect(
                got in ("length", "content_filter"),
                expected='"length": chat.plain shows how the text goes on',
                got=shown(got),
                at=f"{other.id} /choices/0/finish_reason",
            )
            judged += 1
    if not judged:
        raise NotApplicable("no text was the beginning of another: nothing was cut, or the backend varies")


# --------------------------------------------------------------------------------------- the token limits


@clause(
    "chat.cap-cuts",
    level="MUST",
    source="SPEC CreateChatCompletionRequest.max_tokens, max_completion_tokens",
    on=sequence(CUT_SHORT),
    model="some-output",
    fields=("max_tokens", "max_completion_tokens"),
)
def cap_takes_effect(exchanges: list[Exchange]) -> None:
    """A text of more tokens than the limit is not returned whole, whatever `usage` says."""
    plain, others = _by_probe(exchanges)
    whole = first_text(plain)
    spent = (tokens_of(plain, "completion_tokens") or 0) - reasoning_tokens(plain)
    judged = 0
    for other in others:
        if whole and spent > _cap(other):
            expect(
                first_text(other) != whole,
                expected=f"less than the {spent} tokens of chat.plain, at most {_cap(other)}",
                got=shown(whole),
                at=f"{other.id} /choices/0/message/content",
            )
            judged += 1
    if not judged:
        raise NotApplicable("the whole answer is no longer than the limit")


def _cap(exchange: Exchange) -> int:
    asked = exchange.request.asked
    caps = [as_count(asked.get(name)) for name in ("max_tokens", "max_completion_tokens")]
    return min((cap for cap in caps if cap), default=1)


@clause(
    "chat.length-at-cap",
    level="SHOULD",
    source="SPEC CreateChatCompletionResponse.choices.finish_reason",
    on=answered(
        "createChatCompletion",
        streamed=False,
        asks=lambda body: (
            choices_asked(body) == 1
            and any((as_count(body.get(name)) or 0) > 2 for name in ("max_tokens", "max_completion_tokens"))
        ),
    ),
)
def length_means_the_cap(exchange: Exchange) -> None:
    """`finish_reason: length` means that the tokens asked for were used up."""
    spent, cap = tokens_of(exchange, "completion_tokens"), _cap(exchange)
    if choices_of(exchange)[0].get("finish_reason") != "length" or spent is None:
        raise NotApplicable("no answer ended with length")
    # Two tokens of slack: some servers do not count the mark that opens or ends an answer.
    expect(
        spent + 2 >= cap,
        expected=f"{cap} tokens, or another finish_reason",
        got=f"finish_reason length after {spent} tokens",
        at="/choices/0/finish_reason",
    )


@clause(
    "chat.max-tokens",
    level="MUST",
    source="SPEC CreateChatCompletionRequest.max_tokens",
    on=answered("createChatCompletion", streamed=False, asks=lambda body: (as_count(body.get("max_tokens")) or 0) > 0),
    fields=("max_tokens",),
)
def max_tokens_is_a_limit(exchange: Exchange) -> None:
    """A choice has at most `max_tokens` tokens, reasoning apart.

    Check that the cap reaches the sampler on every path: tool calls and guided decoding often go around it.
    """
    _expect_within(exchange, "max_tokens", reasoning_tokens(exchange))


@clause(
    "chat.max-completion-tokens",
    level="MUST",
    source="SPEC CreateChatCompletionRequest.max_completion_tokens",
    on=answered(
        "createChatCompletion", streamed=False, asks=lambda body: (as_count(body.get("max_completion_tokens")) or 0) > 0
    ),
    fields=("max_completion_tokens",),
)
def max_completion_tokens_is_a_limit(exchange: Exchange) -> None:
    """A choice has at most `max_completion_tokens` tokens, reasoning included."""
    _expect_within(exchange, "max_completion_tokens", 0)


def _expect_within(exchange: Exchange, name: str, aside: int) -> None:
    spent = tokens_of(exchange, "completion_tokens")
    if spent is None:
        raise Inconclusive("the answer does not say how many tokens it has")
    choices = max(len(choices_of(exchange)), choices_asked(exchange.request.asked))
    most = exchange.request.asked[name] * choices
    expect(
        spent - aside <= most,
        expected=f"at most {most} completion tokens ({choices} choices of {exchange.request.asked[name]})",
        got=f"{spent}",
        at="/usage/completion_tokens",
    )


# --------------------------------------------------------------------------------------------------- stop


@clause(
    "chat.stop",
    level="MUST",
    source="SPEC CreateChatCompletionRequest.stop",
    on=answered("createChatCompletion", asks=lambda body: bool(stops(body))),
    model="some-output",
    fields=("stop",),
)
def stop_never_appears(exchange: Exchange) -> None:
    """No sequence of `stop` appears in the returned text, the later ones of a list no more than the first."""
    for choice in choices_told(exchange):
        for stop in stops(exchange.request.asked):
            held = stop not in choice.content
            choice.must(held, "content", expected=f"text that ends before {shown(stop)}", got=shown(choice.content))


@clause(
    "chat.stop-finish",
    level="MUST",
    source="SPEC CreateChatCompletionResponse.choices.finish_reason: a natural stop point or a stop sequence",
    on=sequence(STOPPED),
    model="some-output",
)
def stop_ends_with_stop(exchanges: list[Exchange]) -> None:
    """A text that a stop sequence ended has `finish_reason: stop`."""
    judged = 0
    for stopped, kept, _ in _stopped(exchanges):
        choice = choices_told(stopped)[0]
        if choice.content.rstrip() == kept.rstrip():
            at = f"{stopped.id} /choices/0/finish_reason"
            expect(choice.finish == "stop", expected='"stop"', got=shown(choice.finish), at=at, event=choice.event)
            judged += 1
    if not judged:
        raise NotApplicable("no text ended where its stop sequence stands in chat.plain")


@clause(
    "chat.stop-keeps",
    level="SHOULD",
    source="SPEC CreateChatCompletionRequest.stop: the text will not contain the stop sequence",
    on=sequence(STOPPED),
    model="some-output",
)
def stop_loses_nothing(exchanges: list[Exchange]) -> None:
    """A stop sequence takes away itself and what follows, all of itself, and nothing of what came before.

    A stream holds text back as long as it may be the beginning of a stop sequence; what is sent cannot be taken back.
    """
    expect_repeats(exchanges)
    judged = 0
    for stopped, kept, whole in _stopped(exchanges):
        choice = choices_told(stopped)[0]
        text = choice.content
        is_begun = text.startswith(kept) and whole.startswith(text) and cut(text, stops(stopped.request.asked)) is None
        if kept.startswith(text.rstrip()) or is_begun:
            expect(
                text.rstrip() == kept.rstrip(),
                expected=f"{shown(kept)}, as chat.plain begins",
                got=shown(text),
                at=f"{stopped.id} {choice.at}/content",
                event=choice.event,
            )
            judged += 1
    if not judged:
        raise NotApplicable("no text began as chat.plain does")


def _stopped(exchanges: Sequence[Exchange]) -> Iterator[tuple[Exchange, str, str]]:
    """Each exchange whose stop sequence occurs in the text of `chat.plain`; what it should keep of it; that text."""
    plain, others = _by_probe(exchanges)
    whole = first_text(plain)
    for other in others:
        kept = cut(whole, stops(other.request.asked))
        if kept is not None:
            yield other, kept, whole
