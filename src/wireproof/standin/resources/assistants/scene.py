"""What a leg of a run starts from, and the leg as far as it has been played."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from wireproof.standin.catalogue import Model
from wireproof.standin.latency import Latency
from wireproof.standin.resources.assistants.moves import STEPS, Score, ended, usage_of
from wireproof.standin.resources.assistants.prompt import Body, asked
from wireproof.standin.resources.assistants.rows import new_step
from wireproof.standin.store import Row


class SearchFailed(Exception):
    """A vector store that a run names is not there."""


@dataclass(frozen=True)
class Scene:
    """What a leg starts from. `messages` and `steps` oldest first; `search(query, options)` finds chunks of files."""

    run: Row
    messages: Sequence[Row]
    steps: Sequence[Row]
    model: Model
    latency: Latency
    serial: str
    new_id: Callable[[str], str]
    search: Callable[[str, Row], list[Row]]
    queue_ms: float = 0.0
    work_ms: float = 0.0


@dataclass
class Leg:
    """`steps` are those of the whole run, as they stand."""

    scene: Scene
    score: Score
    steps: list[Row]
    gaps: Iterator[float] = field(init=False)

    def __post_init__(self) -> None:
        self.gaps = self.scene.latency.gaps(self.scene.serial)

    @property
    def run(self) -> Row:
        return self.scene.run

    def token(self) -> None:
        """The next word comes after its time."""
        self.score.wait(next(self.gaps))

    def used(self) -> Row:
        return usage_of(self.steps)

    def new_step(self, details: Row) -> Row:
        step = new_step(self.scene.new_id("step_"), self.run, details, self.score.now)
        self.steps.append(step)
        self.score.tell("thread.run.step.created", STEPS, step["id"], **step)
        self.score.tell("thread.run.step.in_progress", STEPS, step["id"])
        return step

    def change_step(self, event: str, step: Row, **change: Any) -> None:
        self.steps[self.steps.index(step)] = {**step, **change}
        self.score.tell(f"thread.run.step.{event}", STEPS, step["id"], **change)

    def piece(self, step: Row, kind: str, index: int, told: Row, **more: Any) -> None:
        """A piece of one tool call of a step."""
        call = {"index": index, **more, "type": kind, kind: told}
        details = {"type": "tool_calls", "tool_calls": [call]}
        self.score.piece("thread.run.step.delta", STEPS, step["id"], step_details=details)

    def ask(self) -> Body:
        """What a model is asked as things stand. PromptTooLong when there is no room for it."""
        scene = self.scene
        return asked(scene.run, scene.messages, self.steps, scene.model, self.used()["prompt_tokens"])

    def incomplete(self, reason: str) -> None:
        details = {"reason": reason}
        self.score.run(self.run["id"], **ended("incomplete", self.score.now, self.used(), incomplete_details=details))
