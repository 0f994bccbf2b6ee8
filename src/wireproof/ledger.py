"""The clause ledger: which clauses count, for whom, and since when.

A requirement set is the clauses of one day, frozen: who pins one is not broken by a clause that came later. Later
ones are pending: they run and are told, and do not count. Neither does a clause of ours that no fault of the stand-in
was seen to break: it is unproven. Sets: `spec/requirements/<date>.yaml`, `{about, clauses: {id: level}}`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from wireproof.clause import Clause
from wireproof.judge import Verdict
from wireproof.spec import read_yaml


@dataclass(frozen=True)
class Requirements:
    """The levels of the clauses in force at `date`, by id."""

    date: str
    levels: Mapping[str, str]


def dates(folder: Path) -> list[str]:
    """The dates of which there are sets, oldest first."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def requirements(folder: Path, date: str) -> Requirements:
    """ValueError when no set is frozen under that date."""
    known = dates(folder)
    if date not in known:
        raise ValueError(f"no requirement set is dated {date!r}; there are {', '.join(known) or 'none'}")
    return Requirements(date, read_yaml(folder / f"{date}.yaml")["clauses"])


def scored(
    verdicts: Iterable[Verdict], *, ours: Iterable[str], proven: Iterable[str], pinned: Requirements | None = None
) -> list[Verdict]:
    """The verdicts, those that do not count marked with the reason.

    `ours` are the ids of the built-in clauses, `proven` of those that a fault is known to break. A user's own
    clauses count as they are: no fault of ours can prove them.
    """
    ours, proven = frozenset(ours), frozenset(proven)
    return [replace(one, unscored=_why_not(one.clause, ours, proven, pinned)) for one in verdicts]


def _why_not(clause: Clause, ours: frozenset[str], proven: frozenset[str], pinned: Requirements | None) -> str:
    if clause.id not in ours:
        return ""
    if clause.id not in proven:
        return "unproven: no fault of the stand-in is known to break it"
    if pinned is not None and clause.id not in pinned.levels:
        return f"pending: it came after the requirements of {pinned.date}"
    return ""
