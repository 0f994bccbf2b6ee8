"""Departures of times: another unit, or zero for what has not happened."""

from __future__ import annotations

from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_events
from wireproof.standin.wire import Answer, Ask, Serve


@fault("wire.times-zero", breaks="wire.times", also=("responses.completed-at",))
def what_has_not_happened_is_zero(ask: Ask, serve: Serve) -> Answer:
    """`completed_at` of a response that is still to be completed is 0, as a language without null has it."""

    def zero(event: dict[str, Any]) -> None:
        response = event.get("response")
        if isinstance(response, dict) and not response.get("completed_at"):
            response["completed_at"] = 0

    return edit_events(serve(ask), zero) if ask.path.endswith("/responses") else serve(ask)


@fault("wire.times-chunk-ms", breaks="wire.times")
def chunks_count_milliseconds(ask: Ask, serve: Serve) -> Answer:
    """`created` of the chunks of a chat is in milliseconds."""
    if not ask.path.endswith("/chat/completions"):
        return serve(ask)
    return edit_events(serve(ask), lambda event: event.update(created=event["created"] * 1000))
