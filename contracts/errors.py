"""Mistakes: which status a mistake of the client gets, and what its error says of it.

What is wrong with a request is read off the request itself, by the schema of `spec/`, so the clauses judge
any traffic; the statuses stand in `spec/errors.yaml`. The shape of errors is judged in errors_shape.py, keys in
auth.py, limits in ratelimit_throttled.py.
"""

from __future__ import annotations

from typing import Any

from wireproof.clause import (
    MODEL,
    Exchange,
    NotApplicable,
    answered,
    clause,
    expect,
    probe,
    sent,
    shown,
    together,
    where_served,
)

from ._errors import error_row, error_told, expect_refused, names_in, seen, set_aside
from ._mistakes import (
    BOUNDS,
    CHAT,
    MISSING,
    has_orphan,
    is_broken_json,
    is_mistaken,
    is_no_object,
    lacks_logprobs,
    mistakes,
    wrong_fields,
)

UNKNOWN_MODEL = "wireproof-no-such-model"
TURN = {"role": "user", "content": "Hi"}
RESULT = {"role": "tool", "tool_call_id": "call_wireproof", "content": "4"}


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
    _chat("errors.no-message", _ask(messages=[]), "`messages` without a message"),
    _chat("errors.range", _ask(top_p=2), "`top_p` above 1"),
    _chat("errors.range-temperature", _ask(temperature=2.5), "`temperature` above 2"),
    _chat("errors.range-logprobs", _ask(logprobs=True, top_logprobs=21), "`top_logprobs` above 20"),
    _chat("errors.range-penalty", _ask(frequency_penalty=2.5), "`frequency_penalty` above 2"),
    _chat("errors.needs-logprobs", _ask(top_logprobs=2), "`top_logprobs` without `logprobs`"),
    _chat("errors.needs-stream", _ask(stream_options={"include_usage": True}), "`stream_options` without `stream`"),
    _chat("errors.orphan", _ask(messages=[TURN, RESULT]), "a tool's result that no call asked for"),
    _chat("errors.unknown-model", _ask(model=UNKNOWN_MODEL), "a model that does not exist"),
    probe(
        "errors.unknown-route", "POST", "/wireproof/no-such-route", {}, about="a path there is not", expects="refusal"
    ),
    probe("errors.wrong-method", "GET", "/embeddings", about="a method the path does not have", expects="refusal"),
)

OURS = ("errors.*", "cases.*")


@clause("errors.client-fault", level="MUST", source="ERR-LATE 400, 500; SDK _exceptions.py", on=sent(probes=OURS))
def mistakes_are_no_server_errors(exchange: Exchange) -> None:
    """A mistake of the client is answered 4xx, never with 500 or above.

    Clients take 5xx for a fault that passes: the SDK sends the same wrong request three times.
    """
    if not is_mistaken(exchange):
        raise NotApplicable("the request is well formed")
    status = exchange.status or 0
    set_aside(exchange)
    expect(status < 500, expected="a status from 400 to 499", got=seen(exchange))


@clause(
    "errors.bad-json",
    level="MUST",
    source="OBS 400; ERR-LATE 400",
    on=where_served(sent(probes=OURS, shows=is_broken_json)),
)
def broken_json_is_a_400(exchange: Exchange) -> None:
    """A body that is not JSON is refused with 400, or 422."""
    expect_refused(exchange, "body-not-json", "unprocessable")


@clause(
    "errors.not-object",
    level="MUST",
    source="ERR-LATE 400; SPEC requestBody",
    on=where_served(sent(probes=OURS, shows=is_no_object)),
)
def a_body_must_be_an_object(exchange: Exchange) -> None:
    """A body that is JSON but no object is refused with 400, or 422."""
    expect_refused(exchange, "request-invalid", "unprocessable")


@clause(
    "errors.invalid",
    level="MUST",
    source="SPEC CreateChatCompletionRequest; ERR-LATE 400",
    on=where_served(sent(CHAT, asks=lambda body: bool(wrong_fields(body, *MISSING, "type")))),
)
def an_invalid_field_is_refused(exchange: Exchange) -> None:
    """A request that lacks a required field (`messages`), or has one empty or of the wrong type, gets 400, or 422."""
    expect_refused(exchange, "request-invalid", "unprocessable")


@clause(
    "errors.range",
    level="MUST",
    source="SPEC CreateChatCompletionRequest; ERR-LATE 400",
    on=where_served(sent(CHAT, asks=lambda body: wrong_fields(body, *BOUNDS))),
)
def a_value_out_of_range_is_refused(exchange: Exchange) -> None:
    """A number outside its documented bounds (`top_p` above 1, `temperature` above 2) is refused with 400, or 422.

    Taken silently, a slip of the decimal point is found only by reading what the model writes.
    """
    expect_refused(exchange, "request-invalid", "unprocessable")


@clause(
    "errors.needs-logprobs",
    level="SHOULD",
    source="SPEC top_logprobs: logprobs must be true",
    on=where_served(sent(CHAT, asks=lacks_logprobs)),
)
def top_logprobs_need_logprobs(exchange: Exchange) -> None:
    """`top_logprobs` without `logprobs: true` is refused with 400, or 422.

    Taken, it is ignored without a word, and the caller looks for candidates that never come.
    """
    expect_refused(exchange, "request-invalid", "unprocessable")


@clause(
    "errors.needs-stream",
    level="SHOULD",
    source="SPEC stream_options: only with stream true; OBS 400",
    on=where_served(sent(CHAT, asks=lambda body: body.get("stream_options") is not None and not body.get("stream"))),
)
def stream_options_need_a_stream(exchange: Exchange) -> None:
    """`stream_options` without `stream: true` is refused with 400, or 422.

    Taken, it is ignored without a word; a gateway that drops it should refuse it first.
    """
    expect_refused(exchange, "request-invalid", "unprocessable")


@clause(
    "errors.orphan",
    level="SHOULD",
    source="DOCS-0715 function calling: a tool message answers a call of the turn before",
    on=where_served(sent(CHAT, asks=has_orphan)),
)
def a_result_needs_its_call(exchange: Exchange) -> None:
    """A message of role `tool` whose `tool_call_id` no earlier message called for is refused with 400, or 422.

    It is what is left when a history was cut in the wrong place: the model answers to a result without a question.
    """
    expect_refused(exchange, "request-invalid", "unprocessable")


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
    if exchange.status not in (400, 422) or not is_mistaken(exchange):
        raise NotApplicable(f"answered {exchange.status}")
    expect(exchange.status == 400, expected="status 400", got=exchange.status)


@clause(
    "errors.param",
    level="SHOULD",
    source="SPEC Error.param; ERR-LATE 400",
    on=answered(CHAT, status="400", asks=lambda body: bool(mistakes(body))),
)
def param_names_the_field(exchange: Exchange) -> None:
    """`param` names the field that is wrong: `top_p`, `messages`, or a place in it like `messages[0].role`.

    Validators know the place of a mistake (`loc` in pydantic): join it with dots and brackets.
    """
    error = error_told(exchange)
    fields = mistakes(exchange.request.asked)
    param = error.get("param")
    if str(error.get("code")).startswith("unsupported_") and param in exchange.request.asked:
        raise NotApplicable(f"the model does not take {param} at all")
    got = shown(param) if "param" in error else "no param"
    expect(not names_in(param).isdisjoint(fields), expected=f"param {fields[0]}", got=got, at="/error/param")


@clause(
    "errors.unknown-model",
    level="MUST",
    source="CAP-OTEL chat 404; ERR-LATE 404",
    on=where_served(sent(CHAT, asks=lambda body: body.get("model") == UNKNOWN_MODEL)),
)
def an_unknown_model_is_a_404(exchange: Exchange) -> None:
    """A model that does not exist is refused with 404.

    Answered by another model, a typing error in a deployment shows up in the quality, or on the bill.
    """
    expect_refused(exchange, "model-unknown")


@clause(
    "errors.unknown-model-code",
    level="MUST",
    source="CAP-OTEL chat 404",
    on=where_served(answered(CHAT, status="refused", asks=lambda body: body.get("model") == UNKNOWN_MODEL)),
)
def an_unknown_model_has_its_code(exchange: Exchange) -> None:
    """The `code` for a model that does not exist is `model_not_found`.

    Clients fall back to another model by it; 404 alone may also mean a wrong base URL.
    """
    set_aside(exchange)
    code = error_told(exchange).get("code")
    expect(
        code in error_row("model-unknown")["code"], expected="code model_not_found", got=shown(code), at="/error/code"
    )


@clause("errors.unknown-route", level="MUST", source="OBS 404 Invalid URL", on=sent(probes="errors.unknown-route"))
def an_unknown_path_is_a_404(exchange: Exchange) -> None:
    """A path that does not exist is refused with 404, and never served as if it were another."""
    set_aside(exchange)
    expect(exchange.status == 404, expected="status 404", got=seen(exchange))


@clause(
    "errors.wrong-method",
    level="SHOULD",
    source="OBS 404 Invalid URL; RFC9110 15.5.6",
    on=sent(probes="errors.wrong-method"),
)
def a_wrong_method_is_refused(exchange: Exchange) -> None:
    """A method that a path does not have is refused with 405, or 404."""
    expect_refused(exchange, "route-unknown")


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
    set_aside(plain)
    set_aside(streamed)
    expect(streamed.status == plain.status, expected=f"status {plain.status}", got=seen(streamed))
    one, other = error_told(plain), error_told(streamed)
    for name in ("type", "param", "code"):
        expect(
            other.get(name) == one.get(name),
            expected=shown(one.get(name)),
            got=shown(other.get(name)),
            at=f"/error/{name}",
        )
