"""Clauses of token counts: the exchange that keeps each, and the nearest one that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from made import answer, clauses_of, outcome_of, stream, verdict_of

from wireproof.clause import Exchange

HELLO = {"messages": [{"role": "user", "content": "Hello"}]}


@pytest.fixture(scope="module")
def usage(contract: Callable[[str], ModuleType]) -> ModuleType:
    return contract("usage")


def counts(prompt: Any = 9, completion: Any = 6, total: Any = 15, **details: Any) -> dict[str, Any]:
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": total, **details}


def chat(
    told: Any,
    texts: tuple[str, ...] = ("Hello there",),
    finish: str = "stop",
    probe: str = "made",
    **ask: Any,
) -> Exchange:
    choices = [
        {"index": at, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
        for at, text in enumerate(texts)
    ]
    body = {"choices": choices} if told is None else {"choices": choices, "usage": told}
    return answer(body, asked={**HELLO, **ask}, probe=probe)


def legacy(
    told: Any, texts: tuple[str, ...] = (" there",), finish: str = "stop", probe: str = "made", **ask: Any
) -> Exchange:
    choices = [{"index": at, "text": text, "finish_reason": finish} for at, text in enumerate(texts)]
    body = {"choices": choices} if told is None else {"choices": choices, "usage": told}
    return answer(body, asked={"prompt": "Hello", **ask}, operation="createCompletion", probe=probe)


PLAIN = chat(counts())
STREAMED = stream([{"choices": [], "usage": counts()}], asked=HELLO, probe="chat.stream-cut")
TWO = ("1, 2", "1, 3")

Pair = tuple[str, list[Exchange], list[Exchange]]
PAIRS: dict[str, Pair] = {
    "none": ("usage_is_there", [PLAIN], [chat(None)]),
    "none in completions": ("usage_is_there", [legacy(counts())], [legacy(None)]),
    "other names": (
        "usage_is_there",
        [chat(counts(cost=0.1, completion_tokens_details=None))],
        [chat({"input_tokens": 9, "output_tokens": 6, "total_tokens": 15})],
    ),
    "text": ("usage_is_there", [PLAIN], [chat(counts(completion="6"))]),
    "fraction": ("usage_is_there", [PLAIN], [chat(counts(prompt=9.0))]),
    "below zero": ("usage_is_there", [PLAIN], [chat(counts(prompt=-1))]),
    "total": ("total_is_the_sum", [PLAIN], [chat(counts(total=16))]),
    "free prompt": ("prompt_is_counted", [PLAIN], [chat(counts(prompt=0, total=6))]),
    "free second prompt": (
        "prompt_is_counted",
        [legacy(counts(prompt=2), prompt=["a", "b"])],
        [legacy(counts(prompt=1), prompt=["a", "b"])],
    ),
    "free text": ("completion_is_counted", [PLAIN], [chat(counts(completion=0))]),
    "cached": (
        "prompt_details_are_parts",
        [chat(counts(prompt_tokens_details={"cached_tokens": 9, "audio_tokens": None}))],
        [chat(counts(prompt_tokens_details={"cached_tokens": 10}))],
    ),
    "reasoning": (
        "completion_details_are_parts",
        [chat(counts(completion_tokens_details={"reasoning_tokens": 6, "vendor_tokens": 99}))],
        [chat(counts(completion_tokens_details={"reasoning_tokens": 7}))],
    ),
    "one of two, both cut": (
        "all_choices_are_counted",
        [chat(counts(completion=10), TWO, "length", n=2, max_tokens=5)],
        [chat(counts(completion=5), TWO, "length", n=2, max_tokens=5)],
    ),
    "one of two": (
        "all_choices_are_counted",
        [chat(counts(completion=2), TWO, n=2)],
        [chat(counts(completion=1), TWO, n=2)],
    ),
    "one of two prompts": (
        "all_choices_are_counted",
        [legacy(counts(completion=6), TWO, "length", prompt=["a", "b"], max_tokens=3)],
        [legacy(counts(completion=3), TWO, "length", prompt=["a", "b"], max_tokens=3)],
    ),
    "drift": (
        "same_prompt_same_count",
        [chat(counts(), probe="chat.plain"), chat(counts(), probe="chat.plain-again")],
        [chat(counts(), probe="chat.plain"), chat(counts(prompt=1), probe="chat.plain-again")],
    ),
    "first prompt only": (
        "all_prompts_are_counted",
        [legacy(counts(), probe="completions.plain"), legacy(counts(prompt=16), probe="completions.batch")],
        [legacy(counts(), probe="completions.plain"), legacy(counts(prompt=9), probe="completions.batch")],
    ),
    "a prompt for each choice": (
        "choices_share_one_prompt",
        [STREAMED, chat(counts(), TWO, probe="chat.n")],
        [STREAMED, chat(counts(prompt=18), TWO, probe="chat.n")],
    ),
}


@pytest.mark.parametrize(("name", "kept", "broken"), PAIRS.values(), ids=PAIRS)
def test_a_clause_tells_the_kept_from_the_broken(
    usage: ModuleType, name: str, kept: list[Exchange], broken: list[Exchange]
) -> None:
    assert outcome_of(getattr(usage, name), *kept) == "pass"
    assert outcome_of(getattr(usage, name), *broken) == "fail"


def test_every_clause_has_a_pair(usage: ModuleType) -> None:
    assert {function.__name__ for function in clauses_of(usage)} == {name for name, _, _ in PAIRS.values()}


@pytest.mark.parametrize("value", [None, 7, [], {"usage": 3}, {"usage": {"prompt_tokens": "x"}, "choices": [1]}])
def test_a_malformed_answer_crashes_no_clause(usage: ModuleType, value: Any) -> None:
    exchanges = [answer(value, asked={**HELLO, "n": 2}, probe=probe) for probe in ("chat.plain", "chat.plain-again")]
    for clause in clauses_of(usage):
        assert "the clause itself failed" not in verdict_of(clause, *exchanges).reason


def test_an_echoed_prompt_alone_costs_no_completion(usage: ModuleType) -> None:
    echoed = legacy(counts(completion=0, total=9), ("Hello",), echo=True, max_tokens=0)
    assert outcome_of(usage.completion_is_counted, echoed) == "not-applicable"


def test_an_answer_without_details_has_none_to_judge(usage: ModuleType) -> None:
    bare = chat(counts(prompt_tokens_details=None))
    assert outcome_of(usage.prompt_details_are_parts, bare) == "not-applicable"
    assert outcome_of(usage.completion_details_are_parts, bare) == "not-applicable"


def test_streams_are_judged_elsewhere(usage: ModuleType) -> None:
    assert outcome_of(usage.usage_is_there, chat(None, stream=True)) == "not-applicable"
