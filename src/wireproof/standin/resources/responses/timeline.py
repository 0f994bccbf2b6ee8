"""When the events of a response are due, and what it looks like at a moment.

A row of the table holds the response as it will have ended, when it began, and, if it was cancelled, when that was;
everything between follows from the clock.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from wireproof.standin.prose import dice
from wireproof.standin.resources.responses.items import shown
from wireproof.standin.resources.responses.telling import Event, begun, steps
from wireproof.standin.store import Row
from wireproof.standin.wire import Frame
from wireproof.standin.world import World

# How long what runs in the background waits, and then takes at the least; measured nowhere, made to be seen.
QUEUED_S = 1.0
RUNNING_S = 2.0
LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"


class Moment(NamedTuple):
    due_s: float
    event: Event


def moments(world: World, row: Row, include: Collection[str] = ()) -> list[Moment]:
    """Every event of a response with its number, in order; of a cancelled one those that came about."""
    whole = told(row.get("whole") or row["response"], include)
    script = list(steps(whole, row["reasoning_tokens"], row["partial_images"]))
    made = [
        Moment(due, {**event, "sequence_number": number})
        for number, (due, event) in enumerate(_due(world, row, script))
    ]
    if row.get("cancelled_at") is None:
        return made
    return [moment for moment in made if moment.due_s <= row["cancelled_at"]]


def _due(world: World, row: Row, script: list[tuple[int, Event]]) -> Iterator[tuple[float, Event]]:
    now, gaps = row["started"], world.setup.latency.gaps(row["id"])
    is_background = row["response"]["background"]
    all_tokens = sum(tokens for tokens, _ in script) or 1
    slowest = world.lasts(RUNNING_S) / all_tokens if is_background else 0.0
    for tokens, event in script:
        if is_background and event["type"] == "response.in_progress":
            now += world.lasts(QUEUED_S)
        for gap in islice(gaps, tokens):
            now += max(gap / 1000, slowest)
        yield now, event


def told(response: dict[str, Any], include: Collection[str]) -> dict[str, Any]:
    return {**response, "output": [shown(item, include) for item in response["output"]]}


def at_moment(world: World, row: Row, now: float, include: Collection[str] = ()) -> dict[str, Any]:
    """The response as it is at `now`: of what is not over, the items that are done."""
    if now >= row["ends"]:
        return told(row["response"], include)
    passed = [moment.event for moment in moments(world, row, include) if moment.due_s <= now]
    has_begun = any(event["type"] == "response.in_progress" for event in passed)
    response = begun(row["response"], "in_progress" if has_begun else "queued")
    response["output"] = [event["item"] for event in passed if event["type"] == "response.output_item.done"]
    return response


def frames(made: Iterable[Moment], now: float, *, obfuscated: bool, seed: str) -> list[Frame]:
    """The events on the wire: what is due comes at once, the rest when it is. Deltas are padded, if `obfuscated`."""
    found, last = [], now
    for due, event in made:
        if obfuscated and isinstance(event.get("delta"), str):
            event = {**event, "obfuscation": _padding(seed, event["sequence_number"])}
        delay = max(0.0, due - last)
        last += delay
        text = json.dumps(event, ensure_ascii=False)
        found.append(Frame(delay * 1000, f"event: {event['type']}\ndata: {text}\n\n".encode()))
    return found


def _padding(seed: str, number: int) -> str:
    """Letters of varying number, so that the size of an event does not tell its token."""
    throw = dice("obfuscation", seed, number)
    return "".join(throw.choices(LETTERS, k=throw.randint(4, 16)))
