"""Departures of responses one at a time: a second beside the first, and one that is stopped."""

from __future__ import annotations

from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit_talk import Event, edit_talk
from wireproof.standin.faults.realtime import REALTIME, named, on, realtime, unheard
from wireproof.standin.faults.realtime_responses import ends
from wireproof.standin.wire import Answer, Ask, Serve

CREATED, DONE = "response.created", "response.done"


@fault("realtime.two-at-once", breaks="realtime.turns.one")
def two_at_once(ask: Ask, serve: Serve) -> Answer:
    """A second response is given beside the first."""

    def heard(said: Any) -> Event | None:
        if not named("wp_second")(said):
            return None
        return {**said, "response": {**said["response"], "conversation": "none"}}

    return realtime(ask, serve, heard=heard)


@fault("realtime.second-ends-first", breaks="realtime.turns.unharmed")
def second_ends_first(ask: Ask, serve: Serve) -> Answer:
    """A response that is refused ends the one that is given."""
    answer = serve(ask)
    if ask.path != REALTIME or answer.session is None:
        return answer
    inner = answer.session

    def heard(said: Any) -> Event | None:
        if not named("wp_second")(said):
            return None
        inner.hear('{"type": "response.cancel"}')
        return {"type": "response.cancel", "event_id": "wp_second"}

    return edit_talk(answer, heard=heard)


@fault("realtime.stop-unanswered", breaks="realtime.cancel.answered")
def stop_unanswered(ask: Ask, serve: Serve) -> Answer:
    """A response that is stopped falls silent: its end is not told."""

    def told(event: Event) -> list[Event] | None:
        return [] if event["response"]["status"] == "cancelled" else None

    return realtime(ask, serve, on(DONE, edit=told))


@fault("realtime.stop-completes", breaks="realtime.cancel.status")
def stop_completes(ask: Ask, serve: Serve) -> Answer:
    """A response that is stopped is said to be completed."""

    def edit(response: Event) -> None:
        if response["status"] == "cancelled":
            items = [{**item, "status": "completed"} for item in response["output"]]
            response.update(status="completed", status_details=None, output=items)

    return ends(ask, serve, edit)


@fault("realtime.stop-idle-silent", breaks="realtime.cancel.idle")
def stop_idle_silent(ask: Ask, serve: Serve) -> Answer:
    """To stop when there is nothing to stop is passed over in silence."""
    return unheard(ask, serve, named("wp_idle"))


@fault("realtime.stop-blocks", breaks="realtime.cancel.after")
def stop_blocks(ask: Ask, serve: Serve) -> Answer:
    """After a response was stopped the conversation is taken to be still answering."""

    def heard(said: Any) -> list[Event] | None:
        if not named("wp_after")(said):
            return None
        code = "conversation_already_has_active_response"
        error = {
            "type": "invalid_request_error",
            "code": code,
            "message": "Busy.",
            "param": None,
            "event_id": "wp_after",
        }
        return [{"type": "error", "event_id": "event_busy", "error": error}]

    return realtime(ask, serve, heard=heard)
