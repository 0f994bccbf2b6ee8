"""Percentiles that are observed values, and how far to trust them. Pure, standard library only.

Definition: nearest rank (inverted CDF), x[ceil(q*n)]. Requests that we or a timeout cut short are
right-censored: they waited at least that long, so they count with Kaplan-Meier weights. Leaving them out is
how a load test comes to report only what was fast.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

QUANTILES = {"p50": 0.50, "p90": 0.90, "p95": 0.95, "p99": 0.99}
# Fewest values with which an order statistic bounds the percentile from above at 99 % confidence (MLPerf's rule).
CERTIFIED = {"p50": 7, "p90": 64, "p95": 130, "p99": 662}
Z95 = 1.959964


@dataclass(frozen=True, slots=True)
class Spread:
    """`low`, `high`: 95 % interval of a percentile; None where n is too small to give that bound."""

    value: float | None
    low: float | None
    high: float | None


def percentile(ordered: Sequence[float], q: float) -> float | None:
    """`ordered` ascends. None of nothing."""
    return ordered[_rank(q, len(ordered)) - 1] if ordered else None


def interval_ranks(q: float, n: int) -> tuple[int | None, int | None]:
    """The 1-based ranks whose values bracket the q-quantile with 95 % confidence; None where no rank does.

    Exact binomial up to 2,000 values, normal approximation beyond (it is then off by less than one rank).
    """
    if n == 0:
        return None, None
    if n > 2000:
        middle, half = q * n, Z95 * math.sqrt(n * q * (1 - q))
        low, high = math.floor(middle - half), math.ceil(middle + half) + 1
        return (low if low >= 1 else None), (high if high <= n else None)
    below = 0.0
    low, high_rank = 0, n + 1
    for k in range(n + 1):
        if below <= 0.025:  # P(X < k): rank k still lies below the quantile with 97.5 %
            low = k
        below += _binomial(n, k, q)
        if below >= 0.975:
            high_rank = k + 1
            break
    return (low if low >= 1 else None), (high_rank if high_rank <= n else None)


def spread(ordered: Sequence[float], q: float, independent: int | None = None) -> Spread:
    """A percentile with its interval.

    `independent` is how many independent draws the values stand for when they come in clusters (the gaps of one
    stream are alike): the interval is then as wide as that many would give.
    """
    n = len(ordered)
    value = percentile(ordered, q)
    if independent is None or independent >= n:
        low, high = interval_ranks(q, n)
        return Spread(value, None if low is None else ordered[low - 1], None if high is None else ordered[high - 1])
    low, high = interval_ranks(q, independent)
    return Spread(
        value,
        None if low is None else percentile(ordered, low / independent),
        None if high is None else percentile(ordered, high / independent),
    )


def censored_percentile(
    observed: Sequence[float], censored: Sequence[float], q: float
) -> tuple[float | None, float | None]:
    """`(value, beyond)`: the Kaplan-Meier quantile, or (None, the longest wait) when it lies past what was seen."""
    if not censored:
        return percentile(sorted(observed), q), None
    # At equal times the observed come first: the censored one outlived them.
    moments = sorted([(at, 0) for at in observed] + [(at, 1) for at in censored])
    at_risk, surviving = len(moments), 1.0
    for at, cut in moments:
        if not cut:
            surviving *= 1 - 1 / at_risk
            if 1 - surviving >= q - 1e-12:
                return at, None
        at_risk -= 1
    return None, moments[-1][0]


def describe(
    observed: Sequence[float], censored: Sequence[float] = (), independent: int | None = None
) -> dict[str, Any]:
    """`{p50, p90, p95, p99, mean, n}`, and beside them what they rest on.

    `interval.<p>`: [low, high] at 95 %, null where n gives none. `beyond.<p>`: the quantile is above this value
    (the percentile itself is then null). `weak`: percentiles that n is too small to certify.
    """
    ordered = sorted(observed)
    told: dict[str, Any] = {}
    intervals: dict[str, list[float | None]] = {}
    beyond: dict[str, float] = {}
    for name, q in QUANTILES.items():
        value, past = censored_percentile(ordered, censored, q)
        told[name] = _round(value)
        if past is not None:
            beyond[name] = round(past, 3)
        one = spread(sorted([*ordered, *censored]), q, independent)
        intervals[name] = [_round(one.low), _round(one.high)]
    n = len(ordered)
    told["mean"] = _round(math.fsum(ordered) / n) if n else None
    told["n"] = n
    told["max"] = _round(ordered[-1]) if n else None
    told["censored"] = len(censored)
    told["interval"] = intervals
    told["beyond"] = beyond
    told["weak"] = [name for name, least in CERTIFIED.items() if min(n, independent or n) < least]
    return told


def _rank(q: float, n: int) -> int:
    return min(n, max(1, math.ceil(q * n - 1e-9)))


def _binomial(n: int, k: int, q: float) -> float:
    log = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * math.log(q) + (n - k) * math.log1p(-q)
    return math.exp(log)


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
