"""A few exchanges kept whole, so that the contract's clauses can judge what the target says under load.

Written by the worker, read after the run as `wireproof.exchange.Exchange`: the same judges, other traffic.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from wireproof.exchange import Chunk, Exchange, Request
from wireproof.traffic.requests import OPERATION
from wireproof.traffic.sample import Sample

# Of each stage the first ones, then some more in passing; a header law wants neighbours, not a scatter.
KEEP_FIRST = 40
KEEP_EACH = 25
MOST_KEPT = 400


def is_kept(number: int) -> bool:
    """Whether request `number` of a stage is kept. Decided before it is sent, so no outcome is preferred."""
    return number < KEEP_FIRST or number % KEEP_EACH == 0


@dataclass(slots=True)
class Keepsake:
    """Times in seconds: `sent` of the run, the rest since then. Without the request's headers: they hold a key."""

    path: str
    body: bytes
    stage: str = ""
    number: int = 0
    worker: int = 0
    sent: float = 0.0
    status: int | None = None
    headers: list[tuple[str, str]] = field(default_factory=list)
    headers_at_s: float = 0.0
    chunks: list[tuple[float, bytes]] = field(default_factory=list)
    whole: bool = False

    def opened(self, sample: Sample, headers: list[tuple[str, str]]) -> None:
        self.stage, self.number, self.worker = sample.stage, sample.number, sample.worker
        self.sent = sample.t_send0 or 0.0
        self.status, self.headers = sample.status, headers
        self.headers_at_s = (sample.t_hdr or 0.0) - self.sent

    def took(self, at_s: float, data: bytes) -> None:
        self.chunks.append((at_s - self.sent, data))

    def line(self) -> str:
        row = {
            "worker": self.worker,
            "stage": self.stage,
            "number": self.number,
            "path": self.path,
            "body": self.body.decode(),
            "sent": round(self.sent, 6),
            "status": self.status,
            "headers": self.headers,
            "headers_at_s": round(self.headers_at_s, 6),
            "chunks": [[round(at, 6), base64.b64encode(data).decode()] for at, data in self.chunks],
            "whole": self.whole,
        }
        return json.dumps(row, separators=(",", ":")) + "\n"


def read_exchanges(folder: Path, began_unix: float) -> list[Exchange]:
    """The whole ones of all workers, in order of sending; those that broke off say nothing about headers."""
    rows = sorted(_rows(folder), key=lambda row: row["sent"])
    return [_exchange(row, began_unix) for row in rows if row["whole"]]


def _rows(folder: Path) -> Iterator[dict]:  # type: ignore[type-arg]  # our own file, one JSON object a line
    for path in sorted(folder.glob("exchanges-*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            yield from (json.loads(line) for line in lines if line.endswith("\n"))


def _exchange(row: dict, began_unix: float) -> Exchange:  # type: ignore[type-arg]
    chunks = tuple(Chunk(at, base64.b64decode(data)) for at, data in row["chunks"])
    return Exchange(
        probe=f"load.{row['stage']}.{row['worker']}.{row['number']}",
        step=0,
        attempt=1,
        operation=OPERATION[row["path"]],
        request=Request("POST", row["path"], {}, (("content-type", "application/json"),), row["body"].encode()),
        status=row["status"],
        headers=tuple((name, value) for name, value in row["headers"]),
        chunks=chunks,
        started_unix=began_unix + row["sent"],
        headers_at_s=row["headers_at_s"],
        ended_at_s=chunks[-1].at_s if chunks else row["headers_at_s"],
    )
