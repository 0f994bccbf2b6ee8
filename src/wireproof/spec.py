"""What the API promises, read from `spec/`: operations, schemas, catalogues.

The YAML files form one OpenAPI 3.1 document with refs between files; here they become one dict with local
refs only, and each schema a compiled validator, both made once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jsonschema_rs
import yaml

from wireproof.content import shelf
from wireproof.routes import Routes
from wireproof.violations import Violation, follow, place_of, violation, violations, without

try:
    from yaml import CSafeLoader as Loader  # ten times faster, where libyaml was there at its build
except ImportError:  # pragma: no cover
    from yaml import SafeLoader as Loader  # type: ignore[assignment]

DOCUMENT = "urn:wireproof:spec"
METHODS = frozenset(("get", "post", "delete", "put", "patch"))
SECTIONS = ("schemas", "headers", "responses", "parameters", "securitySchemes")


@dataclass(frozen=True)
class Schema:
    """A compiled schema of the document, known by its ref (`#/components/schemas/Model`)."""

    document: Mapping[str, Any] = field(repr=False)
    registry: jsonschema_rs.Registry = field(repr=False)
    ref: str

    @cached_property
    def _validator(self) -> jsonschema_rs.Draft202012Validator:
        # A ref is a URI, in which the braces of a path's template have no place.
        return jsonschema_rs.Draft202012Validator(
            {"$ref": DOCUMENT + quote(self.ref, safe="#/~")}, registry=self.registry
        )

    @cached_property
    def resolved(self) -> Mapping[str, Any]:
        """The schema itself, refs at its head followed."""
        node = follow(self.document, self.ref.removeprefix("#"))
        while "$ref" in node:
            beside = {key: value for key, value in node.items() if key != "$ref"}
            node = {**follow(self.document, node["$ref"].removeprefix("#")), **beside}
        found: Mapping[str, Any] = node
        return found

    def violations(self, value: Any) -> Iterator[Violation]:
        """Every departure of `value`; of `anyOf` and `oneOf` the branch that came nearest."""
        for error in _errors(self._validator, value):
            yield from violations(self.document, error)

    def breaches(self, answer: Any) -> Iterator[Violation]:
        """The same of an answer: there, a null in the place of a key that may be missing is no departure."""
        found = list(self.violations(answer))
        nulls = [one.pointer for one in found if one.got == "null" and one.keyword != "required"]
        pared, taken = without(answer, nulls) if nulls else (answer, set())
        if not taken:
            yield from found
            return
        left = list(self.violations(pared))
        needed = {place_of(one) for one in left} & taken
        yield from (one for one in left if place_of(one) not in taken)
        yield from (one for one in found if one.pointer in needed)

    def holds(self, value: Any) -> bool:
        """The same as no violations, without the time it takes to describe them."""
        try:
            return bool(self._validator.is_valid(value))
        except ValueError:  # which `_errors` knows to tell apart
            return next(_errors(self._validator, value), None) is None


@dataclass(frozen=True)
class Parameter:
    """`place` is path, query or header; `node` its whole description."""

    place: str
    name: str
    required: bool
    schema: Schema
    node: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Operation:
    """One method and path. `path` is the template below the base URL: `/models/{model}`."""

    id: str
    method: str
    path: str
    node: Mapping[str, Any] = field(repr=False)
    spec: Spec = field(repr=False)

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """Those of the path first, then its own."""
        at = f"#/paths/{self.path.replace('/', '~1')}"
        own = [(f"{at}/{self.method.lower()}", self.node), (at, self.spec.document["paths"][self.path])]
        return tuple(
            Parameter(node["in"], node["name"], bool(node.get("required")), self.spec.schema(f"{ref}/schema"), node)
            for place, item in reversed(own)
            for number, given in enumerate(item.get("parameters", ()))
            for ref in [given.get("$ref", f"{place}/parameters/{number}")]
            for node in [self.spec.resolved(given)]
        )

    @cached_property
    def takes(self) -> frozenset[str]:
        """The media types of the body; none when the operation has no body."""
        return frozenset(self.node.get("requestBody", {}).get("content", {}))

    @property
    def needs_body(self) -> bool:
        return bool(self.node.get("requestBody", {}).get("required"))

    @cached_property
    def request_schema(self) -> Schema | None:
        """The schema of a JSON body; None when the operation takes none."""
        return self.body_schema("application/json")

    def body_schema(self, media_type: str) -> Schema | None:
        media = self.node.get("requestBody", {}).get("content", {}).get(media_type)
        return self.spec.schema(media["schema"]["$ref"]) if media else None

    def request_violations(self, body: Any) -> list[Violation]:
        return list(self.request_schema.violations(body)) if self.request_schema else []

    def answer_schema(self, status: int, media_type: str = "application/json") -> Schema | None:
        """The schema of an answer of `status`, by its own row, else `4XX`/`5XX`, else `default`."""
        media = (self.answer_media(status) or {}).get(media_type)
        ref = media.get("schema", {}).get("$ref") if media else None
        return self.spec.schema(ref) if ref else None

    @cached_property
    def event_schema(self) -> Schema | None:
        """The schema of one event of the stream; None when the operation does not stream."""
        media = (self.answer_media(200) or {}).get("text/event-stream")
        return self.spec.schema(media["x-event"]["$ref"]) if media else None

    def answer_media(self, status: int) -> Mapping[str, Any] | None:
        """What an answer of `status` may hold, by media type: {} for no body, None for a status not described."""
        answers = self.node.get("responses", {})
        for row in (str(status), f"{status // 100}XX", "default"):
            if row in answers:
                content: Mapping[str, Any] = self.spec.resolved(answers[row]).get("content", {})
                return content
        return None


def schema_breaches(schema: Any, value: Any) -> list[Violation]:
    """Where `value` departs from a JSON Schema that came with a request.

    Only refs inside the schema are followed; nothing is fetched. ValueError when it is no usable schema.
    """
    validator = jsonschema_rs.Draft202012Validator(schema, retriever=_fetch_nothing)
    return [violation(schema, error) for error in _errors(validator, value)]


class TooDeep(ValueError):
    """A value has more levels, some two hundred, than a validator follows."""


def _errors(validator: jsonschema_rs.Draft202012Validator, value: Any) -> Iterator[Any]:
    """What a validator says. Half a surrogate pair, for which UTF-8 has no bytes, counts as any other letter."""
    try:
        yield from validator.iter_errors(value)
    except UnicodeEncodeError:
        text = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
        yield from validator.iter_errors(json.loads(text))
    except ValueError as wrong:
        if "Recursion limit" not in str(wrong):
            raise
        raise TooDeep(f"{wrong}: the value has too many levels") from None


def _fetch_nothing(uri: str) -> Any:
    raise ValueError(f"{uri} lies outside of the schema")


class Spec:
    """The bundled description. Made by `load_spec`, which remembers it."""

    def __init__(self, document: dict[str, Any], folder: Path) -> None:
        self.document = document
        self._folder = folder
        self._schemas: dict[str, Schema] = {}
        self._catalogues: dict[str, dict[str, Any]] = {}
        self.operations: Mapping[str, Operation] = {
            node["operationId"]: Operation(node["operationId"], method.upper(), path, node, self)
            for path, item in document["paths"].items()
            for method, node in item.items()
            if method in METHODS
        }

    def operation_for(self, method: str, path: str) -> Operation | None:
        """The operation a request means, None for a route or a method that is not described."""
        return self.routes.at(path)[0].get(method)

    @cached_property
    def routes(self) -> Routes:
        return Routes(self.operations.values())

    def schema(self, ref: str) -> Schema:
        """By ref (`#/components/schemas/Model`) or by the name alone."""
        ref = ref if ref.startswith("#") else f"#/components/schemas/{ref}"
        if ref not in self._schemas:
            self._schemas[ref] = Schema(self.document, self._registry, ref)
        return self._schemas[ref]

    @cached_property
    def _registry(self) -> jsonschema_rs.Registry:
        """The document, read once for all validators: with the whole of it in each, one took 25 ms to make."""
        return jsonschema_rs.Registry([(DOCUMENT, self.document)], draft=jsonschema_rs.Draft202012)

    def resolved(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        """`node`, or what it refers to."""
        while "$ref" in node:
            node = follow(self.document, node["$ref"].removeprefix("#"))
        return node

    def catalogue(self, name: str) -> dict[str, Any]:
        """One of the data files beside the description: errors, headers, models, tiers, sources."""
        if name not in self._catalogues:
            self._catalogues[name] = read_yaml(self._folder / f"{name}.yaml")
        return self._catalogues[name]


@cache
def load_spec() -> Spec:
    folder = shelf("spec")
    return Spec(bundle(folder / "openapi.yaml"), folder)


def bundle(root: Path) -> dict[str, Any]:
    """The description with the paths, webhooks and components of every resource folded in, and local refs only.

    Raises ValueError when two files define the same path, webhook or component.
    """
    document = read_yaml(root)
    folded: dict[str, dict[str, Any]] = {"paths": {}, "webhooks": {}}
    components: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
    resources = {path.name: read_yaml(path) for path in sorted((root.parent / "resources").glob("*.yaml"))}
    for name, content in {root.name: document, **resources}.items():
        for section, into in folded.items():
            _fold(into, content.get(section, {}), f"{name}: {section}")
        for section, named in content.get("components", {}).items():
            _fold(components.setdefault(section, {}), named, f"{name}: {section}")
    _complete(folded["paths"], resources["shared.yaml"])
    return {
        **document,
        **{section: found for section, found in folded.items() if found},
        "components": {section: found for section, found in components.items() if found},
    }


def _complete(paths: dict[str, Any], shared: Mapping[str, Any]) -> None:
    """Adds to every operation what all of them promise, and to the limited ones the headers that tell of it."""
    always, limited = _local(shared["x-every-operation"]), _local(shared["x-limited-operation"])
    for item in paths.values():
        for method in METHODS & item.keys():
            operation = item[method]
            headers = {**always["headers"], **(limited["headers"] if operation.get("x-limited") else {})}
            for answer in operation["responses"].values():
                if "$ref" not in answer:
                    answer["headers"] = {**headers, **answer.get("headers", {})}
            operation["responses"] = always["responses"] | operation["responses"]


def _fold(into: dict[str, Any], named: Mapping[str, Any], where: str) -> None:
    for name, node in named.items():
        if name in into:
            raise ValueError(f"{where}/{name} is defined a second time")
        into[name] = _local(node)


def read_yaml(path: Path) -> dict[str, Any]:
    with path.open("rb") as stream:
        content: dict[str, Any] = yaml.load(stream, Loader)
        return content


def _local(node: Any) -> Any:
    if isinstance(node, dict):
        return {k: f"#{v.partition('#')[2]}" if k == "$ref" else _local(v) for k, v in node.items()}
    return [_local(item) for item in node] if isinstance(node, list) else node
