"""The files of vector stores: taken in one by one or many at once, told, counted, listed, labelled and taken out.

No probes of its own: the flow of vector_stores.py takes them in.
"""

from __future__ import annotations

from collections.abc import Sequence

from wireproof.clause import (
    Exchange,
    File,
    Inconclusive,
    NotApplicable,
    answered,
    clause,
    expect,
    shown,
    steps,
)

from ._life import (
    asked_for,
    expect_gone,
    expect_moves,
    expect_same,
    expect_turned_down,
    ids_of,
    is_final,
    is_ok,
    of_path,
    rows_of,
    served,
)
from ._reading import maybe_object
from ._stores import (
    BREAD,
    CHUNKING,
    ICE,
    LIFE,
    MARKS,
    NEW_MARKS,
    SENT,
    TOWER,
    UNKNOWN_FILE,
    counts_of,
    file_ids,
    file_told,
    is_completed,
    sent_as,
    store_of,
    store_path,
)


def _taken(exchanges: Sequence[Exchange]) -> list[File]:
    """The files that were taken in one by one."""
    store_of(exchanges)
    found = [file for file in (TOWER, ICE) if _is_told(exchanges, file)]
    if not found:
        first = asked_for(exchanges, "createVectorStoreFile", lambda e: e.request.asked.get("file_id") != UNKNOWN_FILE)
        served(first, "a file of the store")
    return found


def _is_told(exchanges: Sequence[Exchange], file: File) -> bool:
    try:
        return bool(file_told(exchanges, file))
    except NotApplicable:
        return False


@clause("vector-stores.file", level="MUST", source="SPEC VectorStoreFileObject", on=steps(LIFE))
def a_file_knows_its_store(exchanges: list[Exchange]) -> None:
    """A file of a store has the id of the File it was made from, and the `vector_store_id` of the store."""
    store = store_of(exchanges)[1].get("id")
    for exchange in exchanges:
        if exchange.operation == "createVectorStoreFile" and sent_as(exchanges, exchange.request.asked.get("file_id")):
            served(exchange, "a file of the store")
    for file in _taken(exchanges):
        for exchange, body in file_told(exchanges, file):
            wanted = {"id": file_ids(exchanges)[file.name], "vector_store_id": store}
            expect_same(exchange, body, wanted, "id", "vector_store_id")


@clause("vector-stores.moves", level="MUST", source="SPEC VectorStoreFileObject.status, of a batch alike",
        on=steps(LIFE))  # fmt: skip
def files_move_forward(exchanges: list[Exchange]) -> None:
    """A file, or a batch of them, goes from in_progress to completed, failed or cancelled, and stays there."""
    for file in _taken(exchanges):
        expect_moves("StoreFile", file_told(exchanges, file))
    told = [
        e for e in exchanges if e.operation in ("createVectorStoreFileBatch", "getVectorStoreFileBatch") and is_ok(e)
    ]
    expect_moves("FileBatch", [(exchange, maybe_object(exchange)) for exchange in told])


@clause("vector-stores.ready", level="SHOULD", source="SPEC VectorStoreFileObject.status; SDK create_and_poll",
        on=steps(LIFE))  # fmt: skip
def small_files_are_soon_ready(exchanges: list[Exchange]) -> None:
    """A text of two sentences is completed within half a minute, without an error: then it can be searched."""
    for file in _taken(exchanges):
        told = [(e, body) for e, body in file_told(exchanges, file) if body.get("attributes") != NEW_MARKS]
        exchange, body = told[-1]
        status = body.get("status")
        waited_s = exchange.started_unix - told[0][0].started_unix
        if not is_final("StoreFile", status) and waited_s < 20:
            raise Inconclusive(f"still {status} after {waited_s:.0f} s, when we stopped looking")
        got = f"{shown(status)} after {waited_s:.0f} s, {shown(body.get('last_error'))}"
        expect(status == "completed", expected="status completed", got=got, at=f"{exchange.id} /status")


@clause("vector-stores.chunking", level="MUST", source="SPEC VectorStoreFileObject.chunking_strategy",
        on=steps(LIFE), fields=("chunking_strategy",))  # fmt: skip
def files_are_cut_as_asked(exchanges: list[Exchange]) -> None:
    """A file that was taken in with a static `chunking_strategy` tells that strategy, with its two sizes."""
    told = [(e, body["chunking_strategy"]) for e, body in file_told(exchanges, ICE) if body.get("chunking_strategy")]
    if not told or all(isinstance(how, dict) and how.get("type") == "other" for _, how in told):
        raise NotApplicable("the strategy is not told")
    for exchange, how in told:
        expect(how == CHUNKING, expected=shown(CHUNKING), got=shown(how), at=f"{exchange.id} /chunking_strategy")


@clause(
    "vector-stores.attributes",
    level="MUST",
    source="SPEC VectorStoreFileAttributes",
    on=steps(LIFE),
    fields=("attributes",),
)
def attributes_come_back(exchanges: list[Exchange]) -> None:
    """The `attributes` of a file come back as they were given: texts, numbers and truth values."""
    for file in _taken(exchanges):
        exchange, body = file_told(exchanges, file)[0]
        expect_same(exchange, body, {"attributes": MARKS[file.name]}, "attributes")


@clause(
    "vector-stores.attributes-update",
    level="MUST",
    source="SPEC updateVectorStoreFileAttributes",
    on=steps(LIFE),
    fields=("attributes",),
)
def attributes_are_replaced(exchanges: list[Exchange]) -> None:
    """New `attributes` of a file take the place of the old ones, in the answer and when it is read again."""
    store_of(exchanges)
    change = asked_for(exchanges, "updateVectorStoreFileAttributes")
    wanted = {"attributes": NEW_MARKS}
    expect_same(change, served(change, "the file with its new attributes"), wanted, "attributes")
    read = asked_for(exchanges, "getVectorStoreFile", of_path(change.request.path), after=change)
    expect_same(read, served(read, "the file"), wanted, "attributes")


@clause(
    "vector-stores.counts",
    level="MUST",
    source="SPEC VectorStoreObject.file_counts",
    on=answered("createVectorStore", "getVectorStore", "createVectorStoreFileBatch", "getVectorStoreFileBatch"),
)
def counts_add_up(exchange: Exchange) -> None:
    """In `file_counts` those in progress, completed, failed and cancelled are `total` together."""
    counts = counts_of(maybe_object(exchange))
    if "total" not in counts:
        raise NotApplicable("there is no total: vector-stores.schema judges that")
    parts = sum(count for name, count in counts.items() if name in ("in_progress", "completed", "failed", "cancelled"))
    expect(parts == counts["total"], expected=f"{counts['total']} in all states together", got=parts, at="/file_counts")


@clause("vector-stores.counted", level="MUST", source="SPEC VectorStoreObject.file_counts", on=steps(LIFE))
def a_store_counts_its_files(exchanges: list[Exchange]) -> None:
    """A store counts the files that were taken into it, and as completed those that are."""
    taken = _taken(exchanges)
    batch = [e for e in exchanges if e.operation in ("getVectorStoreFileBatch",) and is_ok(e)]
    is_batch_done = bool(batch) and maybe_object(batch[-1]).get("status") == "completed"
    if len(taken) < 2 or not all(is_completed(exchanges, file) for file in taken) or not is_batch_done:
        raise NotApplicable("not all files are completed: vector-stores.ready judges that")
    exchange = asked_for(exchanges, "getVectorStore", of_path(store_path(exchanges)), after=batch[-1])
    counts = counts_of(served(exchange, "the store"))
    for name in ("total", "completed"):
        expect(counts.get(name) == len(SENT), expected=f"{name} {len(SENT)}", got=shown(counts.get(name)),
               at=f"{exchange.id} /file_counts/{name}")  # fmt: skip


@clause("vector-stores.usage", level="SHOULD", source="SPEC VectorStoreObject.usage_bytes", on=steps(LIFE))
def a_store_uses_bytes(exchanges: list[Exchange]) -> None:
    """A store with completed files uses more than no bytes."""
    if not any(is_completed(exchanges, file) for file in _taken(exchanges)):
        raise NotApplicable("no file is completed: vector-stores.ready judges that")
    exchange = asked_for(exchanges, "getVectorStore", of_path(store_path(exchanges)))
    used = served(exchange, "the store").get("usage_bytes")
    expect(type(used) is int and used > 0, expected="usage_bytes above 0", got=shown(used),
           at=f"{exchange.id} /usage_bytes")  # fmt: skip


@clause("vector-stores.files-list", level="MUST", source="SPEC listVectorStoreFiles", on=steps(LIFE))
def files_are_listed(exchanges: list[Exchange]) -> None:
    """The files of a store are in its list, with the state they are in."""
    path = store_path(exchanges)
    exchange = asked_for(exchanges, "listVectorStoreFiles", of_path(f"{path}/files"))
    served(exchange, "the files of the store")
    rows = {str(row.get("id")): row for row in rows_of(exchange)}
    for file in _taken(exchanges):
        id = file_ids(exchanges)[file.name]
        expect(id in rows, expected=f"{id} in the list", got=shown(list(rows)), at=f"{exchange.id} /data")
        if is_completed(exchanges, file):
            status = rows[id].get("status")
            expect(status == "completed", expected=f"{id} completed", got=shown(status), at=f"{exchange.id} /data")


@clause("vector-stores.files-filter", level="MUST", source="SPEC listVectorStoreFiles.filter",
        on=answered("listVectorStoreFiles", "listFilesInVectorStoreBatch"), fields=("filter",))  # fmt: skip
def lists_are_of_one_state(exchange: Exchange) -> None:
    """A list of files that is asked for one state by `filter` has files of that state alone."""
    asked = exchange.request.query.get("filter")
    if asked is None:
        raise NotApplicable("no state was asked for")
    others = [row.get("id") for row in rows_of(exchange) if row.get("status") != asked]
    expect(not others, expected=f"files that are {asked}", got=f"others: {shown(others)}", at="/data")


@clause("vector-stores.batch", level="MUST", source="SPEC createVectorStoreFileBatch, listFilesInVectorStoreBatch",
        on=steps(LIFE))  # fmt: skip
def a_batch_counts_and_lists_its_files(exchanges: list[Exchange]) -> None:
    """A batch of files knows its store, counts its files, and lists them."""
    store = store_of(exchanges)[1].get("id")
    exchange = asked_for(exchanges, "createVectorStoreFileBatch")
    body = served(exchange, "the batch")
    expect_same(exchange, body, {"vector_store_id": store}, "vector_store_id")
    total = counts_of(body).get("total")
    expect(total == 1, expected="file_counts.total 1", got=shown(total), at=f"{exchange.id} /file_counts/total")
    for one in exchanges:
        if one.operation == "getVectorStoreFileBatch" and is_ok(one):
            expect_same(one, maybe_object(one), body, "id", "created_at", "vector_store_id")
    listed = asked_for(exchanges, "listFilesInVectorStoreBatch")
    served(listed, "the files of the batch")
    ids, id = ids_of(listed), file_ids(exchanges).get(BREAD.name)
    expect(ids == [id], expected=f"{id} alone", got=shown(ids), at=f"{listed.id} /data")


@clause("vector-stores.removed", level="MUST", source="SPEC deleteVectorStoreFile", on=steps(LIFE))
def a_file_is_taken_out(exchanges: list[Exchange]) -> None:
    """A file that is deleted from a store is answered `deleted: true`, and is not found there any more."""
    store_of(exchanges)
    exchange = asked_for(exchanges, "deleteVectorStoreFile")
    body = served(exchange, "a deletion")
    expect_same(exchange, body, {"deleted": True, "id": exchange.request.path.rpartition("/")[2]}, "deleted", "id")
    expect_gone(asked_for(exchanges, "getVectorStoreFile", of_path(exchange.request.path), after=exchange))


@clause("vector-stores.keeps-file", level="MUST", source="SPEC deleteVectorStoreFile: the file itself stays",
        on=steps(LIFE))  # fmt: skip
def the_file_itself_stays(exchanges: list[Exchange]) -> None:
    """A file that is taken out of a store is still there as a File."""
    store_of(exchanges)
    removal = asked_for(exchanges, "deleteVectorStoreFile")
    if not is_ok(removal):
        raise NotApplicable(f"nothing was taken out: {removal.id} was answered {removal.status}")
    id = removal.request.path.rpartition("/")[2]
    served(asked_for(exchanges, "retrieveFile", of_path(f"/files/{id}"), after=removal), f"the File {id}")


@clause("vector-stores.unknown-file", level="MUST", source="SPEC createVectorStoreFile.file_id; ERR-LATE 404",
        on=steps(LIFE))  # fmt: skip
def an_unknown_file_is_not_taken_in(exchanges: list[Exchange]) -> None:
    """A File that there is not cannot be taken into a store: 400, or 404."""
    store_of(exchanges)
    expect_turned_down(
        asked_for(exchanges, "createVectorStoreFile", lambda e: e.request.asked.get("file_id") == UNKNOWN_FILE), 404
    )
