from __future__ import annotations

import random
import re
from typing import Any

import jsonschema_rs
import pytest

from wireproof.standin.instances import instance
from wireproof.standin.patterns import matching

SCHEMAS: list[dict[str, Any]] = [
    {"type": "string", "minLength": 40},
    {"type": "string", "maxLength": 2},
    {"type": "string", "minLength": 5, "maxLength": 5},
    {"type": "string", "format": "uuid"},
    {"type": "integer", "minimum": 5, "maximum": 5},
    {"type": "integer", "exclusiveMinimum": 5, "exclusiveMaximum": 7},
    {"type": "integer", "multipleOf": 7, "minimum": 10},
    {"type": "integer", "maximum": -5},
    {"type": "number", "minimum": 0.1, "maximum": 0.2},
    {"type": "number", "multipleOf": 0.5},
    {"type": "boolean"},
    {"type": "null"},
    {"type": ["string", "null"]},
    {"enum": [1, "two", None]},
    {"const": {"a": 1}},
    {"type": "array", "items": {"type": "integer"}, "minItems": 4, "maxItems": 4},
    {"type": "array", "items": {"enum": [1, 2, 3]}, "minItems": 3, "uniqueItems": True},
    {"type": "array", "maxItems": 0},
    {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "minItems": 2},
    {"type": "object", "required": ["a"], "properties": {"b": {"type": "integer"}}},
    {"type": "object", "minProperties": 3, "additionalProperties": {"type": "integer"}},
    {"anyOf": [{"type": "string"}, {"type": "integer"}]},
    {"oneOf": [{"type": "string"}, {"type": "integer"}]},
    {"type": "object", "anyOf": [{"required": ["a"]}], "properties": {"a": {"type": "integer"}}},
    {"allOf": [{"type": "object", "required": ["a"]}, {"properties": {"a": {"const": 3}}}]},
    {"$ref": "#/$defs/a", "$defs": {"a": {"type": "integer"}}},
    {"$defs": {"n": {"type": "object", "properties": {"v": {"type": "integer"}, "l": {"anyOf": [{"$ref": "#/$defs/n"},
     {"type": "null"}]}}, "required": ["v", "l"], "additionalProperties": False}}, "$ref": "#/$defs/n"},
    {"type": "object", "properties": {"kids": {"type": "array", "items": {"$ref": "#"}}}, "required": ["kids"]},
    {},
]  # fmt: skip


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
def test_an_instance_keeps_its_schema(schema: dict[str, Any]) -> None:
    for seed in range(20):
        made = instance(schema, random.Random(seed))
        assert jsonschema_rs.is_valid(schema, made), made


def test_the_same_seed_makes_the_same_instance() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "number"}}}
    assert instance(schema, random.Random(1)) == instance(schema, random.Random(1))


@pytest.mark.parametrize(
    "pattern",
    [r"^[A-Z]{2}\d{3}$", r"^(red|green|blue)$", r"^\w+@\w+\.com$", r"^[^abc]{3}$", r"a?b*c+", r"^#[0-9a-f]{6}$"],
)
def test_a_written_pattern_matches_itself(pattern: str) -> None:
    for seed in range(20):
        assert re.search(pattern, matching(pattern, random.Random(seed)))


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "minLength": 10**9},
        {"type": "string", "minLength": 1e300},
        {"type": "array", "minItems": 10**9},
        {"type": "object", "minProperties": 10**9},
        {"type": "string", "pattern": "((a{1000}){1000}){1000}"},
        {"type": "array", "minItems": 900, "items": {"type": "array", "minItems": 900, "items": {"type": "null"}}},
    ],
    ids=str,
)
def test_a_value_without_end_is_not_begun(schema: dict[str, Any]) -> None:
    with pytest.raises(RecursionError):
        instance(schema, random.Random(1))


def test_a_long_value_is_made() -> None:
    assert len(instance({"type": "string", "minLength": 50_000}, random.Random(1))) >= 50_000
