"""Departures of uploads: parts joined in another order, totals and digests unchecked, ends that are none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_json
from wireproof.standin.wire import Answer, Ask, Serve

START = "/v1/uploads"
CUT = "ö".encode()

Edit = Callable[[dict[str, Any]], Any]


def _is(ask: Ask, deed: str) -> bool:
    """`deed`: "" for the beginning, or the last part of the path."""
    if ask.method != "POST" or not ask.path.startswith(START):
        return False
    return ask.path.endswith(f"/{deed}") if deed else ask.path == START


def _edited(deed: str, ask: Ask, serve: Serve, edit: Edit) -> Answer:
    answer = serve(ask)
    return edit_json(answer, edit) if _is(ask, deed) else answer


@fault("uploads.purpose-missing", breaks="uploads.schema", also=("uploads.created",))
def purpose_is_missing(ask: Ask, serve: Serve) -> Answer:
    """A new upload does not tell its purpose."""
    return _edited("", ask, serve, lambda body: body.pop("purpose") and None)


@fault("uploads.part-untyped", breaks="uploads.schema")
def parts_have_no_object(ask: Ask, serve: Serve) -> Answer:
    """A part has no `object`."""
    return _edited("parts", ask, serve, lambda body: body.pop("object") and None)


@fault("uploads.begins-completed", breaks="uploads.created", also=("uploads.moves",))
def uploads_begin_completed(ask: Ask, serve: Serve) -> Answer:
    """A new upload is completed before anything was sent."""
    return _edited("", ask, serve, lambda body: body | {"status": "completed"})


@fault("uploads.bytes-received", breaks="uploads.created")
def bytes_are_those_received(ask: Ask, serve: Serve) -> Answer:
    """`bytes` of a new upload is 0: what has been received."""
    return _edited("", ask, serve, lambda body: body | {"bytes": 0})


@fault("uploads.expired-at-birth", breaks="uploads.times")
def uploads_expire_at_once(ask: Ask, serve: Serve) -> Answer:
    """`expires_at` of an upload is the time of its creation."""

    def edit(body: dict[str, Any]) -> None:
        if body.get("object") == "upload":
            body["expires_at"] = body["created_at"]

    answer = serve(ask)
    return edit_json(answer, edit) if ask.path.startswith(START) else answer


@fault("uploads.part-of-another", breaks="uploads.parts")
def parts_are_of_another(ask: Ask, serve: Serve) -> Answer:
    """Parts name another upload than the one they were sent to."""
    return _edited("parts", ask, serve, lambda body: body | {"upload_id": "upload_0"})


@fault("uploads.still-pending", breaks="uploads.completed")
def completed_uploads_are_pending(ask: Ask, serve: Serve) -> Answer:
    """A completed upload is told as pending."""
    return _edited("complete", ask, serve, lambda body: body | {"status": "pending"})


@fault("uploads.no-file", breaks="uploads.completed", also=("uploads.content", "uploads.once"))
def completed_uploads_have_no_file(ask: Ask, serve: Serve) -> Answer:
    """A completed upload does not name its file."""
    return _edited("complete", ask, serve, lambda body: body | {"file": None})


@fault("uploads.order-ignored", breaks="uploads.content", also=("uploads.md5", "uploads.completed"))
def parts_are_joined_as_sent(ask: Ask, serve: Serve) -> Answer:
    """Parts are joined in the order in which they were sent; the digest is not looked at."""
    if not _is(ask, "complete"):
        return serve(ask)
    return serve(ask.with_json({"part_ids": list(reversed(ask.asked.get("part_ids", [])))}))


@fault("uploads.parts-as-text", breaks="uploads.content")
def parts_are_text(ask: Ask, serve: Serve) -> Answer:
    """Each part is read as text: the letter that is cut between two parts is lost."""
    answer = serve(ask)
    if ask.method != "GET" or not ask.path.endswith("/content"):
        return answer
    return replace(answer, body=answer.body.replace(CUT, b"\xef\xbf\xbd" * 2))


@fault("uploads.bytes-crash", breaks="uploads.bytes")
def totals_that_differ_crash(ask: Ask, serve: Serve) -> Answer:
    """500 where half of an upload is missing."""
    answer = serve(ask)
    is_meant = _is(ask, "complete") and answer.status == 400 and b"bytes in total" in answer.body
    return replace(answer, status=500) if is_meant else answer


@fault("uploads.bytes-unchecked", breaks="uploads.bytes", also=("uploads.moves",))
def totals_are_unchecked(ask: Ask, serve: Serve) -> Answer:
    """An upload is completed though half of it is missing."""
    answer = serve(ask)
    if not _is(ask, "complete") or answer.status != 400 or b"bytes in total" not in answer.body:
        return answer
    return replace(answer, status=200).with_json(_upload(ask, "completed"))


@fault("uploads.md5-unchecked", breaks="uploads.md5", also=("uploads.cancelled", "uploads.moves"))
def digests_are_unchecked(ask: Ask, serve: Serve) -> Answer:
    """`md5` has no effect."""
    return serve(ask.without("md5") if _is(ask, "complete") else ask)


@fault("uploads.cancel-ignored", breaks="uploads.cancelled", also=("uploads.closed", "uploads.moves"))
def cancellations_are_ignored(ask: Ask, serve: Serve) -> Answer:
    """A cancelled upload is pending, and takes parts."""
    if _is(ask, "cancel"):
        return serve(replace(ask, path=START).with_json(BEGUN)).with_json(_upload(ask, "pending"))
    return serve(ask)


@fault("uploads.cancelled-unsaid", breaks="uploads.cancelled")
def cancellations_are_unsaid(ask: Ask, serve: Serve) -> Answer:
    """A cancellation is answered with the upload as it was, pending."""
    return _edited("cancel", ask, serve, lambda body: body | {"status": "pending"})


@fault("uploads.open", breaks="uploads.closed")
def cancelled_uploads_are_open(ask: Ask, serve: Serve) -> Answer:
    """A cancelled upload goes on taking parts."""
    answer = serve(ask)
    if not _is(ask, "parts") or answer.status != 400:
        return answer
    part = {
        "id": f"part_{len(ask.path)}{ask.path[-9:-6]}",
        "object": "upload.part",
        "created_at": NOW,
        "upload_id": ask.path.split("/")[3],
    }
    return replace(answer, status=200).with_json(part)


@fault("uploads.completed-open", breaks="uploads.closed")
def completed_uploads_are_open(ask: Ask, serve: Serve) -> Answer:
    """A completed upload goes on taking parts, which are in no file."""
    answer = serve(ask)
    if not _is(ask, "parts") or b"is completed" not in answer.body:
        return answer
    part = {
        "id": f"part_{len(ask.path)}{ask.path[-9:-6]}",
        "object": "upload.part",
        "created_at": NOW,
        "upload_id": ask.path.split("/")[3],
    }
    return replace(answer, status=200).with_json(part)


@fault("uploads.completed-cancelled", breaks="uploads.closed", also=("uploads.moves",))
def completed_uploads_are_cancelled(ask: Ask, serve: Serve) -> Answer:
    """A completed upload can be cancelled."""
    answer = serve(ask)
    if not _is(ask, "cancel") or b"is completed" not in answer.body:
        return answer
    return replace(answer, status=200).with_json(_upload(ask, "cancelled"))


@fault("uploads.parts-made-up", breaks="uploads.part-ids", also=("uploads.cancelled", "uploads.moves"))
def unknown_parts_are_left_out(ask: Ask, serve: Serve) -> Answer:
    """Ids in `part_ids` that name no part are passed over."""
    ids = ask.asked.get("part_ids") or [] if _is(ask, "complete") else []
    known = [id for id in ids if "nosuch" not in id]
    return serve(ask.changed(part_ids=known) if known != ids else ask)


@fault("uploads.expiry-ignored", breaks="uploads.expiry")
def files_of_uploads_do_not_expire(ask: Ask, serve: Serve) -> Answer:
    """`expires_after` of an upload has no effect on its file."""
    return serve(ask.without("expires_after") if _is(ask, "") else ask)


@fault("uploads.unknown-crash", breaks="uploads.unknown")
def unknown_uploads_crash(ask: Ask, serve: Serve) -> Answer:
    """500 for a part of an upload that there is not."""
    answer = serve(ask)
    return replace(answer, status=500) if _is(ask, "parts") and answer.status == 404 else answer


@fault("uploads.created-anew", breaks="uploads.completed")
def completed_uploads_are_created_anew(ask: Ask, serve: Serve) -> Answer:
    """A completed upload was created when it was completed."""
    return _edited("complete", ask, serve, lambda body: body | {"created_at": body["created_at"] + 9})


@fault("uploads.completed-again", breaks="uploads.once")
def uploads_are_completed_again(ask: Ask, serve: Serve) -> Answer:
    """Every completion of an upload makes another file."""
    answer = serve(ask)
    if not _is(ask, "complete") or answer.status != 400 or b"is completed" not in answer.body:
        return answer
    return replace(answer, status=200).with_json(_upload(ask, "completed", id="file-again"))


@fault("uploads.backwards", breaks="uploads.moves", also=("uploads.once",))
def uploads_go_backwards(ask: Ask, serve: Serve) -> Answer:
    """Completing again what is completed tells of it as cancelled."""
    answer = serve(ask)
    if not _is(ask, "complete") or answer.status != 400 or b"is completed" not in answer.body:
        return answer
    return replace(answer, status=200).with_json(_upload(ask, "cancelled"))


@fault("uploads.pending-again", breaks="uploads.moves")
def completed_uploads_are_pending_again(ask: Ask, serve: Serve) -> Answer:
    """Completing again what is completed tells of its file, and of itself as pending."""
    answer = serve(ask)
    if not _is(ask, "complete") or answer.status != 400 or b"is completed" not in answer.body:
        return answer
    newest = serve(Ask("GET", "/v1/files", query=(("limit", "1"),), headers=ask.headers)).json["data"][0]
    return replace(answer, status=200).with_json(_upload(ask, "pending", id=newest["id"]))


NOW = 1_795_000_000
BEGUN = {"filename": "a.jsonl", "purpose": "batch", "bytes": 1, "mime_type": "application/jsonl"}


def _upload(ask: Ask, status: str, id: str | None = None) -> dict[str, Any]:
    """An upload as it is told in place of a refusal."""
    times = {"created_at": NOW, "expires_at": NOW + 3600}
    file = {**BEGUN, **times, "id": id, "object": "file", "status": "processed"} if id else None
    return {"id": ask.path.split("/")[3], "object": "upload", **BEGUN, **times, "status": status, "file": file}
