"""Responses, their items and conversations: what their schemas take, and the nearest that they refuse."""

from __future__ import annotations

from typing import Any

import pytest

from wireproof.spec import load_spec

SPEC = load_spec()
CUT = object()

TEXT = {"type": "output_text", "text": "Hi", "annotations": [], "logprobs": []}
SAID = {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant", "content": [TEXT]}
CALL = {
    "id": "fc_1",
    "type": "function_call",
    "call_id": "call_1",
    "name": "f",
    "arguments": "{}",
    "status": "completed",
}
ASKED = {"id": "msg_2", "type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}
USAGE = {
    "input_tokens": 9,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 3,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 12,
}
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1760000000,
    "status": "completed",
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "model": "gpt-4.1-mini-2025-04-14",
    "output": [SAID],
    "parallel_tool_calls": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1.0,
    "usage": USAGE,
    "metadata": {},
}
CONVERSATION = {"id": "conv_1", "object": "conversation", "created_at": 1760000000, "metadata": {}}
PAGE = {"object": "list", "first_id": "msg_2", "last_id": "msg_2", "has_more": False}

# name: a legal value, changes that leave it legal, changes that do not
CASES: dict[str, tuple[Any, list[dict[str, Any]], list[dict[str, Any]]]] = {
    "ResponseRequest": (
        {"model": "gpt-4.1-mini", "input": "Hi"},
        [
            {"input": [{"role": "user", "content": "Hi"}]},
            {"input": [ASKED, SAID, CALL, {"type": "function_call_output", "call_id": "call_1", "output": "x"}]},
            {"input": [{"role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]}, {"id": "msg_1"}]},
            {"tools": [{"type": "function", "name": "f"}, {"type": "web_search"}], "tool_choice": "required"},
            {"tool_choice": {"type": "function", "name": "f"}},
            {"text": {"format": {"type": "json_schema", "name": "n", "schema": {}}}},
            {"conversation": {"id": "conv_1"}, "include": ["reasoning.encrypted_content"], "max_output_tokens": 16},
        ],
        [
            {"input": [{"role": "tool", "content": "Hi"}]},
            {"input": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]},
            {"input": [{"type": "function_call", "name": "f", "arguments": "{}"}]},
            {"tools": [{"type": "function", "function": {"name": "f"}}]},
            {"tool_choice": {"type": "function", "function": {"name": "f"}}},
            {"text": {"format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}}}},
            {"max_output_tokens": 15},
            {"top_logprobs": 21},
            {"include": ["everything"]},
        ],
    ),
    "Response": (
        RESPONSE,
        [
            {"usage": None, "status": "in_progress", "output": []},
            {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
            {"error": {"code": "server_error", "message": "no"}, "status": "failed"},
            {"output": [CALL, SAID], "new_field": 1},
            {"conversation": {"id": "conv_1"}, "completed_at": 1760000001.5},
        ],
        [
            {"object": "chat.completion"},
            {"status": "done"},
            {"output": CUT},
            {"output": [ASKED]},
            {"error": CUT},
            {"error": {"message": "no"}},
            {"metadata": CUT},
            {"usage": {"input_tokens": 9, "output_tokens": 3, "total_tokens": 12}},
        ],
    ),
    "OutputMessage": (
        SAID,
        [{"content": [{"type": "refusal", "refusal": "No."}]}, {"phase": "final_answer"}],
        [{"id": CUT}, {"role": "user"}, {"content": "Hi"}, {"content": [{**TEXT, "annotations": None}]}],
    ),
    "ConversationItem": (
        ASKED | {"status": "completed"},
        [SAID, {"content": [{"type": "summary_text", "text": "x"}]}, {"role": "tool"}],
        [{"status": CUT}, {"role": "nobody"}, {"type": "note"}, {"content": [{"type": "input_text"}]}],
    ),
    "FileSearchItem": (
        {"type": "file_search_call", "id": "fs_1", "status": "completed", "queries": ["x"], "results": None},
        [{"results": [{"file_id": "file-1", "score": 0.5}]}, {"status": "searching"}],
        [{"status": "interpreting"}, {"queries": "x"}, {"results": [{"score": "high"}]}],
    ),
    "Conversation": (
        CONVERSATION,
        [{"metadata": None}, {"metadata": {"a": "b"}}],
        [{"object": "thread"}, {"created_at": CUT}, {"metadata": {"a": 1}}, {"id": ""}],
    ),
    "ConversationItemPage": (
        {**PAGE, "data": [ASKED | {"status": "completed"}]},
        [{"data": [], "first_id": None, "last_id": None}],
        [{"data": [{"id": "msg_1"}]}, {"has_more": CUT}, {"first_id": CUT}],
    ),
    "InputItemPage": (
        {**PAGE, "data": [ASKED, SAID, CALL]},
        [{"data": []}],
        [{"data": [{**CALL, "id": CUT}]}, {"data": [{**ASKED, "role": "tool"}]}, {"object": "page"}],
    ),
    "ConversationItemsRequest": (
        {"items": [{"role": "user", "content": "Hi"}] * 20},
        [{"items": []}],
        [{"items": [{"role": "user", "content": "Hi"}] * 21}, {"items": CUT}],
    ),
    "InputTokens": (
        {"object": "response.input_tokens", "input_tokens": 7},
        [],
        [{"input_tokens": -1}, {"input_tokens": CUT}, {"object": "response"}],
    ),
}  # fmt: skip


def changed(value: Any, change: dict[str, Any]) -> Any:
    made = {**value, **change}
    return {
        key: [cut(one) for one in part] if isinstance(part, list) else part
        for key, part in made.items()
        if part is not CUT
    }


def cut(value: Any) -> Any:
    return {key: part for key, part in value.items() if part is not CUT} if isinstance(value, dict) else value


@pytest.mark.parametrize("name", CASES)
def test_a_schema_takes_the_legal_and_refuses_the_nearest_breach(name: str) -> None:
    value, legal, breaches = CASES[name]
    schema = SPEC.schema(name)
    assert [list(schema.violations(changed(value, change))) for change in [{}, *legal]] == [[]] * (1 + len(legal))
    assert [change for change in breaches if schema.holds(changed(value, change))] == []


@pytest.mark.parametrize("name", ["Response", "FileSearchItem", "WebSearchItem", "CodeItem", "ImageItem"])
def test_a_life_leads_through_states_that_the_schema_knows(name: str) -> None:
    node = SPEC.document["components"]["schemas"][name]
    life = node["x-lifecycle"]
    reached = {*life["start"], *(to for moves in life["moves"].values() for to in moves)}
    assert reached == set(node["properties"][life["field"]]["enum"])


def test_a_response_can_be_read_as_events_where_it_is_made_and_where_it_is_kept() -> None:
    for id in ("createResponse", "getResponse"):
        media = (SPEC.operations[id].answer_media(200) or {})["text/event-stream"]
        assert media["x-grammar"] == "responses"
        assert "x-terminator" not in media
