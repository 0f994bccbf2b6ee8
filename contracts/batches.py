"""Batches: many requests in a file, answered at leisure; every one of them is answered once, in one of two files.

One flow sends three requests, one of them wrong, and looks again for some twenty seconds. Where the batch is not done
by then it is cancelled, and the clauses about its end do not apply; else a second one is made and cancelled. What it
has answered is judged in batches_results.py.
"""

from __future__ import annotations

from collections.abc import Generator
from itertools import pairwise
from typing import Any

from wireproof.clause import (
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
    shown,
    steps,
)

from ._batch import (
    ASKED,
    CUSTOM_IDS,
    INPUT,
    LIFE,
    batches_told,
    completed,
    counts_of,
)
from ._life import (
    NOT_NOW,
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
    is_final,
    is_ok,
    served,
    status_of,
)
from ._reading import maybe_object

# Some twenty seconds in all, the first looks close together: a server that answers at once shows its states.
WAITS_S = (0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 5.0)
CANCEL_WAITS_S = (1.0, 2.0, 4.0)
UNKNOWN_FILE = "file-wireproofnosuchfile"
UNKNOWN = "batch_wireproofnosuchbatch"


@flow(LIFE, most=32, about="send a batch of three requests, wait for it, read its files; cancel another",
      expects="either")  # fmt: skip
def lives_of_batches() -> Flow:
    file = id_of((yield form("/files", [("purpose", "batch"), ("file", File("wireproof-batch.jsonl", INPUT))])))
    if file is None:
        return
    strays = [file]
    for wrong in ({"input_file_id": file, "endpoint": "/v1/wireproof"}, {"input_file_id": UNKNOWN_FILE}):
        taken = id_of((yield Call("POST", "/batches", {**ASKED, **wrong})))
        if taken is not None:
            yield Call("POST", f"/batches/{taken}/cancel")
    id = id_of((yield Call("POST", "/batches", {**ASKED, "input_file_id": file})))
    if id is not None:
        body = yield from _watched(id, WAITS_S)
        for name in ("output_file_id", "error_file_id"):
            if isinstance(body.get(name), str) and body[name].replace("-", "").replace("_", "").isalnum():
                strays.append(body[name])
                yield Call("GET", f"/files/{body[name]}/content")
        cancelled = id
        if body.get("status") == "completed":
            yield Call("POST", f"/batches/{id}/cancel")
            second = id_of((yield Call("POST", "/batches", {**ASKED, "input_file_id": file})))
            cancelled = second or id
        if cancelled != id or not is_final("Batch", body.get("status")):
            yield Call("POST", f"/batches/{cancelled}/cancel")
            body = yield from _watched(cancelled, CANCEL_WAITS_S)
            strays += [body[name] for name in ("output_file_id", "error_file_id") if isinstance(body.get(name), str)]
        yield Call("GET", "/batches", query={"limit": "1"})
        yield Call("GET", "/batches", query={"limit": "1", "after": cancelled})
        yield Call("GET", "/batches", query={"limit": "3"})
    yield Call("GET", f"/batches/{UNKNOWN}")
    for stray in strays:
        if stray.replace("-", "").replace("_", "").isalnum():
            yield Call("DELETE", f"/files/{stray}")


def _watched(id: str, waits_s: tuple[float, ...]) -> Generator[Call, Exchange, dict[str, Any]]:
    """Looks again until the batch is at its end; gives the last that was told of it."""
    body: dict[str, Any] = {}
    for wait_s in waits_s:
        told = yield Call("GET", f"/batches/{id}", after_s=wait_s)
        if not is_ok(told):
            break
        body = maybe_object(told)
        if is_final("Batch", body.get("status")):
            break
    return body


# ------------------------------------------------------------------------------------------------ the batch


@clause(
    "batches.schema",
    level="MUST",
    source="SPEC Batch, ListBatchesResponse",
    on=answered("createBatch", "retrieveBatch", "cancelBatch", "listBatches"),
)
def answers_follow_the_schema(exchange: Exchange) -> None:
    """A batch has its id, endpoint, input file, window, one of the documented states, and its times."""
    expect_schema(exchange, "/first_id", "/last_id")


@clause(
    "batches.echo",
    level="MUST",
    source="SPEC createBatch, Batch",
    on=steps(LIFE),
    fields=("endpoint", "input_file_id", "completion_window", "metadata"),
)
def a_batch_is_what_was_asked_for(exchanges: list[Exchange]) -> None:
    """A batch has the endpoint, input file, window and metadata it was made with, from its first answer to its last."""
    told = batches_told(exchanges)
    wanted = told[0][0].request.asked
    for exchange, body in told:
        expect_same(exchange, body, wanted, "endpoint", "input_file_id", "completion_window", "metadata")
        expect_same(exchange, body, told[0][1], "id", "created_at")


@clause("batches.moves", level="MUST", source="SPEC Batch.status; DOCS-0715 batch", on=steps(LIFE))
def a_batch_moves_forward(exchanges: list[Exchange]) -> None:
    """A batch goes from validating over in_progress and finalizing to completed, or off to failed, expired, cancelled.

    What is at its end stays there: clients stop looking.
    """
    for which in (0, 1):
        try:
            told = batches_told(exchanges, which)
        except NotApplicable:
            if which == 0:
                raise
            return
        expect_moves("Batch", told)


# Of each state the time when it began.
TIMES = ("created_at", "in_progress_at", "finalizing_at", "completed_at")
ENDS = {"completed": "completed_at", "failed": "failed_at", "expired": "expired_at", "cancelled": "cancelled_at"}


@clause("batches.times", level="MUST", source="SPEC Batch.*_at: Unix timestamps in seconds", on=steps(LIFE))
def times_follow_the_states(exchanges: list[Exchange]) -> None:
    """The times of a batch rise as its states follow one another, and the state at its end has its time.

    There is no time of an end that has not come.
    """
    for exchange, body in batches_told(exchanges):
        expect_now(exchange, body.get("created_at"), "created_at")
        times = [(name, body[name]) for name in TIMES if type(body.get(name)) is int]
        for (one, earlier), (other, later) in pairwise(times):
            expect(later >= earlier, expected=f"{other} of at least {earlier}, which is {one}", got=later,
                   at=f"{exchange.id} /{other}")  # fmt: skip
        expires = body.get("expires_at")
        expect(expires is None or (type(expires) is int and expires > body["created_at"]),
               expected="expires_at after created_at", got=shown(expires), at=f"{exchange.id} /expires_at")  # fmt: skip
        status = body.get("status")
        for end, name in ENDS.items():
            time = body.get(name)
            if end == status:
                expect(type(time) is int, expected=f"{name} of a batch that is {status}", got=shown(time),
                       at=f"{exchange.id} /{name}")  # fmt: skip
            else:
                expect(not time, expected=f"no {name} of a batch that is {status}", got=shown(time),
                       at=f"{exchange.id} /{name}")  # fmt: skip


@clause("batches.counts", level="MUST", source="SPEC BatchRequestCounts", on=steps(LIFE))
def requests_are_counted(exchanges: list[Exchange]) -> None:
    """`request_counts` never fall, never tell of more answers than requests, and add up to the lines sent."""
    before = {"completed": 0, "failed": 0}
    counted = False
    for exchange, body in batches_told(exchanges):
        counts = counts_of(body)
        if counts is None:
            continue
        counted, at = True, f"{exchange.id} /request_counts"
        done = counts["completed"] + counts["failed"]
        expect(done <= counts["total"] or done == 0, expected=f"at most {counts['total']} answered", got=done, at=at)
        for name, least in before.items():
            expect(counts[name] >= least, expected=f"{name} of at least {least}", got=counts[name], at=f"{at}/{name}")
            before[name] = counts[name]
        if body.get("status") == "completed":
            expect(counts["total"] == len(CUSTOM_IDS), expected=f"total {len(CUSTOM_IDS)}", got=counts["total"],
                   at=f"{at}/total")  # fmt: skip
            expect(done == counts["total"], expected=f"completed and failed of {counts['total']} together", got=done,
                   at=at)  # fmt: skip
    if not counted:
        raise NotApplicable("no answer counts the requests: batches.counted judges that")


@clause("batches.counted", level="MUST", source="SPEC Batch.request_counts; DOCS-0715 batch", on=steps(LIFE))
def a_completed_batch_has_counts(exchanges: list[Exchange]) -> None:
    """A completed batch tells how many of its requests were answered, and how many failed."""
    exchange, body = completed(exchanges)
    counts = body.get("request_counts")
    expect(counts_of(body) is not None, expected="total, completed and failed", got=shown(counts),
           at=f"{exchange.id} /request_counts")  # fmt: skip


# How long a batch may be in progress once its last request was answered. Files of three lines are written in less.
LINGERS_S = 8.0


@clause(
    "batches.finishes", level="SHOULD", source="DOCS-0715 batch: in_progress, finalizing, completed", on=steps(LIFE)
)
def a_batch_that_is_done_ends(exchanges: list[Exchange]) -> None:
    """A batch whose requests are all answered does not stay in progress: it is finalized, and completed."""
    since: float | None = None
    told = batches_told(exchanges)
    for exchange, body in told:
        counts = counts_of(body)
        is_done = counts is not None and 0 < counts["total"] == counts["completed"] + counts["failed"]
        if body.get("status") != "in_progress" or not is_done:
            since = None
            continue
        since = exchange.started_unix if since is None else since
        lingers_s = exchange.started_unix - since
        expect(lingers_s < LINGERS_S, expected="finalizing or completed, for all requests are answered",
               got=f"in_progress for {lingers_s:.0f} s more", at=f"{exchange.id} /status")  # fmt: skip
    if not is_final("Batch", told[-1][1].get("status")):
        completed(exchanges)


# ------------------------------------------------------------------------------------------------ the rest


@clause("batches.endpoint", level="MUST", source="SPEC CreateBatchRequest.endpoint; ERR-LATE 400", on=steps(LIFE))
def an_unknown_endpoint_is_refused(exchanges: list[Exchange]) -> None:
    """A batch for an endpoint that there is not is refused with 400, or 422."""
    first_made(exchanges, "createBatch", "batch")
    expect_turned_down(
        asked_for(exchanges, "createBatch", lambda e: e.request.asked.get("endpoint") == "/v1/wireproof")
    )


@clause(
    "batches.input-file", level="MUST", source="SPEC CreateBatchRequest.input_file_id; ERR-LATE 404", on=steps(LIFE)
)
def an_unknown_file_is_refused(exchanges: list[Exchange]) -> None:
    """A batch of a file that there is not is refused with 400 or 404, or fails as it is validated."""
    first_made(exchanges, "createBatch", "batch")
    exchange = asked_for(exchanges, "createBatch", lambda e: e.request.asked.get("input_file_id") == UNKNOWN_FILE)
    if is_ok(exchange):
        raise NotApplicable("the file is looked for later, as the batch is validated")
    expect_turned_down(exchange, 404)


def _cancelled(exchanges: list[Exchange]) -> list[tuple[Exchange, dict[str, Any]]]:
    """All that was told of the batch that was cancelled on its way: the second, if there was one."""
    try:
        return batches_told(exchanges, 1)
    except NotApplicable:
        return batches_told(exchanges)


@clause("batches.cancel", level="MUST", source="SPEC cancelBatch", on=steps(LIFE))
def a_cancelled_batch_says_so(exchanges: list[Exchange]) -> None:
    """A batch that is cancelled before its end is `cancelling`, and then `cancelled`."""
    first_made(exchanges, "createBatch", "batch")
    told = _cancelled(exchanges)
    id = told[0][1]["id"]
    exchange = asked_for(exchanges, "cancelBatch", lambda e: e.request.path == f"/batches/{id}/cancel")
    if exchange.status in NOT_NOW or exchange.status is None:
        raise Inconclusive(f"{exchange.id} was answered {exchange.status}")
    before = [body for e, body in told if e.step < exchange.step]
    later = [body for e, body in told if e.step > exchange.step]
    if exchange.status in (400, 409) and any(body.get("status") in ("completed", "failed") for body in before + later):
        raise NotApplicable("the batch was at its end before it could be cancelled")
    status = served(exchange, "the batch, being cancelled").get("status")
    known = ("cancelling", "cancelled", "completed", "failed")
    expect(status in known, expected="status cancelling", got=shown(status), at=f"{exchange.id} /status")
    for e, body in told:
        if e.step > exchange.step:
            expect(body.get("status") in known, expected="cancelling or cancelled", got=shown(body.get("status")),
                   at=f"{e.id} /status")  # fmt: skip


@clause("batches.list", level="MUST", source="SPEC listBatches", on=steps(LIFE))
def batches_are_listed(exchanges: list[Exchange]) -> None:
    """A batch that was made is in the list."""
    made = [batches_told(exchanges)[0][1]["id"]]
    exchange = asked_for(exchanges, "listBatches", lambda e: e.request.query.get("limit") == "3")
    body = served(exchange, "a list of batches")
    ids = ids_of(exchange)
    if made[0] not in ids and body.get("has_more") is True:
        raise Inconclusive("others were made in the meantime")
    expect(made[0] in ids, expected=f"{made[0]} in the list", got=shown(ids), at=f"{exchange.id} /data")


@clause("batches.unknown", level="MUST", source="SPEC retrieveBatch; ERR-LATE 404", on=steps(LIFE))
def an_unknown_batch_is_not_found(exchanges: list[Exchange]) -> None:
    """A batch that there is not is not found: 404."""
    first_made(exchanges, "createBatch", "batch")
    exchange = asked_for(exchanges, "retrieveBatch", lambda e: e.request.path == f"/batches/{UNKNOWN}")
    expect(exchange.status != 200, expected="status 404", got=status_of(exchange), at=f"{exchange.id} ")
    expect_gone(exchange)
