"""Every way to end has one class."""

from __future__ import annotations

import pytest

from wireproof.traffic.outcome import OUTCOMES, answered, refused


@pytest.mark.parametrize(
    ("status", "error", "outcome"),
    [
        (
            429,
            {"type": "requests", "code": "rate_limit_exceeded", "message": "Rate limit reached"},
            "throttled_requests",
        ),
        (429, {"type": "tokens", "code": "rate_limit_exceeded", "message": "Rate limit reached"}, "throttled_tokens"),
        (429, {"message": "Rate limit reached for m on requests per min (RPM): Limit 3"}, "throttled_requests"),
        (429, {"message": "Rate limit reached for m on tokens per min (TPM): Limit 3"}, "throttled_tokens"),
        (429, {"type": "insufficient_quota", "code": "insufficient_quota", "message": "quota"}, "quota_exhausted"),
        (429, {"message": "too many concurrent requests"}, "throttled_concurrency"),
        (429, {"message": "slow down"}, "throttled_unknown"),
        (503, {"code": "server_is_overloaded"}, "overloaded"),
        (529, None, "overloaded"),
        (500, None, "http_5xx"),
        (404, {"code": "model_not_found"}, "http_4xx"),
    ],
)
def test_a_refusal_is_classed_by_status_and_what_it_says(status: int, error: object, outcome: str) -> None:
    assert refused(status, {"error": error}) == outcome
    assert outcome in OUTCOMES


@pytest.mark.parametrize("body", [None, "text", [], {"error": "requests per min"}, {"error": None}])
def test_a_429_without_the_usual_body_is_throttled_all_the_same(body: object) -> None:
    assert refused(429, body).startswith("throttled")


def test_an_answer_that_fills_max_tokens_is_not_truncated() -> None:
    assert answered("length", 100, 100, True) == "ok"
    assert answered("length", 60, 100, True) == "truncated"
    assert answered("length", 60, None, True) == "truncated"
    assert answered("stop", 3, 100, True) == "ok"
    assert answered("stop", 0, 100, False) == "ok_empty"
