"""Streamed runs: events by name, in the order of the things they tell of, whose pieces make the whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wireproof.clause import Exchange, NotApplicable, answered, clause, expect, load_spec, shown, steps

from ._life import asked_for, is_ok, rows_of, served
from ._reading import as_object, as_objects, as_text
from ._stream import objects_in
from ._threads import (
    LEGS,
    MESSAGE,
    RESTS,
    RUN,
    STEP,
    Told,
    events_of,
    named_schemas,
    tells_events,
    texts_of,
    texts_told,
    whole_events,
)

LIFE = "runs.life"
STREAM = answered(*LEGS, streamed=True, shows=tells_events)
CREATED, DELTA = "created", "delta"


def _order() -> list[list[str]]:
    """What never goes back, by the grammar of these streams."""
    rows = load_spec().catalogue("streams")["streams"]["assistants"]["steps"]
    return [list(row["order"]) for row in rows]


# ------------------------------------------------------------------------------------------------ each event


@clause("runs.stream.schema", level="MUST", source="SPEC AssistantStreamEvent", on=STREAM)
def events_follow_the_schema(exchange: Exchange) -> None:
    """The data of an event is the object that its name tells of: a thread, run, step, message, or a delta of one."""
    schemas = named_schemas()
    for told in events_of(exchange):
        for violation in schemas[told.name].breaches(told.data):
            if violation.expected == "a key 'usage'":
                continue  # it is null until the end, where runs.usage looks for it
            expect(False, expected=violation.expected, got=violation.got, at=violation.pointer, event=told.number)


@clause("runs.stream.named", level="MUST", source="SPEC AssistantStreamEvent; SDK _streaming.py", on=STREAM)
def every_event_has_its_name(exchange: Exchange) -> None:
    """Every event has an `event:` line with its name: nothing in the data tells what happened."""
    events_seen = 0
    for number, event, value in objects_in(exchange):
        events_seen += 1
        expect(bool(event.name), expected="an event: line", got=f"none, for {shown(value.get('object'))}", event=number)
    if not events_seen:
        raise NotApplicable("the stream has no event")


@clause("runs.stream.status", level="MUST", source="SPEC AssistantStreamEvent: occurs when it moves to a status",
        on=STREAM)  # fmt: skip
def a_name_tells_the_status(exchange: Exchange) -> None:
    """An event that is named for a status brings an object of this status: `thread.run.completed` a completed run."""
    for told in events_of(exchange):
        if told.kind in (RUN, STEP, MESSAGE) and told.state not in (CREATED, DELTA) and "status" in told.data:
            status = told.data["status"]
            expect(status == told.state, expected=f"status {told.state}", got=shown(status), at="/status",
                   event=told.number)  # fmt: skip


# ------------------------------------------------------------------------------------------------ their order


@clause("runs.stream.order", level="MUST", source="SPEC AssistantStreamEvent", on=STREAM)
def nothing_goes_back(exchange: Exchange) -> None:
    """Runs, steps and messages are told in the order of their lives: created, in progress, in pieces, at their end."""
    reached: dict[tuple[Any, int], int] = {}
    for told in events_of(exchange):
        for number, order in enumerate(_order()):
            if told.name in order:
                place, key = order.index(told.name), (told.data.get("id"), number)
                before = reached.get(key, 0)
                expect(place >= before, expected=f"nothing before {order[before]} after it", got=told.name,
                       event=told.number)  # fmt: skip
                reached[key] = place


@clause("runs.stream.opens", level="MUST", source="SPEC AssistantStreamEvent; SDK AssistantEventHandler", on=STREAM)
def pieces_are_of_what_was_opened(exchange: Exchange) -> None:
    """A delta is of a message or a step that was created in the stream: the official SDK raises on any other."""
    opened: set[Any] = set()
    judged = False
    for told in events_of(exchange):
        if told.state == DELTA:
            judged = True
            expect(told.data.get("id") in opened, expected=f"{told.kind}.created before it",
                   got=f"{told.name} of {shown(told.data.get('id'))}", event=told.number)  # fmt: skip
        opened.add(told.data.get("id"))
    if not judged:
        raise NotApplicable("the stream has no pieces")


@clause("runs.stream.ends", level="MUST", source="SPEC AssistantStreamEvent; DOCS-0715 run lifecycle", on=STREAM)
def a_stream_ends_with_its_run(exchange: Exchange) -> None:
    """The last event tells that the run is at its end, or that it waits for outputs; what was opened is closed."""
    events = whole_events(exchange)
    last = events[-1]
    ends = last.kind == RUN and last.state in RESTS
    expect(ends, expected="the end of the run, or thread.run.requires_action", got=last.name, event=last.number)
    if last.state == "completed":
        left = {told.data.get("id"): told for told in events if told.kind in (STEP, MESSAGE) and told.state == CREATED}
        for told in events:
            if told.kind in (STEP, MESSAGE) and told.state in (*RESTS,):
                left.pop(told.data.get("id"), None)
        expect(not left, expected="an end of every step and message", got=f"none of {shown(list(left))}",
               event=last.number)  # fmt: skip


@clause("runs.stream.done", level="MUST", source="SPEC DoneEvent; SDK _streaming.py", on=STREAM)
def a_stream_ends_with_done(exchange: Exchange) -> None:
    """The stream ends with `event: done` and `data: [DONE]`, and nothing comes behind."""
    whole_events(exchange)
    marks = [number for number, event in enumerate(exchange.events) if event.is_done]
    last = len(exchange.events) - 1
    expect(bool(marks), expected="data: [DONE]", got=shown(exchange.events[-1].data), event=last)
    behind = [event for event in exchange.events[marks[0] + 1 :] if (event.data or "").strip()]
    expect(not behind, expected="nothing after [DONE]", got=f"{len(behind)} events", event=last)
    name = exchange.events[marks[0]].name
    expect(name == "done", expected="event: done", got=shown(name), event=marks[0])


# ------------------------------------------------------------------------------------------------ what they add up to


def _whole(events: list[Told]) -> Iterator[Told]:
    return (told for told in events if told.name in (f"{MESSAGE}.completed", f"{MESSAGE}.incomplete"))


@clause("runs.stream.fold", level="MUST", source="SPEC MessageDeltaObject; SDK AssistantEventHandler", on=STREAM)
def deltas_make_the_message(exchange: Exchange) -> None:
    """The texts of the deltas of a message, joined, are the texts of the whole message."""
    events = events_of(exchange)
    texts, judged = texts_told(events), False
    for told in _whole(events):
        whole = texts_of(told.data)
        if not whole and told.state != "completed":
            continue
        judged = True
        joined = texts.get(told.data.get("id"), {})
        expect(joined == whole, expected=f"the texts of the deltas, {shown(list(joined.values()))}",
               got=shown(list(whole.values())), at="/content", event=told.number)  # fmt: skip
    if not judged:
        raise NotApplicable("the stream has no whole message")


@clause("runs.stream.calls", level="MUST", source="SPEC RunStepDeltaStepDetailsToolCallsFunctionObject", on=STREAM)
def deltas_make_the_calls(exchange: Exchange) -> None:
    """The pieces of the arguments of a function call, joined, are the arguments that the run requires an answer for."""
    events = events_of(exchange)
    joined: dict[Any, str] = {}
    names: dict[tuple[Any, Any], Any] = {}
    for told in events:
        if told.name == f"{STEP}.{DELTA}":
            details = as_object(as_object(told.data.get("delta")).get("step_details"))
            for call in as_objects(details.get("tool_calls")):
                if call.get("type") == "function":
                    key = (told.data.get("id"), call.get("index"))
                    id = names.setdefault(key, call.get("id"))
                    joined[id] = joined.get(id, "") + as_text(as_object(call.get("function")).get("arguments"))
    last = events[-1]
    if last.name != f"{RUN}.requires_action" or not joined:
        raise NotApplicable("no function was called in pieces")
    action = as_object(as_object(last.data.get("required_action")).get("submit_tool_outputs"))
    for call in as_objects(action.get("tool_calls")):
        whole = as_object(call.get("function")).get("arguments")
        expect(joined.get(call.get("id")) == whole, expected=f"arguments {shown(joined.get(call.get('id')))}",
               got=shown(whole), at="/required_action", event=last.number)  # fmt: skip


@clause("runs.stream.kept", level="MUST", source="SPEC listMessages", on=steps(LIFE))
def what_was_streamed_is_kept(exchanges: list[Exchange]) -> None:
    """The message that a stream ended with is the one that the thread has afterwards."""
    streamed = asked_for(exchanges, "createThreadAndRun", lambda e: is_ok(e) and tells_events(e))
    whole = [told.data for told in _whole(events_of(streamed))]
    if not whole:
        raise NotApplicable("the stream has no whole message")
    listed = asked_for(exchanges, "listMessages", after=streamed)
    served(listed, "the messages of the thread")
    rows = {row.get("id"): row for row in rows_of(listed)}
    for message in whole:
        kept = rows.get(message.get("id"), {})
        expect(texts_of(kept) == texts_of(message), expected=shown(list(texts_of(message).values())),
               got=shown(list(texts_of(kept).values())), at=f"{listed.id} /data")  # fmt: skip
