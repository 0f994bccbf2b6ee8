"""Refuses a malformed body the way the API does: the first departure from the schema, as an error envelope."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import orjson

from wireproof.spec import Operation, Schema, TooDeep
from wireproof.standin.refusals import Refused, invalid, kind_of, missing, wrong_type, wrong_value
from wireproof.violations import Violation, follow

# Perhaps a number that the fast parser would make a float of; in a text it costs some time, no more.
NEEDS_CARE = re.compile(rb"\d(?:\.\d*0(?!\d)|[eE][-+\d])|\d{16}")
MOST_NESTED = 200
MOST_EXACT = 2**53  # beyond it a float does not tell one integer from the next
# Items of a list in which a violation is looked for; the last is beyond every published `maxItems` of a request.
LISTED = (100, 8_200)
TYPE_WORDS = {
    "string": "a string",
    "integer": "an integer",
    "number": "a decimal number",
    "boolean": "a boolean",
    "array": "an array",
    "object": "an object",
    "null": "null",
}


def body_of(raw: bytes) -> dict[str, Any]:
    """The JSON object in `raw`. Refused: not JSON, not UTF-8, NaN, half a surrogate pair, not an object."""
    try:
        body = _quickly(raw) or _carefully(raw)
    except (ValueError, RecursionError):
        raise invalid(
            "We could not parse the JSON body of your request. The body must be a JSON object, as in "
            '{"model": "..."}, encoded as UTF-8.'
        ) from None
    if not isinstance(body, dict):
        raise invalid(f"Invalid body: expected a JSON object, but got {kind_of(body)} instead.")
    return body


def _quickly(raw: bytes) -> Any:
    """The body by the fast parser; None when there may be something in it that it reads in another way, or not at all.

    Integers of more than 64 bits and whole numbers written as 2.0 or 2e3 would be floats to it; what is nested so deep
    that other code would stumble over it would be well.
    """
    if NEEDS_CARE.search(raw) or raw.count(b"[") + raw.count(b"{") > MOST_NESTED:
        return None
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None


def _carefully(raw: bytes) -> Any:
    body = json.loads(raw, parse_constant=_no_constant, parse_float=_number)
    if b"\\ud" in raw or b"\\uD" in raw:
        json.dumps(body, ensure_ascii=False).encode()
    return body


def _number(text: str) -> float:
    """`2.0` is the integer 2, to JSON Schema as to us."""
    number = float(text)
    return int(number) if number.is_integer() and abs(number) <= MOST_EXACT else number


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def check_schema(operation: Operation, body: dict[str, Any], media_type: str = "application/json") -> None:
    """Refused with the first violation, by position of the field in the body."""
    schema = operation.body_schema(media_type)
    try:
        if schema is None or schema.holds(body):
            return
        found = _violations(schema, body)
    except (TooDeep, RecursionError):
        raise invalid("We could not parse the body of your request: it is nested too deeply.") from None
    if not found:
        raise invalid("Invalid body: a list in it is too long, or does not begin to be right before its end.")
    raise refused(min(found, key=_rank), body)


def _violations(schema: Schema, body: Any) -> list[Violation]:
    """What is wrong with the beginnings of all lists: to tell a million times the same takes minutes."""
    return next((found for most in LISTED if (found := list(schema.violations(_begun(body, most))))), [])


def _begun(value: Any, most: int) -> Any:
    """`value` with the first `most` items of each list."""
    if isinstance(value, dict):
        return {name: _begun(one, most) for name, one in value.items()}
    return [_begun(one, most) for one in value[:most]] if isinstance(value, list) else value


def _rank(violation: Violation) -> tuple[bool, int]:
    """Missing keys first: there is no sense in judging the rest of a body that lacks its model."""
    return violation.keyword != "required", violation.pointer.count("/")


def refused(violation: Violation, body: Any) -> Refused:
    param = field_name(violation.pointer)
    value = _value_at(body, violation.pointer)
    make = MAKERS.get(violation.keyword)
    if make is not None:
        return make(param, value, violation)
    return invalid(
        f"Invalid '{param}': expected {violation.expected}, but got {violation.got}.", param, "invalid_value"
    )


def _value_at(body: Any, pointer: str) -> Any:
    """What a violation is about; None where a validator leaves an empty key out of its path, or a key has a % in it."""
    try:
        return follow(body, pointer)
    except (LookupError, ValueError, TypeError):
        return None


def field_name(pointer: str) -> str:
    """`/messages/0/role` as `messages[0].role`."""
    return re.sub(r"\.(\d+)(?=\.|$)", r"[\1]", pointer.removeprefix("/").replace("/", "."))


def _missing(param: str, _value: Any, violation: Violation) -> Refused:
    name = re.sub(r"^a key '(.*)'$", r"\1", violation.expected)
    return missing(f"{param}.{name}" if param else name)


def _unknown(param: str, _value: Any, violation: Violation) -> Refused:
    name = re.sub(r"^no key '(.*)'$", r"\1", violation.expected)
    place = f"{param}.{name}" if param else name
    return invalid(f"Unknown parameter: '{place}'.", place, "unknown_parameter")


def _type(param: str, value: Any, violation: Violation) -> Refused:
    kinds = re.findall(r'"(\w+)"', violation.expected)
    expected = " or ".join(TYPE_WORDS.get(kind, kind) for kind in kinds if kind != "null" or len(kinds) == 1)
    return wrong_type(param, expected or violation.expected, value)


def _enum(param: str, value: Any, violation: Violation) -> Refused:
    listed = violation.expected.removeprefix("one of ")
    try:
        supported = json.loads(listed)
    except ValueError:
        supported = [listed]
    return wrong_value(param, value, supported if isinstance(supported, list) else [supported])


def _bound(side: str) -> Callable[[str, Any, Violation], Refused]:
    def make(param: str, value: Any, violation: Violation) -> Refused:
        kind = "integer" if isinstance(value, int) else "decimal"
        limit = violation.expected.rpartition(" ")[2]
        sign = "<=" if side == "above_max" else ">="
        return invalid(
            f"Invalid '{param}': {kind} {side.split('_')[0]} {side.split('_')[1]}imum value. Expected a value "
            f"{sign} {limit}, but got {value} instead.",
            param,
            f"{kind}_{side}_value",
        )

    return make


def _length(kind: str, side: str) -> Callable[[str, Any, Violation], Refused]:
    def make(param: str, value: Any, violation: Violation) -> Refused:
        limit = next(iter(re.findall(r"\d+", violation.expected)), "?")
        if kind == "array" and not value:
            return invalid(f"Invalid '{param}': empty array. Expected an array with minimum length {limit}, but got an "
                           "empty array instead.", param, "empty_array")  # fmt: skip
        words = "too long" if side == "above_max" else "too short"
        return invalid(
            f"Invalid '{param}': {kind} {words}. Expected {'an' if kind == 'array' else 'a'} {kind} with "
            f"{side.split('_')[1]}imum length {limit}, but got one with length {len(value)} instead.",
            param,
            f"{kind}_{side}_length",
        )

    return make


MAKERS: dict[str, Callable[[str, Any, Violation], Refused]] = {
    "required": _missing,
    "additionalProperties": _unknown,
    "unevaluatedProperties": _unknown,
    "type": _type,
    "enum": _enum,
    "const": _enum,
    "minimum": _bound("below_min"),
    "maximum": _bound("above_max"),
    "minItems": _length("array", "below_min"),
    "maxItems": _length("array", "above_max"),
    "minLength": _length("string", "below_min"),
    "maxLength": _length("string", "above_max"),
}
