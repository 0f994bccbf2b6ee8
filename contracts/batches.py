"""Batches: many requests in a file, answered at leisure; every one of them is answered once, in one of two files.

One flow sends three requests, one of them wrong, and looks again for some twenty seconds. Where the batch is not done
by then it is cancelled, and the clauses about its end do not apply; else a second one is made and cancelled. What it
has answered is judged in batches_results.py, what it refuses in batches_refused.py.
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
    EXPIRY,
    INPUT,
    INPUT_TWICE,
    LIFE,
    NO_WINDOW,
    TWICE,
    UNKNOWN,
    UNKNOWN_FILE,
    WRONGLY,
    batches_told,
    both,
    completed,
    counts_of,
)
from ._life import (
    ID,
    NOT_NOW,
    asked_for,
    expect_moves,
    expect_now,
    expect_same,
    expect_schema,
    first_made,
    id_of,
    ids_of,
    is_final,
    is_ok,
    rows_of,
    served,
)
from ._reading import maybe_object

# Some twenty seconds in all, the first looks close together: a server that answers at once shows its states.
WAITS_S = (0.5, 0.7, 0.8, 3.0, 6.5, 9.5)
CANCEL_WAITS_S = (2.5, 5.0)
TWICE_WAITS_S = (3.0,)
WINDOW_S = 24 * 3600


def _upload(lines: bytes) -> Call:
    return form("/files", [("purpose", "batch"), ("file", File("wireproof-batch.jsonl", lines))])


@flow(LIFE, most=37, about="send a batch of three requests, wait for it, read its files; cancel another",
      expects="either")  # fmt: skip
def lives_of_batches() -> Flow:
    file = id_of((yield _upload(INPUT)))
    if file is None:
        return
    strays = [file]
    begun = yield Call("POST", "/batches", {**ASKED, **EXPIRY, "input_file_id": file})
    if begun.status in (400, 422):
        begun = yield Call("POST", "/batches", {**ASKED, "input_file_id": file})
    id = id_of(begun)
    if id is not None:
        body = yield from _watched(id, WAITS_S)
        for result in _results_in(body):
            strays.append(result)
            yield Call("GET", f"/files/{result}/content")
            if result == body.get("output_file_id"):
                yield Call("GET", f"/files/{result}")
        cancelled = id
        if body.get("status") == "completed":
            yield Call("GET", "/files", query={"purpose": "batch_output", "limit": "20"})
            yield Call("POST", f"/batches/{id}/cancel")
            yield Call("GET", f"/batches/{id}")
            second = id_of((yield Call("POST", "/batches", {**ASKED, "input_file_id": file})))
            cancelled = second or id
        if cancelled != id or not is_final("Batch", body.get("status")):
            yield Call("POST", f"/batches/{cancelled}/cancel")
            strays += _results_in((yield from _watched(cancelled, CANCEL_WAITS_S)))
        yield _page(limit="1")
        yield _page(limit="1", after=cancelled)
        if cancelled != id:
            yield _page(limit="1", after=id)
        yield _page(limit="3")
        yield from _refused(file, strays)
    for stray in strays:
        yield Call("DELETE", f"/files/{stray}")


def _refused(file: str, strays: list[str]) -> Flow:
    """Lists, batches and ids that are asked for wrongly."""
    yield _page(after=UNKNOWN)
    yield _page(limit="0")
    for wrong in ({"endpoint": "/v1/wireproof"}, {"input_file_id": UNKNOWN_FILE}, {"completion_window": NO_WINDOW}):
        taken = id_of((yield Call("POST", "/batches", {**WRONGLY, "input_file_id": file, **wrong})))
        if taken is not None:
            yield Call("POST", f"/batches/{taken}/cancel")
    yield Call("GET", f"/batches/{UNKNOWN}")
    yield Call("POST", f"/batches/{UNKNOWN}/cancel")
    yield from _twice(strays)


def _twice(strays: list[str]) -> Flow:
    """A batch in which two requests have one id."""
    file = id_of((yield _upload(INPUT_TWICE)))
    if file is None:
        return
    strays.append(file)
    id = id_of((yield Call("POST", "/batches", {**TWICE, "input_file_id": file})))
    if id is None:
        return
    body = yield from _watched(id, TWICE_WAITS_S)
    strays += _results_in(body)
    if not is_final("Batch", body.get("status")):
        yield Call("POST", f"/batches/{id}/cancel")


def _page(**query: str) -> Call:
    return Call("GET", "/batches", query=query)


def _results_in(body: dict[str, Any]) -> list[str]:
    """The files that a batch names and that can stand in a path."""
    ids = [body.get(name) for name in ("output_file_id", "error_file_id")]
    return [id for id in dict.fromkeys(ids) if isinstance(id, str) and ID.fullmatch(id)]


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
    """A batch has the endpoint, input file, window and metadata it was made with, from its first answer to its last.

    Its id and time stay as well, and so do those of its files once they are named.
    """
    for told in both(exchanges):
        wanted = told[0][0].request.asked
        named: dict[str, Any] = {}
        for exchange, body in told:
            expect_same(exchange, body, wanted, "endpoint", "input_file_id", "completion_window", "metadata")
            expect_same(exchange, body, told[0][1], "id", "created_at")
            for name in ("output_file_id", "error_file_id"):
                if name in named:
                    expect_same(exchange, body, named, name)
                elif body.get(name):
                    named[name] = body[name]


@clause("batches.moves", level="MUST", source="SPEC Batch.status; DOCS-0715 batch", on=steps(LIFE))
def a_batch_moves_forward(exchanges: list[Exchange]) -> None:
    """A batch goes from validating over in_progress and finalizing to completed, or off to failed, expired, cancelled.

    What is at its end stays there: clients stop looking.
    """
    for told in both(exchanges):
        expect_moves("Batch", told)


# Of each state the time when it began.
TIMES = ("created_at", "in_progress_at", "finalizing_at", "completed_at")
ENDS = {"completed": "completed_at", "failed": "failed_at", "expired": "expired_at", "cancelled": "cancelled_at"}


@clause("batches.times", level="MUST", source="SPEC Batch.*_at: Unix timestamps in seconds", on=steps(LIFE))
def times_follow_the_states(exchanges: list[Exchange]) -> None:
    """The times of a batch rise as its states follow one another, and the state at its end has its time.

    There is no time of an end that has not come.
    """
    for told in both(exchanges):
        _expect_times(told)


def _expect_times(told: list[tuple[Exchange, dict[str, Any]]]) -> None:
    for exchange, body in told:
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


@clause("batches.expiry", level="SHOULD", source="SPEC Batch.expires_at, completion_window: 24h", on=steps(LIFE))
def a_batch_expires_with_its_window(exchanges: list[Exchange]) -> None:
    """`expires_at` is the end of the window of 24 hours that the batch was made with, within the hour."""
    judged = False
    for exchange, body in [one for told in both(exchanges) for one in told]:
        expires, created = body.get("expires_at"), body.get("created_at")
        if type(expires) is int and type(created) is int:
            judged = True
            is_near = abs(expires - created - WINDOW_S) <= 3600
            expect(is_near, expected=f"expires_at about {created + WINDOW_S}", got=expires,
                   at=f"{exchange.id} /expires_at")  # fmt: skip
    if not judged:
        raise NotApplicable("no time is told")


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
    """A batch that was made is in the list, in the state that it is in, with its counts, files and labels."""
    told = batches_told(exchanges)
    id = told[0][1]["id"]
    exchange = asked_for(exchanges, "listBatches", lambda e: e.request.query.get("limit") == "3")
    body = served(exchange, "a list of batches")
    ids = ids_of(exchange)
    if id not in ids and body.get("has_more") is True:
        raise Inconclusive("others were made in the meantime")
    expect(id in ids, expected=f"{id} in the list", got=shown(ids), at=f"{exchange.id} /data")
    last = told[-1][1]
    if is_final("Batch", last.get("status")):
        row = rows_of(exchange)[ids.index(id)]
        expect_same(exchange, row, last, "status", "output_file_id", "error_file_id", "created_at", "input_file_id")
        expect_same(exchange, row, last, "request_counts", "metadata")
