"""Fine-tuning: a job goes through the documented states, tells what happens in it, and ends with what it made.

Training costs money, so no job is ever sent that could train: the flow sends a file without a single example to learn
from. One job is cancelled at once, the other is left to find that out; neither can get as far as a model. What a job
that succeeds has to show is judged on the jobs that the target lists, and on whatever traffic is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from wireproof.clause import (
    MODEL,
    Call,
    Exchange,
    File,
    Flow,
    Inconclusive,
    NotApplicable,
    answered,
    clause,
    expect,
    flow,
    form,
    sequence,
    shown,
    steps,
)

from ._errors import error_told
from ._life import (
    NOT_NOW,
    NOT_SERVED,
    asked_for,
    expect_gone,
    expect_moves,
    expect_now,
    expect_same,
    expect_schema,
    expect_turned_down,
    first_made,
    id_of,
    ids_of,
    is_ok,
    rows_of,
    served,
    status_of,
)
from ._reading import as_count, as_object, maybe_object

LIFE = "fine-tuning.life"
# A line of JSON as every such file has, and nothing in it that could be learnt.
USELESS = File("wireproof-nothing.jsonl", b'{"wireproof": "nothing to learn from"}\n', "application/jsonl")
UNKNOWN_FILE = "file-wireproofnosuchfile"
UNKNOWN = "ftjob-wireproofnosuchjob"
LABELS, SEED = {"purpose": "wireproof"}, 7
APART_S, VALIDATED_S = 1.1, 5.0
SCHEMA = "FineTuningJob"
ONE = ("createFineTuningJob", "retrieveFineTuningJob", "cancelFineTuningJob", "pauseFineTuningJob",
       "resumeFineTuningJob")  # fmt: skip
LIST = "listPaginatedFineTuningJobs"
ALL = (*ONE, LIST)
LISTS = (LIST, "listFineTuningEvents", "listFineTuningJobCheckpoints")

LISTED = Call("GET", "/fine_tuning/jobs", query={"limit": "2"})


@flow(LIFE, most=11, about="list jobs; two jobs over a file without examples: one is cancelled, one fails; none trains",
      expects="either")  # fmt: skip
def life_of_a_job() -> Flow:
    listed = yield LISTED
    if listed.status in NOT_SERVED:
        return
    yield Call("GET", f"/fine_tuning/jobs/{UNKNOWN}")
    yield Call("POST", "/fine_tuning/jobs", {"model": MODEL, "training_file": UNKNOWN_FILE})
    file = id_of((yield form("/files", [("purpose", "fine-tune"), ("file", USELESS)])))
    if file is None:
        return
    asked = {"model": MODEL, "training_file": file, "seed": SEED, "metadata": LABELS}
    one = id_of((yield Call("POST", "/fine_tuning/jobs", asked)))
    if one is not None:
        yield Call("POST", f"/fine_tuning/jobs/{one}/cancel")
        two = id_of((yield Call("POST", "/fine_tuning/jobs", asked, after_s=APART_S)))
        if two is not None:
            yield Call("GET", f"/fine_tuning/jobs/{two}", after_s=VALIDATED_S)
            yield Call("GET", f"/fine_tuning/jobs/{two}/events")
        yield LISTED
    yield Call("DELETE", f"/files/{file}")


# ------------------------------------------------------------------------------------------------ reading


def _jobs(exchange: Exchange) -> Iterator[tuple[str, dict[str, Any]]]:
    """`(pointer, job)` of each job that an answer tells of."""
    if exchange.operation == LIST:
        for at, row in enumerate(rows_of(exchange)):
            yield f"/data/{at}", row
    else:
        yield "", maybe_object(exchange)


def _told_of(exchanges: Sequence[Exchange], id: object) -> list[tuple[Exchange, dict[str, Any]]]:
    """All that was told of one job, in order of time."""
    return [
        (e, job) for e in exchanges if e.operation in ALL and is_ok(e) for _, job in _jobs(e) if job.get("id") == id
    ]


def _ids(exchanges: Sequence[Exchange]) -> list[str]:
    """The jobs that the flow made, the first one first. NotApplicable when there is none."""
    first_made(exchanges, "createFineTuningJob", "job")
    made = [id_of(e) for e in exchanges if e.operation == "createFineTuningJob" and _sent_file(e) != UNKNOWN_FILE]
    ids = [id for id in made if id is not None]
    if not ids:
        raise NotApplicable("no job was made")
    return ids


def _sent_file(exchange: Exchange) -> object:
    return exchange.request.asked.get("training_file")


def _of(path: str) -> Callable[[Exchange], bool]:
    return lambda exchange: exchange.request.path == path


def _has(*states: str) -> Callable[[Exchange], bool]:
    """Whether an answer tells of a job in one of these states."""
    return lambda exchange: any(job.get("status") in states for _, job in _jobs(exchange))


SUCCEEDED = answered(*ALL, shows=_has("succeeded"))
FAILED = answered(*ALL, shows=_has("failed"))
UNDER_WAY = answered(*ALL, shows=_has("validating_files", "queued", "running"))


def _in(exchange: Exchange, *states: str) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((at, job) for at, job in _jobs(exchange) if job.get("status") in states)


# ------------------------------------------------------------------------------------------------ the job


@clause(
    "fine-tuning.schema",
    level="MUST",
    source="SPEC FineTuningJob, FineTuningJobEvent, FineTuningJobCheckpoint and their lists",
    on=answered(*ALL, "listFineTuningEvents", "listFineTuningJobCheckpoints"),
)
def answers_follow_the_schema(exchange: Exchange) -> None:
    """A job has its model, files, times, and one of six states; its events and checkpoints are as documented."""
    expect_schema(exchange, "/first_id", "/last_id", "/error/*", "/data/*/error/*")


@clause("fine-tuning.echo", level="MUST", source="SPEC CreateFineTuningJobRequest, FineTuningJob",
        on=answered("createFineTuningJob"),
        fields=("training_file", "validation_file", "seed", "metadata"))  # fmt: skip
def a_job_is_what_was_asked_for(exchange: Exchange) -> None:
    """A job has the `training_file`, `validation_file`, `seed` and `metadata` that it was asked for with."""
    asked, body = exchange.request.asked, maybe_object(exchange)
    names = [name for name in ("training_file", "validation_file", "seed", "metadata") if asked.get(name) is not None]
    for name in names:
        expect(body.get(name) == asked[name], expected=f"{name} {shown(asked[name])}", got=shown(body.get(name)),
               at=f"/{name}")  # fmt: skip


@clause("fine-tuning.created", level="MUST", source="SPEC FineTuningJob.created_at: Unix timestamp in seconds",
        on=steps(LIFE))  # fmt: skip
def a_job_is_created_now(exchanges: list[Exchange]) -> None:
    """`created_at` of a job and of its events is the time when they came about, in whole seconds since 1970."""
    for id in _ids(exchanges):
        exchange, body = _told_of(exchanges, id)[0]
        expect_now(exchange, body.get("created_at"), "created_at")
    for exchange in exchanges:
        if exchange.operation == "listFineTuningEvents" and is_ok(exchange):
            for at, row in enumerate(rows_of(exchange)):
                expect_now(exchange, row.get("created_at"), f"data/{at}/created_at")


@clause("fine-tuning.moves", level="MUST", source="SPEC FineTuningJob.status", on=sequence(answered(*ALL)))
def a_job_moves_forward(exchanges: list[Exchange]) -> None:
    """A job goes from validating_files over queued and running to succeeded, failed or cancelled, and stays there."""
    seen: dict[str, list[tuple[Exchange, dict[str, Any]]]] = {}
    for exchange in exchanges:
        for _, job in _jobs(exchange):
            seen.setdefault(str(job.get("id")), []).append((exchange, job))
    told = [row for row in seen.values() if len(row) > 1]
    if not told:
        raise NotApplicable("no job was looked at twice")
    for row in told:
        expect_moves(SCHEMA, row)


@clause("fine-tuning.same", level="MUST", source="SPEC retrieveFineTuningJob", on=steps(LIFE))
def a_job_reads_as_it_was_made(exchanges: list[Exchange]) -> None:
    """A job is read, and listed, with the id, time, model, file and seed that it was made with."""
    ids = _ids(exchanges)
    read = asked_for(exchanges, "retrieveFineTuningJob", lambda e: e.request.path.rpartition("/")[2] in ids)
    served(read, "the job")
    for id in ids:
        told = _told_of(exchanges, id)
        for exchange, body in told:
            expect_same(exchange, body, told[0][1], "object", "created_at", "model", "training_file", "seed")


@clause("fine-tuning.list", level="MUST", source="SPEC listPaginatedFineTuningJobs", on=steps(LIFE))
def jobs_are_listed(exchanges: list[Exchange]) -> None:
    """Jobs that were made are in the list, the last one before all others."""
    made = _ids(exchanges)
    exchange = [e for e in exchanges if e.operation == LIST][-1]
    body, ids = served(exchange, "a list of jobs"), ids_of(exchange)
    missing = [id for id in made if id not in ids]
    if missing and body.get("has_more") is True and not set(made) & set(ids):
        raise Inconclusive("others were made in the meantime")
    expect(not missing, expected=f"{shown(made)} in the list", got=shown(ids), at=f"{exchange.id} /data")


@clause(
    "fine-tuning.newest-first",
    level="MUST",
    source="SPEC lists of jobs, events and checkpoints: newest first",
    on=answered(*LISTS),
)
def lists_are_newest_first(exchange: Exchange) -> None:
    """Jobs, their events and their checkpoints are listed with the newest first; of one second in any order."""
    rows = [(at, as_count(row.get("created_at"))) for at, row in enumerate(rows_of(exchange))]
    times = [(at, time) for at, time in rows if time is not None]
    if len({time for _, time in times}) < 2:
        raise NotApplicable("no two things of different times are listed")
    for (_, newer), (at, older) in pairwise(times):
        expect(newer >= older, expected=f"created_at of {newer} or before", got=older, at=f"/data/{at}/created_at")


# ------------------------------------------------------------------------------------------------ its end


@clause("fine-tuning.cancel", level="MUST", source="SPEC cancelFineTuningJob", on=steps(LIFE))
def a_cancelled_job_says_so(exchanges: list[Exchange]) -> None:
    """A job that is cancelled before its end is `cancelled`, in the answer and whenever it is looked at again."""
    id = _ids(exchanges)[0]
    exchange = asked_for(exchanges, "cancelFineTuningJob", _of(f"/fine_tuning/jobs/{id}/cancel"))
    states = [(e, job.get("status")) for e, job in _told_of(exchanges, id)]
    others = ("succeeded", "failed")
    is_late = exchange.status in (400, 409) and any(status in others for _, status in states)
    if is_late or (is_ok(exchange) and maybe_object(exchange).get("status") in others):
        raise NotApplicable("the job was at its end before it could be cancelled")
    status = served(exchange, "the job, cancelled").get("status")
    expect(status == "cancelled", expected="status cancelled", got=shown(status), at=f"{exchange.id} /status")
    for later, status in states:
        if later.step > exchange.step:
            expect(status == "cancelled", expected="status cancelled", got=shown(status), at=f"{later.id} /status")


@clause("fine-tuning.useless-file", level="SHOULD", source="DOCS-0715 fine-tuning: a file needs ten examples",
        on=steps(LIFE))  # fmt: skip
def nothing_is_trained_on_nothing(exchanges: list[Exchange]) -> None:
    """A job over a file without any example is refused, or fails; it makes no model."""
    for id in _ids(exchanges):
        for exchange, body in _told_of(exchanges, id):
            status = body.get("status")
            expect(status != "succeeded", expected="a job that fails: its file has no example", got=shown(status),
                   at=f"{exchange.id} /status")  # fmt: skip


@clause("fine-tuning.error", level="MUST", source="SPEC FineTuningJob.error", on=FAILED)
def a_failed_job_says_why(exchange: Exchange) -> None:
    """A job that failed has an `error` with a `message`."""
    for at, job in _in(exchange, "failed"):
        message = as_object(job.get("error")).get("message")
        expect(isinstance(message, str) and bool(message), expected="an error with a message",
               got=shown(job.get("error")), at=f"{at}/error")  # fmt: skip


@clause("fine-tuning.finished", level="MUST", source="SPEC FineTuningJob.finished_at: null while it is running",
        on=answered(*ALL, shows=_has("validating_files", "queued", "running", "succeeded")))  # fmt: skip
def a_job_is_finished_at_its_end(exchange: Exchange) -> None:
    """A job that succeeded tells in `finished_at` when, no earlier than it was created; one under way does not."""
    for at, job in _in(exchange, "succeeded"):
        created, finished = as_count(job.get("created_at")), as_count(job.get("finished_at"))
        expect(finished is not None, expected="finished_at", got=shown(job.get("finished_at")), at=f"{at}/finished_at")
        if created is not None and finished is not None:
            expect(finished >= created, expected=f"finished_at of {created} or later", got=finished,
                   at=f"{at}/finished_at")  # fmt: skip
    for at, job in _in(exchange, "validating_files", "queued", "running"):
        told = job.get("finished_at")
        expect(not told, expected=f"no finished_at of a job that is {job['status']}", got=shown(told),
               at=f"{at}/finished_at")  # fmt: skip


@clause("fine-tuning.model", level="MUST", source="SPEC FineTuningJob.fine_tuned_model", on=SUCCEEDED)
def a_job_that_succeeded_names_its_model(exchange: Exchange) -> None:
    """A job that succeeded names the `fine_tuned_model` that it made; it is not the one it started from."""
    for at, job in _in(exchange, "succeeded"):
        name = job.get("fine_tuned_model")
        is_own = isinstance(name, str) and bool(name) and name != job.get("model")
        expect(is_own, expected="the name of a model of its own", got=shown(name), at=f"{at}/fine_tuned_model")


@clause("fine-tuning.model-early", level="MUST", source="SPEC FineTuningJob.fine_tuned_model: null while it is running",
        on=UNDER_WAY)  # fmt: skip
def a_job_under_way_has_no_model(exchange: Exchange) -> None:
    """A job that has not ended has no `fine_tuned_model`: clients take its name for the sign that it can be used."""
    for at, job in _in(exchange, "validating_files", "queued", "running"):
        name = job.get("fine_tuned_model")
        expect(not name, expected=f"no fine_tuned_model of a job that is {job['status']}", got=shown(name),
               at=f"{at}/fine_tuned_model")  # fmt: skip


@clause("fine-tuning.tokens", level="SHOULD", source="SPEC FineTuningJob.trained_tokens: billable tokens", on=SUCCEEDED)
def trained_tokens_are_counted(exchange: Exchange) -> None:
    """A job that succeeded tells in `trained_tokens` what it is billed for."""
    for at, job in _in(exchange, "succeeded"):
        count = as_count(job.get("trained_tokens"))
        expect(count is not None and count > 0, expected="trained_tokens above 0", got=shown(job.get("trained_tokens")),
               at=f"{at}/trained_tokens")  # fmt: skip


# ------------------------------------------------------------------------------------------------ its events


@clause("fine-tuning.events", level="MUST", source="SPEC listFineTuningEvents", on=steps(LIFE))
def a_job_has_events(exchanges: list[Exchange]) -> None:
    """What happened to a job is told in its events: one that was made some seconds ago has at least one."""
    ids = _ids(exchanges)
    paths = [f"/fine_tuning/jobs/{id}/events" for id in ids]
    exchange = asked_for(exchanges, "listFineTuningEvents", lambda e: e.request.path in paths)
    served(exchange, "the events of the job")
    rows = rows_of(exchange)
    expect(bool(rows), expected="events of the job", got="none", at=f"{exchange.id} /data")
    ids = [shown(row.get("id")) for row in rows]
    expect(len(set(ids)) == len(ids), expected="an id for each event", got=shown(ids), at=f"{exchange.id} /data")


@clause("fine-tuning.events-failure", level="SHOULD", source="SPEC FineTuningJobEvent.level", on=steps(LIFE))
def a_failure_is_an_event(exchanges: list[Exchange]) -> None:
    """The failure of a job is one of its events, of the level error or warn."""
    listed = asked_for(exchanges, "listFineTuningEvents", is_ok)
    id = listed.request.path.split("/")[3]
    states = [job.get("status") for e, job in _told_of(exchanges, id) if e.step < listed.step]
    if "failed" not in states:
        raise NotApplicable("the job had not failed when its events were asked for")
    levels = [row.get("level") for row in rows_of(listed)]
    expect(bool({"error", "warn"} & {str(level) for level in levels}), expected="an event of the level error",
           got=shown(levels), at=f"{listed.id} /data")  # fmt: skip


# ------------------------------------------------------------------------------------------------ mistakes


@clause("fine-tuning.unknown", level="MUST", source="SPEC retrieveFineTuningJob; ERR-LATE 404", on=steps(LIFE))
def an_unknown_job_is_not_found(exchanges: list[Exchange]) -> None:
    """A job that there is not is not found: 404."""
    listed = asked_for(exchanges, LIST)
    if not is_ok(listed):
        raise NotApplicable(f"jobs are not served: {listed.id} was answered {listed.status}")
    expect_gone(asked_for(exchanges, "retrieveFineTuningJob", _of(f"/fine_tuning/jobs/{UNKNOWN}")))


def _with_unknown_file(exchanges: Sequence[Exchange]) -> Exchange:
    listed = asked_for(exchanges, LIST)
    if not is_ok(listed):
        raise NotApplicable(f"jobs are not served: {listed.id} was answered {listed.status}")
    exchange = asked_for(exchanges, "createFineTuningJob", lambda e: _sent_file(e) == UNKNOWN_FILE)
    if exchange.status in NOT_NOW:
        raise Inconclusive(f"{exchange.id} was answered {exchange.status}: {status_of(exchange)}")
    return exchange


@clause("fine-tuning.unknown-file", level="MUST", source="SPEC CreateFineTuningJobRequest.training_file; ERR-LATE 400",
        on=steps(LIFE))  # fmt: skip
def an_unknown_file_is_refused_or_fails(exchanges: list[Exchange]) -> None:
    """A job over a file that there is not is refused: 400, or 404."""
    expect_turned_down(_with_unknown_file(exchanges), 404)


@clause("fine-tuning.unknown-file-param", level="SHOULD", source="ERR-LATE 400: param", on=steps(LIFE))
def the_refusal_names_the_field(exchanges: list[Exchange]) -> None:
    """The refusal of a job names the field that is wrong: `param` is training_file, or model where that is."""
    exchange = _with_unknown_file(exchanges)
    if exchange.status not in (400, 404, 422):
        raise NotApplicable(f"answered {exchange.status}: fine-tuning.unknown-file judges that")
    param = error_told(exchange).get("param")
    expect(param in ("training_file", "model"), expected="param training_file", got=shown(param),
           at=f"{exchange.id} /error/param")  # fmt: skip
