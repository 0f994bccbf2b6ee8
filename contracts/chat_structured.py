"""Structured answers: JSON mode and strict schemas hold whatever the model, plain and streamed.

A refusal in `message.refusal` is as good as an answer. An answer cut by its cap need only begin as JSON.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from wireproof.clause import (
    MODEL,
    Exchange,
    Inconclusive,
    NotApplicable,
    Probe,
    Undecodable,
    answered,
    clause,
    expect,
    parse_json,
    probe,
    schema_breaches,
    sent,
    shown,
)

from ._acceptance import expect_feature_served
from ._reading import as_object
from ._room import ran_out
from ._schemas_asked import PAINT, WISH
from ._stream import Piece, by_choice, error_in

CHAT = "createChatCompletion"
ROOM = 200
# What a backend without it calls the whole of it; its types are parts.
WHOLE = re.compile(r"response_format|structured[ -]output|guided[ -]decoding", re.I)
OBJECT = {"type": "json_object"}
STRICT = {"type": "json_schema", "json_schema": {"name": "paint", "strict": True, "schema": PAINT}}


def _probe(name: str, about: str, wanted: dict[str, Any], prompt: str, **more: Any) -> Probe:
    messages = [{"role": "user", "content": prompt}]
    body = {"model": MODEL, "messages": messages, "response_format": wanted, "max_tokens": ROOM, **more}
    return probe(f"structured.{name}", "POST", "/chat/completions", body, about=about, ran_out=ran_out)


PROBES = (
    _probe("object", "JSON mode", OBJECT, "Answer in JSON: an object that names one color."),
    _probe("schema", "a strict schema", STRICT, WISH),
    _probe("schema-streamed", "the same, streamed", STRICT, WISH, stream=True),
)


@dataclass(frozen=True)
class Answer:
    """What one choice says, plain or joined. `texts` are the values of `content` as they came, null left out."""

    texts: tuple[Any, ...]
    refusal: Any
    finish: Any
    has_calls: bool
    at: str
    event: int | None = None

    @property
    def text(self) -> str:
        return "".join(text for text in self.texts if isinstance(text, str))

    @property
    def was_cut(self) -> bool:
        return self.finish in ("length", "content_filter")

    def must(self, held: bool, *, expected: str, got: str) -> None:
        expect(held, expected=expected, got=got, at=f"{self.at}/content", event=self.event)


def _answers(exchange: Exchange) -> list[Answer]:
    if (broken := error_in(exchange)) is not None:
        raise Inconclusive(f"the stream broke off with an error: {shown(broken)}")
    found = by_choice(exchange)
    if not found:
        raise Inconclusive("the answer has no choices")
    return [_answer(pieces, "delta" if exchange.streamed else "message") for pieces in found.values()]


def _answer(pieces: list[Piece], holder: str) -> Answer:
    said = [as_object(piece.choice.get(holder)) for piece in pieces]
    reasons = [piece.choice["finish_reason"] for piece in pieces if piece.choice.get("finish_reason")]
    last = pieces[-1]
    return Answer(
        tuple(one["content"] for one in said if one.get("content") is not None),
        next((one["refusal"] for one in said if one.get("refusal")), None),
        reasons[-1] if reasons else None,
        any(one.get("tool_calls") for one in said),
        f"{last.at}/{holder}",
        last.event,
    )


def _documents(exchange: Exchange) -> Iterator[tuple[Answer, Any]]:
    """Every whole answer that is JSON, with its value. What is no JSON at all, `chat.structured.json` judges.

    Raises Inconclusive when an answer was cut or has no text.
    """
    for answer in _answers(exchange):
        if answer.refusal or answer.has_calls:
            raise NotApplicable("the model refused" if answer.refusal else "the model called a tool instead")
        if answer.was_cut or not answer.text:
            raise Inconclusive(f"no whole answer came (finish_reason {answer.finish})")
        try:
            yield answer, parse_json(answer.text)
        except Undecodable as bad:
            raise Inconclusive(f"the answer is no JSON: {bad}") from bad


def _wanted(body: dict[str, Any]) -> dict[str, Any]:
    return as_object(body.get("response_format"))


def _asks_object(body: dict[str, Any]) -> bool:
    return _wanted(body).get("type") == "json_object"


def _strict_schema(body: dict[str, Any]) -> dict[str, Any]:
    """The schema a strict request asks for; {} when it asks for none."""
    described = as_object(_wanted(body).get("json_schema"))
    is_strict = _wanted(body).get("type") == "json_schema" and described.get("strict") is True
    return as_object(described.get("schema")) if is_strict else {}


def _asks_strict(body: dict[str, Any]) -> bool:
    return bool(_strict_schema(body))


def _asks_json(body: dict[str, Any]) -> bool:
    return _asks_object(body) or _asks_strict(body)


@clause(
    "chat.structured.accepts",
    level="MUST",
    source="SPEC CreateChatCompletionRequest.response_format",
    on=sent(CHAT, probes="structured.*", asks=_asks_json),
)
def response_formats_are_accepted(exchange: Exchange) -> None:
    """`response_format` of type `json_object` and of type `json_schema` is accepted.

    A backend without it refuses it as unsupported, by a code such as `unsupported_parameter` or in words; that is no
    finding.
    """
    expect_feature_served(exchange, WHOLE)


@clause(
    "chat.structured.text",
    level="MUST",
    source="SPEC ChatCompletionResponseMessage.content, .refusal; DOCS-0715 structured-outputs, refusals",
    on=answered(CHAT, asks=_asks_json),
)
def structured_answers_are_text_or_a_refusal(exchange: Exchange) -> None:
    """A structured answer is JSON text in `content`, or a text in `refusal`; never a ready-made object, never nothing.

    Nothing may have come when the answer was cut, and when a tool was called instead.
    """
    for answer in _answers(exchange):
        odd = next((text for text in answer.texts if not isinstance(text, str)), None)
        answer.must(odd is None, expected="content as a string", got=shown(odd))
        is_said = bool(answer.text) or isinstance(answer.refusal, str) or answer.was_cut or answer.has_calls
        answer.must(is_said, expected="text in content or in refusal", got="neither")


@clause(
    "chat.structured.refusal",
    level="MUST",
    source="DOCS-0715 structured-outputs, refusals: content null beside a refusal",
    on=answered(CHAT, asks=_asks_json),
)
def a_refusal_stands_alone(exchange: Exchange) -> None:
    """A choice with a `refusal` has no text in `content` as well."""
    for answer in _answers(exchange):
        held = not (isinstance(answer.refusal, str) and answer.text)
        answer.must(held, expected="content null beside a refusal", got=shown(answer.text))


@clause(
    "chat.structured.json",
    level="MUST",
    source="DOCS-0715 structured-outputs, JSON mode: valid JSON except when cut by length",
    on=answered(CHAT, asks=_asks_json),
    fields=("response_format",),
)
def structured_answers_are_one_json_document(exchange: Exchange) -> None:
    """`content` is exactly one JSON document: no code fence, no words before it or after it.

    White space around it is fine. An answer cut by the cap at least begins with an opening brace. The pieces of
    a stream join to the document.
    """
    cut = ""
    for answer in _answers(exchange):
        text = answer.text.strip()
        if not text or answer.refusal:
            continue
        if answer.was_cut:
            answer.must(text[0] == "{", expected="the beginning of a JSON object", got=shown(text))
            cut = f"the answer was cut (finish_reason {answer.finish}); what came begins as JSON does"
            continue
        try:
            parse_json(text)
        except Undecodable as bad:
            answer.must(False, expected="one JSON document", got=f"{shown(text)}: {bad}")
    if cut:
        raise Inconclusive(cut)


@clause(
    "chat.structured.object",
    level="MUST",
    source="SPEC ResponseFormatJsonObject",
    on=answered(CHAT, asks=_asks_object),
    fields=("response_format",),
)
def json_mode_answers_an_object(exchange: Exchange) -> None:
    """JSON mode (`json_object`) answers with an object: no bare list, string or number."""
    for answer, value in _documents(exchange):
        answer.must(isinstance(value, dict), expected="a JSON object", got=shown(value))


@clause(
    "chat.structured.schema",
    level="MUST",
    source="DOCS-0715 structured-outputs: strict ensures adherence to the schema",
    on=answered(CHAT, asks=_asks_strict),
    fields=("response_format",),
)
def strict_answers_keep_their_schema(exchange: Exchange) -> None:
    """An answer to a `strict` schema keeps it: every required key, only listed values and declared types, no other key.

    Strictness is the server's promise: it constrains what the model may write.
    """
    schema = _strict_schema(exchange.request.asked)
    for answer, value in _documents(exchange):
        try:
            breaches = schema_breaches(schema, value)
        except ValueError as unusable:
            raise Inconclusive(f"what was asked for is no usable schema: {unusable}") from unusable
        for breach in breaches:
            place = f" at {breach.pointer}" if breach.pointer else ""
            answer.must(False, expected=f"{breach.expected}{place}", got=f"{breach.got} in {shown(answer.text)}")


@clause(
    "chat.structured.key-order",
    level="SHOULD",
    source="DOCS-0715 structured-outputs: outputs keep the order of keys in the schema",
    on=answered(CHAT, asks=_asks_strict),
)
def strict_answers_keep_the_order_of_keys(exchange: Exchange) -> None:
    """The keys of an answer to a `strict` schema come in the schema's order.

    Schemas put reasoning before the conclusion for its effect on the model; another order loses it.
    """
    for answer, value in _documents(exchange):
        _expect_order(answer, _strict_schema(exchange.request.asked), value)


def _expect_order(answer: Answer, schema: dict[str, Any], value: Any) -> None:
    """Follows nested `properties`; refs and branches are left out."""
    declared = as_object(schema.get("properties"))
    if not isinstance(value, dict):
        return
    got = [key for key in value if key in declared]
    wanted = [key for key in declared if key in value]
    answer.must(got == wanted, expected=f"keys in the order {shown(wanted)}", got=shown(got))
    for key in got:
        _expect_order(answer, as_object(declared[key]), value[key])
