"""Departures of realtime sockets: single events, the settings of a session, its mistakes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit_talk import Edited, Event, Heard, Told, edit_talk
from wireproof.standin.sockets import LOST
from wireproof.standin.wire import Answer, Ask, Serve

REALTIME = "/v1/realtime"
Session = dict[str, Any]


def realtime(ask: Ask, serve: Serve, told: Told | None = None, heard: Heard | None = None) -> Answer:
    """These edits on the sockets of realtime."""
    return edit_talk(serve(ask), told, heard) if ask.path == REALTIME else serve(ask)


def on(*types: str, edit: Callable[[Event], Any]) -> Told:
    """`edit` on events of these types alone."""
    return lambda event: edit(event) if event["type"] in types else None


def settings(ask: Ask, serve: Serve, edit: Callable[[Session], Any], *types: str) -> Answer:
    """`edit` on the session that `session.updated` tells, or the events of these types."""

    def told(event: Event) -> None:
        edit(event["session"])

    return realtime(ask, serve, on(*(types or ("session.updated",)), edit=told))


def unheard(ask: Ask, serve: Serve, is_meant: Callable[[Any], bool]) -> Answer:
    """What the client says is passed over in silence where `is_meant`."""
    return realtime(ask, serve, heard=lambda said: [] if is_meant(said) else None)


# ---- the wire and single events


def _ending(ask: Ask, serve: Serve, code: int, is_meant: Callable[[Any], bool]) -> Answer:
    """Closes where the client says what `is_meant`."""
    answer = serve(ask)
    if ask.path != REALTIME or answer.session is None:
        return answer
    session = Edited(answer.session)

    def heard(said: Any) -> list[Event] | None:
        if is_meant(said):
            session.end(code)
            return []
        return None

    session._heard = heard
    return replace(answer, session=session)


def named(*names: str) -> Callable[[Any], bool]:
    return lambda said: isinstance(said, dict) and said.get("event_id") in names


@fault("realtime.lost", breaks="realtime.wire")
def lost(ask: Ask, serve: Serve) -> Answer:
    """The connection is dropped without a close frame when an item is retrieved."""
    return _ending(ask, serve, LOST, named("wp_gone"))


@fault("realtime.two-in-one", breaks="realtime.events.json")
def two_in_one(ask: Ask, serve: Serve) -> Answer:
    """Items that are added and done come in one message, a line each."""
    held: list[str] = []

    def told(event: Event) -> list[Event | str] | None:
        if event["type"] == "conversation.item.added":
            held.append(json.dumps(event))
            return []
        if event["type"] == "conversation.item.done" and held:
            return [f"{held.pop()}\n{json.dumps(event)}"]
        return None

    return realtime(ask, serve, told)


@fault("realtime.typeless", breaks="realtime.events.json")
def typeless(ask: Ask, serve: Serve) -> Answer:
    """Rate limits tell what they are by `event`, not by `type`."""

    def told(event: Event) -> Event:
        return {"event": event.pop("type"), **event}

    return realtime(ask, serve, on("rate_limits.updated", edit=told))


@fault("realtime.flat-error", breaks="realtime.events.schema", also=("realtime.mistakes.named",))
def flat_error(ask: Ask, serve: Serve) -> Answer:
    """An error tells its message beside its type, not in `error`."""

    def told(event: Event) -> Event:
        return {"type": "error", "event_id": event["event_id"], "message": event["error"]["message"]}

    return realtime(ask, serve, on("error", edit=told))


@fault("realtime.item-object", breaks="realtime.events.schema")
def item_object(ask: Ask, serve: Serve) -> Answer:
    """Items of a conversation say that they are of another kind of object."""

    def told(event: Event) -> None:
        event["item"]["object"] = "conversation.item"

    return realtime(ask, serve, on("conversation.item.added", edit=told))


@fault("realtime.speech-float", breaks="realtime.events.schema")
def speech_float(ask: Ask, serve: Serve) -> Answer:
    """The begin of speech is told in seconds, with a fraction."""

    def told(event: Event) -> None:
        event["audio_start_ms"] = event["audio_start_ms"] / 1000 + 0.25

    return realtime(ask, serve, on("input_audio_buffer.speech_started", edit=told))


@fault("realtime.session-no-id", breaks="realtime.events.schema")
def session_no_id(ask: Ask, serve: Serve) -> Answer:
    """A session has no id."""
    return settings(ask, serve, lambda session: session.pop("id"), "session.created", "session.updated")


@fault("realtime.event-id-missing", breaks="realtime.events.ids")
def event_id_missing(ask: Ask, serve: Serve) -> Answer:
    """Deltas have no `event_id`."""
    return realtime(ask, serve, on("response.output_text.delta", edit=lambda e: e.pop("event_id") and None))


@fault("realtime.event-id-again", breaks="realtime.events.ids")
def event_id_again(ask: Ask, serve: Serve) -> Answer:
    """All deltas of a session have the same `event_id`."""
    return realtime(ask, serve, on("response.output_text.delta", edit=lambda e: {**e, "event_id": "event_delta"}))


# ---- the settings


@fault("realtime.key-told", breaks="realtime.events.no-key")
def key_told(ask: Ask, serve: Serve) -> Answer:
    """An error tells the key of the session."""
    key = (ask.header("authorization") or "").removeprefix("Bearer ")
    return realtime(ask, serve, on("error", edit=lambda event: event["error"].update(message=f"Not under {key}.")))


@fault("realtime.greeting-late", breaks="realtime.session.created")
def greeting_late(ask: Ask, serve: Serve) -> Answer:
    """`conversation.created` comes before `session.created`."""
    early = {"type": "conversation.created", "event_id": "event_0", "conversation": {"id": "conv_0"}}
    return realtime(ask, serve, on("session.created", edit=lambda event: [early, event]))


@fault("realtime.greeting-again", breaks="realtime.session.created")
def greeting_again(ask: Ask, serve: Serve) -> Answer:
    """An update is followed by another `session.created`."""

    def told(event: Event) -> list[Event]:
        return [event, {**event, "type": "session.created", "event_id": f"{event['event_id']}b"}]

    return realtime(ask, serve, on("session.updated", edit=told))


@fault("realtime.model-path", breaks="realtime.session.model")
def model_path(ask: Ask, serve: Serve) -> Answer:
    """A session names its model by where it lies on the disk of the server."""
    return settings(ask, serve, lambda session: session.update(model="/srv/models/realtime.gguf"), "session.created",
                    "session.updated")  # fmt: skip


@fault("realtime.expires-ms", breaks="realtime.session.expires")
def expires_ms(ask: Ask, serve: Serve) -> Answer:
    """`expires_at` is told in milliseconds."""
    return settings(ask, serve, lambda session: session.update(expires_at=session.get("expires_at", 1) * 1000),
                    "session.created", "session.updated")  # fmt: skip


@fault("realtime.expired", breaks="realtime.session.expires")
def expired(ask: Ask, serve: Serve) -> Answer:
    """A session says that it expired an hour ago."""
    return settings(ask, serve, lambda session: session.update(expires_at=session.get("expires_at", 7300) - 7300),
                    "session.created", "session.updated")  # fmt: skip


@fault("realtime.id-changes", breaks="realtime.session.id")
def id_changes(ask: Ask, serve: Serve) -> Answer:
    """Each update gives the session another id."""
    return settings(ask, serve, lambda session: session.update(id=f"{session['id']}{len(session['instructions'])}")
                    if "instructions" in session else None)  # fmt: skip


@fault("realtime.update-unanswered", breaks="realtime.session.answered")
def update_unanswered(ask: Ask, serve: Serve) -> Answer:
    """Updates are taken and never answered."""
    return realtime(ask, serve, on("session.updated", edit=lambda event: []))


@fault("realtime.update-twice", breaks="realtime.events.once", also=("realtime.session.echo", "realtime.mistakes.*"))
def update_twice(ask: Ask, serve: Serve) -> Answer:
    """An update is told twice."""
    return realtime(ask, serve, on("session.updated", edit=lambda e: [e, {**e, "event_id": f"{e['event_id']}b"}]))


@fault("realtime.read-twice", breaks="realtime.events.once")
def read_twice(ask: Ask, serve: Serve) -> Answer:
    """An item that is read is told twice."""
    told = on("conversation.item.retrieved", edit=lambda e: [e, {**e, "event_id": f"{e['event_id']}b"}])
    return realtime(ask, serve, told)


@fault("realtime.update-ignored", breaks="realtime.session.echo")
def update_ignored(ask: Ask, serve: Serve) -> Answer:
    """The instructions of an update are dropped in silence."""

    def heard(said: Any) -> Event | None:
        if not isinstance(said, dict) or said["type"] != "session.update":
            return None
        return {**said, "session": {key: value for key, value in said["session"].items() if key != "instructions"}}

    return realtime(ask, serve, heard=heard)


@fault("realtime.update-stale", breaks="realtime.session.echo")
def update_stale(ask: Ask, serve: Serve) -> Answer:
    """`session.updated` tells how much may be answered as it was before, always."""
    return settings(ask, serve, lambda session: session.update(max_output_tokens="inf"))


@fault("realtime.detection-unset", breaks="realtime.session.echo")
def detection_unset(ask: Ask, serve: Serve) -> Answer:
    """The patience that a session was asked to have in silence is told to be another."""

    def edit(session: Session) -> None:
        detection = (session.get("audio", {}).get("input") or {}).get("turn_detection")
        if detection and "silence_duration_ms" in detection:
            detection["silence_duration_ms"] = 500

    return settings(ask, serve, edit, "session.created", "session.updated")


@fault(
    "realtime.update-resets",
    breaks="realtime.session.keeps",
    also=("realtime.mistakes.unharmed", "realtime.responses.aside"),
)
def update_resets(ask: Ask, serve: Serve) -> Answer:
    """An update sets back what it does not name."""

    def heard(said: Any) -> Event | None:
        if not isinstance(said, dict) or said.get("type") != "session.update":
            return None
        return {**said, "session": {"instructions": "You are helpful.", "max_output_tokens": "inf", **said["session"]}}

    return realtime(ask, serve, heard=heard)


@fault("realtime.update-partly-told", breaks="realtime.session.keeps")
def update_partly_told(ask: Ask, serve: Serve) -> Answer:
    """`session.updated` leaves the voice and the tools out."""
    return settings(ask, serve, lambda session: (session.pop("tools", 0), session["audio"].pop("output", 0)))


# ---- mistakes


@fault("realtime.nonsense-taken", breaks="realtime.mistakes.update")
def nonsense_taken(ask: Ask, serve: Serve) -> Answer:
    """An update with a modality that there is not is taken, without it."""

    def heard(said: Any) -> Event | None:
        if not named("wp_bad")(said):
            return None
        return {**said, "session": {key: value for key, value in said["session"].items() if key != "output_modalities"}}

    return realtime(ask, serve, heard=heard)


@fault("realtime.half-taken", breaks="realtime.mistakes.unharmed")
def half_taken(ask: Ask, serve: Serve) -> Answer:
    """A refused update changes the instructions all the same."""
    after: list[str] = []

    def heard(said: Any) -> None:
        if named("wp_bad")(said):
            after.append(said["session"]["instructions"])

    def told(event: Event) -> None:
        if event["type"] == "session.updated" and after:
            event["session"]["instructions"] = after[-1]

    return realtime(ask, serve, told, heard)


@fault("realtime.unknown-silent", breaks="realtime.mistakes.unknown-event")
def unknown_silent(ask: Ask, serve: Serve) -> Answer:
    """Events of unknown types are passed over."""
    return unheard(ask, serve, named("wp_unknown"))


@fault("realtime.json-silent", breaks="realtime.mistakes.json")
def json_silent(ask: Ask, serve: Serve) -> Answer:
    """What is no JSON is passed over."""
    return unheard(ask, serve, lambda said: not isinstance(said, dict))


@fault("realtime.missing-silent", breaks="realtime.mistakes.missing")
def missing_silent(ask: Ask, serve: Serve) -> Answer:
    """An item that is not there is made in silence."""
    return unheard(ask, serve, named("wp_missing"))


@fault("realtime.json-closes", breaks="realtime.mistakes.open")
def json_closes(ask: Ask, serve: Serve) -> Answer:
    """What is no JSON ends the session, with 1011."""
    return _ending(ask, serve, 1011, lambda said: not isinstance(said, dict))


@fault("realtime.unknown-closes", breaks="realtime.mistakes.open")
def unknown_closes(ask: Ask, serve: Serve) -> Answer:
    """An event of an unknown type ends the session, with 1003."""
    return _ending(ask, serve, 1003, named("wp_unknown"))


@fault("realtime.error-wordless", breaks="realtime.mistakes.told")
def error_wordless(ask: Ask, serve: Serve) -> Answer:
    """An error has no words."""
    return realtime(ask, serve, on("error", edit=lambda event: event["error"].update(message="")))


@fault("realtime.error-twice", breaks="realtime.mistakes.told")
def error_twice(ask: Ask, serve: Serve) -> Answer:
    """An item that there is not is said to be none twice."""

    def told(event: Event) -> list[Event] | None:
        is_meant = event["error"]["event_id"] == "wp_twice"
        return [event, {**event, "event_id": f"{event['event_id']}b"}] if is_meant else None

    return realtime(ask, serve, on("error", edit=told))


@fault("realtime.error-nameless", breaks="realtime.mistakes.named")
def error_nameless(ask: Ask, serve: Serve) -> Answer:
    """An error does not tell which event it is about."""
    return realtime(ask, serve, on("error", edit=lambda event: event["error"].update(event_id=None)))
