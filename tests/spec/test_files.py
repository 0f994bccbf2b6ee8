"""Files, uploads and batches: what their schemas take, and the nearest that they refuse."""

from __future__ import annotations

from typing import Any

import pytest

from wireproof.spec import load_spec

SPEC = load_spec()

FILE = {
    "id": "file-1",
    "object": "file",
    "bytes": 140,
    "created_at": 1760000000,
    "expires_at": None,
    "filename": "lines.jsonl",
    "purpose": "batch",
    "status": "processed",
    "status_details": None,
}
UPLOAD = {
    "id": "upload_1",
    "object": "upload",
    "bytes": 140,
    "created_at": 1760000000,
    "expires_at": 1760003600,
    "filename": "lines.jsonl",
    "purpose": "batch",
    "status": "completed",
    "file": FILE,
}
BATCH = {
    "id": "batch_1",
    "object": "batch",
    "endpoint": "/v1/chat/completions",
    "errors": None,
    "input_file_id": "file-1",
    "completion_window": "24h",
    "status": "in_progress",
    "output_file_id": None,
    "created_at": 1760000000,
    "in_progress_at": 1760000001,
    "completed_at": None,
    "request_counts": {"total": 2, "completed": 1, "failed": 0},
    "metadata": None,
}
LINE = {"custom_id": "a", "method": "POST", "url": "/v1/embeddings", "body": {"model": "m", "input": "x"}}
RESULT = {
    "id": "batch_req_1",
    "custom_id": "a",
    "response": {"status_code": 200, "request_id": "req_1", "body": {"object": "list"}},
    "error": None,
}

# name of the schema: a legal value, legal changes of it, changes that break it. A change of CUT leaves the key out.
CUT: Any = object()
CASES: dict[str, tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]] = {
    "FileObject": (
        FILE,
        [{"expires_at": CUT, "status_details": CUT}, {"purpose": "evals"}, {"expires_at": 1760003600, "more": 1}],
        [{"object": "upload"}, {"bytes": "140"}, {"purpose": "anything"}, {"status": CUT}, {"expires_at": "soon"}],
    ),
    "FilePage": (
        {"object": "list", "data": [FILE], "first_id": "file-1", "last_id": "file-1", "has_more": False},
        [{"data": [], "first_id": None, "last_id": None}],
        [{"has_more": CUT}, {"last_id": CUT}, {"data": [UPLOAD]}, {"has_more": 0}],
    ),
    "FileDeleted": (
        {"id": "file-1", "object": "file", "deleted": True},
        [],
        [{"deleted": CUT}, {"object": "file.deleted"}, {"id": ""}],
    ),
    "Upload": (
        UPLOAD,
        [{"file": None, "status": "pending"}, {"object": CUT, "file": CUT}],
        [{"status": "done"}, {"expires_at": None}, {"file": "file-1"}, {"bytes": -1}],
    ),
    "UploadPart": (
        {"id": "part_1", "object": "upload.part", "created_at": 1760000000, "upload_id": "upload_1"},
        [],
        [{"object": "part"}, {"upload_id": CUT}, {"created_at": 1.5}],
    ),
    "UploadRequest": (
        {"filename": "a.jsonl", "purpose": "batch", "bytes": 1, "mime_type": "text/jsonl"},
        [{"expires_after": {"anchor": "created_at", "seconds": 3600}}, {"purpose": "user_data"}],
        [
            {"purpose": "batch_output"},
            {"bytes": 8 * 2**30 + 1},
            {"mime_type": CUT},
            {"more": 1},
            {"expires_after": {"anchor": "created_at", "seconds": 3599}},
            {"expires_after": {"anchor": "last_active_at", "seconds": 3600}},
        ],
    ),
    "UploadCompletion": ({"part_ids": ["part_1"]}, [{"md5": "0" * 32}], [{"part_ids": "part_1"}, {"part_ids": CUT}]),
    "BatchRequest": (
        {"input_file_id": "file-1", "endpoint": "/v1/embeddings", "completion_window": "24h"},
        [{"metadata": {"a": "b"}}, {"output_expires_after": {"anchor": "created_at", "seconds": 2592000}}],
        [{"endpoint": "/v1/files"}, {"completion_window": "1h"}, {"input_file_id": None}, {"metadata": {"a": 1}}],
    ),
    "Batch": (
        BATCH,
        [
            {"request_counts": CUT, "errors": CUT, "output_file_id": CUT, "metadata": CUT},
            {"errors": {"object": "list", "data": [{"code": "invalid_json_line", "message": "no", "line": 2}]}},
            {"status": "cancelling", "cancelling_at": 1760000002},
        ],
        [
            {"status": "running"},
            {"request_counts": {"total": 2}},
            {"errors": [{"message": "no"}]},
            {"completed_at": "never"},
            {"usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}},
        ],
    ),
    "BatchPage": (
        {"object": "list", "data": [BATCH], "first_id": "batch_1", "last_id": "batch_1", "has_more": False},
        [{"first_id": CUT, "last_id": CUT}, {"data": []}],
        [{"object": CUT}, {"has_more": None}, {"data": {}}],
    ),
    "BatchRequestLine": (
        LINE,
        [],
        [{"custom_id": CUT}, {"method": "GET"}, {"url": "/v1/models"}, {"body": "{}"}, {"body": CUT}],
    ),
    "BatchResultLine": (
        RESULT,
        [{"response": None, "error": {"code": "batch_expired", "message": "late"}}],
        [{"response": {"status_code": 200}}, {"error": {"code": "batch_expired"}}, {"custom_id": None}, {"error": CUT}],
    ),
}


def changed(value: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    return {key: part for key, part in {**value, **change}.items() if part is not CUT}


@pytest.mark.parametrize("name", CASES)
def test_a_schema_takes_the_legal_and_refuses_the_nearest_breach(name: str) -> None:
    value, legal, breaches = CASES[name]
    schema = SPEC.schema(name)
    assert [list(schema.violations(changed(value, change))) for change in [{}, *legal]] == [[]] * (1 + len(legal))
    assert [change for change in breaches if schema.holds(changed(value, change))] == []


def test_the_lines_of_a_batch_are_described_beside_it() -> None:
    lines = SPEC.operations["createBatch"].node["x-lines"]
    assert {way: ref["$ref"].rpartition("/")[2] for way, ref in lines.items()} == {
        "in": "BatchRequestLine",
        "out": "BatchResultLine",
    }
