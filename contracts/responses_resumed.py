"""Streams of stored responses: what was streamed can be read, and told again from the middle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wireproof.clause import (
    MODEL,
    Call,
    Exchange,
    Flow,
    Inconclusive,
    NotApplicable,
    clause,
    expect,
    flow,
    shown,
    steps,
)

from ._flow import id_in, is_ok, not_passing, step
from ._reading import as_count, as_object, as_objects, maybe_object
from ._response_asks import LONG
from ._response_stream import objects_of
from ._responses import ended, essence, part_essence
from ._stored_responses import expect_read_as_made, stored
from ._stream import read_object

# Where a stream is taken up again: after the events that every stream begins with.
AFTER = 4


@flow(
    "responses.stored-stream",
    most=4,
    about="stream a response that is kept, read it, have it told again from the middle, delete it",
    expects="either",
)
def life_of_a_streamed_response() -> Flow:
    made = yield Call(
        "POST",
        "/responses",
        {
            "model": MODEL,
            "input": LONG,
            "max_output_tokens": 160,
            "store": True,
            "stream": True,
            "stream_options": {"include_obfuscation": False},
        },
    )
    id = _streamed_id(made)
    if id is None:
        return
    path = f"/responses/{id}"
    read = yield Call("GET", path)
    if not is_ok(read):
        return
    yield Call("GET", path, query={"stream": "true", "starting_after": str(AFTER), "include_obfuscation": "false"})
    yield Call("DELETE", path)


def _streamed_id(exchange: Exchange) -> str | None:
    if not is_ok(exchange):
        return None
    for event in exchange.events:
        response = (read_object(event.data) or {}).get("response")
        if isinstance(response, dict):
            return id_in(response)
    return None


STREAMED = steps("responses.stored-stream")


@clause("responses.stored.stream", level="MUST", source="SPEC getResponse", on=STREAMED)
def a_streamed_response_reads_as_its_last_event(exchanges: list[Exchange]) -> None:
    """A stored response that was streamed reads as its last event told it: the same output, the same usage."""
    made = stored(exchanges)
    read = step(exchanges, "getResponse")
    expect_read_as_made(read, maybe_object(read), ended(made).body)


def _resumed(exchanges: Sequence[Exchange]) -> tuple[Exchange, Exchange]:
    """The stream and its other telling. NotApplicable where that is not offered."""
    made, again = stored(exchanges), step(exchanges, "getResponse", 1)
    not_passing(again)
    if again.status in (400, 404, 405, 422, 501):
        raise NotApplicable(f"a stream cannot be taken up again: {again.id} was answered {again.status}")
    if again.media_type == "application/json":
        raise NotApplicable("a stream cannot be taken up again: the answer is the response itself")
    return made, again


def _numbered(exchange: Exchange) -> list[tuple[int, dict[str, Any]]]:
    found = [(as_count(value.get("sequence_number")), value) for _, _, value in objects_of(exchange)]
    return [(number, value) for number, value in found if number is not None]


@clause(
    "responses.stored.resume",
    level="MUST",
    source="SPEC getResponse.starting_after",
    on=STREAMED,
    fields=("starting_after",),
)
def a_stream_is_taken_up_after_a_number(exchanges: list[Exchange]) -> None:
    """`GET /responses/{id}?stream=true&starting_after=N` sends every event with a number above N, and no other."""
    made, again = _resumed(exchanges)
    wanted = [number for number, _ in _numbered(made) if number > AFTER]
    if not wanted:
        raise Inconclusive("the events of the stream have no numbers")
    got = [number for number, _ in _numbered(again)]
    expected = f"events {wanted[0]} to {wanted[-1]}"
    expect(got == wanted, expected=expected, got=f"events {shown(got)}", at=f"{again.id} ")


@clause("responses.stored.resume-same", level="MUST", source="SPEC getResponse.starting_after", on=STREAMED)
def a_stream_is_told_again_as_it_was(exchanges: list[Exchange]) -> None:
    """An event that is told again is the one that was told before, by its number: the same type, place, text, item.

    So all that holds for the order of a stream, and for what it adds up to, holds for one that is taken up again.
    """
    made, again = _resumed(exchanges)
    first = {number: _told(value) for number, value in _numbered(made)}
    second = {number: _told(value) for number, value in _numbered(again) if number in first}
    if not second:
        raise Inconclusive("no event was told again")
    for number, got in second.items():
        wanted = first[number]
        expect(got == wanted, expected=f"{shown(wanted)}, as before", got=shown(got), at=f"{again.id} ")


# What an event says; padding and probabilities may differ from one telling to the next.
SAYS = (
    "type", "item_id", "output_index", "content_index", "summary_index", "annotation_index", "delta", "text", "refusal",
    "arguments", "input", "annotation",
)  # fmt: skip


def _told(event: dict[str, Any]) -> dict[str, Any]:
    """What an event says, of the item, the part or the response in it as well."""
    said = {name: event[name] for name in SAYS if name in event}
    response = as_object(event.get("response"))
    if event.get("item") is not None:
        said["item"] = essence(as_object(event["item"]))
    if event.get("part") is not None:
        said["part"] = part_essence(as_object(event["part"]))
    if response:
        said["response"] = {name: response.get(name) for name in ("id", "status")}
        said["output"] = [essence(item) for item in as_objects(response.get("output"))]
    return said
