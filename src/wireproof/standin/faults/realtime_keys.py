"""Departures of who is let in to a realtime session, and of keys for clients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_json, refused
from wireproof.standin.faults.edit_talk import Event
from wireproof.standin.faults.realtime import REALTIME, on, realtime, settings
from wireproof.standin.wire import Answer, Ask, Serve


def _let_in(ask: Ask, serve: Serve, is_meant: Callable[[Ask], bool], model: str = "gpt-realtime-mini") -> Answer:
    """Whoever `is_meant` is let in under a real key."""
    answer = serve(ask)
    if ask.path != REALTIME or answer.session is not None or not is_meant(ask):
        return answer
    told = [pair for pair in ask.headers if pair[0] != "authorization"]
    key = ("authorization", "Bearer sk-standin")
    return serve(replace(ask, query=(("model", model),), headers=(*told, key)))


@fault("realtime.open-door", breaks="realtime.keys.none")
def open_door(ask: Ask, serve: Serve) -> Answer:
    """A session needs no key."""
    return _let_in(ask, serve, lambda asked: asked.header("authorization") is None)


@fault("realtime.any-key", breaks="realtime.keys.wrong")
def any_key(ask: Ask, serve: Serve) -> Answer:
    """A key that lacks its last character opens a session."""
    return _let_in(ask, serve, lambda asked: asked.header("authorization") == "Bearer sk-standi")


@fault("realtime.any-model", breaks="realtime.keys.model")
def any_model(ask: Ask, serve: Serve) -> Answer:
    """A model that there is not is taken for another."""
    return _let_in(ask, serve, lambda asked: ("model", "wireproof-no-such-model") in asked.query)


@fault("realtime.refused-500", breaks="realtime.keys.refusal")
def refused_500(ask: Ask, serve: Serve) -> Answer:
    """A handshake that is refused is answered 500."""
    answer = serve(ask)
    return answer if ask.path != REALTIME or answer.status < 400 else refused(answer, "Failed.", status=500)


@fault("realtime.key-chosen", breaks="realtime.keys.protocol", also=("realtime.events.no-key",))
def key_chosen(ask: Ask, serve: Serve) -> Answer:
    """The subprotocol that is agreed on is the one with the key."""
    answer = serve(ask)
    names = (ask.header("sec-websocket-protocol") or "").split(", ")
    if ask.path != REALTIME or answer.session is None or len(names) < 2:
        return answer
    return answer.with_header("sec-websocket-protocol", names[-1])


@fault("realtime.key-unheard", breaks="realtime.keys.protocol")
def key_unheard(ask: Ask, serve: Serve) -> Answer:
    """A key in a subprotocol is taken for none, which the session says once it is open."""
    if ask.path != REALTIME or "insecure-api-key" not in (ask.header("sec-websocket-protocol") or ""):
        return serve(ask)
    error = {"type": "invalid_request_error", "code": "invalid_api_key", "message": "No key."}
    told = {"type": "error", "event_id": "event_0", "error": {**error, "param": None, "event_id": None}}
    return realtime(ask, serve, on("session.created", edit=lambda event: told))


def _secret(ask: Ask, serve: Serve, edit: Callable[[Event], Any]) -> Answer:
    answer = serve(ask)
    return edit_json(answer, edit) if ask.path == f"{REALTIME}/client_secrets" else answer


@fault("realtime.secret-nested", breaks="realtime.secrets.schema", also=("realtime.secrets.*",))
def secret_nested(ask: Ask, serve: Serve) -> Answer:
    """A key for a client stands in `client_secret`, as the beta had it."""
    return _secret(ask, serve, lambda b: {"client_secret": {k: b[k] for k in ("value", "expires_at")}, **b["session"]})


@fault("realtime.secret-lasts", breaks="realtime.secrets.expires")
def secret_lasts(ask: Ask, serve: Serve) -> Answer:
    """A key for a client lasts an hour, whatever was asked."""
    return _secret(ask, serve, lambda body: body.update(expires_at=body["expires_at"] + 3540))


@fault("realtime.secret-expired", breaks="realtime.secrets.expires")
def secret_expired(ask: Ask, serve: Serve) -> Answer:
    """A key for a client tells how long it lasts where it should tell until when."""
    return _secret(ask, serve, lambda body: body.update(expires_at=60))


@fault("realtime.secret-unbound", breaks="realtime.secrets.session")
def secret_unbound(ask: Ask, serve: Serve) -> Answer:
    """The session of a key for a client is told without its instructions."""
    return _secret(ask, serve, lambda body: body["session"].update(instructions=""))


@fault("realtime.secret-expires-text", breaks="realtime.secrets.schema")
def secret_expires_text(ask: Ask, serve: Serve) -> Answer:
    """A key for a client tells when it expires as a text."""
    return _secret(ask, serve, lambda body: body.update(expires_at=str(body["expires_at"])))


@fault("realtime.secret-shut", breaks="realtime.secrets.opens")
def secret_shut(ask: Ask, serve: Serve) -> Answer:
    """A key for a client opens nothing."""
    is_lent = (ask.header("authorization") or "").startswith("Bearer ek_") and ask.path == REALTIME
    return refused(serve(ask), "Incorrect API key provided.", status=401) if is_lent else serve(ask)


@fault("realtime.secret-forgets", breaks="realtime.secrets.opens")
def secret_forgets(ask: Ask, serve: Serve) -> Answer:
    """The session that a key for a client opens has none of the settings it was made with."""
    is_lent = (ask.header("authorization") or "").startswith("Bearer ek_")
    if not is_lent:
        return serve(ask)
    return settings(ask, serve, lambda session: session.update(instructions="You are helpful."), "session.created")


@fault("realtime.secret-everywhere", breaks="realtime.secrets.confined")
def secret_everywhere(ask: Ask, serve: Serve) -> Answer:
    """A key for a client lists models, too."""
    is_lent = (ask.header("authorization") or "").startswith("Bearer ek_")
    if not is_lent or ask.path != "/v1/models":
        return serve(ask)
    return serve(replace(ask, headers=(("authorization", "Bearer sk-standin"),)))
