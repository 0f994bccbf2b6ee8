"""Property-based requests, drawn from `spec/` before anything is sent: counted, seeded, the same every time.

Positive cases keep the published schema, in corners nobody writes by hand; negative ones are a positive case
with one field made wrong, so that a finding can name it. Every case is cheap: one token, at most two choices,
short texts, no tools. What may be drawn is told by field, whatever the operation: a new operation that takes
the same fields needs nothing here.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any, Literal

from wireproof.clause import COMPLETION_MODEL, EMBEDDING_MODEL, MODEL, Call, Flow, Operation, Probe, Spec, shown

Body = dict[str, Any]
Kind = Literal["positive", "negative"]

# The field that tells what an operation works on, and so which of the user's models it speaks to.
SUBJECT: Mapping[str, str] = {"messages": MODEL, "prompt": COMPLETION_MODEL, "input": EMBEDDING_MODEL}

# Every text begins with a word: a tokenizer may make nothing of a control character alone.
WORD = "Rain"
TEXT = {"type": "string", "maxLength": 24}
TEXTS = {"type": "array", "minItems": 1, "maxItems": 3, "items": TEXT}
# Ids that every vocabulary has, and that stand for no control token in any we know of.
TOKENS = {"type": "array", "minItems": 1, "maxItems": 4, "items": {"type": "integer", "minimum": 300, "maximum": 999}}
PART = {
    "type": "object",
    "required": ["type", "text"],
    "additionalProperties": False,
    "properties": {"type": {"const": "text"}, "text": TEXT},
}
MESSAGE = {
    "type": "object",
    "required": ["role", "content"],
    "additionalProperties": False,
    "properties": {
        "role": {"const": "user"},
        "content": {"anyOf": [TEXT, {"type": "array", "minItems": 1, "maxItems": 2, "items": PART}]},
    },
}
SHORT = {"type": "string", "minLength": 1, "maxLength": 8}

# What positive cases draw. None: as published. Left out on purpose: what costs (tools, tiers, best_of), stays
# (store, metadata), needs another field or another model to be legal (stream_options, suffix, JSON mode).
DRAWN: Mapping[str, Mapping[str, Any] | None] = {
    "messages": {"type": "array", "minItems": 1, "maxItems": 1, "items": MESSAGE},
    "prompt": {"anyOf": [TEXT, {**TEXTS, "maxItems": 2}, TOKENS]},
    "input": {"anyOf": [TEXT, TEXTS, TOKENS]},
    "n": {"type": "integer", "minimum": 1, "maximum": 2},
    "stop": {"anyOf": [SHORT, {"type": "array", "minItems": 1, "maxItems": 4, "items": SHORT}, {"type": "null"}]},
    "dimensions": {"type": "integer", "minimum": 16, "maximum": 256},
    "user": {"type": "string", "minLength": 1, "maxLength": 16},
    "limit": {"type": "integer", "minimum": 1, "maximum": 100},
    "order": None,
    "encoding_format": None,
    "temperature": None,
    "top_p": None,
    "frequency_penalty": None,
    "presence_penalty": None,
    "seed": None,
    "echo": None,
    "logprobs": None,
    "top_logprobs": None,
}
PINNED: Mapping[str, Any] = {"max_tokens": 1, "stream": False}

# What negative cases make wrong: fields that decide what is answered. Left out: what a backend may ignore
# as a whole (user, seed, metadata), and the token caps: who misreads one may write without end.
JUDGED = (
    "model", "messages", "prompt", "input", "n", "stop", "stream", "temperature", "top_p", "frequency_penalty",
    "presence_penalty", "logprobs", "top_logprobs", "dimensions", "encoding_format", "response_format", "tools",
    "limit", "order",
)  # fmt: skip
KINDS = ("bound", "type", "absence", "inside")
# One value of each JSON type, none of which a lenient parser turns into another ("5" is a number to some).
STRANGERS = ("wireproof", 7.5, [7.5], {"wireproof": 7.5})
# Beyond the bounds by a step, and by far. Too many choices would be paid for where they are accepted.
STEPS = (1, 1000)
UNBOUNDED_ABOVE = ("n",)
WRONG_INSIDE: Mapping[str, tuple[Any, ...]] = {
    "messages": (
        [],
        ["wireproof"],
        [{"content": WORD}],
        [{"role": "user"}],
        [{"role": "wireproof", "content": WORD}],
        [{"role": "user", "content": 7.5}],
        [{"role": "user", "content": [{"type": "wireproof"}]}],
    ),
    "input": ([],),
    "response_format": ({"type": "wireproof"},),
}
# A field that is legal only beside another.
BESIDE: Mapping[str, Mapping[str, Any]] = {"top_logprobs": {"logprobs": True}}


def draw(spec: Spec, count: int, seed: int, operation_ids: Iterable[str] | None = None) -> list[Probe]:
    """At most `count` cases an operation, the first half positive, in order of operation.

    Of the operations named, else of those that say `x-cases`. Drawn are bodies and queries, never ids of objects.
    There are fewer cases where the fields admit fewer. Sends nothing; half a second for ten cases of each.
    """
    if count < 1:
        return []
    suited = [id for id, operation in spec.operations.items() if operation.node.get("x-cases")]
    wanted = suited if operation_ids is None else operation_ids
    probes: list[Probe] = []
    for operation in (spec.operations[id] for id in wanted):
        fields = _fields(operation)
        if fields is None or not any(name in DRAWN for name in fields.nodes):
            continue
        positive = _positive(fields, count - count // 2, seed)
        negative = _negative(fields, positive, count // 2, seed)
        probes += [_probe(fields, "positive", at, body, _told(body)) for at, body in enumerate(positive, 1)]
        probes += [_probe(fields, "negative", at, wrong.body, wrong.about) for at, wrong in enumerate(negative, 1)]
    return probes


@dataclass(frozen=True)
class Fields:
    """What an operation is told, in its body or, when it has none, in its query."""

    operation: Operation
    nodes: Mapping[str, Mapping[str, Any]]
    required: tuple[str, ...]
    is_query: bool

    @property
    def model(self) -> str:
        return next((model for name, model in SUBJECT.items() if name in self.nodes), MODEL)

    def pinned(self) -> Body:
        """What every case of the operation says."""
        known = {name: value for name, value in PINNED.items() if name in self.nodes}
        return {"model": self.model, **known} if "model" in self.nodes else known


@dataclass(frozen=True)
class Wrong:
    """A body with one field made wrong. `about` says which, and what was documented."""

    body: Body
    about: str


def _fields(operation: Operation) -> Fields | None:
    """None for an operation on one object (`/models/{model}`), or that takes nothing."""
    if "{" in operation.path:
        return None
    spec = operation.spec
    if operation.method == "GET":
        given = [spec.resolved(parameter) for parameter in operation.node.get("parameters", [])]
        named = {one["name"]: _resolved(spec, one["schema"]) for one in given if one["in"] == "query"}
        return Fields(operation, named, (), True)
    if operation.request_schema is None:
        return None
    schema = spec.resolved({"$ref": operation.request_schema.ref})
    nodes = {name: _resolved(spec, node) for name, node in schema.get("properties", {}).items()}
    return Fields(operation, nodes, tuple(schema.get("required", ())), False)


def _resolved(spec: Spec, node: Any) -> Any:
    """A schema that stands alone: refs replaced by what they name, keys of ours left out."""
    if isinstance(node, list):
        return [_resolved(spec, item) for item in node]
    if not isinstance(node, Mapping):
        return node
    beside = {key: value for key, value in node.items() if key != "$ref" and not str(key).startswith("x-")}
    merged = {**spec.resolved({"$ref": node["$ref"]}), **beside} if "$ref" in node else beside
    return {key: _resolved(spec, value) for key, value in merged.items() if not str(key).startswith("x-")}


# --------------------------------------------------------------------------------------- positive cases


def _positive(fields: Fields, count: int, seed: int) -> list[Body]:
    from wireproof.draws import bodies

    drawn = {name: DRAWN[name] or node for name, node in fields.nodes.items() if name in DRAWN}
    required = [name for name in fields.required if name in drawn]
    schema = {"type": "object", "required": required, "additionalProperties": False, "properties": drawn}
    return [_legal({**fields.pinned(), **_spoken(_whole(body))}) for body in bodies(schema, count, seed)]


def _whole(value: Any) -> Any:
    """The same with 2 for 2.0, which is an integer to JSON Schema and not to every parser."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case dict():
            return {name: _whole(item) for name, item in value.items()}
        case list():
            return [_whole(item) for item in value]
    return value


def _spoken(body: Body) -> Body:
    """The same with a word before each text that a model reads."""
    return {name: _with_word(value) if name in SUBJECT else value for name, value in body.items()}


def _with_word(value: Any) -> Any:
    match value:
        case str():
            return f"{WORD} {value}"
        case list():
            return [_with_word(item) for item in value]
        case {"role": _, "content": content}:
            return {**value, "content": _with_word(content)}
        case {"text": text}:
            return {**value, "text": _with_word(text)}
    return value


def _legal(body: Body) -> Body:
    """The same without the fields whose companion was not drawn."""
    return {
        name: value
        for name, value in body.items()
        if value is None or all(body.get(other) == needed for other, needed in BESIDE.get(name, {}).items())
    }


def _told(body: Body) -> str:
    extra = [name for name in body if name not in ("model", *PINNED)]
    return f"a legal request with {', '.join(extra)}" if extra else "a legal request of required fields alone"


# --------------------------------------------------------------------------------------- negative cases


def _negative(fields: Fields, legal: list[Body], count: int, seed: int) -> list[Wrong]:
    """A type, a bound, an absence and a broken inside in turn, and another field each time until all had theirs."""
    dice = random.Random(f"{seed} {fields.operation.id}")
    found: list[Wrong] = []
    for at, (name, wrong) in enumerate(_in_turns(list(_wrongs(fields)), dice)):
        if len(found) == count:
            break
        base = legal[at % len(legal)] if legal else fields.pinned()
        body = {key: value for key, value in base.items() if key != name and name not in BESIDE.get(key, {})}
        body = {**body, **BESIDE.get(name, {}), **wrong}
        about = _breach(fields, name, body)
        if about is not None:
            found.append(Wrong(body, about))
    return found


def _in_turns(wrongs: list[tuple[str, str, Body]], dice: random.Random) -> Iterator[tuple[str, Body]]:
    """Kind after kind as long as they last; within a kind, each field once before any comes twice."""
    dice.shuffle(wrongs)
    by_kind: dict[str, list[tuple[int, str, Body]]] = {kind: [] for kind in KINDS}
    for kind, name, wrong in wrongs:
        had = sum(other == name for _, other, _ in by_kind[kind])
        by_kind[kind].append((had, name, wrong))
    rows = [sorted(of_kind, key=lambda row: row[0]) for of_kind in by_kind.values()]
    for turn in zip_longest(*rows):
        yield from ((row[1], row[2]) for row in turn if row is not None)


def _wrongs(fields: Fields) -> Iterator[tuple[str, str, Body]]:
    """`(kind, field, what stands in its place)`: `{}` for nothing, else the field with another value."""
    for name in fields.nodes:
        if name not in JUDGED:
            continue
        if name in fields.required:
            yield "absence", name, {}
        kinds = {"type": STRANGERS, "inside": WRONG_INSIDE.get(name, ()), "bound": _beyond(name, fields.nodes[name])}
        for kind, values in kinds.items():
            for value in values:
                if not fields.is_query or isinstance(value, str):
                    yield kind, name, {name: value}


def _beyond(name: str, node: Mapping[str, Any]) -> Iterator[float]:
    """Numbers out of the bounds of a schema; below zero in any case, as zero often stands for "default"."""
    for step in STEPS:
        if "minimum" in node:
            yield min(node["minimum"], 0) - step
        if "maximum" in node and name not in UNBOUNDED_ABOVE:
            yield node["maximum"] + step


def _breach(fields: Fields, name: str, body: Body) -> str | None:
    """What is wrong about `name`, as published; None when it is legal after all."""
    if fields.is_query:
        node, value = fields.nodes[name], body.get(name)
        is_legal = node.get("type") == "string" and value in node.get("enum", [value])
        return None if is_legal else f"query {name} is {shown(value)}"
    for violation in fields.operation.request_violations(body):
        if violation.keyword == "required" and not violation.pointer:
            return f"{violation.expected.removeprefix('a key ')} is missing"
        if violation.pointer.split("/")[1:2] == [name]:
            return f"{violation.pointer} is {violation.got}, documented is {violation.expected}"
    return None


# ------------------------------------------------------------------------------------------------ probes


def _probe(fields: Fields, kind: Kind, number: int, told: Body, about: str) -> Probe:
    operation = fields.operation
    if fields.is_query:
        query = {name: value if isinstance(value, str) else json.dumps(value) for name, value in told.items()}
        call = Call(operation.method, operation.path, query=query)
    else:
        call = Call(operation.method, operation.path, told)

    def run() -> Flow:
        yield call

    return replace(
        Probe(f"cases.{operation.id}.{kind}.{number:03d}", about, run, call),
        expects="refusal" if kind == "negative" else "either",
        needs=fields.model,
        area="cases",
    )
