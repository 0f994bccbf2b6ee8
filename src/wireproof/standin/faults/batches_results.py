"""Departures of the results of batches: lines that are lost, doubled or exchanged, files that are none."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.batch_edits import (
    BATCHES,
    Line,
    each_line,
    edited,
    edited_ends,
    edited_lines,
)
from wireproof.standin.faults.edit import edit_json
from wireproof.standin.wire import Answer, Ask, Serve


@fault("batches.output-missing", breaks="batches.files", also=("batches.*",))
def there_are_no_files(ask: Ask, serve: Serve) -> Answer:
    """A completed batch names no file."""
    return edited_ends(ask, serve, lambda body: body | {"output_file_id": None, "error_file_id": None})


@fault("batches.files-elsewhere", breaks="batches.files")
def results_cannot_be_read(ask: Ask, serve: Serve) -> Answer:
    """The files of a completed batch are not found."""
    answer = serve(ask)
    is_result = ask.method == "GET" and ask.path.endswith("/content") and b'"response"' in answer.body
    return serve(replace(ask, path="/v1/files/file-elsewhere/content")) if is_result else answer


@fault("batches.bare-bodies", breaks="batches.lines", also=("batches.*",))
def lines_are_bare(ask: Ask, serve: Serve) -> Answer:
    """`response` of a line is the body itself."""
    return each_line(ask, serve, lambda line: line.update(response=line["response"]["body"]))


@fault("batches.lines-unnamed", breaks="batches.lines")
def lines_have_no_id(ask: Ask, serve: Serve) -> Answer:
    """A line has no `id`."""
    return each_line(ask, serve, lambda line: line.pop("id"))


@fault("batches.line-lost", breaks="batches.answers", also=("batches.own", "batches.totals", "batches.usage"))
def a_line_is_lost(ask: Ask, serve: Serve) -> Answer:
    """The last line of the output is missing."""
    return edited_lines(ask, serve, lambda lines: lines[:-1] if len(lines) > 1 else lines)


@fault("batches.line-doubled", breaks="batches.answers", also=("batches.line-ids", "batches.totals", "batches.usage"))
def a_line_comes_twice(ask: Ask, serve: Serve) -> Answer:
    """The first line of each file comes twice."""
    return edited_lines(ask, serve, lambda lines: lines[:1] + lines)


@fault("batches.custom-id-changed", breaks="batches.answers")
def failures_have_another_id(ask: Ask, serve: Serve) -> Answer:
    """The `custom_id` of what was refused comes back in capitals."""

    def edit(line: Line) -> None:
        if line["response"]["status_code"] >= 400:
            line["custom_id"] = line["custom_id"].upper()

    return each_line(ask, serve, edit)


@fault("batches.line-ids-alike", breaks="batches.line-ids")
def lines_share_an_id(ask: Ask, serve: Serve) -> Answer:
    """Every line has the id of the batch."""
    return each_line(ask, serve, lambda line: line.update(id="batch_req_1"))


@fault("batches.one-file", breaks="batches.sides")
def everything_is_in_the_output(ask: Ask, serve: Serve) -> Answer:
    """The two files are told the other way round."""
    return edited_ends(
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

    return edited(ask, serve, edit)


@fault("batches.crossed", breaks="batches.own")
def answers_are_crossed(ask: Ask, serve: Serve) -> Answer:
    """The answers of two requests are exchanged."""

    def swap(lines: list[Line]) -> list[Line]:
        ids = [line["custom_id"] for line in lines]
        return [{**line, "custom_id": id} for line, id in zip(lines, ids[::-1], strict=True)]

    return edited_lines(ask, serve, swap)


@fault("batches.bodies-text", breaks="batches.bodies", also=("batches.own", "batches.refusals"))
def bodies_are_text(ask: Ask, serve: Serve) -> Answer:
    """The body of an answer is JSON in a string."""
    return each_line(ask, serve, lambda line: line["response"].update(body=json.dumps(line["response"]["body"])))


@fault("batches.bodies-partial", breaks="batches.bodies")
def bodies_have_no_choices(ask: Ask, serve: Serve) -> Answer:
    """The body of an answer is what was counted, without its choices."""
    return each_line(ask, serve, lambda line: line["response"]["body"].pop("choices", None))


@fault("batches.ids-cleaned", breaks="batches.answers", also=("batches.own", "batches.refusals"))
def ids_are_cleaned(ask: Ask, serve: Serve) -> Answer:
    """What is no letter, digit or dash in a `custom_id` is left out."""
    return each_line(ask, serve, lambda line: line.update(custom_id=re.sub(r"[^A-Za-z0-9-]", "", line["custom_id"])))


@fault("batches.results-of-users", breaks="batches.output-file")
def results_are_files_of_users(ask: Ask, serve: Serve) -> Answer:
    """The files of results have the purpose `user_data`."""
    is_file = ask.method == "GET" and ask.path.startswith("/v1/files/") and not ask.path.endswith("/content")
    answer = serve(ask)
    is_result = is_file and answer.status == 200 and answer.json["purpose"] == "batch_output"
    return edit_json(answer, lambda body: body | {"purpose": "user_data"}) if is_result else answer


@fault("batches.results-unknown", breaks="batches.output-file")
def results_are_unknown(ask: Ask, serve: Serve) -> Answer:
    """The files of results can be read, and are not found by themselves."""
    is_file = ask.method == "GET" and ask.path.startswith("/v1/files/") and not ask.path.endswith("/content")
    answer = serve(ask)
    is_result = is_file and answer.status == 200 and answer.json["purpose"] == "batch_output"
    return serve(replace(ask, path="/v1/files/file-elsewhere")) if is_result else answer


@fault("batches.results-stay", breaks="batches.output-expiry")
def results_stay(ask: Ask, serve: Serve) -> Answer:
    """`output_expires_after` has no effect."""
    is_meant = ask.method == "POST" and ask.path == BATCHES
    return serve(ask.without("output_expires_after") if is_meant else ask)


@fault("batches.request-ids-alike", breaks="batches.line-ids")
def lines_share_a_request_id(ask: Ask, serve: Serve) -> Answer:
    """Every line has the `request_id` of the batch."""
    return each_line(ask, serve, lambda line: line["response"].update(request_id="req_1"))


@fault("batches.refusals-bare", breaks="batches.refusals")
def refusals_are_bare(ask: Ask, serve: Serve) -> Answer:
    """The body of a refused line is null."""

    def edit(line: Line) -> None:
        if line["response"]["status_code"] >= 400:
            line["response"]["body"] = None

    return each_line(ask, serve, edit)


@fault("batches.refusals-crash", breaks="batches.refusals")
def refusals_are_crashes(ask: Ask, serve: Serve) -> Answer:
    """A wrong request in a batch is answered as a fault of the server, 500."""

    def edit(line: Line) -> None:
        if line["response"]["status_code"] >= 400:
            line["response"]["status_code"] = 500

    return each_line(ask, serve, edit)


@fault("batches.usage-of-one", breaks="batches.usage")
def usage_is_of_the_first(ask: Ask, serve: Serve) -> Answer:
    """`usage` of a batch counts one input token."""

    def edit(body: dict[str, Any]) -> Any:
        usage = body.get("usage")
        return (
            body | {"usage": usage | {"input_tokens": 1, "total_tokens": 1 + usage["output_tokens"]}} if usage else None
        )

    return edited_ends(ask, serve, edit)


@fault("batches.usage-unsummed", breaks="batches.usage")
def usage_does_not_add_up(ask: Ask, serve: Serve) -> Answer:
    """`total_tokens` of a batch are its input tokens."""

    def edit(body: dict[str, Any]) -> Any:
        usage = body.get("usage")
        return body | {"usage": usage | {"total_tokens": usage["input_tokens"]}} if usage else None

    return edited_ends(ask, serve, edit)


@fault("batches.model-of-another", breaks="batches.model")
def batches_name_another_model(ask: Ask, serve: Serve) -> Answer:
    """A completed batch names a model that answered none of its requests."""
    return edited_ends(ask, serve, lambda body: body | {"model": "another"})


@fault("batches.results-unlisted", breaks="batches.output-listed")
def results_are_not_listed(ask: Ask, serve: Serve) -> Answer:
    """Files of results are in no list of files."""
    answer = serve(ask)
    if ask.method != "GET" or ask.path != "/v1/files" or ("purpose", "batch_output") not in ask.query:
        return answer
    return edit_json(answer, lambda body: body | {"data": [], "first_id": None, "last_id": None})
