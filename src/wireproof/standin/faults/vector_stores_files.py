"""Departures of the files of vector stores: lost, stuck, miscounted, cut as nobody asked."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_json
from wireproof.standin.faults.store_edits import (
    ANY,
    BATCH,
    FILE,
    FILES,
    UNKNOWN,
    each_file,
    each_store,
    edited,
    is_of,
)
from wireproof.standin.wire import Answer, Ask, Serve


@fault("vector-stores.file-renamed", breaks="vector-stores.file")
def files_have_other_stores(ask: Ask, serve: Serve) -> Answer:
    """A file of a store names another store."""
    return each_file(ask, serve, lambda row: row.update(vector_store_id="vs_0"))


@fault("vector-stores.back-to-work", breaks="vector-stores.moves", also=("vector-stores.ready",))
def completed_files_go_back(ask: Ask, serve: Serve) -> Answer:
    """Changing the attributes of a file tells of it as in progress."""
    return edited(FILE, ask, serve, lambda body: body | {"status": "in_progress"}, "POST")


@fault("vector-stores.stuck", breaks="vector-stores.ready", also=("vector-stores.files-filter",))
def files_are_never_ready(ask: Ask, serve: Serve) -> Answer:
    """A file of a store is in progress for ever."""
    return each_file(ask, serve, lambda row: row.update(status="in_progress") if "status" in row else None)


@fault("vector-stores.failed", breaks="vector-stores.ready", also=("vector-stores.files-filter",))
def files_fail(ask: Ask, serve: Serve) -> Answer:
    """Text files fail as unsupported."""
    error = {"code": "unsupported_file", "message": "No."}
    return each_file(ask, serve, lambda row: row.update(status="failed", last_error=error) if "status" in row else None)


@fault("vector-stores.attributes-text", breaks="vector-stores.attributes", also=("vector-stores.attributes-update",))
def attributes_are_text(ask: Ask, serve: Serve) -> Answer:
    """The numbers and truth values of attributes come back as text."""

    def edit(row: dict[str, Any]) -> None:
        row["attributes"] = {name: str(value) for name, value in row["attributes"].items()}

    return each_file(ask, serve, lambda row: edit(row) if row.get("attributes") else None)


@fault("vector-stores.chunking-ignored", breaks="vector-stores.chunking")
def strategies_are_ignored(ask: Ask, serve: Serve) -> Answer:
    """Every file is cut as by default."""
    return serve(ask.without("chunking_strategy") if is_of(ask, FILES, "POST") else ask)


@fault(
    "vector-stores.attributes-ignored", breaks="vector-stores.attributes-update", also=("vector-stores.search-anew",)
)
def new_attributes_are_ignored(ask: Ask, serve: Serve) -> Answer:
    """New attributes of a file have no effect."""
    return serve(replace(ask, method="GET", body=b"") if is_of(ask, FILE, "POST") else ask)


@fault(
    "vector-stores.attributes-merged",
    breaks="vector-stores.attributes-update",
    also=("vector-stores.search-attributes",),
)
def attributes_are_merged(ask: Ask, serve: Serve) -> Answer:
    """New attributes are put beside the old ones."""
    if not is_of(ask, FILE, "POST"):
        return serve(ask)
    old = serve(replace(ask, method="GET", body=b"")).json["attributes"]
    return serve(ask.changed(attributes={**old, **ask.asked["attributes"]}))


@fault(
    "vector-stores.total-open", breaks="vector-stores.counts", also=("vector-stores.counted", "vector-stores.batch*")
)
def totals_are_of_the_open(ask: Ask, serve: Serve) -> Answer:
    """`total` counts what is still to do."""

    def edit(body: dict[str, Any]) -> None:
        if "file_counts" in body:
            body["file_counts"] = {**body["file_counts"], "total": body["file_counts"]["in_progress"]}

    return edited(f"{ANY}|{BATCH}", ask, serve, edit)


@fault("vector-stores.uncounted", breaks="vector-stores.counted")
def files_are_not_counted(ask: Ask, serve: Serve) -> Answer:
    """A store counts no files."""
    return each_store(ask, serve, lambda body: body | {"file_counts": dict.fromkeys(body["file_counts"], 0)})


@fault("vector-stores.weightless", breaks="vector-stores.usage")
def stores_weigh_nothing(ask: Ask, serve: Serve) -> Answer:
    """`usage_bytes` of a store is always 0."""
    return each_store(ask, serve, lambda body: body | {"usage_bytes": 0})


@fault("vector-stores.list-of-cut", breaks="vector-stores.files-list")
def lists_wait_for_what_is_cut_otherwise(ask: Ask, serve: Serve) -> Answer:
    """In lists files that are cut as somebody asked are in progress for ever."""

    def edit(body: dict[str, Any]) -> None:
        for row in body["data"]:
            if row["chunking_strategy"]["static"]["max_chunk_size_tokens"] != 800:
                row["status"] = "in_progress"

    return edited(FILES, ask, serve, edit, "GET")


@fault("vector-stores.list-behind", breaks="vector-stores.files-list", also=("paging.rows",))
def lists_are_behind(ask: Ask, serve: Serve) -> Answer:
    """In lists completed files are in progress."""

    def edit(body: dict[str, Any]) -> None:
        for row in body["data"]:
            row["status"] = "in_progress"

    return edited(FILES, ask, serve, edit, "GET")


@fault("vector-stores.filter-ignored", breaks="vector-stores.files-filter")
def states_are_not_filtered(ask: Ask, serve: Serve) -> Answer:
    """`filter` has no effect on a list of files."""
    if not is_of(ask, FILES, "GET"):
        return serve(ask)
    return serve(replace(ask, query=tuple(pair for pair in ask.query if pair[0] != "filter")))


@fault("vector-stores.before-ignored", breaks="paging.after-itself", also=("paging.beyond",))
def before_is_ignored(ask: Ask, serve: Serve) -> Answer:
    """`before` has no effect on a list of files."""
    if not is_of(ask, FILES, "GET"):
        return serve(ask)
    return serve(replace(ask, query=tuple(pair for pair in ask.query if pair[0] != "before")))


@fault("vector-stores.batch-unlisted", breaks="vector-stores.batch")
def batches_list_the_whole_store(ask: Ask, serve: Serve) -> Answer:
    """The files of a batch are those of the whole store."""
    if not is_of(ask, "/[^/]+/file_batches/[^/]+/files", "GET"):
        return serve(ask)
    return serve(replace(ask, path=re.sub("/file_batches/.*", "/files", ask.path)))


@fault("vector-stores.file-undead", breaks="vector-stores.removed", also=("vector-stores.search-anew",))
def removals_do_not_remove(ask: Ask, serve: Serve) -> Answer:
    """A file is not taken out of the store, and the answer says it is."""
    if not is_of(ask, FILE, "DELETE"):
        return serve(ask)
    kept = serve(replace(ask, method="GET"))
    return edit_json(kept, lambda body: {"id": body["id"], "object": "vector_store.file.deleted", "deleted": True})


@fault("vector-stores.file-deleted", breaks="vector-stores.keeps-file", also=("vector-stores.schema",))
def removals_delete_the_file(ask: Ask, serve: Serve) -> Answer:
    """A file that is taken out of a store is deleted altogether."""
    answer = serve(ask)
    if is_of(ask, FILE, "DELETE") and answer.status == 200:
        serve(replace(ask, path=f"/v1/files/{ask.path.rpartition('/')[2]}"))
    return answer


@fault("vector-stores.unknown-taken", breaks="vector-stores.unknown-file", also=("vector-stores.*",))
def unknown_files_are_taken(ask: Ask, serve: Serve) -> Answer:
    """A File that there is not is taken into a store."""
    answer = serve(ask)
    if not is_of(ask, FILES, "POST") or answer.status != 404 or UNKNOWN not in str(ask.asked.get("file_id")):
        return answer
    row = {"id": ask.asked["file_id"], "object": "vector_store.file", "status": "in_progress", "last_error": None}
    row |= {"created_at": 1_795_000_000, "vector_store_id": ask.path.split("/")[3], "usage_bytes": 0}
    return replace(answer, status=200).with_json(row)


@fault("vector-stores.store-unnamed", breaks="vector-stores.schema", also=("vector-stores.file",))
def files_name_no_store(ask: Ask, serve: Serve) -> Answer:
    """A file of a store has no `vector_store_id`."""
    return each_file(ask, serve, lambda row: row.pop("vector_store_id", None))


@fault("vector-stores.attributes-falsy-lost", breaks="vector-stores.attributes")
def false_attributes_are_lost(ask: Ask, serve: Serve) -> Answer:
    """An attribute that is false is not in the answer to the file's arrival."""

    def edit(body: dict[str, Any]) -> None:
        body["attributes"] = {name: value for name, value in (body.get("attributes") or {}).items() if value}

    return edited(FILES, ask, serve, edit, "POST")


@fault("vector-stores.batch-miscounted", breaks="vector-stores.counts", also=("vector-stores.batch",))
def batches_are_miscounted(ask: Ask, serve: Serve) -> Answer:
    """A file of a batch that is completed is counted as in progress as well."""

    def edit(body: dict[str, Any]) -> None:
        counts = body.get("file_counts") or {}
        if counts.get("completed"):
            body["file_counts"] = {**counts, "in_progress": counts["completed"]}

    return edited(BATCH, ask, serve, edit)


@fault("vector-stores.attributes-unsaid", breaks="vector-stores.attributes-update")
def new_attributes_are_not_said(ask: Ask, serve: Serve) -> Answer:
    """The answer to new attributes has none; whoever reads or searches finds them."""
    return edited(FILE, ask, serve, lambda body: body | {"attributes": {}}, "POST")


@fault("vector-stores.completed-with-error", breaks="vector-stores.last-error")
def completed_files_have_errors(ask: Ask, serve: Serve) -> Answer:
    """A file that is completed tells an error as well."""
    error = {"code": "server_error", "message": "Try again."}
    return each_file(ask, serve, lambda row: row.update(last_error=error) if row.get("status") == "completed" else None)


@fault("vector-stores.batch-lingers", breaks="vector-stores.batch-ready")
def batches_linger(ask: Ask, serve: Serve) -> Answer:
    """A batch is in progress for ever, though its files are not."""

    def edit(body: dict[str, Any]) -> Any:
        return body | {"status": "in_progress"} if body.get("status") == "completed" else None

    return edited(BATCH, ask, serve, edit)


@fault("vector-stores.batch-done-too-soon", breaks="vector-stores.batch", also=("vector-stores.*",))
def batches_are_done_too_soon(ask: Ask, serve: Serve) -> Answer:
    """A batch is completed as it is made, while its files are in progress."""
    return edited(
        BATCH, ask, serve, lambda body: body | {"status": "completed"} if "file_counts" in body else None, "POST"
    )


@fault("vector-stores.batch-goes-on", breaks="vector-stores.batch-cancel", also=("vector-stores.files-filter",))
def cancelled_batches_go_on(ask: Ask, serve: Serve) -> Answer:
    """Cancelling a batch of files is answered 200 and counts its file as in progress for ever."""

    def edit(body: dict[str, Any]) -> Any:
        counts = body.get("file_counts") or {}
        if not counts.get("cancelled"):
            return None
        return body | {
            "status": "in_progress",
            "file_counts": counts | {"in_progress": counts["total"], "cancelled": 0},
        }

    return edited(f"{BATCH}(/cancel)?", ask, serve, edit)


@fault("vector-stores.batch-unknown-crash", breaks="vector-stores.unknown-batch")
def unknown_batches_crash(ask: Ask, serve: Serve) -> Answer:
    """500 for a batch of files that there is not."""
    answer = serve(ask)
    return replace(answer, status=500) if is_of(ask, BATCH, "GET") and answer.status == 404 else answer


@fault("vector-stores.truth-a-number", breaks="vector-stores.attributes", also=("vector-stores.attributes-update",))
def truth_values_are_numbers(ask: Ask, serve: Serve) -> Answer:
    """True comes back as 1."""

    def edit(row: dict[str, Any]) -> None:
        marks = row.get("attributes") or {}
        row["attributes"] = {name: int(value) if isinstance(value, bool) else value for name, value in marks.items()}

    return each_file(ask, serve, lambda row: edit(row) if "status" in row else None)


@fault("vector-stores.removed-listed", breaks="vector-stores.removed")
def removed_files_are_listed(ask: Ask, serve: Serve) -> Answer:
    """A file that was taken out of a store is still in its list."""
    answer = serve(ask)
    if not is_of(ask, FILES, "GET") or answer.status != 200 or ask.query or len(answer.json["data"]) != 2:
        return answer
    kept = serve(Ask("GET", "/v1/files", (("purpose", "assistants"), ("order", "asc")), ask.headers)).json["data"]
    known = {row["id"] for row in answer.json["data"]}
    gone = [answer.json["data"][0] | {"id": row["id"]} for row in kept if row["id"] not in known]
    return edit_json(answer, lambda body: body | {"data": body["data"] + gone[:1], "last_id": gone[0]["id"]})
