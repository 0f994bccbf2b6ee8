"""Clauses of realtime: talks with the stand-in keep each, and one message changed, dropped or told again breaks it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from certified import certified, contents_of_contracts, standin_plan
from made import verdict_of

from wireproof.clause import Clause, Exchange, Message, Socket, Trouble, Unheard

Event = dict[str, Any]
# An event of the server: changed in place (None), others in its place, none.
Edit = Callable[[Event], "list[Event] | None"]


@cache
def talks() -> dict[str, Exchange]:
    """What was said to the stand-in, by probe; the later steps of a flow by their ids."""
    return {exchange.id: exchange for exchange in certified(plan=standin_plan(profiles=["realtime"])).exchanges}


@cache
def clauses() -> dict[str, Clause]:
    return {
        one.id.removeprefix("realtime."): one for one in contents_of_contracts()[0] if one.id.startswith("realtime.")
    }


def edited(exchange: Exchange, edit: Edit) -> Exchange:
    """The talk with `edit` on each event of the server."""
    assert exchange.socket is not None
    told: list[Message] = []
    for message in exchange.socket.messages:
        if message.ours:
            told.append(message)
            continue
        event = json.loads(message.data)
        others = edit(event)
        told += [replace(message, data=json.dumps(one).encode()) for one in ([event] if others is None else others)]
    return replace(exchange, socket=replace(exchange.socket, messages=tuple(told)))


def on(type: str, change: Callable[[Event], Any], number: int | None = None) -> Edit:
    """`change` on events of this type, or on the one of that `number` alone."""
    seen = iter(range(1_000))

    def edit(event: Event) -> list[Event] | None:
        if event["type"] == type and number in (None, next(seen)):
            found = change(event)
            return found if isinstance(found, list) else None
        return None

    return edit


def put(type: str, path: str, value: Any, number: int | None = None) -> Edit:
    """`value` in the place of what stands at a path, `response.usage.total_tokens`."""

    def change(event: Event) -> None:
        *parents, last = path.split(".")
        place: Any = event
        for key in parents:
            place = place[int(key)] if key.isdecimal() else place[key]
        place[last] = value(place[last]) if callable(value) else value

    return on(type, change, number)


def drop(type: str, number: int | None = None) -> Edit:
    return on(type, lambda event: [], number)


def twice(type: str, number: int | None = None) -> Edit:
    return on(type, lambda event: [event, {**event, "event_id": f"{event['event_id']}b"}], number)


def alone(type: str) -> Edit:
    """All events but those of this type are dropped."""
    return lambda event: None if event["type"] == type else []


def by_other_names(event: Event) -> None:
    """As texts were told in the beta."""
    event["type"] = event["type"].replace("response.output_text.", "response.text.")


ADDED, DONE = "conversation.item.added", "conversation.item.done"
CREATED, ENDED = "response.created", "response.done"
DELTA, TEXT = "response.output_text.delta", "response.output_text.done"
UPDATED, TRANSCRIBED = "session.updated", "conversation.item.input_audio_transcription.completed"
STARTED, STOPPED = "input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped"

# The clause, a talk that keeps it, and what breaks it.
BROKEN: list[tuple[str, str, Edit]] = [
    ("events.schema", "text", put(ENDED, "response.output", "none")),
    ("events.ids", "text", put(DELTA, "event_id", "event_1")),
    ("events.no-key", "session", put("error", "error.message", "Not under [redacted-key].")),
    ("events.once", "session", twice(UPDATED)),
    ("session.created", "session", twice("session.created")),
    ("session.model", "session", put("session.created", "session.model", "/srv/models/realtime.gguf")),
    ("session.expires", "session", put("session.created", "session.expires_at", 7)),
    ("session.id", "session", put(UPDATED, "session.id", "sess_1", 0)),
    ("session.echo", "session", put(UPDATED, "session.instructions", "Be brief.")),
    ("session.keeps", "session", put(UPDATED, "session.tool_choice", "none")),
    ("mistakes.unharmed", "session", put(UPDATED, "session.instructions", "Never to be heard.", 2)),
    ("mistakes.named", "session", put("error", "error.event_id", None, 0)),
    ("mistakes.told", "session", put("error", "error.message", "")),
    ("items.created", "items", put(ADDED, "item.content", [])),
    ("items.named", "items", put(ADDED, "item.id", "", 3)),
    ("items.order", "items", put(ADDED, "previous_item_id", "wp_item_two", 2)),
    ("items.once", "items", twice(ADDED, 0)),
    ("items.alike", "items", put(DONE, "previous_item_id", "wp_item_two", 1)),
    ("items.finished", "text", put("response.output_item.done", "item.status", "in_progress", 0)),
    ("items.retrieved", "items", put("conversation.item.retrieved", "item.id", "wp_item_one", 0)),
    ("items.deleted", "items", put("conversation.item.deleted", "item_id", "wp_item_two")),
    ("responses.life", "text", twice(ENDED, 0)),
    ("responses.items", "text", drop("response.output_item.added", 0)),
    ("responses.parts", "text", drop("response.content_part.added", 0)),
    ("responses.pieces", "text", twice(TEXT)),
    ("responses.closed", "text", drop("response.content_part.done")),
    ("responses.indices", "text", put("response.output_item.added", "output_index", 1)),
    ("responses.names", "text", put(DELTA, "item_id", "item_0")),
    ("responses.fold", "text", drop(DELTA, 0)),
    ("responses.part", "text", put("response.content_part.done", "part.text", "Hm.")),
    ("responses.item", "text", put("response.output_item.done", "item.content", [], 0)),
    ("responses.output", "text", put(ENDED, "response.output", [], 0)),
    ("responses.usage", "text", put(ENDED, "response.usage.total_tokens", lambda total: total + 1)),
    ("responses.status", "text", put(ENDED, "response.status", "in_progress", 0)),
    ("responses.details", "cancel", put(ENDED, "response.status_details", None)),
    ("responses.same", "text", put(CREATED, "response.metadata", {"purpose": "other"})),
    ("responses.object", "text", put(ENDED, "response.object", "response")),
    ("responses.metadata", "text", put(ENDED, "response.metadata", None)),
    ("responses.text", "text", put("response.content_part.added", "part.type", "audio", 0)),
    ("responses.text", "text", by_other_names),
    ("responses.aside", "text", put(UPDATED, "session.instructions", "Say no.", 1)),
    ("responses.result", "text", put(ADDED, "item.output", "", 4)),
    ("responses.cap", "text", put(ENDED, "response.max_output_tokens", 1)),
    ("responses.cap-told", "text", put(ENDED, "response.max_output_tokens", "inf")),
    ("responses.kept", "text", drop(ADDED)),
    ("responses.apart", "text", put(ENDED, "response.conversation_id", "conv_1")),
    ("responses.conversation", "text", put(ENDED, "response.conversation_id", "conv_1", 0)),
    ("responses.call", "text", put(ENDED, "response.output.0.name", "other", 2)),
    ("rate-limits", "text", put("rate_limits.updated", "rate_limits.0.remaining", -1)),
    ("cancel.status", "cancel", put(ENDED, "response.status", "completed", 0)),
    ("audio.samples", "spoken", put("response.output_audio.delta", "delta", "AA==")),
    ("audio.spoken", "spoken", drop("response.output_audio.delta")),
    ("audio.usage", "spoken", put(ENDED, "response.usage.output_token_details.audio_tokens", 0)),
    ("audio.truncated", "spoken", put("conversation.item.truncated", "audio_end_ms", 1)),
    ("buffer.committed", "buffer", put("input_audio_buffer.committed", "item_id", "item_0", 0)),
    ("vad.turns", "buffer", put(STOPPED, "audio_end_ms", 0)),
    ("vad.turns", "buffer", drop(STARTED)),
    ("vad.committed", "buffer", put(STOPPED, "item_id", "item_0")),
    ("vad.off", "buffer", on("input_audio_buffer.cleared", lambda e: [{**e, "type": STARTED, "item_id": "item_0"}, e])),
    ("vad.silent", "buffer", on(UPDATED, lambda e: [e, {**e, "type": CREATED, "response": {"id": "resp_1"}}])),
    ("transcripts.fold", "transcription", put(TRANSCRIBED, "transcript", "Hm.")),
    ("transcripts.item", "transcription", put(TRANSCRIBED, "item_id", "item_0")),
    ("transcripts.usage", "transcription", put(TRANSCRIBED, "usage.total_tokens", 0)),
    ("transcription.type", "transcription", put("session.created", "session.type", "realtime")),
    ("keys.protocol", "protocol", put("session.created", "type", "error")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("id", "talk", "edit"), BROKEN, ids=[f"{id}-{number}" for number, (id, _, _) in enumerate(BROKEN)]
)
def test_a_talk_that_keeps_it_and_the_nearest_that_breaks_it(id: str, talk: str, edit: Edit) -> None:
    clause, kept = clauses()[id], talks()[f"realtime.{talk}"]
    assert verdict_of(clause, kept).outcome == "pass"
    verdict = verdict_of(clause, edited(kept, edit))
    assert verdict.outcome == "fail", verdict.reason


def waiting(exchange: Exchange, name: str) -> Exchange:
    """The talk in which nothing came to the client's event of this name, though it was waited for."""
    socket = exchange.socket
    assert socket is not None
    told: list[Message] = []
    is_silent = False
    unheard = []
    for message in socket.messages:
        if message.ours:
            is_silent = json.loads(message.data).get("event_id") == name if message.data.endswith(b"}") else name == ""
        if message.ours or not is_silent:
            told.append(message)
        if message.ours and is_silent:
            unheard.append(Unheard(len(told), ("any",), 15.0))
    return replace(exchange, socket=replace(socket, messages=tuple(told), unheard=tuple(unheard)))


SILENT = [
    ("session.answered", "session", "wp_part"),
    ("mistakes.unknown-event", "session", "wp_unknown"),
    ("mistakes.json", "session", ""),
    ("mistakes.missing", "session", "wp_missing"),
    ("items.answered", "items", "wp_read"),
    ("responses.answered", "text", "wp_in"),
    ("cancel.answered", "cancel", "wp_stop"),
    ("cancel.idle", "cancel", "wp_idle"),
    ("cancel.after", "cancel", "wp_after"),
    ("buffer.empty", "buffer", "wp_empty"),
    ("buffer.garbled", "buffer", "wp_garbled"),
    ("buffer.cleared", "buffer", "wp_clear"),
    ("transcription.answered", "transcription", "wp_commit"),
]


@pytest.mark.parametrize(("id", "talk", "name"), SILENT, ids=[id for id, _, _ in SILENT])
def test_silence_is_no_answer(id: str, talk: str, name: str) -> None:
    kept = talks()[f"realtime.{talk}"]
    assert verdict_of(clauses()[id], kept).outcome == "pass"
    assert verdict_of(clauses()[id], waiting(kept, name)).outcome == "fail"


def after(exchange: Exchange, name: str, *events: Event) -> Exchange:
    """The talk in which these are the answer to the client's event of this name."""
    silent = waiting(exchange, name)
    assert silent.socket is not None
    told: list[Message] = []
    for message in silent.socket.messages:
        told.append(message)
        if message.ours and message.data.endswith(b"}") and json.loads(message.data).get("event_id") == name:
            told += [Message(message.at_s, False, json.dumps(one).encode()) for one in events]
    return replace(silent, socket=replace(silent.socket, messages=tuple(told), unheard=()))


def event(type: str, **fields: Any) -> Event:
    return {"type": type, "event_id": f"event_{type}", **fields}


TAKEN = [
    ("mistakes.update", "session", "wp_bad", event(UPDATED, session={})),
    ("items.duplicate", "items", "wp_again", event(ADDED, item={"id": "wp_item_one"})),
    ("items.nowhere", "items", "wp_nowhere", event(ADDED, item={"id": "item_9"})),
    ("items.truncate", "items", "wp_truncate", event("conversation.item.truncated", item_id="wp_item_two")),
    ("items.deleted", "items", "wp_gone", event("conversation.item.retrieved", item={"id": "wp_item_one"})),
    ("turns.one", "cancel", "wp_second", event(CREATED, response={"id": "resp_2"})),
    ("buffer.empty", "buffer", "wp_empty", event("input_audio_buffer.committed", item_id="item_9")),
    ("buffer.cleared", "buffer", "wp_cleared", event("input_audio_buffer.committed", item_id="item_9")),
    ("audio.truncate-far", "spoken", "wp_far", event("conversation.item.truncated", item_id="item_9")),
    ("transcription.mute", "transcription", "wp_respond", event(CREATED, response={"id": "resp_1"})),
]


@pytest.mark.parametrize(("id", "talk", "name", "answer"), TAKEN, ids=[id for id, *_ in TAKEN])
def test_what_makes_no_sense_is_not_taken(id: str, talk: str, name: str, answer: Event) -> None:
    kept = talks()[f"realtime.{talk}"]
    assert verdict_of(clauses()[id], kept).outcome == "pass"
    assert verdict_of(clauses()[id], after(kept, name, answer)).outcome == "fail"


def test_a_socket_ends_with_a_close_frame() -> None:
    kept = talks()["realtime.session"]
    lost = replace(kept, trouble=Trouble("truncated", "lost", True))
    assert verdict_of(clauses()["wire"], kept).outcome == "pass"
    assert verdict_of(clauses()["wire"], lost).outcome == "fail"
    assert (
        verdict_of(clauses()["wire"], replace(kept, trouble=Trouble("timeout", "slow", False))).outcome
        == "not-applicable"
    )


@pytest.mark.parametrize("data", [b"\xff", b"{}\n{}", b"[]", b'{"event": 1}', b"ping"])
def test_a_message_is_one_event(data: bytes) -> None:
    kept = talks()["realtime.session"]
    assert kept.socket is not None
    odd = replace(kept, socket=replace(kept.socket, messages=(*kept.socket.messages, Message(9.0, False, data))))
    assert verdict_of(clauses()["events.json"], kept).outcome == "pass"
    assert verdict_of(clauses()["events.json"], odd).outcome == "fail"
    assert verdict_of(clauses()["events.schema"], odd).outcome == "inconclusive"


def test_a_mistake_does_not_close_the_socket() -> None:
    kept = talks()["realtime.session"]
    assert kept.socket is not None
    ours = [number for number, one in enumerate(kept.socket.messages) if one.ours]
    for number, outcome in ((ours[4], "fail"), (ours[0], "not-applicable")):
        shut = replace(kept.socket, messages=kept.socket.messages[: number + 1], closed_by="server", code=1011)
        assert verdict_of(clauses()["mistakes.open"], replace(kept, socket=shut)).outcome == outcome


def test_a_refused_second_response_leaves_the_first_alone() -> None:
    kept = talks()["realtime.cancel"]
    assert kept.socket is not None
    events = [json.loads(one.data) for one in kept.socket.messages if not one.ours]
    first = next(one for one in events if one["type"] == CREATED)["response"]
    refused = next(one for one in events if one["type"] == "error" and one["error"]["event_id"] == "wp_second")
    ended = event(ENDED, response={**first, "status": "cancelled"})
    assert verdict_of(clauses()["turns.unharmed"], kept).outcome == "pass"
    assert verdict_of(clauses()["turns.unharmed"], after(kept, "wp_second", ended, refused)).outcome == "fail"


def test_an_item_that_is_added_is_done() -> None:
    kept = talks()["realtime.items"]
    added = event(ADDED, item={"id": "wp_item_one", "type": "message", "role": "user", "content": []})
    silent = after(kept, "wp_one", added)
    assert silent.socket is not None
    unheard = waiting(kept, "wp_one").socket
    assert unheard is not None
    waited = replace(silent, socket=replace(silent.socket, unheard=(replace(unheard.unheard[0], messages=5),)))
    assert verdict_of(clauses()["items.done"], kept).outcome == "pass"
    assert verdict_of(clauses()["items.done"], waited).outcome == "fail"


@pytest.mark.parametrize("id", ["keys.none", "keys.wrong", "keys.model"])
def test_strangers_are_refused_by_the_handshake_or_on_the_socket(id: str) -> None:
    probe = {"keys.none": "no-key", "keys.wrong": "wrong-key", "keys.model": "no-model"}[id]
    refused, created = talks()[f"realtime.{probe}"], json.dumps(event("session.created", session={})).encode()
    error = json.dumps(event("error", error={"message": "No."})).encode()
    let_in = replace(refused, status=101, chunks=(), socket=Socket((Message(0.1, False, created),)))
    told = replace(let_in, socket=Socket((Message(0.1, False, created), Message(0.2, False, error))))
    assert [verdict_of(clauses()[id], one).outcome for one in (refused, told, let_in)] == ["pass", "pass", "fail"]
    broke = replace(refused, status=500)
    assert [verdict_of(clauses()["keys.refusal"], one).outcome for one in (refused, broke)] == ["pass", "fail"]
    assert verdict_of(clauses()["keys.refusal"], told).outcome == "not-applicable"


def secret(**changes: Any) -> Exchange:
    lent = talks()["realtime.secret"]
    return replace(lent, chunks=(replace(lent.chunks[0], data=json.dumps({**lent.json, **changes}).encode()),))


@pytest.mark.parametrize(
    ("id", "changes"),
    [
        ("secrets.schema", {"value": 7}),
        ("secrets.expires", {"expires_at": 60}),
        ("secrets.expires", {"expires_at": 9_000_000_000}),
        ("secrets.session", {"session": {"type": "realtime"}}),
    ],
)
def test_a_key_for_a_client(id: str, changes: dict[str, Any]) -> None:
    assert verdict_of(clauses()[id], secret()).outcome == "pass"
    assert verdict_of(clauses()[id], secret(**changes)).outcome == "fail"


def test_a_key_for_a_client_opens_its_session_and_nothing_else() -> None:
    lent, opened, listed = (talks()[f"realtime.secret{step}"] for step in ("", "#1", "#2"))
    opens, confined = clauses()["secrets.opens"], clauses()["secrets.confined"]
    assert verdict_of(opens, lent, opened, listed).outcome == "pass"
    shut = replace(opened, status=401, socket=None)
    assert verdict_of(opens, lent, shut, listed).outcome == "fail"
    other = edited(opened, put("session.created", "session.instructions", "Be brief."))
    assert verdict_of(opens, lent, other, listed).outcome == "fail"
    assert verdict_of(confined, lent, opened, listed).outcome == "pass"
    assert verdict_of(confined, lent, opened, replace(listed, status=200)).outcome == "fail"


def test_every_clause_has_its_pair_here() -> None:
    tried = {id for id, *_ in [*BROKEN, *SILENT, *TAKEN]}
    elsewhere = {"wire", "events.json", "mistakes.open", "turns.unharmed", "items.done", "keys.none", "keys.wrong",
                 "keys.model", "keys.refusal", "secrets.schema", "secrets.expires", "secrets.session", "secrets.opens",
                 "secrets.confined"}  # fmt: skip
    assert set(clauses()) == tried | elsewhere
