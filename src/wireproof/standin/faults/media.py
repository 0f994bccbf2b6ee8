"""Departures that pictures, sounds and verdicts have in common."""

from __future__ import annotations

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import refused
from wireproof.standin.wire import Answer, Ask, Serve


@fault("media.opus-unwritten", breaks="media.unsupported")
def opus_unwritten(ask: Ask, serve: Serve) -> Answer:
    """There is no encoder for Opus, and the server stumbles over that."""
    is_meant = ask.path == "/v1/audio/speech" and ask.asked.get("response_format") == "opus"
    return refused(serve(ask), "Internal server error", status=500) if is_meant else serve(ask)


@fault("media.form-unread", breaks="media.unsupported")
def form_unread(ask: Ask, serve: Serve) -> Answer:
    """`response_format` of a picture is read as that of a chat, and breaks the parser."""
    is_meant = ask.path == "/v1/images/generations" and "response_format" in ask.asked
    return refused(serve(ask), "cannot unmarshal string", status=500) if is_meant else serve(ask)


@fault("media.parts-unread", breaks="media.unsupported")
def parts_unread(ask: Ask, serve: Serve) -> Answer:
    """A verdict on parts of a message is an error of the server."""
    given = ask.asked.get("input")
    is_meant = ask.path == "/v1/moderations" and isinstance(given, list) and any(isinstance(one, dict) for one in given)
    return refused(serve(ask), "expected string", status=500) if is_meant else serve(ask)
