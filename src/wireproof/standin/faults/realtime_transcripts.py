"""Departures of what the user said on a realtime socket, in writing."""

from __future__ import annotations

from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit_talk import Event
from wireproof.standin.faults.realtime import named, on, realtime
from wireproof.standin.faults.realtime_responses import dropped
from wireproof.standin.wire import Answer, Ask, Serve

BUFFER, TRANSCRIPT = "input_audio_buffer.", "conversation.item.input_audio_transcription."


@fault("realtime.transcript-other", breaks="realtime.transcripts.fold")
def transcript_other(ask: Ask, serve: Serve) -> Answer:
    """A transcript says at its end what its pieces did not."""

    def told(event: Event) -> None:
        event["transcript"] += " So."

    return realtime(ask, serve, on(f"{TRANSCRIPT}completed", edit=told))


@fault("realtime.transcript-twice", breaks="realtime.transcripts.fold")
def transcript_twice(ask: Ask, serve: Serve) -> Answer:
    """A transcript is completed twice."""
    edit = on(f"{TRANSCRIPT}completed", edit=lambda e: [e, {**e, "event_id": f"{e['event_id']}b"}])
    return realtime(ask, serve, edit)


@fault("realtime.transcript-astray", breaks="realtime.transcripts.item")
def transcript_astray(ask: Ask, serve: Serve) -> Answer:
    """A transcript names an item that there is not."""
    edit = on(f"{TRANSCRIPT}delta", f"{TRANSCRIPT}completed", edit=lambda event: event.update(item_id="item_0"))
    return realtime(ask, serve, edit)


@fault("realtime.transcript-elsewhere", breaks="realtime.transcripts.fold")
def transcript_elsewhere(ask: Ask, serve: Serve) -> Answer:
    """A transcript ends in another part than its pieces came in."""
    return realtime(ask, serve, on(f"{TRANSCRIPT}completed", edit=lambda event: event.update(content_index=1)))


@fault("realtime.transcript-usage", breaks="realtime.transcripts.usage")
def transcript_usage(ask: Ask, serve: Serve) -> Answer:
    """The tokens of a transcript do not make its total."""
    return realtime(ask, serve, on(f"{TRANSCRIPT}completed", edit=lambda e: e["usage"].update(total_tokens=0)))


@fault("realtime.writes-as-realtime", breaks="realtime.transcription.type")
def writes_as_realtime(ask: Ask, serve: Serve) -> Answer:
    """A session that was opened to write down is one that converses."""

    def told(event: Event) -> None:
        if event["session"]["type"] == "transcription":
            event["session"].update(type="realtime", object="realtime.session")

    return realtime(ask, serve, on("session.created", "session.updated", edit=told))


@fault("realtime.transcript-never", breaks="realtime.transcription.answered")
def transcript_never(ask: Ask, serve: Serve) -> Answer:
    """What was committed is never written down."""
    return dropped(ask, serve, f"{TRANSCRIPT}delta", f"{TRANSCRIPT}completed")


@fault("realtime.writer-answers", breaks="realtime.transcription.mute")
def writer_answers(ask: Ask, serve: Serve) -> Answer:
    """A session that writes down responds as well."""

    def heard(said: Any) -> list[Event] | None:
        if not named("wp_respond")(said):
            return None
        response = {"object": "realtime.response", "id": "resp_0", "status": "in_progress", "output": []}
        return [{"type": "response.created", "event_id": "event_resp", "response": response}]

    return realtime(ask, serve, heard=heard)
