"""The stand-in without a socket: a transport for the recorder, on a clock that never waits.

A whole certification then takes the time of its arithmetic, and the arrival times of chunks are exactly the
delays of the frames. For tests; a socket is what `serve` is for.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

import httpx2

from wireproof.standin.wire import Answer, Ask, Serve


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
    """Answers requests by `serve`. `seen` are the requests it got, in order."""

    def __init__(self, serve: Serve, clock: VirtualClock) -> None:
        self.serve, self.clock = serve, clock
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
