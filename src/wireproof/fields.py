"""What became of each field that was asked for: honoured, refused, ignored or unknown, with the evidence.

A clause says which fields it shows to be honoured (`clause(fields=...)`). What was refused is read off the answers: a
4xx that names the field of a request that was not wrong on purpose. The rest is unknown: it was taken, and nothing
that is judged shows an effect.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from wireproof.exchange import Exchange, Undecodable
from wireproof.judge import Planned, Verdict

State = Literal["honoured", "refused", "ignored", "unknown"]
# The stronger sign wins: ignored once is ignored, and what is honoured elsewhere was refused for its value.
STRENGTH: Mapping[State, int] = {"unknown": 0, "refused": 1, "honoured": 2, "ignored": 3}
# Drawn requests name every field of the description, and ask for none of them in particular.
DRAWN = "cases."
# Without these there is no request: what is refused of them is a value.
ESSENTIAL = frozenset({"model", "messages", "prompt", "input", "file"})
# A refusal of the field, not of its value: a code of the official API, or the words of others.
UNSUPPORTED = re.compile(
    r"unsupported|not support|unrecogni[sz]ed|not permitted|unknown (field|param)|extra_forbid", re.I
)


@dataclass(frozen=True, slots=True)
class FieldAsked:
    """`clause` and `exchange` are the evidence; `why` is what a refusal says, or why nothing is known."""

    operation: str
    field: str
    state: State
    clause: str = ""
    exchange: str = ""
    why: str = ""


def fields_asked(
    verdicts: Iterable[Verdict], exchanges: Sequence[Exchange], planned: Iterable[Planned] = ()
) -> list[FieldAsked]:
    """A row for each field of each operation, operation by operation, in order of asking."""
    expects = {probe.probe: probe.expects for probe in planned}
    meant = [e for e in exchanges if expects.get(e.probe) != "refusal" and not e.probe.startswith(DRAWN)]
    found: dict[tuple[str, str], FieldAsked] = {}
    askers: dict[str, dict[str, Exchange]] = {}  # of each field, by the ids of exchanges
    refused: list[FieldAsked] = []
    for exchange in meant:
        id, operation = exchange.id, exchange.operation or ""
        for name in asked_of(exchange):
            found.setdefault((operation, name), FieldAsked(operation, name, "unknown"))
            askers.setdefault(name, {})[id] = exchange
            # What others recorded, and later steps of a flow, may be wrong on purpose.
            may_be_wrong = exchange.step > 0 or exchange.probe not in expects
            if said := refusal_of(exchange, name, needs_word=may_be_wrong):
                refused.append(FieldAsked(operation, name, "refused", "", id, said))
    for sign in [*refused, *(sign for verdict in verdicts for sign in _signs(verdict, askers))]:
        row = found[sign.operation, sign.field]
        if STRENGTH[sign.state] > STRENGTH[row.state] or (sign.state == row.state == "unknown" and not row.why):
            found[sign.operation, sign.field] = sign
    operations = list(dict.fromkeys(operation for operation, _ in found if operation))
    return [row for operation in operations for row in found.values() if row.operation == operation]


def asked_of(exchange: Exchange) -> dict[str, Any]:
    """The fields of a request's query and of its JSON or form that say something, which null does not. Files too."""
    request = exchange.request
    files = {part.name.removesuffix("[]"): part.data for part in request.form if part.is_file}
    fields = {**request.query, **request.fields, **files}
    return {name: value for name, value in fields.items() if value is not None}


def refusal_of(exchange: Exchange, name: str, *, needs_word: bool = False) -> str:
    """What a 4xx says that names the field; "" when there is none. `needs_word`: it must say "unsupported", too."""
    if exchange.status is None or not 400 <= exchange.status < 500 or name in ESSENTIAL:
        return ""
    try:
        error = exchange.json["error"]
        said, code, param = (str(error.get(key) or "") for key in ("message", "code", "param"))
    except (Undecodable, LookupError, TypeError, AttributeError):
        return ""
    lacks_support = UNSUPPORTED.search(f"{code} {said}") is not None
    if param:
        names_it = re.split(r"[.\[]", param)[0] == name
    else:
        names_it = lacks_support and re.search(rf"\b{re.escape(name)}\b", said) is not None
    return said or code if names_it and (lacks_support or not needs_word) else ""


def _signs(verdict: Verdict, askers: Mapping[str, Mapping[str, Exchange]]) -> Iterator[FieldAsked]:
    """What a verdict shows of the fields of its clause, an operation at a time."""
    clause = verdict.clause
    for name in clause.fields:
        asked = askers.get(name, {})
        judged = [asked[id] for id in verdict.judged if id in asked]
        if verdict.outcome in ("fail", "waived", "flaky"):
            broken = [asked[id] for finding in verdict.findings if (id := finding.where.exchange) in asked]
            yield from _once("ignored", name, verdict, broken or judged)
        elif verdict.outcome == "pass":
            yield from _once("honoured", name, verdict, judged)
        else:
            means = clause.evidence.means
            doubted = (e for e in asked.values() if means(e.probe, e.operation, e.request.asked))
            yield from _once("unknown", name, verdict, doubted)


def _once(state: State, name: str, verdict: Verdict, shown_by: Iterable[Exchange]) -> Iterator[FieldAsked]:
    """One row an operation, with the first exchange that shows it."""
    first: dict[str, Exchange] = {}
    for exchange in shown_by:
        first.setdefault(exchange.operation or "", exchange)
    for operation, exchange in first.items():
        yield FieldAsked(operation, name, state, verdict.clause.id, exchange.id, verdict.reason)
