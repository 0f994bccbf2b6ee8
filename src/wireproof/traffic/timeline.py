"""The run second by second, for the charts: what was offered, what came of it, how long it took."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wireproof.traffic.figures import ISSUED
from wireproof.traffic.run import Span
from wireproof.traffic.sample import Sample
from wireproof.traffic.statistics import percentile

MOST_BINS = 120


def timeline(samples: Sequence[Sample], spans: Sequence[Span]) -> dict[str, Any]:
    """`{bin_s, bins: [{t, offered, admitted, throttled, failed, ttft_p50, ...}], stages}`.

    Counts are requests a second, by the moment of issue; a latency belongs to the bin in which its request left.
    """
    sent = [sample for sample in samples if sample.t_send0 is not None]
    end = max((sample.t_send0 or 0.0 for sample in sent), default=0.0)
    bin_s = max(1.0, round(end / MOST_BINS + 0.5)) if end > MOST_BINS else 1.0 if end > 10 else 0.25
    groups: dict[int, list[Sample]] = {}
    for sample in sent:
        groups.setdefault(int((sample.t_send0 or 0.0) / bin_s), []).append(sample)
    bins = [_bin(index, groups.get(index, []), bin_s) for index in range(int(end / bin_s) + 1)] if sent else []
    stages = [{"name": span.name, "began_s": round(span.began, 3), "ended_s": round(span.ended, 3)} for span in spans]
    return {"bin_s": bin_s, "bins": bins, "stages": stages}


def _bin(index: int, members: list[Sample], bin_s: float) -> dict[str, Any]:
    row: dict[str, Any] = {"t": round(index * bin_s, 3)}
    for name, belongs in ISSUED.items():
        row[name] = round(sum(map(belongs, members)) / bin_s, 3)
    for name in ("ttft", "e2e"):
        values = sorted(value for sample in members if (value := _of_admitted(sample, name)) is not None)
        for label, q in (("p50", 0.5), ("p95", 0.95)):
            value = percentile(values, q)
            row[f"{name}_{label}"] = None if value is None else round(value, 3)
    return row


def _of_admitted(sample: Sample, name: str) -> float | None:
    if not sample.is_admitted:
        return None
    return sample.ttft_ms if name == "ttft" else sample.e2e_ms
