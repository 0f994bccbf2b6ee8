"""The byte layer of streams: each clause with an exchange that keeps it and the nearest that breaks it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import pytest
from made import SSE_HEADERS, answer, outcome_of, stream, verdict_of

from wireproof.clause import Exchange

ASKED = {"stream": True}
CHUNK = b'data: {"id": "c", "choices": [{"index": 0, "delta": {"content": "hi"}}]}\n\n'
DONE = b"data: [DONE]\n\n"


def raw(*parts: bytes, content_type: str = "text/event-stream", operation: str = "createChatCompletion") -> Exchange:
    return stream(parts, done=False, headers=(("content-type", content_type),), operation=operation)


def said(text: str, index: int = 0, **more: Any) -> dict[str, Any]:
    return {"id": "c", "choices": [{"index": index, "delta": {"content": text}, "finish_reason": None}], **more}


@pytest.fixture(scope="session")
def clause_of(contract: Callable[[str], ModuleType]) -> Callable[[str], Any]:
    by_id = {one.clause.id: one for one in vars(contract("sse")).values() if hasattr(one, "clause")}
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
    clauses = [one for one in vars(contract("sse")).values() if hasattr(one, "clause")]
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
    ("sse.pieces", stream([said("1 2 3 4 5 6 7 8 9 10 " * 6)])),
    ("sse.pieces", stream([said("word " * 24), {"choices": [], "usage": {"completion_tokens": 24}}])),
]


@pytest.mark.parametrize(("id", "exchange"), BROKEN)
def test_a_breach_is_found(id: str, exchange: Exchange, clause_of: Callable[[str], Any]) -> None:
    assert outcome_of(clause_of(id), exchange) == "fail"


@pytest.mark.parametrize("id", sorted({id for id, _ in BROKEN} - {"sse.pieces"}))
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
    clauses = [one for one in vars(contract("sse")).values() if hasattr(one, "clause")]
    assert [one.clause.id for one in clauses if outcome_of(one, ignored) == "fail"] == ["sse.content-type"]


def test_a_stream_broken_off_by_an_error_need_not_end_with_done(clause_of: Callable[[str], Any]) -> None:
    assert outcome_of(clause_of("sse.done"), raw(CHUNK, b'data: {"error": {"message": "late"}}\n\n')) == "inconclusive"


def test_other_operations_need_no_done_and_may_name_events(clause_of: Callable[[str], Any]) -> None:
    other = raw(b'event: response.created\ndata: {"type": "response.created"}\n\n', operation="createResponse")
    for id in ("sse.done", "sse.event-name"):
        assert outcome_of(clause_of(id), other) == "not-applicable"
    assert outcome_of(clause_of("sse.fields"), other) == "pass"


# ---- pace


def paced(probe: str, pieces: int, wait_s: float, gap_s: float, **asked: Any) -> Exchange:
    return stream([said(f"{n} ") for n in range(pieces)], probe=probe, first_s=wait_s, gap_s=gap_s, asked=asked)


def outcome_of_pace(clause_of: Callable[[str], Any], exchanges: Sequence[Exchange]) -> str:
    return outcome_of(clause_of("sse.incremental"), *exchanges)


def test_a_wait_that_grows_with_the_answer_before_a_burst_is_no_stream(clause_of: Callable[[str], Any]) -> None:
    held = [paced("cut", 2, 0.12, 0), paced("a", 24, 0.4, 0), paced("b", 20, 0.35, 0), paced("long", 64, 0.9, 0.0001)]
    verdict = verdict_of(clause_of("sse.incremental"), *held)
    assert verdict.outcome == "fail"
    assert verdict.findings[0].where.exchange == "long"


def test_chunks_spread_over_time_are_a_stream(clause_of: Callable[[str], Any]) -> None:
    assert outcome_of_pace(clause_of, [paced("cut", 2, 0.1, 0.02), paced("long", 64, 0.1, 0.02)]) == "pass"


@pytest.mark.parametrize(
    "fast",
    [
        # a fast backend behind a slow queue: the wait does not grow with the answer
        [paced("cut", 2, 0.3, 0), paced("a", 24, 0.3, 0), paced("b", 24, 0.32, 0), paced("long", 64, 0.31, 0.0001)],
        # one slow answer proves nothing
        [paced("cut", 2, 0.02, 0), paced("long", 64, 0.3, 0.0001)],
        # a local toy: everything within milliseconds
        [paced("cut", 2, 0.003, 0), paced("a", 24, 0.004, 0), paced("b", 24, 0.01, 0), paced("long", 64, 0.02, 0)],
        # nothing short to compare with
        [paced("a", 24, 0.4, 0), paced("b", 24, 0.4, 0), paced("long", 64, 0.9, 0)],
        # nothing long
        [paced("cut", 2, 0.4, 0), paced("a", 5, 0.9, 0)],
    ],
)
def test_speed_is_no_breach(fast: list[Exchange], clause_of: Callable[[str], Any]) -> None:
    assert outcome_of_pace(clause_of, fast) == "not-applicable"


def test_a_short_text_may_come_in_one_delta(clause_of: Callable[[str], Any]) -> None:
    short = stream([said("Hello there, friend!"), {"choices": [], "usage": {"completion_tokens": 5}}])
    assert outcome_of(clause_of("sse.pieces"), short) == "not-applicable"


def test_a_server_may_hold_text_back_that_could_be_a_call(clause_of: Callable[[str], Any]) -> None:
    held = stream([said("word " * 24)], asked={"tools": [{"type": "function", "function": {"name": "f"}}]})
    assert outcome_of(clause_of("sse.pieces"), held) == "not-applicable"


def test_few_characters_of_many_thoughts_may_come_in_one_delta(clause_of: Callable[[str], Any]) -> None:
    thought = stream([said("Hi."), {"choices": [], "usage": {"completion_tokens": 64}}])
    assert outcome_of(clause_of("sse.pieces"), thought) == "not-applicable"


def test_each_choice_may_have_its_own_pieces(clause_of: Callable[[str], Any]) -> None:
    pieces = [said("word " * 15, index) for _ in range(2) for index in (0, 1)]
    assert outcome_of(clause_of("sse.pieces"), stream(pieces, headers=SSE_HEADERS)) == "pass"
