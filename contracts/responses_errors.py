"""Mistakes in requests for responses: each is refused, before a stream begins, and for the right reason.

A backend without the Responses API refuses everything, which proves nothing: where `responses.plain` was not answered,
no clause here has anything to say.
"""

from __future__ import annotations

from typing import Any

from wireproof.clause import Exchange, NotApplicable, clause, expect, shown, together

from ._errors import error_told, seen, set_aside
from ._mistakes import wrong_fields
from ._reading import error_of
from ._response_asks import UNKNOWN_RESPONSE, ask, asking
from ._responses import RESPONSE

UNKNOWN_MODEL = "wireproof-no-such-model"


PROBES = (
    asking("unknown-model", ask(model=UNKNOWN_MODEL), "a model that does not exist", expects="refusal"),
    asking("range", ask(top_p=2), "`top_p` above 1", expects="refusal"),
    asking("range-stream", ask(top_p=2, stream=True), "the same, streamed", expects="refusal"),
    asking("wrong-type", ask(max_output_tokens="many"), "`max_output_tokens` in words", expects="refusal"),
    asking(
        "previous-unknown",
        ask(previous_response_id=UNKNOWN_RESPONSE),
        "a previous response that there is not",
        expects="refusal",
    ),
)


def _refusal(plain: Exchange, exchange: Exchange) -> None:
    """Ends the clause where responses are not served, or the answer is about something else than the mistake."""
    if plain.status != 200:
        raise NotApplicable(f"{plain.id} was answered {plain.status}: responses are not served")
    set_aside(exchange)


def _expect_status(exchange: Exchange, *statuses: int) -> None:
    expected = f"status {' or '.join(map(str, statuses))}"
    expect(exchange.status in statuses, expected=expected, got=seen(exchange))


def _pair(name: str) -> Any:
    return together("responses.plain", f"responses.{name}", status="any")


@clause(
    "responses.errors.unknown-model",
    level="MUST",
    source="CAP-OTEL responses 400; ERR-LATE 404",
    on=_pair("unknown-model"),
)
def an_unknown_model_is_refused(plain: Exchange, unknown: Exchange) -> None:
    """A model that does not exist is refused with 400, or 404, and the `code` `model_not_found`.

    A status as text in `code` hides which mistake it was: `model_not_found` is what clients look for.
    """
    _refusal(plain, unknown)
    _expect_status(unknown, 400, 404)
    code = error_told(unknown).get("code")
    expect(code == "model_not_found", expected="code model_not_found", got=shown(code), at="/error/code")


@clause("responses.errors.range", level="MUST", source="SPEC CreateResponse; ERR-LATE 400", on=_pair("range"))
def a_value_out_of_range_is_refused(plain: Exchange, wrong: Exchange) -> None:
    """A number outside its documented bounds (`top_p` above 1) is refused with 400, or 422.

    Taken, it makes the sampler do something that nobody asked for: check before the prompt is queued.
    """
    _refusal(plain, wrong)
    _expect_status(wrong, 400, 422)


@clause("responses.errors.invalid", level="MUST", source="SPEC CreateResponse; ERR-LATE 400", on=_pair("wrong-type"))
def a_field_of_the_wrong_type_is_refused(plain: Exchange, wrong: Exchange) -> None:
    """A field of the wrong type (`max_output_tokens: "many"`) is refused with 400, or 422."""
    _refusal(plain, wrong)
    _expect_status(wrong, 400, 422)


@clause(
    "responses.errors.stream",
    level="MUST",
    source="QUOTES-0915 L5: HTTP errors apply before the stream starts",
    on=together("responses.range", "responses.range-stream", status="any"),
)
def streams_are_refused_as_plain_requests_are(plain: Exchange, streamed: Exchange) -> None:
    """What is refused plain is refused with the same status when a stream is asked for; never inside of a 200."""
    if plain.status is None or plain.status not in (400, 422):
        raise NotApplicable(f"{plain.id} was answered {plain.status}")
    set_aside(streamed)
    _expect_status(streamed, plain.status)


@clause(
    "responses.errors.param",
    level="SHOULD",
    source="SPEC Error.param; CAP-OTEL responses 400",
    on=together("responses.plain", "responses.range", status="any"),
)
def param_names_the_field(plain: Exchange, wrong: Exchange) -> None:
    """The `param` of a refusal names the field that is wrong, `top_p`.

    A gateway that wraps the error of its backend should pass its `param` on.
    """
    _refusal(plain, wrong)
    if wrong.status not in (400, 422):
        raise NotApplicable(f"{wrong.id} was answered {wrong.status}")
    fields = wrong_fields(wrong.request.asked, "maximum", operation=RESPONSE)
    param = error_told(wrong).get("param")
    named = isinstance(param, str) and any(field in param for field in fields)
    expect(named, expected=f"param {fields[0]}", got=shown(param), at="/error/param")


@clause(
    "responses.errors.previous",
    level="MUST",
    source="DOCS-0715 conversation-state; SPEC CreateResponse.previous_response_id",
    on=_pair("previous-unknown"),
)
def an_unknown_previous_response_is_refused(plain: Exchange, unknown: Exchange) -> None:
    """A `previous_response_id` that names no response is refused, with 400 or 404.

    Answered as if it had not been said, the model has lost the conversation, and nobody is told. A server that keeps
    nothing refuses every `previous_response_id`: that is just as good.
    """
    _refusal(plain, unknown)
    if unknown.status == 501:
        raise NotApplicable(f"{unknown.id} was answered 501: {error_of(unknown).get('message')}")
    _expect_status(unknown, 400, 404, 422)
