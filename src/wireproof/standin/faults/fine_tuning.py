"""Departures of fine-tuning: jobs that get stuck, end without their results, and tell their events the wrong way."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_error, edit_json, refused
from wireproof.standin.wire import Answer, Ask, Serve

JOBS = "/v1/fine_tuning/jobs"
NAME = "ft:gpt-4.1-mini:wireproof::nothing"

Edit = Callable[[dict[str, Any]], Any]


def _is(ask: Ask, where: str, *methods: str) -> bool:
    is_meant = re.fullmatch(f"{JOBS}{where}", ask.path) is not None
    return is_meant and (not methods or ask.method in methods)


def _edited(where: str, ask: Ask, serve: Serve, edit: Edit, *methods: str) -> Answer:
    answer = serve(ask)
    return edit_json(answer, edit) if _is(ask, where, *methods) else answer


def _job(ask: Ask, serve: Serve, edit: Edit) -> Answer:
    """`edit` on every job, whatever tells of it."""

    def every(body: dict[str, Any]) -> None:
        for row in body.get("data", [body]):
            edit(row)

    return _edited("(/[^/]+(/cancel)?)?", ask, serve, every)


def _succeeded(ask: Ask, serve: Serve, **told: Any) -> Answer:
    """A job that failed is told as one that succeeded: a server that trains on anything, or says so."""

    def edit(job: dict[str, Any]) -> None:
        if job["status"] == "failed":
            trained = {"fine_tuned_model": NAME, "trained_tokens": 12, "error": None}
            job.update({"status": "succeeded", **trained, **told})

    return _job(ask, serve, edit)


def _under_way(ask: Ask, serve: Serve, **told: Any) -> Answer:
    """More in a job that is not at its end."""
    under_way = ("validating_files", "queued", "running")
    return _job(ask, serve, lambda job: job.update(told) if job["status"] in under_way else None)


# ------------------------------------------------------------------------------------------------ the job


@fault("fine-tuning.object-old", breaks="fine-tuning.schema")
def the_object_is_of_old(ask: Ask, serve: Serve) -> Answer:
    """A job has `object: "fine-tune"`, as before 2023."""
    return _job(ask, serve, lambda job: job.update(object="fine-tune"))


@fault("fine-tuning.status-pending", breaks="fine-tuning.schema", also=("fine-tuning.moves",))
def the_status_is_pending(ask: Ask, serve: Serve) -> Answer:
    """A job that was just made is `pending`."""
    return _edited("", ask, serve, lambda job: job | {"status": "pending"}, "POST")


@fault("fine-tuning.event-levels", breaks="fine-tuning.schema", also=("fine-tuning.events-failure",))
def levels_are_in_capitals(ask: Ask, serve: Serve) -> Answer:
    """The levels of events are in capitals."""

    def edit(body: dict[str, Any]) -> None:
        for row in body["data"]:
            row["level"] = row["level"].upper()

    return _edited("/[^/]+/events", ask, serve, edit)


@fault("fine-tuning.file-lost", breaks="fine-tuning.echo", also=("fine-tuning.schema",))
def the_file_is_lost(ask: Ask, serve: Serve) -> Answer:
    """`training_file` of a job is null."""
    return _job(ask, serve, lambda job: job.update(training_file=None))


@fault("fine-tuning.seed-ignored", breaks="fine-tuning.echo")
def the_seed_is_ignored(ask: Ask, serve: Serve) -> Answer:
    """Every job has the seed 42."""
    return _job(ask, serve, lambda job: job.update(seed=42))


@fault("fine-tuning.created-ms", breaks="fine-tuning.created", also=("fine-tuning.*",))
def created_in_milliseconds(ask: Ask, serve: Serve) -> Answer:
    """`created_at` of a job is in milliseconds."""
    return _job(ask, serve, lambda job: job.update(created_at=job["created_at"] * 1000))


@fault("fine-tuning.resurrected", breaks="fine-tuning.moves", also=("fine-tuning.cancel",))
def lists_are_of_yesterday(ask: Ask, serve: Serve) -> Answer:
    """In the list, every job is still queued."""

    def edit(body: dict[str, Any]) -> None:
        for row in body["data"]:
            row.update(status="queued", finished_at=None, error=None)

    return _edited("", ask, serve, edit, "GET")


@fault("fine-tuning.failure-forgotten", breaks="fine-tuning.moves")
def failures_are_forgotten(ask: Ask, serve: Serve) -> Answer:
    """In the list, a job that failed is running again."""

    def edit(body: dict[str, Any]) -> None:
        for row in body["data"]:
            if row["status"] == "failed":
                row.update(status="running", finished_at=None, error=None)

    return _edited("", ask, serve, edit, "GET")


@fault("fine-tuning.read-anew", breaks="fine-tuning.same")
def reading_makes_anew(ask: Ask, serve: Serve) -> Answer:
    """A job that is read was created a minute later than its making says."""
    return _edited("/[^/]+", ask, serve, lambda job: job | {"created_at": job["created_at"] + 60}, "GET")


@fault("fine-tuning.unlisted", breaks="fine-tuning.list")
def jobs_are_not_listed(ask: Ask, serve: Serve) -> Answer:
    """The list of jobs is empty."""
    return _edited("", ask, serve, lambda body: body | {"data": [], "has_more": False}, "GET")


@fault("fine-tuning.oldest-first", breaks="fine-tuning.newest-first")
def events_are_oldest_first(ask: Ask, serve: Serve) -> Answer:
    """Events are listed with the oldest first."""
    return _edited("/[^/]+/events", ask, serve, lambda body: body | {"data": body["data"][::-1]})


@fault("fine-tuning.jobs-oldest-first", breaks="fine-tuning.newest-first")
def jobs_are_oldest_first(ask: Ask, serve: Serve) -> Answer:
    """Jobs are listed with the oldest first."""
    return _edited("", ask, serve, lambda body: body | {"data": body["data"][::-1]}, "GET")


# ------------------------------------------------------------------------------------------------ its end


@fault("fine-tuning.cancel-ignored", breaks="fine-tuning.cancel")
def a_cancellation_has_no_effect(ask: Ask, serve: Serve) -> Answer:
    """A job that is cancelled goes on running."""
    if not _is(ask, "/[^/]+/cancel", "POST"):
        return serve(ask)
    going_on = serve(replace(ask, method="GET", path=ask.path.removesuffix("/cancel"), body=b""))
    return edit_json(going_on, lambda job: job | {"status": "running"})


@fault("fine-tuning.trains-on-nothing", breaks="fine-tuning.useless-file")
def anything_is_trained_on(ask: Ask, serve: Serve) -> Answer:
    """A job over a file without any example succeeds."""
    return _succeeded(ask, serve)


@fault("fine-tuning.errorless", breaks="fine-tuning.error")
def failures_have_no_reason(ask: Ask, serve: Serve) -> Answer:
    """A job that failed has no error."""
    return _job(ask, serve, lambda job: job.update(error=None))


@fault("fine-tuning.unfinished", breaks="fine-tuning.finished", also=("fine-tuning.useless-file",))
def success_has_no_time(ask: Ask, serve: Serve) -> Answer:
    """A job that succeeded does not tell when."""
    return _succeeded(ask, serve, finished_at=None)


@fault("fine-tuning.finished-early", breaks="fine-tuning.finished")
def the_end_comes_first(ask: Ask, serve: Serve) -> Answer:
    """A job under way is finished at the time when it was created."""
    return _job(
        ask,
        serve,
        lambda job: job.update(finished_at=job["created_at"]) if job["status"] == "validating_files" else None,
    )


@fault("fine-tuning.modelless", breaks="fine-tuning.model", also=("fine-tuning.useless-file",))
def success_has_no_model(ask: Ask, serve: Serve) -> Answer:
    """A job that succeeded does not name the model that it made."""
    return _succeeded(ask, serve, fine_tuned_model=None)


@fault("fine-tuning.model-early", breaks="fine-tuning.model-early")
def the_model_is_named_at_once(ask: Ask, serve: Serve) -> Answer:
    """A job under way names the model that it will make."""
    return _under_way(ask, serve, fine_tuned_model=NAME)


@fault("fine-tuning.tokens-uncounted", breaks="fine-tuning.tokens", also=("fine-tuning.useless-file",))
def tokens_are_not_counted(ask: Ask, serve: Serve) -> Answer:
    """A job that succeeded has no `trained_tokens`."""
    return _succeeded(ask, serve, trained_tokens=None)


# ------------------------------------------------------------------------------------------------ its events


@fault("fine-tuning.eventless", breaks="fine-tuning.events", also=("fine-tuning.events-failure",))
def nothing_happens(ask: Ask, serve: Serve) -> Answer:
    """A job has no events."""
    return _edited("/[^/]+/events", ask, serve, lambda body: body | {"data": []})


@fault("fine-tuning.failure-untold", breaks="fine-tuning.events-failure")
def failures_are_not_told(ask: Ask, serve: Serve) -> Answer:
    """The events of a job that failed are all of the level info."""

    def edit(body: dict[str, Any]) -> None:
        for row in body["data"]:
            row["level"] = "info"

    return _edited("/[^/]+/events", ask, serve, edit)


# ------------------------------------------------------------------------------------------------ mistakes


@fault("fine-tuning.unknown-invented", breaks="fine-tuning.unknown", also=("fine-tuning.*",))
def unknown_jobs_are_invented(ask: Ask, serve: Serve) -> Answer:
    """A job that there is not is answered with an empty object."""
    answer = serve(ask)
    if _is(ask, "/[^/]+", "GET") and answer.status == 404:
        return replace(answer, status=200).with_json({})
    return answer


@fault("fine-tuning.file-crash", breaks="fine-tuning.unknown-file")
def unknown_files_crash(ask: Ask, serve: Serve) -> Answer:
    """500 for a job over a file that there is not."""
    answer = serve(ask)
    if _is(ask, "", "POST") and answer.status == 400:
        return refused(answer, "Internal server error", status=500)
    return answer


@fault("fine-tuning.param-null", breaks="fine-tuning.unknown-file-param")
def refusals_name_nothing(ask: Ask, serve: Serve) -> Answer:
    """The refusal of a job does not say which field is wrong."""
    answer = serve(ask)
    return edit_error(answer, lambda body: body["error"].update(param=None)) if _is(ask, "", "POST") else answer


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
    return _edited("", ask, serve, lambda body: body | {"data": body["data"] or [{**BEFORE, **told}]}, "GET")


@fault("fine-tuning.modelless-before", breaks="fine-tuning.model")
def earlier_success_has_no_model(ask: Ask, serve: Serve) -> Answer:
    """A job of before that succeeded is listed without its model."""
    return _of_before(ask, serve, fine_tuned_model=None)


@fault("fine-tuning.tokens-uncounted-before", breaks="fine-tuning.tokens")
def earlier_tokens_are_not_counted(ask: Ask, serve: Serve) -> Answer:
    """A job of before that succeeded is listed without `trained_tokens`."""
    return _of_before(ask, serve, trained_tokens=None)


@fault("fine-tuning.events-crash", breaks="fine-tuning.events")
def events_crash(ask: Ask, serve: Serve) -> Answer:
    """500 for the events of a job."""
    answer = serve(ask)
    return refused(answer, "Internal server error", status=500) if _is(ask, "/[^/]+/events", "GET") else answer


@fault("fine-tuning.unknown-crash", breaks="fine-tuning.unknown")
def unknown_jobs_crash(ask: Ask, serve: Serve) -> Answer:
    """500 for a job that there is not."""
    answer = serve(ask)
    is_unknown = _is(ask, "/[^/]+", "GET") and answer.status == 404
    return refused(answer, "Internal server error", status=500) if is_unknown else answer


@fault("fine-tuning.graders.crash", breaks="fine-tuning.graders.refused")
def unknown_operations_crash(ask: Ask, serve: Serve) -> Answer:
    """500 for a grader with an operation that there is not."""
    answer = serve(ask)
    is_meant = ask.path.endswith("/graders/validate") and answer.status == 400
    return refused(answer, "Internal server error", status=500) if is_meant else answer
