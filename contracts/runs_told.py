"""Runs wherever they are told of: the same run in every answer and event, with reasons and times that fit its state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from wireproof.clause import Exchange, NotApplicable, answered, clause, expect, sequence, shown, steps

from ._life import asked_for, is_ok, rows_of, served
from ._reading import as_count, as_object, as_objects, as_text
from ._threads import RUNS, STEP, Run, events_of, runs_in, tells_events, texts_of

LIFE = "runs.life"
STEP_LIST = "listRunSteps"
STAYS = ("thread_id", "assistant_id", "created_at", "instructions", "tools", "metadata",
         "max_completion_tokens", "max_prompt_tokens")  # fmt: skip


TOKENS = ("prompt_tokens", "completion_tokens", "total_tokens")


def _must(run: Run, held: bool, field: str, *, expected: str, got: object) -> None:
    expect(held, expected=expected, got=got, at=f"{run.exchange.id} {run.at}/{field}", event=run.event)


def _plain(value: Any) -> Any:
    """A usage without what a vendor adds to it, which may be told in one place alone."""
    return {name: value[name] for name in TOKENS if name in value} if isinstance(value, dict) else value


def _steps(exchange: Exchange) -> Iterator[tuple[str, dict[str, Any], int | None]]:
    """`(pointer, step, event)` of each step that a list or a stream tells of in whole."""
    if exchange.operation == STEP_LIST:
        yield from ((f"/data/{at}", row, None) for at, row in enumerate(rows_of(exchange)))
    else:
        for told in events_of(exchange):
            if told.kind == STEP and told.state != "delta":
                yield "", told.data, told.number


STEPS = answered(*RUNS, STEP_LIST, shows=lambda e: e.operation == STEP_LIST or tells_events(e))


# ------------------------------------------------------------------------------------------------ the run


@clause("runs.same", level="MUST", source="SPEC RunObject; getRun, listRuns, submitToolOuputsToRun",
        on=sequence(answered(*RUNS)))  # fmt: skip
def a_run_is_the_same_everywhere(exchanges: list[Exchange]) -> None:
    """A run keeps its thread, assistant, tools, labels and times, in every answer and event that tells of it.

    Who asks for a run, or gives it outputs, is answered with this run and no other.
    """
    first: dict[object, Run] = {}
    ended: dict[object, Run] = {}
    for exchange in exchanges:
        parts = exchange.request.path.split("/")
        named = parts[4] if len(parts) > 4 else None
        for run in runs_in(exchange):
            if named is not None:
                _must(run, run.body.get("id") == named, "id", expected=named, got=shown(run.body.get("id")))
            before = first.setdefault(run.body.get("id"), run)
            for name in STAYS:
                kept, told = before.body.get(name), run.body.get(name)
                is_kept = exchange.operation == "modifyRun" and name == "metadata"
                if is_kept:
                    first[run.body.get("id")] = run
                _must(run, is_kept or told == kept, name, expected=f"{name} {shown(kept)}, as before", got=shown(told))
            if run.body.get("status") == "completed":
                end = ended.setdefault(run.body.get("id"), run)
                for name in ("completed_at", "usage"):
                    kept, told = _plain(end.body.get(name)), _plain(run.body.get(name))
                    _must(run, told == kept, name, expected=f"{name} {shown(kept)}, as before", got=shown(told))
    if not first:
        raise NotApplicable("no run was told of")


@clause("runs.tools", level="MUST", source="SPEC RunObject.tools: the tools that the assistant used for this run",
        on=steps(LIFE))  # fmt: skip
def a_run_has_the_tools_of_its_assistant(exchanges: list[Exchange]) -> None:
    """A run that is not given tools of its own has those of its assistant."""
    made = asked_for(exchanges, "createAssistant", is_ok)
    wanted = _names(made.request.asked)
    judged = False
    for exchange in exchanges:
        for run in runs_in(exchange):
            judged = True
            got = _names(run.body)
            _must(run, got == wanted, "tools", expected=f"the functions {shown(wanted)}", got=shown(got))
    if not judged:
        raise NotApplicable("no run was told of")


def _names(body: dict[str, Any]) -> list[Any]:
    return [as_object(tool.get("function")).get("name") for tool in as_objects(body.get("tools"))]


@clause("runs.reasons", level="MUST", source="SPEC RunObject.last_error, incomplete_details: null if there are none",
        on=answered(*RUNS))  # fmt: skip
def reasons_are_of_bad_ends(exchange: Exchange) -> None:
    """A run that failed has a `last_error`, and one that goes well has none, nor `incomplete_details`."""
    for run in runs_in(exchange):
        status, error = run.body.get("status"), as_object(run.body.get("last_error"))
        if status == "failed":
            _must(run, bool(error.get("message")), "last_error", expected="an error with a message",
                  got=shown(run.body.get("last_error")))  # fmt: skip
        if status in ("queued", "in_progress", "requires_action", "completed"):
            _must(run, not error.get("message"), "last_error", expected=f"null for a run that is {status}",
                  got=shown(error))  # fmt: skip
            reason = as_object(run.body.get("incomplete_details")).get("reason")
            _must(run, not reason, "incomplete_details", expected=f"null for a run that is {status}", got=shown(reason))


@clause("runs.times-order", level="MUST", source="SPEC RunObject.started_at, completed_at, cancelled_at, failed_at",
        on=answered(*RUNS))  # fmt: skip
def times_are_in_order(exchange: Exchange) -> None:
    """A run is created, started and ended in this order; once completed, it neither failed nor was cancelled."""
    for run in runs_in(exchange):
        names = ("created_at", "started_at", "completed_at")
        times = [(name, time) for name in names if (time := as_count(run.body.get(name)))]
        for (earlier, before), (name, time) in pairwise(times):
            _must(run, time >= before, name, expected=f"{name} of {before} or later, after {earlier}", got=time)
        if run.body.get("status") == "completed":
            for name in ("cancelled_at", "failed_at"):
                told = run.body.get(name)
                _must(run, not told, name, expected=f"no {name} of a run that is completed", got=shown(told))


# ------------------------------------------------------------------------------------------------ its steps


@clause("runs.steps-ended", level="MUST", source="SPEC RunStepObject.status, completed_at", on=steps(LIFE))
def steps_end_with_their_run(exchanges: list[Exchange]) -> None:
    """Once a run is completed none of its steps is under way; a step is of the kind that its details are."""
    completed = {run.body.get("id"): e.step for e in exchanges[::-1] for run in runs_in(e)
                 if run.body.get("status") == "completed"}  # fmt: skip
    lists = [e for e in exchanges if e.operation == STEP_LIST and is_ok(e)]
    judged = False
    for listed in lists:
        for at, row in enumerate(rows_of(listed)):
            judged, place = True, f"{listed.id} /data/{at}"
            kind = as_object(row.get("step_details")).get("type")
            expect(kind == row.get("type"), expected=f"type {shown(kind)}, as its details", got=shown(row.get("type")),
                   at=f"{place}/type")  # fmt: skip
            if completed.get(row.get("run_id"), listed.step) < listed.step:
                expect(row.get("status") != "in_progress", expected="an end, as of its run", got=shown(row["status"]),
                       at=f"{place}/status")  # fmt: skip
                is_told = row.get("status") != "completed" or as_count(row.get("completed_at")) is not None
                expect(is_told, expected="completed_at of a step that is completed", got=shown(row.get("completed_at")),
                       at=f"{place}/completed_at")  # fmt: skip
    if not judged:
        raise NotApplicable("no steps were listed")


@clause("runs.step-usage", level="SHOULD", source="SPEC RunStepCompletionUsage: null while in progress", on=STEPS)
def a_step_tells_its_tokens(exchange: Exchange) -> None:
    """A step that is completed tells its `usage`, in which prompt and completion are the total."""
    judged = False
    for at, step, event in _steps(exchange):
        if step.get("status") != "completed":
            continue
        judged = True
        usage = as_object(step.get("usage"))
        counts = [as_count(usage.get(name)) for name in ("prompt_tokens", "completion_tokens", "total_tokens")]
        prompt, completion, total = counts
        is_kept = prompt is not None and completion is not None and total == prompt + completion
        expect(is_kept, expected="three counts of tokens that add up", got=shown(step.get("usage")), at=f"{at}/usage",
               event=event)  # fmt: skip
    if not judged:
        raise NotApplicable("no step is completed")


# ------------------------------------------------------------------------------------------------ its thread


@clause("runs.additional", level="MUST", source="SPEC CreateRunRequest.additional_messages", on=steps(LIFE),
        fields=("additional_messages",))  # fmt: skip
def additional_messages_are_in_the_thread(exchanges: list[Exchange]) -> None:
    """The `additional_messages` of a run are messages of its thread, and behind them what the run says."""
    began = asked_for(exchanges, "createRun", is_ok)
    listed = asked_for(exchanges, "listMessages", after=began)
    served(listed, "the messages of the thread")
    rows = rows_of(listed)
    if listed.request.query.get("order") != "asc":
        raise NotApplicable("the messages were not asked for in their order")
    said = [(row.get("role"), " ".join(texts_of(row).values())) for row in rows]
    for one in as_objects(began.request.asked.get("additional_messages")):
        wanted = one.get("role"), as_text(one.get("content"))
        expect(said.count(wanted) == 1, expected=f"once {shown(wanted)}", got=shown(said), at=f"{listed.id} /data")
        answers = _of_run(rows, began)
        if answers:
            expect(said.index(wanted) < min(answers), expected=f"{shown(wanted)} before its answer", got=shown(said),
                   at=f"{listed.id} /data")  # fmt: skip


def _of_run(rows: Sequence[dict[str, Any]], began: Exchange) -> list[int]:
    """The places of what the run said."""
    ids = {run.body.get("id") for run in runs_in(began)}
    return [at for at, row in enumerate(rows) if row.get("run_id") in ids and row.get("role") == "assistant"]


@clause("runs.order", level="MUST", source="SPEC listMessages.order", on=steps(LIFE), fields=("order",))
def messages_are_in_their_order(exchanges: list[Exchange]) -> None:
    """`order: asc` lists what was said first at first: the words of the user before the answer of the run."""
    began = asked_for(exchanges, "createThreadAndRun", is_ok)
    listed = asked_for(exchanges, "listMessages", lambda e: e.request.query.get("order") == "asc", after=began)
    served(listed, "the messages of the thread")
    rows = rows_of(listed)
    answers = _of_run(rows, began)
    thread = as_object(began.request.asked.get("thread"))
    asked = [one.get("content") for one in as_objects(thread.get("messages"))]
    places = [at for at, row in enumerate(rows) if " ".join(texts_of(row).values()) in asked]
    if not answers or not places:
        raise NotApplicable("one of the two is not listed: runs.message judges that")
    expect(places[0] < answers[0], expected="the question before the answer",
           got=shown([row.get("role") for row in rows]), at=f"{listed.id} /data")  # fmt: skip
