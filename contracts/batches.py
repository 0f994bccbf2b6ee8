"""Batches: many requests in a file, answered at leisure; every one of them is answered once, in one of two files.

One flow sends three requests, one of them wrong, and looks again for some twenty seconds. Where the batch is not done
by then it is cancelled, and the clauses about its end do not apply; else a second one is made and cancelled.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator
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
    load_spec,
    shown,
    steps,
)

from ._batch import (
    ASKED,
    CUSTOM_IDS,
    INPUT,
    LIFE,
    LONG,
    SHORT,
    WRONG,
    batches_told,
    completed,
    counts_of,
    files_of,
    is_good,
    lines_of,
    prompt_tokens,
    results,
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
from ._reading import as_object, maybe_object

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


def _of(path: str) -> Callable[[Exchange], bool]:
    return lambda exchange: exchange.request.path == path


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


# ------------------------------------------------------------------------------------------------ the files


@clause("batches.files", level="MUST", source="SPEC Batch.output_file_id, error_file_id", on=steps(LIFE))
def a_completed_batch_has_its_files(exchanges: list[Exchange]) -> None:
    """A completed batch names the files of its answers and of its errors, as far as there are any; both can be read."""
    exchange, body = completed(exchanges)
    ids = [body.get(name) for name in ("output_file_id", "error_file_id")]
    expect(any(isinstance(id, str) and id for id in ids), expected="an output_file_id", got=shown(ids[0]),
           at=f"{exchange.id} /output_file_id")  # fmt: skip
    for id in ids:
        if isinstance(id, str) and id:
            served(asked_for(exchanges, "downloadFile", _of(f"/files/{id}/content")), "the content of the file")


@clause("batches.lines", level="MUST", source="DOCS-0715 batch: output file", on=steps(LIFE))
def results_are_lines_of_json(exchanges: list[Exchange]) -> None:
    """Each line of the files is `{id, custom_id, response: {status_code, request_id, body} or null, error or null}`."""
    schema = load_spec().schema("BatchResultLine")
    for exchange in files_of(exchanges).values():
        for number, line in lines_of(exchange):
            expect(line is not None, expected="a line of JSON", got="none", at=f"{exchange.id} /{number}")
            for wrong in schema.violations(line):
                expect(False, expected=wrong.expected, got=wrong.got, at=f"{exchange.id} /{number}{wrong.pointer}")
            told = as_object(line)
            is_told = bool(told.get("response")) != bool(told.get("error"))
            expect(is_told, expected="a response or an error", got=shown(line), at=f"{exchange.id} /{number}")


@clause("batches.answers", level="MUST", source="DOCS-0715 batch: custom_id", on=steps(LIFE))
def every_request_is_answered_once(exchanges: list[Exchange]) -> None:
    """Every `custom_id` of the input stands in exactly one line of the output or of the errors, and no other does."""
    told = Counter(str(line.get("custom_id")) for _, _, line in results(exchanges))
    files = list(files_of(exchanges).values())
    at = f"{files[0].id} " if files else ""
    for id in CUSTOM_IDS:
        expect(told[id] == 1, expected=f"one line of custom_id {id}", got=f"{told[id]} lines", at=at)
    foreign = sorted(id for id in told if id not in CUSTOM_IDS)
    expect(not foreign, expected=f"only {shown(list(CUSTOM_IDS))}", got=shown(foreign), at=at)


@clause("batches.line-ids", level="SHOULD", source="DOCS-0715 batch: id of a line", on=steps(LIFE))
def lines_have_ids_of_their_own(exchanges: list[Exchange]) -> None:
    """No two lines share an `id`."""
    seen: set[str] = set()
    for _, at, line in results(exchanges):
        id = line.get("id")
        if isinstance(id, str):
            expect(id not in seen, expected="an id of its own", got=id, at=at)
            seen.add(id)


@clause("batches.sides", level="SHOULD", source="SPEC Batch.error_file_id; DOCS-0715 batch", on=steps(LIFE))
def errors_are_in_their_file(exchanges: list[Exchange]) -> None:
    """Answers stand in the output file, and what was refused or failed in the file of errors."""
    for name, at, line in results(exchanges):
        wanted = "output_file_id" if is_good(line) else "error_file_id"
        told = as_object(line.get("response")).get("status_code", line.get("error"))
        expect(name == wanted, expected=f"a line of {shown(told)} in {wanted}", got=name, at=at)


@clause("batches.totals", level="MUST", source="SPEC BatchRequestCounts", on=steps(LIFE))
def counts_are_those_of_the_lines(exchanges: list[Exchange]) -> None:
    """`completed` and `failed` of a completed batch are the numbers of lines with an answer and with a failure."""
    exchange, body = completed(exchanges)
    counts = counts_of(body)
    if counts is None:
        raise NotApplicable("the requests are not counted: batches.counted judges that")
    good = Counter(is_good(line) for _, _, line in results(exchanges))
    for name, number in (("completed", good[True]), ("failed", good[False])):
        expect(counts[name] == number, expected=f"{name} {number}, as the files have it", got=counts[name],
               at=f"{exchange.id} /request_counts/{name}")  # fmt: skip


@clause("batches.own", level="MUST", source="DOCS-0715 batch: custom_id, the order of lines may differ", on=steps(LIFE))
def answers_belong_to_their_requests(exchanges: list[Exchange]) -> None:
    """The line of a `custom_id` has the answer to that request: a long prompt its many tokens, a wrong one its refusal.

    Lines come in any order, so `custom_id` is all that a client can go by.
    """
    lines = {id: (at, line) for _, at, line in results(exchanges) if (id := line.get("custom_id")) in CUSTOM_IDS}
    good = [id for id, (_, line) in lines.items() if is_good(line)]
    if WRONG in good and len(good) < len(lines):
        expect(False, expected=f"a refusal of {WRONG}", got="an answer, while another is refused", at=lines[WRONG][0])
    short, long = (prompt_tokens(lines[id][1]) if id in good else None for id in (SHORT, LONG))
    if short is None or long is None:
        raise Inconclusive("the two prompts were not both answered with usage")
    expect(long > short, expected=f"more prompt_tokens for the long prompt than {short}", got=long, at=lines[LONG][0])


@clause("batches.bodies", level="MUST", source="SPEC CreateChatCompletionResponse; DOCS-0715 batch", on=steps(LIFE))
def bodies_are_those_of_the_endpoint(exchanges: list[Exchange]) -> None:
    """The `body` of an answered line is the object that the endpoint would have answered itself."""
    schema = load_spec().operations["createChatCompletion"].answer_schema(200)
    assert schema is not None
    good = [(at, line) for _, at, line in results(exchanges) if is_good(line)]
    if not good:
        raise NotApplicable("no line tells of an answer")
    for at, line in good:
        body = line["response"].get("body")
        for wrong in schema.violations(body):
            expect(False, expected=wrong.expected, got=wrong.got, at=f"{at}/response/body{wrong.pointer}")


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
