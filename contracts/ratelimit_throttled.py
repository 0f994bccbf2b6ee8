"""Refusals with 429: what ran out, and how long to wait.

No probes of its own. The headers that tell limits before it comes to that are judged in ratelimit.py.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise

from wireproof.clause import Exchange, NotApplicable, clause, expect, needing, refused, sent, sequence, shown

from ._errors import error_row, error_told
from ._reading import error_of

TOO_MANY = refused(status="429")
# Rows of spec/errors.yaml; waiting cures the first kind, the user's purse the second.
CURED_BY_WAITING = ("rate-limited", "ramp-too-fast")
CURED_BY_PAYING = ("credit-exhausted", "spend-limit")


def _codes(rows: Iterable[str]) -> list[str]:
    return [code for row in rows for code in error_row(row).get("code", ())]


@clause("ratelimit.code", level="MUST", source="ERR-LATE 429: code tells billing from throttling; RL-LATE", on=TOO_MANY)
def too_many_has_a_code(exchange: Exchange) -> None:
    """The `code` of a 429 says what ran out: `rate_limit_exceeded`, `slow_down`, or one of credit and spend limits.

    By it a client knows whether to wait or to wake somebody up; without it, it retries an empty account for hours.
    """
    code = error_told(exchange).get("code")
    known = _codes((*CURED_BY_WAITING, *CURED_BY_PAYING))
    expect(
        code in known, expected=f"code {known[0]}, or another of the documented ones", got=shown(code), at="/error/code"
    )


@clause("ratelimit.retry-after", level="SHOULD", source="SPEC TooManyRequests.headers; RL-LATE", on=TOO_MANY)
def too_many_says_how_long(exchange: Exchange) -> None:
    """A 429 that waiting can cure says in `Retry-After` how long to wait.

    Whole seconds, rounded up. Without it clients retry at once, and all together.
    """
    if error_of(exchange).get("code") in _codes(CURED_BY_PAYING) or exchange.header("x-should-retry") == "false":
        raise NotApplicable("waiting cures no empty account, and nothing that is too large")
    expect(exchange.header("retry-after") is not None, expected="a Retry-After", got="none")


@clause("ratelimit.retry-after-seconds", level="MUST", source="SPEC TooManyRequests: integer, at least 1", on=TOO_MANY)
def waits_are_whole_seconds(exchange: Exchange) -> None:
    """`Retry-After` on a 429 is a whole number of seconds, 1 or more.

    With 0 a client comes back at once and is refused again, until its retries are used up.
    """
    value = exchange.header("retry-after")
    if value is None:
        raise NotApplicable("no Retry-After: ratelimit.retry-after judges that")
    expect(_wait_s(exchange) is not None, expected="seconds in digits, 1 or more", got=shown(value))


@clause(
    "ratelimit.retry-after-holds",
    level="SHOULD",
    source="RL-LATE: minimum wait",
    on=needing(sequence(sent()), "clock", "sequence"),
)
def waiting_as_told_is_enough(exchanges: Sequence[Exchange]) -> None:
    """Who waits as long as `Retry-After` says, and asks again before anybody else, is not refused with 429 again."""
    attempts: dict[tuple[str, int], list[Exchange]] = {}
    for exchange in exchanges:
        attempts.setdefault((exchange.probe, exchange.step), []).append(exchange)
    starts = sorted(exchange.started_unix for exchange in exchanges)
    waited = False
    for tries in attempts.values():
        for one, again in pairwise(sorted(tries, key=lambda e: e.attempt)):
            wait_s = _wait_s(one) if one.status == 429 else None
            told = one.started_unix + one.ended_at_s
            if wait_s is None or again.attempt != one.attempt + 1 or again.started_unix < told + wait_s:
                continue
            if _sent_between(starts, told, again):
                continue
            waited = True
            expect(again.status != 429, expected=f"an answer after {wait_s} s", got="429 again", at=again.id)
    if not waited:
        raise NotApplicable("no request was asked again after a wait, undisturbed")


def _sent_between(starts: Sequence[float], told_s: float, again: Exchange) -> bool:
    """Whether another request was sent between a refusal and the answer to its next attempt."""
    until_s = again.started_unix + (again.headers_at_s or again.ended_at_s)
    return bisect_left(starts, until_s) - bisect_right(starts, told_s) > 1


def _wait_s(exchange: Exchange) -> int | None:
    """Seconds of a valid Retry-After."""
    value = (exchange.header("retry-after") or "").strip()
    return int(value) if re.fullmatch(r"0*[1-9][0-9]{0,8}", value) else None
