"""/v1/vector_stores/{id}/file_batches: many files taken in by one write, counted together, stopped together."""

from __future__ import annotations

from typing import Any

from wireproof.standin.call import Call
from wireproof.standin.paging import page
from wireproof.standin.refusals import invalid
from wireproof.standin.resources.vector_stores.chunks import Sizes, sizes
from wireproof.standin.resources.vector_stores.files import count_write, in_state, polled
from wireproof.standin.resources.vector_stores.intake import attach, check_files, files_of, stop
from wireproof.standin.resources.vector_stores.kinds import BATCHES, STATES
from wireproof.standin.resources.vector_stores.stores import found, usable
from wireproof.standin.serving import serves
from wireproof.standin.store import Row
from wireproof.standin.wire import Answer
from wireproof.standin.world import World


@serves("createVectorStoreFileBatch")
def create(world: World, call: Call) -> Answer:
    store = usable(world, call.path["vector_store_id"])
    count_write(world, store["id"])
    files = asked(call.body)
    check_files(world, files, "files" if "files" in call.body else "file_ids")
    row = {
        "id": call.id("vsfb_"),
        "object": "vector_store.files_batch",
        "created_at": int(call.now),
        "vector_store_id": store["id"],
        "status": "in_progress",
        "file_counts": {**dict.fromkeys(STATES, 0), "in_progress": len(files), "total": len(files)},
    }
    world.table(BATCHES, store["id"]).put(row["id"], row)
    for number, (file_id, (by, attributes)) in enumerate(files.items()):
        attach(world, store["id"], file_id, by, attributes, batch_id=row["id"], number=number)
    return polled(world, row)


@serves("getVectorStoreFileBatch")
def retrieve(world: World, call: Call) -> Answer:
    return polled(world, _batch(world, call))


@serves("cancelVectorStoreFileBatch")
def cancel(world: World, call: Call) -> Answer:
    """What is not taken in yet never will be. Cancelling twice is one cancellation."""
    row = _batch(world, call)
    if row["status"] in ("completed", "failed"):
        raise invalid(f"Cannot cancel a file batch with status '{row['status']}'.", "batch_id")
    batches = world.table(BATCHES, row["vector_store_id"])
    batches.put(row["id"], {**row, "status": "cancelled"})
    for file in _files(world, row):
        stop(world, file)
    return polled(world, batches.found(row["id"], ""))


@serves("listFilesInVectorStoreBatch")
def list_files(world: World, call: Call) -> Answer:
    return page(in_state(_files(world, _batch(world, call)), call), call)


def asked(body: dict[str, Any]) -> dict[str, tuple[Sizes, Any]]:
    """How to cut each file, and its attributes, by id. The settings of the whole are for `file_ids` only."""
    if "files" in body:
        return {
            one["file_id"]: (
                sizes(one.get("chunking_strategy"), f"files[{at}].chunking_strategy"),
                one.get("attributes"),
            )
            for at, one in enumerate(body["files"])
        }
    return dict.fromkeys(body["file_ids"], (sizes(body.get("chunking_strategy")), body.get("attributes")))


def _batch(world: World, call: Call) -> Row:
    store, id = found(world, call.path["vector_store_id"]), call.path["batch_id"]
    files_of(world, store["id"])  # a File that was deleted counts as cancelled
    message = f"No file batch found with id '{id}' in vector store '{store['id']}'."
    return world.table(BATCHES, store["id"]).found(id, message, "batch_id")


def _files(world: World, batch: Row) -> list[Row]:
    return [file for file in files_of(world, batch["vector_store_id"]) if file["_batch"] == batch["id"]]
