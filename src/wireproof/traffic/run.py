"""What a worker tells about its part of a run besides the samples: `run-<worker>.json`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Span:
    """A stage as it really was: requests were issued from `began` to `ended`, seconds of the run."""

    name: str
    began: float
    ended: float
    scheduled: int


@dataclass(frozen=True, slots=True)
class WorkerRun:
    """`clock` is `kernel` when receive times came from the kernel, else `user`. Lag rows: see `lag.Lags.rows`.

    `crashes` are ours: requests that ended in an exception of our own code. `blown` says why the worker gave up.

    `written` counts the rows of its sample file: fewer found later means that rows were lost.
    """

    worker: int
    workers: int
    began_unix: float
    wall_s: float
    spans: tuple[Span, ...]
    written: int
    interrupted: bool
    clock: str
    clock_steps: int
    cpu_s: float
    rss_mb: float
    recv_lag: list[list[int]]
    loop_lag: list[list[int]]
    crashes: tuple[str, ...] = ()
    blown: str = ""

    def write(self, folder: Path) -> None:
        path = folder / f"run-{self.worker}.json"
        path.write_text(json.dumps(asdict(self)) + "\n", encoding="utf-8")


def workers_folder(out: Path) -> Path:
    """Where workers write, below the folder of the artifacts."""
    return out / "workers"


def cleared(out: Path) -> Path:
    """An empty folder for the workers: what an earlier run left must not be counted into this one."""
    folder = workers_folder(out)
    folder.mkdir(parents=True, exist_ok=True)
    for pattern in ("samples-*.jsonl", "exchanges-*.jsonl", "run-*.json", "truth.json"):
        for old in folder.glob(pattern):
            old.unlink()
    return folder


def read_runs(folder: Path) -> tuple[WorkerRun, ...]:
    """In order of worker. Empty when no worker came to its end."""
    return tuple(_run(json.loads(path.read_text(encoding="utf-8"))) for path in sorted(folder.glob("run-*.json")))


def _run(row: dict[str, Any]) -> WorkerRun:
    return WorkerRun(**{**row, "spans": tuple(Span(**span) for span in row["spans"]), "crashes": tuple(row["crashes"])})


def joined(runs: tuple[WorkerRun, ...]) -> tuple[Span, ...]:
    """The stages over all workers: from the first that began to the last that ended."""
    names = list(dict.fromkeys(span.name for run in runs for span in run.spans))
    spans = []
    for name in names:
        parts = [span for run in runs for span in run.spans if span.name == name]
        began, ended = min(part.began for part in parts), max(part.ended for part in parts)
        spans.append(Span(name, began, ended, sum(part.scheduled for part in parts)))
    return tuple(spans)
