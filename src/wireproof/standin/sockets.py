"""WebSockets: what a session says and hears, carried over ASGI.

A refusal is an ordinary HTTP answer to the handshake. Messages go out when they are due; one that is late does not
make the next one late, because a session reckons by the clock and not by what it sent.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from wireproof.standin.wire import Answer, Ask, Serve, Session

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

# Browsers cannot set headers on a socket; a key travels as the name of a subprotocol. Source: the guide to WebSockets.
KEY_PROTOCOL = "openai-insecure-api-key."
PROTOCOLS = ("realtime",)
NAMED = "sec-websocket-protocol"
LOST = 1006  # stands for a connection that ends without a close frame. Source: RFC 6455, section 7.1.5
# How often a silent session is asked whether it has ended of itself, as one does whose call was hung up.
LOOK_S = 0.5


async def converse(serve: Serve, clock: Callable[[], float], scope: Message, receive: Receive, send: Send) -> None:
    """Serves one `websocket` scope until either side closes."""
    await receive()  # websocket.connect
    answer = serve(_asked(scope))
    if answer.session is None:
        await _refuse(answer, scope, send)
        return
    headers = [(n.lower().encode(), v.encode("latin-1", "replace")) for n, v in answer.without_header(NAMED).headers]
    await send({"type": "websocket.accept", "subprotocol": answer.header(NAMED), "headers": headers})
    try:
        await _converse(answer.session, clock, receive, send)
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
                if code == LOST:
                    return
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
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
    return handshake(path.partition("?")[0], query, headers, scope.get("subprotocols", ()))


def handshake(
    path: str, query: Iterable[tuple[str, str]], headers: Iterable[tuple[str, str]], protocols: Sequence[str]
) -> Ask:
    """The handshake as a GET, its key where the header of others would have it."""
    told = [(name, value) for name, value in headers if name != NAMED]
    key = next((name for name in protocols if name.startswith(KEY_PROTOCOL)), None)
    if key is not None and not any(name == "authorization" for name, _ in told):
        told.append(("authorization", f"Bearer {key.removeprefix(KEY_PROTOCOL)}"))
    if protocols:
        told.append((NAMED, ", ".join(protocols)))
    return Ask("GET", path, tuple(query), tuple(told), wants_socket=True)


def taken(session: Session, ask: Ask) -> Answer:
    """The answer that a handshake is taken with, and the protocol that is spoken of those named."""
    named = [name.strip() for name in (ask.header(NAMED) or "").split(",")]
    chosen = next((name for name in named if name in PROTOCOLS), None)
    return Answer(101, ((NAMED, chosen),) if chosen else (), session=session)


async def _refuse(answer: Answer, scope: Message, send: Send) -> None:
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1", "replace")) for name, value in answer.headers]
    await send({"type": "websocket.http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": answer.body})
