"""A recorded request and its answer, as values. Everything that is judged is one of these.

Times are seconds since the request was sent, on a monotonic clock. Bodies are kept as they came off the
wire, chunk by chunk; what clauses read (`text`, `json`, `events`) is derived on demand and remembered.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any, Literal, TypeVar

from wireproof.formdata import Part, boundary_in, parts_in, values_of
from wireproof.sse import Event, lex

Headers = tuple[tuple[str, str], ...]

# What a recording of others may not tell. times: when each chunk came · clock: when the request was sent ·
# sequence: what else the caller sent in between · headers: all of the answer's, none filtered.
Lack = Literal["times", "clock", "sequence", "headers"]

# An answer may be compressed although we ask for identity. 16 MiB is twice the largest body the recorder
# keeps; a bomb of 10 GiB is cut here and never held in memory.
MOST_DECODED_BYTES = 16 * 1024 * 1024

MOST_DIGITS = 300  # a double ends at 1.8e308

T = TypeVar("T")


class Undecodable(ValueError):
    """The body is not what its headers say: not UTF-8, not the announced encoding, or a bomb."""


@dataclass(frozen=True)
class Request:
    """What was sent. `path` is relative to the base URL (`/chat/completions`); the key is already masked.

    It is a whole URL where an answer named one, and what lies behind it was fetched.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Headers
    body: bytes

    @cached_property
    def json(self) -> Any:
        """The body as JSON; None when it is empty or not JSON."""
        try:
            return json.loads(self.body) if self.body else None
        except ValueError:
            return None

    @cached_property
    def asked(self) -> dict[str, Any]:
        """The body when it is a JSON object, else {}; without a body, `stream` when the query asks for it."""
        if not self.body and self.query.get("stream") == "true":
            return {"stream": True}
        return self.json if isinstance(self.json, dict) else {}

    @property
    def is_elsewhere(self) -> bool:
        """Whether it was sent to a URL that an answer named: what lies there is no answer of the API."""
        return not self.path.startswith("/")

    @property
    def is_form(self) -> bool:
        return boundary_in(self.headers) is not None

    @cached_property
    def form(self) -> tuple[Part, ...]:
        """The fields and files of a form in their order; none when the request is no form."""
        boundary = boundary_in(self.headers)
        return parts_in(self.body, boundary) if boundary else ()

    @cached_property
    def fields(self) -> dict[str, Any]:
        """What was asked for: the JSON object, or the fields of a form that are no files."""
        return self.asked or values_of(self.form)

    @property
    def is_handshake(self) -> bool:
        """Whether it asks for a WebSocket."""
        return any(name.lower() == "upgrade" and value.lower() == "websocket" for name, value in self.headers)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes that one read of the socket brought."""

    at_s: float
    data: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """One message on a WebSocket, whole, however many frames it took. `ours`: the client said it."""

    at_s: float
    ours: bool
    data: bytes
    is_text: bool = True


@dataclass(frozen=True, slots=True)
class Unheard:
    """What a client waited for in vain: the messages that were there by then, and the types, any of which would do."""

    messages: int
    types: tuple[str, ...]
    waited_s: float


@dataclass(frozen=True)
class Socket:
    """What was said on a WebSocket, both sides in order of time, and how it closed.

    `closed_by` is who closed first, None when the connection was lost; `code` what the server sent, None without a
    close frame of its own.
    """

    messages: tuple[Message, ...]
    protocol: str | None = None
    closed_by: Literal["client", "server"] | None = "client"
    code: int | None = 1000
    reason: str = ""
    unheard: tuple[Unheard, ...] = ()


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why an answer is not whole. `theirs` tells a broken answer from a thing we could not find out.

    kind: unreachable · dropped (closed before an answer) · timeout · truncated · oversized · endless ·
    garbage · redirect · elsewhere (a URL that was not asked, as it may lead anywhere)
    """

    kind: str
    detail: str
    theirs: bool

    def confirmed(self) -> Trouble:
        """The same after a second try on a new connection: a drop is then no accident of an idle connection."""
        if self.kind != "dropped":
            return self
        return Trouble("truncated", f"{self.detail}; a new connection as well", True)


@dataclass(frozen=True)
class Exchange:
    """One request and what came back. `status` is None when no answer came at all.

    `lacks` names what is not known of it; its fields then hold something that says nothing. `socket` is what was said
    after a handshake (status 101); one that was refused is an exchange like any other.
    """

    probe: str
    step: int
    attempt: int
    operation: str | None
    request: Request
    status: int | None
    headers: Headers
    chunks: tuple[Chunk, ...]
    started_unix: float
    headers_at_s: float | None
    ended_at_s: float
    trouble: Trouble | None = None
    lacks: frozenset[Lack] = frozenset()
    socket: Socket | None = None

    @cached_property
    def id(self) -> str:
        """`probe`, with step and attempt when there is more than one: `chat.stored#2`, `chat.plain~2`."""
        step = f"#{self.step}" if self.step else ""
        return f"{self.probe}{step}" + (f"~{self.attempt}" if self.attempt > 1 else "")

    def header(self, name: str) -> str | None:
        """The first value of a header, whatever its case."""
        return self._first_headers.get(name.lower())

    @cached_property
    def _first_headers(self) -> Mapping[str, str]:
        return {name.lower(): value for name, value in reversed(self.headers)}

    def headers_named(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @cached_property
    def media_type(self) -> str:
        """The content type without parameters, lower case; "" when the header is missing."""
        return (self.header("content-type") or "").split(";")[0].strip().lower()

    @property
    def wire(self) -> bytes:
        """The body as it came, encoded or not."""
        return b"".join(chunk.data for chunk in self.chunks)

    @property
    def body(self) -> bytes:
        """The body with its content-encoding undone. Raises Undecodable."""
        body: bytes = _held(self._body)
        return body

    @property
    def text(self) -> str:
        """The body as UTF-8. Raises Undecodable, which names the first bad byte."""
        text: str = _held(self._text)
        return text

    @property
    def json(self) -> Any:
        """The body as JSON. Raises Undecodable when it is not."""
        return _held(self._json)

    # A failure is remembered like a value: a hundred clauses must not inflate a bomb a hundred times.

    @property
    def _coding(self) -> str:
        """What undoes the body, lower case; "" when it came as it is."""
        coding = (self.header("content-encoding") or "").strip().lower()
        return "" if coding == "identity" else coding

    @cached_property
    def _body(self) -> bytes | Undecodable:
        coding = self._coding
        if not coding:
            return self.wire
        if coding not in ("gzip", "x-gzip", "deflate"):
            return Undecodable(f"content-encoding {coding!r}, though only identity was accepted")
        try:
            return inflate(self.wire, coding)
        except Undecodable as bad:
            return bad

    @cached_property
    def _text(self) -> str | Undecodable:
        body = self._body
        if isinstance(body, Undecodable):
            return body
        try:
            return body.decode("utf-8")
        except UnicodeDecodeError as bad:
            return Undecodable(f"byte {bad.start} ({body[bad.start]:#04x}) is not UTF-8")

    @cached_property
    def _json(self) -> Any:
        text = self._text
        if isinstance(text, Undecodable):
            return text
        try:
            return parse_json(text)
        except Undecodable as bad:
            return bad

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """The server-sent events of the body; their times are those of the chunk that completed them.

        Of an encoded body all have the time of its end. Raises Undecodable.
        """
        if self._coding:
            return tuple(lex([(self.ended_at_s, self.body)]))
        return tuple(lex((chunk.at_s, chunk.data) for chunk in self.chunks))

    @cached_property
    def _readings(self) -> dict[Callable[[Exchange], Any], tuple[Any, Exception | None]]:
        """What `remembered` readers made of it, and what they raised."""
        return {}

    @cached_property
    def streamed(self) -> bool:
        """Whether a stream was asked for, in the body or, where there is none, in the query."""
        return self.request.asked.get("stream") is True or self.request.query.get("stream") == "true"


def remembered(read: Callable[[Exchange], T]) -> Callable[[Exchange], T]:
    """A reading of an exchange that is made once, however many clauses ask for it; what it raises is raised again.

    The value is shared: nobody may change it, and what can be walked through only once will not do.
    """

    @wraps(read)
    def reading(exchange: Exchange) -> T:
        if read not in exchange._readings:
            try:
                exchange._readings[read] = read(exchange), None
            except Exception as raised:
                exchange._readings[read] = None, raised
        found, error = exchange._readings[read]
        if error is not None:
            raise error.with_traceback(None)
        value: T = found
        return value

    return reading


def _held(value: Any) -> Any:
    if isinstance(value, Undecodable):
        raise value
    return value


def parse_json(text: str) -> Any:
    """JSON as RFC 8259 has it: NaN and Infinity, which Python would take, are refused. Raises Undecodable.

    An integer that no double can hold is refused too: clients of most languages would read another number.
    """
    if text.startswith("\ufeff"):
        raise Undecodable("not JSON: it starts with a byte order mark")
    try:
        return _DECODER.decode(text)
    except RecursionError as deep:
        raise Undecodable("JSON nested too deep to read") from deep
    except ValueError as bad:
        raise Undecodable(f"not JSON: {bad}") from bad


def _integer(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"an integer of {len(digits):,} digits")
    return int(digits)


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


# Made once: `json.loads` makes one a call when it is given hooks, which takes longer than to read a chunk with it.
_DECODER = json.JSONDecoder(parse_constant=_no_constant, parse_int=_integer)


def inflate(data: bytes, coding: str) -> bytes:
    windows = (31,) if "gzip" in coding else (15, -15)  # deflate is sent with and without its zlib header
    for window in windows:
        decoder = zlib.decompressobj(window)
        try:
            body = decoder.decompress(data, MOST_DECODED_BYTES)
        except zlib.error:
            continue
        if decoder.unconsumed_tail:
            raise Undecodable(f"{len(data):,} bytes of {coding} hold more than {MOST_DECODED_BYTES:,}: a bomb")
        if not decoder.eof:
            raise Undecodable(
                f"the {coding} of the body ends in the middle, after {len(body):,} bytes of what it holds"
            )
        return body
    raise Undecodable(f"the body does not decode as {coding}, which content-encoding announces")
