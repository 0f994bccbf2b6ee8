"""Clauses of property-based cases: the exchange that keeps each, and the nearest one that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from made import answer, outcome_of, verdict_of

from wireproof.clause import Exchange

LEGAL = {"model": "m", "messages": [{"role": "user", "content": "Rain"}], "max_tokens": 1, "top_p": 0.0}
WRONG = {**LEGAL, "temperature": 7.5}
COMPLETION = {"object": "chat.completion"}


@pytest.fixture(scope="module")
def cases(contract: Callable[[str], ModuleType]) -> ModuleType:
    return contract("cases")


def refusal(message: str = "no", **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None, **more}}


def positive(said: Any, status: int = 200) -> Exchange:
    return answer(said, asked=LEGAL, status=status, probe="cases.createChatCompletion.positive.001")


def negative(said: Any, status: int = 200, asked: dict[str, Any] | None = None) -> Exchange:
    return answer(said, asked=asked or WRONG, status=status, probe="cases.createChatCompletion.negative.001")


SERVED_OR_EXPLAINED = {
    "served": positive(COMPLETION),
    "named in the message": positive(refusal("top_p must be in (0, 1]"), 400),
    "named as param": positive(refusal("bad value", param="top_p"), 400),
    "named in another shape": positive({"detail": [{"loc": ["body", "top_p"], "msg": "too small"}]}, 422),
    "unsupported": positive(refusal("not here", code="unsupported_value"), 400),
    "filtered": positive(refusal("harmful", code="content_filter"), 400),
}
FAILED = {
    "a crash": positive(refusal("top_p is zero"), 500),
    "a text": positive(b"Internal Server Error", 500),
    "no reason": positive(refusal("Bad request"), 400),
    "a reason about something else": positive(refusal("unstoppable"), 400),
}
REFUSED = {
    "400": negative(refusal(), 400),
    "422": negative(refusal(), 422),
    "an unknown model": negative(refusal(code="model_not_found"), 404),
}
TAKEN = {
    "served": negative(COMPLETION),
    "a crash": negative(refusal(), 500),
    "another shape": negative({"detail": "no"}, 422),
    "no message": negative(refusal(""), 400),
    "a text": negative(b"Bad Request", 400),
}
UNDECIDED = {"throttled": 429, "overloaded": 503, "no key": 401}


@pytest.mark.parametrize("case", SERVED_OR_EXPLAINED)
def test_a_legal_request_may_be_served_or_refused_for_a_reason(cases: ModuleType, case: str) -> None:
    assert outcome_of(cases.legal_requests_are_served, SERVED_OR_EXPLAINED[case]) == "pass"


@pytest.mark.parametrize("case", FAILED)
def test_a_legal_request_is_not_dropped(cases: ModuleType, case: str) -> None:
    assert outcome_of(cases.legal_requests_are_served, FAILED[case]) == "fail"


@pytest.mark.parametrize("case", REFUSED)
def test_a_wrong_request_is_refused(cases: ModuleType, case: str) -> None:
    assert outcome_of(cases.wrong_requests_are_refused, REFUSED[case]) == "pass"


@pytest.mark.parametrize("case", TAKEN)
def test_a_wrong_request_is_neither_served_nor_crashed_on(cases: ModuleType, case: str) -> None:
    assert outcome_of(cases.wrong_requests_are_refused, TAKEN[case]) == "fail"


@pytest.mark.parametrize("case", UNDECIDED)
def test_an_answer_about_something_else_decides_nothing(cases: ModuleType, case: str) -> None:
    status = UNDECIDED[case]
    assert outcome_of(cases.legal_requests_are_served, positive(refusal(), status)) == "inconclusive"
    assert outcome_of(cases.wrong_requests_are_refused, negative(refusal(), status)) == "inconclusive"


@pytest.mark.parametrize("status", [404, 405, 501])
def test_an_operation_that_is_not_served_breaks_nothing(cases: ModuleType, status: int) -> None:
    assert outcome_of(cases.legal_requests_are_served, positive(refusal(), status)) == "not-applicable"
    assert outcome_of(cases.wrong_requests_are_refused, negative(b"Not Found", status)) == "not-applicable"


def test_a_finding_names_the_field(cases: ModuleType) -> None:
    finding = verdict_of(cases.wrong_requests_are_refused, negative(COMPLETION)).findings[0]
    assert finding.expected == "a 4xx: /temperature is 7.5, documented is at most 2"
    bare = {name: value for name, value in LEGAL.items() if name != "messages"}
    finding = verdict_of(cases.wrong_requests_are_refused, negative(COMPLETION, asked=bare)).findings[0]
    assert finding.expected == "a 4xx: 'messages' is missing"


def test_a_finding_about_a_query_shows_it(cases: ModuleType) -> None:
    one = answer(
        {"object": "list"}, operation="listChatCompletions", method="GET", path="/chat/completions",
        probe="cases.listChatCompletions.negative.001",
    )  # fmt: skip
    one = replace(one, request=replace(one.request, query={"limit": "wireproof"}))
    finding = verdict_of(cases.wrong_requests_are_refused, one).findings[0]
    assert finding.expected == "a 4xx: the query is {'limit': 'wireproof'}"
