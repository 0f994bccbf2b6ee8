"""Departures of vector stores: what is lost of a store and its files, and searches that find the wrong thing."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_json
from wireproof.standin.wire import Answer, Ask, Serve

# What a request is about, by the pattern of its path below /v1/vector_stores.
ANY, ONE, FILES, FILE = "(/[^/]+)?", "/[^/]+", "/[^/]+/files", "/[^/]+/files/[^/]+"
BATCH, SEARCH, CONTENT = "/[^/]+/file_batches(/[^/]+)?", "/[^/]+/search", "/[^/]+/files/[^/]+/content"
UNKNOWN = "wireproofnosuchfile"

Edit = Callable[[dict[str, Any]], Any]


def _is(ask: Ask, where: str, *methods: str) -> bool:
    root, _, rest = ask.path.partition("/v1/vector_stores")
    is_meant = not root and ask.path.startswith("/v1/vector_stores") and re.fullmatch(where, rest) is not None
    return is_meant and (not methods or ask.method in methods)


def _edited(where: str, ask: Ask, serve: Serve, edit: Edit, *methods: str) -> Answer:
    answer = serve(ask)
    return edit_json(answer, edit) if _is(ask, where, *methods) else answer


def _store(ask: Ask, serve: Serve, edit: Edit) -> Answer:
    """`edit` on a store that is made, read or changed."""
    return _edited(ANY, ask, serve, lambda body: edit(body) if body.get("object") == "vector_store" else None)


def _each_file(ask: Ask, serve: Serve, edit: Edit) -> Answer:
    """`edit` on every file of a store, alone and in lists."""

    def every(body: dict[str, Any]) -> None:
        for row in body.get("data", [body]):
            edit(row)

    return _edited(f"{FILES}|{FILE}", ask, serve, every, "GET", "POST")


def _found(ask: Ask, serve: Serve, edit: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Answer:
    """`edit` on what a search finds."""
    return _edited(SEARCH, ask, serve, lambda body: body | {"data": edit(body["data"])})


# ------------------------------------------------------------------------------------------------ the store


@fault("vector-stores.store-unnamed", breaks="vector-stores.schema", also=("vector-stores.file",))
def files_name_no_store(ask: Ask, serve: Serve) -> Answer:
    """A file of a store has no `vector_store_id`."""
    return _each_file(ask, serve, lambda row: row.pop("vector_store_id", None))


@fault("vector-stores.page-a-list", breaks="vector-stores.schema")
def results_are_a_list(ask: Ask, serve: Serve) -> Answer:
    """What is found has `object: "list"`."""
    return _edited(SEARCH, ask, serve, lambda body: body | {"object": "list"})


@fault("vector-stores.scores-percent", breaks="vector-stores.schema")
def scores_are_percentages(ask: Ask, serve: Serve) -> Answer:
    """Scores run from 0 to 100."""
    return _found(ask, serve, lambda rows: [row | {"score": 1 + row["score"] * 99} for row in rows])


@fault("vector-stores.name-lost", breaks="vector-stores.echo", also=("vector-stores.schema", "vector-stores.update"))
def the_name_is_lost(ask: Ask, serve: Serve) -> Answer:
    """The name of a store is null."""
    return _store(ask, serve, lambda body: body | {"name": None})


@fault("vector-stores.metadata-lost", breaks="vector-stores.echo", also=("vector-stores.update",))
def metadata_is_lost(ask: Ask, serve: Serve) -> Answer:
    """The metadata of a store are empty."""
    return _store(ask, serve, lambda body: body | {"metadata": {}})


@fault("vector-stores.policy-lost", breaks="vector-stores.echo")
def the_policy_is_lost(ask: Ask, serve: Serve) -> Answer:
    """A store does not tell `expires_after`, though it goes by it."""
    return _store(ask, serve, lambda body: body | {"expires_after": None})


@fault("vector-stores.created-ms", breaks="vector-stores.times")
def created_in_milliseconds(ask: Ask, serve: Serve) -> Answer:
    """`created_at` of a store is in milliseconds."""
    return _store(ask, serve, lambda body: body | {"created_at": body["created_at"] * 1000})


@fault("vector-stores.never-expires", breaks="vector-stores.expiry")
def stores_never_expire(ask: Ask, serve: Serve) -> Answer:
    """`expires_after` has no effect."""
    return _store(ask, serve, lambda body: body | {"expires_at": None})


@fault("vector-stores.read-anew", breaks="vector-stores.get")
def stores_are_read_anew(ask: Ask, serve: Serve) -> Answer:
    """A store that is read was created a minute later."""
    return _edited(ONE, ask, serve, lambda body: body | {"created_at": body["created_at"] + 60}, "GET")


@fault("vector-stores.update-ignored", breaks="vector-stores.update")
def updates_are_ignored(ask: Ask, serve: Serve) -> Answer:
    """An update answers 200 and changes nothing."""
    return serve(replace(ask, method="GET", body=b"") if _is(ask, ONE, "POST") else ask)


@fault("vector-stores.update-told", breaks="vector-stores.update")
def updates_are_only_told(ask: Ask, serve: Serve) -> Answer:
    """An update is answered as if it were made, and is not."""
    if not _is(ask, ONE, "POST"):
        return serve(ask)
    return edit_json(serve(replace(ask, method="GET", body=b"")), lambda body: body | ask.asked)


@fault("vector-stores.unlisted", breaks="vector-stores.list")
def stores_are_not_listed(ask: Ask, serve: Serve) -> Answer:
    """The list of stores is empty."""
    bare: dict[str, Any] = {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}
    return _edited("", ask, serve, lambda _: bare, "GET")


# ------------------------------------------------------------------------------------------------ its files


@fault("vector-stores.file-renamed", breaks="vector-stores.file")
def files_have_other_stores(ask: Ask, serve: Serve) -> Answer:
    """A file of a store names another store."""
    return _each_file(ask, serve, lambda row: row.update(vector_store_id="vs_0"))


@fault("vector-stores.back-to-work", breaks="vector-stores.moves", also=("vector-stores.ready",))
def completed_files_go_back(ask: Ask, serve: Serve) -> Answer:
    """Changing the attributes of a file tells of it as in progress."""
    return _edited(FILE, ask, serve, lambda body: body | {"status": "in_progress"}, "POST")


@fault("vector-stores.stuck", breaks="vector-stores.ready", also=("vector-stores.files-filter",))
def files_are_never_ready(ask: Ask, serve: Serve) -> Answer:
    """A file of a store is in progress for ever."""
    return _each_file(ask, serve, lambda row: row.update(status="in_progress") if "status" in row else None)


@fault("vector-stores.failed", breaks="vector-stores.ready", also=("vector-stores.files-filter",))
def files_fail(ask: Ask, serve: Serve) -> Answer:
    """Text files fail as unsupported."""
    error = {"code": "unsupported_file", "message": "No."}
    return _each_file(
        ask, serve, lambda row: row.update(status="failed", last_error=error) if "status" in row else None
    )


@fault("vector-stores.attributes-text", breaks="vector-stores.attributes", also=("vector-stores.attributes-update",))
def attributes_are_text(ask: Ask, serve: Serve) -> Answer:
    """The numbers and truth values of attributes come back as text."""

    def edit(row: dict[str, Any]) -> None:
        row["attributes"] = {name: str(value) for name, value in row["attributes"].items()}

    return _each_file(ask, serve, lambda row: edit(row) if row.get("attributes") else None)


@fault("vector-stores.chunking-ignored", breaks="vector-stores.chunking")
def strategies_are_ignored(ask: Ask, serve: Serve) -> Answer:
    """Every file is cut as by default."""
    return serve(ask.without("chunking_strategy") if _is(ask, FILES, "POST") else ask)


@fault("vector-stores.attributes-ignored", breaks="vector-stores.attributes-update")
def new_attributes_are_ignored(ask: Ask, serve: Serve) -> Answer:
    """New attributes of a file have no effect."""
    return serve(replace(ask, method="GET", body=b"") if _is(ask, FILE, "POST") else ask)


@fault("vector-stores.attributes-merged", breaks="vector-stores.attributes-update")
def attributes_are_merged(ask: Ask, serve: Serve) -> Answer:
    """New attributes are put beside the old ones."""
    if not _is(ask, FILE, "POST"):
        return serve(ask)
    old = serve(replace(ask, method="GET", body=b"")).json["attributes"]
    return serve(ask.changed(attributes={**old, **ask.asked["attributes"]}))


@fault("vector-stores.total-open", breaks="vector-stores.counts", also=("vector-stores.counted", "vector-stores.batch"))
def totals_are_of_the_open(ask: Ask, serve: Serve) -> Answer:
    """`total` counts what is still to do."""

    def edit(body: dict[str, Any]) -> None:
        if "file_counts" in body:
            body["file_counts"] = {**body["file_counts"], "total": body["file_counts"]["in_progress"]}

    return _edited(f"{ANY}|{BATCH}", ask, serve, edit)


@fault("vector-stores.uncounted", breaks="vector-stores.counted")
def files_are_not_counted(ask: Ask, serve: Serve) -> Answer:
    """A store counts no files."""
    return _store(ask, serve, lambda body: body | {"file_counts": dict.fromkeys(body["file_counts"], 0)})


@fault("vector-stores.weightless", breaks="vector-stores.usage")
def stores_weigh_nothing(ask: Ask, serve: Serve) -> Answer:
    """`usage_bytes` of a store is always 0."""
    return _store(ask, serve, lambda body: body | {"usage_bytes": 0})


@fault("vector-stores.list-behind", breaks="vector-stores.files-list")
def lists_are_behind(ask: Ask, serve: Serve) -> Answer:
    """In lists completed files are in progress."""

    def edit(body: dict[str, Any]) -> None:
        for row in body["data"]:
            row["status"] = "in_progress"

    return _edited(FILES, ask, serve, edit, "GET")


@fault("vector-stores.filter-ignored", breaks="vector-stores.files-filter")
def states_are_not_filtered(ask: Ask, serve: Serve) -> Answer:
    """`filter` has no effect on a list of files."""
    if not _is(ask, FILES, "GET"):
        return serve(ask)
    return serve(replace(ask, query=tuple(pair for pair in ask.query if pair[0] != "filter")))


@fault("vector-stores.before-ignored", breaks="paging.after-itself", also=("paging.beyond",))
def before_is_ignored(ask: Ask, serve: Serve) -> Answer:
    """`before` has no effect on a list of files."""
    if not _is(ask, FILES, "GET"):
        return serve(ask)
    return serve(replace(ask, query=tuple(pair for pair in ask.query if pair[0] != "before")))


@fault("vector-stores.batch-unlisted", breaks="vector-stores.batch")
def batches_list_the_whole_store(ask: Ask, serve: Serve) -> Answer:
    """The files of a batch are those of the whole store."""
    if not _is(ask, "/[^/]+/file_batches/[^/]+/files", "GET"):
        return serve(ask)
    return serve(replace(ask, path=re.sub("/file_batches/.*", "/files", ask.path)))


@fault("vector-stores.file-undead", breaks="vector-stores.removed")
def removals_do_not_remove(ask: Ask, serve: Serve) -> Answer:
    """A file is not taken out of the store, and the answer says it is."""
    if not _is(ask, FILE, "DELETE"):
        return serve(ask)
    kept = serve(replace(ask, method="GET"))
    return edit_json(kept, lambda body: {"id": body["id"], "object": "vector_store.file.deleted", "deleted": True})


@fault("vector-stores.file-deleted", breaks="vector-stores.keeps-file", also=("vector-stores.schema",))
def removals_delete_the_file(ask: Ask, serve: Serve) -> Answer:
    """A file that is taken out of a store is deleted altogether."""
    answer = serve(ask)
    if _is(ask, FILE, "DELETE") and answer.status == 200:
        serve(replace(ask, path=f"/v1/files/{ask.path.rpartition('/')[2]}"))
    return answer


@fault("vector-stores.unknown-taken", breaks="vector-stores.unknown-file", also=("vector-stores.*",))
def unknown_files_are_taken(ask: Ask, serve: Serve) -> Answer:
    """A File that there is not is taken into a store."""
    answer = serve(ask)
    if not _is(ask, FILES, "POST") or answer.status != 404 or UNKNOWN not in str(ask.asked.get("file_id")):
        return answer
    row = {"id": ask.asked["file_id"], "object": "vector_store.file", "status": "in_progress", "last_error": None}
    row |= {"created_at": 1_795_000_000, "vector_store_id": ask.path.split("/")[3], "usage_bytes": 0}
    return replace(answer, status=200).with_json(row)


# ------------------------------------------------------------------------------------------------ its end


@fault("vector-stores.deletion-unsaid", breaks="vector-stores.delete")
def deletions_are_not_said(ask: Ask, serve: Serve) -> Answer:
    """The deletion of a store is answered without `deleted`."""
    return _edited(ONE, ask, serve, lambda body: body.pop("deleted", None) and None, "DELETE")


@fault("vector-stores.undead", breaks="vector-stores.gone", also=("vector-stores.delete-twice",))
def deletions_do_not_delete(ask: Ask, serve: Serve) -> Answer:
    """A deletion says yes and keeps the store."""
    if not _is(ask, ONE, "DELETE"):
        return serve(ask)
    kept = serve(replace(ask, method="GET"))
    return edit_json(kept, lambda body: {"id": body["id"], "object": "vector_store.deleted", "deleted": True})


@fault("vector-stores.deleted-again", breaks="vector-stores.delete-twice")
def anything_is_deleted(ask: Ask, serve: Serve) -> Answer:
    """Deleting a store that is not there succeeds."""
    answer = serve(ask)
    if not _is(ask, ONE, "DELETE") or answer.status != 404:
        return answer
    told = {"id": ask.path.rpartition("/")[2], "object": "vector_store.deleted", "deleted": True}
    return replace(answer, status=200).with_json(told)


# ------------------------------------------------------------------------------------------------ searches


@fault("vector-stores.worst-first", breaks="vector-stores.search-order", also=("vector-stores.search-finds",))
def the_worst_comes_first(ask: Ask, serve: Serve) -> Answer:
    """What is found comes with the lowest score first."""
    return _found(ask, serve, lambda rows: rows[::-1])


@fault("vector-stores.most-ignored", breaks="vector-stores.search-most")
def any_number_is_found(ask: Ask, serve: Serve) -> Answer:
    """`max_num_results` has no effect."""
    is_number = bool(ask.asked.get("max_num_results"))
    return serve(ask.without("max_num_results") if _is(ask, SEARCH) and is_number else ask)


@fault("vector-stores.threshold-ignored", breaks="vector-stores.search-threshold")
def the_threshold_is_ignored(ask: Ask, serve: Serve) -> Answer:
    """`score_threshold` has no effect."""
    return serve(ask.without("ranking_options") if _is(ask, SEARCH) and "ranking_options" in ask.asked else ask)


@fault("vector-stores.filters-ignored", breaks="vector-stores.search-filter")
def filters_are_ignored(ask: Ask, serve: Serve) -> Answer:
    """`filters` have no effect."""
    return serve(ask.without("filters") if _is(ask, SEARCH) else ask)


@fault("vector-stores.filters-strict", breaks="vector-stores.search-filter-passes")
def nothing_passes(ask: Ask, serve: Serve) -> Answer:
    """A search with filters finds nothing."""
    return _found(ask, serve, lambda rows: [] if ask.asked.get("filters") else rows)


@fault("vector-stores.finds-another", breaks="vector-stores.search-finds")
def the_wrong_file_is_found(ask: Ask, serve: Serve) -> Answer:
    """What fits best is not found at all."""
    is_plain = set(ask.asked) == {"query"}
    return _found(ask, serve, lambda rows: rows[1:] if is_plain else rows)


@fault("vector-stores.chunks-exchanged", breaks="vector-stores.search-content")
def chunks_are_of_another_file(ask: Ask, serve: Serve) -> Answer:
    """The texts of what is found are exchanged."""

    def edit(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        texts = [row["content"] for row in rows]
        return [{**row, "content": text} for row, text in zip(rows, texts[::-1], strict=True)]

    return _found(ask, serve, edit)


@fault("vector-stores.filename-lost", breaks="vector-stores.search-content")
def names_of_files_are_lost(ask: Ask, serve: Serve) -> Answer:
    """What is found has no name of a file."""
    return _found(ask, serve, lambda rows: [{**row, "filename": ""} for row in rows])


@fault("vector-stores.attributes-lost", breaks="vector-stores.search-attributes")
def attributes_are_lost(ask: Ask, serve: Serve) -> Answer:
    """What is found has no attributes."""
    return _found(ask, serve, lambda rows: [{**row, "attributes": {}} for row in rows])


@fault("vector-stores.bounds-unchecked", breaks="vector-stores.search-bounds")
def any_bound_is_taken(ask: Ask, serve: Serve) -> Answer:
    """`max_num_results: 0` is taken for nothing said."""
    is_zero = ask.asked.get("max_num_results") == 0
    return serve(ask.without("max_num_results") if _is(ask, SEARCH) and is_zero else ask)


@fault("vector-stores.content-empty", breaks="vector-stores.content")
def content_is_empty(ask: Ask, serve: Serve) -> Answer:
    """The content of a file of a store has no pieces."""
    return _edited(CONTENT, ask, serve, lambda body: body | {"data": []})


@fault("vector-stores.attributes-falsy-lost", breaks="vector-stores.attributes")
def false_attributes_are_lost(ask: Ask, serve: Serve) -> Answer:
    """An attribute that is false is not in the answer to the file's arrival."""

    def edit(body: dict[str, Any]) -> None:
        body["attributes"] = {name: value for name, value in (body.get("attributes") or {}).items() if value}

    return _edited(FILES, ask, serve, edit, "POST")


@fault("vector-stores.batch-miscounted", breaks="vector-stores.counts")
def batches_are_miscounted(ask: Ask, serve: Serve) -> Answer:
    """A file of a batch that is completed is counted as in progress as well."""

    def edit(body: dict[str, Any]) -> None:
        counts = body.get("file_counts") or {}
        if counts.get("completed"):
            body["file_counts"] = {**counts, "in_progress": counts["completed"]}

    return _edited(BATCH, ask, serve, edit)


@fault("vector-stores.undead-when-read", breaks="vector-stores.gone")
def deleted_stores_are_read(ask: Ask, serve: Serve) -> Answer:
    """A deleted store is still read, from a copy of it; deleting it again finds nothing."""
    answer = serve(ask)
    if not _is(ask, ONE, "GET") or answer.status != 404:
        return answer
    bare = serve(Ask("POST", "/v1/vector_stores", headers=ask.headers, body=b"{}"))
    return edit_json(bare, lambda body: body | {"id": ask.path.rpartition("/")[2]})


@fault("vector-stores.rest-numbered", breaks="vector-stores.search-order")
def the_rest_is_numbered(ask: Ask, serve: Serve) -> Answer:
    """Behind the best of what is found, `score` rises with the place in the list."""
    return _found(ask, serve, lambda rows: rows[:1] + [row | {"score": at / 100} for at, row in enumerate(rows[1:], 1)])
