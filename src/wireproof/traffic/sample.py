"""One record per request, and the file they go to.

Times are seconds since the run began (its own monotonic zero), None when the moment never came. Server-side
moments (`t_hdr` .. `t_end`) are kernel receive times where the platform gives them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, fields
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, TextIO

TokenSource = Literal["usage", "events", "none"]


@dataclass(slots=True)
class Sample:
    """`number` counts the arrivals of a stage; `worker`, `stage`, `number` name a request within a run.

    t_sched      when it was meant to leave     t_release  when our own cap on requests in flight let it go
    t_send0/1    before / after the request's bytes went to the socket
    t_hdr t_byte1 t_tok1 t_vis1 t_tokn t_end    headers, first body byte, first / first visible / last token, end

    `tokens_charged` is what the documented rule charges against TPM: the greater of max_tokens and an estimate
    from the prompt's length. `gaps_ms` are between consecutive events that carry tokens.
    """

    worker: int
    stage: str
    number: int
    kind: str
    t_sched: float
    tokens_charged: int
    max_tokens: int | None = None
    t_release: float | None = None
    connect_ms: float | None = None
    t_send0: float | None = None
    t_send1: float | None = None
    t_hdr: float | None = None
    t_byte1: float | None = None
    t_tok1: float | None = None
    t_vis1: float | None = None
    t_tokn: float | None = None
    t_end: float | None = None
    gaps_ms: list[float] = field(default_factory=list)
    events: int = 0
    tokens_in: int | None = None
    tokens_out: int | None = None
    tokens_source: TokenSource = "none"
    outcome: str = "cancelled_by_test"
    status: int | None = None
    finish: str | None = None
    request_id: str | None = None
    limits: dict[str, str] = field(default_factory=dict)
    detail: str = ""

    @property
    def queue_delay_ms(self) -> float | None:
        return _ms(self.t_sched, self.t_send0)

    @property
    def send_lag_ms(self) -> float | None:
        """Our own lateness: from the release to the first byte sent, without the time the connect took."""
        late = _ms(self.t_release, self.t_send0)
        return None if late is None else max(0.0, late - (self.connect_ms or 0.0))

    @property
    def ttft_ms(self) -> float | None:
        return _ms(self.t_send0, self.t_tok1)

    @property
    def e2e_ms(self) -> float | None:
        """To the last token; to the end of the body where there are no token events."""
        return _ms(self.t_send0, self.t_tokn if self.t_tokn is not None else self.t_end)

    @property
    def tpot_ms(self) -> float | None:
        """Mean time of an output token after the first; None for answers of one token, and without a count."""
        if self.t_tok1 is None or self.t_tokn is None or self.tokens_out is None or self.tokens_out < 2:
            return None
        return (self.t_tokn - self.t_tok1) * 1000 / (self.tokens_out - 1)

    @property
    def waited_ms(self) -> float | None:
        """How long it was in flight, answered or not."""
        return _ms(self.t_send0, self.t_end)

    @property
    def is_admitted(self) -> bool:
        """Whether the limiter let it in: a 2xx status came, whatever became of the body."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def disorder(self) -> str:
        """Two moments in the wrong order, as `t_tok1 before t_hdr`; "" when time ran forward.

        Send moments are user time and receive moments kernel time, both monotonic: 1 ms is allowed between them.
        """
        names = ("t_sched", "t_release", "t_send0", "t_hdr", "t_byte1", "t_tok1", "t_tokn", "t_end")
        seen = [(name, at) for name in names if (at := getattr(self, name)) is not None]
        for (earlier, at), (later, then) in pairwise(seen):
            if then < at - 0.001:
                return f"{later} {1000 * (at - then):.1f} ms before {earlier}"
        return ""


FIELDS = tuple(one.name for one in fields(Sample))
TIMES = tuple(name for name in FIELDS if name.startswith("t_"))


def line(sample: Sample) -> str:
    """The sample as one JSON line, microseconds kept."""
    row = {key: value for key, value in asdict(sample).items() if value not in (None, [], {}, "")}
    for name in TIMES:
        if name in row:
            row[name] = round(row[name], 6)
    if "gaps_ms" in row:
        row["gaps_ms"] = [round(gap, 3) for gap in row["gaps_ms"]]
    if "connect_ms" in row:
        row["connect_ms"] = round(row["connect_ms"], 3)
    return json.dumps(row, separators=(",", ":"), ensure_ascii=False) + "\n"


def read_samples(paths: Iterable[Path]) -> Iterator[Sample]:
    """The samples of these files. A torn last line is skipped: the count then does not add up, which is noticed."""
    for path in paths:
        with path.open(encoding="utf-8") as rows:
            for row in rows:
                if row.endswith("\n"):
                    yield sample_of(json.loads(row))


def sample_of(row: dict[str, Any]) -> Sample:
    return Sample(**{key: value for key, value in row.items() if key in FIELDS})


class SampleFile:
    """Samples on their way to disk: kept until `flush`, which the crew calls each second and at the end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.written = 0
        self._rows: list[Sample] = []
        self._file: TextIO = path.open("w", encoding="utf-8")

    def add(self, sample: Sample) -> None:
        self._rows.append(sample)

    def flush(self) -> None:
        rows, self._rows = self._rows, []
        self._file.writelines(line(row) for row in rows)
        self._file.flush()
        self.written += len(rows)

    def close(self) -> None:
        self.flush()
        self._file.close()


def _ms(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else (end - start) * 1000
