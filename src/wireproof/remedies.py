"""What breaks for clients where a clause is not kept, and how to mend a server: `spec/remedies.yaml`, read."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache

from wireproof.spec import load_spec


@dataclass(frozen=True)
class Remedy:
    """`clauses` are globs over ids."""

    clauses: tuple[str, ...]
    breaks: str
    mend: str

    def is_for(self, clause: str) -> bool:
        return any(fnmatchcase(clause, glob) for glob in self.clauses)


def remedy_for(clause: str) -> Remedy | None:
    """The first that is for it. None for the clauses of others: a family such as `*.id` is one of our own areas."""
    remedies = all_remedies()
    areas = {glob.partition(".")[0] for one in remedies for glob in one.clauses}
    if clause.partition(".")[0] not in areas:
        return None
    return next((one for one in remedies if one.is_for(clause)), None)


@cache
def all_remedies() -> tuple[Remedy, ...]:
    rows = load_spec().catalogue("remedies")["remedies"]
    return tuple(Remedy(tuple(row["clauses"]), row["breaks"], row["mend"]) for row in rows)
