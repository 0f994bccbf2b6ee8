"""Departures of what jobs of fine-tuning come to: ends without results, results before the end, events gone wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults._jobs import NAME, as_succeeded, as_under_way, each_job, edited_at, is_at
from wireproof.standin.faults.edit import edit_json, refused
from wireproof.standin.wire import Answer, Ask, Serve

# ------------------------------------------------------------------------------------------------ its end


@fault("fine-tuning.cancel-ignored", breaks="fine-tuning.cancel")
def a_cancellation_has_no_effect(ask: Ask, serve: Serve) -> Answer:
    """A job that is cancelled goes on running."""
    if not is_at(ask, "/[^/]+/cancel", "POST"):
        return serve(ask)
    going_on = serve(replace(ask, method="GET", path=ask.path.removesuffix("/cancel"), body=b""))
    return edit_json(going_on, lambda job: job | {"status": "running"})


@fault("fine-tuning.trains-on-nothing", breaks="fine-tuning.useless-file")
def anything_is_trained_on(ask: Ask, serve: Serve) -> Answer:
    """A job over a file without any example succeeds."""
    return as_succeeded(ask, serve)


@fault("fine-tuning.errorless", breaks="fine-tuning.error")
def failures_have_no_reason(ask: Ask, serve: Serve) -> Answer:
    """A job that failed has no error."""
    return each_job(ask, serve, lambda job: job.update(error=None))


@fault("fine-tuning.unfinished", breaks="fine-tuning.finished", also=("fine-tuning.useless-file",))
def success_has_no_time(ask: Ask, serve: Serve) -> Answer:
    """A job that succeeded does not tell when."""
    return as_succeeded(ask, serve, finished_at=None)


@fault("fine-tuning.finished-early", breaks="fine-tuning.finished")
def the_end_comes_first(ask: Ask, serve: Serve) -> Answer:
    """A job under way is finished at the time when it was created."""
    return each_job(
        ask,
        serve,
        lambda job: job.update(finished_at=job["created_at"]) if job["status"] == "validating_files" else None,
    )


@fault("fine-tuning.modelless", breaks="fine-tuning.model", also=("fine-tuning.useless-file",))
def success_has_no_model(ask: Ask, serve: Serve) -> Answer:
    """A job that succeeded does not name the model that it made."""
    return as_succeeded(ask, serve, fine_tuned_model=None)


@fault("fine-tuning.model-early", breaks="fine-tuning.model-early")
def the_model_is_named_at_once(ask: Ask, serve: Serve) -> Answer:
    """A job under way names the model that it will make."""
    return as_under_way(ask, serve, fine_tuned_model=NAME)


@fault("fine-tuning.tokens-uncounted", breaks="fine-tuning.tokens", also=("fine-tuning.useless-file",))
def tokens_are_not_counted(ask: Ask, serve: Serve) -> Answer:
    """A job that succeeded has no `trained_tokens`."""
    return as_succeeded(ask, serve, trained_tokens=None)


@fault("fine-tuning.failure-codeless", breaks="fine-tuning.error-code")
def failures_have_no_code(ask: Ask, serve: Serve) -> Answer:
    """The error of a job that failed has no code."""
    return each_job(ask, serve, lambda job: job.update(error=job["error"] and {**job["error"], "code": ""}))


@fault("fine-tuning.error-early", breaks="fine-tuning.error-early")
def errors_come_early(ask: Ask, serve: Serve) -> Answer:
    """A job that was just made has an error already."""
    return as_under_way(ask, serve, error={"code": "pending", "message": "Not validated yet.", "param": None})


@fault("fine-tuning.end-wanders", breaks="fine-tuning.settled", also=("fine-tuning.schema",))
def the_end_wanders(ask: Ask, serve: Serve) -> Answer:
    """In the list, every job was finished a second later than it says when it is read."""

    def edit(body: dict[str, Any]) -> None:
        for row in body["data"]:
            row["finished_at"] = row["finished_at"] and row["finished_at"] + 1

    return edited_at("", ask, serve, edit, "GET")


@fault("fine-tuning.finished-ms", breaks="fine-tuning.times")
def ends_are_in_milliseconds(ask: Ask, serve: Serve) -> Answer:
    """`finished_at` is in milliseconds."""
    return each_job(ask, serve, lambda job: job.update(finished_at=job["finished_at"] and job["finished_at"] * 1000))


@fault("fine-tuning.estimate-spent", breaks="fine-tuning.times")
def estimates_are_durations(ask: Ask, serve: Serve) -> Answer:
    """`estimated_finish` is the seconds that are left."""
    return as_under_way(ask, serve, estimated_finish=120)


@fault("fine-tuning.billed-early", breaks="fine-tuning.tokens-early")
def tokens_are_billed_early(ask: Ask, serve: Serve) -> Answer:
    """A job under way has the tokens that it will cost."""
    return as_under_way(ask, serve, trained_tokens=4_000)


@fault("fine-tuning.failure-billed", breaks="fine-tuning.useless-file")
def failures_are_billed(ask: Ask, serve: Serve) -> Answer:
    """A job that failed has `trained_tokens`."""
    return each_job(ask, serve, lambda job: job.update(trained_tokens=9) if job["status"] == "failed" else None)


# A job that succeeded, of before the run. Nothing of it is asked for but the list.
BEFORE: dict[str, Any] = {
    "id": "ftjob-before",
    "object": "fine_tuning.job",
    "model": "gpt-4.1-mini-2025-04-14",
    "status": "succeeded",
    "created_at": 1_790_000_000,
    "finished_at": 1_790_000_600,
    "estimated_finish": None,
    "error": None,
    "seed": 7,
    "fine_tuned_model": NAME,
    "trained_tokens": 12,
    "training_file": "file-before",
    "validation_file": None,
    "organization_id": "org-before",
    "result_files": [],
    "integrations": [],
    "metadata": None,
    "hyperparameters": {"n_epochs": 3, "batch_size": 1, "learning_rate_multiplier": 2.0},
}


def _of_before(ask: Ask, serve: Serve, **told: Any) -> Answer:
    """A list of jobs that would be empty has one of before that succeeded."""
    return edited_at("", ask, serve, lambda body: body | {"data": body["data"] or [{**BEFORE, **told}]}, "GET")


@fault("fine-tuning.modelless-before", breaks="fine-tuning.model", also=("paging.more",))
def earlier_success_has_no_model(ask: Ask, serve: Serve) -> Answer:
    """A job of before that succeeded is listed without its model."""
    return _of_before(ask, serve, fine_tuned_model=None)


@fault("fine-tuning.tokens-uncounted-before", breaks="fine-tuning.tokens", also=("paging.more",))
def earlier_tokens_are_not_counted(ask: Ask, serve: Serve) -> Answer:
    """A job of before that succeeded is listed without `trained_tokens`."""
    return _of_before(ask, serve, trained_tokens=None)


# ------------------------------------------------------------------------------------------------ its events


@fault("fine-tuning.eventless", breaks="fine-tuning.events", also=("fine-tuning.events-failure", "paging.more"))
def nothing_happens(ask: Ask, serve: Serve) -> Answer:
    """A job has no events."""
    return edited_at("/[^/]+/events", ask, serve, lambda body: body | {"data": []})


@fault("fine-tuning.failure-untold", breaks="fine-tuning.events-failure")
def failures_are_not_told(ask: Ask, serve: Serve) -> Answer:
    """The events of a job that failed are all of the level info."""

    def edit(body: dict[str, Any]) -> None:
        for row in body["data"]:
            row["level"] = "info"

    return edited_at("/[^/]+/events", ask, serve, edit)


@fault("fine-tuning.events-renamed", breaks="fine-tuning.events-kept", also=("paging.*",))
def events_have_the_ids_of_their_page(ask: Ask, serve: Serve) -> Answer:
    """The ids of events are made anew for each page."""
    page = "-".join(value for _, value in ask.query) or "all"

    def edit(body: dict[str, Any]) -> None:
        for at, row in enumerate(body["data"]):
            row["id"] = f"ftevent-{page}-{at}"

    if not is_at(ask, "/[^/]+/events", "GET"):
        return serve(ask)
    plain = replace(ask, query=tuple((name, value) for name, value in ask.query if name != "after"))
    return edit_json(serve(plain), edit)


@fault("fine-tuning.events-ago", breaks="fine-tuning.created")
def events_are_of_before(ask: Ask, serve: Serve) -> Answer:
    """The events of a job are told as of an hour before it was made."""

    def edit(body: dict[str, Any]) -> None:
        for row in body["data"]:
            row["created_at"] -= 3600

    return edited_at("/[^/]+/events", ask, serve, edit)


@fault("fine-tuning.events-invented", breaks="fine-tuning.unknown-events")
def nothing_happens_to_unknown_jobs(ask: Ask, serve: Serve) -> Answer:
    """The events of a job that there is not are an empty list."""
    answer = serve(ask)
    is_meant = is_at(ask, "/[^/]+/events", "GET") and answer.status == 404
    nothing: dict[str, Any] = {"object": "list", "data": [], "has_more": False}
    return replace(answer, status=200).with_json(nothing) if is_meant else answer


@fault("fine-tuning.checkpoints-of-others", breaks="fine-tuning.checkpoints", also=("paging.cursors",))
def checkpoints_are_of_another_job(ask: Ask, serve: Serve) -> Answer:
    """The checkpoints of a job are those of another one."""
    other: dict[str, Any] = {
        "id": "ftckpt_0",
        "object": "fine_tuning.job.checkpoint",
        "created_at": 1_790_000_000,
        "fine_tuning_job_id": "ftjob-before",
        "fine_tuned_model_checkpoint": NAME,
        "step_number": 10,
        "metrics": {},
    }
    return edited_at("/[^/]+/checkpoints", ask, serve, lambda body: body | {"data": [other]})


@fault("fine-tuning.events-crash", breaks="fine-tuning.events", also=("paging.accepts",))
def events_crash(ask: Ask, serve: Serve) -> Answer:
    """500 for the events of a job."""
    answer = serve(ask)
    return refused(answer, "Internal server error", status=500) if is_at(ask, "/[^/]+/events", "GET") else answer


@fault("fine-tuning.checkpoints-crash", breaks="fine-tuning.checkpoints")
def checkpoints_crash(ask: Ask, serve: Serve) -> Answer:
    """500 for the checkpoints of a job that has none."""
    answer = serve(ask)
    return refused(answer, "Internal server error", status=500) if is_at(ask, "/[^/]+/checkpoints", "GET") else answer


@fault("fine-tuning.events-unfound", breaks="fine-tuning.events")
def events_are_not_found(ask: Ask, serve: Serve) -> Answer:
    """404 for the events of a job that there is."""
    answer = serve(ask)
    return refused(answer, "Not found", status=404) if is_at(ask, "/[^/]+/events", "GET") else answer


@fault("fine-tuning.events-times-turned", breaks="fine-tuning.newest-first")
def times_of_events_are_turned(ask: Ask, serve: Serve) -> Answer:
    """The event that is listed first has the oldest time."""

    def edit(body: dict[str, Any]) -> None:
        times = sorted(row["created_at"] for row in body["data"])
        for row, time in zip(body["data"], times, strict=True):
            row["created_at"] = time

    return edited_at("/[^/]+/events", ask, serve, edit)
