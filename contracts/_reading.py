"""Reading what a server said, whatever it said: a value of the kind that is meant, or nothing in its place.

A clause judges one thing. What else is wrong with an answer is the finding of another clause, so no reader
here fails on it; where there is nothing left to judge, Inconclusive says why.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from wireproof.clause import Exchange, Inconclusive, Undecodable, load_spec, shown

from ._forms import is_form

EVENTS = "text/event-stream"

# ------------------------------------------------------------------------------------------------- values


def as_object(value: Any) -> dict[str, Any]:
    """{} for what is no object."""
    return value if isinstance(value, dict) else {}


def as_objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; what else stands in it is left out."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def as_list(value: Any) -> list[Any]:
    """[] for what is no list."""
    return value if isinstance(value, list) else []


def as_text(value: Any) -> str:
    """The empty string for what is no string."""
    return value if isinstance(value, str) else ""


def as_count(value: Any) -> int | None:
    """A whole number as it is, None for anything else (True is no number)."""
    return value if type(value) is int else None


def as_number(value: Any) -> float | None:
    """A finite number, None for anything else (True is no number)."""
    return float(value) if type(value) in (int, float) and math.isfinite(value) else None


def told(body: dict[str, Any], key: str) -> str:
    """What a body says under `key`, or that it has no such key, for the `got` of a finding."""
    return shown(body[key]) if key in body else f"no key {key!r}, only {shown(sorted(body))}"


# ------------------------------------------------------------------------------------------------ answers


def promises_json(exchange: Exchange) -> bool:
    """Whether its operation is answered in JSON; the content of a file, or speech, is not.

    Nor what comes as text, or in events, where a form asks for it: its own contracts know.
    """
    operation = load_spec().operations.get(exchange.operation or "")
    media = set(operation.answer_media(200) or {}) if operation else set()
    alone = {"application/json"} if is_form(exchange) else {"application/json", EVENTS}
    return "application/json" in media and media <= alone


def object_of(exchange: Exchange) -> dict[str, Any]:
    """The JSON object that a plain answer is. Raises Inconclusive when it is none."""
    body = exchange.json
    if not isinstance(body, dict):
        raise Inconclusive("the answer is not a JSON object")
    return body


def maybe_object(exchange: Exchange) -> dict[str, Any]:
    """The same, {} when it is none, not even JSON."""
    try:
        return as_object(exchange.json)
    except Undecodable:
        return {}


def error_of(exchange: Exchange) -> dict[str, Any]:
    """The error object of an answer; {} when it has none."""
    return as_object(maybe_object(exchange).get("error"))


def choices_in(body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """`(pointer, choice)` of each choice of an answer or a chunk that is an object."""
    for at, choice in enumerate(as_list(body.get("choices"))):
        if isinstance(choice, dict):
            yield f"/choices/{at}", choice


def tokens_of(exchange: Exchange, name: str) -> int | None:
    """A count of the `usage` of a plain answer, None when it is missing or no whole number."""
    return as_count(as_object(object_of(exchange).get("usage")).get(name))


def header_sent(exchange: Exchange, name: str) -> str | None:
    """The first value of a header of the request; `name` in lower case."""
    return next((value for key, value in exchange.request.headers if key.lower() == name), None)
