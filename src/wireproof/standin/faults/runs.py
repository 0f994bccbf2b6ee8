"""Departures of runs: states that do not fit, calls that are not made, streams out of order, pieces that are lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults._runs import (
    ANY,
    MESSAGES,
    RUN,
    RUNS,
    STEPS,
    SUBMIT,
    each_run,
    edited_at,
    is_at,
    name_of,
    streamed,
)
from wireproof.standin.faults.edit import edit_both, told_again
from wireproof.standin.wire import Answer, Ask, Frame, Serve, event_of

UNDER_WAY = ("queued", "in_progress", "requires_action")
DELTA = "thread.message.delta"


# ------------------------------------------------------------------------------------------------ each run


@fault("runs.status-running", breaks="runs.schema", also=("runs.*",))
def the_status_is_running(ask: Ask, serve: Serve) -> Answer:
    """A run in progress is `running`."""
    return each_run(ask, serve, lambda run: run.update(status="running") if run["status"] in UNDER_WAY[:2] else None)


@fault("runs.thread-unnamed", breaks="runs.schema", also=("runs.*",))
def runs_name_no_thread(ask: Ask, serve: Serve) -> Answer:
    """A run that is read has no `thread_id`."""
    return edited_at(RUN, ask, serve, lambda run: run.pop("thread_id") and None, "GET")


@fault("runs.cap-lost", breaks="runs.echo")
def caps_are_lost(ask: Ask, serve: Serve) -> Answer:
    """`max_completion_tokens` of a run is null."""
    return each_run(ask, serve, lambda run: run.update(max_completion_tokens=None))


@fault("runs.back-to-queue", breaks="runs.moves", also=("runs.times", "runs.usage-early"))
def lists_are_of_the_beginning(ask: Ask, serve: Serve) -> Answer:
    """In the list, every run is still queued."""

    def edit(body: dict[str, Any]) -> None:
        for row in body["data"]:
            row.update(status="queued", completed_at=None, usage=None)

    return edited_at("/[^/]+/runs", ask, serve, edit, "GET")


@fault("runs.endless-time", breaks="runs.times")
def ends_have_no_time(ask: Ask, serve: Serve) -> Answer:
    """`completed_at` is null for ever."""
    return each_run(ask, serve, lambda run: run.update(completed_at=None))


@fault(
    "runs.created-ms",
    breaks="runs.created",
    also=(
        "runs.times",
        "runs.times-order",
    ),
)
def created_in_milliseconds(ask: Ask, serve: Serve) -> Answer:
    """`created_at` of a run is in milliseconds."""
    return each_run(ask, serve, lambda run: run.update(created_at=run["created_at"] * 1000))


@fault("runs.times-ms", breaks="runs.created")
def times_in_milliseconds(ask: Ask, serve: Serve) -> Answer:
    """Every time of a run is in milliseconds."""

    def edit(run: dict[str, Any]) -> None:
        run.update({name: value * 1000 for name, value in run.items() if name.endswith("_at") and value})

    return each_run(ask, serve, edit)


@fault("runs.usage-lost", breaks="runs.usage")
def usage_is_lost(ask: Ask, serve: Serve) -> Answer:
    """`usage` is null for ever."""
    return each_run(ask, serve, lambda run: run.update(usage=None))


@fault("runs.total-prompt", breaks="runs.usage")
def the_total_is_the_prompt(ask: Ask, serve: Serve) -> Answer:
    """`total_tokens` are those of the prompt."""

    def edit(run: dict[str, Any]) -> None:
        if run["usage"]:
            run["usage"]["total_tokens"] = run["usage"]["prompt_tokens"]

    return each_run(ask, serve, edit)


@fault("runs.usage-guessed", breaks="runs.usage-early")
def usage_is_guessed(ask: Ask, serve: Serve) -> Answer:
    """A run that is under way has the usage of its prompt already."""
    guessed = {"prompt_tokens": 12, "completion_tokens": 0, "total_tokens": 12}
    return each_run(ask, serve, lambda run: run.update(usage=guessed) if run["status"] in UNDER_WAY else None)


@fault("runs.action-lingers", breaks="runs.action", also=("runs.submit",))
def actions_stay_required(ask: Ask, serve: Serve) -> Answer:
    """A run at its end still has the `required_action` of before."""
    call = {"id": "call_old", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
    action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": [call]}}
    return each_run(
        ask, serve, lambda run: run.update(required_action=action) if run["status"] == "completed" else None
    )


@fault(
    "runs.arguments-object", breaks="runs.arguments", also=("runs.schema", "runs.stream.schema", "runs.stream.calls")
)
def arguments_are_an_object(ask: Ask, serve: Serve) -> Answer:
    """The `arguments` of a call are an object."""

    def edit(run: dict[str, Any]) -> None:
        if run["required_action"]:
            for call in run["required_action"]["submit_tool_outputs"]["tool_calls"]:
                call["function"]["arguments"] = {}

    return each_run(ask, serve, edit)


@fault("runs.arguments-list", breaks="runs.arguments")
def arguments_are_a_list(ask: Ask, serve: Serve) -> Answer:
    """The `arguments` of a call are an empty list, piece by piece and in whole."""
    told: set[str] = set()

    def edit(event: dict[str, Any]) -> None:
        details = event.get("delta", {}).get("step_details") or {}
        for call in details.get("tool_calls", ()):
            call["function"]["arguments"] = "" if event["id"] in told else "[]"
            told.add(event["id"])
        if event.get("required_action"):
            for call in event["required_action"]["submit_tool_outputs"]["tool_calls"]:
                call["function"]["arguments"] = "[]"

    answer = serve(ask)
    return edit_both(answer, edit) if is_at(ask, ANY) else answer


# ------------------------------------------------------------------------------------------------ what comes of it


@fault("runs.choice-ignored", breaks="runs.forced", also=("runs.*",))
def the_choice_is_ignored(ask: Ask, serve: Serve) -> Answer:
    """`tool_choice` has no effect: no function is called."""
    return serve(ask.changed(tool_choice="none") if is_at(ask, RUNS, "POST") and "tool_choice" in ask.asked else ask)


@fault("runs.choice-told", breaks="runs.forced")
def the_choice_is_told_and_ignored(ask: Ask, serve: Serve) -> Answer:
    """`tool_choice` is told as it was asked for, and has no effect."""
    choice = ask.asked.get("tool_choice")
    if not is_at(ask, RUNS, "POST") or not isinstance(choice, dict):
        return serve(ask)
    return each_run(ask.changed(tool_choice="none"), serve, lambda run: run.update(tool_choice=choice))


@fault("runs.outputs-dropped", breaks="runs.submit", also=("runs.*",))
def outputs_are_dropped(ask: Ask, serve: Serve) -> Answer:
    """The outputs of functions are taken, and the run still waits for them."""
    if not is_at(ask, SUBMIT):
        return serve(ask)
    return serve(replace(ask, method="GET", path=ask.path.removesuffix("/submit_tool_outputs"), body=b""))


@fault("runs.action-repeated", breaks="runs.submit")
def actions_are_repeated(ask: Ask, serve: Serve) -> Answer:
    """A run that is given its outputs, and goes on, is answered as it waited for them."""
    function = {"name": "look_up", "arguments": "{}"}
    given = [one["tool_call_id"] for one in ask.asked.get("tool_outputs") or ()]
    calls = [{"id": id, "type": "function", "function": function} for id in given]
    again = {
        "status": "requires_action",
        "required_action": {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": calls}},
    }
    return edited_at(SUBMIT, ask, serve, lambda run: run | again)


@fault("runs.outputs-hidden", breaks="runs.step-outputs")
def outputs_are_not_told(ask: Ask, serve: Serve) -> Answer:
    """The steps of a run do not tell the outputs of its functions."""

    def edit(body: dict[str, Any]) -> None:
        for row in body["data"]:
            for call in row["step_details"].get("tool_calls", ()):
                call["function"]["output"] = None

    return edited_at(STEPS, ask, serve, edit)


@fault(
    "runs.stepless",
    breaks="runs.steps",
    also=(
        "runs.step-outputs",
        "runs.stream.steps-kept",
    ),
)
def runs_have_no_steps(ask: Ask, serve: Serve) -> Answer:
    """A run has no steps."""
    nothing: dict[str, Any] = {"data": [], "first_id": None, "last_id": None, "has_more": False}
    return edited_at(STEPS, ask, serve, lambda body: body | nothing)


@fault("runs.steps-of-another", breaks="runs.steps")
def steps_are_of_another(ask: Ask, serve: Serve) -> Answer:
    """The steps of a run name another run."""

    def edit(body: dict[str, Any]) -> None:
        for row in body["data"]:
            row["run_id"] = "run_0"

    return edited_at(STEPS, ask, serve, edit)


@fault("runs.message-ownerless", breaks="runs.message")
def messages_name_no_run(ask: Ask, serve: Serve) -> Answer:
    """A message of a run has no `run_id`."""

    def edit(body: dict[str, Any]) -> None:
        for row in body["data"]:
            row["run_id"] = None

    return edited_at(MESSAGES, ask, serve, edit, "GET")


@fault("runs.unlisted", breaks="runs.list")
def runs_are_not_listed(ask: Ask, serve: Serve) -> Answer:
    """The list of runs has the newest alone."""
    return edited_at("/[^/]+/runs", ask, serve, lambda b: b | {"data": b["data"][:1], "last_id": b["first_id"]}, "GET")


# ------------------------------------------------------------------------------------------------ the stream


@fault("runs.stream.delta-flat", breaks="runs.stream.schema", also=("runs.stream.fold",))
def deltas_are_flat(ask: Ask, serve: Serve) -> Answer:
    """The `delta` of a message is a string."""

    def edit(frames: list[Frame]) -> Iterator[Frame]:
        for frame in frames:
            event = event_of(frame)
            if name_of(frame) == DELTA and event is not None:
                yield told_again(frame, event | {"delta": event["delta"]["content"][0]["text"]["value"]})
            else:
                yield frame

    return streamed(ask, serve, edit)


@fault("runs.stream.delta-misnamed", breaks="runs.stream.schema")
def deltas_are_misnamed(ask: Ask, serve: Serve) -> Answer:
    """The `object` of a delta of a message is that of a message."""

    def edit(frames: list[Frame]) -> Iterator[Frame]:
        for frame in frames:
            is_delta = name_of(frame) == DELTA
            yield told_again(frame, (event_of(frame) or {}) | {"object": "thread.message"}) if is_delta else frame

    return streamed(ask, serve, edit)


@fault("runs.stream.nameless", breaks="runs.stream.named")
def status_events_are_nameless(ask: Ask, serve: Serve) -> Answer:
    """Events of steps have no `event:` line."""
    left_out = "thread.run.step.in_progress"
    return streamed(ask, serve, lambda frames: (
        replace(frame, data=frame.data.partition(b"\n")[2]) if name_of(frame) == left_out else frame
        for frame in frames
    ))  # fmt: skip


@fault("runs.stream.status-late", breaks="runs.stream.status", also=("runs.stream.kept",))
def the_end_is_still_in_progress(ask: Ask, serve: Serve) -> Answer:
    """`thread.message.completed` brings a message that is in progress."""

    def edit(frames: list[Frame]) -> Iterator[Frame]:
        for frame in frames:
            event = event_of(frame)
            if name_of(frame) == "thread.message.completed" and event is not None:
                yield told_again(frame, event | {"status": "in_progress"})
            else:
                yield frame

    return streamed(ask, serve, edit)


@fault("runs.stream.queued-late", breaks="runs.stream.order", also=("runs.moves",))
def a_run_is_queued_late(ask: Ask, serve: Serve) -> Answer:
    """`thread.run.queued` comes after `thread.run.in_progress`."""

    def edit(frames: list[Frame]) -> Iterator[Frame]:
        held: Frame | None = None
        for frame in frames:
            if name_of(frame) == "thread.run.queued":
                held = frame
                continue
            yield frame
            if held is not None and name_of(frame) == "thread.run.in_progress":
                yield held
                held = None

    return streamed(ask, serve, edit)


@fault("runs.stream.unopened", breaks="runs.stream.opens", also=("runs.stream.begins",))
def messages_are_not_opened(ask: Ask, serve: Serve) -> Answer:
    """A message is told in pieces without having been created."""
    left_out = ("thread.message.created", "thread.message.in_progress")
    return streamed(ask, serve, lambda frames: (frame for frame in frames if name_of(frame) not in left_out))


@fault("runs.stream.endless", breaks="runs.stream.ends")
def the_end_is_not_told(ask: Ask, serve: Serve) -> Answer:
    """The end of a run is not told: the stream is done after its last step."""
    left_out = ("thread.run.completed", "thread.run.requires_action")
    return streamed(ask, serve, lambda frames: (frame for frame in frames if name_of(frame) not in left_out))


@fault("runs.stream.undone", breaks="runs.stream.done")
def there_is_no_done(ask: Ask, serve: Serve) -> Answer:
    """The stream ends without `[DONE]`."""
    return streamed(ask, serve, lambda frames: (frame for frame in frames if name_of(frame) != "done"))


@fault("runs.stream.piece-lost", breaks="runs.stream.fold")
def a_piece_is_lost(ask: Ask, serve: Serve) -> Answer:
    """The first piece of a message is lost."""

    def edit(frames: list[Frame]) -> Iterator[Frame]:
        is_lost = False
        for frame in frames:
            if name_of(frame) == DELTA and not is_lost:
                is_lost = True
                continue
            yield frame

    return streamed(ask, serve, edit)


@fault("runs.stream.arguments-lost", breaks="runs.stream.calls")
def arguments_are_cut(ask: Ask, serve: Serve) -> Answer:
    """The last piece of the arguments of a call is lost."""

    def edit(frames: list[Frame]) -> Iterator[Frame]:
        pieces = [at for at, frame in enumerate(frames) if name_of(frame) == "thread.run.step.delta"]
        yield from (frame for at, frame in enumerate(frames) if not pieces or at != pieces[-1])

    return streamed(ask, serve, edit)


@fault("runs.stream.other-kept", breaks="runs.stream.kept")
def another_message_is_kept(ask: Ask, serve: Serve) -> Answer:
    """What the thread keeps of an answer ends in its first word."""

    def edit(body: dict[str, Any]) -> None:
        for row in body["data"]:
            if row["run_id"] is not None:
                text = row["content"][0]["text"]
                text["value"] = text["value"][:1]

    return edited_at(MESSAGES, ask, serve, edit, "GET")
