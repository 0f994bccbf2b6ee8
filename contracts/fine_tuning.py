"""Fine-tuning: a job goes through the documented states, tells what happens in it, and ends with what it made.

Training costs money, so no job is ever sent that could train: the flow sends a file without a single example to learn
from. One job is cancelled at once, the other is left to find that out; neither can get as far as a model. What a job
that succeeds has to show is judged on the jobs that the target lists, and on whatever traffic is recorded.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    id_of,
    ids_of,
    is_ok,
    rows_of,
    served,
    status_of,
)
from ._reading import as_count, maybe_object
from ._tuning import (
    ALL,
    LIFE,
    LIST,
    LISTS,
    SCHEMA,
    UNKNOWN,
    UNKNOWN_FILE,
    at_path,
    ids_made,
    jobs_of,
    sent_file,
    told_of,
)

# A line of JSON as every such file has, and nothing in it that could be learnt.
USELESS = File("wireproof-nothing.jsonl", b'{"wireproof": "nothing to learn from"}\n', "application/jsonl")
LABELS, SEED = {"purpose": "wireproof"}, 7
APART_S, VALIDATED_S = 1.1, 5.0

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
    for id in ids_made(exchanges):
        exchange, body = told_of(exchanges, id)[0]
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
        for _, job in jobs_of(exchange):
            seen.setdefault(str(job.get("id")), []).append((exchange, job))
    told = [row for row in seen.values() if len(row) > 1]
    if not told:
        raise NotApplicable("no job was looked at twice")
    for row in told:
        expect_moves(SCHEMA, row)


@clause("fine-tuning.same", level="MUST", source="SPEC retrieveFineTuningJob", on=steps(LIFE))
def a_job_reads_as_it_was_made(exchanges: list[Exchange]) -> None:
    """A job is read, and listed, with the id, time, model, file and seed that it was made with."""
    ids = ids_made(exchanges)
    read = asked_for(exchanges, "retrieveFineTuningJob", lambda e: e.request.path.rpartition("/")[2] in ids)
    served(read, "the job")
    for id in ids:
        told = told_of(exchanges, id)
        for exchange, body in told:
            expect_same(exchange, body, told[0][1], "object", "created_at", "model", "training_file", "seed")


@clause("fine-tuning.list", level="MUST", source="SPEC listPaginatedFineTuningJobs", on=steps(LIFE))
def jobs_are_listed(exchanges: list[Exchange]) -> None:
    """Jobs that were made are in the list, the last one before all others."""
    made = ids_made(exchanges)
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


@clause("fine-tuning.cancel", level="MUST", source="SPEC cancelFineTuningJob", on=steps(LIFE))
def a_cancelled_job_says_so(exchanges: list[Exchange]) -> None:
    """A job that is cancelled before its end is `cancelled`, in the answer and whenever it is looked at again."""
    id = ids_made(exchanges)[0]
    exchange = asked_for(exchanges, "cancelFineTuningJob", at_path(f"/fine_tuning/jobs/{id}/cancel"))
    states = [(e, job.get("status")) for e, job in told_of(exchanges, id)]
    others = ("succeeded", "failed")
    is_late = exchange.status in (400, 409) and any(status in others for _, status in states)
    if is_late or (is_ok(exchange) and maybe_object(exchange).get("status") in others):
        raise NotApplicable("the job was at its end before it could be cancelled")
    status = served(exchange, "the job, cancelled").get("status")
    expect(status == "cancelled", expected="status cancelled", got=shown(status), at=f"{exchange.id} /status")
    for later, status in states:
        if later.step > exchange.step:
            expect(status == "cancelled", expected="status cancelled", got=shown(status), at=f"{later.id} /status")


# ------------------------------------------------------------------------------------------------ mistakes


@clause("fine-tuning.unknown", level="MUST", source="SPEC retrieveFineTuningJob; ERR-LATE 404", on=steps(LIFE))
def an_unknown_job_is_not_found(exchanges: list[Exchange]) -> None:
    """A job that there is not is not found: 404."""
    listed = asked_for(exchanges, LIST)
    if not is_ok(listed):
        raise NotApplicable(f"jobs are not served: {listed.id} was answered {listed.status}")
    expect_gone(asked_for(exchanges, "retrieveFineTuningJob", at_path(f"/fine_tuning/jobs/{UNKNOWN}")))


def _with_unknown_file(exchanges: Sequence[Exchange]) -> Exchange:
    listed = asked_for(exchanges, LIST)
    if not is_ok(listed):
        raise NotApplicable(f"jobs are not served: {listed.id} was answered {listed.status}")
    exchange = asked_for(exchanges, "createFineTuningJob", lambda e: sent_file(e) == UNKNOWN_FILE)
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
