"""One call on its way: what leaves of it under which key, and the exchange that it becomes."""

from __future__ import annotations

import secrets as randomness
from collections.abc import Callable
from dataclasses import dataclass, replace

import httpx2

from wireproof import __version__
from wireproof.clause import Call, Exchange, Request, Talk, Trouble
from wireproof.exchange import Headers
from wireproof.fetch import Bounds, Target, Wire, is_local
from wireproof.plan import encoded
from wireproof.secrets import MARKER, Secrets, cut, extended
from wireproof.spec import Spec
from wireproof.talking import Dial, Talker, TalkFailed

PROTOCOL = "sec-websocket-protocol"
UPGRADE: Headers = (("connection", "Upgrade"), ("upgrade", "websocket"))
OF_BODIES = ("accept", "accept-encoding", "content-type")  # which an opened socket has none of
WRONG_KEY = "sk-wireproof-made-up-0000000000000000"


class FlowFailed(Exception):
    """A flow raised, or asked for what no client can send; the message says so."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """What is sent, and `kept`, what is recorded of it.

    With `talk` it is the handshake of a WebSocket, of which `request` has the URL alone.
    """

    request: httpx2.Request
    kept: Request
    talk: Callable[[], Talk] | None = None
    protocols: tuple[str, ...] = ()
    headers: Headers = ()


class Sender:
    """Sends to one target. `fresh` makes a client with a connection of its own."""

    def __init__(
        self,
        target: Target,
        spec: Spec,
        bounds: Bounds,
        client: httpx2.AsyncClient,
        fresh: Callable[[], httpx2.AsyncClient],
        clock: Callable[[], float],
        wall: Callable[[], float],
        dial: Dial | None = None,
    ) -> None:
        self.target, self.spec, self.bounds = target, spec, bounds
        self.client, self.fresh, self.dial = client, fresh, dial
        self.clock, self.wall = clock, wall
        self.secrets = Secrets.of(target.key)
        self.run_id = randomness.token_hex(4)

    def prepared(self, call: Call, name: str) -> Leaving:
        """`name` tells this attempt from all others of the run. Raises FlowFailed when no client could send it."""
        try:
            body = encoded(call)
            headers = self._headers(call, body, f"wp-{self.run_id}-{name}")
            leaving = self.client.build_request(
                call.method, self.target.url(call.path), params=dict(call.query) or None, headers=headers, content=body
            )
        except (httpx2.InvalidURL, ValueError, TypeError) as ours:
            raise FlowFailed(f"what it asks cannot be sent: {type(ours).__name__}: {ours}") from ours
        if call.talk is None:
            masked = self.secrets.in_headers(headers.items())
            return Leaving(leaving, Request(call.method, call.path, dict(call.query), masked, body))
        names, told = self._protocols(call)
        headers = {name: value for name, value in headers.items() if name not in OF_BODIES or name in call.headers}
        masked = (*self.secrets.in_headers(headers.items()), *UPGRADE, *told)
        kept = Request(call.method, call.path, dict(call.query), masked, b"")
        return Leaving(leaving, kept, call.talk, names, tuple(headers.items()))

    async def send(self, leaving: Leaving, probe: str, step: int, attempt: int, *, is_last: bool) -> Exchange:
        """`is_last`: on a connection of its own, and a loss of it is the target's."""
        kept = leaving.kept
        operation = self.spec.operation_for(kept.method, kept.path)
        started = self.wall()
        wire: Wire | Talker = Wire(self.bounds, self.clock)
        if kept.is_elsewhere and (why := self.target.why_not(kept.path)) is not None:
            wire.trouble = Trouble("elsewhere", f"{kept.path} was not fetched: {why}", False)
        else:
            wire = await (self._fetched(leaving, is_last=is_last) if leaving.talk is None else self._talked(leaving))
        if is_last:
            wire.trouble = wire.trouble and wire.trouble.confirmed()
        coding = next((value for name, value in wire.headers if name.lower() == "content-encoding"), None)
        return Exchange(
            probe,
            step,
            attempt,
            operation.id if operation else None,
            kept,
            wire.status,
            self.secrets.in_headers(wire.headers),
            self.secrets.in_chunks(wire.chunks, coding),
            started,
            wire.headers_at_s,
            wire.ended_at_s,
            wire.trouble and replace(wire.trouble, detail=self.secrets.in_text(wire.trouble.detail)),
            socket=wire.socket and self.secrets.in_socket(wire.socket) if isinstance(wire, Talker) else None,
        )

    async def _fetched(self, leaving: Leaving, *, is_last: bool) -> Wire:
        wire = Wire(self.bounds, self.clock)
        if is_last:
            async with self.fresh() as client:
                await wire.fetch(client, leaving.request)
        else:
            await wire.fetch(self.client, leaving.request)
        return wire

    async def _talked(self, leaving: Leaving) -> Talker:
        assert leaving.talk is not None
        if self.dial is None:
            from wireproof.dial import opener  # brings websockets

            self.dial = opener(proxied=not is_local(self.target))
        talker = Talker(self.bounds, self.clock)
        url = str(leaving.request.url)
        try:
            await talker.hold(self.dial, url, leaving.headers, leaving.protocols, leaving.talk())
        except TalkFailed as failed:
            raise FlowFailed(str(failed)) from failed
        return talker

    def _protocols(self, call: Call) -> tuple[tuple[str, ...], Headers]:
        """The subprotocols that are named, and the header that is recorded of it."""
        if call.auth != "protocol" or not self.target.key:
            names = told = call.protocols
        else:
            names = (*call.protocols, call.key_protocol + self.target.key)
            told = (*call.protocols, call.key_protocol + MARKER)
        return names, ((PROTOCOL, ", ".join(told)),) if told else ()

    def _headers(self, call: Call, body: bytes, request_id: str) -> dict[str, str]:
        key = self.target.key
        keys = {
            "key": key,
            "none": None,
            "wrong": WRONG_KEY,
            "cut": key and cut(key),
            "extended": key and extended(key),
            "protocol": None,
        }
        sent = {
            "accept": "application/json, text/event-stream",
            "accept-encoding": "identity",
            "user-agent": f"wireproof/{__version__}",
            "x-client-request-id": request_id,
        }
        if body:
            sent["content-type"] = "application/json"
        if keys[call.auth] and call.path.startswith("/"):  # no key leaves for a URL that an answer named
            sent["authorization"] = f"Bearer {keys[call.auth]}"
        return {**sent, **call.headers}
