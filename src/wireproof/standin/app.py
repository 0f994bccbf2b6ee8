"""The stand-in as an ASGI app: reads a request whole, asks the backend, writes the answer on time.

Frames go out one write each, at absolute deadlines: a late write does not make the next one late. A client
that goes away ends its stream, an endless one too. `Answer.cut` leaves the message without its end, upon
which the server closes the connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from functools import lru_cache
from time import perf_counter
from typing import Any
from urllib.parse import parse_qsl

from wireproof.standin.resources.links import PREFIX as CONTENT
from wireproof.standin.truth import Timing, Truth
from wireproof.standin.wire import Answer, Ask, Frame, Serve, json_answer

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# Frames without delays written before others get a turn: an endless stream must not own the loop.
MOST_IN_A_ROW = 16
# From here on a wait also watches for the client to leave, which costs more than a plain sleep.
LONG_S = 1.0


def asgi_app(serve: Serve, truth: Truth | None = None, reset: Callable[[], None] = lambda: None) -> App:
    """`serve` on the wire. With `truth`, its timings are noted and told at `/_standin/truth`."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        ask = await _asked(scope, receive)
        if ask is None:
            return
        if truth is not None and ask.path.startswith("/_standin/") and not ask.path.startswith(CONTENT):
            await _write(_told(ask, truth, reset), perf_counter(), receive, send, None)
            return
        started = perf_counter()
        answer = serve(ask)
        timing = truth.begin(ask, answer, started) if truth is not None else None
        try:
            await _write(answer, started, receive, send, timing)
        finally:
            if truth is not None and timing is not None:
                truth.end(timing, perf_counter())

    return app


async def _asked(scope: Scope, receive: Receive) -> Ask | None:
    """The request; None when its client left before it was whole."""
    pieces = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        pieces.append(message.get("body", b""))
        if not message.get("more_body"):
            break
    return Ask(
        scope["method"],
        (scope.get("raw_path") or scope["path"].encode()).decode("latin-1"),
        tuple(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)),
        tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]),
        pieces[0] if len(pieces) == 1 else b"".join(pieces),
    )


def _told(ask: Ask, truth: Truth, reset: Callable[[], None]) -> Answer:
    if (ask.method, ask.path) == ("GET", "/_standin/truth"):
        return json_answer(truth.report())
    if (ask.method, ask.path) == ("POST", "/_standin/reset"):
        reset()
        truth.clear()
        return json_answer({"reset": True})
    return json_answer({"error": {"message": "only GET truth and POST reset live here"}}, 404)


@lru_cache(maxsize=4096)
def _raw(header: tuple[str, str]) -> tuple[bytes, bytes]:
    return header[0].lower().encode("latin-1"), header[1].encode("latin-1", "replace")


async def _write(answer: Answer, started: float, receive: Receive, send: Send, timing: Timing | None) -> None:
    headers = [_raw(header) for header in answer.headers]
    start = {"type": "http.response.start", "status": answer.status, "headers": headers}
    due = started + answer.delay_ms / 1000
    if answer.frames is None:
        if not answer.cut and answer.header("content-length") is None:
            headers.append((b"content-length", str(len(answer.body)).encode()))
        if answer.delay_ms:
            gone = asyncio.ensure_future(receive())
            await _sleep(due, gone)
            gone.cancel()
        await send(start)
        await send({"type": "http.response.body", "body": answer.body, "more_body": answer.cut})
        if timing is not None:
            timing.wrote(perf_counter(), answer.body)
        return
    gone = asyncio.ensure_future(receive())
    try:
        await _sleep(due, gone)
        await send(start)
        await _write_frames(answer.frames, due, gone, send, timing)
        if not answer.cut and not gone.done():
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            if timing is not None:
                timing.is_whole = True
    finally:
        gone.cancel()


async def _write_frames(
    frames: Iterable[Frame], due: float, gone: asyncio.Future[Message], send: Send, timing: Timing | None
) -> None:
    """Until the frames end or the client has `gone`."""
    for number, frame in enumerate(frames, 1):
        due += frame.delay_ms / 1000
        if frame.delay_ms:
            await _sleep(due, gone)
        elif number % MOST_IN_A_ROW == 0:
            await asyncio.sleep(0)
        if gone.done():
            return
        await send({"type": "http.response.body", "body": frame.data, "more_body": True})
        if timing is not None:
            timing.wrote(perf_counter(), frame.data, due)


async def _sleep(due: float, gone: asyncio.Future[Message]) -> None:
    """Until `due`; of long waits, not longer than the client does."""
    left = due - perf_counter()
    if left > LONG_S:
        await asyncio.wait([gone], timeout=left)
    elif left > 0:
        await asyncio.sleep(left)
