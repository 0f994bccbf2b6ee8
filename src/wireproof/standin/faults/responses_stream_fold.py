"""Departures of streamed responses in what they add up to: from the delta by way of part and item to the last event."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.response_edits import (
    TERMINAL,
    frames,
    is_of_words,
    is_unkept,
    last_response,
    type_of,
    unkept,
)
from wireproof.standin.wire import Answer, Ask, Frame, Serve

Body = dict[str, Any]

TEXT_DELTA = "response.output_text.delta"
TEXT_DONE = "response.output_text.done"


@fault("responses.stream.text-short", breaks="responses.stream.text", also=("responses.stream.part",))
def text_short(ask: Ask, serve: Serve) -> Answer:
    """The text that is done lacks the last character of its deltas."""
    return unkept(ask, serve, TEXT_DONE, lambda event: event.update(text=event["text"][:-1]))


@fault("responses.stream.text-empty", breaks="responses.stream.text", also=("responses.stream.part",))
def text_empty(ask: Ask, serve: Serve) -> Answer:
    """The text that is done is empty."""
    return unkept(ask, serve, TEXT_DONE, lambda event: event.update(text=""))


@fault("responses.stream.arguments-empty", breaks="responses.stream.arguments", also=("responses.stream.item",))
def arguments_empty(ask: Ask, serve: Serve) -> Answer:
    """The arguments that are done are empty."""
    return unkept(ask, serve, "response.function_call_arguments.done", lambda event: event.update(arguments=""))


@fault("responses.stream.part-short", breaks="responses.stream.part", also=("responses.stream.item",))
def part_short(ask: Ask, serve: Serve) -> Answer:
    """The part that is done lacks the last character of its text."""
    return unkept(
        ask, serve, "response.content_part.done", lambda event: event["part"].update(text=event["part"]["text"][:-1])
    )


@fault("responses.stream.item-empty", breaks="responses.stream.item", also=("responses.stream.output",))
def item_empty(ask: Ask, serve: Serve) -> Answer:
    """A message that is done has no parts."""

    def edit(event: Body) -> None:
        if "content" in event["item"]:
            event["item"]["content"] = []

    return unkept(ask, serve, "response.output_item.done", edit)


@fault("responses.stream.output-untrimmed", breaks="responses.stream.output")
def output_untrimmed(ask: Ask, serve: Serve) -> Answer:
    """The text of the last event has a blank that no delta had."""

    def edit(body: Body) -> None:
        for item in body["output"]:
            for part in item.get("content", ()):
                part["text"] = f" {part['text']}"

    return last_response(ask, serve, edit) if "include" not in ask.asked else serve(ask)


@fault("responses.stream.output-empty", breaks="responses.stream.output", also=("responses.text",))
def output_empty(ask: Ask, serve: Serve) -> Answer:
    """The response of the last event has an empty output."""
    is_meant = is_unkept(ask) and not any(name in ask.asked for name in ("include", "tools"))
    return last_response(ask, serve, lambda body: body.update(output=[])) if is_meant else serve(ask)


def _without_last(ask: Ask, serve: Serve, kind: str) -> Answer:
    """A stream without the last event of this type."""

    def cut(found: list[Frame]) -> Iterator[Frame]:
        last = max((at for at, frame in enumerate(found) if type_of(frame) == kind), default=-1)
        return (frame for at, frame in enumerate(found) if at != last)

    return frames(ask, serve, cut)


@fault("responses.stream.last-delta-lost", breaks="responses.stream.text")
def last_delta_lost(ask: Ask, serve: Serve) -> Answer:
    """The last delta of a text is lost; what is done has it."""
    return _without_last(ask, serve, TEXT_DELTA) if is_of_words(ask) else serve(ask)


@fault("responses.stream.last-arguments-lost", breaks="responses.stream.arguments")
def last_arguments_lost(ask: Ask, serve: Serve) -> Answer:
    """The last delta of arguments is lost; what is done has it."""
    return _without_last(ask, serve, "response.function_call_arguments.delta")


def _trimmed(ask: Ask, serve: Serve, *kinds: str) -> Answer:
    """Texts lack their last character in events of these types, and in the response at the end."""

    def edit(event: Body) -> None:
        parts = [event["part"]] if "part" in event else []
        items = event["response"]["output"] if event["type"] in TERMINAL else [event.get("item") or {}]
        for part in [*parts, *(part for item in items for part in item.get("content") or ())]:
            part["text"] = part["text"][:-1]

    def each(event: Body) -> None:
        if event["type"] in (*kinds, *TERMINAL):
            edit(event)

    return unkept(ask, serve, "response.*", each) if is_of_words(ask) else serve(ask)


@fault("responses.stream.part-trimmed", breaks="responses.stream.part")
def part_trimmed(ask: Ask, serve: Serve) -> Answer:
    """From the part upwards, the text that is done lacks its last character."""
    return _trimmed(ask, serve, "response.content_part.done", "response.output_item.done")


@fault("responses.stream.item-trimmed", breaks="responses.stream.item")
def item_trimmed(ask: Ask, serve: Serve) -> Answer:
    """From the item upwards, the text that is done lacks its last character."""
    return _trimmed(ask, serve, "response.output_item.done")
