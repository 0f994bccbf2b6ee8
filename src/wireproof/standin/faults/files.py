"""Departures of files: content and names that are changed on the way, deletions that do not delete."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from wireproof.standin.call import Upload
from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_error, edit_json
from wireproof.standin.forms import parts
from wireproof.standin.wire import Answer, Ask, Serve

FILES = "/v1/files"
ONE = "/v1/files/"
STARTED = 1_700_000_000
# The purpose of what batches write.
RESULTS = "batch_output"

Edit = Callable[[dict[str, Any]], Any]


def _is_upload(ask: Ask) -> bool:
    return ask.method == "POST" and ask.path == FILES


def _is_one(ask: Ask, method: str) -> bool:
    return ask.method == method and ask.path.startswith(ONE) and "/" not in ask.path.removeprefix(ONE)


def _edited_uploads(ask: Ask, serve: Serve, edit: Edit) -> Answer:
    answer = serve(ask)
    return edit_json(answer, edit) if _is_upload(ask) else answer


def _edited_files(ask: Ask, serve: Serve, edit: Edit) -> Answer:
    """`edit` on every file object that somebody uploaded, there, when it is read and in lists."""

    def every(body: dict[str, Any]) -> None:
        for row in body.get("data", [body]):
            if row.get("purpose") != RESULTS:
                edit(row)

    answer = serve(ask)
    is_meant = _is_upload(ask) or _is_one(ask, "GET") or (ask.method == "GET" and ask.path == FILES)
    return edit_json(answer, every) if is_meant else answer


def _edited_content(ask: Ask, serve: Serve, edit: Callable[[bytes], bytes]) -> Answer:
    answer = serve(ask)
    if ask.method != "GET" or not ask.path.endswith("/content") or not ask.path.startswith(ONE) or answer.status != 200:
        return answer
    return replace(answer, body=edit(answer.body))


@fault("files.object-missing", breaks="files.schema")
def object_is_missing(ask: Ask, serve: Serve) -> Answer:
    """A file has no `object`."""
    return _edited_files(ask, serve, lambda row: row.pop("object") and None)


@fault("files.bytes-text", breaks="files.schema", also=("files.bytes",))
def bytes_are_text(ask: Ask, serve: Serve) -> Answer:
    """`bytes` is a string."""
    return _edited_files(ask, serve, lambda row: row.update(bytes=str(row["bytes"])))


@fault("files.status-missing", breaks="files.status")
def status_is_missing(ask: Ask, serve: Serve) -> Answer:
    """A file has no `status`."""
    return _edited_files(ask, serve, lambda row: row.pop("status") and None)


@fault("files.bytes-zero", breaks="files.bytes")
def bytes_are_zero(ask: Ask, serve: Serve) -> Answer:
    """`bytes` is 0."""
    return _edited_files(ask, serve, lambda row: row.update(bytes=0))


@fault("files.bytes-characters", breaks="files.bytes", also=("files.get", "files.list"))
def characters_are_counted(ask: Ask, serve: Serve) -> Answer:
    """An upload is answered with the number of characters in place of that of bytes."""
    if not _is_upload(ask):
        return serve(ask)
    sent = [value.data for _, value in parts(ask.body, ask.header("content-type") or "") if isinstance(value, Upload)]
    return edit_json(serve(ask), lambda row: row | {"bytes": len(sent[0].decode("utf-8", "replace"))})


@fault("files.name-lost", breaks="files.filename", also=("files.filename-utf8",))
def names_are_lost(ask: Ask, serve: Serve) -> Answer:
    """Every file is called upload."""
    return _edited_files(ask, serve, lambda row: row.update(filename="upload"))


@fault("files.name-cleaned", breaks="files.filename")
def names_are_cleaned(ask: Ask, serve: Serve) -> Answer:
    """A blank in a name becomes an underscore."""
    return _edited_files(ask, serve, lambda row: row.update(filename=row["filename"].replace(" ", "_")))


@fault("files.name-garbled", breaks="files.filename-utf8")
def names_are_garbled(ask: Ask, serve: Serve) -> Answer:
    """A name in UTF-8 is read as Latin-1."""
    return _edited_files(ask, serve, lambda row: row.update(filename=row["filename"].encode().decode("latin-1")))


@fault("files.purpose-lost", breaks="files.purpose", also=("files.list-purpose",))
def purposes_are_lost(ask: Ask, serve: Serve) -> Answer:
    """Every file is for assistants."""
    return _edited_files(ask, serve, lambda row: row.update(purpose="assistants"))


@fault("files.purpose-told-wrong", breaks="files.purpose", also=("paging.rows",))
def purposes_are_told_wrong(ask: Ask, serve: Serve) -> Answer:
    """A file by itself is for assistants; in the list it is for what it was sent for."""
    is_list = ask.method == "GET" and ask.path == FILES
    return serve(ask) if is_list else _edited_files(ask, serve, lambda row: row.update(purpose="assistants"))


@fault("files.purpose-of-bytes", breaks="files.purpose")
def bytes_are_for_assistants(ask: Ask, serve: Serve) -> Answer:
    """What is no text is for assistants, whatever it was sent for."""
    is_meant = _is_upload(ask) and b"octet-stream" in ask.body
    return _edited_uploads(ask, serve, lambda row: row.update(purpose="assistants")) if is_meant else serve(ask)


@fault("files.created-finely", breaks="files.created")
def what_stays_is_dated_finely(ask: Ask, serve: Serve) -> Answer:
    """Files that do not expire tell `created_at` in milliseconds."""

    def edit(row: dict[str, Any]) -> None:
        if "created_at" in row and row.get("expires_at") is None:
            row["created_at"] *= 1000

    return _edited_files(ask, serve, edit)


@fault("files.created-ms", breaks="files.created", also=("files.expiry",))
def created_in_milliseconds(ask: Ask, serve: Serve) -> Answer:
    """`created_at` is in milliseconds."""
    return _edited_files(ask, serve, lambda row: row.update(created_at=row["created_at"] * 1000))


@fault("files.created-since-start", breaks="files.created")
def created_counts_from_the_start(ask: Ask, serve: Serve) -> Answer:
    """`created_at` counts from a start of the server, and `expires_at` as well."""

    def edit(row: dict[str, Any]) -> None:
        for name in ("created_at", "expires_at"):
            if row.get(name):
                row[name] -= STARTED

    return _edited_files(ask, serve, edit)


@fault("files.ids-alike", breaks="files.id-unique", also=("files.*", "paging.*", "vector-stores.*"))
def ids_are_of_the_purpose(ask: Ask, serve: Serve) -> Answer:
    """The files of a purpose share one id."""
    return _edited_uploads(ask, serve, lambda row: row | {"id": f"file-{row['purpose']}"})


@fault("files.ids-of-content", breaks="files.id-unique")
def ids_are_of_the_content(ask: Ask, serve: Serve) -> Answer:
    """What was sent before is not kept again: its old id is told."""
    answer = serve(ask)
    if not _is_upload(ask) or answer.status != 200:
        return answer
    new = answer.json["id"]

    def content(id: str) -> bytes:
        return serve(Ask("GET", f"{ONE}{id}/content", headers=ask.headers)).body

    rows = serve(Ask("GET", FILES, query=(("order", "asc"),), headers=ask.headers)).json["data"]
    old = next((row["id"] for row in rows if row["id"] != new and content(row["id"]) == content(new)), None)
    return answer if old is None else edit_json(answer, lambda row: row | {"id": old})


@fault("files.expiry-ignored", breaks="files.expiry")
def expiry_is_ignored(ask: Ask, serve: Serve) -> Answer:
    """`expires_after` has no effect."""
    return _edited_files(ask, serve, lambda row: row.update(expires_at=None))


@fault("files.read-anew", breaks="files.get")
def files_are_read_anew(ask: Ask, serve: Serve) -> Answer:
    """A file that is read was created a minute later than its upload says."""
    if not _is_one(ask, "GET"):
        return serve(ask)
    return _edited_files(ask, serve, lambda row: row.update(created_at=row["created_at"] + 60))


@fault(
    "files.line-ends",
    breaks="files.content",
    also=(
        "batches.output-file",
        "uploads.content",
    ),
)
def line_ends_are_converted(ask: Ask, serve: Serve) -> Answer:
    """Content comes back with CRLF for LF."""
    return _edited_content(ask, serve, lambda data: data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))


@fault("files.text-only", breaks="files.content")
def content_is_text(ask: Ask, serve: Serve) -> Answer:
    """Content is read as UTF-8, and what is none is replaced."""
    return _edited_content(ask, serve, lambda data: data.decode("utf-8", "replace").encode())


@fault("files.zeros-cut", breaks="files.content")
def content_ends_at_zero(ask: Ask, serve: Serve) -> Answer:
    """Content ends before its first zero byte."""
    return _edited_content(ask, serve, lambda data: data.partition(b"\0")[0])


@fault("files.content-quoted", breaks="files.content", also=("uploads.content", "batches.*"))
def content_is_json(ask: Ask, serve: Serve) -> Answer:
    """Content comes as a JSON string."""
    return _edited_content(ask, serve, lambda data: b'"' + data.replace(b"\n", b"\\n") + b'"')


@fault("files.unlisted", breaks="files.list", also=("paging.*",))
def files_are_not_listed(ask: Ask, serve: Serve) -> Answer:
    """A list is empty for ten seconds after an upload; here: always."""
    answer = serve(ask)
    if ask.method != "GET" or ask.path != FILES or ("purpose", RESULTS) in ask.query:
        return answer
    return edit_json(answer, lambda body: body | {"data": [], "first_id": None, "last_id": None, "has_more": False})


@fault("files.purpose-unfiltered", breaks="files.list-purpose")
def lists_are_of_all_purposes(ask: Ask, serve: Serve) -> Answer:
    """`purpose` has no effect on a list."""
    if ask.method != "GET" or ask.path != FILES:
        return serve(ask)
    return serve(replace(ask, query=tuple(pair for pair in ask.query if pair[0] != "purpose")))


@fault("files.deletion-unsaid", breaks="files.delete")
def deletions_are_not_said(ask: Ask, serve: Serve) -> Answer:
    """A deletion is answered without `deleted`."""
    answer = serve(ask)
    return edit_json(answer, lambda row: row.pop("deleted") and None) if _is_one(ask, "DELETE") else answer


@fault("files.undead", breaks="files.gone", also=("files.delete-twice",))
def deletions_do_not_delete(ask: Ask, serve: Serve) -> Answer:
    """A deletion says yes and keeps the file."""
    if not _is_one(ask, "DELETE"):
        return serve(ask)
    kept = serve(replace(ask, method="GET"))
    return edit_json(kept, lambda row: {"id": row["id"], "object": "file", "deleted": True})


@fault("files.content-undead", breaks="files.gone")
def contents_outlive_their_file(ask: Ask, serve: Serve) -> Answer:
    """The content of a deleted file is given out as before."""
    answer = serve(ask)
    is_gone = ask.method == "GET" and ask.path.endswith("/content") and answer.status == 404
    return replace(answer, status=200, body=b"one\n").with_header("content-type", "text/plain") if is_gone else answer


@fault("files.deleted-again", breaks="files.delete-twice")
def anything_is_deleted(ask: Ask, serve: Serve) -> Answer:
    """Deleting what is not there succeeds."""
    answer = serve(ask)
    if not _is_one(ask, "DELETE") or answer.status != 404:
        return answer
    told = {"id": ask.path.removeprefix(ONE), "object": "file", "deleted": True}
    return replace(answer, status=200).with_json(told)


@fault("files.purpose-optional", breaks="files.incomplete", also=("files.schema",))
def a_purpose_is_made_up(ask: Ask, serve: Serve) -> Answer:
    """An upload without `purpose` is kept for assistants."""
    if not _is_upload(ask) or any(name == "purpose" for name, _ in parts(ask.body, ask.header("content-type") or "")):
        return serve(ask)
    boundary = ask.body.partition(b"\r\n")[0]
    field = boundary + b'\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nassistants\r\n'
    return serve(replace(ask, body=field + ask.body))


@fault("files.purpose-any", breaks="files.unknown-purpose")
def any_purpose_is_taken(ask: Ask, serve: Serve) -> Answer:
    """A purpose that there is not is taken."""
    if not _is_upload(ask):
        return serve(ask)
    return serve(replace(ask, body=ask.body.replace(b"wireproof-no-such-purpose", b"assistants")))


@fault("files.expiry-unchecked", breaks="files.expiry-bounds")
def any_life_is_taken(ask: Ask, serve: Serve) -> Answer:
    """A life of a minute is taken for one of an hour."""
    return serve(replace(ask, body=ask.body.replace(b"\r\n60\r\n", b"\r\n3600\r\n")) if _is_upload(ask) else ask)


@fault("files.names-are-places", breaks="files.content")
def a_name_is_a_place(ask: Ask, serve: Serve) -> Answer:
    """A file takes the place of the one that had its name: the content of the older is that of the newer."""
    is_content = ask.method == "GET" and ask.path.startswith(ONE) and ask.path.endswith("/content")
    told = serve(replace(ask, path=ask.path.removesuffix("/content"))) if is_content else None
    if told is None or told.status != 200:
        return serve(ask)
    name = told.json["filename"]
    alike = [row for row in serve(replace(ask, path=FILES)).json["data"] if row["filename"] == name]
    return serve(replace(ask, path=f"{ONE}{alike[0]['id']}/content") if alike else ask)


@fault("files.content-unmarked", breaks="files.content")
def marks_of_byte_order_are_lost(ask: Ask, serve: Serve) -> Answer:
    """A mark of byte order at the beginning of a file is taken off."""
    return _edited_content(ask, serve, lambda data: data.removeprefix(b"\xef\xbb\xbf"))


@fault("files.param-null", breaks="files.param")
def refusals_name_nothing(ask: Ask, serve: Serve) -> Answer:
    """A refused upload does not say which field is missing."""
    answer = serve(ask)
    return edit_error(answer, lambda body: body["error"].update(param=None)) if _is_upload(ask) else answer
