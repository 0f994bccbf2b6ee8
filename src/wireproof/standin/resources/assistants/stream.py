"""A run told as it happens: `event: thread.*` with the object as it is then, or a delta, in `data`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from wireproof.standin.paging import public
from wireproof.standin.resources.assistants.moves import MESSAGES, STEPS, Move, Score, after, cut_short, said_by
from wireproof.standin.resources.assistants.steps import shown_step
from wireproof.standin.store import Row
from wireproof.standin.wire import Frame, named_event

DONE = Frame(0.0, b"event: done\ndata: [DONE]\n\n")
# What ends a run from outside, while it is told.
STOPPED = ("cancelling", "cancelled", "expired")


class Telling(list[Frame]):
    """The frames of a run as planned. Read while the run is stopped from elsewhere, they end as it does.

    `now_is` gives the row of the run, None when it is gone; `stops_s` how long a run is `cancelling`.
    """

    def __init__(
        self,
        moves: Sequence[Move],
        rows: dict[str, Row],
        now_is: Callable[[], Row | None],
        clock: Callable[[], float],
        *,
        stops_s: float,
        opening: Sequence[Frame] = (),
        with_content: bool = False,
    ) -> None:
        self._told = [move for move in moves if move.event]
        self._before = dict(rows)
        self._opening = opening
        self._now_is = now_is
        self._clock = clock
        self._stops_s = stops_s
        self._with_content = with_content
        super().__init__([*opening, *self._frames(moves, dict(rows)), DONE])

    def __iter__(self) -> Iterator[Frame]:
        for number, frame in enumerate(super().__iter__()):
            run = self._now_is()
            if run is not None and run["status"] in STOPPED:
                yield from self._stopped(run, self._told[: max(0, number - len(self._opening))])
                return
            yield frame

    def _frames(self, moves: Sequence[Move], rows: dict[str, Row]) -> Iterator[Frame]:
        at_ms = 0.0
        for move in moves:
            row = after(rows, move)
            if move.event:
                data = move.delta if move.delta is not None else self._shown(row, move.kind)
                yield named_event(move.event, data, move.at_ms - at_ms)
                at_ms = move.at_ms

    def _stopped(self, run: Row, told_so_far: Sequence[Move]) -> Iterator[Frame]:
        rows = dict(self._before)
        for move in told_so_far:
            after(rows, move)
        rows[run["id"]] = run
        kinds = {move.id: move.kind for move in told_so_far}
        steps = [row for id, row in rows.items() if kinds.get(id) == STEPS or row.get("object") == "thread.run.step"]
        said = [move.json() for move in told_so_far]
        messages = [
            {**row, "content": said_by(said, id, float("inf"))} for id, row in rows.items() if kinds.get(id) == MESSAGES
        ]
        score = Score(self._clock())
        if run["status"] == "cancelling":
            score.run(run["id"], "cancelling")
            score.wait(self._stops_s * 1000)
        cut_short(score, run, steps, messages, "expired" if run["status"] == "expired" else "cancelled")
        yield from self._frames(score.moves, rows)
        yield DONE

    def _shown(self, row: Row, kind: str) -> Row:
        return shown_step(row, with_content=self._with_content) if kind == STEPS else public(row)
