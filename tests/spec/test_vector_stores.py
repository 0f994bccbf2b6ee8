"""What the schemas of vector stores and containers take, and the nearest they refuse."""

from __future__ import annotations

from typing import Any

import pytest

from wireproof.spec import load_spec

SIZES = {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 50}
STATIC = {"type": "static", "static": SIZES}
COUNTS = {"in_progress": 0, "completed": 2, "failed": 0, "cancelled": 0, "total": 2}
STORE = {
    "id": "vs_1",
    "object": "vector_store",
    "created_at": 1,
    "name": "",
    "usage_bytes": 10,
    "file_counts": COUNTS,
    "status": "completed",
    "last_active_at": None,
    "metadata": None,
}
FILE = {
    "id": "file-1",
    "object": "vector_store.file",
    "created_at": 1,
    "vector_store_id": "vs_1",
    "usage_bytes": 10,
    "status": "failed",
    "last_error": {"code": "invalid_file", "message": "Empty."},
    "chunking_strategy": {"type": "other"},
    "attributes": {"year": 2026, "draft": True, "kind": "note"},
}
RESULT = {"file_id": "file-1", "filename": "a.md", "score": 0.5, "attributes": None, "content": []}
CONTAINER = {"id": "cntr_1", "object": "container", "name": "Room", "created_at": 1, "status": "running"}
COMPARISON = {"type": "eq", "key": "year", "value": 2026}

LEGAL: list[tuple[str, Any]] = [
    ("VectorStoreRequest", {}),
    ("VectorStoreRequest", {"expires_after": {"anchor": "last_active_at", "days": 365}, "chunking_strategy": STATIC}),
    ("VectorStoreUpdate", {"name": None, "expires_after": None, "metadata": None}),
    ("ChunkingStrategy", {"type": "auto"}),
    ("FileBatchRequest", {"file_ids": ["file-1"]}),
    ("FileBatchRequest", {"files": [{"file_id": "file-1", "attributes": {"k": 1.5}}]}),
    ("StoreSearch", {"query": ["a", "b"], "max_num_results": 50, "ranking_options": {"score_threshold": 1}}),
    ("AttributeFilter", {"type": "or", "filters": [COMPARISON, {"type": "and", "filters": [COMPARISON]}]}),
    ("AttributeFilter", {"type": "in", "key": "year", "value": [2025, "2026"]}),
    ("VectorStore", STORE),
    ("VectorStore", {**STORE, "expires_after": None, "expires_at": 5, "description": "Books", "more": 1}),
    ("StoreFile", FILE),
    ("StoreFile", {**FILE, "last_error": None, "chunking_strategy": STATIC, "attributes": None}),
    ("StoreSearchResult", RESULT),
    ("VectorStorePage", {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}),
    ("ContainerRequest", {"name": "Room", "network_policy": {"type": "disabled"}, "memory_limit": "4g"}),
    ("ContainerRequest", {"name": "", "skills": [{"type": "skill_reference", "skill_id": "skill_1"}]}),
    ("ContainerFileUpload", {"file": ""}),
    ("Container", {**CONTAINER, "network_policy": {"type": "allowlist", "allowed_domains": ["example.com"]}}),
]
BREACHES: list[tuple[str, Any]] = [
    ("VectorStoreRequest", {"file_ids": ["f"] * 501}),
    ("VectorStoreRequest", {"names": "x"}),
    ("VectorStoreRequest", {"expires_after": {"anchor": "created_at", "days": 1}}),
    ("StoreExpiry", {"anchor": "last_active_at", "days": 366}),
    ("StoreExpiry", {"anchor": "last_active_at", "days": 0}),
    ("ChunkingStrategy", {"type": "other"}),
    ("ChunkingStrategy", {"type": "static"}),
    ("ChunkSizes", {**SIZES, "max_chunk_size_tokens": 99}),
    ("ChunkSizes", {**SIZES, "max_chunk_size_tokens": 4097}),
    ("FileBatchRequest", {}),
    ("FileBatchRequest", {"file_ids": ["file-1"], "files": [{"file_id": "file-1"}]}),
    ("FileBatchRequest", {"file_ids": []}),
    ("FileBatchRequest", {"file_ids": ["f"] * 2001}),
    ("FileAttributes", {str(number): 1 for number in range(17)}),
    ("FileAttributes", {"k" * 65: 1}),
    ("FileAttributes", {"k": "v" * 513}),
    ("FileAttributes", {"k": None}),
    ("StoreSearch", {"query": "a", "max_num_results": 51}),
    ("StoreSearch", {"query": "a", "ranking_options": {"score_threshold": 1.1}}),
    ("StoreSearch", {}),
    ("AttributeFilter", {"type": "like", "key": "a", "value": "b"}),
    ("AttributeFilter", {"type": "and", "filters": [{"type": "eq", "key": "a"}]}),
    ("AttributeFilter", {**COMPARISON, "value": None}),
    ("VectorStore", {**STORE, "status": "ready"}),
    ("VectorStore", {**STORE, "file_counts": {**COUNTS, "total": -1}}),
    ("VectorStore", {key: value for key, value in STORE.items() if key != "last_active_at"}),
    ("StoreFile", {**FILE, "last_error": {"code": "rate_limit_exceeded", "message": ""}}),
    ("StoreFile", {key: value for key, value in FILE.items() if key != "last_error"}),
    ("StoreFile", {**FILE, "chunking_strategy": {"type": "auto"}}),
    ("StoreSearchResult", {**RESULT, "score": 1.2}),
    ("ContainerRequest", {}),
    ("ContainerRequest", {"name": "Room", "expires_after": {"anchor": "last_active_at", "minutes": 21}}),
    ("ContainerRequest", {"name": "Room", "network_policy": {"type": "allowlist", "allowed_domains": []}}),
    ("ContainerRequest", {"name": "Room", "memory_limit": "2g"}),
    ("ContainerFileUpload", {}),
    ("ContainerFileCopy", {}),
    ("Container", {**CONTAINER, "network_policy": {}}),
]


@pytest.mark.parametrize(("schema", "value"), LEGAL)
def test_it_is_legal(schema: str, value: Any) -> None:
    assert list(load_spec().schema(schema).violations(value)) == []


@pytest.mark.parametrize(("schema", "value"), BREACHES)
def test_it_is_a_breach(schema: str, value: Any) -> None:
    assert list(load_spec().schema(schema).violations(value)) != []
