"""Tools of responses: called back, used on the server, allowed or not."""

from __future__ import annotations

import base64
import io
import json
import re
from typing import Any

import pytest
from PIL import Image
from standin.asking import CHAT, Clock, backend, error, form, post
from standin.responding import WEATHER, asked, get, kinds, response, text

TIME: Any = {"type": "function", "name": "get_time"}
NOTE: Any = {"type": "custom", "name": "take_note"}
WEB: Any = {"type": "web_search"}
CODE: Any = {"type": "code_interpreter", "container": {"type": "auto"}}
WIKI: Any = {"type": "mcp", "server_label": "wiki", "server_url": "https://example.com/mcp"}


def test_a_function_is_called_and_its_result_goes_on() -> None:
    to = backend()
    first = response("What is the weather?", to, tools=[WEATHER])
    (call,) = first["output"]
    assert (call["type"], call["name"], call["status"]) == ("function_call", "get_weather", "completed")
    assert set(json.loads(call["arguments"])) == {"city"}
    assert call["id"] != call["call_id"]
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"}
    second = response([result], to, tools=[WEATHER], previous_response_id=first["id"])
    assert kinds(second) == ["message"]
    refused = error(asked("And now?", to, tools=[WEATHER], previous_response_id=first["id"]))
    assert call["call_id"] in refused["message"]


@pytest.mark.parametrize(
    ("fields", "called"),
    [
        ({}, []),
        ({"tool_choice": "required"}, ["get_weather", "get_time"]),
        ({"tool_choice": "required", "parallel_tool_calls": False}, ["get_weather"]),
        ({"tool_choice": {"type": "function", "name": "get_time"}}, ["get_time"]),
        ({"tool_choice": {"type": "custom", "name": "take_note"}}, ["take_note"]),
        (
            {"tool_choice": {"type": "allowed_tools", "mode": "required", "tools": [TIME]}},
            ["get_time"],
        ),
        ({"tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [TIME]}}, []),
        ({"tool_choice": "none", "input": "What is the weather?"}, []),
        ({"input": "The weather and the time"}, ["get_weather", "get_time"]),
    ],
)  # fmt: skip
def test_the_choice_decides_what_is_called(fields: dict[str, Any], called: list[str]) -> None:
    made = response(**{"input": "Hello", "tools": [WEATHER, TIME, NOTE], **fields})
    assert [item["name"] for item in made["output"] if "name" in item] == called
    assert kinds(made)[-1:] == (["message"] if not called else kinds(made)[-1:])


def test_a_function_of_a_namespace_says_which() -> None:
    tool = {"type": "namespace", "name": "sky", "description": "Above", "tools": [WEATHER]}
    (call,) = response("What is the weather?", tools=[tool])["output"]
    assert (call["name"], call["namespace"]) == ("get_weather", "sky")


def test_strictness_is_told_as_it_was_understood() -> None:
    open_ended = {"type": "object", "properties": {}, "not": {"type": "null"}}
    tools = [WEATHER, {**WEATHER, "strict": False}, {"type": "function", "name": "g", "parameters": open_ended}]
    told = response("Hi", tools=tools)["tools"]
    assert [tool["strict"] for tool in told] == [True, False, False]
    assert told[0]["parameters"]["additionalProperties"] is False
    assert told[1]["parameters"] == WEATHER["parameters"]
    refused = error(asked("Hi", tools=[{**WEATHER, "strict": True}]))
    assert (refused["param"], refused["code"]) == ("tools[0].parameters", "invalid_function_parameters")


@pytest.mark.parametrize(
    "fields",
    [
        {"tool_choice": "required"},
        {"tool_choice": {"type": "function", "name": "none"}, "tools": [WEATHER]},
        {"tool_choice": {"type": "mcp", "server_label": "none"}, "tools": [WIKI]},
        {"tool_choice": {"type": "file_search"}, "tools": [WEB]},
    ],
)
def test_a_choice_of_what_is_not_there_is_refused(fields: dict[str, Any]) -> None:
    assert error(asked("Hi", **fields))["param"] == "tool_choice"


@pytest.mark.parametrize("kind", ["tool_search", "programmatic_tool_calling"])
def test_tools_that_are_not_served_are_refused_by_name(kind: str) -> None:
    refused = error(asked("Hi", tools=[{"type": kind}]))
    assert (refused["param"], refused["code"]) == ("tools[0].type", "unsupported_value")
    assert kind in refused["message"]


def test_arguments_are_cut_where_the_tokens_end() -> None:
    made = response("Note 100 words", tools=[NOTE], tool_choice="required", max_output_tokens=16)
    (call,) = made["output"]
    assert (call["type"], call["status"], made["status"]) == ("custom_tool_call", "incomplete", "incomplete")
    assert made["usage"]["output_tokens"] == 16


def test_the_input_of_a_custom_tool_matches_its_expression() -> None:
    tool = {**NOTE, "format": {"type": "grammar", "syntax": "regex", "definition": "[a-f]{3}-[0-9]{2}"}}
    (call,) = response("Hi", tools=[tool], tool_choice="required")["output"]
    assert re.fullmatch("[a-f]{3}-[0-9]{2}", call["input"])


def test_web_pages_are_searched_and_cited_where_they_are_named() -> None:
    made = response("Search the web for rivers", tools=[WEB])
    assert kinds(made) == ["web_search_call", "message"]
    assert made["output"][0]["action"] == {
        "type": "search",
        "query": "Search the web for rivers",
        "queries": ["Search the web for rivers"],
    }
    part = made["output"][1]["content"][0]
    for note in part["annotations"]:
        assert note["url"] in part["text"][note["start_index"] : note["end_index"]]
    assert len(part["annotations"]) == 2
    with_sources = response("Search the web for rivers", tools=[WEB], include=["web_search_call.action.sources"])
    assert {source["url"] for source in with_sources["output"][0]["action"]["sources"]} == {
        note["url"] for note in part["annotations"]
    }


def test_files_are_found_in_the_stores_that_are_there() -> None:
    clock = Clock()
    to = backend(clock=clock)
    upload = form(
        "/files", {"purpose": "assistants", "file": ("rivers.txt", b"The Aare is a river that flows through Bern.")}
    )
    file = to.answer(upload).json
    store = post("/vector_stores", {"name": "s", "file_ids": [file["id"]]}, to).json
    clock.now += 600
    tool = {"type": "file_search", "vector_store_ids": [store["id"]]}
    made = response("What do the files say of the Aare?", to, tools=[tool], include=["file_search_call.results"])
    assert made["output"][0]["results"][0]["filename"] == "rivers.txt"
    assert made["output"][1]["content"][0]["annotations"][0]["file_id"] == file["id"]
    hidden = response("What do the files say of the Aare?", to, tools=[tool])
    assert hidden["output"][0]["results"] is None
    shown = get(to, f"/responses/{hidden['id']}", "include[]=file_search_call.results").json
    assert shown["output"][0]["results"] == made["output"][0]["results"]
    gone = {"type": "file_search", "vector_store_ids": ["vs_none"]}
    assert asked("What do the files say?", to, tools=[gone]).status == 404


def test_code_runs_in_a_container_that_is_there() -> None:
    to = backend()
    made = response("Use python", to, tools=[CODE], include=["code_interpreter_call.outputs"])
    call = made["output"][0]
    left, right = [int(number) for number in call["code"].splitlines()[0].partition("= ")[2].split(", ")]
    assert call["outputs"] == [{"type": "logs", "logs": f"{left * right}\n"}]
    assert get(to, f"/containers/{call['container_id']}").json["status"] == "running"
    again = {"type": "code_interpreter", "container": call["container_id"]}
    assert response("Use python", to, tools=[again])["output"][0]["container_id"] == call["container_id"]
    assert asked("Use python", to, tools=[{**again, "container": "cntr_none"}]).status == 404


def test_a_picture_is_one() -> None:
    tool = {"type": "image_generation", "size": "1536x1024", "output_format": "webp", "quality": "low"}
    (call, _) = response("Draw a cat", tools=[tool])["output"]
    picture = Image.open(io.BytesIO(base64.b64decode(call["result"])))
    assert (picture.format, picture.size) == ("WEBP", (1536, 1024))
    assert (call["size"], call["output_format"], call["quality"]) == ("1536x1024", "webp", "low")


def test_a_hosted_shell_answers_itself_and_a_local_one_waits() -> None:
    hosted = {"type": "shell", "environment": {"type": "container_auto"}}
    to = backend()
    made = response("Use the shell", to, tools=[hosted])
    assert kinds(made) == ["shell_call", "shell_call_output", "message"]
    assert made["output"][1]["output"][0]["stdout"] in made["output"][0]["action"]["commands"][0] + "\n"
    local = response("Use the shell", to, tools=[{"type": "shell"}])
    (call,) = local["output"]
    printed = {"stdout": "x", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}
    result = {"type": "shell_call_output", "call_id": call["call_id"], "output": [printed]}
    assert kinds(response([result], to, previous_response_id=local["id"])) == ["message"]


@pytest.mark.parametrize(
    ("tool", "words", "kind", "result"),
    [
        ({"type": "local_shell"}, "Use the shell", "local_shell_call", None),
        ({"type": "apply_patch"}, "Patch it", "apply_patch_call", {"status": "completed"}),
        ({"type": "computer"}, "Look at the screen", "computer_call", {"output": {"type": "computer_screenshot"}}),
        (
            {"type": "computer_use_preview", "environment": "mac", "display_width": 800, "display_height": 600},
            "Look at the screen",
            "computer_call",
            {"output": {"type": "computer_screenshot", "image_url": "data:image/png;base64,aaaa"}},
        ),
    ],
)
def test_what_the_callers_machine_does_is_waited_for(tool: Any, words: str, kind: str, result: Any) -> None:
    to = backend()
    first = response(words, to, tools=[tool])
    (call,) = first["output"]
    assert call["type"] == kind
    about = {"id": call["id"], "output": "x"} if result is None else {"call_id": call["call_id"], **result}
    onwards = response([{"type": f"{kind}_output", **about}], to, tools=[tool], previous_response_id=first["id"])
    assert kinds(onwards) == ["message"]
    assert kinds(response(words, to, tools=[tool], tool_choice="none")) == ["message"]


def test_a_server_is_listed_once_and_called_when_that_is_approved() -> None:
    to = backend()
    first = response("Ask the wiki", to, tools=[WIKI])
    assert kinds(first) == ["mcp_list_tools", "mcp_approval_request"]
    request = first["output"][1]
    answer: Any = {"type": "mcp_approval_response", "approval_request_id": request["id"], "approve": True}
    onwards = response([answer], to, tools=[WIKI], previous_response_id=first["id"])
    assert kinds(onwards) == ["mcp_call", "message"]
    assert onwards["output"][0]["approval_request_id"] == request["id"]
    refused = response([{**answer, "approve": False}], to, tools=[WIKI], previous_response_id=first["id"])
    assert kinds(refused) == ["message"]
    assert asked([{**answer, "approval_request_id": "mcpr_none"}], to, tools=[WIKI]).status == 400


@pytest.mark.parametrize(
    ("setting", "asks"),
    [
        ("always", True),
        ("never", False),
        (None, True),
        ({"never": {"tool_names": ["search"]}}, False),
        ({"always": {"tool_names": ["fetch"]}}, False),
        ({"always": {"tool_names": ["search"]}}, True),
    ],
)
def test_approval_is_asked_for_as_the_request_says(setting: Any, asks: bool) -> None:
    made = response("Ask the wiki to search", tools=[{**WIKI, "require_approval": setting}])
    assert kinds(made)[1] == ("mcp_approval_request" if asks else "mcp_call")


def test_secrets_for_a_server_are_not_told_back() -> None:
    tool = {**WIKI, "authorization": "secret-token", "headers": {"x-key": "secret-key"}}
    answer = asked("Ask the wiki", tools=[tool])
    assert b"secret-" not in answer.body


def test_hosted_tools_are_used_as_often_as_allowed() -> None:
    both = response("Search the web, use python", tools=[WEB, CODE])
    assert kinds(both) == ["web_search_call", "code_interpreter_call", "message"]
    one = response("Search the web, use python", tools=[WEB, CODE], max_tool_calls=1)
    assert kinds(one) == ["web_search_call", "message"]


def test_what_tools_do_is_counted_and_remembered() -> None:
    to = backend()
    made = response("Search the web for rivers", to, tools=[WEB])
    assert made["usage"]["output_tokens"] > len(text(made).split())
    plain = response("Say: hi", to)
    after = [response("And?", to, previous_response_id=id)["usage"]["input_tokens"] for id in (made["id"], plain["id"])]
    assert after[0] > after[1]


def test_the_model_of_a_response_is_the_one_of_the_chat() -> None:
    assert response("Hi", tools=[WEB])["model"] == post("/chat/completions", {
        "model": CHAT, "messages": [{"role": "user", "content": "Hi"}]}).json["model"]  # fmt: skip
