"""What correct backends do otherwise on realtime sockets. No finding."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from certified import certified, standin_plan

from wireproof.plan import Plan
from wireproof.standin.backend import Setup
from wireproof.standin.faults.edit import refused
from wireproof.standin.faults.edit_talk import Edited, Event
from wireproof.standin.faults.realtime import REALTIME, named, on, realtime
from wireproof.standin.latency import Latency
from wireproof.standin.wire import Answer, Ask, Serve, refusal

Vary = Callable[[Ask, Serve], Answer]
ITEM, TRANSCRIPT = "conversation.item.", "conversation.item.input_audio_transcription."


@cache
def plan() -> Plan:
    return standin_plan(profiles=["realtime"])


def told(*types: str, edit: Callable[[Event], Any]) -> Vary:
    """`edit` on events of these types, on all when none is named; each socket has its own copy of what it changes."""
    return lambda ask, serve: realtime(ask, serve, on(*types, edit=edit) if types else edit)


def changes(*types: str, **fields: Any) -> Vary:
    return told(*types, edit=lambda event: event.update(fields))


def without(*types: str) -> Vary:
    return told(*types, edit=lambda event: [])


def response_without(*names: str) -> Vary:
    def edit(event: Event) -> None:
        for name in names:
            event["response"].pop(name, None)

    return told("response.created", "response.done", edit=edit)


def session(edit: Callable[[dict[str, Any]], Any]) -> Vary:
    def change(event: Event) -> None:
        edit(event["session"])

    return told("session.created", "session.updated", edit=change)


def model(name: str) -> Vary:
    return session(lambda told: "model" in told and told.update(model=name))


def uncounted(event: Event) -> None:
    if event["response"]["status"] == "cancelled":
        event["response"]["usage"] = None


def unexplained(event: Event) -> None:
    if event["response"]["status"] == "completed":
        event["response"].pop("status_details")


def error(event_id: str | None, message: str = "Not offered.") -> Event:
    told = {"type": "invalid_request_error", "code": None, "message": message, "param": None, "event_id": event_id}
    return {"type": "error", "event_id": f"event_{event_id}", "error": told}


def unsupported(is_meant: Callable[[dict[str, Any]], bool]) -> Vary:
    """What a client says is refused where `is_meant`."""

    def heard(said: Any) -> list[Event] | None:
        return [error(said.get("event_id"))] if isinstance(said, dict) and is_meant(said) else None

    return lambda ask, serve: realtime(ask, serve, heard=heard)


def types_not_known(*types: str) -> Vary:
    return unsupported(lambda said: said.get("type") in types)


def handshake(edit: Callable[[Answer], Answer]) -> Vary:
    return lambda ask, serve: edit(serve(ask)) if ask.path == REALTIME and ask.method == "GET" else serve(ask)


def not_served(status: int) -> Vary:
    """No socket there: nor any of the resource's other paths."""
    return lambda ask, serve: refused(serve(ask), "No.", status=status) if ask.path.startswith(REALTIME) else serve(ask)


GREETING: Event = {
    "type": "session.created",
    "event_id": "event_g",
    "session": {"type": "realtime", "id": "sess_1", "object": "realtime.session"},
}


class Turned:
    """A socket that opens, says why not, and closes."""

    def __init__(self, code: int, first: Iterable[Event] = ()) -> None:
        self.closing: tuple[int, str] | None = None
        self.next_s = 0.0
        self._code, self._said = code, [*first, error(None, "Who are you?")]

    def hear(self, text: str | bytes) -> None:
        pass

    def take(self) -> list[str]:
        self.closing = (self._code, "unauthorized")
        said, self._said = self._said, []
        return [json.dumps(event) for event in said]


def told_on_the_socket(code: int, *first: Event) -> Vary:
    """Who is refused is let in, told so, and shown out."""

    def edit(answer: Answer) -> Answer:
        return (
            replace(answer, status=101, headers=(), body=b"", session=Turned(code, first))
            if answer.status >= 400
            else answer
        )

    return handshake(edit)


def closing(code: int, *names: str) -> Vary:
    """The server leaves after the client said one of these."""

    def vary(ask: Ask, serve: Serve) -> Answer:
        answer = serve(ask)
        if ask.path != REALTIME or answer.session is None:
            return answer
        edited = Edited(answer.session)

        def heard(said: Any) -> None:
            if named(*names)(said):
                edited.end(code, "idle")

        edited._heard = heard
        return replace(answer, session=edited)

    return vary


def chatty(event: Event) -> list[Event]:
    """Strange events before and after each that there is."""
    return [
        {"type": "session.heartbeat", "at": 1},
        {**event, "vendor": {"node": 7}},
        {"type": "x.metrics", "event_id": 5},
    ]


def beta_named(event: Event) -> Any:
    """Items are told once, by the name of the beta, and never done."""
    if event["type"] == f"{ITEM}added":
        return {**event, "type": f"{ITEM}created"}
    return [] if event["type"] == f"{ITEM}done" else None


def thought_first(event: Event) -> list[Event]:
    """An item of a type that nobody knows joins the conversation before each response."""
    item = {"id": f"rs_{event['event_id']}", "type": "reasoning", "summary": [], "status": "completed"}
    told = {"previous_item_id": "item_0", "item": item}
    steps = [{"type": f"{ITEM}{one}", "event_id": f"{event['event_id']}{one}", **told} for one in ("added", "done")]
    return [*steps, event]


def in_one_piece() -> Vary:
    """Texts, transcripts and arguments come in one piece."""

    def vary(ask: Ask, serve: Serve) -> Answer:
        joined: dict[str, str] = {}

        def edit(event: Event) -> Any:
            kind, _, step = event["type"].rpartition(".")
            if kind not in (
                "response.output_text",
                "response.output_audio_transcript",
                "response.function_call_arguments",
            ):
                return None
            if step == "delta":
                joined[kind] = joined.get(kind, "") + event["delta"]
                return []
            whole = joined.pop(kind, "")
            piece = {k: v for k, v in event.items() if k not in ("text", "transcript", "arguments", "name")}
            return [{**piece, "type": f"{kind}.delta", "event_id": f"{event['event_id']}a", "delta": whole}, event]

        return realtime(ask, serve, edit)

    return vary


def swapped(first: str, second: str) -> Vary:
    """`first` comes right after `second`, not before it."""

    def vary(ask: Ask, serve: Serve) -> Answer:
        held: list[Event] = []

        def edit(event: Event) -> Any:
            if event["type"] == first and event.get("item", {"role": "assistant"}).get("role") == "assistant":
                held.append(event)
                return []
            return [event, *[held.pop() for _ in held[:]]] if event["type"] == second else None

        return realtime(ask, serve, edit)

    return vary


def failing(ask: Ask, serve: Serve) -> Answer:
    """No response is given: the limit is reached."""

    def heard(said: Any) -> list[Event] | None:
        if not isinstance(said, dict) or said.get("type") != "response.create" or named("wp_respond")(said):
            return None
        id = f"resp_{said['event_id']}"
        begun: Event = {"object": "realtime.response", "id": id, "status": "in_progress", "output": [], "usage": None}
        why = {"type": "failed", "error": {"type": "rate_limit_exceeded", "code": "rate_limit_exceeded"}}
        metadata = (said.get("response") or {}).get("metadata")
        ended = {**begun, "status": "failed", "status_details": why, "metadata": metadata}
        names = {"response.created": begun, "response.done": ended}
        return [{"type": name, "event_id": f"{id}{name}", "response": one} for name, one in names.items()]

    return realtime(ask, serve, heard=heard)


def over_before_it_was_stopped(ask: Ask, serve: Serve) -> Answer:
    """A response was said to its end when it is stopped, and there is nothing to stop."""

    def edit(event: Event) -> Any:
        response = event["response"]
        if response["status"] != "cancelled":
            return None
        response.update(status="completed", status_details=None)
        response["output"] = [{**item, "status": "completed"} for item in response["output"]]
        return [event, error("wp_stop", "Cancellation failed: no active response found")]

    return realtime(ask, serve, on("response.done", edit=edit))


def no_speech(ask: Ask, serve: Serve) -> Answer:
    """A hum is no speech."""
    kinds = ("speech_started", "speech_stopped")
    is_vad: list[bool] = []

    def heard(said: Any) -> None:
        if named("wp_vad")(said):
            is_vad.append(True)

    def edit(event: Event) -> Any:
        is_turn = event["type"] in [f"input_audio_buffer.{kind}" for kind in kinds]
        return [] if is_turn or (is_vad and event["type"].startswith(("input_audio_buffer.committed", ITEM))) else None

    return realtime(ask, serve, edit, heard)


def renamed(event: Event) -> None:
    """Ids of another kind, by which everything still hangs together."""

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: walk(one) for key, one in value.items()}
        if isinstance(value, list):
            return [walk(one) for one in value]
        if isinstance(value, str) and value.startswith(("item_", "resp_", "event_", "conv_", "sess_")):
            return f"{value[-12:]}-4a0f-{value[-8:]}-{value[:2]}"
        return value

    event.update(walk(event))


def minimal(told: dict[str, Any]) -> None:
    """What was asked for, and no defaults."""
    kept = ("type", "object", "id", "instructions", "output_modalities", "max_output_tokens", "audio")
    for name in [name for name in told if name not in kept]:
        del told[name]
    heard = told.pop("audio", {}).get("input", {})
    some = {name: heard[name] for name in ("turn_detection", "transcription") if heard.get(name)}
    if some:
        told["audio"] = {"input": some}


def thin_usage(event: Event) -> None:
    for name in ("input_token_details", "output_token_details"):
        event["response"]["usage"].pop(name)


def by_the_second(event: Event) -> None:
    event["usage"] = {"type": "duration", "seconds": 1.5}


def bare_items(event: Event) -> None:
    for item in [event.get("item"), *event.get("response", {}).get("output", [])]:
        if item:
            item.pop("object", None)
            item.pop("status", None)


LEGAL: dict[str, Vary] = {
    # ---- what else comes
    "events that nobody knows, and fields": told(edit=chatty),
    "the conversation is told of, too": told(
        "session.created",
        edit=lambda e: [e, {"type": "conversation.created", "event_id": "event_c", "conversation": {"id": "conv_1"}}],
    ),
    "items of a new type": told("response.created", edit=thought_first),
    "items by the name of the beta": told(edit=beta_named),
    "no rate limits": without("rate_limits.updated"),
    "rate limits without a row": changes("rate_limits.updated", rate_limits=[]),
    "texts in one piece": in_one_piece(),
    "an item is done in the conversation last": swapped(f"{ITEM}done", "response.output_item.done"),
    "an item is added to the conversation later": swapped(f"{ITEM}added", "response.content_part.added"),
    "sound is done after its words": swapped("response.output_audio.done", "response.output_audio_transcript.done"),
    # ---- what is left out, or null
    "items without an object and a status": told(edit=bare_items),
    "responses without their settings": response_without("max_output_tokens", "audio", "output_modalities"),
    "responses without a conversation": response_without("conversation_id"),
    "responses without details of their status": told("response.done", edit=unexplained),
    "usage without details": told("response.done", edit=thin_usage),
    "no usage of what was stopped": told("response.done", edit=uncounted),
    "errors without a code": told("error", edit=lambda e: e["error"].update(code=None, param=None)),
    "errors with their message alone": told(
        "error", edit=lambda e: e.update(error={k: e["error"][k] for k in ("type", "message", "event_id")})
    ),
    "the first item follows the root": told(
        f"{ITEM}added", f"{ITEM}done", edit=lambda e: e.update(previous_item_id=e["previous_item_id"] or "root")
    ),
    "a session that tells little": session(minimal),
    "a session without its end": session(lambda told: told.pop("expires_at", None)),
    "a model by its snapshot": model("gpt-realtime-mini-2025-12-15"),
    "a model by what a deployment stands for": model("gpt-realtime"),
    "a model by its whole name": model("openai/gpt-realtime-mini"),
    "ids of another kind": told(edit=renamed),
    # ---- what is written down
    "transcripts without pieces": without(f"{TRANSCRIPT}delta"),
    "transcripts by the second": told(f"{TRANSCRIPT}completed", edit=by_the_second),
    "nothing in a hum": no_speech,
    # ---- what is not offered
    "no such socket, 404": not_served(404),
    "no such socket, 405": not_served(405),
    "no such socket, 501": not_served(501),
    "no such socket, 426": not_served(426),
    "no such socket, 400": not_served(400),
    "no such socket, 403": not_served(403),
    "no keys for clients": lambda ask, serve: (
        refused(serve(ask), "No.", status=404) if ask.path.endswith("client_secrets") else serve(ask)
    ),
    "updates are not offered": types_not_known("session.update"),
    "writing alone is not offered": unsupported(
        lambda said: "text" in (said.get("session") or said.get("response") or {}).get("output_modalities", ())
    ),
    "speaking is not offered": unsupported(
        lambda said: "audio" in (said.get("session") or said.get("response") or {}).get("output_modalities", ())
    ),
    "items are not read": types_not_known(f"{ITEM}retrieve"),
    "items are not deleted": types_not_known(f"{ITEM}delete"),
    "items are not cut": types_not_known(f"{ITEM}truncate"),
    "nothing is stopped": types_not_known("response.cancel"),
    "nothing is listened to": types_not_known(
        "input_audio_buffer.append", "input_audio_buffer.commit", "input_audio_buffer.clear"
    ),
    "nothing is answered": types_not_known("response.create"),
    "no conversation": types_not_known(*(f"{ITEM}{verb}" for verb in ("create", "retrieve", "delete", "truncate"))),
    "no response outside of the conversation": unsupported(
        lambda said: (said.get("response") or {}).get("conversation") == "none"
    ),
    "no tools": unsupported(lambda said: "tools" in (said.get("response") or {})),
    "no detection": unsupported(named("wp_vad")),
    # ---- who is let in
    "refused on the socket": told_on_the_socket(1008),
    "refused on the socket, with a code of its own": told_on_the_socket(3000),
    "refused on the socket after its greeting": told_on_the_socket(4001, GREETING),
    "refused with 403": handshake(lambda one: refused(one, "No.", status=403) if one.status >= 400 else one),
    "refused without a body": handshake(
        lambda answer: replace(answer, status=403, body=b"", headers=()) if answer.status >= 400 else answer
    ),
    "no protocol is agreed on": handshake(lambda answer: answer.without_header("sec-websocket-protocol")),
    "no key in a protocol": lambda ask, serve: (
        refusal(401, "No.") if "insecure" in (ask.header("sec-websocket-protocol") or "") else serve(ask)
    ),
    # ---- how it ends
    "the server leaves when all is said": closing(1000, "wp_last", "wp_kept", "wp_after", "wp_respond"),
    "the server goes away": closing(1001, "wp_last", "wp_kept", "wp_after", "wp_respond"),
    "responses fail": failing,
    "a response was over before it was stopped": over_before_it_was_stopped,
}  # fmt: skip


@pytest.mark.parametrize("vary", LEGAL.values(), ids=LEGAL.keys())
def test_no_finding(vary: Vary) -> None:
    verdicts = certified(vary=vary, plan=plan()).verdicts
    found = {id: verdict.findings for id, verdict in verdicts.items() if verdict.outcome == "fail"}
    assert found == {}


PACES = {"instant": Latency(0, 0), "slow": Latency(4_000, 400), "burst": Latency(1, 0)}


@pytest.mark.parametrize("latency", PACES.values(), ids=PACES.keys())
def test_no_finding_at_any_pace(latency: Latency) -> None:
    verdicts = certified(plan=plan(), setup=Setup(latency=latency)).verdicts
    assert {id: verdict.findings for id, verdict in verdicts.items() if verdict.outcome == "fail"} == {}


def test_where_there_is_no_socket_nothing_applies() -> None:
    verdicts = certified(vary=not_served(404), plan=plan()).verdicts
    outcomes = {id: verdict.outcome for id, verdict in verdicts.items() if id.startswith("realtime.")}
    assert set(outcomes.values()) <= {"not-applicable", "pass"}
    passed = [id for id, outcome in outcomes.items() if outcome == "pass"]
    assert passed == [f"realtime.keys.{one}" for one in ("none", "wrong", "model", "refusal")]
