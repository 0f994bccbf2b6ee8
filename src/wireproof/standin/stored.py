"""Stored chat completions: those made with `store: true`, listed, read, renamed by metadata, deleted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from wireproof.standin.conversation import Message, parts, text_of
from wireproof.standin.refusals import invalid, missing, not_found, wrong_type
from wireproof.standin.wire import Answer, json_answer

DEFAULT_LIMIT = 20
MOST_LIMIT = 100
METADATA_FILTER = re.compile(r"metadata\[(.+)\]")


@dataclass(frozen=True, slots=True)
class Stored:
    """A kept `chat.completion` and the messages it answered."""

    completion: Mapping[str, Any]
    messages: tuple[Message, ...]
    asked_model: str

    @property
    def id(self) -> str:
        return str(self.completion["id"])


class Shelf:
    """Completions by id, in order of creation."""

    def __init__(self) -> None:
        self._kept: dict[str, Stored] = {}

    def keep(self, stored: Stored) -> None:
        self._kept[stored.id] = stored

    def list(self, query: Mapping[str, str]) -> Answer:
        wanted = {found[1]: value for key, value in query.items() if (found := METADATA_FILTER.fullmatch(key))}
        rows = [
            dict(one.completion)
            for one in self._kept.values()
            if query.get("model") in (None, one.asked_model, one.completion["model"])
            and wanted.items() <= (one.completion.get("metadata") or {}).items()
        ]
        return page(rows, query)

    def get(self, id: str) -> Answer:
        return json_answer(self._found(id).completion)

    def messages(self, id: str, query: Mapping[str, str]) -> Answer:
        stored = self._found(id)
        return page([_message(f"{id}-{at}", message) for at, message in enumerate(stored.messages)], query)

    def update(self, id: str, body: Mapping[str, Any]) -> Answer:
        stored = self._found(id)
        if "metadata" not in body:
            raise missing("metadata")
        stored = replace(stored, completion={**stored.completion, "metadata": body["metadata"] or {}})
        self._kept[id] = stored
        return json_answer(stored.completion)

    def delete(self, id: str) -> Answer:
        del self._kept[self._found(id).id]
        return json_answer({"object": "chat.completion.deleted", "id": id, "deleted": True})

    def clear(self) -> None:
        self._kept.clear()

    def _found(self, id: str) -> Stored:
        if id not in self._kept:
            raise not_found(f"No stored chat completion with id '{id}' was found.", "completion_id")
        return self._kept[id]


def page(rows: Sequence[dict[str, Any]], query: Mapping[str, str]) -> Answer:
    """One page of a cursor list. `rows` come oldest first; `order`, `after` and `limit` are the query's."""
    order = query.get("order", "asc")
    if order not in ("asc", "desc"):
        raise invalid(f"Invalid value: '{order}'. Supported values are: 'asc', 'desc'.", "order", "invalid_value")
    limit = _limit(query.get("limit"))
    ordered = list(rows) if order == "asc" else list(reversed(rows))
    after = query.get("after")
    if after:
        at = next((at for at, row in enumerate(ordered) if row["id"] == after), None)
        if at is None:
            raise invalid(f"Invalid 'after': no item with id '{after}'.", "after", "invalid_value")
        ordered = ordered[at + 1 :]
    shown = ordered[:limit]
    return json_answer(
        {
            "object": "list",
            "data": shown,
            "first_id": shown[0]["id"] if shown else None,
            "last_id": shown[-1]["id"] if shown else None,
            "has_more": len(ordered) > limit,
        }
    )


def _limit(asked: str | None) -> int:
    if asked is None:
        return DEFAULT_LIMIT
    if not re.fullmatch(r"-?\d+", asked):
        raise wrong_type("limit", "an integer", asked)
    limit = int(asked)
    if limit < 1:
        raise invalid(f"Invalid 'limit': integer below minimum value. Expected a value >= 1, but got {limit} instead.",
                      "limit", "integer_below_min_value")  # fmt: skip
    if limit > MOST_LIMIT:
        raise invalid(f"Invalid 'limit': integer above maximum value. Expected a value <= {MOST_LIMIT}, but got "
                      f"{limit} instead.", "limit", "integer_above_max_value")  # fmt: skip
    return limit


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
