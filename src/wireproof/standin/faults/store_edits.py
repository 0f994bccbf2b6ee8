"""What departures of vector stores share: which requests are meant, edits of stores, of files, of what is found."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from wireproof.standin.faults.edit import edit_json
from wireproof.standin.wire import Answer, Ask, Serve

# What a request is about, by the pattern of its path below /v1/vector_stores.
ANY, ONE, FILES, FILE = "(/[^/]+)?", "/[^/]+", "/[^/]+/files", "/[^/]+/files/[^/]+"
BATCH, SEARCH, CONTENT = "/[^/]+/file_batches(/[^/]+)?", "/[^/]+/search", "/[^/]+/files/[^/]+/content"
UNKNOWN = "wireproofnosuchfile"

Edit = Callable[[dict[str, Any]], Any]


def is_of(ask: Ask, where: str, *methods: str) -> bool:
    root, _, rest = ask.path.partition("/v1/vector_stores")
    is_meant = not root and ask.path.startswith("/v1/vector_stores") and re.fullmatch(where, rest) is not None
    return is_meant and (not methods or ask.method in methods)


def edited(where: str, ask: Ask, serve: Serve, edit: Edit, *methods: str) -> Answer:
    answer = serve(ask)
    return edit_json(answer, edit) if is_of(ask, where, *methods) else answer


def each_store(ask: Ask, serve: Serve, edit: Edit) -> Answer:
    """`edit` on every store that is told of, alone and in lists."""

    def every(body: dict[str, Any]) -> Any:
        if body.get("object") == "list":
            return body | {"data": [edit(row) for row in body["data"]]}
        return edit(body) if body.get("object") == "vector_store" else None

    return edited(ANY, ask, serve, every)


def each_file(ask: Ask, serve: Serve, edit: Edit) -> Answer:
    """`edit` on every file of a store, alone and in lists."""

    def every(body: dict[str, Any]) -> None:
        for row in body.get("data", [body]):
            edit(row)

    return edited(f"{FILES}|{FILE}", ask, serve, every, "GET", "POST")


def found(ask: Ask, serve: Serve, edit: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Answer:
    """`edit` on what a search finds."""
    return edited(SEARCH, ask, serve, lambda body: body | {"data": edit(body["data"])})
