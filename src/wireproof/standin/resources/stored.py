"""Stored chat completions: those made with `store: true`, listed, read, renamed by metadata, deleted.

A row of the table is `{id, completion, messages, asked_model}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wireproof.standin.call import Call
from wireproof.standin.conversation import Message, parts, text_of
from wireproof.standin.paging import page
from wireproof.standin.refusals import missing
from wireproof.standin.serving import serves
from wireproof.standin.store import Row
from wireproof.standin.wire import Answer, json_answer
from wireproof.standin.world import World

KIND = "chat.completions"


def keep(world: World, completion: Mapping[str, Any], body: Mapping[str, Any]) -> None:
    id = completion["id"]
    row = {"id": id, "completion": completion, "messages": body["messages"], "asked_model": body["model"]}
    world.table(KIND).put(id, row)


@serves("listChatCompletions")
def listed(world: World, call: Call) -> Answer:
    wanted, model = call.query.get("metadata", {}), call.query.get("model")
    rows = [
        row
        for row in world.table(KIND).rows()
        if model in (None, row["asked_model"], row["completion"]["model"])
        and wanted.items() <= (row["completion"].get("metadata") or {}).items()
    ]
    return page(rows, call, shown=lambda row: row["completion"])


@serves("getChatCompletion")
def one(world: World, call: Call) -> Answer:
    return json_answer(_found(world, call)["completion"])


@serves("getChatCompletionMessages")
def messages(world: World, call: Call) -> Answer:
    row = _found(world, call)
    return page([_message(f"{row['id']}-{at}", message) for at, message in enumerate(row["messages"])], call)


@serves("updateChatCompletion")
def update(world: World, call: Call) -> Answer:
    row = _found(world, call)
    if "metadata" not in call.body:
        raise missing("metadata")
    changed = {**row, "completion": {**row["completion"], "metadata": call.body["metadata"] or {}}}
    world.table(KIND).put(row["id"], changed)
    return json_answer(changed["completion"])


@serves("deleteChatCompletion")
def delete(world: World, call: Call) -> Answer:
    id = _found(world, call)["id"]
    world.table(KIND).delete(id)
    return json_answer({"object": "chat.completion.deleted", "id": id, "deleted": True})


def _found(world: World, call: Call) -> Row:
    id = call.path["completion_id"]
    return world.table(KIND).found(id, f"No stored chat completion with id '{id}' was found.", "completion_id")


def _message(id: str, message: Message) -> dict[str, Any]:
    """A stored message: its text in `content`, its parts, when it came in parts, in `content_parts`."""
    content = message.get("content")
    kept = {key: value for key, value in message.items() if key not in ("content", "role")}
    return {
        "id": id,
        "role": message["role"],
        "content": text_of(message) if content is not None else None,
        "refusal": None,
        **kept,
        "content_parts": parts(message) if isinstance(content, list) else None,
    }
