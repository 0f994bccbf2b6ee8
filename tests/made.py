"""Exchanges made by hand, for tests of clauses: `answer` and `stream` build them, `outcome_of` judges them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any

from wireproof.clause import Chunk, Clause, Exchange, Request, Trouble
from wireproof.judge import Verdict, judge

JSON_HEADERS = (("content-type", "application/json"), ("x-request-id", "req_0001"))
SSE_HEADERS = (("content-type", "text/event-stream; charset=utf-8"), ("x-request-id", "req_0001"))
PATHS = {
    "createChatCompletion": ("POST", "/chat/completions"),
    "createCompletion": ("POST", "/completions"),
    "createEmbedding": ("POST", "/embeddings"),
    "listModels": ("GET", "/models"),
    "retrieveModel": ("GET", "/models/gpt-4.1-mini"),
}


def answer(
    body: Any,
    *,
    asked: Mapping[str, Any] | bytes | None = None,
    operation: str | None = "createChatCompletion",
    status: int | None = 200,
    headers: Iterable[tuple[str, str]] = JSON_HEADERS,
    probe: str = "made",
    step: int = 0,
    attempt: int = 1,
    method: str | None = None,
    path: str | None = None,
    trouble: Trouble | None = None,
    sent_headers: Iterable[tuple[str, str]] = (),
    started: float = 1_760_000_000.0,
) -> Exchange:
    """An exchange with one chunk. `body` is JSON to be, or bytes to be taken as they are."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return _exchange(
        ((0.05, data),), asked, operation, status, headers, probe, step, attempt, method, path, trouble,
        sent_headers, started,
    )  # fmt: skip


def stream(
    events: Iterable[Any],
    *,
    asked: Mapping[str, Any] | None = None,
    operation: str | None = "createChatCompletion",
    status: int | None = 200,
    headers: Iterable[tuple[str, str]] = SSE_HEADERS,
    probe: str = "made",
    done: bool = True,
    first_s: float = 0.05,
    gap_s: float = 0.01,
    trouble: Trouble | None = None,
    started: float = 1_760_000_000.0,
) -> Exchange:
    """A streamed exchange, one chunk an event. Events are JSON to be, or bytes to be sent as they are."""
    wire = [event if isinstance(event, bytes) else b"data: " + json.dumps(event).encode() + b"\n\n" for event in events]
    if done:
        wire.append(b"data: [DONE]\n\n")
    chunks = [(first_s + index * gap_s, data) for index, data in enumerate(wire)]
    asked = {"stream": True, **(asked or {})}
    return _exchange(chunks, asked, operation, status, headers, probe, 0, 1, None, None, trouble, (), started)


def _exchange(
    chunks: Iterable[tuple[float, bytes]],
    asked: Mapping[str, Any] | bytes | None,
    operation: str | None,
    status: int | None,
    headers: Iterable[tuple[str, str]],
    probe: str,
    step: int,
    attempt: int,
    method: str | None,
    path: str | None,
    trouble: Trouble | None,
    sent_headers: Iterable[tuple[str, str]],
    started: float,
) -> Exchange:
    body = asked if isinstance(asked, bytes) else json.dumps(asked).encode() if asked is not None else b""
    known = PATHS.get(operation or "", ("POST", "/unknown"))
    request = Request(method or known[0], path or known[1], {}, tuple(sent_headers), body)
    parts = tuple(Chunk(at_s, data) for at_s, data in chunks)
    ended = parts[-1].at_s if parts else 0.05
    return Exchange(
        probe, step, attempt, operation, request, status, tuple(headers), parts, started, 0.04, ended, trouble
    )


def verdict_of(clause: Clause | Callable[..., None], *exchanges: Exchange) -> Verdict:
    """The verdict of one clause (the function from a contract file will do) on these exchanges."""
    one = clause if isinstance(clause, Clause) else clause.clause  # type: ignore[attr-defined]  # set by @clause
    return judge([one], exchanges)[0]


def outcome_of(clause: Clause | Callable[..., None], *exchanges: Exchange) -> str:
    return verdict_of(clause, *exchanges).outcome


def clauses_of(*modules: ModuleType) -> list[Any]:
    """The clause functions that these contract files define."""
    return [
        value
        for module in modules
        for value in vars(module).values()
        if hasattr(value, "clause") and value.__module__ == module.__name__
    ]
