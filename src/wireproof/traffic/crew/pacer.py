"""Pushes a plan: requests leave at the moments the plan says, not when the one before has come back.

One greenlet walks the stages; each request has its own. Everything that is scheduled becomes exactly one
sample, also when the run is stopped: what is in flight then may finish for a while, the rest is cut and says so.
"""

from __future__ import annotations

import gc
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import gevent
from gevent.event import Event
from gevent.lock import Semaphore
from gevent.pool import Group

from wireproof.traffic.crew.sender import Destination, Sender
from wireproof.traffic.keepsake import MOST_KEPT, Keepsake, is_kept
from wireproof.traffic.lag import Lags
from wireproof.traffic.outcome import ANSWERED, FAILED, THROTTLED
from wireproof.traffic.plan import Leg, Plan
from wireproof.traffic.requests import pick, ready
from wireproof.traffic.run import Span, WorkerRun
from wireproof.traffic.sample import Sample, SampleFile
from wireproof.traffic.schedule import arrivals

FLUSH_EACH_S = 1.0
LOOP_PROBE_S = 0.01
# A closed user without a connection, or refused, would otherwise spin: thousands of requests a second.
PAUSE_S = 0.2
# When this many requests have failed and none was answered, the rest would tell nothing more.
FUSE = 50


@dataclass(frozen=True, slots=True)
class Seat:
    """Which of how many workers this is, and when the run's clock stood at zero."""

    worker: int
    workers: int
    zero: float
    zero_unix: float


class Crew:
    """One worker's part of a run. `tell` hears each sample once it is complete."""

    def __init__(self, plan: Plan, to: Destination, seat: Seat, out: Path, tell: Callable[[Sample], None]) -> None:
        self.plan, self.seat, self._out, self._tell = plan, seat, out, tell
        self._sender = Sender(to, plan.profile.patience, plan.profile.max_in_flight, seat.zero)
        self._samples = SampleFile(out / f"samples-{seat.worker}.jsonl")
        self._kept = (out / f"exchanges-{seat.worker}.jsonl").open("w", encoding="utf-8")
        self._kept_many = 0
        self._gate = Semaphore(plan.profile.max_in_flight)
        self._flight = Group()
        self._turn = Event()  # set when the stage must end before its time
        self._halted = False
        self._blown = ""
        self._leg = plan.legs[0]
        self._users_now = 0
        self._slots: set[int] = set()
        self._numbers: dict[str, Iterator[int]] = {leg.name: count() for leg in plan.legs}
        self._scheduled: dict[str, int] = {leg.name: 0 for leg in plan.legs}
        self._spans: list[Span] = []
        self._crashes: list[str] = []
        self._loop_lag = Lags()
        self._seen: dict[str, int] = {"ok": 0, "throttled": 0, "failed": 0}

    def work(self) -> None:
        """Runs the stages, drains, writes. Returns when everything is on disk."""
        began, cpu = time.monotonic(), _cpu_s()
        gc.collect()
        gc.freeze()  # a full collection over Locust's own modules takes tens of milliseconds
        chores = [gevent.spawn(self._flush_each_second), gevent.spawn(self._watch_the_loop)]
        try:
            edge = max(0.0, self._sender.now())
            for leg in self.plan.legs:
                if not self._halted:
                    edge = self._push(leg, edge)
            self._users_now = 0
            self._drain()
        finally:
            gevent.killall(chores)
            self._samples.close()
            self._kept.close()
            self._sender.close()
            self._notes(time.monotonic() - began, _cpu_s() - cpu).write(self._out)

    def halt(self) -> None:
        """Ends the run early: no more requests, those in flight may finish. A second call cuts them."""
        if self._halted:
            self._flight.kill(block=False)
        self._halted = True
        self._turn.set()

    def progress(self) -> dict[str, Any]:
        return {
            "worker": self.seat.worker,
            "stage": self._leg.name,
            "t": round(self._sender.now(), 1),
            "in_flight": len(self._flight),
            **self._seen,
        }

    def _push(self, leg: Leg, began: float) -> float:
        """Issues the requests of one stage; returns when, in seconds of the run, it stopped issuing."""
        self._leg = leg
        if not self._halted:
            self._turn.clear()
        if leg.users is not None:
            self._man(leg, began)
        else:
            self._users_now = 0
            self._issue(leg, began)
        cut = self._wait_until(began + leg.for_s)
        ended = self._sender.now() if cut else began + leg.for_s
        self._spans.append(Span(leg.name, began, ended, 0))
        return ended

    def _issue(self, leg: Leg, began: float) -> None:
        seat, seed = self.seat, f"{self.plan.seed}/{leg.name}"
        due = arrivals(leg.rate_rps or 0.0, leg.spacing, seed, leg.for_s, seat.worker, seat.workers)
        for number, offset in due:
            if self._wait_until(began + offset):
                return
            self._start(self._one, leg, number, began + offset)

    def _man(self, leg: Leg, began: float) -> None:
        """Brings the closed users to the stage's number. Users of a closed stage before it just carry on."""
        whole = leg.users or 0
        self._users_now = whole // self.seat.workers + (self.seat.worker < whole % self.seat.workers)
        for index in range(self._users_now):
            if index in self._slots:
                continue
            self._slots.add(index)
            self._start(self._slot, index, began + leg.ramp_s * index / max(1, self._users_now))

    def _slot(self, index: int, start: float) -> None:
        """One closed user: the next request follows the answer at once."""
        gevent.sleep(max(0.0, start - self._sender.now()))
        due = start
        while index < self._users_now and not self._halted:
            leg = self._leg
            number = next(self._numbers[leg.name]) * self.seat.workers + self.seat.worker
            sample = self._one(leg, number, due)
            if sample.outcome not in ANSWERED:
                gevent.sleep(PAUSE_S)
            due = self._sender.now()
        self._slots.discard(index)

    def _start(self, work: Callable[..., Any], *args: Any) -> None:
        greenlet = self._flight.spawn(work, *args)
        greenlet.link_exception(lambda ended: self._crashes.append(repr(ended.exception)))

    def _one(self, leg: Leg, number: int, due: float) -> Sample:
        """Sends one request; whatever happens to it, it is counted."""
        mark = f"{self.plan.seed}/{leg.name}/{number}"
        prepared = ready(pick(leg.items, mark), self.plan.model, mark)
        sample = Sample(
            self.seat.worker, leg.name, number, prepared.kind, due, prepared.tokens_charged, prepared.max_tokens
        )
        self._scheduled[leg.name] += 1
        keep = self._keep if is_kept(number) and self._kept_many < MOST_KEPT else None
        try:
            with self._gate:
                sample.t_release = self._sender.now()
                self._sender.send(prepared, sample, keep)
        finally:
            self._count(sample, leg)
        return sample

    def _count(self, sample: Sample, leg: Leg) -> None:
        self._samples.add(sample)
        if sample.outcome in THROTTLED:
            self._seen["throttled"] += 1
            if leg is self._leg and leg.until_throttled in ("any", sample.outcome.removeprefix("throttled_")):
                self._turn.set()
        elif sample.outcome in FAILED:
            self._seen["failed"] += 1
            if self._seen["failed"] == FUSE and not self._seen["ok"] and not self._seen["throttled"]:
                self._blown = f"the first {FUSE} requests all failed, the last by {sample.outcome}: {sample.detail}"
                self.halt()
        else:
            self._seen["ok"] += 1
        self._tell(sample)

    def _keep(self, kept: Keepsake) -> None:
        self._kept_many += 1
        self._kept.write(kept.line())

    def _wait_until(self, moment: float) -> bool:
        """Whether the stage must end now, before that moment."""
        left = moment - self._sender.now()
        return bool(self._turn.wait(left)) if left > 0 else bool(self._turn.is_set())

    def _drain(self) -> None:
        """What is in flight may finish for `drain_s`; what then remains is cut and counted as `cancelled_by_test`."""
        self._flight.join(timeout=self.plan.profile.drain_s)
        self._flight.kill(timeout=5)

    def _flush_each_second(self) -> None:
        while True:
            gevent.sleep(FLUSH_EACH_S)
            self._samples.flush()
            self._kept.flush()

    def _watch_the_loop(self) -> None:
        """How late a greenlet is woken: what every other measurement here could suffer."""
        while True:
            due = time.monotonic() + LOOP_PROBE_S
            gevent.sleep(LOOP_PROBE_S)
            self._loop_lag.add((time.monotonic() - due) * 1000)

    def _notes(self, wall_s: float, cpu_s: float) -> WorkerRun:
        stamps = self._sender.stamps
        spans = tuple(Span(one.name, one.began, one.ended, self._scheduled[one.name]) for one in self._spans)
        return WorkerRun(
            worker=self.seat.worker,
            workers=self.seat.workers,
            began_unix=self.seat.zero_unix,
            wall_s=wall_s,
            spans=spans,
            written=self._samples.written,
            interrupted=self._halted,
            clock=stamps.clock,
            clock_steps=stamps.clock_steps,
            cpu_s=cpu_s,
            rss_mb=_rss_mb(),
            recv_lag=stamps.lags.rows(),
            loop_lag=self._loop_lag.rows(),
            crashes=tuple(self._crashes),
            blown=self._blown,
        )


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _rss_mb() -> float:
    """The most this process ever held. Linux counts in KiB, macOS in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)
