"""Clauses about the text of chat: the exchange that keeps each, and the nearest one that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from made import clauses_of, outcome_of, stream, verdict_of
from made_chat import choice, said

from wireproof.clause import Exchange
from wireproof.judge import judge


@pytest.fixture(scope="module")
def texts(contract: Callable[[str], ModuleType]) -> ModuleType:
    return contract("chat_text")


def told(*pieces: str, finish: str = "stop", **asked: Any) -> Exchange:
    deltas: list[tuple[Any, Any]] = [({"role": "assistant"}, None), *(({"content": one}, None) for one in pieces)]
    events = [
        {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
        for delta, reason in [*deltas, ({}, finish)]
    ]
    return stream(events, asked=asked)


PLAIN = said()
PAIRS: dict[str, tuple[str, Exchange, Exchange]] = {
    "text lost": ("text_is_not_lost", PLAIN, said(choice(None))),
    "thoughts": ("content_is_the_answer_only", PLAIN, said(choice("<think>\nHm.</think>\n\nHello"))),
    "half a thought": ("content_is_the_answer_only", said(choice("I think so")), said(choice("Hm.</think>Hi"))),
    "template": ("content_is_the_answer_only", said(choice("a <b> | c")), said(choice("Hi<|eot_id|>"))),
    "streamed in pieces": ("content_is_the_answer_only", told("Hi", " there"), told("<th", "ink>", "Hm")),
    "end of sequence": ("content_is_the_answer_only", said(choice("not <s>old</s> new")), said(choice("Hello</s>"))),
    "DeepSeek's mark": ("content_is_the_answer_only", PLAIN, said(choice("Hi<｜end▁of▁sentence｜>"))),
    "a channel": ("content_is_the_answer_only", said(choice("analysis of")), said(choice("analysisWe need to greet."))),
    "a final channel": ("content_is_the_answer_only", PLAIN, said(choice("We greet.assistantfinalHello"))),
    "an emoji in halves": ("characters_come_whole", told("👋", "🏽 hi"), told("\ufffd", "\ufffd", " hi")),
    "half a character in one piece": ("characters_come_whole", said(choice("naïve")), said(choice("na\ufffdve"))),
}


@pytest.mark.parametrize("case", PAIRS)
def test_a_clause_tells_kept_from_broken(texts: ModuleType, case: str) -> None:
    name, kept, broken = PAIRS[case]
    assert outcome_of(getattr(texts, name), kept) == "pass"
    assert outcome_of(getattr(texts, name), broken) == "fail"


def test_every_clause_has_a_pair(texts: ModuleType) -> None:
    assert {function.__name__ for function in clauses_of(texts)} == {name for name, _, _ in PAIRS.values()}


def test_a_model_that_repeats_marks_of_the_question_leaks_nothing(texts: ModuleType) -> None:
    asked = {"messages": [{"role": "user", "content": "What does <think> mean?"}]}
    assert outcome_of(texts.content_is_the_answer_only, said(choice("<think> opens a block"), ask=asked)) == "pass"


def test_a_call_that_the_limit_cut_may_show_the_marks_of_its_template(texts: ModuleType) -> None:
    asked = {"tool_choice": "required", "messages": [{"role": "user", "content": "What is it like in Paris?"}]}
    clause = texts.content_is_the_answer_only
    assert outcome_of(clause, said(choice("<|call|>{", "length"), ask=asked)) == "pass"
    assert outcome_of(clause, said(choice("<|call|>{}", "stop"), ask=asked)) == "fail"
    assert outcome_of(clause, said(choice("<|call|>{", "length"))) == "fail"


def test_a_character_that_the_limit_cut_in_two_is_no_finding(texts: ModuleType) -> None:
    clause = texts.characters_come_whole
    assert outcome_of(clause, said(choice("Hello \ufffd", "length"))) == "pass"
    assert outcome_of(clause, told("Hello ", "\ufffd", "\ufffd", finish="length")) == "pass"


def test_a_replacement_character_that_was_asked_for_is_no_finding(texts: ModuleType) -> None:
    asked = {"messages": [{"role": "user", "content": "Say \ufffd twice."}]}
    exchange = said(choice("\ufffd\ufffd indeed"), ask={"messages": asked["messages"]})
    assert outcome_of(texts.characters_come_whole, exchange) == "not-applicable"


def test_a_model_without_words_writes_halves_of_characters_itself(texts: ModuleType) -> None:
    def asked(*contents: str) -> list[Exchange]:
        return [said(choice("na\ufffdve"), ask={"messages": [{"role": "user", "content": one}]}) for one in contents]

    def outcome(*contents: str) -> str:
        return judge([texts.characters_come_whole.clause], asked(*contents))[0].outcome

    assert outcome("Count from 1 to 50.") == "not-applicable"
    assert outcome("Repeat: naïve", "Count from 1 to 50.") == "not-applicable"
    assert outcome("Say hello.", "Name a river.", "What is it like outside?") == "not-applicable"
    assert outcome("Say hello.", "Repeat: naïve", "Say hello.") == "fail"


@pytest.mark.parametrize(
    "value", [None, [], {"choices": None}, {"choices": [None, 4, {}]}, {"choices": [{"delta": 3}]}]
)
def test_malformed_answers_crash_no_clause(texts: ModuleType, value: Any) -> None:
    for one in (said(choices=value), stream([value, b"data: {\n\n"])):
        reasons = [verdict_of(clause, one).reason for clause in clauses_of(texts)]
        assert not [reason for reason in reasons if "the clause itself failed" in reason]
