"""Departures of streamed responses in the order of their events: one missing, one too many, one in the wrong place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.response_edits import TERMINAL, doubled, dropped, frames, type_of
from wireproof.standin.wire import Answer, Ask, Frame, Serve, event_of, named_event

TEXT_DELTA = "response.output_text.delta"


def _is_message(event: dict[str, Any]) -> bool:
    return bool(event["item"]["type"] == "message")


@fault("responses.stream.created-missing", breaks="responses.stream.created")
def created_missing(ask: Ask, serve: Serve) -> Answer:
    """There is no `response.created`."""
    return dropped(ask, serve, "response.created")


@fault("responses.stream.created-twice", breaks="responses.stream.created-once")
def created_twice(ask: Ask, serve: Serve) -> Answer:
    """`response.created` comes twice."""
    return doubled(ask, serve, "response.created")


@fault("responses.stream.in-progress-missing", breaks="responses.stream.in-progress")
def in_progress_missing(ask: Ask, serve: Serve) -> Answer:
    """There is no `response.in_progress`."""
    return dropped(ask, serve, "response.in_progress")


@fault("responses.stream.terminal-missing", breaks="responses.stream.terminal")
def terminal_missing(ask: Ask, serve: Serve) -> Answer:
    """The stream ends with its last item."""
    return frames(ask, serve, lambda found: (frame for frame in found if type_of(frame) not in TERMINAL))


@fault("responses.stream.completed-early", breaks="responses.stream.terminal-last")
def completed_early(ask: Ask, serve: Serve) -> Answer:
    """The last event comes before the last item is done."""

    def moved(found: list[Frame]) -> Iterator[Frame]:
        *others, item_done, last = found
        yield from (*others, last, item_done)

    return frames(ask, serve, moved)


@fault("responses.stream.completed-twice", breaks="responses.stream.terminal-last")
def completed_twice(ask: Ask, serve: Serve) -> Answer:
    """The last event comes twice."""
    return doubled(ask, serve, "response.completed")


@fault("responses.stream.item-added-missing", breaks="responses.stream.item-added")
def item_added_missing(ask: Ask, serve: Serve) -> Answer:
    """Items are never added."""
    return dropped(ask, serve, "response.output_item.added")


@fault("responses.stream.item-added-twice", breaks="responses.stream.item-once")
def item_added_twice(ask: Ask, serve: Serve) -> Answer:
    """Items are added twice."""
    return doubled(ask, serve, "response.output_item.added", only=_is_message)


@fault("responses.stream.item-done-missing", breaks="responses.stream.item-done")
def item_done_missing(ask: Ask, serve: Serve) -> Answer:
    """Items are never done."""
    return dropped(ask, serve, "response.output_item.done")


@fault("responses.stream.item-done-twice", breaks="responses.stream.item-closed")
def item_done_twice(ask: Ask, serve: Serve) -> Answer:
    """Messages are done twice."""
    return doubled(ask, serve, "response.output_item.done", only=_is_message)


@fault("responses.stream.part-added-missing", breaks="responses.stream.part-added")
def part_added_missing(ask: Ask, serve: Serve) -> Answer:
    """Parts are never added."""
    return dropped(ask, serve, "response.content_part.added")


@fault("responses.stream.part-added-twice", breaks="responses.stream.part-once")
def part_added_twice(ask: Ask, serve: Serve) -> Answer:
    """Parts are added twice."""
    return doubled(ask, serve, "response.content_part.added")


@fault("responses.stream.text-done-missing", breaks="responses.stream.text-done")
def text_done_missing(ask: Ask, serve: Serve) -> Answer:
    """There is no `response.output_text.done`."""
    return dropped(ask, serve, "response.output_text.done")


@fault("responses.stream.delta-late", breaks="responses.stream.text-closed")
def delta_late(ask: Ask, serve: Serve) -> Answer:
    """An empty delta comes after the text is done."""

    def late(found: list[Frame]) -> Iterator[Frame]:
        for frame in found:
            yield frame
            if type_of(frame) == "response.output_text.done":
                event = event_of(frame) or {}
                told = {name: value for name, value in event.items() if name != "text"}
                delta = {**told, "type": TEXT_DELTA, "delta": "", "logprobs": []}
                yield named_event(TEXT_DELTA, delta)

    return frames(ask, serve, late)


@fault("responses.stream.part-done-missing", breaks="responses.stream.part-done")
def part_done_missing(ask: Ask, serve: Serve) -> Answer:
    """There is no `response.content_part.done`."""
    return dropped(ask, serve, "response.content_part.done")


@fault("responses.stream.arguments-done-missing", breaks="responses.stream.arguments-done")
def arguments_done_missing(ask: Ask, serve: Serve) -> Answer:
    """There is no `response.function_call_arguments.done`."""
    return dropped(ask, serve, "response.function_call_arguments.done")
