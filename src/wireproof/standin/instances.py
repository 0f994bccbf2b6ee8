"""Makes a value that keeps a JSON Schema: what a model forced by a schema would write.

Deterministic in `throw`. Knows types, enum, const, nesting, required and optional properties, arrays and
their bounds, string lengths, formats and patterns, numeric bounds and multipleOf, anyOf, oneOf, allOf, local
$ref. Optional parts are left out below MOST_DEPTH, which ends recursion; a schema that asks for more than MOST_PARTS
letters and items in all, as a `minLength` of a billion does, is taken for an endless one.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Mapping
from typing import Any

from wireproof.standin.patterns import matching
from wireproof.standin.prose import ADJECTIVES, NOUNS
from wireproof.standin.purse import Purse

MOST_DEPTH = 6
MOST_PARTS = 200_000
# What the rest of the world calls these; any value of the format would do.
FORMATS = {
    "date-time": "2026-01-15T09:30:00Z",
    "date": "2026-01-15",
    "time": "09:30:00Z",
    "duration": "PT15M",
    "email": "reader@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.7",
    "ipv6": "2001:db8::7",
    "uuid": "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
    "uri": "https://example.com/page",
}

Schema = Mapping[str, Any] | bool


def instance(schema: Schema, throw: random.Random) -> Any:
    """One value of `schema`. KeyError when a $ref leads nowhere, RecursionError when there is no end to the value."""
    return _instance(schema, Purse(throw, MOST_PARTS), schema)


def _instance(schema: Schema, throw: Purse, root: Schema, depth: int = 0) -> Any:
    if isinstance(schema, bool) or not schema:
        return _words(throw, 2)
    if "$ref" in schema:
        return _instance(_followed(root, str(schema["$ref"])), throw, root, depth + 1)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return throw.choice(schema["enum"])
    for several in ("anyOf", "oneOf"):
        if several in schema:
            rest = {key: value for key, value in schema.items() if key != several}
            branch = _branch(schema[several], throw, depth)
            return _instance(_merged(rest, branch, root), throw, root, depth + 1)
    if "allOf" in schema:
        whole: Mapping[str, Any] = {key: value for key, value in schema.items() if key != "allOf"}
        for part in schema["allOf"]:
            whole = _merged(whole, part, root)
        return _instance(whole, throw, root, depth + 1)
    return MAKERS[_type(schema, depth)](schema, throw, root, depth)


def _type(schema: Mapping[str, Any], depth: int) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        return "null" if depth > MOST_DEPTH and "null" in kind else str(next((k for k in kind if k != "null"), "null"))
    if isinstance(kind, str):
        return kind
    hints = {"properties": "object", "items": "array", "minimum": "number", "maximum": "number"}
    return next((made for key, made in hints.items() if key in schema), "string")


def _branch(branches: list[Schema], throw: random.Random, depth: int) -> Schema:
    if depth > MOST_DEPTH:  # the plainest one ends a recursion
        return min(branches, key=lambda branch: len(str(branch)) + 1000 * ("$ref" in str(branch)))
    return throw.choice(branches)


def _merged(first: Mapping[str, Any], second: Schema, root: Schema) -> dict[str, Any]:
    if isinstance(second, bool):
        return dict(first)
    if "$ref" in second:
        second = _merged({k: v for k, v in second.items() if k != "$ref"}, _followed(root, str(second["$ref"])), root)
    both = {**first, **second}
    for key in ("properties", "$defs"):
        if key in first and key in second:
            both[key] = {**first[key], **second[key]}
    if "required" in first and "required" in second:
        both["required"] = [*first["required"], *second["required"]]
    return both


def _followed(root: Schema, ref: str) -> Schema:
    node: Any = root
    for part in ref.removeprefix("#").split("/")[1:]:
        node = node[part.replace("~1", "/").replace("~0", "~")]
    found: Schema = node
    return found


def _object(schema: Mapping[str, Any], throw: Purse, root: Schema, depth: int) -> dict[str, Any]:
    required = set(schema.get("required", ()))
    properties = schema.get("properties", {})
    made = {
        name: _instance(part, throw, root, depth + 1)
        for name, part in properties.items()
        if name in required or depth < MOST_DEPTH // 2
    }
    extra = schema.get("additionalProperties", True)
    for name in [name for name in schema.get("required", ()) if name not in properties]:
        made[name] = _instance(extra, throw, root, depth + 1)
    throw.spend(schema.get("minProperties", 0))
    while len(made) < schema.get("minProperties", 0):
        made[f"{_word(throw)}_{len(made)}"] = _instance(extra, throw, root, depth + 1)
    return made


def _array(schema: Mapping[str, Any], throw: Purse, root: Schema, depth: int) -> list[Any]:
    least = schema.get("minItems", 0)
    most = schema.get("maxItems", max(least, 2))
    size = least if depth >= MOST_DEPTH else min(most, max(least, throw.randint(1, 2)))
    throw.spend(size)
    heads = schema.get("prefixItems", [])
    made = [_instance(part, throw, root, depth + 1) for part in heads[: max(size, len(heads))]]
    tries = 0
    while len(made) < size:
        item = _instance(schema.get("items", True), throw, root, depth + 1)
        tries += 1
        if not schema.get("uniqueItems") or tries > 100 or item not in made:
            made.append(item)
    return made


def _string(schema: Mapping[str, Any], throw: Purse, _root: Schema, _depth: int) -> str:
    if schema.get("format") in FORMATS:
        return FORMATS[schema["format"]]
    least, most = schema.get("minLength", 0), schema.get("maxLength", math.inf)
    if "pattern" in schema:
        for _ in range(50):
            text = matching(schema["pattern"], throw)
            if least <= len(text) <= most and re.search(schema["pattern"], text):
                return text
    text = _words(throw, throw.randint(1, 3))
    throw.spend(least)
    length = len(text)
    more = []
    while length < least:
        more.append(" " + _word(throw))
        length += len(more[-1])
    text = "".join([text, *more])
    return text if len(text) <= most else text[: int(most)]


def _number(schema: Mapping[str, Any], throw: Purse, _root: Schema, _depth: int) -> float:
    least, most = _bounds(schema, 0.01)
    if "multipleOf" in schema:
        return _multiple(schema["multipleOf"], least, most, throw)
    made = round(throw.uniform(least, most), 2)
    return made if least <= made <= most else (least + most) / 2


def _integer(schema: Mapping[str, Any], throw: Purse, _root: Schema, _depth: int) -> int:
    least, most = _bounds(schema, 1)
    if "multipleOf" in schema:
        return int(_multiple(schema["multipleOf"], least, most, throw))
    return throw.randint(math.ceil(least), max(math.ceil(least), math.floor(most)))


def _bounds(schema: Mapping[str, Any], step: float) -> tuple[float, float]:
    """Least and most allowed; 100 apart where the schema leaves a side open."""
    least, most = schema.get("minimum"), schema.get("maximum")
    if "exclusiveMinimum" in schema:
        least = max(least if least is not None else -math.inf, schema["exclusiveMinimum"] + step)
    if "exclusiveMaximum" in schema:
        most = min(most if most is not None else math.inf, schema["exclusiveMaximum"] - step)
    if least is None:
        least = 0 if most is None or most >= 0 else most - 100
    return least, least + 100 if most is None else most


def _multiple(step: float, least: float, most: float, throw: random.Random) -> float:
    first, last = math.ceil(least / step), math.floor(most / step)
    return throw.randint(first, max(first, last)) * step


def _word(throw: random.Random) -> str:
    return throw.choice(NOUNS)


def _words(throw: random.Random, count: int) -> str:
    return " ".join([*(throw.choice(ADJECTIVES) for _ in range(count - 1)), _word(throw)])


Maker = Callable[[Mapping[str, Any], Purse, Schema, int], Any]

MAKERS: dict[str, Maker] = {
    "object": _object,
    "array": _array,
    "string": _string,
    "number": _number,
    "integer": _integer,
    "boolean": lambda _schema, throw, _root, _depth: throw.random() < 0.5,
    "null": lambda _schema, _throw, _root, _depth: None,
}
