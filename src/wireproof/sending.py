"""One call on its way: what leaves of it under which key, and the exchange that it becomes."""

from __future__ import annotations

import secrets as randomness
from collections.abc import Callable
from dataclasses import dataclass, replace

import httpx2

from wireproof import __version__
from wireproof.clause import Call, Exchange, Request
from wireproof.fetch import Bounds, Target, Wire
from wireproof.plan import encoded
from wireproof.secrets import Secrets, cut, extended
from wireproof.spec import Spec

WRONG_KEY = "sk-wireproof-made-up-0000000000000000"


class FlowFailed(Exception):
    """A flow raised, or asked for what no client can send; the message says so."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """What is sent, and `kept`, what is recorded of it."""

    request: httpx2.Request
    kept: Request


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
    ) -> None:
        self.target, self.spec, self.bounds = target, spec, bounds
        self.client, self.fresh = client, fresh
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
        masked = self.secrets.in_headers(headers.items())
        return Leaving(leaving, Request(call.method, call.path, dict(call.query), masked, body))

    async def send(self, leaving: Leaving, probe: str, step: int, attempt: int, *, is_last: bool) -> Exchange:
        """`is_last`: on a connection of its own, and a loss of it is the target's."""
        kept = leaving.kept
        operation = self.spec.operation_for(kept.method, kept.path)
        wire = Wire(self.bounds, self.clock)
        started = self.wall()
        if is_last:
            async with self.fresh() as client:
                await wire.fetch(client, leaving.request)
            wire.trouble = wire.trouble and wire.trouble.confirmed()
        else:
            await wire.fetch(self.client, leaving.request)
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
        )

    def _headers(self, call: Call, body: bytes, request_id: str) -> dict[str, str]:
        key = self.target.key
        keys = {
            "key": key,
            "none": None,
            "wrong": WRONG_KEY,
            "cut": key and cut(key),
            "extended": key and extended(key),
        }
        sent = {
            "accept": "application/json, text/event-stream",
            "accept-encoding": "identity",
            "user-agent": f"wireproof/{__version__}",
            "x-client-request-id": request_id,
        }
        if body:
            sent["content-type"] = "application/json"
        if keys[call.auth]:
            sent["authorization"] = f"Bearer {keys[call.auth]}"
        return {**sent, **call.headers}
