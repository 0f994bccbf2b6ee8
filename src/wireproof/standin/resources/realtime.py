"""Realtime: keys for clients, sessions, calls, and the sockets that `voice` speaks on."""

from __future__ import annotations

from typing import Any

from wireproof.spec import load_spec
from wireproof.standin import lent_keys
from wireproof.standin.call import Call
from wireproof.standin.catalogue import model_for
from wireproof.standin.refusals import Refused, missing, unknown_model
from wireproof.standin.serving import converses, serves
from wireproof.standin.voice import settings
from wireproof.standin.voice.talk import Talk
from wireproof.standin.voice.translating import Translation, translating
from wireproof.standin.wire import Answer, json_answer, refusal
from wireproof.standin.world import World

DEFAULT_MODEL = "gpt-realtime"
SECONDS = 600
# A session of the beta was to be begun within a minute.
BETA_SECONDS = 60


@serves("connectRealtime", "connectRealtimeTranslation")
def not_upgraded(world: World, call: Call) -> Answer:
    raise Refused(refusal(426, "Open this URL as a WebSocket.").with_header("upgrade", "websocket"))


@converses("connectRealtime")
def talk(world: World, call: Call) -> Talk:
    """By `call_id` the session of a call; with a client secret what it was lent for; else what the query says."""
    if "call_id" in call.query:
        id, calls = call.query["call_id"], world.table("realtime_calls")
        session = calls.found(id, f"No call with id '{id}'.", "call_id")["_session"]
        return Talk(world, call, model_for(world.models, session["model"], "realtime"), session, lambda: id in calls)
    lent = lent_keys.lent(world, call.ask)
    if lent is not None and lent["_session"].get("type") in ("realtime", "transcription"):
        opened = {**lent["_session"], "id": world.id("sess_")}
        name = call.query.get("model", opened.get("model"))
        model = model_for(world.models, name, "realtime") if opened["type"] == "realtime" else None
        return Talk(world, call, model, {**opened, "model": model.id} if model else opened)
    if call.query.get("intent") == "transcription":
        return Talk(world, call, None, settings.transcribing(world.id("sess_"), {}))
    if "model" not in call.query:
        raise missing("model")
    model = model_for(world.models, call.query["model"], "realtime")
    return Talk(world, call, model, settings.conversing(world.id("sess_"), model.id, {}))


@converses("connectRealtimeTranslation")
def translate(world: World, call: Call) -> Translation:
    lent = lent_keys.lent(world, call.ask)
    if lent is not None and lent["_session"].get("type") == "translation":
        return Translation(world, call, lent["_session"])
    if "model" not in call.query:
        raise missing("model")
    model = translator(call.query["model"])
    return Translation(world, call, translating(world.id("sess_"), model, {}, world.now))


@serves("createRealtimeClientSecret")
def lend(world: World, call: Call) -> Answer:
    session = opened(world, call.body.get("session") or {"type": "realtime"})
    lent = lent_keys.lend(world, call.key, session, call.now + _seconds(call.body.get("expires_after")))
    return json_answer({**lent, "session": session})


@serves("createRealtimeTranslationClientSecret")
def lend_translation(world: World, call: Call) -> Answer:
    asked = call.body["session"]
    session = translating(world.id("sess_"), translator(asked["model"]), asked, call.now)
    lent = lent_keys.lend(world, call.key, session, call.now + _seconds(call.body.get("expires_after")))
    return json_answer({**lent, "session": session})


@serves("createRealtimeSession")
def begin_beta(world: World, call: Call) -> Answer:
    body = call.body
    model = model_for(world.models, body.get("model", DEFAULT_MODEL), "realtime")
    plain = {
        "id": world.id("sess_"),
        "object": "realtime.session",
        "model": model.id,
        "expires_at": int(call.now + settings.LASTS_S),
        "modalities": ["audio", "text"],
        "instructions": settings.INSTRUCTIONS,
        "voice": "alloy",
        "input_audio_format": "pcm16",
        "output_audio_format": "pcm16",
        "input_audio_transcription": None,
        "turn_detection": settings.SERVER_VAD,
        "speed": 1.0,
        "tools": [],
        "tool_choice": "auto",
        "temperature": 0.8,
        "max_response_output_tokens": "inf",
    }
    session = settings.changed(plain, body)
    asked: dict[str, Any] = {key: body[key] for key in ("instructions", "tools", "tool_choice") if key in body}
    if "modalities" in body:
        asked["output_modalities"] = ["audio"] if "audio" in body["modalities"] else ["text"]
    opens = settings.conversing(session["id"], model.id, {**asked, "audio": {"output": {"voice": session["voice"]}}})
    return json_answer({**session, "client_secret": _beta_secret(world, call, opens)})


@serves("createRealtimeTranscriptionSession")
def begin_beta_transcription(world: World, call: Call) -> Answer:
    body = call.body
    plain = {
        "id": world.id("sess_"),
        "object": "realtime.transcription_session",
        "modalities": ["audio", "text"],
        "input_audio_format": "pcm16",
        "input_audio_transcription": {"model": "gpt-4o-transcribe"},
        "turn_detection": settings.SERVER_VAD,
    }
    session = settings.changed(plain, body)
    opens = settings.transcribing(session["id"], {"audio": {"input": {"turn_detection": session["turn_detection"]}}})
    return json_answer({**session, "client_secret": _beta_secret(world, call, opens)})


def opened(world: World, asked: dict[str, Any]) -> settings.Settings:
    """A session as asked for, with every default. Refused when its model is not to be had."""
    if asked["type"] == "transcription":
        return settings.transcribing(world.id("sess_"), asked)
    model = model_for(world.models, asked.get("model", DEFAULT_MODEL), "realtime")
    return settings.conversing(world.id("sess_"), model.id, asked)


def translator(name: str) -> str:
    """The model by this name, which must be one that translates. No tier limits its tokens, so `World` has none."""
    facts = load_spec().catalogue("models")["models"].get(name)
    if facts is None or facts["kind"] != "realtime" or not name.endswith("translate"):
        raise unknown_model(name)
    return name


def _beta_secret(world: World, call: Call, opens: settings.Settings) -> dict[str, Any]:
    asked = call.body.get("client_secret") or {}
    given = asked.get("expires_after") or asked.get("expires_at")
    seconds = BETA_SECONDS if given is None else _seconds(given)
    return lent_keys.lend(world, call.key, opens, call.now + seconds)


def _seconds(lifetime: dict[str, Any] | None) -> float:
    return float((lifetime or {}).get("seconds", SECONDS))
