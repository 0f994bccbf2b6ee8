"""Whether the run may be believed. The errors looked for here are ours, never the server's.

INVALID    the figures may be wrong: rows lost, counts that do not add up, time running backwards, cut short.
DEGRADED   right, but with a known error that is large against what was measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wireproof.traffic.plan import Plan
from wireproof.traffic.run import WorkerRun, joined
from wireproof.traffic.sample import Sample

# Beyond these the error is worth a word. Milliseconds; a share of the planned rate.
SEND_LAG_MS = 5.0
RECV_LAG_MS = 1.0
RECV_LAG_SHARE = 0.02
ACHIEVED = 0.99


@dataclass(frozen=True, slots=True)
class Validity:
    verdict: str
    reasons: tuple[str, ...]


def validity(
    plan: Plan,
    samples: Sequence[Sample],
    runs: tuple[WorkerRun, ...],
    workers: int,
    client: dict[str, Any],
    ttft: float | None,
) -> Validity:
    """`ttft` is the median that our receive lag is held against; None without streams."""
    wrong = list(_wrong(plan, samples, runs, workers))
    if wrong:
        return Validity("INVALID", tuple(wrong))
    weak = list(_weak(plan, runs, client, ttft))
    return Validity("DEGRADED" if weak else "VALID", tuple(weak))


def _wrong(plan: Plan, samples: Sequence[Sample], runs: tuple[WorkerRun, ...], workers: int) -> list[str]:
    said = []
    if len(runs) < workers:
        said.append(f"{len(runs)} of {workers} workers came to their end")
    blown = next((run.blown for run in runs if run.blown), "")
    if blown:
        said.append(blown)
    elif any(run.interrupted for run in runs):
        done = joined(runs)
        said.append(
            f"interrupted after {max((span.ended for span in done), default=0.0):.1f} of {plan.longest_s:.1f} s"
        )
    scheduled = sum(span.scheduled for run in runs for span in run.spans)
    if runs and scheduled != len(samples):
        said.append(f"{scheduled} requests were scheduled, {len(samples)} are accounted for")
    written = sum(run.written for run in runs)
    if runs and written != len(samples):
        said.append(f"{written} rows were written, {len(samples)} were found")
    crashes = [crash for run in runs for crash in run.crashes]
    if crashes:
        said.append(f"{len(crashes)} requests ended in an error of our own, first: {crashes[0]}")
    disorder = [(sample, told) for sample in samples if (told := sample.disorder)]
    if disorder:
        sample, told = disorder[0]
        said.append(f"time ran backwards in {len(disorder)} samples, first {sample.stage} {sample.number}: {told}")
    return said


def _weak(plan: Plan, runs: tuple[WorkerRun, ...], client: dict[str, Any], ttft: float | None) -> list[str]:
    said = []
    late = client["send_lag_ms"]["p99"]
    if late is not None and late >= SEND_LAG_MS:
        said.append(f"we sent late: p99 {late:.1f} ms after the planned moment (limit {SEND_LAG_MS:g} ms)")
    recv = client["recv_lag_ms"]["p99"]
    if client["clock"] == "user" and recv is not None and recv >= max(RECV_LAG_MS, RECV_LAG_SHARE * (ttft or 0.0)):
        said.append(f"receive times are user time, and we read late: p99 {recv:.1f} ms")
    steps = sum(run.clock_steps for run in runs)
    if steps:
        said.append(f"the wall clock stepped: {steps} receive times are user time")
    for span in joined(runs):
        leg = plan.leg(span.name)
        if leg.rate_rps is None or leg.until_throttled:
            continue
        due = leg.rate_rps * (span.ended - span.began)
        # Poisson arrivals vary by the root of their number; four of those are not the pacer's fault.
        slack = 4 * due**0.5 if leg.spacing == "poisson" else 1.0
        if span.scheduled < ACHIEVED * due - slack:
            said.append(f"stage {span.name} sent {span.scheduled} of {due:.0f} planned requests")
    return said
