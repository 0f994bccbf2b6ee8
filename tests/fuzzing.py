"""Schemathesis, on the description, against a running stand-in: what it found, and what of that is known and why.

All phases, all checks, data that the description allows and data that it forbids. What is found is either a fault of
the stand-in or of the description, or it is explained: fuzz_explained.py and docs/fuzzing.md tell of each.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import schemathesis
from conforming import conforming
from fuzz_explained import explanation
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema

from wireproof.spec import load_spec
from wireproof.spec_shape import shape
from wireproof.standin.catalogue import served
from wireproof.standin.serve import StandIn, embedded
from wireproof.standin.serving import handlers
from wireproof.standin.world import Setup

PHASES = ("examples", "coverage", "fuzzing", "stateful")
MOST_STEPS = 6
REQUEST_TIMEOUT_S = 30
EVENTS = "text/event-stream"
# Fields that are legal beside certain others or with certain models only: every full example would be refused for them.
NOT_DRAWN = (
    "stream_options", "top_logprobs", "tool_choice", "function_call", "parallel_tool_calls", "best_of",
    "audio", "moderation", "web_search_options",
)  # fmt: skip
# The kind of model that an operation takes, by the beginning of its path; chat elsewhere.
KINDS = {
    "/completions": "completion",
    "/embeddings": "embedding",
    "/moderations": "moderation",
    "/images": "image",
    "/audio/speech": "speech",
    "/audio": "transcription",
    "/videos": "video",
}
# Lives pass within a scenario.
PACE = 1000.0


@dataclass(frozen=True)
class Finding:
    """A check that failed. `operation` as `POST /files`; `answer` is the status and the beginning of the body."""

    check: str
    phase: str
    operation: str
    title: str
    message: str
    request: str
    answer: str

    @property
    def kind(self) -> tuple[str, str, str, str]:
        """What it has in common with findings that have the same cause, as far as one can tell from outside."""
        param = re.search(r'"param": ?("[^"]*"|null), ?"code": ?("[^"]*"|null)', self.answer)
        return self.operation, self.check, self.title, re.sub(r"\d+", "0", param[0]) if param else ""


@dataclass
class Fuzzed:
    """One run. `errors` are what kept Schemathesis itself from testing something."""

    cases: int = 0
    seconds: float = 0.0
    findings: list[Finding] = field(default_factory=list)
    explained: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    operations: set[str] = field(default_factory=set)


def fuzz(
    *,
    examples: int,
    seed: int = 1,
    only: str = "*",
    phases: Sequence[str] = PHASES,
    workers: int = 1,
    bounds: int = 0,
) -> Fuzzed:
    """Runs `phases` on the operations whose id or path fits `only`, with so many examples of each.

    The coverage phase goes to every bound of every field, which is thousands of requests where bodies are large;
    `bounds` thins them out once there were so many, 0 sends all.
    """
    breaches: list[str] = []
    fuzzed, begun = Fuzzed(), time.perf_counter()
    with embedded(Setup(pace=PACE), over=lambda serve: conforming(serve, breaches)) as standin:
        schema = _schema(standin, examples, seed, only, phases, workers)
        if bounds:
            schema.hook(_thinned(bounds))
        for event in from_schema(schema).execute():
            _take(event, fuzzed)
    fuzzed.findings += [
        Finding("conforming", "any", breach.split()[0], "Answer breaks the description", breach, "", "")
        for breach in dict.fromkeys(breaches)
    ]
    fuzzed.seconds = time.perf_counter() - begun
    return fuzzed


def fuzzable() -> set[str]:
    """Operations that are served, but those that open a socket: it says 426 to every request that opens none."""
    return {id for id in handlers() if "101" not in load_spec().operations[id].node["responses"]}


def _schema(standin: StandIn, examples: int, seed: int, only: str, phases: Sequence[str], workers: int) -> Any:
    config = SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "base-url": standin.base_url,
            "headers": {"Authorization": f"Bearer {standin.key}"},
            "continue-on-failure": True,
            "request-timeout": REQUEST_TIMEOUT_S,
            "workers": workers,
            "output": {"sanitization": {"enabled": False}},
            "generation": {"max-examples": examples, "deterministic": True, "no-shrink": True, "database": "none"},
            "phases": {
                **{phase: {"enabled": phase in phases} for phase in PHASES},
                "stateful": {"enabled": "stateful" in phases, "max-steps": MOST_STEPS},
            },
        }
    )
    spec = load_spec()
    wanted = [
        op.id
        for op in spec.operations.values()
        if op.id in fuzzable() and (fnmatchcase(op.id, only) or fnmatchcase(op.path, only))
    ]
    return schemathesis.openapi.from_dict(_drawable(spec.document), config=config).include(operation_id=wanted)


def _thinned(bounds: int) -> Any:
    """Keeps the first so many cases of the coverage phase, half of as many more, a third of as many more, and so on."""
    numbers: Counter[str] = Counter()

    def filter_case(context: Any, case: Any) -> bool:
        if case.meta is None or case.meta.phase.name.value != "coverage":
            return True
        number = numbers[case.operation.label]
        numbers[case.operation.label] += 1
        return number % (1 + number // bounds) == 0

    return filter_case


def _drawable(document: Mapping[str, Any]) -> dict[str, Any]:
    """The description, with two things said in a way that Schemathesis understands.

    The model is one that is served: a drawn name would lead to 404 and never further. Before
    OpenAPI 3.2 the schema of a stream is, to it, that of each event; ours is of the text. What events say is held
    against the description by `conforming` instead.
    """
    drawable: dict[str, Any] = json.loads(json.dumps(document))
    names = {model.kind: name for name, model in reversed(served(()).items())}
    schemas = drawable["components"]["schemas"]
    for operation in load_spec().operations.values():
        node = drawable["paths"][operation.path][operation.method.lower()]
        for media in node.get("requestBody", {}).get("content", {}).values():
            asked = schemas[media["schema"]["$ref"].rpartition("/")[2]] if "$ref" in media["schema"] else {}
            for name in NOT_DRAWN:
                asked.get("properties", {}).pop(name, None)
            if "model" in asked.get("properties", {}):
                kind = next((kind for path, kind in KINDS.items() if operation.path.startswith(path)), "chat")
                may_be_null = "null" in shape(document, [asked["properties"]["model"]]).types
                asked["properties"]["model"] = {"enum": [names[kind], None] if may_be_null else [names[kind]]}
        for answer in node["responses"].values():
            if EVENTS in answer.get("content", {}):
                answer["content"][EVENTS] = {"schema": {"type": "object", "required": ["data"]}}
    return drawable


def _take(event: Any, into: Fuzzed) -> None:
    if isinstance(event, events.ScenarioFinished):
        into.cases += len(event.recorder.interactions)
        into.operations |= {node.value.operation.label for node in event.recorder.cases.values()}
        for finding in _findings(event):
            reason = explanation(finding.check, finding.operation, f"{finding.answer}\n{finding.message}")
            if reason is None:
                into.findings.append(finding)
            else:
                into.explained[reason] += 1
    elif isinstance(event, events.NonFatalError):
        into.errors.append(f"{event.label}: {event.value}")
    elif isinstance(event, events.FatalError):
        raise event.exception


def _findings(event: events.ScenarioFinished) -> Iterator[Finding]:
    recorder = event.recorder
    for case_id, checks in recorder.checks.items():
        answered = recorder.interactions.get(case_id)
        response = answered.response if answered is not None else None
        for check in checks:
            if check.status is Status.FAILURE and check.failure_info is not None:
                failure = check.failure_info.failure
                yield Finding(
                    check.name,
                    event.phase.value,
                    recorder.cases[case_id].value.operation.label,
                    failure.title,
                    failure.message,
                    check.failure_info.code_sample,
                    f"{response.status_code} {response.text[:2000]}" if response is not None else "none",
                )
