"""What happens to a fine-tuning job by itself: its files are read, it waits, it trains epoch by epoch, it is done.

Each step plans the next one under a new turn; a deed of an older turn finds that it has been overtaken (by a pause,
a cancellation) and does nothing.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from wireproof.standin import tuned
from wireproof.standin.resources.files import keep
from wireproof.standin.serving import deed
from wireproof.standin.store import Row
from wireproof.standin.tuning import recipe
from wireproof.standin.tuning.examples import BadFile, examples, tokens
from wireproof.standin.world import World

JOBS, EVENTS, CHECKPOINTS = "fine_tuning_jobs", "fine_tuning_events", "fine_tuning_checkpoints"
VALIDATING_S, QUEUED_S, EPOCH_S = 2.0, 2.0, 5.0
COLUMNS = ("step", "train_loss", "train_mean_token_accuracy", "valid_loss", "valid_mean_token_accuracy")


def planned(world: World, job: Row, name: str, due_s: float) -> Row:
    """The job in the next turn, in which the deed `name` falls due."""
    found = {**job, "_turn": job["_turn"] + 1, "_due": due_s}
    world.table(JOBS).put(job["id"], found)
    world.at(due_s, name, f"{job['id']}/{found['_turn']}")
    return found


def tell(
    world: World, id: str, now: float, message: str, level: str = "info", data: Mapping[str, Any] | None = None
) -> None:
    """An event of the job; with `data` one of metrics."""
    event_id = world.id("ftevent-")
    row = {
        "id": event_id,
        "object": "fine_tuning.job.event",
        "created_at": int(now),
        "level": level,
        "message": message,
        "type": "message" if data is None else "metrics",
        "data": data or {},
    }
    world.table(EVENTS, id).put(event_id, row)


def ended(world: World, job: Row, status: str, now: float, message: str, **more: Any) -> Row:
    level = "error" if status == "failed" else "info"
    found = {**job, "status": status, "finished_at": int(now), "estimated_finish": None, "_turn": job["_turn"] + 1,
             **more}  # fmt: skip
    world.table(JOBS).put(job["id"], found)
    tell(world, job["id"], now, message, level)
    return found


@deed("fine_tuning.validate")
def validate(world: World, turn: str, now: float) -> None:
    job = _of_turn(world, turn)
    if job is None:
        return
    try:
        trained = _examples(world, job, "training_file")
        _examples(world, job, "validation_file")
    except _Unusable as wrong:
        error = {"code": wrong.code, "message": str(wrong), "param": wrong.param}
        ended(world, job, "failed", now, f"The job failed due to an invalid file: {wrong}", error=error)
        return
    numbers = recipe.resolved(job["_hyperparameters"], len(trained))
    method = job["method"]
    kind = method["type"]
    ready = {
        **job,
        "status": "queued",
        "hyperparameters": {name: numbers[name] for name in recipe.COMMON},
        "method": {**method, kind: {**method[kind], "hyperparameters": numbers}},
        "_hyperparameters": numbers,
        "_epoch": 0,
        "_steps_of_epoch": recipe.steps_of_epoch(len(trained), numbers["batch_size"]),
        "_tokens": sum(map(tokens, trained)) * numbers["n_epochs"],
    }
    tell(world, job["id"], now, "Files validated, moving job to queued state")
    planned(world, ready, "fine_tuning.start", now + world.lasts(QUEUED_S))


@deed("fine_tuning.start")
def start(world: World, turn: str, now: float) -> None:
    """To work, or back to it after a pause, with what was left of the epoch."""
    job = _of_turn(world, turn)
    if job is None:
        return
    epoch_s = world.lasts(EPOCH_S)
    left_s = epoch_s if job["_left_s"] is None else job["_left_s"]
    to_come = job["_hyperparameters"]["n_epochs"] - job["_epoch"] - 1
    running = {**job, "status": "running", "_left_s": None,
               "estimated_finish": int(now + left_s + to_come * epoch_s)}  # fmt: skip
    tell(world, job["id"], now, "Fine-tuning job started" if job["_epoch"] == 0 else "Fine-tuning job goes on")
    planned(world, running, "fine_tuning.epoch", now + left_s)


@deed("fine_tuning.epoch")
def epoch(world: World, turn: str, now: float) -> None:
    """An epoch is over: its metrics, its checkpoint, and the next one, or the end."""
    job = _of_turn(world, turn)
    if job is None:
        return
    number, of_epoch, epochs = job["_epoch"] + 1, job["_steps_of_epoch"], job["_hyperparameters"]["n_epochs"]
    for step in recipe.told_steps(number, of_epoch):
        data = _metrics(job, step)
        tell(
            world, job["id"], now, f"Step {step}/{of_epoch * epochs}: training loss={data['train_loss']:.2f}", data=data
        )
    is_last = number == epochs
    _keep_checkpoint(world, job, now, number * of_epoch, is_last=is_last)
    trained = {**job, "_epoch": number}
    if not is_last:
        planned(world, trained, "fine_tuning.epoch", now + world.lasts(EPOCH_S))
        return
    tell(world, job["id"], now, "New fine-tuned model created")
    ended(
        world,
        trained,
        "succeeded",
        now,
        "The job has successfully completed",
        fine_tuned_model=job["_name"],
        trained_tokens=job["_tokens"],
        result_files=[_result_file(world, job)],
    )


def _of_turn(world: World, turn: str) -> Row | None:
    """The job whose turn it still is."""
    id, _, number = turn.rpartition("/")
    job = world.table(JOBS).get(id)
    return job if job is not None and job["_turn"] == int(number) else None


class _Unusable(ValueError):
    def __init__(self, code: str, message: str, param: str) -> None:
        super().__init__(message)
        self.code, self.param = code, param


def _examples(world: World, job: Row, param: str) -> list[Mapping[str, Any]]:
    """What is in a file of the job, nothing when there is none of this kind."""
    id = job[param]
    if id is None:
        return []
    if id not in world.table("files"):
        raise _Unusable("file_not_found", f"File '{id}' does not exist any more.", param)
    kind = world.models[job["_base"]].kind
    try:
        return examples(world.table("files").data(id), job["method"]["type"], kind)
    except BadFile as wrong:
        raise _Unusable(wrong.code, str(wrong), param) from None


def _metrics(job: Row, step: int, *, whole: bool = False) -> dict[str, float]:
    steps = job["_steps_of_epoch"] * job["_hyperparameters"]["n_epochs"]
    return recipe.metrics(job["id"], step, steps, validated=job["validation_file"] is not None, whole=whole)


def _keep_checkpoint(world: World, job: Row, now: float, step: int, *, is_last: bool) -> None:
    """The model as it is after `step`. The last one is the model itself and has its name."""
    name = job["_name"] if is_last else f"{job['_name']}:ckpt-step-{step}"
    id = world.id("ftckpt_")
    row = {
        "id": id,
        "object": "fine_tuning.job.checkpoint",
        "created_at": int(now),
        "fine_tuning_job_id": job["id"],
        "fine_tuned_model_checkpoint": name,
        "step_number": step,
        "metrics": _metrics(job, step, whole=True),
    }
    world.table(CHECKPOINTS, job["id"]).put(id, row)
    tuned.add(world, name, job["_base"], int(now))
    tell(world, job["id"], now, f"Checkpoint created at step {step}")


def _result_file(world: World, job: Row) -> str:
    """The metrics of the whole job as CSV, a file like any other."""
    written = io.StringIO()
    table = csv.DictWriter(written, COLUMNS, lineterminator="\n", extrasaction="ignore")
    table.writeheader()
    for number in range(1, job["_hyperparameters"]["n_epochs"] + 1):
        for step in recipe.told_steps(number, job["_steps_of_epoch"]):
            table.writerow({**_metrics(job, step), "step": step})
    id: str = keep(world, "step_metrics.csv", written.getvalue().encode(), "fine-tune-results")["id"]
    return id
