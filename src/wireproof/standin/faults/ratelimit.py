"""Departures of the rate limit: headers that miscount or cannot be read, and 429s that leave a client alone.

The limiter itself stays right; what is told about it does not. The 429s fall on chat requests with a `top_p`
above 1: refused anyway, so nothing else in a run depends on them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import count

from wireproof.standin.faults import fault
from wireproof.standin.wire import Answer, Ask, Headers, Serve, refusal

NAME = re.compile(r"x-ratelimit-(limit|remaining|reset)-(requests|tokens)")
TOLD = count()  # for numbers that only ever grow, whoever asks


def _headers(answer: Answer, change: Callable[[str, str, str], tuple[str, str] | None]) -> Answer:
    """The answer with each rate-limit header as `change(part, dimension, value)` has it; None drops it."""
    changed: list[tuple[str, str]] = []
    for name, value in answer.headers:
        found = NAME.fullmatch(name)
        pair = change(found[1], found[2], value) if found else (name, value)
        if pair is not None:
            changed.append(pair)
    return replace(answer, headers=tuple(changed))


def _values(answer: Answer, part: str, change: Callable[[str], str]) -> Answer:
    """The answer with the values of one part (limit, remaining, reset) changed."""
    return _headers(
        answer, lambda p, dimension, value: (f"x-ratelimit-{p}-{dimension}", change(value) if p == part else value)
    )


@fault("ratelimit.window-behind", breaks="ratelimit.integers")
def the_window_stands_behind_the_limit(ask: Ask, serve: Serve) -> Answer:
    """Limits are told as `1000;w=60`."""
    return _values(serve(ask), "limit", lambda value: f"{value};w=60")


@fault("ratelimit.negative", breaks="ratelimit.integers")
def remaining_is_negative(ask: Ask, serve: Serve) -> Answer:
    """What remains is told as -1."""
    return _values(serve(ask), "remaining", lambda _: "-1")


@fault("ratelimit.reset-date", breaks="ratelimit.reset-duration")
def reset_is_a_date(ask: Ask, serve: Serve) -> Answer:
    """Reset is told as a point in time."""
    return _values(serve(ask), "reset", lambda _: "2026-11-23T12:00:01Z")


@fault("ratelimit.reset-seconds", breaks="ratelimit.reset-duration")
def reset_is_a_number(ask: Ask, serve: Serve) -> Answer:
    """Reset is told as a bare number of seconds."""
    return _values(serve(ask), "reset", lambda _: "60")


@fault("ratelimit.limit-missing", breaks="ratelimit.family")
def the_limit_is_not_told(ask: Ask, serve: Serve) -> Answer:
    """What remains is told, and of how much is not."""
    return _headers(serve(ask), lambda p, d, value: None if p == "limit" else (f"x-ratelimit-{p}-{d}", value))


@fault("ratelimit.general-names", breaks="ratelimit.names", also=("ratelimit.told",))
def headers_have_general_names(ask: Ask, serve: Serve) -> Answer:
    """Limits are told as X-RateLimit-Limit, -Remaining and -Reset."""
    return _headers(serve(ask), lambda p, d, value: (f"x-ratelimit-{p}", value) if d == "requests" else None)


@fault("ratelimit.over-limit", breaks="ratelimit.bounds")
def more_remains_than_there_is(ask: Ask, serve: Serve) -> Answer:
    """What remains of requests is told as more than the limit."""
    answer = serve(ask)
    limit = answer.header("x-ratelimit-limit-requests")
    return answer.with_header("x-ratelimit-remaining-requests", str(int(limit) + 1)) if limit else answer


@fault("ratelimit.exchanged", breaks="ratelimit.kinds")
def requests_and_tokens_are_exchanged(ask: Ask, serve: Serve) -> Answer:
    """The numbers of requests are told under `-tokens`, and the other way round."""
    other = {"requests": "tokens", "tokens": "requests"}
    answer = _headers(serve(ask), lambda p, d, value: (f"x-ratelimit-{p}-{other[d]}", value))
    # The stand-in's token buckets are so large that their reset is cut to 0s; told as a minute's it is seen.
    if answer.header("x-ratelimit-reset-requests") is None:
        return answer
    limit = int(answer.header("x-ratelimit-limit-requests") or 0)
    told = answer.with_header("x-ratelimit-remaining-requests", str(limit - limit // 60))
    return told.with_header("x-ratelimit-reset-requests", "1s")


@fault("ratelimit.limit-counts-down", breaks="ratelimit.limit-constant")
def the_limit_counts_down(ask: Ask, serve: Serve) -> Answer:
    """The limit of tokens is told less what the request is long."""
    return _headers(
        serve(ask),
        lambda p, d, value: (
            f"x-ratelimit-{p}-{d}",
            str(int(value) - len(ask.body)) if (p, d) in (("limit", "tokens"), ("remaining", "tokens")) else value,
        ),
    )


@fault("ratelimit.always-full", breaks="ratelimit.falls")
def remaining_never_falls(ask: Ask, serve: Serve) -> Answer:
    """What remains is always told as the limit."""
    answer = serve(ask)
    for dimension in ("requests", "tokens"):
        limit = answer.header(f"x-ratelimit-limit-{dimension}")
        if limit is not None:
            answer = answer.with_header(f"x-ratelimit-remaining-{dimension}", limit)
    return answer


def _told(answer: Answer, limit: int, remaining: int, reset: str) -> Answer:
    """The answer with other numbers of requests, if it tells any."""
    if answer.header("x-ratelimit-limit-requests") is None:
        return answer
    for part, value in (("limit", str(limit)), ("remaining", str(remaining)), ("reset", reset)):
        answer = answer.with_header(f"x-ratelimit-{part}-requests", value)
    return answer


@fault("ratelimit.stuck", breaks="ratelimit.falls")
def remaining_is_stuck(ask: Ask, serve: Serve) -> Answer:
    """Of sixty requests a minute ever the same number is told to remain, with the reset of a fixed window."""
    return _told(serve(ask), 60, 30, "30s")


@fault("ratelimit.counts-up", breaks="ratelimit.falls", also=("ratelimit.enforced",))
def remaining_rises(ask: Ask, serve: Serve) -> Answer:
    """What remains of sixty requests a minute grows with every request."""
    return _told(serve(ask), 60, min(next(TOLD), 59), "30s")


@fault("ratelimit.untold", breaks="ratelimit.told")
def limits_are_not_told(ask: Ask, serve: Serve) -> Answer:
    """No answer carries a rate-limit header."""
    return _headers(serve(ask), lambda *_: None)


@fault("ratelimit.reset-epoch", breaks="ratelimit.reset")
def reset_is_an_epoch(ask: Ask, serve: Serve) -> Answer:
    """Reset is told as seconds since 1970, with an s behind."""
    return _values(serve(ask), "reset", lambda _: "1795000000s")


@fault("ratelimit.reset-zero", breaks="ratelimit.reset")
def reset_is_always_zero(ask: Ask, serve: Serve) -> Answer:
    """Reset is told as 0s while half of a limit of 60 is used."""
    return _told(serve(ask), 60, 30 + len(ask.body) % 7, "0s")


@fault("ratelimit.unenforced", breaks="ratelimit.enforced")
def nothing_is_refused(ask: Ask, serve: Serve) -> Answer:
    """A limit of three requests is told, and everybody served."""
    return _told(serve(ask), 3, len(ask.body) % 3, "20s")


@fault("ratelimit.empty-served", breaks="ratelimit.enforced")
def the_empty_bucket_serves(ask: Ask, serve: Serve) -> Answer:
    """Nothing remains of sixty requests for the next minute, and everybody is served."""
    return _told(serve(ask), 60, len(ask.body) % 2, "1m0s")


@fault("ratelimit.streams-untold", breaks="ratelimit.streams", also=("chat.parity.headers",))
def streams_tell_nothing(ask: Ask, serve: Serve) -> Answer:
    """Streams carry no rate-limit headers."""
    answer = serve(ask)
    return _headers(answer, lambda *_: None) if answer.is_stream else answer


# ---------------------------------------------------------------------------------------------------- 429


def _throttled(ask: Ask, serve: Serve, headers: Headers, code: str | None = "rate_limit_exceeded") -> Answer:
    """A 429 in place of the refusal of a `top_p` above 1."""
    answer = serve(ask)
    top_p = ask.asked.get("top_p")
    if not isinstance(top_p, int | float) or top_p <= 1:
        return answer
    throttled = refusal(429, "Rate limit reached.", type="requests", code=code)
    id = ("x-request-id", answer.header("x-request-id") or "")
    return replace(throttled, headers=(*throttled.headers, id, *headers))


@fault("ratelimit.codeless", breaks="ratelimit.code")
def too_many_has_no_code(ask: Ask, serve: Serve) -> Answer:
    """The code of a 429 is null."""
    return _throttled(ask, serve, (("retry-after", "600"),), code=None)


@fault("ratelimit.waitless", breaks="ratelimit.retry-after")
def too_many_does_not_say_how_long(ask: Ask, serve: Serve) -> Answer:
    """A 429 has no Retry-After."""
    return _throttled(ask, serve, ())


@fault("ratelimit.wait-zero", breaks="ratelimit.retry-after-seconds")
def the_wait_is_zero(ask: Ask, serve: Serve) -> Answer:
    """`Retry-After` is 0."""
    return _throttled(ask, serve, (("retry-after", "0"),))


@fault("ratelimit.wait-in-vain", breaks="ratelimit.retry-after-holds")
def the_wait_is_too_short(ask: Ask, serve: Serve) -> Answer:
    """Who waits as told is refused again."""
    return _throttled(ask, serve, (("retry-after", "1"),))


@fault("ratelimit.completions-streams-untold", breaks="ratelimit.streams")
def streams_of_completions_do_not_tell(ask: Ask, serve: Serve) -> Answer:
    """Streams of legacy completions tell no limits."""
    answer = serve(ask)
    is_meant = ask.path == "/v1/completions" and answer.is_stream
    return _headers(answer, lambda *_: None) if is_meant else answer


@fault("ratelimit.never-back", breaks="ratelimit.reset-true")
def reset_promises_too_much(ask: Ask, serve: Serve) -> Answer:
    """Half of a thousand requests is used and said to be back in 17 ms, where 17 seconds are meant."""
    return _told(serve(ask), 1000, 500 - next(TOLD) % 50, "17ms")
