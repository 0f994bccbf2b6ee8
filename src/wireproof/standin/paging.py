"""Cursor lists: one page of rows, by the `limit`, `order`, `after` and `before` of a call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wireproof.standin.call import Call
from wireproof.standin.refusals import invalid
from wireproof.standin.store import Row
from wireproof.standin.wire import Answer, json_answer


def page(
    rows: Sequence[Row],
    call: Call,
    *,
    with_ids: bool = True,
    key: str = "id",
    shown: Callable[[Row], Any] | None = None,
) -> Answer:
    """`{object: "list", data, first_id, last_id, has_more}`; without the two ids when the API gives none.

    `rows` come oldest first; an operation without an `order` keeps that. `key` names the field that cursors hold;
    `shown` makes of a row what is told, its public fields by default.
    """
    ordered = list(reversed(rows)) if call.query.get("order", "asc") == "desc" else list(rows)
    if after := call.query.get("after"):
        ordered = ordered[_place(ordered, key, after, "after") + 1 :]
    if before := call.query.get("before"):
        ordered = ordered[: _place(ordered, key, before, "before")]
    limit = call.query.get("limit") or len(ordered)
    # Going backwards, the page nearest to the cursor is meant.
    chosen = ordered[-limit:] if call.query.get("before") and not call.query.get("after") else ordered[:limit]
    listed: dict[str, Any] = {"object": "list", "data": [(shown or public)(row) for row in chosen]}
    if with_ids:
        listed["first_id"] = chosen[0][key] if chosen else None
        listed["last_id"] = chosen[-1][key] if chosen else None
    return json_answer({**listed, "has_more": len(ordered) > limit})


def public(row: Row) -> Row:
    """A row without its private fields, those that begin with an underscore."""
    return {name: value for name, value in row.items() if name[0] != "_"}


def _place(rows: Sequence[Row], key: str, cursor: str, param: str) -> int:
    at = next((at for at, row in enumerate(rows) if row[key] == cursor), None)
    if at is None:
        raise invalid(f"Invalid '{param}': no item with id '{cursor}'.", param, "invalid_value")
    return at
