"""Evals themselves: what an item looks like, by what it is judged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wireproof.spec import schema_breaches
from wireproof.standin.call import Call
from wireproof.standin.grading.checks import check_grader
from wireproof.standin.paging import page, public
from wireproof.standin.refusals import invalid
from wireproof.standin.resources.evals.runs import EVALS, forget_runs
from wireproof.standin.serving import serves
from wireproof.standin.store import Row
from wireproof.standin.wire import Answer, json_answer
from wireproof.standin.world import World

UNNAMED = "Unnamed eval"
# What the `sample` of an item holds, as templates may name it.
SAMPLE = {
    "type": "object",
    "properties": {
        "output_text": {"type": "string"},
        "output_json": {},
        "output_tools": {"type": "array", "items": {"type": "object"}},
        "model": {"type": "string"},
    },
}


@serves("createEval")
def create(world: World, call: Call) -> Answer:
    body = call.body
    for at, criterion in enumerate(body["testing_criteria"]):
        check_grader(criterion, f"testing_criteria[{at}]", world.models)
    row = {
        "id": call.id("eval_"),
        "object": "eval",
        "created_at": int(call.now),
        "name": body.get("name") or UNNAMED,
        "metadata": body.get("metadata") or {},
        "data_source_config": _data(body["data_source_config"]),
        "testing_criteria": body["testing_criteria"],
        "_updated_at": call.now,
    }
    world.table(EVALS).put(row["id"], row)
    return json_answer(public(row), 201)


@serves("listEvals")
def listed(world: World, call: Call) -> Answer:
    rows = world.table(EVALS).rows()
    if call.query["order_by"] == "updated_at":
        rows.sort(key=lambda row: row["_updated_at"])
    return page(rows, call)


@serves("getEval")
def one(world: World, call: Call) -> Answer:
    return json_answer(public(eval_named(world, call)))


@serves("updateEval")
def update(world: World, call: Call) -> Answer:
    row = eval_named(world, call)
    given: Row = {name: call.body[name] for name in ("name", "metadata") if name in call.body}
    changed: Row = {**row, **given, "_updated_at": call.now}
    world.table(EVALS).put(row["id"], changed)
    return json_answer(public(changed))


@serves("deleteEval")
def delete(world: World, call: Call) -> Answer:
    id = eval_named(world, call)["id"]
    forget_runs(world, id)
    world.table(EVALS).delete(id)
    return json_answer({"object": "eval.deleted", "deleted": True, "eval_id": id})


def eval_named(world: World, call: Call) -> Row:
    id = call.path["eval_id"]
    return world.table(EVALS).found(id, f"Eval with id '{id}' not found.", "eval_id")


def _data(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The data source as it is told: with the schema of a whole item, `item` and `sample`."""
    if asked["type"] == "custom":
        _check_schema(asked["item_schema"])
        schema = _whole(asked["item_schema"], with_sample=asked.get("include_sample_schema", False))
        return {"type": "custom", "schema": schema}
    schema = _whole({"type": "object"}, with_sample=True)
    return {"type": asked["type"], "metadata": asked.get("metadata") or {}, "schema": schema}


def _whole(item: Mapping[str, Any], *, with_sample: bool) -> dict[str, Any]:
    properties: dict[str, Any] = {"item": item}
    if with_sample:
        properties["sample"] = SAMPLE
    return {"type": "object", "properties": properties, "required": list(properties)}


def _check_schema(schema: Mapping[str, Any]) -> None:
    try:
        schema_breaches(schema, {})
    except (ValueError, LookupError, RecursionError) as wrong:
        raise invalid(f"Invalid item schema: {str(wrong).splitlines()[0]}", "data_source_config.item_schema",
                      "invalid_schema") from None  # fmt: skip
