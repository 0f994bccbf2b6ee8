"""The files of a store from `attach` on: read, cut and embedded piece by piece as time passes, or failed, or stopped.

A file of a store has the id of the File it was made from, and goes when that is deleted. Its text is not kept but
read again from the File; its chunks are.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from wireproof.standin.resources.files import KIND as KEPT
from wireproof.standin.resources.files import file_named
from wireproof.standin.resources.vector_stores.chunks import Sizes, first_chunks, sizes
from wireproof.standin.resources.vector_stores.kinds import BATCHES, CHUNKS, FILES
from wireproof.standin.resources.vector_stores.reading import Unreadable, text_of
from wireproof.standin.resources.vector_stores.vectors import embedded
from wireproof.standin.serving import deed
from wireproof.standin.store import Row
from wireproof.standin.world import World

# How long a file takes at the usual pace, and each that waits before it in the same request.
FILE_S = 1.5
QUEUED_S = 0.02
# What one deed takes in at once: a tenth of a second of work.
PIECE_CHARACTERS = 250_000


def check_files(world: World, file_ids: Iterable[str], param: str = "file_ids") -> None:
    """Refuses ids that no File has."""
    for id in file_ids:
        file_named(world, id, param)


def attach(
    world: World, store_id: str, file_id: str, by: Sizes, attributes: Any, *, batch_id: str = "", number: int = 0
) -> Row:
    """A new file of the store, in the place of one that was made from the same File. `number` of its request."""
    table = world.table(FILES, store_id)
    if (older := table.get(file_id)) is not None:
        detach(world, store_id, older)
    row = {
        "id": file_id,
        "object": "vector_store.file",
        "created_at": int(world.now),
        "vector_store_id": store_id,
        "usage_bytes": 0,
        "status": "in_progress",
        "last_error": None,
        "chunking_strategy": by.told(),
        "attributes": attributes or {},
        "_batch": batch_id,
        "_serial": world.serial(),
        "_chunks": 0,
        "_from": 0,
    }
    table.put(file_id, row)
    world.at(world.now + world.lasts(FILE_S + QUEUED_S * number), "vector_stores.take_in", _deed_id(row))
    return row


def detach(world: World, store_id: str, row: Row) -> None:
    """Takes a file out of the store, with its chunks."""
    stop(world, row)
    chunks = world.table(CHUNKS, store_id)
    for number in range(row["_chunks"]):
        chunks.delete(f"{row['id']}/{number}")
    world.table(FILES, store_id).delete(row["id"])


def stop(world: World, row: Row) -> None:
    """Cancels a file that is not taken in yet; any other stays as it is."""
    if row["status"] == "in_progress":
        _end(world, row, "cancelled")


def files_of(world: World, store_id: str) -> list[Row]:
    """Oldest first. Those whose File has been deleted are gone."""
    table, kept = world.table(FILES, store_id), world.table(KEPT)
    for row in table.rows():
        if row["id"] not in kept:
            detach(world, store_id, row)
    return table.rows()


def found_file(world: World, store_id: str, file_id: str) -> Row:
    table = world.table(FILES, store_id)
    row = table.get(file_id)
    if row is not None and file_id not in world.table(KEPT):
        detach(world, store_id, row)
    return table.found(file_id, f"No file found with id '{file_id}' in vector store '{store_id}'.", "file_id")


def read(world: World, file_id: str) -> str:
    """The text of a File. Raises Unreadable."""
    table = world.table(KEPT)
    file = table.get(file_id)
    return text_of(file["filename"] if file else "", table.data(file_id))


@deed("vector_stores.take_in")
def take_in(world: World, id: str, now: float) -> None:
    """The next piece of a file, and when there is none left, its end."""
    store_id, file_id, serial = id.split("/")
    row = world.table(FILES, store_id).get(file_id)
    if row is None or row["_serial"] != serial or row["status"] != "in_progress":
        return
    if file_id not in world.table(KEPT):
        detach(world, store_id, row)
        return
    try:
        text = read(world, file_id)
    except Unreadable as reason:
        _end(world, row, "failed", {"code": reason.code, "message": str(reason)})
        return
    by = sizes(row["chunking_strategy"])
    chunks, end = first_chunks(text[row["_from"] :], by, PIECE_CHARACTERS)
    table = world.table(CHUNKS, store_id)
    for number, chunk in enumerate(chunks, row["_chunks"]):
        embedded(chunk)
        table.put(f"{file_id}/{number}", {"file_id": file_id, "text": chunk})
    row = {
        **row,
        "usage_bytes": row["usage_bytes"] + sum(len(chunk.encode("utf-8", "replace")) for chunk in chunks),
        "_chunks": row["_chunks"] + len(chunks),
        "_from": None if end is None else row["_from"] + end,
    }
    if end is None:
        _end(world, row, "completed")
    else:
        world.table(FILES, store_id).put(file_id, row)
        world.at(now, "vector_stores.take_in", id)


def _end(world: World, row: Row, status: str, error: Any = None) -> None:
    store_id = row["vector_store_id"]
    world.table(FILES, store_id).put(row["id"], {**row, "status": status, "last_error": error})
    batches = world.table(BATCHES, store_id)
    if (batch := batches.get(row["_batch"])) is not None:
        batches.put(batch["id"], counted(batch, status))


def counted(batch: Row, status: str) -> Row:
    """The batch when one of its files has come to `status`. It ends with the last of them, failed if none is in."""
    counts = batch["file_counts"]
    counts = {**counts, "in_progress": counts["in_progress"] - 1, status: counts[status] + 1}
    is_over = batch["status"] == "in_progress" and counts["in_progress"] == 0
    ended = "failed" if counts["failed"] == counts["total"] else "completed"
    return {**batch, "file_counts": counts, "status": ended if is_over else batch["status"]}


def _deed_id(row: Row) -> str:
    return f"{row['vector_store_id']}/{row['id']}/{row['_serial']}"
