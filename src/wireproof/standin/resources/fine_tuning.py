"""Fine-tuning jobs as a client sees and steers them; what happens to them by itself is in `fine_tuning_life`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from wireproof.standin import tuned
from wireproof.standin.call import Call
from wireproof.standin.grading.checks import check_grader
from wireproof.standin.paging import page, public
from wireproof.standin.prose import dice
from wireproof.standin.refusals import Refused, invalid, missing
from wireproof.standin.resources.fine_tuning_life import (
    CHECKPOINTS,
    EVENTS,
    JOBS,
    QUEUED_S,
    VALIDATING_S,
    ended,
    planned,
    tell,
)
from wireproof.standin.serving import serves
from wireproof.standin.store import Row
from wireproof.standin.tuning import recipe
from wireproof.standin.wire import Answer, json_answer
from wireproof.standin.world import World

FINAL = ("succeeded", "failed", "cancelled")
KINDS = ("chat", "completion")


@serves("createFineTuningJob")
def create(world: World, call: Call) -> Answer:
    body = call.body
    method = _method(world, body)
    _check_model(world, body["model"], method["type"])
    _check_file(world, body, "training_file")
    _check_file(world, body, "validation_file")
    id, now = call.id("ftjob-"), int(call.now)
    of_method = method.get(method["type"]) or {}
    given = {**(body.get("hyperparameters") or {}), **(of_method.get("hyperparameters") or {})}
    hyperparameters = recipe.asked(method["type"], given)
    seed = body.get("seed")
    base = tuned.base_of(world, body["model"])
    job = {
        "id": id,
        "object": "fine_tuning.job",
        "created_at": now,
        "finished_at": None,
        "estimated_finish": None,
        "status": "validating_files",
        "error": None,
        "model": world.models[body["model"]].snapshot,
        "fine_tuned_model": None,
        "training_file": body["training_file"],
        "validation_file": body.get("validation_file"),
        "result_files": [],
        "trained_tokens": None,
        **settled(method, hyperparameters),
        "integrations": body.get("integrations"),
        "seed": dice("seed", id).getrandbits(31) if seed is None else seed,
        "metadata": body.get("metadata"),
        "organization_id": tuned.OWNER,
        "_base": base,
        "_name": f"ft:{base}:{tuned.OWNER}:{_suffix(body.get('suffix'))}:{id[-8:]}",
        "_hyperparameters": hyperparameters,
        "_turn": 0,
        "_is_paused": False,
        "_left_s": None,
    }
    tell(world, id, call.now, f"Created fine-tuning job: {id}")
    tell(world, id, call.now, f"Validating training file: {body['training_file']}")
    planned(world, job, "fine_tuning.validate", call.now + world.lasts(VALIDATING_S))
    return json_answer(public(job))


def settled(method: Mapping[str, Any], hyperparameters: Mapping[str, Any]) -> Row:
    """The two fields of a job that tell its hyperparameters: those of every method, and all in the method's own."""
    kind = method["type"]
    common = {name: hyperparameters[name] for name in recipe.COMMON}
    return {
        "hyperparameters": common,
        "method": {"type": kind, kind: {**(method.get(kind) or {}), "hyperparameters": dict(hyperparameters)}},
    }


@serves("listPaginatedFineTuningJobs")
def listed(world: World, call: Call) -> Answer:
    wanted = (call.query.get("metadata") or {}).items()
    rows = [row for row in world.table(JOBS).rows() if wanted <= (row["metadata"] or {}).items()]
    return page(rows[::-1], call, with_ids=False)


@serves("retrieveFineTuningJob")
def retrieve(world: World, call: Call) -> Answer:
    return json_answer(public(_job(world, call)))


@serves("cancelFineTuningJob")
def cancel(world: World, call: Call) -> Answer:
    job = _job(world, call)
    if job["status"] in FINAL:
        raise _wrong_state(job, "cancelled")
    return json_answer(public(ended(world, job, "cancelled", call.now, "The job was cancelled")))


@serves("pauseFineTuningJob")
def pause(world: World, call: Call) -> Answer:
    job = _job(world, call)
    if job["status"] != "running":
        raise _wrong_state(job, "paused")
    # Whatever was due is of an older turn now, and will not be done.
    held = {
        **job,
        "status": "queued",
        "estimated_finish": None,
        "_turn": job["_turn"] + 1,
        "_is_paused": True,
        "_left_s": max(0.0, job["_due"] - call.now),
    }
    world.table(JOBS).put(job["id"], held)
    tell(world, job["id"], call.now, "The job was paused")
    return json_answer(public(held))


@serves("resumeFineTuningJob")
def resume(world: World, call: Call) -> Answer:
    job = _job(world, call)
    if job["status"] in FINAL or not job["_is_paused"]:
        raise _wrong_state(job, "resumed")
    tell(world, job["id"], call.now, "The job was resumed")
    waiting = {**job, "_is_paused": False}
    return json_answer(public(planned(world, waiting, "fine_tuning.start", call.now + world.lasts(QUEUED_S))))


@serves("listFineTuningEvents")
def events(world: World, call: Call) -> Answer:
    job = _job(world, call)
    return page(world.table(EVENTS, job["id"]).rows()[::-1], call, with_ids=False)


@serves("listFineTuningJobCheckpoints")
def checkpoints(world: World, call: Call) -> Answer:
    job = _job(world, call)
    return page(world.table(CHECKPOINTS, job["id"]).rows()[::-1], call)


def _job(world: World, call: Call) -> Row:
    id = call.path["fine_tuning_job_id"]
    return world.table(JOBS).found(id, f"Could not find fine tune: {id}", "fine_tuning_job_id")


def _wrong_state(job: Row, what: str) -> Refused:
    state = "paused" if job["_is_paused"] and job["status"] not in FINAL else job["status"]
    return invalid(f"Job '{job['id']}' is {state} and cannot be {what}.", "fine_tuning_job_id", "invalid_job_state")


def _method(world: World, body: Mapping[str, Any]) -> dict[str, Any]:
    method: dict[str, Any] = body.get("method") or {"type": "supervised"}
    if method["type"] == "reinforcement":
        if "reinforcement" not in method:
            raise missing("method.reinforcement")
        check_grader(method["reinforcement"]["grader"], "method.reinforcement.grader", world.models)
    return method


def _check_model(world: World, name: str, method: str) -> None:
    model = world.models.get(name)
    if model is None or model.kind not in KINDS:
        raise invalid(f"Model {name} is not available for fine-tuning or does not exist.", "model",
                      "model_not_available")  # fmt: skip
    if model.kind == "completion" and method != "supervised":
        raise invalid(f"Model {name} cannot be fine-tuned by the method '{method}'.", "method.type",
                      "unsupported_value")  # fmt: skip


def _check_file(world: World, body: Mapping[str, Any], param: str) -> None:
    id = body.get(param)
    if id is None:
        return
    row = world.table("files").get(id)
    if row is None:
        raise invalid(f"Invalid {param}: file '{id}' does not exist.", param, "file_not_found")
    if row["purpose"] != "fine-tune":
        raise invalid(f"Invalid {param}: file '{id}' has the purpose '{row['purpose']}', expected 'fine-tune'.", param,
                      "invalid_file_purpose")  # fmt: skip


def _suffix(asked: str | None) -> str:
    """As part of a model's name: lower case, nothing that a path could not hold."""
    return re.sub(r"[^a-z0-9-]+", "-", (asked or "").lower()).strip("-")
