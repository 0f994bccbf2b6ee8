"""Runs: begun, listed, stopped, given the outputs they wait for; polled or streamed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from wireproof.standin.call import Call
from wireproof.standin.catalogue import Model, model_for
from wireproof.standin.metered import limited
from wireproof.standin.paging import page, public
from wireproof.standin.refusals import Refused, invalid
from wireproof.standin.resources.assistants.assistants import assistant_named, check_model
from wireproof.standin.resources.assistants.begin import check, expected_tokens, fields_of
from wireproof.standin.resources.assistants.leg import play
from wireproof.standin.resources.assistants.life import (
    QUEUED_S,
    STOPS_S,
    WORKS_S,
    active_run,
    cancel,
    place,
    set_going,
)
from wireproof.standin.resources.assistants.moves import MESSAGES, RUNS, STEPS, Score
from wireproof.standin.resources.assistants.prompt import as_chat
from wireproof.standin.resources.assistants.rows import new_run
from wireproof.standin.resources.assistants.scene import Scene, SearchFailed
from wireproof.standin.resources.assistants.steps import includes_content
from wireproof.standin.resources.assistants.stream import Telling
from wireproof.standin.resources.assistants.threads import add_message, check_message, new_thread, thread_named
from wireproof.standin.resources.assistants.tool_resources import resources
from wireproof.standin.resources.vector_stores.search import search
from wireproof.standin.serving import serves
from wireproof.standin.store import Row
from wireproof.standin.wire import EVENT_STREAM, Answer, Frame, json_answer, named_event
from wireproof.standin.world import World

# Source: SPEC: how many results a search of files gives when nothing is said, for current models.
MOST_FOUND = 20


def run_named(world: World, call: Call) -> Row:
    thread_id = thread_named(world, call.path["thread_id"])["id"]
    id = call.path["run_id"]
    return world.table(RUNS, thread_id).found(id, f"No run found with id '{id}'.")


@serves("createRun")
def create(world: World, call: Call) -> Answer:
    thread = thread_named(world, call.path["thread_id"])
    run = active_run(world, thread["id"])
    if run is not None:
        raise invalid(f"Thread {thread['id']} already has an active run {run['id']}.")
    more = call.body.get("additional_messages") or ()
    for at, message in enumerate(more):
        check_message(world, message, f"additional_messages[{at}].")

    def thread_of() -> Row:
        for message in more:
            add_message(world, call, thread["id"], message)
        return thread_named(world, thread["id"])

    return _begun(world, call, thread_of, told_of_thread=False)


@serves("createThreadAndRun")
def create_with_thread(world: World, call: Call) -> Answer:
    return _begun(world, call, lambda: new_thread(world, call, call.body.get("thread") or {}), told_of_thread=True)


def _begun(world: World, call: Call, thread_of: Callable[[], Row], *, told_of_thread: bool) -> Answer:
    """`thread_of` makes or completes the thread, once the request has passed."""
    assistant = assistant_named(world, call.body["assistant_id"], "assistant_id")
    fields = fields_of(call.body, assistant)
    check_model(world, fields["model"])
    model = model_for(world.models, fields["model"], "chat")
    new = [*((call.body.get("thread") or {}).get("messages") or ()), *(call.body.get("additional_messages") or ())]
    old = world.table(MESSAGES, call.path["thread_id"]).rows() if "thread_id" in call.path else []

    def answer() -> Answer:
        own = resources(world, call, call.body.get("tool_resources"))
        thread = thread_of()
        own = {**assistant["tool_resources"], **own}
        run = new_run(call.id("run_"), fields, thread, assistant, own, int(call.now))
        world.table(RUNS, thread["id"]).put(run["id"], run)
        world.at(run["expires_at"], "runs.expire", place(run))
        score = Score(call.now)
        score.tell("thread.run.created", RUNS, run["id"])
        opening = [named_event("thread.created", public(thread))] if told_of_thread else []
        return _played(world, call, run, model, score, opening)

    return limited(
        world,
        call,
        model,
        check=lambda: check(fields, model, [*map(as_chat, old), *new]),
        tokens=lambda: expected_tokens(fields, new),
        answer=answer,
    )


@serves("submitToolOutputs")
def submit(world: World, call: Call) -> Answer:
    run = run_named(world, call)
    if run["status"] != "requires_action":
        raise invalid(f'Runs in status "{run["status"]}" do not accept tool outputs.')
    step = next(step for step in reversed(world.table(STEPS, run["id"]).rows()) if step["status"] == "in_progress")
    outputs = _outputs(run, call.body["tool_outputs"])
    model = model_for(world.models, run["model"], "chat")

    def answer() -> Answer:
        calls = [
            {**one, "function": {**one["function"], "output": outputs[one["id"]]}}
            for one in step["step_details"]["tool_calls"]
        ]
        score = Score(call.now)
        score.tell("thread.run.step.completed", STEPS, step["id"], status="completed", completed_at=score.now,
                   usage=step["_usage"], step_details={"type": "tool_calls", "tool_calls": calls})  # fmt: skip
        for move in score.moves:
            world.table(STEPS, run["id"]).put(step["id"], {**step, **move.change})
        going = {**run, "status": "queued", "required_action": None}
        world.table(RUNS, run["thread_id"]).put(run["id"], going)
        return _played(world, call, going, model, score, [])

    return limited(
        world,
        call,
        model,
        check=lambda: None,
        tokens=lambda: run["max_completion_tokens"] or 0,
        answer=answer,
    )


@serves("listRuns")
def listed(world: World, call: Call) -> Answer:
    return page(world.table(RUNS, thread_named(world, call.path["thread_id"])["id"]).rows(), call)


@serves("getRun")
def get(world: World, call: Call) -> Answer:
    return json_answer(public(run_named(world, call)))


@serves("modifyRun")
def modify(world: World, call: Call) -> Answer:
    run = run_named(world, call)
    if "metadata" in call.body:
        run = {**run, "metadata": call.body["metadata"] or {}}
        world.table(RUNS, run["thread_id"]).put(run["id"], run)
    return json_answer(public(run))


@serves("cancelRun")
def cancel_run(world: World, call: Call) -> Answer:
    run = run_named(world, call)
    if run["status"] not in ("queued", "in_progress", "requires_action"):
        raise invalid(f"Cannot cancel run with status '{run['status']}'.")
    return json_answer(public(cancel(world, run)))


def _outputs(run: Row, given: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """By call; refused unless every call that the run waits for is answered, and nothing else."""
    expected = [call["id"] for call in run["required_action"]["submit_tool_outputs"]["tool_calls"]]
    got = [one.get("tool_call_id") for one in given]
    if sorted(expected) != sorted(map(str, got)):
        raise invalid(f"Expected tool outputs for call_ids {expected}, got {got}", "tool_outputs")
    return {str(one["tool_call_id"]): one.get("output", "") for one in given}


# ---- what becomes of it


def _played(world: World, call: Call, run: Row, model: Model, score: Score, opening: Sequence[Frame]) -> Answer:
    """The leg that begins now: its moves planned, its answer the run as it is or all that will happen."""
    is_told = bool(call.body.get("stream"))
    thread_id, steps = run["thread_id"], world.table(STEPS, run["id"]).rows()
    messages = world.table(MESSAGES, thread_id).rows()
    scene = Scene(
        run=run,
        messages=messages,
        steps=steps,
        model=model,
        latency=world.setup.latency,
        serial=call.serial,
        new_id=call.id,
        search=lambda query, options: _found(world, run["_stores"], query, options),
        queue_ms=0.0 if is_told else world.lasts(QUEUED_S) * 1000,
        work_ms=0.0 if is_told else world.lasts(WORKS_S) * 1000,
    )
    play(scene, score)
    set_going(world, run, score, call.now, is_told=is_told)
    if not is_told:
        return json_answer(public(run))
    runs = world.table(RUNS, thread_id)
    rows = {row["id"]: row for row in (run, *steps)}
    frames = Telling(
        score.moves,
        rows,
        lambda: runs.get(run["id"]),
        lambda: world.now,
        stops_s=world.lasts(STOPS_S),
        opening=opening,
        with_content=includes_content(call),
    )
    return Answer(200, EVENT_STREAM, frames=frames)


def _found(world: World, stores: Sequence[str], query: str, options: Row) -> list[Row]:
    """Results of a search as a step shows them. SearchFailed when a store is not there any more."""
    ranking = options.get("ranking_options") or {}
    try:
        found = search(
            world,
            stores,
            query,
            options.get("max_num_results", MOST_FOUND),
            threshold=ranking.get("score_threshold", 0.0),
        )
    except Refused as refused:
        raise SearchFailed(refused.answer.json["error"]["message"]) from refused
    return [
        {
            "file_id": one.file_id,
            "file_name": one.filename,
            "score": one.score,
            "content": [{"type": "text", "text": one.text}],
        }
        for one in found
    ]
