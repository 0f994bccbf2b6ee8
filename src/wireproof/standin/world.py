"""The state that requests act on: what is stored, what will happen, who may do what at which rate."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path

from wireproof import tiers
from wireproof.standin import tuned
from wireproof.standin.agenda import Agenda
from wireproof.standin.catalogue import DEFAULT_MODEL, LIMITS_AS, Model, served
from wireproof.standin.latency import Latency
from wireproof.standin.limiter import Limiter
from wireproof.standin.prompt_cache import PromptCache
from wireproof.standin.resources.news import noticed
from wireproof.standin.serving import deeds
from wireproof.standin.sizes import Sizes
from wireproof.standin.store import Store, Table
from wireproof.standin.webhooks import News
from wireproof.standin.wire import Answer
from wireproof.tiers import Limits

DEFAULT_KEY = "sk-standin"
# The highest published tier: limits that a test does not reach unless it means to.
DEFAULT_TIER = "tier-5"
# What a single request may have to wait for; the rest stays due until the next one.
MOST_DEEDS = 200


@dataclass(frozen=True)
class Setup:
    """What can be set about a backend.

    `models` are further names for the default chat model; `state` a SQLite file that remembers, none when None;
    `pace` how much faster than usual lives pass: at 10 a batch that takes 2 s is done after 0.2 s; `sizes` how much
    a file, a part or a batch may hold; `tells`: whether news are collected, for somebody to be called about.
    """

    keys: tuple[str, ...] = (DEFAULT_KEY,)
    tier: str = DEFAULT_TIER
    scale: float = 1.0
    latency: Latency = field(default_factory=Latency)
    models: tuple[str, ...] = ()
    state: Path | None = None
    pace: float = 1.0
    sizes: Sizes = field(default_factory=Sizes)
    tells: bool = False


class World:
    """Made by `Backend`, handed to every handler and deed.

    `perform(method, path, body, key)` answers an inner request, as a batch makes them. ValueError when the tier is
    unknown, not to be had for the default model, or the state file is none.
    """

    def __init__(
        self,
        setup: Setup,
        perform: Callable[..., Answer],
        clock: Callable[[], float] = time.time,
        boot: str | None = None,
    ) -> None:
        self.setup = setup
        self.perform = perform
        self.models, self.limits = granted(setup)
        self.news: list[News] | None = [] if setup.tells else None
        self.store = Store(setup.state, partial(noticed, self) if setup.tells else None)
        self.agenda = Agenda(self.store.table("agenda"))
        self.limiter = Limiter()
        self.prompt_cache = PromptCache()
        self._clock = clock
        self._moment: float | None = None
        self._boot = boot if boot is not None else str(time.time_ns())
        self._numbers = count(1)
        tuned.restore(self)

    @property
    def now(self) -> float:
        """Seconds since the epoch; within a deed, when it fell due."""
        return self._clock() if self._moment is None else self._moment

    def serial(self) -> str:
        """Letters and digits that no other id of any run has; runs are told apart by `boot`."""
        return hashlib.blake2b(f"{self._boot}/{next(self._numbers)}".encode(), digest_size=14).hexdigest()

    def id(self, prefix: str) -> str:
        return prefix + self.serial()

    def table(self, kind: str, parent: str = "") -> Table:
        return self.store.table(kind, parent)

    def lasts(self, seconds: float) -> float:
        """What usually takes `seconds`, at this backend's pace."""
        return seconds / self.setup.pace

    def at(self, due_s: float, deed: str, id: str) -> None:
        """Has the deed of this name done to `id` when it is `due_s`."""
        self.agenda.add(due_s, deed, id)

    def catch_up(self) -> None:
        """Does what has fallen due by now."""
        self.agenda.run(self._clock(), self._do, MOST_DEEDS)

    def _do(self, name: str, id: str, due_s: float) -> None:
        self._moment = due_s
        try:
            deeds()[name](self, id, due_s)
        finally:
            self._moment = None

    def reset(self) -> None:
        """Forgets everything but the setup: buckets are full again, nothing is stored, cached or planned."""
        self.store.clear()
        self.agenda.clear()
        self.limiter = Limiter()
        self.prompt_cache = PromptCache()
        self.news = [] if self.setup.tells else None
        self.models, self.limits = granted(self.setup)

    def close(self) -> None:
        self.store.close()


def granted(setup: Setup) -> tuple[dict[str, Model], dict[str, Limits]]:
    """The models to be had at the tier, by name, and their limits, by `limits_as`.

    ValueError when the tier is unknown, or not to be had for the default model.
    """
    limits = {DEFAULT_MODEL: tiers.limits(setup.tier, DEFAULT_MODEL, setup.scale)}
    models = {}
    for name, model in served(setup.models).items():
        for published in (model.limits_as, LIMITS_AS.get(model.limits_as)):
            try:
                limits[model.limits_as] = tiers.limits(setup.tier, published or "", setup.scale)
            except ValueError:
                continue
            models[name] = model
            break
    return models, limits
