"""Reading what is wrong with a request, off the request itself: its JSON, its fields against their schema."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from wireproof.clause import Exchange, Operation, Schema, Violation, load_spec, remembered

from ._reading import as_objects

CHAT = "createChatCompletion"
BOUNDS = ("minimum", "maximum")
MISSING = ("required", "minItems")
ROLES = ("developer", "system", "user", "assistant", "tool", "function")


def is_broken_json(exchange: Exchange) -> bool:
    """Whether an operation was sent a body that is not JSON."""
    body = exchange.request.body
    return exchange.operation is not None and exchange.request.json is None and body.strip() not in (b"", b"null")


def is_no_object(exchange: Exchange) -> bool:
    """Whether an operation was sent JSON that is no object."""
    body = exchange.request.json
    is_sent = exchange.operation is not None and bool(exchange.request.body) and not is_broken_json(exchange)
    return is_sent and not isinstance(body, dict)


def is_mistaken(exchange: Exchange) -> bool:
    """Whether the request is wrong in itself: no such path or method, no JSON object, a field against its schema."""
    request = exchange.request
    if exchange.operation is None or is_broken_json(exchange) or is_no_object(exchange):
        return True
    operation = load_spec().operations[exchange.operation]
    return bool(request.body) and bool(operation.request_violations(request.json))


def wrong_fields(body: dict[str, Any], *keywords: str, operation: str = CHAT) -> list[str]:
    """The top-level fields of a request that break one of these keywords of its schema. [] for no request."""
    if not body:
        return []
    fields = []
    for violation in load_spec().operations[operation].request_violations(body):
        depth = violation.pointer.count("/")
        if violation.keyword not in keywords or depth > (0 if violation.keyword == "required" else 1):
            continue
        named = violation.expected.split("'")[1] if violation.keyword == "required" else violation.pointer[1:]
        fields.append(named)
    return fields


FORM = "multipart/form-data"


@remembered
def broken_fields(exchange: Exchange) -> tuple[str, ...]:
    """The top-level fields of a request, in its body, form or query, that break what `spec/` says of them."""
    operation = load_spec().operations.get(exchange.operation or "")
    if operation is None or (is_broken_json(exchange) and not exchange.request.is_form):
        return ()
    return tuple(dict.fromkeys([*_broken_in_body(operation, exchange), *_broken_in_query(operation, exchange)]))


def _broken_in_body(operation: Operation, exchange: Exchange) -> Iterator[str]:
    request = exchange.request
    found: list[Violation] = []
    if request.is_form and (schema := operation.body_schema(FORM)) is not None:
        files = {part.name.removesuffix("[]"): "" for part in request.form if part.is_file}
        found = [one for one in schema.violations({**request.fields, **files}) if one.pointer.lstrip("/") not in files]
    elif request.asked:
        found = operation.request_violations(request.asked)
    for violation in found:
        top = violation.pointer.split("/")[1:2]
        yield from top or (violation.expected.split("'")[1:2] if violation.keyword == "required" else [])


def _broken_in_query(operation: Operation, exchange: Exchange) -> Iterator[str]:
    for parameter in operation.parameters:
        text = exchange.request.query.get(parameter.name) if parameter.place == "query" else None
        if text is not None and not parameter.schema.holds(_meant(parameter.schema, text)):
            yield parameter.name


def _meant(schema: Schema, text: str) -> Any:
    """What the text of a query means to its schema."""
    match schema.resolved.get("type"):
        case "integer" if re.fullmatch(r"-?[0-9]{1,15}", text):
            return int(text)
        case "boolean" if text in ("true", "false"):
            return text == "true"
        case "array":
            return [text]
    return text


def lacks_logprobs(body: dict[str, Any]) -> bool:
    return body.get("top_logprobs") is not None and not body.get("logprobs")


def has_orphan(body: dict[str, Any]) -> bool:
    """Whether a tool's result stands in the messages without the call that it answers."""
    called: set[Any] = set()
    for message in as_objects(body.get("messages")):
        if message.get("role") == "tool" and message.get("tool_call_id") not in called:
            return True
        called |= {call.get("id") for call in as_objects(message.get("tool_calls"))}
    return False


def has_unknown_role(body: dict[str, Any]) -> bool:
    return any(
        isinstance(one.get("role"), str) and one["role"] not in ROLES for one in as_objects(body.get("messages"))
    )


def mistakes(body: dict[str, Any]) -> list[str]:
    """The fields of a chat request that are wrong; for two that need each other, both."""
    fields = wrong_fields(body, *MISSING, "type", *BOUNDS)
    if has_unknown_role(body):
        fields.append("messages")
    if lacks_logprobs(body):
        fields += ["top_logprobs", "logprobs"]
    return fields
