"""Reading what assistants do: calls with the header of the beta, runs wherever they are told, events."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from wireproof.clause import Call, Exchange, Inconclusive, load_spec, remembered

from ._life import ID, is_ok, rows_of
from ._reading import EVENTS, as_count, as_object, as_objects, as_text, maybe_object
from ._stores import BETA
from ._stream import objects_in

RUN_LIST = "listRuns"
BEGINNINGS = ("createRun", "createThreadAndRun")
LEGS = (*BEGINNINGS, "submitToolOutputs")
RUNS = (*LEGS, "getRun", "modifyRun", "cancelRun", RUN_LIST)
FINAL = ("completed", "incomplete", "failed", "cancelled", "expired")
# A stream ends with the run, or where it waits for its client.
RESTS = (*FINAL, "requires_action")
RUN, STEP, MESSAGE = "thread.run", "thread.run.step", "thread.message"


def asks(method: str, path: str, body: Any = None, after_s: float = 0.0, **query: str) -> Call:
    return Call(method, path, body, query=query, headers=BETA, after_s=after_s)


class Told(NamedTuple):
    """One event of a run by its name. `number` is its place in the stream."""

    number: int
    name: str
    data: dict[str, Any]

    @property
    def kind(self) -> str:
        """`thread.run`, `thread.run.step` or `thread.message`."""
        return self.name.rpartition(".")[0]

    @property
    def state(self) -> str:
        """What the name says became of it: `created`, `delta`, `completed`."""
        return self.name.rpartition(".")[2]


@cache
def named_schemas() -> dict[str, Any]:
    """The schema of the data of each event, by the name of the event."""
    media = (load_spec().operations["createRun"].answer_media(200) or {})[EVENTS]
    return {name: load_spec().schema(at["$ref"]) for name, at in media["x-events"].items()}


@remembered
def events_of(exchange: Exchange) -> list[Told]:
    """The events of names that the description knows; new ones may come at any time. Inconclusive without any."""
    known = named_schemas()
    found = [Told(at, str(event.name), value) for at, event, value in objects_in(exchange) if event.name in known]
    if not found:
        raise Inconclusive("the stream has no event of a run")
    return found


def whole_events(exchange: Exchange) -> list[Told]:
    """The same of a stream that did not break off with an error."""
    events = events_of(exchange)
    if events[-1].name == "error":
        raise Inconclusive("the stream broke off with an error")
    return events


def tells_events(exchange: Exchange) -> bool:
    """Whether a stream was asked for and came."""
    return exchange.streamed and exchange.media_type == EVENTS


def is_plain(exchange: Exchange) -> bool:
    return exchange.media_type != EVENTS


class Run(NamedTuple):
    """A run as it was told: in the body, at a pointer of it, or in event number `event`."""

    exchange: Exchange
    body: dict[str, Any]
    at: str = ""
    event: int | None = None


@remembered
def runs_in(exchange: Exchange) -> list[Run]:
    """Each run that an answer tells of, in order of telling."""
    return list(_runs(exchange)) if exchange.operation in RUNS and is_ok(exchange) else []


def _runs(exchange: Exchange) -> Iterator[Run]:
    if exchange.operation == RUN_LIST:
        for at, row in enumerate(rows_of(exchange)):
            yield Run(exchange, row, f"/data/{at}")
    elif is_plain(exchange):
        yield Run(exchange, maybe_object(exchange))
    else:
        for at, event, value in objects_in(exchange):
            if value.get("object") == RUN and (event.name or "").startswith(RUN):
                yield Run(exchange, value, event=at)


def last_run(exchange: Exchange) -> dict[str, Any]:
    """The run as an answer told it last; {} when it told of none."""
    told = runs_in(exchange)
    return told[-1].body if told else {}


def place_of(run: dict[str, Any]) -> str | None:
    """The path of a run below the base URL, when its ids can stand in one."""
    ids = [run.get("thread_id"), run.get("id")]
    if not all(isinstance(id, str) and ID.fullmatch(id) for id in ids):
        return None
    return f"/threads/{ids[0]}/runs/{ids[1]}"


def calls_of(run: dict[str, Any]) -> list[dict[str, Any]]:
    """The calls of functions that a run waits for."""
    action = as_object(as_object(run.get("required_action")).get("submit_tool_outputs"))
    calls = action.get("tool_calls")
    return [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []


def texts_of(message: dict[str, Any]) -> dict[int, str]:
    """The texts of a whole message by the place of their part."""
    parts = message.get("content")
    return {
        at: text
        for at, part in enumerate(parts if isinstance(parts, list) else [])
        if isinstance(text := as_object(as_object(part).get("text")).get("value"), str)
    }


def texts_told(events: list[Told]) -> dict[Any, dict[int, str]]:
    """The texts of each message as its deltas make them, by the index of their part."""
    texts: dict[Any, dict[int, str]] = {}
    for told in events:
        if told.name == f"{MESSAGE}.created":
            texts[told.data.get("id")] = texts_of(told.data)  # most often none; clients go on from there
        if told.name == f"{MESSAGE}.delta":
            parts = texts.setdefault(told.data.get("id"), {})
            for part in as_objects(as_object(told.data.get("delta")).get("content")):
                if isinstance(part.get("text"), dict):
                    index = as_count(part.get("index")) or 0
                    parts[index] = parts.get(index, "") + as_text(part["text"].get("value"))
    return texts
