"""The usage of streamed chat: one closing chunk that was asked for, and counts that are true.

The probes are those of chat_stream.py and of every other file that streams with `include_usage`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wireproof.clause import (
    Exchange,
    Inconclusive,
    Machine,
    NotApplicable,
    Symbol,
    Undecodable,
    answered,
    clause,
    expect,
    remembered,
    sequence,
    shown,
)

from ._asked import asks_usage
from ._chat import ends, increments
from ._reading import as_count, as_object, as_text, choices_in
from ._stream import values_in

CHAT = "createChatCompletion"

# Over all choices together: the usage sums them up.
USAGE_LAST = Machine(
    "running",
    {"running": {"content": "running", "finish": "running", "usage": "told"}, "told": {"usage": "told"}},
)


WITH_USAGE = answered(CHAT, streamed=True, asks=asks_usage)
WITHOUT_USAGE = answered(CHAT, streamed=True, asks=lambda body: not asks_usage(body))


@clause(
    "chat.stream.usage",
    level="MUST",
    source="SPEC ChatCompletionStreamOptions.include_usage",
    on=WITH_USAGE,
    fields=("stream_options",),
)
def usage_comes_in_a_closing_chunk(exchange: Exchange) -> None:
    """With `include_usage` a stream closes with a chunk that has the `usage` and an empty list of `choices`.

    Billing reads the usage there; clients skip a chunk without choices, and read `choices[0]` of all others.
    """
    usages = _usages(exchange)
    if not usages and any(chunk.get("error") for _, chunk in _chunks(exchange)):
        raise Inconclusive("the stream broke off with an error")
    expect(bool(usages), expected="a chunk with usage", got="none", event=len(exchange.events) - 1)
    number, _ = usages[-1]
    choices = dict(_chunks(exchange))[number].get("choices")
    expect(choices == [], expected="choices [] beside the usage", got=choices, at="/choices", event=number)


@clause("chat.stream.usage-once", level="MUST", source="SPEC ChatCompletionStreamOptions.include_usage", on=WITH_USAGE)
def usage_comes_once(exchange: Exchange) -> None:
    """One chunk has the usage; in every other it is null or absent.

    Clients add up what they are told: counts that grow with each chunk are billed many times over.
    """
    usages = _usages(exchange)
    if not usages:
        raise Inconclusive("no chunk has usage")
    expect(
        len(usages) == 1,
        expected="usage null in all chunks but the last",
        got=f"usage in {len(usages)} chunks, first {shown(usages[0][1])}",
        at="/usage",
        event=usages[0][0],
    )


@clause("chat.stream.usage-last", level="MUST", source="SPEC ChatCompletionStreamOptions.include_usage", on=WITH_USAGE)
def usage_comes_last(exchange: Exchange) -> None:
    """The usage comes after every choice has finished, and before `[DONE]`."""
    usages = _usages(exchange)
    if not usages:
        raise Inconclusive("no chunk has usage")
    offence = USAGE_LAST.first_offence(_symbols(exchange, usages[-1][0]))
    if offence is not None:
        expect(False, expected="nothing after the usage", got=offence.got, event=offence.at)


@clause("chat.stream.usage-unasked", level="MUST", source="SPEC ChatCompletionStreamOptions", on=WITHOUT_USAGE)
def usage_is_not_sent_unasked(exchange: Exchange) -> None:
    """Without `include_usage` no chunk has usage.

    Clients that did not ask for the usage chunk read `choices[0]` of every chunk, and fail at it.
    """
    usages = _usages(exchange)
    if usages:
        number, usage = usages[0]
        expect(False, expected="no usage", got=usage, at="/usage", event=number)


@clause("chat.stream.usage-sum", level="MUST", source="SPEC CompletionUsage", on=WITH_USAGE)
def usage_of_streams_adds_up(exchange: Exchange) -> None:
    """In the usage of a stream `total_tokens` is `prompt_tokens` + `completion_tokens`."""
    number, usage = _last_usage(exchange)
    prompt, completion, total = (as_count(usage.get(f"{kind}_tokens")) for kind in ("prompt", "completion", "total"))
    if prompt is None or completion is None or total is None:
        raise Inconclusive("a count of the usage is missing")
    expect(
        total == prompt + completion,
        expected=f"{prompt} + {completion} = {prompt + completion}",
        got=total,
        at="/usage/total_tokens",
        event=number,
    )


# Each detail is a part of its count.
DETAILS = (
    ("prompt_tokens", "prompt_tokens_details", "cached_tokens"),
    ("prompt_tokens", "prompt_tokens_details", "audio_tokens"),
    ("completion_tokens", "completion_tokens_details", "reasoning_tokens"),
    ("completion_tokens", "completion_tokens_details", "audio_tokens"),
    ("completion_tokens", "completion_tokens_details", "accepted_prediction_tokens"),
)


@clause("chat.stream.usage-details", level="MUST", source="SPEC CompletionUsage", on=WITH_USAGE)
def usage_details_of_streams_are_parts(exchange: Exchange) -> None:
    """In the usage of a stream, cached and reasoning tokens are parts of the counts they detail, never more."""
    number, usage = _last_usage(exchange)
    judged = False
    for whole, details, part in DETAILS:
        count, detail = as_count(usage.get(whole)), usage.get(details)
        share = as_count(as_object(detail).get(part))
        if count is None or share is None:
            continue
        judged = True
        expect(
            0 <= share <= count,
            expected=f"from 0 to {whole}, {count}",
            got=share,
            at=f"/usage/{details}/{part}",
            event=number,
        )
    if not judged:
        raise NotApplicable("the usage has no details")


@clause("chat.stream.usage-counts", level="MUST", source="SPEC CompletionUsage", on=WITH_USAGE, model="some-output")
def usage_of_streams_counts(exchange: Exchange) -> None:
    """The usage of a stream counts what was read and written.

    There are prompt tokens, there are completion tokens where text came, and not more than `max_tokens` for each
    choice.
    """
    number, usage = _last_usage(exchange)
    prompt, completion = as_count(usage.get("prompt_tokens")), as_count(usage.get("completion_tokens"))
    if prompt is None or completion is None:
        raise Inconclusive("a count of the usage is missing")
    expect(prompt >= 1, expected="at least 1", got=prompt, at="/usage/prompt_tokens", event=number)
    least = 1 if any(increments(choice) for _, chunk in _chunks(exchange) for _, choice in choices_in(chunk)) else 0
    expect(
        completion >= least, expected=f"at least {least}", got=completion, at="/usage/completion_tokens", event=number
    )
    asked = exchange.request.asked
    cap, n = _cap(asked), asked.get("n") or 1
    if cap is not None and isinstance(n, int):
        expect(
            completion <= cap * n,
            expected=f"at most {cap * n}, as asked",
            got=completion,
            at="/usage/completion_tokens",
            event=number,
        )


def _asks_cap(body: dict[str, Any]) -> bool:
    """Whether one choice is capped, and the usage will tell if the cap was reached."""
    return asks_usage(body) and _cap(body) is not None and (body.get("n") or 1) == 1


@clause(
    "chat.stream.length",
    level="MUST",
    source="SPEC finish_reason: length if the maximum number of tokens was reached",
    on=sequence(answered(CHAT, streamed=True, asks=_asks_cap)),
    model="some-output",
)
def cut_streams_say_length(exchanges: list[Exchange]) -> None:
    """A stream that `max_tokens` cut short ends with `finish_reason: "length"`.

    An answer that just fills its maximum may have ended by itself: `stop` is a breach only where another stream
    of the same prompt shows how the text goes on.
    """
    judged = 0
    for exchange in exchanges:
        ended = _ended_at_cap(exchange)
        if ended is None:
            continue
        number, at, reason = ended
        longer = next((other.id for other in exchanges if _goes_on(exchange, other)), None)
        if reason == "stop" and longer is None:
            continue
        expect(
            reason == "length",
            expected=f'"length" at the maximum: {longer or "chat.stream-long"} shows how the text goes on',
            got=shown(reason),
            at=f"{exchange.id} {at}/finish_reason",
            event=number,
        )
        judged += 1
    if not judged:
        raise NotApplicable("no stream is known to have been cut by its maximum")


def _ended_at_cap(exchange: Exchange) -> tuple[int, str, Any] | None:
    """Event, pointer and finish_reason of a stream that used its maximum; None when it did not, or ended for tools."""
    cap = _cap(exchange.request.asked)
    if cap is None or exchange.request.asked.get("stop"):
        return None
    told = [count for _, usage in _usages(exchange) if (count := as_count(usage.get("completion_tokens"))) is not None]
    spoken = [(number, at, one) for number, chunk in _chunks(exchange) for at, one in choices_in(chunk)]
    # The end-of-text token may be counted but is never shown: only as many deltas as tokens prove the cap.
    deltas = sum(1 for _, _, choice in spoken if increments(choice))
    finish = next((one for one in spoken if ends(one[2])), None)
    if not told or finish is None or max(told) != cap or deltas < cap:
        return None
    number, at, choice = finish
    reason = choice["finish_reason"]
    return None if reason in ("tool_calls", "function_call", "content_filter") else (number, at, reason)


def _goes_on(short: Exchange, other: Exchange) -> bool:
    """Whether the other is an answer to the same messages whose text begins with all of the short one, and goes on."""
    if short.request.asked.get("messages") != other.request.asked.get("messages"):
        return False
    text, longer = _text(short), _text(other)
    return bool(text.strip()) and len(longer) > len(text) and longer.startswith(text)


def _text(exchange: Exchange) -> str:
    """What the first choice of a stream says."""
    pieces = [
        choice for _, chunk in _chunks(exchange) for _, choice in choices_in(chunk) if choice.get("index") in (0, None)
    ]
    return "".join(as_text(as_object(piece.get("delta")).get("content")) for piece in pieces)


# ------------------------------------------------------------------------------------------------ reading


@remembered
def _chunks(exchange: Exchange) -> list[tuple[int, dict[str, Any]]]:
    """The JSON objects up to [DONE], with the numbers of their events; Inconclusive when one cannot be read."""
    chunks: list[tuple[int, dict[str, Any]]] = []
    for number, (event, value) in enumerate(zip(exchange.events, values_in(exchange), strict=True)):
        if event.is_done:
            return chunks
        if isinstance(value, Undecodable):
            raise Inconclusive(f"event {number} is not JSON") from value
        if isinstance(value, dict):
            chunks.append((number, value))
    if not chunks:
        raise Inconclusive("no chunk could be read")
    return chunks


def _symbols(exchange: Exchange, usage_at: int) -> Iterator[Symbol]:
    """The stream as USAGE_LAST reads it, with the usage of event `usage_at` after what that chunk says."""
    for number, chunk in _chunks(exchange):
        for _, choice in choices_in(chunk):
            if increments(choice):
                yield Symbol("content", number, shown=shown(choice["delta"]))
            if ends(choice):
                yield Symbol("finish", number, shown=f"finish_reason {shown(choice['finish_reason'])}")
        if number == usage_at:
            yield Symbol("usage", number)


def _usages(exchange: Exchange) -> list[tuple[int, dict[str, Any]]]:
    """The chunks that carry a usage, which null and {} are not."""
    found = [(number, chunk.get("usage")) for number, chunk in _chunks(exchange)]
    return [(number, usage) for number, usage in found if isinstance(usage, dict) and usage]


def _last_usage(exchange: Exchange) -> tuple[int, dict[str, Any]]:
    usages = _usages(exchange)
    if not usages:
        raise Inconclusive("no chunk has usage")
    return usages[-1]


def _cap(body: dict[str, Any]) -> int | None:
    """The most tokens a choice may have, as asked."""
    cap = body.get("max_completion_tokens") or body.get("max_tokens")
    return cap if isinstance(cap, int) and cap > 0 else None
