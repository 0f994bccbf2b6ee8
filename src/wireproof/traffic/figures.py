"""Samples of one stage, or of all judged ones, as figures.

Rates count requests by the moment they were issued, over the time in which requests were issued: the drain at
the end neither adds nor dilutes. `rpm` and `tpm` are per minute of the limiter, which `limit.minute_s` states.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from wireproof.traffic.outcome import ANSWERED, CENSORED, FAILED, OUTCOMES, THROTTLED
from wireproof.traffic.profile import Slo
from wireproof.traffic.run import Span
from wireproof.traffic.sample import Sample
from wireproof.traffic.statistics import describe

# Admitted is what the limiter let in, whatever became of it; one that broke off later is admitted and failed.
ISSUED: Mapping[str, Callable[[Sample], bool]] = {
    "offered": lambda sample: True,
    "admitted": lambda sample: sample.is_admitted,
    "throttled": lambda sample: sample.outcome in THROTTLED,
    "failed": lambda sample: sample.outcome in FAILED,
}


def figures(samples: Sequence[Sample], window_s: float, minute_s: float, slo: Slo) -> dict[str, Any]:
    """`{window_s, requests, metrics, outcomes, rates, goodput, tokens}`."""
    outcomes = Counter(sample.outcome for sample in samples)
    return {
        "window_s": round(window_s, 3),
        "requests": len(samples),
        "metrics": metrics(samples),
        "outcomes": {name: outcomes[name] for name in OUTCOMES if outcomes[name]},
        "rates": rates(samples, window_s, minute_s),
        "goodput": goodput(samples, window_s, slo),
        "tokens": tokens(samples),
    }


def metrics(samples: Sequence[Sample]) -> dict[str, Any]:
    """Latencies of what the limiter let in; those of its refusals are a series of their own, `throttle_ms`."""
    good = [sample for sample in samples if sample.outcome in ANSWERED]
    cut = [wait for sample in samples if sample.outcome in CENSORED and (wait := sample.waited_ms) is not None]
    silent = [
        wait
        for sample in samples
        if sample.outcome in CENSORED and sample.t_tok1 is None and (wait := sample.waited_ms) is not None
    ]
    streams = [sample for sample in samples if sample.t_tok1 is not None]
    gaps = [gap for sample in streams for gap in sample.gaps_ms]
    return {
        "ttft_ms": describe(_known([sample.ttft_ms for sample in streams]), silent if streams or not good else ()),
        "itl_ms": describe(gaps, independent=len(streams)),
        "tpot_ms": describe(_known([sample.tpot_ms for sample in good])),
        "e2e_ms": describe(_known([sample.e2e_ms for sample in good]), cut),
        "queue_delay_ms": describe(_known([sample.queue_delay_ms for sample in samples])),
        "throttle_ms": describe(_known([sample.waited_ms for sample in samples if sample.outcome in THROTTLED])),
    }


def rates(samples: Sequence[Sample], window_s: float, minute_s: float) -> dict[str, float]:
    told = {}
    for name, belongs in ISSUED.items():
        members = [sample for sample in samples if belongs(sample)]
        told[f"{name}_rpm"] = _per_minute(len(members), window_s, minute_s)
        told[f"{name}_tpm"] = _per_minute(sum(sample.tokens_charged for sample in members), window_s, minute_s)
    return told


def saturated(
    samples: Sequence[Sample], everyone: Sequence[Sample], span: Span, minute_s: float, binding: str
) -> dict[str, Any]:
    """The admitted rate of a stage that was pushed beyond its limit, between its first and last refusal.

    At either refusal the bucket held less than one request, so what was admitted between them is rate x time, give
    or take one request, whatever the arrivals were like. A stage without refusals in most of its time was not held
    to the limit: then its whole time counts, and `refusals` tells why.
    """
    sent = sorted(one.t_send0 for one in samples if one.outcome in THROTTLED and one.t_send0 is not None)
    began, ended = span.began, span.ended
    if len(sent) >= 2 and sent[-1] - sent[0] >= (ended - began) / 2:
        began, ended = sent[0], sent[-1]
    inside = [one for one in everyone if one.is_admitted and one.t_send0 is not None and began < one.t_send0 < ended]
    window_s = ended - began
    return {
        "window_s": round(window_s, 3),
        "binding": binding,
        "refusals": len(sent),
        "admitted": len(inside),
        "admitted_rpm": _per_minute(len(inside), window_s, minute_s),
        "admitted_tpm": _per_minute(sum(sample.tokens_charged for sample in inside), window_s, minute_s),
        "error_requests": 1,
        "error_percent": round(100 / len(inside), 2) if inside else None,
    }


def goodput(samples: Sequence[Sample], window_s: float, slo: Slo) -> dict[str, Any]:
    """Requests that succeeded and met every limit of the SLO.

    Refusals and failures are not good; what the test itself cancelled is not counted.
    """
    counted = [sample for sample in samples if sample.outcome != "cancelled_by_test"]
    good = sum(1 for sample in counted if is_good(sample, slo))
    return {
        "good": good,
        "of": len(counted),
        "rps": round(good / window_s, 4) if window_s else 0.0,
        "share": round(good / len(counted), 4) if counted else None,
    }


def is_good(sample: Sample, slo: Slo) -> bool:
    """A measure that the answer does not have (a plain answer has no first token) is not asked of it."""
    if sample.outcome not in ("ok", "truncated"):
        return False
    pairs = ((slo.ttft_ms, sample.ttft_ms), (slo.tpot_ms, sample.tpot_ms), (slo.e2e_ms, sample.e2e_ms))
    return all(limit is None or value is None or value <= limit for limit, value in pairs)


def tokens(samples: Sequence[Sample]) -> dict[str, Any]:
    """Sums, and where the counts came from: `usage` was told by the server, `events` is our count of chunks."""
    sources = Counter(sample.tokens_source for sample in samples if sample.outcome in ANSWERED)
    streamed = [sample for sample in samples if sample.events and sample.tokens_source == "usage"]
    events = sum(sample.events for sample in streamed)
    return {
        "in": sum(sample.tokens_in or 0 for sample in samples),
        "out": sum(sample.tokens_out or 0 for sample in samples),
        "sources": dict(sources),
        "per_event": round(sum(sample.tokens_out or 0 for sample in streamed) / events, 3) if events else None,
    }


def _known(values: list[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _per_minute(count: float, window_s: float, minute_s: float) -> float:
    return round(count / window_s * minute_s, 3) if window_s > 0 else 0.0
