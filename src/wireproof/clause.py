"""All that a contract file imports: clauses, the evidence they are judged on, and the probes that bring it.

    @clause("chat.n", level="MUST", source="SPEC CreateChatCompletionRequest.n",
            on=answered("createChatCompletion", asks=lambda body: (body.get("n") or 1) > 1))
    def one_choice_for_each_n(exchange: Exchange) -> None:
        \"\"\"`n: 2` asks for two choices, told apart by index 0 and 1.\"\"\"
        got = sorted(choice["index"] for choice in exchange.json["choices"])
        expect(got == [0, 1], expected="choices with index 0, 1", got=got, at="/choices")

A clause is a pure function of recorded exchanges: it returns when the promise is kept and `expect` ends it
with the first breach. It may also raise NotApplicable or Inconclusive with a reason. Any other exception is
our own fault, not the target's, and is reported as such.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from wireproof.evidence import (
    Evidence,
    answered,
    needing,
    refused,
    sent,
    sequence,
    steps,
    talked,
    together,
    where_served,
)
from wireproof.exchange import (
    Chunk,
    Exchange,
    Message,
    Request,
    Socket,
    Trouble,
    Undecodable,
    Unheard,
    parse_json,
    remembered,
)
from wireproof.grammar import Machine, Offence, Symbol
from wireproof.probe import (
    COMPLETION_MODEL,
    EMBEDDING_MODEL,
    IMAGE_MODEL,
    MODEL,
    MODERATION_MODEL,
    NO_MODEL,
    REALTIME_MODEL,
    SPEECH_MODEL,
    TRANSCRIPTION_MODEL,
    Call,
    File,
    Flow,
    Probe,
    Say,
    Talk,
    flow,
    form,
    probe,
    talk,
)
from wireproof.spec import Operation, Schema, Spec, load_spec, schema_breaches
from wireproof.sse import Event
from wireproof.violations import Violation, shown

__all__ = [
    "COMPLETION_MODEL",
    "EMBEDDING_MODEL",
    "IMAGE_MODEL",
    "MODEL",
    "MODERATION_MODEL",
    "NO_MODEL",
    "REALTIME_MODEL",
    "SPEECH_MODEL",
    "TRANSCRIPTION_MODEL",
    "Call",
    "Chunk",
    "Clause",
    "Event",
    "Evidence",
    "Exchange",
    "File",
    "Flow",
    "Inconclusive",
    "Machine",
    "Message",
    "NotApplicable",
    "Offence",
    "Operation",
    "Probe",
    "Request",
    "Say",
    "Schema",
    "Socket",
    "Spec",
    "Symbol",
    "Talk",
    "Trouble",
    "Undecodable",
    "Unheard",
    "Violation",
    "answered",
    "clause",
    "expect",
    "flow",
    "form",
    "load_spec",
    "needing",
    "parse_json",
    "probe",
    "refused",
    "remembered",
    "schema_breaches",
    "sent",
    "sequence",
    "shown",
    "steps",
    "talk",
    "talked",
    "together",
    "where_served",
]

Level = Literal["MUST", "SHOULD", "MAY"]
ModelDependence = Literal["none", "some-output", "obedience"]

# The requirement set of the first clauses; those that come after it name theirs.
FIRST_DATE = "2026-11"


class Broken(Exception):
    """The clause is not kept. `at` is a JSON Pointer into the body, or into event number `event`."""

    def __init__(self, expected: str, got: str, at: str, event: int | None) -> None:
        super().__init__(f"expected {expected}, got {got}")
        self.expected, self.got, self.at, self.event = expected, got, at, event


class NotApplicable(Exception):
    """The clause has nothing to say about this target; the message is the reason."""


class Inconclusive(Exception):
    """The evidence is not enough for a verdict; the message says what is missing."""


def expect(held: bool, *, expected: str, got: object, at: str = "", event: int | None = None) -> None:
    """Ends the clause with a finding unless `held`. `got` is quoted as it is when a string, else as JSON."""
    if not held:
        raise Broken(expected, got if isinstance(got, str) else shown(got), at, event)


@dataclass(frozen=True)
class Clause:
    """One testable sentence of the contract. `text` is its docstring, as reports show it.

    `fields` are those of a request that are honoured when the clause is kept, and ignored when it is broken.
    """

    id: str
    level: Level
    text: str
    source: str
    evidence: Evidence
    model: ModelDependence
    judge: Callable[..., None] = field(repr=False)
    area: str = ""
    since: str = FIRST_DATE
    fields: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The first paragraph of the text, on one line."""
        return " ".join(self.text.split("\n\n")[0].split())


def clause(
    id: str,
    *,
    level: Level,
    source: str,
    on: Evidence,
    model: ModelDependence = "none",
    since: str = FIRST_DATE,
    fields: tuple[str, ...] = (),
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Marks a function as the clause `id`. Its docstring is the promise, in the present tense.

    `model`: "none" when the protocol alone decides, "some-output" when any text will do, "obedience" when the
    model must follow an instruction. `since`: the date of the first requirement set that holds it. `fields`: what of
    a request, by the names of its top level or its query, is honoured if and only if the clause is kept.
    """

    def mark(judge: Callable[..., None]) -> Callable[..., None]:
        text = (judge.__doc__ or "").strip()
        if not text:
            raise ValueError(f"clause {id} has no docstring: the docstring is the promise a report shows")
        found = Clause(id, level, text, source, on, model, judge, since=since, fields=fields)
        judge.clause = found  # type: ignore[attr-defined]  # read by plan
        return judge

    return mark


def contents(modules: Iterable[Any]) -> tuple[list[Clause], list[Probe]]:
    """The clauses and probes that contract modules define, in order of definition.

    Raises ValueError when two share an id.
    """
    clauses: dict[str, Clause] = {}
    probes: dict[str, Probe] = {}
    for module in modules:
        area = module.__name__.rpartition(".")[2].replace("_", " ")
        for value in vars(module).values():
            for one in value if isinstance(value, list | tuple) else (value,):
                if isinstance(one, Probe):
                    _add(probes, replace(one, area=area))
                elif isinstance(found := getattr(one, "clause", None), Clause) and one.__module__ == module.__name__:
                    _add(clauses, replace(found, area=area))
    return list(clauses.values()), list(probes.values())


def _add(known: dict[str, Any], one: Any) -> None:
    if one.id in known:
        raise ValueError(f"two {type(one).__name__.lower()}s are called {one.id}: rename one")
    known[one.id] = one
