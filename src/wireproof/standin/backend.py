"""The reference backend: a function of request, state and clock. No socket, no waiting.

On its way a request meets, in this order: its key, its route, its parameters, its body and their schemas, then the
handler of its operation, which knows the model, the meaning and the rate limit. So every refusal comes before any
200, also for a stream. What carries no rate-limit headers: refusals before a model is known (recorded so), and
operations that generate nothing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from wireproof.standin.admission import admitted
from wireproof.standin.call import Call
from wireproof.standin.door import check_client_id, key_of, no_route
from wireproof.standin.lent_keys import lent
from wireproof.standin.refusals import Refused
from wireproof.standin.resources import links
from wireproof.standin.serving import handlers, sockets
from wireproof.standin.sockets import taken
from wireproof.standin.webhooks import News
from wireproof.standin.wire import Answer, Ask, Headers, Session
from wireproof.standin.world import DEFAULT_KEY, DEFAULT_TIER, Setup, World

__all__ = ["DEFAULT_KEY", "DEFAULT_TIER", "Backend", "Setup"]

STANDING: Headers = (
    ("openai-version", "2020-10-01"),
    ("openai-organization", "org-standin"),
    ("x-content-type-options", "nosniff"),
)


class Backend:
    """Answers requests; `world` is what it remembers.

    ValueError when the tier is unknown, not to be had for the default model, or the state file is none.
    """

    def __init__(
        self,
        setup: Setup | None = None,
        *,
        clock: Callable[[], float] = time.time,
        boot: str | None = None,
    ) -> None:
        self.setup = setup or Setup()
        self.clock = clock
        self.world = World(self.setup, self.perform, clock, boot)

    def answer(self, ask: Ask) -> Answer:
        if ask.wants_socket:
            return self._taken(ask)
        self.world.catch_up()
        answer = self._answer(ask, is_metered=True)
        self.world.store.commit()
        return answer

    def fresh_news(self) -> list[News]:
        """What has happened since the last time, by now; [] where nobody is to be told."""
        self.world.catch_up()
        self.world.store.commit()
        found, self.world.news = self.world.news or [], [] if self.setup.tells else None
        return found

    def connect(self, ask: Ask) -> Session | Answer:
        """The session that a handshake opens, or why it does not."""
        self.world.catch_up()
        serial = self.world.serial()
        try:
            call = self._admitted(ask, serial, is_metered=True)
            if call.operation.id not in sockets():
                raise no_route(ask)
            return sockets()[call.operation.id](self.world, call)
        except Refused as refused:
            return _signed(refused.answer, serial)

    def _taken(self, ask: Ask) -> Answer:
        opened = self.connect(ask)
        return opened if isinstance(opened, Answer) else _signed(taken(opened, ask), self.world.serial())

    def perform(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> Answer:
        """An inner request to `path` (which begins with `/v1`), unmetered; by default under the first key."""
        raw = b"" if body is None else json.dumps(body).encode()
        bearer = ("authorization", f"Bearer {key or self.setup.keys[0]}")
        return self._answer(
            Ask(method, path, (), (bearer, ("content-type", "application/json")), raw), is_metered=False
        )

    def reset(self) -> None:
        """Forgets everything but the setup."""
        self.world.reset()

    def close(self) -> None:
        self.world.close()

    def _answer(self, ask: Ask, *, is_metered: bool) -> Answer:
        world, serial = self.world, self.world.serial()
        try:
            if ask.path.startswith(links.PREFIX):
                return links.linked(world, ask)
            call = self._admitted(ask, serial, is_metered=is_metered)
            answer = handlers()[call.operation.id](world, call)
        except Refused as refused:
            answer = refused.answer
        return _signed(answer, serial)

    def _admitted(self, ask: Ask, serial: str, *, is_metered: bool) -> Call:
        world = self.world
        row = lent(world, ask)
        key = row["_owner"] if row else key_of(ask, self.setup.keys)
        check_client_id(ask)
        return admitted(ask, key, serial, world.now, world.serial, is_metered=is_metered)


def _signed(answer: Answer, serial: str) -> Answer:
    """With the headers that every answer has."""
    again = () if answer.frames is None or isinstance(answer.frames, Iterator) else answer.frames
    first = next(iter(again), None)
    whole_ms = answer.delay_ms if first is None else first.delay_ms
    own = ("x-request-id", f"req_{serial}"), ("openai-processing-ms", str(max(1, round(whole_ms))))
    return answer.with_headers((*own, *STANDING))
