"""contracts/batches*.py: the flow as the stand-in answers it, the nearest departures, the legal ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from lives import NONSENSE, answered_with, edited, findings, lived, nonsense_at, verdicts, with_fields, without
from made import answer, clauses_of

from wireproof.standin.faults import Departure, all_faults
from wireproof.standin.faults.edit import edit_json
from wireproof.standin.wire import Answer, Ask, Serve, refusal

LIFE = "batches.life"
Modules = tuple[ModuleType, ...]
ONE = "(POST /batches(/.*)?|GET /batches/.*)"


@pytest.fixture(scope="module")
def batches(contract: Callable[[str], ModuleType]) -> Modules:
    return (*map(contract, ("batches", "batches_results", "batches_refused")),)


def test_the_stand_in_keeps_every_clause_and_each_is_judged(batches: Modules) -> None:
    told = verdicts(lived(LIFE), *batches)
    assert {id: (one.outcome, one.reason) for id, one in told.items() if one.outcome != "pass"} == {}


def each_line(change: Callable[[dict[str, Any]], Any]) -> Departure:
    """`change` on every line of the two files."""

    def depart(ask: Ask, serve: Serve) -> Answer:
        answer = serve(ask)
        if not ask.path.endswith("/content") or answer.status != 200:
            return answer
        lines = [json.loads(line) for line in answer.body.splitlines()]
        for line in lines:
            change(line)
        return replace(answer, body="".join(json.dumps(line) + "\n" for line in lines).encode())

    return depart


TURNED = {"validating": "in_progress", "in_progress": "validating", "finalizing": "validating"}


def at_the_end(**fields: Any) -> Departure:
    return edited(ONE, lambda body: body | fields if body.get("status") == "completed" else None)


BROKEN: dict[str, tuple[str, Departure]] = {
    "no id": ("batches.schema", without("GET /batches/.*", "id")),
    "canceled": (
        "batches.schema",
        edited(ONE, lambda body: body | {"status": body["status"].replace("lled", "led")}),
    ),
    "another endpoint": ("batches.echo", with_fields("GET /batches/.*", endpoint="/v1/responses")),
    "made anew": ("batches.echo", edited("GET /batches/.*", lambda b: b | {"created_at": b["created_at"] + 1})),
    "back to validating": (
        "batches.moves",
        edited("GET /batches/.*", lambda body: body | {"status": TURNED.get(body["status"], body["status"])}),
    ),
    "completed and failed": ("batches.times", at_the_end(failed_at=1_795_000_000)),
    "milliseconds": ("batches.times", edited(ONE, lambda b: b | {"created_at": b["created_at"] * 1000})),
    "expired before": ("batches.times", edited(ONE, lambda b: b | {"expires_at": b["created_at"] - 1})),
    "one request less": (
        "batches.counts",
        at_the_end(request_counts={"total": 2, "completed": 1, "failed": 1}),
    ),
    "more answers than requests": (
        "batches.counts",
        at_the_end(request_counts={"total": 3, "completed": 3, "failed": 1}),
    ),
    "counts in words": (
        "batches.counted",
        at_the_end(request_counts={"total": "3", "completed": "2", "failed": "1"}),
    ),
    "an output that is not there": ("batches.files", at_the_end(output_file_id="file-none")),
    "a line that is a list": ("batches.lines", answered_with("GET /files/.*/content", 200, b'["a"]\n')),
    "a line cut in two": ("batches.lines", answered_with("GET /files/.*/content", 200, b'{"id": "a",\n')),
    "neither response nor error": ("batches.lines", each_line(lambda line: line.update(response=None))),
    "another custom_id": ("batches.answers", each_line(lambda line: line.update(custom_id=line["id"]))),
    "good lines in the errors": (
        "batches.sides",
        edited(
            ONE,
            lambda b: (
                b | {"output_file_id": b["error_file_id"], "error_file_id": b["output_file_id"]}
                if b.get("status") == "completed"
                else None
            ),
        ),
    ),
    "failed as completed": (
        "batches.totals",
        at_the_end(request_counts={"total": 3, "completed": 1, "failed": 2}),
    ),
    "bodies without choices": (
        "batches.bodies",
        each_line(lambda line: line["response"]["body"].pop("choices", None)),
    ),
    "an unknown endpoint crashes": (
        "batches.endpoint",
        lambda ask, serve: (
            replace(a, status=500) if (a := serve(ask)).status == 400 and ask.path == "/v1/batches" else a
        ),
    ),
    "a cancellation refused": ("batches.cancel", answered_with("POST /batches/.*/cancel", 400)),
    "a list refused": ("batches.list", answered_with("GET /batches", 404)),
    "a model in part": ("batches.model", at_the_end(model="")),
    "results in no list": ("batches.output-listed", with_fields("GET /files", data=[], has_more=False)),
    "a week": ("batches.expiry", edited(ONE, lambda b: b | {"expires_at": b["created_at"] + 7 * 86_400})),
    "an unknown window crashes": (
        "batches.window",
        lambda ask, serve: replace(a, status=500) if (a := serve(ask)).status == 400 and ask.method == "POST" else a,
    ),
    "errors without words": (
        "batches.why",
        edited(ONE, lambda b: b | {"errors": {"data": [{"code": "x"}]}} if b["errors"] else None),
    ),
    "errors of what went well": ("batches.why", at_the_end(errors={"data": [{"code": "x", "message": "y"}]})),
    "cancelled when it is over": (
        "batches.over",
        lambda ask, serve: replace(a, status=200, body=b"{}") if (a := serve(ask)).status == 409 else a,
    ),
    "files of another size": ("batches.output-file", edited("GET /files/[^/]+", lambda b: b | {"bytes": 1})),
    "files that stay": ("batches.output-expiry", edited("GET /files/[^/]+", lambda b: b | {"expires_at": None})),
    "refusals in a word": ("batches.refusals", each_line(lambda line: line["response"]["body"].update(error="no"))),
    "usage of another": (
        "batches.usage",
        at_the_end(usage={"input_tokens": 1, "output_tokens": 1, "total_tokens": 3}),
    ),
    "another state in the list": (
        "batches.list",
        edited("GET /batches", lambda b: b | {"data": [row | {"status": "expired"} for row in b["data"]]}),
    ),
    "an unknown batch crashes": (
        "batches.unknown",
        lambda ask, serve: replace(a, status=500) if (a := serve(ask)).status == 404 and "batch_w" in ask.path else a,
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_departure_breaks_its_clause(batches: Modules, name: str) -> None:
    clause, departure = BROKEN[name]
    assert clause in findings(lived(LIFE, departure), *batches)


def test_every_clause_has_a_departure(batches: Modules) -> None:
    shown = {clause for clause, _ in BROKEN.values()} | {fault.breaks for fault in all_faults().values()}
    assert {one.clause.id for one in clauses_of(*batches)} - shown == set()


# ------------------------------------------------------------------------------------------------ controls


def without_nulls(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}


def sized(depart: Departure) -> Departure:
    """The same, with files of results of the size that they have then."""

    def both(ask: Ask, serve: Serve) -> Answer:
        answer = depart(ask, serve)
        if not ask.path.startswith("/v1/files/") or ask.path.endswith("/content") or ask.method != "GET":
            return answer
        content = depart(replace(ask, path=f"{ask.path}/content"), serve)
        return edit_json(answer, lambda body: body | {"bytes": len(content.body)})

    return both


def lines_end_in_crlf(ask: Ask, serve: Serve) -> Answer:
    answer = serve(ask)
    return replace(answer, body=answer.body.replace(b"\n", b"\r\n")) if ask.path.endswith("/content") else answer


def told_as_error(line: dict[str, Any]) -> None:
    body = line["response"]["body"]
    if "error" in body:
        line.update(response=None, error={"code": "400", "message": body["error"]["message"]})


def with_status(response: dict[str, Any], status: int) -> None:
    if response["status_code"] >= 400:
        response["status_code"] = status


def one_failed(body: dict[str, Any]) -> dict[str, Any]:
    counts = {"total": 2, "completed": 1, "failed": 1}
    times = {"completed_at": body["failed_at"], "failed_at": None}
    return body | times | {"status": "completed", "errors": None, "request_counts": counts}


LEGAL: dict[str, Departure] = {
    "more keys": edited(ONE, lambda body: body | {"x_vendor": {"region": "eu"}}),
    "absent for null": edited(ONE, without_nulls),
    "no expires_at": without(ONE, "expires_at"),
    "no model and usage": without(ONE, "model", "usage"),
    "no times between": without(ONE, "in_progress_at", "finalizing_at"),
    "no counts before the end": edited(
        ONE, lambda body: body | {"request_counts": None} if body.get("status") != "completed" else None
    ),
    "zeros before the end": edited(
        ONE,
        lambda body: (
            body | {"request_counts": {"total": 0, "completed": 0, "failed": 0}}
            if body.get("status") != "completed"
            else None
        ),
    ),
    "completed in the first answer that is read": edited(
        "GET /batches/.*", lambda body: None if body["status"] != "in_progress" else body | {"status": "validating"}
    ),
    "lines that end in CRLF": sized(lines_end_in_crlf),
    "no usage in the answers": sized(each_line(lambda line: line["response"]["body"].pop("usage", None))),
    "a request id that is null": sized(each_line(lambda line: line["response"].update(request_id=None))),
    "errors beside no response": sized(each_line(told_as_error)),
    "422 for a wrong line": sized(each_line(lambda line: with_status(line["response"], 422))),
    "no expiry of results": lambda ask, serve: (
        refusal(400, "Unknown parameter: 'output_expires_after'.")
        if "output_expires_after" in ask.asked
        else serve(ask)
    ),
    "what is over is told as it is": lambda ask, serve: (
        serve(Ask("GET", ask.path.removesuffix("/cancel"), headers=ask.headers))
        if (answer := serve(ask)).status == 409
        else answer
    ),
    "an empty list of errors": edited(ONE, lambda body: body | {"errors": body["errors"] or {"data": []}}),
    "two of one id are refused with the batch": lambda ask, serve: (
        refusal(400, "Duplicate custom_id.")
        if (ask.asked.get("metadata") or {}).get("stage") == "twice"
        else serve(ask)
    ),
    "one of two of one id fails": edited(ONE, lambda body: one_failed(body) if body["errors"] else None),
    "no cancellation": answered_with("POST /batches/.*/cancel", 501),
    "no lists": answered_with("GET /batches", 501),
    "contents that are not given out": answered_with("GET /files/.*", 403),
    "400 for an unknown file": lambda ask, serve: (
        replace(answer, status=400) if (answer := serve(ask)).status == 404 and ask.method == "POST" else answer
    ),
}


@pytest.mark.parametrize("name", LEGAL)
def test_a_legal_departure_breaks_nothing(batches: Modules, name: str) -> None:
    assert findings(lived(LIFE, LEGAL[name]), *batches) == {}


@pytest.mark.parametrize("pace", [0.01, 0.1, 0.3, 3.0, 1_000_000.0])
def test_slow_and_instant_batches_break_nothing(batches: Modules, pace: float) -> None:
    assert findings(lived(LIFE, pace=pace), *batches) == {}


def test_what_a_slow_batch_will_come_to_is_not_judged(batches: Modules) -> None:
    told = verdicts(lived(LIFE, pace=0.01), *batches)
    assert (told["batches.files"].outcome, told["batches.cancel"].outcome) == ("not-applicable", "pass")
    assert told["batches.files"].reason.startswith("still validating after 21 s")


@pytest.mark.parametrize("status", [404, 405, 501])
@pytest.mark.parametrize("where", [".*", ".* /batches.*"])
def test_a_backend_without_batches_breaks_nothing(batches: Modules, where: str, status: int) -> None:
    exchanges = lived(LIFE, answered_with(where, status))
    assert len(exchanges) <= 6
    assert {one.outcome for one in verdicts(exchanges, *batches).values()} <= {"not-applicable", "inconclusive"}
    assert findings(exchanges, *batches) == {}


@pytest.mark.parametrize("step", range(34))
def test_no_clause_stumbles_over_nonsense(batches: Modules, step: int) -> None:
    told = verdicts(lived(LIFE, nonsense_at(step, NONSENSE[step % len(NONSENSE)])), *batches)
    assert [one.reason for one in told.values() if "the clause itself failed" in one.reason] == []


def test_a_backend_that_keeps_no_files_cannot_be_asked_for_batches(batches: Modules) -> None:
    told = verdicts(lived(LIFE, answered_with("POST /files", 404)), *batches)
    assert {one.outcome for one in told.values()} == {"not-applicable"}
    assert told["batches.echo"].reason == "no batch was made: batches.life was answered 404"


def test_a_batch_whose_file_is_looked_for_later_is_not_the_one_that_is_followed(batches: Modules) -> None:
    run = lived(LIFE)
    made = next(one for one in run if one.operation == "createBatch" and one.status == 200)
    at, asked = next((at, one) for at, one in enumerate(run) if "nosuchfile" in str(one.request.asked))
    taken = {**made.json, "id": "batch_other", "input_file_id": asked.request.asked["input_file_id"]}
    run[at] = replace(asked, status=200, chunks=answer(taken).chunks)
    told = verdicts(run, *batches)
    assert {id for id, one in told.items() if one.outcome == "fail"} == set()
    assert {id for id, one in told.items() if one.outcome != "pass"} == {"batches.input-file"}
