"""`summary.json`: the figures of a run, a function of its samples, its workers' notes and its plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from wireproof.traffic.calibration import calibration
from wireproof.traffic.figures import figures, saturated
from wireproof.traffic.lag import Lags, merged
from wireproof.traffic.plan import Leg, Plan
from wireproof.traffic.run import Span, WorkerRun, joined
from wireproof.traffic.sample import Sample
from wireproof.traffic.threshold import Ruling, rule
from wireproof.traffic.timeline import timeline
from wireproof.traffic.validity import validity

SCHEMA_VERSION = "1.0"


@dataclass(frozen=True, slots=True)
class Target:
    """`stand_in` tells that the run measured our own reference backend."""

    base_url: str
    model: str
    stand_in: bool


def summarize(
    plan: Plan,
    target: Target,
    samples: Sequence[Sample],
    runs: tuple[WorkerRun, ...],
    workers: int = 1,
    contract: Sequence[Ruling] = (),
    truth: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The dictionary of `reports/schemas/summary.schema.json`.

    `contract` are rulings made elsewhere, by clauses; `truth` is what the stand-in told of itself.
    """
    minute_s = plan.ceiling.minute_s if plan.ceiling else 60.0
    spans = joined(runs)
    judged_names = {leg.name for leg in plan.legs if leg.judged}
    judged = [sample for sample in samples if sample.stage in judged_names]
    window_s = sum(span.ended - span.began for span in spans if span.name in judged_names)
    overall = figures(judged, window_s, minute_s, plan.profile.slo)
    client = _client(samples, runs)
    valid = validity(plan, samples, runs, workers, client, overall["metrics"]["ttft_ms"]["p50"])
    summary: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "outcome": "",
        "target": asdict(target),
        "profile": plan.profile.name,
        "profile_summary": plan.profile.summary,
        "seed": plan.seed,
        "limit": asdict(plan.ceiling) if plan.ceiling else None,
        "began_unix": round(min((run.began_unix for run in runs), default=0.0), 3),
        "wall_s": round(max((run.wall_s for run in runs), default=0.0), 3),
        "scheduled": sum(span.scheduled for span in spans),
        **overall,
        "stages": {span.name: _stage(plan, span, samples, minute_s) for span in spans},
        "client": client,
        "validity": {"verdict": valid.verdict, "reasons": list(valid.reasons)},
        "thresholds": [],
        "timeline": timeline(samples, spans),
        "calibration": calibration(judged, truth),
    }
    rulings = [*(rule(one, summary) for one in plan.profile.parsed_thresholds), *contract]
    summary["thresholds"] = [asdict(ruling) for ruling in rulings]
    summary["outcome"] = outcome(valid.verdict, rulings)
    return summary


def outcome(verdict: str, rulings: Sequence[Ruling]) -> str:
    """kept · broken · unclear. What is broken stays broken in a shaky run only if the run is not INVALID."""
    if verdict == "INVALID":
        return "unclear"
    if any(ruling.kept is False for ruling in rulings):
        return "broken"
    return "unclear" if any(ruling.kept is None for ruling in rulings) else "kept"


def _stage(plan: Plan, span: Span, samples: Sequence[Sample], minute_s: float) -> dict[str, Any]:
    leg = plan.leg(span.name)
    own = [sample for sample in samples if sample.stage == span.name]
    told = figures(own, span.ended - span.began, minute_s, plan.profile.slo)
    arrivals = f"{leg.users} users" if leg.users else f"{leg.rate_rps:.4g}/s {leg.spacing}"
    return {
        "judged": leg.judged,
        "arrivals": arrivals,
        "cost_tokens": round(leg.cost_tokens, 2),
        "began_s": round(span.began, 3),
        **told,
        "saturated": saturated(own, samples, span, minute_s, leg.binding) if _is_pushed(plan, leg) else None,
    }


def _is_pushed(plan: Plan, leg: Leg) -> bool:
    """Whether the stage offers more than its limit grants, for all of its time."""
    if plan.ceiling is None or leg.rate_rps is None:
        return False
    return leg.rate_rps > plan.ceiling.admitted_rps(leg.cost_tokens)


def _client(samples: Sequence[Sample], runs: tuple[WorkerRun, ...]) -> dict[str, Any]:
    """Our own cost and our own error."""
    late = Lags()
    for sample in samples:
        if sample.send_lag_ms is not None:
            late.add(sample.send_lag_ms)
    wall = max((run.wall_s for run in runs), default=0.0)
    cpu = sum(run.cpu_s for run in runs)
    return {
        "workers": len(runs),
        "clock": "kernel" if runs and all(run.clock == "kernel" for run in runs) else "user",
        "cpu_s": round(cpu, 3),
        "cpu_share": round(cpu / wall, 4) if wall else None,
        "rss_mb": round(sum(run.rss_mb for run in runs), 1),
        "recv_lag_ms": merged(run.recv_lag for run in runs).told(),
        "send_lag_ms": late.told(),
        "loop_lag_ms": merged(run.loop_lag for run in runs).told(),
    }
