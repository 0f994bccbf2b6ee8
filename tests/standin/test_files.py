"""Files of the stand-in: kept whole, listed in pages, gone when deleted or expired."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from standin.asking import Clock, ask, backend, error, form

from wireproof.content import shelf
from wireproof.spec import read_yaml
from wireproof.standin.backend import Backend, Setup
from wireproof.standin.sizes import Sizes
from wireproof.standin.wire import Answer

DAY_S = 24 * 3600


def upload(
    to: Backend, data: bytes = b"{}\n", name: str = "a.jsonl", purpose: str = "user_data", **more: str
) -> Answer:
    return to.answer(form("/files", {"file": (name, data), "purpose": purpose, **more}))


def made(to: Backend, *given: Any, **more: Any) -> dict[str, Any]:
    answer = upload(to, *given, **more)
    assert answer.status == 200, answer.body
    file: dict[str, Any] = answer.json
    return file


def get(to: Backend, path: str, **query: str) -> Answer:
    return to.answer(ask("GET", path, **query))


def ids(to: Backend, **query: str) -> list[str]:
    return [row["id"] for row in get(to, "/files", **query).json["data"]]


def test_a_file_is_told_of_as_it_was_sent_and_comes_back_byte_for_byte() -> None:
    to, data = backend(), bytes(range(256)) * 9 + b"\r\n--xyz\n"
    file = made(to, data, "notes é.pdf")
    assert file["id"].startswith("file-")
    assert (file["bytes"], file["filename"], file["purpose"]) == (len(data), "notes é.pdf", "user_data")
    assert (file["status"], file["expires_at"], file["created_at"]) == ("processed", None, 1_000_000)
    assert get(to, f"/files/{file['id']}").json == file
    content = get(to, f"/files/{file['id']}/content")
    assert (content.body, content.header("content-type")) == (data, "application/octet-stream")
    assert content.header("content-disposition") == "attachment; filename*=UTF-8''notes%20%C3%A9.pdf"


@pytest.mark.parametrize("purpose", ["assistants", "batch", "fine-tune", "vision", "user_data", "evals"])
def test_every_purpose_is_kept(purpose: str) -> None:
    to = backend()
    assert made(to, purpose=purpose)["purpose"] == purpose
    assert len(ids(to, purpose=purpose)) == 1
    assert ids(to, purpose="assistants_output") == []


def test_training_data_is_looked_through_first() -> None:
    clock = Clock()
    to = backend(clock=clock)
    file = made(to, purpose="fine-tune")
    assert file["status"] == "uploaded"
    clock.now += 1
    assert get(to, f"/files/{file['id']}").json == {**file, "status": "processed"}


def test_a_deleted_file_is_gone_everywhere() -> None:
    to = backend()
    file, other = made(to), made(to)
    gone = to.answer(ask("DELETE", f"/files/{file['id']}"))
    assert gone.json == {"id": file["id"], "object": "file", "deleted": True}
    for method, path in (("GET", ""), ("GET", "/content"), ("DELETE", "")):
        answer = to.answer(ask(method, f"/files/{file['id']}{path}"))
        assert answer.status == 404
        assert error(answer)["message"] == f"No such File object: {file['id']}"
    assert ids(to) == [other["id"]]


def test_a_file_expires_when_it_was_asked_to() -> None:
    clock = Clock()
    to = backend(clock=clock)
    more = {"expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"}
    file = made(to, **more)
    assert file["expires_at"] == file["created_at"] + 3600
    clock.now += 3599
    assert get(to, f"/files/{file['id']}").status == 200
    clock.now += 1
    assert get(to, f"/files/{file['id']}").status == 404
    assert ids(to) == []


def test_a_file_for_a_batch_lives_for_thirty_days() -> None:
    clock = Clock()
    to = backend(clock=clock)
    file = made(to, purpose="batch")
    assert file["expires_at"] == file["created_at"] + 30 * DAY_S
    clock.now += 30 * DAY_S
    assert get(to, f"/files/{file['id']}").status == 404


REFUSALS: list[tuple[dict[str, Any], int, str | None]] = [
    ({"purpose": "user_data"}, 400, "file"),
    ({"file": ("a.txt", b"x")}, 400, "purpose"),
    ({"file": ("a.txt", b"x"), "purpose": "batch_output"}, 400, "purpose"),
    ({"file": "text without a name", "purpose": "user_data"}, 400, "file"),
    ({"file": ("a.txt", b"x" * 101), "purpose": "user_data"}, 413, "file"),
    ({"file": ("a.csv", b"x"), "purpose": "batch"}, 400, None),
    ({"file": ("a.txt", b"x"), "purpose": "user_data", "expires_after[anchor]": "created_at"}, 400,
     "expires_after.seconds"),
    ({"file": ("a.txt", b"x"), "purpose": "user_data", "expires_after[anchor]": "created_at",
      "expires_after[seconds]": "3599"}, 400, "expires_after.seconds"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "status", "param"), REFUSALS)
def test_what_cannot_be_a_file_is_refused(fields: Any, status: int, param: str | None) -> None:
    to = backend(Setup(sizes=Sizes(file_bytes=100)))
    answer = to.answer(form("/files", fields))
    assert (answer.status, error(answer)["param"]) == (status, param)
    assert len(to.world.table("files")) == 0


def test_a_file_of_exactly_the_greatest_size_is_taken() -> None:
    assert upload(backend(Setup(sizes=Sizes(file_bytes=100))), b"x" * 100).status == 200


def test_the_newest_file_comes_first_unless_asked_otherwise() -> None:
    to = backend()
    made_ids = [made(to)["id"] for _ in range(5)]
    assert ids(to) == made_ids[::-1]
    assert ids(to, order="asc") == made_ids
    assert ids(to, order="asc", limit="2", after=made_ids[1]) == made_ids[2:4]
    assert ids(to, limit="2", after=made_ids[3]) == [made_ids[2], made_ids[1]]
    page = get(to, "/files", order="asc", limit="2").json
    assert (page["first_id"], page["last_id"], page["has_more"]) == (made_ids[0], made_ids[1], True)


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "10001"}, {"order": "up"}, {"after": "file-none"}])
def test_a_page_that_cannot_be_is_refused(query: dict[str, str]) -> None:
    answer = get(backend(), "/files", **query)
    assert (answer.status, error(answer)["param"]) == (400, next(iter(query)))


def test_ten_thousand_files_are_listed_whole_and_each_page_within_50_ms() -> None:
    to = Backend(boot="test")
    table = to.world.table("files")
    file = made(to)
    for number in range(10_000 - 1):
        table.put(f"file-{number}", {**file, "id": f"file-{number}"})
    seen: list[str] = []
    slowest_s = 0.0
    after: dict[str, str] = {}
    while True:
        # The processor's time: what else runs on this machine is no fault of the page.
        began = time.process_time()
        answer = get(to, "/files", limit="500", **after)
        slowest_s = max(slowest_s, time.process_time() - began)
        page = answer.json
        seen += [row["id"] for row in page["data"]]
        if not page["has_more"]:
            break
        after = {"after": page["last_id"]}
    assert len(seen) == len(set(seen)) == 10_000
    assert slowest_s < 0.05
    assert len(ids(to)) == 10_000


def test_a_restart_loses_nothing(tmp_path: Path) -> None:
    setup, clock = Setup(state=tmp_path / "state"), Clock()
    first = backend(setup, clock)
    file = made(first, b"kept\n", purpose="fine-tune")
    first.close()
    clock.now += 1
    second = backend(setup, clock)
    assert get(second, f"/files/{file['id']}").json == {**file, "status": "processed"}
    assert get(second, f"/files/{file['id']}/content").body == b"kept\n"
    second.close()


def test_the_sizes_are_those_published() -> None:
    published = {name: row["most"] for name, row in read_yaml(shelf("spec") / "tiers.yaml")["limits"].items()}
    sizes = Sizes()
    assert (sizes.file_bytes, sizes.part_bytes) == (published["file-size"], published["upload-part-size"])
    assert (sizes.batch_bytes, sizes.batch_requests) == (published["batch-input-size"], published["batch-requests"])
    assert sizes.batch_embedding_inputs == published["batch-embedding-inputs"]
