"""Rate limits as answers tell them: the `x-ratelimit-*` headers on all traffic, and refusals with 429.

No probes of its own. A target that sends no such header makes no promise here, so nothing applies to it.

The laws must hold for whoever shares the account, on a sample of the traffic and with many requests in
flight, so they use only what cannot be otherwise. Other traffic can lower `remaining` at any moment; time alone
raises it, as fast as the shortest published window (a minute) would, or faster where reset says so, or all at
once when a fixed window ends. Requests are in order only when one ended before the next was sent.
"""

from __future__ import annotations

import heapq
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from wireproof.clause import (
    Evidence,
    Exchange,
    NotApplicable,
    Undecodable,
    clause,
    expect,
    load_spec,
    refused,
    sent,
    sequence,
    shown,
)

NAME = re.compile(r"x-ratelimit-(limit|remaining|reset)-(requests|tokens|project-tokens)", re.IGNORECASE)
GENERIC = re.compile(r"(?:x-)?ratelimit(?:-(?:limit|remaining|reset))?", re.IGNORECASE)
PARTS = ("limit", "remaining", "reset")
DIGITS = re.compile(r"[0-9]+")
UNIT = re.compile(r"([0-9]+(?:\.[0-9]+)?)(h|ms|m|s|us|µs|ns)")

WINDOW_S = 60.0  # the shortest window that is published (requests and tokens a minute)
DAY_S = 86_400.0  # the longest
# The header may show the window that binds, a minute's or a day's: two values of one limit are no contradiction.
MOST_LIMITS = 2
FEWEST = 4  # answers; fewer may be the ones around the end of a window
# How much must have been spent beyond what time can have brought back, before `remaining` has to be lower.
SPENT = 4
# Tokens a minute below requests a minute: the request limit could never bind.
MINUTE_AT_MOST_S = 120.0


def _names(exchange: Exchange) -> bool:
    return any(NAME.fullmatch(name) for name, _ in exchange.headers)


LIMITED = sent(shows=_names)
SERVED = Evidence(status="2xx", shows=_names)


@dataclass(frozen=True, slots=True)
class Told:
    """What one answer says of one dimension, at `at_s` (its headers); a value that does not parse is None."""

    exchange: Exchange
    limit: int | None
    remaining: int | None
    reset_s: float | None
    sent_s: float
    at_s: float
    ended_s: float


# ------------------------------------------------------------------------------------------------- syntax


@clause("ratelimit.integers", level="MUST", source="RL-LATE headers table; CAP-OTEL", on=LIMITED)
def limits_are_integers(exchange: Exchange) -> None:
    """`x-ratelimit-limit-*` and `-remaining-*` are whole numbers in digits: no sign, no unit, no window behind.

    `-1` for used up, or `1000;w=60`, becomes an exception or nonsense in the client that counts with it.
    """
    for name, part, _, value in _headers(exchange):
        if part != "reset":
            expect(DIGITS.fullmatch(value) is not None, expected=f"digits in {name}", got=shown(value))


@clause("ratelimit.reset-duration", level="MUST", source="RL-LATE headers table: 1s, 6m0s; CAP-OTEL", on=LIMITED)
def resets_are_durations(exchange: Exchange) -> None:
    """`x-ratelimit-reset-*` is a duration like `1s`, `6m0s` or `20ms`: no bare number, no time of day, no epoch."""
    for name, part, _, value in _headers(exchange):
        if part == "reset":
            expect(_seconds(value) is not None, expected=f"a duration in {name}, as 6m0s", got=shown(value))


@clause("ratelimit.family", level="MUST", source="RL-LATE headers table; DOCS-0715 API overview", on=LIMITED)
def limits_come_complete(exchange: Exchange) -> None:
    """Limit, remaining and reset come together: whoever tells one of them for requests or tokens tells all three.

    A client that paces itself needs all of them, and falls back to guessing when one is missing.
    """
    families: dict[str, set[str]] = {}
    for _, part, dimension, _ in _headers(exchange):
        families.setdefault(dimension, set()).add(part)
    for dimension, parts in families.items():
        missing = [f"x-ratelimit-{part}-{dimension}" for part in PARTS if part not in parts]
        expect(not missing, expected=", ".join(missing), got=f"only {' and '.join(sorted(parts))} of {dimension}")


@clause("ratelimit.names", level="SHOULD", source="RL-LATE headers table; DOCS-0715 API overview", on=sequence(sent()))
def headers_have_the_documented_names(exchanges: Sequence[Exchange]) -> None:
    """Limits are told as `x-ratelimit-limit-requests`, `-tokens` and so on; general names may stand beside them.

    `X-RateLimit-Limit` says neither what is counted nor how reset is meant, and no client of the API reads it.
    """
    general = [(e, name) for e in exchanges for name, _ in e.headers if GENERIC.fullmatch(name)]
    if not general:
        raise NotApplicable("no answer carries rate-limit headers of another name")
    exchange, name = general[0]
    is_beside = any(_names(exchange) for exchange in exchanges)
    expect(is_beside, expected="x-ratelimit-limit-requests and the like", got=f"only {name.lower()}", at=exchange.id)


# ---------------------------------------------------------------------------------------------- arithmetic


@clause("ratelimit.bounds", level="MUST", source="RL-LATE headers table", on=LIMITED)
def remaining_is_within_the_limit(exchange: Exchange) -> None:
    """What remains is never more than the limit."""
    for dimension, told in _told(exchange).items():
        if told.limit is not None and told.remaining is not None:
            expect(
                told.remaining <= told.limit,
                expected=f"x-ratelimit-remaining-{dimension} of at most {told.limit}",
                got=told.remaining,
            )


@clause("ratelimit.kinds", level="MUST", source="RL-LATE: whichever limit is hit first", on=sequence(SERVED))
def requests_and_tokens_are_not_exchanged(exchanges: Sequence[Exchange]) -> None:
    """The numbers under `-requests` count requests and those under `-tokens` tokens, never the other way round.

    Told by a limit of fewer tokens than requests for the same minute: every request costs a token at least.
    """
    seen = False
    for exchange in exchanges:
        told = _told(exchange)
        requests, tokens = told.get("requests"), told.get("tokens")
        if requests is None or tokens is None or not requests.limit or not tokens.limit:
            continue
        seen = True
        if tokens.limit < requests.limit and _is_minutely(requests):
            expect(
                False,
                expected=f"a token limit of {requests.limit} or more, or a request limit of {tokens.limit} or less",
                got=f"{requests.limit} requests and {tokens.limit} tokens a minute",
                at=exchange.id,
            )
    if not seen:
        raise NotApplicable("no answer tells both limits")


def _is_minutely(told: Told) -> bool:
    """Whether reset shows a window of a minute: the time to full again, when less than half is gone."""
    if (
        not told.limit
        or told.remaining is None
        or not told.reset_s
        or not told.limit / 2 <= told.remaining < told.limit
    ):
        return False
    return told.reset_s * told.limit / (told.limit - told.remaining) <= MINUTE_AT_MOST_S


@clause("ratelimit.limit-constant", level="SHOULD", source="RL-LATE: limits are set per model", on=sequence(SERVED))
def limits_stay_the_same(exchanges: Sequence[Exchange]) -> None:
    """The limit for a model stays what it is from answer to answer; a minute's and a day's may take turns."""
    for (_, model, dimension), answers in _by_bucket(exchanges).items():
        limits = dict.fromkeys(told.limit for told in answers)
        expect(
            len(limits) <= MOST_LIMITS,
            expected=f"one x-ratelimit-limit-{dimension} for {model}",
            got=f"{len(limits)} of them: {', '.join(map(str, list(limits)[:4]))}",
            at=answers[-1].exchange.id,
        )


@clause("ratelimit.falls", level="MUST", source="RL-LATE headers table: remaining", on=sequence(SERVED))
def remaining_falls_with_use(exchanges: Sequence[Exchange]) -> None:
    """What remains falls with every request that is served, and rises again with time alone.

    Judged where it can be: when more requests were served than time can have given back, or when a bucket is
    said to be full and to need time to be full at once.
    """
    judged = False
    for (_, model, dimension), answers in _by_bucket(exchanges).items():
        if len(answers) < FEWEST or any(told.limit != answers[0].limit for told in answers):
            continue
        if _fell(answers):
            judged = True
            continue
        proof = _idle_proof(answers) or (_spent_proof(answers) if dimension == "requests" else None)
        if proof:
            values = ", ".join(str(told.remaining) for told in answers[:6])
            expect(
                False,
                expected=f"x-ratelimit-remaining-{dimension} of {model} to fall: {proof}",
                got=f"{values}{', ...' if len(answers) > 6 else ''}",
                at=answers[-1].exchange.id,
            )
    if not judged:
        raise NotApplicable("too few requests, or limits so high that time gave everything back between two of them")


def _idle_proof(answers: Sequence[Told]) -> str | None:
    """All say: nothing used, and yet full again only later.

    A bucket that is full says 0s. A fixed window may have time left though nothing is used, but then an
    answer that began after another one ended must show the other's use.
    """
    if any(told.remaining != told.limit or not told.reset_s for told in answers):
        return None
    later = sum(told.sent_s >= min(one.ended_s for one in answers) for told in answers)
    return f"{len(answers)} served, all with the whole {answers[0].limit} left" if later >= FEWEST - 1 else None


def _spent_proof(answers: Sequence[Told]) -> str | None:
    """Two answers with so many served in between that the later one must show less."""
    rate = _rate(answers)
    if rate is None:
        return None
    ends = sorted(told.ended_s for told in answers)
    starts = sorted(told.sent_s for told in answers)
    least, ended, begun, first = float("inf"), 0, 0, 0
    by_end = sorted(answers, key=lambda told: told.ended_s)
    for told in sorted(answers, key=lambda told: told.sent_s):
        while first < len(by_end) and by_end[first].ended_s <= told.sent_s:
            earlier = by_end[first]
            while begun < len(starts) and starts[begun] < earlier.ended_s:
                begun += 1
            least = min(least, begun - rate * earlier.sent_s)
            first += 1
        while ended < len(ends) and ends[ended] <= told.sent_s:
            ended += 1
        spent = ended - rate * told.at_s - least
        if spent >= SPENT:
            return f"{int(spent)} more served than time can have given back"
    return None


def _rate(answers: Sequence[Told]) -> float | None:
    """How many units of the limit a second may give back at most; None when no bound can be told.

    At least that of a window of a minute. Where reset is the time to a full bucket, what is used over reset is
    the true rate; where it is the end of a fixed window, it is the rate at which that one frees its units.
    """
    rates = [(answers[0].limit or 0) / WINDOW_S]
    for told in answers:
        used = (told.limit or 0) - (told.remaining or 0)
        if told.reset_s is not None and used > 0:
            if told.reset_s == 0:
                return None
            rates.append(used / told.reset_s)
    return max(rates)


def _fell(answers: Sequence[Told]) -> bool:
    """Whether some answer shows less than one that had ended before it was asked for."""
    waiting: list[tuple[float, int]] = []
    most = -1
    for told in sorted(answers, key=lambda told: told.sent_s):
        while waiting and waiting[0][0] <= told.sent_s:
            most = max(most, heapq.heappop(waiting)[1])
        remaining = told.remaining or 0
        if remaining < most:
            return True
        heapq.heappush(waiting, (told.ended_s, remaining))
    return False


@clause(
    "ratelimit.reset", level="SHOULD", source="RL-LATE headers table: time until the limit resets", on=sequence(SERVED)
)
def resets_are_within_a_day(exchanges: Sequence[Exchange]) -> None:
    """Reset is the time until all is there again: no more than a day, and not nothing while a good part is used.

    The windows are a minute and a day; a reset in the far future is a point in time that was written as a duration.
    """
    for (_, _, dimension), answers in _by_bucket(exchanges).items():
        known = [told for told in answers if told.reset_s is not None]
        for told in known:
            expect(
                (told.reset_s or 0) <= DAY_S,
                expected=f"x-ratelimit-reset-{dimension} of at most 24h",
                got=shown(told.exchange.header(f"x-ratelimit-reset-{dimension}")),
                at=told.exchange.id,
            )
        used = [told for told in known if _used_s(told) >= 1]
        expect(
            len(used) < FEWEST or any(told.reset_s for told in used),
            expected=f"x-ratelimit-reset-{dimension} above 0s while a part of the limit is used",
            got=f"0s on {len(used)} answers",
            at=used[0].exchange.id if used else "",
        )


def _used_s(told: Told) -> float:
    """How many seconds it takes at least to get back what is used."""
    return ((told.limit or 0) - (told.remaining or 0)) * WINDOW_S / (told.limit or 1)


@clause("ratelimit.enforced", level="MUST", source="RL-LATE: requests over the limit are refused", on=sequence(SERVED))
def limits_are_kept(exchanges: Sequence[Exchange]) -> None:
    """Nobody is served beyond the limit that the headers tell.

    A bucket lets through its limit at once and then what time gives back; a fixed window twice the limit around
    its end. More than that, or several after `remaining: 0`, means that the limit is only written down.
    """
    for (_, model, dimension), answers in _by_bucket(exchanges).items():
        limit = answers[0].limit
        if dimension != "requests" or any(told.limit != limit for told in answers) or not limit:
            continue
        answers = sorted(answers, key=lambda told: told.sent_s)
        rate = _rate(answers)
        if rate is None:
            continue
        span_s = max(told.at_s for told in answers) - answers[0].sent_s
        most = 2 * limit + rate * span_s
        expect(
            len(answers) <= most,
            expected=f"at most {int(most)} requests to {model} served in {span_s:.1f} s by a limit of {limit}",
            got=f"{len(answers)} served",
            at=answers[-1].exchange.id,
        )
        empty = next((told for told in answers if told.remaining == 0 and told.reset_s), None)
        if empty is None:
            continue
        after = [one for one in answers if empty.ended_s <= one.sent_s and one.at_s < empty.at_s + (empty.reset_s or 0)]
        allowed = 1 + rate * ((after[-1].at_s - empty.sent_s) if after else 0)
        expect(
            len(after) <= allowed,
            expected=f"a 429 after {empty.exchange.id} told that 0 requests remain for {_shown_s(empty.reset_s)}",
            got=f"{len(after)} more served",
            at=after[-1].exchange.id if after else "",
        )


def _shown_s(seconds: float | None) -> str:
    return f"{seconds or 0:g} s"


@clause(
    "ratelimit.streams",
    level="SHOULD",
    source="CAP-OTEL streaming: sent with the 200",
    on=sequence(Evidence(status="2xx")),
)
def streams_tell_the_limits_too(exchanges: Sequence[Exchange]) -> None:
    """A stream carries the same rate-limit headers as a plain answer of the same operation and model."""
    told: dict[tuple[str, str], dict[bool, list[Exchange]]] = {}
    for exchange in exchanges:
        model = exchange.request.asked.get("model")
        if exchange.operation and isinstance(model, str):
            kinds = told.setdefault((exchange.operation, model), {True: [], False: []})
            kinds[exchange.streamed].append(exchange)
    compared = False
    for kinds in told.values():
        streams, plain = ([_dimensions(exchange) for exchange in kinds[streamed]] for streamed in (True, False))
        if not streams or not plain or not any([*streams, *plain]):
            continue
        compared = True
        for own, other, how, streamed in ((streams, plain, "streams", True), (plain, streams, "plain answers", False)):
            never = frozenset.intersection(*other) - frozenset.union(*own)
            expect(
                not never,
                expected=f"x-ratelimit-limit-{min(never, default='')} and the like on {how} as well",
                got=f"none on {len(kinds[streamed])} {how}",
                at=kinds[streamed][0].id,
            )
    if not compared:
        raise NotApplicable("no operation was answered both ways with rate-limit headers")


def _dimensions(exchange: Exchange) -> frozenset[str]:
    return frozenset(dimension for _, _, dimension, _ in _headers(exchange))


# --------------------------------------------------------------------------------------------------- 429

TOO_MANY = refused(status="429")
# Rows of spec/errors.yaml; waiting cures the first kind, the user's purse the second.
CURED_BY_WAITING = ("rate-limited", "ramp-too-fast")
CURED_BY_PAYING = ("credit-exhausted", "spend-limit")


def _codes(rows: Iterable[str]) -> list[str]:
    catalogue = load_spec().catalogue("errors")["rows"]
    return [code for row in catalogue if row["id"] in rows for code in row.get("code", ())]


@clause("ratelimit.code", level="MUST", source="ERR-LATE 429: code tells billing from throttling; RL-LATE", on=TOO_MANY)
def too_many_has_a_code(exchange: Exchange) -> None:
    """The `code` of a 429 says what ran out: `rate_limit_exceeded`, `slow_down`, or one of credit and spend limits.

    By it a client knows whether to wait or to wake somebody up; without it, it retries an empty account for hours.
    """
    try:
        code = exchange.json["error"].get("code")
    except (Undecodable, LookupError, TypeError, AttributeError):
        raise NotApplicable("the answer has no error object: errors.envelope judges that") from None
    known = _codes((*CURED_BY_WAITING, *CURED_BY_PAYING))
    expect(
        code in known, expected=f"code {known[0]}, or another of the documented ones", got=shown(code), at="/error/code"
    )


@clause("ratelimit.retry-after", level="SHOULD", source="SPEC TooManyRequests.headers; RL-LATE", on=TOO_MANY)
def too_many_says_how_long(exchange: Exchange) -> None:
    """A 429 that waiting can cure says in `Retry-After` how long to wait."""
    if _code(exchange) in _codes(CURED_BY_PAYING) or exchange.header("x-should-retry") == "false":
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


@clause("ratelimit.retry-after-holds", level="SHOULD", source="RL-LATE: minimum wait", on=sequence(sent()))
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


def _code(exchange: Exchange) -> object:
    try:
        return exchange.json["error"]["code"]
    except (Undecodable, LookupError, TypeError):
        return None


# ------------------------------------------------------------------------------------------------ reading


def _headers(exchange: Exchange) -> Iterator[tuple[str, str, str, str]]:
    """`(name, part, dimension, value)` of each documented rate-limit header, in order."""
    for name, value in exchange.headers:
        found = NAME.fullmatch(name)
        if found:
            yield name.lower(), found[1].lower(), found[2].lower(), value.strip()


def _told(exchange: Exchange) -> Mapping[str, Told]:
    """By dimension, what an answer tells."""
    values: dict[str, dict[str, str]] = {}
    for _, part, dimension, value in _headers(exchange):
        values.setdefault(dimension, {}).setdefault(part, value)
    sent_s = exchange.started_unix
    at_s = sent_s + (exchange.ended_at_s if exchange.headers_at_s is None else exchange.headers_at_s)
    ended_s = sent_s + exchange.ended_at_s
    return {
        dimension: Told(
            exchange,
            _integer(found.get("limit", "")),
            _integer(found.get("remaining", "")),
            _seconds(found.get("reset", "")),
            sent_s,
            at_s,
            ended_s,
        )
        for dimension, found in values.items()
    }


Bucket = tuple[str, str, str]


def _by_bucket(exchanges: Iterable[Exchange]) -> Mapping[Bucket, list[Told]]:
    """What answers to generating requests tell, by operation, model and dimension: limits are per model.

    Only with both limit and remaining, and a limit above 0.
    """
    buckets: dict[Bucket, list[Told]] = {}
    for exchange in exchanges:
        model = exchange.request.asked.get("model")
        if exchange.operation is None or not isinstance(model, str):
            continue
        for dimension, told in _told(exchange).items():
            if told.limit and told.remaining is not None:
                buckets.setdefault((exchange.operation, model, dimension), []).append(told)
    if not buckets:
        raise NotApplicable("no answer tells a limit and what remains of it")
    return buckets


def _integer(value: str) -> int | None:
    return int(value) if DIGITS.fullmatch(value) and len(value) < 19 else None


def _seconds(value: str) -> float | None:
    """A duration as Go prints it; None when it is none. Units and grammar: `spec/headers.yaml`."""
    grammar = load_spec().catalogue("headers")["duration"]
    if not re.fullmatch(grammar["syntax"], value):
        return None
    units = grammar["seconds"]
    return sum(float(number) * float(units[unit]) for number, unit in UNIT.findall(value))
