"""How a run runs: its items are read, then a few at a time are sampled and judged, until none is left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wireproof.standin.grading.graders import Graded, ModelFailed, graded
from wireproof.standin.grading.templates import TooLong, UnknownName, sample_of
from wireproof.standin.inner import NO_USAGE, Meter, asking
from wireproof.standin.resources.evals.items import Item, NoItems, items_of
from wireproof.standin.resources.evals.runs import EVALS, FINAL, NO_ERROR, OUTPUT, QUEUES, RUNS
from wireproof.standin.resources.evals.sampling import Sampled, sampled
from wireproof.standin.serving import deed
from wireproof.standin.store import Row
from wireproof.standin.world import World

SLICE = 20
SLICE_S = 0.5
# Without a threshold a score passes from the middle of its range on.
MIDDLE = 0.5


@deed("evals.start")
def start(world: World, id: str, now: float) -> None:
    run = _alive(world, id)
    if run is None:
        return
    schema = _eval(world, run)["data_source_config"]["schema"]
    try:
        items = items_of(world, run["data_source"]["source"], schema)
    except NoItems as wrong:
        error = {"code": "invalid_data_source", "message": str(wrong)}
        world.table(RUNS, run["eval_id"]).put(run["id"], {**run, "status": "failed", "error": error})
        return
    world.table(QUEUES).put(run["id"], {"items": items})
    world.table(RUNS, run["eval_id"]).put(run["id"], {**run, "status": "in_progress"})
    world.at(now + world.lasts(SLICE_S), "evals.slice", id)


@deed("evals.slice")
def go_on(world: World, id: str, now: float) -> None:
    run = _alive(world, id)
    queue = world.table(QUEUES).get(run["id"]) if run else None
    if run is None or queue is None:
        return
    done = len(world.table(OUTPUT, run["id"]))
    criteria = _eval(world, run)["testing_criteria"]
    meter = Meter(asking(world))
    for at, item in enumerate(queue["items"][done : done + SLICE], done):
        row = _judged(world, run, at, item, criteria, meter, now)
        world.table(OUTPUT, run["id"]).put(row["id"], row)
        run = _counted(run, row)
    run = {**run, "per_model_usage": _added(run["per_model_usage"], meter.by_model)}
    if done + SLICE < len(queue["items"]):
        world.at(now + world.lasts(SLICE_S), "evals.slice", id)
    else:
        run = {**run, "status": "completed"}
        world.table(QUEUES).delete(run["id"])
    world.table(RUNS, run["eval_id"]).put(run["id"], run)


def _alive(world: World, id: str) -> Row | None:
    eval_id, _, run_id = id.partition("/")
    run = world.table(RUNS, eval_id).get(run_id)
    return run if run is not None and run["status"] not in FINAL else None


def _eval(world: World, run: Row) -> Row:
    found = world.table(EVALS).get(run["eval_id"])
    assert found is not None  # a deleted eval takes its runs along
    return found


def _judged(
    world: World, run: Row, at: int, item: Item, criteria: list[dict[str, Any]], meter: Meter, now: float
) -> Row:
    """The output item: what the model said to it, or was said before, and what each criterion makes of that."""
    row: Row = {
        "id": world.id("outputitem_"),
        "object": "eval.run.output_item",
        "eval_id": run["eval_id"],
        "run_id": run["id"],
        "created_at": int(now),
        "datasource_item_id": at,
        "datasource_item": item["item"],
    }
    try:
        said = sampled(world, run["data_source"], item, meter)
    except (ModelFailed, TooLong, UnknownName) as wrong:
        error = {"code": "sampling_failed", "message": str(wrong)}
        return {**row, "status": "error", "results": [], "sample": {**EMPTY, "error": error}}
    names = {"item": item["item"], "sample": sample_of(said.text, **said.more)}
    results = [_result(criterion, graded(criterion, names, meter)) for criterion in criteria]
    status = "pass" if all(result["passed"] for result in results) else "fail"
    return {**row, "status": status, "results": results, "sample": _told(said)}


def _result(criterion: Mapping[str, Any], found: Graded) -> dict[str, Any]:
    threshold = criterion.get("pass_threshold")
    if threshold is None:
        least, most = criterion.get("range") or (0, 1)
        threshold = least + MIDDLE * (most - least)
    told = {**(found.told or {}), **({"errors": dict(found.errors)} if found.errors else {})}
    return {
        "name": criterion["name"],
        "type": criterion["type"],
        "score": found.score,
        "passed": not found.errors and found.score >= threshold,
        "sample": told or None,
    }


# The sample of an item for which nothing was asked.
EMPTY: dict[str, Any] = {
    "input": [],
    "output": [],
    "finish_reason": "",
    "model": "",
    "usage": NO_USAGE,
    "error": NO_ERROR,
    "temperature": 1,
    "max_completion_tokens": 0,
    "top_p": 1,
    "seed": 42,
}


def _told(said: Sampled) -> dict[str, Any]:
    output = [{"role": "assistant", "content": said.text}]
    return {
        **EMPTY,
        "input": list(said.asked),
        "output": output,
        "finish_reason": said.more.get("finish_reason", ""),
        "model": said.more.get("model", ""),
        "usage": said.usage,
        **said.settings,
    }


COUNTED = {"pass": "passed", "fail": "failed", "error": "errored"}


def _counted(run: Row, row: Row) -> Row:
    counts = dict(run["result_counts"])
    counts["total"] += 1
    counts[COUNTED[row["status"]]] += 1
    criteria = [dict(one) for one in run["per_testing_criteria_results"]]
    for one, result in zip(criteria, row["results"], strict=False):
        one["passed" if result["passed"] else "failed"] += 1
    return {**run, "result_counts": counts, "per_testing_criteria_results": criteria}


def _added(before: list[dict[str, Any]], by_model: Mapping[str, Mapping[str, int]]) -> list[dict[str, Any]]:
    found = {row["model_name"]: dict(row) for row in before}
    for model, usage in by_model.items():
        row = found.setdefault(model, {"model_name": model, "invocation_count": 0, **NO_USAGE})
        for name, count in usage.items():
            row[name] += count
    return list(found.values())
