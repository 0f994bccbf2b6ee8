"""Reading jobs of fine-tuning, wherever they are told of: made, read, cancelled, listed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from wireproof.clause import Exchange, NotApplicable, answered

from ._life import first_made, id_of, is_ok, rows_of
from ._reading import maybe_object

LIFE = "fine-tuning.life"
UNKNOWN_FILE = "file-wireproofnosuchfile"
UNKNOWN = "ftjob-wireproofnosuchjob"
SCHEMA = "FineTuningJob"
STATES_UNDER_WAY = ("validating_files", "queued", "running")
FINAL = ("succeeded", "failed", "cancelled")
ONE = ("createFineTuningJob", "retrieveFineTuningJob", "cancelFineTuningJob", "pauseFineTuningJob",
       "resumeFineTuningJob")  # fmt: skip
LIST = "listPaginatedFineTuningJobs"
ALL = (*ONE, LIST)
LISTS = (LIST, "listFineTuningEvents", "listFineTuningJobCheckpoints")


def jobs_of(exchange: Exchange) -> Iterator[tuple[str, dict[str, Any]]]:
    """`(pointer, job)` of each job that an answer tells of."""
    if exchange.operation == LIST:
        for at, row in enumerate(rows_of(exchange)):
            yield f"/data/{at}", row
    else:
        yield "", maybe_object(exchange)


def told_of(exchanges: Sequence[Exchange], id: object) -> list[tuple[Exchange, dict[str, Any]]]:
    """All that was told of one job, in order of time."""
    return [
        (e, job) for e in exchanges if e.operation in ALL and is_ok(e) for _, job in jobs_of(e) if job.get("id") == id
    ]


def ids_made(exchanges: Sequence[Exchange]) -> list[str]:
    """The jobs that the flow made, the first one first. NotApplicable when there is none."""
    first_made(exchanges, "createFineTuningJob", "job")
    made = [id_of(e) for e in exchanges if e.operation == "createFineTuningJob" and sent_file(e) != UNKNOWN_FILE]
    ids = [id for id in made if id is not None]
    if not ids:
        raise NotApplicable("no job was made")
    return ids


def sent_file(exchange: Exchange) -> object:
    return exchange.request.asked.get("training_file")


def has_job(*states: str) -> Callable[[Exchange], bool]:
    """Whether an answer tells of a job in one of these states."""
    return lambda exchange: any(job.get("status") in states for _, job in jobs_of(exchange))


SUCCEEDED = answered(*ALL, shows=has_job("succeeded"))
FAILED = answered(*ALL, shows=has_job("failed"))
UNDER_WAY = answered(*ALL, shows=has_job(*STATES_UNDER_WAY))


def jobs_in(exchange: Exchange, *states: str) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((at, job) for at, job in jobs_of(exchange) if job.get("status") in states)
