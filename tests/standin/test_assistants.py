"""Assistants: made, listed page by page, changed field by field, gone when deleted; and the header they want."""

from __future__ import annotations

from typing import Any

import pytest
from standin.asking import CHAT, EMBEDDING, WEATHER, ask, backend, error
from standin.assisting import CODE, SEARCH, Desk


def test_what_is_not_said_has_its_default() -> None:
    desk = Desk()
    row = desk.got(f"/assistants/{desk.assistant}")
    assert row["id"].startswith("asst_")
    told = {name: row[name] for name in ("name", "instructions", "tools", "metadata", "temperature", "response_format")}
    assert told == {
        "name": None, "instructions": None, "tools": [], "metadata": {}, "temperature": 1.0, "response_format": "auto",
    }  # fmt: skip


def test_an_assistant_is_what_was_asked_for() -> None:
    desk = Desk(name="Ada", instructions="Be brief.", tools=[WEATHER, CODE, SEARCH], metadata={"a": "b"}, top_p=0.5)
    row = desk.got(f"/assistants/{desk.assistant}")
    assert (row["name"], row["instructions"], row["metadata"], row["top_p"]) == ("Ada", "Be brief.", {"a": "b"}, 0.5)
    assert [tool["type"] for tool in row["tools"]] == ["function", "code_interpreter", "file_search"]


def test_a_change_leaves_the_rest() -> None:
    desk = Desk(name="Ada", instructions="Be brief.", metadata={"a": "b"})
    row = desk.made(f"/assistants/{desk.assistant}", {"name": None, "tools": [CODE], "metadata": {"c": "d"}})
    assert (row["name"], row["instructions"], row["tools"], row["metadata"]) == (None, "Be brief.", [CODE], {"c": "d"})
    assert desk.got(f"/assistants/{desk.assistant}") == row


def test_a_deleted_assistant_is_gone() -> None:
    desk = Desk()
    deleted = desk.ask("DELETE", f"/assistants/{desk.assistant}").json
    assert deleted == {"id": desk.assistant, "object": "assistant.deleted", "deleted": True}
    for method in ("GET", "DELETE"):
        answer = desk.ask(method, f"/assistants/{desk.assistant}")
        assert answer.status == 404
        assert error(answer)["message"] == f"No assistant found with id '{desk.assistant}'."


def test_the_newest_come_first_twenty_at_a_time() -> None:
    desk = Desk()
    ids = [desk.assistant, *(desk.made("/assistants", {"model": CHAT})["id"] for _ in range(24))]
    first = desk.got("/assistants")
    assert [row["id"] for row in first["data"]] == ids[:4:-1]
    assert first["has_more"]
    rest = desk.got("/assistants", after=first["last_id"])
    assert [row["id"] for row in rest["data"]] == ids[4::-1]
    assert not rest["has_more"]
    before = desk.got("/assistants", before=rest["first_id"], limit="2", order="desc")
    assert [row["id"] for row in before["data"]] == [ids[6], ids[5]]


@pytest.mark.parametrize("limit", ["0", "101", "many"])
def test_a_page_has_one_to_a_hundred(limit: str) -> None:
    assert error(Desk().ask("GET", "/assistants", limit=limit))["param"] == "limit"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "model"),
        ({"model": "gpt-0"}, "model"),
        ({"model": EMBEDDING}, "model"),
        ({"model": CHAT, "tools": [{"type": "retrieval"}]}, "tools[0].type"),
        ({"model": CHAT, "temperature": 3}, "temperature"),
        ({"model": CHAT, "name": "n" * 257}, "name"),
    ],
)
def test_what_is_wrong_is_named(body: Any, param: str) -> None:
    answer = Desk().ask("POST", "/assistants", body)
    assert answer.status == 400
    assert error(answer)["param"] == param


def test_a_field_that_there_is_not_is_refused() -> None:
    found = error(Desk().ask("POST", "/assistants", {"model": CHAT, "file_ids": []}))
    assert (found["code"], found["param"]) == ("unknown_parameter", "file_ids")


def test_without_the_beta_header_nothing_is_served() -> None:
    answer = backend().answer(ask("GET", "/assistants"))
    assert answer.status == 400
    assert error(answer)["code"] == "invalid_beta"
    assert "assistants=v2" in error(answer)["message"]


def test_stores_that_are_described_are_made_and_those_that_are_named_must_be_there() -> None:
    desk = Desk()
    file = desk.file("a.txt", "The harbour opens at six.")
    given = {"file_search": {"vector_stores": [{"file_ids": [file]}]}, "code_interpreter": {"file_ids": [file]}}
    made = desk.made("/assistants", {"model": CHAT, "tools": [SEARCH], "tool_resources": given})
    (store,) = made["tool_resources"]["file_search"]["vector_store_ids"]
    assert made["tool_resources"]["code_interpreter"]["file_ids"] == [file]
    desk.passes(60)
    assert desk.got(f"/vector_stores/{store}")["file_counts"]["completed"] == 1
    unknown = {"model": CHAT, "tool_resources": {"file_search": {"vector_store_ids": ["vs_none"]}}}
    assert desk.ask("POST", "/assistants", unknown).status == 404
    unknown = {"model": CHAT, "tool_resources": {"code_interpreter": {"file_ids": ["file-none"]}}}
    answer = desk.ask("POST", "/assistants", unknown)
    assert (answer.status, error(answer)["param"]) == (404, "tool_resources.code_interpreter.file_ids")
