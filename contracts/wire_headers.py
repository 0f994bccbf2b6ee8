"""The headers of every answer: it can be traced, and what a header says is well formed, told once, and true.

No probes of its own: these clauses read all traffic. Rate-limit headers are judged in ratelimit.py, content types with
the bodies they are about.
"""

from __future__ import annotations

import email.utils
import re
from collections.abc import Sequence

from wireproof.clause import Exchange, NotApplicable, clause, expect, load_spec, needing, sent, sequence, shown

from ._reading import header_sent

ANY = sent()

# A header that may stand in an answer once: joined with a comma its values mean nothing (RFC 9110 5.3).
SINGLE = re.compile(
    r"content-type|content-length|date|location|retry-after(-ms)?|x-request-id|x-should-retry"
    r"|openai-(processing-ms|version|organization|project)|access-control-allow-(origin|credentials)"
    r"|x-ratelimit-(limit|remaining|reset)-(requests|tokens|project-tokens)",
    re.IGNORECASE,
)

# Of these no value has a comma in it: one that has is two, which somebody on the way has joined.
NEVER_JOINED = ("x-request-id", "openai-version", "access-control-allow-origin", "access-control-allow-credentials")


@clause(
    "wire.request-id",
    level="SHOULD",
    source="DOCS-0715 API overview, debugging requests",
    on=needing(sequence(ANY), "headers"),
)
def answers_can_be_traced(exchanges: Sequence[Exchange]) -> None:
    """Every answer, refusals included, carries an `x-request-id`.

    It is what a client logs, and what a provider's support asks for.
    """
    bare = [exchange for exchange in exchanges if not (exchange.header("x-request-id") or "").strip()]
    some = ", ".join(exchange.id for exchange in bare[:3])
    expect(
        not bare,
        expected="an x-request-id on every answer",
        got=f"none on {len(bare)} of {len(exchanges)}: {some}{', ...' if len(bare) > 3 else ''}",
        at=bare[0].id if bare else "",
    )


@clause(
    "wire.request-id-unique",
    level="MUST",
    source="DOCS-0715 API overview, debugging requests",
    # A recording that filters its headers may have put one word in the place of every id.
    on=needing(sequence(ANY), "headers"),
)
def request_ids_differ(exchanges: Sequence[Exchange]) -> None:
    """No two answers carry the same `x-request-id`."""
    owners: dict[str, Exchange] = {}
    for exchange in exchanges:
        id = (exchange.header("x-request-id") or "").strip()
        if not id or id == header_sent(exchange, "x-request-id"):
            continue
        owner = owners.setdefault(id, exchange)
        expect(owner is exchange, expected=f"another id than that of {owner.id}", got=id, at=exchange.id)
    if not owners:
        raise NotApplicable("no answer carries an x-request-id")


@clause("wire.processing-ms", level="SHOULD", source="DOCS-0715 API overview, debugging requests; CAP-OTEL", on=ANY)
def processing_time_is_a_number(exchange: Exchange) -> None:
    """`openai-processing-ms`, where it is sent, is a whole number of milliseconds and nothing else."""
    value = exchange.header("openai-processing-ms")
    if value is None:
        raise NotApplicable("openai-processing-ms is not sent")
    expect(re.fullmatch(r"[0-9]+", value.strip()) is not None, expected="digits", got=shown(value))


@clause("wire.headers-once", level="SHOULD", source="RFC9110 5.3", on=ANY)
def single_headers_come_once(exchange: Exchange) -> None:
    """A header with one value (content type, request id, rate limits) stands in an answer once.

    A gateway that adds its own to that of its upstream makes clients read `a, b`; browsers refuse an answer whose
    `access-control-allow-origin` is told twice.
    """
    seen: dict[str, str] = {}
    for name, value in exchange.headers:
        if not SINGLE.fullmatch(name):
            continue
        if name.lower() in NEVER_JOINED:
            expect("," not in value, expected=f"one value of {name.lower()}", got=shown(value))
        earlier = seen.get(name.lower())
        expect(earlier is None, expected=f"{name.lower()} once", got=f"{shown(earlier)} and {shown(value)}")
        seen[name.lower()] = value


# Documented headers that other clauses judge.
JUDGED_ELSEWHERE = re.compile(r"content-type|x-request-id|openai-processing-ms|x-ratelimit-.*|retry-after|location")


@clause("wire.header-syntax", level="SHOULD", source="DOCS-0715 API overview, debugging requests; SDK", on=ANY)
def documented_headers_are_well_formed(exchange: Exchange) -> None:
    """A documented header, where it is sent, is written as documented: `openai-version: 2020-10-01`, no empty value.

    A client that reads `x-should-retry: False` or `retry-after-ms: 5s` does something else than was meant.
    """
    judged = False
    for row in load_spec().catalogue("headers")["headers"]:
        name = row["name"]
        if row["direction"] != "response" or JUDGED_ELSEWHERE.fullmatch(name):
            continue
        for value in exchange.headers_named(name):
            judged = True
            expect(
                re.fullmatch(row["syntax"], value.strip()) is not None,
                expected=f"{name} as documented ({row['syntax']})",
                got=shown(value),
            )
    if not judged:
        raise NotApplicable("no such header is sent")


# A date is told in whole seconds, and clocks of servers are seldom set by hand: a day is no skew.
MOST_SKEW_S = 86_400.0
# What a proxy may add to the time that it tells of another server, and a clock to the time between two of its ticks.
SLACK_MS = 1_000.0


@clause(
    "wire.processing-time",
    level="SHOULD",
    source="DOCS-0715 API overview, debugging requests: time taken processing your API request",
    on=needing(ANY, "times"),
)
def processing_takes_no_longer_than_the_answer(exchange: Exchange) -> None:
    """`openai-processing-ms` is the time that the server took: no more than the client waited.

    A larger number is of another unit (microseconds), or a point in time.
    """
    value = (exchange.header("openai-processing-ms") or "").strip()
    if not re.fullmatch(r"[0-9]{1,18}", value):
        raise NotApplicable("openai-processing-ms is not sent, or is no number: wire.processing-ms judges that")
    waited_ms = exchange.ended_at_s * 1000
    expect(int(value) <= waited_ms + SLACK_MS, expected=f"at most the {waited_ms:.0f} ms that it took", got=value)


@clause("wire.date", level="SHOULD", source="RFC9110 5.6.7, 6.6.1", on=needing(ANY, "clock"))
def date_is_a_date(exchange: Exchange) -> None:
    """`date`, where it is sent, is an HTTP date (`Thu, 26 Nov 2026 10:00:00 GMT`) of that day.

    By it clients read a `retry-after` that is a date, and caches how old an answer is.
    """
    value = exchange.header("date")
    if value is None:
        raise NotApplicable("no date is sent")
    told = email.utils.parsedate_tz(value) if re.match(r"\s*[A-Z][a-z]{2,8},", value) else None
    if told is None:
        expect(False, expected="a date such as Thu, 26 Nov 2026 10:00:00 GMT", got=shown(value))
        return
    if exchange.header("age"):
        raise NotApplicable("the answer is from a cache")
    skew_s = abs(email.utils.mktime_tz(told) - exchange.started_unix)
    expect(skew_s <= MOST_SKEW_S, expected="the time of the answer", got=shown(value))
