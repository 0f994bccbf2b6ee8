"""Runs: an assistant answers a thread, or waits for what a function gives, and every step of it is told.

One flow has two short runs: one only speaks, one must call a function, and is polled once it has its outputs. The order
of the events of a stream is judged in runs_stream.py.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from typing import Any

from wireproof.clause import (
    MODEL,
    Call,
    Exchange,
    Flow,
    Inconclusive,
    NotApplicable,
    answered,
    clause,
    expect,
    flow,
    sequence,
    shown,
    steps,
)

from ._life import (
    asked_for,
    expect_moves,
    expect_now,
    expect_schema,
    first_made,
    id_of,
    ids_of,
    is_ok,
    rows_of,
    served,
)
from ._reading import as_count, as_object, as_objects
from ._threads import (
    BEGINNINGS,
    FINAL,
    RESTS,
    RUN_LIST,
    RUNS,
    Run,
    asks,
    calls_of,
    is_plain,
    last_run,
    place_of,
    runs_in,
    texts_of,
)

LIFE = "runs.life"
FUNCTION = {
    "name": "look_up",
    "description": "Looks up what a word means",
    "parameters": {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]},
}
ASSISTANT = {"model": MODEL, "name": "wireproof", "tools": [{"type": "function", "function": FUNCTION}]}
# The least that a run may be held to.
CAP = 256
LABELS = {"purpose": "wireproof"}
SPEAKS: dict[str, Any] = {
    "thread": {"messages": [{"role": "user", "content": "Say hello in one word."}]},
    "instructions": "Answer in one word.",
    "tool_choice": "none",
    "max_completion_tokens": CAP,
    "metadata": LABELS,
    "stream": True,
}
CALLS: dict[str, Any] = {
    "additional_messages": [{"role": "user", "content": "Look up the word lamp."}],
    "tool_choice": {"type": "function", "function": {"name": FUNCTION["name"]}},
    "max_completion_tokens": CAP,
    "metadata": LABELS,
    "stream": True,
}
ECHOED = ("assistant_id", "metadata", "instructions", "max_completion_tokens", "max_prompt_tokens", "tool_choice",
          "parallel_tool_calls")  # fmt: skip
OUTPUT = "A thing that gives light."
WAIT_S = 4.0
# What a stream tells may be kept a little later.
KEPT_S = 1.0


@flow(LIFE, most=13, about="a run that speaks, and one that must call a function", expects="either")
def lives_of_runs() -> Flow:
    assistant = id_of((yield asks("POST", "/assistants", ASSISTANT)))
    if assistant is None:
        return
    said = last_run((yield asks("POST", "/threads/runs", {"assistant_id": assistant, **SPEAKS})))
    place = place_of(said)
    if place is not None:
        thread = place.partition("/runs/")[0]
        yield from _at_rest(said, place)
        yield asks("GET", f"{place}/steps", after_s=KEPT_S)
        yield from _called(thread, assistant)
        yield asks("GET", f"{thread}/messages", limit="8", order="asc")
        yield asks("GET", f"{thread}/runs", limit="5")
        yield asks("DELETE", thread)
    yield asks("DELETE", f"/assistants/{assistant}")


def _at_rest(run: dict[str, Any], place: str) -> Generator[Call, Exchange, dict[str, Any]]:
    """Looks again where the run is still under way: `stream` was ignored."""
    return run if run.get("status") in RESTS else last_run((yield asks("GET", place, after_s=WAIT_S)))


def _called(thread: str, assistant: str) -> Generator[Call, Exchange, None]:
    began = yield asks("POST", f"{thread}/runs", {"assistant_id": assistant, **CALLS})
    place = place_of(last_run(began))
    if place is None:
        return
    run = yield from _at_rest(last_run(began), place)
    ids = [call["id"] for call in calls_of(run) if isinstance(call.get("id"), str)]
    if run.get("status") == "requires_action" and ids:
        outputs = [{"tool_call_id": id, "output": OUTPUT} for id in ids]
        yield asks("POST", f"{place}/submit_tool_outputs", {"tool_outputs": outputs}, after_s=KEPT_S)
        yield asks("GET", place, after_s=WAIT_S)
        yield asks("GET", f"{place}/steps")


# ------------------------------------------------------------------------------------------------ reading


def _begun(exchanges: Sequence[Exchange], operation: str) -> list[Run]:
    """All that was told of the run that `operation` began. NotApplicable when it is not served."""
    first_made(exchanges, "createAssistant", "assistant")
    first_made(exchanges, operation, "run")
    began = asked_for(exchanges, operation, is_ok)
    id = last_run(began).get("id")
    told = [run for exchange in exchanges for run in runs_in(exchange) if id is not None and run.body.get("id") == id]
    if not told:
        raise Inconclusive(f"{began.id} tells of no run")
    return told


def _spoken(exchanges: Sequence[Exchange]) -> list[Run]:
    """The run that speaks, which was completed."""
    told = _begun(exchanges, "createThreadAndRun")
    status = told[-1].body.get("status")
    if status != "completed":
        raise Inconclusive(f"the run is {status}")
    return told


def _must(run: Run, held: bool, field: str, *, expected: str, got: object) -> None:
    """A finding at a field of a run, wherever it was told."""
    expect(held, expected=expected, got=got, at=f"{run.exchange.id} {run.at}/{field}", event=run.event)


def _is_run(*states: str) -> Any:
    return lambda exchange: any(run.body.get("status") in states for run in runs_in(exchange))


# ------------------------------------------------------------------------------------------------ each run


@clause(
    "runs.schema",
    level="MUST",
    source="SPEC RunObject, RunStepObject and their lists",
    on=answered(*RUNS, "listRunSteps", "getRunStep", shows=is_plain),
)
def answers_follow_the_schema(exchange: Exchange) -> None:
    """A run has its thread, assistant, model, times, and one of nine states; its steps are as documented."""
    expect_schema(exchange, "/first_id", "/last_id")


@clause(
    "runs.echo",
    level="MUST",
    source="SPEC CreateRunRequest, RunObject",
    on=answered(*BEGINNINGS),
    fields=("assistant_id", "metadata", "max_completion_tokens", "instructions", "tool_choice"),
)
def a_run_is_what_was_asked_for(exchange: Exchange) -> None:
    """A run has the assistant, thread, instructions, caps, choice of tools and `metadata` that it was begun with."""
    told, asked = runs_in(exchange), exchange.request.asked
    if not told:
        raise Inconclusive("the answer tells of no run")
    wanted = {name: asked[name] for name in ECHOED if asked.get(name)}
    if exchange.operation == "createRun":
        wanted["thread_id"] = exchange.request.path.split("/")[2]
    for name, value in wanted.items():
        _must(told[0], told[0].body.get(name) == value, name, expected=f"{name} {shown(value)}",
              got=shown(told[0].body.get(name)))  # fmt: skip


@clause("runs.moves", level="MUST", source="SPEC RunObject.status; DOCS-0715 run lifecycle",
        on=sequence(answered(*RUNS)))  # fmt: skip
def a_run_moves_forward(exchanges: list[Exchange]) -> None:
    """A run goes from queued over in_progress to an end, by way of requires_action or not, and stays at its end."""
    seen: dict[str, list[tuple[Exchange, dict[str, Any]]]] = {}
    for exchange in exchanges:
        for run in runs_in(exchange):
            seen.setdefault(str(run.body.get("id")), []).append((exchange, run.body))
    told = [row for row in seen.values() if len(row) > 1]
    if not told:
        raise NotApplicable("no run was looked at twice")
    for row in told:
        expect_moves("Run", row)


@clause("runs.times", level="MUST", source="SPEC RunObject.completed_at, failed_at, cancelled_at", on=answered(*RUNS))
def times_follow_the_states(exchange: Exchange) -> None:
    """A run that was completed, failed or cancelled says when, no earlier than it was created; no other run does."""
    ends = {"completed": "completed_at", "failed": "failed_at", "cancelled": "cancelled_at"}
    for run in runs_in(exchange):
        status, created = run.body.get("status"), as_count(run.body.get("created_at"))
        for end, name in ends.items():
            told = run.body.get(name)
            if status == end == "completed":
                is_after = type(told) is int and (created is None or told >= created)
                _must(run, is_after, name, expected=f"{name} of a run that is {status}", got=shown(told))
            elif status in ("queued", "in_progress", "requires_action"):
                _must(run, not told, name, expected=f"no {name} of a run that is {status}", got=shown(told))


@clause("runs.created", level="MUST", source="SPEC RunObject.created_at: Unix timestamp", on=steps(LIFE))
def runs_are_created_now(exchanges: list[Exchange]) -> None:
    """`created_at` of a run is the time when it was asked for, in whole seconds since 1970."""
    run = _begun(exchanges, "createThreadAndRun")[0]
    expect_now(run.exchange, run.body.get("created_at"), "created_at")


@clause("runs.usage", level="MUST", source="SPEC RunObject.usage", on=answered(*RUNS, shows=_is_run("completed")))
def tokens_add_up(exchange: Exchange) -> None:
    """A run that was completed tells its `usage`, in which prompt and completion are the total."""
    for run in runs_in(exchange):
        if run.body.get("status") == "completed":
            usage = as_object(run.body.get("usage"))
            counts = [as_count(usage.get(name)) for name in ("prompt_tokens", "completion_tokens", "total_tokens")]
            prompt, completion, total = counts
            is_told = prompt is not None and completion is not None and total is not None
            _must(run, is_told, "usage", expected="three counts of tokens", got=shown(run.body.get("usage")))
            _must(run, bool(prompt), "usage/prompt_tokens", expected="the tokens of what was said", got=shown(prompt))
            _must(run, is_told and total == (prompt or 0) + (completion or 0), "usage/total_tokens",
                  expected=f"total_tokens {(prompt or 0) + (completion or 0)}", got=shown(total))  # fmt: skip


@clause("runs.usage-early", level="SHOULD", source="SPEC RunObject.usage: null before the end", on=answered(*RUNS))
def usage_comes_at_the_end(exchange: Exchange) -> None:
    """A run that is not at its end has `usage` null: what it costs is not known yet."""
    for run in runs_in(exchange):
        if run.body.get("status") in ("queued", "in_progress", "requires_action"):
            usage = run.body.get("usage")
            _must(run, not usage, "usage", expected=f"no usage of a run that is {run.body['status']}", got=shown(usage))


@clause("runs.action", level="MUST", source="SPEC RunObject.required_action", on=answered(*RUNS))
def what_is_required_is_told(exchange: Exchange) -> None:
    """A run that `requires_action` says which functions it calls, each with an id, and no other requires anything."""
    for run in runs_in(exchange):
        action = run.body.get("required_action")
        if run.body.get("status") == "requires_action":
            calls = calls_of(run.body)
            _must(run, bool(calls), "required_action", expected="the calls to be answered", got=shown(action))
            ids = [shown(call.get("id")) for call in calls if isinstance(call.get("id"), str) and call["id"]]
            _must(
                run, len(set(ids)) == len(calls), "required_action", expected="an id for each call", got=shown(action)
            )
        elif run.body.get("status") in (*FINAL, "queued", "in_progress"):
            expected = f"null for a run that is {run.body['status']}"
            _must(run, not action, "required_action", expected=expected, got=shown(action))


@clause("runs.arguments", level="MUST", source="SPEC RunToolCallObject.function.arguments",
        on=answered(*RUNS, shows=_is_run("requires_action")), model="some-output")  # fmt: skip
def arguments_are_json(exchange: Exchange) -> None:
    """The `arguments` of a call are a string that holds a JSON object, and its `name` is of a function of the run."""
    for run in runs_in(exchange):
        names = {as_object(tool.get("function")).get("name") for tool in as_objects(run.body.get("tools"))}
        for at, call in enumerate(calls_of(run.body)):
            place = f"required_action/submit_tool_outputs/tool_calls/{at}/function"
            function = as_object(call.get("function"))
            arguments, name = function.get("arguments"), function.get("name")
            _must(run, _is_json(arguments), f"{place}/arguments", expected="a JSON object as text",
                  got=shown(arguments))  # fmt: skip
            _must(run, not names or name in names, f"{place}/name", expected="a function of the run", got=shown(name))


def _is_json(text: object) -> bool:
    try:
        return isinstance(text, str) and isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


# ------------------------------------------------------------------------------------------------ the flow


@clause(
    "runs.forced", level="MUST", source="SPEC CreateRunRequest.tool_choice", on=steps(LIFE), fields=("tool_choice",)
)
def a_function_that_is_named_is_called(exchanges: list[Exchange]) -> None:
    """A run whose `tool_choice` names a function calls it: it comes to `requires_action`, and not to its end before."""
    told = _begun(exchanges, "createRun")
    waits = [run for run in told if run.body.get("status") == "requires_action"]
    if not waits:
        status = told[-1].body.get("status")
        if status != "completed":
            raise Inconclusive(f"the run is {status}")
        _must(told[-1], False, "status", expected="status requires_action", got=shown(status))
    names = [as_object(call.get("function")).get("name") for call in calls_of(waits[0].body)]
    _must(waits[0], FUNCTION["name"] in names, "required_action", expected=f"a call of {FUNCTION['name']}",
          got=shown(names))  # fmt: skip


def _submitted(exchanges: Sequence[Exchange]) -> Exchange:
    """The outputs, once they were taken."""
    _begun(exchanges, "createRun")
    exchange = asked_for(exchanges, "submitToolOutputs")
    served(exchange, "the run, going on")
    return exchange


@clause("runs.submit", level="MUST", source="SPEC submitToolOuputsToRun", on=steps(LIFE), fields=("tool_outputs",))
def outputs_let_a_run_go_on(exchanges: list[Exchange]) -> None:
    """A run goes on with the outputs of its functions: it does not wait for the same calls again."""
    exchange = _submitted(exchanges)
    given = {one.get("tool_call_id") for one in as_objects(exchange.request.asked.get("tool_outputs"))}
    for run in _begun(exchanges, "createRun"):
        if run.exchange.step >= exchange.step:
            again = [call.get("id") for call in calls_of(run.body) if call.get("id") in given]
            _must(run, not again, "required_action", expected="none of the calls that were answered", got=shown(again))


@clause("runs.step-outputs", level="SHOULD", source="SPEC RunStepDetailsToolCallsFunctionObject.output", on=steps(LIFE))
def outputs_are_in_the_steps(exchanges: list[Exchange]) -> None:
    """The step that called a function tells the output that was submitted for it."""
    exchange = _submitted(exchanges)
    listed = asked_for(exchanges, "listRunSteps", after=exchange)
    served(listed, "the steps of the run")
    calls = {
        call.get("id"): as_object(call.get("function")).get("output")
        for row in rows_of(listed)
        for call in as_objects(as_object(row.get("step_details")).get("tool_calls"))
    }
    for one in as_objects(exchange.request.asked.get("tool_outputs")):
        told = calls.get(one.get("tool_call_id"))
        expect(told == OUTPUT, expected=f"the output {OUTPUT!r} of {one.get('tool_call_id')}", got=shown(told),
               at=f"{listed.id} /data")  # fmt: skip


@clause("runs.steps", level="MUST", source="SPEC listRunSteps, RunStepObject", on=steps(LIFE))
def steps_are_of_their_run(exchanges: list[Exchange]) -> None:
    """The steps of a run are listed with its id and those of its thread and assistant; a completed run has some."""
    run = _spoken(exchanges)[-1].body
    exchange = asked_for(exchanges, "listRunSteps", lambda e: e.request.path.endswith(f"/{run.get('id')}/steps"))
    served(exchange, "the steps of the run")
    rows = rows_of(exchange)
    expect(bool(rows), expected="the steps of a completed run", got="none", at=f"{exchange.id} /data")
    wanted = {"run_id": run.get("id"), "thread_id": run.get("thread_id"), "assistant_id": run.get("assistant_id")}
    for at, row in enumerate(rows):
        for name, value in wanted.items():
            expect(row.get(name) == value, expected=f"{name} {shown(value)}", got=shown(row.get(name)),
                   at=f"{exchange.id} /data/{at}/{name}")  # fmt: skip


@clause("runs.message", level="MUST", source="SPEC MessageObject.run_id, RunStepDetailsMessageCreationObject",
        on=steps(LIFE), model="some-output")  # fmt: skip
def a_message_of_a_run_is_in_the_thread(exchanges: list[Exchange]) -> None:
    """What a run said is a message of the thread: of the assistant, with the id of the run, as its step names it."""
    run = _spoken(exchanges)[-1].body
    listed = asked_for(exchanges, "listMessages")
    served(listed, "the messages of the thread")
    own = {row.get("id"): row for row in rows_of(listed) if row.get("run_id") == run.get("id")}
    expect(bool(own), expected=f"a message with run_id {run.get('id')}", got=shown(ids_of(listed)),
           at=f"{listed.id} /data")  # fmt: skip
    for row in own.values():
        got = shown({name: row.get(name) for name in ("role", "assistant_id")})
        is_own = row.get("role") == "assistant" and row.get("assistant_id") == run.get("assistant_id")
        expect(is_own, expected=f"role assistant, assistant_id {run.get('assistant_id')}", got=got,
               at=f"{listed.id} /data")  # fmt: skip
        expect(any(texts_of(row).values()), expected="a text", got=shown(row.get("content")), at=f"{listed.id} /data")
    steps_of = [e for e in exchanges if e.operation == "listRunSteps" and str(run.get("id")) in e.request.path]
    for step in rows_of(steps_of[0]) if steps_of and is_ok(steps_of[0]) else []:
        named = as_object(as_object(step.get("step_details")).get("message_creation")).get("message_id")
        expect(named is None or named in own, expected=f"one of {shown(list(own))}", got=shown(named),
               at=f"{steps_of[0].id} /data")  # fmt: skip


@clause("runs.list", level="MUST", source="SPEC listRuns", on=steps(LIFE))
def runs_are_listed(exchanges: list[Exchange]) -> None:
    """The runs of a thread are in its list."""
    began = [e for e in exchanges if e.operation in BEGINNINGS and is_ok(e)]
    _begun(exchanges, "createThreadAndRun")
    made = [last_run(e).get("id") for e in began]
    exchange = asked_for(exchanges, RUN_LIST)
    served(exchange, "the runs of the thread")
    missing = [id for id in made if id not in ids_of(exchange)]
    expect(
        not missing, expected=f"{shown(missing)} in the list", got=shown(ids_of(exchange)), at=f"{exchange.id} /data"
    )
