"""What correct backends do otherwise with what they keep: files, batches, stores, conversations. No finding."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any
from urllib.parse import quote

import pytest
from certified import certified, standin_plan

from wireproof.plan import Plan
from wireproof.standin.backend import Setup
from wireproof.standin.faults.edit import edit_json, refused
from wireproof.standin.wire import Answer, Ask, Serve

Edit = Callable[[dict[str, Any]], Any]
Vary = Callable[[Ask, Serve], Answer]
FILES, UPLOADS, BATCHES, STORES = "/v1/files", "/v1/uploads", "/v1/batches", "/v1/vector_stores"
CONVERSATIONS = "/v1/conversations"
PLACES = (FILES, UPLOADS, BATCHES, STORES, CONVERSATIONS)


def told_in(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The objects that an answer tells of: itself, or those of its list, with the file of an upload."""
    for one in body["data"] if isinstance(body.get("data"), list) else [body]:
        yield one
        if isinstance(one.get("file"), dict):
            yield one["file"]


def each(kind: str, edit: Edit) -> Vary:
    """`edit` on every object of this kind, wherever it is told; "" is any."""

    def change(body: dict[str, Any]) -> None:
        for one in told_in(body):
            if kind in ("", one.get("object")):
                edit(one)

    def vary(ask: Ask, serve: Serve) -> Answer:
        is_told = ask.path.startswith(PLACES) and not (ask.path.startswith(FILES) and ask.path.endswith("/content"))
        return edit_json(serve(ask), change) if is_told else serve(ask)

    return vary


def results(edit: Callable[[list[bytes]], bytes]) -> Vary:
    """`edit` on the lines of the files that batches write."""

    def vary(ask: Ask, serve: Serve) -> Answer:
        answer = serve(ask)
        if ask.method != "GET" or not ask.path.startswith(f"{FILES}/") or answer.status != 200:
            return answer
        if ask.path.endswith("/content"):
            is_meant = b'"response"' in answer.body
            return replace(answer, body=edit(answer.body.splitlines())) if is_meant else answer
        content = vary(replace(ask, path=f"{ask.path}/content"), serve)
        return edit_json(answer, lambda row: row.update(bytes=len(content.body)))

    return vary


def contents(type: str | None) -> Vary:
    """Contents of files typed like this."""

    def vary(ask: Ask, serve: Serve) -> Answer:
        answer = serve(ask)
        if not ask.path.startswith(FILES) or not ask.path.endswith("/content") or answer.status != 200:
            return answer
        return answer.with_header("content-type", type) if type else answer.without_header("content-type")

    return vary


def renamed(**prefixes: str) -> Vary:
    """Ids that begin otherwise, in what is asked as in what is told."""

    def vary(ask: Ask, serve: Serve) -> Answer:
        path, query, body = ask.path, ask.query, ask.body
        for ours, theirs in prefixes.items():
            path = path.replace(f"/{theirs}", f"/{ours}")
            query = tuple(
                (name, ours + value.removeprefix(theirs) if value.startswith(theirs) else value)
                for name, value in query
            )
            body = body.replace(f'"{theirs}'.encode(), f'"{ours}'.encode())
        answer = serve(replace(ask, path=path, query=query, body=body))
        if answer.is_stream or ask.path.endswith("/content"):
            return answer
        told = answer.body
        for ours, theirs in prefixes.items():
            told = told.replace(f'"{ours}'.encode(), f'"{theirs}'.encode())
        told = told.replace(b'"purpose":"b-output"', b'"purpose":"batch_output"')
        return replace(answer, body=told)

    return vary


def refusing(status: int, *places: str) -> Vary:
    """These places are not served."""
    return lambda ask, serve: (
        refused(serve(ask), "Not here.", status=status) if ask.path.startswith(places) else serve(ask)
    )


def keeping_to_itself(ask: Ask, serve: Serve) -> Answer:
    """The content of files of users is not given out, as where the purpose forbids it."""
    answer = serve(ask)
    is_content = ask.path.startswith(FILES) and ask.path.endswith("/content") and answer.status == 200
    if not is_content or serve(replace(ask, path=ask.path.removesuffix("/content"))).json["purpose"] != "user_data":
        return answer
    return refused(answer, "Not allowed to download files of purpose: user_data")


def refusing_fields(*names: str, places: tuple[str, ...] = PLACES) -> Vary:
    """Requests that name one of these fields are refused as such: they are not offered."""

    def vary(ask: Ask, serve: Serve) -> Answer:
        is_form = ask.path == FILES and ask.method == "POST"
        named = [name for name in names if name in ask.asked or (is_form and f'name="{name}'.encode() in ask.body)]
        if not named or not ask.path.startswith(places):
            return serve(ask)
        return refused(serve(ask), f"Unknown parameter: '{named[0]}'.", param=named[0])

    return vary


def only_for(*purposes: str) -> Vary:
    """Files are kept for these purposes alone."""

    def vary(ask: Ask, serve: Serve) -> Answer:
        _, _, rest = ask.body.partition(b'name="purpose"\r\n\r\n')
        purpose = rest.partition(b"\r\n")[0].decode()
        is_other = ask.method == "POST" and ask.path == FILES and purpose not in purposes
        return refused(serve(ask), "Not a purpose of ours.", param="purpose") if is_other else serve(ask)

    return vary


def amid_others(place: str, body: bytes, type: str) -> Vary:
    """Whenever the list is read, somebody else has made one more."""

    def vary(ask: Ask, serve: Serve) -> Answer:
        if ask.method == "GET" and ask.path == place:
            headers = tuple(pair for pair in ask.headers if pair[0] != "content-type")
            serve(Ask("POST", place, headers=(*headers, ("content-type", type)), body=body))
        return serve(ask)

    return vary


OTHER_FILE = (
    b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nuser_data\r\n'
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="o.txt"\r\n\r\nother\r\n--x--\r\n'
)


def told_as_they_are(ask: Ask, serve: Serve) -> Answer:
    """What is over is not cancelled, and told as it is."""
    answer = serve(ask)
    if answer.status != 409 or not ask.path.startswith(BATCHES):
        return answer
    return serve(Ask("GET", ask.path.removesuffix("/cancel"), headers=ask.headers))


def beside_no_response(line: bytes) -> bytes:
    told = json.loads(line)
    if told["response"]["status_code"] >= 400:
        message = told["response"]["body"]["error"]["message"]
        told.update(response=None, error={"code": "400", "message": message, "type": "BadRequestError"})
    return json.dumps(told).encode() + b"\n"


def failed_for_its_model(row: dict[str, Any]) -> None:
    if row["status"] in ("in_progress", "finalizing", "completed"):
        row.update({name: None for name in row if name.endswith("_at") and name not in ("created_at", "expires_at")})
        row.update(status="failed", failed_at=row["created_at"] + 1, output_file_id=None, error_file_id=None)
        row["errors"] = {"object": "list", "data": [{"code": "model_not_found", "message": "Not here.", "line": 1}]}


def as_fractions(row: dict[str, Any]) -> None:
    marks = row.get("attributes") or {}
    whole = {name: value for name, value in marks.items() if type(value) is int}
    row.update(attributes={**marks, **{name: float(value) for name, value in whole.items()}} if whole else marks)


def rewritten(ask: Ask, serve: Serve) -> Answer:
    if not ask.asked.get("rewrite_query"):
        return serve(ask)
    return edit_json(serve(ask), lambda body: body | {"search_query": ["lamp seconds"]})


def empty_behind_unknown(ask: Ask, serve: Serve) -> Answer:
    """Behind a cursor that names nothing there is nothing."""
    answer = serve(ask)
    if answer.status != 400 or ask.method != "GET" or not any(name == "after" for name, _ in ask.query):
        return answer
    page: dict[str, Any] = {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}
    return replace(answer, status=200).with_json(page)


def as_422(ask: Ask, serve: Serve) -> Answer:
    answer = serve(ask)
    return replace(answer, status=422) if answer.status == 400 and ask.path.startswith(PLACES) else answer


def no_nulls(row: dict[str, Any]) -> None:
    for name in [name for name, value in row.items() if value is None and name.endswith(("_at", "_id", "errors"))]:
        del row[name]


def no_counts_before_work(row: dict[str, Any]) -> None:
    if row["status"] == "validating":
        row["request_counts"] = None


def cancelled_at_once(row: dict[str, Any]) -> None:
    if row["status"] == "cancelling":
        row.update(status="cancelled", cancelled_at=row["cancelling_at"])


def one_kind_more(row: dict[str, Any]) -> None:
    if isinstance(row.get("file_counts"), dict):
        row["file_counts"]["queued"] = 0


def escaped(row: dict[str, Any]) -> None:
    if "filename" in row:
        row["filename"] = quote(row["filename"], safe=" ")


def spacious(ask: Ask, serve: Serve) -> Answer:
    answer = serve(ask)
    is_list = ask.method == "GET" and ask.path in PLACES
    return replace(answer, body=json.dumps(answer.json, indent=2).encode()) if is_list else answer


def without(*names: str) -> Edit:
    def drop(row: dict[str, Any]) -> None:
        for name in names:
            row.pop(name, None)

    return drop


OTHER_IDS = {"file-": "assistant-", "batch_": "b-", "vs_": "0f2c-", "conv_": "thread.", "msg_": "m."}
VARIATIONS: dict[str, Vary] = {
    "unknown keys everywhere": each("", lambda row: row.update(x_vendor={"region": "eu", "nested": [1, None]})),
    "ids of another shape": renamed(**OTHER_IDS),
    "lists with white space": spacious,
    "files without status_details": each("file", without("status_details")),
    "files uploaded, not yet processed": each("file", lambda row: row.update(status="uploaded")),
    "names of files escaped": each("file", escaped),
    "contents typed as bytes": contents("application/octet-stream"),
    "contents typed as text": contents("text/plain; charset=utf-8"),
    "contents typed as JSON lines": contents("application/jsonl"),
    "contents of users kept back": keeping_to_itself,
    "parts of uploads with more keys": each("upload.part", lambda row: row.update(bytes=7, index=0)),
    "batches without what is to come": each("batch", no_nulls),
    "batches without counts before work": each("batch", no_counts_before_work),
    "batches cancelled at once": each("batch", cancelled_at_once),
    "batches without usage and model": each("batch", without("usage", "model")),
    "results in the other order": results(lambda lines: b"".join(line + b"\n" for line in lines[::-1])),
    "results in CRLF": results(lambda lines: b"".join(line + b"\r\n" for line in lines)),
    "results without a last line end": results(b"\n".join),
    "results with more keys": results(
        lambda lines: b"".join(json.dumps({**json.loads(line), "x_vendor": 1}).encode() + b"\n" for line in lines)
    ),
    "batches with an empty list of errors": each(
        "batch", lambda row: row.update(errors=row.get("errors") or {"object": "list", "data": []})
    ),
    "batches that fail for their model": each("batch", failed_for_its_model),
    "batches that are over told as they are": told_as_they_are,
    "batches for nobody": lambda ask, serve: (
        refused(serve(ask), "Ask for access.", status=403) if ask.path.startswith(BATCHES) else serve(ask)
    ),
    "results with errors beside no response": results(lambda lines: b"".join(map(beside_no_response, lines))),
    "nothing that expires": refusing_fields("expires_after", "output_expires_after", places=(FILES, UPLOADS, BATCHES)),
    "files for batches alone": only_for("batch"),
    "files for assistants alone": only_for("assistants"),
    "files that all expire": each(
        "file",
        lambda row: (
            row.update(expires_at=row.get("expires_at") or row["created_at"] + 10**6) if "created_at" in row else None
        ),
    ),
    "files that somebody else makes": amid_others(FILES, OTHER_FILE, "multipart/form-data; boundary=x"),
    "stores that somebody else makes": amid_others(STORES, b'{"name": "other"}', "application/json"),
    "unknown cursors with nothing behind": empty_behind_unknown,
    "mistakes of state as 422": as_422,
    "files of stores without options": refusing_fields("attributes", "chunking_strategy", places=(STORES,)),
    "searches without filters and ranks": refusing_fields("filters", "ranking_options", places=(STORES,)),
    "queries in other words": rewritten,
    "numbers of attributes as fractions": each("vector_store.file", as_fractions),
    "no batches of files": lambda ask, serve: (
        refused(serve(ask), "Not here.", status=404) if "/file_batches" in ask.path else serve(ask)
    ),
    "no cancellation of batches of files": lambda ask, serve: (
        refused(serve(ask), "Not here.", status=405)
        if ask.path.startswith(STORES) and ask.path.endswith("/cancel")
        else serve(ask)
    ),
    "stores that count one kind more": each("vector_store", one_kind_more),
    "stores without a time of last use": each("vector_store", lambda row: row.update(last_active_at=None)),
    "files of stores with a strategy of their own": each(
        "vector_store.file", lambda row: row.update(chunking_strategy={"type": "other"})
    ),
    "files of stores without last_error": each("vector_store.file", lambda row: row.update(last_error=None)),
    "items of conversations without status": each("message", without("status")),
    **{f"no {place[4:]}, {status}": refusing(status, place) for place in PLACES[1:] for status in (404, 501)},
    "no files and no uploads": refusing(404, FILES, UPLOADS),
    "files that cannot be kept now": refusing(503, FILES, UPLOADS),
    "no uploads and batches, 405": refusing(405, UPLOADS, BATCHES),
    "nothing kept at all": refusing(404, *PLACES),
}  # fmt: skip
# How much faster than usual work is done.
PACES = {"work is done at once": 1000.0, "work takes its time": 0.4, "work takes long": 0.1}


@cache
def plan() -> Plan:
    return standin_plan(profiles=["stateful"])


@pytest.mark.parametrize("name", VARIATIONS)
def test_a_legal_variation_of_state_raises_no_finding(name: str) -> None:
    run = certified(vary=VARIATIONS[name], plan=plan())
    assert {id: verdict.findings for id, verdict in run.verdicts.items() if verdict.findings} == {}


@pytest.mark.parametrize("name", PACES)
def test_work_of_any_length_raises_no_finding(name: str) -> None:
    run = certified(plan=plan(), setup=Setup(pace=PACES[name]))
    assert {id: verdict.findings for id, verdict in run.verdicts.items() if verdict.findings} == {}
