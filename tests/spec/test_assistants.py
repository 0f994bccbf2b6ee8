"""What the schemas of assistants, threads and runs take and what they refuse."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest
from edits import Edit, changed, cut, edit

from wireproof.spec import load_spec

SPEC = load_spec()


def holds(name: str, body: Any) -> bool:
    return SPEC.schema(name).holds(body)


USAGE = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
FUNCTION = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
CITATION = {
    "type": "file_citation",
    "text": "[0]",
    "file_citation": {"file_id": "file-1"},
    "start_index": 3,
    "end_index": 6,
}

ASSISTANT = {
    "id": "asst_1",
    "object": "assistant",
    "created_at": 1760000000,
    "name": None,
    "description": None,
    "model": "gpt-4o-mini",
    "instructions": "Be brief.",
    "tools": [{"type": "code_interpreter"}, {"type": "file_search"}, FUNCTION],
    "tool_resources": {"file_search": {"vector_store_ids": ["vs_1"]}},
    "metadata": {},
    "temperature": 1.0,
    "response_format": "auto",
}
MESSAGE = {
    "id": "msg_1",
    "object": "thread.message",
    "created_at": 1760000000,
    "thread_id": "thread_1",
    "status": "completed",
    "incomplete_details": None,
    "completed_at": 1760000001,
    "incomplete_at": None,
    "role": "assistant",
    "content": [{"type": "text", "text": {"value": "See[0]", "annotations": [CITATION]}}],
    "assistant_id": "asst_1",
    "run_id": "run_1",
    "attachments": [],
    "metadata": {},
}
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
RUN = {
    "id": "run_1",
    "object": "thread.run",
    "created_at": 1760000000,
    "thread_id": "thread_1",
    "assistant_id": "asst_1",
    "status": "requires_action",
    "required_action": {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": [CALL]}},
    "last_error": None,
    "expires_at": 1760000600,
    "started_at": 1760000001,
    "cancelled_at": None,
    "failed_at": None,
    "completed_at": None,
    "model": "gpt-4o-mini",
    "instructions": "Be brief.",
    "tools": [FUNCTION],
    "metadata": {},
    "usage": None,
    "incomplete_details": None,
    "max_prompt_tokens": None,
    "max_completion_tokens": 256,
    "truncation_strategy": {"type": "auto", "last_messages": None},
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    "response_format": {"type": "text"},
}
STEP = {
    "id": "step_1",
    "object": "thread.run.step",
    "created_at": 1760000000,
    "assistant_id": "asst_1",
    "thread_id": "thread_1",
    "run_id": "run_1",
    "type": "tool_calls",
    "status": "completed",
    "step_details": {
        "type": "tool_calls",
        "tool_calls": [
            {**CALL, "function": {"name": "weather", "arguments": "{}", "output": None}},
            {"id": "call_2", "type": "code_interpreter", "code_interpreter": {"input": "1", "outputs": []}},
            {
                "id": "call_3",
                "type": "file_search",
                "file_search": {"results": [{"file_id": "file-1", "file_name": "a.txt", "score": 0.5}]},
            },
        ],
    },
    "last_error": None,
    "expired_at": None,
    "cancelled_at": None,
    "failed_at": None,
    "completed_at": 1760000001,
    "metadata": None,
    "usage": USAGE,
}
STEP_DELTA = {
    "id": "step_1",
    "object": "thread.run.step.delta",
    "delta": {"step_details": {"type": "tool_calls", "tool_calls": [{"index": 0, "type": "function"}]}},
}
MESSAGE_DELTA = {
    "id": "msg_1",
    "object": "thread.message.delta",
    "delta": {"content": [{"index": 0, "type": "text", "text": {"value": "See"}}]},
}
LEGAL = {
    "Assistant": ASSISTANT,
    "Message": MESSAGE,
    "Run": RUN,
    "RunStep": STEP,
    "RunStepDelta": STEP_DELTA,
    "MessageDelta": MESSAGE_DELTA,
}
# What the data of an event is, by the longest of these that its name begins with.
DATA = {
    "thread": "Thread",
    "thread.run": "Run",
    "thread.run.step": "RunStep",
    "thread.message": "Message",
    "error": "ErrorDetail",
}
BREACHES: list[tuple[str, Edit]] = [
    ("Assistant", edit("object", "assistants")),
    ("Assistant", cut("instructions")),
    ("Assistant", edit("tools.0.type", "retrieval")),
    ("Assistant", edit("tool_resources.file_search.vector_store_ids", ["vs_1", "vs_2"])),
    ("Message", edit("content", "See")),
    ("Message", edit("content.0.text", "See")),
    ("Message", cut("content.0.text.annotations.0.end_index")),
    ("Message", edit("role", "system")),
    ("Message", edit("incomplete_details", {"reason": "length"})),
    ("Run", edit("status", "running")),
    ("Run", cut("required_action")),
    ("Run", edit("required_action.submit_tool_outputs.tool_calls.0.type", "custom")),
    ("Run", edit("instructions", None)),
    ("Run", edit("usage", {"total_tokens": 12})),
    ("Run", edit("max_completion_tokens", 255)),
    ("RunStep", edit("status", "queued")),
    ("RunStep", cut("step_details.tool_calls.0.function.output")),
    ("RunStep", edit("step_details.tool_calls.2.file_search.results.0.score", 1.5)),
    ("RunStep", edit("step_details.type", "message_creation")),
    ("RunStepDelta", cut("delta.step_details.tool_calls.0.index")),
    ("MessageDelta", edit("delta.content.0.text", "See")),
    ("MessageDelta", cut("delta")),
]
LEGAL_CHANGES: list[tuple[str, Edit]] = [
    ("Message", cut("status")),
    ("Message", edit("content", [{"type": "refusal", "refusal": "No."}])),
    ("Run", edit("usage", USAGE)),
    ("Run", edit("response_format", "auto")),
    ("Run", edit("tool_choice", {"type": "function", "function": {"name": "weather"}})),
    ("Run", edit("something_new", 1)),
    ("RunStepDelta", edit("delta", {})),
]


@pytest.mark.parametrize("name", LEGAL)
def test_a_whole_object_is_legal(name: str) -> None:
    assert holds(name, LEGAL[name])


@pytest.mark.parametrize(("name", "change"), BREACHES, ids=range(len(BREACHES)))
def test_its_nearest_breaches_are_not(name: str, change: Edit) -> None:
    assert not holds(name, changed(LEGAL[name], change))


@pytest.mark.parametrize(("name", "change"), LEGAL_CHANGES, ids=range(len(LEGAL_CHANGES)))
def test_what_backends_do_differently_is_legal(name: str, change: Edit) -> None:
    assert holds(name, changed(LEGAL[name], change))


@pytest.mark.parametrize(
    ("operation_id", "body", "is_legal"),
    [
        ("createAssistant", {"model": "gpt-4o-mini"}, True),
        ("createAssistant", {}, False),
        ("createAssistant", {"model": "gpt-4o-mini", "file_ids": []}, False),
        ("createAssistant", {"model": "gpt-4o-mini", "name": "n" * 257}, False),
        ("createAssistant", {"model": "m", "tool_resources": {"file_search": {"vector_stores": [{}]}}}, True),
        ("modifyAssistant", {"tool_resources": {"file_search": {"vector_store_ids": []}}}, True),
        ("createThread", {"messages": [{"role": "user", "content": "Hi"}]}, True),
        ("createThread", {"messages": [{"role": "system", "content": "Hi"}]}, False),
        ("createMessage", {"role": "user", "content": []}, False),
        ("createMessage", {"role": "user", "content": "Hi", "attachments": [{"file_id": "file-1"}]}, False),
        ("createRun", {"assistant_id": "asst_1", "max_prompt_tokens": 255}, False),
        ("createRun", {"assistant_id": "asst_1", "additional_messages": None, "stream": True}, True),
        ("createRun", {"assistant_id": "asst_1", "thread": {}}, False),
        ("createThreadAndRun", {"assistant_id": "asst_1", "thread": {}}, True),
        ("createThreadAndRun", {"thread": {}}, False),
        ("submitToolOutputs", {"tool_outputs": []}, True),
        ("submitToolOutputs", {"tool_outputs": [{"tool_call_id": "call_1", "output": 1}]}, False),
        ("modifyRun", {"status": "completed"}, False),
    ],
)
def test_a_request_is_taken_or_refused(operation_id: str, body: dict[str, Any], is_legal: bool) -> None:
    assert (SPEC.operations[operation_id].request_violations(body) == []) is is_legal


@pytest.mark.parametrize("operation_id", ["createRun", "createThreadAndRun", "submitToolOutputs"])
def test_each_event_of_a_run_has_the_schema_of_its_name(operation_id: str) -> None:
    media = SPEC.operations[operation_id].node["responses"]["200"]["content"]["text/event-stream"]
    assert len(media["x-events"]) == 24  # with `done`, whose data is the terminator, the 25 of the API
    for name, ref in media["x-events"].items():
        kind = max((kind for kind in DATA if name.startswith(kind)), key=len)
        schema = DATA[kind] + ("Delta" if name.endswith(".delta") else "")
        assert ref["$ref"].rpartition("/")[2] == schema, name
    assert media["x-terminator"] == "[DONE]"


@pytest.mark.parametrize("body", [RUN, STEP, MESSAGE, STEP_DELTA, MESSAGE_DELTA], ids=lambda body: body["object"])
def test_the_data_of_any_event_is_one_of_the_union(body: dict[str, Any]) -> None:
    assert holds("RunStreamData", body)
    assert not holds("RunStreamData", {**body, "object": "thread.other"})


def test_the_beta_header_names_the_second_version() -> None:
    takes = jsonschema_rs.validator_for(SPEC.document["components"]["parameters"]["AssistantsBeta"]["schema"])
    assert takes.is_valid("assistants=v2")
    assert takes.is_valid("realtime=v1, assistants=v2")
    assert not takes.is_valid("assistants=v1")
    assert not takes.is_valid("assistants=v20")
