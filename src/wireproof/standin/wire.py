"""What goes in and out of the stand-in: one request as a value, one answer as a value.

Answers are decided before the first byte leaves: a stream is a list of frames with delays, or a script of them. That is
why a fault can be a plain function from answer to answer, and why a test needs neither socket nor clock.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import orjson

Headers = tuple[tuple[str, str], ...]
Query = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Ask:
    """One request as the stand-in received it.

    `path` includes the `/v1` prefix, as it was sent; `query` the decoded pairs, a name as often as it came;
    header names are lower case. `wants_socket`: it is the handshake of a WebSocket.
    """

    method: str
    path: str
    query: Query = ()
    headers: Headers = ()
    body: bytes = b""
    wants_socket: bool = False

    @cached_property
    def json(self) -> Any:
        """The body as JSON, or None when it is empty or not JSON."""
        try:
            return json.loads(self.body) if self.body else None
        except ValueError:
            return None

    @property
    def asked(self) -> dict[str, Any]:
        """The body when it is a JSON object, else {}: for faults that look for a field."""
        return self.json if isinstance(self.json, dict) else {}

    @property
    def streamed(self) -> bool:
        return self.asked.get("stream") is True

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name.lower()), None)

    def without(self, *names: str) -> Ask:
        """The same request, as if these body fields had never been sent."""
        return self.with_json({key: value for key, value in self.asked.items() if key not in names})

    def changed(self, **fields: Any) -> Ask:
        """The same request with these body fields set."""
        return self.with_json({**self.asked, **fields})

    def with_json(self, body: Any) -> Ask:
        return replace(self, body=json.dumps(body).encode())


@dataclass(frozen=True, slots=True)
class Frame:
    """One write to the socket. `delay_ms` counts from the write before it (the first: from the request)."""

    delay_ms: float
    data: bytes


@dataclass(frozen=True, slots=True)
class Script:
    """Frames that are written when their time has come, the same at each pass: a long stream weighs as its words."""

    write: Callable[[], Iterator[Frame]]

    def __iter__(self) -> Iterator[Frame]:
        return self.write()


class Session(Protocol):
    """What speaks on a socket. `take` are the messages due by now; `closing` the code and reason to close with, once
    there is one; `next_s` when there will be more, by the clock of the backend.
    """

    closing: tuple[int, str] | None

    @property
    def next_s(self) -> float: ...

    def hear(self, text: str | bytes) -> None: ...

    def take(self) -> list[str]: ...


@dataclass(frozen=True)
class Answer:
    """One answer. With `frames` it is sent frame by frame and `body` is ignored.

    `frames` may be endless. `cut` closes the connection without the proper end of the message. With `session` the
    handshake was taken, and what is said on the socket is the session's.
    """

    status: int = 200
    headers: Headers = ()
    body: bytes = b""
    frames: Iterable[Frame] | None = None
    delay_ms: float = 0.0
    cut: bool = False
    session: Session | None = None

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def is_stream(self) -> bool:
        return self.frames is not None

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def with_json(self, value: Any) -> Answer:
        return replace(self, body=json.dumps(value, ensure_ascii=False).encode())

    def with_headers(self, more: Headers) -> Answer:
        """These headers as well, after its own. By hand, because `replace` is slow and all answers pass here."""
        headers = (*self.headers, *more)
        return Answer(self.status, headers, self.body, self.frames, self.delay_ms, self.cut, self.session)

    def with_header(self, name: str, value: str) -> Answer:
        """The header set once, in its old place if it had one."""
        return replace(self, headers=(*self.without_header(name).headers, (name, value)))

    def without_header(self, *names: str) -> Answer:
        gone = {name.lower() for name in names}
        return replace(self, headers=tuple((k, v) for k, v in self.headers if k.lower() not in gone))


Serve = Callable[[Ask], Answer]

DONE = b"data: [DONE]\n\n"
EVENT_STREAM: Headers = (("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache"))


def encoded(value: Any) -> bytes:
    """JSON in UTF-8, fast; the slow way for what orjson has no form for, as integers of more than 64 bits."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, ensure_ascii=False).encode()


def json_answer(value: Any, status: int = 200, *, headers: Headers = (), delay_ms: float = 0.0) -> Answer:
    return Answer(status, (("content-type", "application/json"), *headers), encoded(value), delay_ms=delay_ms)


def refusal(
    status: int,
    message: str,
    *,
    type: str = "invalid_request_error",
    param: str | None = None,
    code: str | None = None,
) -> Answer:
    """An error in the shape every client parses: `{"error": {message, type, param, code}}`."""
    return json_answer({"error": {"message": message, "type": type, "param": param, "code": code}}, status)


def event_frame(value: Any, delay_ms: float = 0.0) -> Frame:
    return Frame(delay_ms, b"data: %b\n\n" % encoded(value))


def named_event(name: str, value: Any, delay_ms: float = 0.0) -> Frame:
    """A frame with an `event:` line, as Responses and Assistants send them."""
    return Frame(delay_ms, b"event: %b\ndata: %b\n\n" % (name.encode(), encoded(value)))


def event_of(frame: Frame) -> dict[str, Any] | None:
    """The JSON object a frame of the correct handlers carries; None for `[DONE]` and comments."""
    start = 0 if frame.data.startswith(b"data: ") else frame.data.find(b"\ndata: ") + 1
    if not frame.data.startswith(b"data: {", start):
        return None
    value = json.loads(frame.data[start + len(b"data: ") :])
    return value if isinstance(value, dict) else None


def events_of(frames: Iterable[Frame]) -> Iterator[dict[str, Any]]:
    return (event for event in map(event_of, frames) if event is not None)
