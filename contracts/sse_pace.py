"""The pace of every streamed answer: it comes in pieces, as it is made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from wireproof.clause import (
    Event,
    Exchange,
    Inconclusive,
    NotApplicable,
    answered,
    clause,
    expect,
    needing,
    sequence,
    shown,
)

from ._chat import delta_of
from ._reading import as_object, as_text, choices_in
from ._stream import framed, objects_in, read_object

# Whole text in one delta: a short answer may come so, 20 tokens or 100 characters may not. Chosen, not measured:
# well above the greeting that the shortest probe asks for, well below the cap of the longest.
LONG_TOKENS = 20
LONG_CHARACTERS = 100

# The limits of sse.incremental are chosen, not measured: strict, so that speed alone is never blamed.
# How much of an answer must be seen to tell a stream from a body sent at once. Shorter ones say nothing.
LONG_PIECES = 8
SHORT_PIECES = 3
# The pieces of a burst come within this part of the wait before them.
BURST = 0.05
# By how much the wait must grow from a short to a long answer: many long answers agree, or one is far off.
# Below it, a fast backend behind a slow queue looks the same.
GROWTH_S = 0.1
GROWTH_OF_FEW_S = 0.5
MANY = 3


# With tools a server may hold text back until it knows that it is no call.
@clause(
    "sse.pieces",
    level="SHOULD",
    source="SPEC CreateCompletionRequest.stream: tokens are sent as they become available",
    on=answered(
        "createChatCompletion",
        "createCompletion",
        streamed=True,
        asks=lambda body: not any(body.get(name) for name in ("tools", "functions")),
    ),
    model="some-output",
)
def long_text_comes_in_pieces(exchange: Exchange) -> None:
    """A long text comes in more than one delta, as it is generated.

    A whole answer in one delta is a plain answer in the dress of a stream: the user waits as long as without.
    """
    chunks = list(_chunks(exchange))
    tokens = max((_completion_tokens(chunk) for _, chunk in chunks), default=0)
    texts: dict[Any, list[tuple[int, str]]] = {}
    for number, chunk in chunks:
        for key, text in _texts(chunk):
            texts.setdefault(key, []).append((number, text))
    if not texts:
        raise NotApplicable("the stream has no text")
    judged = False
    for pieces in texts.values():
        length = sum(len(text) for _, text in pieces)
        # The usage counts all choices (and thoughts): it measures the text only when there is one choice.
        is_long = length >= LONG_CHARACTERS or (len(texts) == 1 and tokens >= LONG_TOKENS and length >= LONG_TOKENS)
        if not is_long:
            continue
        judged = True
        number, first = pieces[0]
        expect(
            len(pieces) > 1,
            expected=f"a text of {length} characters in several deltas",
            got=f"one delta: {shown(first)}",
            event=number,
        )
    if not judged:
        raise NotApplicable("no text was long enough to be cut")


@clause(
    "sse.incremental",
    level="SHOULD",
    source="SPEC CreateCompletionRequest.stream: tokens are sent as they become available",
    on=needing(
        sequence(answered("createChatCompletion", streamed=True, shows=lambda e: not e.header("content-encoding"))),
        "times",
    ),
    model="some-output",
)
def chunks_come_as_they_are_made(exchanges: Sequence[Exchange]) -> None:
    """Chunks are sent as they are produced, not all at once when the answer is complete.

    Judged over all streams together: every long one arrives in a burst, and the wait before it grows with its
    length. A backend that is merely fast waits as long for 2 tokens as for 60. Look for a proxy that buffers
    (`X-Accel-Buffering: no`), a compression in between, or a server that streams a finished answer.
    """
    paces = [pace for pace in map(_pace, exchanges) if pace is not None]
    long = [pace for pace in paces if pace.pieces >= LONG_PIECES]
    short = [pace for pace in paces if pace.pieces <= SHORT_PIECES]
    if not long:
        raise NotApplicable("no answer was long enough to tell")
    if any(pace.spread_s > BURST * pace.wait_s for pace in long):
        return
    if not short:
        raise NotApplicable("no short answer to compare the wait with")
    longest = max(long, key=lambda pace: pace.pieces)
    reference_s = max(pace.wait_s for pace in short)
    needed_s = GROWTH_S if len(long) >= MANY else GROWTH_OF_FEW_S
    grows = longest.wait_s >= max(2 * reference_s, reference_s + needed_s)
    if not grows or min(pace.wait_s for pace in long) <= reference_s:
        raise NotApplicable("the answers come too fast to tell a stream from a body sent at once")
    expect(
        False,
        expected="chunks spread over the time it takes to make them",
        got=f"nothing for {longest.wait_s:.3f} s, then {longest.pieces} chunks within {longest.spread_s * 1000:.1f} ms"
        f" (first chunk of a short answer: after {reference_s:.3f} s)",
        at=f"{longest.exchange} ",
    )


@dataclass(frozen=True, slots=True)
class Pace:
    """When the content of a stream came: after `wait_s`, in `pieces` events over `spread_s`."""

    exchange: str
    pieces: int
    wait_s: float
    spread_s: float


def _pace(exchange: Exchange) -> Pace | None:
    """None when the stream has no content, or is none."""
    try:
        times = [exchange.events[number].at_s for number, chunk in _chunks(exchange) if _grows(chunk)]
    except (Inconclusive, NotApplicable):
        return None
    return Pace(exchange.id, len(times), times[0], times[-1] - times[0]) if times else None


# Chosen, not measured: filters that look at a whole answer take a second or two after its last word.
MOST_WAIT_AT_END_S = 5.0
LAST = ("response.completed", "response.failed", "response.incomplete", "thread.run.completed")


@clause(
    "sse.ends-promptly",
    level="SHOULD",
    source="SPEC CreateCompletionRequest.stream; SDK _streaming.py: reads to the end of the body",
    on=needing(answered(streamed=True, shows=lambda e: not e.header("content-encoding")), "times"),
)
def stream_ends_when_the_answer_does(exchange: Exchange) -> None:
    """Once an answer is complete, its stream ends: `[DONE]` and the end of the body follow within five seconds.

    A stream that is held open keeps a connection and a worker of the client, and whoever waits for the end waits.
    """
    ends = [event.at_s for event in exchange.events if _is_last(event)]
    if not ends:
        raise NotApplicable("no event says that the answer is complete")
    waited_s = exchange.ended_at_s - ends[-1]
    expect(
        waited_s <= MOST_WAIT_AT_END_S,
        expected=f"the end of the body within {MOST_WAIT_AT_END_S:g} s of the last word",
        got=f"{waited_s:.1f} s later",
    )


def _is_last(event: Event) -> bool:
    """Whether it ends an answer: the finish of the last choice, or the terminal event of a response or run."""
    value = read_object(event.data) or {}
    named = event.name in LAST or value.get("type") in LAST
    return named or any(choice.get("finish_reason") for _, choice in choices_in(value))


# ------------------------------------------------------------------------------------------------ reading


def _chunks(exchange: Exchange) -> Iterator[tuple[int, dict[str, Any]]]:
    next(framed(exchange))  # raises when there is no stream
    for number, _, value in objects_in(exchange):
        yield number, value


def _texts(chunk: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """`(choice index, text)` of what a chunk adds: chat's `delta.content`, or the `text` of a completion."""
    for _, choice in choices_in(chunk):
        delta = choice.get("delta")
        text = as_text(delta.get("content") if isinstance(delta, dict) else choice.get("text"))
        if text:
            yield shown(choice.get("index")), text


def _grows(chunk: dict[str, Any]) -> bool:
    """Whether a chunk adds anything to the answer: text, thoughts, arguments of a call."""
    deltas = [delta_of(choice) for _, choice in choices_in(chunk)]
    return any(value for delta in deltas for key, value in delta.items() if key != "role")


def _completion_tokens(chunk: dict[str, Any]) -> int:
    count = as_object(chunk.get("usage")).get("completion_tokens")
    return count if isinstance(count, int) else 0
