"""Reading what was said on a realtime socket: the server's events, and what came to each event of a client."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from wireproof.clause import (
    Exchange,
    Inconclusive,
    Message,
    NotApplicable,
    Schema,
    Socket,
    Undecodable,
    load_spec,
    parse_json,
    remembered,
    talked,
)

from ._reading import as_object, as_text

PATH = "/realtime"
REALTIME = "connectRealtime"
TALKS = talked(REALTIME)
# How long a client waits for what a server answers from its memory, and for what a model must say.
SOON_S, MODEL_S = 8.0, 60.0
# A model that still speaks is slow; one that has been silent for so long before the end of patience is done.
SILENT_S = 10.0
UPDATED = ("session.updated", "error")


class Heard(NamedTuple):
    """One event of the server. `number` is its place among the messages of the socket."""

    number: int
    type: str
    data: dict[str, Any]


class Turn(NamedTuple):
    """One event of the client, by its `event_id`, and all that the server said until the next one.

    `waited`: whether the client waited in vain for an answer to it, though the socket was open.
    """

    number: int
    said: dict[str, Any]
    heard: tuple[Heard, ...]
    waited: bool

    def first(self, *types: str) -> Heard | None:
        return next((one for one in self.heard if one.type in types), None)

    @property
    def error(self) -> Heard | None:
        return self.first("error")


def socket_of(exchange: Exchange) -> Socket:
    if exchange.socket is None:
        raise NotApplicable("the recording does not tell what was said on the socket")
    return exchange.socket


@cache
def schemas() -> Mapping[str, Schema]:
    """The schema of each type of event that the description knows."""
    spec = load_spec()
    components = spec.document["components"]["schemas"]
    found: dict[str, Schema] = {}
    for branch in components["RealtimeServerEvent"]["anyOf"]:
        name = branch["$ref"].rpartition("/")[2]
        kind = components[name]["properties"]["type"]
        for one in kind["enum"] if "enum" in kind else [kind["const"]]:
            found[one] = spec.schema(name)
    return found


def value_in(message: Message) -> Any:
    """The JSON that a message is. Raises Undecodable."""
    try:
        return parse_json(message.data.decode())
    except UnicodeDecodeError as bad:
        raise Undecodable(f"not UTF-8: {bad}") from bad


@remembered
def events_of(exchange: Exchange) -> tuple[Heard, ...]:
    """All that the server said, of types we know or not.

    Inconclusive when a message is no event, which realtime.events.json judges, or when it said nothing.
    """
    found: list[Heard] = []
    for number, message in enumerate(socket_of(exchange).messages):
        if message.ours:
            continue
        try:
            value = value_in(message)
        except Undecodable as bad:
            raise Inconclusive(f"message {number} is {bad}") from bad
        if not isinstance(value, dict) or not isinstance(value.get("type"), str):
            raise Inconclusive(f"message {number} is no event")
        found.append(Heard(number, value["type"], value))
    if not found:
        raise Inconclusive("the server said nothing")
    return tuple(found)


@remembered
def turns(exchange: Exchange) -> tuple[Turn, ...]:
    """What the client said, in order; text that is no JSON object is told as {"text": ...}."""
    socket = socket_of(exchange)
    heard = events_of(exchange)
    ours = [number for number, message in enumerate(socket.messages) if message.ours]
    in_vain = {one.messages for one in socket.unheard}
    found = []
    for number, after in zip(ours, [*ours[1:], len(socket.messages)], strict=True):
        came = tuple(one for one in heard if number < one.number < after)
        is_open = after < len(socket.messages) or socket.closed_by == "client"
        found.append(Turn(number, _said(socket.messages[number]), came, after in in_vain and is_open))
    return tuple(found)


def _said(message: Message) -> dict[str, Any]:
    try:
        value = json.loads(message.data)
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {"text": message.data.decode("utf-8", "replace")}


def turns_of(exchange: Exchange, *types: str) -> list[Turn]:
    return [turn for turn in turns(exchange) if turn.said.get("type") in types]


def turn(exchange: Exchange, name: str) -> Turn:
    """The turn of the event with this `event_id`. NotApplicable when it was never said."""
    found = next((one for one in turns(exchange) if one.said.get("event_id") == name), None)
    if found is None:
        raise NotApplicable(f"the talk ended before {name} was said")
    return found


def answer_to(exchange: Exchange, name: str, *types: str) -> Heard:
    """The first event of these types after the client's. NotApplicable when it was refused, or nothing came."""
    asked = turn(exchange, name)
    found = asked.first(*types)
    if found is None and asked.error is not None:
        raise NotApplicable(f"{asked.said.get('type')} was refused: {message_of(asked.error)}"[:200])
    if found is None:
        raise NotApplicable(f"no {' or '.join(types)} came, which another clause judges")
    return found


def message_of(error: Heard) -> str:
    return as_text(as_object(error.data.get("error")).get("message"))


def session_in(event: Heard) -> dict[str, Any]:
    return as_object(event.data.get("session"))


def item_in(event: Heard) -> dict[str, Any]:
    return as_object(event.data.get("item"))


def response_in(event: Heard) -> dict[str, Any]:
    return as_object(event.data.get("response"))


def texts_in(item: Mapping[str, Any]) -> list[str]:
    """The words of an item, part by part: written, or spoken and written down."""
    parts = item.get("content") if isinstance(item.get("content"), list) else []
    objects = [as_object(part) for part in parts or ()]
    return [as_text(part.get("text")) or as_text(part.get("transcript")) for part in objects]


def types_of(heard: Sequence[Heard]) -> str:
    return ", ".join(dict.fromkeys(one.type for one in heard)) or "nothing"


# ---------------------------------------------------------------------------------------- what clients say


def update(name: str, **session: Any) -> dict[str, Any]:
    return {"event_id": name, "type": "session.update", "session": {"type": "realtime", **session}}


def create(name: str, item: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"event_id": name, "type": "conversation.item.create", "item": item, **more}


def words(text: str, id: str | None = None, role: str = "user") -> dict[str, Any]:
    item = {"type": "message", "role": role, "content": [{"type": "input_text", "text": text}]}
    return item if id is None else {"id": id, **item}


def respond(name: str, **response: Any) -> dict[str, Any]:
    return {"event_id": name, "type": "response.create", "response": response}


# Written answers, and turns that end when the client says so: nothing is spoken unless it is asked for.
QUIET: dict[str, Any] = {"output_modalities": ["text"], "audio": {"input": {"turn_detection": None}}}
