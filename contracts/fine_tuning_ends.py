"""What a job of fine-tuning has at its end, and not before: its model, its times, or the reason why it failed."""

from __future__ import annotations

from wireproof.clause import Exchange, answered, clause, expect, shown, steps

from ._reading import as_count, as_object
from ._tuning import ALL, FAILED, LIFE, SUCCEEDED, UNDER_WAY, has_job, ids_made, jobs_in, told_of


@clause("fine-tuning.useless-file", level="SHOULD", source="DOCS-0715 fine-tuning: a file needs ten examples",
        on=steps(LIFE))  # fmt: skip
def nothing_is_trained_on_nothing(exchanges: list[Exchange]) -> None:
    """A job over a file without any example is refused, or fails; it makes no model."""
    for id in ids_made(exchanges):
        for exchange, body in told_of(exchanges, id):
            status = body.get("status")
            expect(status != "succeeded", expected="a job that fails: its file has no example", got=shown(status),
                   at=f"{exchange.id} /status")  # fmt: skip


@clause("fine-tuning.error", level="MUST", source="SPEC FineTuningJob.error", on=FAILED)
def a_failed_job_says_why(exchange: Exchange) -> None:
    """A job that failed has an `error` with a `message`."""
    for at, job in jobs_in(exchange, "failed"):
        message = as_object(job.get("error")).get("message")
        expect(isinstance(message, str) and bool(message), expected="an error with a message",
               got=shown(job.get("error")), at=f"{at}/error")  # fmt: skip


@clause("fine-tuning.finished", level="MUST", source="SPEC FineTuningJob.finished_at: null while it is running",
        on=answered(*ALL, shows=has_job("validating_files", "queued", "running", "succeeded")))  # fmt: skip
def a_job_is_finished_at_its_end(exchange: Exchange) -> None:
    """A job that succeeded tells in `finished_at` when, no earlier than it was created; one under way does not."""
    for at, job in jobs_in(exchange, "succeeded"):
        created, finished = as_count(job.get("created_at")), as_count(job.get("finished_at"))
        expect(finished is not None, expected="finished_at", got=shown(job.get("finished_at")), at=f"{at}/finished_at")
        if created is not None and finished is not None:
            expect(finished >= created, expected=f"finished_at of {created} or later", got=finished,
                   at=f"{at}/finished_at")  # fmt: skip
    for at, job in jobs_in(exchange, "validating_files", "queued", "running"):
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
    for at, job in jobs_in(exchange, "validating_files", "queued", "running"):
        name = job.get("fine_tuned_model")
        expect(not name, expected=f"no fine_tuned_model of a job that is {job['status']}", got=shown(name),
               at=f"{at}/fine_tuned_model")  # fmt: skip


@clause("fine-tuning.tokens", level="SHOULD", source="SPEC FineTuningJob.trained_tokens: billable tokens", on=SUCCEEDED)
def trained_tokens_are_counted(exchange: Exchange) -> None:
    """A job that succeeded tells in `trained_tokens` what it is billed for."""
    for at, job in jobs_in(exchange, "succeeded"):
        count = as_count(job.get("trained_tokens"))
        expect(count is not None and count > 0, expected="trained_tokens above 0", got=shown(job.get("trained_tokens")),
               at=f"{at}/trained_tokens")  # fmt: skip
