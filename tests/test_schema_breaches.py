"""Schemas that came with a request: what breaks them, and what of them is never followed."""

from __future__ import annotations

from typing import Any

import pytest

from wireproof.clause import Call, schema_breaches
from wireproof.plan import Models, bind, encoded
from wireproof.spec import load_spec

SCHEMA = {
    "type": "object",
    "properties": {"color": {"enum": ["red"]}, "size": {"$ref": "#/$defs/size"}},
    "required": ["color"],
    "additionalProperties": False,
    "$defs": {"size": {"type": "integer", "maximum": 3}},
}


def test_a_value_that_keeps_its_schema_has_no_breaches() -> None:
    assert schema_breaches(SCHEMA, {"color": "red", "size": 3}) == []


@pytest.mark.parametrize(
    ("value", "pointer", "keyword"),
    [
        ({}, "", "required"),
        ({"color": "blue"}, "/color", "enum"),
        ({"color": "red", "size": 4}, "/size", "maximum"),
        ({"color": "red", "extra": 1}, "", "additionalProperties"),
    ],
)
def test_a_breach_names_its_place_and_keyword(value: Any, pointer: str, keyword: str) -> None:
    assert [(b.pointer, b.keyword) for b in schema_breaches(SCHEMA, value)] == [(pointer, keyword)]


@pytest.mark.parametrize(
    "schema", [None, {"type": "objekt"}, {"$ref": "#/nowhere"}, {"$ref": "http://127.0.0.1:9/x"}, {"$ref": "file:///x"}]
)
def test_what_is_no_schema_or_points_elsewhere_is_refused(schema: Any) -> None:
    with pytest.raises(ValueError):
        schema_breaches(schema, {})


def test_the_model_is_filled_into_bodies_given_as_bytes() -> None:
    call = Call("POST", "/chat/completions", b'{"model": "$chat-model", "n": "\\u00e9"}')
    assert encoded(bind(call, Models(chat='a"b'))) == b'{"model": "a\\"b", "n": "\\u00e9"}'


def test_half_a_surrogate_pair_is_judged_as_any_other_letter() -> None:
    model = load_spec().schema("Model")
    value = {"id": "\ud83d", "object": "model", "created": 1, "owned_by": "\ude00"}
    assert list(model.violations(value)) == []
    assert model.holds(value)
    assert [found.pointer for found in model.violations({**value, "created": "\ud800"})] == ["/created"]
    assert not model.holds({**value, "created": "\ud800"})
    assert [found.keyword for found in schema_breaches(SCHEMA, {"color": "\ud800"})] == ["enum"]


def test_null_reads_as_absent_in_an_answer_where_the_key_may_be_absent() -> None:
    chunk = load_spec().schema("ChatChunk")
    whole = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": []}
    assert list(chunk.breaches({**whole, "obfuscation": None})) == []
    assert [one.pointer for one in chunk.breaches({**whole, "obfuscation": 1})] == ["/obfuscation"]
    assert [one.pointer for one in chunk.breaches({**whole, "obfuscation": None, "model": None})] == ["/model"]


def test_a_null_item_of_a_list_is_no_absent_key() -> None:
    found = list(load_spec().schema("ModelList").breaches({"object": "list", "data": [None]}))
    assert [one.pointer for one in found] == ["/data/0"]
