"""Threads and their messages: what is put in comes out, whole, in order, until it is deleted."""

from __future__ import annotations

from typing import Any

import pytest
from standin.asking import error
from standin.assisting import CODE, SEARCH, Desk, text

from wireproof.standin.backend import Setup
from wireproof.standin.latency import Latency

URL = "https://example.com/harbour.png"


def test_a_thread_begins_with_its_messages_in_order() -> None:
    desk = Desk()
    thread = desk.thread("one", "two", metadata={"a": "b"})
    assert thread.startswith("thread_")
    assert [text(message) for message in desk.messages(thread)] == ["one", "two"]
    assert desk.got(f"/threads/{thread}")["metadata"] == {"a": "b"}


def test_a_thread_can_begin_empty() -> None:
    desk = Desk()
    row = desk.made("/threads", None)
    assert row["tool_resources"] == {}
    assert desk.messages(row["id"]) == []


def test_a_message_of_a_client_is_whole_and_of_no_run() -> None:
    desk = Desk()
    thread = desk.thread()
    row = desk.made(f"/threads/{thread}/messages", {"role": "assistant", "content": "Hi", "metadata": {"a": "b"}})
    assert row["id"].startswith("msg_")
    assert (row["role"], row["status"], row["run_id"], row["assistant_id"]) == ("assistant", "completed", None, None)
    assert row["content"] == [{"type": "text", "text": {"value": "Hi", "annotations": []}}]
    assert desk.got(f"/threads/{thread}/messages/{row['id']}") == row


def test_pictures_are_parts_of_a_message() -> None:
    desk = Desk()
    file, thread = desk.file("a.png", "not really"), desk.thread()
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": URL, "detail": "low"}},
        {"type": "image_file", "image_file": {"file_id": file}},
    ]
    row = desk.made(f"/threads/{thread}/messages", {"role": "user", "content": parts})
    assert row["content"][1:] == [parts[1], {"type": "image_file", "image_file": {"detail": "auto", "file_id": file}}]


def test_a_thread_is_changed_in_its_metadata_and_resources() -> None:
    desk = Desk()
    file, thread = desk.file("a.txt", "x"), desk.thread("one", metadata={"a": "b"})
    held = {"code_interpreter": {"file_ids": [file]}}
    row = desk.made(f"/threads/{thread}", {"tool_resources": held})
    assert (row["metadata"], row["tool_resources"]) == ({"a": "b"}, held)
    assert desk.made(f"/threads/{thread}", {"metadata": None})["metadata"] == {}


def test_of_a_message_only_the_metadata_changes() -> None:
    desk = Desk()
    thread = desk.thread("one")
    (message,) = desk.messages(thread)
    changed = desk.made(f"/threads/{thread}/messages/{message['id']}", {"metadata": {"a": "b"}})
    assert changed == {**message, "metadata": {"a": "b"}}
    assert desk.ask("POST", f"/threads/{thread}/messages/{message['id']}", {"content": "two"}).status == 400


def test_a_deleted_message_is_gone_and_the_others_stay() -> None:
    desk = Desk()
    thread = desk.thread("one", "two")
    one, two = desk.messages(thread)
    deleted = desk.ask("DELETE", f"/threads/{thread}/messages/{one['id']}").json
    assert deleted == {"id": one["id"], "object": "thread.message.deleted", "deleted": True}
    assert desk.messages(thread) == [two]
    answer = desk.ask("GET", f"/threads/{thread}/messages/{one['id']}")
    assert error(answer)["message"] == f"No message found with id '{one['id']}'."


@pytest.mark.parametrize("after_s", [0.3, 1.0])
def test_with_a_thread_goes_everything_in_it(after_s: float) -> None:
    desk = Desk(Setup(latency=Latency(ttft_ms=5000)))
    thread = desk.thread("Hello")
    run = desk.run(thread)
    desk.passes(after_s)
    assert len(desk.steps(run)) == (1 if after_s == 1.0 else 0)
    sizes = desk.backend.world.store.sizes
    assert desk.ask("DELETE", f"/threads/{thread}").json["deleted"] is True
    for path in ("", "/messages", "/runs", f"/runs/{run['id']}", f"/runs/{run['id']}/steps"):
        answer = desk.ask("GET", f"/threads/{thread}{path}")
        assert answer.status == 404
        assert error(answer)["message"] == f"No thread found with id '{thread}'."
    desk.passes(3600)
    desk.got("/assistants")
    left = {kind: size for kind, size in sizes().items() if size}
    assert left == {"assistants": 1}


def test_messages_are_listed_newest_first_and_by_run() -> None:
    desk = Desk()
    thread = desk.thread(*(str(number) for number in range(30)))
    page = desk.got(f"/threads/{thread}/messages")
    assert [text(message) for message in page["data"]] == [str(number) for number in range(29, 9, -1)]
    assert page["has_more"]
    run = desk.later(desk.run(thread))
    (answer,) = desk.got(f"/threads/{thread}/messages", run_id=run["id"])["data"]
    assert answer["role"] == "assistant"


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ({"role": "user"}, 400, "content"),
        ({"role": "user", "content": ""}, 400, "content"),
        ({"role": "user", "content": []}, 400, "content"),
        ({"role": "system", "content": "Hi"}, 400, "role"),
        ({"role": "user", "content": [{"type": "text", "text": ""}]}, 400, "content[0].text"),
        ({"role": "user", "content": [{"type": "image_file", "image_file": {"file_id": "file-none"}}]}, 404, "content"),
        (
            {"role": "user", "content": "Hi", "attachments": [{"file_id": "file-none", "tools": [CODE]}]},
            404,
            "attachments",
        ),
        ({"role": "user", "content": "Hi", "attachments": [{"file_id": "file-none"}]}, 400, "attachments[0].tools"),
    ],
)
def test_what_is_wrong_with_a_message_is_named(body: Any, status: int, param: str) -> None:
    desk = Desk()
    thread = desk.thread()
    answer = desk.ask("POST", f"/threads/{thread}/messages", body)
    assert answer.status == status
    assert error(answer)["param"] == param
    assert desk.messages(thread) == []


def test_an_attachment_is_the_threads_from_then_on() -> None:
    desk = Desk()
    first, second = desk.file("a.txt", "The harbour opens at six."), desk.file("b.txt", "The mill is closed.")
    thread = desk.thread()
    attachments = [{"file_id": first, "tools": [CODE, SEARCH]}]
    message = {"role": "user", "content": "Look", "attachments": attachments}
    assert desk.made(f"/threads/{thread}/messages", message)["attachments"] == attachments
    held = desk.got(f"/threads/{thread}")["tool_resources"]
    (store,) = held["file_search"]["vector_store_ids"]
    assert held["code_interpreter"]["file_ids"] == [first]
    desk.made(f"/threads/{thread}/messages", {**message, "attachments": [{"file_id": second, "tools": [SEARCH]}]})
    desk.made(f"/threads/{thread}/messages", {**message, "attachments": [{"file_id": first, "tools": [CODE]}]})
    assert desk.got(f"/threads/{thread}")["tool_resources"] == held
    assert {row["id"] for row in desk.got(f"/vector_stores/{store}/files")["data"]} == {first, second}


def test_while_a_run_is_active_a_thread_takes_no_messages() -> None:
    desk = Desk()
    thread = desk.thread("Hello")
    run = desk.run(thread)
    message = {"role": "user", "content": "And then?"}
    answer = desk.ask("POST", f"/threads/{thread}/messages", message)
    assert answer.status == 400
    assert error(answer)["message"] == f"Can't add messages to {thread} while a run {run['id']} is active."
    desk.later(run)
    desk.made(f"/threads/{thread}/messages", message)
