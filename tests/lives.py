"""Flows walked in memory: one probe against the stand-in, with departures of a test's own between the two."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import ModuleType
from typing import Any

from certified import MODELS, NOON, contents_of_contracts
from made import clauses_of

from wireproof.clause import Exchange
from wireproof.fetch import Target
from wireproof.judge import Verdict, judge
from wireproof.plan import Plan
from wireproof.record import Recorded, RecordEvent, Unsent, record
from wireproof.spec import load_spec
from wireproof.standin.backend import DEFAULT_KEY, Backend, Setup
from wireproof.standin.faults import Departure
from wireproof.standin.faults.edit import edit_json
from wireproof.standin.latency import Latency
from wireproof.standin.virtual import VirtualClock, VirtualTransport
from wireproof.standin.wire import Answer, Ask, Serve, refusal

# What servers say that do not mean it; no clause may stumble over any of it.
NONSENSE = (b"<html>", b"", b"[]", b'"text"', b'{"data": 1, "id": [], "object": 3}', b'{"data": [3, null], "id": ""}')


def lived(probe: str, *departures: Departure, pace: float = 1.0) -> list[Exchange]:
    """The exchanges of one flow against the stand-in, the first departure nearest to it.

    `pace`: how much faster than usual lives pass there.
    """
    flow = next(one for one in contents_of_contracts()[1] if one.id == probe)
    clock = VirtualClock()
    backend = Backend(Setup(latency=Latency(20.0, 3.0), pace=pace), clock=lambda: NOON + clock.now, boot="test")
    serve: Serve = backend.answer
    for departure in departures:
        serve = _behind(departure, serve)
    exchanges: list[Exchange] = []
    unsent: list[str] = []

    def hear(event: RecordEvent) -> None:
        match event:
            case Recorded(exchange):
                exchanges.append(exchange)
            case Unsent(_, reason):
                unsent.append(reason)

    asyncio.run(
        record(
            Plan((flow,), {}, MODELS),
            Target("http://standin/v1", DEFAULT_KEY),
            load_spec(),
            hear,
            gate=1,
            transport=VirtualTransport(serve, clock),
            clock=clock,
            wall=lambda: NOON + clock.now,
            sleep=clock.sleep,
        )
    )
    assert unsent == []
    return exchanges


def _behind(departure: Departure, serve: Serve) -> Serve:
    return lambda ask: departure(ask, serve)


def verdicts(exchanges: Iterable[Exchange], *modules: ModuleType) -> Mapping[str, Verdict]:
    """By id, of the clauses that these contract files define."""
    clauses = [one.clause for one in clauses_of(*modules)]
    return {verdict.clause.id: verdict for verdict in judge(clauses, list(exchanges))}


def findings(exchanges: Iterable[Exchange], *modules: ModuleType) -> Mapping[str, Any]:
    return {id: found.findings for id, found in verdicts(exchanges, *modules).items() if found.outcome == "fail"}


# --------------------------------------------------------------------------------------------- departures


def edited(where: str, edit: Callable[[dict[str, Any]], Any]) -> Departure:
    """`edit` on the JSON of what is served; `where` is a pattern of `METHOD /path` below the base URL."""

    def depart(ask: Ask, serve: Serve) -> Answer:
        answer = serve(ask)
        return edit_json(answer, edit) if _is_meant(ask, where) else answer

    return depart


def with_fields(where: str, **fields: Any) -> Departure:
    return edited(where, lambda body: body | fields)


def without(where: str, *names: str) -> Departure:
    return edited(where, lambda body: {name: value for name, value in body.items() if name not in names})


def answered_with(where: str, status: int, body: bytes | None = None) -> Departure:
    """In place of what is served: a refusal, or these bytes."""

    def depart(ask: Ask, serve: Serve) -> Answer:
        answer = serve(ask)
        if not _is_meant(ask, where):
            return answer
        other = refusal(status, "Not here.")
        return other if body is None else replace(other, body=body)

    return depart


def _is_meant(ask: Ask, where: str) -> bool:
    return re.fullmatch(where, f"{ask.method} {ask.path.removeprefix('/v1')}") is not None


def nonsense_at(step: int, body: bytes) -> Departure:
    """`body` as the answer to request number `step`, whatever it is."""
    count = iter(range(1_000))

    def depart(ask: Ask, serve: Serve) -> Answer:
        answer = serve(ask)
        return replace(answer, status=200, body=body) if next(count) == step else answer

    return depart
