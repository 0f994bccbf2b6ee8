"""The events of a streamed response, as described: all of them, legal ones taken and the nearest breaches refused."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from openai.types import responses as sdk

from wireproof.spec import load_spec

SPEC = load_spec()
EVENT = SPEC.schema("ResponseEvent")
AT = {"item_id": "msg_1", "output_index": 0, "sequence_number": 4}
DELTA: dict[str, Any] = {
    "type": "response.output_text.delta",
    **AT,
    "content_index": 0,
    "delta": "Hi",
    "logprobs": [],
    "obfuscation": "x7",
}
DONE: dict[str, Any] = {
    "type": "response.output_text.done",
    **AT,
    "content_index": 0,
    "text": "Hi",
    "logprobs": [],
}
PART = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
ADDED: dict[str, Any] = {"type": "response.content_part.added", **AT, "content_index": 0, "part": PART}
ERROR = {"type": "error", "code": "server_error", "message": "No", "param": None, "sequence_number": 3}
ARGUMENTS = {"type": "response.function_call_arguments.done", **AT, "arguments": "{}"}
SEARCHING = {"type": "response.web_search_call.searching", **AT}
SHELL = {
    "type": "response.shell_call_command.delta",
    "output_index": 0,
    "command_index": 0,
    "sequence_number": 1,
    "delta": "l",
}


def types(name: str = "ResponseEvent") -> set[str]:
    found: set[str] = set()
    for branch in SPEC.document["components"]["schemas"][name]["anyOf"]:
        if "anyOf" in SPEC.resolved(branch):
            found |= types(branch["$ref"].rpartition("/")[2])
            continue
        named = SPEC.resolved(branch)["properties"]["type"]
        found |= set(named.get("enum") or [named["const"]])
    return found


def test_the_events_are_those_of_the_sdk() -> None:
    known = get_args(get_args(sdk.ResponseStreamEvent)[0])
    assert types() == {get_args(event.model_fields["type"].annotation)[0] for event in known}
    assert len(types()) == 59


def test_the_events_of_the_socket_are_those_of_the_sdk() -> None:
    known = get_args(get_args(sdk.ResponsesServerEvent)[0])
    assert types("ResponseSocketServerEvent") == {get_args(event.model_fields["type"].annotation)[0] for event in known}
    assert len(types("ResponseSocketServerEvent")) == 62


@pytest.mark.parametrize("name", ["createResponse", "getResponse"])
def test_the_operations_that_stream_name_their_events_and_no_end(name: str) -> None:
    operation = SPEC.operations[name]
    assert operation.event_schema is not None
    assert operation.event_schema.ref == EVENT.ref
    assert "x-terminator" not in operation.node["responses"]["200"]["content"]["text/event-stream"]


@pytest.mark.parametrize(
    "event",
    [
        DELTA,
        {key: value for key, value in DELTA.items() if key != "obfuscation"},
        DONE,
        ADDED,
        {**ADDED, "part": {"type": "refusal", "refusal": ""}},
        ERROR,
        {**ERROR, "code": None},
        ARGUMENTS,
        {**ARGUMENTS, "name": "get_weather"},
        SEARCHING,
        {**SEARCHING, "type": "response.compaction.compacting"},
        SHELL,
    ],
    ids=lambda event: event["type"],
)
def test_a_legal_event_is_taken(event: dict[str, Any]) -> None:
    assert [str(violation) for violation in EVENT.violations(event)] == []


@pytest.mark.parametrize(
    ("event", "breach"),
    [
        (DELTA, {"type": "response.text.delta"}),
        (DELTA, {"delta": None}),
        (DELTA, {"sequence_number": "4"}),
        (DELTA, {"sequence_number": -1}),
        (DELTA, {"logprobs": None}),
        (DONE, {"text": ["Hi"]}),
        (ADDED, {"part": None}),
        (ADDED, {"part": {"text": "Hi"}}),
        (ERROR, {"message": None}),
        (SHELL, {"command_index": None}),
    ],
)
def test_the_nearest_breach_is_refused(event: dict[str, Any], breach: dict[str, Any]) -> None:
    assert not EVENT.holds({**event, **breach})


@pytest.mark.parametrize(
    ("event", "key"),
    [
        (DELTA, "item_id"),
        (DELTA, "content_index"),
        (DELTA, "sequence_number"),
        (DELTA, "logprobs"),
        (ERROR, "param"),
        (ARGUMENTS, "arguments"),
        (SEARCHING, "output_index"),
        (SHELL, "delta"),
    ],
)
def test_what_is_required_cannot_be_left_out(event: dict[str, Any], key: str) -> None:
    assert not EVENT.holds({name: value for name, value in event.items() if name != key})


def test_a_breach_is_told_where_it_is() -> None:
    found = [(breach.pointer, breach.keyword) for breach in EVENT.violations({**DELTA, "delta": 1})]
    assert found == [("/delta", "type")]
