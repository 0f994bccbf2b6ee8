"""Planning: which probes a run sends, in what order, and what they will cost at most. Pure and printable."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import partial
from typing import Any
from urllib.parse import quote

from wireproof.clause import COMPLETION_MODEL, EMBEDDING_MODEL, MODEL, Call, Clause, Probe, Talk
from wireproof.judge import Planned
from wireproof.price import dollars, usd_at_most, usd_of_talk
from wireproof.spec import Operation, Spec

# What a request costs when it names no cap: no probe of ours leaves it out unless the answer is short.
UNCAPPED_TOKENS = 256
# Price calculators count four for English prose. JSON, other scripts and small vocabularies need twice as many
# tokens (seen: 253 for 520 characters of a tool), and an estimate that is too low is no bound.
CHARACTERS_PER_TOKEN = 2
MODEL_OPTIONS = {
    "chat": "--model",
    "embedding": "--embedding-model",
    "completion": "--completion-model",
}
# What a request tells a model, and how it bounds what the model may say, whatever the operation.
TOLD = ("messages", "prompt", "input", "instructions")
WRITTEN_OUT = ("tools", "response_format", "text")  # the model reads their keys and braces too
CAPS = ("max_completion_tokens", "max_tokens", "max_output_tokens")
TEMPLATE_TOKENS = 8  # what a chat template puts around a message
FORM_FIELD = re.compile(rb'; name="([^"]+)"\r\n\r\n([^\r]*)\r\n')  # as `form` writes it
PATH_SAFE = "!$&'()*+,;=:@"  # besides letters, digits and -._~; the official SDK encodes ids the same way
IMAGE_TOKENS = 800  # one tile at high detail costs 765 on gpt-4o; ours are a few pixels wide


@dataclass(frozen=True, slots=True)
class Models:
    """The names that fill the placeholders of probes; None where the user named none.

    `others` are the models of further kinds, by kind: {"image": "gpt-image-2"} fills `$image-model`.
    """

    chat: str | None = None
    embedding: str | None = None
    completion: str | None = None
    others: Mapping[str, str] = field(default_factory=dict)

    def names(self) -> dict[str, str | None]:
        others = {f"${kind}-model": name for kind, name in self.others.items()}
        return {MODEL: self.chat, EMBEDDING_MODEL: self.embedding, COMPLETION_MODEL: self.completion, **others}


@dataclass(frozen=True, slots=True)
class Cost:
    """An upper estimate: `usd` is None when a part of it has no published price; `known` is then that of the rest."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: float | None = 0.0
    known: float = 0.0

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    @property
    def usd_at_least(self) -> float:
        return self.known if self.usd is None else self.usd

    def __add__(self, other: Cost) -> Cost:
        usd = None if self.usd is None or other.usd is None else self.usd + other.usd
        return Cost(
            self.calls + other.calls,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            usd,
            self.usd_at_least + other.usd_at_least if usd is None else 0.0,
        )


@dataclass(frozen=True, slots=True)
class Budget:
    """None is no bound."""

    calls: int | None = None
    tokens: int | None = None
    usd: float | None = None


@dataclass(frozen=True)
class Plan:
    """`left_out` gives the reason for each probe that will not be sent, `uncovered` the clauses that a budget drops."""

    probes: tuple[Probe, ...]
    costs: Mapping[str, Cost]
    models: Models
    left_out: tuple[Planned, ...] = ()
    operations: Mapping[str, str | None] = field(default_factory=dict)
    uncovered: tuple[str, ...] = ()

    @property
    def cost(self) -> Cost:
        return sum(self.costs.values(), Cost())

    @property
    def unpriced(self) -> tuple[str, ...]:
        """The probes whose price is not known."""
        return tuple(probe for probe, cost in self.costs.items() if cost.usd is None)

    @property
    def price(self) -> str:
        """In words: `$0.0061`, or what it comes to at least when not every price is known."""
        told = dollars(self.cost.usd, self.cost.usd_at_least)
        if not self.unpriced:
            return told
        missing = "1 probe has" if len(self.unpriced) == 1 else f"{len(self.unpriced)} probes have"
        return f"{told}; {missing} no published price"

    def planned(self) -> list[Planned]:
        """Every probe as the judge needs to know it, sent or not."""
        bound = [(p, bind(p.first, self.models)) for p in self.probes]
        sent = [Planned(p.id, self.operations.get(p.id), _body(call), expects=p.expects) for p, call in bound]
        return sent + list(self.left_out)


def make_plan(
    spec: Spec,
    clauses: Sequence[Clause],
    probes: Iterable[Probe],
    models: Models,
    *,
    has_key: bool = True,
) -> Plan:
    """The probes that feed at least one of the clauses and can be sent with these models and this key."""
    kept: list[Probe] = []
    left_out: list[Planned] = []
    operations: dict[str, str | None] = {}
    costs: dict[str, Cost] = {}
    for probe in probes:
        call = bind(probe.first, models)
        operation = spec.operation_for(call.method, call.path)
        operations[probe.id] = operation.id if operation else None
        asked = _body(call)
        if not any(clause.evidence.means(probe.id, operations[probe.id], asked) for clause in clauses):
            continue
        reason = _why_not(probe, models, has_key)
        if reason:
            left_out.append(Planned(probe.id, operations[probe.id], asked, reason, declined=True))
            continue
        kept.append(probe)
        costs[probe.id] = _cost(spec, probe, models)
    return Plan(tuple(kept), costs, models, tuple(left_out), operations)


def select(clauses: Iterable[Clause], only: Sequence[str]) -> list[Clause]:
    """The clauses whose id matches one of the globs; all when there is none. `chat.stream` also means what is below."""
    if not only:
        return list(clauses)
    globs = [pattern for glob in only for pattern in (glob, f"{glob}.*")]
    return [clause for clause in clauses if any(fnmatchcase(clause.id, glob) for glob in globs)]


def bind(call: Call, models: Models) -> Call:
    """The call with its placeholders filled in; those without a name stay as they are."""
    names = {placeholder: name for placeholder, name in models.names().items() if name}
    path = call.path
    for placeholder, name in names.items():
        path = path.replace(placeholder, quote(name, safe=PATH_SAFE))
    talk = call.talk and partial(_filled_talk, call.talk, names)
    return replace(call, path=path, body=_filled(call.body, names), query=_filled(dict(call.query), names), talk=talk)


def encoded(call: Call) -> bytes:
    """The bytes of the body: as they are, JSON, or none."""
    if call.body is None:
        return b""
    return call.body if isinstance(call.body, bytes) else json.dumps(call.body, ensure_ascii=False).encode()


def call_cost(spec: Spec, call: Call, expects: str) -> Cost:
    """What one request will cost at most. A request that must be refused is not billed, nor one without a model."""
    if call.talk is not None and any(call.weighs):
        return Cost(1, *call.weighs, usd_of_talk(spec, call.query.get("model", ""), *call.weighs))
    body = _read(call)
    if call.method != "POST" or expects == "refusal" or not body.get("model"):
        return Cost(1)
    prompt = sum(_tokens(body[name]) for name in TOLD if body.get(name) is not None)
    prompt += sum(_tokens(json.dumps(body[name])) for name in WRITTEN_OUT if body.get(name) is not None)
    cap = next((body[name] for name in CAPS if body.get(name)), None)
    choices = body.get("n") or 1
    if not isinstance(cap, int) or not isinstance(choices, int):
        cap, choices = UNCAPPED_TOKENS, 1
    prompts = len(body["prompt"]) if isinstance(body.get("prompt"), list) else 1
    completion = cap * choices * prompts if _writes(spec, call) else 0
    return Cost(1, prompt, completion, usd_at_most(spec, body, encoded(call), prompt, completion))


def _writes(spec: Spec, call: Call) -> bool:
    """Whether an answer costs tokens: where they can be capped, or are told. Vectors cost what was asked alone."""
    operation = spec.operation_for(call.method, call.path)
    if operation is None:
        return True
    asked = operation.request_schema.resolved.get("properties", {}) if operation.request_schema else {}
    return any(name in asked for name in CAPS) or ("input" in asked and _tells_answers(spec, operation))


def _tells_answers(spec: Spec, operation: Operation) -> bool:
    """Whether the usage of an answer counts what was written."""
    answer = operation.answer_schema(200)
    usage = answer.resolved.get("properties", {}).get("usage", {}) if answer else {}
    branches = [usage, *(branch for word in ("anyOf", "oneOf") for branch in usage.get(word, ()))]
    told = [spec.resolved(branch).get("properties", {}) for branch in branches]
    return any(name in one for one in told for name in ("output_tokens", "completion_tokens"))


def _cost(spec: Spec, probe: Probe, models: Models) -> Cost:
    """A flow is priced by its `paid` requests and `most` calls: its other steps read or refuse."""
    paid = (probe.first,) * probe.paid if isinstance(probe.paid, int) else probe.paid
    return replace(sum((call_cost(spec, bind(one, models), probe.expects) for one in paid), Cost()), calls=probe.most)


def _why_not(probe: Probe, models: Models, has_key: bool) -> str | None:
    if probe.first.auth != "key" and not has_key:
        return "no API key was given, so keys cannot be judged"
    if probe.needs and models.names().get(probe.needs) is None:
        role = probe.needs.removeprefix("$").removesuffix("-model")
        return f"no {role} model was named ({MODEL_OPTIONS.get(role, f'--model-for {role}=ID')})"
    return None


def _body(call: Call) -> dict[str, Any]:
    return call.body if isinstance(call.body, dict) else {}


def _read(call: Call) -> dict[str, Any]:
    """The body as an object, also when it is given as the bytes of one; of a form, the fields that are text."""
    if isinstance(call.body, bytes) and call.body.startswith(b"--"):
        return {name.decode(): value.decode("utf-8", "replace") for name, value in FORM_FIELD.findall(call.body)}
    try:
        body = json.loads(call.body) if isinstance(call.body, bytes) else call.body
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _filled(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, bytes):
        for placeholder, name in names.items():
            value = value.replace(placeholder.encode(), json.dumps(name)[1:-1].encode())
        return value
    if isinstance(value, dict):
        return {key: _filled(item, names) for key, item in value.items()}
    return [_filled(item, names) for item in value] if isinstance(value, list) else value


def _filled_talk(talk: Callable[[], Talk], names: Mapping[str, str]) -> Talk:
    """The same talk with the placeholders filled in of what it says."""
    talking = talk()
    heard: list[dict[str, Any]] | None = None
    while True:
        try:
            say = next(talking) if heard is None else talking.send(heard)
        except StopIteration:
            return
        heard = yield replace(say, event=_filled(say.event, names))


def _tokens(part: Any) -> int:
    if isinstance(part, dict) and part.get("type") in ("image_url", "input_image"):
        return IMAGE_TOKENS
    if isinstance(part, dict):
        return sum(_tokens(value) for value in part.values())
    if isinstance(part, list):
        return sum((TEMPLATE_TOKENS if isinstance(item, dict) else 0) + _tokens(item) for item in part)
    return 1 + len(str(part)) // CHARACTERS_PER_TOKEN
