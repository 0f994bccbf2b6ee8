"""What a session is set to: every default written out, changed by what a client asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wireproof.standin.refusals import invalid

Settings = dict[str, Any]

LASTS_S = 60 * 60
INSTRUCTIONS = "You are a helpful, witty, and friendly AI."
# As recorded in sessions that nobody had changed.
SERVER_VAD: Settings = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 200,
    "idle_timeout_ms": None,
    "create_response": True,
    "interrupt_response": True,
}
SEMANTIC_VAD: Settings = {
    "type": "semantic_vad",
    "eagerness": "auto",
    "create_response": True,
    "interrupt_response": True,
}
DETECTIONS = {"server_vad": SERVER_VAD, "semantic_vad": SEMANTIC_VAD}
PCM: Settings = {"type": "audio/pcm", "rate": 24_000}
HEARS: Settings = {"format": PCM, "transcription": None, "noise_reduction": None, "turn_detection": SERVER_VAD}


def conversing(id: str, model: str, asked: Mapping[str, Any]) -> Settings:
    """A session in which a model answers."""
    plain: Settings = {
        "type": "realtime",
        "object": "realtime.session",
        "id": id,
        "model": model,
        "output_modalities": ["audio"],
        "instructions": INSTRUCTIONS,
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "tracing": None,
        "truncation": "auto",
        "prompt": None,
        "audio": {"input": HEARS, "output": {"format": PCM, "voice": "marin", "speed": 1.0}},
        "include": None,
    }
    return changed(plain, asked)


def transcribing(id: str, asked: Mapping[str, Any]) -> Settings:
    """A session in which what is heard is written down, and nothing answered."""
    hears = {**HEARS, "transcription": {"model": "gpt-4o-transcribe", "language": "en", "prompt": ""}}
    plain: Settings = {
        "type": "transcription",
        "object": "realtime.transcription_session",
        "id": id,
        "audio": {"input": hears},
        "include": None,
    }
    return changed(plain, asked)


def changed(settings: Settings, asked: Mapping[str, Any]) -> Settings:
    """`settings` with what was asked for, key by key; a detection of another type brings its own defaults."""
    merged = dict(settings)
    for key, value in asked.items():
        if key == "turn_detection" and value is not None:
            before = settings.get(key) or {}
            base = before if before.get("type") == value["type"] else DETECTIONS[value["type"]]
            merged[key] = {**base, **value}
        elif key == "voice" and isinstance(value, Mapping):
            merged[key] = value["id"]
        elif key in ("audio", "input", "output") and isinstance(value, Mapping):
            merged[key] = changed(settings.get(key) or {}, value)
        elif key not in ("client_secret", "expires_after", "parallel_tool_calls"):
            merged[key] = value
    return merged


def check_change(settings: Settings, asked: Mapping[str, Any], *, has_spoken: bool) -> None:
    """Refused: another type or model, and another voice once the model has been heard."""
    for key in ("type", "model"):
        if key in asked and asked[key] != settings.get(key):
            raise invalid(f"Cannot update a session's {key}.", f"session.{key}", "cannot_update_" + key)
    voice = ((asked.get("audio") or {}).get("output") or {}).get("voice")
    if has_spoken and voice is not None and voice != settings["audio"]["output"]["voice"]:
        raise invalid(
            "Cannot update a conversation's voice if assistant audio is present.",
            "session.audio.output.voice",
            "cannot_update_voice",
        )
