"""The batch that batches.py sends, and reading what became of it: the states it was told in, the lines of its files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from wireproof.clause import MODEL, Exchange, Inconclusive, NotApplicable, Undecodable, parse_json

from ._life import first_made, id_of, is_final, is_ok
from ._reading import as_object, maybe_object

LIFE = "batches.life"
# As clients make them of rows and documents: a server that cleans them up breaks what goes by them.
SHORT, WRONG, LONG = "wp-Short.1", "wp:Wrong/2", "wp_Long 3"
CUSTOM_IDS = (SHORT, WRONG, LONG)
LABELS = {"purpose": "wireproof", "stage": "made"}
ASKED = {"endpoint": "/v1/chat/completions", "completion_window": "24h", "metadata": LABELS}
# What is asked wrongly has labels of its own, should it be taken all the same.
WRONGLY = {**ASKED, "metadata": {"purpose": "wireproof", "stage": "wrong"}}
TWICE = {**ASKED, "metadata": {"purpose": "wireproof", "stage": "twice"}}
# How long the results are to live, where that may be said.
LIFE_S = 7200
EXPIRY = {"output_expires_after": {"anchor": "created_at", "seconds": LIFE_S}}
UNKNOWN, UNKNOWN_FILE = "batch_wireproofnosuchbatch", "file-wireproofnosuchfile"
NO_WINDOW = "wireproof"


def _line(custom_id: str, said: str, **more: Any) -> str:
    body = {"model": MODEL, "messages": [{"role": "user", "content": said}], "max_tokens": 1, **more}
    return json.dumps({"custom_id": custom_id, "method": "POST", "url": ASKED["endpoint"], "body": body}) + "\n"


# Told apart by what no model can change: one has a prompt of ten times the tokens, one is refused.
INPUT = "".join(
    [_line(SHORT, "Hi"), _line(WRONG, "Hi", temperature=9), _line(LONG, "Name a river. " * 20)],
).encode()


# Two requests of one id: which answer is whose, nobody could tell.
INPUT_TWICE = (_line(SHORT, "Hi") * 2).encode()


def batches_told(exchanges: Sequence[Exchange], which: int = 0) -> list[tuple[Exchange, dict[str, Any]]]:
    """All that was told of the first batch that was made, or of the one after it, in order of time."""
    first_made(exchanges, "createBatch", "batch")
    made = [
        (exchange, id_of(exchange))
        for exchange in exchanges
        if exchange.operation == "createBatch" and is_asked_rightly(exchange) and id_of(exchange)
    ]
    if len(made) <= which:
        raise NotApplicable("no such batch was made")
    start, id = made[which]
    paths = (f"/batches/{id}", f"/batches/{id}/cancel")
    return [
        (exchange, maybe_object(exchange))
        for exchange in exchanges
        if is_ok(exchange) and (exchange is start or exchange.request.path in paths)
    ]


def both(exchanges: Sequence[Exchange]) -> list[list[tuple[Exchange, dict[str, Any]]]]:
    """What was told of the first batch, and of the one that was cancelled after it, if there was one."""
    try:
        return [batches_told(exchanges), batches_told(exchanges, 1)]
    except NotApplicable:
        return [batches_told(exchanges)]


def is_asked_rightly(exchange: Exchange) -> bool:
    asked = exchange.request.asked
    is_of_a_file = asked.get("input_file_id") != UNKNOWN_FILE
    return is_of_a_file and asked.get("endpoint") == ASKED["endpoint"] and asked.get("metadata") == LABELS


def completed(exchanges: Sequence[Exchange]) -> tuple[Exchange, dict[str, Any]]:
    """The batch at its end. NotApplicable when it did not come to it while we looked, or came to another."""
    told = batches_told(exchanges)
    for exchange, body in told:
        if body.get("status") == "completed":
            return exchange, body
    looks = [(exchange, body) for exchange, body in told if exchange.operation != "cancelBatch"]
    cancelled = next((exchange.step for exchange, _ in told if exchange.operation == "cancelBatch"), None)
    last, body = [look for look in looks if cancelled is None or look[0].step < cancelled][-1]
    waited = last.started_unix - told[0][0].started_unix
    if is_final("Batch", body.get("status")):
        raise NotApplicable(f"the batch ended as {body.get('status')}")
    raise NotApplicable(f"still {body.get('status')} after {waited:.0f} s; a batch may take a day")


def counts_of(body: dict[str, Any]) -> dict[str, int] | None:
    """`request_counts` when it has its three whole numbers."""
    counts = as_object(body.get("request_counts"))
    known = {name: counts.get(name) for name in ("total", "completed", "failed")}
    return {k: v for k, v in known.items() if type(v) is int} if all(type(v) is int for v in known.values()) else None


def files_of(exchanges: Sequence[Exchange]) -> dict[str, Exchange]:
    """The contents that were read, by `output_file_id` and `error_file_id`. Inconclusive when one could not be."""
    _, body = completed(exchanges)
    found: dict[str, Exchange] = {}
    for name in ("output_file_id", "error_file_id"):
        id = body.get(name)
        if not isinstance(id, str) or not id:
            continue
        read = [e for e in exchanges if e.request.path == f"/files/{id}/content"]
        if not read or not is_ok(read[0]):
            status = read[0].status if read else "not asked for"
            raise Inconclusive(f"the content of {name} was {status}")
        found[name] = read[0]
    return found


def told_files(exchanges: Sequence[Exchange]) -> dict[str, Exchange]:
    """What was told of the files of results themselves, by `output_file_id` and `error_file_id`."""
    _, body = completed(exchanges)
    asked = {e.request.path: e for e in exchanges if e.operation == "retrieveFile"}
    paths = {name: f"/files/{body.get(name)}" for name in ("output_file_id", "error_file_id")}
    return {name: asked[path] for name, path in paths.items() if path in asked}


def lines_of(exchange: Exchange) -> list[tuple[int, Any]]:
    """The lines of a file of results with their numbers; what is no JSON is None."""
    text = exchange.body.decode("utf-8", "replace")
    return [(number, _read(line)) for number, line in enumerate(text.split("\n"), 1) if line.strip()]


def _read(line: str) -> Any:
    try:
        return parse_json(line)
    except Undecodable:
        return None


def results(exchanges: Sequence[Exchange]) -> list[tuple[str, str, dict[str, Any]]]:
    """`(file, place, line)` of every line that is an object, of both files."""
    return [
        (name, f"{exchange.id} /{number}", line)
        for name, exchange in files_of(exchanges).items()
        for number, line in lines_of(exchange)
        if isinstance(line, dict)
    ]


def is_good(line: dict[str, Any]) -> bool:
    """Whether a line tells of an answer, and not of a refusal or a failure."""
    status = as_object(line.get("response")).get("status_code")
    return not line.get("error") and type(status) is int and status < 400


def prompt_tokens(line: dict[str, Any]) -> int | None:
    body = as_object(as_object(line.get("response")).get("body"))
    tokens = as_object(body.get("usage")).get("prompt_tokens")
    return tokens if type(tokens) is int else None
