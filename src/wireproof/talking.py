"""One talk on a WebSocket: the handshake, what both sides say, and how it closes.

No socket here: `Dial` opens a `Line`, which `dial` makes of a real one and tests of the stand-in itself. Patience is
bounded: by each wait, by the talk as a whole, by the number of messages and by their bytes.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from wireproof.clause import Say, Talk
from wireproof.exchange import Chunk, Headers, Message, Socket, Trouble, Undecodable, Unheard, parse_json
from wireproof.fetch import Bounds


class TalkFailed(Exception):
    """A talk raised; the message says what."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The end of a line. `code` None: lost without a close frame, or never closed from over there."""

    by: Literal["client", "server"] | None
    code: int | None
    reason: str = ""
    trouble: Trouble | None = None


class Line(Protocol):
    """An open WebSocket. `status` and `headers` are those of the handshake, `protocol` the one that was agreed on."""

    status: int
    headers: Headers
    protocol: str | None

    async def say(self, data: str | bytes) -> None:
        """Nothing happens on a line that is closed; `hear` tells."""

    async def hear(self, within_s: float) -> str | bytes | Closed | None:
        """The next message; None when none came in time."""

    async def close(self) -> Closed:
        """Closes it with 1000, unless it is closed already."""


@dataclass(frozen=True, slots=True)
class Declined:
    """A handshake that did not become a WebSocket: an answer, or trouble, or both."""

    status: int | None = None
    headers: Headers = ()
    body: bytes = b""
    trouble: Trouble | None = None


Dial = Callable[[str, Headers, Sequence[str], Bounds], Awaitable[Line | Declined]]


class Talker:
    """One exchange on a socket as it goes on. Its fields are those of `fetch.Wire`, and `socket`."""

    def __init__(self, bounds: Bounds, clock: Callable[[], float]) -> None:
        self.bounds, self.clock = bounds, clock
        self.status: int | None = None
        self.headers: Headers = ()
        self.chunks: list[Chunk] = []
        self.headers_at_s: float | None = None
        self.ended_at_s = 0.0
        self.trouble: Trouble | None = None
        self.socket: Socket | None = None
        self._messages: list[Message] = []
        self._unheard: list[Unheard] = []
        self._bytes = 0
        self._closed: Closed | None = None

    async def hold(self, dial: Dial, url: str, headers: Headers, protocols: Sequence[str], talk: Talk) -> None:
        """Raises TalkFailed, after closing the line."""
        self._begun = self.clock()
        line = await dial(url, headers, protocols, self.bounds)
        if isinstance(line, Declined):
            self.status, self.headers, self.trouble = line.status, line.headers, line.trouble
            self.ended_at_s = self.clock() - self._begun
            self.headers_at_s = None if line.status is None else self.ended_at_s
            self.chunks = [Chunk(self.ended_at_s, line.body)] if line.body else []
            return
        self.status, self.headers, self.headers_at_s = line.status, line.headers, self._now
        try:
            await self._converse(line, talk)
        finally:
            talk.close()
            closed = self._closed or await line.close()
        self.trouble = self.trouble or closed.trouble
        self.ended_at_s = self._now
        told = tuple(self._messages)
        self.socket = Socket(told, line.protocol, closed.by, closed.code, closed.reason, tuple(self._unheard))

    @property
    def _now(self) -> float:
        return self.clock() - self._begun

    async def _converse(self, line: Line, talk: Talk) -> None:
        say = _next(talk, None)
        while say is not None and self._closed is None and self.trouble is None:
            if say.event is not None:
                data = said(say.event)
                self._messages.append(_message(self._now, True, data))
                await line.say(data)
            say = _next(talk, await self._listen(line, say))

    async def _listen(self, line: Line, say: Say) -> list[dict[str, Any]]:
        """The objects that come until one of the types waited for does, or the time is up."""
        heard: list[dict[str, Any]] = []
        begun, waits = self._now, bool(say.until)
        if say.event is not None and not waits and not say.within_s:
            return heard
        ends = min(begun + say.within_s, self.bounds.total_s)
        while (left := ends - self._now) > 0:
            data = await line.hear(left)
            if data is None:
                break
            if isinstance(data, Closed):
                self._closed = data
                break
            self._take(data)
            if self.trouble is not None:
                return heard
            event = _object(data)
            if event is not None:
                heard.append(event)
                if event.get("type") in say.until:
                    return heard
        if waits:
            self._unheard.append(Unheard(len(self._messages), say.until, self._now - begun))
        return heard

    def _take(self, data: str | bytes) -> None:
        message = _message(self._now, False, data)
        self._bytes += len(message.data)
        if self._bytes > self.bounds.most_bytes:
            self.trouble = Trouble("oversized", f"more than {self.bounds.most_bytes:,} bytes were said", True)
        elif len(self._messages) >= self.bounds.most_messages:
            self.trouble = Trouble("endless", f"more than {self.bounds.most_messages:,} messages were said", True)
        else:
            self._messages.append(message)


def _next(talk: Talk, heard: list[dict[str, Any]] | None) -> Say | None:
    """What a talk says after it has heard this (None: at first); None when it has nothing more to say."""
    try:
        return next(talk) if heard is None else talk.send(heard)
    except StopIteration:
        return None
    except Exception as ours:  # other people's talks run here, on whatever a target said
        raise TalkFailed(f"the talk itself failed: {type(ours).__name__}: {ours}") from ours


def said(event: Any) -> str | bytes:
    """What is sent for an event: text and bytes as they are, all else as JSON."""
    return event if isinstance(event, str | bytes) else json.dumps(event, ensure_ascii=False)


def _message(at_s: float, ours: bool, data: str | bytes) -> Message:
    if isinstance(data, str):
        return Message(at_s, ours, data.encode("utf-8", "surrogatepass"))
    return Message(at_s, ours, data, is_text=False)


def _object(data: str | bytes) -> dict[str, Any] | None:
    """A message as the JSON object it is; None when it is none."""
    try:
        value = parse_json(data if isinstance(data, str) else data.decode())
    except (Undecodable, UnicodeDecodeError):
        return None
    return value if isinstance(value, dict) else None
