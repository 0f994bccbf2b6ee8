"""Reading streamed responses: the events by their types, and the symbols that the automata of items and parts take."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from wireproof.clause import Event, Exchange, Inconclusive, NotApplicable, Symbol, Undecodable, load_spec, remembered

from ._reading import as_count, as_list, as_object
from ._responses import TERMINAL
from ._stream import framed, values_in

LIFE = ("response.created", "response.queued", "response.in_progress", *TERMINAL)
ENDS = (*TERMINAL, "error")
# The event that brings a piece, the one that has the whole, and the part they belong to.
PIECES = {
    "response.output_text.delta": "delta",
    "response.refusal.delta": "delta",
    "response.reasoning_summary_text.delta": "delta",
    "response.output_text.done": "text done",
    "response.refusal.done": "text done",
    "response.reasoning_summary_text.done": "text done",
    "response.content_part.added": "part added",
    "response.reasoning_summary_part.added": "part added",
    "response.content_part.done": "part done",
    "response.reasoning_summary_part.done": "part done",
}
CALLS = ("function_call", "custom_tool_call")
ARGUMENTS = {
    "response.function_call_arguments.delta": "arguments delta",
    "response.function_call_arguments.done": "arguments done",
    "response.custom_tool_call_input.delta": "arguments delta",
    "response.custom_tool_call_input.done": "arguments done",
}


class Said(NamedTuple):
    """One event of a type that the description knows. `number` is its place in the stream, `item` tells its item."""

    number: int
    type: str
    data: dict[str, Any]
    event: Event
    item: Hashable

    @property
    def response(self) -> dict[str, Any] | None:
        found = self.data.get("response")
        return found if isinstance(found, dict) else None


@cache
def known_types() -> frozenset[str]:
    """Every `type` an event may have by the description."""
    schemas = load_spec().document["components"]["schemas"]
    found: set[str] = set()
    for branch in schemas["ResponseEvent"]["anyOf"]:
        kind = schemas[branch["$ref"].rpartition("/")[2]]["properties"]["type"]
        found |= {kind["const"]} if "const" in kind else set(kind["enum"])
    return frozenset(found)


@cache
def required_keys(kind: str) -> frozenset[str]:
    """What an event of this type must have by the description."""
    schemas = load_spec().document["components"]["schemas"]
    for branch in schemas["ResponseEvent"]["anyOf"]:
        schema = schemas[branch["$ref"].rpartition("/")[2]]
        named = schema["properties"]["type"]
        if kind == named.get("const") or kind in named.get("enum", ()):
            return frozenset(schema["required"])
    return frozenset()


def objects_of(exchange: Exchange) -> Iterator[tuple[int, Event, dict[str, Any]]]:
    """The JSON objects of a stream with the numbers of their events.

    Inconclusive when an event is not JSON, which sse.json judges: what it says may be what a clause would miss.
    """
    values = values_in(exchange)
    for number, event in framed(exchange):
        value = values[number]
        if isinstance(value, Undecodable) and not event.is_done:
            raise Inconclusive(f"event {number} is not JSON")
        if isinstance(value, dict):
            yield number, event, value


@remembered
def events_of(exchange: Exchange) -> list[Said]:
    """The events the description knows; new ones may come at any time. Raises Inconclusive when there is none."""
    known = known_types()
    told = [
        (number, value["type"], value, event)
        for number, event, value in objects_of(exchange)
        if isinstance(value.get("type"), str) and value["type"] in known
    ]
    names = {
        name: index
        for _, _, value, _ in told
        if (name := _name_of(value)) is not None and (index := as_count(value.get("output_index"))) is not None
    }
    found = [Said(*one, _item_of(one[2], names)) for one in told]
    if not found:
        raise Inconclusive("the stream has no event of a response")
    return found


PARTS = ("response.content_part.", "response.output_item.")


def items_in_events(exchange: Exchange, kind: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """`(event, item)` of each item of this type that an event brings; none where nothing is streamed."""
    for said in events_of(exchange) if exchange.streamed else ():
        item = as_object(said.data.get("item"))
        if item.get("type") == kind:
            yield said.number, item


def parts_in_events(exchange: Exchange, kind: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The same for parts, as events of parts bring them, or messages that are done."""
    for said in events_of(exchange) if exchange.streamed else ():
        item = as_object(said.data.get("item"))
        parts = [said.data.get("part"), *(as_list(item.get("content")) if item.get("type") == "message" else ())]
        for part in map(as_object, parts):
            if said.type.startswith(PARTS) and part.get("type") == kind:
                yield said.number, part


def broke_off(events: list[Said]) -> bool:
    """Whether the stream ended with an error, so that what is missing may have been to come."""
    return any(said.type in ("error", "response.failed") for said in events)


def whole_events(exchange: Exchange) -> list[Said]:
    """The events of a stream that came to its end. NotApplicable when it is one taken up again in the middle."""
    if exchange.request.query.get("starting_after") is not None:
        raise NotApplicable("the stream was taken up again in the middle")
    events = events_of(exchange)
    if broke_off(events):
        raise Inconclusive("the stream broke off with an error")
    return events


def _name_of(data: dict[str, Any]) -> str | None:
    item = as_object(data.get("item"))
    name = item.get("id") or item.get("call_id") or data.get("item_id")
    return name if isinstance(name, str) else None


def _item_of(data: dict[str, Any], names: Mapping[str, int]) -> Hashable:
    """The `output_index` of an event. Where it is missing, which responses.stream.indices judges, by the item's id."""
    index = as_count(data.get("output_index"))
    name = _name_of(data)
    return index if index is not None else names.get(name or "", name or 0)


def place_of(said: Said) -> tuple[Hashable, str, int]:
    """Which part of which item an event belongs to; summaries are counted apart from texts."""
    kind = "summary_index" if "summary" in said.type else "content_index"
    return said.item, kind, as_count(said.data.get(kind)) or 0


def is_in_item(said: Said) -> bool:
    """Whether an event belongs inside an item: it is neither life, nor error, nor the item's beginning and end."""
    return "output_index" in required_keys(said.type) and not said.type.startswith("response.output_item.")


def life_symbols(events: list[Said]) -> Iterator[Symbol]:
    names = {
        "response.created": "created",
        "response.queued": "queued",
        "response.in_progress": "in progress",
        "error": "error",
    }
    for said in events:
        name = "end" if said.type in TERMINAL else names.get(said.type, "event")
        yield Symbol(name, said.number, shown=said.type)


def item_symbols(events: list[Said]) -> Iterator[Symbol]:
    """`added`, `inside` and `done`, by output index."""
    for said in events:
        if said.type == "response.output_item.added":
            name = "added"
        elif said.type == "response.output_item.done":
            name = "done"
        elif is_in_item(said):
            name = "inside"
        else:
            continue
        yield Symbol(name, said.number, said.item, said.type)


def acted_symbols(events: list[Said]) -> Iterator[Symbol]:
    """The same, without the lists of a server's tools: recorded ones were added, and done in the last event alone."""
    lists = {said.item for said in events if is_listing(as_object(said.data.get("item")))}
    return (symbol for symbol in item_symbols(events) if symbol.key not in lists)


def is_listing(item: dict[str, Any]) -> bool:
    return item.get("type") == "mcp_list_tools"


def part_symbols(events: list[Said]) -> Iterator[Symbol]:
    """What happens to the parts, by item and part."""
    for said in events:
        if said.type in PIECES:
            yield Symbol(PIECES[said.type], said.number, place_of(said), said.type)


def call_symbols(events: list[Said]) -> Iterator[Symbol]:
    """What happens to calls of functions and of custom tools, by output index."""
    for said in events:
        index = said.item
        if said.type in ARGUMENTS:
            yield Symbol(ARGUMENTS[said.type], said.number, index, said.type)
        elif as_object(said.data.get("item")).get("type") in CALLS:
            name = "call added" if said.type == "response.output_item.added" else "call done"
            yield Symbol(name, said.number, index, said.type)
