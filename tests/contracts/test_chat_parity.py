"""Streamed chat against plain chat: each clause with answers that agree and the nearest that do not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import pytest
from made import JSON_HEADERS, SSE_HEADERS, answer, outcome_of, stream, verdict_of

from wireproof.clause import Exchange

COUNTS = {
    "prompt_tokens": 12,
    "completion_tokens": 4,
    "total_tokens": 16,
    "prompt_tokens_details": {"cached_tokens": 0},
}
PIECES = ("Hello", " there", ", friend", "!")
LIMITS = (("x-ratelimit-limit-requests", "60"), ("x-ratelimit-remaining-requests", "59"))


def plain(
    text: str | None = "".join(PIECES),
    *,
    probe: str = "chat.plain",
    finish: str = "stop",
    usage: dict[str, Any] | None = COUNTS,
    headers: Sequence[tuple[str, str]] = (*JSON_HEADERS, *LIMITS),
    **message: Any,
) -> Exchange:
    said = {"role": "assistant", "content": text, "refusal": None, **message}
    choice = {"index": 0, "message": said, "finish_reason": finish, "logprobs": None}
    return answer({"model": "gpt-4.1-mini", "choices": [choice], "usage": usage}, probe=probe, headers=headers)


def told(
    *pieces: str,
    finish: str = "stop",
    usage: dict[str, Any] | None = COUNTS,
    model: str = "gpt-4.1-mini",
    headers: Sequence[tuple[str, str]] = (*SSE_HEADERS, *LIMITS),
    name: str = "content",
) -> Exchange:
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}, *({name: piece} for piece in pieces)]
    events: list[Any] = [
        {"model": model, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas
    ]
    events.append({"model": model, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    events.append({"model": model, "choices": [], "usage": usage})
    return stream(events, probe="chat.stream", headers=headers)


AGAIN = plain(probe="chat.plain-again")
COLD = {**COUNTS, "prompt_tokens": 15, "total_tokens": 19}
FEWER = {**COUNTS, "completion_tokens": 3, "total_tokens": 15}
BARE = {"prompt_tokens": 12, "completion_tokens": 4, "total_tokens": 16}


@pytest.fixture(scope="session")
def clause_of(contract: Callable[[str], ModuleType]) -> Callable[[str], Any]:
    clauses = {one.clause.id: one for one in vars(contract("chat_parity")).values() if hasattr(one, "clause")}
    return lambda id: clauses[f"chat.parity.{id}"]


BROKEN: list[tuple[str, Exchange]] = [
    ("prompt-tokens", told(*PIECES, usage=COLD)),
    ("model", told(*PIECES, model="gpt-4.1-mini-2025-04-14")),
    ("headers", told(*PIECES, headers=SSE_HEADERS)),
    ("headers", told(*PIECES, headers=(SSE_HEADERS[0], *LIMITS))),
    ("nothing-lost", told(*PIECES[1:])),
    ("nothing-lost", told(*PIECES[:-1])),
    ("nothing-lost", told()),
    ("text", told(PIECES[0], *PIECES[2:])),
    ("text", told(*PIECES, "!")),
    ("finish", told(*PIECES, finish="length")),
    ("completion-tokens", told(*PIECES, usage=FEWER)),
    ("kinds", told(*PIECES, name="refusal")),
    ("kinds", told(*PIECES, name="reasoning_content")),
]
IDS = sorted({id for id, _ in BROKEN})


@pytest.mark.parametrize(("id", "streamed"), BROKEN)
def test_a_breach_is_found(id: str, streamed: Exchange, clause_of: Callable[[str], Any]) -> None:
    assert outcome_of(clause_of(id), plain(), AGAIN, streamed) == "fail"


def test_what_lacks_at_an_end_is_one_finding(clause_of: Callable[[str], Any]) -> None:
    for pieces in (PIECES[1:], PIECES[:-1], ()):
        assert outcome_of(clause_of("text"), plain(), AGAIN, told(*pieces)) == "not-applicable"


@pytest.mark.parametrize("id", IDS)
def test_answers_that_agree_keep_each_clause(id: str, clause_of: Callable[[str], Any]) -> None:
    assert outcome_of(clause_of(id), plain(), AGAIN, told(*PIECES)) == "pass"
    assert outcome_of(clause_of(id), plain(), AGAIN, told("".join(PIECES))) == "pass"


@pytest.mark.parametrize("id", ["nothing-lost", "text", "finish", "completion-tokens", "kinds"])
def test_a_server_that_does_not_repeat_itself_is_not_compared(id: str, clause_of: Callable[[str], Any]) -> None:
    other = plain("Good day to you", probe="chat.plain-again")
    assert outcome_of(clause_of(id), plain(), other, told("Hi")) == "not-applicable"


@pytest.mark.parametrize("id", ["finish", "completion-tokens"])
def test_another_text_may_end_and_cost_otherwise(id: str, clause_of: Callable[[str], Any]) -> None:
    other = told("Hi", finish="length", usage=FEWER)
    assert outcome_of(clause_of(id), plain(), AGAIN, other) == "not-applicable"


def test_counts_that_vary_among_plain_answers_are_not_compared(clause_of: Callable[[str], Any]) -> None:
    other = plain(probe="chat.plain-again", usage=FEWER)
    assert outcome_of(clause_of("completion-tokens"), plain(), other, told(*PIECES, usage=FEWER)) == "not-applicable"


def test_blanks_at_the_edge_are_no_lost_words(clause_of: Callable[[str], Any]) -> None:
    assert (
        outcome_of(clause_of("nothing-lost"), plain(" Hi. "), plain(" Hi. ", probe="chat.plain-again"), told("Hi."))
        == "pass"
    )


def test_half_a_character_at_the_cap_may_be_shown_or_not(clause_of: Callable[[str], Any]) -> None:
    one, other = plain("naïve \ufffd"), plain("naïve \ufffd", probe="chat.plain-again")
    assert outcome_of(clause_of("text"), one, other, told("naïve ")) == "pass"


@pytest.mark.parametrize("id", ["nothing-lost", "text", "kinds"])
def test_answers_without_text_are_not_compared(id: str, clause_of: Callable[[str], Any]) -> None:
    empty = plain("", finish="length"), plain("", finish="length", probe="chat.plain-again")
    assert outcome_of(clause_of(id), *empty, told(finish="length")) == "not-applicable"


def test_headers_that_plain_answers_lack_are_not_asked_of_streams(clause_of: Callable[[str], Any]) -> None:
    bare = plain(headers=JSON_HEADERS[:1])
    assert outcome_of(clause_of("headers"), bare, told(*PIECES, headers=SSE_HEADERS[:1])) == "not-applicable"


@pytest.mark.parametrize("id", ["prompt-tokens", "completion-tokens"])
def test_usage_that_is_missing_is_no_finding_here(id: str, clause_of: Callable[[str], Any]) -> None:
    assert outcome_of(clause_of(id), plain(), AGAIN, told(*PIECES, usage=None)) == "inconclusive"


@pytest.mark.parametrize("id", [*IDS[:1], "text", "finish"])
def test_broken_streams_are_not_compared(id: str, clause_of: Callable[[str], Any]) -> None:
    broken = stream([{"choices": [{"index": 0, "delta": {}}]}, {"error": {"message": "late"}}], probe="chat.stream")
    garbled = stream([b"data: {half\n\n"], probe="chat.stream")
    assert outcome_of(clause_of(id), plain(), AGAIN, broken) == "inconclusive"
    assert outcome_of(clause_of(id), plain(), AGAIN, garbled) == "inconclusive"


def test_a_finding_quotes_what_is_lost(clause_of: Callable[[str], Any]) -> None:
    (finding,) = verdict_of(clause_of("nothing-lost"), plain(), AGAIN, told(*PIECES[1:])).findings
    assert finding.got == '" there, friend!": "Hello" is lost'
    assert finding.where.exchange == "chat.stream"


def test_the_three_requests_differ_in_streaming_alone(contract: Callable[[str], ModuleType]) -> None:
    bodies = {one.id: one.first.body for stem in ("chat", "chat_stream") for one in contract(stem).PROBES}
    assert bodies["chat.plain"] == bodies["chat.plain-again"]
    assert bodies["chat.stream"] == {
        **bodies["chat.plain"], "stream": True, "stream_options": {"include_usage": True},
    }  # fmt: skip
