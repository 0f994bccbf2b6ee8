"""Reading answers that may be streamed: the JSON objects among the events, and the choices in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from wireproof.clause import Event, Exchange, Inconclusive, NotApplicable, Undecodable, parse_json, remembered, shown

from ._reading import as_object, choices_in


class Piece(NamedTuple):
    """A choice of a plain answer, or what one chunk says in a choice. `event` is the chunk's number, `at` a pointer."""

    event: int | None
    at: str
    choice: dict[str, Any]


def is_json(text: str) -> bool:
    try:
        parse_json(text)
    except Undecodable:
        return False
    return True


def read_object(data: str | None) -> dict[str, Any] | None:
    """The JSON object that the data of an event is; None for all else."""
    try:
        value = parse_json(data) if data else None
    except Undecodable:
        return None
    return value if isinstance(value, dict) else None


@remembered
def values_in(exchange: Exchange) -> list[Any]:
    """What the data of each event is as JSON; None where there is no data, and an Undecodable where it is not JSON."""
    return [_value(event.data) for event in exchange.events]


def _value(data: str | None) -> Any:
    try:
        return parse_json(data) if data and data.strip() else None
    except Undecodable as bad:
        return bad


def objects_in(exchange: Exchange) -> Iterator[tuple[int, Event, dict[str, Any]]]:
    """The events whose data is a JSON object, with their numbers."""
    for number, (event, value) in enumerate(zip(exchange.events, values_in(exchange), strict=True)):
        if isinstance(value, dict):
            yield number, event, value


@remembered
def _is_document(exchange: Exchange) -> bool:
    return is_json(exchange.body.decode("utf-8", "replace"))


def framed(exchange: Exchange) -> Iterator[tuple[int, Event]]:
    """The events with their numbers, if the body is a stream at all, whatever its type says."""
    events = exchange.events
    if not events:
        raise Inconclusive("the body is empty")
    if exchange.media_type != "text/event-stream" and _is_document(exchange):
        raise NotApplicable("the answer is one JSON document, not a stream")
    yield from enumerate(events)


def before_done(exchange: Exchange) -> Iterator[tuple[int, Event]]:
    """The events up to [DONE], with their numbers."""
    for number, event in enumerate(exchange.events):
        if event.is_done:
            return
        yield number, event


def bodies(exchange: Exchange) -> Iterator[tuple[int | None, dict[str, Any]]]:
    """The one object of a plain answer, or each of a stream that can be read, with the number of its event."""
    if not exchange.streamed:
        yield None, as_object(exchange.json)
        return
    for number, _, body in objects_in(exchange):
        yield number, body


@remembered
def pieces_of(exchange: Exchange) -> list[Piece]:
    return [Piece(event, at, choice) for event, body in bodies(exchange) for at, choice in choices_in(body)]


@remembered
def by_choice(exchange: Exchange) -> dict[str, list[Piece]]:
    """The pieces of each choice in their order; the key is its `index` as JSON."""
    found: dict[str, list[Piece]] = {}
    for piece in pieces_of(exchange):
        found.setdefault(shown(piece.choice.get("index")), []).append(piece)
    return found


@remembered
def error_in(exchange: Exchange) -> Any:
    """The `error` that an answer holds or a stream broke off with; the official SDK raises it, whatever came before."""
    return next((body["error"] for _, body in bodies(exchange) if body.get("error")), None)
