"""Clauses of streamed responses: the stream that keeps each, and the nearest one that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from made import clauses_of, outcome_of, stream, verdict_of
from made_responses import call, changed, message, numbered, response, streamed, told, twice, usage, without

from wireproof.clause import Exchange

MODULES = ("responses_stream", "responses_stream_life", "responses_stream_order", "responses_stream_fold")
CALLED = told(response(call()))
NOTE = {"id": "ctc_1", "type": "custom_tool_call", "call_id": "call_1", "name": "write_note", "input": "Hi."}
NOTING = told(response(NOTE))
DELTA, TEXT_DONE = "response.output_text.delta", "response.output_text.done"
LAST = "response.completed"
ITEM_DONE, ITEM_ADDED = "response.output_item.done", "response.output_item.added"


@pytest.fixture(scope="module")
def clause_of(contract: Callable[[str], ModuleType]) -> Callable[[str], Any]:
    found = {one.clause.id: one for name in MODULES for one in clauses_of(contract(name))}
    return lambda id: found[f"responses.stream.{id}"]


def drop(*keys: str) -> Callable[[dict[str, Any]], None]:
    def edit(event: dict[str, Any]) -> None:
        for key in keys:
            event.pop(key, None)

    return edit


def put(**fields: Any) -> Callable[[dict[str, Any]], None]:
    return lambda event: event.update(fields)


def in_response(**fields: Any) -> Callable[[dict[str, Any]], None]:
    return lambda event: event["response"].update(fields) if "response" in event else None


CHUNK = {"id": "c", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "x"}}]}
NESTED = {"error": {"message": "no", "type": "server_error", "param": None, "code": None}}
FLAT = {"type": "error", "code": None, "message": "no", "param": None, "sequence_number": 4}
LONG = message("word " * 30)
WITHOUT_DELTAS = [event for event in told(response(LONG)) if event["type"] != DELTA]
WHOLE = {
    "type": DELTA,
    "item_id": "msg_1",
    "output_index": 0,
    "content_index": 0,
    "delta": "word " * 30,
    "logprobs": [],
}
ONE_DELTA = numbered([*WITHOUT_DELTAS[:4], WHOLE, *WITHOUT_DELTAS[4:]])
PART_ADDED = "response.content_part.added"
PART = message()["content"][0]
UNPADDED = {"stream_options": {"include_obfuscation": False}}
CITED = {"type": "file_citation", "file_id": "file-1", "index": 0, "filename": "a.txt"}
NOTED = {
    "type": "response.output_text.annotation.added",
    "item_id": "msg_1",
    "output_index": 0,
    "content_index": 0,
    "annotation_index": 0,
    "annotation": CITED,
}
LATE = [*told()[:-4], told()[-4], told()[4], *told()[-3:]]

BROKEN: dict[str, tuple[str, Exchange]] = {
    "a chunk of chat": ("typed", streamed([*told()[:4], CHUNK, *told()[4:]])),
    "no event line": ("event-line", stream(told(), operation="createResponse", done=False)),
    "[DONE]": ("no-done", streamed([*told(), b"data: [DONE]\n\n"])),
    "tools are no list": ("schema", streamed(changed("response.created", in_response(truncation=7)))),
    "an item as a number": ("schema", streamed(changed(ITEM_ADDED, put(item=3)))),
    "a delta as an object": ("delta", streamed(changed(DELTA, put(delta={"text": "x"})))),
    "a part of type text": ("parts", streamed(changed("response.content_part.added", put(part={"type": "text"})))),
    "no output_index": ("indices", streamed(changed(DELTA, drop("output_index")))),
    "a content_index as text": ("indices", streamed(changed(DELTA, put(content_index="0")))),
    "no numbers": ("sequence", streamed(changed("*", drop("sequence_number")))),
    "one number": ("sequence", streamed(changed("*", put(sequence_number=0)))),
    "numbers anew": ("sequence", streamed([*told()[:4], *numbered(told()[4:])])),
    "a number left out": ("sequence", streamed([*told()[:4], *told()[5:]])),
    "another id": ("id", streamed(changed(LAST, in_response(id="resp_2")))),
    "another time": ("created-at", streamed(changed(LAST, in_response(created_at=1_760_000_009)))),
    "another model": ("model", streamed(changed(LAST, in_response(model="other")))),
    "an item nobody added": ("item-id", streamed(changed(DELTA, put(item_id="msg_2")))),
    "no item id": ("item-id", streamed(changed(ITEM_ADDED, lambda event: event["item"].pop("id")))),
    "no item_id": ("item-id", streamed(changed(DELTA, drop("item_id")))),
    "another item at the end": ("item-id", streamed(changed(ITEM_DONE, lambda event: event["item"].update(id="x")))),
    "another call": ("item-kind", streamed(changed(ITEM_DONE, lambda event: event["item"].update(name="x"), CALLED))),
    "another kind": ("item-kind", streamed(changed(ITEM_DONE, lambda event: event["item"].update(type="reasoning")))),
    "completed at first": ("status", streamed(changed("response.created", in_response(status="completed")))),
    "in progress at last": ("status", streamed(changed(LAST, in_response(status="in_progress")))),
    "no response": ("response", streamed(changed("response.in_progress", drop("response")))),
    "no id of the response": ("response", streamed(changed(LAST, lambda event: event["response"].pop("id")))),
    "no model of the response": ("response", streamed(changed("response.created", in_response(model=None)))),
    "no time of the response": ("response", streamed(changed("response.created", in_response(created_at="now")))),
    "no output of the response": ("response", streamed(changed("response.in_progress", in_response(output=None)))),
    "padding that nobody wants": ("obfuscation", streamed(changed(DELTA, put(obfuscation="xyz")), asked=UNPADDED)),
    "another kind of object": ("response", streamed(changed("response.created", in_response(object="chat")))),
    "other settings at first": ("settings", streamed(changed("response.created", in_response(temperature=1)))),
    "no type at first": ("item-kind", streamed(changed(ITEM_ADDED, lambda event: event["item"].pop("type")))),
    "no name at first": ("item-kind", streamed(changed(ITEM_ADDED, lambda event: event["item"].pop("name"), CALLED))),
    "no call_id at first": (
        "item-kind",
        streamed(changed(ITEM_ADDED, lambda event: event["item"].update(call_id=""), CALLED)),
    ),
    "done and in progress": (
        "item-kind",
        streamed(changed(ITEM_DONE, lambda event: event["item"].update(status="in_progress"))),
    ),
    "an input that is not done": ("arguments-done", streamed(without("response.custom_tool_call_input.done", NOTING))),
    "usage at first": ("usage-early", streamed(changed("response.created", in_response(usage=usage())))),
    "a nested error": ("error", streamed([*told()[:4], NESTED])),
    "one delta": ("pieces", streamed(ONE_DELTA)),
    # the order
    "not created": ("created", streamed(without("response.created"))),
    "created late": ("created", streamed(numbered([told()[1], told()[0], *told()[2:]]))),
    "created twice": ("created-once", streamed(twice("response.created"))),
    "not in progress": ("in-progress", streamed(without("response.in_progress"))),
    "in progress twice": ("in-progress", streamed(twice("response.in_progress"))),
    "no end": ("terminal", streamed(without(LAST))),
    "two ends": ("terminal-last", streamed(twice(LAST))),
    "more after the end": ("terminal-last", streamed(numbered([*told()[:-2], told()[-1], told()[-2]]))),
    "an item not added": ("item-added", streamed(without(ITEM_ADDED))),
    "an item added late": ("item-added", streamed(numbered([*told()[:2], told()[3], told()[2], *told()[4:]]))),
    "an item added twice": ("item-once", streamed(twice(ITEM_ADDED))),
    "an item not done": ("item-done", streamed(without(ITEM_DONE))),
    "an item done twice": ("item-closed", streamed(twice(ITEM_DONE))),
    "a part not added": ("part-added", streamed(without("response.content_part.added"))),
    "a part added twice": ("part-once", streamed(twice(PART_ADDED))),
    "a text not done": ("text-done", streamed(without(TEXT_DONE))),
    "a delta after its text": ("text-closed", streamed(numbered(LATE))),
    "a part not done": ("part-done", streamed(without("response.content_part.done"))),
    "a part done twice": ("part-done", streamed(twice("response.content_part.done"))),
    "arguments not done": ("arguments-done", streamed(without("response.function_call_arguments.done", CALLED))),
    # the sum
    "created with its output": ("opens", streamed(changed("response.created", in_response(output=[message()])))),
    "added with its parts": (
        "opens",
        streamed(changed(ITEM_ADDED, lambda event: event["item"].update(content=[PART]))),
    ),
    "added with its text": ("opens", streamed(changed(PART_ADDED, put(part=PART)))),
    "added with null for a text": ("opens", streamed(changed(PART_ADDED, put(part={**PART, "text": None})))),
    "added with its arguments": (
        "opens",
        streamed(changed(ITEM_ADDED, lambda event: event["item"].update(arguments=call()["arguments"]), CALLED)),
    ),
    "added without arguments": (
        "opens",
        streamed(changed(ITEM_ADDED, lambda event: event["item"].pop("arguments"), CALLED)),
    ),
    "a part at 1": (
        "item",
        streamed(changed("*", lambda event: event.update(content_index=1) if "content_index" in event else None)),
    ),
    "a note that is lost": ("part", streamed(numbered([*told()[:-4], NOTED, *told()[-4:]]))),
    "a text that is short": ("text", streamed(changed(TEXT_DONE, put(text="Hello there")))),
    "a text that is empty": ("text", streamed(changed(TEXT_DONE, put(text="")))),
    "a text without deltas": ("text", streamed(without(DELTA))),
    "empty arguments": (
        "arguments",
        streamed(changed("response.function_call_arguments.done", put(arguments=""), CALLED)),
    ),
    "another part": (
        "part",
        streamed(changed("response.content_part.done", lambda event: event["part"].update(text="Hello"))),
    ),
    "an item without parts": ("item", streamed(changed(ITEM_DONE, lambda event: event["item"].update(content=[])))),
    "an item with other arguments": (
        "item",
        streamed(changed(ITEM_DONE, lambda event: event["item"].update(arguments="{}"), CALLED)),
    ),
    "an empty output": ("output", streamed(changed(LAST, in_response(output=[])))),
    "an untrimmed output": ("output", streamed(changed(LAST, in_response(output=[message(" Hello there.")])))),
    "another item": ("output", streamed(changed(LAST, in_response(output=[message(id="msg_2")])))),
    "one item more": ("output", streamed(changed(LAST, in_response(output=[message(), call()])))),
    "other arguments": ("output", streamed(changed(LAST, in_response(output=[call(arguments="{}")]), CALLED))),
}

# What many correct backends do: none of it breaks anything.
BOTH = told(response(message(), call()))
THOUGHT = {"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": "Think first."}]}
WAITING = {"type": "response.queued", "response": {**told()[0]["response"], "status": "queued"}}
QUEUED = [told()[0], WAITING, *told()[1:]]
PADDED = changed(DELTA, put(obfuscation="xyz"))
LEGAL: dict[str, Exchange] = {
    "as it should be": streamed(),
    "a call": streamed(CALLED),
    "a text and a call": streamed(BOTH),
    "a custom tool": streamed(NOTING),
    "settings that are told at the end": streamed(changed("response.created", in_response(temperature=None))),
    "thoughts first": streamed(told(response(THOUGHT, message()))),
    "a refusal": streamed(told(response(message(content=[{"type": "refusal", "refusal": "I can not do that."}])))),
    "numbers from 1": streamed(changed("*", lambda event: event.update(sequence_number=event["sequence_number"] + 1))),
    "queued before": streamed(numbered(QUEUED)),
    "padding": streamed(PADDED),
    "no padding, as asked": streamed(asked=UNPADDED),
    "a text with a note": streamed(told(response(message(content=[{**PART, "annotations": [CITED]}])))),
    "no logprobs": streamed(changed("*", drop("logprobs"))),
    "an unknown event": streamed([*told()[:3], {"type": "response.x", "y": 1}, *told()[3:]]),
    "a numbered stranger": streamed(numbered([*told()[:3], {"type": "keepalive"}, *told()[3:]])),
    "a ping of its own name": streamed([*told()[:3], b"event: ping\ndata: {}\n\n", *told()[3:]]),
    "comments": streamed([b": hi\n\n", *told(), b": bye\n\n"]),
    "CRLF": streamed(
        [b"".join(streamed().chunks[n].data for n in range(len(streamed().chunks))).replace(b"\n", b"\r\n")]
    ),
    "an unknown item": streamed(told(response({"id": "x_1", "type": "vendor_call", "payload": 1}, message()))),
    "a gap between output indices": streamed(
        changed("*", lambda event: event.update(output_index=4) if event.get("output_index") == 1 else None, BOTH)
    ),
    "items without status": streamed(changed("*", lambda event: event.get("item", {}).pop("status", None))),
    "cut": streamed(told(response(status="incomplete", incomplete_details={"reason": "max_output_tokens"}))),
    "no usage before the end": streamed(changed("response.created", lambda event: event["response"].pop("usage"))),
}


# llama.cpp names items by their ids alone and has no numbers; that is said once, and all else is judged all the same.
BARE = changed("*", drop("output_index", "content_index", "sequence_number"), BOTH)


def test_events_without_indices_are_told_apart_by_their_items(contract: Callable[[str], ModuleType]) -> None:
    clauses = clauses_of(*(contract(name) for name in MODULES))
    found = {one.clause.id for one in clauses if verdict_of(one, streamed(BARE)).findings}
    assert found == {"responses.stream.indices", "responses.stream.sequence"}


@pytest.mark.parametrize("case", BROKEN)
def test_a_clause_notices_the_breach(clause_of: Callable[[str], Any], case: str) -> None:
    id, broken = BROKEN[case]
    assert outcome_of(clause_of(id), broken) == "fail"


@pytest.mark.parametrize("case", LEGAL)
def test_what_is_legal_is_no_finding(contract: Callable[[str], ModuleType], case: str) -> None:
    clauses = clauses_of(*(contract(name) for name in MODULES))
    found = {one.clause.id: verdict_of(one, LEGAL[case]).findings for one in clauses}
    assert {id: findings for id, findings in found.items() if findings} == {}


def test_every_clause_is_kept_by_some_and_broken_by_some(contract: Callable[[str], ModuleType]) -> None:
    clauses = {one.clause.id: one for one in clauses_of(*(contract(name) for name in MODULES))}
    assert set(clauses) == {f"responses.stream.{id}" for id, _ in BROKEN.values()}
    kept = {id for id, one in clauses.items() if any(outcome_of(one, legal) == "pass" for legal in LEGAL.values())}
    # An error is no legal end of a good stream, and a text that is cut needs a longer one: see below.
    assert set(clauses) - kept == {"responses.stream.error", "responses.stream.pieces"}


def test_a_flat_error_ends_a_stream(clause_of: Callable[[str], Any]) -> None:
    broken_off = streamed([*told()[:4], FLAT])
    assert outcome_of(clause_of("error"), broken_off) == "pass"
    assert outcome_of(clause_of("terminal"), broken_off) == "pass"
    for id in ("item-done", "part-done", "text-done", "output"):
        assert outcome_of(clause_of(id), broken_off) == "inconclusive"


def test_a_long_text_in_pieces_is_a_stream(clause_of: Callable[[str], Any]) -> None:
    assert outcome_of(clause_of("pieces"), streamed(told(response(LONG)))) == "pass"


GARBAGE: list[Any] = [
    {"type": 7},
    {"type": "response.created", "response": []},
    {"type": DELTA, "delta": None, "output_index": "x"},
    {"type": ITEM_ADDED, "item": 3},
    {"type": ITEM_DONE, "item": {"type": "message", "content": "text"}, "output_index": 0},
    {"type": "response.content_part.done", "part": 1},
    {"type": LAST, "response": {"output": {"a": 1}, "usage": 3, "id": 9}},
    {"error": "no"},
]


@pytest.mark.parametrize(
    "events", [GARBAGE, GARBAGE[::-1], [b"data: {\n\n"], [b"<html>"], [b"data: []\n\n"], [GARBAGE[6]]], ids=range(6)
)
def test_no_clause_stumbles_over_a_malformed_stream(contract: Callable[[str], ModuleType], events: list[Any]) -> None:
    for clause in clauses_of(*(contract(name) for name in MODULES)):
        assert "the clause itself failed" not in verdict_of(clause, streamed(events)).reason
