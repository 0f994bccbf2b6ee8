"""Vector stores: made with a name, labels and an expiry, filled with files, changed, emptied and deleted.

One flow walks through the life of a store with three small files. How they are taken in is judged in
vector_stores_files.py, what is found in them in vector_stores_search.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from wireproof.clause import (
    NO_MODEL,
    Exchange,
    Flow,
    Inconclusive,
    NotApplicable,
    answered,
    clause,
    expect,
    flow,
    form,
    shown,
    steps,
)

from ._life import (
    asked_for,
    expect_gone,
    expect_now,
    expect_same,
    expect_schema,
    expect_turned_down,
    id_of,
    ids_of,
    is_ok,
    of_path,
    rows_of,
    served,
)
from ._reading import maybe_object
from ._stores import (
    ASKED,
    BATCH_WAITS_S,
    BREAD,
    CHUNKING,
    DAYS,
    FILTERS,
    ICE,
    LIFE,
    MARKS,
    MORE_DAYS,
    NEW_LABELS,
    NEW_MARKS,
    NEW_NAME,
    NO_FILTER,
    OTHER_QUERY,
    QUERY,
    SENT,
    THRESHOLD,
    TOWER,
    UNKNOWN_BATCH,
    UNKNOWN_FILE,
    WAITS_S,
    asks,
    file_ids,
    store_of,
    store_path,
    watched,
)

DAY_S = 86_400
# Lists are ordered by the second in which a thing was made.
APART_S = 1.1
MOST = 100
MORE_EXPIRY = {"anchor": "last_active_at", "days": MORE_DAYS}
NEW_FILTER = {"type": "eq", "key": "kind", "value": NEW_MARKS["kind"]}
ALL = (
    *("listVectorStores", "createVectorStore", "getVectorStore", "modifyVectorStore", "deleteVectorStore"),
    *("listVectorStoreFiles", "createVectorStoreFile", "getVectorStoreFile", "updateVectorStoreFileAttributes"),
    *("deleteVectorStoreFile", "retrieveVectorStoreFileContent", "createVectorStoreFileBatch"),
    *("getVectorStoreFileBatch", "cancelVectorStoreFileBatch", "listFilesInVectorStoreBatch", "searchVectorStore"),
)


@flow(LIFE, most=63, needs=NO_MODEL, about="make a store of three files, list, search, change and delete it",
      expects="either")  # fmt: skip
def life_of_a_store() -> Flow:
    store = id_of((yield asks("POST", "/vector_stores", ASKED)))
    if store is None:
        return
    path, ids = f"/vector_stores/{store}", {}
    for file in SENT:
        id = id_of((yield form("/files", [("purpose", "assistants"), ("file", file)])))
        if id is not None:
            ids[file.name] = id
    yield from _taken_in(path, ids)
    yield asks("GET", path)
    if TOWER.name in ids and ICE.name in ids:
        yield from _listed(path, ids[TOWER.name], ids[ICE.name])
        yield from _searched(path)
        yield from _changed(path, ids[TOWER.name])
        yield from _stopped(path, ids[TOWER.name])
    yield asks("POST", f"{path}/files", {"file_id": UNKNOWN_FILE})
    yield asks("POST", path, {"name": NEW_NAME, "metadata": NEW_LABELS})
    yield asks("POST", path, {"expires_after": MORE_EXPIRY})
    yield asks("GET", path)
    yield from _ended(store)
    for id in ids.values():
        yield asks("DELETE", f"/files/{id}")


def _taken_in(path: str, ids: dict[str, str]) -> Flow:
    """Two files one by one, the third by a batch; without options where the first is refused with them."""
    taken, is_plain = [], False
    for file, options, after_s in ((TOWER, {}, 0.0), (ICE, {"chunking_strategy": CHUNKING}, APART_S)):
        if file.name in ids:
            least = {"file_id": ids[file.name]}
            body = least if is_plain else {**least, "attributes": MARKS[file.name], **options}
            told = yield asks("POST", f"{path}/files", body, after_s)
            if told.status in (400, 422) and not is_plain:
                is_plain = True
                told = yield asks("POST", f"{path}/files", least)
            taken += [ids[file.name]] if is_ok(told) else []
    waits_s = iter(WAITS_S)
    for id in taken:
        yield from watched("StoreFile", f"{path}/files/{id}", waits_s)
    if BREAD.name in ids:
        options = {} if is_plain else {"attributes": MARKS[BREAD.name], "chunking_strategy": CHUNKING}
        batch = id_of((yield asks("POST", f"{path}/file_batches", {"file_ids": [ids[BREAD.name]], **options})))
        if batch is not None:
            yield from watched("FileBatch", f"{path}/file_batches/{batch}", iter(BATCH_WAITS_S))
            yield asks("GET", f"{path}/file_batches/{batch}/files")


def _listed(path: str, first: str, second: str) -> Flow:
    page = partial(asks, "GET", f"{path}/files")
    yield page()
    yield page(limit="1", order="asc")
    yield page(limit="1", order="asc", after=first)
    yield page(before=first)
    yield page(limit="1", after=second)
    yield page(filter="failed")


def _searched(path: str) -> Flow:
    for narrowed in (
        {"query": QUERY},
        *({"query": QUERY, "filters": filters} for filters in FILTERS),
        {"query": [QUERY, OTHER_QUERY], "max_num_results": 1},
        {"query": QUERY, "rewrite_query": True, "ranking_options": {"score_threshold": THRESHOLD}},
        {"query": QUERY, "max_num_results": 0},
        {"query": QUERY, "filters": NO_FILTER},
    ):
        yield asks("POST", f"{path}/search", narrowed)


def _changed(path: str, id: str) -> Flow:
    """One file is labelled anew, and taken out again."""
    by_label = asks("POST", f"{path}/search", {"query": QUERY, "filters": NEW_FILTER})
    yield asks("GET", f"{path}/files/{id}/content")
    yield asks("POST", f"{path}/files/{id}", {"attributes": NEW_MARKS})
    yield asks("GET", f"{path}/files/{id}")
    yield by_label
    yield asks("DELETE", f"{path}/files/{id}")
    yield asks("GET", f"{path}/files/{id}")
    yield asks("GET", f"{path}/files")
    yield by_label


def _stopped(path: str, id: str) -> Flow:
    """A batch is cancelled as soon as it is begun."""
    batch = id_of((yield asks("POST", f"{path}/file_batches", {"file_ids": [id]})))
    if batch is not None:
        yield asks("POST", f"{path}/file_batches/{batch}/cancel")
        yield asks("GET", f"{path}/file_batches/{batch}", after_s=2.0)
        yield asks("GET", f"{path}/file_batches/{batch}/files", filter="completed")
        yield asks("GET", f"{path}/file_batches/{UNKNOWN_BATCH}")


def _ended(store: str) -> Flow:
    """Beside a second store, without a name, the first is listed and deleted."""
    path, page = f"/vector_stores/{store}", partial(asks, "GET", "/vector_stores")
    second = id_of((yield asks("POST", "/vector_stores", {})))
    yield page(limit="5")
    if second is not None:
        yield page(limit="1")
        yield page(limit="1", after=second)
        yield page(limit="1", after=store)
        yield page(limit="5", order="asc", after=store)
    yield page(limit=str(MOST + 1))
    yield asks("DELETE", path)
    yield asks("DELETE", path)
    yield asks("GET", path)
    yield asks("POST", f"{path}/search", {"query": QUERY})
    yield page(limit="5")
    if second is not None:
        yield asks("DELETE", f"/vector_stores/{second}")


# ------------------------------------------------------------------------------------------------ the store


@clause("vector-stores.schema", level="MUST", source="SPEC VectorStoreObject and the objects of its files",
        on=answered(*ALL))  # fmt: skip
def answers_follow_the_schema(exchange: Exchange) -> None:
    """Stores, their files and batches, pages and what was found are the documented objects."""
    expect_schema(exchange, "/first_id", "/last_id", "/deleted")


@clause(
    "vector-stores.echo",
    level="MUST",
    source="SPEC createVectorStore, VectorStoreObject",
    on=steps(LIFE),
    fields=("name", "metadata", "expires_after"),
)
def a_store_is_what_was_asked_for(exchanges: list[Exchange]) -> None:
    """A store has the `name`, `metadata` and `expires_after` that it was made with."""
    exchange, body = store_of(exchanges)
    expect_same(exchange, body, ASKED, "name", "metadata", "expires_after")


@clause("vector-stores.times", level="MUST", source="SPEC VectorStoreObject.created_at: Unix timestamp in seconds",
        on=steps(LIFE))  # fmt: skip
def a_store_was_made_now(exchanges: list[Exchange]) -> None:
    """A store and its files were created now, in whole seconds since 1970."""
    exchange, body = store_of(exchanges)
    expect_now(exchange, body.get("created_at"), "created_at")
    for one in exchanges:
        if one.operation in ("createVectorStoreFile", "createVectorStoreFileBatch") and is_ok(one):
            expect_now(one, maybe_object(one).get("created_at"), "created_at")


@clause("vector-stores.expiry", level="MUST", source="SPEC VectorStoreExpirationAfter", on=steps(LIFE))
def a_store_expires_after_its_last_use(exchanges: list[Exchange]) -> None:
    """A store with `expires_after` tells in `expires_at` the time so many days after it was last active."""
    _expect_expiry(*store_of(exchanges), DAYS)


def _expect_expiry(exchange: Exchange, body: dict[str, Any], days: int) -> None:
    expires, active = body.get("expires_at"), body.get("last_active_at")
    if type(active) is not int:
        active = body.get("created_at")
    if type(active) is not int:
        raise Inconclusive("no time to count from: vector-stores.times judges that")
    wanted = active + days * DAY_S
    is_near = type(expires) is int and abs(expires - wanted) <= 60  # made and last active in one request
    expect(is_near, expected=f"expires_at {wanted}", got=shown(expires), at=f"{exchange.id} /expires_at")


@clause("vector-stores.get", level="MUST", source="SPEC getVectorStore", on=steps(LIFE))
def a_store_reads_as_it_was_made(exchanges: list[Exchange]) -> None:
    """A store is read with the id, time, name and metadata it was made with."""
    _, made = store_of(exchanges)
    exchange = asked_for(exchanges, "getVectorStore", of_path(store_path(exchanges)))
    expect_same(exchange, served(exchange, "the store"), made, "id", "object", "created_at", "name", "metadata")


@clause(
    "vector-stores.update", level="MUST", source="SPEC modifyVectorStore", on=steps(LIFE), fields=("name", "metadata")
)
def an_update_takes_effect(exchanges: list[Exchange]) -> None:
    """A store that is given another `name` and `metadata` has them, in the answer and when it is read again."""
    path = store_path(exchanges)
    change = asked_for(exchanges, "modifyVectorStore", of_path(path))
    wanted = {"name": NEW_NAME, "metadata": NEW_LABELS}
    expect_same(change, served(change, "the changed store"), wanted, "name", "metadata")
    expect_same(change, maybe_object(change), store_of(exchanges)[1], "id", "created_at")
    read = asked_for(exchanges, "getVectorStore", of_path(path), after=change)
    expect_same(read, served(read, "the changed store"), wanted, "name", "metadata")


@clause("vector-stores.update-partial", level="MUST", source="SPEC UpdateVectorStoreRequest", on=steps(LIFE),
        fields=("expires_after",))  # fmt: skip
def an_update_changes_what_it_names(exchanges: list[Exchange]) -> None:
    """An update of `expires_after` alone moves `expires_at`, and leaves the name and the metadata as they are."""
    path = store_path(exchanges)
    change = asked_for(exchanges, "modifyVectorStore", lambda e: set(e.request.asked) == {"expires_after"})
    before = asked_for(exchanges, "modifyVectorStore", of_path(path))
    body = served(change, "the changed store")
    read = asked_for(exchanges, "getVectorStore", of_path(path), after=change)
    for exchange, told in ((change, body), (read, served(read, "the changed store"))):
        expect_same(exchange, told, {"expires_after": MORE_EXPIRY}, "expires_after")
        if is_ok(before):
            expect_same(exchange, told, maybe_object(before), "name", "metadata")
        _expect_expiry(exchange, told, MORE_DAYS)


@clause("vector-stores.list", level="MUST", source="SPEC listVectorStores", on=steps(LIFE))
def stores_are_listed(exchanges: list[Exchange]) -> None:
    """A store that was made is in the list, with the name and the metadata that it has by then."""
    _, made = store_of(exchanges)
    exchange = asked_for(exchanges, "listVectorStores")
    body, ids = served(exchange, "a list of stores"), ids_of(exchange)
    if made.get("id") not in ids and body.get("has_more") is True:
        raise Inconclusive("others were made in the meantime")
    expect(made.get("id") in ids, expected=f"{made.get('id')} in the list", got=shown(ids), at=f"{exchange.id} /data")
    reads = [e for e in exchanges if e.operation == "getVectorStore" and is_ok(e) and e.step < exchange.step]
    if reads:
        row = rows_of(exchange)[ids.index(made.get("id"))]
        expect_same(exchange, row, maybe_object(reads[-1]), "name", "metadata", "expires_after")


# ------------------------------------------------------------------------------------------------ its end


@clause("vector-stores.delete", level="MUST", source="SPEC DeleteVectorStoreResponse", on=steps(LIFE))
def a_deletion_says_so(exchanges: list[Exchange]) -> None:
    """A deletion is answered `{id, object: "vector_store.deleted", deleted: true}` with the id that was deleted."""
    _, made = store_of(exchanges)
    exchange = asked_for(exchanges, "deleteVectorStore", of_path(store_path(exchanges)))
    expect_same(exchange, served(exchange, "a deletion"), {"id": made.get("id"), "deleted": True}, "id", "deleted")


@clause("vector-stores.gone", level="MUST", source="SPEC deleteVectorStore, getVectorStore, searchVectorStore",
        on=steps(LIFE))  # fmt: skip
def a_deleted_store_is_gone(exchanges: list[Exchange]) -> None:
    """A deleted store is not found: 404, for itself and for searches in it, and it is in no list."""
    deletion = _deletion(exchanges)
    path = deletion.request.path
    expect_gone(asked_for(exchanges, "getVectorStore", of_path(path), after=deletion))
    if any(e.operation == "searchVectorStore" and is_ok(e) for e in exchanges):
        expect_turned_down(asked_for(exchanges, "searchVectorStore", after=deletion), 404)
    listed = asked_for(exchanges, "listVectorStores", after=deletion)
    id = path.rpartition("/")[2]
    if is_ok(listed):
        expect(id not in ids_of(listed), expected=f"a list without {id}", got="it is there", at=f"{listed.id} /data")


@clause("vector-stores.files-outlive", level="MUST", source="SPEC deleteVectorStore: the files themselves stay",
        on=steps(LIFE))  # fmt: skip
def files_outlive_their_store(exchanges: list[Exchange]) -> None:
    """The Files that were in a store are still there when it is deleted, to be deleted themselves."""
    deletion = _deletion(exchanges)
    removed = {e.request.path.rpartition("/")[2] for e in exchanges if e.operation == "deleteVectorStoreFile"}
    for id in sorted(set(file_ids(exchanges).values()) - removed):
        last = asked_for(exchanges, "deleteFile", of_path(f"/files/{id}"), after=deletion)
        served(last, f"the deletion of the File {id}")


@clause("vector-stores.delete-twice", level="SHOULD", source="SPEC deleteVectorStore; ERR-LATE 404", on=steps(LIFE))
def nothing_is_deleted_twice(exchanges: list[Exchange]) -> None:
    """A second deletion of a store is answered 404."""
    deletion = _deletion(exchanges)
    expect_gone(asked_for(exchanges, "deleteVectorStore", of_path(deletion.request.path), after=deletion))


def _deletion(exchanges: Sequence[Exchange]) -> Exchange:
    store_of(exchanges)
    deletion = asked_for(exchanges, "deleteVectorStore", of_path(store_path(exchanges)))
    if not is_ok(deletion):
        raise NotApplicable(f"nothing was deleted: {deletion.id} was answered {deletion.status}")
    return deletion
