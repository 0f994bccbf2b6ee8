"""Which clauses a certification asks for: profiles name sets of them, levels are rungs. Data: `spec/profiles.yaml`.

Probes belong to profiles by their ids as clauses do. A clause that names neither operation nor probe is a law of all
traffic and in every profile; it brings no probes, so nothing is sent of a surface that nobody asked about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Protocol, TypeVar

from wireproof.clause import Clause

DEFAULT = ("core",)
EVERYTHING = "all"


class Named(Protocol):
    """A clause or a probe."""

    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=Named)


def in_profiles(clauses: Iterable[T], names: Sequence[str], catalogue: Mapping[str, Any]) -> list[T]:
    """The clauses (or probes) of any of the profiles, those that none names, and the laws of all traffic.

    Raises ValueError for a name that there is not.
    """
    known: Mapping[str, Any] = catalogue["profiles"]
    for name in names:
        if name not in (*known, EVERYTHING):
            raise ValueError(f"no profile is called {name!r}; there are {', '.join(known)}, and {EVERYTHING} for all")
    if EVERYTHING in names:
        return list(clauses)
    wanted = [glob for name in names for glob in known[name]["clauses"]]
    named = [glob for profile in known.values() for glob in profile["clauses"]]
    return [
        one
        for one in clauses
        if _matches(one.id, wanted) or not _matches(one.id, named) or (isinstance(one, Clause) and reads_all(one))
    ]


def reads_all(clause: Clause) -> bool:
    """Whether it is a law of all traffic, whichever surface that belongs to."""
    return not clause.evidence.operations and not clause.evidence.probes


def rung(clause_id: str, catalogue: Mapping[str, Any]) -> str:
    """The level that a clause stands on: the first, in the catalogue's order, that names it."""
    levels: Mapping[str, Any] = catalogue["levels"]
    return next(name for name, level in levels.items() if _matches(clause_id, level["clauses"]))


def up_to(clauses: Iterable[Clause], level: str, catalogue: Mapping[str, Any]) -> list[Clause]:
    """The clauses on `level` and below. ValueError for a level that there is not."""
    if level not in catalogue["levels"]:
        raise ValueError(f"no level is called {level!r}; there are {', '.join(sorted(catalogue['levels']))}")
    return [one for one in clauses if rung(one.id, catalogue) <= level]


def _matches(clause_id: str, globs: Iterable[str]) -> bool:
    return any(fnmatchcase(clause_id, glob) for glob in globs)
