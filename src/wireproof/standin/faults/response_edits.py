"""What faults of responses do: change a response wherever it is told, plain, in events of a stream, or read again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from wireproof.standin.faults.edit import edit_both, edit_events, edit_frames, edit_json, told_again
from wireproof.standin.wire import Answer, Ask, Frame, Serve, event_of

PATH = "/v1/responses"
TERMINAL = ("response.completed", "response.incomplete", "response.failed")

Body = dict[str, Any]
Edit = Callable[[Body], Any]


def tells_response(ask: Ask) -> bool:
    """Whether the answer is a response: one that is made, or one that is read by its id."""
    rest = ask.path.removeprefix(PATH + "/")
    is_read = ask.method == "GET" and rest != ask.path and "/" not in rest
    return is_read or (ask.method == "POST" and ask.path == PATH)


def is_unkept(ask: Ask) -> bool:
    """Whether a response is made that is not stored: what a fault does to it shows in no other answer."""
    return ask.method == "POST" and ask.path == PATH and ask.asked.get("store") is False


def each_response(ask: Ask, serve: Serve, edit: Edit) -> Answer:
    """The answer after `edit(response)`, plain and in every event that holds it."""
    answer = serve(ask)
    if not tells_response(ask):
        return answer

    def found(body: Body) -> Any:
        held = body if body.get("object") == "response" else body.get("response")
        if not isinstance(held, dict):
            return None
        other = edit(held)
        if other is None:
            return None
        return other if held is body else {**body, "response": other}

    return edit_both(answer, found)


def whole_response(ask: Ask, serve: Serve, edit: Edit) -> Answer:
    """The same for a response as it ends: plain, read again, or in the last event of a stream."""
    return each_response(ask, serve, lambda body: edit(body) if body.get("status") != "in_progress" else None)


def plain_response(ask: Ask, serve: Serve, edit: Edit) -> Answer:
    """The same for what is not streamed."""
    answer = serve(ask)
    return edit_json(answer, edit) if tells_response(ask) else answer


def each_item(ask: Ask, serve: Serve, edit: Edit) -> Answer:
    """The answer after `edit(item)`, changed in place, of each item wherever it is told."""
    answer = serve(ask)
    if not tells_response(ask):
        return answer

    def found(body: Body) -> None:
        held = body.get("response") or body
        items = [*(held.get("output") or ()), body.get("item")]
        for item in items:
            if isinstance(item, dict):
                edit(item)

    return edit_both(answer, found)


def each_part(ask: Ask, serve: Serve, edit: Edit) -> Answer:
    """The same for each part of a message, in items and in events of parts."""

    def parts(item: Body) -> None:
        for part in item.get("content") or ():
            edit(part)

    def alone(event: Body) -> None:
        if isinstance(event.get("part"), dict):
            edit(event["part"])

    answer = each_item(ask, serve, parts)
    return edit_events(answer, alone) if tells_response(ask) else answer


def events(ask: Ask, serve: Serve, kind: str, edit: Edit) -> Answer:
    """The answer after `edit(event)` of each event of this type; of all whose type begins so, with a trailing `*`."""
    answer = serve(ask)
    if not tells_response(ask):
        return answer

    def found(event: Body) -> Any:
        name = event.get("type", "")
        is_meant = name.startswith(kind[:-1]) if kind.endswith("*") else name == kind
        return edit(event) if is_meant else None

    return edit_events(answer, found)


def frames(ask: Ask, serve: Serve, edit: Callable[[list[Frame]], Iterator[Frame]]) -> Answer:
    """A stream that is not stored after `edit(frames)`, its events numbered anew."""
    answer = serve(ask)
    return edit_frames(answer, lambda found: _numbered(edit(found))) if is_unkept(ask) else answer


def _numbered(found: Iterator[Frame]) -> Iterator[Frame]:
    number = 0
    for frame in found:
        event = event_of(frame)
        if event is None or "sequence_number" not in event:
            yield frame
        else:
            yield told_again(frame, {**event, "sequence_number": number})
            number += 1


def type_of(frame: Frame) -> str:
    event = event_of(frame)
    return str(event.get("type")) if event else ""


def dropped(ask: Ask, serve: Serve, kind: str) -> Answer:
    """A stream without the events of this type."""
    return frames(ask, serve, lambda found: (frame for frame in found if type_of(frame) != kind))


def doubled(ask: Ask, serve: Serve, kind: str, *, only: Callable[[Body], bool] = lambda event: True) -> Answer:
    """A stream in which each event of this type comes twice."""

    def twice(found: list[Frame]) -> Iterator[Frame]:
        for frame in found:
            yield frame
            if type_of(frame) == kind and only(event_of(frame) or {}):
                yield frame

    return frames(ask, serve, twice)


def unkept(ask: Ask, serve: Serve, kind: str, edit: Callable[[Body], Any]) -> Answer:
    """`events` of streams that are not stored."""
    return events(ask, serve, kind, edit) if is_unkept(ask) else serve(ask)


def last_response(ask: Ask, serve: Serve, edit: Callable[[Body], Any]) -> Answer:
    """Streams that are not stored after `edit(response)` of the last event."""

    def found(event: Body) -> None:
        if event["type"] in TERMINAL:
            edit(event["response"])

    return unkept(ask, serve, "response.*", found)


def is_of_words(ask: Ask) -> bool:
    """A stream that is not stored, of words alone: no form, no probabilities."""
    return ask.streamed and is_unkept(ask) and not any(ask.asked.get(name) for name in ("include", "text", "tools"))
