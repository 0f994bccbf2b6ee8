"""Clauses about what steers the choice of tokens: the exchanges that keep each, and the nearest that break it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest
from made import answer, clauses_of, outcome_of
from made_chat import choice, plain, said

from wireproof.clause import Exchange


@pytest.fixture(scope="module")
def sampling(contract: Callable[[str], ModuleType]) -> ModuleType:
    return contract("chat_sampling")


BIAS = {"max_tokens": 4, "logit_bias": {"1000": 100}}


def biased(text: str | None) -> Exchange:
    return said(choice(text, "length"), probe="chat.bias", ask=BIAS, completion=4)


def refused(message: str, code: str | None = None) -> Exchange:
    return answer({"error": {"message": message, "code": code}}, asked=BIAS, status=400, probe="chat.bias")


PAIRS: dict[str, tuple[str, list[Exchange], list[Exchange]]] = {
    "no effect": (
        "a_forced_token_changes_the_answer",
        [plain(), plain(), biased("indowindowindowindow")],
        [plain(), plain(), biased("Hello there, my")],
    ),
    "refused": ("biases_are_accepted", [biased("x")], [refused("Extra inputs are not permitted")]),
}


@pytest.mark.parametrize("case", PAIRS)
def test_a_clause_tells_kept_from_broken(sampling: ModuleType, case: str) -> None:
    name, kept, broken = PAIRS[case]
    assert outcome_of(getattr(sampling, name), *kept) == "pass"
    assert outcome_of(getattr(sampling, name), *broken) == "fail"


def test_every_clause_has_a_pair(sampling: ModuleType) -> None:
    assert {function.__name__ for function in clauses_of(sampling)} == {name for name, _, _ in PAIRS.values()}


@pytest.mark.parametrize(
    ("exchanges", "clause"),
    [
        ([plain(), biased("Hello there")], "a_forced_token_changes_the_answer"),
        ([plain(), plain("Good day"), biased("Hello there")], "a_forced_token_changes_the_answer"),
        ([plain(), plain(), biased("")], "a_forced_token_changes_the_answer"),
        ([plain(), plain(), said(choice("Hello"), probe="chat.bias")], "a_forced_token_changes_the_answer"),
        ([plain(), plain(), refused("no", "unsupported_parameter")], "a_forced_token_changes_the_answer"),
        ([refused("no", "unsupported_parameter")], "biases_are_accepted"),
        ([refused("logit_bias is not supported")], "biases_are_accepted"),
    ],
)
def test_what_proves_nothing_is_no_finding(sampling: ModuleType, exchanges: list[Exchange], clause: str) -> None:
    assert outcome_of(getattr(sampling, clause), *exchanges) == "not-applicable"
