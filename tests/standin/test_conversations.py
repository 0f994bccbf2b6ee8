"""Conversations: made, filled by hand and by responses, listed, emptied, forgotten."""

from __future__ import annotations

from typing import Any

import pytest
from standin.asking import CHAT, Clock, ask, backend, error, post
from standin.responding import WEATHER, asked, delete, get, kinds, response

from wireproof.standin.backend import Backend


def made(to: Backend, **fields: Any) -> str:
    answer = post("/conversations", fields, to)
    assert answer.status == 200, answer.body
    return str(answer.json["id"])


def said(to: Backend, id: str, query: str = "order=asc&limit=100") -> list[str]:
    return [item["content"][0]["text"] for item in get(to, f"/conversations/{id}/items", query).json["data"]]


def words(*texts: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": text} for text in texts]


def test_it_is_made_renamed_and_forgotten() -> None:
    to = backend()
    answer = to.answer(ask("POST", "/conversations"))
    assert answer.json["object"] == "conversation"
    id = answer.json["id"]
    assert id.startswith("conv_")
    assert post(f"/conversations/{id}", {"metadata": {"a": "b"}}, to).json["metadata"] == {"a": "b"}
    assert get(to, f"/conversations/{id}").json["metadata"] == {"a": "b"}
    assert delete(to, f"/conversations/{id}").json == {"id": id, "object": "conversation.deleted", "deleted": True}
    for path in (f"/conversations/{id}", f"/conversations/{id}/items"):
        assert get(to, path).status == 404
    assert post(f"/conversations/{id}/items", {"items": words("x")}, to).status == 404


def test_items_are_added_listed_read_and_taken_out() -> None:
    to = backend()
    id = made(to, items=words("one"))
    added = post(f"/conversations/{id}/items", {"items": words("two", "three")}, to).json
    assert [item["content"][0]["text"] for item in added["data"]] == ["two", "three"]
    assert (added["first_id"], added["has_more"]) == (added["data"][0]["id"], False)
    assert said(to, id) == ["one", "two", "three"]
    assert said(to, id, "limit=2") == ["three", "two"]
    assert said(to, id, f"order=asc&after={added['first_id']}") == ["three"]
    path = f"/conversations/{id}/items/{added['first_id']}"
    assert get(to, path).json == added["data"][0]
    assert delete(to, path).json["id"] == id
    assert get(to, path).status == 404
    assert said(to, id) == ["one", "three"]


@pytest.mark.parametrize(("path", "most"), [("/conversations", 20), ("items", 20)])
def test_twenty_items_at_a_time_are_the_most(path: str, most: int) -> None:
    to = backend()
    path = path if path.startswith("/") else f"/conversations/{made(to)}/items"
    assert post(path, {"items": words(*"x" * most)}, to).status == 200
    assert post(path, {"items": words(*"x" * (most + 1))}, to).status == 400


def test_what_is_no_item_to_keep_is_refused() -> None:
    to = backend()
    refused = error(post("/conversations", {"items": [*words("x"), {"type": "item_reference", "id": "m"}]}, to))
    assert refused["param"] == "items[1].type"


def test_a_response_remembers_and_adds_what_was_said() -> None:
    to = backend()
    id = made(to, items=words("My name is Ada."))
    first = response("Say: hello Ada", to, conversation=id)
    assert first["conversation"] == {"id": id}
    assert said(to, id) == ["My name is Ada.", "Say: hello Ada", "hello Ada"]
    second = response("And now?", to, conversation={"id": id})
    assert second["usage"]["input_tokens"] > first["usage"]["input_tokens"]
    assert len(said(to, id)) == 5
    counted = post("/responses/input_tokens", {"model": CHAT, "input": "Hi", "conversation": id}, to).json
    assert counted["input_tokens"] > second["usage"]["input_tokens"]


def test_calls_and_their_results_are_items_as_well() -> None:
    to = backend()
    id = made(to)
    (call,) = response("What is the weather?", to, conversation=id, tools=[WEATHER])["output"]
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"}
    assert kinds(response([result], to, conversation=id, tools=[WEATHER])) == ["message"]
    listed = get(to, f"/conversations/{id}/items", "order=asc").json["data"]
    assert [item["type"] for item in listed] == ["message", "function_call", "function_call_output", "message"]


def test_a_background_response_adds_its_items_when_it_is_over() -> None:
    clock = Clock()
    to = backend(clock=clock)
    id = made(to)
    cancelled = response("Say: never", to, conversation=id, background=True)["id"]
    response("Say: later", to, conversation=id, background=True)
    to.answer(ask("POST", f"/responses/{cancelled}/cancel"))
    assert said(to, id) == []
    clock.now += 10
    assert said(to, id) == ["Say: later", "later"]


def test_a_deleted_conversation_is_no_longer_remembered() -> None:
    to = backend()
    id = made(to)
    first = response("Hello", to, conversation=id)
    delete(to, f"/conversations/{id}")
    assert asked("Hello", to, conversation=id).status == 404
    assert get(to, f"/responses/{first['id']}").status == 200


@pytest.mark.parametrize(
    "item",
    [
        {"type": "tool_search_call", "arguments": None},
        {"type": "code_interpreter_call", "id": "ci_1", "container_id": "c", "code": None, "outputs": None},
        {"type": "image_generation_call", "id": "ig_1", "result": None},
        {"type": "web_search_call", "id": "ws_1"},
    ],
    ids=lambda item: str(item["type"]),
)
def test_what_may_be_null_is_told_as_null(item: dict[str, Any]) -> None:
    to = backend()
    id = str(to.answer(ask("POST", "/conversations", {})).json["id"])
    added = to.answer(ask("POST", f"/conversations/{id}/items", {"items": [{"status": "completed", **item}]}))
    assert added.status == 200
    assert to.answer(ask("GET", f"/conversations/{id}/items")).json["data"] == added.json["data"]
