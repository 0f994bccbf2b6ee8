"""Departures of pictures that are streamed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_events, edit_frames
from wireproof.standin.wire import Answer, Ask, Frame, Serve

PLACE = "/v1/images/generations"

Edit = Callable[[dict[str, Any]], Any]


def _each(ask: Ask, serve: Serve, edit: Edit) -> Answer:
    answer = serve(ask)
    return edit_events(answer, edit) if ask.path == PLACE else answer


def _frames(ask: Ask, serve: Serve, edit: Callable[[list[Frame]], Iterator[Frame]]) -> Answer:
    answer = serve(ask)
    return edit_frames(answer, edit) if ask.path == PLACE else answer


@fault("images.stream.time-missing", breaks="images.stream.schema")
def time_missing(ask: Ask, serve: Serve) -> Answer:
    """Events without `created_at`."""
    return _each(ask, serve, lambda event: {name: value for name, value in event.items() if name != "created_at"})


@fault("images.stream.types-of-responses", breaks="images.stream.type", also=("images.stream.completed",))
def types_of_responses(ask: Ask, serve: Serve) -> Answer:
    """Events are called as those of the image tool of Responses."""
    return _each(
        ask,
        serve,
        lambda event: event | {"type": event["type"].replace("image_generation", "response.image_generation_call")},
    )


@fault("images.stream.line-other", breaks="images.stream.type")
def line_other(ask: Ask, serve: Serve) -> Answer:
    """The `event:` line says `message`, whatever the data is."""

    def renamed(frames: list[Frame]) -> Iterator[Frame]:
        for frame in frames:
            yield replace(frame, data=b"event: message\n" + frame.data.partition(b"\n")[2])

    return _frames(ask, serve, renamed)


@fault("images.stream.unfinished", breaks="images.stream.completed")
def unfinished(ask: Ask, serve: Serve) -> Answer:
    """The stream ends with its last preview."""
    return _frames(ask, serve, lambda frames: iter(frames[:-1]))


@fault("images.stream.finished-twice", breaks="images.stream.completed")
def finished_twice(ask: Ask, serve: Serve) -> Answer:
    """The picture comes twice."""
    return _frames(ask, serve, lambda frames: iter([*frames, frames[-1]]))


@fault("images.stream.from-1", breaks="images.stream.partials")
def from_1(ask: Ask, serve: Serve) -> Answer:
    """Previews are counted from 1."""

    def edit(event: dict[str, Any]) -> None:
        if "partial_image_index" in event:
            event["partial_image_index"] += 1

    return _each(ask, serve, edit)


@fault("images.stream.preview-blank", breaks="images.picture")
def preview_blank(ask: Ask, serve: Serve) -> Answer:
    """Previews are announced, and empty."""
    return _each(ask, serve, lambda event: event | {"b64_json": ""} if "partial_image_index" in event else None)
