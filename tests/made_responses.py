"""Responses made by hand, for tests of clauses: whole ones, and the events that tell them."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from made import JSON_HEADERS, answer, stream

from wireproof.clause import Exchange
from wireproof.standin.resources.responses.telling import steps

Body = dict[str, Any]
ASKED: Body = {
    "model": "gpt-4.1-mini",
    "input": "Say hello.",
    "max_output_tokens": 32,
    "temperature": 0,
    "store": False,
}


def message(text: str = "Hello there.", **changed: Any) -> Body:
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    item = {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant", "content": [part]}
    return {**item, **changed}


def call(**changed: Any) -> Body:
    arguments = '{"city": "Paris"}'
    item = {"id": "fc_1", "type": "function_call", "status": "completed", "call_id": "call_1", "name": "get_weather"}
    return {**item, "arguments": arguments, **changed}


def usage(**changed: Any) -> Body:
    return {
        "input_tokens": 10,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 4,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 14,
        **changed,
    }


def response(*items: Body, without: str = "", **changed: Any) -> Body:
    body = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_760_000_000,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": 32,
        "model": "gpt-4.1-mini-2025-04-14",
        "output": list(items) or [message()],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "store": False,
        "temperature": 0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1,
        "usage": usage(),
        "metadata": {},
        **changed,
    }
    return {name: value for name, value in body.items() if name != without}


def plain(body: Any = None, *, probe: str = "responses.plain", asked: Body | None = None, **more: Any) -> Exchange:
    """A response in one piece. `asked` is beside what is always asked."""
    told = response() if body is None else body
    return answer(
        told,
        asked={**ASKED, **(asked or {})},
        operation="createResponse",
        method="POST",
        path="/responses",
        probe=probe,
        headers=JSON_HEADERS,
        **more,
    )


def told(body: Body | None = None) -> list[Body]:
    """The events of a response, numbered."""
    script = steps(copy.deepcopy(body or response()))
    return [{**copy.deepcopy(event), "sequence_number": number} for number, (_, event) in enumerate(script)]


def streamed(
    events: Iterable[Any] | None = None, *, probe: str = "responses.stream", asked: Body | None = None, **more: Any
) -> Exchange:
    """The same as a stream. Events that are bytes are sent as they are."""
    found = told() if events is None else events
    wire = [event if isinstance(event, bytes) else _named(event) for event in found]
    return stream(wire, asked={**ASKED, **(asked or {})}, operation="createResponse", probe=probe, done=False, **more)


def _named(event: Body) -> bytes:
    line = f"event: {event['type']}\n" if "type" in event else ""
    return f"{line}data: {json.dumps(event)}\n\n".encode()


def numbered(events: Iterable[Body]) -> list[Body]:
    return [{**event, "sequence_number": number} for number, event in enumerate(events)]


def without(kind: str, events: Iterable[Body] | None = None) -> list[Body]:
    return numbered(event for event in (told() if events is None else events) if event["type"] != kind)


def twice(kind: str, events: Iterable[Body] | None = None) -> list[Body]:
    def doubled() -> Iterator[Body]:
        for event in told() if events is None else events:
            yield event
            if event["type"] == kind:
                yield event

    return numbered(doubled())


def changed(kind: str, edit: Callable[[Body], Any], events: Iterable[Body] | None = None) -> list[Body]:
    """The events after `edit(event)` of those of one type, changed in place; of all with `*`."""
    found = copy.deepcopy(list(told() if events is None else events))
    for event in found:
        if kind in ("*", event["type"]):
            edit(event)
    return found
