"""Reading errors: what an answer says of what went wrong, and which status the catalogue wants for it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from wireproof.clause import Exchange, Inconclusive, NotApplicable, expect, load_spec, shown

from ._reading import error_of, maybe_object

# Answers that are about something else than the mistake in the request.
ELSEWHERE = (401, 403, 408, 429, 502, 503, 504)


def error_told(exchange: Exchange) -> dict[str, Any]:
    """The error object. Without one the clause has nothing to say: errors.envelope has said it."""
    error = maybe_object(exchange).get("error")
    if not isinstance(error, dict):
        raise NotApplicable("the answer has no error object: errors.envelope judges that")
    return error


def error_row(id: str) -> dict[str, Any]:
    """The row of `spec/errors.yaml` that is called `id`."""
    rows: Sequence[dict[str, Any]] = load_spec().catalogue("errors")["rows"]
    return next(row for row in rows if row["id"] == id)


def expect_refused(exchange: Exchange, *rows: str) -> None:
    """One of the statuses that these rows of the catalogue give."""
    set_aside(exchange)
    status = exchange.status or 0
    if status in (500, 501):
        raise NotApplicable(f"answered {status}: errors.client-fault judges that")
    allowed = [allowed for row in rows for allowed in error_row(row)["status"]]
    expect(status in allowed, expected=f"status {' or '.join(map(str, allowed))}", got=seen(exchange))


def set_aside(exchange: Exchange) -> None:
    """Ends the clause when the answer is about something else than the mistake in the request."""
    if exchange.status in ELSEWHERE:
        raise Inconclusive(f"answered {exchange.status}, which is about something else")


def names_in(param: Any) -> frozenset[str]:
    """The names in a `param`, however its place is written: `messages[0].role`, `/messages/0/role`."""
    return frozenset(re.split(r"[^A-Za-z0-9_]+", param)) if isinstance(param, str) else frozenset()


def seen(exchange: Exchange) -> str:
    """The status, with the message of an error."""
    error = error_of(exchange)
    return f"{exchange.status}: {shown(error['message'])}" if "message" in error else str(exchange.status)
