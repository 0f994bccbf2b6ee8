"""One recorded request sent again, and judged by one clause: what `shrink` and the tests it leaves are made of."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from wireproof.certification import load_contracts
from wireproof.clause import Call, Clause, Exchange, Flow, Probe
from wireproof.fetch import Bounds, Target
from wireproof.judge import Finding, Verdict, judge
from wireproof.plan import Budget, Cost, Models, Plan, call_cost
from wireproof.record import Recorded, RecordEvent, record
from wireproof.secrets import LONGER, MARKER, SHORTER
from wireproof.spec import load_spec

Auth = Literal["key", "none", "wrong", "cut", "extended"]


class NotSent(RuntimeError):
    """The request did not leave, or nothing came back; the message says why."""


def verdict(
    clause_id: str,
    method: str,
    path: str,
    body: Any = None,
    *,
    base_url: str,
    key: str | None,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    auth: Auth = "key",
    probe: str = "again",
    contracts: Sequence[str] = (),
) -> Verdict:
    """Sends one request and judges the answer by one clause, whatever other exchanges the clause could look at.

    `body`: JSON, or bytes; `probe`: the name under which it goes, which some clauses choose their evidence by;
    `contracts`: folders of the user's own. Raises LookupError for an unknown clause, NotSent, or Unreachable.
    """
    clauses, _ = load_contracts([Path(folder) for folder in contracts])
    wanted = next((one for one in clauses if one.id == clause_id), None)
    if wanted is None:
        raise LookupError(f"no clause is called {clause_id!r}")
    call = Call(method, path, body, query or {}, headers or {}, auth)
    exchange, _ = sent(Target(base_url.rstrip("/"), key), call, probe)
    return judge([wanted], [exchange])[0]


def sent(
    target: Target,
    call: Call,
    name: str,
    *,
    budget: Budget | None = None,
    bounds: Bounds | None = None,
    **recorder: Any,
) -> tuple[Exchange, Cost]:
    """The last answer to one request (a 429 is waited out), and what all of it cost. Raises NotSent.

    `recorder` are further arguments of `record`: a transport, clocks.
    """
    spec = load_spec()

    def run() -> Flow:
        yield call

    probe = Probe(name, "sent again", run, call, "either")
    operation = spec.operation_for(call.method, call.path)
    plan = Plan(
        (probe,), {name: call_cost(spec, call, "either")}, Models(), (), {name: operation.id if operation else None}
    )
    heard: list[RecordEvent] = []
    spent = asyncio.run(record(plan, target, spec, heard.append, budget=budget, bounds=bounds, **recorder))
    answers = [event.exchange for event in heard if isinstance(event, Recorded)]
    if not answers:
        raise NotSent("; ".join(getattr(event, "reason", "") for event in heard) or "nothing was sent")
    if answers[-1].status is None:
        raise NotSent(answers[-1].trouble.detail if answers[-1].trouble else "no answer came")
    return answers[-1], spent


def call_of(exchange: Exchange) -> Call:
    """The call that an exchange was the answer to; keys are those of whoever sends it again."""
    request = exchange.request
    ours = ("authorization", "accept", "accept-encoding", "user-agent", "x-client-request-id", "content-length", "host")
    body = request.json if isinstance(request.json, dict | list) else request.body or None
    implied = ("content-type", "application/json")  # the recorder sets it by itself
    headers = {
        name: value for name, value in request.headers if name.lower() not in ours and (name.lower(), value) != implied
    }
    return Call(request.method, request.path, body, dict(request.query), headers, auth_of(exchange))


def auth_of(exchange: Exchange) -> Auth:
    """Which key the request went with."""
    told = next((value for name, value in exchange.request.headers if name.lower() == "authorization"), "")
    key = told.partition(" ")[2]
    forms: dict[str, Auth] = {MARKER: "key", f"{MARKER}{LONGER}": "extended", f"{MARKER}{SHORTER}": "cut", "": "none"}
    return forms.get(key, "wrong")


def as_recorded(exchange: Exchange, first: Exchange) -> Exchange:
    """The exchange under the name and number of the one it repeats, so that clauses take it for that."""
    return replace(exchange, probe=first.probe, step=first.step, attempt=first.attempt)


def breach(clause: Clause, exchange: Exchange, others: Sequence[Exchange], fingerprint: str) -> Finding | None:
    """The finding of this fingerprint when `exchange` stands in place of its namesake in `others`; None: not broken."""
    is_alone = clause.evidence.shape == "each"
    judged = [exchange] if is_alone else [exchange if one.id == exchange.id else one for one in others]
    return next((one for one in judge([clause], judged)[0].findings if one.fingerprint == fingerprint), None)
