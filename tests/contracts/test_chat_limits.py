"""Clauses about where an answer of chat ends: the exchange that keeps each, and the nearest that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from made import clauses_of, outcome_of, stream, verdict_of
from made_chat import WHOLE, choice, plain, said, without

from wireproof.clause import Exchange


@pytest.fixture(scope="module")
def limits(contract: Callable[[str], ModuleType]) -> ModuleType:
    return contract("chat_limits")


def capped(text: Any, finish: Any, completion: int = 2, name: str = "max_tokens") -> Exchange:
    probe = "chat.cap" if name == "max_tokens" else "chat.cap-completion"
    return said(choice(text, finish), probe=probe, ask={name: 2}, completion=completion)


def stopped(text: str, finish: Any = "stop", stop: Any = "m") -> Exchange:
    return said(choice(text, finish), probe="chat.stop", ask={"max_tokens": 24, "stop": stop}, completion=3)


def streamed(*pieces: str, finish: str = "stop", stop: Any = ", ") -> Exchange:
    deltas: list[tuple[Any, Any]] = [*(({"content": one}, None) for one in pieces), ({}, finish)]
    events = [{"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]} for delta, reason in deltas]
    return stream(events, asked={"max_tokens": 24, "stop": stop}, probe="chat.recovers")


CUT = "Hello there, "  # what is left of WHOLE before "m"
PLAIN = said()
FINISHES = ("stop", "length", "tool_calls", "content_filter", "function_call")

Pair = tuple[str, list[Exchange], list[Exchange]]
PAIRS: dict[str, Pair] = {
    "capitals": ("finish_reason_is_known", [PLAIN], [said(choice(finish="STOP"))]),
    "null reason": ("finish_reason_is_known", [PLAIN], [said(choice(finish=None))]),
    "eos": ("finish_reason_is_known", [PLAIN], [said(choice(finish="eos"))]),
    "no reason": ("finish_reason_is_known", [PLAIN], [said(without("finish_reason", choice()))]),
    "cut but stop": (
        "cut_text_says_length",
        [plain(), capped("Hello there", "length")],
        [plain(), capped("Hello there", "stop")],
    ),
    "all reasoned away": (
        "cut_text_says_length",
        [plain(), capped("", "length")],
        [plain(), capped("", "stop", name="max_completion_tokens")],
    ),
    "uncut": ("cap_takes_effect", [plain(), capped("Hello there", "length")], [plain(), capped(WHOLE, "length")]),
    "length too soon": (
        "length_means_the_cap",
        [said(choice(finish="length"), completion=24, ask={"max_tokens": 24})],
        [said(choice(finish="length"), completion=6, ask={"max_tokens": 24})],
    ),
    "one too many": (
        "max_tokens_is_a_limit",
        [said(completion=6, ask={"max_tokens": 6})],
        [said(completion=7, ask={"max_tokens": 6})],
    ),
    "too many for two": (
        "max_tokens_is_a_limit",
        [said(choice(), choice(index=1), completion=12, ask={"max_tokens": 6, "n": 2})],
        [said(choice(), choice(index=1), completion=13, ask={"max_tokens": 6, "n": 2})],
    ),
    "over the newer limit": (
        "max_completion_tokens_is_a_limit",
        [said(completion=6, ask={"max_completion_tokens": 6})],
        [said(completion=7, ask={"max_completion_tokens": 6})],
    ),
    "stop in the text": ("stop_never_appears", [stopped(CUT)], [stopped(WHOLE)]),
    "stop at the end": ("stop_never_appears", [stopped("Hello there, ")], [stopped("Hello there, m")]),
    "second stop in the text": (
        "stop_never_appears",
        [stopped(CUT, stop=["#", "m"])],
        [stopped(WHOLE, stop=["#", "m"])],
    ),
    "stopped but length": ("stop_ends_with_stop", [plain(), stopped(CUT)], [plain(), stopped(CUT, "length")]),
    "word lost": (
        "stop_loses_nothing",
        [plain(), plain(), stopped("Hello there,")],
        [plain(), plain(), stopped("Hello")],
    ),
    "stop in a stream": ("stop_never_appears", [streamed("Hel", "lo the")], [streamed("Hello there", ", my")]),
    "stream stopped but length": (
        "stop_ends_with_stop",
        [plain(), streamed("Hello there", finish="stop")],
        [plain(), streamed("Hello there", finish="length")],
    ),
    "half a stop sent": (
        "stop_loses_nothing",
        [plain(), plain(), streamed("Hello ", "there")],
        [plain(), plain(), streamed("Hello ", "there", ",")],
    ),
}


@pytest.mark.parametrize(("name", "kept", "broken"), PAIRS.values(), ids=PAIRS)
def test_a_clause_tells_the_kept_from_the_broken(
    limits: ModuleType, name: str, kept: list[Exchange], broken: list[Exchange]
) -> None:
    assert outcome_of(getattr(limits, name), *kept) == "pass"
    assert outcome_of(getattr(limits, name), *broken) == "fail"


def test_every_clause_has_a_pair(limits: ModuleType) -> None:
    paired = {name for name, _, _ in PAIRS.values()}
    assert {function.__name__ for function in clauses_of(limits)} == paired


@pytest.mark.parametrize("finish", FINISHES)
def test_documented_reasons_raise_no_finding(limits: ModuleType, finish: str) -> None:
    assert outcome_of(limits.finish_reason_is_known, said(choice(finish=finish))) == "pass"


def test_a_backend_that_varies_is_not_judged_by_comparison(limits: ModuleType) -> None:
    other = [plain(), capped("Good day", "stop"), stopped("Good day, s", "length")]
    for clause in (limits.cut_text_says_length, limits.stop_ends_with_stop, limits.stop_loses_nothing):
        assert outcome_of(clause, *other) == "not-applicable"


def test_an_answer_that_ends_by_itself_within_the_limit_is_no_cut(limits: ModuleType) -> None:
    short = [plain("Hello!", completion=2), capped("Hello!", "stop")]
    assert outcome_of(limits.cut_text_says_length, *short) == "not-applicable"
    assert outcome_of(limits.cap_takes_effect, *short) == "not-applicable"


def test_reasoning_counts_only_for_the_newer_limit(limits: ModuleType) -> None:
    counts = {"prompt_tokens": 9, "completion_tokens": 30, "total_tokens": 39}
    usage = {**counts, "completion_tokens_details": {"reasoning_tokens": 26}}
    assert outcome_of(limits.max_tokens_is_a_limit, said(usage=usage, ask={"max_tokens": 6})) == "pass"
    newer = said(usage=usage, ask={"max_completion_tokens": 6})
    assert outcome_of(limits.max_completion_tokens_is_a_limit, newer) == "fail"


def test_a_finding_about_one_of_several_exchanges_names_it(limits: ModuleType) -> None:
    finding = verdict_of(limits.stop_ends_with_stop, plain(), stopped(CUT, "length")).findings[0]
    assert str(finding.where) == "chat.stop /choices/0/finish_reason"
