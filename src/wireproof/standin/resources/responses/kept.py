"""Responses that were stored: read, told again, cancelled, forgotten; and what they were given.

A row: `{id, response, input, started, ends, reasoning_tokens, partial_images, include, pads}`, and of a cancelled
one `whole` and `cancelled_at`. One with a `socket` was not to be stored, and is there for that socket alone.
"""

from __future__ import annotations

from typing import Any

from wireproof.standin.call import Call
from wireproof.standin.paging import page
from wireproof.standin.refusals import invalid, not_found
from wireproof.standin.resources.responses.asked import KIND
from wireproof.standin.resources.responses.items import shown
from wireproof.standin.resources.responses.timeline import at_moment, frames, moments
from wireproof.standin.serving import serves
from wireproof.standin.store import Row
from wireproof.standin.wire import EVENT_STREAM, Answer, json_answer
from wireproof.standin.world import World

# Responses are kept without being asked to; a load test must not fill the memory with them.
MOST_KEPT = 20_000


def keep(world: World, row: Row, most: int = MOST_KEPT) -> None:
    """The oldest are forgotten when there are too many."""
    table = world.table(KIND)
    table.put(row["id"], row)
    while len(table) > most:
        table.delete(next(iter(table)))


@serves("getResponse")
def retrieve(world: World, call: Call) -> Answer:
    row = _found(world, call)
    include = call.query.get("include", [])
    if not call.query.get("stream"):
        for name in ("starting_after", "include_obfuscation"):
            if call.query.get(name) is not None:
                raise invalid(f"The '{name}' parameter is only allowed when 'stream' is enabled.", name)
        return json_answer(at_moment(world, row, call.now, include))
    last_seen = call.query.get("starting_after", -1)
    left = [
        moment
        for moment in moments(world, row, [*include, *row["include"]])
        if moment.event["sequence_number"] > last_seen
    ]
    pads = call.query.get("include_obfuscation", row["pads"])
    return Answer(200, EVENT_STREAM, frames=frames(left, call.now, obfuscated=pads, seed=row["id"]))


@serves("cancelResponse")
def cancel(world: World, call: Call) -> Answer:
    row = _found(world, call)
    if not row["response"]["background"]:
        raise invalid("Cannot cancel a synchronous response.")
    if call.now < row["ends"]:
        whole = row["response"]
        stopped = {**at_moment(world, row, call.now, row["include"]), "status": "cancelled"}
        row = {**row, "response": stopped, "whole": whole, "cancelled_at": call.now, "ends": call.now}
        world.table(KIND).put(row["id"], row)
    return json_answer(at_moment(world, row, call.now, row["include"]))


@serves("deleteResponse")
def delete(world: World, call: Call) -> Answer:
    id = _found(world, call)["id"]
    world.table(KIND).delete(id)
    return json_answer({"id": id, "object": "response", "deleted": True})


@serves("listInputItems")
def input_items(world: World, call: Call) -> Answer:
    include: Any = call.query.get("include", [])
    return page(_found(world, call)["input"], call, shown=lambda item: shown(item, include))


def _found(world: World, call: Call) -> Row:
    id = call.path["response_id"]
    message = f"Response with id '{id}' not found."
    row = world.table(KIND).found(id, message, "response_id")
    if row.get("socket") is not None:
        raise not_found(message, "response_id")
    return row
