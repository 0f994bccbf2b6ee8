"""JSON mode and structured outputs: what is forced, and which schemas a strict request may use."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from wireproof.spec import schema_breaches
from wireproof.standin.conversation import last_words, text_of
from wireproof.standin.instances import instance
from wireproof.standin.prose import dice, reply, told_words
from wireproof.standin.refusals import invalid
from wireproof.standin.tokens import joined

TRIES = 8
# Source: the structured outputs guide (copies checked 2026-08-23).
MOST_PROPERTIES = 5000
MOST_LEVELS = 10
MOST_ENUM_VALUES = 1000
UNSUPPORTED = ("allOf", "not", "dependentRequired", "dependentSchemas", "if", "then", "else")


def forced_json(body: Mapping[str, Any], meaning: str) -> str | None:
    """The JSON text `response_format` forces; None when it forces nothing."""
    wanted = body.get("response_format") or {}
    if wanted.get("type") == "json_schema" and wanted["json_schema"].get("schema") is not None:
        return json.dumps(valid_instance(wanted["json_schema"]["schema"], meaning), ensure_ascii=False)
    if wanted.get("type") not in ("json_schema", "json_object"):
        return None
    said = last_words(body["messages"])
    told = told_words(said)
    if told is not None and _is_object(told):
        return told
    return json.dumps({"answer": joined(reply("", meaning))})


def valid_instance(schema: Mapping[str, Any], meaning: str) -> Any:
    """A value of `schema`: the first of a few that a validator accepts, the last if it accepts none."""
    made = None
    for attempt in range(TRIES):
        made = instance(schema, dice(meaning, attempt))
        if not schema_breaches(schema, made):
            break
    return made


def check_format(body: Mapping[str, Any]) -> None:
    wanted = body.get("response_format") or {}
    if wanted.get("type") == "json_object":
        if not any("json" in text_of(message).lower() for message in body["messages"]):
            raise invalid(
                "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
                "messages",
            )
    elif wanted.get("type") == "json_schema":
        described = wanted["json_schema"]
        if described.get("strict") and described.get("schema") is None:
            raise invalid("Missing required parameter: 'response_format.json_schema.schema'.",
                          "response_format.json_schema.schema", "missing_required_parameter")  # fmt: skip
        if described.get("schema") is not None:
            check_json_schema(described["schema"], f"response_format '{described['name']}'", "response_format",
                          None, strict=bool(described.get("strict")))  # fmt: skip
    for index, tool in enumerate(body.get("tools") or ()):
        _check_function(tool.get("function") or {}, f"tools[{index}].function.parameters")
    for index, function in enumerate(body.get("functions") or ()):
        _check_function(function, f"functions[{index}].parameters")


def _check_function(function: Mapping[str, Any], param: str) -> None:
    if function.get("parameters") is not None:
        check_json_schema(
            function["parameters"],
            f"function '{function['name']}'",
            param,
            "invalid_function_parameters",
            strict=bool(function.get("strict")),
        )


def check_json_schema(schema: Mapping[str, Any], whose: str, param: str, code: str | None, *, strict: bool) -> None:
    """Refuses what is no schema, what no value can be made of, and, if `strict`, what leaves the strict subset."""
    problem = next(iter(departures(schema)), None) if strict else None
    if problem is None:
        try:
            schema_breaches(schema, None)
            instance(schema, dice("probe"))
        except RecursionError:
            problem = "every value of it would be endless."
        except (ValueError, LookupError) as wrong:
            problem = f"schema is not valid: {str(wrong).splitlines()[0]}"
    if problem is not None:
        raise invalid(f"Invalid schema for {whose}: {problem}", param, code)


def departures(schema: Mapping[str, Any]) -> Iterator[str]:
    """How a schema leaves the strict subset, in words; nothing when it keeps it."""
    if schema.get("type") != "object" or "anyOf" in schema:
        yield "schema must be an object schema (type: \"object\") and have no 'anyOf' at the top level."
    properties = enum_values = 0
    stack: list[tuple[Any, tuple[str, ...], int]] = [(schema, (), 1)]
    while stack:
        node, context, level = stack.pop()
        if not isinstance(node, Mapping):
            continue
        for key in UNSUPPORTED:
            if key in node:
                yield f"In context={context}, '{key}' is not permitted."
        if node.get("type") == "object" or "properties" in node:
            named = node.get("properties", {})
            properties += len(named)
            if node.get("additionalProperties") is not False:
                yield f"In context={context}, 'additionalProperties' is required to be supplied and to be false."
            missing = sorted(set(named) - set(node.get("required", ())))
            if missing:
                yield (f"In context={context}, 'required' is required to be supplied and to be an array including "
                       f"every key in properties. Missing '{missing[0]}'.")  # fmt: skip
            if level > MOST_LEVELS:
                yield f"In context={context}, {level} levels of nesting exceeds limit of {MOST_LEVELS}."
        enum_values += len(node.get("enum", ()))
        stack += _below(node, context, level)
    if properties > MOST_PROPERTIES:
        yield f"{properties} properties exceeds limit of {MOST_PROPERTIES}."
    if enum_values > MOST_ENUM_VALUES:
        yield f"{enum_values} enum values exceeds limit of {MOST_ENUM_VALUES}."


def _below(node: Mapping[str, Any], context: tuple[str, ...], level: int) -> Iterator[tuple[Any, tuple[str, ...], int]]:
    for group in ("properties", "$defs", "definitions"):
        for name, inner in (node.get(group) or {}).items():
            yield inner, (*context, group, name), level + (group == "properties")
    if "items" in node:
        yield node["items"], (*context, "items"), level + 1
    for index, inner in enumerate(node.get("anyOf", ())):
        yield inner, (*context, "anyOf", str(index)), level


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
