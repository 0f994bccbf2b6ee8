"""Enforces a tier: requests and tokens a minute (and requests a day), whichever runs out first.

Each limit is a bucket that starts full, holds one window's worth and refills evenly: what the recorded
`remaining` and `reset` headers of the API obey. A request that is let in pays one request and its expected
tokens; one that is refused with 429 pays nothing. One set of buckets for each key and model group.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from wireproof.standin.wire import Answer, Headers, refusal
from wireproof.tiers import Limits

MINUTES_OF_A_DAY = 24 * 60
# Of image models, whose published tables count images where others count requests. No header of their own is known.
IMAGES = "images per min (IPM)"
# Levels are floats: a bucket of 10 that paid 1 must say 9, not 8.999.
EPSILON = 1e-6


@dataclass(slots=True)
class Bucket:
    """`unit` as errors name it; `level` is what was left at `at_s`."""

    kind: str
    unit: str
    limit: int
    window_s: float
    level: float
    at_s: float

    def refill(self, now_s: float) -> None:
        gained = (now_s - self.at_s) * self.limit / self.window_s
        self.level = min(float(self.limit), self.level + max(0.0, gained))
        self.at_s = now_s

    def wait_s(self, cost: int) -> float:
        """Until `cost` can be paid."""
        return max(0.0, cost - self.level - EPSILON) * self.window_s / self.limit

    def headers(self) -> Headers:
        full_in_s = (self.limit - self.level) * self.window_s / self.limit
        return (
            (f"x-ratelimit-limit-{self.kind}", str(self.limit)),
            (f"x-ratelimit-remaining-{self.kind}", str(math.floor(self.level + EPSILON))),
            (f"x-ratelimit-reset-{self.kind}", duration(full_in_s)),
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """`headers` describe the buckets after the decision; `rejection` is the 429, without them, or None."""

    headers: Headers
    rejection: Answer | None = None


class Limiter:
    """The buckets of every key and group seen so far."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[str, str], list[Bucket]] = {}

    def take(self, key: str, limits: Limits, model: str, tokens: int, now_s: float, images: int = 1) -> Decision:
        """Lets one request of `tokens` expected tokens, or of `images`, in, or says how long to wait."""
        buckets = self._of(key, limits, now_s)
        if not buckets:
            return Decision(())
        paid = {"tokens": tokens, IMAGES: images}
        costs = [paid.get(bucket.unit, paid.get(bucket.kind, 1)) for bucket in buckets]
        for bucket in buckets:
            bucket.refill(now_s)
        blocked = [(b, cost) for b, cost in zip(buckets, costs, strict=True) if b.level + EPSILON < cost]
        if blocked:
            hopeless = next(((b, cost) for b, cost in blocked if cost > b.limit), None)
            bucket, cost = hopeless or max(blocked, key=lambda pair: pair[0].wait_s(pair[1]))
            return Decision(_shown(buckets, bucket), _rejection(bucket, cost, model))
        for bucket, cost in zip(buckets, costs, strict=True):
            bucket.level -= cost
        return Decision(_shown(buckets, buckets[0]))

    def _of(self, key: str, limits: Limits, now_s: float) -> list[Bucket]:
        name = (key, limits.group)
        if name not in self._buckets:
            rows = [
                ("requests", "requests per min (RPM)", limits.rpm, limits.minute_s),
                ("requests", IMAGES, limits.ipm, limits.minute_s),
                ("tokens", "tokens per min (TPM)", limits.tpm, limits.minute_s),
                ("requests", "requests per day (RPD)", limits.rpd, limits.minute_s * MINUTES_OF_A_DAY),
            ]
            self._buckets[name] = [
                Bucket(kind, unit, limit, window_s, float(limit), now_s)
                for kind, unit, limit, window_s in rows
                if limit is not None
            ]
        return self._buckets[name]


def _shown(buckets: list[Bucket], binding: Bucket) -> Headers:
    """Three headers a kind: the minute's, but the day's requests when the day is what ran out."""
    shown: dict[str, Bucket] = {}
    for bucket in (binding, *buckets):
        shown.setdefault(bucket.kind, bucket)
    return tuple(header for kind in ("requests", "tokens") if kind in shown for header in shown[kind].headers())


def _rejection(bucket: Bucket, cost: int, model: str) -> Answer:
    used = bucket.limit - math.floor(bucket.level + EPSILON)
    if cost > bucket.limit:
        message = (
            f"Request too large for {model} in organization org-standin on {bucket.unit}: Limit {bucket.limit}, "
            f"Requested {cost}. The input or output tokens must be reduced in order to run successfully."
        )
        return refusal(429, message, type=bucket.kind, code="rate_limit_exceeded").with_header(
            "x-should-retry", "false"
        )
    wait_ms = max(1, math.ceil(bucket.wait_s(cost) * 1000))
    message = (
        f"Rate limit reached for {model} in organization org-standin on {bucket.unit}: Limit {bucket.limit}, "
        f"Used {used}, Requested {cost}. Please try again in {duration(wait_ms / 1000)}."
    )
    rejected = refusal(429, message, type=bucket.kind, code="rate_limit_exceeded")
    rejected = rejected.with_header("retry-after", str(max(1, math.ceil(wait_ms / 1000))))
    return rejected.with_header("retry-after-ms", str(wait_ms))


def duration(seconds: float) -> str:
    """As recorded: `20ms`, `5.202s`, `6m0s`, `18m43.156s`; whole milliseconds, cut, not rounded."""
    ms = math.floor(seconds * 1000 + EPSILON)
    if 0 < ms < 1000:
        return f"{ms}ms"
    minutes, rest = divmod(ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{rest // 1000}.{rest % 1000:03d}".rstrip("0").rstrip(".") + "s"
    if hours:
        return f"{hours}h{minutes}m{text}"
    return f"{minutes}m{text}" if minutes else text
