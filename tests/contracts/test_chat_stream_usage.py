"""The usage of streamed chat: each clause with a stream that keeps it and the nearest that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from made import outcome_of, stream, verdict_of

from wireproof.clause import Exchange

Event = dict[str, Any]
BASE = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_760_000_000, "model": "gpt-4.1-mini"}
COUNTS = {"prompt_tokens": 12, "completion_tokens": 2, "total_tokens": 14}
ASKED = {"stream_options": {"include_usage": True}}


def said(delta: Event, finish: str | None = None, **more: Any) -> Event:
    return {**BASE, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more}


def usage(**counts: Any) -> Event:
    return {**BASE, "choices": [], "usage": {**COUNTS, **counts}}


TEXT = [said({"role": "assistant", "content": "Hello"}), said({"content": " there"})]
FINISH = said({}, "stop")
DETAILS = {"prompt_tokens_details": {"cached_tokens": 8}, "completion_tokens_details": {"reasoning_tokens": 1}}


def told(*events: Event, **asked: Any) -> Exchange:
    return stream(events, asked={**ASKED, **asked})


@pytest.fixture(scope="session")
def clause_of(contract: Callable[[str], ModuleType]) -> Callable[[str], Any]:
    clauses = {one.clause.id: one for one in vars(contract("chat_stream_usage")).values() if hasattr(one, "clause")}
    return lambda id: clauses[f"chat.stream.{id}"]


LEGAL = {
    "plain": told(*TEXT, FINISH, usage()),
    "usage null elsewhere": told(*({**one, "usage": None} for one in (*TEXT, FINISH)), usage()),
    "details": told(*TEXT, FINISH, usage(**DETAILS)),
    "details null": told(*TEXT, FINISH, usage(prompt_tokens_details=None, completion_tokens_details=None)),
    "a report after the usage": told(*TEXT, FINISH, usage(), {**BASE, "choices": []}),
    "not asked": stream([*TEXT, FINISH]),
    "not asked, null": stream([{**one, "usage": None} for one in (*TEXT, FINISH)]),
    "declined": stream([*TEXT, FINISH], asked={"stream_options": {"include_usage": False}}),
    "nothing said": told(FINISH, usage(completion_tokens=0, total_tokens=12)),
    "the cap reached": told(*TEXT, said({}, "length"), usage(), max_tokens=2),
    "more tokens than deltas": told(*TEXT, FINISH, usage(completion_tokens=4, total_tokens=16), max_tokens=4),
    "stopped by itself at the cap": told(*TEXT, FINISH, usage(), max_tokens=2),
    "stopped by a word at the cap": told(*TEXT, FINISH, usage(), max_tokens=2, stop=["!"]),
    "capped by the newer name": told(*TEXT, said({}, "length"), usage(), max_completion_tokens=2),
    "a call at the cap": told(
        said({"role": "assistant", "tool_calls": [{"index": 0}]}), said({"tool_calls": [{"index": 0}]}),
        said({}, "tool_calls"), usage(), max_tokens=2,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LEGAL)
def test_legal_variations_raise_no_finding(name: str, contract: Callable[[str], ModuleType]) -> None:
    clauses = [one for one in vars(contract("chat_stream_usage")).values() if hasattr(one, "clause")]
    assert [one.clause.id for one in clauses if outcome_of(one, LEGAL[name]) == "fail"] == []


BROKEN: list[tuple[str, Exchange]] = [
    ("usage", told(*TEXT, FINISH)),
    ("usage", told(*TEXT, FINISH, {**usage(), "usage": None})),
    ("usage", told(*TEXT, {**FINISH, "usage": COUNTS})),
    ("usage", told(*TEXT, FINISH, said({}, usage=COUNTS))),
    ("usage-once", told(*({**one, "usage": COUNTS} for one in TEXT), FINISH, usage())),
    ("usage-once", told(*TEXT, FINISH, usage(), usage())),
    ("usage-last", told(usage(), *TEXT, FINISH)),
    ("usage-last", told(*TEXT, usage(), FINISH)),
    ("usage-unasked", stream([*TEXT, FINISH, usage()])),
    ("usage-unasked", stream([*TEXT, {**FINISH, "usage": COUNTS}])),
    ("usage-unasked", stream([*TEXT, FINISH, usage()], asked={"stream_options": {"include_usage": False}})),
    ("usage-sum", told(*TEXT, FINISH, usage(total_tokens=2))),
    ("usage-details", told(*TEXT, FINISH, usage(prompt_tokens_details={"cached_tokens": 13}))),
    ("usage-details", told(*TEXT, FINISH, usage(completion_tokens_details={"reasoning_tokens": 3}))),
    ("usage-details", told(*TEXT, FINISH, usage(prompt_tokens_details={"cached_tokens": -1}))),
    ("usage-counts", told(*TEXT, FINISH, usage(prompt_tokens=0, total_tokens=2))),
    ("usage-counts", told(*TEXT, FINISH, usage(completion_tokens=0, total_tokens=12))),
    ("usage-counts", told(*TEXT, FINISH, usage(completion_tokens=9, total_tokens=21), max_tokens=8)),
]  # fmt: skip


@pytest.mark.parametrize(("id", "exchange"), BROKEN)
def test_a_breach_is_found(id: str, exchange: Exchange, clause_of: Callable[[str], Any]) -> None:
    assert outcome_of(clause_of(id), exchange) == "fail"


KEPT = {"usage-unasked": LEGAL["not asked"], "usage-details": LEGAL["details"], "length": LEGAL["the cap reached"]}


@pytest.mark.parametrize("id", sorted({id for id, _ in BROKEN}))
def test_a_good_stream_keeps_each_clause(id: str, clause_of: Callable[[str], Any]) -> None:
    assert outcome_of(clause_of(id), KEPT.get(id, LEGAL["plain"])) == "pass"


@pytest.mark.parametrize("id", ["usage-once", "usage-last", "usage-sum", "usage-counts"])
def test_usage_that_did_not_come_is_one_finding_only(id: str, clause_of: Callable[[str], Any]) -> None:
    assert outcome_of(clause_of(id), told(*TEXT, FINISH)) == "inconclusive"


def test_an_interrupted_stream_owes_no_usage(clause_of: Callable[[str], Any]) -> None:
    assert outcome_of(clause_of("usage"), told(*TEXT, {"error": {"message": "Overloaded."}})) == "inconclusive"


def test_a_finding_names_the_event(clause_of: Callable[[str], Any]) -> None:
    (finding,) = verdict_of(clause_of("usage-last"), told(*TEXT, usage(), FINISH)).findings
    assert (finding.where.event, finding.got) == (3, 'finish_reason "stop"')


def test_n_choices_may_use_the_cap_n_times(clause_of: Callable[[str], Any]) -> None:
    both = told(*TEXT, FINISH, usage(completion_tokens=16, total_tokens=28), max_tokens=8, n=2)
    assert outcome_of(clause_of("usage-counts"), both) == "pass"


@pytest.mark.parametrize("cap", ["max_tokens", "max_completion_tokens"])
def test_a_stream_that_was_cut_says_so(cap: str, clause_of: Callable[[str], Any]) -> None:
    whole = told(*TEXT, said({"content": "!"}), FINISH, usage(completion_tokens=3, total_tokens=15), max_tokens=50)
    kept, broken = (told(*TEXT, end, usage(), **{cap: 2}) for end in (said({}, "length"), FINISH))
    assert outcome_of(clause_of("length"), whole, kept) == "pass"
    assert outcome_of(clause_of("length"), whole, broken) == "fail"
    assert outcome_of(clause_of("length"), broken) == "not-applicable"


def test_without_usage_nobody_knows_whether_the_cap_was_reached(clause_of: Callable[[str], Any]) -> None:
    assert outcome_of(clause_of("length"), stream([*TEXT, FINISH], asked={"max_tokens": 2})) == "not-applicable"


def test_a_cap_that_was_ignored_is_one_finding(clause_of: Callable[[str], Any]) -> None:
    ignored = told(*TEXT, FINISH, usage(completion_tokens=8, total_tokens=20), max_tokens=2)
    assert {id: outcome_of(clause_of(id), ignored) for id in ("usage-counts", "length")} == {
        "usage-counts": "fail",
        "length": "not-applicable",
    }
