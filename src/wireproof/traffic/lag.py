"""How late we ourselves were: counts in buckets 2 % wide, which add up over workers as percentiles cannot."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

WIDTH = math.log(1.02)
LEAST_MS = 0.001


class Lags:
    """Milliseconds, as many as come: a stream of 3,000 events a second costs one dictionary entry a bucket."""

    def __init__(self, counts: Mapping[int, int] | None = None) -> None:
        self._counts: dict[int, int] = dict(counts or {})

    def add(self, lag_ms: float) -> None:
        bucket = math.ceil(math.log(max(lag_ms, LEAST_MS) / LEAST_MS) / WIDTH)
        self._counts[bucket] = self._counts.get(bucket, 0) + 1

    def told(self) -> dict[str, Any]:
        """`{p50, p99, max, n}`, each the upper edge of its bucket: never flattering, 2 % pessimistic at most."""
        n = sum(self._counts.values())
        if not n:
            return {"p50": None, "p99": None, "max": None, "n": 0}
        return {
            "p50": self._at(math.ceil(0.50 * n)),
            "p99": self._at(math.ceil(0.99 * n)),
            "max": _edge(max(self._counts)),
            "n": n,
        }

    def rows(self) -> list[list[int]]:
        """What `merged` takes, for a JSON file."""
        return sorted([bucket, count] for bucket, count in self._counts.items())

    def _at(self, rank: int) -> float:
        seen = 0
        for bucket, count in sorted(self._counts.items()):
            seen += count
            if seen >= rank:
                return _edge(bucket)
        raise AssertionError("a rank beyond the number of values")


def merged(many: Iterable[Iterable[Iterable[int]]]) -> Lags:
    counts: dict[int, int] = {}
    for rows in many:
        for bucket, count in rows:
            counts[bucket] = counts.get(bucket, 0) + count
    return Lags(counts)


def _edge(bucket: int) -> float:
    return round(LEAST_MS * math.exp(bucket * WIDTH), 4)
