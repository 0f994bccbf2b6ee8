"""Reading streamed chat: its chunks, what they say in each choice, and the symbols that automata take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wireproof.clause import Event, Exchange, Inconclusive, Symbol, shown

from ._chat import delta_of, ends, increments
from ._reading import choices_in
from ._stream import Piece, before_done, is_json, read_object


def _objects(exchange: Exchange) -> Iterator[tuple[int, Event, dict[str, Any]]]:
    """The JSON objects up to [DONE], with the numbers of their events. What else is there is sse.py's business."""
    for number, event in before_done(exchange):
        value = read_object(event.data)
        if value is not None:
            yield number, event, value


def _is_error(event: Event, value: dict[str, Any]) -> bool:
    return bool(value.get("error")) or (event.name == "error" and "choices" not in value)


def error_event(exchange: Exchange) -> tuple[int, dict[str, Any]] | None:
    return next(((at, value) for at, event, value in _objects(exchange) if _is_error(event, value)), None)


def readable_chunks(exchange: Exchange, *, aside: bool = True) -> list[tuple[int, dict[str, Any]]]:
    """The chunks of a stream, without errors and without events of other kinds (`event: ping`).

    `aside=False` leaves out chunks that have neither choices nor usage: reports of content filters, whose id
    and model may be empty.
    """
    return [
        (number, value)
        for number, event, value in _objects(exchange)
        if not _is_error(event, value)
        and (event.name in (None, "", "message") or "choices" in value)
        and (aside or value.get("choices") != [] or value.get("usage"))
    ]


def chunks_of(exchange: Exchange, *, aside: bool = True) -> list[tuple[int, dict[str, Any]]]:
    """The same; Inconclusive when an event is not JSON, for what it says may be what a clause would miss."""
    chunks = readable_chunks(exchange, aside=aside)
    if not any(event.data for event in exchange.events):
        raise Inconclusive("no chunk could be read")
    for number, event in enumerate(exchange.events):
        if event.data and event.data.strip() and not event.is_done and not is_json(event.data):
            raise Inconclusive(f"event {number} is not JSON")
    return chunks


def said_in(exchange: Exchange) -> Iterator[Piece]:
    """What the chunks say, each in one choice."""
    for number, chunk in chunks_of(exchange):
        for at, choice in choices_in(chunk):
            yield Piece(number, at, choice)


def index_of(choice: dict[str, Any]) -> int:
    """0 when there is none that could be read: that is another clause's finding."""
    index = choice.get("index")
    return index if isinstance(index, int) else 0


def last_event(exchange: Exchange) -> int | None:
    return len(exchange.events) - 1 if exchange.events else None


def symbols_of(exchange: Exchange) -> Iterator[Symbol]:
    """The stream as the automata read it; in one chunk first the role, then content, then finish."""
    for number, chunk in chunks_of(exchange):
        for _, choice in choices_in(chunk):
            index, delta = index_of(choice), delta_of(choice)
            role = delta.get("role")
            if role is not None:
                name = "role assistant" if role == "assistant" else "other role"
                yield Symbol(name, number, index, f"role {shown(role)}")
            for increment in increments(choice):
                yield Symbol("content", number, index, f"{increment} {shown(delta[increment])}")
            if ends(choice):
                yield Symbol("finish", number, index, f"finish_reason {shown(choice['finish_reason'])}")
