"""Our error, measured: each request's times beside those the stand-in noted when it wrote the bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wireproof.traffic.sample import Sample
from wireproof.traffic.statistics import percentile


def calibration(samples: Sequence[Sample], truth: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """`{paired, ttft_ms, itl_ms}`, each `{p50, true_p50, error_p50, error_p99}`; None without a truth to pair with.

    `error_p50` is the difference of the medians; `error_p99` is of the absolute differences, pair by pair.
    The truth counts from the moment the request was read, so our TTFT holds the way there and back as well.
    """
    rows = {row["id"]: row for row in (truth or {}).get("requests", ()) if row.get("id")}
    pairs = [(sample, rows[sample.request_id]) for sample in samples if sample.request_id in rows]
    ttft = [(own, row["ttft_ms"]) for sample, row in pairs if (own := sample.ttft_ms) is not None and row["ttft_ms"]]
    gaps = [
        pair
        for sample, row in pairs
        if len(sample.gaps_ms) == len(row["itl_ms"])
        for pair in zip(sample.gaps_ms, row["itl_ms"], strict=True)
    ]
    if not ttft:
        return None
    return {"paired": len(pairs), "ttft_ms": _error(ttft), "itl_ms": _error(gaps)}


def _error(pairs: Sequence[tuple[float, float]]) -> dict[str, float | None]:
    own = percentile(sorted(one for one, _ in pairs), 0.5)
    true = percentile(sorted(other for _, other in pairs), 0.5)
    apart = percentile(sorted(abs(one - other) for one, other in pairs), 0.99)
    return {
        "p50": _round(own),
        "true_p50": _round(true),
        "error_p50": None if own is None or true is None else round(own - true, 3),
        "error_p99": _round(apart),
    }


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
