"""/v1/conversations: what several responses remember together. Items come in by hand, or with each response."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from wireproof.standin.call import Call
from wireproof.standin.paging import page
from wireproof.standin.refusals import invalid
from wireproof.standin.resources.responses.items import Item, kept, shown
from wireproof.standin.serving import serves
from wireproof.standin.store import Row
from wireproof.standin.wire import Answer, json_answer
from wireproof.standin.world import World

KIND = "conversations"
ITEMS = "conversation.items"
# Items that say what to do with a request and are nothing to remember.
NOT_KEPT = ("item_reference", "compaction_trigger")


def conversation_of(world: World, id: str) -> Row:
    return world.table(KIND).found(id, f"Conversation with id '{id}' not found.")


def conversation_id_of(body: Mapping[str, Any]) -> str | None:
    """The conversation a request belongs to, by name or as an object."""
    named = body.get("conversation")
    return named["id"] if isinstance(named, Mapping) else named


def items_of(world: World, id: str) -> list[Item]:
    """Oldest first."""
    return world.table(ITEMS, id).rows()


def append(world: World, id: str, items: Iterable[Item]) -> None:
    """At the end. Nothing happens to a conversation that has been deleted meanwhile."""
    if id in world.table(KIND):
        for item in items:
            world.table(ITEMS, id).put(item["id"], item)


@serves("createConversation")
def create(world: World, call: Call) -> Answer:
    items = _sent(call)
    row: Row = {
        "id": call.id("conv_"),
        "object": "conversation",
        "created_at": int(call.now),
        "metadata": call.body.get("metadata") or {},
    }
    world.table(KIND).put(row["id"], row)
    append(world, row["id"], items)
    return json_answer(row)


@serves("getConversation")
def retrieve(world: World, call: Call) -> Answer:
    return json_answer(_found(world, call))


@serves("updateConversation")
def update(world: World, call: Call) -> Answer:
    row = {**_found(world, call), "metadata": call.body["metadata"] or {}}
    world.table(KIND).put(row["id"], row)
    return json_answer(row)


@serves("deleteConversation")
def delete(world: World, call: Call) -> Answer:
    id = _found(world, call)["id"]
    world.table(KIND).delete(id)
    world.table(ITEMS, id).clear()
    return json_answer({"id": id, "object": "conversation.deleted", "deleted": True})


@serves("listConversationItems")
def list_items(world: World, call: Call) -> Answer:
    rows, include = items_of(world, _found(world, call)["id"]), call.query.get("include", [])
    return page(rows, call, shown=lambda item: shown(item, include))


@serves("createConversationItems")
def add_items(world: World, call: Call) -> Answer:
    id, items, include = _found(world, call)["id"], _sent(call), call.query.get("include", [])
    append(world, id, items)
    told = [shown(item, include) for item in items]
    first, last = (told[0]["id"], told[-1]["id"]) if told else (None, None)
    return json_answer({"object": "list", "data": told, "first_id": first, "last_id": last, "has_more": False})


@serves("getConversationItem")
def one_item(world: World, call: Call) -> Answer:
    return json_answer(shown(_item(world, call), call.query.get("include", [])))


@serves("deleteConversationItem")
def delete_item(world: World, call: Call) -> Answer:
    row, item = _found(world, call), _item(world, call)
    world.table(ITEMS, row["id"]).delete(item["id"])
    return json_answer(row)


def _sent(call: Call) -> list[Item]:
    items = call.body.get("items") or ()
    for at, item in enumerate(items):
        if item.get("type") in NOT_KEPT or (item.get("type") is None and "role" not in item):
            raise invalid(f"Items of type '{item.get('type')}' cannot be kept.", f"items[{at}].type", "invalid_value")
    return [kept(item, call.id, f"items[{at}]") for at, item in enumerate(items)]


def _found(world: World, call: Call) -> Row:
    return conversation_of(world, call.path["conversation_id"])


def _item(world: World, call: Call) -> Item:
    id = call.path["item_id"]
    table = world.table(ITEMS, _found(world, call)["id"])
    return table.found(id, f"Item with id '{id}' not found in this conversation.")
