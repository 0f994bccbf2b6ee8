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

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any, Literal

from wireproof.exchange import (
    Chunk,
    Exchange,
    Lack,
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

# Placeholders in probes; the plan fills in the names that the user gave.
MODEL = "$chat-model"
EMBEDDING_MODEL = "$embedding-model"
COMPLETION_MODEL = "$completion-model"
IMAGE_MODEL = "$image-model"
SPEECH_MODEL = "$speech-model"
TRANSCRIPTION_MODEL = "$transcription-model"
MODERATION_MODEL = "$moderation-model"
REALTIME_MODEL = "$realtime-model"
# For probes that speak to no model at all: files, lists.
NO_MODEL = ""


# Which key a request goes with.
Auth = Literal["key", "none", "wrong", "cut", "extended", "protocol"]

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


# ---------------------------------------------------------------------------------------------- evidence


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Which exchanges a clause is judged on.

    The first four fields look at what was sent, so a plan can tell which probes will feed a clause; `status`
    and `shows` at what came back. `shape`: "each" exchange by itself · "sequence" all in order of time ·
    "together" one exchange of each named probe · "steps" all of one flow. Answers that are not whole
    (`Exchange.trouble`) are evidence only with `troubled`; what was recorded by others only when it does not lack
    what the clause `needs` (`exchange.Lack`). `served`: not where the run showed that the operation is not served.
    """

    operations: tuple[str, ...] = ()
    probes: tuple[str, ...] = ()
    streamed: bool | None = None
    asks: Callable[[dict[str, Any]], bool] | None = field(default=None, repr=False)
    status: str = "2xx"
    shows: Callable[[Exchange], bool] | None = field(default=None, repr=False)
    shape: Literal["each", "sequence", "together", "steps"] = "each"
    troubled: bool = False
    needs: tuple[Lack, ...] = ()
    served: bool = False

    def means(self, probe: str, operation: str | None, asked: Mapping[str, Any]) -> bool:
        """Whether a request like this is evidence, whatever the answer."""
        return (not self.operations or operation in self.operations) and self.names(probe) and self.wants(asked)

    def names(self, probe: str) -> bool:
        return not self.probes or any(fnmatchcase(probe, pattern) for pattern in self.probes)

    def wants(self, asked: Mapping[str, Any]) -> bool:
        """Whether what is asked is evidence, whoever asks it of whatever operation."""
        return (self.streamed is None or (asked.get("stream") is True) == self.streamed) and (
            self.asks is None or bool(self.asks(dict(asked)))
        )

    def accepts_status(self, status: int | None) -> bool:
        match self.status:
            case "any":
                return status is not None
            case "refused":
                return status is not None and status >= 400
            case group if group.endswith("xx"):
                return status is not None and status // 100 == int(group[0])
            case exact:
                return status == int(exact)


def answered(
    *operations: str,
    probes: str | Sequence[str] = (),
    streamed: bool | None = None,
    asks: Callable[[dict[str, Any]], bool] | None = None,
    shows: Callable[[Exchange], bool] | None = None,
    status: str = "2xx",
) -> Evidence:
    """Each exchange of these operations (all when none is named) that was answered 2xx.

    `asks(body)` narrows by the request's JSON object, `shows(exchange)` by the answer, `probes` by glob.
    """
    names = (probes,) if isinstance(probes, str) else tuple(probes)
    return Evidence(operations=operations, probes=names, streamed=streamed, asks=asks, shows=shows, status=status)


def refused(*operations: str, probes: str | Sequence[str] = (), status: str = "refused") -> Evidence:
    """Each exchange that was answered with an error (400 and above), or with the exact `status`."""
    return answered(*operations, probes=probes, status=status)


def sent(*operations: str, probes: str | Sequence[str] = (), **narrowed: Any) -> Evidence:
    """Each exchange that was answered at all, whatever the status."""
    return answered(*operations, probes=probes, status="any", **narrowed)


def talked(*operations: str, probes: str | Sequence[str] = (), **narrowed: Any) -> Evidence:
    """Each exchange whose handshake was taken, so that it has a `socket`."""
    return answered(*operations, probes=probes, status="101", **narrowed)


def sequence(each: Evidence) -> Evidence:
    """All of these exchanges at once, in order of sending: the clause gets a list."""
    return replace(each, shape="sequence")


def where_served(evidence: Evidence) -> Evidence:
    """The same, without operations that the target does not serve: there a 404 is no answer to what was asked."""
    return replace(evidence, served=True)


def needing(evidence: Evidence, *needs: Lack) -> Evidence:
    """The same, without recordings that lack one of these."""
    return replace(evidence, needs=needs)


def together(*probes: str, status: str = "2xx") -> Evidence:
    """One exchange of each probe, in this order, as arguments of the clause."""
    return Evidence(probes=probes, status=status, shape="together")


def steps(probe: str) -> Evidence:
    """All exchanges of one flow, as a list in order of its steps."""
    return Evidence(probes=(probe,), status="any", shape="steps")


# ----------------------------------------------------------------------------------------------- clauses


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


# ------------------------------------------------------------------------------------------------ probes


@dataclass(frozen=True, slots=True)
class Say:
    """What a client says on a socket, and until it has heard what.

    `event` is JSON to be, text or bytes to be said as they are, or None to say nothing. Then it listens until a message
    whose `type` is one of `until` has come, at most `within_s`; with no `until`, as long as that.
    """

    event: Any = None
    until: tuple[str, ...] = ()
    within_s: float = 15.0


# Yields what to say, is sent what was heard since: the JSON objects in their order.
Talk = Generator[Say, list[dict[str, Any]], None]


@dataclass(frozen=True)
class Call:
    """A request before model and key are known. `body` is JSON to be, or bytes to be sent as they are.

    `path` may be a URL that an answer named: it is asked without a key, on the target's host or a public one over
    https, and only clauses that name its probe see what comes back.
    auth: "key" the user's · "none" no header · "wrong" a made-up key · "cut" and "extended" the user's key
    with one character less or more · "protocol" the user's, as the subprotocol that `key_protocol` begins. `after_s`:
    how long a flow waits before it asks, where the target needs time.

    With `talk` it asks for a WebSocket, naming `protocols`, and says that on it; `weighs` are the tokens of prompt and
    answer that this takes at most.
    """

    method: str
    path: str
    body: Any = None
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    auth: Auth = "key"
    after_s: float = 0.0
    talk: Callable[[], Talk] | None = field(default=None, repr=False)
    protocols: tuple[str, ...] = ()
    key_protocol: str = ""
    weighs: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class File:
    """A file of a form."""

    name: str
    data: bytes = field(repr=False)
    media_type: str = "application/octet-stream"


# Yields what to send, is sent what came back; returns when it has nothing more to ask.
Flow = Generator[Call, Exchange, None]


@dataclass(frozen=True)
class Probe:
    """A planned request, or a flow of at most `most` requests.

    `paid` are those that make a model speak: how many like the first, or which, with all that the model then reads.

    expects: "answer" when the request is one every backend documents and should serve · "refusal" when it is
    wrong on purpose · "either". `needs` names the placeholder of the model it speaks to, NO_MODEL when to none.
    `ran_out` tells an answer that used up its cap before there was anything to see, as models do that think: the probe
    is then asked again with a larger one.
    """

    id: str
    about: str
    run: Callable[[], Flow] = field(repr=False)
    first: Call
    expects: Literal["answer", "refusal", "either"] = "answer"
    most: int = 1
    needs: str = MODEL
    area: str = ""
    ran_out: Callable[[Exchange], bool] | None = field(default=None, repr=False)
    paid: int | tuple[Call, ...] = 1


def probe(
    id: str,
    method: str,
    path: str,
    body: Any = None,
    *,
    about: str,
    expects: Literal["answer", "refusal", "either"] = "answer",
    needs: str = MODEL,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    auth: Auth = "key",
    ran_out: Callable[[Exchange], bool] | None = None,
) -> Probe:
    """One request. `body`: JSON with placeholders, or bytes; `about`: what it is for, in a few words."""
    call = Call(method, path, body, query or {}, headers or {}, auth)

    def run() -> Flow:
        yield call

    return Probe(id, about, run, call, expects, needs=needs, ran_out=ran_out)


BOUNDARY = "wireproof-boundary-7f3a9c"


def form(path: str, fields: Iterable[tuple[str, str | File]]) -> Call:
    """A POST of `multipart/form-data`. A field is text, or a `File`; the same fields always give the same bytes."""
    lines: list[bytes] = []
    for name, value in fields:
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'
        if isinstance(value, File):
            head += f'; filename="{value.name}"\r\nContent-Type: {value.media_type}'
        data = value.data if isinstance(value, File) else value.encode()
        lines += [f"{head}\r\n\r\n".encode(), data, b"\r\n"]
    body = b"".join([*lines, f"--{BOUNDARY}--\r\n".encode()])
    return Call("POST", path, body, headers={"content-type": f"multipart/form-data; boundary={BOUNDARY}"})


def flow(
    id: str,
    *,
    most: int,
    about: str,
    needs: str = MODEL,
    expects: Literal["answer", "either"] = "answer",
    paid: int | tuple[Call, ...] = 1,
) -> Callable[[Callable[[], Flow]], Probe]:
    """Turns a generator function into a probe of several requests, each chosen after the answer before.

    `most` bounds them for plan and budget, and `paid` says what makes a model speak; the recorder stops a flow that
    asks for more.
    """

    def make(run: Callable[[], Flow]) -> Probe:
        return Probe(id, about, run, next(run()), expects, most, needs, paid=paid)

    return make


def talk(
    id: str,
    path: str,
    *,
    about: str,
    needs: str = MODEL,
    expects: Literal["answer", "refusal", "either"] = "answer",
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    auth: Auth = "key",
    protocols: tuple[str, ...] = (),
    key_protocol: str = "",
    weighs: tuple[int, int] = (0, 0),
) -> Callable[[Callable[[], Talk]], Probe]:
    """Turns a generator function into a probe that opens one WebSocket and says what it yields."""

    def make(run: Callable[[], Talk]) -> Probe:
        call = Call("GET", path, None, query or {}, headers or {}, auth, 0.0, run, protocols, key_protocol, weighs)

        def asked() -> Flow:
            yield call

        return Probe(id, about, asked, call, expects, needs=needs)

    return make


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
