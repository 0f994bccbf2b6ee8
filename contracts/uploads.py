"""Uploads: a file sent in parts, put together in the order that is said at the end, or given up.

One flow sends two uploads: the first is completed with its parts the other way round than they were sent, the second is
completed wrongly three times, then cancelled; neither must take anything more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from wireproof.clause import (
    NO_MODEL,
    Call,
    Exchange,
    File,
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
    ID,
    asked_for,
    expect_moves,
    expect_now,
    expect_same,
    expect_schema,
    expect_turned_down,
    first_made,
    id_of,
    is_ok,
    of_path,
    served,
)
from ._reading import as_list, as_object, maybe_object

LIFE = "uploads.life"
# Lines of JSON, as a batch takes them: the content of such files is given out again. Cut within a letter.
WHOLE = '{"custom_id": "größe"}\r\n{"custom_id": "two"}\n'.encode()
CUT = WHOLE.index(b"\xb6")
PARTS = (WHOLE[:CUT], WHOLE[CUT:])
ASKED = {
    "filename": "wireproof-upload.jsonl",
    "purpose": "batch",
    "bytes": len(WHOLE),
    "mime_type": "application/jsonl",
}
# How long the file is to live, where that may be said.
LIFE_S = 7200
EXPIRY = {"expires_after": {"anchor": "created_at", "seconds": LIFE_S}}
UNKNOWN, UNKNOWN_PART = "upload_wireproofnosuchupload", "part_wireproofnosuchpart"
MD5 = hashlib.md5(WHOLE, usedforsecurity=False).hexdigest()
WRONG_MD5 = "0123456789abcdef0123456789abcdef"


@flow(
    LIFE, most=20, needs=NO_MODEL, about="send two uploads in parts: complete one, cancel the other", expects="either"
)
def lives_of_uploads() -> Flow:
    begun = yield Call("POST", "/uploads", {**ASKED, **EXPIRY})
    if begun.status in (400, 422):
        begun = yield Call("POST", "/uploads", ASKED)
    id = id_of(begun)
    if id is None:
        return
    last = id_of((yield _part(id, PARTS[1])))
    first = id_of((yield _part(id, PARTS[0])))
    if first is not None and last is not None:
        done = yield Call("POST", f"/uploads/{id}/complete", {"part_ids": [first, last], "md5": MD5})
        file = as_object(maybe_object(done).get("file")).get("id")
        if is_ok(done):
            yield Call("POST", f"/uploads/{id}/complete", {"part_ids": [first, last]})
            yield _part(id, PARTS[0])
            yield Call("POST", f"/uploads/{id}/cancel")
        if isinstance(file, str) and ID.fullmatch(file):
            yield Call("GET", f"/files/{file}/content")
            yield Call("DELETE", f"/files/{file}")
    yield _part(UNKNOWN, PARTS[0])
    id = id_of((yield Call("POST", "/uploads", ASKED)))
    if id is None:
        return
    first = id_of((yield _part(id, PARTS[0])))
    if first is None:
        return
    short = yield Call("POST", f"/uploads/{id}/complete", {"part_ids": [first]})
    if not is_ok(short):
        last = id_of((yield _part(id, PARTS[1])))
        if last is not None:
            strange = yield Call("POST", f"/uploads/{id}/complete", {"part_ids": [first, last, UNKNOWN_PART]})
            if not is_ok(strange):
                yield Call("POST", f"/uploads/{id}/complete", {"part_ids": [first, last], "md5": WRONG_MD5})
    cancelled = yield Call("POST", f"/uploads/{id}/cancel")
    if is_ok(cancelled):
        yield _part(id, PARTS[0])
        yield Call("POST", f"/uploads/{id}/complete", {"part_ids": [first]})


def _part(id: str, data: bytes) -> Call:
    return form(f"/uploads/{id}/parts", [("data", File("part", data))])


# ------------------------------------------------------------------------------------------------ reading


def _uploads(exchanges: Sequence[Exchange]) -> list[Exchange]:
    """The uploads that were begun, as they were answered."""
    first_made(exchanges, "createUpload", "upload")
    begun = [
        exchange
        for exchange in exchanges
        if exchange.operation == "createUpload"
        and id_of(exchange)
        and exchange.request.asked.get("purpose") == ASKED["purpose"]
    ]
    if not begun:
        raise Inconclusive("the upload that was begun has no id")
    return begun


def _parts(exchanges: Sequence[Exchange]) -> list[tuple[str, Exchange]]:
    """The parts that were taken, each with its upload."""
    _uploads(exchanges)
    found = [
        (exchange.request.path.split("/")[2], exchange)
        for exchange in exchanges
        if exchange.operation == "addUploadPart" and is_ok(exchange)
    ]
    if not found:
        first = asked_for(exchanges, "addUploadPart")
        served(first, "a part of an upload that is pending")
    return found


def _completion(exchanges: Sequence[Exchange]) -> Exchange:
    """The right one, which names both parts and the digest of the whole."""
    _uploads(exchanges)
    return asked_for(exchanges, "completeUpload", lambda e: e.request.asked.get("md5") == MD5)


def _completed(exchanges: Sequence[Exchange]) -> tuple[Exchange, dict[str, Any]]:
    exchange = _completion(exchanges)
    return exchange, served(exchange, "the completed upload")


def _cancellation(exchanges: Sequence[Exchange]) -> Exchange:
    """That of the second upload, which was not completed before."""
    _, *second = _uploads(exchanges)
    if not second:
        raise NotApplicable("no second upload was begun")
    return asked_for(exchanges, "cancelUpload", of_path(f"/uploads/{id_of(second[0])}/cancel"))


def _cancelled(exchanges: Sequence[Exchange]) -> Exchange:
    """The cancellation, once it was accepted."""
    exchange = _cancellation(exchanges)
    if not is_ok(exchange):
        raise NotApplicable(f"nothing was cancelled: {exchange.id} was answered {exchange.status}")
    return exchange


def _expect_as_begun(exchange: Exchange, body: dict[str, Any], begun: Exchange) -> None:
    """At its end an upload is what it was at its beginning."""
    expect_same(exchange, body, maybe_object(begun), "id", "created_at", "expires_at")
    expect_same(exchange, body, ASKED, "bytes", "filename", "purpose")


# ------------------------------------------------------------------------------------------------ clauses


@clause(
    "uploads.schema",
    level="MUST",
    source="SPEC Upload, UploadPart",
    on=answered("createUpload", "addUploadPart", "completeUpload", "cancelUpload"),
)
def answers_follow_the_schema(exchange: Exchange) -> None:
    """An upload has its id, size, name, purpose, times and status; a part its id, time and upload."""
    expect_schema(exchange, "/file", "/file/status")


@clause("uploads.created", level="MUST", source="SPEC createUpload, Upload", on=steps(LIFE))
def an_upload_begins_as_asked(exchanges: list[Exchange]) -> None:
    """A new upload is `pending` and has the `bytes`, `filename` and `purpose` that were asked for."""
    for exchange in _uploads(exchanges):
        expect_same(exchange, maybe_object(exchange), {**ASKED, "status": "pending"}, "status", "bytes", "filename",
                    "purpose")  # fmt: skip


@clause("uploads.times", level="MUST", source="SPEC Upload.created_at, expires_at: Unix timestamps in seconds",
        on=steps(LIFE))  # fmt: skip
def an_upload_tells_its_time(exchanges: list[Exchange]) -> None:
    """An upload and its parts were created now, in seconds since 1970, and an upload expires after that."""
    for exchange in _uploads(exchanges):
        body = maybe_object(exchange)
        expect_now(exchange, body.get("created_at"), "created_at")
        expires = body.get("expires_at")
        is_later = isinstance(expires, int) and expires > body["created_at"]
        expect(is_later, expected="expires_at after created_at", got=shown(expires), at=f"{exchange.id} /expires_at")
    for _, exchange in _parts(exchanges):
        expect_now(exchange, maybe_object(exchange).get("created_at"), "created_at")


@clause("uploads.parts", level="MUST", source="SPEC UploadPart", on=steps(LIFE))
def parts_know_their_upload(exchanges: list[Exchange]) -> None:
    """Each part has an id of its own, and the `upload_id` of the upload it was sent to."""
    seen: set[Any] = set()
    for upload, exchange in _parts(exchanges):
        body = maybe_object(exchange)
        id = body.get("id")
        expect(isinstance(id, str) and id not in seen, expected="an id of its own", got=shown(id),
               at=f"{exchange.id} /id")  # fmt: skip
        seen.add(id)
        told = body.get("upload_id")
        expect(told == upload, expected=f"upload_id {upload}", got=shown(told), at=f"{exchange.id} /upload_id")


@clause("uploads.completed", level="MUST", source="SPEC completeUpload, Upload.file", on=steps(LIFE))
def a_completed_upload_has_its_file(exchanges: list[Exchange]) -> None:
    """A completed upload says so, is else as it was begun, and `file` is a file with its size, name and purpose."""
    exchange, body = _completed(exchanges)
    expect_same(exchange, body, {"status": "completed"}, "status")
    _expect_as_begun(exchange, body, _uploads(exchanges)[0])
    file = body.get("file")
    expect(isinstance(file, dict), expected="the file that was made", got=shown(file), at=f"{exchange.id} /file")
    wanted = {**ASKED, "object": "file"}
    for name in ("object", "bytes", "filename", "purpose"):
        told = as_object(file).get(name)
        expect(told == wanted[name], expected=f"{name} {shown(wanted[name])}", got=shown(told),
               at=f"{exchange.id} /file/{name}")  # fmt: skip
    id = as_object(file).get("id")
    expect(isinstance(id, str) and bool(id), expected="the id of the file", got=shown(id), at=f"{exchange.id} /file/id")


@clause("uploads.content", level="MUST", source="SPEC completeUpload: the order of part_ids", on=steps(LIFE))
def parts_are_joined_in_the_order_given(exchanges: list[Exchange]) -> None:
    """The file is made of the parts in the order of `part_ids`, whatever order they were sent in, byte for byte.

    Clients send parts side by side: which one arrives first is chance.
    """
    _completed(exchanges)
    exchange = asked_for(exchanges, "downloadFile")
    if exchange.status in (400, 403):
        raise NotApplicable(f"the content is not given out: {exchange.id} was answered {exchange.status}")
    served(exchange, "the content of the file")
    expect(exchange.body == WHOLE, expected=f"{WHOLE!r}", got=f"{exchange.body[:200]!r}", at=f"{exchange.id} ")


@clause("uploads.bytes", level="MUST", source="SPEC completeUpload: bytes must match", on=steps(LIFE))
def missing_bytes_are_noticed(exchanges: list[Exchange]) -> None:
    """Parts that have another size in total than the upload was created with are refused with 400, or 422."""
    _, *second = _uploads(exchanges)
    if not second:
        raise NotApplicable("no second upload was begun")
    expect_turned_down(asked_for(exchanges, "completeUpload", of_path(f"/uploads/{id_of(second[0])}/complete")))


@clause("uploads.part-ids", level="MUST", source="SPEC completeUpload.part_ids", on=steps(LIFE))
def unknown_parts_are_noticed(exchanges: list[Exchange]) -> None:
    """A part that was never sent cannot be named: 400, or 404, 409, 422. The client believes that it is in the file."""
    _uploads(exchanges)
    asked = asked_for(exchanges, "completeUpload", lambda e: UNKNOWN_PART in as_list(e.request.asked.get("part_ids")))
    expect_turned_down(asked, 404, 409)


@clause("uploads.md5", level="MUST", source="SPEC CompleteUploadRequest.md5", on=steps(LIFE))
def a_wrong_digest_is_noticed(exchanges: list[Exchange]) -> None:
    """Parts that do not have the `md5` which the client tells are refused with 400, or 422."""
    _uploads(exchanges)
    expect_turned_down(asked_for(exchanges, "completeUpload", lambda e: e.request.asked.get("md5") == WRONG_MD5))


@clause("uploads.cancelled", level="MUST", source="SPEC cancelUpload", on=steps(LIFE))
def a_cancelled_upload_says_so(exchanges: list[Exchange]) -> None:
    """A cancellation is answered with the same upload, `cancelled` and without a file."""
    exchange = _cancellation(exchanges)
    if any(is_ok(e) and e.request.path == exchange.request.path.replace("cancel", "complete") for e in exchanges):
        raise NotApplicable("the upload was completed before: uploads.bytes judges that")
    body = served(exchange, "the cancelled upload")
    expect_same(exchange, body, {"status": "cancelled"}, "status")
    _expect_as_begun(exchange, body, _uploads(exchanges)[1])
    expect(not body.get("file"), expected="no file", got=shown(body.get("file")), at=f"{exchange.id} /file")


@clause("uploads.closed", level="MUST", source="SPEC addUploadPart, completeUpload, cancelUpload", on=steps(LIFE))
def a_finished_upload_takes_nothing(exchanges: list[Exchange]) -> None:
    """A completed upload takes no part and cannot be cancelled, a cancelled one takes none and cannot be completed.

    400, or 404, 409, 410.
    """
    done = next((e for e in exchanges if e.request.asked.get("md5") == MD5 and is_ok(e)), None)
    if done is not None:
        expect_turned_down(_after(exchanges, done, "addUploadPart", "parts"), 404, 409, 410)
        late = _after(exchanges, done, "cancelUpload", "cancel")
        # Told as it is, no file is lost.
        if not is_ok(late) or maybe_object(late).get("status") != "completed":
            expect_turned_down(late, 404, 409, 410)
    cancelled = _cancelled(exchanges)
    for operation, what in (("addUploadPart", "parts"), ("completeUpload", "complete")):
        expect_turned_down(_after(exchanges, cancelled, operation, what), 404, 409, 410)


def _after(exchanges: Sequence[Exchange], end: Exchange, operation: str, what: str) -> Exchange:
    """What was asked of an upload after its end."""
    return asked_for(exchanges, operation, of_path(f"{end.request.path.rpartition('/')[0]}/{what}"), after=end)


@clause("uploads.expiry", level="MUST", source="SPEC CreateUploadRequest.expires_after", on=steps(LIFE),
        fields=("expires_after",))  # fmt: skip
def the_file_expires_as_asked(exchanges: list[Exchange]) -> None:
    """The file of an upload that was begun with `expires_after` expires so many seconds after it was created."""
    if "expires_after" not in _uploads(exchanges)[0].request.asked:
        raise NotApplicable("no upload was begun that expires")
    exchange, body = _completed(exchanges)
    file = as_object(body.get("file"))
    created, expires = file.get("created_at"), file.get("expires_at")
    if type(created) is not int:
        raise Inconclusive("created_at is no whole number")
    expect(expires == created + LIFE_S, expected=f"expires_at {created + LIFE_S}", got=shown(expires),
           at=f"{exchange.id} /file/expires_at")  # fmt: skip


@clause("uploads.unknown", level="MUST", source="SPEC addUploadPart.upload_id; ERR-LATE 404", on=steps(LIFE))
def an_unknown_upload_takes_nothing(exchanges: list[Exchange]) -> None:
    """A part for an upload that there is not is refused: 404, or 400."""
    _uploads(exchanges)
    expect_turned_down(asked_for(exchanges, "addUploadPart", of_path(f"/uploads/{UNKNOWN}/parts")), 404)


@clause("uploads.once", level="SHOULD", source="SPEC completeUpload, Upload.status", on=steps(LIFE))
def an_upload_is_completed_once(exchanges: list[Exchange]) -> None:
    """A completed upload is not completed again into a second file: it is refused, or answered as it was."""
    done, body = _completed(exchanges)
    again = asked_for(exchanges, "completeUpload", lambda e: e.request.path == done.request.path, after=done)
    if not is_ok(again):
        expect_turned_down(again, 404, 409, 410)
        return
    one, other = (as_object(made.get("file")).get("id") for made in (body, maybe_object(again)))
    expect(one == other, expected=f"the file {one}, or a refusal", got=shown(other), at=f"{again.id} /file/id")


@clause("uploads.moves", level="MUST", source="SPEC Upload.status", on=steps(LIFE))
def an_upload_moves_forward(exchanges: list[Exchange]) -> None:
    """An upload goes from `pending` to `completed`, `cancelled` or `expired`, and stays there."""
    uploads = {maybe_object(exchange)["id"] for exchange in _uploads(exchanges)}
    judged = False
    for id in uploads:
        told = [(e, maybe_object(e)) for e in exchanges if is_ok(e) and maybe_object(e).get("id") == id]
        judged = judged or len(told) > 1
        expect_moves("Upload", told)
    if not judged:
        raise Inconclusive("no upload was told of twice")
