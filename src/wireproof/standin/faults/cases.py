"""Departures that show only where nobody looks: at the edge of what is legal, and just beyond."""

from __future__ import annotations

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import refused
from wireproof.standin.wire import Answer, Ask, Serve

PENALTIES = ("presence_penalty", "frequency_penalty")
CRASH = "Internal server error"


@fault("cases.null-crashes", breaks="cases.positive")
def null_crashes(ask: Ask, serve: Serve) -> Answer:
    """500 for a temperature that is null, though null is legal there."""
    answer = serve(ask)
    is_null = ask.asked.get("temperature", 0) is None
    return refused(answer, CRASH, status=500) if is_null and answer.status == 200 else answer


@fault("cases.curt", breaks="cases.positive")
def curt(ask: Ask, serve: Serve) -> Answer:
    """A 400 that says nothing, for a legal penalty below zero."""
    answer = serve(ask)
    is_negative = any((ask.asked.get(name) or 0) < 0 for name in PENALTIES) if answer.status == 200 else False
    return refused(answer, "Bad request") if is_negative else answer


@fault("cases.bounds-unchecked", breaks="cases.negative", also=("errors.range",))
def bounds_unchecked(ask: Ask, serve: Serve) -> Answer:
    """A penalty out of its bounds is taken as it is."""
    names = [name for name in PENALTIES if _is_beyond(ask.asked.get(name))]
    return serve(ask.without(*names)) if names else serve(ask)


@fault("cases.bounds-crash", breaks="cases.negative", also=("errors.client-fault", "errors.range"))
def bounds_crash(ask: Ask, serve: Serve) -> Answer:
    """500 for a penalty out of its bounds."""
    is_beyond = any(_is_beyond(ask.asked.get(name)) for name in PENALTIES)
    return refused(serve(ask), CRASH, status=500) if is_beyond else serve(ask)


@fault("cases.types-crash", breaks="cases.negative", also=("errors.client-fault", "errors.invalid"))
def types_crash(ask: Ask, serve: Serve) -> Answer:
    """500 for a number in the place of an object or a text, as an unhandled exception makes it."""
    names = ("stop", "tools", "response_format", "input", "prompt", "model")
    is_number = any(ask.asked.get(name) == 7.5 for name in names)
    return refused(serve(ask), CRASH, status=500) if is_number else serve(ask)


def _is_beyond(value: object) -> bool:
    return isinstance(value, int | float) and abs(value) > 2
