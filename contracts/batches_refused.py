"""What batches refuse: unknown endpoints, files, windows and ids, two requests of one id, cancellations that come late.

No probes of its own: the flow of batches.py asks for all of it.
"""

from __future__ import annotations

from wireproof.clause import Exchange, NotApplicable, clause, expect, shown, steps

from ._batch import LIFE, NO_WINDOW, SHORT, TWICE, UNKNOWN, UNKNOWN_FILE, completed, counts_of
from ._life import (
    asked_for,
    expect_gone,
    expect_same,
    expect_turned_down,
    first_made,
    id_of,
    is_ok,
    of_path,
    status_of,
)
from ._reading import as_object, as_objects, maybe_object


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


@clause("batches.window", level="SHOULD", source="SPEC CreateBatchRequest.completion_window: 24h", on=steps(LIFE))
def an_unknown_window_is_refused(exchanges: list[Exchange]) -> None:
    """A `completion_window` that is no time is refused with 400, or 422."""
    first_made(exchanges, "createBatch", "batch")
    expect_turned_down(
        asked_for(exchanges, "createBatch", lambda e: e.request.asked.get("completion_window") == NO_WINDOW)
    )


def _with_one_id(exchanges: list[Exchange]) -> list[Exchange]:
    """What came of the batch in which two requests have one id: its answers, or what refused it."""
    first_made(exchanges, "createBatch", "batch")
    upload = asked_for(exchanges, "createFile", lambda e: e.request.body.count(f'"{SHORT}"'.encode()) == 2)
    if not is_ok(upload):
        return [upload]
    begun = asked_for(exchanges, "createBatch", lambda e: e.request.asked.get("metadata") == TWICE["metadata"])
    path = f"/batches/{id_of(begun)}"
    return [begun, *(e for e in exchanges if e.request.path == path and is_ok(e))]


@clause("batches.custom-id-unique", level="SHOULD", source="DOCS-0715 batch: a unique custom_id", on=steps(LIFE))
def one_id_is_not_taken_twice(exchanges: list[Exchange]) -> None:
    """Two requests of one `custom_id` are refused, with the file, with the batch, or as it is validated.

    Where both are answered, which answer is whose is nowhere told.
    """
    last = _with_one_id(exchanges)[-1]
    if not is_ok(last):
        expect_turned_down(last)
        return
    body = maybe_object(last)
    if body.get("status") == "completed":
        failed = (counts_of(body) or {}).get("failed", 0)
        expect(failed > 0, expected="a batch that failed, or one of the two requests", got="both completed",
               at=f"{last.id} /status")  # fmt: skip
    elif body.get("status") != "failed":
        raise NotApplicable(f"still {body.get('status')} when we stopped looking")


@clause("batches.why", level="MUST", source="SPEC Batch.errors: list of {code, message, param, line}", on=steps(LIFE))
def a_failed_batch_says_why(exchanges: list[Exchange]) -> None:
    """A batch that failed tells `errors`, at least one with `code` and `message`; a completed one has none."""
    told = [(e, maybe_object(e)) for e in exchanges if e.operation in ("createBatch", "retrieveBatch") and is_ok(e)]
    judged = False
    for exchange, body in told:
        errors = as_objects(as_object(body.get("errors")).get("data"))
        where = f"{exchange.id} /errors"
        if body.get("status") == "failed":
            judged = True
            expect(bool(errors), expected="a list of errors", got=shown(body.get("errors")), at=where)
            for error in errors:
                words = [error.get(name) for name in ("code", "message")]
                is_said = all(isinstance(word, str) and word for word in words)
                expect(is_said, expected="code and message", got=shown(error), at=where)
        elif body.get("status") == "completed":
            judged = True
            expect(not errors, expected="no errors of a batch that is completed", got=shown(errors), at=where)
    if not judged:
        raise NotApplicable("no batch came to its end while we looked")


@clause("batches.over", level="SHOULD", source="SPEC cancelBatch, Batch.status", on=steps(LIFE))
def what_is_over_is_not_cancelled(exchanges: list[Exchange]) -> None:
    """Cancelling a completed batch is refused with 400, or 404, 409, or answered with the batch as it is."""
    done, body = completed(exchanges)
    path = f"/batches/{body.get('id')}/cancel"
    late = asked_for(exchanges, "cancelBatch", of_path(path), after=done)
    if is_ok(late):
        expect_same(late, maybe_object(late), body, "status")
    else:
        expect_turned_down(late, 404, 409)


@clause("batches.unknown", level="MUST", source="SPEC retrieveBatch; ERR-LATE 404", on=steps(LIFE))
def an_unknown_batch_is_not_found(exchanges: list[Exchange]) -> None:
    """A batch that there is not is not found: 404, nor can it be cancelled."""
    first_made(exchanges, "createBatch", "batch")
    exchange = asked_for(exchanges, "retrieveBatch", lambda e: e.request.path == f"/batches/{UNKNOWN}")
    expect(exchange.status != 200, expected="status 404", got=status_of(exchange), at=f"{exchange.id} ")
    expect_gone(exchange)
    expect_turned_down(asked_for(exchanges, "cancelBatch", of_path(f"/batches/{UNKNOWN}/cancel")), 404)
