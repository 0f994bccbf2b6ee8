from __future__ import annotations

import pytest
from standin.asking import Clock, ask, backend, chat, error, user

from wireproof.standin.backend import Setup
from wireproof.standin.limiter import Limiter, duration
from wireproof.standin.wire import Answer
from wireproof.tiers import Limits

TEN = Limits("tier-1", "group", rpm=10, tpm=1000, minute_s=5.0)
SLOW = Setup(tier="tier-1", scale=0.02)  # 10 requests and 4,000 tokens per 5 s


def header(answer: Answer, name: str) -> str:
    found = answer.header(name)
    assert found is not None, name
    return found


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (0.0004, "0s"), (0.0026, "2ms"), (0.02, "20ms"), (1, "1s"), (1.5, "1.5s"), (5.202, "5.202s"),
     (59.999, "59.999s"), (60, "1m0s"), (360, "6m0s"), (1123.156, "18m43.156s"), (3600, "1h0m0s"),
     (86399, "23h59m59s")],
)  # fmt: skip
def test_durations_read_as_recorded(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_full_bucket_lets_its_limit_in_and_then_no_more() -> None:
    limiter = Limiter()
    decisions = [limiter.take("key", TEN, "m", 1, 0.0) for _ in range(11)]
    assert [decision.rejection is None for decision in decisions] == [True] * 10 + [False]
    remaining = [dict(decision.headers)["x-ratelimit-remaining-requests"] for decision in decisions]
    assert remaining == [str(left) for left in (9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0)]


def test_images_are_counted_where_images_are_limited() -> None:
    limiter, five = Limiter(), Limits("tier-1", "images", rpm=None, tpm=None, ipm=5)
    assert dict(limiter.take("key", five, "m", 0, 0.0, images=4).headers) == {
        "x-ratelimit-limit-requests": "5",
        "x-ratelimit-remaining-requests": "1",
        "x-ratelimit-reset-requests": "48s",
    }
    refused = limiter.take("key", five, "m", 0, 0.0, images=2).rejection
    assert refused is not None
    assert "images per min (IPM): Limit 5, Used 4, Requested 2" in error(refused)["message"]
    assert limiter.take("key", five, "m", 0, 12.0, images=2).rejection is None


def test_a_model_without_limits_lets_everything_in() -> None:
    free = Limits("tier-1", "free", rpm=None, tpm=None)
    assert Limiter().take("key", free, "m", 10**9, 0.0).headers == ()


def test_buckets_refill_evenly() -> None:
    limiter = Limiter()
    for _ in range(10):
        limiter.take("key", TEN, "m", 1, 0.0)
    assert limiter.take("key", TEN, "m", 1, 0.49).rejection is not None
    assert limiter.take("key", TEN, "m", 1, 0.5).rejection is None
    assert limiter.take("key", TEN, "m", 1, 0.5).rejection is not None
    assert dict(limiter.take("key", TEN, "m", 1, 100.0).headers)["x-ratelimit-remaining-requests"] == "9"


def test_a_rejected_request_pays_nothing() -> None:
    limiter = Limiter()
    for _ in range(10):
        limiter.take("key", TEN, "m", 1, 0.0)
    for _ in range(50):
        limiter.take("key", TEN, "m", 1, 0.25)
    assert limiter.take("key", TEN, "m", 1, 0.5).rejection is None


def test_waiting_as_told_is_enough_and_not_much_more_than_needed() -> None:
    limiter = Limiter()
    limiter.take("key", TEN, "m", 900, 0.0)
    rejection = limiter.take("key", TEN, "m", 500, 0.0).rejection
    assert rejection is not None
    assert header(rejection, "retry-after-ms") == "2000"
    assert header(rejection, "retry-after") == "2"
    assert limiter.take("key", TEN, "m", 500, 1.9).rejection is not None
    assert limiter.take("key", TEN, "m", 500, 2.0).rejection is None


def test_reset_is_the_time_until_full() -> None:
    limiter = Limiter()
    headers = dict(limiter.take("key", TEN, "m", 500, 0.0).headers)
    assert headers["x-ratelimit-reset-requests"] == "500ms"
    assert headers["x-ratelimit-reset-tokens"] == "2.5s"


def test_keys_and_groups_have_buckets_of_their_own() -> None:
    limiter = Limiter()
    other = Limits("tier-1", "other", rpm=10, tpm=1000, minute_s=5.0)
    for _ in range(10):
        limiter.take("key", TEN, "m", 1, 0.0)
    assert limiter.take("key", TEN, "m", 1, 0.0).rejection is not None
    assert limiter.take("other key", TEN, "m", 1, 0.0).rejection is None
    assert limiter.take("key", other, "m", 1, 0.0).rejection is None


def test_the_day_rejects_when_the_minute_would_not() -> None:
    limiter, limits = Limiter(), Limits("free", "group", rpm=3, tpm=1000, rpd=4)
    for second in (0.0, 60.0, 120.0, 180.0):
        assert limiter.take("key", limits, "m", 1, second).rejection is None
    decision = limiter.take("key", limits, "m", 1, 240.0)
    assert decision.rejection is not None
    assert "requests per day (RPD)" in decision.rejection.json["error"]["message"]
    assert dict(decision.headers)["x-ratelimit-limit-requests"] == "4"


def test_requests_or_tokens_whichever_runs_out_first() -> None:
    by_requests, by_tokens = backend(SLOW), backend(SLOW)
    for _ in range(10):
        assert chat("Hello", by_requests, max_tokens=5).status == 200
    answer = chat("Hello", by_requests, max_tokens=5)
    assert (answer.status, error(answer)["type"], error(answer)["code"]) == (429, "requests", "rate_limit_exceeded")
    assert "RPM" in error(answer)["message"]
    assert chat("Hello", by_tokens, max_tokens=3999).status == 200
    answer = chat("Hello", by_tokens, max_tokens=3999)
    assert (answer.status, error(answer)["type"]) == (429, "tokens")
    assert "TPM" in error(answer)["message"]


def test_tokens_are_charged_by_the_larger_of_limit_and_estimate() -> None:
    def charged(text: str, **fields: int) -> int:
        one = backend(SLOW)
        return 4000 - int(header(chat(text, one, **fields), "x-ratelimit-remaining-tokens"))

    assert charged("Hello", max_tokens=100) == 100
    assert charged("x" * 800, max_tokens=100) == 200
    assert charged("x" * 800) == 200
    assert charged("Hello", max_completion_tokens=50) == 50


def test_a_request_larger_than_the_limit_is_not_worth_a_retry() -> None:
    answer = chat("Hello", backend(SLOW), max_tokens=4001)
    assert answer.status == 429
    assert header(answer, "x-should-retry") == "false"
    assert answer.header("retry-after") is None
    assert "too large" in error(answer)["message"]
    assert header(answer, "x-ratelimit-remaining-requests") == "10"


def test_a_refused_request_counts_as_a_request() -> None:
    one = backend(SLOW)
    refused = chat("Hello", one, top_logprobs=2)
    assert refused.status == 400
    assert header(refused, "x-ratelimit-remaining-requests") == "9"
    assert header(refused, "x-ratelimit-remaining-tokens") == "4000"


def test_six_headers_on_answers_streams_and_429() -> None:
    one = backend(SLOW)
    answers = [chat("Hello", one, stream=True), chat("Hello", one), *(chat("Hello", one) for _ in range(9))]
    assert answers[-1].status == 429
    for answer in answers:
        for kind in ("requests", "tokens"):
            assert header(answer, f"x-ratelimit-limit-{kind}").isdigit()
            assert header(answer, f"x-ratelimit-remaining-{kind}").isdigit()
            assert header(answer, f"x-ratelimit-reset-{kind}")


def test_a_stream_is_rejected_before_it_starts() -> None:
    one = backend(SLOW)
    for _ in range(10):
        chat("Hello", one)
    answer = chat("Hello", one, stream=True)
    assert answer.status == 429
    assert answer.frames is None


def test_time_brings_requests_back() -> None:
    clock = Clock()
    one = backend(SLOW, clock)
    while chat("Hello", one).status == 200:
        pass
    clock.now += 0.5
    assert chat("Hello", one).status == 200


def test_a_tier_without_a_model_does_not_serve_it() -> None:
    free = backend(Setup(tier="free"))
    answer = free.answer(ask("POST", "/completions", {"model": "gpt-3.5-turbo-instruct", "prompt": "hi"}))
    assert answer.status == 404
    assert (
        free.answer(ask("POST", "/chat/completions", {"model": "gpt-4.1-mini", "messages": user("hi")})).status == 200
    )


@pytest.mark.parametrize("setup", [Setup(tier="tier-9"), Setup(scale=2.0)])
def test_a_setup_that_cannot_be_is_an_error(setup: Setup) -> None:
    with pytest.raises(ValueError, match=r"tier|scale"):
        backend(setup)
