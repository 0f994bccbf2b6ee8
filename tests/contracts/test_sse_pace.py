"""The pace of streams: each clause with streams that keep it and the nearest that break it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from made import SSE_HEADERS, clauses_of, outcome_of, stream, verdict_of

from wireproof.clause import Exchange


@pytest.fixture(scope="session")
def clause_of(contract: Callable[[str], ModuleType]) -> Callable[[str], Any]:
    by_id = {one.clause.id: one for one in clauses_of(contract("sse_pace"))}
    return by_id.__getitem__


def said(text: str, index: int = 0, **more: Any) -> dict[str, Any]:
    return {"id": "c", "choices": [{"index": index, "delta": {"content": text}, "finish_reason": None}], **more}


@pytest.mark.parametrize(
    "chunks",
    [
        [said("1 2 3 4 5 6 7 8 9 10 " * 6)],
        [said("word " * 24), {"choices": [], "usage": {"completion_tokens": 24}}],
    ],
)
def test_a_long_text_in_one_delta_is_no_stream(chunks: list[Any], clause_of: Callable[[str], Any]) -> None:
    assert outcome_of(clause_of("sse.pieces"), stream(chunks)) == "fail"


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


END: dict[str, Any] = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


def test_a_stream_ends_when_the_answer_does(clause_of: Callable[[str], Any]) -> None:
    clause = clause_of("sse.ends-promptly")
    assert outcome_of(clause, stream([said("a"), END])) == "pass"
    assert outcome_of(clause, stream([said("a"), said("b"), END], first_s=30.0)) == "pass"  # thinking is no delay
    assert outcome_of(clause, stream([said("a"), END], gap_s=12.0)) == "fail"
    assert outcome_of(clause, replace(stream([said("a"), END]), ended_at_s=20.0)) == "fail"
    assert outcome_of(clause, replace(stream([said("a"), END]), ended_at_s=2.0)) == "pass"
    assert outcome_of(clause, stream([said("a")], gap_s=12.0)) == "not-applicable"
    late = [{**END, "choices": [{**END["choices"][0], "index": n}]} for n in range(3)]
    assert outcome_of(clause, stream([said("a"), *late], gap_s=4.0)) == "pass"  # choices end one after another


def test_a_response_ends_with_its_terminal_event(clause_of: Callable[[str], Any]) -> None:
    events = [{"type": "response.created"}, {"type": "response.completed"}]
    for held_s, outcome in ((1.0, "pass"), (9.0, "fail")):
        one = replace(stream(events, operation="createResponse", done=False), ended_at_s=held_s)
        assert outcome_of(clause_of("sse.ends-promptly"), one) == outcome
