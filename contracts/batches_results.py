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
    LIFE_S,
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
    told_files,
)
from ._life import asked_for, expect_same, ids_of, is_ok, of_path, served
from ._reading import as_object, maybe_object


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


@clause("batches.output-file", level="MUST", source="SPEC OpenAIFile.purpose: batch_output", on=steps(LIFE))
def results_are_files(exchanges: list[Exchange]) -> None:
    """The file of the answers is a File of purpose `batch_output`, of the size of its content."""
    contents = files_of(exchanges)
    told = told_files(exchanges)
    if not told:
        raise NotApplicable("the files of results were not asked for")
    for name, exchange in told.items():
        body = served(exchange, f"the file that {name} names")
        expect_same(exchange, body, {"purpose": "batch_output"}, "purpose")
        if name in contents:
            expect_same(exchange, body, {"bytes": len(contents[name].body)}, "bytes")


@clause("batches.output-expiry", level="MUST", source="SPEC BatchFileExpirationAfter", on=steps(LIFE),
        fields=("output_expires_after",))  # fmt: skip
def results_expire_as_asked(exchanges: list[Exchange]) -> None:
    """With `output_expires_after` the file of the answers expires so many seconds after it was created."""
    if "output_expires_after" not in batches_told(exchanges)[0][0].request.asked:
        raise NotApplicable("no batch was made whose results expire")
    judged = False
    for exchange in told_files(exchanges).values():
        body = maybe_object(exchange)
        created, expires = body.get("created_at"), body.get("expires_at")
        if not is_ok(exchange) or type(created) is not int:
            continue
        judged = True
        expect(expires == created + LIFE_S, expected=f"expires_at {created + LIFE_S}", got=shown(expires),
               at=f"{exchange.id} /expires_at")  # fmt: skip
    if not judged:
        raise NotApplicable("no file of results was told")


@clause("batches.lines", level="MUST", source="DOCS-0715 batch: output file", on=steps(LIFE))
def results_are_lines_of_json(exchanges: list[Exchange]) -> None:
    """Each line of the files is `{id, custom_id, response: {status_code, request_id, body} or null, error or null}`."""
    schema = load_spec().schema("BatchResultLine")
    for exchange in files_of(exchanges).values():
        for number, line in lines_of(exchange):
            expect(line is not None, expected="a line of JSON", got="none", at=f"{exchange.id} /{number}")
            for wrong in schema.breaches(line):
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


@clause("batches.line-ids", level="SHOULD", source="DOCS-0715 batch: id, request_id of a line", on=steps(LIFE))
def lines_have_ids_of_their_own(exchanges: list[Exchange]) -> None:
    """No two lines share an `id`, nor a `request_id`, nor do two answers share theirs."""
    seen: set[tuple[str, str]] = set()
    for _, at, line in results(exchanges):
        response = as_object(line.get("response"))
        ids = {"/id": line.get("id"), "/response/request_id": response.get("request_id")}
        ids["/response/body/id"] = as_object(response.get("body")).get("id")
        for place, id in ids.items():
            if isinstance(id, str) and id:
                expect((place, id) not in seen, expected="an id of its own", got=id, at=f"{at}{place}")
                seen.add((place, id))


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


@clause("batches.refusals", level="MUST", source="SPEC Error; DOCS-0715 batch: error file", on=steps(LIFE))
def refused_lines_say_why(exchanges: list[Exchange]) -> None:
    """The line of a wrong request has the error of the endpoint: a status of 400 to 499, and a message."""
    lines = [(at, line) for _, at, line in results(exchanges) if line.get("custom_id") == WRONG and not is_good(line)]
    if not lines:
        raise NotApplicable("the wrong request was not refused")
    for at, line in lines:
        response = as_object(line.get("response"))
        error = as_object(line.get("error")) or as_object(as_object(response.get("body")).get("error"))
        words = error.get("message")
        expect(isinstance(words, str) and bool(words), expected="an error with its message", got=shown(line), at=at)
        status = response.get("status_code")
        if response:
            is_theirs = type(status) is int and 400 <= status < 500
            expect(is_theirs, expected="a status of 400 to 499", got=shown(status), at=f"{at}/response/status_code")


# What a batch counts by the names of Responses, chat counts by its own.
COUNTED = {"input_tokens": "prompt_tokens", "output_tokens": "completion_tokens", "total_tokens": "total_tokens"}


@clause("batches.usage", level="SHOULD", source="SPEC Batch.usage", on=steps(LIFE))
def usage_is_that_of_the_lines(exchanges: list[Exchange]) -> None:
    """`usage` of a completed batch, where it is told, is that of its answers together, and adds up."""
    exchange, body = completed(exchanges)
    usage = as_object(body.get("usage"))
    if not usage:
        raise NotApplicable("no usage is told")
    where = f"{exchange.id} /usage"
    counts = {name: usage.get(name) for name in COUNTED}
    taken, given, total = counts.values()
    if not (type(taken) is int and type(given) is int and type(total) is int):
        raise NotApplicable("the usage is not counted: batches.schema judges that")
    expect(total == taken + given, expected=f"total_tokens {taken + given}", got=total, at=f"{where}/total_tokens")
    for name, part in (("input", "cached"), ("output", "reasoning")):
        inside = as_object(usage.get(f"{name}_tokens_details")).get(f"{part}_tokens")
        most = counts[f"{name}_tokens"]
        is_within = type(inside) is not int or type(most) is not int or inside <= most
        expect(is_within, expected=f"at most {most}", got=shown(inside), at=f"{where}/{name}_tokens_details")
    told = [as_object(as_object(as_object(line.get("response")).get("body")).get("usage"))
            for _, _, line in results(exchanges) if is_good(line)]  # fmt: skip
    for name, theirs in COUNTED.items():
        each = [one.get(theirs) for one in told]
        numbers = [count for count in each if type(count) is int]
        if numbers and len(numbers) == len(each):
            expect(counts[name] == sum(numbers), expected=f"{name} {sum(numbers)}, as the lines have it",
                   got=shown(counts[name]), at=f"{where}/{name}")  # fmt: skip


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
        for wrong in schema.breaches(body):
            expect(False, expected=wrong.expected, got=wrong.got, at=f"{at}/response/body{wrong.pointer}")


@clause("batches.model", level="SHOULD", source="SPEC Batch.model: used to process the batch", on=steps(LIFE))
def the_model_is_that_of_the_lines(exchanges: list[Exchange]) -> None:
    """`model` of a completed batch, where it is told, is the one that its answers name, or a name of it in full."""
    exchange, body = completed(exchanges)
    told = body.get("model")
    models = [as_object(as_object(line.get("response")).get("body")).get("model") for _, _, line in results(exchanges)]
    known = {model for model in models if isinstance(model, str) and model}
    if not isinstance(told, str) or not known:
        raise NotApplicable("no model is told")
    is_one = any(told in model or model in told for model in known)
    expect(bool(told) and is_one, expected=f"model {shown(sorted(known))}", got=shown(told), at=f"{exchange.id} /model")


@clause("batches.output-listed", level="SHOULD", source="SPEC listFiles.purpose: batch_output", on=steps(LIFE))
def results_are_listed(exchanges: list[Exchange]) -> None:
    """The file of the answers stands in the list of files of purpose `batch_output`."""
    _, body = completed(exchanges)
    exchange = asked_for(exchanges, "listFiles")
    ids, id = ids_of(exchange), body.get("output_file_id")
    if not is_ok(exchange) or not id:
        raise NotApplicable("no list of results, or no result")
    if id not in ids and maybe_object(exchange).get("has_more") is True:
        raise Inconclusive("others were made in the meantime")
    expect(id in ids, expected=f"{id} in the list", got=shown(ids), at=f"{exchange.id} /data")
