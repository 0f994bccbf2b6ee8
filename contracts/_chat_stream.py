"""Reading streamed chat: its chunks, what they say in each choice, and the symbols that automata take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wireproof.clause import Event, Exchange, Inconclusive, Symbol, Undecodable, remembered, shown

from ._chat import delta_of, ends, increments
from ._reading import choices_in
from ._stream import Piece, objects_in, values_in


def _objects(exchange: Exchange) -> Iterator[tuple[int, Event, dict[str, Any]]]:
    """The JSON objects up to [DONE], with the numbers of their events. What else is there is sse.py's business."""
    done = next((number for number, event in enumerate(exchange.events) if event.is_done), len(exchange.events))
    return (told for told in objects_in(exchange) if told[0] < done)


def _is_error(event: Event, value: dict[str, Any]) -> bool:
    return bool(value.get("error")) or (event.name == "error" and "choices" not in value)


def error_event(exchange: Exchange) -> tuple[int, dict[str, Any]] | None:
    return next(((at, value) for at, event, value in _objects(exchange) if _is_error(event, value)), None)


Chunks = list[tuple[int, dict[str, Any]]]


def readable_chunks(exchange: Exchange, *, aside: bool = True) -> Chunks:
    """The chunks of a stream, without errors and without events of other kinds (`event: ping`).

    `aside=False` leaves out chunks that have neither choices nor usage: reports of content filters, whose id
    and model may be empty.
    """
    chunks = _chunks(exchange)
    return [pair for pair in chunks if aside or pair[1].get("choices") != [] or pair[1].get("usage")]


@remembered
def _chunks(exchange: Exchange) -> Chunks:
    return [
        (number, value)
        for number, event, value in _objects(exchange)
        if not _is_error(event, value)
        and (event.name in (None, "", "message") or "choices" in value)
        and not _is_annotation(value)
    ]


def _is_annotation(value: dict[str, Any]) -> bool:
    """A late report of Azure's asynchronous content filter on text that has come: no id, no delta, offsets into it.

    Source: learn.microsoft.com/azure, content streaming, sample of asynchronous mode.
    """
    choices = [choice for _, choice in choices_in(value)]
    return not value.get("id") and bool(choices) and all("content_filter_offsets" in choice for choice in choices)


def chunks_of(exchange: Exchange, *, aside: bool = True) -> Chunks:
    """The same; Inconclusive when an event is not JSON, for what it says may be what a clause would miss."""
    chunks = readable_chunks(exchange, aside=aside)
    if not any(event.data for event in exchange.events):
        raise Inconclusive("no chunk could be read")
    for number, (event, value) in enumerate(zip(exchange.events, values_in(exchange), strict=True)):
        if isinstance(value, Undecodable) and not event.is_done:
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


@remembered
def symbols_of(exchange: Exchange) -> list[Symbol]:
    """The stream as the automata read it; in one chunk first the role, then content, then finish."""
    return list(_symbols(exchange))


def _symbols(exchange: Exchange) -> Iterator[Symbol]:
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
