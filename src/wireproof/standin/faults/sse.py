"""Departures of the byte layer of streams: framing, encoding, end, pace."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_frames
from wireproof.standin.wire import DONE, Answer, Ask, Frame, Serve, event_frame, event_of, refusal

CHAT = "/v1/chat/completions"


def _each_data(answer: Answer, change: Callable[[bytes], bytes]) -> Answer:
    """A stream whose frames carry `change(bytes)`."""
    return edit_frames(answer, lambda frames: (Frame(f.delay_ms, change(f.data)) for f in frames))


def _at_second(answer: Answer, change: Callable[[bytes], bytes]) -> Answer:
    """A stream whose second frame carries `change(bytes)`."""
    return edit_frames(
        answer, lambda frames: (Frame(f.delay_ms, change(f.data)) if i == 1 else f for i, f in enumerate(frames))
    )


@fault("sse.content-type-json", breaks="sse.content-type")
def content_type_json(ask: Ask, serve: Serve) -> Answer:
    """`Content-Type: application/json` over an event stream."""
    answer = serve(ask)
    return answer.with_header("content-type", "application/json") if answer.is_stream else answer


@fault("sse.content-type-plain", breaks="sse.content-type")
def content_type_plain(ask: Ask, serve: Serve) -> Answer:
    """`Content-Type: text/plain` over an event stream."""
    answer = serve(ask)
    return answer.with_header("content-type", "text/plain; charset=utf-8") if answer.is_stream else answer


@fault("sse.stream-ignored", breaks="sse.content-type")
def stream_ignored(ask: Ask, serve: Serve) -> Answer:
    """A plain JSON answer although `stream` is true."""
    return serve(ask.without("stream", "stream_options")) if ask.streamed else serve(ask)


@fault("sse.latin-1", breaks="sse.utf8", also=("chat.characters", "chat.parity.text", "chat.structured.*"))
def latin_1(ask: Ask, serve: Serve) -> Answer:
    """Text outside ASCII is sent in Latin-1."""

    def encode(data: bytes) -> bytes:
        return data.replace(b'"content": "', b'"content": "\xe9') if b'"content": "' in data else data

    return _at_second(serve(ask), encode)


@fault("sse.charset", breaks="sse.utf8")
def charset_latin_1(ask: Ask, serve: Serve) -> Answer:
    """The stream says `charset=iso-8859-1`."""
    answer = serve(ask)
    return answer.with_header("content-type", "text/event-stream; charset=iso-8859-1") if answer.is_stream else answer


@fault("sse.prefix-missing", breaks="sse.fields", also=("sse.done",))
def prefix_missing(ask: Ask, serve: Serve) -> Answer:
    """Chunks are bare JSON lines, without `data:`."""
    return _each_data(serve(ask), lambda data: data.removeprefix(b"data: "))


@fault("sse.done-bare", breaks="sse.fields", also=("sse.done",))
def done_bare(ask: Ask, serve: Serve) -> Answer:
    """The stream ends with a line `[DONE]`, without `data:`."""
    return _each_data(serve(ask), lambda data: b"[DONE]\n\n" if data == DONE else data)


@fault(
    "sse.error-line",
    breaks="sse.error-status",
    also=(
        "sse.fields",
        "sse.done",
    ),
)
def error_line(ask: Ask, serve: Serve) -> Answer:
    """Status 200 and a line `error: {...}` in place of an HTTP error."""
    return _refused_late(ask, serve, b"error: ")


@fault("sse.error-event", breaks="sse.error-status")
def error_event(ask: Ask, serve: Serve) -> Answer:
    """Status 200 and an event with the error in place of an HTTP error."""
    return _refused_late(ask, serve, b"data: ")


def _refused_late(ask: Ask, serve: Serve, prefix: bytes) -> Answer:
    answer = serve(ask)
    if not answer.is_stream or ask.asked.get("n") != 2:
        return answer
    body = refusal(400, "n must be 1 for this model.", param="n", code="unsupported_value").body
    return replace(answer, frames=[Frame(1.0, prefix + body + b"\n\n")])


@fault("sse.single-newline", breaks="sse.blank-line", also=("sse.unfinished",))
def single_newline(ask: Ask, serve: Serve) -> Answer:
    """One line feed in place of two between events."""
    return _each_data(serve(ask), lambda data: data if data == DONE else data.replace(b"\n\n", b"\n"))


@fault("sse.single-newline-in-chat", breaks="sse.blank-line")
def single_newline_in_chat(ask: Ask, serve: Serve) -> Answer:
    """One line feed in place of two between chunks, but for the last."""
    return single_newline(ask, serve) if ask.path == CHAT else serve(ask)


@fault(
    "sse.two-in-one",
    breaks="sse.json",
    also=("chat.tools.*", "completions.*", "chat.structured.*"),
)
def two_in_one(ask: Ask, serve: Serve) -> Answer:
    """Two chunks in one event, `data: {...}{...}`."""

    def edit(frames: list[Frame]) -> Iterator[Frame]:
        for at in range(0, len(frames), 2):
            pair = frames[at : at + 2]
            if len(pair) == 2 and all(event_of(frame) for frame in pair):
                joined = pair[0].data.rstrip(b"\n") + pair[1].data.removeprefix(b"data: ")
                yield Frame(pair[0].delay_ms + pair[1].delay_ms, joined)
            else:
                yield from pair

    return edit_frames(serve(ask), edit)


@fault(
    "sse.python-dict",
    breaks="sse.json",
    also=("chat.stop-keeps", "chat.tools.*", "completions.*", "chat.structured.*"),
)
def python_dict(ask: Ask, serve: Serve) -> Answer:
    """One event is printed as Python prints a dict: single quotes, None."""

    def edit(data: bytes) -> bytes:
        value = event_of(Frame(0.0, data))
        return data if value is None else f"data: {value}\n\n".encode()

    return _at_second(serve(ask), edit)


@fault("sse.empty-data", breaks="sse.empty-data")
def empty_data(ask: Ask, serve: Serve) -> Answer:
    """An event with empty data before `[DONE]`."""
    return _each_data(serve(ask), lambda data: b"data:\n\n" + data if data == DONE else data)


@fault("sse.last-blank-line-missing", breaks="sse.unfinished")
def last_blank_line_missing(ask: Ask, serve: Serve) -> Answer:
    """`data: [DONE]` and the end of the body, without line feeds."""
    return _each_data(serve(ask), lambda data: data.rstrip(b"\n") if data == DONE else data)


@fault("sse.events-named", breaks="sse.event-name")
def events_named(ask: Ask, serve: Serve) -> Answer:
    """Every chunk has `event: completion`."""
    return _each_data(serve(ask), lambda data: data if data == DONE else b"event: completion\n" + data)


@fault("sse.done-missing", breaks="sse.done")
def done_missing(ask: Ask, serve: Serve) -> Answer:
    """The stream ends without `[DONE]`."""
    return edit_frames(serve(ask), lambda frames: (frame for frame in frames if frame.data != DONE))


@fault("sse.done-twice", breaks="sse.done-once")
def done_twice(ask: Ask, serve: Serve) -> Answer:
    """`[DONE]` comes twice."""
    return _each_data(serve(ask), lambda data: data + data if data == DONE else data)


@fault("sse.done-early", breaks="sse.done-last")
def done_early(ask: Ask, serve: Serve) -> Answer:
    """A chunk without choices follows `[DONE]` of a chat."""

    def edit(frames: list[Frame]) -> Iterator[Frame]:
        yield from frames
        first = event_of(frames[0])
        if first is not None:
            yield event_frame({**first, "choices": []})

    answer = serve(ask)
    return edit_frames(answer, edit) if ask.path == CHAT else answer


@fault("sse.one-delta", breaks="sse.pieces")
def one_delta(ask: Ask, serve: Serve) -> Answer:
    """The whole text comes in one delta, when it is complete."""
    if ask.path != CHAT or ask.asked.get("logprobs"):
        return serve(ask)

    def edit(frames: list[Frame]) -> Iterator[Frame]:
        held: dict[int, str] = {}
        waited = 0.0
        for frame in frames:
            event = event_of(frame)
            choice = event["choices"][0] if event and event.get("choices") else None
            waited += frame.delay_ms
            if event is None or choice is None:
                yield Frame(waited, frame.data)
                waited = 0.0
            elif choice["delta"].get("content") and not choice["finish_reason"]:
                held[choice["index"]] = held.get(choice["index"], "") + choice["delta"]["content"]
            else:
                if choice["finish_reason"] and choice["index"] in held:
                    text = held.pop(choice["index"])
                    whole = {**choice, "delta": {"content": text}, "finish_reason": None}
                    yield event_frame({**event, "choices": [whole]}, waited)
                    waited = 0.0
                yield Frame(waited, frame.data)
                waited = 0.0

    return edit_frames(serve(ask), edit)


# What a token costs the stand-in when it is asked to answer at once: enough to tell waiting from speed.
TOKEN_MS = 10.0


@fault("sse.burst", breaks="sse.incremental")
def burst(ask: Ask, serve: Serve) -> Answer:
    """The stream is held back until the answer is complete, then sent at once."""

    def edit(frames: list[Frame]) -> Iterator[Frame]:
        waited = sum(frame.delay_ms for frame in frames) + TOKEN_MS * len(frames)
        for at, frame in enumerate(frames):
            yield Frame(0.0 if at else waited, frame.data)

    answer = serve(ask)
    return edit_frames(answer, edit) if ask.path == CHAT else answer


@fault("sse.log-line", breaks="sse.fields")
def a_line_of_the_log(ask: Ask, serve: Serve) -> Answer:
    """A line of the server's log stands between two events."""
    return _at_second(serve(ask), lambda data: b"[INFO] 17 tokens a second\n" + data)


@fault("sse.not-a-number", breaks="sse.json")
def not_a_number(ask: Ask, serve: Serve) -> Answer:
    """Chunks of several choices have NaN for the log probabilities that there are not."""
    n = ask.asked.get("n")
    if ask.path != CHAT or not isinstance(n, int) or n < 2:
        return serve(ask)
    return _each_data(serve(ask), lambda data: data.replace(b'"logprobs": null', b'"logprobs": NaN'))


@fault("sse.null-event", breaks="sse.json")
def an_event_is_null(ask: Ask, serve: Serve) -> Answer:
    """The data of an event before `[DONE]` is `null`."""
    return _each_data(serve(ask), lambda data: b"data: null\n\n" + data if data == DONE else data)


@fault("sse.held-open", breaks="sse.ends-promptly")
def the_stream_is_held_open(ask: Ask, serve: Serve) -> Answer:
    """Eight seconds pass between `[DONE]` and the end of the body."""
    return edit_frames(serve(ask), lambda frames: iter([*frames, Frame(8_000.0, b": bye\n\n")]))


@fault("sse.done-late", breaks="sse.ends-promptly")
def done_comes_late(ask: Ask, serve: Serve) -> Answer:
    """Twelve seconds pass before `[DONE]`, while the answer is written to a log."""
    return edit_frames(serve(ask), lambda frames: (Frame(12_000.0, f.data) if f.data == DONE else f for f in frames))
