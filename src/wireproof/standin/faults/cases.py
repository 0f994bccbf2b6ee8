"""Departures that show only where nobody looks: at the edge of what is legal, and just beyond."""

from __future__ import annotations

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import refused
from wireproof.standin.wire import Answer, Ask, Serve

PENALTIES = ("presence_penalty", "frequency_penalty")
# Least and most, as published.
BOUNDS = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "presence_penalty": (-2, 2),
    "frequency_penalty": (-2, 2),
    "n": (1, 128),
    "dimensions": (1, 3072),
}
NUMBER = (int, float, type(None))
FITS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(BOUNDS, NUMBER),
    "model": (str,),
    "messages": (list,),
    "tools": (list,),
    "response_format": (dict,),
    "prompt": (str, list, type(None)),
    "input": (str, list),
    "stop": (str, list, type(None)),
    "stream": (bool, type(None)),
    "encoding_format": (str,),
}
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


@fault("cases.bounds-unchecked", breaks="cases.negative", also=("errors.range", "embeddings.dimensions", "responses.*"))
def bounds_unchecked(ask: Ask, serve: Serve) -> Answer:
    """A number out of its bounds is taken for the default."""
    names = [name for name, bounds in BOUNDS.items() if _is_beyond(ask.asked.get(name), *bounds)]
    return serve(ask.without(*names)) if names else serve(ask)


@fault("cases.bounds-crash", breaks="cases.negative", also=("errors.client-fault", "errors.range", "responses.*"))
def bounds_crash(ask: Ask, serve: Serve) -> Answer:
    """500 for a number out of its bounds."""
    is_beyond = any(_is_beyond(ask.asked.get(name), *bounds) for name, bounds in BOUNDS.items())
    return refused(serve(ask), CRASH, status=500) if is_beyond else serve(ask)


@fault("cases.types-crash", breaks="cases.negative", also=("errors.client-fault", "errors.invalid"))
def types_crash(ask: Ask, serve: Serve) -> Answer:
    """500 for an object or a fraction in the place of another type, as an unhandled exception makes it."""
    strange = [value for name, value in ask.asked.items() if name in FITS and not isinstance(value, FITS[name])]
    return refused(serve(ask), CRASH, status=500) if strange else serve(ask)


@fault("cases.prompt-optional", breaks="cases.negative")
def a_prompt_is_made_up(ask: Ask, serve: Serve) -> Answer:
    """A legacy completion without a prompt is served with one of the server's own."""
    is_bare = ask.method == "POST" and ask.path == "/v1/completions" and "prompt" not in ask.asked
    return serve(ask.changed(prompt="Rain") if is_bare else ask)


def _is_beyond(value: object, least: float, most: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and not least <= value <= most
