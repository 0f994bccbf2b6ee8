"""Assistants: a model with instructions and tools, kept under an id. A run takes from it what it is not told."""

from __future__ import annotations

from typing import Any

from wireproof.standin.call import Call
from wireproof.standin.paging import page
from wireproof.standin.refusals import invalid
from wireproof.standin.resources.assistants.tool_resources import resources
from wireproof.standin.serving import serves
from wireproof.standin.store import Row
from wireproof.standin.wire import Answer, json_answer
from wireproof.standin.world import World

KIND = "assistants"
# What a field is when nothing, or null, is said of it.
DEFAULTS: Row = {
    "name": None,
    "description": None,
    "instructions": None,
    "reasoning_effort": None,
    "tools": [],
    "metadata": {},
    "temperature": 1.0,
    "top_p": 1.0,
    "response_format": "auto",
}


def assistant_named(world: World, id: str, param: str | None = None) -> Row:
    return world.table(KIND).found(id, f"No assistant found with id '{id}'.", param)


def check_model(world: World, name: str) -> None:
    """Source: OBS, as recorded of this API: 400, other than the 404 of chat completions."""
    model = world.models.get(name)
    if model is None:
        raise invalid(f"The requested model '{name}' does not exist.", "model", "model_not_found")
    if model.kind != "chat":
        raise invalid(f"The requested model '{name}' cannot be used with the Assistants API.", "model",
                      "unsupported_model")  # fmt: skip


@serves("createAssistant")
def create(world: World, call: Call) -> Answer:
    check_model(world, call.body["model"])
    row = {
        "id": call.id("asst_"),
        "object": "assistant",
        "created_at": int(call.now),
        "model": call.body["model"],
        **{name: _given(call.body, name, default) for name, default in DEFAULTS.items()},
        "tool_resources": resources(world, call, call.body.get("tool_resources")),
    }
    world.table(KIND).put(row["id"], row)
    return json_answer(row)


@serves("listAssistants")
def listed(world: World, call: Call) -> Answer:
    return page(world.table(KIND).rows(), call)


@serves("getAssistant")
def get(world: World, call: Call) -> Answer:
    return json_answer(assistant_named(world, call.path["assistant_id"]))


@serves("modifyAssistant")
def modify(world: World, call: Call) -> Answer:
    row = assistant_named(world, call.path["assistant_id"])
    if "model" in call.body:
        check_model(world, call.body["model"])
    changed = {name: _given(call.body, name, DEFAULTS.get(name)) for name in call.body}
    if "tool_resources" in call.body:
        changed["tool_resources"] = resources(world, call, call.body["tool_resources"])
    row = {**row, **changed}
    world.table(KIND).put(row["id"], row)
    return json_answer(row)


@serves("deleteAssistant")
def delete(world: World, call: Call) -> Answer:
    id = assistant_named(world, call.path["assistant_id"])["id"]
    world.table(KIND).delete(id)
    return json_answer({"id": id, "object": "assistant.deleted", "deleted": True})


def _given(body: Row, name: str, default: Any) -> Any:
    return default if body.get(name) is None else body[name]
