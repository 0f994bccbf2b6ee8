"""The byte layer of every streamed answer: framing, encoding, beginning and end.

What the events say is judged in chat_stream.py and completions_stream.py, when they come in sse_pace.py; whether a
stream may come at all where none was asked for, in wire.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from wireproof.clause import (
    Event,
    Exchange,
    Inconclusive,
    Machine,
    Symbol,
    Undecodable,
    answered,
    clause,
    expect,
    parse_json,
    shown,
)

from ._stream import framed, is_json, read_object

STREAM = answered(streamed=True)
# The operations that end with [DONE] and send data-only events.
TOKENS = answered("createChatCompletion", "createCompletion", streamed=True)

# A field that the standard does not know is to be ignored, so it is no breach unless it carries what was
# meant for `data`: JSON, an error, the end mark.
IGNORABLE = re.compile(r"(?!error\b)[a-z][a-z0-9_-]*(:(?!\s*[\[{]).*)?", re.IGNORECASE)

DONE_ONCE = Machine("open", {"open": {"end mark": "ended"}, "ended": {}})
DONE_LAST = Machine("open", {"open": {"data": "open", "end mark": "ended"}, "ended": {"end mark": "ended"}})


# ------------------------------------------------------------------------------------------------ framing


@clause(
    "sse.content-type",
    level="MUST",
    source="SPEC createChatCompletion 200; WHATWG HTML 9.2.5",
    on=STREAM,
    fields=("stream",),
)
def stream_is_typed_as_one(exchange: Exchange) -> None:
    """A request with `stream: true` is answered with `Content-Type: text/event-stream`.

    Clients choose their parser by it: browsers' EventSource refuses any other type, gateways buffer what they
    do not know as a stream. Send `text/event-stream; charset=utf-8`.
    """
    given = exchange.header("content-type") or "no content-type"
    expect(exchange.media_type == "text/event-stream", expected="content-type text/event-stream", got=given)


@clause(
    "sse.utf8", level="MUST", source="SPEC text/event-stream; WHATWG HTML 9.2.6: event streams are UTF-8", on=STREAM
)
def stream_is_utf8(exchange: Exchange) -> None:
    """A stream is UTF-8 from the first byte to the last, and says no other charset.

    A character may be cut between two writes; the bytes on the wire must still join to whole characters.
    """
    given = exchange.header("content-type") or ""
    charset = re.search(r"charset\s*=\s*\"?([^\s\";]+)", given, re.IGNORECASE)
    expect(
        charset is None or charset[1].lower() in ("utf-8", "utf8"),
        expected="charset utf-8 or none",
        got=given,
    )
    body = exchange.body
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as bad:
        around = body[max(0, bad.start - 12) : bad.start + 12]
        expect(False, expected="UTF-8", got=f"{around!r} at byte {bad.start}", event=_event_at(exchange, bad.start))


@clause("sse.fields", level="MUST", source="SPEC text/event-stream; WHATWG HTML 9.2.6", on=STREAM)
def every_line_is_a_field(exchange: Exchange) -> None:
    """Every line of a stream is a field (`data: ...`), a comment (`: ...`) or empty.

    A line without the `data:` prefix is dropped by every client: the chunk, the `[DONE]` or the error that it
    was meant to carry is never seen.
    """
    for number, event in framed(exchange):
        for line in event.strays:
            expect(bool(IGNORABLE.fullmatch(line)), expected="a line `data: ...`", got=shown(line), event=number)


@clause(
    "sse.blank-line",
    level="MUST",
    source="SPEC text/event-stream; WHATWG HTML 9.2.6: a blank line dispatches the event",
    on=STREAM,
)
def events_end_with_a_blank_line(exchange: Exchange) -> None:
    """A blank line ends each event.

    Without it the `data` lines of several events are one event, joined by line feeds, which is no JSON: clients
    that follow the standard fail on it or wait for the end of the body.
    """
    for number, event in framed(exchange):
        lines = (event.data or "").split("\n")
        if len(lines) > 1 and not is_json(event.data or "") and _each_stands_alone(lines):
            expect(
                False,
                expected="a blank line after each event",
                got=f"{len(lines)} events in one: {shown(lines)}",
                event=number,
            )


@clause("sse.json", level="MUST", source="SPEC createChatCompletion stream; SDK _streaming.py", on=STREAM)
def data_is_one_json_object(exchange: Exchange) -> None:
    """The data of each event is one JSON object, or `[DONE]`.

    Two documents in one event, half a document, `NaN` or Python's quotes end the official SDKs with a
    decoding error in the middle of the answer; `null` or a bare string ends the program that reads a field of it.
    """
    for number, event in framed(exchange):
        data = event.data
        if data is None or not data.strip() or event.is_done or (event.unfinished and not is_json(data)):
            continue
        lines = data.split("\n")
        if len(lines) > 1 and _each_stands_alone(lines):
            continue  # sse.blank-line
        try:
            value = parse_json(data)
        except Undecodable as bad:
            expect(False, expected="one JSON object", got=f"{shown(data)} ({bad})", event=number)
        else:
            expect(isinstance(value, dict), expected="one JSON object", got=shown(data), event=number)


@clause("sse.empty-data", level="MUST", source="SDK _streaming.py: each event's data is decoded as JSON", on=STREAM)
def no_event_is_empty(exchange: Exchange) -> None:
    """No event has empty data. To keep a connection open, send a comment line (`: ping`).

    The official SDKs decode the data of every event as JSON and stop with an error at an empty one.
    """
    for number, event in framed(exchange):
        empty = event.data is not None and not event.data.strip()
        expect(not empty, expected="data with a JSON document, or a comment", got="empty data", event=number)


@clause(
    "sse.unfinished",
    level="SHOULD",
    source="SPEC text/event-stream; WHATWG HTML 9.2.6: a pending event is discarded at the end",
    on=STREAM,
)
def last_event_is_finished(exchange: Exchange) -> None:
    """The last event, too, is ended by a blank line.

    The standard discards an event that is pending when the body ends, and so does the official Python SDK (3.54.0).
    Write `data: [DONE]` with two line feeds.
    """
    for number, event in framed(exchange):
        expect(not event.unfinished, expected="a blank line at the end", got=shown(event.data), event=number)


@clause("sse.event-name", level="SHOULD", source="SPEC CreateCompletionRequest.stream: data-only events", on=TOKENS)
def chunks_are_data_only(exchange: Exchange) -> None:
    """Chunks are data-only events: no `event:` field renames them.

    A named event reaches only listeners of that name; an `onmessage` listener sees nothing of the answer.
    Events of other kinds (`event: ping`) and the name `message`, which is the default, are no breach.
    """
    for number, event in framed(exchange):
        if event.name in (None, "", "message") or not (event.is_done or _is_chunk(event)):
            continue
        expect(False, expected="no `event:` field", got=f"event: {event.name}", event=number)


# ----------------------------------------------------------------------------------------- beginning, end


@clause("sse.error-status", level="MUST", source="QUOTES-0915 L5; SDK _streaming.py", on=STREAM)
def early_errors_are_http_errors(exchange: Exchange) -> None:
    """What fails before the first chunk is answered with an HTTP error status, not with a stream of status 200.

    Clients retry by status and raise typed errors by status; an error inside a 200 is retried by none.
    """
    for number, event in framed(exchange):
        stray = next((line for line in event.strays if line.lower().startswith("error")), None)
        if event.data is None and stray is None:
            continue
        is_error = stray is not None or _is_error(event)
        expect(
            not is_error,
            expected="a status of 400 or above",
            got=f"{exchange.status} and {shown(stray or event.data)}",
            event=number,
        )
        return
    raise Inconclusive("the stream has no event")


@clause("sse.done", level="MUST", source="SPEC CreateCompletionRequest.stream; CAP-2510", on=TOKENS)
def stream_ends_with_done(exchange: Exchange) -> None:
    """A stream ends with `data: [DONE]`.

    It is how a client tells an answer that is complete from a connection that was cut.
    """
    events = [event for _, event in framed(exchange)]
    if any(_is_error(event) for event in events):
        raise Inconclusive("the stream broke off with an error")
    last = events[-1]
    expect(
        any(line.strip() == "[DONE]" for event in events for line in (event.data or "").split("\n")),
        expected="data: [DONE]",
        got=f"the end after {shown(last.data if last.data is not None else list(last.strays))}",
        event=len(exchange.events) - 1,
    )


@clause("sse.done-once", level="SHOULD", source="SPEC CreateCompletionRequest.stream", on=TOKENS)
def done_comes_once(exchange: Exchange) -> None:
    """`data: [DONE]` comes once.

    Clients stop at the first, and never read the second.
    """
    offence = DONE_ONCE.first_offence(_end_marks(exchange))
    if offence is not None:
        expect(False, expected="one [DONE]", got="another", event=offence.at)


@clause("sse.done-last", level="MUST", source="SPEC CreateCompletionRequest.stream", on=TOKENS)
def nothing_follows_done(exchange: Exchange) -> None:
    """Nothing follows `data: [DONE]`: clients have stopped reading, and lose the chunk or the usage sent there."""
    offence = DONE_LAST.first_offence(_end_marks(exchange))
    if offence is not None:
        expect(False, expected="the end of the body after [DONE]", got=offence.got, event=offence.at)


# ------------------------------------------------------------------------------------------------ reading


def _event_at(exchange: Exchange, offset: int) -> int | None:
    """The number of the event in which byte `offset` of the body stands."""
    before = [number for number, event in enumerate(exchange.events) if event.offset <= offset]
    return before[-1] if before else None


def _each_stands_alone(lines: Iterable[str]) -> bool:
    """Whether each line is an event of its own that lost its blank line: a JSON object or [DONE]."""
    return all(not line.strip() or line.strip() == "[DONE]" or read_object(line) is not None for line in lines)


def _is_chunk(event: Event) -> bool:
    value = read_object(event.data)
    return value is not None and "choices" in value


def _is_error(event: Event) -> bool:
    """An error as clients recognise it: a truthy `error` member, the flat `{"type": "error"}`, or by name."""
    value = read_object(event.data)
    return event.name == "error" or (value is not None and (bool(value.get("error")) or value.get("type") == "error"))


def _end_marks(exchange: Exchange) -> list[Symbol]:
    return [
        Symbol("end mark" if event.is_done else "data", number, shown=shown(event.data))
        for number, event in framed(exchange)
        if event.data is not None and event.data.strip()
    ]
