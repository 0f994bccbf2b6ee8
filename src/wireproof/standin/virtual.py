"""The stand-in without a socket: a transport for the recorder, on a clock that never waits.

A whole certification then takes the time of its arithmetic, and the arrival times of chunks are exactly the
delays of the frames. For tests; a socket is what `serve` is for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence

import httpx2

from wireproof.exchange import Headers, Trouble
from wireproof.fetch import Bounds
from wireproof.standin.sockets import LOST, NAMED, handshake
from wireproof.standin.wire import Answer, Ask, Serve, Session
from wireproof.talking import Closed, Declined, Line

# The clock of a backend counts from 1970, where floating point has no finer steps than this.
LEAST_WAIT_S = 1e-4


class VirtualClock:
    """Seconds that pass only when told to. Also stands in for `asyncio.sleep`."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def pass_ms(self, delay_ms: float) -> None:
        self.now += delay_ms / 1000

    async def sleep(self, seconds: float) -> None:
        self.now += max(0.0, seconds)


class VirtualTransport(httpx2.AsyncBaseTransport):
    """Answers requests by `serve`, and opens WebSockets (`dial`). `seen` are the requests it got, in order.

    `wall` is the clock of the backend, by which its sessions reckon.
    """

    def __init__(self, serve: Serve, clock: VirtualClock, wall: Callable[[], float] | None = None) -> None:
        self.serve, self.clock = serve, clock
        self.wall = wall or clock
        self.seen: list[Ask] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        body = await request.aread()
        headers = tuple((k.decode("latin-1").lower(), v.decode("latin-1")) for k, v in request.headers.raw)
        ask = Ask(request.method, request.url.path, tuple(request.url.params.multi_items()), headers, body)
        self.seen.append(ask)
        answer = self.serve(ask)
        self.clock.pass_ms(answer.delay_ms)
        raw = [(k.encode("latin-1"), v.encode("latin-1", "replace")) for k, v in answer.headers]
        return httpx2.Response(answer.status, headers=raw, stream=_Body(answer, self.clock))

    async def dial(self, url: str, headers: Headers, protocols: Sequence[str], bounds: Bounds) -> Line | Declined:
        parts = httpx2.URL(url)
        told = [(name.lower(), value) for name, value in headers]
        ask = handshake(parts.path, parts.params.multi_items(), told, protocols)
        self.seen.append(ask)
        answer = self.serve(ask)
        self.clock.pass_ms(answer.delay_ms)
        if answer.session is None:
            return Declined(answer.status, answer.headers, answer.body)
        return _Line(answer, answer.session, self.clock, self.wall)


class _Line:
    """A session in place of a socket: time passes to its next message, or to the end of patience."""

    def __init__(self, answer: Answer, session: Session, clock: VirtualClock, wall: Callable[[], float]) -> None:
        self.status, self.headers = answer.status, answer.headers
        self.protocol = answer.header(NAMED)
        self._session, self._clock, self._wall = session, clock, wall
        self._waiting: deque[str | bytes] = deque()

    async def say(self, data: str | bytes) -> None:
        if self._session.closing is None:
            self._session.hear(data)

    async def hear(self, within_s: float) -> str | bytes | Closed | None:
        ends = self._clock.now + within_s
        while True:
            self._waiting += self._session.take()
            if self._waiting:
                return self._waiting.popleft()
            if self._session.closing is not None:
                return self._ended(*self._session.closing)
            left = ends - self._clock.now
            if left <= 0:
                return None
            until_next = max(self._session.next_s - self._wall(), LEAST_WAIT_S)
            self._clock.now += min(left, until_next)

    async def close(self) -> Closed:
        return self._ended(*self._session.closing) if self._session.closing else Closed("client", 1000)

    def _ended(self, code: int, reason: str) -> Closed:
        if code == LOST:
            return Closed(None, None, "", Trouble("truncated", "the connection was lost without a close frame", True))
        return Closed("server", code, reason)


class _Body(httpx2.AsyncByteStream):
    def __init__(self, answer: Answer, clock: VirtualClock) -> None:
        self.answer, self.clock = answer, clock

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for delay_ms, data in self._writes():
            self.clock.pass_ms(delay_ms)
            if data:
                yield data
        if self.answer.cut:
            raise httpx2.RemoteProtocolError("peer closed connection without sending complete message body")

    def _writes(self) -> Iterable[tuple[float, bytes]]:
        if self.answer.frames is None:
            return [(0.0, self.answer.body)]
        return ((frame.delay_ms, frame.data) for frame in self.answer.frames)
