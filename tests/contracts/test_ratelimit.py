"""contracts/ratelimit*.py: each clause kept and broken, and the limiters that must raise no alarm."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from made import answer, clauses_of, outcome_of, stream, verdict_of

from wireproof.clause import Exchange
from wireproof.standin.limiter import Limiter
from wireproof.tiers import Limits

Clauses = Mapping[str, Any]
NOON = 1_760_000_000.0
FULL = {"limit": "60", "remaining": "59", "reset": "1s"}


@pytest.fixture(scope="module")
def ratelimit(contract: Callable[[str], ModuleType]) -> Clauses:
    """The clauses by the names of their functions."""
    stems = ("ratelimit", "ratelimit_use", "ratelimit_throttled")
    return {one.__name__: one for one in clauses_of(*map(contract, stems))}


def headers(dimension: str = "requests", **parts: str | None) -> tuple[tuple[str, str], ...]:
    told = {**FULL, **parts}
    return tuple((f"x-ratelimit-{part}-{dimension}", value) for part, value in told.items() if value is not None)


def told(
    *more: tuple[str, str], status: int = 200, at_s: float = 0.0, body: Any = None, model: str = "m", **kwargs: Any
) -> Exchange:
    kwargs.setdefault("probe", f"made.{at_s:g}")
    given = (("content-type", "application/json"), *more)
    return answer(body or {}, status=status, headers=given, asked={"model": model}, started=NOON + at_s, **kwargs)


def series(
    remaining: Iterable[int], *, limit: int = 500, reset: str | None = "120ms", gap_s: float = 0.1
) -> list[Exchange]:
    """One after another, each 50 ms long."""
    return [
        told(*headers(limit=str(limit), remaining=str(left), reset=reset), at_s=index * gap_s)
        for index, left in enumerate(remaining)
    ]


EACH: list[tuple[str, Exchange, str]] = [
    ("limits_are_integers", told(*headers()), "pass"),
    ("limits_are_integers", told(*headers(remaining="-1")), "fail"),
    ("limits_are_integers", told(*headers(limit="60;w=60")), "fail"),
    ("limits_are_integers", told(*headers("project-tokens", limit="6e4")), "fail"),
    ("limits_are_integers", told(*headers(), status=429), "pass"),
    ("limits_are_integers", told(("x-ratelimit-limit", "60, 60;w=60")), "not-applicable"),
    ("limits_are_integers", told(("x-ratelimit-limit-images", "no")), "not-applicable"),
    ("resets_are_durations", told(*headers(reset="18m43.156s")), "pass"),
    ("resets_are_durations", told(*headers(reset="6m0s")), "pass"),
    ("resets_are_durations", told(*headers(reset="23h59m0s")), "pass"),
    ("resets_are_durations", told(*headers(reset="39ms")), "pass"),
    ("resets_are_durations", told(*headers(reset="0s")), "pass"),
    ("resets_are_durations", told(*headers(reset="60")), "fail"),
    ("resets_are_durations", told(*headers(reset="2026-11-23T12:00:00Z")), "fail"),
    ("resets_are_durations", told(*headers(reset="in 6m")), "fail"),
    ("limits_come_complete", told(*headers(), *headers("tokens")), "pass"),
    ("limits_come_complete", told(*headers()), "pass"),
    ("limits_come_complete", told(*headers(reset=None)), "fail"),
    ("limits_come_complete", told(*headers(), *headers("tokens", limit=None)), "fail"),
    ("remaining_is_within_the_limit", told(*headers(remaining="60")), "pass"),
    ("remaining_is_within_the_limit", told(*headers(remaining="61")), "fail"),
    ("remaining_is_within_the_limit", told(*headers("tokens", limit="0", remaining="1")), "fail"),
    ("remaining_is_within_the_limit", told(*headers(limit="many")), "pass"),
]


@pytest.mark.parametrize(("clause", "exchange", "outcome"), EACH)
def test_an_answer_tells_kept_from_broken(ratelimit: Clauses, clause: str, exchange: Exchange, outcome: str) -> None:
    assert outcome_of(ratelimit[clause], exchange) == outcome


def test_general_names_alone_are_told(ratelimit: Clauses) -> None:
    clause = ratelimit["headers_have_the_documented_names"]
    general = told(("X-RateLimit-Limit", "60"), ("X-RateLimit-Remaining", "59"))
    assert outcome_of(clause, general) == "fail"
    assert outcome_of(clause, told(("ratelimit", "limit=60"))) == "fail"
    assert outcome_of(clause, general, told(*headers(), at_s=1)) == "pass"
    assert outcome_of(clause, told(*headers())) == "not-applicable"
    assert outcome_of(clause, told()) == "not-applicable"


def test_limits_that_no_answer_tells_are_noted(ratelimit: Clauses) -> None:
    clause = ratelimit["limits_are_told"]
    assert outcome_of(clause, told(), told(at_s=1)) == "fail"
    assert outcome_of(clause, told(), told(*headers(), at_s=1)) == "pass"
    assert outcome_of(clause, told(status=403)) == "not-applicable"


def both(requests: dict[str, str], tokens: dict[str, str]) -> Exchange:
    return told(*headers("requests", **requests), *headers("tokens", **tokens))


MINUTE = {"limit": "500", "remaining": "499", "reset": "120ms"}
TOKENS = {"limit": "200000", "remaining": "199984", "reset": "4ms"}


def test_tokens_and_requests_may_not_be_exchanged(ratelimit: Clauses) -> None:
    clause = ratelimit["requests_and_tokens_are_not_exchanged"]
    assert outcome_of(clause, both(MINUTE, TOKENS)) == "pass"
    assert outcome_of(clause, both(TOKENS, MINUTE)) == "fail"
    assert outcome_of(clause, told(*headers())) == "not-applicable"


def test_more_requests_a_day_than_tokens_a_minute_are_legal(ratelimit: Clauses) -> None:
    daily = {"limit": "14400", "remaining": "14399", "reset": "6s"}
    minutely = {"limit": "6000", "remaining": "5990", "reset": "100ms"}
    late = {"limit": "14400", "remaining": "3000", "reset": "20s"}  # a fixed day, nearly over
    clause = ratelimit["requests_and_tokens_are_not_exchanged"]
    assert outcome_of(clause, both(daily, minutely), both(late, minutely)) == "pass"


def test_a_limit_that_follows_every_request_is_told(ratelimit: Clauses) -> None:
    clause = ratelimit["limits_stay_the_same"]
    fixed = [told(*headers(limit="60"), at_s=index) for index in range(3)]
    counting = [told(*headers(limit=str(60 - index)), at_s=index) for index in range(3)]
    assert outcome_of(clause, *fixed) == "pass"
    assert outcome_of(clause, *counting) == "fail"
    assert outcome_of(clause, *fixed, told(*headers(limit="200"), at_s=9)) == "pass"  # the day's, once it binds
    assert outcome_of(clause, *[told(*headers(limit=str(n)), model=str(n)) for n in (60, 70, 80)]) == "pass"


ALWAYS: list[tuple[str, list[Exchange], str]] = [
    ("falls", series([499, 498, 497, 496]), "pass"),
    ("falls by more: others use the account", series([499, 410, 312, 311]), "pass"),
    ("a window ends", series([3, 2, 499, 498]), "pass"),
    ("always full, and reset says otherwise", series([500] * 8), "fail"),
    ("always full, reset too, faster than time gives back", series([500] * 12, reset="0s", gap_s=0.06), "fail"),
    ("stuck", series([300] * 12, reset=None, gap_s=0.06), "fail"),
    ("rises", series(range(300, 312), reset=None, gap_s=0.06), "fail"),
    ("given back in between", series([499] * 12, gap_s=1.0), "not-applicable"),
    ("too few", series([500] * 3), "not-applicable"),
    ("high limits: given back in no time", series([29999] * 30, limit=30000, reset="2ms"), "not-applicable"),
    ("full and says so", series([30000] * 30, limit=30000, reset="0s"), "not-applicable"),
]


@pytest.mark.parametrize(("case", "exchanges", "outcome"), ALWAYS, ids=[case for case, _, _ in ALWAYS])
def test_remaining_falls(ratelimit: Clauses, case: str, exchanges: list[Exchange], outcome: str) -> None:
    assert outcome_of(ratelimit["remaining_falls_with_use"], *exchanges) == outcome


def test_requests_in_flight_together_need_not_be_in_order(ratelimit: Clauses) -> None:
    together = [replace(one, started_unix=NOON) for one in series(range(490, 500), reset="1.2s")]
    assert outcome_of(ratelimit["remaining_falls_with_use"], *together) == "not-applicable"


def test_what_is_no_generation_need_not_count(ratelimit: Clauses) -> None:
    lists = [replace(one, request=replace(one.request, body=b""), operation="listModels") for one in series([500] * 9)]
    assert outcome_of(ratelimit["remaining_falls_with_use"], *lists) == "not-applicable"


def test_reset_is_a_time_within_a_day_and_above_nothing(ratelimit: Clauses) -> None:
    clause = ratelimit["resets_are_within_a_day"]
    assert outcome_of(clause, *series([497, 496, 495, 494], reset="360ms")) == "pass"
    assert outcome_of(clause, *series([100] * 4, reset="0s")) == "fail"
    assert outcome_of(clause, *series([499] * 4, reset="0s")) == "pass"  # cut from less than a whole unit
    assert outcome_of(clause, *series([100, 99, 98, 97], reset="23h59m59s")) == "pass"
    assert outcome_of(clause, *series([100], reset="1795000000s")) == "fail"


def test_what_reset_promises_comes(ratelimit: Clauses) -> None:
    clause = ratelimit["what_reset_promises_comes"]
    assert outcome_of(clause, *series([499, 498, 497, 496, 495, 494, 493])) == "pass"
    assert outcome_of(clause, *series([250] * 9, reset="30s")) == "pass"  # it may be so, and time will tell
    assert outcome_of(clause, *series([250 - n for n in range(9)], reset="17ms")) == "fail"
    assert outcome_of(clause, *series([20 + n for n in range(9)], reset="1ms")) == "fail"
    assert outcome_of(clause, *series([250] * 5, reset="17ms")) == "pass"  # others may use it, and so often
    assert outcome_of(clause, *series([250] * 9, reset="17ms", gap_s=31)) == "pass"  # windows end now and then
    assert outcome_of(clause, *series([250, 250, 499] * 5, reset="17ms")) == "pass"
    assert outcome_of(clause, *series([40] * 9, limit=60, reset="0s")) == "pass"  # ratelimit.reset judges that
    assert outcome_of(clause, told()) == "not-applicable"


def test_more_than_the_limit_may_not_be_served(ratelimit: Clauses) -> None:
    clause = ratelimit["limits_are_kept"]
    assert outcome_of(clause, *series([2, 1, 0], limit=3, reset="60s")) == "pass"
    straddled = [*series([2, 1, 0], limit=3, reset="1s"), *series([2, 1, 0], limit=3, reset="60s", gap_s=0.2)]
    assert outcome_of(clause, *straddled) == "pass"
    assert outcome_of(clause, *series([2] * 9, limit=3, reset="20s")) == "fail"


def test_nobody_is_served_from_an_empty_bucket(ratelimit: Clauses) -> None:
    clause = ratelimit["limits_are_kept"]
    assert outcome_of(clause, *series([1, 0, 0], limit=60, reset="59s")) == "pass"  # a fraction was left
    assert outcome_of(clause, *series([1, 0, 0, 0, 0], limit=60, reset="59s")) == "fail"
    assert outcome_of(clause, *series([1, 0, 59, 58, 57], limit=60, reset="50ms")) == "pass"  # the window ended


def test_streams_tell_what_plain_answers_tell(ratelimit: Clauses) -> None:
    clause = ratelimit["streams_tell_the_limits_too"]
    plain = told(*headers(), *headers("tokens"))

    def streamed(*given: tuple[str, str]) -> Exchange:
        return stream([], asked={"model": "m"}, headers=(("content-type", "text/event-stream"), *given))

    assert outcome_of(clause, plain, streamed(*headers(), *headers("tokens"))) == "pass"
    assert outcome_of(clause, plain, streamed()) == "fail"
    assert outcome_of(clause, plain, streamed(*headers())) == "fail"
    assert outcome_of(clause, told(), streamed(*headers())) == "fail"
    assert outcome_of(clause, told(), streamed()) == "not-applicable"
    assert outcome_of(clause, plain) == "not-applicable"


def too_many(*more: tuple[str, str], body: Any = None, **fields: Any) -> Exchange:
    error = {"message": "Wait.", "type": "requests", "param": None, "code": "rate_limit_exceeded", **fields}
    return told(*more, status=429, body=body or {"error": error})


AFTER = ("retry-after", "20")
TOO_MANY: list[tuple[str, Exchange, str]] = [
    ("too_many_has_a_code", too_many(), "pass"),
    ("too_many_has_a_code", too_many(code="slow_down", type="rate_limit_error"), "pass"),
    ("too_many_has_a_code", too_many(code="insufficient_quota"), "pass"),
    ("too_many_has_a_code", too_many(code=None), "fail"),
    ("too_many_has_a_code", too_many(code="429"), "fail"),
    ("too_many_has_a_code", too_many(body={"detail": "Wait."}), "not-applicable"),
    ("too_many_says_how_long", too_many(AFTER), "pass"),
    ("too_many_says_how_long", too_many(), "fail"),
    ("too_many_says_how_long", too_many(code="credit_balance_exhausted"), "not-applicable"),
    ("too_many_says_how_long", too_many(("x-should-retry", "false")), "not-applicable"),
    ("waits_are_whole_seconds", too_many(AFTER), "pass"),
    ("waits_are_whole_seconds", too_many(("retry-after", "0")), "fail"),
    ("waits_are_whole_seconds", too_many(("retry-after", "1.5")), "fail"),
    ("waits_are_whole_seconds", too_many(("retry-after", "20s")), "fail"),
    ("waits_are_whole_seconds", too_many(("retry-after", "Mon, 23 Nov 2026 12:00:00 GMT")), "fail"),
    ("waits_are_whole_seconds", too_many(), "not-applicable"),
]


@pytest.mark.parametrize(("clause", "exchange", "outcome"), TOO_MANY)
def test_a_429_tells_kept_from_broken(ratelimit: Clauses, clause: str, exchange: Exchange, outcome: str) -> None:
    assert outcome_of(ratelimit[clause], exchange) == outcome


def retried(status: int, after_s: float) -> tuple[Exchange, Exchange]:
    first = replace(too_many(AFTER), probe="asked")
    return first, replace(told(status=status, at_s=after_s), probe="asked", attempt=2)


def test_waiting_as_told_is_enough(ratelimit: Clauses) -> None:
    clause = ratelimit["waiting_as_told_is_enough"]
    assert outcome_of(clause, *retried(200, 21)) == "pass"
    assert outcome_of(clause, *retried(429, 21)) == "fail"
    assert outcome_of(clause, *retried(429, 5)) == "not-applicable"  # too early


def test_a_wait_with_others_about_proves_nothing(ratelimit: Clauses) -> None:
    other = told(at_s=20.5)
    one, again = retried(429, 21)
    assert outcome_of(ratelimit["waiting_as_told_is_enough"], one, other, again) == "not-applicable"


# ------------------------------------------------------------------------------------ right limiters, no alarm


SEQUENCES = (
    "requests_and_tokens_are_not_exchanged",
    "limits_stay_the_same",
    "remaining_falls_with_use",
    "resets_are_within_a_day",
    "limits_are_kept",
)
MINUTES = Limits("made", "m", rpm=10, tpm=1_000)
BUCKETS = (MINUTES, replace(MINUTES, minute_s=5.0), Limits("made", "m", rpm=30_000, tpm=150_000_000, rpd=100_000))


def bucket(limits: Limits, times: Sequence[float]) -> list[Exchange]:
    """Answers of the stand-in's limiter at these times, refusals among them."""
    limiter = Limiter()
    given = [(at_s, limiter.take("key", limits, "m", 20, NOON + at_s)) for at_s in times]
    return [told(*one.headers, at_s=at_s, status=429 if one.rejection else 200) for at_s, one in given]


def fixed_window(limit: int, window_s: float, times: Sequence[float]) -> list[Exchange]:
    """Counts since the clock's last full window; reset is its end."""
    used: dict[int, int] = {}
    answers = []
    for at_s in times:
        window = int(at_s // window_s)
        is_full = used.get(window, 0) >= limit
        used[window] = used.get(window, 0) + (0 if is_full else 1)
        left_ms = int((window_s - at_s % window_s) * 1000)
        said = headers(limit=str(limit), remaining=str(limit - used[window]), reset=f"{left_ms / 1000:g}s")
        answers.append(told(*said, at_s=at_s, status=429 if is_full else 200))
    return answers


def replicas(limit: int, count: int, times: Sequence[float]) -> list[Exchange]:
    """Each replica counts for itself, and requests go round."""
    each = [fixed_window(limit, 60.0, times[index::count]) for index in range(count)]
    return sorted((one for some in each for one in some), key=lambda one: one.started_unix)


STEADY = [index * 0.3 for index in range(200)]
BURST = [index * 0.051 for index in range(60)]
RIGHT = [
    *[bucket(limits, times) for limits in BUCKETS for times in (STEADY, BURST)],
    *[fixed_window(10, window_s, times) for window_s in (5.0, 60.0, 86_400.0) for times in (STEADY, BURST)],
    replicas(500, 3, BURST),
]


@pytest.mark.parametrize("clause", SEQUENCES)
@pytest.mark.parametrize("traffic", RIGHT, ids=range(len(RIGHT)))
def test_a_right_limiter_raises_no_alarm(ratelimit: Clauses, clause: str, traffic: list[Exchange]) -> None:
    verdict = verdict_of(ratelimit[clause], *traffic)
    assert verdict.outcome in ("pass", "not-applicable"), verdict.findings


@pytest.mark.parametrize("clause", SEQUENCES)
def test_a_sample_of_right_traffic_raises_no_alarm(ratelimit: Clauses, clause: str) -> None:
    sample = [one for traffic in (RIGHT[0], RIGHT[6]) for one in traffic[::7]][:28]
    assert outcome_of(ratelimit[clause], *sample[:14]) in ("pass", "not-applicable")
    assert outcome_of(ratelimit[clause], *sample[14:]) in ("pass", "not-applicable")
