"""Departures of runs that contradict what was told of them elsewhere: other ids, lost moves, steps of no message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults._runs import (
    MESSAGES,
    RUNS,
    STEPS,
    SUBMIT,
    each_event,
    each_row,
    each_run,
    edited_at,
    is_at,
    name_of,
    streamed,
)
from wireproof.standin.wire import Answer, Ask, Frame, Serve, named_event

STEP_STATES = tuple(f"thread.run.step.{state}" for state in ("created", "in_progress", "delta", "completed"))


# ------------------------------------------------------------------------------------------------ the run


@fault("runs.thread-of-another", breaks="runs.same", also=("runs.steps",))
def lists_name_another_thread(ask: Ask, serve: Serve) -> Answer:
    """In the list of runs, every run is of another thread."""
    return each_row("/[^/]+/runs", ask, serve, lambda run: run.update(thread_id="thread_0"))


@fault("runs.submit-another", breaks="runs.same", also=("runs.created",))
def outputs_begin_another_run(ask: Ask, serve: Serve) -> Answer:
    """Who gives outputs to a run is answered with another one."""
    return edited_at(SUBMIT, ask, serve, lambda run: run | {"id": "run_0"})


@fault("runs.usage-wanders", breaks="runs.same")
def usage_wanders(ask: Ask, serve: Serve) -> Answer:
    """In the list, a run has another usage than it had at its end."""
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return each_row("/[^/]+/runs", ask, serve, lambda run: run.update(usage=usage) if run["usage"] else None)


@fault("runs.created-long-ago", breaks="runs.created")
def runs_are_made_long_ago(ask: Ask, serve: Serve) -> Answer:
    """Every run was created ten days before it was asked for."""
    return each_run(ask, serve, lambda run: run.update(created_at=run["created_at"] - 864_000))


@fault("runs.toolless", breaks="runs.tools")
def runs_have_no_tools(ask: Ask, serve: Serve) -> Answer:
    """A run has none of the tools of its assistant."""
    return each_run(ask, serve, lambda run: run.update(tools=[]))


@fault("runs.error-always", breaks="runs.reasons")
def every_run_has_an_error(ask: Ask, serve: Serve) -> Answer:
    """A run that was completed has a `last_error`."""
    error = {"code": "server_error", "message": "Sorry, something went wrong."}
    return each_run(ask, serve, lambda run: run.update(last_error=error) if run["status"] == "completed" else None)


@fault("runs.cancelled-and-completed", breaks="runs.times-order")
def runs_end_twice(ask: Ask, serve: Serve) -> Answer:
    """A run that was completed was cancelled, too."""

    def edit(run: dict[str, Any]) -> None:
        if run["status"] == "completed":
            run["cancelled_at"] = run["completed_at"]

    return each_run(ask, serve, edit)


@fault("runs.started-before", breaks="runs.times-order")
def runs_start_before_they_are_made(ask: Ask, serve: Serve) -> Answer:
    """A run was started a minute before it was created."""
    return each_run(ask, serve, lambda run: run["started_at"] and run.update(started_at=run["created_at"] - 60))


@fault("runs.instructions-of-the-assistant", breaks="runs.echo")
def instructions_are_ignored(ask: Ask, serve: Serve) -> Answer:
    """`instructions` of a run have no effect."""
    return serve(ask.without("instructions") if is_at(ask, RUNS, "POST") else ask)


# ------------------------------------------------------------------------------------------------ its steps


@fault("runs.steps-endless", breaks="runs.steps-ended")
def steps_do_not_end(ask: Ask, serve: Serve) -> Answer:
    """The steps of a run that was completed are still in progress."""
    return each_row(STEPS, ask, serve, lambda step: step.update(status="in_progress", completed_at=None))


@fault("runs.steps-of-another-kind", breaks="runs.steps-ended", also=("runs.stream.steps-kept", "runs.schema"))
def steps_are_all_messages(ask: Ask, serve: Serve) -> Answer:
    """Every step that is listed has the type message_creation."""
    return each_row(STEPS, ask, serve, lambda step: step.update(type="message_creation"))


@fault("runs.steps-objectless", breaks="runs.schema")
def steps_are_of_no_kind(ask: Ask, serve: Serve) -> Answer:
    """A step has `object: "run.step"`."""
    return each_row(STEPS, ask, serve, lambda step: step.update(object="run.step"))


@fault("runs.steps-free", breaks="runs.step-usage")
def steps_have_no_usage(ask: Ask, serve: Serve) -> Answer:
    """The steps of a run have no `usage`."""
    return each_row(STEPS, ask, serve, lambda step: step.update(usage=None))


# ------------------------------------------------------------------------------------------------ its thread


@fault("runs.additional-lost", breaks="runs.additional")
def additional_messages_are_lost(ask: Ask, serve: Serve) -> Answer:
    """`additional_messages` are dropped."""
    return serve(ask.without("additional_messages") if is_at(ask, RUNS, "POST") else ask)


@fault("runs.answers-first", breaks="runs.order")
def answers_come_first(ask: Ask, serve: Serve) -> Answer:
    """Messages of one second are listed by their role: the answer before the question."""

    def edit(body: dict[str, Any]) -> None:
        first, rest = body["data"][:2], body["data"][2:]
        body["data"] = [*first[::-1], *rest]
        body["first_id"] = body["data"][0]["id"]

    is_meant = is_at(ask, MESSAGES, "GET") and ("order", "asc") in ask.query
    return edited_at(MESSAGES, ask, serve, edit) if is_meant else serve(ask)


# ------------------------------------------------------------------------------------------------ its events


def _twice(ask: Ask, serve: Serve, name: str) -> Answer:
    return streamed(ask, serve, lambda frames: (f for one in frames for f in [one] * (1 + (name_of(one) == name))))


def _without(ask: Ask, serve: Serve, *names: str) -> Answer:
    return streamed(ask, serve, lambda frames: (frame for frame in frames if name_of(frame) not in names))


@fault("runs.stream.completed-twice", breaks="runs.stream.once")
def messages_are_completed_twice(ask: Ask, serve: Serve) -> Answer:
    """`thread.message.completed` comes twice."""
    return _twice(ask, serve, "thread.message.completed")


@fault("runs.stream.uncreated", breaks="runs.stream.begins")
def runs_are_not_created(ask: Ask, serve: Serve) -> Answer:
    """A stream does not tell that the run was created."""
    return _without(ask, serve, "thread.run.created")


@fault("runs.stream.threadless", breaks="runs.stream.thread")
def threads_are_not_told(ask: Ask, serve: Serve) -> Answer:
    """A stream that begins with a new thread does not tell of it."""
    return _without(ask, serve, "thread.created")


@fault("runs.stream.piece-of-nothing", breaks="runs.stream.opens")
def a_piece_is_of_nothing(ask: Ask, serve: Serve) -> Answer:
    """The stream begins with a piece of a message that it never opens."""
    piece = {"id": "msg_0", "object": "thread.message.delta", "delta": {"content": []}}

    def edit(frames: list[Frame]) -> Iterator[Frame]:
        yield from frames[:2]
        yield named_event("thread.message.delta", piece)
        yield from frames[2:]

    return streamed(ask, serve, edit)


@fault("runs.stream.message-of-another", breaks="runs.stream.of-run")
def messages_are_of_another_run(ask: Ask, serve: Serve) -> Answer:
    """The messages in a stream are of another run."""
    names = ("thread.message.created", "thread.message.in_progress", "thread.message.completed")
    return each_event(ask, serve, names, lambda message: message.update(run_id="run_0"))


@fault("runs.stream.step-misnames", breaks="runs.stream.message-step")
def steps_name_no_message(ask: Ask, serve: Serve) -> Answer:
    """The step that makes a message names another one."""

    def edit(step: dict[str, Any]) -> None:
        if "message_creation" in step["step_details"]:
            step["step_details"]["message_creation"]["message_id"] = "msg_0"

    return each_event(ask, serve, ("thread.run.step.created", "thread.run.step.in_progress",
                                   "thread.run.step.completed"), edit)  # fmt: skip


@fault("runs.stream.calls-sudden", breaks="runs.stream.calls-told")
def calls_come_suddenly(ask: Ask, serve: Serve) -> Answer:
    """What functions are called is told at once, where the run waits for them."""
    return _without(ask, serve, "thread.run.step.delta")


@fault("runs.stream.ends-timeless", breaks="runs.stream.ended-at")
def ends_have_no_time(ask: Ask, serve: Serve) -> Answer:
    """A message that was completed does not tell when."""
    return each_event(ask, serve, ("thread.message.completed",), lambda message: message.update(completed_at=None))


@fault("runs.stream.steps-renamed", breaks="runs.stream.steps-kept")
def steps_have_other_ids(ask: Ask, serve: Serve) -> Answer:
    """The steps in a stream have other ids than those that are kept."""
    return each_event(ask, serve, STEP_STATES, lambda step: step.update(id=f"{step['id']}0"))
