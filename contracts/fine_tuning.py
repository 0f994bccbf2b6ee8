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
from ._flow import id_in
from ._life import (
    NOT_NOW,
    NOT_SERVED,
    asked_for,
    at_path,
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
from ._reading import as_count, as_object, as_text, maybe_object
from ._tuning import (
    ALL,
    FINAL,
    LIFE,
    LIST,
    LISTS,
    ONE,
    SCHEMA,
    STATES_UNDER_WAY,
    UNKNOWN,
    UNKNOWN_FILE,
    ids_made,
    jobs_of,
    sent_file,
    told_of,
)

# A line of JSON as every such file has, and nothing in it that could be learnt.
USELESS = File("wireproof-nothing.jsonl", b'{"wireproof": "nothing to learn from"}\n', "application/jsonl")
LABELS, SEED, EPOCHS = {"purpose": "wireproof"}, 7, 2
APART_S, VALIDATED_S, MORE_S = 1.1, 5.0, 10.0
# Two clocks of one server.
CLOCKS_S = 2
# The first job is asked for in the older words, which every server knows.
SUPERVISED = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": EPOCHS}}}

JOBS = "/fine_tuning/jobs"
LISTED = Call("GET", JOBS, query={"limit": "2"})


@flow(LIFE, most=22, about="list jobs; two jobs over a file without examples: one is cancelled, one fails; none trains",
      expects="either")  # fmt: skip
def life_of_a_job() -> Flow:
    listed = yield LISTED
    if listed.status in NOT_SERVED:
        return
    yield Call("GET", f"{JOBS}/{UNKNOWN}")
    yield Call("POST", JOBS, {"model": MODEL, "training_file": UNKNOWN_FILE})
    file = id_of((yield form("/files", [("purpose", "fine-tune"), ("file", USELESS)])))
    if file is None:
        return
    asked = {"model": MODEL, "training_file": file, "seed": SEED, "metadata": LABELS}
    one = id_of((yield Call("POST", JOBS, {**asked, "hyperparameters": {"n_epochs": EPOCHS}})))
    if one is not None:
        yield from _cancelled(f"{JOBS}/{one}")
        two = id_of((yield Call("POST", JOBS, {**asked, "method": SUPERVISED}, after_s=APART_S)))
        if two is not None:
            yield from _failed(f"{JOBS}/{two}")
        yield LISTED
        yield Call("GET", JOBS, query={"limit": "1"})
        yield Call("GET", JOBS, query={"limit": "1", "after": two or one})
    yield Call("DELETE", f"/files/{file}")


def _cancelled(path: str) -> Flow:
    yield Call("POST", f"{path}/cancel")
    yield Call("POST", f"{path}/cancel")
    yield Call("POST", f"{path}/pause")
    yield Call("POST", f"{JOBS}/{UNKNOWN}/cancel")


def _failed(path: str) -> Flow:
    read = yield Call("GET", path, after_s=VALIDATED_S)
    if maybe_object(read).get("status") in STATES_UNDER_WAY:
        yield Call("GET", path, after_s=MORE_S)
    events = yield Call("GET", f"{path}/events")
    oldest = next((id for row in rows_of(events)[::-1] if (id := id_in(row)) is not None), None)
    yield Call("GET", f"{path}/events", query={"limit": "1"})
    if oldest is not None:
        yield Call("GET", f"{path}/events", query={"after": oldest})
    yield Call("GET", f"{JOBS}/{UNKNOWN}/events")
    yield Call("GET", f"{path}/checkpoints")


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
                _not_before_its_job(exchanges, exchange, at, as_count(row.get("created_at")))


def _not_before_its_job(exchanges: list[Exchange], listed: Exchange, at: int, told: int | None) -> None:
    of = told_of(exchanges, listed.request.path.split("/")[3])
    created = as_count(of[0][1].get("created_at")) if of else None
    if created is not None and told is not None:
        expect(told >= created - CLOCKS_S, expected=f"created_at of {created} or later, as the job", got=told,
               at=f"{listed.id} /data/{at}/created_at")  # fmt: skip


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


@clause("fine-tuning.hyperparameters", level="MUST", source="SPEC CreateFineTuningJobRequest.method, hyperparameters",
        on=answered("createFineTuningJob"), fields=("hyperparameters", "method"))  # fmt: skip
def hyperparameters_are_those_asked_for(exchange: Exchange) -> None:
    """A job has the `n_epochs` that it was asked for with, and is trained by the `method` that was named."""
    asked, told = _recipe(exchange.request.asked), _recipe(maybe_object(exchange))
    if not asked:
        raise NotApplicable("nothing of it was asked for")
    if "n_epochs" in asked:
        expect("n_epochs" in told, expected=f"n_epochs {shown(asked['n_epochs'][0][1])}", got="none",
               at="/hyperparameters")  # fmt: skip
    for name, value in asked.items():
        for at, got in told.get(name, ()):
            expect(got == value[0][1], expected=f"{name} {shown(value[0][1])}", got=shown(got), at=at)


def _recipe(body: dict[str, Any]) -> dict[str, list[tuple[str, Any]]]:
    """`(pointer, value)` of the kind of the method, and of `n_epochs` in every place where it may stand."""
    method = as_object(body.get("method"))
    kind = as_text(method.get("type"))
    own = as_object(as_object(method.get(kind)).get("hyperparameters"))
    found: dict[str, list[tuple[str, Any]]] = {"type": [("/method/type", kind)]} if kind else {}
    places = [("/hyperparameters", as_object(body.get("hyperparameters"))), (f"/method/{kind}/hyperparameters", own)]
    for at, one in places:
        if one.get("n_epochs") is not None:
            found.setdefault("n_epochs", []).append((f"{at}/n_epochs", one["n_epochs"]))
    return found


@clause("fine-tuning.same", level="MUST", source="SPEC retrieveFineTuningJob", on=steps(LIFE))
def a_job_reads_as_it_was_made(exchanges: list[Exchange]) -> None:
    """A job is read, and listed, with the id, time, model, file, seed, labels and owner that it was made with."""
    ids = ids_made(exchanges)
    read = asked_for(exchanges, "retrieveFineTuningJob", lambda e: e.request.path.rpartition("/")[2] in ids)
    served(read, "the job")
    for exchange in exchanges:
        id = exchange.request.path.removeprefix(f"{JOBS}/").partition("/")[0]
        if exchange.operation in ONE and id in ids and is_ok(exchange):
            expect_same(exchange, maybe_object(exchange), {"id": id}, "id")
    names = ("object", "created_at", "model", "training_file", "validation_file", "seed", "metadata", "organization_id")
    for id in ids:
        told = told_of(exchanges, id)
        for exchange, body in told:
            expect_same(exchange, body, told[0][1], *names)
            for at, epochs in _recipe(body).get("n_epochs", ()):
                expect(epochs == EPOCHS, expected=f"n_epochs {EPOCHS}", got=shown(epochs), at=f"{exchange.id} {at}")


@clause("fine-tuning.list", level="MUST", source="SPEC listPaginatedFineTuningJobs", on=steps(LIFE))
def jobs_are_listed(exchanges: list[Exchange]) -> None:
    """Jobs that were made are in the list, the last one before all others."""
    made = ids_made(exchanges)
    exchange = [e for e in exchanges if e.operation == LIST and e.request.query == LISTED.query][-1]
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
    exchange = asked_for(exchanges, "cancelFineTuningJob", at_path(f"{JOBS}/{id}/cancel"))
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


@clause("fine-tuning.steered", level="MUST", source="SPEC cancelFineTuningJob, pauseFineTuningJob; ERR-LATE 400, 500",
        on=steps(LIFE))  # fmt: skip
def what_has_ended_cannot_be_steered(exchanges: list[Exchange]) -> None:
    """A job at its end is neither cancelled again nor paused: that is refused, or answered with the job as it is."""
    id = ids_made(exchanges)[0]
    cancels = [e for e in exchanges if e.operation == "cancelFineTuningJob" and e.request.path == f"{JOBS}/{id}/cancel"]
    if not cancels or not is_ok(cancels[0]) or maybe_object(cancels[0]).get("status") not in FINAL:
        raise NotApplicable("the job was not cancelled: fine-tuning.cancel judges that")
    ended = maybe_object(cancels[0]).get("status")
    pauses = [e for e in exchanges if e.operation == "pauseFineTuningJob"]
    for exchange in (*cancels[1:], *pauses):
        status = exchange.status or 0
        if status in (*NOT_NOW, 501):
            continue
        expect(status < 500, expected="status 400", got=status_of(exchange), at=f"{exchange.id} ")
        if is_ok(exchange):
            expect_same(exchange, maybe_object(exchange), {"status": ended}, "status")


# ------------------------------------------------------------------------------------------------ mistakes


@clause("fine-tuning.unknown", level="MUST", source="SPEC retrieveFineTuningJob; ERR-LATE 404", on=steps(LIFE))
def an_unknown_job_is_not_found(exchanges: list[Exchange]) -> None:
    """A job that there is not is not found, 404, nor can it be cancelled."""
    listed = asked_for(exchanges, LIST)
    if not is_ok(listed):
        raise NotApplicable(f"jobs are not served: {listed.id} was answered {listed.status}")
    expect_gone(asked_for(exchanges, "retrieveFineTuningJob", at_path(f"{JOBS}/{UNKNOWN}")))
    for exchange in exchanges:
        if exchange.request.path == f"{JOBS}/{UNKNOWN}/cancel" and exchange.status not in (*NOT_NOW, 405, 501):
            expect_turned_down(exchange, 404, 409)


@clause("fine-tuning.unknown-events", level="SHOULD", source="SPEC listFineTuningEvents; ERR-LATE 404", on=steps(LIFE))
def an_unknown_job_has_no_events(exchanges: list[Exchange]) -> None:
    """Who asks for the events of a job that there is not is told so: 404, and not that nothing happened."""
    ids_made(exchanges)
    asked = [e for e in exchanges if e.operation == "listFineTuningEvents"]
    if not asked or not is_ok(asked[0]):
        raise NotApplicable("events are not served")
    expect_turned_down(asked_for(exchanges, "listFineTuningEvents", at_path(f"{JOBS}/{UNKNOWN}/events")), 404)


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
