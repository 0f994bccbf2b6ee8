from __future__ import annotations

from typing import Any

import pytest
from standin.asking import ask, backend, chat, error

from wireproof.spec import load_spec
from wireproof.standin.backend import Backend
from wireproof.standin.wire import Answer


def kept(count: int = 3) -> tuple[Backend, list[str]]:
    one = backend()
    made = [chat(f"Hello {n}", one, store=True, metadata={"n": str(n)}) for n in range(count)]
    return one, [answer.json["id"] for answer in made]


def listed(one: Backend, **query: str) -> Answer:
    return one.answer(ask("GET", "/chat/completions", **query))


def ids(answer: Answer) -> list[str]:
    return [row["id"] for row in answer.json["data"]]


def test_what_is_not_stored_cannot_be_read() -> None:
    one = backend()
    made = chat("Hello", one)
    assert one.answer(ask("GET", f"/chat/completions/{made.json['id']}")).status == 404
    assert ids(listed(one)) == []


def test_what_is_stored_reads_as_it_was_answered() -> None:
    one = backend()
    made = chat("Hello", one, store=True, metadata={"a": "b"})
    read = one.answer(ask("GET", f"/chat/completions/{made.json['id']}"))
    assert read.json == made.json


def test_a_stream_is_stored_too() -> None:
    one = backend()
    chat("Hello", one, store=True, stream=True)
    (row,) = listed(one).json["data"]
    assert row["choices"] == chat("Hello").json["choices"]


def test_pages_follow_the_cursor() -> None:
    one, made = kept()
    page = listed(one, limit="2")
    assert (ids(page), page.json["has_more"]) == (made[:2], True)
    assert (page.json["first_id"], page.json["last_id"]) == (made[0], made[1])
    rest = listed(one, limit="2", after=page.json["last_id"])
    assert (ids(rest), rest.json["has_more"]) == (made[2:], False)
    assert ids(listed(one, order="desc")) == made[::-1]
    schema = load_spec().operations["listChatCompletions"].answer_schema(200)
    assert schema is not None
    assert [list(schema.violations(answer.json)) for answer in (page, rest, listed(backend()))] == [[], [], []]


def test_lists_are_filtered_by_model_and_metadata() -> None:
    one, made = kept()
    assert ids(listed(one, **{"metadata[n]": "1"})) == [made[1]]
    assert ids(listed(one, model="gpt-4.1-mini")) == made
    assert ids(listed(one, model="gpt-4o-mini")) == []


def test_the_messages_are_those_asked() -> None:
    one, made = kept(1)
    page = one.answer(ask("GET", f"/chat/completions/{made[0]}/messages"))
    (message,) = page.json["data"]
    assert (message["role"], message["content"], message["id"]) == ("user", "Hello 0", f"{made[0]}-0")
    schema = load_spec().operations["getChatCompletionMessages"].answer_schema(200)
    assert schema is not None
    assert list(schema.violations(page.json)) == []


def test_metadata_is_replaced() -> None:
    one, (id, *_) = kept()
    changed = one.answer(ask("POST", f"/chat/completions/{id}", {"metadata": {"x": "y"}}))
    assert changed.json["metadata"] == {"x": "y"}
    assert one.answer(ask("GET", f"/chat/completions/{id}")).json == changed.json


def test_a_deleted_one_is_gone() -> None:
    one, (id, *rest) = kept()
    assert one.answer(ask("DELETE", f"/chat/completions/{id}")).json == {
        "object": "chat.completion.deleted",
        "id": id,
        "deleted": True,
    }
    assert error(one.answer(ask("DELETE", f"/chat/completions/{id}")))["type"] == "invalid_request_error"
    assert ids(listed(one)) == rest


@pytest.mark.parametrize(
    ("query", "param"),
    [({"limit": "0"}, "limit"), ({"limit": "two"}, "limit"), ({"order": "up"}, "order"),
     ({"after": "chatcmpl-none"}, "after")],
)  # fmt: skip
def test_a_page_that_cannot_be_is_refused(query: dict[str, str], param: str) -> None:
    one, _ = kept()
    answer = listed(one, **query)
    assert answer.status == 400
    assert error(answer)["param"] == param


@pytest.mark.parametrize("body", [{}, {"metadata": "x"}, {"metadata": {"a": 1}}, {"metadata": {"k" * 65: "v"}}])
def test_metadata_that_is_none_is_refused(body: Any) -> None:
    one, (id, *_) = kept()
    assert error(one.answer(ask("POST", f"/chat/completions/{id}", body)))["param"].startswith("metadata")
