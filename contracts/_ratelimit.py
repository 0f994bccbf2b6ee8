"""Reading `x-ratelimit-*` headers: what an answer tells of each dimension, and the answers of one bucket."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from wireproof.clause import Evidence, Exchange, NotApplicable, load_spec, remembered

NAME = re.compile(r"x-ratelimit-(limit|remaining|reset)-(requests|tokens|project-tokens)", re.IGNORECASE)
DIGITS = re.compile(r"[0-9]+")
UNIT = re.compile(r"([0-9]+(?:\.[0-9]+)?)(h|ms|m|s|us|µs|ns)")


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


@remembered
def tells_limits(exchange: Exchange) -> bool:
    return any(NAME.fullmatch(name) for name, _ in exchange.headers)


SERVED = Evidence(status="2xx", shows=tells_limits)


def limit_headers(exchange: Exchange) -> Iterator[tuple[str, str, str, str]]:
    """`(name, part, dimension, value)` of each documented rate-limit header, in order."""
    for name, value in exchange.headers:
        found = NAME.fullmatch(name)
        if found:
            yield name.lower(), found[1].lower(), found[2].lower(), value.strip()


@remembered
def told_by(exchange: Exchange) -> Mapping[str, Told]:
    """By dimension, what an answer tells."""
    values: dict[str, dict[str, str]] = {}
    for _, part, dimension, value in limit_headers(exchange):
        values.setdefault(dimension, {}).setdefault(part, value)
    sent_s = exchange.started_unix
    at_s = sent_s + (exchange.ended_at_s if exchange.headers_at_s is None else exchange.headers_at_s)
    ended_s = sent_s + exchange.ended_at_s
    return {
        dimension: Told(
            exchange,
            _integer(found.get("limit", "")),
            _integer(found.get("remaining", "")),
            seconds_in(found.get("reset", "")),
            sent_s,
            at_s,
            ended_s,
        )
        for dimension, found in values.items()
    }


Bucket = tuple[str, str, str]


def by_bucket(exchanges: Iterable[Exchange]) -> Mapping[Bucket, list[Told]]:
    """What answers to generating requests tell, by operation, model and dimension: limits are per model.

    Only with both limit and remaining, and a limit above 0.
    """
    buckets: dict[Bucket, list[Told]] = {}
    for exchange in exchanges:
        model = exchange.request.asked.get("model")
        if exchange.operation is None or not isinstance(model, str):
            continue
        for dimension, told in told_by(exchange).items():
            if told.limit and told.remaining is not None:
                buckets.setdefault((exchange.operation, model, dimension), []).append(told)
    if not buckets:
        raise NotApplicable("no answer tells a limit and what remains of it")
    return buckets


def _integer(value: str) -> int | None:
    return int(value) if DIGITS.fullmatch(value) and len(value) < 19 else None


def seconds_in(value: str) -> float | None:
    """A duration as Go prints it; None when it is none. Units and grammar: `spec/headers.yaml`."""
    grammar = load_spec().catalogue("headers")["duration"]
    if not re.fullmatch(grammar["syntax"], value):
        return None
    units = grammar["seconds"]
    return sum(float(number) * float(units[unit]) for number, unit in UNIT.findall(value))
