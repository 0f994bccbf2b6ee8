"""Uploads in parts: put together as told, or not at all."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from standin.asking import Clock, ask, backend, error, form, post

from wireproof.standin.backend import Backend, Setup
from wireproof.standin.sizes import Sizes
from wireproof.standin.wire import Answer

WHOLE = b"first,second,third"
PIECES = (b"first,", b"second,", b"third")


def begun(to: Backend, size: int = len(WHOLE), **fields: Any) -> dict[str, Any]:
    body = {"filename": "a.txt", "purpose": "user_data", "bytes": size, "mime_type": "text/plain", **fields}
    answer = post("/uploads", body, to)
    assert answer.status == 200, answer.body
    upload: dict[str, Any] = answer.json
    return upload


def part(to: Backend, upload: dict[str, Any], data: bytes) -> Answer:
    return to.answer(form(f"/uploads/{upload['id']}/parts", {"data": ("part", data)}))


def parts(to: Backend, upload: dict[str, Any], pieces: tuple[bytes, ...] = PIECES) -> list[str]:
    return [part(to, upload, piece).json["id"] for piece in pieces]


def complete(to: Backend, upload: dict[str, Any], part_ids: list[str], **fields: Any) -> Answer:
    return post(f"/uploads/{upload['id']}/complete", {"part_ids": part_ids, **fields}, to)


def test_parts_become_a_file_in_the_order_given_at_the_end() -> None:
    to = backend()
    upload = begun(to)
    assert (upload["status"], upload["file"], upload["expires_at"]) == ("pending", None, upload["created_at"] + 3600)
    third, first, second = parts(to, upload, (PIECES[2], PIECES[0], PIECES[1]))
    done = complete(to, upload, [first, second, third], md5=hashlib.md5(WHOLE).hexdigest().upper()).json
    assert (done["status"], done["file"]["filename"], done["file"]["bytes"]) == ("completed", "a.txt", len(WHOLE))
    assert to.answer(ask("GET", f"/files/{done['file']['id']}/content")).body == WHOLE
    assert len(to.world.table("upload.parts", upload["id"])) == 0


def test_the_file_expires_as_the_upload_asked() -> None:
    to = backend()
    upload = begun(to, expires_after={"anchor": "created_at", "seconds": 7200})
    file = complete(to, upload, parts(to, upload)).json["file"]
    assert file["expires_at"] == file["created_at"] + 7200


def test_what_does_not_fit_leaves_the_upload_as_it_was() -> None:
    to = backend()
    upload = begun(to)
    first, second, third = ids = parts(to, upload)
    for part_ids, fields, param in (
        ([first, second], {}, "part_ids"),
        ([first, second, "part_none"], {}, "part_ids[2]"),
        ([first, first, second, third], {}, "part_ids"),
        (ids, {"md5": "0" * 32}, "md5"),
    ):
        answer = complete(to, upload, part_ids, **fields)
        assert (answer.status, error(answer)["param"]) == (400, param)
    assert complete(to, upload, ids).status == 200


@pytest.mark.parametrize("ending", ["completed", "cancelled", "expired"])
def test_an_upload_ends_once(ending: str) -> None:
    clock = Clock()
    to = backend(clock=clock)
    upload = begun(to)
    ids = parts(to, upload)
    if ending == "completed":
        complete(to, upload, ids)
    elif ending == "cancelled":
        assert post(f"/uploads/{upload['id']}/cancel", {}, to).json["status"] == "cancelled"
    else:
        clock.now += 3600
    for answer in (
        part(to, upload, b"more"),
        complete(to, upload, ids),
        post(f"/uploads/{upload['id']}/cancel", {}, to),
    ):
        assert answer.status == 400
        assert error(answer)["message"].startswith(f"Upload {upload['id']} is {ending}")
    clock.now += 3600
    assert len(to.answer(ask("GET", "/files")).json["data"]) == (ending == "completed")


def test_a_restart_loses_no_part(tmp_path: Path) -> None:
    setup, clock = Setup(state=tmp_path / "state"), Clock()
    first = backend(setup, clock)
    upload = begun(first)
    ids = parts(first, upload)
    first.close()
    second = backend(setup, clock)
    file = complete(second, upload, ids).json["file"]
    assert second.answer(ask("GET", f"/files/{file['id']}/content")).body == WHOLE
    second.close()


def test_a_part_may_be_64_mb_or_what_was_set() -> None:
    to = backend(Setup(sizes=Sizes(part_bytes=10)))
    upload = begun(to)
    assert part(to, upload, b"x" * 10).status == 200
    assert part(to, upload, b"x" * 11).status == 413


def test_an_upload_may_be_larger_than_a_file() -> None:
    to = backend(Setup(sizes=Sizes(file_bytes=10)))
    upload = begun(to)
    assert complete(to, upload, parts(to, upload)).status == 200


def test_unknown_uploads_are_not_found_and_impossible_ones_refused() -> None:
    to = backend()
    for answer in (part(to, {"id": "upload_none"}, b""), complete(to, {"id": "upload_none"}, [])):
        assert (answer.status, error(answer)["message"]) == (404, "No such Upload object: upload_none")
    body = {"filename": "a.csv", "purpose": "batch", "bytes": 1, "mime_type": "text/csv"}
    assert error(post("/uploads", body, to))["message"] == "Invalid file format for Batch API. Must be .jsonl"
    assert error(post("/uploads", {**body, "bytes": 2**33 + 1}, to))["param"] == "bytes"
    assert error(post("/uploads", {**body, "purpose": "none"}, to))["param"] == "purpose"
