"""Departures of sound on a realtime socket: spoken answers, the buffer, turns, and what is written down."""

from __future__ import annotations

import base64
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit_talk import Event
from wireproof.standin.faults.realtime import named, on, realtime, unheard
from wireproof.standin.faults.realtime_responses import dropped, ends
from wireproof.standin.wire import Answer, Ask, Serve

AUDIO = "response.output_audio.delta"
BUFFER, TRANSCRIPT = "input_audio_buffer.", "conversation.item.input_audio_transcription."


@fault("realtime.half-samples", breaks="realtime.audio.samples")
def half_samples(ask: Ask, serve: Serve) -> Answer:
    """Sound is cut in the middle of a sample."""

    def told(event: Event) -> None:
        event["delta"] = base64.b64encode(base64.b64decode(event["delta"])[:-1]).decode()

    return realtime(ask, serve, on(AUDIO, edit=told))


@fault("realtime.wav-pieces", breaks="realtime.audio.samples")
def wav_pieces(ask: Ask, serve: Serve) -> Answer:
    """Each piece of sound is a WAV of its own."""

    def told(event: Event) -> None:
        data = base64.b64decode(event["delta"])
        event["delta"] = base64.b64encode(b"RIFF" + bytes(40) + data).decode()

    return realtime(ask, serve, on(AUDIO, edit=told))


@fault("realtime.hex-sound", breaks="realtime.audio.samples")
def hex_sound(ask: Ask, serve: Serve) -> Answer:
    """Sound comes in base64 with letters that are for URLs."""

    def told(event: Event) -> None:
        event["delta"] = base64.urlsafe_b64encode(base64.b64decode(event["delta"]) + b"\xff\xff").decode()

    return realtime(ask, serve, on(AUDIO, edit=told))


@fault("realtime.soundless", breaks="realtime.audio.spoken")
def soundless(ask: Ask, serve: Serve) -> Answer:
    """A spoken answer has a transcript and no sound."""
    return dropped(ask, serve, AUDIO)


@fault("realtime.wordless", breaks="realtime.audio.spoken")
def wordless(ask: Ask, serve: Serve) -> Answer:
    """A spoken answer has no transcript."""
    kind = "response.output_audio_transcript"
    return dropped(ask, serve, f"{kind}.delta", f"{kind}.done")


@fault("realtime.sound-uncounted", breaks="realtime.audio.usage")
def sound_uncounted(ask: Ask, serve: Serve) -> Answer:
    """A spoken answer is said to have no tokens of sound."""
    return ends(ask, serve, lambda response: response["usage"]["output_token_details"].update(audio_tokens=0))


@fault("realtime.cut-elsewhere", breaks="realtime.audio.truncated")
def cut_elsewhere(ask: Ask, serve: Serve) -> Answer:
    """What is cut is said to be cut at its end."""
    edit = on("conversation.item.truncated", edit=lambda event: event.update(audio_end_ms=0))
    return realtime(ask, serve, edit)


@fault("realtime.cut-anywhere", breaks="realtime.audio.truncate-far")
def cut_anywhere(ask: Ask, serve: Serve) -> Answer:
    """Sound of a second is cut after an hour."""

    def heard(said: Any) -> list[Event] | None:
        if not named("wp_far")(said):
            return None
        told = {key: said[key] for key in ("item_id", "content_index", "audio_end_ms")}
        return [{"type": "conversation.item.truncated", "event_id": "event_far", **told}]

    return realtime(ask, serve, heard=heard)


@fault("realtime.nothing-committed", breaks="realtime.buffer.empty")
def nothing_committed(ask: Ask, serve: Serve) -> Answer:
    """An empty buffer is committed."""

    def heard(said: Any) -> list[Event] | None:
        if not named("wp_empty")(said):
            return None
        return [{"type": f"{BUFFER}committed", "event_id": "event_empty", "item_id": "item_0"}]

    return realtime(ask, serve, heard=heard)


@fault("realtime.empty-silent", breaks="realtime.buffer.empty")
def empty_silent(ask: Ask, serve: Serve) -> Answer:
    """To commit an empty buffer is passed over in silence."""
    return unheard(ask, serve, named("wp_empty"))


@fault("realtime.garbled-silent", breaks="realtime.buffer.garbled")
def garbled_silent(ask: Ask, serve: Serve) -> Answer:
    """Sound that is no base64 is passed over in silence."""
    return unheard(ask, serve, named("wp_garbled"))


@fault("realtime.clear-keeps", breaks="realtime.buffer.cleared")
def clear_keeps(ask: Ask, serve: Serve) -> Answer:
    """A buffer that is said to be cleared keeps what is in it."""

    def heard(said: Any) -> list[Event] | None:
        return [{"type": f"{BUFFER}cleared", "event_id": "event_clear"}] if named("wp_clear")(said) else None

    return realtime(ask, serve, heard=heard)


@fault("realtime.clear-silent", breaks="realtime.buffer.cleared")
def clear_silent(ask: Ask, serve: Serve) -> Answer:
    """A buffer is cleared in silence."""
    return dropped(ask, serve, f"{BUFFER}cleared")


@fault("realtime.committed-other", breaks="realtime.buffer.committed", also=("realtime.vad.committed",))
def committed_other(ask: Ask, serve: Serve) -> Answer:
    """What is committed is told under another id than its item has."""
    return realtime(
        ask, serve, on(f"{BUFFER}committed", edit=lambda event: event.update(item_id=f"{event['item_id']}x"))
    )


@fault("realtime.committed-as-text", breaks="realtime.buffer.committed")
def committed_as_text(ask: Ask, serve: Serve) -> Answer:
    """What was said into the buffer is an item of text."""

    def told(event: Event) -> None:
        if [part.get("type") for part in event["item"].get("content", ())] == ["input_audio"]:
            event["item"]["content"] = [{"type": "input_text", "text": ""}]

    return realtime(ask, serve, on("conversation.item.added", "conversation.item.done", edit=told))


@fault("realtime.vad-always", breaks="realtime.vad.off")
def vad_always(ask: Ask, serve: Serve) -> Answer:
    """Turns are found though nobody was to look for them."""
    is_told: list[bool] = []

    def told(event: Event) -> list[Event] | None:
        if is_told:
            return None
        is_told.append(True)
        begun = {"type": f"{BUFFER}speech_started", "event_id": "event_begun", "audio_start_ms": 0, "item_id": "item_0"}
        stopped = {"type": f"{BUFFER}speech_stopped", "event_id": "event_end", "audio_end_ms": 500, "item_id": "item_0"}
        return [begun, stopped, event]

    return realtime(ask, serve, on(f"{BUFFER}cleared", edit=told))


@fault("realtime.stop-before-start", breaks="realtime.vad.turns")
def stop_before_start(ask: Ask, serve: Serve) -> Answer:
    """Speech ends before it began."""
    return realtime(ask, serve, on(f"{BUFFER}speech_stopped", edit=lambda event: event.update(audio_end_ms=1)))


@fault("realtime.stop-unstarted", breaks="realtime.vad.turns")
def stop_unstarted(ask: Ask, serve: Serve) -> Answer:
    """Speech ends that was never said to have begun."""

    def told(event: Event) -> list[Event]:
        return [event, {**event, "event_id": f"{event['event_id']}b"}]

    return realtime(ask, serve, on(f"{BUFFER}speech_stopped", edit=told))


@fault("realtime.speech-unstopped", breaks="realtime.vad.turns")
def speech_unstopped(ask: Ask, serve: Serve) -> Answer:
    """What was spoken is committed, though nobody was said to have stopped."""
    return dropped(ask, serve, f"{BUFFER}speech_stopped")


@fault("realtime.speech-uncommitted", breaks="realtime.vad.committed")
def speech_uncommitted(ask: Ask, serve: Serve) -> Answer:
    """What was spoken is never committed."""
    is_speech: list[bool] = []

    def told(event: Event) -> list[Event] | None:
        if event["type"] == f"{BUFFER}speech_stopped":
            is_speech.append(True)
        return [] if is_speech and event["type"] == f"{BUFFER}committed" else None

    return realtime(ask, serve, told)


@fault("realtime.answers-unasked", breaks="realtime.vad.silent")
def answers_unasked(ask: Ask, serve: Serve) -> Answer:
    """Whoever stops to speak is answered, though `create_response` is off."""

    def heard(said: Any) -> Event | None:
        if not named("wp_vad")(said):
            return None
        detection = {**said["session"]["audio"]["input"]["turn_detection"], "create_response": True}
        return {**said, "session": {"type": "realtime", "audio": {"input": {"turn_detection": detection}}}}

    def told(event: Event) -> None:
        detection = event["session"]["audio"]["input"]["turn_detection"]
        if detection:
            detection["create_response"] = False

    return realtime(ask, serve, on("session.updated", edit=told), heard)
