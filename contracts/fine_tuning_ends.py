"""What a job of fine-tuning has at its end, and not before: its model, its times, or the reason why it failed."""

from __future__ import annotations

from typing import Any

from wireproof.clause import Exchange, NotApplicable, answered, clause, expect, sequence, shown, steps

from ._reading import as_count, as_object
from ._tuning import (
    ALL,
    FAILED,
    FINAL,
    LIFE,
    STATES_UNDER_WAY,
    SUCCEEDED,
    UNDER_WAY,
    has_job,
    ids_made,
    jobs_in,
    jobs_of,
    told_of,
)

# Milliseconds are off by a factor of a thousand.
HUNDREDFOLD = 100


@clause("fine-tuning.useless-file", level="SHOULD", source="DOCS-0715 fine-tuning: a file needs ten examples",
        on=steps(LIFE))  # fmt: skip
def nothing_is_trained_on_nothing(exchanges: list[Exchange]) -> None:
    """A job over a file without any example is refused, or fails; it makes no model."""
    for id in ids_made(exchanges):
        for exchange, body in told_of(exchanges, id):
            status = body.get("status")
            expect(status != "succeeded", expected="a job that fails: its file has no example", got=shown(status),
                   at=f"{exchange.id} /status")  # fmt: skip
            for name in ("fine_tuned_model", "trained_tokens"):
                expect(not body.get(name) or status not in FINAL, expected=f"no {name} of a job without examples",
                       got=shown(body.get(name)), at=f"{exchange.id} /{name}")  # fmt: skip


@clause("fine-tuning.error", level="MUST", source="SPEC FineTuningJob.error", on=FAILED)
def a_failed_job_says_why(exchange: Exchange) -> None:
    """A job that failed has an `error` with a `message`."""
    for at, job in jobs_in(exchange, "failed"):
        message = as_object(job.get("error")).get("message")
        expect(isinstance(message, str) and bool(message), expected="an error with a message",
               got=shown(job.get("error")), at=f"{at}/error")  # fmt: skip


@clause("fine-tuning.error-code", level="SHOULD", source="SPEC FineTuningJob.error.code", on=FAILED)
def a_failure_has_a_code(exchange: Exchange) -> None:
    """The `error` of a job that failed has a `code`, for programs to tell one failure from another."""
    for at, job in jobs_in(exchange, "failed"):
        error = as_object(job.get("error"))
        if not error:
            raise NotApplicable("there is no error: fine-tuning.error judges that")
        is_told = isinstance(error.get("code"), str | int) and error["code"] != ""
        expect(is_told, expected="a code", got=shown(error), at=f"{at}/error/code")


@clause("fine-tuning.error-early", level="MUST", source="SPEC FineTuningJob.error: for jobs that have failed",
        on=answered(*ALL, shows=has_job(*STATES_UNDER_WAY, "succeeded")))  # fmt: skip
def only_a_failure_has_an_error(exchange: Exchange) -> None:
    """A job that has not failed has no error: null, or an object that says nothing."""
    for at, job in jobs_in(exchange, *STATES_UNDER_WAY, "succeeded"):
        message = as_object(job.get("error")).get("message")
        expect(not message, expected=f"no error of a job that is {job['status']}", got=shown(job.get("error")),
               at=f"{at}/error")  # fmt: skip


@clause(
    "fine-tuning.settled", level="MUST", source="SPEC FineTuningJob; retrieveFineTuningJob", on=sequence(answered(*ALL))
)
def an_end_is_told_once_and_for_all(exchanges: list[Exchange]) -> None:
    """What a job has at its end stays, wherever it is told: when it was finished, what it made, why it failed."""
    first: dict[tuple[Any, Any], dict[str, Any]] = {}
    judged = False
    for exchange in exchanges:
        for at, job in jobs_in(exchange, *FINAL):
            before = first.setdefault((job.get("id"), job["status"]), job)
            judged = judged or before is not job
            for name in ("finished_at", "fine_tuned_model", "trained_tokens", "error"):
                kept, told = before.get(name), job.get(name)
                expect(not kept or told == kept, expected=f"{name} {shown(kept)}, as before", got=shown(told),
                       at=f"{exchange.id} {at}/{name}")  # fmt: skip
    if not judged:
        raise NotApplicable("no job was looked at twice at its end")


@clause("fine-tuning.times", level="MUST", source="SPEC FineTuningJob.finished_at, estimated_finish: Unix timestamps",
        on=answered(*ALL))  # fmt: skip
def no_end_is_before_its_beginning(exchange: Exchange) -> None:
    """`finished_at` and `estimated_finish`, where they are told, are seconds since 1970, not before `created_at`."""
    judged = False
    for at, job in jobs_of(exchange):
        created = as_count(job.get("created_at"))
        for name in ("finished_at", "estimated_finish"):
            told = as_count(job.get(name))
            if told and created is not None:
                judged, place = True, f"{at}/{name}"
                expect(told >= created, expected=f"{name} of {created} or later", got=told, at=place)
                expect(told < created * HUNDREDFOLD, expected=f"{name} in seconds", got=told, at=place)
    if not judged:
        raise NotApplicable("no job tells of its end")


@clause("fine-tuning.finished", level="MUST", source="SPEC FineTuningJob.finished_at: null while it is running",
        on=answered(*ALL, shows=has_job(*STATES_UNDER_WAY, "succeeded")))  # fmt: skip
def a_job_is_finished_at_its_end(exchange: Exchange) -> None:
    """A job that succeeded tells in `finished_at` when, no earlier than it was created; one under way does not."""
    for at, job in jobs_in(exchange, "succeeded"):
        created, finished = as_count(job.get("created_at")), as_count(job.get("finished_at"))
        expect(finished is not None, expected="finished_at", got=shown(job.get("finished_at")), at=f"{at}/finished_at")
        if created is not None and finished is not None:
            expect(finished >= created, expected=f"finished_at of {created} or later", got=finished,
                   at=f"{at}/finished_at")  # fmt: skip
    for at, job in jobs_in(exchange, *STATES_UNDER_WAY):
        told = job.get("finished_at")
        expect(not told, expected=f"no finished_at of a job that is {job['status']}", got=shown(told),
               at=f"{at}/finished_at")  # fmt: skip


@clause("fine-tuning.model", level="MUST", source="SPEC FineTuningJob.fine_tuned_model", on=SUCCEEDED)
def a_job_that_succeeded_names_its_model(exchange: Exchange) -> None:
    """A job that succeeded names the `fine_tuned_model` that it made; it is not the one it started from."""
    for at, job in jobs_in(exchange, "succeeded"):
        name = job.get("fine_tuned_model")
        is_own = isinstance(name, str) and bool(name) and name != job.get("model")
        expect(is_own, expected="the name of a model of its own", got=shown(name), at=f"{at}/fine_tuned_model")


@clause("fine-tuning.model-early", level="MUST", source="SPEC FineTuningJob.fine_tuned_model: null while it is running",
        on=UNDER_WAY)  # fmt: skip
def a_job_under_way_has_no_model(exchange: Exchange) -> None:
    """A job that has not ended has no `fine_tuned_model`: clients take its name for the sign that it can be used."""
    for at, job in jobs_in(exchange, *STATES_UNDER_WAY):
        name = job.get("fine_tuned_model")
        expect(not name, expected=f"no fine_tuned_model of a job that is {job['status']}", got=shown(name),
               at=f"{at}/fine_tuned_model")  # fmt: skip


@clause("fine-tuning.tokens-early", level="SHOULD",
        source="SPEC FineTuningJob.trained_tokens: null while it is running", on=UNDER_WAY)  # fmt: skip
def nothing_is_billed_before_the_end(exchange: Exchange) -> None:
    """A job that has not ended has no `trained_tokens`: what is billed is known when it is done."""
    for at, job in jobs_in(exchange, *STATES_UNDER_WAY):
        expect(not job.get("trained_tokens"), expected=f"no trained_tokens of a job that is {job['status']}",
               got=shown(job.get("trained_tokens")), at=f"{at}/trained_tokens")  # fmt: skip


@clause("fine-tuning.tokens", level="SHOULD", source="SPEC FineTuningJob.trained_tokens: billable tokens", on=SUCCEEDED)
def trained_tokens_are_counted(exchange: Exchange) -> None:
    """A job that succeeded tells in `trained_tokens` what it is billed for."""
    for at, job in jobs_in(exchange, "succeeded"):
        count = as_count(job.get("trained_tokens"))
        expect(count is not None and count > 0, expected="trained_tokens above 0", got=shown(job.get("trained_tokens")),
               at=f"{at}/trained_tokens")  # fmt: skip
