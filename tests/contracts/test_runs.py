"""contracts/runs*.py: the flow as the stand-in answers it, the nearest departures, the legal ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from lives import NONSENSE, answered_with, edited, findings, lived, nonsense_at, verdicts, with_fields
from made import clauses_of

from wireproof.standin.faults import Departure, all_faults
from wireproof.standin.faults.edit import edit_both, edit_frames, told_again
from wireproof.standin.wire import Answer, Ask, Frame, Serve, event_of, named_event

LIFE = "runs.life"
LEGS = re.compile(r"/v1/threads/([^/]+/)?runs")
LISTED, STEPS = "GET /threads/[^/]+/messages", "GET /threads/.*/steps"
SUBMIT, READ = "POST /threads/.*/submit_tool_outputs", "GET /threads/[^/]+/runs/[^/]+"
Modules = tuple[ModuleType, ...]


@pytest.fixture(scope="module")
def modules(contract: Callable[[str], ModuleType]) -> Modules:
    return tuple(contract(f"runs{more}") for more in ("", "_stream", "_stream_order", "_told"))


def test_the_stand_in_keeps_every_clause_and_each_is_judged(modules: Modules) -> None:
    told = verdicts(lived(LIFE), *modules)
    assert {id: (one.outcome, one.reason) for id, one in told.items() if one.outcome != "pass"} == {}


def framed(edit: Callable[[list[Frame]], Iterator[Frame]]) -> Departure:
    """Both streams of the flow after `edit`."""
    return lambda ask, serve: edit_frames(serve(ask), edit) if LEGS.fullmatch(ask.path) else serve(ask)


def each(name: str, edit: Callable[[dict[str, Any]], Any]) -> Departure:
    """`edit` on the data of each event of a name; what it returns takes its place."""

    def edited_frames(frames: list[Frame]) -> Iterator[Frame]:
        for frame in frames:
            event = event_of(frame)
            is_meant = event is not None and frame.data.startswith(f"event: {name}\n".encode())
            yield told_again(frame, edit(event)) if is_meant and event is not None else frame

    return framed(edited_frames)


def leaving_out(*names: str) -> Departure:
    marks = [f"event: {name}\n".encode() for name in names]
    return framed(lambda frames: (frame for frame in frames if not any(map(frame.data.startswith, marks))))


def each_run(change: Callable[[dict[str, Any]], Any]) -> Departure:
    def edit(body: dict[str, Any]) -> None:
        for row in body.get("data", [body]):
            if isinstance(row, dict) and row.get("object") == "thread.run":
                change(row)

    return lambda ask, serve: edit_both(serve(ask), edit)


def twice(name: str) -> Departure:
    mark = f"event: {name}\n".encode()
    return framed(lambda frames: (one for frame in frames for one in [frame] * (1 + frame.data.startswith(mark))))


def half_a_call(run: dict[str, Any]) -> None:
    for call in (run["required_action"] or {}).get("submit_tool_outputs", {}).get("tool_calls", ()):
        call["function"]["arguments"] = call["function"]["arguments"][:-1]


def each_step(change: Callable[[dict[str, Any]], Any]) -> Departure:
    """`change` on each step that is listed."""
    return edited(STEPS, lambda body: [change(row) for row in body["data"]] and None)


BROKEN: dict[str, tuple[str, Departure]] = {
    "a run without tools": ("runs.schema", edited(READ, lambda run: run.pop("tools") and None)),
    "other labels": ("runs.echo", each_run(lambda run: run.update(metadata={}))),
    "cancelled, then completed": ("runs.moves", with_fields(SUBMIT, status="cancelled")),
    "completed before it was made": (
        "runs.times",
        each_run(lambda run: run.update(completed_at=1) if run["completed_at"] else None),
    ),
    "cancelled on the way": (
        "runs.times",
        each_run(lambda run: run.update(cancelled_at=5) if run["status"] == "in_progress" else None),
    ),
    "a time in parts": ("runs.created", each_run(lambda run: run.update(created_at=run["created_at"] + 0.5))),
    "one token more": (
        "runs.usage",
        each_run(lambda run: run["usage"].update(total_tokens=run["usage"]["total_tokens"] + 1) if run["usage"] else 0),
    ),
    "nothing required": (
        "runs.action",
        each_run(lambda run: run.update(required_action=None) if run["status"] == "requires_action" else None),
    ),
    "half a call": ("runs.arguments", each_run(half_a_call)),
    "no outputs taken": ("runs.submit", answered_with(SUBMIT, 400)),
    "no steps": ("runs.steps", answered_with(STEPS, 404)),
    "steps of another run": (
        "runs.steps",
        edited(STEPS, lambda body: body | {"data": [row | {"run_id": "run_1"} for row in body["data"]]}),
    ),
    "other outputs": (
        "runs.step-outputs",
        lambda ask, serve: (
            replace(told, body=told.body.replace(b"gives light", b"gives"))
            if (told := serve(ask)).body and ask.path.endswith("/steps")
            else told
        ),
    ),
    "a message of the user": (
        "runs.message",
        edited(LISTED, lambda body: body | {"data": [row | {"role": "user"} for row in body["data"]]}),
    ),
    "a list refused": ("runs.list", answered_with("GET /threads/[^/]+/runs", 400)),
    "a step for a run": ("runs.stream.schema", each("thread.run.in_progress", lambda run: run | {"object": "thread"})),
    "completed, but queued": ("runs.stream.status", each("thread.run.completed", lambda r: r | {"status": "queued"})),
    "created again": (
        "runs.stream.order",
        framed(lambda frames: iter([*frames[:-2], frames[3], *frames[-2:]])),
    ),
    "pieces of another": ("runs.stream.opens", each("thread.message.delta", lambda told: told | {"id": "msg_1"})),
    "a message left open": ("runs.stream.ends", leaving_out("thread.message.completed")),
    "done without its name": (
        "runs.stream.done",
        framed(lambda frames: (replace(f, data=f.data.replace(b"event: done\n", b"")) for f in frames)),
    ),
    "more after done": (
        "runs.stream.done",
        framed(lambda frames: iter([*frames, named_event("thread.message.delta", {"id": "m"})])),
    ),
    "a piece twice": ("runs.stream.fold", twice("thread.message.delta")),
    "calls in pieces twice": ("runs.stream.calls", twice("thread.run.step.delta")),
    "another run is read": ("runs.same", with_fields(READ, id="run_0")),
    "labels that come late": ("runs.same", each("thread.run.completed", lambda run: run | {"metadata": {}})),
    "other tools": ("runs.tools", each_run(lambda run: run.update(tools=[{"type": "code_interpreter"}]))),
    "incomplete, and completed": (
        "runs.reasons",
        each_run(lambda run: run.update(incomplete_details={"reason": "max_prompt_tokens"})),
    ),
    "failed without a word": ("runs.reasons", with_fields(READ, status="failed", last_error=None)),
    "completed before it was started": (
        "runs.times-order",
        each_run(lambda run: run.update(started_at=(run["completed_at"] or 0) + 9)),
    ),
    "steps in progress": ("runs.steps-ended", each_step(lambda step: step.update(status="in_progress"))),
    "steps without an end": ("runs.steps-ended", each_step(lambda step: step.update(completed_at=None))),
    "tokens of steps apart": ("runs.step-usage", each_step(lambda step: step["usage"].update(total_tokens=0))),
    "additional words lost": (
        "runs.additional",
        edited(LISTED, lambda body: body | {"data": [row for row in body["data"] if row["role"] == "assistant"]}),
    ),
    "the answer first": ("runs.order", edited(LISTED, lambda body: body | {"data": body["data"][::-1]})),
    "created twice": ("runs.stream.once", twice("thread.message.created")),
    "done with twice": ("runs.stream.once", twice("thread.run.completed")),
    "a message without a beginning": ("runs.stream.begins", leaving_out("thread.message.created")),
    "another thread first": ("runs.stream.thread", each("thread.created", lambda thread: thread | {"id": "thread_0"})),
    "words of the user": ("runs.stream.of-run", each("thread.message.completed", lambda row: row | {"role": "user"})),
    "a step of another thread": (
        "runs.stream.of-run",
        each("thread.run.step.created", lambda step: step | {"thread_id": "thread_0"}),
    ),
    "a message without a step": (
        "runs.stream.message-step",
        leaving_out("thread.run.step.created", "thread.run.step.in_progress", "thread.run.step.completed"),
    ),
    "calls without a name": (
        "runs.stream.calls-told",
        each(
            "thread.run.step.delta",
            lambda step: (
                [call["function"].pop("name", None) for call in step["delta"]["step_details"]["tool_calls"]] and step
            ),
        ),
    ),
    "steps that end at no time": (
        "runs.stream.ended-at",
        each("thread.run.step.completed", lambda step: step | {"completed_at": None}),
    ),
    "steps of other names": ("runs.stream.steps-kept", each_step(lambda step: step.update(id="step_0"))),
    "nothing kept": ("runs.stream.kept", edited(LISTED, lambda body: body | {"data": []})),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_departure_breaks_its_clause(modules: Modules, name: str) -> None:
    clause, departure = BROKEN[name]
    assert clause in findings(lived(LIFE, departure), *modules)


def test_every_clause_has_a_departure(modules: Modules) -> None:
    shown = {clause for clause, _ in BROKEN.values()} | {fault.breaks for fault in all_faults().values()}
    assert {one.clause.id for one in clauses_of(*modules)} - shown == set()


# ------------------------------------------------------------------------------------------------ controls


def unstreamed(ask: Ask, serve: Serve) -> Answer:
    """`stream` is ignored: the run is answered as it is, and has to be polled."""
    return serve(ask.without("stream") if LEGS.fullmatch(ask.path) and ask.method == "POST" else ask)


def pings(frames: list[Frame]) -> Iterator[Frame]:
    for frame in frames:
        yield Frame(0.0, b": ping\n\n")
        yield frame


def one_delta(frames: list[Frame]) -> Iterator[Frame]:
    """Every message in one piece, when the last one was there."""
    mark = b"event: thread.message.delta\n"
    pieces = [frame for frame in frames if frame.data.startswith(mark)]
    told = [event_of(frame) or {} for frame in pieces]
    text = "".join(part["text"]["value"] for one in told for part in one["delta"]["content"])
    for frame in frames:
        if not frame.data.startswith(mark):
            yield frame
        elif frame is pieces[-1]:
            content = [{"index": 0, "type": "text", "text": {"value": text, "annotations": []}}]
            whole = told_again(frame, {**told[0], "delta": {"content": content}})
            yield replace(whole, delay_ms=sum(piece.delay_ms for piece in pieces))


def unknown_events(frames: list[Frame]) -> Iterator[Frame]:
    yield from frames[:3]
    yield named_event("thread.run.thinking", {"id": "x", "object": "thread.run.thought"})
    yield from frames[3:]


def calls_again(ask: Ask, serve: Serve) -> Answer:
    """With the outputs it has, the model calls another function."""
    call = {"id": "call_2", "type": "function", "function": {"name": "look_up", "arguments": '{"word": "wick"}'}}
    action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": [call]}}
    change = {"status": "requires_action", "required_action": action, "completed_at": None, "usage": None}
    return edited(READ, lambda run: run | change)(ask, serve)


LEGAL: dict[str, Departure] = {
    "pings": framed(pings),
    "one delta": framed(one_delta),
    "events of new names": framed(unknown_events),
    "no queue": leaving_out("thread.run.queued"),
    "no progress told": leaving_out(
        "thread.run.in_progress", "thread.message.in_progress", "thread.run.step.in_progress"
    ),
    "more keys": each_run(lambda run: run.update(x_vendor=1, tool_resources={})),
    "a resolved model": each_run(lambda run: run.update(model="gpt-4.1-mini-2025-04-14")),
    "calls again": calls_again,
    "no lists of runs": answered_with("GET /threads/[^/]+/runs", 501),
    "no steps": answered_with(STEPS, 501),
    "no runs on threads that are there": answered_with("POST /threads/[^/]+/runs", 405),
    "steps without outputs yet": edited(STEPS, lambda body: body),
    "going on at once": with_fields(SUBMIT, status="in_progress"),
    "no model for it": answered_with("POST /assistants", 400),
}


@pytest.mark.parametrize("name", LEGAL)
def test_a_legal_departure_breaks_nothing(modules: Modules, name: str) -> None:
    assert findings(lived(LIFE, LEGAL[name]), *modules) == {}


def test_a_run_that_is_not_streamed_can_be_polled(modules: Modules) -> None:
    told = verdicts(lived(LIFE, unstreamed), *modules)
    assert {id: one.findings for id, one in told.items() if one.outcome == "fail"} == {}
    assert {told[id].outcome for id in ("runs.forced", "runs.submit", "runs.usage")} == {"pass"}


@pytest.mark.parametrize("pace", [0.1, 4.0, 10_000.0])
def test_no_pace_of_lives_breaks_anything(modules: Modules, pace: float) -> None:
    assert findings(lived(LIFE, pace=pace), *modules) == {}


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_backend_without_runs_is_asked_once_and_breaks_nothing(modules: Modules, status: int) -> None:
    exchanges = lived(LIFE, answered_with(".*", status))
    assert len(exchanges) == 1
    assert {one.outcome for one in verdicts(exchanges, *modules).values()} == {"not-applicable"}


@pytest.mark.parametrize("step", range(13))
def test_no_clause_stumbles_over_nonsense(modules: Modules, step: int) -> None:
    for body in (NONSENSE[step % len(NONSENSE)], NONSENSE[-1 - step % 3]):
        told = verdicts(lived(LIFE, nonsense_at(step, body)), *modules)
        assert [one.reason for one in told.values() if "the clause itself failed" in one.reason] == []
