"""Uploads: a file sent in parts, in any order and side by side, put together when the client says in which order."""

from __future__ import annotations

import hashlib

from wireproof.standin.call import Call, Upload
from wireproof.standin.paging import public
from wireproof.standin.refusals import Refused, invalid
from wireproof.standin.resources import files
from wireproof.standin.serving import deed, serves
from wireproof.standin.store import Row, Table
from wireproof.standin.wire import Answer, json_answer, refusal
from wireproof.standin.world import World

KIND = "uploads"
# Source: SPEC.
LIFE_S = 3600


@serves("createUpload")
def create(world: World, call: Call) -> Answer:
    body, created = call.body, int(call.now)
    files.check_name(body["filename"], body["purpose"])
    row: Row = {
        "id": call.id("upload_"),
        "object": "upload",
        "bytes": body["bytes"],
        "created_at": created,
        "filename": body["filename"],
        "purpose": body["purpose"],
        "status": "pending",
        "expires_at": created + LIFE_S,
        "file": None,
        "_expires_after": body.get("expires_after"),
    }
    world.table(KIND).put(row["id"], row)
    world.at(row["expires_at"], "uploads.expired", row["id"])
    return json_answer(public(row))


@serves("addUploadPart")
def add_part(world: World, call: Call) -> Answer:
    upload, most = _pending(world, call), world.setup.sizes.part_bytes
    given = call.body["data"]
    data = given.data if isinstance(given, Upload) else given.encode()
    if len(data) > most:
        raise Refused(refusal(413, f"Part is too large: {len(data)} bytes, at most {most} are taken.", param="data"))
    part = {
        "id": call.id("part_"),
        "object": "upload.part",
        "created_at": int(call.now),
        "upload_id": upload["id"],
        "_bytes": len(data),
    }
    _parts(world, upload).put(part["id"], part, data)
    return json_answer(public(part))


@serves("completeUpload")
def complete(world: World, call: Call) -> Answer:
    upload = _pending(world, call)
    data = _assembled(upload, _parts(world, upload), call.body["part_ids"])
    digest, expected = hashlib.md5(data, usedforsecurity=False).hexdigest(), call.body.get("md5")
    if expected is not None and expected.lower() != digest:
        raise invalid(f"The md5 of the parts is {digest}, but {expected} was expected.", "md5", "invalid_value")
    file = files.keep(world, upload["filename"], data, upload["purpose"], upload["_expires_after"])
    return _ended(world, upload, "completed", file)


@serves("cancelUpload")
def cancel(world: World, call: Call) -> Answer:
    return _ended(world, _pending(world, call), "cancelled")


@deed("uploads.expired")
def expired(world: World, id: str, now: float) -> None:
    upload = world.table(KIND).get(id)
    if upload is not None and upload["status"] == "pending":
        _ended(world, upload, "expired")


def _assembled(upload: Row, parts: Table, part_ids: list[str]) -> bytes:
    """The bytes of the named parts in the order named. Refused: unknown, named twice, not the size that was said."""
    for at, id in enumerate(part_ids):
        if id not in parts:
            raise invalid(f"No such part of {upload['id']}: {id}", f"part_ids[{at}]", "invalid_value")
    if len(set(part_ids)) < len(part_ids):
        raise invalid("Invalid 'part_ids': a part is named more than once.", "part_ids", "invalid_value")
    data = b"".join(map(parts.data, part_ids))
    if len(data) != upload["bytes"]:
        raise invalid(f"The parts have {len(data)} bytes in total, but the upload was created with "
                      f"{upload['bytes']}.", "part_ids", "invalid_value")  # fmt: skip
    return data


def _ended(world: World, upload: Row, status: str, file: Row | None = None) -> Answer:
    """No part is of use any more."""
    ended = {**upload, "status": status, "file": public(file) if file else None}
    world.table(KIND).put(upload["id"], ended)
    _parts(world, upload).clear()
    return json_answer(public(ended))


def _pending(world: World, call: Call) -> Row:
    id = call.path["upload_id"]
    upload = world.table(KIND).found(id, f"No such Upload object: {id}", "upload_id")
    if upload["status"] != "pending":
        raise invalid(f"Upload {id} is {upload['status']}: only a pending one can be changed.", "upload_id")
    return upload


def _parts(world: World, upload: Row) -> Table:
    return world.table("upload.parts", upload["id"])
