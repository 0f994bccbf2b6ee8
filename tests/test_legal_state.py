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
