"""What chat and legacy completions promise alike about the body around the choices: types, id, time, model."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from wireproof.clause import Exchange, NotApplicable, Schema, expect

from ._reading import as_count

# A clock may be off, an answer may come from a cache of today; milliseconds are off by a factor of a thousand.
CREATED_WITHIN_S = 24 * 3600
PATH_LIKE = re.compile(r"[/~\\]|\.{1,2}[/\\]|file:|[A-Za-z]:[/\\]|.*\.(gguf|ggml|safetensors|bin|pth?|onnx)$", re.I)


def expect_schema(schema: Schema, body: Any, elsewhere: re.Pattern[str], event: int | None = None) -> None:
    """`elsewhere` matches the pointers of what other clauses judge, who say more than a schema can."""
    for violation in schema.breaches(body):
        missing = re.fullmatch(r"a key '(.+)'", violation.expected) if violation.keyword == "required" else None
        place = f"{violation.pointer}/{missing[1]}" if missing else violation.pointer
        if not elsewhere.fullmatch(place):
            expect(False, expected=violation.expected, got=violation.got, at=violation.pointer, event=event)


def expect_ids_of_their_own(exchanges: Sequence[Exchange], id_of: Callable[[Exchange], str | None]) -> None:
    """No two answers share an id; what has none is left out."""
    seen: dict[str, Exchange] = {}
    for exchange in exchanges:
        id = id_of(exchange)
        if id is None:
            continue
        first = seen.setdefault(id, exchange)
        expect(
            first is exchange,
            expected=f"an id that no other answer has ({first.id} has this one)",
            got=id,
            at=f"{exchange.id} /id",
        )
    if len(seen) < 2:
        raise NotApplicable("fewer than two completions with an id")


def expect_created_now(
    exchange: Exchange, created: Any, got: str, event: int | None = None, at: str = "/created"
) -> None:
    """`got` is how a finding quotes `created`. A recording that does not tell when it was made says nothing of it."""
    if "clock" in exchange.lacks:
        raise NotApplicable("the recording does not tell when the request was sent")
    count, now = as_count(created), exchange.started_unix
    expect(
        count is not None and abs(count - now) <= CREATED_WITHIN_S,
        expected=f"a whole number within a day of {now:.0f}",
        got=got,
        at=at,
        event=event,
    )
