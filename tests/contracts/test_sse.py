"""The byte layer of streams: each clause with an exchange that keeps it and the nearest that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from made import answer, clauses_of, outcome_of, stream, verdict_of

from wireproof.clause import Exchange

ASKED = {"stream": True}
CHUNK = b'data: {"id": "c", "choices": [{"index": 0, "delta": {"content": "hi"}}]}\n\n'
DONE = b"data: [DONE]\n\n"


def raw(*parts: bytes, content_type: str = "text/event-stream", operation: str = "createChatCompletion") -> Exchange:
    return stream(parts, done=False, headers=(("content-type", content_type),), operation=operation)


@pytest.fixture(scope="session")
def clause_of(contract: Callable[[str], ModuleType]) -> Callable[[str], Any]:
    by_id = {one.clause.id: one for one in clauses_of(contract("sse"))}
    return by_id.__getitem__


GOOD = raw(CHUNK, CHUNK, DONE)
# Legal, if rare: no clause of this file may object.
LEGAL = {
    "plain": GOOD,
    "crlf": raw(*(part.replace(b"\n", b"\r\n") for part in (CHUNK, CHUNK, DONE))),
    "cr": raw(*(part.replace(b"\n", b"\r") for part in (CHUNK, DONE))),
    "comments": raw(b": ping\n\n", CHUNK, b":\n", DONE),
    "bom": raw(b"\xef\xbb\xbf" + CHUNK, DONE),
    "no space": raw(CHUNK.replace(b"data: ", b"data:"), b"data:[DONE]\n\n"),
    "several data lines": raw(b'data: {"choices":\ndata: []}\n\n', CHUNK, DONE),
    "id and retry": raw(b"id: 1\nretry: 500\n" + CHUNK, DONE),
    "named message": raw(b"event: message\n" + CHUNK, DONE),
    "a ping of another name": raw(b'event: ping\ndata: {"type": "ping"}\n\n', CHUNK, DONE),
    "an unknown field": raw(b"trace: abc-1\n" + CHUNK, DONE),
    "extra blank lines": raw(b"\n" + CHUNK, b"\n\n", DONE, b"\n"),
    "a cut character": raw(b'data: {"choices": [{"delta": {"content": "\xf0\x9f', b'\x91\x8b"}}]}\n\n', DONE),
    "charset": raw(CHUNK, DONE, content_type='text/event-stream;charset="UTF-8"'),
    "one burst": raw(CHUNK * 20 + DONE),
    "legacy": raw(b'data: {"choices": [{"index": 0, "text": "hi"}]}\n\n', DONE, operation="createCompletion"),
}


@pytest.mark.parametrize("name", LEGAL)
def test_legal_variations_raise_no_finding(name: str, contract: Callable[[str], ModuleType]) -> None:
    clauses = clauses_of(contract("sse"), contract("sse_pace"))
    outcomes = {one.clause.id: outcome_of(one, LEGAL[name]) for one in clauses}
    assert {id: outcome for id, outcome in outcomes.items() if outcome in ("fail", "inconclusive")} == {}


BROKEN: list[tuple[str, Exchange]] = [
    ("sse.content-type", raw(CHUNK, DONE, content_type="application/json")),
    ("sse.content-type", raw(CHUNK, DONE, content_type="text/plain; charset=utf-8")),
    ("sse.content-type", answer({"object": "chat.completion", "choices": []}, asked=ASKED)),
    ("sse.utf8", raw(CHUNK.replace(b"hi", b"\xe9t\xe9"), DONE)),
    ("sse.utf8", raw(CHUNK.replace(b"hi", b"\xf0\x9f"), DONE)),
    ("sse.utf8", raw(CHUNK, DONE, content_type="text/event-stream; charset=latin-1")),
    ("sse.fields", raw(CHUNK.removeprefix(b"data: "), DONE)),
    ("sse.fields", raw(CHUNK, b"[DONE]\n\n")),
    ("sse.fields", raw(b'error: {"message": "no"}\n\n', DONE)),
    ("sse.fields", raw(b" " + CHUNK, DONE)),
    ("sse.fields", raw(b'{"object": "chat.completion"}\n', DONE)),
    ("sse.fields", raw(b"<html>\n\n")),
    ("sse.blank-line", raw(CHUNK[:-1], CHUNK[:-1], DONE)),
    ("sse.blank-line", raw(CHUNK[:-1], DONE)),
    ("sse.json", raw(CHUNK[:-2] + CHUNK.removeprefix(b"data: "), DONE)),
    ("sse.json", raw(b"data: {'choices': None}\n\n", DONE)),
    ("sse.json", raw(b'data: {"logprob": NaN}\n\n', DONE)),
    ("sse.json", raw(CHUNK, b"data: DONE\n\n")),
    ("sse.json", raw(CHUNK, b"data: null\n\n", DONE)),
    ("sse.json", raw(CHUNK, b'data: "hi"\n\n', DONE)),
    ("sse.empty-data", raw(CHUNK, b"data:\n\n", DONE)),
    ("sse.empty-data", raw(CHUNK, b"data: \n\n", DONE)),
    ("sse.unfinished", raw(CHUNK, DONE[:-1])),
    ("sse.unfinished", raw(CHUNK, b"data: [DONE]")),
    ("sse.event-name", raw(b"event: completion\n" + CHUNK, DONE)),
    ("sse.event-name", raw(CHUNK, b"event: done\n" + DONE)),
    ("sse.error-status", raw(b'data: {"error": {"message": "no"}}\n\n', DONE)),
    ("sse.error-status", raw(b'error: {"message": "no"}\n\n')),
    ("sse.error-status", raw(b'event: error\ndata: {"message": "no"}\n\n')),
    ("sse.done", raw(CHUNK, CHUNK)),
    ("sse.done", raw(CHUNK, b"[DONE]\n\n")),
    ("sse.done-once", raw(CHUNK, DONE, DONE)),
    ("sse.done-last", raw(CHUNK, DONE, CHUNK)),
]


@pytest.mark.parametrize(("id", "exchange"), BROKEN)
def test_a_breach_is_found(id: str, exchange: Exchange, clause_of: Callable[[str], Any]) -> None:
    assert outcome_of(clause_of(id), exchange) == "fail"


@pytest.mark.parametrize("id", sorted({id for id, _ in BROKEN}))
def test_a_good_stream_keeps_each_clause(id: str, clause_of: Callable[[str], Any]) -> None:
    assert outcome_of(clause_of(id), GOOD) == "pass"


@pytest.mark.parametrize(
    ("broken", "untouched"),
    [
        (raw(CHUNK[:-1], DONE), ["sse.json", "sse.done", "sse.fields", "sse.unfinished"]),
        (raw(CHUNK, DONE, DONE), ["sse.done", "sse.done-last"]),
        (raw(CHUNK, DONE, CHUNK), ["sse.done", "sse.done-once"]),
        (raw(CHUNK, b"data:\n\n", DONE), ["sse.json", "sse.fields"]),
        (raw(CHUNK, b'data: {"error": {"message": "late"}}\n\n', DONE), ["sse.error-status", "sse.json"]),
    ],
)
def test_one_slip_is_one_finding(broken: Exchange, untouched: list[str], clause_of: Callable[[str], Any]) -> None:
    assert {id: outcome_of(clause_of(id), broken) for id in untouched} == dict.fromkeys(untouched, "pass")


def test_a_finding_names_the_event(clause_of: Callable[[str], Any]) -> None:
    (finding,) = verdict_of(clause_of("sse.empty-data"), raw(CHUNK, CHUNK, b"data:\n\n", DONE)).findings
    assert (finding.where.event, finding.got) == (2, "empty data")
    (finding,) = verdict_of(clause_of("sse.utf8"), raw(CHUNK, CHUNK.replace(b"hi", b"\xff"), DONE)).findings
    assert finding.where.event == 1


def test_only_the_type_is_blamed_when_a_stream_was_ignored(contract: Callable[[str], ModuleType]) -> None:
    ignored = answer({"object": "chat.completion", "choices": []}, asked=ASKED)
    clauses = clauses_of(contract("sse"), contract("sse_pace"))
    assert [one.clause.id for one in clauses if outcome_of(one, ignored) == "fail"] == ["sse.content-type"]


def test_a_stream_broken_off_by_an_error_need_not_end_with_done(clause_of: Callable[[str], Any]) -> None:
    assert outcome_of(clause_of("sse.done"), raw(CHUNK, b'data: {"error": {"message": "late"}}\n\n')) == "inconclusive"


def test_other_operations_need_no_done_and_may_name_events(clause_of: Callable[[str], Any]) -> None:
    other = raw(b'event: response.created\ndata: {"type": "response.created"}\n\n', operation="createResponse")
    for id in ("sse.done", "sse.event-name"):
        assert outcome_of(clause_of(id), other) == "not-applicable"
    assert outcome_of(clause_of("sse.fields"), other) == "pass"
