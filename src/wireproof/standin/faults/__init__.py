"""Named faults: one departure from the contract each, in a layer apart from the correct handlers.

A fault stands between the socket and the backend: it may change the request, the answer, or answer by
itself. Each names the clause it breaks; the suite demands that this clause notices it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from wireproof.standin.wire import Answer, Ask, Serve

Departure = Callable[[Ask, Serve], Answer]


@dataclass(frozen=True, slots=True)
class Fault:
    """`breaks` is the clause that must fail; `also` those that cannot help failing with it (globs)."""

    id: str
    breaks: str
    also: tuple[str, ...]
    summary: str
    apply: Departure

    def over(self, serve: Serve) -> Serve:
        """`serve` with this fault in front of it."""
        return lambda ask: self.apply(ask, serve)


def fault(id: str, *, breaks: str, also: tuple[str, ...] = ()) -> Callable[[Departure], Departure]:
    """Marks a function `(ask, serve) -> answer` as the fault `id`; its docstring is what `--list-faults` prints."""

    def mark(apply: Departure) -> Departure:
        summary = (apply.__doc__ or "").strip().splitlines()[0]
        apply.fault = Fault(id, breaks, also, summary, apply)  # type: ignore[attr-defined]  # read back by all_faults
        return apply

    return mark


def all_faults() -> Mapping[str, Fault]:
    """Every fault by id, in order of id.

    Raises ValueError when two share an id.
    """
    found: dict[str, Fault] = {}
    for module in pkgutil.iter_modules(__path__):
        for value in vars(importlib.import_module(f"{__name__}.{module.name}")).values():
            one = getattr(value, "fault", None)
            if not isinstance(one, Fault):
                continue
            if found.setdefault(one.id, one) is not one:
                raise ValueError(f"two faults are called {one.id}: rename one")
    return MappingProxyType(dict(sorted(found.items())))
