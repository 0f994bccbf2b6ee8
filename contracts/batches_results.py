"""The results of batches: two files of lines, every request answered in one of them, by the object of its endpoint.

No probes of its own: the flow of batches.py reads the files.
"""

from __future__ import annotations

from collections import Counter

from wireproof.clause import (
    Exchange,
    Inconclusive,
    NotApplicable,
    clause,
    expect,
    load_spec,
    shown,
    steps,
)

from ._batch import (
    CUSTOM_IDS,
    LIFE,
    LONG,
    SHORT,
    WRONG,
    completed,
    counts_of,
    files_of,
    is_good,
    lines_of,
    prompt_tokens,
    results,
)
from ._life import asked_for, of_path, served
from ._reading import as_object


@clause("batches.files", level="MUST", source="SPEC Batch.output_file_id, error_file_id", on=steps(LIFE))
def a_completed_batch_has_its_files(exchanges: list[Exchange]) -> None:
    """A completed batch names the files of its answers and of its errors, as far as there are any; both can be read."""
    exchange, body = completed(exchanges)
    ids = [body.get(name) for name in ("output_file_id", "error_file_id")]
    expect(any(isinstance(id, str) and id for id in ids), expected="an output_file_id", got=shown(ids[0]),
           at=f"{exchange.id} /output_file_id")  # fmt: skip
    for id in ids:
        if isinstance(id, str) and id:
            served(asked_for(exchanges, "downloadFile", of_path(f"/files/{id}/content")), "the content of the file")


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
