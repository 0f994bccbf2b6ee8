"""What the stand-in really did, to check a load tester's numbers against: times at the socket write.

A token is a frame with words or arguments in it: role, finish and usage events are none.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from wireproof.standin.wire import Answer, Ask, Serve, json_answer

TOKEN_FRAME = re.compile(rb'"(?:content|text|arguments|input)": ?"(?!")')
PERCENTILES = (50, 90, 99)
OWN = "/_standin/"
# Makes a call ring, and says what a webhook would tell of it.
Ring = Callable[[], dict[str, Any]]


@dataclass(slots=True)
class Timing:
    """One request; times are seconds of perf_counter. `late_s` is how far behind its deadline each write was."""

    id: str
    path: str
    status: int
    streamed: bool
    received_s: float
    received_unix: float
    forget: Callable[[], None] = field(repr=False)
    first_byte_s: float | None = None
    tokens_s: list[float] = field(default_factory=list)
    late_s: list[float] = field(default_factory=list)
    ended_s: float | None = None
    is_whole: bool = False

    def wrote(self, at_s: float, data: bytes, due_s: float | None = None) -> None:
        if self.first_byte_s is None:
            self.first_byte_s = at_s
        if self.streamed and TOKEN_FRAME.search(data):
            self.tokens_s.append(at_s)
        if due_s is not None:
            self.late_s.append(at_s - due_s)

    def ended(self, at_s: float, *, is_whole: bool) -> None:
        self.ended_s, self.is_whole = at_s, is_whole
        self.forget()

    def json(self) -> dict[str, Any]:
        def since(at_s: float | None) -> float | None:
            return None if at_s is None else round((at_s - self.received_s) * 1000, 4)

        return {
            "id": self.id,
            "path": self.path,
            "status": self.status,
            "streamed": self.streamed,
            "received_unix": self.received_unix,
            "first_byte_ms": since(self.first_byte_s),
            "ttft_ms": since(self.tokens_s[0]) if self.tokens_s else None,
            "itl_ms": [round((b - a) * 1000, 4) for a, b in pairwise(self.tokens_s)],
            "e2e_ms": since(self.ended_s),
            "tokens": len(self.tokens_s),
            "is_whole": self.is_whole,
        }


class Truth:
    """Every request since the start or the last `clear`. Touched from the event loop only."""

    def __init__(self) -> None:
        self.timings: list[Timing] = []
        self._running = 0
        self._most_running = 0

    def begin(self, ask: Ask, answer: Answer, at_s: float) -> Timing:
        received_unix = time.time() - (time.perf_counter() - at_s)
        id = answer.header("x-request-id") or ""
        timing = Timing(id, ask.path, answer.status, answer.is_stream, at_s, received_unix, self._one_less)
        self.timings.append(timing)
        self._running += 1
        self._most_running = max(self._most_running, self._running)
        return timing

    def _one_less(self) -> None:
        self._running -= 1

    def clear(self) -> None:
        """Forgets what has ended and what runs; what runs now is counted no more when it ends."""
        self.timings.clear()
        self._most_running = self._running

    def report(self) -> dict[str, Any]:
        """`{counts, concurrent_max, ttft_ms, itl_ms, e2e_ms, late_ms, requests}`; times as percentiles."""
        rows = [timing.json() for timing in self.timings]
        statuses = sorted({timing.status for timing in self.timings})
        return {
            "counts": {
                "requests": len(rows),
                "running": self._running,
                "tokens": sum(row["tokens"] for row in rows),
                "unfinished": sum(not row["is_whole"] for row in rows),
                "by_status": {str(status): sum(row["status"] == status for row in rows) for status in statuses},
            },
            "concurrent_max": self._most_running,
            "ttft_ms": percentiles([row["ttft_ms"] for row in rows if row["ttft_ms"] is not None]),
            "itl_ms": percentiles([gap for row in rows for gap in row["itl_ms"]]),
            "e2e_ms": percentiles([row["e2e_ms"] for row in rows if row["e2e_ms"] is not None]),
            "late_ms": percentiles([late * 1000 for timing in self.timings for late in timing.late_s]),
            "requests": rows,
        }


def telling(serve: Serve, truth: Truth, reset: Callable[[], None], ring: Ring = dict) -> Serve:
    """`serve`, and in a namespace of its own what `truth` knows, and calls that `ring` as if from outside."""

    def told(ask: Ask) -> Answer:
        if not ask.path.startswith(OWN):
            return serve(ask)
        if (ask.method, ask.path) == ("GET", f"{OWN}truth"):
            return json_answer(truth.report())
        if (ask.method, ask.path) == ("POST", f"{OWN}reset"):
            reset()
            truth.clear()
            return json_answer({"reset": True})
        if (ask.method, ask.path) == ("POST", f"{OWN}ring"):
            return json_answer(ring())
        return json_answer({"error": {"message": "only GET truth, POST reset and POST ring live here"}}, 404)

    return told


def percentiles(values: list[float]) -> dict[str, float | int]:
    """`{n, mean, p50, p90, p99, max}` by nearest rank; only `{n: 0}` of nothing."""
    if not values:
        return {"n": 0}
    ranked = sorted(values)
    found: dict[str, float | int] = {"n": len(ranked), "mean": round(sum(ranked) / len(ranked), 4)}
    for percent in PERCENTILES:
        found[f"p{percent}"] = round(ranked[min(len(ranked) - 1, -(-len(ranked) * percent // 100) - 1)], 4)
    return {**found, "max": round(ranked[-1], 4)}
