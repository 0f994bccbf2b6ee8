"""Judging: clauses and recorded exchanges in, verdicts out. Pure; the same today and tomorrow.

A thing that could not be tested is never a pass: a clause without usable evidence is `inconclusive` when the
evidence failed to come, `not-applicable` when the target declined or the plan never asked, with the reason.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from wireproof.clause import Broken, Clause, Evidence, Exchange, Inconclusive, NotApplicable, Request, Undecodable

Outcome = Literal["pass", "fail", "inconclusive", "not-applicable", "waived", "flaky"]
FailOn = Literal["MUST", "SHOULD", "MAY"]
ILLEGIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
FAILS: Mapping[FailOn, frozenset[str]] = {
    "MUST": frozenset({"MUST"}),
    "SHOULD": frozenset({"MUST", "SHOULD"}),
    "MAY": frozenset({"MUST", "SHOULD", "MAY"}),
}


@dataclass(frozen=True, slots=True)
class Where:
    """The place of a breach: an exchange, in a stream the number of the event, a JSON Pointer into it."""

    exchange: str
    event: int | None = None
    pointer: str = ""

    def __str__(self) -> str:
        event = "" if self.event is None else f" event {self.event}"
        return f"{self.exchange}{event}{' ' + self.pointer if self.pointer else ''}"


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a clause is not kept. The fingerprint is the same in every run that shows the same breach."""

    expected: str
    got: str
    where: Where
    fingerprint: str


@dataclass(frozen=True)
class Verdict:
    """What became of one clause. `judged` names the exchanges it was judged on; `reason` is for all but pass, fail.

    `unscored` says why the verdict does not count, "" when it does.
    """

    clause: Clause
    outcome: Outcome
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    judged: tuple[str, ...] = ()
    unscored: str = ""


@dataclass(frozen=True)
class Planned:
    """A probe of the plan, and why it was not sent, if it was not. `asked` is the body of its first request.

    `declined` when the user left it out (no such model, no key): then its clauses do not apply. `expects` as the
    probe's: what is wrong on purpose asks for nothing.
    """

    probe: str
    operation: str | None = None
    asked: Mapping[str, Any] = field(default_factory=dict)
    unsent: str | None = None
    declined: bool = False
    expects: str = "answer"


def judge(clauses: Iterable[Clause], exchanges: Sequence[Exchange], planned: Sequence[Planned] = ()) -> list[Verdict]:
    """One verdict a clause, in the clauses' order. Exchanges must be in order of sending."""
    pile = Pile(exchanges, planned)
    return [_verdict(clause, pile, planned) for clause in clauses]


def run_outcome(verdicts: Iterable[Verdict], fail_on: FailOn = "SHOULD") -> str:
    """`nonconformant` when a clause that `fail_on` counts is broken, else `incomplete` when a MUST is undecided.

    A flaky one is undecided: it was seen kept and broken.
    """
    ends = {(verdict.clause.level, verdict.outcome) for verdict in verdicts if not verdict.unscored}
    if any((level, "fail") in ends for level in FAILS[fail_on]):
        return "nonconformant"
    return "incomplete" if ends & {("MUST", "inconclusive"), ("MUST", "flaky")} else "conformant"


# What a clause is judged on that names neither operations nor probes: every answer of the API, none from elsewhere, and
# no handshake of a WebSocket, which many servers refuse without a word.
EVERYTHING: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())


class Pile:
    """Exchanges, laid out by operation and probe: four hundred clauses must not look at ten thousand each."""

    def __init__(self, exchanges: Sequence[Exchange], planned: Sequence[Planned] = ()) -> None:
        self._exchanges = exchanges
        self.unserved = unserved(exchanges, planned)
        self._places: dict[str | None, dict[str, list[int]]] = {}
        for place, exchange in enumerate(exchanges):
            self._places.setdefault(exchange.operation, {}).setdefault(exchange.probe, []).append(place)
        self._named: dict[tuple[tuple[str, ...], tuple[str, ...]], list[Exchange]] = {}

    def meant(self, evidence: Evidence) -> list[Exchange]:
        """Those that `evidence.means`, in their order."""
        return [exchange for exchange in self._of(evidence) if evidence.wants(exchange.request.asked)]

    def _of(self, evidence: Evidence) -> list[Exchange]:
        """Those of its operations and probes. Most clauses of a surface have the same."""
        key = evidence.operations, evidence.probes
        if key not in self._named:
            asked = [self._places.get(name, {}) for name in dict.fromkeys(evidence.operations)]
            places = [
                place
                for probes in (asked if evidence.operations else self._places.values())
                for probe, some in probes.items()
                if evidence.names(probe)
                for place in some
                if key != EVERYTHING or _is_plain(self._exchanges[place].request)
            ]
            self._named[key] = [self._exchanges[place] for place in sorted(places)]
        return self._named[key]


# How a server says that a path, or a method of it, is none of its own.
NOT_SERVED = (404, 405, 501)


def unserved(exchanges: Sequence[Exchange], planned: Sequence[Planned]) -> dict[str, str]:
    """The operations that the target does not serve, each with what shows it.

    Never answered 2xx, or 101, and a first request that nothing was wrong with was answered as if there were no such
    path.
    """
    meant = {one.probe for one in planned if one.expects == "answer"}
    served = {exchange.operation for exchange in exchanges if (exchange.status or 0) // 100 in (1, 2)}
    return {
        exchange.operation: f"{exchange.operation} is not served: {exchange.id} was answered {exchange.status}"
        for exchange in exchanges
        if exchange.operation and exchange.operation not in served
        if exchange.probe in meant and exchange.step == 0 and exchange.status in NOT_SERVED
    }


def _is_plain(request: Request) -> bool:
    return not request.is_elsewhere and not request.is_handshake


def _verdict(clause: Clause, pile: Pile, planned: Sequence[Planned]) -> Verdict:
    evidence = clause.evidence
    asked_for = pile.meant(evidence)
    meant = [e for e in asked_for if not e.lacks.intersection(evidence.needs)]
    if asked_for and not meant:
        return Verdict(clause, "not-applicable", reason=_what_lacks(evidence, asked_for))
    if evidence.served:
        absent = [e for e in meant if e.operation in pile.unserved]
        meant = [e for e in meant if e.operation not in pile.unserved]
        if absent and not meant:
            return Verdict(clause, "not-applicable", reason=pile.unserved[absent[0].operation or ""])
    usable: list[Exchange] = []
    doubts: list[str] = []
    for exchange in meant:
        try:
            if _is_usable(evidence, exchange):
                usable.append(exchange)
        except Exception as error:  # `shows` of other people's clauses runs here, on any answer
            doubts.append(_doubt(exchange, error))
    trials = _trials(evidence, usable)
    if not trials and not doubts:
        outcome, reason = _blocked(evidence, meant, usable, planned)
        return Verdict(clause, outcome, reason=legible(reason))
    findings: list[Finding] = []
    passed: list[str] = []
    strangers: list[str] = []
    for arguments, witnesses in trials:
        try:
            clause.judge(*arguments)
        except Broken as broken:
            findings.append(_finding(clause, broken, witnesses))
        except NotApplicable as reason:
            strangers.append(str(reason))
        except Exception as error:  # other people's clauses run here
            doubts.append(_doubt(witnesses[-1], error))
        else:
            passed.extend(witness.id for witness in witnesses)
    judged = tuple(dict.fromkeys(passed + [f.where.exchange for f in findings]))
    if findings:
        return Verdict(clause, "fail", tuple(findings), judged=judged)
    if passed:
        return Verdict(clause, "pass", judged=judged)
    if doubts:
        return Verdict(clause, "inconclusive", reason=legible(doubts[0]))
    return Verdict(clause, "not-applicable", reason=legible(strangers[0]))


LACKS: Mapping[str, str] = {
    "times": "when each chunk came",
    "clock": "when the request was sent",
    "sequence": "what else was sent in between",
    "headers": "all headers of the answer",
}


def _what_lacks(evidence: Evidence, exchanges: Sequence[Exchange]) -> str:
    missing = [LACKS[need] for need in evidence.needs if any(need in exchange.lacks for exchange in exchanges)]
    return f"the recording does not tell {' or '.join(missing)}"


def _doubt(exchange: Exchange, error: Exception) -> str:
    """Why an exchange gave no verdict: what the clause says of it, or that the clause is at fault."""
    if isinstance(error, Inconclusive | Undecodable):
        return f"{exchange.id}: {error}"
    return f"{exchange.id}: the clause itself failed: {type(error).__name__}: {error}"


def _is_usable(evidence: Evidence, exchange: Exchange) -> bool:
    if not evidence.accepts_status(exchange.status) and not (evidence.troubled and exchange.status is None):
        return False
    if exchange.trouble and not evidence.troubled:
        return False
    return evidence.shows is None or bool(evidence.shows(exchange))


Trial = tuple[tuple[Any, ...], Sequence[Exchange]]


def _trials(evidence: Evidence, usable: Sequence[Exchange]) -> list[Trial]:
    """The arguments of each call of the clause, and the exchanges they stand for. Empty: nothing to judge."""
    match evidence.shape:
        case "each":
            return [((exchange,), [exchange]) for exchange in usable]
        case "sequence":
            return [((list(usable),), usable)] if usable else []
        case "together":
            last = {e.probe: e for e in usable if e.step == 0}
            if any(name not in last for name in evidence.probes):
                return []
            pair = [last[name] for name in evidence.probes]
            return [(tuple(pair), pair)]
        case "steps":
            answers = {e.step: e for e in usable}
            ordered = [answers[step] for step in sorted(answers)]
            return [((ordered,), ordered)] if ordered else []


def _finding(clause: Clause, broken: Broken, witnesses: Sequence[Exchange]) -> Finding:
    """`at` may begin with an exchange's id and a space, where a clause judges several."""
    exchange, pointer = witnesses[-1].id, broken.at
    named, _, rest = broken.at.partition(" ")
    if named in {witness.id for witness in witnesses}:
        exchange, pointer = named, rest
    pointer = legible(pointer)
    where = Where(exchange, broken.event, pointer)
    place = re.sub(r"\d+", "*", pointer)
    digest = hashlib.sha256(f"{clause.id}|{exchange.partition('~')[0]}|{place}".encode()).hexdigest()
    return Finding(legible(broken.expected), legible(broken.got), where, digest[:16])


def legible(text: str) -> str:
    r"""What a target said, fit for a terminal and a file: control characters and half pairs as `\u001b`.

    A terminal would obey the one, UTF-8 has no bytes for the other. Line ends and tabs stay.
    """
    return ILLEGIBLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _blocked(
    evidence: Evidence, meant: Sequence[Exchange], usable: Sequence[Exchange], planned: Sequence[Planned]
) -> tuple[Outcome, str]:
    """Why there is nothing to judge, from the first exchange or probe that stands in the way."""
    held = {id(exchange) for exchange in usable}
    silent = [e for e in meant if not e.trouble and evidence.accepts_status(e.status) and id(e) not in held]
    if silent:
        unasked = [one for one in planned if one.unsent and not one.declined]
        return _unsent(evidence, unasked) or (
            "not-applicable",
            f"no answer to {', '.join(sorted({e.probe for e in silent})[:3])} shows it",
        )
    seen = {exchange.probe for exchange in usable}
    for exchange in reversed(meant):
        if exchange.probe not in seen:
            blocked = _why_unusable(evidence, exchange)
            if blocked is not None:
                return blocked
    return _unsent(evidence, planned) or ("not-applicable", "nothing that was sent asks for it")


def _unsent(evidence: Evidence, planned: Sequence[Planned]) -> tuple[Outcome, str] | None:
    """The first probe that would have been evidence, had it been sent."""
    for plan in planned:
        if plan.unsent and evidence.means(plan.probe, plan.operation, plan.asked):
            return "not-applicable" if plan.declined else "inconclusive", unsent_reason(plan)
    return None


def unsent_reason(plan: Planned) -> str:
    """Why a clause is undecided that this probe would have been evidence for."""
    return legible(f"{plan.probe} was not sent: {plan.unsent}")


def _why_unusable(evidence: Evidence, exchange: Exchange) -> tuple[Outcome, str] | None:
    if exchange.trouble:
        return "inconclusive", f"{exchange.id}: {exchange.trouble.detail}"
    status = exchange.status
    if evidence.accepts_status(status):
        return None
    said = f"{exchange.id} was answered {status}{_said(exchange)}"
    if status == 429 or (status is not None and status >= 500 and status != 501):
        return "inconclusive", said
    return "not-applicable", said


def _said(exchange: Exchange) -> str:
    """`: ` and the error message of an answer, when it has one."""
    try:
        return f": {exchange.json['error']['message']}"[:200]
    except (Undecodable, LookupError, TypeError):
        return ""
