"""What happens in a run, move by move: which row changes when, and which event tells of it.

A run is played through in advance, from its start to where it ends or waits for a client. The moves then happen at
their times, whoever looks; a stream tells the same moves as they happen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from wireproof.standin.store import Row

# The tables: runs and messages by thread, steps by run.
RUNS, STEPS, MESSAGES = "runs", "run steps", "thread messages"

ACTIVE = ("queued", "in_progress", "requires_action", "cancelling")
NO_USAGE = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
# How what is cut short says so: the field of a step, that of a run, the reason of a message.
CUT_SHORT: Mapping[str, tuple[str, str | None, str]] = {
    "cancelled": ("cancelled_at", "cancelled_at", "run_cancelled"),
    "expired": ("expired_at", None, "run_expired"),
    "failed": ("failed_at", "failed_at", "run_failed"),
}


@dataclass(frozen=True, slots=True)
class Move:
    """`change`: the fields that change, of a new row all. A move with a `delta` changes nothing and tells that alone.

    `at_ms` counts from the moment the run was set going, by its creation or by tool outputs.
    """

    at_ms: float
    event: str
    kind: str
    id: str
    change: Row = field(default_factory=dict)
    delta: Row | None = None

    def json(self) -> Row:
        return asdict(self)


class Score:
    """Moves in order of time; `at_ms` and `now` are where it has got to."""

    def __init__(self, began_s: float) -> None:
        self.moves: list[Move] = []
        self.at_ms = 0.0
        self._began_s = began_s

    @property
    def now(self) -> int:
        return int(self._began_s + self.at_ms / 1000)

    def wait(self, ms: float) -> None:
        self.at_ms += ms

    def tell(self, event: str, kind: str, id: str, /, **change: Any) -> None:
        self.moves.append(Move(self.at_ms, event, kind, id, change))

    def run(self, id: str, /, status: str, **change: Any) -> None:
        self.tell(f"thread.run.{status}", RUNS, id, status=status, **change)

    def piece(self, event: str, kind: str, id: str, /, **delta: Any) -> None:
        self.moves.append(Move(self.at_ms, event, kind, id, {}, {"id": id, "object": event, "delta": delta}))


def ended(status: str, now: int, usage: Row, **change: Any) -> Row:
    """The change that ends a run."""
    fields: Row = {"status": status, "required_action": None, "usage": usage, "expires_at": None, **change}
    if status == "completed":
        fields["completed_at"] = now
    at = CUT_SHORT[status][1] if status in CUT_SHORT else None
    return {**fields, at: now} if at else fields


def cut_short(
    score: Score, run: Row, steps: Iterable[Row], messages: Iterable[Row], status: str, error: Row | None = None
) -> None:
    """Ends a run before its time, and with it what is open of it. `messages` hold what has been said so far."""
    step_at, _, reason = CUT_SHORT[status]
    steps = list(steps)
    for message in messages:
        if message["status"] == "in_progress":
            score.tell("thread.message.incomplete", MESSAGES, message["id"], status="incomplete",
                       content=message["content"], incomplete_at=score.now,
                       incomplete_details={"reason": reason})  # fmt: skip
    for step in steps:
        if step["status"] == "in_progress":
            last_error = error if error and error["code"] != "invalid_prompt" else None
            score.tell(f"thread.run.step.{status}", STEPS, step["id"], status=status, last_error=last_error,
                       **{step_at: score.now})  # fmt: skip
    change = ended(status, score.now, usage_of(steps), last_error=error)
    score.run(run["id"], **change)


def usage_of(steps: Iterable[Row]) -> Row:
    """What all steps together used."""
    total = dict(NO_USAGE)
    for step in steps:
        for name, tokens in (step["usage"] or {}).items():
            total[name] += tokens
    return total


def used(prompt: int, completion: int) -> Row:
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def said_by(moves: Sequence[Mapping[str, Any]], message_id: str, until_ms: float) -> list[Row]:
    """The content of a message as far as its pieces have come."""
    text, annotations = "", []
    for move in moves:
        if move["id"] == message_id and move["delta"] is not None and move["at_ms"] <= until_ms:
            for part in move["delta"]["delta"]["content"]:
                text += part["text"]["value"]
                annotations += part["text"].get("annotations", [])
    told = [{name: value for name, value in one.items() if name != "index"} for one in annotations]
    return [{"type": "text", "text": {"value": text, "annotations": told}}] if text else []


def after(rows: dict[str, Row], move: Move) -> Row:
    """The row of a move once it has happened; `rows` by id, which it changes."""
    rows[move.id] = {**rows.get(move.id, {}), **move.change}
    return rows[move.id]
