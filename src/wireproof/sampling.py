"""Sampling: a clause that needs an obedient model is not decided by one answer.

Its probes are sent again, and Wald's sequential probability ratio test tells a backend that keeps the clause 99 times
in 100 from one that keeps it at most 90 times, with a risk of 1 in 20 either way; it stops as soon as it knows. What it
cannot tell by the last sample is `flaky` when both were seen. Pure: a repeat of a probe is a probe of its own, named
`probe@3`, and its answers are in the journal as all others.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from wireproof.clause import Clause, Probe
from wireproof.exchange import Exchange
from wireproof.judge import Finding, Outcome, Verdict, judge

GOOD, BAD, RISK = 0.99, 0.90, 0.05
BOUND = math.log((1 - RISK) / RISK)
Z95 = 1.959964
MARK = "@"


@dataclass(frozen=True, slots=True)
class Tally:
    """`decided` is what the test knows: good, bad, or nothing yet. `low` and `high` bound the rate (Wilson, 95 %)."""

    kept: int
    tried: int
    decided: Literal["good", "bad"] | None
    low: float
    high: float

    @property
    def outcome(self) -> Outcome:
        if self.decided:
            return "pass" if self.decided == "good" else "fail"
        return "pass" if self.kept == self.tried else "flaky" if self.kept else "fail"

    def __str__(self) -> str:
        return f"kept in {self.kept} of {self.tried} samples (95 % interval {self.low:.2f} to {self.high:.2f})"


def tally(samples: Iterable[bool]) -> Tally:
    """The samples up to the one by which the test knows; later ones are not looked at."""
    kept = tried = 0
    decided: Literal["good", "bad"] | None = None
    for is_kept in samples:
        tried += 1
        kept += is_kept
        evidence = kept * math.log(BAD / GOOD) + (tried - kept) * math.log((1 - BAD) / (1 - GOOD))
        if abs(evidence) >= BOUND:
            decided = "bad" if evidence > 0 else "good"
            break
    return Tally(kept, tried, decided, *wilson(kept, tried))


def wilson(kept: int, tried: int) -> tuple[float, float]:
    """Bounds of the rate behind `kept` of `tried`, at 95 %; all of it when nothing was tried."""
    if not tried:
        return 0.0, 1.0
    rate, weight = kept / tried, Z95**2 / tried
    middle = (rate + weight / 2) / (1 + weight)
    half = Z95 * math.sqrt(rate * (1 - rate) / tried + weight / tried / 4) / (1 + weight)
    return max(0.0, middle - half), min(1.0, middle + half)


# ---------------------------------------------------------------------------------------------- in a run


def is_sampled(clause: Clause) -> bool:
    return clause.model == "obedience"


class Sampler:
    """Gives the repeats that clauses still need, a round at a time, by the answers that it hears."""

    def __init__(
        self,
        clauses: Iterable[Clause],
        probes: Sequence[Probe],
        operations: Mapping[str, str | None],
        most: int,
        exchanges: Iterable[Exchange] = (),
    ) -> None:
        """`most` samples of a clause, the first answers among them; `exchanges` are those of an earlier run."""
        self.clauses = [clause for clause in clauses if is_sampled(clause)]
        self.probes, self.operations, self.most = probes, operations, most
        self.exchanges = list(exchanges)
        self.number = 1

    def heard(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)

    def gave_up(self, probe_id: str) -> None:
        """A repeat that the budget has no room for is the last."""
        if MARK in probe_id:
            self.number = self.most

    def __call__(self) -> list[Probe]:
        self.number += 1
        clauses = undecided(self.clauses, self.exchanges) if self.number <= self.most else []
        return [
            replace(probe, id=f"{probe.id}{MARK}{self.number}")
            for probe in self.probes
            if any(clause.evidence.means(probe.id, self.operations.get(probe.id), _asked(probe)) for clause in clauses)
        ]


def undecided(clauses: Iterable[Clause], exchanges: Sequence[Exchange]) -> list[Clause]:
    """Those that were judged, and of which the test does not know yet."""
    sampled = [clause for clause in clauses if is_sampled(clause)]
    told = {clause.id: [v.outcome == "pass" for v in some] for clause, some in _judged(sampled, exchanges)}
    return [clause for clause in sampled if told[clause.id] and tally(told[clause.id]).decided is None]


def first_answers(exchanges: Iterable[Exchange]) -> list[Exchange]:
    """Without the repeats."""
    return [exchange for exchange in exchanges if MARK not in exchange.probe]


def settled(verdicts: Sequence[Verdict], exchanges: Sequence[Exchange]) -> list[Verdict]:
    """The verdicts, those of sampled clauses by all their samples; with one sample they stay as they are."""
    if not any(MARK in exchange.probe for exchange in exchanges):
        return list(verdicts)
    clauses = [verdict.clause for verdict in verdicts if is_sampled(verdict.clause)]
    sampled = {clause.id: some for clause, some in _judged(clauses, exchanges) if len(some) > 1}
    return [
        _settled(verdict, sampled[verdict.clause.id]) if verdict.clause.id in sampled else verdict
        for verdict in verdicts
    ]


def _settled(verdict: Verdict, samples: Sequence[Verdict]) -> Verdict:
    found = tally(sample.outcome == "pass" for sample in samples)
    looked_at = samples[: found.tried]
    findings = tuple(finding for sample in looked_at for finding in sample.findings)
    judged = tuple(dict.fromkeys(id for sample in looked_at for id in sample.judged))
    shown = () if found.outcome == "pass" else findings
    return replace(verdict, outcome=found.outcome, findings=shown, reason=str(found), judged=judged)


def _judged(clauses: Sequence[Clause], exchanges: Sequence[Exchange]) -> list[tuple[Clause, list[Verdict]]]:
    """Each clause with its verdicts, a sample at a time, where there is a pass or a fail."""
    by_number: dict[int, list[Exchange]] = {}
    for exchange in exchanges:
        _, _, number = exchange.probe.partition(MARK)
        by_number.setdefault(int(number) if number.isdigit() else 1, []).append(exchange)
    rounds = [_round(clauses, by_number[number]) for number in sorted(by_number)]
    return [
        (clause, [verdict for some in rounds for verdict in [some[at]] if verdict.outcome in ("pass", "fail")])
        for at, clause in enumerate(clauses)
    ]


def _round(clauses: Sequence[Clause], exchanges: Sequence[Exchange]) -> list[Verdict]:
    """The verdicts on the answers of one sample, judged under the names of the probes that were repeated."""
    plain = [
        replace(exchange, probe=exchange.probe.partition(MARK)[0]) if MARK in exchange.probe else exchange
        for exchange in exchanges
    ]
    names = {one.id: exchange.id for one, exchange in zip(plain, exchanges, strict=True)}
    return [
        replace(
            verdict,
            findings=tuple(_renamed(finding, names) for finding in verdict.findings),
            judged=tuple(names.get(id, id) for id in verdict.judged),
        )
        for verdict in judge(clauses, plain)
    ]


def _renamed(finding: Finding, names: Mapping[str, str]) -> Finding:
    where = finding.where
    return replace(finding, where=replace(where, exchange=names.get(where.exchange, where.exchange)))


def _asked(probe: Probe) -> dict[str, object]:
    return probe.first.body if isinstance(probe.first.body, dict) else {}
