"""Departures of batches: states and counts that contradict each other, lines that are lost, doubled or exchanged."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_json
from wireproof.standin.wire import Answer, Ask, Serve

BATCHES = "/v1/batches"
NOT_YET = dict.fromkeys(("output_file_id", "error_file_id", "finalizing_at", "completed_at"))

Edit = Callable[[dict[str, Any]], Any]
Line = dict[str, Any]


def _is_read(ask: Ask) -> bool:
    return ask.method == "GET" and ask.path.startswith(f"{BATCHES}/")


def _edited(ask: Ask, serve: Serve, edit: Edit) -> Answer:
    """`edit` on every batch that is told of, but for those in lists."""
    answer = serve(ask)
    is_meant = ask.path.startswith(BATCHES) and not (ask.method == "GET" and ask.path == BATCHES)
    return edit_json(answer, edit) if is_meant else answer


def _edited_ends(ask: Ask, serve: Serve, edit: Edit) -> Answer:
    """`edit` on a batch that is completed."""
    return _edited(ask, serve, lambda body: edit(body) if body.get("status") == "completed" else None)


def _edited_lines(ask: Ask, serve: Serve, edit: Callable[[list[Line]], list[Line]]) -> Answer:
    """`edit` on the lines of a file of results."""
    answer = serve(ask)
    if ask.method != "GET" or not ask.path.endswith("/content") or b'"response"' not in answer.body:
        return answer
    lines = edit([json.loads(line) for line in answer.body.decode().splitlines()])
    return replace(answer, body="".join(json.dumps(line) + "\n" for line in lines).encode())


def _each_line(ask: Ask, serve: Serve, edit: Edit) -> Answer:
    def every(lines: list[Line]) -> list[Line]:
        for line in lines:
            edit(line)
        return lines

    return _edited_lines(ask, serve, every)


# ---------------------------------------------------------------------------------------------- the batch


@fault("batches.window-missing", breaks="batches.schema", also=("batches.echo",))
def window_is_missing(ask: Ask, serve: Serve) -> Answer:
    """A batch does not tell its completion window."""
    return _edited(ask, serve, lambda body: body.pop("completion_window", None) and None)


@fault("batches.status-complete", breaks="batches.schema", also=("batches.*",))
def status_is_complete(ask: Ask, serve: Serve) -> Answer:
    """A completed batch is `complete`."""
    return _edited_ends(ask, serve, lambda body: body | {"status": "complete"})


@fault("batches.status-capitals", breaks="batches.schema", also=("batches.*",))
def status_is_in_capitals(ask: Ask, serve: Serve) -> Answer:
    """Statuses are written in capitals."""
    return _edited(ask, serve, lambda body: body | {"status": body["status"].upper()})


@fault("batches.metadata-lost", breaks="batches.echo")
def metadata_is_lost(ask: Ask, serve: Serve) -> Answer:
    """A batch has no metadata."""
    return _edited(ask, serve, lambda body: body | {"metadata": None})


@fault("batches.input-renamed", breaks="batches.echo")
def the_input_is_a_copy(ask: Ask, serve: Serve) -> Answer:
    """A batch that is read names another input file than it was made with."""
    answer = serve(ask)
    return edit_json(answer, lambda body: body | {"input_file_id": "file-copy"}) if _is_read(ask) else answer


@fault("batches.revived", breaks="batches.moves", also=("batches.cancel",))
def what_is_over_is_cancelled(ask: Ask, serve: Serve) -> Answer:
    """A completed batch can be cancelled."""
    answer = serve(ask)
    if not ask.path.endswith("/cancel") or answer.status != 409:
        return answer
    told = serve(Ask("GET", ask.path.removesuffix("/cancel"), headers=ask.headers))
    return edit_json(told, lambda body: body | {"status": "cancelling", "completed_at": None})


@fault("batches.time-missing", breaks="batches.times")
def the_end_has_no_time(ask: Ask, serve: Serve) -> Answer:
    """A completed batch has no `completed_at`."""
    return _edited_ends(ask, serve, lambda body: body | {"completed_at": None})


@fault("batches.times-fall", breaks="batches.times")
def times_fall(ask: Ask, serve: Serve) -> Answer:
    """A batch was completed before it was begun."""
    return _edited_ends(ask, serve, lambda body: body | {"completed_at": body["created_at"] - 5})


@fault("batches.completed-early", breaks="batches.times")
def the_end_is_told_before_it_comes(ask: Ask, serve: Serve) -> Answer:
    """`completed_at` is set while the batch is validated."""
    return _edited(
        ask,
        serve,
        lambda body: body | {"completed_at": body["created_at"]} if body.get("status") == "validating" else None,
    )


@fault("batches.failed-uncounted", breaks="batches.counts", also=("batches.totals",))
def failures_are_not_counted(ask: Ask, serve: Serve) -> Answer:
    """`failed` is 0, and the total is that much too small."""

    def edit(body: dict[str, Any]) -> None:
        counts = body["request_counts"]
        body["request_counts"] = {**counts, "failed": 0, "total": counts["total"] - counts["failed"]}

    return _edited(ask, serve, edit)


@fault("batches.counts-fall", breaks="batches.counts")
def counts_fall(ask: Ask, serve: Serve) -> Answer:
    """Until the batch is completed all its requests are counted as failed."""

    def edit(body: dict[str, Any]) -> None:
        counts = body["request_counts"]
        if body["status"] in ("in_progress", "finalizing"):
            body["request_counts"] = {**counts, "completed": 0, "failed": counts["completed"] + counts["failed"]}

    return _edited(ask, serve, edit)


@fault("batches.uncounted", breaks="batches.counted")
def nothing_is_counted(ask: Ask, serve: Serve) -> Answer:
    """A batch has no `request_counts`."""
    return _edited(ask, serve, lambda body: body.pop("request_counts", None) and None)


@fault("batches.stuck", breaks="batches.finishes", also=("batches.cancel",))
def batches_never_end(ask: Ask, serve: Serve) -> Answer:
    """A batch is in progress for ever."""

    def edit(body: dict[str, Any]) -> Any:
        return body | NOT_YET | {"status": "in_progress"} if body["status"] in ("finalizing", "completed") else None

    return _edited(ask, serve, edit)


@fault("batches.stuck-and-busy", breaks="batches.finishes")
def batches_neither_end_nor_are_cancelled(ask: Ask, serve: Serve) -> Answer:
    """A batch is in progress for ever, and whoever cancels it is told to come again later."""
    answer = batches_never_end(ask, serve)
    return replace(answer, status=503) if ask.path.endswith("/cancel") and answer.status == 409 else answer


# ---------------------------------------------------------------------------------------------- the files


@fault("batches.output-missing", breaks="batches.files", also=("batches.*",))
def there_are_no_files(ask: Ask, serve: Serve) -> Answer:
    """A completed batch names no file."""
    return _edited_ends(ask, serve, lambda body: body | {"output_file_id": None, "error_file_id": None})


@fault("batches.files-elsewhere", breaks="batches.files")
def results_cannot_be_read(ask: Ask, serve: Serve) -> Answer:
    """The files of a completed batch are not found."""
    answer = serve(ask)
    is_result = ask.method == "GET" and ask.path.endswith("/content") and b'"response"' in answer.body
    return serve(replace(ask, path="/v1/files/file-elsewhere/content")) if is_result else answer


@fault("batches.bare-bodies", breaks="batches.lines", also=("batches.*",))
def lines_are_bare(ask: Ask, serve: Serve) -> Answer:
    """`response` of a line is the body itself."""
    return _each_line(ask, serve, lambda line: line.update(response=line["response"]["body"]))


@fault("batches.lines-unnamed", breaks="batches.lines")
def lines_have_no_id(ask: Ask, serve: Serve) -> Answer:
    """A line has no `id`."""
    return _each_line(ask, serve, lambda line: line.pop("id"))


@fault("batches.line-lost", breaks="batches.answers", also=("batches.own", "batches.totals"))
def a_line_is_lost(ask: Ask, serve: Serve) -> Answer:
    """The last line of the output is missing."""
    return _edited_lines(ask, serve, lambda lines: lines[:-1] if len(lines) > 1 else lines)


@fault("batches.line-doubled", breaks="batches.answers", also=("batches.line-ids", "batches.totals"))
def a_line_comes_twice(ask: Ask, serve: Serve) -> Answer:
    """The first line of each file comes twice."""
    return _edited_lines(ask, serve, lambda lines: lines[:1] + lines)


@fault("batches.custom-id-changed", breaks="batches.answers")
def failures_have_another_id(ask: Ask, serve: Serve) -> Answer:
    """The `custom_id` of what was refused comes back in capitals."""

    def edit(line: Line) -> None:
        if line["response"]["status_code"] >= 400:
            line["custom_id"] = line["custom_id"].upper()

    return _each_line(ask, serve, edit)


@fault("batches.line-ids-alike", breaks="batches.line-ids")
def lines_share_an_id(ask: Ask, serve: Serve) -> Answer:
    """Every line has the id of the batch."""
    return _each_line(ask, serve, lambda line: line.update(id="batch_req_1"))


@fault("batches.one-file", breaks="batches.sides")
def everything_is_in_the_output(ask: Ask, serve: Serve) -> Answer:
    """The two files are told the other way round."""
    return _edited_ends(
        ask,
        serve,
        lambda body: body | {"output_file_id": body["error_file_id"], "error_file_id": body["output_file_id"]},
    )


@fault("batches.miscounted", breaks="batches.totals")
def counts_are_of_another(ask: Ask, serve: Serve) -> Answer:
    """Failed requests are counted as completed."""

    def edit(body: dict[str, Any]) -> None:
        counts = body["request_counts"]
        body["request_counts"] = {**counts, "completed": counts["completed"] + counts["failed"], "failed": 0}

    return _edited(ask, serve, edit)


@fault("batches.crossed", breaks="batches.own")
def answers_are_crossed(ask: Ask, serve: Serve) -> Answer:
    """The answers of two requests are exchanged."""

    def swap(lines: list[Line]) -> list[Line]:
        ids = [line["custom_id"] for line in lines]
        return [{**line, "custom_id": id} for line, id in zip(lines, ids[::-1], strict=True)]

    return _edited_lines(ask, serve, swap)


@fault("batches.bodies-text", breaks="batches.bodies", also=("batches.own",))
def bodies_are_text(ask: Ask, serve: Serve) -> Answer:
    """The body of an answer is JSON in a string."""
    return _each_line(ask, serve, lambda line: line["response"].update(body=json.dumps(line["response"]["body"])))


# ------------------------------------------------------------------------------------------------ the rest


@fault("batches.endpoint-unchecked", breaks="batches.endpoint")
def any_endpoint_is_taken(ask: Ask, serve: Serve) -> Answer:
    """A batch for an endpoint that there is not is made."""
    if ask.method == "POST" and ask.path == BATCHES and ask.asked.get("endpoint") == "/v1/wireproof":
        made = serve(ask.changed(endpoint="/v1/embeddings"))
        return edit_json(made, lambda body: body | {"endpoint": "/v1/wireproof"})
    return serve(ask)


@fault("batches.input-crash", breaks="batches.input-file")
def an_unknown_file_crashes(ask: Ask, serve: Serve) -> Answer:
    """500 for an input file that there is not."""
    answer = serve(ask)
    is_meant = ask.method == "POST" and ask.path == BATCHES and answer.status == 404
    return replace(answer, status=500) if is_meant else answer


@fault("batches.cancel-ignored", breaks="batches.cancel", also=("batches.moves",))
def cancellations_are_ignored(ask: Ask, serve: Serve) -> Answer:
    """Cancelling answers 200 and changes nothing."""
    if ask.method == "POST" and ask.path.endswith("/cancel") and ask.path.startswith(BATCHES):
        return serve(Ask("GET", ask.path.removesuffix("/cancel"), headers=ask.headers))
    return serve(ask)


@fault("batches.unlisted", breaks="batches.list")
def batches_are_not_listed(ask: Ask, serve: Serve) -> Answer:
    """The list of batches is empty."""
    bare: dict[str, Any] = {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}
    answer = serve(ask)
    return edit_json(answer, lambda _: bare) if ask.method == "GET" and ask.path == BATCHES else answer


@fault("batches.unknown-made-up", breaks="batches.unknown", also=("batches.schema",))
def an_unknown_batch_is_made_up(ask: Ask, serve: Serve) -> Answer:
    """A batch that there is not is in progress."""
    answer = serve(ask)
    if not _is_read(ask) or answer.status != 404:
        return answer
    body = {"id": ask.path.rpartition("/")[2], "object": "batch", "status": "in_progress"}
    return replace(answer, status=200).with_json(body)


@fault("batches.unknown-crash", breaks="batches.unknown")
def an_unknown_batch_crashes(ask: Ask, serve: Serve) -> Answer:
    """500 for a batch that there is not."""
    answer = serve(ask)
    return replace(answer, status=500) if _is_read(ask) and answer.status == 404 else answer
