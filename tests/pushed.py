"""Load runs as values, for tests: samples, workers' notes and plans, made without a socket or a clock."""

from __future__ import annotations

from typing import Any

from wireproof.traffic.plan import Ceiling, Plan, make_plan
from wireproof.traffic.profile import Profile
from wireproof.traffic.run import Span, WorkerRun
from wireproof.traffic.sample import Sample
from wireproof.traffic.summary import Target

TARGET = Target("http://127.0.0.1:1/v1", "m", False)


def sample(number: int = 0, at: float = 0.0, *, stage: str = "hold", outcome: str = "ok", **more: Any) -> Sample:
    """A stream of three tokens: the first after 100 ms, then two gaps of 20 ms."""
    whole: dict[str, Any] = {
        "t_release": at,
        "t_send0": at + 0.001,
        "t_send1": at + 0.0011,
        "t_hdr": at + 0.05,
        "t_byte1": at + 0.1,
        "t_tok1": at + 0.101,
        "t_vis1": at + 0.101,
        "t_tokn": at + 0.141,
        "t_end": at + 0.142,
        "gaps_ms": [20.0, 20.0],
        "events": 3,
        "tokens_in": 5,
        "tokens_out": 3,
        "tokens_source": "usage",
        "status": 200,
        "outcome": outcome,
    }
    return Sample(0, stage, number, "chat-stream", at, 100, 100, **(whole | more))


def refusal(number: int, at: float, outcome: str = "throttled_requests", *, stage: str = "hold") -> Sample:
    silent = {"t_byte1": at + 0.002, "t_tok1": None, "t_vis1": None, "t_tokn": None, "t_end": at + 0.002, "events": 0}
    empty: dict[str, Any] = {
        "gaps_ms": [],
        "tokens_in": None,
        "tokens_out": None,
        "tokens_source": "none",
        "t_hdr": at + 0.002,
    }
    return sample(number, at, stage=stage, outcome=outcome, status=429, **silent, **empty)


def worker_run(samples: list[Sample], for_s: float = 10.0, **more: Any) -> WorkerRun:
    """One worker that issued these samples over `for_s` seconds, each stage as long as the next."""
    stages = list(dict.fromkeys(one.stage for one in samples)) or ["hold"]
    share = for_s / len(stages)
    spans = tuple(
        Span(name, share * index, share * (index + 1), sum(one.stage == name for one in samples))
        for index, name in enumerate(stages)
    )
    whole: dict[str, Any] = {
        "worker": 0,
        "workers": 1,
        "began_unix": 1_700_000_000.0,
        "wall_s": for_s,
        "spans": spans,
        "written": len(samples),
        "interrupted": False,
        "clock": "kernel",
        "clock_steps": 0,
        "cpu_s": 1.0,
        "rss_mb": 70.0,
        "recv_lag": [[100, len(samples)]],
        "loop_lag": [[100, 10]],
    }
    return WorkerRun(**(whole | more))


def plan(ceiling: Ceiling | None = None, **changes: Any) -> Plan:
    """A plan of one closed stage, `hold`, unless `changes` say otherwise."""
    base: dict[str, Any] = {
        "name": "made",
        "summary": "made for a test",
        "arrivals": {"closed": {"users": 2}},
        "stages": [{"name": "hold", "for_s": 10}],
        "thresholds": ["ttft_ms.p95 < 800", "outcomes.throttled_requests == 0"],
    }
    return make_plan(Profile.model_validate(base | changes), model="m", ceiling=ceiling)
