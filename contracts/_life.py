"""Reading the life of a thing that a server keeps: a flow makes it, reads it, lists it, changes it and deletes it.

The clauses of a flow look for its steps by operation and by what was asked, so a flow may grow without them. Where a
server does not have the resource at all, the first answer says so and nothing applies; where a later step is refused,
that is a breach, for what can be made can also be read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from wireproof.clause import Exchange, Inconclusive, NotApplicable, expect, load_spec, shown

from ._reading import as_list, maybe_object

# An id that stays one segment of a path: a target must not choose where the next request goes.
ID = re.compile(r"(?!\.+$)[A-Za-z0-9._:~-]{1,300}")
# About the key, the load, the way there: nothing about the thing that was asked for.
NOT_NOW = (401, 403, 408, 429, 502, 503, 504)
NOT_SERVED = (404, 405, 501)
# A clock may be off; milliseconds are off by a factor of a thousand.
WITHIN_S = 24 * 3600


def is_ok(exchange: Exchange) -> bool:
    return exchange.trouble is None and exchange.status is not None and 200 <= exchange.status < 300


def id_of(exchange: Exchange) -> str | None:
    """The `id` of what was served, when it can stand in a path."""
    id = maybe_object(exchange).get("id") if is_ok(exchange) else None
    return id if isinstance(id, str) and ID.fullmatch(id) else None


# -------------------------------------------------------------------------------------------------- steps


def first_made(exchanges: Sequence[Exchange], operation: str, what: str) -> dict[str, Any]:
    """What the first successful `operation` made. Without one the clause does not apply, with the reason."""
    tried = [exchange for exchange in exchanges if exchange.operation == operation]
    for exchange in tried:
        if is_ok(exchange):
            return maybe_object(exchange)
    # Where the flow did not come as far, what came last stood in its way.
    last = tried[-1] if tried else exchanges[-1]
    if last.status is None or last.status in NOT_NOW or (last.status >= 500 and last.status != 501):
        raise Inconclusive(f"no {what} was made: {last.id} was answered {last.status}")
    raise NotApplicable(f"no {what} was made: {last.id} was answered {last.status}")


def at_path(path: str) -> Callable[[Exchange], bool]:
    """For `asked_for`: whether it was this path."""
    return lambda exchange: exchange.request.path == path


def asked_for(
    exchanges: Sequence[Exchange],
    operation: str,
    where: Callable[[Exchange], bool] = lambda exchange: True,
    *,
    after: Exchange | None = None,
) -> Exchange:
    """The first exchange of the operation that `where` holds of, and that came after `after`."""
    for exchange in exchanges:
        if exchange.operation == operation and (after is None or exchange.step > after.step) and where(exchange):
            return exchange
    raise NotApplicable(f"{operation} was not asked in this way")


def of_path(path: str) -> Callable[[Exchange], bool]:
    """Whether an exchange is of this path."""
    return lambda exchange: exchange.request.path == path


def served(exchange: Exchange, what: str) -> dict[str, Any]:
    """The object of a step that has to succeed; refused, it is a breach, unless the operation is not served at all."""
    if exchange.status is None or exchange.status in NOT_NOW:
        raise Inconclusive(f"{exchange.id} was answered {exchange.status}")
    if exchange.status in (405, 501):
        raise NotApplicable(f"not served: {exchange.id} was answered {exchange.status}")
    expect(is_ok(exchange), expected=what, got=status_of(exchange), at=f"{exchange.id} ")
    return maybe_object(exchange)


def status_of(exchange: Exchange) -> str:
    """The status, with the message of an error."""
    error = maybe_object(exchange).get("error")
    message = error.get("message") if isinstance(error, dict) else None
    return f"status {exchange.status}" + (f": {shown(message)}" if message else "")


def expect_gone(exchange: Exchange) -> None:
    """404, for what is no longer there or never was."""
    if exchange.status is None or exchange.status in NOT_NOW:
        raise Inconclusive(f"{exchange.id} was answered {exchange.status}")
    if exchange.status in (405, 501):
        raise NotApplicable(f"not served: {exchange.id} was answered {exchange.status}")
    expect(exchange.status == 404, expected="status 404", got=status_of(exchange), at=f"{exchange.id} ")


def expect_turned_down(exchange: Exchange, *statuses: int) -> None:
    """A refusal for a mistake: 400 or 422, and what else is given."""
    allowed = (400, 422, *statuses)
    if exchange.status is None or exchange.status in NOT_NOW:
        raise Inconclusive(f"{exchange.id} was answered {exchange.status}")
    if exchange.status in (405, 501):
        raise NotApplicable(f"not served: {exchange.id} was answered {exchange.status}")
    wanted = f"status {' or '.join(map(str, dict.fromkeys((400, *statuses))))}"
    expect(exchange.status in allowed, expected=wanted, got=status_of(exchange), at=f"{exchange.id} ")


# ------------------------------------------------------------------------------------------------- values


def expect_same(exchange: Exchange, body: dict[str, Any], wanted: dict[str, Any], *names: str) -> None:
    """`body`, told by `exchange`, has what `wanted` has under these names; a key that neither has is alike."""
    for name in names:
        told, should = body.get(name), wanted.get(name)
        expect(alike(told, should), expected=f"{name} {shown(should)}", got=shown(told), at=f"{exchange.id} /{name}")


def alike(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON: 1 is 1.0, and true is not 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def expect_schema(exchange: Exchange, *spared: str) -> None:
    """The answer follows the schema of its operation; `spared` are pointers (globs of one `*`) that others judge."""
    operation = load_spec().operations[exchange.operation or ""]
    schema = operation.answer_schema(200) or operation.answer_schema(201)
    if schema is None:
        raise NotApplicable("the operation is not answered in JSON")
    for violation in schema.breaches(exchange.json):
        missing = re.fullmatch(r"a key '(.+)'", violation.expected) if violation.keyword == "required" else None
        place = f"{violation.pointer}/{missing[1]}" if missing else violation.pointer
        if not any(re.fullmatch(glob.replace("*", "[^/]+"), place) for glob in spared):
            expect(False, expected=violation.expected, got=violation.got, at=violation.pointer)


def expect_now(exchange: Exchange, value: Any, name: str) -> None:
    """A whole number of seconds since 1970, of about the time when it was asked for."""
    is_now = type(value) is int and abs(value - exchange.started_unix) <= WITHIN_S
    expect(
        is_now,
        expected=f"{name} in seconds since 1970, of today",
        got=shown(value),
        at=f"{exchange.id} /{name}",
    )


def rows_of(exchange: Exchange) -> list[dict[str, Any]]:
    """The objects of a list's `data`."""
    return [row for row in as_list(maybe_object(exchange).get("data")) if isinstance(row, dict)]


def ids_of(exchange: Exchange) -> list[Any]:
    return [row.get("id") for row in rows_of(exchange)]


# ------------------------------------------------------------------------------------------------- states


def expect_moves(schema: str, seen: Sequence[tuple[Exchange, dict[str, Any]]]) -> None:
    """From each state to the next there is a way in the `x-lifecycle` of `schema`; polls may miss steps between."""
    life = load_spec().schema(schema).resolved["x-lifecycle"]
    moves: dict[str, list[str]] = life["moves"]
    before: str | None = None
    for exchange, body in seen:
        state = body.get(life["field"])
        if not isinstance(state, str):
            continue
        if before is not None:
            ways = set(_reachable(moves, before))
            expect(
                state == before or state in ways,
                expected=f"{before}, or {' or '.join(sorted(ways)) or 'nothing else: it is final'}",
                got=state,
                at=f"{exchange.id} /{life['field']}",
            )
        before = state


def _reachable(moves: dict[str, list[str]], start: str) -> Iterator[str]:
    found: set[str] = set()
    ahead = list(moves.get(start, ()))
    while ahead:
        state = ahead.pop()
        if state not in found:
            found.add(state)
            ahead += moves.get(state, ())
            yield state


def is_final(schema: str, state: object) -> bool:
    """Whether a thing of this schema stays in `state` for ever."""
    return isinstance(state, str) and not load_spec().schema(schema).resolved["x-lifecycle"]["moves"].get(state)
