"""Reading flows: the steps of a life on the server, by what they asked for, and ids that a target gave."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from wireproof.clause import Exchange, Inconclusive, NotApplicable, expect

from ._reading import maybe_object

# An id that stays one segment of a path: a target must not choose where the next request goes.
# Gateways put the whole way back into it, in base64.
ID = re.compile(r"(?!\.+$)[A-Za-z0-9._:~=+@-]{1,500}")
PASSING = (401, 403, 408, 429, 502, 503, 504)


def is_ok(exchange: Exchange) -> bool:
    return exchange.trouble is None and exchange.status is not None and 200 <= exchange.status < 300


def id_in(body: dict[str, Any]) -> str | None:
    """The `id` of an object, if it can stand in a path."""
    id = body.get("id")
    return id if isinstance(id, str) and ID.fullmatch(id) else None


def id_of(exchange: Exchange) -> str | None:
    return id_in(maybe_object(exchange)) if is_ok(exchange) else None


def step(exchanges: Sequence[Exchange], operation: str, number: int = 0) -> Exchange:
    """The exchange of the operation, by its number among those of the same. Inconclusive when it was not asked."""
    found = [exchange for exchange in exchanges if exchange.operation == operation]
    if len(found) <= number:
        raise Inconclusive(f"{operation} was not asked")
    return found[number]


def answered_step(exchanges: Sequence[Exchange], operation: str, what: str, number: int = 0) -> Exchange:
    """The same once it was answered 2xx, which ends the clause if it was not. NotApplicable where it is not served."""
    exchange = step(exchanges, operation, number)
    not_passing(exchange)
    if exchange.status in (405, 501):
        raise NotApplicable(f"not served: {exchange.id} was answered {exchange.status}")
    expect(is_ok(exchange), expected=what, got=f"status {exchange.status}", at=f"{exchange.id} ")
    return exchange


def not_passing(exchange: Exchange) -> None:
    """Ends the clause when the answer is about keys or load, and nothing else."""
    if exchange.status in PASSING or exchange.status is None:
        raise Inconclusive(f"{exchange.id} was answered {exchange.status}")
