"""What correct backends do otherwise with work that they do for a client: jobs, evals and runs. No finding."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from certified import certified, standin_plan

from wireproof.plan import Plan
from wireproof.standin.backend import Setup
from wireproof.standin.faults.edit import edit_both, edit_frames, refused, told_again
from wireproof.standin.wire import Answer, Ask, Frame, Serve, event_of

Edit = Callable[[dict[str, Any]], Any]
Vary = Callable[[Ask, Serve], Answer]
JOBS, RUNS, ITEMS = "/fine_tuning/jobs", "/evals/[^/]+/runs", "/evals/[^/]+/runs/[^/]+/output_items"
THREAD_RUNS = "/threads/runs|/threads/[^/]+/runs"


def each(kind: str, edit: Edit) -> Vary:
    """`edit` on every object of this kind, made, read, listed, or in an event."""

    def change(body: dict[str, Any]) -> None:
        for one in body["data"] if isinstance(body.get("data"), list) else [body]:
            if isinstance(one, dict) and one.get("object") == kind:
                edit(one)

    def vary(ask: Ask, serve: Serve) -> Answer:
        answer = serve(ask)
        is_json = answer.status < 300 and answer.header("content-type") == "application/json"
        if not is_json and not answer.is_stream:
            return answer
        return replace(edit_both(replace(answer, status=200), change), status=answer.status)

    return vary


def without(*names: str) -> Edit:
    return lambda row: [row.pop(name, None) for name in names] and None


def refusing(status: int, where: str) -> Vary:
    """`status` for all requests of this `METHOD /path`."""

    def vary(ask: Ask, serve: Serve) -> Answer:
        is_meant = re.fullmatch(where, f"{ask.method} {ask.path.removeprefix('/v1')}")
        return refused(serve(ask), "Not here.", status=status) if is_meant else serve(ask)

    return vary


def method_unknown(ask: Ask, serve: Serve) -> Answer:
    """Jobs can be asked for in the older words alone."""
    if ask.path != f"/v1{JOBS}" or "method" not in ask.asked:
        return serve(ask)
    return refused(serve(ask.without("method")), "Unknown parameter: 'method'.", param="method")


def second_time(status: int) -> Vary:
    """What cannot be cancelled, or paused, is refused in another way."""

    def vary(ask: Ask, serve: Serve) -> Answer:
        answer = serve(ask)
        is_meant = ask.path.startswith(f"/v1{JOBS}/") and ask.method == "POST" and answer.status == 400
        return replace(answer, status=status) if is_meant else answer

    return vary


def roles_in_no_delta(ask: Ask, serve: Serve) -> Answer:
    """A delta has nothing but what it adds."""

    def edit(frames: list[Frame]) -> Iterator[Frame]:
        for frame in frames:
            event = event_of(frame)
            if event is not None and event.get("object") == "thread.message.delta":
                event["delta"].pop("role", None)
                yield told_again(frame, event)
            else:
                yield frame

    return edit_frames(serve(ask), edit)


def more_events(ask: Ask, serve: Serve) -> Answer:
    """Comments, and events that came after the description, stand between the others."""
    news = b': ping\n\nevent: thread.run.heartbeat\ndata: {"object": "thread.run.heartbeat"}\n\n'
    return edit_frames(serve(ask), lambda frames: (Frame(f.delay_ms, news * (not at) + f.data)
                                                   for at, f in enumerate(frames)))  # fmt: skip


def in_crlf(ask: Ask, serve: Serve) -> Answer:
    return edit_frames(serve(ask), lambda frames: (replace(f, data=f.data.replace(b"\n", b"\r\n")) for f in frames))


def bare_usage(run: dict[str, Any]) -> None:
    if run["usage"]:
        run["usage"]["prompt_token_details"] = {"cached_tokens": 0}


STATE: dict[str, Vary] = {
    "jobs without a method": each("fine_tuning.job", without("method")),
    "jobs with keys of their own": each("fine_tuning.job", lambda job: job.update(usage_metrics=None, suffix="")),
    "jobs with an error that says nothing": each("fine_tuning.job", lambda job: job["error"] or job.update(
        error={"code": None, "message": None, "param": None})),
    "jobs whose failure has no time": each("fine_tuning.job", lambda job: job.update(finished_at=None)),
    "jobs of the older words": method_unknown,
    "jobs that cannot be paused": refusing(501, f"POST {JOBS}/[^/]+/pause"),
    "jobs that have ended, 409": second_time(409),
    "jobs without checkpoints": refusing(404, f"GET {JOBS}/[^/]+/checkpoints"),
    "jobs that are for others": refusing(403, f"POST {JOBS}"),
    "events without data and type": each("fine_tuning.job.event", without("data", "type")),
    "criteria with ids": each("eval", lambda one: [row.update(id="c-1") for row in one["testing_criteria"]] and None),
    "no runs of evals": refusing(404, f".* {RUNS}.*"),
    "runs of evals for others": refusing(403, f"POST {RUNS}"),
    "no output of evals": refusing(501, f"GET {ITEMS}.*"),
    "runs that stay": refusing(405, f"DELETE {RUNS}/[^/]+"),
    "runs that keep their items in a file": each("eval.run", lambda run: run["data_source"].update(
        source={"type": "file_id", "id": "file-1"})),
    "runs with errors of null": each("eval.run", lambda run: run.update(error=None)),
    "results with names of their own": each("eval.run.output_item", lambda row: [
        one.update(name=f"{one['name']}-9c1e", score=int(one["score"])) for one in row["results"]] and None),
}  # fmt: skip
ASSISTANTS: dict[str, Vary] = {
    "runs with keys of their own": each("thread.run", lambda run: run.update(file_ids=[], reasoning_effort=None)),
    "runs that could still expire": each("thread.run", lambda run: run.update(expires_at=run["created_at"] + 600)),
    "runs that do not tell when they started": each("thread.run", lambda run: run.update(started_at=None)),
    "runs that count what was cached": each("thread.run", bare_usage),
    "runs with empty details": each("thread.run", lambda run: run["incomplete_details"] or run.update(
        incomplete_details={})),
    "messages without a state": each("thread.message", without("incomplete_details", "incomplete_at")),
    "deltas without a role": roles_in_no_delta,
    "events of another day": more_events,
    "lines that end in CRLF": in_crlf,
    "no steps": refusing(501, "GET /threads/[^/]+/runs/[^/]+/steps"),
    "no lists of runs": refusing(501, "GET /threads/[^/]+/runs"),
    "messages that stay": refusing(405, "DELETE /threads/[^/]+/messages/[^/]+"),
    "no runs": refusing(404, f"POST ({THREAD_RUNS})"),
}  # fmt: skip
PACES = {"work is done at once": 1000.0, "work takes its time": 0.4, "work takes long": 0.05}


@cache
def plan(profile: str) -> Plan:
    return standin_plan(profiles=[profile])


def assert_silent(vary: Vary | None, profile: str, setup: Setup | None = None) -> None:
    run = certified(vary=vary, plan=plan(profile), setup=setup)
    assert {id: verdict.findings for id, verdict in run.verdicts.items() if verdict.findings} == {}


@pytest.mark.parametrize("name", STATE)
def test_a_legal_variation_of_jobs_raises_no_finding(name: str) -> None:
    assert_silent(STATE[name], "stateful")


@pytest.mark.parametrize("name", ASSISTANTS)
def test_a_legal_variation_of_assistants_raises_no_finding(name: str) -> None:
    assert_silent(ASSISTANTS[name], "legacy-assistants")


@pytest.mark.parametrize("name", PACES)
def test_runs_of_any_length_raise_no_finding(name: str) -> None:
    assert_silent(None, "legacy-assistants", Setup(pace=PACES[name]))
