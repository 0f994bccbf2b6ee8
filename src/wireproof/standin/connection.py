"""HTTP/1.1 as a server speaks it: reads requests off one connection, whole, and has their answers delivered in order.

Ours and no framework's, because the stand-in must outrun what it is asked to test: docs/decisions has the figures.
The parser is llhttp, by way of httptools. What asks for a WebSocket goes to uvicorn, which speaks ASGI with it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from time import monotonic, perf_counter
from typing import NamedTuple, cast
from urllib.parse import parse_qsl

import httptools

from wireproof.standin.delivery import Delivery
from wireproof.standin.floor import Floor
from wireproof.standin.memory import LARGE_BYTES
from wireproof.standin.wire import Answer, Ask, refusal

MOST_HEAD_BYTES = 64 * 1024
MOST_JSON_BYTES = 64 * 1024 * 1024
# Source: files of 512 MB; what a form has around its file is small.
MOST_FORM_BYTES = 513 * 1024 * 1024
MOST_WAITING = 16
# A server that closes an idle connection races with the next request on it: longer than clients keep theirs.
IDLE_S = 75.0
SLOW_HEAD_S = 30.0
SLOW_BODY_S = 30.0
STALLED_S = 300.0
LINGER_S = 5.0


class _Asked(NamedTuple):
    """A request, or the refusal of one that was not read to its end; `keep`: the connection may be used again."""

    what: Ask | Answer
    version: str = "1.1"
    keep: bool = False


class Connection(asyncio.Protocol):
    """One client. Its requests wait in `_asked` until the answers before theirs are out."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport
        self._delivery: Delivery | None = None
        self._asked: deque[_Asked] = deque()
        self._is_deaf = self._is_gone = self._is_paused = False
        self.since_s = self._begun_s = monotonic()
        self._is_in_head, self._raw = True, b""
        self._url = b""
        self._headers: list[tuple[str, str]] = []
        self._pieces: list[bytes] = []
        self._bytes = self._most_bytes = 0

    # Called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        # Told of a slow reader at once: no frame that waits in a buffer counts as written.
        self._transport.set_write_buffer_limits(high=0)
        self._floor.guests.add(self)

    def connection_lost(self, _error: Exception | None) -> None:
        self._floor.guests.discard(self)
        self._leave()
        del self._parser  # it holds us as we hold it

    def eof_received(self) -> None:
        self._leave()

    def data_received(self, data: bytes) -> None:
        if self._is_deaf:
            return
        self.since_s = monotonic()
        if self._is_in_head:
            self._raw += data
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._upgrade()
        except httptools.HttpParserError:
            self._refuse(refusal(400, "Invalid HTTP request: it could not be parsed."))
        else:
            if self._is_in_head and len(self._raw) > MOST_HEAD_BYTES:
                self._refuse(_too_long_a_head())

    def pause_writing(self) -> None:
        self._is_paused, self.since_s = True, monotonic()
        if self._delivery is not None:
            self._delivery.stop()

    def resume_writing(self) -> None:
        self._is_paused, self.since_s = False, monotonic()
        if self._delivery is not None:
            self._delivery.go_on()
        elif self._asked:
            self._floor.enter(self)

    # Called by the parser.

    def on_message_begin(self) -> None:
        self._begun_s = monotonic()
        self._url, self._headers, self._pieces, self._bytes = b"", [], [], 0

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        if len(self._raw) > MOST_HEAD_BYTES and self._raw.find(b"\r\n\r\n", 0, MOST_HEAD_BYTES) < 0:
            self._refuse(_too_long_a_head())
        self._is_in_head = False
        named = dict(self._headers)
        is_form = named.get("content-type", "").lower().startswith("multipart/")
        self._most_bytes = MOST_FORM_BYTES if is_form else MOST_JSON_BYTES
        if int(named.get("content-length", 0)) > self._most_bytes:
            self._refuse(_too_large(self._most_bytes))
        elif named.get("expect", "").lower() == "100-continue" and not self._is_deaf and self._delivery is None:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, data: bytes) -> None:
        self._bytes += len(data)
        if self._bytes > LARGE_BYTES:
            self._floor.had_large = True
        if self._is_deaf:
            return
        self._pieces.append(data)
        if self._bytes > self._most_bytes:
            self._refuse(_too_large(self._most_bytes))

    def on_message_complete(self) -> None:
        self._is_in_head, upgrades = True, self._parser.should_upgrade()
        if self._is_deaf or (upgrades and self._is_for_socket):
            return
        self._raw = b""
        path, _, query = self._url.decode("latin-1").partition("?")
        ask = Ask(
            self._parser.get_method().decode("ascii"),
            path,
            tuple(parse_qsl(query, keep_blank_values=True)) if query else (),
            tuple(self._headers),
            self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces),
        )
        self._pieces = []  # an idle connection keeps no body
        version = self._parser.get_http_version()
        keep = version == "1.1" and not upgrades and self._parser.should_keep_alive()
        self._await_turn(_Asked(ask, version, keep))

    # Called by the floor.

    def answer_next(self) -> None:
        """Takes up the request that has waited longest, unless one is being answered or the client does not read."""
        if self._is_gone or self._is_paused or self._delivery is not None or not self._asked:
            return
        asked, version, keep = self._asked.popleft()
        started_s = perf_counter()
        if isinstance(asked, Ask):
            answer, method = self._floor.answer(asked), asked.method
            witnesses = self._floor.witnesses(asked, answer, started_s)
        else:
            answer, method, witnesses = asked, "", ()
        self._delivery = Delivery(answer, self._transport, self._floor.loop, witnesses, self._delivered)
        self._delivery.begin(started_s, self._floor.date, method, version, keep)

    def check(self, now_s: float) -> None:
        """Ends what has kept us waiting too long; called now and then."""
        quiet_s = now_s - self.since_s
        if self._is_deaf:
            if quiet_s > LINGER_S and not self._is_busy:
                self._transport.abort()
        elif self._is_busy:
            if self._is_paused and quiet_s > STALLED_S:
                self._transport.abort()
        elif not self._is_in_head or self._raw:
            if quiet_s > SLOW_BODY_S or (self._is_in_head and now_s - self._begun_s > SLOW_HEAD_S):
                self._refuse(refusal(408, "The request did not arrive in time."))
        elif quiet_s > IDLE_S:
            self._transport.close()

    def dismiss(self) -> None:
        """The server ends: what is under way is cut."""
        self._transport.abort()

    @property
    def _is_busy(self) -> bool:
        return self._delivery is not None or bool(self._asked)

    @property
    def _is_for_socket(self) -> bool:
        """Whether this request wants a WebSocket and there is one to be had."""
        wanted = next((value for name, value in self._headers if name == "upgrade"), "")
        return self._floor.upgraded is not None and wanted.lower() == "websocket"

    def _await_turn(self, asked: _Asked) -> None:
        self._asked.append(asked)
        if len(self._asked) == 1 and self._delivery is None:
            self._floor.enter(self)
        elif len(self._asked) > MOST_WAITING:
            self._transport.pause_reading()

    def _refuse(self, answer: Answer) -> None:
        """Listens no more, and says why when the answers before it are out."""
        if not self._is_deaf:
            self._is_deaf = True
            self._pieces.clear()
            self._await_turn(_Asked(answer))

    def _delivered(self, reusable: bool) -> None:
        self._delivery = None
        self.since_s = monotonic()
        if self._is_gone:
            return
        if reusable:
            if self._asked:
                self._floor.enter(self)
                self._transport.resume_reading()
        elif self._is_deaf and not self._asked:
            # Closed while it still sends, a client would get a reset in place of the refusal: it gets LINGER_S.
            self._transport.write_eof()
        else:
            self._is_gone = self._is_deaf = True
            self._transport.close()

    def _leave(self) -> None:
        self._is_gone = self._is_deaf = True
        self._asked.clear()
        if self._delivery is not None:
            self._delivery.abandon()

    def _upgrade(self) -> None:
        """Hands the connection over, with the bytes of its request; what wants another protocol has been answered."""
        if self._floor.upgraded is None or not self._is_for_socket or self._is_busy:
            self._is_deaf = True
            return
        self._floor.guests.discard(self)
        heir = self._floor.upgraded()
        heir.connection_made(self._transport)
        self._transport.set_protocol(heir)
        heir.data_received(self._raw)


def _too_long_a_head() -> Answer:
    return refusal(431, f"The headers of the request are longer than {MOST_HEAD_BYTES:,} bytes.")


def _too_large(most_bytes: int) -> Answer:
    return refusal(413, f"The request is too large: its body may have at most {most_bytes:,} bytes.")
