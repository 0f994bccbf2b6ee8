"""Streamed chat: each clause with a stream that keeps it and the nearest that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from made import answer, clauses_of, outcome_of, stream, verdict_of

from wireproof.clause import Exchange

BASE = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_760_000_000, "model": "gpt-4.1-mini"}
Event = dict[str, Any]


def choice(delta: Any, finish: str | None = None, index: int = 0, **more: Any) -> Event:
    return {"index": index, "delta": delta, "finish_reason": finish, **more}


def chunk(*choices: Event, **more: Any) -> Event:
    return {**BASE, "choices": list(choices), **more}


def text(content: str, index: int = 0) -> Event:
    return chunk(choice({"content": content}, index=index))


def finish(reason: str = "stop", index: int = 0) -> Event:
    return chunk(choice({}, reason, index))


ROLE = chunk(choice({"role": "assistant", "content": ""}))
GOOD = [ROLE, text("Hello"), text(" there"), finish()]


def without(event: Event, *names: str) -> Event:
    return {key: value for key, value in event.items() if key not in names}


def changed(event: Event, **more: Any) -> Event:
    return {**event, **more}


@pytest.fixture(scope="session")
def clause_of(contract: Callable[[str], ModuleType]) -> Callable[[str], Any]:
    clauses = {one.clause.id: one for one in clauses_of(contract("chat_stream"), contract("chat_stream_order"))}
    return lambda id: clauses[f"chat.stream.{id}"]


# What Azure sends of a text it has sent already, when its content filter runs beside the stream.
LATE_REPORT = {
    "id": "",
    "object": "",
    "created": 0,
    "model": "",
    "choices": [{"index": 0, "finish_reason": None, "content_filter_offsets": {"check_offset": 44, "end_offset": 198}}],
}
TOOL_CALL = [
    chunk(choice({"role": "assistant", "content": None})),
    chunk(
        choice(
            {
                "tool_calls": [
                    {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": ""}}
                ]
            }
        )
    ),
    chunk(choice({"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]})),
    finish("tool_calls"),
]
LEGAL = {
    "plain": stream(GOOD),
    "role and content in one": stream([chunk(choice({"role": "assistant", "content": "Hi"})), finish()]),
    "all in one chunk": stream([chunk(choice({"role": "assistant", "content": "Hi"}, "stop"))]),
    "content with the finish": stream([ROLE, chunk(choice({"content": "Hi"}, "stop"))]),
    "null for absent": stream([ROLE, chunk(choice({"role": None, "content": None, "tool_calls": None})), finish()]),
    "a finish_reason absent until the end": stream(
        [chunk(without(choice({"role": "assistant", "content": "Hi"}), "finish_reason")), finish()]
    ),
    "an empty answer": stream([ROLE, finish("length")]),
    "a tool call": stream(TOOL_CALL),
    "a tool call in the first delta": stream(
        [chunk(choice({"role": "assistant", "content": None, **TOOL_CALL[1]["choices"][0]["delta"]})), *TOOL_CALL[2:]]
    ),
    "thoughts": stream([ROLE, chunk(choice({"reasoning_content": "hm"})), text("Hi"), finish()]),
    "a refusal": stream([ROLE, chunk(choice({"refusal": "No."})), finish()]),
    "fields of its own": stream([changed(one, timings={"ms": 1}, obfuscation="x", service_tier=None) for one in GOOD]),
    "logprobs and fingerprint null": stream(
        [ROLE, chunk(choice({"content": "Hi"}, logprobs=None), system_fingerprint=None), finish()]
    ),
    "a filter report first": stream([{**BASE, "id": "", "model": "", "created": 0, "choices": []}, *GOOD]),
    "a filter report late": stream([*GOOD[:3], LATE_REPORT, *GOOD[3:], LATE_REPORT]),
    "a ping": stream([b'event: ping\ndata: {"type": "ping"}\n\n', *GOOD]),
    "an empty delta": stream([ROLE, chunk(choice({})), text("Hi"), finish()]),
    "an empty delta after the finish": stream([*GOOD, chunk(choice({}))]),
    "a repeating text": stream([ROLE, *[text("ha")] * 8, finish()]),
    "an odd id": stream([changed(one, id="7") for one in GOOD]),
    "two choices": stream(
        [
            ROLE,
            chunk(choice({"role": "assistant"}, index=1)),
            text("b", 1),
            text("a"),
            finish(index=1),
            text("a"),
            finish("length"),
        ],
        asked={"n": 2},
    ),
    "two choices in one chunk": stream(
        [
            chunk(
                choice({"role": "assistant", "content": "a"}), choice({"role": "assistant", "content": "b"}, index=1)
            ),
            chunk(choice({}, "stop"), choice({}, "stop", 1)),
        ],
        asked={"n": 2},
    ),
    "two choices in any order": stream(
        [chunk(choice({"role": "assistant", "content": "b"}, "stop", 1)), *GOOD], asked={"n": 2}
    ),
}


@pytest.mark.parametrize("name", LEGAL)
def test_legal_variations_raise_no_finding(name: str, contract: Callable[[str], ModuleType]) -> None:
    clauses = clauses_of(contract("chat_stream"), contract("chat_stream_order"))
    outcomes = {one.clause.id: outcome_of(one, LEGAL[name]) for one in clauses}
    assert {id: outcome for id, outcome in outcomes.items() if outcome in ("fail", "inconclusive")} == {}


LATE_ERROR = {"error": {"message": "Overloaded.", "type": "server_error", "param": None, "code": None}}
BROKEN: list[tuple[str, Exchange]] = [
    ("schema", stream([ROLE, without(text("Hi"), "created"), finish()])),
    ("schema", stream([changed(one, model=None) for one in GOOD])),
    ("schema", stream([ROLE, changed(text("Hi"), created=1.5), finish()])),
    ("schema", stream([ROLE, without(finish(), "choices")])),
    ("object", stream([changed(one, object="chat.completion") for one in GOOD])),
    ("object", stream([ROLE, without(text("Hi"), "object"), finish()])),
    ("id", stream([ROLE, changed(text("Hi"), id="chatcmpl-2"), finish()])),
    ("id", stream([ROLE, text("Hi"), without(finish(), "id")])),
    ("created", stream([ROLE, text("Hi"), changed(finish(), created=1_760_000_001)])),
    ("model", stream([ROLE, text("Hi"), changed(finish(), model="gpt-4.1")])),
    ("model", stream([ROLE, text("Hi"), changed(finish(), model=None)])),
    ("delta", stream([ROLE, text("Hi"), chunk(choice(None, "stop"))])),
    ("delta", stream([ROLE, chunk(without(choice({}, "stop"), "delta"))])),
    ("delta", stream([ROLE, chunk(choice({}, message={"content": "Hi"})), finish()])),
    ("content", stream([ROLE, chunk(choice({"content": [{"type": "text", "text": "Hi"}]})), finish()])),
    ("content", stream([ROLE, chunk(choice({"content": 7})), finish()])),
    ("finish-reason", stream([ROLE, chunk(choice({"content": "Hi"}, "null")), finish()])),
    ("finish-reason", stream([ROLE, chunk(choice({"content": "Hi"}, "")), finish()])),
    ("finish-reason", stream([ROLE, text("Hi"), finish("eos")])),
    ("finish-reason", stream([*TOOL_CALL[:3], finish("tool_call")])),
    ("increments", stream([ROLE, *(text("One two three four"[:end]) for end in (3, 7, 13, 18)), finish()])),
    (
        "increments",
        stream([ROLE, *map(text, ("One ", "two ", "three ", "four")), text("One two three four"), finish()]),
    ),
    ("choices", stream(GOOD, asked={"n": 2})),
    ("choices", stream([*GOOD, *GOOD], asked={"n": 2})),
    ("choices", stream([chunk(choice({"role": "assistant"}), choice({"role": "assistant"}))], asked={"n": 2})),
    ("choices", stream([changed(one, choices=[changed(one["choices"][0], index=1)]) for one in GOOD])),
    ("choices", stream([changed(one, choices=[without(one["choices"][0], "index")]) for one in GOOD])),
    ("choices", stream([])),
    ("role", stream([text("Hi"), finish()])),
    ("role", stream([text("Hi"), ROLE, finish()])),
    ("role", stream([chunk(choice({"role": "model", "content": "Hi"})), finish()])),
    ("role", stream([ROLE, text("Hi"), text("Hi", 1), finish(), finish(index=1)], asked={"n": 2})),
    ("role", stream(TOOL_CALL[1:])),
    ("role-once", stream([ROLE, chunk(choice({"role": "assistant", "content": "Hi"})), finish()])),
    ("finish", stream([ROLE, text("Hi")])),
    ("finish", stream([ROLE, chunk(choice({"role": "assistant"}, index=1)), text("Hi"), finish()], asked={"n": 2})),
    ("finish", stream([])),
    ("finish-once", stream([*GOOD, finish()])),
    ("finish-once", stream([ROLE, chunk(choice({"content": "Hi"}, "stop")), finish()])),
    ("after-finish", stream([*GOOD, text("!")])),
    ("after-finish", stream([*TOOL_CALL, TOOL_CALL[2]])),
    ("error", stream([ROLE, text("Hi"), LATE_ERROR])),
    ("error-shape", stream([ROLE, {"error": "Overloaded."}])),
    ("error-shape", stream([ROLE, {"error": {"message": "Overloaded.", "code": 503}}])),
    ("error-shape", stream([ROLE, b'event: error\ndata: {"message": "Overloaded."}\n\n'])),
]


@pytest.mark.parametrize(("id", "exchange"), BROKEN)
def test_a_breach_is_found(id: str, exchange: Exchange, clause_of: Callable[[str], Any]) -> None:
    assert outcome_of(clause_of(id), exchange) == "fail"


FOUR = stream([ROLE, *map(text, ("One ", "two ", "three ", "four")), finish()])
KEPT = {"error-shape": stream([ROLE, text("Hi"), LATE_ERROR]), "increments": FOUR}


@pytest.mark.parametrize("id", sorted({id for id, _ in BROKEN}))
def test_a_good_stream_keeps_each_clause(id: str, clause_of: Callable[[str], Any]) -> None:
    assert outcome_of(clause_of(id), KEPT.get(id, stream(GOOD))) == "pass"


def test_a_finding_names_the_first_offending_event_and_what_was_expected(clause_of: Callable[[str], Any]) -> None:
    (finding,) = verdict_of(clause_of("after-finish"), stream([*GOOD, text("!"), text("?")])).findings
    assert (finding.where.event, finding.expected) == (4, "nothing more in choice 0")
    assert finding.got == 'content "!"'
    (finding,) = verdict_of(clause_of("role"), stream([text("Hi"), finish()])).findings
    assert (finding.where.event, finding.expected) == (0, "as the first delta of choice 0: role assistant")
    (finding,) = verdict_of(clause_of("finish"), stream([ROLE, text("Hi")])).findings
    assert (finding.expected, finding.got) == ("a finish_reason for choice 0", "the end of the stream")


@pytest.mark.parametrize("id", ["schema", "role", "role-once", "finish", "finish-once", "after-finish", "choices"])
def test_what_cannot_be_read_is_no_pass(id: str, clause_of: Callable[[str], Any]) -> None:
    assert outcome_of(clause_of(id), stream([b"data: {half\n\n", *GOOD])) == "inconclusive"
    assert outcome_of(clause_of(id), stream([b'{"choices": []}\n\n'], done=False)) == "inconclusive"


def test_a_stream_that_breaks_off_need_not_finish(clause_of: Callable[[str], Any]) -> None:
    broken = stream([ROLE, text("Hi"), LATE_ERROR])
    assert {id: outcome_of(clause_of(id), broken) for id in ("finish", "choices")} == {
        "finish": "inconclusive",
        "choices": "inconclusive",
    }
    assert outcome_of(clause_of("schema"), broken) == "pass"


def test_an_error_before_the_first_chunk_is_the_business_of_the_status(clause_of: Callable[[str], Any]) -> None:
    assert outcome_of(clause_of("error"), stream([LATE_ERROR])) == "not-applicable"


def test_a_form_that_the_model_failed_is_no_finding(clause_of: Callable[[str], Any]) -> None:
    failed = stream([ROLE, LATE_ERROR], asked={"response_format": {"type": "json_object"}})
    assert outcome_of(clause_of("error"), failed) == "not-applicable"


def test_two_streams_have_two_ids(clause_of: Callable[[str], Any]) -> None:
    other = stream([changed(one, id="chatcmpl-2") for one in GOOD], probe="b")
    assert outcome_of(clause_of("id-fresh"), stream(GOOD, probe="a"), other) == "pass"
    verdict = verdict_of(clause_of("id-fresh"), stream(GOOD, probe="a"), stream(GOOD, probe="b"))
    assert verdict.outcome == "fail"
    assert (verdict.findings[0].where.exchange, verdict.findings[0].where.pointer) == ("b", "/id")
    assert outcome_of(clause_of("id-fresh"), stream(GOOD)) == "not-applicable"


def test_other_answers_are_not_judged(contract: Callable[[str], ModuleType]) -> None:
    others = [answer({}), stream(GOOD, status=400), stream(GOOD, operation="createCompletion")]
    for one in clauses_of(contract("chat_stream"), contract("chat_stream_order")):
        assert outcome_of(one, *others) == "not-applicable"


def test_the_surface_asks_four_times_at_most(contract: Callable[[str], ModuleType]) -> None:
    probes = contract("chat_stream").PROBES
    assert len(probes) == 4
    assert all(probe.first.body["max_tokens"] <= 64 for probe in probes)
