"""Clauses about what a mistake in chat does to the next request: what keeps each, and the nearest that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from made import answer, clauses_of, outcome_of, verdict_of
from made_chat import plain

from wireproof.clause import Exchange

ROLE = {"messages": [{"role": "wireproof", "content": "Hi"}]}
REFUSAL = {"error": {"message": "no such role", "type": "invalid_request_error", "param": None, "code": None}}


@pytest.fixture(scope="module")
def recovers(contract: Callable[[str], ModuleType]) -> ModuleType:
    return contract("chat_recovers")


def mistake(status: int = 400) -> Exchange:
    return answer(REFUSAL, asked=ROLE, status=status, probe="chat.recovers")


def good(tokens: Any = 9, status: int = 200, says: str = "no") -> Exchange:
    body = {"usage": {"prompt_tokens": tokens}} if status == 200 else {"error": {"message": says}}
    return answer(body, asked={"stop": ["e "]}, status=status, probe="chat.recovers", step=1)


PAIRS: dict[str, tuple[str, list[Exchange], list[Exchange]]] = {
    "taken": ("unknown_roles_are_refused", [mistake(422)], [mistake(200)]),
    "a crash after it": (
        "a_mistake_harms_no_other_request",
        [plain(), mistake(), good()],
        [plain(), mistake(), good(status=500)],
    ),
    "refused as well": (
        "a_mistake_harms_no_other_request",
        [plain(), mistake(), good()],
        [plain(), mistake(), good(status=400, says="no such role")],
    ),
    "words that stay": (
        "a_mistake_harms_no_other_request",
        [plain(), mistake(), good()],
        [plain(), mistake(), good(18)],
    ),
}


@pytest.mark.parametrize("case", PAIRS)
def test_a_clause_tells_kept_from_broken(recovers: ModuleType, case: str) -> None:
    name, kept, broken = PAIRS[case]
    assert outcome_of(getattr(recovers, name), *kept) == "pass"
    assert outcome_of(getattr(recovers, name), *broken) == "fail"


def test_every_clause_has_a_pair(recovers: ModuleType) -> None:
    assert {function.__name__ for function in clauses_of(recovers)} == {name for name, _, _ in PAIRS.values()}


@pytest.mark.parametrize(
    ("exchanges", "outcome"),
    [
        ([plain(), mistake(200), good(status=500)], "not-applicable"),
        ([mistake(), good()], "not-applicable"),
        ([plain(), mistake(), good(status=503)], "inconclusive"),
        ([plain(), mistake(), good(status=400, says="stop is not supported")], "inconclusive"),
        ([plain(), mistake(), good(None)], "pass"),
    ],
)
def test_what_proves_nothing_is_no_finding(recovers: ModuleType, exchanges: list[Exchange], outcome: str) -> None:
    assert outcome_of(recovers.a_mistake_harms_no_other_request, *exchanges) == outcome


@pytest.mark.parametrize("value", [None, [], {"usage": 3}, {"error": 4}])
def test_malformed_answers_crash_no_clause(recovers: ModuleType, value: Any) -> None:
    exchanges = [plain(), *(answer(value, asked=ROLE, probe="chat.recovers", step=step) for step in (0, 1))]
    for clause in clauses_of(recovers):
        assert "the clause itself failed" not in verdict_of(clause, *exchanges).reason
