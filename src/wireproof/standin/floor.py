"""What the connections of a server share: who answers, who watches, and whose turn it is."""

from __future__ import annotations

import asyncio
import traceback
from collections import deque
from collections.abc import Callable
from email.utils import formatdate
from time import monotonic
from typing import Protocol

from wireproof.standin.delivery import Witness
from wireproof.standin.memory import give_back
from wireproof.standin.wire import Answer, Ask, Serve, refusal

# The request, its answer, and when it was taken up: who wants to hear of it.
Witnesses = Callable[[Ask, Answer, float], tuple[Witness, ...]]
CHECK_EVERY_S = 1.0


class Guest(Protocol):
    def answer_next(self) -> None: ...

    def check(self, now_s: float) -> None: ...

    def dismiss(self) -> None: ...


class Floor:
    """Requests are taken up one a turn of the event loop: a thousand at once do not hold up the frames before them.

    `upgraded` makes the protocol that speaks with a client who wants a WebSocket; None: there are none.
    """

    def __init__(
        self,
        serve: Serve,
        loop: asyncio.AbstractEventLoop,
        witnesses: Witnesses = lambda _ask, _answer, _at_s: (),
        upgraded: Callable[[], asyncio.Protocol] | None = None,
    ) -> None:
        self._serve = serve
        self.loop = loop
        self.witnesses = witnesses
        self.upgraded = upgraded
        self.guests: set[Guest] = set()
        self.had_large = False  # something large came since the last look around
        self._waiting: deque[Guest] = deque()
        self._look_around()

    def answer(self, ask: Ask) -> Answer:
        try:
            return self._serve(ask)
        except Exception:  # a defect of ours: it must neither end the server nor leave the client waiting
            traceback.print_exc()
            return refusal(500, "The stand-in failed; its error output tells how.", type="server_error")

    def enter(self, guest: Guest) -> None:
        self._waiting.append(guest)
        if len(self._waiting) == 1:
            self.loop.call_soon(self._turn)

    def _turn(self) -> None:
        guest = self._waiting.popleft()
        if self._waiting:
            self.loop.call_soon(self._turn)
        guest.answer_next()

    def close(self) -> None:
        self._timer.cancel()
        for guest in list(self.guests):
            guest.dismiss()

    def _look_around(self) -> None:
        self.date = formatdate(usegmt=True)
        now_s = monotonic()
        for guest in list(self.guests):
            guest.check(now_s)
        if self.had_large:
            self.had_large = False
            give_back()
        self._timer = self.loop.call_later(CHECK_EVERY_S, self._look_around)
