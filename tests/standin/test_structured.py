from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest
from standin.asking import chat, error, said, streamed_text

STEP = {
    "type": "object",
    "properties": {"title": {"type": "string"}, "next": {"anyOf": [{"$ref": "#/$defs/step"}, {"type": "null"}]}},
    "required": ["title", "next"],
    "additionalProperties": False,
}
STRICT = {
    "type": "object",
    "properties": {
        "kind": {"enum": ["a", "b"]},
        "age": {"type": "integer", "minimum": 18, "maximum": 20},
        "tags": {"type": "array", "items": {"type": "string", "pattern": "^[a-z]{3}-\\d{2}$"}, "minItems": 3},
        "when": {"type": "string", "format": "date-time"},
        "plan": {"$ref": "#/$defs/step"},
    },
    "required": ["kind", "age", "tags", "when", "plan"],
    "additionalProperties": False,
    "$defs": {"step": STEP},
}


def asked(schema: Any, *, strict: bool = True) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "thing", "schema": schema, "strict": strict}}


@pytest.mark.parametrize("strict", [True, False])
def test_a_schema_is_kept_plain_and_streamed(strict: bool) -> None:
    for text in ("Hello", "Goodbye", "Again"):
        written = said(chat(text, response_format=asked(STRICT, strict=strict)))
        assert jsonschema_rs.is_valid(STRICT, json.loads(written))
        assert streamed_text(chat(text, response_format=asked(STRICT, strict=strict), stream=True)) == written


def test_keys_come_in_the_order_of_the_schema() -> None:
    assert list(json.loads(said(chat("Hello", response_format=asked(STRICT))))) == list(STRICT["properties"])  # type: ignore[call-overload]


def test_forced_json_is_cut_by_the_limit() -> None:
    answer = chat("Hello", response_format=asked(STRICT), max_tokens=2)
    assert answer.json["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize(
    "change",
    [
        {"additionalProperties": True},
        {"required": ["kind"]},
        {"type": "array"},
        {"anyOf": [{"type": "object"}]},
        {"not": {}},
        {"allOf": [{}]},
        {"properties": {"x": {"type": "object", "properties": {}, "additionalProperties": True}}, "required": ["x"]},
    ],
)
def test_strict_refuses_what_its_subset_lacks_and_loose_does_not(change: dict[str, Any]) -> None:
    schema = {**STRICT, **change}
    refused = error(chat("Hello", response_format=asked(schema)))
    assert refused["param"] == "response_format"
    assert "thing" in refused["message"]
    assert chat("Hello", response_format=asked(schema, strict=False)).status == 200


def test_a_strict_function_is_held_to_the_subset_too() -> None:
    function = {"name": "f", "strict": True, "parameters": {"type": "object", "properties": {"a": {"type": "string"}}}}
    refused = error(chat("Hello", tools=[{"type": "function", "function": function}]))
    assert (refused["param"], refused["code"]) == ("tools[0].function.parameters", "invalid_function_parameters")


@pytest.mark.parametrize("part", [{"type": "nonsense"}, {"$ref": "#/$defs/no"}, {"$ref": "https://example.com/x.json"}])
def test_a_schema_that_cannot_be_used_is_refused_and_nothing_is_fetched(part: dict[str, Any]) -> None:
    schema = {"type": "object", "properties": {"a": part}}
    assert error(chat("Hello", response_format=asked(schema, strict=False)))["param"] == "response_format"


def test_json_mode_wants_the_word() -> None:
    refused = error(chat("Hello", response_format={"type": "json_object"}))
    assert "json" in refused["message"]
    assert refused["param"] == "messages"


def test_json_mode_says_the_object_it_is_told_to() -> None:
    answer = chat('As JSON. Reply with: {"a": 1}', response_format={"type": "json_object"})
    assert json.loads(said(answer)) == {"a": 1}


def test_a_schema_without_an_end_is_refused() -> None:
    endless = {"type": "object", "properties": {"again": {"$ref": "#"}}, "required": ["again"]}
    assert "endless" in error(chat("Hello", response_format=asked(endless, strict=False)))["message"]


def test_a_deprecated_function_needs_a_schema_that_can_be_used() -> None:
    function = {"name": "f", "parameters": {"$ref": "#/nowhere"}}
    assert error(chat("Hello", functions=[function]))["param"] == "functions[0].parameters"


@pytest.mark.parametrize(("name", "value"), [("min_tokens", "x"), ("min_tokens", -1), ("ignore_eos", 1)])
def test_an_extension_has_a_type_too(name: str, value: Any) -> None:
    fields: dict[str, Any] = {name: value}
    assert error(chat("Hello", **fields))["param"] == name
