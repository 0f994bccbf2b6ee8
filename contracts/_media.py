"""What requests for pictures, sounds and verdicts have in common: refusals, streams and their ends, sums of usage."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from wireproof.clause import Exchange, Inconclusive, NotApplicable, Undecodable, expect

from ._errors import error_told, seen, set_aside
from ._reading import as_count, as_object
from ._stream import objects_in, read_object

# A backend without the operation, or without the model that the probe names.
NOT_SERVED = (404, 405, 501)
STREAM_TYPE = "text/event-stream"


def is_ok(exchange: Exchange) -> bool:
    return exchange.trouble is None and exchange.status is not None and 200 <= exchange.status < 300


def is_refused(exchange: Exchange) -> bool:
    """Whether the request itself was not taken: another one may be."""
    return exchange.trouble is None and exchange.status in (400, 404, 415, 422)


# ----------------------------------------------------------------------------------------------- refusals


def expect_refused(exchange: Exchange, why: str) -> None:
    """A 4xx. What is not served at all, or throttled, says nothing about the mistake."""
    set_aside(exchange)
    if exchange.status in NOT_SERVED:
        raise NotApplicable(f"not served: {seen(exchange)}")
    expect(400 <= (exchange.status or 0) < 500, expected=f"a 4xx: {why}", got=seen(exchange), at=f"{exchange.id} ")


def expect_each_refused(
    exchanges: Sequence[Exchange], is_wrong: Callable[[Exchange], object], why: Callable[[Exchange], str]
) -> None:
    """Each of the exchanges that `is_wrong` is refused with a 4xx.

    A server error is a finding only where others of them are served: a gateway with nothing behind it fails always.
    """
    wrong = [exchange for exchange in exchanges if is_wrong(exchange)]
    if not wrong:
        raise NotApplicable("no such request was sent")
    is_served = any(map(is_ok, exchanges))
    for exchange in wrong:
        if (exchange.status or 0) >= 500 and not is_served:
            raise NotApplicable(f"nothing is served: {seen(exchange)}")
        expect_refused(exchange, why(exchange))


def expect_named(exchange: Exchange, fields: Sequence[str]) -> None:
    """The `param` of a refusal is one of the fields that are wrong, or a place in one."""
    error = error_told(exchange)
    param = error.get("param")
    root = param.partition(".")[0].partition("[")[0] if isinstance(param, str) else param
    expect(root in fields, expected=f"param {' or '.join(fields)}", got=error.get("param"), at="/error/param")


# ------------------------------------------------------------------------------------------------- streams


def streams(exchange: Exchange) -> bool:
    """Whether the answer is an event stream, by its type or by its first bytes."""
    return exchange.media_type == STREAM_TYPE or exchange.wire.lstrip()[:6].startswith((b"data:", b"event:"))


def plain(exchange: Exchange) -> bool:
    return not streams(exchange)


def events_in(exchange: Exchange) -> Iterator[tuple[int, dict[str, Any]]]:
    """The JSON objects of a stream with the numbers of their events; the end mark of other streams is none."""
    for number, event, body in objects_in(exchange):
        if not event.unfinished:
            yield number, body


def told_events(exchange: Exchange) -> list[tuple[int, dict[str, Any]]]:
    """The same as a list. Inconclusive when the stream broke off with an error, which is told by others."""
    found = list(events_in(exchange))
    broken = next((body["error"] for _, body in found if body.get("error") and "type" not in body), None)
    if broken is not None or any(body.get("type") == "error" for _, body in found):
        raise Inconclusive(f"the stream broke off with an error: {broken}")
    return found


def expect_events_of_json(exchange: Exchange) -> None:
    """Every event is a JSON object; comments and the end mark of other streams are let pass."""
    for number, event in enumerate(exchange.events):
        if event.data and not event.is_done:
            held = read_object(event.data) is not None
            expect(held, expected="a JSON object as data", got=event.data[:120], event=number)


def expect_closed(exchange: Exchange, done: str) -> None:
    """Exactly one event `done`, and none after it."""
    found = told_events(exchange)
    places = [place for place, (_, body) in enumerate(found) if body.get("type") == done]
    last = found[-1][0] if found else None
    expect(len(places) == 1, expected=f"one event {done}", got=f"{len(places)} among {len(found)} events", event=last)
    after = found[places[0] + 1 :]
    expect(not after, expected=f"nothing after {done}", got=str(after[0][1].get("type")) if after else "", event=last)


# --------------------------------------------------------------------------------------------------- usage


def expect_sum(usage: dict[str, Any], whole: str, parts: Sequence[str], at: str, event: int | None = None) -> None:
    """`whole` is the sum of `parts`, where all of them are told as whole numbers that are not negative."""
    counts = {name: as_count(usage.get(name)) for name in (whole, *parts)}
    for name, count in counts.items():
        expect(count is None or count >= 0, expected=f"{name} of 0 or more", got=count, at=f"{at}/{name}", event=event)
    told = [count for count in counts.values() if count is not None]
    if len(told) < len(counts):
        return
    wanted = sum(told[1:])
    expect(told[0] == wanted, expected=f"{' + '.join(parts)} = {wanted}", got=told[0], at=f"{at}/{whole}", event=event)


def expect_details(usage: dict[str, Any], whole: str, details: str, at: str, event: int | None = None) -> None:
    """The counts of text, audio and pictures among `details` add up to `whole`, where both kinds are told."""
    parts = as_object(usage.get(details))
    counts = {name: count for name, value in parts.items() if (count := as_count(value)) is not None}
    split = {name: count for name, count in counts.items() if name in ("text_tokens", "audio_tokens", "image_tokens")}
    total = as_count(usage.get(whole))
    if total is None or len(split) < 2:
        return
    expect(
        sum(split.values()) == total,
        expected=f"{' + '.join(split)} = {whole} {total}",
        got=f"{sum(split.values())}",
        at=f"{at}/{details}",
        event=event,
    )


def said(body: Any) -> Any:
    """An object without the keys that are null: common servers write null for what they leave out."""
    return {name: value for name, value in body.items() if value is not None} if isinstance(body, dict) else body


def json_or_none(exchange: Exchange) -> Any:
    try:
        return exchange.json
    except Undecodable:
        return None
