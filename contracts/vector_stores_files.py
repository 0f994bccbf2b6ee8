"""The files of vector stores: taken in one by one or many at once, told, counted, listed, labelled and taken out.

No probes of its own: the flow of vector_stores.py takes them in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
from ._reading import as_list, as_object, maybe_object
from ._stores import (
    BREAD,
    CHUNKING,
    ICE,
    LIFE,
    MARKS,
    NEW_MARKS,
    SENT,
    TOWER,
    UNKNOWN_BATCH,
    UNKNOWN_FILE,
    Told,
    are_marked,
    counts_of,
    file_batches,
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
        tried = [e for e in exchanges if e.operation == "createVectorStoreFile"]
        known = [e for e in tried if e.request.asked.get("file_id") != UNKNOWN_FILE]
        if not known:
            raise NotApplicable("no file was taken into the store")
        served(known[-1], "a file of the store")
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
    last = {
        exchange.request.asked.get("file_id"): exchange
        for exchange in exchanges
        if exchange.operation == "createVectorStoreFile"
    }
    for id, exchange in last.items():
        if sent_as(exchanges, id):
            served(exchange, "a file of the store")
    for file in _taken(exchanges):
        for exchange, body in file_told(exchanges, file):
            wanted = {"id": file_ids(exchanges)[file.name], "vector_store_id": store}
            expect_same(exchange, body, wanted, "id", "vector_store_id")
            expect_same(exchange, body, file_told(exchanges, file)[0][1], "created_at")


@clause("vector-stores.moves", level="MUST", source="SPEC VectorStoreFileObject.status, of a batch alike",
        on=steps(LIFE))  # fmt: skip
def files_move_forward(exchanges: list[Exchange]) -> None:
    """A file, or a batch of them, goes from in_progress to completed, failed or cancelled, and stays there."""
    for file in _taken(exchanges):
        expect_moves("StoreFile", file_told(exchanges, file))
    for told in file_batches(exchanges):
        expect_moves("FileBatch", told)


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


@clause("vector-stores.last-error", level="MUST", source="SPEC VectorStoreFileObject.last_error: null if none",
        on=answered("createVectorStoreFile", "getVectorStoreFile", "updateVectorStoreFileAttributes",
                    "listVectorStoreFiles", "listFilesInVectorStoreBatch"))  # fmt: skip
def errors_are_those_of_failures(exchange: Exchange) -> None:
    """A file that failed tells its `last_error`, with code and message; one that is completed has none."""
    body = maybe_object(exchange)
    for row in rows_of(exchange) if "data" in body else [body]:
        error, status = row.get("last_error"), row.get("status")
        if status == "failed":
            expect(
                isinstance(error, dict), expected="the error of a file that failed", got=shown(error), at="/last_error"
            )
        elif status == "completed":
            expect(not error, expected="no error of a file that is completed", got=shown(error), at="/last_error")


ONE_FILE = ("createVectorStoreFile", "getVectorStoreFile", "updateVectorStoreFileAttributes")


def _cut_as_asked(exchanges: Sequence[Exchange]) -> list[Any]:
    """The files that were taken in with a strategy, one by one or by a batch."""
    asked = [e.request.asked for e in exchanges if is_ok(e) and e.request.asked.get("chunking_strategy") == CHUNKING]
    return [id for one in asked for id in (one.get("file_id"), *as_list(one.get("file_ids"))) if id is not None]


@clause("vector-stores.chunking", level="MUST", source="SPEC VectorStoreFileObject.chunking_strategy",
        on=steps(LIFE), fields=("chunking_strategy",))  # fmt: skip
def files_are_cut_as_asked(exchanges: list[Exchange]) -> None:
    """A file that was taken in with a static `chunking_strategy` tells that strategy, alone and in lists."""
    told = [
        (exchange, row["chunking_strategy"])
        for exchange in exchanges
        for row in ([maybe_object(exchange)] if exchange.operation in ONE_FILE else rows_of(exchange))
        if row.get("id") in _cut_as_asked(exchanges) and row.get("chunking_strategy") and is_ok(exchange)
    ]
    told = [(exchange, how) for exchange, how in told if as_object(how).get("type") != "other"]
    if not told:
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
    """The `attributes` of a file come back as they were given: texts, numbers and truth values, of a batch as well."""
    for file in _taken(exchanges):
        told = file_told(exchanges, file)
        if told[0][0].request.asked.get("attributes") is None:
            raise NotApplicable("files are taken in without attributes")
        changed = [e.step for e in exchanges if e.operation == "updateVectorStoreFileAttributes"]
        for exchange, body in told:
            if not changed or exchange.step < changed[0]:
                expect_same(exchange, body, {"attributes": MARKS[file.name]}, "attributes")
    if are_marked(exchanges):
        for listed in exchanges:
            if listed.operation == "listFilesInVectorStoreBatch" and is_ok(listed):
                for row in rows_of(listed):
                    if row.get("id") == file_ids(exchanges).get(BREAD.name):
                        expect_same(listed, row, {"attributes": MARKS[BREAD.name]}, "attributes")


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
    if not is_ok(change) and not are_marked(exchanges):
        raise NotApplicable("files are taken in without attributes")
    wanted = {"attributes": NEW_MARKS}
    expect_same(change, served(change, "the file with its new attributes"), wanted, "attributes")
    read = asked_for(exchanges, "getVectorStoreFile", of_path(change.request.path), after=change)
    expect_same(read, served(read, "the file"), wanted, "attributes")


@clause(
    "vector-stores.counts",
    level="MUST",
    source="SPEC VectorStoreObject.file_counts",
    on=answered(
        *("createVectorStore", "getVectorStore", "modifyVectorStore"),
        *("createVectorStoreFileBatch", "getVectorStoreFileBatch", "cancelVectorStoreFileBatch"),
    ),
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
    batch = next(iter(file_batches(exchanges)), [])
    is_batch_done = bool(batch) and batch[-1][1].get("status") == "completed"
    if len(taken) < 2 or not all(is_completed(exchanges, file) for file in taken) or not is_batch_done:
        raise NotApplicable("not all files are completed: vector-stores.ready judges that")
    exchange = asked_for(exchanges, "getVectorStore", of_path(store_path(exchanges)), after=batch[-1][0])
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


def _first_batch(exchanges: Sequence[Exchange]) -> Told:
    store_of(exchanges)
    tried = asked_for(exchanges, "createVectorStoreFileBatch")
    batches = file_batches(exchanges)
    if not batches and tried.status in (404, 405, 501):
        raise NotApplicable(f"batches of files are not served: {tried.id} was answered {tried.status}")
    if not batches:
        last = [e for e in exchanges if e.operation == "createVectorStoreFileBatch"][-1]
        served(last, "the batch")
        raise Inconclusive("the batch that was made has no id")
    return batches[0]


@clause("vector-stores.batch", level="MUST", source="SPEC createVectorStoreFileBatch, listFilesInVectorStoreBatch",
        on=steps(LIFE))  # fmt: skip
def a_batch_counts_and_lists_its_files(exchanges: list[Exchange]) -> None:
    """A batch of files knows its store, counts its files, and lists them; at its end none is in progress."""
    told = _first_batch(exchanges)
    made = told[0][1]
    for exchange, body in told:
        expect_same(exchange, body, {"vector_store_id": store_of(exchanges)[1].get("id")}, "vector_store_id")
        expect_same(exchange, body, made, "id", "created_at")
        counts = counts_of(body)
        total = counts.get("total")
        expect(total == 1, expected="file_counts.total 1", got=shown(total), at=f"{exchange.id} /file_counts/total")
        if is_final("FileBatch", body.get("status")):
            expect(not counts.get("in_progress"), expected=f"none in progress of a batch that is {body.get('status')}",
                   got=shown(counts.get("in_progress")), at=f"{exchange.id} /file_counts/in_progress")  # fmt: skip
    listed = asked_for(exchanges, "listFilesInVectorStoreBatch")
    served(listed, "the files of the batch")
    ids, id = ids_of(listed), file_ids(exchanges).get(BREAD.name)
    expect(ids == [id], expected=f"{id} alone", got=shown(ids), at=f"{listed.id} /data")


# Counts and state may be written one after the other, but not that long.
LINGERS_S = 4.0


@clause("vector-stores.batch-ready", level="SHOULD", source="SPEC VectorStoreFileBatchObject.status", on=steps(LIFE))
def a_batch_that_is_done_says_so(exchanges: list[Exchange]) -> None:
    """A batch none of whose files is in progress any more is not in progress itself."""
    told = _first_batch(exchanges)
    lingering = [
        exchange
        for exchange, body in told
        if body.get("status") == "in_progress"
        and counts_of(body).get("in_progress") == 0
        and counts_of(body).get("total")
    ]
    exchange, body = told[-1]
    waited_s = exchange.started_unix - told[0][0].started_unix
    if not is_final("FileBatch", body.get("status")) and (not lingering or waited_s < LINGERS_S):
        raise NotApplicable("the batch was in progress when we stopped looking")
    expect(exchange not in lingering, expected="a batch at its end, as its files are", got=shown(body),
           at=f"{exchange.id} /status")  # fmt: skip


@clause("vector-stores.batch-cancel", level="MUST", source="SPEC cancelVectorStoreFileBatch", on=steps(LIFE))
def a_batch_is_cancelled(exchanges: list[Exchange]) -> None:
    """A batch that is cancelled on its way comes to an end: cancelled, with no file in progress any more."""
    _first_batch(exchanges)
    _, *later = file_batches(exchanges)
    if not later:
        raise NotApplicable("no second batch was made")
    told = later[0]
    begun, made = told[0]
    asked = asked_for(exchanges, "cancelVectorStoreFileBatch", of_path(f"{begun.request.path}/{made['id']}/cancel"))
    states = [body.get("status") for _, body in told]
    if asked.status == 404 or (not is_ok(asked) and {"completed", "failed"} & set(map(str, states))):
        raise NotApplicable(f"the batch was not cancelled: {asked.id} was answered {asked.status}")
    served(asked, "the batch, being cancelled")
    for exchange, body in told:
        if exchange.step >= asked.step:
            expect_same(exchange, body, made, "id", "vector_store_id", "created_at")
            total = counts_of(made).get("total")
            expect(counts_of(body).get("total") == total, expected=f"file_counts.total {total}",
                   got=shown(body.get("file_counts")), at=f"{exchange.id} /file_counts")  # fmt: skip
    exchange, body = told[-1]
    is_over = is_final("FileBatch", body.get("status"))
    expect(is_over, expected="cancelled", got=shown(body.get("status")), at=f"{exchange.id} /status")
    left = counts_of(body).get("in_progress")
    expect(not left, expected="no file in progress", got=shown(left), at=f"{exchange.id} /file_counts/in_progress")


@clause(
    "vector-stores.unknown-batch", level="MUST", source="SPEC getVectorStoreFileBatch; ERR-LATE 404", on=steps(LIFE)
)
def an_unknown_batch_is_not_found(exchanges: list[Exchange]) -> None:
    """A batch of files that there is not is not found: 404."""
    _first_batch(exchanges)
    path = f"{store_path(exchanges)}/file_batches/{UNKNOWN_BATCH}"
    expect_gone(asked_for(exchanges, "getVectorStoreFileBatch", of_path(path)))


@clause("vector-stores.removed", level="MUST", source="SPEC deleteVectorStoreFile", on=steps(LIFE))
def a_file_is_taken_out(exchanges: list[Exchange]) -> None:
    """A file that is deleted from a store is answered `deleted: true`, is not found there any more, and in no list."""
    store_of(exchanges)
    exchange = asked_for(exchanges, "deleteVectorStoreFile")
    body = served(exchange, "a deletion")
    id = exchange.request.path.rpartition("/")[2]
    expect_same(exchange, body, {"deleted": True, "id": id}, "deleted", "id")
    expect_gone(asked_for(exchanges, "getVectorStoreFile", of_path(exchange.request.path), after=exchange))
    listed = asked_for(exchanges, "listVectorStoreFiles", after=exchange)
    if is_ok(listed):
        expect(id not in ids_of(listed), expected=f"a list without {id}", got="it is there", at=f"{listed.id} /data")


@clause("vector-stores.keeps-file", level="MUST", source="SPEC deleteVectorStoreFile: the file itself stays",
        on=steps(LIFE))  # fmt: skip
def the_file_itself_stays(exchanges: list[Exchange]) -> None:
    """A file that is taken out of a store is still there as a File."""
    store_of(exchanges)
    removal = asked_for(exchanges, "deleteVectorStoreFile")
    if not is_ok(removal):
        raise NotApplicable(f"nothing was taken out: {removal.id} was answered {removal.status}")
    id = removal.request.path.rpartition("/")[2]
    last = asked_for(exchanges, "deleteFile", of_path(f"/files/{id}"), after=removal)
    served(last, f"the deletion of the File {id} itself")


@clause("vector-stores.unknown-file", level="MUST", source="SPEC createVectorStoreFile.file_id; ERR-LATE 404",
        on=steps(LIFE))  # fmt: skip
def an_unknown_file_is_not_taken_in(exchanges: list[Exchange]) -> None:
    """A File that there is not cannot be taken into a store: 400, or 404."""
    store_of(exchanges)
    expect_turned_down(
        asked_for(exchanges, "createVectorStoreFile", lambda e: e.request.asked.get("file_id") == UNKNOWN_FILE), 404
    )
