"""A WebSocket over the network. Beside `fetch` the only module of the conformance side that opens a socket.

`websockets` is loaded when a plan has a socket in it. Its exceptions are translated here and nowhere else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    InvalidStatus,
    ProxyError,
)

from wireproof.exchange import Headers, Trouble
from wireproof.fetch import Bounds
from wireproof.talking import Closed, Declined, Line

CLOSE_S = 3.0  # for the other side's close frame; a talk that is over is not worth more
# What a client closes with when it could not read on. Source: RFC 6455, section 7.4.1.
UNREADABLE = {1002: "the other side broke the protocol", 1007: "a text was not UTF-8"}
TOO_BIG = 1009


class _Connect(connect):
    """Follows no redirect: the key stays here."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


def opener(*, proxied: bool) -> Any:
    """A `talking.Dial`. `proxied`: by way of the proxies that the environment names."""

    async def dial(url: str, headers: Headers, protocols: Sequence[str], bounds: Bounds) -> Line | Declined:
        parts = urlsplit(url)
        address = parts._replace(scheme={"https": "wss"}.get(parts.scheme, "ws")).geturl()
        opening = _Connect(
            address,
            additional_headers=list(headers),
            subprotocols=list(protocols) or None,  # type: ignore[arg-type]  # a NewType of str
            user_agent_header=None,
            compression=None,  # as `accept-encoding: identity`: what is recorded is what was said
            open_timeout=None,
            close_timeout=CLOSE_S,
            ping_interval=None,
            max_size=bounds.most_bytes,
            max_queue=1024,
            proxy=True if proxied else None,
        )
        try:
            async with asyncio.timeout(bounds.connect_s + bounds.idle_s):
                return _Line(await opening)
        except Exception as error:
            return _declined(error, f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}")

    return dial


class _Line:
    def __init__(self, connection: ClientConnection) -> None:
        answer = connection.response
        assert answer is not None
        self._connection = connection
        self.status = answer.status_code
        self.headers: Headers = tuple(answer.headers.raw_items())
        self.protocol: str | None = connection.subprotocol

    async def say(self, data: str | bytes) -> None:
        with suppress(ConnectionClosed):
            await self._connection.send(data)

    async def hear(self, within_s: float) -> str | bytes | Closed | None:
        try:
            async with asyncio.timeout(within_s):
                return await self._connection.recv()
        except TimeoutError:
            return None
        except ConnectionClosed as end:
            return _closed(end)

    async def close(self) -> Closed:
        await self._connection.close()
        try:
            while True:  # what nobody waited for stands before the end
                await self._connection.recv()
        except ConnectionClosed as end:
            return _closed(end)


def _closed(end: ConnectionClosed) -> Closed:
    said, heard = end.sent, end.rcvd
    by_server = heard is not None and (said is None or bool(end.rcvd_then_sent))
    if said is not None and not by_server and said.code in (*UNREADABLE, TOO_BIG):
        detail = said.reason or UNREADABLE.get(said.code, "a message was too big")
        kind = "oversized" if said.code == TOO_BIG else "garbage"
        return Closed("client", heard.code if heard else None, "", Trouble(kind, detail, True))
    if heard is None and said is None:
        return Closed(None, None, "", Trouble("truncated", "the connection was lost without a close frame", True))
    reason = heard.reason if heard else ""
    return Closed("server" if by_server else "client", heard.code if heard else None, reason)


def _declined(error: Exception, place: str) -> Declined:
    told = str(error) or type(error).__name__
    match error:
        case InvalidStatus():
            answer = error.response
            headers, status = tuple(answer.headers.raw_items()), answer.status_code
            where = answer.headers.get("location", "nowhere")
            redirect = Trouble("redirect", f"answered {status} to {where}; not followed, the key stays here", True)
            return Declined(status, headers, bytes(answer.body or b""), redirect if 300 <= status < 400 else None)
        case TimeoutError():
            return Declined(trouble=Trouble("timeout", f"{place} did not take the handshake in time", False))
        case InvalidMessage() if isinstance(error.__cause__, EOFError):
            detail = "the connection was closed before the handshake was answered"
            return Declined(trouble=Trouble("dropped", detail, False))
        case InvalidMessage():
            return Declined(trouble=Trouble("garbage", f"the answer to the handshake is not HTTP: {told}", True))
        case ProxyError():
            return Declined(trouble=Trouble("unreachable", f"the proxy refused the way to {place} ({told})", False))
        case InvalidHandshake():
            return Declined(101, (), b"", Trouble("garbage", f"the handshake is no WebSocket's: {told}", True))
        case ConnectionError():
            detail = f"{place} refused the connection ({told}); is it up, is the port right?"
            return Declined(trouble=Trouble("unreachable", detail, False))
        case OSError():
            return Declined(trouble=Trouble("unreachable", f"{place} was not reached ({told})", False))
    raise error
