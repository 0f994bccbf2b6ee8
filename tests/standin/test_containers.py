"""Containers by the clock, and their files byte for byte."""

from __future__ import annotations

from typing import Any

import pytest
from standin.asking import Clock, ask, backend, error
from standin.filing import filed

from wireproof.standin.backend import DEFAULT_KEY, Backend
from wireproof.standin.resources.containers import put_file
from wireproof.standin.wire import Answer, Ask

BYTES = bytes(range(256))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def served(clock: Clock) -> Backend:
    return backend(clock=clock)


def post(to: Backend, path: str, body: Any) -> Any:
    answer = to.answer(ask("POST", path, body))
    assert answer.status == 200, answer.body
    return answer.json


def get(to: Backend, path: str, **query: str) -> Any:
    answer = to.answer(ask("GET", path, **query))
    assert answer.status == 200, answer.body
    return answer.json


def container(to: Backend, **fields: Any) -> str:
    return str(post(to, "/containers", {"name": "Room", **fields})["id"])


def upload(to: Backend, id: str, name: str, data: bytes) -> Answer:
    disposition = f'content-disposition: form-data; name="file"; filename="{name}"'
    body = f"--edge\r\n{disposition}\r\n\r\n".encode() + data + b"\r\n--edge--\r\n"
    headers = (("authorization", f"Bearer {DEFAULT_KEY}"), ("content-type", "multipart/form-data; boundary=edge"))
    return to.answer(Ask("POST", f"/v1/containers/{id}/files", (), headers, body))


def test_a_container_says_what_it_was_made_with_but_no_secrets(served: Backend) -> None:
    secret = {"domain": "example.com", "name": "TOKEN", "value": "not-to-be-told"}
    policy = {"type": "allowlist", "allowed_domains": ["example.com"], "domain_secrets": [secret]}
    made = post(served, "/containers", {"name": "Room", "memory_limit": "4g", "network_policy": policy})
    assert made["id"].startswith("cntr_")
    assert (made["status"], made["memory_limit"]) == ("running", "4g")
    assert made["network_policy"] == {"type": "allowlist", "allowed_domains": ["example.com"]}
    plain = get(served, f"/containers/{container(served)}")
    assert plain["expires_after"] == {"anchor": "last_active_at", "minutes": 20}
    assert (plain["memory_limit"], plain["network_policy"]) == ("1g", {"type": "disabled"})


def test_a_file_comes_back_byte_for_byte(served: Backend) -> None:
    id = container(served)
    file = upload(served, id, "data.bin", BYTES).json
    assert file["id"].startswith("cfile_")
    assert (file["bytes"], file["source"], file["container_id"]) == (256, "user", id)
    assert file["path"].startswith("/mnt/data/")
    assert file["path"].endswith("-data.bin")
    assert get(served, f"/containers/{id}/files/{file['id']}") == file
    content = served.answer(ask("GET", f"/containers/{id}/files/{file['id']}/content"))
    assert (content.header("content-type"), content.body) == ("application/octet-stream", BYTES)


def test_files_are_copied_in_and_live_on_alone(served: Backend) -> None:
    file_id = filed(served, "Rain.", "rain.txt")
    id = container(served, file_ids=[file_id])
    copied = post(served, f"/containers/{id}/files", {"file_id": file_id})
    served.world.table("files").delete(file_id)
    page = get(served, f"/containers/{id}/files")
    assert [row["bytes"] for row in page["data"]] == [5, 5]
    assert page["first_id"] == copied["id"]
    assert served.answer(ask("GET", f"/containers/{id}/files/{copied['id']}/content")).body == b"Rain."
    assert served.answer(ask("POST", f"/containers/{id}/files", {"file_id": file_id})).status == 404
    assert served.answer(ask("POST", "/containers", {"name": "Room", "file_ids": [file_id]})).status == 404


def test_what_a_tool_writes_keeps_its_name(served: Backend) -> None:
    id = container(served)
    row = put_file(served.world, id, "plot.png", b"\x89PNG", "assistant")
    assert (row["path"], row["source"]) == ("/mnt/data/plot.png", "assistant")


def test_a_container_expires_when_it_is_left_alone(served: Backend, clock: Clock) -> None:
    id = container(served)
    file = upload(served, id, "a.txt", b"a").json
    for _ in range(3):
        clock.now += 19 * 60
        assert get(served, f"/containers/{id}")["status"] == "running"
    clock.now += 20 * 60
    assert get(served, f"/containers/{id}")["status"] == "expired"
    assert [row["status"] for row in get(served, "/containers")["data"]] == ["expired"]
    assert error(upload(served, id, "b.txt", b"b"))["message"] == "Container is expired."
    for path in ("", f"/{file['id']}", f"/{file['id']}/content"):
        assert served.answer(ask("GET", f"/containers/{id}/files{path}")).status == 400
    assert served.answer(ask("DELETE", f"/containers/{id}")).json["deleted"] is True


def test_its_own_expiry_counts(served: Backend, clock: Clock) -> None:
    id = container(served, expires_after={"anchor": "last_active_at", "minutes": 1})
    clock.now += 60
    assert get(served, f"/containers/{id}")["status"] == "expired"


def test_deleted_things_are_gone(served: Backend) -> None:
    id = container(served)
    file = upload(served, id, "a.txt", b"a").json
    gone = served.answer(ask("DELETE", f"/containers/{id}/files/{file['id']}")).json
    assert gone == {"id": file["id"], "object": "container.file.deleted", "deleted": True}
    for path in ("", "/content"):
        assert served.answer(ask("GET", f"/containers/{id}/files/{file['id']}{path}")).status == 404
    assert served.answer(ask("DELETE", f"/containers/{id}")).json["object"] == "container.deleted"
    assert served.answer(ask("GET", f"/containers/{id}")).status == 404
    assert served.answer(ask("DELETE", f"/containers/{id}")).status == 404


def test_containers_are_listed_by_name(served: Backend) -> None:
    ids = [container(served, name=name) for name in ("a", "b", "a")]
    assert [row["id"] for row in get(served, "/containers")["data"]] == ids[::-1]
    assert [row["id"] for row in get(served, "/containers", name="a", order="asc")["data"]] == [ids[0], ids[2]]


def test_a_form_without_a_file_is_refused(served: Backend) -> None:
    id = container(served)
    headers = (("authorization", f"Bearer {DEFAULT_KEY}"), ("content-type", "multipart/form-data; boundary=edge"))
    field = b'--edge\r\ncontent-disposition: form-data; name="other"\r\n\r\nx\r\n--edge--\r\n'
    assert served.answer(Ask("POST", f"/v1/containers/{id}/files", (), headers, field)).status == 400
