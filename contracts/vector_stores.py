"""Vector stores: made with a name, labels and an expiry, filled with files, changed, emptied and deleted.

One flow walks through the life of a store with three small files. How they are taken in is judged in
vector_stores_files.py, what is found in them in vector_stores_search.py.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    id_of,
    ids_of,
    is_ok,
    of_path,
    served,
)
from ._reading import maybe_object
from ._stores import (
    ASKED,
    BREAD,
    CHUNKING,
    DAYS,
    ICE,
    LIFE,
    MARKS,
    NEW_LABELS,
    NEW_MARKS,
    NEW_NAME,
    QUERY,
    SENT,
    THRESHOLD,
    TOWER,
    UNKNOWN_FILE,
    asks,
    store_of,
    store_path,
    watched,
)

DAY_S = 86_400
ALL = (
    *("listVectorStores", "createVectorStore", "getVectorStore", "modifyVectorStore", "deleteVectorStore"),
    *("listVectorStoreFiles", "createVectorStoreFile", "getVectorStoreFile", "updateVectorStoreFileAttributes"),
    *("deleteVectorStoreFile", "retrieveVectorStoreFileContent", "createVectorStoreFileBatch"),
    *("getVectorStoreFileBatch", "listFilesInVectorStoreBatch", "searchVectorStore"),
)


@flow(LIFE, most=52, needs=NO_MODEL, about="make a store of three files, list, search, change and delete it",
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
    for file in (TOWER, ICE):
        if file.name in ids:
            body: dict[str, Any] = {"file_id": ids[file.name], "attributes": MARKS[file.name]}
            if file is ICE:
                body["chunking_strategy"] = CHUNKING
            if is_ok((yield asks("POST", f"{path}/files", body))):
                yield from watched("StoreFile", f"{path}/files/{ids[file.name]}")
    if BREAD.name in ids:
        body = {"file_ids": [ids[BREAD.name]], "attributes": MARKS[BREAD.name]}
        batch = id_of((yield asks("POST", f"{path}/file_batches", body)))
        if batch is not None:
            yield from watched("FileBatch", f"{path}/file_batches/{batch}")
            yield asks("GET", f"{path}/file_batches/{batch}/files")
    yield asks("GET", path)
    if TOWER.name in ids and ICE.name in ids:
        yield from _listed(path, ids[TOWER.name], ids[ICE.name])
        yield from _searched(path)
        yield from _changed(path, ids[TOWER.name])
    yield asks("POST", f"{path}/files", {"file_id": UNKNOWN_FILE})
    yield asks("POST", path, {"name": NEW_NAME, "metadata": NEW_LABELS})
    yield asks("GET", path)
    yield asks("GET", "/vector_stores", limit="5")
    yield asks("DELETE", path)
    yield asks("DELETE", path)
    yield asks("GET", path)
    for id in ids.values():
        yield asks("DELETE", f"/files/{id}")


def _listed(path: str, first: str, second: str) -> Flow:
    yield asks("GET", f"{path}/files", order="asc")
    yield asks("GET", f"{path}/files", limit="1", order="asc")
    yield asks("GET", f"{path}/files", limit="1", order="asc", after=first)
    yield asks("GET", f"{path}/files", before=first)
    yield asks("GET", f"{path}/files", limit="1", after=second)
    yield asks("GET", f"{path}/files", filter="failed")


def _searched(path: str) -> Flow:
    for narrowed in (
        {"query": QUERY},
        {"query": QUERY, "max_num_results": 1},
        {"query": QUERY, "filters": {"type": "eq", "key": "kind", "value": "ice"}},
        {"query": QUERY, "filters": {"type": "and", "filters": [
            {"type": "lt", "key": "year", "value": 1900}, {"type": "ne", "key": "kind", "value": "tower"}]}},
        {"query": QUERY, "ranking_options": {"score_threshold": THRESHOLD}},
        {"query": QUERY, "max_num_results": 0},
    ):  # fmt: skip
        yield asks("POST", f"{path}/search", narrowed)


def _changed(path: str, id: str) -> Flow:
    yield asks("GET", f"{path}/files/{id}/content")
    yield asks("POST", f"{path}/files/{id}", {"attributes": NEW_MARKS})
    yield asks("GET", f"{path}/files/{id}")
    yield asks("DELETE", f"{path}/files/{id}")
    yield asks("GET", f"{path}/files/{id}")
    yield asks("GET", f"/files/{id}")


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
    exchange, body = store_of(exchanges)
    expires, active = body.get("expires_at"), body.get("last_active_at")
    if type(active) is not int:
        active = body.get("created_at")
    if type(active) is not int:
        raise Inconclusive("no time to count from: vector-stores.times judges that")
    wanted = active + DAYS * DAY_S
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
    read = asked_for(exchanges, "getVectorStore", of_path(path), after=change)
    expect_same(read, served(read, "the changed store"), wanted, "name", "metadata")


@clause("vector-stores.list", level="MUST", source="SPEC listVectorStores", on=steps(LIFE))
def stores_are_listed(exchanges: list[Exchange]) -> None:
    """A store that was made is in the list."""
    _, made = store_of(exchanges)
    exchange = asked_for(exchanges, "listVectorStores")
    body, ids = served(exchange, "a list of stores"), ids_of(exchange)
    if made.get("id") not in ids and body.get("has_more") is True:
        raise Inconclusive("others were made in the meantime")
    expect(made.get("id") in ids, expected=f"{made.get('id')} in the list", got=shown(ids), at=f"{exchange.id} /data")


# ------------------------------------------------------------------------------------------------ its end


@clause("vector-stores.delete", level="MUST", source="SPEC DeleteVectorStoreResponse", on=steps(LIFE))
def a_deletion_says_so(exchanges: list[Exchange]) -> None:
    """A deletion is answered `{id, object: "vector_store.deleted", deleted: true}` with the id that was deleted."""
    _, made = store_of(exchanges)
    exchange = asked_for(exchanges, "deleteVectorStore")
    expect_same(exchange, served(exchange, "a deletion"), {"id": made.get("id"), "deleted": True}, "id", "deleted")


@clause("vector-stores.gone", level="MUST", source="SPEC deleteVectorStore, getVectorStore", on=steps(LIFE))
def a_deleted_store_is_gone(exchanges: list[Exchange]) -> None:
    """A deleted store is not found: 404."""
    deletion = _deletion(exchanges)
    expect_gone(asked_for(exchanges, "getVectorStore", of_path(deletion.request.path), after=deletion))


@clause("vector-stores.delete-twice", level="SHOULD", source="SPEC deleteVectorStore; ERR-LATE 404", on=steps(LIFE))
def nothing_is_deleted_twice(exchanges: list[Exchange]) -> None:
    """A second deletion of a store is answered 404."""
    deletion = _deletion(exchanges)
    expect_gone(asked_for(exchanges, "deleteVectorStore", after=deletion))


def _deletion(exchanges: Sequence[Exchange]) -> Exchange:
    store_of(exchanges)
    deletion = asked_for(exchanges, "deleteVectorStore")
    if not is_ok(deletion):
        raise NotApplicable(f"nothing was deleted: {deletion.id} was answered {deletion.status}")
    return deletion
