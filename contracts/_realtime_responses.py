"""Reading the responses of a realtime socket: the events of each by its id, and where it ended."""

from __future__ import annotations

from typing import Any

from wireproof.clause import Exchange, NotApplicable, remembered

from ._reading import as_count
from ._realtime import Heard, events_of, response_in

ANSWERED = ("response.done", "error")
TOOL: dict[str, Any] = {
    "type": "function",
    "name": "look_up",
    "description": "Looks a word up.",
    "parameters": {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]},
}
# The event that brings a piece, the one that has the whole, and under which key.
FOLDS = {
    "response.output_text": ("delta", "text"),
    "response.output_audio_transcript": ("delta", "transcript"),
    "response.function_call_arguments": ("delta", "arguments"),
}


def id_of(one: Heard) -> str | None:
    """The id of the response that an event belongs to; None when to none."""
    is_whole = one.type in ("response.created", "response.done")
    id = response_in(one).get("id") if is_whole else one.data.get("response_id")
    return id if isinstance(id, str) and one.type.startswith("response.") else None


@remembered
def responses(exchange: Exchange) -> dict[str, list[Heard]]:
    """The events of each response by its id, in order of their first. NotApplicable when there was none."""
    found: dict[str, list[Heard]] = {}
    for one in events_of(exchange):
        id = id_of(one)
        if id is not None:
            found.setdefault(id, []).append(one)
    if not found:
        raise NotApplicable("no response was given")
    return found


@remembered
def finished(exchange: Exchange) -> list[tuple[list[Heard], Heard]]:
    """The responses that came to their end, each with its `response.done`. NotApplicable when none did."""
    found = [(events, end) for events in responses(exchange).values()
             if (end := next((one for one in events if one.type == "response.done"), None)) is not None]  # fmt: skip
    if not found:
        raise NotApplicable("no response came to its end")
    return found


def whole(exchange: Exchange) -> list[tuple[list[Heard], Heard]]:
    """Those that were said to their end: not stopped, not failed."""
    told = [(events, end) for events, end in finished(exchange)
            if response_in(end).get("status") in ("completed", "incomplete")]  # fmt: skip
    if not told:
        raise NotApplicable("no response was said to its end")
    return told


def place_of(one: Heard) -> tuple[Any, ...]:
    """Which part of which item: by its place in the output, for names are judged elsewhere."""
    return id_of(one), as_count(one.data.get("output_index")) or 0, as_count(one.data.get("content_index")) or 0
