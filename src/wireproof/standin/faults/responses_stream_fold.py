"""Departures of streamed responses in what they add up to: from the delta by way of part and item to the last event."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import told_again
from wireproof.standin.faults.response_edits import (
    TERMINAL,
    frames,
    is_of_words,
    is_unkept,
    last_response,
    type_of,
    unkept,
)
from wireproof.standin.wire import Answer, Ask, Frame, Serve, event_of, named_event

Body = dict[str, Any]

TEXT_DELTA = "response.output_text.delta"
TEXT_DONE = "response.output_text.done"
# A place for the number that `frames` gives.
NUMBER = {"sequence_number": 0}


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


def _from_the_end(ask: Ask, serve: Serve, kind: str, give: Callable[[Body, Body], None]) -> Answer:
    """Events of this type after `give(event, response)`, which knows already how the response ends."""

    def told(found: list[Frame]) -> Iterator[Frame]:
        last = next((event_of(frame) for frame in reversed(found) if type_of(frame) in TERMINAL), None) or {}
        for frame in found:
            event = event_of(frame)
            if event is not None and event["type"] == kind:
                give(event, last["response"])
                yield told_again(frame, event)
            else:
                yield frame

    return frames(ask, serve, told)


@fault("responses.stream.created-full", breaks="responses.stream.opens")
def created_full(ask: Ask, serve: Serve) -> Answer:
    """The response that is created has the items already that are added later."""
    return _from_the_end(
        ask, serve, "response.created", lambda event, last: event["response"].update(output=last["output"])
    )


@fault("responses.stream.item-full", breaks="responses.stream.opens")
def item_full(ask: Ask, serve: Serve) -> Answer:
    """A call is added with its arguments, and they come in deltas once more."""

    def give(event: Body, last: Body) -> None:
        whole = last["output"][event["output_index"]]
        event["item"].update({"arguments": whole["arguments"]} if "arguments" in whole else {})

    return _from_the_end(ask, serve, "response.output_item.added", give)


@fault("responses.stream.part-full", breaks="responses.stream.opens")
def part_full(ask: Ask, serve: Serve) -> Answer:
    """A part is added with its text, and it comes in deltas once more."""

    def give(event: Body, last: Body) -> None:
        event["part"] = last["output"][event["output_index"]]["content"][event["content_index"]]

    return _from_the_end(ask, serve, "response.content_part.added", give)


@fault("responses.stream.part-null", breaks="responses.stream.opens")
def part_null(ask: Ask, serve: Serve) -> Answer:
    """The text of a part that is added is null."""
    return unkept(ask, serve, "response.content_part.added", lambda event: event["part"].update(text=None))


@fault("responses.stream.part-from-one", breaks="responses.stream.item")
def part_from_one(ask: Ask, serve: Serve) -> Answer:
    """The first part of a message has the `content_index` 1."""

    def edit(event: Body) -> None:
        if "content_index" in event:
            event["content_index"] += 1

    return unkept(ask, serve, "response.*", edit)


@fault("responses.stream.one-item-for-all", breaks="responses.stream.item-id")
def one_item_for_all(ask: Ask, serve: Serve) -> Answer:
    """Of calls that come together, all pieces name the first."""

    def named(found: list[Frame]) -> Iterator[Frame]:
        first = None
        for frame in found:
            event = event_of(frame) or {}
            if "arguments" in event.get("type", ""):
                first = first or event["item_id"]
                yield told_again(frame, {**event, "item_id": first})
            else:
                yield frame

    return frames(ask, serve, named)


@fault(
    "responses.stream.one-index-for-all",
    breaks="responses.stream.item-once",
    also=("responses.stream.*",),
)
def one_index_for_all(ask: Ask, serve: Serve) -> Answer:
    """Every item of a stream has the `output_index` 0."""
    return unkept(
        ask, serve, "response.*", lambda event: event.update(output_index=0) if "output_index" in event else None
    )


@fault("responses.stream.input-short", breaks="responses.stream.item", also=("responses.stream.output",))
def input_short(ask: Ask, serve: Serve) -> Answer:
    """The input of a custom tool lacks its last character where the call is done."""

    def edit(event: Body) -> None:
        if "input" in event["item"]:
            event["item"]["input"] = event["item"]["input"][:-1]

    return unkept(ask, serve, "response.output_item.done", edit)


NOTE = {"type": "url_citation", "start_index": 0, "end_index": 1, "title": "A page", "url": "https://example.com/"}


@fault("responses.stream.annotation-lost", breaks="responses.stream.part")
def annotation_lost(ask: Ask, serve: Serve) -> Answer:
    """An annotation is added to a text, and is not among those of its part."""

    def noted(found: list[Frame]) -> Iterator[Frame]:
        for frame in found:
            yield frame
            if type_of(frame) == TEXT_DONE:
                at = {name: (event_of(frame) or {})[name] for name in ("item_id", "output_index", "content_index")}
                name = "response.output_text.annotation.added"
                yield named_event(name, {"type": name, **at, "annotation_index": 0, "annotation": NOTE, **NUMBER})

    return frames(ask, serve, noted)
