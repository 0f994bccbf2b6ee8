"""What departures of batches share: edits of the batches that are told of, and of the lines of their files."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from wireproof.standin.faults.edit import edit_json
from wireproof.standin.wire import Answer, Ask, Serve

BATCHES = "/v1/batches"
NOT_YET = dict.fromkeys(("output_file_id", "error_file_id", "finalizing_at", "completed_at"))

Edit = Callable[[dict[str, Any]], Any]
Line = dict[str, Any]


def is_read(ask: Ask) -> bool:
    return ask.method == "GET" and ask.path.startswith(f"{BATCHES}/")


def edited(ask: Ask, serve: Serve, edit: Edit) -> Answer:
    """`edit` on every batch that is told of, alone and in lists."""

    def every(body: dict[str, Any]) -> Any:
        return body | {"data": [edit(row) or row for row in body["data"]]} if "data" in body else edit(body)

    answer = serve(ask)
    return edit_json(answer, every) if ask.path.startswith(BATCHES) else answer


def edited_ends(ask: Ask, serve: Serve, edit: Edit) -> Answer:
    """`edit` on a batch that is completed."""
    return edited(ask, serve, lambda body: edit(body) if body.get("status") == "completed" else None)


def edited_lines(ask: Ask, serve: Serve, edit: Callable[[list[Line]], list[Line]]) -> Answer:
    """`edit` on the lines of a file of results, which has the size that is left."""
    answer = serve(ask)
    if ask.method != "GET" or not ask.path.startswith("/v1/files/") or answer.status != 200:
        return answer
    if not ask.path.endswith("/content"):
        content = edited_lines(replace(ask, path=f"{ask.path}/content"), serve, edit)
        return edit_json(answer, lambda body: body | {"bytes": len(content.body)})
    if b'"response"' not in answer.body:
        return answer
    lines = edit([json.loads(line) for line in answer.body.decode().splitlines()])
    return replace(answer, body="".join(json.dumps(line) + "\n" for line in lines).encode())


def each_line(ask: Ask, serve: Serve, edit: Edit) -> Answer:
    def every(lines: list[Line]) -> list[Line]:
        for line in lines:
            edit(line)
        return lines

    return edited_lines(ask, serve, every)
