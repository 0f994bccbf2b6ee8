"""Realtime as described: every event the SDK knows, legal ones taken and the nearest breaches refused."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from openai.types import realtime as sdk

from wireproof.spec import load_spec

SPEC = load_spec()
AT = {"event_id": "event_1", "response_id": "resp_1", "item_id": "item_1", "output_index": 0, "content_index": 0}
SESSION: dict[str, Any] = {
    "type": "realtime",
    "object": "realtime.session",
    "id": "sess_1",
    "model": "gpt-realtime",
    "output_modalities": ["audio"],
    "tools": [],
    "tool_choice": "auto",
    "max_output_tokens": "inf",
    "tracing": None,
    "truncation": "auto",
    "prompt": None,
    "expires_at": 1760000600,
    "audio": {
        "input": {
            "format": {"type": "audio/pcm", "rate": 24000},
            "transcription": None,
            "noise_reduction": None,
            "turn_detection": {"type": "server_vad", "threshold": 0.5, "idle_timeout_ms": None},
        },
        "output": {"format": {"type": "audio/pcmu"}, "voice": "marin", "speed": 1.0},
    },
    "include": None,
}
SECRET = {"value": "ek_1", "expires_at": 1760000600, "session": SESSION}
CREATED = {"type": "session.created", "event_id": "event_1", "session": SESSION}
DELTA = {"type": "response.output_audio.delta", **AT, "delta": "AAAA"}
ITEM = {
    "id": "item_1",
    "type": "message",
    "status": "completed",
    "role": "user",
    "content": [{"type": "input_audio", "transcript": None}],
}
ADDED: dict[str, Any] = {
    "type": "conversation.item.added",
    "event_id": "event_1",
    "previous_item_id": None,
    "item": ITEM,
}
RESPONSE: dict[str, Any] = {
    "object": "realtime.response",
    "id": "resp_1",
    "status": "in_progress",
    "status_details": None,
    "output": [],
}
BEGUN = {"type": "response.created", "event_id": "event_1", "response": RESPONSE}
ERROR = {"type": "error", "event_id": "event_1", "error": {"type": "invalid_request_error", "message": "No"}}
APPEND = {"type": "input_audio_buffer.append", "audio": "AAAA"}
CREATE = {"type": "conversation.item.create", "item": {**ITEM, "content": [{"type": "input_text", "text": "Hi"}]}}
UPDATE = {"type": "session.update", "session": {"type": "realtime", "audio": {"output": {"voice": {"id": "v_1"}}}}}
ASK = {
    "type": "response.create",
    "response": {"conversation": "none", "input": [{"type": "item_reference", "id": "i"}]},
}

LEGAL = [
    ("RealtimeSecret", SECRET),
    ("RealtimeServerEvent", CREATED),
    ("RealtimeServerEvent", DELTA),
    ("RealtimeServerEvent", ADDED),
    ("RealtimeServerEvent", BEGUN),
    ("RealtimeServerEvent", ERROR),
    ("RealtimeClientEvent", APPEND),
    ("RealtimeClientEvent", CREATE),
    ("RealtimeClientEvent", UPDATE),
    ("RealtimeClientEvent", ASK),
    ("RealtimeClientEvent", {"type": "response.create"}),
    ("RealtimeClientEvent", {"type": "input_audio_buffer.commit", "event_id": "mine"}),
]
BREACHES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("RealtimeSecret", SECRET, {"value": ""}),
    ("RealtimeSecret", SECRET, {"session": {**SESSION, "object": "session"}}),
    ("RealtimeSecretRequest", {"session": {"type": "realtime"}}, {"expires_after": {"seconds": 9}}),
    ("RealtimeSecretRequest", {"session": {"type": "realtime"}}, {"session": {"model": "gpt-realtime"}}),
    ("RealtimeServerEvent", CREATED, {"event_id": None}),
    ("RealtimeServerEvent", CREATED, {"session": {**SESSION, "audio": {"output": {"speed": 2}}}}),
    ("RealtimeServerEvent", DELTA, {"delta": None}),
    ("RealtimeServerEvent", DELTA, {"type": "response.audio.delta"}),
    ("RealtimeServerEvent", ADDED, {"item": {**ITEM, "role": "tool"}}),
    ("RealtimeServerEvent", ADDED, {"item": {**ITEM, "status": "done"}}),
    ("RealtimeServerEvent", BEGUN, {"response": {**RESPONSE, "status": "queued"}}),
    ("RealtimeServerEvent", ERROR, {"error": "No"}),
    ("RealtimeClientEvent", APPEND, {"audio": None}),
    ("RealtimeClientEvent", APPEND, {"event_id": "x" * 513}),
    ("RealtimeClientEvent", CREATE, {"item": None}),
    ("RealtimeClientEvent", UPDATE, {"session": {"voice": "marin"}}),
    ("CallReferral", {"target_uri": "sip:a@b"}, {"target": "x"}),
]


def types(name: str) -> list[str]:
    found: list[str] = []
    for branch in SPEC.document["components"]["schemas"][name]["anyOf"]:
        named = SPEC.resolved(branch)["properties"]["type"]
        found += named.get("enum") or [named["const"]]
    return found


@pytest.mark.parametrize(
    ("name", "union", "count"),
    [
        ("RealtimeClientEvent", sdk.RealtimeClientEvent, 11),
        ("RealtimeServerEvent", sdk.RealtimeServerEvent, 46),
        ("TranslationClientEvent", sdk.RealtimeTranslationClientEvent, 3),
        ("TranslationServerEvent", sdk.RealtimeTranslationServerEvent, 7),
    ],
)
def test_the_events_are_those_of_the_sdk(name: str, union: Any, count: int) -> None:
    known = [get_args(event.model_fields["type"].annotation)[0] for event in get_args(get_args(union)[0])]
    assert sorted(types(name)) == sorted(known)
    assert len(known) == count


@pytest.mark.parametrize("name", ["connectRealtime", "connectRealtimeTranslation"])
def test_a_socket_names_what_goes_both_ways(name: str) -> None:
    taken = SPEC.operations[name].node["responses"]["101"]
    assert taken["x-grammar"]
    for side in ("client", "server"):
        assert SPEC.resolved(taken["x-websocket"][side])["anyOf"]


@pytest.mark.parametrize(("name", "body"), LEGAL)
def test_what_is_legal_is_taken(name: str, body: dict[str, Any]) -> None:
    assert [str(violation) for violation in SPEC.schema(name).violations(body)] == []


@pytest.mark.parametrize(("name", "body", "breach"), BREACHES)
def test_the_nearest_breach_is_refused(name: str, body: dict[str, Any], breach: dict[str, Any]) -> None:
    assert SPEC.schema(name).holds(body)
    assert not SPEC.schema(name).holds({**body, **breach})
