"""contracts/wire_headers.py: each clause with an exchange that keeps it and the nearest that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from made import JSON_HEADERS, answer, outcome_of, verdict_of

from wireproof.clause import Exchange

Contract = Callable[[str], ModuleType]
BODY = {"id": "chatcmpl-1", "object": "chat.completion"}
HTTP_NOW = "Thu, 09 Oct 2025 08:53:20 GMT"


def ok(body: Any = BODY, *more: tuple[str, str], **kwargs: Any) -> Exchange:
    return answer(body, headers=(*JSON_HEADERS, *more), **kwargs)


def headed(*more: tuple[str, str]) -> Exchange:
    return ok(BODY, *more)


def with_id(id: str, probe: str, **kwargs: Any) -> Exchange:
    return answer(BODY, headers=(("x-request-id", id),), probe=probe, **kwargs)


# function, exchange, outcome
CASES: list[tuple[str, Exchange, str]] = [
    ("processing_time_is_a_number", ok(BODY, ("openai-processing-ms", "12")), "pass"),
    ("processing_time_is_a_number", ok(BODY, ("openai-processing-ms", "12 ms")), "fail"),
    ("processing_time_is_a_number", ok(BODY, ("openai-processing-ms", "0.012")), "fail"),
    ("processing_time_is_a_number", ok(), "not-applicable"),
    ("single_headers_come_once", ok(BODY, ("set-cookie", "a"), ("set-cookie", "b")), "pass"),
    ("single_headers_come_once", ok(BODY, ("Content-Type", "application/json")), "fail"),
    ("single_headers_come_once", ok(BODY, ("X-Request-ID", "req_2")), "fail"),
    ("single_headers_come_once", headed(("access-control-allow-origin", "*")), "pass"),
    ("single_headers_come_once", headed(("access-control-allow-origin", "*, *")), "fail"),
    ("single_headers_come_once", headed(("vary", "origin"), ("vary", "accept")), "pass"),
    ("single_headers_come_once", headed(("server-timing", "a;dur=1, b"), ("via", "1.1 a, 1.1 b")), "pass"),
    ("single_headers_come_once", headed(("date", HTTP_NOW)), "pass"),
    ("documented_headers_are_well_formed", headed(("OpenAI-Version", "2020-10-01")), "pass"),
    ("documented_headers_are_well_formed", headed(("openai-version", "v1")), "fail"),
    ("documented_headers_are_well_formed", headed(("openai-organization", "")), "fail"),
    ("documented_headers_are_well_formed", headed(("x-should-retry", "False")), "fail"),
    ("documented_headers_are_well_formed", headed(("retry-after-ms", "5s")), "fail"),
    ("documented_headers_are_well_formed", headed(("retry-after-ms", "812.5")), "pass"),
    ("documented_headers_are_well_formed", headed(("x-vendor-version", "v1")), "not-applicable"),
    ("processing_takes_no_longer_than_the_answer", headed(("openai-processing-ms", "40")), "pass"),
    ("processing_takes_no_longer_than_the_answer", headed(("openai-processing-ms", "900")), "pass"),
    ("processing_takes_no_longer_than_the_answer", headed(("openai-processing-ms", "40000")), "fail"),
    ("processing_takes_no_longer_than_the_answer", headed(("openai-processing-ms", "1760000000123")), "fail"),
    ("processing_takes_no_longer_than_the_answer", headed(("openai-processing-ms", "fast")), "not-applicable"),
    ("processing_takes_no_longer_than_the_answer", ok(), "not-applicable"),
    ("date_is_a_date", headed(("Date", HTTP_NOW)), "pass"),
    ("date_is_a_date", headed(("date", "Thu, 09 Oct 2025 09:40:00 GMT")), "pass"),
    ("date_is_a_date", headed(("date", "Thursday, 09-Oct-25 08:53:20 GMT")), "pass"),
    ("date_is_a_date", headed(("date", "2025-10-09T08:53:20Z")), "fail"),
    ("date_is_a_date", headed(("date", "1760000000")), "fail"),
    ("date_is_a_date", headed(("date", "Thu, 01 Jan 1970 00:00:00 GMT")), "fail"),
    ("date_is_a_date", headed(("date", "Mon, 06 Oct 2025 08:53:20 GMT"), ("age", "259200")), "not-applicable"),
    ("date_is_a_date", ok(), "not-applicable"),
]


@pytest.mark.parametrize(("clause", "exchange", "outcome"), CASES)
def test_a_clause_tells_kept_from_broken(contract: Contract, clause: str, exchange: Exchange, outcome: str) -> None:
    assert outcome_of(getattr(contract("wire_headers"), clause), exchange) == outcome


def test_every_answer_needs_a_request_id(contract: Contract) -> None:
    clause = contract("wire_headers").answers_can_be_traced
    assert outcome_of(clause, with_id("a", "one"), with_id("b", "two", status=400)) == "pass"
    verdict = verdict_of(clause, with_id("a", "one"), with_id("", "two", status=400), answer(BODY, headers=()))
    assert verdict.outcome == "fail"
    assert verdict.findings[0].got == "none on 2 of 3: two, made"
    assert verdict.findings[0].where.exchange == "two"


def test_request_ids_are_unique_also_among_samples_of_one_name(contract: Contract) -> None:
    clause = contract("wire_headers").request_ids_differ
    assert outcome_of(clause, with_id("a", "one"), with_id("b", "two")) == "pass"
    assert outcome_of(clause, with_id("a", "one"), with_id("a", "two")) == "fail"
    assert outcome_of(clause, with_id("a", "load"), with_id("a", "load")) == "fail"
    assert outcome_of(clause, answer(BODY, headers=())) == "not-applicable"


def test_an_id_that_the_client_chose_may_come_twice(contract: Contract) -> None:
    echoed = [with_id("mine", probe, sent_headers=(("X-Request-Id", "mine"),)) for probe in ("one", "two")]
    assert outcome_of(contract("wire_headers").request_ids_differ, *echoed) == "not-applicable"
