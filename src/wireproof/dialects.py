"""Dialects: what a known backend does otherwise on purpose, and no client is broken by. Data: `spec/dialects.yaml`.

A dialect that the user names relaxes clauses: their breaches are told and do not count. None is ever applied in
silence: the evidence of a run only suggests one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from wireproof.exchange import Exchange, Undecodable
from wireproof.judge import Finding, Verdict


@dataclass(frozen=True, slots=True)
class Relaxation:
    """`clause` is a glob; `finding`, where there is one, what a breach must read like."""

    clause: str
    why: str
    finding: re.Pattern[str] | None = None

    def covers(self, clause_id: str, finding: Finding) -> bool:
        said = f"expected {finding.expected}, got {finding.got}"
        return fnmatchcase(clause_id, self.clause) and (self.finding is None or self.finding.search(said) is not None)


@dataclass(frozen=True, slots=True)
class Marker:
    """A sign of a backend: a header (globs over its name and value), or a text in the body."""

    header: str = ""
    value: str = "*"
    body: str = ""

    def seen_in(self, exchange: Exchange) -> str:
        """What was seen of it, for a report; "" when it is not there."""
        if self.body:
            try:
                return self.body if self.body in exchange.text else ""
            except Undecodable:
                return ""
        for name, value in exchange.headers:
            if fnmatchcase(name.lower(), self.header) and fnmatchcase(value, self.value):
                return name.lower() if self.value == "*" else f"{name.lower()}: {value}"
        return ""


@dataclass(frozen=True, slots=True)
class Dialect:
    name: str
    about: str
    markers: tuple[Marker, ...]
    relaxations: tuple[Relaxation, ...]

    def excuse(self, verdict: Verdict) -> str:
        """Why this breach does not count; "" when a finding is left that no relaxation covers."""
        if verdict.outcome != "fail":
            return ""
        reasons: list[str] = []
        for finding in verdict.findings:
            mine = next((one for one in self.relaxations if one.covers(verdict.clause.id, finding)), None)
            if mine is None:
                return ""
            reasons.append(mine.why)
        return f"relaxed: dialect {self.name}: {'; '.join(dict.fromkeys(reasons))}"


def dialects(catalogue: Mapping[str, Any]) -> list[Dialect]:
    """All of the catalogue."""
    return [_dialect(name, row) for name, row in catalogue["dialects"].items()]


def dialect(catalogue: Mapping[str, Any], name: str) -> Dialect:
    """ValueError, with those there are, for a name that there is not."""
    known = catalogue["dialects"]
    if name not in known:
        raise ValueError(f"no dialect is called {name!r}; there are {', '.join(known)}")
    return _dialect(name, known[name])


def _dialect(name: str, row: Mapping[str, Any]) -> Dialect:
    return Dialect(
        name,
        row["about"],
        tuple(Marker(**marker) for marker in row["evidence"]),
        tuple(
            Relaxation(one["clause"], one["why"], re.compile(one["finding"]) if "finding" in one else None)
            for one in row["relaxations"]
        ),
    )


def relaxed(verdicts: Iterable[Verdict], chosen: Dialect) -> list[Verdict]:
    """The verdicts, those that the dialect relaxes marked; what does not count already stays as it is."""
    return [one if one.unscored else replace(one, unscored=chosen.excuse(one)) for one in verdicts]


def suggestion(exchanges: Sequence[Exchange], verdicts: Sequence[Verdict], known: Iterable[Dialect]) -> str:
    """A sentence that names the dialect the answers speak, where it would relax a breach; else ""."""
    broken = [verdict for verdict in verdicts if verdict.outcome == "fail" and not verdict.unscored]
    if not broken:
        return ""
    answers = [exchange for exchange in exchanges if exchange.status is not None]
    best: tuple[int, Dialect, str] | None = None
    for one in known:
        seen, sign = _evidence(one, answers)
        if seen and (best is None or seen > best[0]):
            best = (seen, one, sign)
    if best is None:
        return ""
    _, found, sign = best
    relaxes = sum(bool(found.excuse(verdict)) for verdict in broken)
    if not relaxes:
        return ""
    clauses = f"{relaxes} of the {len(broken)} broken clauses"
    return f"This looks like {found.name} ({sign}); --dialect {found.name} relaxes {clauses}."


def _evidence(one: Dialect, answers: Sequence[Exchange]) -> tuple[int, str]:
    """How many answers bear a marker, and the commonest one with its count."""
    signs: Counter[str] = Counter()
    bearers = 0
    for exchange in answers:
        seen = dict.fromkeys(sign for marker in one.markers if (sign := marker.seen_in(exchange)))
        signs.update(list(seen))
        bearers += bool(seen)
    if not bearers:
        return 0, ""
    sign, count = signs.most_common(1)[0]
    return bearers, f"{sign} on {count} of {len(answers)} answers"
