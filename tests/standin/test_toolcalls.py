from __future__ import annotations

import json
from typing import Any

import pytest
from standin.asking import CHAT, WEATHER, chat, error, post, said, user

TIME = json.loads(json.dumps(WEATHER).replace("get_weather", "get_time"))
BOTH = [WEATHER, TIME]


def called(answer: Any) -> list[str]:
    message = answer.json["choices"][0]["message"]
    return [call[call["type"]]["name"] for call in message.get("tool_calls", [])]


def test_required_calls_with_arguments_of_the_schema() -> None:
    answer = chat("Hello", tools=[WEATHER], tool_choice="required")
    choice = answer.json["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    (call,) = choice["message"]["tool_calls"]
    assert call["id"].startswith("call_")
    assert set(json.loads(call["function"]["arguments"])) == {"city"}


@pytest.mark.parametrize(
    ("text", "fields", "names"),
    [
        ("What is the weather?", {}, ["get_weather"]),
        ("What is the weather?", {"tool_choice": "auto"}, ["get_weather"]),
        ("Tell me the weather and the time", {}, ["get_weather", "get_time"]),
        ("Tell me the weather and the time", {"parallel_tool_calls": False}, ["get_weather"]),
        ("Hello", {}, []),
        ("What is the weather?", {"tool_choice": "none"}, []),
        ("Hello", {"tool_choice": "required"}, ["get_weather", "get_time"]),
        ("Hello", {"tool_choice": "required", "parallel_tool_calls": False}, ["get_weather"]),
        ("Hello", {"tool_choice": {"type": "function", "function": {"name": "get_time"}}}, ["get_time"]),
        (
            "Hello",
            {"tool_choice": {"type": "allowed_tools", "allowed_tools": {
                "mode": "required", "tools": [{"type": "function", "function": {"name": "get_time"}}]}}},
            ["get_time"],
        ),
    ],
)  # fmt: skip
def test_the_tools_called_are_those_chosen(text: str, fields: dict[str, Any], names: list[str]) -> None:
    assert called(chat(text, tools=BOTH, **fields)) == names


def test_ids_of_calls_differ_within_and_across_answers() -> None:
    from standin.asking import backend

    one = backend()
    ids = [
        call["id"]
        for _ in range(2)
        for choice in chat("Hello", one, tools=BOTH, tool_choice="required", n=2).json["choices"]
        for call in choice["message"]["tool_calls"]
    ]
    assert len(set(ids)) == 8


def test_an_answered_call_is_followed_by_words() -> None:
    first = chat("What is the weather?", tools=[WEATHER]).json["choices"][0]["message"]
    result = {"role": "tool", "tool_call_id": first["tool_calls"][0]["id"], "content": "sunny"}
    answer = post(
        "/chat/completions",
        {"model": CHAT, "messages": [*user("What is the weather?"), first, result], "tools": [WEATHER]},
    )
    assert said(answer)


def test_a_custom_tool_gets_text() -> None:
    tool = {"type": "custom", "custom": {"name": "poem"}}
    call = chat("Write a poem", tools=[tool]).json["choices"][0]["message"]["tool_calls"][0]
    assert call["type"] == "custom"
    assert call["custom"]["input"]


def test_the_deprecated_functions_answer_in_the_deprecated_form() -> None:
    choice = chat("Hello", functions=[WEATHER["function"]], function_call={"name": "get_weather"}).json["choices"][0]
    assert choice["finish_reason"] == "function_call"
    assert choice["message"]["function_call"]["name"] == "get_weather"
    assert "tool_calls" not in choice["message"]


def test_arguments_are_cut_by_the_limit() -> None:
    answer = chat("Hello", tools=[WEATHER], tool_choice="required", max_tokens=2)
    assert answer.json["choices"][0]["finish_reason"] == "length"
    assert answer.json["usage"]["completion_tokens"] == 2


def test_a_plain_answer_has_no_tool_calls_at_all() -> None:
    assert "tool_calls" not in chat("Hello", tools=[WEATHER]).json["choices"][0]["message"]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tools": BOTH, "tool_choice": {"type": "function", "function": {"name": "fly"}}}, "tool_choice"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tool_choice": "auto"}, "tool_choice"),
        ({"parallel_tool_calls": True}, "parallel_tool_calls"),
        ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "tools[0].function.name"),
        ({"tools": [{"type": "function"}]}, "tools[0].function"),
        ({"tools": [WEATHER], "tool_choice": "sometimes"}, "tool_choice"),
        ({"functions": [WEATHER["function"]], "function_call": {"name": "fly"}}, "function_call"),
    ],
)
def test_a_choice_that_cannot_be_made_is_refused(fields: dict[str, Any], param: str) -> None:
    answer = chat("Hello", **fields)
    assert answer.status == 400
    assert error(answer)["param"] == param
    assert chat("Hello", stream=True, **fields).status == 400


CALL = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
CALLING = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "sunny"}


@pytest.mark.parametrize(
    ("messages", "param"),
    [
        ([*user("a"), CALLING, *user("b")], "messages[1].tool_calls"),
        ([*user("a"), CALLING], "messages[1].tool_calls"),
        ([*user("a"), RESULT], "messages[1].role"),
        ([*user("a"), CALLING, {**RESULT, "tool_call_id": "call_2"}], "messages[2].role"),
        ([*user("a"), CALLING, RESULT, RESULT], "messages[3].role"),
    ],
)
def test_turns_that_do_not_fit_together_are_refused(messages: list[Any], param: str) -> None:
    assert error(post("/chat/completions", {"model": CHAT, "messages": messages}))["param"] == param


def test_who_sends_functions_and_tools_is_answered_with_tool_calls() -> None:
    functions = [{"name": "get_time"}]
    custom = {"type": "custom", "custom": {"name": "draw"}}
    for tools in ([WEATHER], [custom]):
        answer = chat("Hello", tools=tools, functions=functions, tool_choice="required")
        choice = answer.json["choices"][0]
        assert choice["finish_reason"] == "tool_calls"
        assert "get_time" in called(answer)
