"""Departures of batches: states and counts that contradict each other, mistakes that are taken or left unexplained."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.batch_edits import (
    BATCHES,
    NOT_YET,
    edited,
    edited_ends,
    is_read,
)
from wireproof.standin.faults.edit import edit_json
from wireproof.standin.wire import Answer, Ask, Serve


@fault("batches.window-missing", breaks="batches.schema", also=("batches.echo",))
def window_is_missing(ask: Ask, serve: Serve) -> Answer:
    """A batch does not tell its completion window."""
    return edited(ask, serve, lambda body: body.pop("completion_window", None) and None)


@fault("batches.status-complete", breaks="batches.schema", also=("batches.*",))
def status_is_complete(ask: Ask, serve: Serve) -> Answer:
    """A completed batch is `complete`."""
    return edited_ends(ask, serve, lambda body: body | {"status": "complete"})


@fault("batches.status-capitals", breaks="batches.schema", also=("batches.*",))
def status_is_in_capitals(ask: Ask, serve: Serve) -> Answer:
    """Statuses are written in capitals."""
    return edited(ask, serve, lambda body: body | {"status": body["status"].upper()})


@fault("batches.metadata-lost", breaks="batches.echo")
def metadata_is_lost(ask: Ask, serve: Serve) -> Answer:
    """A batch has no metadata."""
    return edited(ask, serve, lambda body: body | {"metadata": None})


@fault("batches.input-renamed", breaks="batches.echo", also=("batches.list",))
def the_input_is_a_copy(ask: Ask, serve: Serve) -> Answer:
    """A batch that is read names another input file than it was made with."""
    answer = serve(ask)
    return edit_json(answer, lambda body: body | {"input_file_id": "file-copy"}) if is_read(ask) else answer


@fault("batches.revived", breaks="batches.moves", also=("batches.cancel", "batches.over"))
def what_is_over_is_cancelled(ask: Ask, serve: Serve) -> Answer:
    """A completed batch can be cancelled."""
    answer = serve(ask)
    if not ask.path.endswith("/cancel") or answer.status != 409:
        return answer
    told = serve(Ask("GET", ask.path.removesuffix("/cancel"), headers=ask.headers))
    return edit_json(told, lambda body: body | {"status": "cancelling", "completed_at": None})


@fault("batches.validated-again", breaks="batches.moves")
def batches_are_validated_again(ask: Ask, serve: Serve) -> Answer:
    """A batch whose requests are answered is told to be validated again."""
    return edited(ask, serve, lambda body: body | {"status": "validating"} if body["status"] == "finalizing" else None)


@fault("batches.time-missing", breaks="batches.times")
def the_end_has_no_time(ask: Ask, serve: Serve) -> Answer:
    """A completed batch has no `completed_at`."""
    return edited_ends(ask, serve, lambda body: body | {"completed_at": None})


@fault("batches.times-fall", breaks="batches.times")
def times_fall(ask: Ask, serve: Serve) -> Answer:
    """A batch was completed before it was begun."""
    return edited_ends(ask, serve, lambda body: body | {"completed_at": body["created_at"] - 5})


@fault("batches.completed-early", breaks="batches.times")
def the_end_is_told_before_it_comes(ask: Ask, serve: Serve) -> Answer:
    """`completed_at` is set while the batch is validated."""
    return edited(
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

    return edited(ask, serve, edit)


@fault("batches.counts-fall", breaks="batches.counts")
def counts_fall(ask: Ask, serve: Serve) -> Answer:
    """Until the batch is completed all its requests are counted as failed."""

    def edit(body: dict[str, Any]) -> None:
        counts = body["request_counts"]
        if body["status"] in ("in_progress", "finalizing"):
            body["request_counts"] = {**counts, "completed": 0, "failed": counts["completed"] + counts["failed"]}

    return edited(ask, serve, edit)


@fault("batches.uncounted", breaks="batches.counted")
def nothing_is_counted(ask: Ask, serve: Serve) -> Answer:
    """A batch has no `request_counts`."""
    return edited(ask, serve, lambda body: body.pop("request_counts", None) and None)


@fault("batches.stuck", breaks="batches.finishes", also=("batches.cancel",))
def batches_never_end(ask: Ask, serve: Serve) -> Answer:
    """A batch is in progress for ever."""

    def edit(body: dict[str, Any]) -> Any:
        return body | NOT_YET | {"status": "in_progress"} if body["status"] in ("finalizing", "completed") else None

    return edited(ask, serve, edit)


@fault("batches.stuck-and-busy", breaks="batches.finishes")
def batches_neither_end_nor_are_cancelled(ask: Ask, serve: Serve) -> Answer:
    """A batch is in progress for ever, and whoever cancels it is told to come again later."""
    answer = batches_never_end(ask, serve)
    return replace(answer, status=503) if ask.path.endswith("/cancel") and answer.status == 409 else answer


@fault("batches.output-promised", breaks="batches.echo")
def results_are_promised(ask: Ask, serve: Serve) -> Answer:
    """While it is finalized, a batch names a file of answers that is another one in the end."""
    return edited(
        ask, serve, lambda body: body | {"output_file_id": "file-soon"} if body["status"] == "finalizing" else None
    )


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
    if not is_read(ask) or answer.status != 404:
        return answer
    body = {"id": ask.path.rpartition("/")[2], "object": "batch", "status": "in_progress"}
    return replace(answer, status=200).with_json(body)


@fault("batches.unknown-crash", breaks="batches.unknown")
def an_unknown_batch_crashes(ask: Ask, serve: Serve) -> Answer:
    """500 for a batch that there is not."""
    answer = serve(ask)
    return replace(answer, status=500) if is_read(ask) and answer.status == 404 else answer


@fault("batches.month", breaks="batches.expiry")
def batches_live_for_a_month(ask: Ask, serve: Serve) -> Answer:
    """A batch expires thirty days after it was made, whatever its window."""
    return edited(ask, serve, lambda body: body | {"expires_at": body["created_at"] + 30 * 24 * 3600})


@fault("batches.window-any", breaks="batches.window", also=("batches.echo",))
def any_window_is_taken(ask: Ask, serve: Serve) -> Answer:
    """A window that is no time is taken for a day."""
    is_meant = ask.method == "POST" and ask.path == BATCHES and ask.asked.get("completion_window") == "wireproof"
    return serve(ask.changed(completion_window="24h") if is_meant else ask)


@fault("batches.one-id-twice", breaks="batches.custom-id-unique")
def one_id_is_taken_twice(ask: Ask, serve: Serve) -> Answer:
    """Two requests of one `custom_id` are both answered."""

    def edit(body: dict[str, Any]) -> Any:
        if "duplicate" not in json.dumps(body.get("errors")):
            return None
        counts = {"total": 2, "completed": 2, "failed": 0}
        times = {"failed_at": None, "completed_at": body["failed_at"]}
        return body | times | {"status": "completed", "errors": None, "request_counts": counts}

    return edited(ask, serve, edit)


@fault("batches.unexplained", breaks="batches.why")
def failures_are_not_explained(ask: Ask, serve: Serve) -> Answer:
    """A batch that failed has no `errors`."""
    return edited(ask, serve, lambda body: body | {"errors": None})


@fault("batches.errors-a-list", breaks="batches.why", also=("batches.schema",))
def errors_are_a_list(ask: Ask, serve: Serve) -> Answer:
    """`errors` of a batch that failed is the list itself."""
    return edited(ask, serve, lambda body: body | {"errors": body["errors"]["data"]} if body.get("errors") else None)


@fault("batches.late-crash", breaks="batches.over")
def late_cancellations_crash(ask: Ask, serve: Serve) -> Answer:
    """500 for cancelling what is over."""
    answer = serve(ask)
    return replace(answer, status=500) if ask.path.endswith("/cancel") and answer.status == 409 else answer


@fault("batches.unknown-cancelled", breaks="batches.unknown", also=("batches.schema",))
def unknown_batches_are_cancelled(ask: Ask, serve: Serve) -> Answer:
    """A batch that there is not can be cancelled."""
    answer = serve(ask)
    if not ask.path.startswith(BATCHES) or not ask.path.endswith("/cancel") or answer.status != 404:
        return answer
    return replace(answer, status=200).with_json(
        {"id": ask.path.split("/")[3], "object": "batch", "status": "cancelling"}
    )


@fault("batches.list-behind", breaks="batches.list")
def lists_are_behind(ask: Ask, serve: Serve) -> Answer:
    """In lists every batch is in progress."""

    def edit(body: dict[str, Any]) -> Any:
        return body | {"data": [row | NOT_YET | {"status": "in_progress"} for row in body["data"]]}

    answer = serve(ask)
    return edit_json(answer, edit) if ask.method == "GET" and ask.path == BATCHES else answer
