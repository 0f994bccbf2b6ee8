"""Claims: which features a backend says it serves, and what follows for its verdicts. Data: `spec/features.yaml`.

A claimed feature must be kept: what the target declines is then a breach, and what nothing shows is open. A feature
that is not claimed must be refused by the name of its field, or served as if it were; its own clauses do not count,
and a field that is taken and ignored breaks `claims.refused`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

import yaml

from wireproof.clause import Clause, answered
from wireproof.exchange import Exchange, Undecodable
from wireproof.fields import FieldAsked, asked_of, refusal_of
from wireproof.judge import Finding, Planned, Verdict, Where, legible

State = Literal["kept", "broken", "undecided", "not shown", "refused", "ignored", "served"]
# A status that refuses the caller, the path or the moment, and no field.
OTHER_REFUSALS = (401, 403, 404, 405, 408, 413, 429)


class BadClaims(ValueError):
    """The file is no list of claims; the message names it, the entry and what was expected."""


@dataclass(frozen=True, slots=True)
class Feature:
    """`fields` ask for it, by operation."""

    name: str
    about: str
    clauses: tuple[str, ...]
    fields: Mapping[str, tuple[str, ...]]

    def judges(self, clause_id: str) -> bool:
        return any(fnmatchcase(clause_id, glob) for glob in self.clauses)


@dataclass(frozen=True, slots=True)
class Claim:
    """What became of a feature. Claimed: kept, broken, undecided; else refused, ignored, served; or not shown."""

    feature: str
    claimed: bool
    state: State


@dataclass(frozen=True)
class Claimed:
    verdicts: list[Verdict]
    claims: list[Claim]


def _nothing(exchange: Exchange) -> None:
    """Decided by `after_claims`, which knows the claims."""


REFUSED = Clause(
    "claims.refused",
    "MUST",
    "A field of a feature that is not claimed is refused by its name, or has its effect: never taken and ignored.",
    "SPEC Error.param; QUOTES-0915 L5",
    answered(probes="claims.*"),  # no probes of its own: it is read off all others
    "none",
    _nothing,
    area="claims",
)


def features(catalogue: Mapping[str, Any]) -> dict[str, Feature]:
    return {
        name: Feature(
            name,
            row["about"],
            tuple(row["clauses"]),
            {operation: tuple(fields) for operation, fields in row.get("fields", {}).items()},
        )
        for name, row in catalogue["features"].items()
    }


def read_claims(path: Path, known: Mapping[str, Feature]) -> dict[str, bool]:
    """`{features: {tools: true, ...}}`; a feature that is not named is not claimed. Raises BadClaims."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as wrong:
        raise BadClaims(f"{path}: expected YAML, got {' '.join(str(wrong).split())}") from wrong
    rows = content.get("features") if isinstance(content, dict) else None
    if not isinstance(rows, dict):
        raise BadClaims(f"{path}: expected an object with `features`, as `wireproof plan --claims-template` prints it")
    for name, value in rows.items():
        if name not in known:
            raise BadClaims(f"{path}: no feature is called {name!r}; there are {', '.join(known)}")
        if not isinstance(value, bool):
            raise BadClaims(f"{path}: expected {name} as true or false, got {value!r}")
    return {name: rows.get(name, False) for name in known}


def template(known: Iterable[Feature]) -> str:
    """A file that claims everything, to be cut down."""
    lines = [
        "# What this backend serves. Set to false what it does not: it must then refuse the fields by their names.",
        "features:",
        *(f"  {feature.name}: true  # {feature.about}" for feature in known),
    ]
    return "\n".join(lines) + "\n"


def after_claims(
    verdicts: Sequence[Verdict],
    exchanges: Sequence[Exchange],
    planned: Sequence[Planned],
    fields: Sequence[FieldAsked],
    claims: Mapping[str, bool],
    known: Mapping[str, Feature],
) -> Claimed:
    """The verdicts in the light of the claims, with that of `claims.refused` at their end.

    `fields` are told of the verdicts as they were.
    """
    # What others recorded, and later steps of a flow, may be wrong on purpose: that shows no feature declined.
    fair = {probe.probe for probe in planned if probe.expects != "refusal"}
    meant = [exchange for exchange in exchanges if exchange.probe in fair and not exchange.step]
    others = [known[name] for name, claimed in claims.items() if not claimed]
    findings = {feature.name: _taken(feature, exchanges, meant, fields) for feature in others}
    shown = {name for name, feature in known.items() if _outcomes(feature, verdicts) & {"pass", "fail"}}
    found = [_after(verdict, meant, claims, known, shown) for verdict in verdicts]
    states = [
        Claim(name, True, _kept(_scored(known[name], found)))
        if claimed
        else Claim(name, False, _refused(known[name], verdicts, fields, findings[name]))
        for name, claimed in claims.items()
    ]
    return Claimed([*found, _refusals(findings, others)], states)


def _after(
    verdict: Verdict,
    meant: Sequence[Exchange],
    claims: Mapping[str, bool],
    known: Mapping[str, Feature],
    shown: Iterable[str],
) -> Verdict:
    """A clause that judges several features counts when all of them are claimed."""
    mine = [name for name in claims if known[name].judges(verdict.clause.id)]
    given_up = [name for name in mine if not claims[name]]
    if given_up:
        return verdict if verdict.unscored else replace(verdict, unscored=f"not claimed: {', '.join(given_up)}")
    if not mine or verdict.outcome != "not-applicable":
        return verdict
    name = min(mine, key=lambda one: len(known[one].clauses))
    declined = _declined(verdict.clause, meant, is_shown=name in shown)
    if declined is not None:
        finding = _finding(verdict.clause.id, name, f"{name} to be served, as claimed", declined)
        return replace(verdict, outcome="fail", findings=(finding,), judged=(declined.id,), reason="")
    if name not in shown:
        return replace(verdict, outcome="inconclusive", reason=f"{name} is claimed, and not shown: {verdict.reason}")
    return verdict


SERVED = ("2xx", "101")  # what a clause is judged on that is about what is served; a socket is taken with 101


def _declined(clause: Clause, meant: Sequence[Exchange], *, is_shown: bool) -> Exchange | None:
    """The exchange that refused what the clause judges. A flow that ends at its first step refuses it as well."""
    evidence = clause.evidence
    if evidence.status not in (*SERVED, "any") or not (evidence.operations or evidence.probes):
        return None  # a law of refusals, or of all traffic
    for exchange in meant:
        status = exchange.status or 0
        if not (400 <= status < 500 and status != 429) and status != 501:
            continue
        if evidence.means(exchange.probe, exchange.operation, exchange.request.asked) and (
            evidence.status in SERVED or not is_shown
        ):
            return exchange
    return None


def _taken(
    feature: Feature, exchanges: Sequence[Exchange], meant: Sequence[Exchange], fields: Sequence[FieldAsked]
) -> list[Finding]:
    """Where a field was taken and ignored, or refused without its name."""
    by_id = {exchange.id: exchange for exchange in exchanges}
    found = [
        _finding(
            f"{REFUSED.id}|{row.operation}|{row.field}",
            row.field,
            f"{row.field} refused by its name, or honoured: {feature.name} is not claimed",
            by_id[row.exchange],
            f"status {by_id[row.exchange].status}, and {row.clause} is broken",
        )
        for row in fields
        if row.state == "ignored" and row.field in feature.fields.get(row.operation, ()) and row.exchange in by_id
    ]
    return found + [
        _finding(
            f"{REFUSED.id}|{exchange.operation}|nameless",
            asked[0],
            f"a refusal that names {' or '.join(asked)}: {feature.name} is not claimed",
            exchange,
        )
        for exchange in meant
        if (asked := _is_nameless(feature, exchange, meant))
    ]


def _is_nameless(feature: Feature, exchange: Exchange, meant: Sequence[Exchange]) -> list[str]:
    """The fields of the feature that were asked for where a refusal names no field, and the operation is served."""
    status = exchange.status or 0
    asked = [name for name in feature.fields.get(exchange.operation or "", ()) if name in asked_of(exchange)]
    if not asked or not 400 <= status < 500 or status in OTHER_REFUSALS:
        return []
    if any(refusal_of(exchange, name) for name in asked_of(exchange)):
        return []
    is_served = any(e.operation == exchange.operation and e.status == 200 for e in meant)
    return asked if is_served else []


def _refusals(findings: Mapping[str, Sequence[Finding]], others: Sequence[Feature]) -> Verdict:
    every = tuple(finding for some in findings.values() for finding in some)
    judged = tuple(dict.fromkeys(finding.where.exchange for finding in every))
    if every:
        return Verdict(REFUSED, "fail", every, judged=judged)
    if others:
        return Verdict(REFUSED, "pass", judged=judged)
    return Verdict(REFUSED, "not-applicable", reason="every feature is claimed")


def _scored(feature: Feature, verdicts: Iterable[Verdict]) -> list[Verdict]:
    return [verdict for verdict in verdicts if feature.judges(verdict.clause.id) and not verdict.unscored]


def _outcomes(feature: Feature, verdicts: Iterable[Verdict]) -> set[str]:
    return {verdict.outcome for verdict in verdicts if feature.judges(verdict.clause.id)}


def _kept(scored: Sequence[Verdict]) -> State:
    outcomes = {verdict.outcome for verdict in scored}
    if not outcomes:
        return "not shown"
    if "fail" in outcomes:
        return "broken"
    is_open = any(verdict.outcome in ("inconclusive", "flaky") and verdict.clause.level == "MUST" for verdict in scored)
    return "kept" if "pass" in outcomes and not is_open else "undecided"


def _refused(
    feature: Feature, verdicts: Sequence[Verdict], fields: Sequence[FieldAsked], findings: Sequence[Finding]
) -> State:
    states = {row.state for row in fields if row.field in feature.fields.get(row.operation, ())}
    if findings:
        return "ignored" if "ignored" in states else "refused"
    if "refused" in states:
        return "refused"
    return "served" if _outcomes(feature, verdicts) & {"pass", "fail"} else "not shown"


def _finding(key: str, name: str, expected: str, exchange: Exchange, got: str = "") -> Finding:
    digest = hashlib.sha256(f"{key}|{name}|{exchange.probe}".encode()).hexdigest()
    return Finding(
        expected, legible(got or f"status {exchange.status}{_said(exchange)}"), Where(exchange.id), digest[:16]
    )


def _said(exchange: Exchange) -> str:
    try:
        return f": {exchange.json['error']['message']}"[:200]
    except (Undecodable, LookupError, TypeError):
        return ""
