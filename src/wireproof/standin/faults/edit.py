"""What most faults do: change the JSON of an answer, or the events of a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from wireproof.standin.wire import Answer, Frame, event_frame, event_of, refusal

Edit = Callable[[dict[str, Any]], Any]


def edit_json(answer: Answer, edit: Edit) -> Answer:
    """A 200 JSON answer after `edit(object)`: change it in place, or return another. Others pass untouched."""
    if answer.status != 200 or answer.is_stream:
        return answer
    value = answer.json
    return answer.with_json(_edited(edit, value)) if isinstance(value, dict) else answer


def edit_error(answer: Answer, edit: Edit) -> Answer:
    """The same for answers of status 400 and above: `edit` gets the whole body, `{"error": {...}}`."""
    if answer.status < 400:
        return answer
    return answer.with_json(_edited(edit, answer.json))


def refused(answer: Answer, message: str, *, status: int = 400, param: str | None = None) -> Answer:
    """A refusal in place of `answer`, with its headers: for what a correct backend would have served."""
    error = refusal(status, message, param=param, type="invalid_request_error" if status < 500 else "server_error")
    bare = replace(answer, status=status, body=error.body, frames=None, session=None)
    return bare.with_header("content-type", "application/json")


def edit_events(answer: Answer, edit: Edit) -> Answer:
    """A stream after `edit(event)` of each of its JSON events."""
    return edit_frames(answer, lambda frames: (_edit_frame(frame, edit) for frame in frames))


def edit_frames(answer: Answer, edit: Callable[[list[Frame]], Iterator[Frame]]) -> Answer:
    """A stream after `edit(frames)`, which may drop, double, move or add frames. Others pass untouched."""
    if answer.frames is None:
        return answer
    return replace(answer, frames=list(edit(list(answer.frames))))


def edit_both(answer: Answer, edit: Edit) -> Answer:
    """`edit` on the answer's JSON, or on each event when it streams."""
    return edit_events(edit_json(answer, edit), edit)


def _edit_frame(frame: Frame, edit: Edit) -> Frame:
    event = event_of(frame)
    return frame if event is None else told_again(frame, _edited(edit, event))


def told_again(frame: Frame, event: Any) -> Frame:
    """The frame with other data; an `event:` line before it stays."""
    head = frame.data[: frame.data.find(b"data: ")]
    return Frame(frame.delay_ms, head + event_frame(event).data)


def _edited(edit: Edit, value: dict[str, Any]) -> Any:
    other = edit(value)
    return value if other is None else other
