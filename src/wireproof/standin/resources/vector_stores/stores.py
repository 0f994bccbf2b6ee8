"""/v1/vector_stores: stores made, listed, changed, deleted; their counts are those of their files at the moment."""

from __future__ import annotations

from collections import Counter
from typing import Any

from wireproof.standin.call import Call
from wireproof.standin.paging import page, public
from wireproof.standin.refusals import invalid
from wireproof.standin.resources.vector_stores.chunks import sizes
from wireproof.standin.resources.vector_stores.intake import attach, check_files, files_of
from wireproof.standin.resources.vector_stores.kinds import BATCHES, CHUNKS, FILES, STATES, STORES
from wireproof.standin.serving import serves
from wireproof.standin.store import Row
from wireproof.standin.wire import Answer, json_answer
from wireproof.standin.world import World

DAY_S = 86_400


@serves("createVectorStore")
def create(world: World, call: Call) -> Answer:
    body = call.body
    file_ids = list(dict.fromkeys(body.get("file_ids", ())))
    by = sizes(body.get("chunking_strategy"))
    check_files(world, file_ids)
    row = {
        "id": call.id("vs_"),
        "object": "vector_store",
        "created_at": int(call.now),
        "name": body.get("name", ""),
        "description": body.get("description"),
        "expires_after": body.get("expires_after"),
        "last_active_at": int(call.now),
        "metadata": body.get("metadata") or {},
    }
    world.table(STORES).put(row["id"], row)
    for number, file_id in enumerate(file_ids):
        attach(world, row["id"], file_id, by, None, number=number)
    return json_answer(told(world, row))


@serves("listVectorStores")
def list_stores(world: World, call: Call) -> Answer:
    return page(world.table(STORES).rows(), call, shown=lambda row: told(world, row))


@serves("getVectorStore")
def retrieve(world: World, call: Call) -> Answer:
    return json_answer(told(world, found(world, call.path["vector_store_id"])))


@serves("modifyVectorStore")
def modify(world: World, call: Call) -> Answer:
    row = usable(world, call.path["vector_store_id"])
    row = {**row, **call.body}
    row |= {"name": row["name"] or "", "metadata": row["metadata"] or {}}
    world.table(STORES).put(row["id"], row)
    return json_answer(told(world, row))


@serves("deleteVectorStore")
def delete(world: World, call: Call) -> Answer:
    id = found(world, call.path["vector_store_id"])["id"]
    world.table(STORES).delete(id)
    for kind in (FILES, CHUNKS, BATCHES):
        world.table(kind, id).clear()
    return json_answer({"id": id, "object": "vector_store.deleted", "deleted": True})


def told(world: World, row: Row) -> dict[str, Any]:
    """A store as it is answered."""
    files = files_of(world, row["id"])
    states = Counter(file["status"] for file in files)
    status = "expired" if is_expired(world, row) else "in_progress" if states["in_progress"] else "completed"
    return {
        **public(row),
        "usage_bytes": sum(file["usage_bytes"] for file in files),
        "file_counts": {**{state: states[state] for state in STATES}, "total": len(files)},
        "status": status,
        "expires_at": expires_at(row),
    }


def found(world: World, id: str) -> Row:
    """The store, or a 404."""
    return world.table(STORES).found(id, f"Vector store with id '{id}' not found.", "vector_store_id")


def usable(world: World, id: str) -> Row:
    """The store, active from now on; refuses one that is unknown or has expired."""
    row = found(world, id)
    if is_expired(world, row):
        raise invalid(f"Vector store '{id}' is expired.", "vector_store_id", "vector_store_expired")
    row = {**row, "last_active_at": int(world.now)}
    world.table(STORES).put(id, row)
    return row


def expires_at(row: Row) -> int | None:
    after = row["expires_after"]
    return int(row["last_active_at"]) + int(after["days"]) * DAY_S if after else None


def is_expired(world: World, row: Row) -> bool:
    end = expires_at(row)
    return end is not None and world.now >= end
