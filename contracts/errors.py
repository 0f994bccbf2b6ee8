"""Refusals: which status a mistake of the client gets, and the one shape in which every error comes.

What is wrong with a request is read off the request itself, by the schema of `spec/`, so the clauses judge
any traffic; the statuses stand in `spec/errors.yaml`. Keys are judged in auth.py, limits in ratelimit.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from wireproof.clause import (
    MODEL,
    Exchange,
    Inconclusive,
    NotApplicable,
    Undecodable,
    answered,
    clause,
    expect,
    load_spec,
    probe,
    refused,
    sent,
    shown,
    together,
)

UNKNOWN_MODEL = "wireproof-no-such-model"
CHAT = "createChatCompletion"
TURN = {"role": "user", "content": "Hi"}


def _ask(**fields: Any) -> dict[str, Any]:
    """A chat request of one token, so that a server which takes it anyway does not write a novel."""
    return {"model": MODEL, "messages": [TURN], "max_tokens": 1, **fields}


def _chat(id: str, body: Any, about: str) -> Any:
    return probe(id, "POST", "/chat/completions", body, about=about, expects="refusal")


PROBES = (
    _chat("errors.not-json", b'{"model": "any", "messages": [', "a body cut in the middle of its JSON"),
    _chat("errors.not-object", [], "a body that is JSON, but a list"),
    _chat("errors.missing", {"model": MODEL, "max_tokens": 1}, "no `messages`"),
    _chat("errors.missing-stream", {"model": MODEL, "max_tokens": 1, "stream": True}, "the same, as a stream"),
    _chat("errors.range", _ask(top_p=2), "`top_p` above 1"),
    _chat("errors.needs-logprobs", _ask(top_logprobs=2), "`top_logprobs` without `logprobs`"),
    _chat("errors.unknown-model", _ask(model=UNKNOWN_MODEL), "a model that does not exist"),
    probe(
        "errors.unknown-route", "POST", "/wireproof/no-such-route", {}, about="a path there is not", expects="refusal"
    ),
    probe("errors.wrong-method", "GET", "/embeddings", about="a method the path does not have", expects="refusal"),
)

# Answers that are about something else than the mistake in the request.
ELSEWHERE = (401, 403, 408, 429, 502, 503, 504)
OURS = ("errors.*", "cases.*")


# -------------------------------------------------------------------------------------- the shape of errors


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
    """An error has the keys `message`, `type`, `param` and `code`, with null where there is nothing to say."""
    error = _error(exchange)
    missing = [v.expected for v in load_spec().schema("ErrorDetail").violations(error) if v.keyword == "required"]
    expect(not missing, expected="; ".join(missing), got=f"keys {shown(sorted(error))}", at="/error")


@clause("errors.types", level="MUST", source="SPEC Error; SDK _exceptions.py: code is str or None", on=refused())
def errors_are_typed_as_documented(exchange: Exchange) -> None:
    """`message` is a text that says something, `type` a string, `param` and `code` are each a string or null.

    A number for `code` breaks every typed client, and comparisons like `code == "rate_limit_exceeded"`.
    """
    error = _error(exchange)
    for violation in load_spec().schema("ErrorDetail").violations(error):
        if violation.keyword != "required":
            expect(False, expected=violation.expected, got=violation.got, at=f"/error{violation.pointer}")
    message = error.get("message", "absent")
    expect(bool(message.strip()), expected="a message that says something", got=shown(message), at="/error/message")


@clause("errors.media", level="SHOULD", source="SPEC responses of every operation: application/json", on=refused())
def errors_are_typed_json(exchange: Exchange) -> None:
    """A JSON error has `content-type: application/json`, whatever the request asked for.

    Clients parse by the type: typed as text, the message reaches nobody.
    """
    _error(exchange)
    got = exchange.header("content-type") or "no content-type"
    expect(exchange.media_type == "application/json", expected="content-type: application/json", got=got)


@clause("errors.code-status", level="MUST", source="ERR-LATE: code, not status, tells errors apart", on=refused())
def code_is_no_status(exchange: Exchange) -> None:
    """`code` is a word that tells errors apart, or null; it never repeats the HTTP status as a string."""
    code = _error(exchange).get("code")
    is_word = not (isinstance(code, str) and re.fullmatch(r"\s*\d{3}\s*", code))
    expect(is_word, expected="a word or null", got=shown(code), at="/error/code")


@clause("errors.null-word", level="SHOULD", source="SPEC Error: param and code are nullable", on=refused())
def null_is_null(exchange: Exchange) -> None:
    """Where an error has nothing to say stands null, not the word `None` or an empty string."""
    error = _error(exchange)
    for name in ("type", "param", "code"):
        value = error.get(name)
        is_word = isinstance(value, str) and value.strip() in ("None", "null", "nil", "undefined", "")
        expect(not is_word, expected="null or a word", got=shown(value), at=f"/error/{name}")


@clause("errors.type-name", level="SHOULD", source="ERR-LATE; CAP-OTEL; OBS 400, 404", on=refused(status="4xx"))
def mistakes_are_invalid_requests(exchange: Exchange) -> None:
    """The `type` of a refused request (400, 404, 405, 422) is `invalid_request_error`."""
    if exchange.status not in (400, 404, 405, 422):
        raise NotApplicable(f"a {exchange.status} may have another type")
    kind = _error(exchange).get("type")
    expect(kind == "invalid_request_error", expected="type invalid_request_error", got=shown(kind), at="/error/type")


@clause(
    "errors.internals", level="SHOULD", source="RFC9110 15.5; OBS: messages are written for the caller", on=refused()
)
def messages_are_for_the_caller(exchange: Exchange) -> None:
    """A message is written for the caller: no error of another server as text, no exception of the program inside.

    What a gateway wraps as `{'error': {'message': ...` no client can read; it belongs in the fields of the error.
    """
    message = _error(exchange).get("message")
    if not isinstance(message, str):
        raise Inconclusive("the message is no string: errors.types judges that")
    for name, pattern in INTERNALS.items():
        found = pattern.search(message)
        got = f"{name}: {shown(message[found.start() : found.start() + 80])}" if found else ""
        expect(found is None, expected="a message for the caller", got=got, at="/error/message")


INTERNALS = {
    "an inner error": re.compile(r"""\{\s*b?['"](error|errors|message|detail)['"]\s*:"""),
    "a Python exception": re.compile(
        r"'\w+' object (has no attribute|is not|does not)|\bNoneType\b|<[\w.]+ object at 0x[0-9a-f]+>"
        r"|\b[A-Z]\w+Error\(['\"]"
    ),
    "an exception class": re.compile(r"\b(?:[a-z_][\w$]*\.)+[A-Z]\w*(?:Error|Exception)\b"),
    "a null pointer": re.compile(r"\bNullPointerException\b|nil pointer dereference|Cannot read propert(y|ies) of"),
}


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
    if exchange.operation is None or exchange.media_type == "text/event-stream":
        raise NotApplicable("no plain answer of a documented operation")
    body = exchange.json
    error = body.get("error") if isinstance(body, dict) else None
    expect(not error, expected="a status of 400 or above with an error", got=f"{exchange.status}: {shown(error)}")


# ------------------------------------------------------------------------------------ which status for what


def _is_broken_json(exchange: Exchange) -> bool:
    """Whether an operation was sent a body that is not JSON."""
    body = exchange.request.body
    return exchange.operation is not None and exchange.request.json is None and body.strip() not in (b"", b"null")


def _is_no_object(exchange: Exchange) -> bool:
    """Whether an operation was sent JSON that is no object."""
    body = exchange.request.json
    is_sent = exchange.operation is not None and bool(exchange.request.body) and not _is_broken_json(exchange)
    return is_sent and not isinstance(body, dict)


def _is_mistaken(exchange: Exchange) -> bool:
    """Whether the request is wrong in itself: no such path or method, no JSON object, a field against its schema."""
    request = exchange.request
    if exchange.operation is None or _is_broken_json(exchange) or _is_no_object(exchange):
        return True
    operation = load_spec().operations[exchange.operation]
    return bool(request.body) and bool(operation.request_violations(request.json))


@clause("errors.client-fault", level="MUST", source="ERR-LATE 400, 500; SDK _exceptions.py", on=sent(probes=OURS))
def mistakes_are_no_server_errors(exchange: Exchange) -> None:
    """A mistake of the client is answered 4xx, never with 500 or above.

    Clients take 5xx for a fault that passes: the SDK sends the same wrong request three times.
    """
    if not _is_mistaken(exchange):
        raise NotApplicable("the request is well formed")
    status = exchange.status or 0
    _set_aside(exchange)
    expect(status < 500, expected="a status from 400 to 499", got=_seen(exchange))


@clause("errors.bad-json", level="MUST", source="OBS 400; ERR-LATE 400", on=sent(probes=OURS, shows=_is_broken_json))
def broken_json_is_a_400(exchange: Exchange) -> None:
    """A body that is not JSON is refused with 400."""
    _expect_refused(exchange, "body-not-json")


@clause(
    "errors.not-object",
    level="MUST",
    source="ERR-LATE 400; SPEC requestBody",
    on=sent(probes=OURS, shows=_is_no_object),
)
def a_body_must_be_an_object(exchange: Exchange) -> None:
    """A body that is JSON but no object is refused with 400, or 422."""
    _expect_refused(exchange, "request-invalid", "unprocessable")


def _wrong_fields(body: dict[str, Any], *keywords: str) -> list[str]:
    """The top-level fields of a chat request that break one of these keywords of its schema. [] for no request."""
    if not body:
        return []
    fields = []
    for violation in load_spec().operations[CHAT].request_violations(body):
        depth = violation.pointer.count("/")
        if violation.keyword not in keywords or depth > (0 if violation.keyword == "required" else 1):
            continue
        named = violation.expected.split("'")[1] if violation.keyword == "required" else violation.pointer[1:]
        fields.append(named)
    return fields


BOUNDS = ("minimum", "maximum")


@clause(
    "errors.invalid",
    level="MUST",
    source="SPEC CreateChatCompletionRequest; ERR-LATE 400",
    on=sent(CHAT, asks=lambda body: bool(_wrong_fields(body, "required", "type"))),
)
def an_invalid_field_is_refused(exchange: Exchange) -> None:
    """A request that lacks a required field (`messages`), or has one of the wrong type, is refused with 400, or 422."""
    _expect_refused(exchange, "request-invalid", "unprocessable")


@clause(
    "errors.range",
    level="MUST",
    source="SPEC CreateChatCompletionRequest; ERR-LATE 400",
    on=sent(CHAT, asks=lambda body: _wrong_fields(body, *BOUNDS)),
)
def a_value_out_of_range_is_refused(exchange: Exchange) -> None:
    """A number outside its documented bounds (`top_p` above 1, `temperature` above 2) is refused with 400, or 422.

    Taken silently, a slip of the decimal point is found only by reading what the model writes.
    """
    _expect_refused(exchange, "request-invalid", "unprocessable")


def _lacks_logprobs(body: dict[str, Any]) -> bool:
    return body.get("top_logprobs") is not None and not body.get("logprobs")


@clause(
    "errors.needs-logprobs",
    level="SHOULD",
    source="SPEC top_logprobs: logprobs must be true",
    on=sent(CHAT, asks=_lacks_logprobs),
)
def top_logprobs_need_logprobs(exchange: Exchange) -> None:
    """`top_logprobs` without `logprobs: true` is refused with 400, or 422."""
    _expect_refused(exchange, "request-invalid", "unprocessable")


@clause(
    "errors.bad-request-status",
    level="SHOULD",
    source="ERR-LATE 400; SDK BadRequestError, UnprocessableEntityError",
    on=sent(CHAT, probes=OURS),
)
def invalid_requests_are_400(exchange: Exchange) -> None:
    """A request that breaks a documented rule is refused with 400 rather than 422.

    The SDKs raise another exception for 422, and programs written against the API do not catch it.
    """
    if exchange.status not in (400, 422) or not _is_mistaken(exchange):
        raise NotApplicable(f"answered {exchange.status}")
    expect(exchange.status == 400, expected="status 400", got=exchange.status)


@clause(
    "errors.param",
    level="SHOULD",
    source="SPEC Error.param; ERR-LATE 400",
    on=answered(CHAT, status="400", asks=lambda body: bool(_mistakes(body))),
)
def param_names_the_field(exchange: Exchange) -> None:
    """`param` names the field that is wrong: `top_p`, `messages`, or a place in it like `messages[0].role`."""
    error = _error(exchange)
    mistakes = _mistakes(exchange.request.asked)
    param = error.get("param")
    words = re.split(r"[^A-Za-z0-9_]+", param) if isinstance(param, str) else []
    got = shown(param) if "param" in error else "no param"
    expect(any(name in words for name in mistakes), expected=f"param {mistakes[0]}", got=got, at="/error/param")


def _mistakes(body: dict[str, Any]) -> list[str]:
    """The fields of a chat request that are wrong; for two that need each other, both."""
    fields = _wrong_fields(body, "required", "type", *BOUNDS)
    if _lacks_logprobs(body):
        fields += ["top_logprobs", "logprobs"]
    return fields


@clause(
    "errors.unknown-model",
    level="MUST",
    source="CAP-OTEL chat 404; ERR-LATE 404",
    on=sent(CHAT, asks=lambda body: body.get("model") == UNKNOWN_MODEL),
)
def an_unknown_model_is_a_404(exchange: Exchange) -> None:
    """A model that does not exist is refused with 404.

    Answered by another model, a typing error in a deployment shows up in the quality, or on the bill.
    """
    _expect_refused(exchange, "model-unknown")


@clause(
    "errors.unknown-model-code",
    level="MUST",
    source="CAP-OTEL chat 404",
    on=answered(CHAT, status="refused", asks=lambda body: body.get("model") == UNKNOWN_MODEL),
)
def an_unknown_model_has_its_code(exchange: Exchange) -> None:
    """The `code` for a model that does not exist is `model_not_found`.

    Clients fall back to another model by it; 404 alone may also mean a wrong base URL.
    """
    _set_aside(exchange)
    code = _error(exchange).get("code")
    expect(code in _row("model-unknown")["code"], expected="code model_not_found", got=shown(code), at="/error/code")


@clause("errors.unknown-route", level="MUST", source="OBS 404 Invalid URL", on=sent(probes="errors.unknown-route"))
def an_unknown_path_is_a_404(exchange: Exchange) -> None:
    """A path that does not exist is refused with 404, and never served as if it were another."""
    _set_aside(exchange)
    expect(exchange.status == 404, expected="status 404", got=_seen(exchange))


@clause(
    "errors.wrong-method",
    level="SHOULD",
    source="OBS 404 Invalid URL; RFC9110 15.5.6",
    on=sent(probes="errors.wrong-method"),
)
def a_wrong_method_is_refused(exchange: Exchange) -> None:
    """A method that a path does not have is refused with 405, or 404."""
    _expect_refused(exchange, "route-unknown")


@clause(
    "errors.parity",
    level="MUST",
    source="QUOTES-0915 L5: HTTP errors come before a stream starts",
    on=together("errors.missing", "errors.missing-stream", status="any"),
)
def streams_are_refused_alike(plain: Exchange, streamed: Exchange) -> None:
    """A wrong request with `stream: true` is refused as it is without: same status, `type`, `param` and `code`.

    A 200 whose first event is the error is no refusal: retries, fallbacks and dashboards all go by the status.
    """
    if plain.status is None or plain.status < 400:
        raise NotApplicable(f"the plain request was answered {plain.status}")
    _set_aside(plain)
    _set_aside(streamed)
    expect(streamed.status == plain.status, expected=f"status {plain.status}", got=_seen(streamed))
    one, other = _error(plain), _error(streamed)
    for name in ("type", "param", "code"):
        expect(
            other.get(name) == one.get(name),
            expected=shown(one.get(name)),
            got=shown(other.get(name)),
            at=f"/error/{name}",
        )


# ------------------------------------------------------------------------------------------------- reading


def _error(exchange: Exchange) -> dict[str, Any]:
    """The error object. Without one the clause has nothing to say: errors.envelope has said it."""
    try:
        error = exchange.json["error"]
    except (Undecodable, LookupError, TypeError):
        error = None
    if not isinstance(error, dict):
        raise NotApplicable("the answer has no error object: errors.envelope judges that")
    return error


def _row(id: str) -> dict[str, Any]:
    """A row of `spec/errors.yaml`."""
    rows: Sequence[dict[str, Any]] = load_spec().catalogue("errors")["rows"]
    return next(row for row in rows if row["id"] == id)


def _expect_refused(exchange: Exchange, *rows: str) -> None:
    """One of the statuses that these rows of the catalogue give."""
    _set_aside(exchange)
    status = exchange.status or 0
    if status in (500, 501):
        raise NotApplicable(f"answered {status}: errors.client-fault judges that")
    allowed = [allowed for row in rows for allowed in _row(row)["status"]]
    expect(status in allowed, expected=f"status {' or '.join(map(str, allowed))}", got=_seen(exchange))


def _set_aside(exchange: Exchange) -> None:
    """Ends the clause when the answer is about something else than the mistake in the request."""
    if exchange.status in ELSEWHERE:
        raise Inconclusive(f"answered {exchange.status}, which is about something else")


def _seen(exchange: Exchange) -> str:
    """The status, with the message of an error."""
    try:
        return f"{exchange.status}: {shown(exchange.json['error']['message'])}"
    except (Undecodable, LookupError, TypeError):
        return str(exchange.status)
