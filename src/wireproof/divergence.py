"""The same questions to several backends: where their answers part, and which clause says who is wrong.

Pure: runs and their verdicts in, divergences out. With three backends and more, the one that stands alone is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from re import escape, search, sub
from typing import Any

from wireproof.alignment import aligned
from wireproof.clause import Clause, Exchange
from wireproof.journal import Run
from wireproof.judge import Finding, Verdict, legible
from wireproof.outline import departures, kind_of, outline

ORDER = {"MUST": 0, "SHOULD": 1, "MAY": 2}


@dataclass(frozen=True)
class Side:
    """One backend: its name, what it answered, and the verdicts on that."""

    name: str
    run: Run
    verdicts: Sequence[Verdict]


@dataclass(frozen=True)
class Divergence:
    """One place where the answers part, in all the exchanges that show the same there.

    `said` has one entry a side; `odd` is the name of the side that stands alone among three or more; `clause` the one
    that breaks on some sides and not on all, None when no clause does: then it is a difference, and nobody's fault.
    """

    place: str
    said: tuple[str, ...]
    exchanges: tuple[str, ...]
    clause: Clause | None = None
    odd: str | None = None


@dataclass(frozen=True)
class Comparison:
    """`missing` are exchanges that not every side has; `incomplete` the sides whose run was cut off."""

    sides: Sequence[Side]
    compared: int
    divergences: Sequence[Divergence]
    missing: Sequence[str] = ()
    incomplete: Sequence[str] = ()

    @property
    def classified(self) -> list[Divergence]:
        """Those for which a clause says who is wrong, MUST first."""
        held = [one for one in self.divergences if one.clause is not None]
        return sorted(held, key=lambda one: (ORDER[one.clause.level], one.clause.id) if one.clause else (9, ""))

    @property
    def unspecified(self) -> list[Divergence]:
        return [one for one in self.divergences if one.clause is None]

    @property
    def outcome(self) -> str:
        """differ · incomplete · same: `same` when no MUST or SHOULD clause parts the sides."""
        if any(one.clause is not None and one.clause.level != "MAY" for one in self.divergences):
            return "differ"
        return "incomplete" if self.incomplete or not self.compared else "same"

    @property
    def odd(self) -> Mapping[str, int]:
        """How often each side stood alone."""
        return {side.name: sum(one.odd == side.name for one in self.divergences) for side in self.sides}


def compare(sides: Sequence[Side], rules: Mapping[str, Any]) -> Comparison:
    """The sides exchange by exchange; `rules` are those of `spec/outline.yaml`."""
    alignment = aligned([side.run for side in sides])
    findings = [_findings(side.verdicts) for side in sides]
    grouped: Grouped = {}
    clauses: dict[str, Clause] = {}
    for name, answers in alignment.rows.items():
        here = [found.get(one.id, []) for found, one in zip(findings, answers, strict=True)]
        is_filtered = any("headers" in one.lacks for one in answers)
        for place, said in departures([outline(one, rules) for one in answers]):
            if is_filtered and place.startswith("header "):
                continue
            fitting = _fitting(place, said, here, answers, rules)
            clause = min(fitting, key=lambda clause: (ORDER[clause.level], clause.id), default=None)
            if clause is not None:
                clauses[clause.id] = clause
            told = (place, tuple(map(legible, said)), clause.id if clause else "")
            grouped.setdefault(told, []).append(name)
    names = [side.name for side in sides]
    grouped = _with_strays(grouped)
    structural = [
        Divergence(place, said, tuple(ids), clauses.get(id), _odd(names, said))
        for (place, said, id), ids in grouped.items()
    ]
    rest = [one for one in _partings(sides) if one.clause is not None and one.clause.id not in clauses]
    return Comparison(
        sides,
        len(alignment.rows),
        [*structural, *rest],
        list(alignment.missing),
        [side.name for side in sides if (side.run.footer or {}).get("reason") != "complete"],
    )


Grouped = dict[tuple[str, tuple[str, ...], str], list[str]]


def _with_strays(grouped: Grouped) -> Grouped:
    """Once a clause has named a difference of a key or a header, the same one elsewhere is its too: many clauses tell
    one place alone.
    """
    named = {(place, said): id for place, said, id in reversed(grouped) if id and place.startswith(("/", "header "))}
    found: Grouped = {}
    for (place, said, id), exchanges in grouped.items():
        found.setdefault((place, said, id or named.get((place, said), "")), []).extend(exchanges)
    return found


def _findings(verdicts: Sequence[Verdict]) -> dict[str, list[tuple[Clause, Finding]]]:
    """By exchange."""
    found: dict[str, list[tuple[Clause, Finding]]] = {}
    for verdict in verdicts:
        for finding in verdict.findings:
            found.setdefault(finding.where.exchange, []).append((verdict.clause, finding))
    return found


def _fitting(
    place: str,
    said: Sequence[str],
    here: Sequence[Sequence[tuple[Clause, Finding]]],
    answers: Sequence[Exchange],
    rules: Mapping[str, Any],
) -> list[Clause]:
    """The clauses that broke at this place on some sides, and not on all of them."""
    everywhere = set.intersection(*({clause.id for clause, _ in side} for side in here))
    return [
        clause
        for side, answer in zip(here, answers, strict=True)
        for clause, finding in side
        if clause.id not in everywhere
        and _is_about(place, said, finding)
        and _is_of_kind(place, finding.where.event, answer, rules)
    ]


def _is_of_kind(place: str, number: int | None, answer: Exchange, rules: Mapping[str, Any]) -> bool:
    """Whether the event that a finding names is of the kind whose outline differs."""
    if number is None or not place.startswith("/{"):
        return True
    events = answer.events
    return number >= len(events) or place.startswith(f"/{{{kind_of(answer, events[number], rules)}}}")


def _is_about(place: str, said: Sequence[str], finding: Finding) -> bool:
    """Whether a finding speaks of what differs: it points there, or above it and names it."""
    pointer, event = finding.where.pointer, finding.where.event
    words = f"{finding.expected} {finding.got}".lower()
    kind, _, name = place.partition(" ")
    if kind == "header":
        return _names(words, name)
    if kind == "status":
        return not pointer and any(_names(words, status) for status in said)
    if not place.startswith("/"):
        return not pointer or event is not None
    there = _bare(place)
    held = "/" + sub(r"(?<=/)\d+(?=/|$)", "*", pointer).strip("/")
    if held != "/" and (there == held or held.startswith(f"{there}/")):
        return True
    parent, _, key = there.rpartition("/")
    return held == (parent or "/") and key != "*" and _names(words, key.lower())


def _names(words: str, name: str) -> bool:
    """Whether the name stands in the words by itself: `request-id` is no part of `x-request-id`."""
    return search(rf"(?<![\w-]){escape(name)}(?![\w-])", words) is not None


def _bare(place: str) -> str:
    """A place as a pointer with `*`: without the kind of the event, and without the types of items."""
    parts = place.partition(", ")[0].strip("/").split("/")
    if parts[0].startswith("{"):
        parts = parts[1:]
    return "/" + "/".join("*" if part.startswith("{") else part for part in parts)


def _partings(sides: Sequence[Side]) -> Iterator[Divergence]:
    """The clauses that some sides break and others keep."""
    names = [side.name for side in sides]
    held = [{verdict.clause.id: verdict for verdict in side.verdicts} for side in sides]
    for id, first in held[0].items():
        verdicts = [one[id] for one in held if id in one]
        said = tuple(verdict.outcome for verdict in verdicts)
        if len(verdicts) == len(sides) and "fail" in said and "pass" in said:
            ids = dict.fromkeys(finding.where.exchange for verdict in verdicts for finding in verdict.findings)
            yield Divergence("verdict", said, tuple(ids), first.clause, _odd(names, said))


def _odd(names: Sequence[str], said: Sequence[str]) -> str | None:
    """Who stands alone, when there are three or more and all others agree."""
    if len(said) < 3:
        return None
    alone = [number for number, word in enumerate(said) if said.count(word) == 1]
    return names[alone[0]] if len(alone) == 1 and len(set(said)) == 2 else None


def by_clause(divergences: Sequence[Divergence]) -> list[tuple[Clause, list[Divergence]]]:
    """Those that a clause classifies, clause by clause, in their order."""
    found: dict[str, tuple[Clause, list[Divergence]]] = {}
    for one in divergences:
        if one.clause is not None:
            found.setdefault(one.clause.id, (one.clause, []))[1].append(one)
    return list(found.values())


def by_words(divergences: Sequence[Divergence]) -> list[tuple[tuple[str, ...], list[Divergence]]]:
    """Those about no header, by what the sides say: null here and absent there is one habit in many places."""
    found: dict[tuple[str, ...], list[Divergence]] = {}
    for one in divergences:
        if not one.place.startswith("header "):
            found.setdefault(one.said, []).append(one)
    return list(found.items())


def by_header(divergences: Sequence[Divergence]) -> list[tuple[tuple[str, ...], list[str]]]:
    """The names of headers, by who sends them."""
    found: dict[tuple[str, ...], dict[str, None]] = {}
    for one in divergences:
        if one.place.startswith("header "):
            found.setdefault(one.said, {})[one.place.removeprefix("header ")] = None
    return [(said, sorted(names)) for said, names in found.items()]


def witnesses(one: Divergence, most: int = 2) -> str:
    """Where it shows: `chat.plain, chat.n and 12 more`."""
    more = f" and {len(one.exchanges) - most} more" if len(one.exchanges) > most else ""
    return f"{', '.join(one.exchanges[:most])}{more}"


def alone(comparison: Comparison, name: str | None) -> str:
    """`3 stands alone`, by the number of the side; "" for nobody."""
    numbers = {side.name: number for number, side in enumerate(comparison.sides, 1)}
    return "" if name is None else f"{numbers[name]} stands alone"


def sentence(comparison: Comparison) -> str:
    """The outcome in words."""
    clauses = len(by_clause(comparison.classified))
    parts = [
        f"{comparison.compared} exchanges compared",
        f"{clauses} clause{'' if clauses == 1 else 's'} part{'s' if clauses == 1 else ''} the targets",
        f"{len(comparison.unspecified)} difference{'' if len(comparison.unspecified) == 1 else 's'} "
        "that no clause decides",
    ]
    if comparison.missing:
        parts.append(f"{len(comparison.missing)} exchanges that not every side has")
    if comparison.incomplete:
        parts.append(f"cut off: {', '.join(comparison.incomplete)}")
    counts = {name: count for name, count in comparison.odd.items() if count}
    if counts:
        name = max(counts, key=lambda one: counts[one])
        parts.append(f"{name} stands alone most often ({counts[name]} times)")
    return ", ".join(parts)
