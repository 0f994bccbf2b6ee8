"""Compares the description with another OpenAPI document of the same API, operation by operation.

What is compared: parameters, media types, property names, types, required keys, closed sets of values. What is
not: words, bounds, examples. A difference is known by its place, `<component>/<property>/...` of ours, so that one
in a shared schema is told once. `spec/departures.yaml` says, in a line each, why we differ on purpose.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import chain
from re import sub
from typing import Any

from wireproof.spec import METHODS
from wireproof.spec_shape import Document, Node, by_tag, members, shape, tag_of
from wireproof.violations import follow


@dataclass(frozen=True)
class Difference:
    """`kind`: operation, parameter, media, property, type, required or enum. `ours`, `theirs`: both sides in words."""

    at: str
    kind: str
    ours: str
    theirs: str


@dataclass(frozen=True)
class Departure:
    """Why differences at `at` (a glob) of `kind` (any when None) are meant."""

    at: str
    why: str
    kind: str | None = None

    def explains(self, difference: Difference) -> bool:
        return self.kind in (None, difference.kind) and fnmatchcase(difference.at, self.at)


@dataclass(frozen=True)
class Comparison:
    """`explained` pairs a difference with its reason; `stale` are departures that explain nothing any more."""

    compared: int
    unexplained: tuple[Difference, ...]
    explained: tuple[tuple[Difference, str], ...]
    stale: tuple[Departure, ...]


def compare(ours: Document, theirs: Document, departures: Sequence[Departure], only: str = "*") -> Comparison:
    """Every operation of ours whose path or id matches `only`. Operations that only they have are no difference."""
    own, other = _operations(ours), _operations(theirs)
    wanted = {key: node for key, node in own.items() if _is_wanted(key, node, only)}
    walk = _Walk(ours, theirs)
    found = list(dict.fromkeys(chain.from_iterable(walk.operation(wanted[key], other.get(key)) for key in wanted)))
    reasons = {one: next((d.why for d in departures if d.explains(one)), None) for one in found}
    stale = [d for d in departures if not any(d.explains(one) for one in found)] if only == "*" else []
    return Comparison(
        compared=len(wanted),
        unexplained=tuple(one for one in found if reasons[one] is None),
        explained=tuple((one, why) for one, why in reasons.items() if why is not None),
        stale=tuple(stale),
    )


def departures_of(catalogue: Mapping[str, Any]) -> list[Departure]:
    return [Departure(row["at"], row["why"], row.get("kind")) for row in catalogue["departures"]]


def _operations(document: Document) -> dict[tuple[str, str], Node]:
    """By method and path, the names of path parameters left out; a path with a query in it is none."""
    return {
        (method.upper(), sub(r"\{[^}]+\}", "{}", path)): {**operation, "parameters": _parameters(item, operation)}
        for path, item in document["paths"].items()
        if "?" not in path
        for method, operation in item.items()
        if method in METHODS
    }


def _parameters(item: Node, operation: Node) -> list[Node]:
    return [*item.get("parameters", ()), *operation.get("parameters", ())]


def _is_wanted(key: tuple[str, str], node: Node, only: str) -> bool:
    return any(fnmatchcase(name, only) for name in (key[1], node.get("operationId", ""), " ".join(key)))


class _Walk:
    """Both documents side by side. Remembers which pairs of places were compared, which ends recursion."""

    def __init__(self, ours: Document, theirs: Document) -> None:
        self.ours, self.theirs = ours, theirs
        self._seen: set[tuple[frozenset[int], frozenset[int]]] = set()

    def operation(self, own: Node, other: Node | None) -> Iterator[Difference]:
        name = own["operationId"]
        if other is None:
            yield Difference(name, "operation", "described", "not described")
            return
        yield from self._parameters(name, own["parameters"], other["parameters"])
        yield from self._bodies(f"{name} request", _request(self.ours, own), _request(self.theirs, other))
        yield from self._bodies(f"{name} answer", _answer(self.ours, own), _answer(self.theirs, other))

    def _parameters(self, name: str, own: Iterable[Node], other: Iterable[Node]) -> Iterator[Difference]:
        ours, theirs = _named(self.ours, own), _named(self.theirs, other)
        yield from _membership(f"{name} parameter", "parameter", ours.keys(), theirs.keys())
        for key in ours.keys() & theirs.keys():
            required = [str(bool(side[key].get("required"))) for side in (ours, theirs)]
            if required[0] != required[1] and not key.startswith("path "):
                yield Difference(f"{name} {key}", "required", *required)
            yield from self._place(f"{name} {key}", [ours[key]["schema"]], [theirs[key]["schema"]])

    def _bodies(self, at: str, own: Mapping[str, Node], other: Mapping[str, Node]) -> Iterator[Difference]:
        yield from _membership(at, "media", own.keys(), other.keys())
        for media in own.keys() & other.keys():
            yield from self._place(f"{at} {media}", [own[media]], [other[media]])

    def _place(self, at: str, own: Sequence[Node], other: Sequence[Node]) -> Iterator[Difference]:
        pair = (_identity(self.ours, own), _identity(self.theirs, other))
        if pair in self._seen:
            return
        self._seen.add(pair)
        ours, theirs = shape(self.ours, own), shape(self.theirs, other)
        at = ours.name or at
        if ours.types != theirs.types and ours.types and theirs.types:
            yield Difference(at, "type", _listed(ours.types), _listed(theirs.types))
        if ours.enum != theirs.enum and "string" in ours.types & theirs.types:
            yield from _enums(at, ours.enum, theirs.enum)
        if ours.objects and theirs.objects:
            yield from self._objects(at, ours.objects, theirs.objects)
        if ours.arrays and theirs.arrays:
            items = [[one["items"] for one in arrays if "items" in one] for arrays in (ours.arrays, theirs.arrays)]
            if all(items):
                yield from self._place(f"{at}/[]", *items)

    def _objects(self, at: str, own: tuple[Node, ...], other: tuple[Node, ...]) -> Iterator[Difference]:
        tag = tag_of(self.ours, own)
        if tag is None or tag != tag_of(self.theirs, other):
            yield from self._members(at, own, other)
            return
        ours, theirs = by_tag(self.ours, own, tag), by_tag(self.theirs, other, tag)
        yield from _membership(f"{at}<{tag}>", "property", ours.keys(), theirs.keys())
        for value in ours.keys() & theirs.keys():
            yield from self._members(f"{at}<{value}>", ours[value], theirs[value], tag)

    def _members(
        self, at: str, own: Iterable[Node], other: Iterable[Node], tag: str | None = None
    ) -> Iterator[Difference]:
        """All but the value of `tag`, by which they were paired."""
        ours, theirs = members(self.ours, own), members(self.theirs, other)
        yield from _membership(at, "property", ours.properties.keys(), theirs.properties.keys())
        both = ours.properties.keys() & theirs.properties.keys()
        for name in sorted(both & (ours.required ^ theirs.required)):
            words = ["required" if name in one.required else "optional" for one in (ours, theirs)]
            yield Difference(f"{at}/{name}", "required", *words)
        for name in sorted(both - {tag}):
            yield from self._place(f"{at}/{name}", ours.properties[name], theirs.properties[name])
        if ours.others and theirs.others:
            yield from self._place(f"{at}/{{}}", ours.others, theirs.others)


def _request(document: Document, operation: Node) -> dict[str, Node]:
    body = _resolved(document, operation.get("requestBody", {}))
    return {media: node["schema"] for media, node in body.get("content", {}).items() if "schema" in node}


def _answer(document: Document, operation: Node) -> dict[str, Node]:
    """The schemas of the 2xx answers by media type; of an event stream that of one event."""
    found: dict[str, Node] = {}
    for status, answer in operation["responses"].items():
        if str(status).startswith("2"):
            for media, node in _resolved(document, answer).get("content", {}).items():
                found[media] = node.get("x-event", node.get("schema", {}))
    return found


def _named(document: Document, parameters: Iterable[Node]) -> dict[str, Node]:
    found: dict[str, Node] = {}
    for parameter in parameters:
        node = _resolved(document, parameter)
        name = "{}" if node["in"] == "path" else node["name"].lower() if node["in"] == "header" else node["name"]
        place = len([key for key in found if key.startswith("path ")]) if node["in"] == "path" else ""
        found[f"{node['in']} {name}{place}"] = node
    return found


def _resolved(document: Document, node: Node) -> Node:
    while "$ref" in node:
        node = follow(document, node["$ref"].removeprefix("#"))
    return node


def _identity(document: Document, nodes: Iterable[Node]) -> frozenset[int]:
    """Which places these are, refs followed: the same whether a schema is met by name or by itself."""
    return frozenset(id(_resolved(document, node)) for node in nodes)


def _membership(at: str, kind: str, own: Iterable[str], other: Iterable[str]) -> Iterator[Difference]:
    for name in sorted(set(own) - set(other)):
        yield Difference(f"{at}/{name}", kind, "has it", "has it not")
    for name in sorted(set(other) - set(own)):
        yield Difference(f"{at}/{name}", kind, "has it not", "has it")


def _enums(at: str, own: frozenset[str] | None, other: frozenset[str] | None) -> Iterator[Difference]:
    if own is None or other is None:
        words = ["any string" if side is None else _listed(side) for side in (own, other)]
        yield Difference(at, "enum", *words)
        return
    yield Difference(at, "enum", f"more: {_listed(own - other)}", f"more: {_listed(other - own)}")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"
