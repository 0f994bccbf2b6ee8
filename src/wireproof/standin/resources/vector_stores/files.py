"""/v1/vector_stores/{id}/files: taken in one by one, listed, labelled for filters, read, taken out."""

from __future__ import annotations

from wireproof.standin.call import Call
from wireproof.standin.paging import page, public
from wireproof.standin.refusals import Refused
from wireproof.standin.resources.vector_stores.chunks import Sizes, cut, sizes
from wireproof.standin.resources.vector_stores.intake import (
    attach,
    check_files,
    detach,
    files_of,
    found_file,
    read,
)
from wireproof.standin.resources.vector_stores.kinds import FILES
from wireproof.standin.resources.vector_stores.stores import found, usable
from wireproof.standin.serving import serves
from wireproof.standin.store import Row
from wireproof.standin.wire import Answer, json_answer
from wireproof.standin.world import World
from wireproof.tiers import Limits, scaled

# Source: the rate-limits guide: writes of files and of batches together, for each store, at every tier.
WRITES_A_MINUTE = 300
# When a client that waits should ask again. Source: the SDK, which heeds this header before its own second.
POLL_AFTER_MS = 500


@serves("createVectorStoreFile")
def create(world: World, call: Call) -> Answer:
    store = usable(world, call.path["vector_store_id"])
    count_write(world, store["id"])
    by = sizes(call.body.get("chunking_strategy"))
    check_files(world, [call.body["file_id"]], "file_id")
    row = attach(world, store["id"], call.body["file_id"], by, call.body.get("attributes"))
    return polled(world, row)


@serves("listVectorStoreFiles")
def list_files(world: World, call: Call) -> Answer:
    store = found(world, call.path["vector_store_id"])
    return page(in_state(files_of(world, store["id"]), call), call)


@serves("getVectorStoreFile")
def retrieve(world: World, call: Call) -> Answer:
    return polled(world, _file(world, call))


@serves("updateVectorStoreFileAttributes")
def update(world: World, call: Call) -> Answer:
    row = {**_file(world, call), "attributes": call.body["attributes"] or {}}
    world.table(FILES, row["vector_store_id"]).put(row["id"], row)
    return json_answer(public(row))


@serves("deleteVectorStoreFile")
def delete(world: World, call: Call) -> Answer:
    row = _file(world, call)
    detach(world, row["vector_store_id"], row)
    return json_answer({"id": row["id"], "object": "vector_store.file.deleted", "deleted": True})


@serves("retrieveVectorStoreFileContent")
def content(world: World, call: Call) -> Answer:
    """The text in pieces of a chunk's size that do not overlap; none before the file is taken in."""
    row = _file(world, call)
    whole = Sizes(sizes(row["chunking_strategy"]).most, 0)
    pieces = cut(read(world, row["id"]), whole) if row["status"] == "completed" else []
    return json_answer(
        {
            "object": "vector_store.file_content.page",
            "data": [{"type": "text", "text": piece} for piece in pieces],
            "has_more": False,
            "next_page": None,
        }
    )


def count_write(world: World, store_id: str) -> None:
    """One write of files to the store; refuses it when there were too many in the last minute."""
    limits = scaled(Limits(world.setup.tier, f"writes to {store_id}", WRITES_A_MINUTE, 1), world.setup.scale)
    rejection = world.limiter.take("", limits, store_id, 0, world.now).rejection
    if rejection is not None:
        raise Refused(rejection)


def polled(world: World, row: Row) -> Answer:
    """A row that clients ask for again until it is no longer in progress."""
    answer = json_answer(public(row))
    if row["status"] != "in_progress":
        return answer
    return answer.with_header("openai-poll-after-ms", str(max(1, round(world.lasts(POLL_AFTER_MS)))))


def in_state(rows: list[Row], call: Call) -> list[Row]:
    """Those in the state that the query names, if it names one."""
    state = call.query.get("filter")
    return [row for row in rows if state in (None, row["status"])]


def _file(world: World, call: Call) -> Row:
    return found_file(world, found(world, call.path["vector_store_id"])["id"], call.path["file_id"])
