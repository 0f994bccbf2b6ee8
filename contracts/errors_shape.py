"""The shape of errors: the one envelope in which every refusal comes, and no error in anything else.

No probes of its own: it judges whatever refusals there are. Which status and code a mistake gets stands in errors.py.
"""

from __future__ import annotations

import re

from wireproof.clause import (
    Exchange,
    Inconclusive,
    NotApplicable,
    Undecodable,
    answered,
    clause,
    expect,
    load_spec,
    needing,
    refused,
    shown,
)

from ._errors import error_told
from ._reading import promises_json


@clause("errors.envelope", level="MUST", source="SPEC ErrorResponse; SDK _exceptions.py", on=refused())
def errors_come_in_the_envelope(exchange: Exchange) -> None:
    """The body of every answer of 400 and above is JSON, an object with an object `error` in it.

    `{"detail": ...}`, an HTML page, plain text or nothing at all leave a client with the status alone.
    """
    try:
        body = exchange.json
    except Undecodable:
        text = exchange.body.decode("utf-8", "replace").strip()
        got = f"{exchange.media_type or 'untyped'}: {shown(text)}" if text else "an empty body"
        expect(False, expected='{"error": {...}}', got=got)
    is_envelope = isinstance(body, dict) and isinstance(body.get("error"), dict)
    expect(is_envelope, expected='{"error": {...}}', got=body)


@clause("errors.keys", level="MUST", source="SPEC Error.required", on=refused())
def errors_have_four_keys(exchange: Exchange) -> None:
    """An error has the keys `message`, `type`, `param` and `code`, with null where there is nothing to say.

    Write all four in the one place where errors are made; typed clients read `error.param` without asking whether
    it is there.
    """
    error = error_told(exchange)
    missing = [v.expected for v in load_spec().schema("ErrorDetail").violations(error) if v.keyword == "required"]
    expect(not missing, expected="; ".join(missing), got=f"keys {shown(sorted(error))}", at="/error")


@clause("errors.types", level="MUST", source="SPEC Error; SDK _exceptions.py: code is str or None", on=refused())
def errors_are_typed_as_documented(exchange: Exchange) -> None:
    """`message` is a text that says something, `type` a string, `param` and `code` are each a string or null.

    A number for `code` breaks every typed client, and comparisons like `code == "rate_limit_exceeded"`.
    """
    error = error_told(exchange)
    for violation in load_spec().schema("ErrorDetail").violations(error):
        if violation.keyword != "required":
            expect(False, expected=violation.expected, got=violation.got, at=f"/error{violation.pointer}")
    message = error.get("message", "absent")
    expect(bool(message.strip()), expected="a message that says something", got=shown(message), at="/error/message")


@clause(
    "errors.media",
    level="SHOULD",
    source="SPEC responses of every operation: application/json",
    on=needing(refused(), "headers"),
)
def errors_are_typed_json(exchange: Exchange) -> None:
    """A JSON error has `content-type: application/json`, whatever the request asked for.

    Clients parse by the type: typed as text, the message reaches nobody.
    """
    error_told(exchange)
    got = exchange.header("content-type") or "no content-type"
    expect(exchange.media_type == "application/json", expected="content-type: application/json", got=got)


@clause("errors.code-status", level="MUST", source="ERR-LATE: code, not status, tells errors apart", on=refused())
def code_is_no_status(exchange: Exchange) -> None:
    """`code` is a word that tells errors apart, or null; it never repeats the HTTP status as a string.

    Give a word such as `invalid_api_key` or `model_not_found`, or null; the status is in the first line already.
    """
    code = error_told(exchange).get("code")
    is_word = not (isinstance(code, str) and re.fullmatch(r"\s*\d{3}\s*", code))
    expect(is_word, expected="a word or null", got=shown(code), at="/error/code")


@clause("errors.null-word", level="SHOULD", source="SPEC Error: param and code are nullable", on=refused())
def null_is_null(exchange: Exchange) -> None:
    """Where an error has nothing to say stands null, not the word `None` or an empty string.

    `str(None)` in an error handler is the usual cause: serialize the value, not its text.
    """
    error = error_told(exchange)
    for name in ("type", "param", "code"):
        value = error.get(name)
        is_word = isinstance(value, str) and value.strip() in ("None", "null", "nil", "undefined", "")
        expect(not is_word, expected="null or a word", got=shown(value), at=f"/error/{name}")


@clause("errors.type-name", level="SHOULD", source="ERR-LATE; CAP-OTEL; OBS 400, 404", on=refused(status="4xx"))
def mistakes_are_invalid_requests(exchange: Exchange) -> None:
    """The `type` of a refused request (400, 404, 405, 422) is `invalid_request_error`.

    Map exceptions to the documented types in one place, and keep the class of the exception for the log.
    """
    if exchange.status not in (400, 404, 405, 422):
        raise NotApplicable(f"a {exchange.status} may have another type")
    error = error_told(exchange)
    if "type" not in error:
        raise NotApplicable("there is no type: errors.keys judges that")
    kind = error["type"]
    expect(kind == "invalid_request_error", expected="type invalid_request_error", got=shown(kind), at="/error/type")


@clause(
    "errors.internals", level="SHOULD", source="RFC9110 15.5; OBS: messages are written for the caller", on=refused()
)
def messages_are_for_the_caller(exchange: Exchange) -> None:
    """A message is written for the caller: no error of another server as text, no exception of the program inside.

    What a gateway wraps as `{'error': {'message': ...` no client can read; it belongs in the fields of the error.
    """
    message = error_told(exchange).get("message")
    if not isinstance(message, str):
        raise Inconclusive("the message is no string: errors.types judges that")
    for name, pattern in INTERNALS.items():
        found = pattern.search(message)
        got = f"{name}: {shown(message[found.start() : found.start() + 80])}" if found else ""
        expect(found is None, expected="a message for the caller", got=got, at="/error/message")


INTERNALS = {
    "an inner error": re.compile(r"""\{\s*b?['"](error|errors|message|detail)['"]\s*:"""),
    "the report of a validator": re.compile(
        r"""['"]loc['"]\s*:\s*[\[(]|errors\.pydantic\.dev|\bvalidation errors? for [A-Z]\w+"""
    ),
    "bytes as Python writes them": re.compile(r"""\Ab(['"]).*\1\Z""", re.DOTALL),
    # The path of a program, not of a URL.
    "a path of the server": re.compile(
        r"(?<![:/\w.=])(?:/[\w.@+-]+){2,}\.(?:py|go|rs|m?js|ts|java|rb|php|cc|cpp|cu)\b"
        r"|\b[A-Z]:\\[\w\\ .-]+\.(?:py|cs|js)\b"
        r"|[/\\](?:site-packages|dist-packages|node_modules)[/\\]"
    ),
    "a Python exception": re.compile(
        r"'\w+' object (has no attribute|is not|does not)|\bNoneType\b|<[\w.]+ object at 0x[0-9a-f]+>"
        r"|\b[A-Z]\w+Error\(['\"]"
    ),
    "an exception class": re.compile(r"\b(?:[a-z_][\w$]*\.)+[A-Z]\w*(?:Error|Exception)\b"),
    "a null pointer": re.compile(r"\bNullPointerException\b|nil pointer dereference|Cannot read propert(y|ies) of"),
}


@clause(
    "errors.no-retry", level="SHOULD", source="SDK _base_client.py: x-should-retry goes before the status", on=refused()
)
def mistakes_are_not_to_be_repeated(exchange: Exchange) -> None:
    """A mistake of the client is never marked with `x-should-retry: true`.

    The SDKs obey it over the status, and send the same wrong request three times.
    """
    if exchange.status not in MISTAKES:
        raise NotApplicable(f"a {exchange.status} may pass")
    told = exchange.header("x-should-retry") or "none"
    expect(told.strip().lower() != "true", expected="no x-should-retry, or false", got=told)


# Statuses that a repetition of the same request cannot change. 409 is a conflict in time: the SDKs repeat it.
MISTAKES = (400, 401, 403, 404, 405, 413, 415, 422)


@clause("errors.no-result", level="SHOULD", source="SPEC ErrorResponse", on=refused())
def errors_carry_no_result(exchange: Exchange) -> None:
    """A refusal carries no result beside its error: no `choices`, no `data`, no `usage`."""
    try:
        body = exchange.json
    except Undecodable:
        body = None
    if not isinstance(body, dict):
        raise NotApplicable("the answer is no JSON object: errors.envelope judges that")
    found = [name for name in ("choices", "data", "usage") if body.get(name)]
    expect(not found, expected="an error alone", got=f"also {shown(found)}", at=f"/{found[0]}" if found else "")


@clause(
    "errors.in-success", level="MUST", source="SPEC responses of every operation; SDK _base_client.py", on=answered()
)
def success_carries_no_error(exchange: Exchange) -> None:
    """A failure has a status of 400 or above: an answer of 200 holds no `error`.

    Clients look at the status; the SDK would hand the program a completion without choices.
    """
    if not promises_json(exchange) or exchange.media_type == "text/event-stream":
        raise NotApplicable("no plain answer of a documented operation")
    body = exchange.json
    error = body.get("error") if isinstance(body, dict) else None
    if error and isinstance(body.get("status"), str) and _knows_errors(exchange):
        raise NotApplicable("a thing that failed says why; the request for it did not fail")
    expect(not error, expected="a status of 400 or above with an error", got=f"{exchange.status}: {shown(error)}")


def _knows_errors(exchange: Exchange) -> bool:
    """Whether what is asked for has an `error` among its own fields: a job, a response, a run."""
    schema = load_spec().operations[exchange.operation or ""].answer_schema(200)
    return schema is not None and "error" in schema.resolved.get("properties", {})
