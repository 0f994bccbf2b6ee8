"""Departures of fine-tuning: jobs that get stuck, end without their results, and tell their events the wrong way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults._jobs import each_job, edited_at, is_at
from wireproof.standin.faults.edit import edit_error, edit_json, refused
from wireproof.standin.wire import Answer, Ask, Serve

# ------------------------------------------------------------------------------------------------ the job


@fault("fine-tuning.object-old", breaks="fine-tuning.schema")
def the_object_is_of_old(ask: Ask, serve: Serve) -> Answer:
    """A job has `object: "fine-tune"`, as before 2023."""
    return each_job(ask, serve, lambda job: job.update(object="fine-tune"))


@fault("fine-tuning.status-pending", breaks="fine-tuning.schema", also=("fine-tuning.moves",))
def the_status_is_pending(ask: Ask, serve: Serve) -> Answer:
    """A job that was just made is `pending`."""
    return edited_at("", ask, serve, lambda job: job | {"status": "pending"}, "POST")


@fault("fine-tuning.event-levels", breaks="fine-tuning.schema", also=("fine-tuning.events-failure",))
def levels_are_in_capitals(ask: Ask, serve: Serve) -> Answer:
    """The levels of events are in capitals."""

    def edit(body: dict[str, Any]) -> None:
        for row in body["data"]:
            row["level"] = row["level"].upper()

    return edited_at("/[^/]+/events", ask, serve, edit)


@fault("fine-tuning.file-lost", breaks="fine-tuning.echo", also=("fine-tuning.schema",))
def the_file_is_lost(ask: Ask, serve: Serve) -> Answer:
    """`training_file` of a job is null."""
    return each_job(ask, serve, lambda job: job.update(training_file=None))


@fault("fine-tuning.seed-ignored", breaks="fine-tuning.echo")
def the_seed_is_ignored(ask: Ask, serve: Serve) -> Answer:
    """Every job has the seed 42."""
    return each_job(ask, serve, lambda job: job.update(seed=42))


@fault("fine-tuning.created-ms", breaks="fine-tuning.created", also=("fine-tuning.*",))
def created_in_milliseconds(ask: Ask, serve: Serve) -> Answer:
    """`created_at` of a job is in milliseconds."""
    return each_job(ask, serve, lambda job: job.update(created_at=job["created_at"] * 1000))


@fault("fine-tuning.resurrected", breaks="fine-tuning.moves", also=("fine-tuning.cancel",))
def lists_are_of_yesterday(ask: Ask, serve: Serve) -> Answer:
    """In the list, every job is still queued."""

    def edit(body: dict[str, Any]) -> None:
        for row in body["data"]:
            row.update(status="queued", finished_at=None, error=None)

    return edited_at("", ask, serve, edit, "GET")


@fault("fine-tuning.failure-forgotten", breaks="fine-tuning.moves")
def failures_are_forgotten(ask: Ask, serve: Serve) -> Answer:
    """In the list, a job that failed is running again."""

    def edit(body: dict[str, Any]) -> None:
        for row in body["data"]:
            if row["status"] == "failed":
                row.update(status="running", finished_at=None, error=None)

    return edited_at("", ask, serve, edit, "GET")


@fault("fine-tuning.read-anew", breaks="fine-tuning.same", also=("fine-tuning.times",))
def reading_makes_anew(ask: Ask, serve: Serve) -> Answer:
    """A job that is read was created a minute later than its making says."""
    return edited_at("/[^/]+", ask, serve, lambda job: job | {"created_at": job["created_at"] + 60}, "GET")


@fault("fine-tuning.unlisted", breaks="fine-tuning.list")
def jobs_are_not_listed(ask: Ask, serve: Serve) -> Answer:
    """The list of jobs is empty."""
    return edited_at("", ask, serve, lambda body: body | {"data": [], "has_more": False}, "GET")


@fault("fine-tuning.oldest-first", breaks="fine-tuning.newest-first", also=("paging.*",))
def events_are_oldest_first(ask: Ask, serve: Serve) -> Answer:
    """Events are listed with the oldest first."""
    return edited_at("/[^/]+/events", ask, serve, lambda body: body | {"data": body["data"][::-1]})


@fault("fine-tuning.jobs-oldest-first", breaks="fine-tuning.newest-first", also=("paging.*",))
def jobs_are_oldest_first(ask: Ask, serve: Serve) -> Answer:
    """Jobs are listed with the oldest first."""
    return edited_at("", ask, serve, lambda body: body | {"data": body["data"][::-1]}, "GET")


@fault("fine-tuning.epochs-ignored", breaks="fine-tuning.hyperparameters", also=("fine-tuning.same",))
def epochs_are_ignored(ask: Ask, serve: Serve) -> Answer:
    """Every job has three epochs."""
    return serve(ask.without("hyperparameters", "method") if is_at(ask, "", "POST") else ask)


@fault("fine-tuning.epochs-untold", breaks="fine-tuning.hyperparameters")
def epochs_are_not_told(ask: Ask, serve: Serve) -> Answer:
    """A job tells nothing of how it is trained."""

    def edit(job: dict[str, Any]) -> None:
        job.pop("method", None)
        job["hyperparameters"] = {}

    return each_job(ask, serve, edit)


@fault("fine-tuning.method-preference", breaks="fine-tuning.hyperparameters")
def the_method_is_another(ask: Ask, serve: Serve) -> Answer:
    """Every job is told as one of preferences."""
    method = {"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": 2}}}
    return each_job(ask, serve, lambda job: job.update(method=method))


@fault("fine-tuning.labels-forgotten", breaks="fine-tuning.same")
def labels_are_forgotten(ask: Ask, serve: Serve) -> Answer:
    """A job that is read has no metadata."""
    return edited_at("/[^/]+", ask, serve, lambda job: job | {"metadata": None}, "GET")


@fault("fine-tuning.read-another", breaks="fine-tuning.same")
def another_job_is_read(ask: Ask, serve: Serve) -> Answer:
    """Who asks for a job is answered with another one, alike in all but its id."""
    return edited_at("/[^/]+", ask, serve, lambda job: job | {"id": "ftjob-0"}, "GET")


@fault("fine-tuning.cancel-twice-crash", breaks="fine-tuning.steered", also=("fine-tuning.unknown",))
def what_cannot_be_cancelled_crashes(ask: Ask, serve: Serve) -> Answer:
    """500 for a job that cannot be cancelled."""
    answer = serve(ask)
    is_meant = is_at(ask, "/[^/]+/cancel", "POST") and answer.status >= 400
    return refused(answer, "Internal server error", status=500) if is_meant else answer


@fault("fine-tuning.paused-at-its-end", breaks="fine-tuning.steered", also=("fine-tuning.*",))
def anything_is_paused(ask: Ask, serve: Serve) -> Answer:
    """A job that was cancelled can be paused, and waits again."""
    if not is_at(ask, "/[^/]+/pause", "POST"):
        return serve(ask)
    held = serve(replace(ask, method="GET", path=ask.path.removesuffix("/pause"), body=b""))
    return edit_json(held, lambda job: job | {"status": "queued", "finished_at": None})


@fault("fine-tuning.pause-crash", breaks="fine-tuning.steered")
def what_cannot_be_paused_crashes(ask: Ask, serve: Serve) -> Answer:
    """500 for a job that cannot be paused."""
    answer = serve(ask)
    is_meant = is_at(ask, "/[^/]+/pause", "POST") and answer.status >= 400
    return refused(answer, "Internal server error", status=500) if is_meant else answer


@fault("fine-tuning.unknown-cancelled", breaks="fine-tuning.unknown", also=("fine-tuning.schema",))
def anything_is_cancelled(ask: Ask, serve: Serve) -> Answer:
    """A job that there is not is cancelled."""
    answer = serve(ask)
    is_meant = is_at(ask, "/[^/]+/cancel", "POST") and answer.status == 404
    return replace(answer, status=200).with_json({"status": "cancelled"}) if is_meant else answer


# ------------------------------------------------------------------------------------------------ mistakes


@fault("fine-tuning.unknown-invented", breaks="fine-tuning.unknown", also=("fine-tuning.*",))
def unknown_jobs_are_invented(ask: Ask, serve: Serve) -> Answer:
    """A job that there is not is answered with an empty object."""
    answer = serve(ask)
    if is_at(ask, "/[^/]+", "GET") and answer.status == 404:
        return replace(answer, status=200).with_json({})
    return answer


@fault("fine-tuning.file-crash", breaks="fine-tuning.unknown-file")
def unknown_files_crash(ask: Ask, serve: Serve) -> Answer:
    """500 for a job over a file that there is not."""
    answer = serve(ask)
    if is_at(ask, "", "POST") and answer.status == 400:
        return refused(answer, "Internal server error", status=500)
    return answer


@fault("fine-tuning.param-null", breaks="fine-tuning.unknown-file-param")
def refusals_name_nothing(ask: Ask, serve: Serve) -> Answer:
    """The refusal of a job does not say which field is wrong."""
    answer = serve(ask)
    return edit_error(answer, lambda body: body["error"].update(param=None)) if is_at(ask, "", "POST") else answer


@fault("fine-tuning.unknown-crash", breaks="fine-tuning.unknown")
def unknown_jobs_crash(ask: Ask, serve: Serve) -> Answer:
    """500 for a job that there is not."""
    answer = serve(ask)
    is_unknown = is_at(ask, "/[^/]+", "GET") and answer.status == 404
    return refused(answer, "Internal server error", status=500) if is_unknown else answer


@fault("fine-tuning.graders.crash", breaks="fine-tuning.graders.refused")
def unknown_operations_crash(ask: Ask, serve: Serve) -> Answer:
    """500 for a grader with an operation that there is not."""
    answer = serve(ask)
    is_meant = ask.path.endswith("/graders/validate") and answer.status == 400
    return refused(answer, "Internal server error", status=500) if is_meant else answer
