"""Batches: the requests of a file, put to the other operations a few at a time, their answers written to files.

A life: `validating` reads the file; `in_progress` answers a slice of lines every so often; `finalizing` writes the
files. What is still to do and what is done are tables of the batch, so a restart goes on where it stopped. Lines of
the output are in no order, as the API warns: whoever goes by their place instead of `custom_id` shall notice here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import islice
from typing import Any

from wireproof.standin import batch_input
from wireproof.standin.call import Call
from wireproof.standin.paging import page, public
from wireproof.standin.prose import dice
from wireproof.standin.refusals import Refused, invalid
from wireproof.standin.resources import files
from wireproof.standin.serving import deed, serves
from wireproof.standin.store import Row, Table
from wireproof.standin.wire import Answer, json_answer, refusal
from wireproof.standin.world import World

KIND = "batches"
# Source: SPEC, completion_window 24h.
LIFE_S = 24 * 3600
# Ours: how long each step takes at the ordinary pace.
VALIDATING_S, SLICE_S, FINALIZING_S, CANCELLING_S = 1.0, 0.5, 1.0, 2.0
UNFINISHED = frozenset(("validating", "in_progress", "finalizing", "cancelling"))
# Everything that comes to a batch, absent until it does: null in the examples of the guide.
TO_COME = (
    *("model", "errors", "usage", "output_file_id", "error_file_id", "in_progress_at", "finalizing_at"),
    *("completed_at", "failed_at", "expired_at", "cancelling_at", "cancelled_at"),
)


@serves("createBatch")
def create(world: World, call: Call) -> Answer:
    body, created = call.body, int(call.now)
    file = files.file_named(world, body["input_file_id"], "input_file_id")
    if file["purpose"] != "batch":
        raise invalid(f"Invalid purpose of {file['id']}: expected 'batch', but got '{file['purpose']}'.",
                      "input_file_id", "invalid_value")  # fmt: skip
    row: Row = {
        "id": call.id("batch_"),
        "object": "batch",
        "endpoint": body["endpoint"],
        "input_file_id": file["id"],
        "completion_window": body["completion_window"],
        "status": "validating",
        "created_at": created,
        "expires_at": created + LIFE_S,
        "request_counts": {"total": 0, "completed": 0, "failed": 0},
        "metadata": body.get("metadata"),
        **dict.fromkeys(TO_COME),
        "_output_expires_after": body.get("output_expires_after"),
        "_tokens": 0,
    }
    world.table(KIND).put(row["id"], row)
    world.at(call.now + world.lasts(VALIDATING_S), "batches.validate", row["id"])
    world.at(row["expires_at"], "batches.expire", row["id"])
    return json_answer(public(row))


@serves("listBatches")
def listed(world: World, call: Call) -> Answer:
    return page(world.table(KIND).rows()[::-1], call)


@serves("retrieveBatch")
def one(world: World, call: Call) -> Answer:
    return json_answer(public(_asked(world, call)))


@serves("cancelBatch")
def cancel(world: World, call: Call) -> Answer:
    batch = _asked(world, call)
    if batch["status"] not in UNFINISHED:
        raise Refused(refusal(409, f"Cannot cancel a batch with status '{batch['status']}'."))
    if batch["status"] != "cancelling":
        batch = _moved(world, batch, "cancelling")
        world.at(call.now + world.lasts(CANCELLING_S), "batches.cancelled", batch["id"])
    return json_answer(public(batch))


# ---- what happens by itself


@deed("batches.validate")
def validate(world: World, id: str, now: float) -> None:
    batch = _in(world, id, "validating")
    if batch is None:
        return
    data = world.table(files.KIND).data(batch["input_file_id"])
    given = batch_input.read(data, batch["endpoint"], world.models, world.setup.sizes)
    errors = given.errors or _too_much_queued(world, batch, given)
    if errors:
        _moved(world, batch, "failed", errors={"object": "list", "data": errors})
        return
    for number, request in enumerate(given.requests):
        _requests(world, id).put(str(number), request)
    model = world.models.get(given.model or "")
    _moved(
        world,
        batch,
        "in_progress",
        model=model.snapshot if model else given.model,
        request_counts={"total": len(given.requests), "completed": 0, "failed": 0},
        usage=usage_of({}),
        _tokens=given.tokens,
        _model=given.model,
    )
    world.at(now + world.lasts(SLICE_S), "batches.run", id)


@deed("batches.run")
def run(world: World, id: str, now: float) -> None:
    """Answers one slice of what is left, and comes back for the next."""
    batch = _in(world, id, "in_progress")
    if batch is None:
        return
    left = _requests(world, id)
    counts, used = dict(batch["request_counts"]), dict(batch["usage"])
    for number in list(islice(left, world.setup.sizes.batch_slice)):
        answer = _answer(world, left.found(number, "no such line"))
        counts["failed" if answer.status >= 400 else "completed"] += 1
        used = added(used, usage_of(answer.json))
        response = {
            "status_code": answer.status,
            "request_id": answer.header("x-request-id"),
            "body": answer.json,
        }
        _settle(world, id, number, response, None)
    batch = {**batch, "request_counts": counts, "usage": used}
    if len(left):
        world.table(KIND).put(id, batch)
        world.at(now + world.lasts(SLICE_S), "batches.run", id)
    else:
        _moved(world, batch, "finalizing")
        world.at(now + world.lasts(FINALIZING_S), "batches.finish", id)


@deed("batches.finish")
def finish(world: World, id: str, now: float) -> None:
    batch = _in(world, id, "finalizing")
    if batch is not None:
        _ended(world, batch, "completed")


@deed("batches.cancelled")
def cancelled(world: World, id: str, now: float) -> None:
    batch = _in(world, id, "cancelling")
    if batch is not None:
        _ended(world, batch, "cancelled")


@deed("batches.expire")
def expire(world: World, id: str, now: float) -> None:
    """What was not answered in time is told as such, line by line, in the file of errors."""
    batch = _in(world, id, "validating", "in_progress", "finalizing")
    if batch is None:
        return
    late = {"code": "batch_expired", "message": "This request could not be executed before the window expired."}
    left = list(_requests(world, id))
    for number in left:
        _settle(world, id, number, None, late)
    counts = batch["request_counts"]
    _ended(world, {**batch, "request_counts": {**counts, "failed": counts["failed"] + len(left)}}, "expired")


# ---- how


def _answer(world: World, request: Row) -> Answer:
    if request["body"].get("stream"):
        return refusal(400, "Streaming is not supported in a batch.", param="stream", code="unsupported_parameter")
    return world.perform("POST", request["url"], request["body"])


def _settle(world: World, id: str, number: str, response: Any, error: Any) -> None:
    """A request becomes a line of the result."""
    request = _requests(world, id).found(number, "no such line")
    line = {
        "id": world.id("batch_req_"),
        "custom_id": request["custom_id"],
        "response": response,
        "error": error,
    }
    _results(world, id).put(number, line)
    _requests(world, id).delete(number)


def _ended(world: World, batch: Row, status: str) -> None:
    """The results become files; there is no file without a line."""
    lines = _results(world, batch["id"]).rows()
    dice("batch", batch["id"]).shuffle(lines)
    good = [line for line in lines if line["response"] and line["response"]["status_code"] < 400]
    bad = [line for line in lines if not (line["response"] and line["response"]["status_code"] < 400)]
    _moved(
        world,
        batch,
        status,
        output_file_id=_written(world, batch, "output", good),
        error_file_id=_written(world, batch, "error", bad),
    )
    _requests(world, batch["id"]).clear()
    _results(world, batch["id"]).clear()


def _written(world: World, batch: Row, what: str, lines: list[Row]) -> str | None:
    if not lines:
        return None
    data = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode("utf-8", "replace")
    file = files.keep(
        world, f"{batch['id']}_{what}.jsonl", data, "batch_output", batch["_output_expires_after"]
    )  # fmt: skip
    return str(file["id"])


def _moved(world: World, batch: Row, status: str, **fields: Any) -> Row:
    """The batch in another status, which it tells the time of."""
    moved = {**batch, **fields, "status": status, f"{status}_at": int(world.now)}
    world.table(KIND).put(batch["id"], moved)
    return moved


def _too_much_queued(world: World, batch: Row, given: batch_input.BatchInput) -> list[batch_input.Error]:
    """Source: the rate-limits guide: enqueued input tokens are limited, and free again when their batch ends."""
    model = world.models.get(given.model or "")
    most = world.limits[model.limits_as].batch_tokens if model else None
    if model is None or most is None:
        return []
    group = world.limits[model.limits_as].group
    queued = sum(
        other["_tokens"]
        for other in world.table(KIND).rows()
        if other["status"] in UNFINISHED
        and (known := world.models.get(other.get("_model") or ""))
        and world.limits[known.limits_as].group == group
    )
    if queued + given.tokens <= most:
        return []
    return [
        batch_input.error(
            "token_limit_exceeded",
            f"Enqueued token limit reached for {model.id} in organization org-standin. Limit: {most} enqueued tokens. "
            "Please try again once some in_progress batches have been completed.",
        )
    ]


def usage_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """What an answer says it used, in the words of a batch, whichever operation gave it."""
    told = body.get("usage") or {}
    into = told.get("input_tokens_details") or told.get("prompt_tokens_details") or {}
    out = told.get("output_tokens_details") or told.get("completion_tokens_details") or {}
    taken = told.get("input_tokens", told.get("prompt_tokens", 0))
    given = told.get("output_tokens", told.get("completion_tokens", 0))
    return {
        "input_tokens": taken,
        "input_tokens_details": {"cached_tokens": into.get("cached_tokens") or 0},
        "output_tokens": given,
        "output_tokens_details": {"reasoning_tokens": out.get("reasoning_tokens") or 0},
        "total_tokens": taken + given,
    }


def added(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Sums, key by key."""
    return {key: added(one[key], other[key]) if isinstance(one[key], dict) else one[key] + other[key] for key in one}


def _asked(world: World, call: Call) -> Row:
    id = call.path["batch_id"]
    return world.table(KIND).found(id, f"No batch found with id '{id}'.", "batch_id")


def _in(world: World, id: str, *statuses: str) -> Row | None:
    """The batch when it is in one of these, None when its life took another turn meanwhile."""
    batch = world.table(KIND).get(id)
    return batch if batch is not None and batch["status"] in statuses else None


def _requests(world: World, id: str) -> Table:
    return world.table("batch.requests", id)


def _results(world: World, id: str) -> Table:
    return world.table("batch.results", id)
