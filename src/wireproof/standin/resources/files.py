"""Files: kept with their bytes until they are deleted or expire, and then gone.

Other resources make files as well (batches, uploads, tuning jobs): by `keep`. They read one by `file_named`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from wireproof.standin.call import Call, Upload
from wireproof.standin.paging import page, public
from wireproof.standin.refusals import Refused, invalid
from wireproof.standin.serving import deed, serves
from wireproof.standin.store import Row
from wireproof.standin.wire import Answer, json_answer, refusal
from wireproof.standin.world import World

KIND = "files"
# Source: SPEC: what is for a batch is kept for 30 days, everything else until it is deleted.
BATCH_LIFE_S = 30 * 24 * 3600
# Training data is looked through first; the rest was always recorded as processed in the first answer.
LOOKED_THROUGH = frozenset(("fine-tune", "evals"))
LOOKING_S = 1.0


def keep(world: World, filename: str, data: bytes, purpose: str, expires_after: Mapping[str, Any] | None = None) -> Row:
    """A new file of now. `expires_after` is `{anchor: "created_at", seconds}`."""
    created = int(world.now)
    life_s = expires_after["seconds"] if expires_after else BATCH_LIFE_S if purpose == "batch" else None
    row: Row = {
        "id": world.id("file-"),
        "object": "file",
        "bytes": len(data),
        "created_at": created,
        "expires_at": created + life_s if life_s else None,
        "filename": filename,
        "purpose": purpose,
        "status": "uploaded" if purpose in LOOKED_THROUGH else "processed",
        "status_details": None,
    }
    world.table(KIND).put(row["id"], row, data)
    if row["status"] == "uploaded":
        world.at(world.now + world.lasts(LOOKING_S), "files.processed", row["id"])
    if life_s:
        world.at(created + life_s, "files.expired", row["id"])
    return row


def file_named(world: World, id: str, param: str | None = None) -> Row:
    """The file of this id; refused with 404 when there is none, or no longer."""
    return world.table(KIND).found(id, f"No such File object: {id}", param)


def check_name(filename: str, purpose: str) -> None:
    """Source: recorded, 2026-08 (OBS)."""
    if purpose == "batch" and not filename.endswith(".jsonl"):
        raise invalid("Invalid file format for Batch API. Must be .jsonl")


@serves("createFile")
def create(world: World, call: Call) -> Answer:
    upload, purpose, most = call.body["file"], call.body["purpose"], world.setup.sizes.file_bytes
    if not isinstance(upload, Upload):
        raise invalid("Invalid type for 'file': expected a file with a name, but got text instead.", "file",
                      "invalid_type")  # fmt: skip
    if len(upload.data) > most:
        raise Refused(refusal(413, f"File is too large: {len(upload.data)} bytes, at most {most} are taken.",
                              param="file"))  # fmt: skip
    check_name(upload.filename, purpose)
    return json_answer(public(keep(world, upload.filename, upload.data, purpose, call.body.get("expires_after"))))


@serves("listFiles")
def listed(world: World, call: Call) -> Answer:
    purpose = call.query.get("purpose")
    return page([row for row in world.table(KIND).rows() if purpose in (None, row["purpose"])], call)


@serves("retrieveFile")
def one(world: World, call: Call) -> Answer:
    return json_answer(public(_asked(world, call)))


@serves("deleteFile")
def delete(world: World, call: Call) -> Answer:
    id = _asked(world, call)["id"]
    world.table(KIND).delete(id)
    return json_answer({"id": id, "object": "file", "deleted": True})


@serves("downloadFile")
def download(world: World, call: Call) -> Answer:
    row = _asked(world, call)
    named = f"attachment; filename*=UTF-8''{quote(row['filename'], safe='')}"
    headers = (("content-type", "application/octet-stream"), ("content-disposition", named))
    return Answer(200, headers, world.table(KIND).data(row["id"]))


@deed("files.processed")
def processed(world: World, id: str, now: float) -> None:
    row = world.table(KIND).get(id)
    if row is not None:
        world.table(KIND).put(id, {**row, "status": "processed"})


@deed("files.expired")
def expired(world: World, id: str, now: float) -> None:
    world.table(KIND).delete(id)


def _asked(world: World, call: Call) -> Row:
    return file_named(world, call.path["file_id"], "id")
