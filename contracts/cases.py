"""Property-based requests: legal ones are served or refused for a reason, wrong ones are refused.

The requests are drawn by `--cases N` before the run; here they are judged. What is wrong with a request is
read off the published schema again, so a finding names the field.
"""

from __future__ import annotations

import re
from typing import Any

from wireproof.clause import Exchange, Inconclusive, NotApplicable, clause, expect, load_spec, sent

from ._reading import error_of

NOT_NOW = (401, 403, 429, 502, 503, 504)
NOT_SERVED = (404, 405, 501)
# What a backend may hold against the words of a request rather than against its form.
ABOUT_CONTENT = ("content_filter", "content_policy_violation", "context_length_exceeded")


def _is_judged(exchange: Exchange) -> None:
    """Ends the clause when the answer is about something else than the request."""
    error = error_of(exchange)
    said = f"{exchange.id} was answered {exchange.status}: {error.get('message', '')}"[:200]
    if exchange.status in NOT_NOW:
        raise Inconclusive(said)
    if exchange.status in NOT_SERVED and error.get("code") != "model_not_found":
        raise NotApplicable(f"the operation is not served: {said}")


@clause(
    "cases.positive",
    level="MUST",
    source="SPEC request schemas; ERR-LATE 400: the message says what to change",
    on=sent(probes="cases.*.positive.*"),
)
def legal_requests_are_served(exchange: Exchange) -> None:
    """A request that keeps the published schema is served, or refused with a 4xx that names a field of it.

    A backend may lack a parameter; then its refusal must say which. It never fails with a 5xx.
    """
    _is_judged(exchange)
    status = exchange.status or 0
    if 200 <= status < 300:
        return
    error = error_of(exchange)
    if error.get("code") == "model_not_found":
        raise Inconclusive(f"{exchange.id}: {error.get('message')}")
    got = f"status {status}: {error.get('message') or exchange.wire[:120].decode('utf-8', 'replace')}"
    expect(400 <= status < 500, expected="2xx, or a 4xx that names a field", got=got)
    expect(_has_reason(exchange, error), expected=f"2xx, or a 4xx that names one of {_fields(exchange)}", got=got)


def _has_reason(exchange: Exchange, error: dict[str, Any]) -> bool:
    code = str(error.get("code") or "")
    if code.startswith("unsupported_") or code in ABOUT_CONTENT:
        return True
    told = f"{error.get('message')} {error.get('param')}" if error else exchange.wire.decode("utf-8", "replace")
    return any(re.search(rf"(?<![a-z]){re.escape(name)}s?(?![a-z])", told, re.I) for name in _fields(exchange))


def _fields(exchange: Exchange) -> list[str]:
    return [*exchange.request.asked, *exchange.request.query]


@clause(
    "cases.negative",
    level="MUST",
    source="SPEC request schemas; ERR-LATE 400",
    on=sent(probes="cases.*.negative.*"),
)
def wrong_requests_are_refused(exchange: Exchange) -> None:
    """A request with a field that breaks the published schema is refused with a 4xx and an error object.

    A backend that answers 200 has guessed what was meant; one that answers 5xx has crashed on what any client
    may send by mistake.
    """
    _is_judged(exchange)
    status = exchange.status or 0
    expect(400 <= status < 500, expected=f"a 4xx: {_breach(exchange)}", got=f"status {status}")
    message = error_of(exchange).get("message")
    is_told = isinstance(message, str) and bool(message)
    got = exchange.wire[:120].decode("utf-8", "replace")
    expect(is_told, expected=f'{{"error": {{"message": ...}}}}: {_breach(exchange)}', got=got)


def _breach(exchange: Exchange) -> str:
    """What the published schema has against the request."""
    operation = load_spec().operations.get(exchange.operation or "")
    if operation is None or operation.method == "GET":
        return f"the query is {dict(exchange.request.query)}"
    found = operation.request_violations(exchange.request.json)
    if not found:
        return "the request breaks the schema"
    first = min(found, key=lambda violation: violation.pointer.count("/"))
    if first.keyword == "required":
        return f"{first.expected.removeprefix('a key ')} is missing{first.pointer and ' in '}{first.pointer}"
    return f"{first.pointer or 'the body'} is {first.got}, documented is {first.expected}"
