"""Streamed runs, event by event: each move is told once, from the creation on, and all are of the one run."""

from __future__ import annotations

from typing import Any

from wireproof.clause import Exchange, NotApplicable, answered, clause, expect, shown, steps

from ._life import asked_for, is_ok, rows_of, served
from ._reading import as_count, as_object, as_objects
from ._threads import (
    BEGINNINGS,
    LEGS,
    MESSAGE,
    RUN,
    STEP,
    Told,
    calls_of,
    events_of,
    tells_events,
    whole_events,
)

LIFE = "runs.life"
STREAM = answered(*LEGS, streamed=True, shows=tells_events)
BEGUN = answered(*BEGINNINGS, streamed=True, shows=tells_events)
CREATED, DELTA = "created", "delta"
OF_RUN = {STEP: ("thread_id", "assistant_id", "run_id"), MESSAGE: ("thread_id", "assistant_id", "run_id"),
          RUN: ("id", "thread_id", "assistant_id")}  # fmt: skip


@clause("runs.stream.once", level="MUST", source="SPEC AssistantStreamEvent: occurs when it is created, moves",
        on=STREAM)  # fmt: skip
def nothing_happens_twice(exchange: Exchange) -> None:
    """Each creation, each move and each end of a run, a step and a message is told once: clients act on it."""
    seen: set[tuple[str, str]] = set()
    for told in events_of(exchange):
        if told.state != DELTA and told.kind:
            what = (told.name, shown(told.data.get("id")))
            expect(what not in seen, expected=f"{told.name} of {what[1]} once", got="it again", event=told.number)
            seen.add(what)


@clause("runs.stream.begins", level="MUST", source="SPEC AssistantStreamEvent: thread.run.created; SDK runs.stream",
        on=BEGUN)  # fmt: skip
def a_stream_begins_with_a_creation(exchange: Exchange) -> None:
    """A stream that begins a run tells of its creation first, and so of each step and message before all else of it."""
    opened: set[str] = set()
    for told in events_of(exchange):
        if told.kind in (RUN, STEP, MESSAGE) and told.state != DELTA:
            id = shown(told.data.get("id"))
            expect(told.state == CREATED or id in opened, expected=f"{told.kind}.created first", got=told.name,
                   event=told.number)  # fmt: skip
            opened.add(id)


@clause("runs.stream.thread", level="SHOULD", source="SPEC ThreadStreamEvent: occurs when a new thread is created",
        on=answered("createThreadAndRun", streamed=True, shows=tells_events))  # fmt: skip
def a_new_thread_is_told_first(exchange: Exchange) -> None:
    """A stream that begins with a new thread tells of it once, first of all, and it is the thread of the run."""
    events = events_of(exchange)
    first = events[0]
    expect(first.name == "thread.created", expected="thread.created", got=first.name, event=first.number)
    threads = [told for told in events if told.name == "thread.created"]
    expect(len(threads) == 1, expected="thread.created once", got=len(threads), event=threads[-1].number)
    for told in events:
        if told.kind == RUN:
            expect(told.data.get("thread_id") == first.data.get("id"), expected=f"thread_id {first.data.get('id')}",
                   got=shown(told.data.get("thread_id")), at="/thread_id", event=told.number)  # fmt: skip


@clause("runs.stream.of-run", level="MUST", source="SPEC RunStepObject, MessageObject: run_id, thread_id, assistant_id",
        on=STREAM)  # fmt: skip
def all_events_are_of_one_run(exchange: Exchange) -> None:
    """Every step and message of a stream has the ids of its run, thread and assistant; there is one run in it."""
    events = events_of(exchange)
    runs = [told.data for told in events if told.kind == RUN]
    if not runs:
        raise NotApplicable("the stream has no run")
    wanted = {"run_id": runs[0].get("id"), **{name: runs[0].get(name) for name in OF_RUN[RUN]}}
    for told in events:
        if told.kind in OF_RUN and told.state != DELTA:
            for name in OF_RUN[told.kind]:
                got = told.data.get(name)
                expect(got == wanted[name], expected=f"{name} {shown(wanted[name])}", got=shown(got), at=f"/{name}",
                       event=told.number)  # fmt: skip
        if told.kind == MESSAGE and told.state != DELTA:
            expect(told.data.get("role") == "assistant", expected="role assistant", got=shown(told.data.get("role")),
                   at="/role", event=told.number)  # fmt: skip


@clause("runs.stream.message-step", level="MUST", source="SPEC RunStepDetailsMessageCreationObject.message_id",
        on=STREAM)  # fmt: skip
def a_step_names_its_message(exchange: Exchange) -> None:
    """The step that makes a message names one that the stream brings, and every message has its step."""
    events = whole_events(exchange)
    messages = {told.data.get("id") for told in events if told.kind == MESSAGE and told.state != DELTA}
    named: dict[Any, Told] = {}
    for told in events:
        if told.kind == STEP and told.state != DELTA:
            id = as_object(as_object(told.data.get("step_details")).get("message_creation")).get("message_id")
            if id is not None:
                named[id] = told
    for id, told in named.items():
        expect(id in messages, expected=f"a message of the stream: {shown(sorted(map(str, messages)))}", got=shown(id),
               at="/step_details/message_creation/message_id", event=told.number)  # fmt: skip
    left = [id for id in messages if id not in named]
    expect(not left, expected=f"a step of type message_creation for {shown(left)}", got="none", event=events[-1].number)
    if not messages:
        raise NotApplicable("the stream has no message")


@clause("runs.stream.calls-told", level="SHOULD", source="SPEC RunStepDeltaObject; SDK AssistantEventHandler",
        on=STREAM)  # fmt: skip
def calls_are_told_in_steps(exchange: Exchange) -> None:
    """The functions that a run waits for are told in a step before, with their ids and names."""
    events = whole_events(exchange)
    calls = calls_of(events[-1].data)
    if not calls or events[-1].state != "requires_action":
        raise NotApplicable("the run waits for nothing")
    told: dict[Any, Any] = {}
    ids: dict[tuple[Any, Any], Any] = {}
    for event in events:
        if event.kind == STEP:
            details = as_object(event.data.get("delta")) if event.state == DELTA else event.data
            for at, call in enumerate(as_objects(as_object(details.get("step_details")).get("tool_calls"))):
                index = as_count(call.get("index"))
                key = (event.data.get("id"), at if index is None else index)
                id = ids.setdefault(key, call.get("id"))
                told[id] = told.get(id) or as_object(call.get("function")).get("name")
    for call in calls:
        name = as_object(call.get("function")).get("name")
        expect(told.get(call.get("id")) == name, expected=f"{shown(name)} as {shown(call.get('id'))} in a step",
               got=shown(told), event=events[-1].number)  # fmt: skip


@clause("runs.stream.ended-at", level="SHOULD", source="SPEC MessageObject.completed_at, RunStepObject.completed_at",
        on=STREAM)  # fmt: skip
def an_end_has_its_time(exchange: Exchange) -> None:
    """A step or message that is told to be completed says when."""
    judged = False
    for told in events_of(exchange):
        if told.kind in (STEP, MESSAGE) and told.state == "completed":
            judged = True
            expect(as_count(told.data.get("completed_at")) is not None, expected="completed_at",
                   got=shown(told.data.get("completed_at")), at="/completed_at", event=told.number)  # fmt: skip
    if not judged:
        raise NotApplicable("nothing was completed")


@clause("runs.stream.steps-kept", level="MUST", source="SPEC listRunSteps, getRunStep", on=steps(LIFE))
def steps_that_were_streamed_are_kept(exchanges: list[Exchange]) -> None:
    """The steps that a stream told of are those that the run has afterwards, under the same ids."""
    streamed = asked_for(exchanges, "createThreadAndRun", lambda e: is_ok(e) and tells_events(e))
    events = events_of(streamed)
    wanted = {told.data.get("id"): told.data for told in events if told.kind == STEP and told.state != DELTA}
    if not wanted:
        raise NotApplicable("the stream has no step")
    listed = asked_for(exchanges, "listRunSteps", after=streamed)
    served(listed, "the steps of the run")
    rows = {row.get("id"): row for row in rows_of(listed)}
    for id, step in wanted.items():
        got = {name: rows.get(id, {}).get(name) for name in ("id", "type")}
        expect(got == {"id": id, "type": step.get("type")}, expected=f"the step {shown(id)} of type {step.get('type')}",
               got=shown(list(rows)), at=f"{listed.id} /data")  # fmt: skip
