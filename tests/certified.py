"""Whole certifications in memory: the stand-in, with faults or other latencies, on a clock that never waits."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache

from wireproof.cases import draw
from wireproof.certification import load_contracts
from wireproof.clause import Clause, Exchange, Probe
from wireproof.cli.orders import STANDIN_CASES
from wireproof.fetch import Target
from wireproof.judge import Verdict, judge
from wireproof.plan import Models, Plan, make_plan
from wireproof.profiles import EVERYTHING, in_profiles
from wireproof.record import Recorded, RecordEvent, record
from wireproof.spec import load_spec
from wireproof.standin.backend import DEFAULT_KEY, Backend, Setup
from wireproof.standin.faults import Departure, Fault
from wireproof.standin.latency import Latency
from wireproof.standin.serve import with_faults
from wireproof.standin.virtual import VirtualClock, VirtualTransport
from wireproof.standin.wire import Serve

MEDIA = {
    "image": "gpt-image-1",
    "speech": "gpt-4o-mini-tts",
    "transcription": "whisper-1",
    "moderation": "omni-moderation-latest",
    "realtime": "gpt-realtime-mini",
}
MODELS = Models("gpt-4.1-mini", "text-embedding-3-small", "gpt-3.5-turbo-instruct", MEDIA)
NOON = 1_795_000_000.0  # a wall clock for `created` and the limiter: some day in 2026


@dataclass(frozen=True)
class Certified:
    exchanges: tuple[Exchange, ...]
    verdicts: dict[str, Verdict]

    @property
    def failing(self) -> set[str]:
        return {id for id, verdict in self.verdicts.items() if verdict.outcome == "fail"}


@cache
def contents_of_contracts() -> tuple[list[Clause], list[Probe]]:
    return load_contracts()


def standin_plan(extra: Iterable[Probe] = (), profiles: Sequence[str] = (EVERYTHING,)) -> Plan:
    catalogue = load_spec().catalogue("profiles")
    clauses, probes = contents_of_contracts()
    chosen = in_profiles(clauses, profiles, catalogue)
    return make_plan(load_spec(), chosen, [*in_profiles(probes, profiles, catalogue), *extra], MODELS)


def profile_of(fault: Fault) -> str:
    """The first profile that names the clause which the fault breaks; the first of all where none does."""
    profiles = load_spec().catalogue("profiles")["profiles"]
    naming = (
        name
        for name, profile in profiles.items()
        if any(fnmatchcase(fault.breaks, glob) for glob in profile["clauses"])
    )
    return str(next(naming, next(iter(profiles))))


def clauses_of(profile: str) -> frozenset[str]:
    clauses, _ = contents_of_contracts()
    return frozenset(clause.id for clause in in_profiles(clauses, [profile], load_spec().catalogue("profiles")))


def plan_for(fault: Fault) -> Plan:
    """The probes of the fault's profile. Some faults show only in requests that nobody writes by hand."""
    drawn = draw(load_spec(), STANDIN_CASES, seed=1) if fault.breaks.startswith("cases.") else ()
    return standin_plan(drawn, [profile_of(fault)])


def certified(
    *faults: str, vary: Departure | None = None, plan: Plan | None = None, setup: Setup | None = None
) -> Certified:
    """Records and judges the whole plan against the stand-in with these faults, or as `vary` has it."""
    clock = VirtualClock()
    setup = setup or Setup(latency=Latency(20.0, 3.0))
    backend = Backend(setup, clock=lambda: NOON + clock.now, boot="test")
    serve: Serve = backend.answer if vary is None else lambda ask: vary(ask, backend.answer)
    transport = VirtualTransport(with_faults(serve, faults), clock, lambda: NOON + clock.now)
    plan = plan or standin_plan()
    exchanges: list[Exchange] = []

    def hear(event: RecordEvent) -> None:
        if isinstance(event, Recorded):
            exchanges.append(event.exchange)

    target = Target("http://standin/v1", DEFAULT_KEY)
    asyncio.run(
        record(
            plan,
            target,
            load_spec(),
            hear,
            gate=1,
            transport=transport,
            clock=clock,
            wall=lambda: NOON + clock.now,
            sleep=clock.sleep,
            dial=transport.dial,
        )
    )
    clauses, _ = contents_of_contracts()
    verdicts = judge(clauses, exchanges, plan.planned())
    return Certified(tuple(exchanges), {verdict.clause.id: verdict for verdict in verdicts})
