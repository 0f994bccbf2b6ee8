"""WebSockets: what a session says and hears, carried over ASGI.

A refusal is an ordinary HTTP answer to the handshake. Messages go out when they are due; one that is late does not
make the next one late, because a session reckons by the clock and not by what it sent.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol
from urllib.parse import parse_qsl

from wireproof.standin.wire import Answer, Ask

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

# Browsers cannot set headers on a socket; a key travels as the name of a subprotocol. Source: the guide to WebSockets.
KEY_PROTOCOL = "openai-insecure-api-key."
PROTOCOLS = ("realtime",)
# How often a silent session is asked whether it has ended of itself, as one does whose call was hung up.
LOOK_S = 0.5


class Session(Protocol):
    """`take` are the messages due by now; `closing` the code and reason to close with, once there is one."""

    closing: tuple[int, str] | None

    @property
    def next_s(self) -> float: ...

    def hear(self, text: str | bytes) -> None: ...

    def take(self) -> list[str]: ...


Connect = Callable[[Ask], Session | Answer]


async def converse(connect: Connect, clock: Callable[[], float], scope: Message, receive: Receive, send: Send) -> None:
    """Serves one `websocket` scope until either side closes."""
    await receive()  # websocket.connect
    session = connect(_asked(scope))
    if isinstance(session, Answer):
        await _refuse(session, scope, send)
        return
    chosen = next((name for name in scope.get("subprotocols", ()) if name in PROTOCOLS), None)
    await send({"type": "websocket.accept", "subprotocol": chosen})
    try:
        await _converse(session, clock, receive, send)
    except Exception:  # a defect of ours: it must neither be lost nor leave the client waiting
        traceback.print_exc()
        await send(
            {"type": "websocket.close", "code": 1011, "reason": "the stand-in failed; its error output tells how"}
        )


async def _converse(session: Session, clock: Callable[[], float], receive: Receive, send: Send) -> None:
    listening = asyncio.ensure_future(receive())
    try:
        while True:
            for text in session.take():
                await send({"type": "websocket.send", "text": text})
            if session.closing is not None:
                code, reason = session.closing
                await send({"type": "websocket.close", "code": code, "reason": reason})
                return
            wait = min(LOOK_S, max(0.0, session.next_s - clock()))
            await asyncio.wait([listening], timeout=wait)
            if listening.done():
                message = listening.result()
                if message["type"] == "websocket.disconnect":
                    return
                said = message.get("text")
                session.hear(said if said is not None else message.get("bytes") or b"")
                listening = asyncio.ensure_future(receive())
    finally:
        listening.cancel()


def _asked(scope: Message) -> Ask:
    """The handshake as a GET, its key where the header of others would have it."""
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    key = next((name for name in scope.get("subprotocols", ()) if name.startswith(KEY_PROTOCOL)), None)
    if key is not None and not any(name == "authorization" for name, _ in headers):
        headers.append(("authorization", f"Bearer {key.removeprefix(KEY_PROTOCOL)}"))
    query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
    return Ask("GET", path.partition("?")[0], tuple(query), tuple(headers))


async def _refuse(answer: Answer, scope: Message, send: Send) -> None:
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1", "replace")) for name, value in answer.headers]
    await send({"type": "websocket.http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": answer.body})
