"""Rate limits as answers tell them: the `x-ratelimit-*` headers, how they are written and that they fit together.

No probes of its own. A target that sends no such header makes no promise here, so nothing applies to it. How the
numbers follow use is judged in ratelimit_use.py, refusals with 429 in ratelimit_throttled.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from wireproof.clause import Evidence, Exchange, NotApplicable, answered, clause, expect, needing, sent, sequence, shown

from ._ratelimit import DIGITS, SERVED, Told, by_bucket, limit_headers, seconds_in, tells_limits, told_by

GENERIC = re.compile(r"(?:x-)?ratelimit(?:-(?:limit|remaining|reset))?", re.IGNORECASE)
PARTS = ("limit", "remaining", "reset")
# The header may show the window that binds, a minute's or a day's: two values of one limit are no contradiction.
MOST_LIMITS = 2
# Tokens a minute below requests a minute: the request limit could never bind.
MINUTE_AT_MOST_S = 120.0

LIMITED = sent(shows=tells_limits)
GENERATED = answered("createChatCompletion", "createCompletion", "createEmbedding", "createResponse")

# ------------------------------------------------------------------------------------------------- syntax


@clause("ratelimit.integers", level="MUST", source="RL-LATE headers table; CAP-OTEL", on=LIMITED)
def limits_are_integers(exchange: Exchange) -> None:
    """`x-ratelimit-limit-*` and `-remaining-*` are whole numbers in digits: no sign, no unit, no window behind.

    `-1` for used up, or `1000;w=60`, becomes an exception or nonsense in the client that counts with it.
    """
    for name, part, _, value in limit_headers(exchange):
        if part != "reset":
            expect(DIGITS.fullmatch(value) is not None, expected=f"digits in {name}", got=shown(value))


@clause("ratelimit.reset-duration", level="MUST", source="RL-LATE headers table: 1s, 6m0s; CAP-OTEL", on=LIMITED)
def resets_are_durations(exchange: Exchange) -> None:
    """`x-ratelimit-reset-*` is a duration like `1s`, `6m0s` or `20ms`: no bare number, no time of day, no epoch."""
    for name, part, _, value in limit_headers(exchange):
        if part == "reset":
            expect(seconds_in(value) is not None, expected=f"a duration in {name}, as 6m0s", got=shown(value))


@clause(
    "ratelimit.family",
    level="MUST",
    source="RL-LATE headers table; DOCS-0715 API overview",
    on=needing(LIMITED, "headers"),
)
def limits_come_complete(exchange: Exchange) -> None:
    """Limit, remaining and reset come together: whoever tells one of them for requests or tokens tells all three.

    A client that paces itself needs all of them, and falls back to guessing when one is missing.
    """
    families: dict[str, set[str]] = {}
    for _, part, dimension, _ in limit_headers(exchange):
        families.setdefault(dimension, set()).add(part)
    for dimension, parts in families.items():
        missing = [f"x-ratelimit-{part}-{dimension}" for part in PARTS if part not in parts]
        expect(not missing, expected=", ".join(missing), got=f"only {' and '.join(sorted(parts))} of {dimension}")


@clause(
    "ratelimit.names",
    level="SHOULD",
    source="RL-LATE headers table; DOCS-0715 API overview",
    on=needing(sequence(sent()), "clock", "sequence"),
)
def headers_have_the_documented_names(exchanges: Sequence[Exchange]) -> None:
    """Limits are told as `x-ratelimit-limit-requests`, `-tokens` and so on; general names may stand beside them.

    `X-RateLimit-Limit` says neither what is counted nor how reset is meant, and no client of the API reads it.
    """
    general = list(_general_names(exchanges))
    if not general:
        raise NotApplicable("no answer carries rate-limit headers of another name")
    exchange, name = general[0]
    is_beside = any(tells_limits(exchange) for exchange in exchanges)
    expect(is_beside, expected="x-ratelimit-limit-requests and the like", got=f"only {name.lower()}", at=exchange.id)


def _general_names(exchanges: Sequence[Exchange]) -> Iterator[tuple[Exchange, str]]:
    return ((e, name) for e in exchanges for name, _ in e.headers if GENERIC.fullmatch(name))


@clause(
    "ratelimit.told",
    level="MAY",
    source="RL-LATE headers table; DOCS-0715 API overview",
    on=needing(sequence(GENERATED), "clock", "sequence"),
)
def limits_are_told(exchanges: Sequence[Exchange]) -> None:
    """A backend that limits its callers tells them: some answer to a generating request carries `x-ratelimit-*`.

    One without limits has nothing to tell, and no finding here is a breach. But who has limits and tells none leaves
    every client to find out by being refused. Whether the names are the documented ones is judged elsewhere.
    """
    is_told = any(tells_limits(exchange) for exchange in exchanges) or any(_general_names(exchanges))
    expect(is_told, expected="x-ratelimit-limit-requests and the like", got=f"none on {len(exchanges)} answers")


# --------------------------------------------------------------------------------------------- agreement


@clause("ratelimit.bounds", level="MUST", source="RL-LATE headers table", on=LIMITED)
def remaining_is_within_the_limit(exchange: Exchange) -> None:
    """What remains is never more than the limit."""
    for dimension, told in told_by(exchange).items():
        if told.limit is not None and told.remaining is not None:
            expect(
                told.remaining <= told.limit,
                expected=f"x-ratelimit-remaining-{dimension} of at most {told.limit}",
                got=told.remaining,
            )


@clause(
    "ratelimit.kinds",
    level="MUST",
    source="RL-LATE: whichever limit is hit first",
    on=needing(sequence(SERVED), "clock", "sequence"),
)
def requests_and_tokens_are_not_exchanged(exchanges: Sequence[Exchange]) -> None:
    """The numbers under `-requests` count requests and those under `-tokens` tokens, never the other way round.

    Told by a limit of fewer tokens than requests for the same minute: every request costs a token at least.
    """
    seen = False
    for exchange in exchanges:
        told = told_by(exchange)
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


@clause(
    "ratelimit.limit-constant",
    level="SHOULD",
    source="RL-LATE: limits are set per model",
    on=needing(sequence(SERVED), "clock", "sequence"),
)
def limits_stay_the_same(exchanges: Sequence[Exchange]) -> None:
    """The limit for a model stays what it is from answer to answer; a minute's and a day's may take turns."""
    for (_, model, dimension), answers in by_bucket(exchanges).items():
        limits = dict.fromkeys(told.limit for told in answers)
        expect(
            len(limits) <= MOST_LIMITS,
            expected=f"one x-ratelimit-limit-{dimension} for {model}",
            got=f"{len(limits)} of them: {', '.join(map(str, list(limits)[:4]))}",
            at=answers[-1].exchange.id,
        )


@clause(
    "ratelimit.streams",
    level="SHOULD",
    source="CAP-OTEL streaming: sent with the 200",
    on=needing(sequence(Evidence(status="2xx")), "clock", "sequence"),
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
    return frozenset(dimension for _, _, dimension, _ in limit_headers(exchange))
