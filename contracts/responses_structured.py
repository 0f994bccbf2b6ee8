"""Structured responses: `text.format` holds whatever the model, plain and streamed.

A refusal is as good as an answer. An answer cut by its cap need only begin as JSON.
"""

from __future__ import annotations

from typing import Any

from wireproof.clause import (
    Exchange,
    Inconclusive,
    NotApplicable,
    Undecodable,
    answered,
    clause,
    parse_json,
    schema_breaches,
    sent,
    shown,
)

from ._acceptance import expect_feature_served
from ._reading import as_object
from ._response_asks import ask, asking
from ._responses import RESPONSE, Told, ended, refuses, text_of
from ._schemas_asked import PAINT, WISH

ROOM = 200
STRICT = {"type": "json_schema", "name": "paint", "strict": True, "schema": PAINT}
PROBES = (
    asking(
        "structured.object",
        ask(
            input="Answer in JSON: an object that names one color.",
            text={"format": {"type": "json_object"}},
            max_output_tokens=ROOM,
        ),
        "JSON mode",
    ),
    asking("structured.schema", ask(input=WISH, text={"format": STRICT}, max_output_tokens=ROOM), "a strict schema"),
    asking(
        "structured.schema-streamed",
        ask(input=WISH, text={"format": STRICT}, max_output_tokens=ROOM, stream=True),
        "the same, streamed",
    ),
)


def _wanted(body: dict[str, Any]) -> dict[str, Any]:
    return as_object(as_object(body.get("text")).get("format"))


def _strict_schema(body: dict[str, Any]) -> dict[str, Any]:
    """The schema a strict request asks for; {} when it asks for none."""
    wanted = _wanted(body)
    is_strict = wanted.get("type") == "json_schema" and wanted.get("strict") is True
    return as_object(wanted.get("schema")) if is_strict else {}


def _asks_strict(body: dict[str, Any]) -> bool:
    return bool(_strict_schema(body))


def _asks_object(body: dict[str, Any]) -> bool:
    return _wanted(body).get("type") == "json_object"


def _asks_json(body: dict[str, Any]) -> bool:
    return _asks_object(body) or _asks_strict(body)


def _text(exchange: Exchange) -> tuple[Told, str]:
    """The response and its text. NotApplicable when the model refused or called a tool."""
    response = ended(exchange)
    text = text_of(response).strip()
    if refuses(response) or (not text and response.status == "completed"):
        raise NotApplicable("the model refused, or called a tool instead")
    if not text:
        raise Inconclusive(f"no text came before the response ended ({response.status})")
    return response, text


def _document(exchange: Exchange) -> tuple[Told, str, Any]:
    """The whole answer as a value. What is no JSON at all, responses.structured.json judges."""
    response, text = _text(exchange)
    if response.status == "incomplete":
        raise Inconclusive("the answer was cut")
    try:
        return response, text, parse_json(text)
    except Undecodable as bad:
        raise Inconclusive(f"the answer is no JSON: {bad}") from bad


@clause(
    "responses.structured.accepts",
    level="MUST",
    source="SPEC CreateResponse.text.format",
    on=sent(RESPONSE, asks=_asks_json),
)
def text_formats_are_accepted(exchange: Exchange) -> None:
    """`text.format` of type `json_object` and of type `json_schema` is accepted.

    A backend without it refuses with a code such as `unsupported_parameter`; that is no finding.
    """
    if exchange.status in (404, 405):
        raise NotApplicable(f"{exchange.id} was answered {exchange.status}: responses are not served")
    expect_feature_served(exchange)


@clause(
    "responses.structured.json",
    level="MUST",
    source="DOCS-0715 structured-outputs, JSON mode: valid JSON except when cut by length",
    on=answered(RESPONSE, asks=_asks_json),
    fields=("text",),
)
def structured_answers_are_one_json_document(exchange: Exchange) -> None:
    """The text of a structured response is exactly one JSON document: no code fence, no words before or after it.

    White space around it is fine. An answer that was cut at least begins with an opening brace.
    """
    response, text = _text(exchange)
    if response.status == "incomplete":
        response.must(text[0] == "{", "/output", expected="the beginning of a JSON object", got=shown(text))
        raise Inconclusive("the answer was cut; what came begins as JSON does")
    try:
        parse_json(text)
    except Undecodable as bad:
        response.must(False, "/output", expected="one JSON document", got=f"{shown(text)}: {bad}")


@clause(
    "responses.structured.object",
    level="MUST",
    source="SPEC ResponseFormatJsonObject",
    on=answered(RESPONSE, asks=_asks_object),
    fields=("text",),
)
def json_mode_answers_an_object(exchange: Exchange) -> None:
    """JSON mode (`json_object`) answers with an object: no bare list, string or number."""
    response, text, value = _document(exchange)
    response.must(isinstance(value, dict), "/output", expected="a JSON object", got=shown(text))


@clause(
    "responses.structured.schema",
    level="MUST",
    source="DOCS-0715 structured-outputs: strict ensures adherence to the schema",
    on=answered(RESPONSE, asks=_asks_strict),
    fields=("text",),
)
def strict_answers_keep_their_schema(exchange: Exchange) -> None:
    """An answer to a `strict` schema keeps it: every required key, only listed values and declared types, no other key.

    Strictness is the server's promise: it constrains what the model may write.
    """
    response, text, value = _document(exchange)
    for breach in schema_breaches(_strict_schema(exchange.request.asked), value):
        place = f" at {breach.pointer}" if breach.pointer else ""
        response.must(False, "/output", expected=f"{breach.expected}{place}", got=f"{breach.got} in {shown(text)}")
