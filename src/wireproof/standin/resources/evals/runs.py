"""Runs of an eval as a client sees and steers them; how they run is in `life`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wireproof.standin.call import Call
from wireproof.standin.paging import page, public
from wireproof.standin.refusals import invalid, missing
from wireproof.standin.resources.evals.items import check_items, check_source
from wireproof.standin.serving import serves
from wireproof.standin.store import Row, Table
from wireproof.standin.wire import Answer, json_answer
from wireproof.standin.world import World

EVALS, RUNS, OUTPUT, QUEUES = "evals", "eval_runs", "eval_output_items", "eval_queues"
FINAL = ("completed", "failed", "canceled")
QUEUED_S = 1.0
# Both sources have an error where most runs have none: an object that says nothing.
NO_ERROR = {"code": "", "message": ""}
# There is no dashboard: the name is reserved for what leads nowhere (RFC 2606).
REPORTS = "https://standin.invalid/evals"


@serves("createEvalRun")
def create(world: World, call: Call) -> Answer:
    of = _eval(world, call)
    data = call.body["data_source"]
    _check_data(world, of, data)
    id = call.id("evalrun_")
    run = {
        "id": id,
        "object": "eval.run",
        "eval_id": of["id"],
        "created_at": int(call.now),
        "status": "queued",
        "name": call.body.get("name") or of["name"],
        "model": data.get("model") or "",
        "data_source": data,
        "metadata": call.body.get("metadata") or {},
        "report_url": f"{REPORTS}/{of['id']}/runs/{id}",
        "result_counts": {"total": 0, "errored": 0, "failed": 0, "passed": 0},
        "per_model_usage": [],
        "per_testing_criteria_results": [
            {"testing_criteria": criterion["name"], "passed": 0, "failed": 0} for criterion in of["testing_criteria"]
        ],
        "error": NO_ERROR,
    }
    world.table(RUNS, of["id"]).put(id, run)
    world.at(call.now + world.lasts(QUEUED_S), "evals.start", f"{of['id']}/{id}")
    return json_answer(public(run), 201)


@serves("getEvalRuns")
def listed(world: World, call: Call) -> Answer:
    status = call.query.get("status")
    rows = world.table(RUNS, _eval(world, call)["id"]).rows()
    return page([row for row in rows if status in (None, row["status"])], call)


@serves("getEvalRun")
def one(world: World, call: Call) -> Answer:
    return json_answer(public(_run(world, call)))


@serves("cancelEvalRun", "cancelEvalRunInPlace")
def cancel(world: World, call: Call) -> Answer:
    run = _run(world, call)
    if run["status"] in FINAL:
        raise invalid(f"Run '{run['id']}' is {run['status']} and cannot be canceled.", "run_id", "invalid_run_state")
    canceled = {**run, "status": "canceled"}
    world.table(RUNS, run["eval_id"]).put(run["id"], canceled)
    world.table(QUEUES).delete(run["id"])
    return json_answer(public(canceled))


@serves("deleteEvalRun")
def delete(world: World, call: Call) -> Answer:
    run = _run(world, call)
    _forget(world, run)
    return json_answer({"object": "eval.run.deleted", "deleted": True, "run_id": run["id"]})


@serves("getEvalRunOutputItems")
def output_items(world: World, call: Call) -> Answer:
    status = call.query.get("status")
    rows = _output(world, call).rows()
    return page([row for row in rows if status in (None, row["status"])], call)


@serves("getEvalRunOutputItem")
def output_item(world: World, call: Call) -> Answer:
    id = call.path["output_item_id"]
    found = _output(world, call).found(id, f"Output item with id '{id}' not found.", "output_item_id")
    return json_answer(public(found))


def forget_runs(world: World, eval_id: str) -> None:
    for run in world.table(RUNS, eval_id).rows():
        _forget(world, run)


def _forget(world: World, run: Row) -> None:
    world.table(OUTPUT, run["id"]).clear()
    world.table(QUEUES).delete(run["id"])
    world.table(RUNS, run["eval_id"]).delete(run["id"])


def _eval(world: World, call: Call) -> Row:
    id = call.path["eval_id"]
    return world.table(EVALS).found(id, f"Eval with id '{id}' not found.", "eval_id")


def _run(world: World, call: Call) -> Row:
    id = call.path["run_id"]
    table = world.table(RUNS, _eval(world, call)["id"])
    return table.found(id, f"Eval run with id '{id}' not found.", "run_id")


def _output(world: World, call: Call) -> Table:
    return world.table(OUTPUT, _run(world, call)["id"])


def _check_data(world: World, of: Row, data: Mapping[str, Any]) -> None:
    """What a schema cannot say: files that are there, items of the eval's shape, a model with something to answer."""
    source = data["source"]
    check_source(world, source)
    if source["type"] == "file_content":
        check_items(source["content"], of["data_source_config"]["schema"])
    if data["type"] == "jsonl":
        return
    if "model" in data and data["model"] not in world.models:
        raise invalid(f"The model `{data['model']}` does not exist or you do not have access to it.",
                      "data_source.model", "model_not_found")  # fmt: skip
    if source["type"] in ("file_content", "file_id"):
        for name in ("model", "input_messages"):
            if name not in data:
                raise missing(f"data_source.{name}")
