"""Where a value departs from its schema, in words: a JSON Pointer, what was expected and what is there."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

MOST_SHOWN = 120


@dataclass(frozen=True, slots=True)
class Violation:
    """Where a value departs from its schema: a JSON Pointer, the keyword, and both sides in words."""

    pointer: str
    keyword: str
    expected: str
    got: str


def follow(document: Any, pointer: str) -> Any:
    """What a JSON Pointer (RFC 6901) names; a KeyError names the part that is missing."""
    for part in pointer.split("/")[1:]:
        key = unquote(part).replace("~1", "/").replace("~0", "~")
        document = document[int(key)] if isinstance(document, list) else document[key]
    return document


def pointer_of(parts: list[str | int]) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def place_of(violation: Violation) -> str:
    """Where it is, or where the key is missing that should be there."""
    if violation.keyword != "required":
        return violation.pointer
    return violation.pointer + pointer_of([violation.expected.split("'", 1)[1][:-1]])


def unescaped(part: str) -> str:
    """A part of a JSON Pointer as the key it stands for."""
    return part.replace("~1", "/").replace("~0", "~")


def without(document: Any, pointers: Iterable[str]) -> tuple[Any, set[str]]:
    """A copy that lacks these keys of its objects, and which they are: items of lists stay."""
    pared, taken = copy.deepcopy(document), set()
    for pointer in pointers:
        *parents, key = pointer.split("/")[1:] or [""]
        node = pared
        for part in parents:
            node = node[int(part)] if isinstance(node, list) else node[unescaped(part)]
        if isinstance(node, dict) and unescaped(key) in node:
            del node[unescaped(key)]
            taken.add(pointer)
    return pared, taken


def shown(value: Any) -> str:
    """A value as compact JSON, cut to what a line of a report can hold."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 1] + "…"


def violations(document: Mapping[str, Any], error: Any) -> Iterator[Violation]:
    """`error` in words; of alternatives, the errors of the nearest one, or what they would all have taken."""
    branches = getattr(error.kind, "context", None)
    # A branch without errors is one that holds: of `oneOf` a second one is too many.
    if not branches or not all(branches):
        yield violation(document, error)
        return
    depth = len(error.instance_path)
    branches = list(_flat(branches, depth))
    misnamed = [next((e for e in branch if _is_name(e, depth)), None) for branch in branches]
    named = [branch for branch, wrong in zip(branches, misnamed, strict=True) if wrong is None]
    alike = [branch for branch in named if not any(_is_type(e, depth) for e in branch)]
    if alike:
        for nearer in min(alike, key=len):
            yield from violations(document, nearer)
    elif wrong_names := [error for error in misnamed if error is not None]:
        names = [name for wrong in wrong_names for name in _names(wrong)]
        found = wrong_names[0]
        yield Violation(
            pointer_of(list(found.instance_path)), "enum", f"one of {json.dumps(names)}", shown(found.instance)
        )
    elif types := list(
        dict.fromkeys(k for branch in named for e in branch if _is_type(e, depth) for k in e.kind.types)
    ):
        yield Violation(pointer_of(list(error.instance_path)), "type", f"type {shown(types)}", shown(error.instance))
    else:
        yield violation(document, error)


def _flat(branches: Any, depth: int) -> Iterator[Any]:
    """The alternatives, those of an alternative that is a union itself among them."""
    for branch in branches:
        inner = getattr(branch[0].kind, "context", None) if len(branch) == 1 else None
        if inner and all(inner) and len(branch[0].instance_path) == depth:
            yield from _flat(inner, depth)
        else:
            yield branch


# The keys by which the objects of this API say which of several kinds they are.
NAMING_KEYS = ("role", "type")


def _is_name(error: Any, depth: int) -> bool:
    path = error.instance_path
    return len(path) == depth + 1 and path[-1] in NAMING_KEYS and bool(_names(error))


def _names(error: Any) -> list[Any]:
    if hasattr(error.kind, "expected_value"):
        return [error.kind.expected_value]
    return list(getattr(error.kind, "options", ()))


def _is_type(error: Any, depth: int) -> bool:
    return len(error.instance_path) == depth and hasattr(error.kind, "types")


def violation(document: Mapping[str, Any], error: Any) -> Violation:
    keyword = str(error.schema_path[-1]) if error.schema_path else "schema"
    pointer = pointer_of(list(error.instance_path))
    if keyword == "required":
        return Violation(pointer, keyword, f"a key {error.kind.property!r}", f"keys {shown(sorted(error.instance))}")
    if keyword in CLOSED:
        unknown = error.kind.unexpected[0]
        return Violation(pointer, keyword, f"no key {unknown!r}", f"keys {shown(sorted(error.instance))}")
    return Violation(pointer, keyword, _wanted(document, error, keyword), shown(error.instance))


# Keywords by which an object takes no other keys than those it names.
CLOSED = ("additionalProperties", "unevaluatedProperties")
WORDS = {
    "type": "type {}",
    "enum": "one of {}",
    "const": "{}",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "pattern": "a match of {}",
}


def _wanted(document: Mapping[str, Any], error: Any, keyword: str) -> str:
    if keyword not in WORDS:
        return f"a value that keeps {keyword} ({error.message[:MOST_SHOWN]})"
    try:
        limit = follow(document, pointer_of(list(error.schema_path)))
    except (KeyError, IndexError, ValueError):
        return f"{keyword} kept ({error.message[:MOST_SHOWN]})"
    return WORDS[keyword].format(shown(limit))
