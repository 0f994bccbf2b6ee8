"""The items of a conversation in their order, and the same as the messages of a chat, for whoever answers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from wireproof.standin.refusals import Refused, invalid

Item = dict[str, Any]

# By the guide to costs: a token for each 100 ms of a user, for each 50 ms of the assistant.
USER_MS_A_TOKEN = 100
ASSISTANT_MS_A_TOKEN = 50
FIRST = "root"


class Memory:
    """`audio_ms` is how long the sound of an item is, by its id; items without sound are not in it."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self.audio_ms: dict[str, float] = {}
        self._order: list[str] = []

    @property
    def last_id(self) -> str | None:
        return self._order[-1] if self._order else None

    def place(self, item: Item, after: str | None = None) -> str | None:
        """Adds an item at the end, after another, or first of all; the id of the one before it."""
        if item["id"] in self.items:
            raise invalid(f"Error adding item: an item with id '{item['id']}' already exists.", "item.id",
                          "item_create_duplicate_item_id")  # fmt: skip
        if after is None:
            at = len(self._order)
        elif after == FIRST:
            at = 0
        elif after in self.items:
            at = self._order.index(after) + 1
        else:
            raise absent("add", after, "previous_item_id")
        self._order.insert(at, item["id"])
        self.items[item["id"]] = item
        return self._order[at - 1] if at else None

    def found(self, id: str, verb: str) -> Item:
        if id not in self.items:
            raise absent(verb, id, "item_id")
        return self.items[id]

    def change(self, item: Item) -> None:
        """Another state of an item; nothing where it was deleted meanwhile."""
        if item["id"] in self.items:
            self.items[item["id"]] = item

    def drop(self, id: str) -> None:
        self.found(id, "delete")
        self._order.remove(id)
        del self.items[id]
        self.audio_ms.pop(id, None)

    def before(self, id: str) -> str | None:
        at = self._order.index(id) if id in self.items else 0
        return self._order[at - 1] if at else None

    def in_order(self) -> list[Item]:
        return [self.items[id] for id in self._order]

    def audio_tokens(self, items: Iterable[Item]) -> int:
        return sum(
            int(self.audio_ms.get(item.get("id", ""), 0))
            // (ASSISTANT_MS_A_TOKEN if item.get("role") == "assistant" else USER_MS_A_TOKEN)
            for item in items
        )


def absent(verb: str, id: str, param: str) -> Refused:
    return invalid(
        f"Error {verb.rstrip('e')}ing item: the item with id '{id}' does not exist.",
        param,
        f"item_{verb}_invalid_item_id",
    )


def as_chat(items: Iterable[Item], instructions: str | None) -> list[dict[str, Any]]:
    """Messages that say what the items say; sound by its transcript, results after their calls."""
    messages: list[dict[str, Any]] = [{"role": "system", "content": instructions}] if instructions else []
    for item in items:
        if item["type"] == "message":
            messages.append({"role": item["role"], "content": [*map(_part, item["content"])]})
        elif item["type"] == "function_call":
            messages.append({"role": "assistant", "content": None, "tool_calls": [_call(item)]})
        elif item["type"] == "function_call_output":
            messages.append({"role": "tool", "tool_call_id": item["call_id"], "content": item["output"]})
        else:
            messages.append({"role": "system", "content": json.dumps(item)})
    return messages


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    if part.get("type") == "input_image":
        return {
            "type": "image_url",
            "image_url": {"url": part.get("image_url", ""), "detail": part.get("detail", "auto")},
        }
    return {"type": "text", "text": part.get("text") or part.get("transcript") or ""}


def _call(item: Mapping[str, Any]) -> dict[str, Any]:
    function = {"name": item["name"], "arguments": item["arguments"]}
    return {"id": item.get("call_id", ""), "type": "function", "function": function}
