"""What a JSON Schema says about one place, whatever its author's way of saying it.

Two descriptions of the same API spell the same promise differently: `allOf` for one object, an inline union for a
named one, `enum` of one value for `const`, null as a type or as a branch. A `Shape` is what is left when spelling
is taken away, so that two of them can be compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from wireproof.violations import follow

Document = Mapping[str, Any]
Node = Mapping[str, Any]

# The properties by which the objects of a union tell which of them they are, in order of preference.
TAGS = ("type", "object", "role", "event", "mode")
JSON_TYPES: Mapping[type, str] = {
    str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object", type(None): "null"
}  # fmt: skip
UNIONS = ("anyOf", "oneOf", "allOf", "discriminator")
HINTS = {
    "properties": "object", "additionalProperties": "object", "required": "object", "items": "array",
    "minLength": "string", "maxLength": "string", "pattern": "string", "format": "string",
}  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """`enum`: the closed set of strings, None when any string will do. `objects`, `arrays`: schemas still to be read.

    `name`: the component this place is, when it is exactly one.
    """

    types: frozenset[str]
    enum: frozenset[str] | None
    objects: tuple[Node, ...] = field(repr=False)
    arrays: tuple[Node, ...] = field(repr=False)
    name: str | None = None


@dataclass(frozen=True)
class Members:
    """The properties of one object: the schemas each may have, and which must be there."""

    properties: Mapping[str, tuple[Node, ...]]
    required: frozenset[str]
    others: tuple[Node, ...]


def shape(document: Document, nodes: Iterable[Node]) -> Shape:
    """The shape of a place where any of `nodes` may stand."""
    nodes = tuple(nodes)
    branches = tuple(branch for node in nodes for branch in _branches(document, node))
    types = frozenset(kind for branch in branches for kind in _types(branch))
    texts = [_enum(branch) for branch in branches if "string" in _types(branch)]
    closed = [values for values in texts if values is not None]
    return Shape(
        types=types - {"integer"} if "number" in types else types,
        enum=frozenset().union(*closed) if texts and len(closed) == len(texts) else None,
        objects=tuple(branch for branch in branches if "object" in _types(branch)),
        arrays=tuple(branch for branch in branches if "array" in _types(branch)),
        name=_name(nodes),
    )


def takes_bytes(document: Document, nodes: Iterable[Node]) -> bool:
    """Whether a file may stand where any of `nodes` may, or in the list that may stand there."""
    branches = [branch for node in nodes for branch in _branches(document, node)]
    return any(
        branch.get("format") == "binary" or ("items" in branch and takes_bytes(document, [branch["items"]]))
        for branch in branches
    )


def members(document: Document, objects: Iterable[Node]) -> Members:
    """What objects of any of these schemas have: their properties together, and what all of them require."""
    objects = tuple(objects)
    properties: dict[str, tuple[Node, ...]] = {}
    for one in objects:
        for name, node in one.get("properties", {}).items():
            properties[name] = (*properties.get(name, ()), node)
    required = [frozenset(one.get("required", ())) for one in objects]
    others = tuple(one["additionalProperties"] for one in objects if isinstance(one.get("additionalProperties"), dict))
    return Members(properties, frozenset.intersection(*required) if required else frozenset(), others)


def tag_of(document: Document, *sides: tuple[Node, ...]) -> str | None:
    """The property that tells the objects of a union apart on every side, None when none does."""
    if all(len(side) < 2 for side in sides):
        return None
    for tag in TAGS:
        values = [_tag_values(document, one, tag) for side in sides for one in side]
        if all(values) and len({frozenset(found) for found in values}) > 1:
            return tag
    return None


def by_tag(document: Document, objects: Iterable[Node], tag: str) -> dict[str, list[Node]]:
    found: dict[str, list[Node]] = {}
    for one in objects:
        for value in _tag_values(document, one, tag):
            found.setdefault(value, []).append(one)
    return found


def _tag_values(document: Document, one: Node, tag: str) -> frozenset[str]:
    node = one.get("properties", {}).get(tag)
    return (shape(document, [node]).enum or frozenset()) if node else frozenset()


def _branches(document: Document, node: Node, seen: frozenset[str] = frozenset()) -> Iterator[Node]:
    """The alternatives of `node`, refs followed, `allOf` merged; a ref that leads to itself ends there."""
    own = {key: value for key, value in node.items() if key not in UNIONS}
    if "$ref" in node:
        ref = own.pop("$ref")
        if ref not in seen:
            for branch in _branches(document, follow(document, ref.removeprefix("#")), seen | {ref}):
                yield _merged(branch, own)
        return
    alternatives = [*node.get("anyOf", ()), *node.get("oneOf", ())]
    if _only_requires(alternatives):
        alternatives = []
    wholes: list[Node] = [own]
    for part in node.get("allOf", ()):
        wholes = [_merged(whole, branch) for whole in wholes for branch in _branches(document, part, seen)]
    if not alternatives:
        yield from wholes
        return
    for alternative in alternatives:
        for branch in _branches(document, alternative, seen):
            for whole in wholes:
                yield _merged(whole, branch)


def _only_requires(alternatives: list[Node]) -> bool:
    """Whether they say no more than which keys go together."""
    return bool(alternatives) and all(set(one) <= {"required", "type", "not"} and "required" in one
                                      for one in alternatives)  # fmt: skip


def _merged(first: Node, second: Node) -> Node:
    both = {**first, **second}
    if "properties" in first and "properties" in second:
        both["properties"] = {**first["properties"], **second["properties"]}
    if "required" in first and "required" in second:
        both["required"] = [*first["required"], *second["required"]]
    return both


def _types(branch: Node) -> frozenset[str]:
    if "type" in branch:
        kind = branch["type"]
        return frozenset([kind] if isinstance(kind, str) else kind)
    if "const" in branch:
        return frozenset([JSON_TYPES[type(branch["const"])]])
    if "enum" in branch:
        return frozenset(JSON_TYPES[type(value)] for value in branch["enum"])
    return frozenset(kind for key, kind in HINTS.items() if key in branch)


def _enum(branch: Node) -> frozenset[str] | None:
    values = [branch["const"]] if "const" in branch else branch.get("enum")
    return None if values is None else frozenset(value for value in values if isinstance(value, str))


def _name(nodes: tuple[Node, ...]) -> str | None:
    refs = {node.get("$ref") for node in nodes}
    ref = refs.pop() if len(refs) == 1 else None
    return ref.rpartition("/")[2] if ref else None
