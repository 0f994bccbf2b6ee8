"""Clauses of responses in one piece: shape, usage, what is repeated, what is refused; kept and nearest broken ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from edits import changed as edited
from edits import edit
from made import answer, clauses_of, outcome_of, verdict_of
from made_responses import call, changed, message, plain, response, streamed, told, usage

from wireproof.clause import Exchange

MODULES = (
    "responses",
    "responses_output",
    "responses_usage",
    "responses_echo",
    "responses_errors",
    "responses_tools",
    "responses_structured",
    "responses_logprobs",
)
Case = tuple[str, list[Exchange], list[Exchange]]


@pytest.fixture(scope="module")
def clauses(contract: Callable[[str], ModuleType]) -> dict[str, Any]:
    found = [one for name in MODULES for one in clauses_of(contract(name))]
    return {one.clause.id.removeprefix("responses."): one for one in found}


def with_item(**fields: Any) -> Exchange:
    return plain(response(message(**fields)))


def with_part(**fields: Any) -> Exchange:
    part = {"type": "output_text", "text": "Hi.", "annotations": [], **fields}
    return with_item(content=[{name: value for name, value in part.items() if value is not None}])


def with_usage(**fields: Any) -> Exchange:
    return plain(response(usage=usage(**fields)))


def refused(status: int = 400, *, probe: str, code: Any = None, param: Any = None, **asked: Any) -> Exchange:
    error = {"message": "No.", "type": "invalid_request_error", "param": param, "code": code}
    return plain({"error": error}, status=status, probe=f"responses.{probe}", asked=asked)


def asked(body: Any = None, *, probe: str = "responses.plain", **fields: Any) -> Exchange:
    return plain(body, probe=probe, asked=fields)


GOOD = plain()
PART = message()["content"][0]
ENDED = plain(response(completed_at=1_760_000_003))
TOO_EARLY = changed("response.created", lambda event: event["response"].update(completed_at=1_760_000_003))
NAMELESS = changed("response.output_item.added", lambda event: event["item"].pop("role"))
NOT_NOTED_AT_LAST = changed(
    "response.output_item.done", lambda event: event["item"]["content"][0].update(annotations=None)
)
NOT_NOTED = changed("response.content_part.added", lambda event: event["part"].pop("annotations"))
FULL = response(usage=usage(output_tokens=16, total_tokens=26))
CUT: dict[str, Any] = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
SHORT = response(message("1, 2,", status="incomplete"), usage=usage(output_tokens=16, total_tokens=26), **CUT)
LONGER = asked(response(message("1, 2, 3, 4")), probe="responses.longer", input="Count.", max_output_tokens=64)


def short(**fields: Any) -> Exchange:
    return asked({**SHORT, **fields}, probe="responses.cut", input="Count.", max_output_tokens=16)


def tokens(count: int, probe: str, **fields: Any) -> Exchange:
    told = response(usage=usage(input_tokens=count, total_tokens=count + 4))
    return asked(told, probe=f"responses.{probe}", **fields)


WEATHER = {
    "type": "function",
    "name": "get_weather",
    "strict": True,
    "parameters": {"type": "object", "properties": {"city": {"enum": ["Paris"]}}, "required": ["city"]},
}
NAMED = {"type": "function", "name": "get_weather"}


def calling(*items: Any, choice: Any = NAMED, **more: Any) -> Exchange:
    return asked(response(*(items or (call(),))), tools=[WEATHER], tool_choice=choice, **more)


STRICT = {"type": "json_schema", "name": "p", "strict": True, "schema": {"type": "object", "required": ["a"]}}


def formatted(text: str, wanted: Any = STRICT, **body: Any) -> Exchange:
    return asked(response(message(text), text={"format": wanted}, **body), text={"format": wanted})


INCLUDE = ["message.output_text.logprobs"]
ENTRIES = [
    {"token": "Hel", "logprob": -0.1, "bytes": [], "top_logprobs": [{"token": "Hel", "logprob": -0.1, "bytes": []}]},
    {"token": "lo", "logprob": -0.2, "bytes": [], "top_logprobs": []},
]


def spoken(entries: Any = ENTRIES, deltas: Any = None) -> Exchange:
    part = {"type": "output_text", "text": "Hello", "annotations": [], "logprobs": entries}
    events = told(response(message(content=[part])))
    if deltas is not None:
        for event in events:
            if event["type"] == "response.output_text.delta":
                event["logprobs"] = deltas
    return streamed(events, asked={"include": INCLUDE, "top_logprobs": 1})


def spoken_at(kind: str, entries: Any) -> Exchange:
    """Streamed, with other probabilities in the events of one type."""
    events = told(response(message(content=[{**PART, "text": "Hello", "logprobs": ENTRIES}])))
    edited = changed(kind, lambda event: (event.get("part") or event).update(logprobs=entries), events)
    return streamed(edited, asked={"include": INCLUDE, "top_logprobs": 1})


def count(body: Any, probe: str = "responses.count") -> Exchange:
    return answer(
        body, asked={}, operation="countInputTokens", method="POST", path="/responses/input_tokens", probe=probe
    )


NOTE = {"id": "ctc_1", "type": "custom_tool_call", "call_id": "call_1", "name": "write_note", "input": "Hi."}
AUTO = {"truncation": "auto"}


def noting(*items: Any) -> Exchange:
    """What comes of a custom tool that has to be called."""
    tool = {"type": "custom", "name": "write_note"}
    return asked(response(*(items or [NOTE]), tools=[tool], tool_choice=tool), tools=[tool], tool_choice=tool)


SET = tokens(10, "settings")
COUNTED = {"object": "response.input_tokens", "input_tokens": 10}
OK = {"probe": "responses.plain"}


def one(id: str, kept: Exchange, *broken: Exchange) -> Iterator[Case]:
    for exchange in broken:
        yield id, [kept], [exchange]


CASES: list[Case] = [
    *one("accepts", GOOD, refused(probe="items"), refused(500, probe="plain")),
    *one("schema", GOOD, plain(response(truncation=7)), plain(response(reasoning="low"))),
    *one("echo-keys", GOOD, plain(response(without="tools")), plain(response(tool_choice=None))),
    *one("object", GOOD, plain(response(object="chat.completion")), plain(response(without="object"))),
    *one("id", GOOD, plain(response(id="")), plain(response(without="id")), plain(response(id=7))),
    (
        "id-unique",
        [GOOD, asked(response(id="resp_2"), probe="responses.other")],
        [GOOD, asked(probe="responses.other")],
    ),
    *one("created-at", GOOD, plain(response(without="created_at")), plain(response(created_at=1_760_000_000_000))),
    *one("completed-at", ENDED, plain(response(completed_at=1_759_999_000)), plain(response(completed_at="now"))),
    *one("completed-at", ENDED, plain(response(completed_at=1_760_000_009, status="in_progress")), streamed(TOO_EARLY)),
    *one("model", GOOD, plain(response(model="/models/x.gguf")), plain(response(without="model"))),
    *one("status", GOOD, plain(response(without="status")), plain(response(status="done"))),
    *one("status", GOOD, plain(response(status="in_progress"))),
    *one("status-reason", short(), short(incomplete_details=None), plain(response(error={"code": "x"}))),
    *one("status-reason", GOOD, plain(response(status="failed")), plain(response(incomplete_details={"reason": "x"}))),
    *one("item-status", GOOD, with_item(status="in_progress"), with_item(status="incomplete")),
    *one(
        "output", GOOD, plain(response(output={})), plain(response(output=["Hi."])), plain(response(without="output"))
    ),
    *one("item-ids", GOOD, with_item(id=None), with_item(id=""), plain(response(message(), message()))),
    *one("role", GOOD, with_item(role="model"), with_item(role=None), streamed(NAMELESS)),
    *one("content", GOOD, with_item(content="Hi."), with_part(type="text"), with_part(text=None), with_part(type=None)),
    *one("annotations", streamed(), with_part(annotations=None), streamed(NOT_NOTED), streamed(NOT_NOTED_AT_LAST)),
    *one("text", GOOD, plain(response(message(""))), plain(response(message(content=[])))),
    *one("leaks", GOOD, plain(response(message("<think>Hm</think> Hi.")))),
    *one("call-ids", noting(), noting({**NOTE, "call_id": ""})),
    *one("call-ids", calling(), calling(call(call_id="")), calling(call(), call(id="fc_2"))),
    *one("call-id-kind", calling(), calling(call(call_id="fc_1"))),
    # usage
    *one("usage", GOOD, plain(response(usage=None)), plain(response(usage={"prompt_tokens": 3}))),
    *one("usage", GOOD, with_usage(input_tokens="10"), with_usage(output_tokens=-1)),
    *one("usage-details", GOOD, with_usage(input_tokens_details=None), with_usage(output_tokens_details=3)),
    *one("usage-detail-counts", GOOD, with_usage(output_tokens_details={"reasoning_tokens": None})),
    *one("usage-parts", GOOD, with_usage(input_tokens_details={"cached_tokens": 11})),
    *one("usage-parts", GOOD, with_usage(output_tokens_details={"reasoning_tokens": 5})),
    *one("usage-total", GOOD, with_usage(total_tokens=4)),
    *one("usage-counts", GOOD, with_usage(output_tokens=0, total_tokens=10)),
    *one("usage-counts", GOOD, with_usage(input_tokens=0, total_tokens=4)),
    (
        "usage-parity",
        [GOOD, streamed()],
        [GOOD, streamed(told(response(usage=usage(input_tokens=11, total_tokens=15))))],
    ),
    *one("cap", GOOD, with_usage(output_tokens=33, total_tokens=43)),
    ("incomplete", [short(), LONGER], [short(status="completed", incomplete_details=None), LONGER]),
    ("incomplete", [short(), LONGER], [short(incomplete_details=None), LONGER]),
    ("reach.items", [tokens(10, "plain"), tokens(10, "items")], [tokens(10, "plain"), tokens(31, "items")]),
    (
        "reach.instructions",
        [tokens(10, "plain"), tokens(40, "settings")],
        [tokens(10, "plain"), tokens(10, "settings")],
    ),
    (
        "reach.tools",
        [tokens(40, "tools.named", tools=[WEATHER]), tokens(70, "tools.required", tools=[WEATHER] * 2)],
        [tokens(40, "tools.named", tools=[WEATHER]), tokens(40, "tools.required", tools=[WEATHER] * 2)],
    ),
    ("reach.image", [tokens(10, "items"), tokens(90, "image")], [tokens(10, "items"), tokens(10, "image")]),
    ("count", [SET, count(COUNTED)], [SET, count({**COUNTED, "input_tokens": 9})]),
    ("count", [SET, count(COUNTED)], [SET, count({"input_tokens": 10})]),
    # what is repeated
    *one(
        "echo.instructions",
        asked(response(instructions="Be brief."), instructions="Be brief."),
        asked(instructions="x"),
    ),
    *one("echo.metadata", asked(response(metadata={"a": "b"}), metadata={"a": "b"}), asked(metadata={"a": "b"})),
    *one(
        "echo.previous",
        asked(response(previous_response_id="r"), previous_response_id="r"),
        asked(previous_response_id="r"),
    ),
    *one("echo.settings", asked(response(top_p=0.5), top_p=0.5), asked(top_p=0.5), asked(max_output_tokens=64)),
    *one("echo.settings", asked(response(truncation="auto"), **AUTO), asked(response(truncation="disabled"), **AUTO)),
    *one("echo.settings", GOOD, plain(response(store=True))),
    *one("echo.format", formatted("{}"), asked(text={"format": STRICT})),
    *one("echo.tools", asked(response(tools=[WEATHER]), tools=[WEATHER]), asked(tools=[WEATHER])),
    *one(
        "echo.tools",
        asked(response(tools=[WEATHER], tool_choice=NAMED), tools=[WEATHER], tool_choice=NAMED),
        asked(response(tools=[WEATHER]), tools=[WEATHER], tool_choice=NAMED),
    ),
    # what is refused
    (
        "errors.unknown-model",
        [GOOD, refused(probe="unknown-model", code="model_not_found")],
        [GOOD, asked(probe="responses.unknown-model")],
    ),
    (
        "errors.unknown-model",
        [GOOD, refused(404, probe="unknown-model", code="model_not_found")],
        [GOOD, refused(probe="unknown-model")],
    ),
    ("errors.range", [GOOD, refused(probe="range")], [GOOD, asked(probe="responses.range", top_p=2)]),
    ("errors.invalid", [GOOD, refused(422, probe="wrong-type")], [GOOD, asked(probe="responses.wrong-type")]),
    (
        "errors.stream",
        [refused(probe="range"), refused(probe="range-stream", stream=True)],
        [refused(probe="range"), streamed([], probe="responses.range-stream")],
    ),
    (
        "errors.param",
        [GOOD, refused(probe="range", param="top_p", top_p=2)],
        [GOOD, refused(probe="range", top_p=2)],
    ),
    (
        "errors.previous",
        [GOOD, refused(404, probe="previous-unknown")],
        [GOOD, asked(probe="responses.previous-unknown")],
    ),
    # functions
    *one("tools.accepts", calling(probe="responses.tools.named"), refused(probe="tools.named", tools=[WEATHER])),
    *one("tools.named", calling(), calling(message()), calling(call(name="other"))),
    *one("tools.required", calling(choice="required"), calling(message(), choice="required")),
    *one("tools.none", calling(message(), choice="none"), calling(choice="none")),
    *one(
        "tools.parallel-false",
        calling(parallel_tool_calls=False),
        calling(call(), call(id="fc_2", call_id="call_2"), parallel_tool_calls=False),
    ),
    *one(
        "tools.custom",
        noting(),
        noting(call()),
        noting({**NOTE, "input": {"text": "Hi."}}),
        noting({**NOTE, "name": "x"}),
    ),
    *one("tools.call", calling(), calling(call(arguments={})), calling(call(name=None)), calling(call(name=""))),
    *one("tools.declared", calling(), calling(call(name="functions.get_weather"))),
    *one("tools.arguments-json", calling(), calling(call(arguments="{'city'}")), calling(call(arguments="[]"))),
    *one(
        "tools.arguments-schema", calling(), calling(call(arguments='{"city": "Rome"}')), calling(call(arguments="{}"))
    ),
    *one(
        "tools.result",
        calling(message(), choice="none", probe="responses.tools.result"),
        asked(response(output=[]), tools=[WEATHER], probe="responses.tools.result"),
    ),
    # formats
    *one("structured.accepts", formatted('{"a": 1}'), refused(probe="structured.schema", text={"format": STRICT})),
    *one(
        "structured.json", formatted('{"a": 1}'), formatted("Here: {}"), formatted("{} Done."), formatted("```\n{}```")
    ),
    *one("structured.json", formatted('{"a": 1}'), formatted("Well,", **CUT)),
    *one("structured.object", formatted("{}", {"type": "json_object"}), formatted("[]", {"type": "json_object"})),
    *one("structured.schema", formatted('{"a": 1}'), formatted("{}"), formatted("[]")),
    # log probabilities
    *one("logprobs.present", spoken(), spoken([])),
    *one("logprobs.text", spoken(), spoken(ENTRIES[1:]), spoken([{**ENTRIES[0], "logprob": 0.9}, ENTRIES[1]])),
    *one("logprobs.text", spoken(), spoken_at("response.output_text.done", ENTRIES[:1])),
    *one("logprobs.text", spoken(), spoken_at("response.content_part.done", ENTRIES[:1])),
    *one("logprobs.top", spoken(), spoken_at("response.output_text.done", [{**ENTRIES[0], "top_logprobs": ENTRIES}])),
    *one("logprobs.top", spoken(), spoken([{**ENTRIES[0], "top_logprobs": ENTRIES}, ENTRIES[1]])),
    *one("logprobs.streamed", spoken(deltas=ENTRIES), spoken(deltas=[])),
]


@pytest.mark.parametrize("case", CASES, ids=[f"{id}-{number}" for number, (id, _, _) in enumerate(CASES)])
def test_a_clause_tells_the_kept_from_the_nearest_broken(clauses: dict[str, Any], case: Case) -> None:
    id, kept, broken = case
    assert verdict_of(clauses[id], *kept).outcome == "pass", verdict_of(clauses[id], *kept)
    assert outcome_of(clauses[id], *broken) == "fail"


def test_every_clause_has_a_case(clauses: dict[str, Any]) -> None:
    assert set(clauses) == {id for id, _, _ in CASES}


REASONED = response({"id": "rs_1", "type": "reasoning", "summary": []}, message())
PAINTED = {"id": "ig_1", "type": "image_generation_call", "status": "completed", "result": None}
LEGAL = {
    "a required call of a tool of the server": asked(
        response(PAINTED, tools=[WEATHER], tool_choice="required"), tools=[WEATHER], tool_choice="required"
    ),
    "a refusal of the model": plain(response(message(content=[{"type": "refusal", "refusal": "No."}]))),
    "thoughts first": plain(REASONED),
    "an unknown item": plain(response({"type": "vendor_call", "payload": 1}, message())),
    "an item without status": plain(edited(response(), lambda body: body["output"][0].pop("status"))),
    "no logprobs": plain(edited(response(), lambda body: body["output"][0]["content"][0].pop("logprobs"))),
    "what may be null is absent": plain({k: v for k, v in response().items() if v is not None}),
    "null where nothing is": plain(
        edited(response(call()), edit("output.0.namespace", None), edit("output.0.caller", None), edit("user", None))
    ),
    "later settings that are not known": asked(
        response(truncation=None, prompt_cache_key=None), prompt_cache_key="x", **AUTO
    ),
    "a custom tool that was cut": asked(response(**CUT), tool_choice={"type": "custom", "name": "x"}),
    "an end in the same second, cut off": plain(response(created_at=1_760_000_000.7, completed_at=1_760_000_000)),
    "nothing is stored, and it says so": plain(response(store=False), asked={"store": True}),
    "empty details": with_usage(input_tokens_details={}, output_tokens_details={}),
    "a float of whole seconds": plain(response(created_at=1_760_000_000.0)),
    "another model of the same name": plain(response(model="gpt-4.1-mini")),
    "more keys": plain(edited(response(), edit("x_vendor", 1), edit("usage.cost", 0.1))),
    "only what is promised": plain(
        {name: value for name, value in response().items() if name not in ("max_output_tokens", "store", "text")}
    ),
    "a call without the id of an item": plain(
        response({name: value for name, value in call().items() if name != "id"})
    ),
    "in the background": asked(response(status="queued", output=[], usage=None), background=True),
    "failed": plain(response(status="failed", output=[], error={"code": "server_error", "message": "x"}, usage=None)),
    "tools with defaults filled in": asked(
        response(tools=[{**WEATHER, "description": None}], tool_choice={**NAMED, "extra": 1}, output=[call()]),
        tools=[WEATHER],
        tool_choice=NAMED,
    ),
    "instructions as items": asked(
        response(instructions=[{"role": "developer", "content": [{"type": "input_text", "text": "Be brief."}]}]),
        instructions="Be brief.",
    ),
    "ended just at the cap": asked(FULL, max_output_tokens=16),
    "not served": refused(404, probe="plain"),
    "no such method": refused(405, probe="plain"),
    "not implemented": refused(501, probe="plain"),
    "unsupported by name": refused(probe="items", code="unsupported_parameter"),
}


@pytest.mark.parametrize("case", LEGAL)
def test_what_is_legal_is_no_finding(clauses: dict[str, Any], case: str) -> None:
    found = {id: verdict_of(one, LEGAL[case]).findings for id, one in clauses.items()}
    if case == "ended just at the cap":
        found.pop("echo.settings")
    assert {id: findings for id, findings in found.items() if findings} == {}


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_backend_without_responses_breaks_nothing(clauses: dict[str, Any], status: int) -> None:
    probes = sorted({exchange.probe for _, kept, broken in CASES for exchange in (*kept, *broken)} - {"made"})
    nothing = [refused(status, probe=probe.removeprefix("responses."), tools=[WEATHER]) for probe in probes]
    assert {outcome_of(one, *nothing) for one in clauses.values()} == {"not-applicable"}


def test_an_answer_that_spent_its_cap_says_nothing_of_tool_choice(clauses: dict[str, Any]) -> None:
    """llama.cpp says completed where the cap cut the words that the model began with."""
    for id, choice in (("tools.named", NAMED), ("tools.required", "required")):
        spent = asked(FULL, tools=[WEATHER], tool_choice=choice, max_output_tokens=16)
        assert outcome_of(clauses[id], spent) == "inconclusive"


def test_tools_that_are_refused_and_left_out_reach_nobody(clauses: dict[str, Any]) -> None:
    without = [tokens(40, "tools.named"), tokens(40, "tools.required")]
    assert outcome_of(clauses["reach.tools"], *without) == "not-applicable"


MALFORMED = ["text", [], b"<html>", {"output": 7, "usage": []}, {"output": [3, {"type": "message", "content": [1]}]}]


@pytest.mark.parametrize("said", MALFORMED, ids=range(5))
def test_no_clause_stumbles_over_a_malformed_answer(clauses: dict[str, Any], said: Any) -> None:
    for id, kept, _ in CASES:
        broken = [replace(plain(said), probe=one.probe, request=one.request) for one in kept]
        assert "the clause itself failed" not in verdict_of(clauses[id], *broken).reason
