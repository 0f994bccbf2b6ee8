"""The second oracle: recorded answers are read once more, by the official SDK, and both readings are compared.

Nothing is sent: the SDK gets a transport that plays back the recorded bytes. Where no clause found a fault in an
exchange, the SDK should take it without a word and read what we read. A disagreement is no verdict: either the
clauses miss something, or the SDK is wrong about the API. `spec/sdk.yaml` names what is known of the latter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from re import sub
from typing import Any

from wireproof.clause import Exchange, Undecodable
from wireproof.content import load_file, shelf
from wireproof.judge import Verdict, legible
from wireproof.spec import load_spec
from wireproof.violations import shown

MOST_SHOWN = 300
WANTING = "the official SDK is not installed; pip install 'wireproof[sdk]'"


class NoSdk(LookupError):
    """The official SDK is not installed; the message says how it is."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Where the SDK reads an answer otherwise than we do, though no clause found a fault in it.

    kind: `breaks` the client as everyone has it raises · `refuses` its strict validation raises · `differs` it
    reads another value. `at` is a JSON Pointer into the answer, or a name of what is compared.
    """

    exchange: str
    kind: str
    at: str
    sdk: str
    ours: str


@dataclass(frozen=True)
class Opinion:
    """What the second oracle said. `by` is its name and version; `passed_over` counts the answers it cannot read."""

    by: str
    replayed: int
    passed_over: int = 0
    disagreements: Sequence[Disagreement] = field(default=())

    @property
    def habits(self) -> list[tuple[Disagreement, int]]:
        """The first of those that are alike but for their exchange, and in how many more it shows."""
        found: dict[tuple[str, ...], list[Disagreement]] = {}
        for one in self.disagreements:
            place = sub(r"\d+", "*", one.at)
            found.setdefault((one.exchange.partition(".")[0], one.kind, place, one.sdk), []).append(one)
        return [(alike[0], len(alike) - 1) for alike in found.values()]

    @property
    def sentence(self) -> str:
        count = len(self.disagreements)
        words = "no disagreement" if not count else f"{count} disagreement{'s' if count > 1 else ''}"
        return f"{self.by} read {self.replayed} recorded answers as well: {words}."


Faults = Mapping[str, Sequence[str]]


def second_opinion(exchanges: Sequence[Exchange], faults: Faults | None = None) -> Opinion:
    """The SDK's reading of these exchanges beside ours.

    `faults` are the places, JSON Pointers, at which clauses found faults in an exchange, by its id: what the SDK says
    of such a place, or of one above or below it, is no disagreement. Raises NoSdk.
    """
    from wireproof.oracle.replay import Replay

    return _opinion(Replay(load_spec()), exchanges, faults or {})


def node_opinion(exchanges: Sequence[Exchange], faults: Faults | None = None, folder: Path | None = None) -> Opinion:
    """The same of the Node SDK, which must be there (`has_node`). Raises OSError or SubprocessError when it fails."""
    from wireproof.oracle.node import NodeReplay

    return _opinion(NodeReplay(load_spec(), exchanges, folder), exchanges, faults or {})


def _opinion(replay: Any, exchanges: Sequence[Exchange], faults: Faults) -> Opinion:
    known = Known(load_spec().catalogue("sdk")["known"])
    disagreements: list[Disagreement] = []
    replayed = passed_over = 0
    for exchange in exchanges:
        if exchange.trouble or exchange.status is None or not replay.reads(exchange):
            passed_over += 1
            continue
        replayed += 1
        places = faults.get(exchange.id, ())
        disagreements += [
            one
            for one in compared(replay, exchange)
            if not known.holds(exchange.operation, one) and not any(_is_near(one.at, place) for place in places)
        ]
    return Opinion(replay.name, replayed, passed_over, tuple(disagreements))


def _is_near(at: str, place: str) -> bool:
    """Whether one holds the other. A fault of the whole answer is near everything, and so is what has no pointer."""
    if not place.startswith("/") or not at.startswith("/"):
        return True
    at, place = (sub(r"\d+", "*", one) for one in (at, place))  # a clause tells of the first item alone
    return f"{at}/".startswith(f"{place}/") or f"{place}/".startswith(f"{at}/")


def faults_in(verdicts: Iterable[Verdict]) -> Faults:
    """The places where clauses have found faults that may be why the SDK stumbles there, by exchange."""
    beside = load_spec().catalogue("sdk")["beside"]
    found: dict[str, list[str]] = {}
    for verdict in verdicts:
        if not any(fnmatchcase(verdict.clause.id, glob) for glob in beside):
            for finding in verdict.findings:
                found.setdefault(finding.where.exchange, []).append(finding.where.pointer)
    return found


def compared(replay: Any, exchange: Exchange) -> Iterator[Disagreement]:
    """Every disagreement about one exchange: of the lenient client first, and then of the strict one."""
    if (exchange.status or 0) >= 400:
        yield from _differences(exchange, replay.refusal(exchange), our_refusal(exchange, replay.refusals))
        return
    read = replay.reading(exchange)
    if read.raised is not None:
        if not read.raised.is_told:  # a stream that broke off with an error is one for both of us
            yield Disagreement(exchange.id, "breaks", read.raised.at, read.raised.said, "no clause found a fault")
        return
    for name, (sdk, ours) in {**read.told, **_folded(exchange, read.final)}.items():
        if (place := parting(ours, sdk, name)) is not None:
            at, mine, theirs = place
            yield Disagreement(exchange.id, "differs", at, _quoted(theirs), _quoted(mine))
    for raised in replay.strict(exchange):
        if not raised.is_told:
            yield Disagreement(exchange.id, "refuses", raised.at, raised.said, "no clause found a fault")


def our_refusal(exchange: Exchange, classes: Mapping[str, str]) -> dict[str, Any]:
    """What a client must see of an answer of 400 and above: the class by its status, the fields of the error."""
    status = exchange.status or 0
    told: dict[str, Any] = {"class": classes.get(str(status), classes["5XX" if status >= 500 else "other"])}
    try:
        error = exchange.json["error"]
        told |= {name: error.get(name) for name in ("type", "code", "param", "message")}
    except (Undecodable, LookupError, TypeError, AttributeError):
        return told
    told["code"] = told["code"] if told["code"] is None else str(told["code"])
    return told


def _folded(exchange: Exchange, final: Any) -> dict[str, tuple[Any, Any]]:
    ours = None if final is None else our_fold(exchange)
    return {} if ours is None else {"": (final, ours)}


def our_fold(exchange: Exchange) -> Any:
    """What any client must make of the answer, as `contracts/_folds.py` has it; None: nothing to compare."""
    fold = load_file(shelf("contracts") / "_folds.py", "contracts").FOLDS.get(exchange.operation)
    try:
        return fold(exchange) if fold else None
    except Undecodable:
        return None


def parting(ours: Any, theirs: Any, at: str = "") -> tuple[str, Any, Any] | None:
    """The first place where `theirs` does not hold what `ours` does: (pointer, ours, theirs).

    What they hold besides is theirs. Null, an empty text, an empty list and nothing at all are the same.
    """
    if isinstance(ours, dict) and isinstance(theirs, dict):
        pairs = [(str(key), value, theirs.get(key)) for key, value in ours.items()]
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = [(str(number), *pair) for number, pair in enumerate(zip(ours, theirs, strict=True))]
    else:
        is_same = ours == theirs or (not ours and not theirs and ours is not False and theirs is not False)
        return None if is_same else (at, ours, theirs)
    found = (parting(mine, other, f"{at}/{key}") for key, mine, other in pairs)
    return next((place for place in found if place is not None), None)


def _differences(exchange: Exchange, theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> Iterator[Disagreement]:
    for name, value in {**ours, **replayed_headers(exchange, theirs)}.items():
        if (place := parting(value, theirs.get(name), name)) is not None:
            yield Disagreement(exchange.id, "differs", place[0], _quoted(place[2]), _quoted(place[1]))


def replayed_headers(exchange: Exchange, names: Mapping[str, Any]) -> dict[str, Any]:
    """The headers among `names`, as we read them."""
    return {name: exchange.header(name) for name in names if exchange.header(name) is not None}


def _quoted(value: Any) -> str:
    text = legible(value if isinstance(value, str) else shown(value))
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"


class Known:
    """The disagreements that are known to be the SDK's own, as `spec/sdk.yaml` has them."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self.rows = rows

    def holds(self, operation: str | None, one: Disagreement) -> bool:
        place = "/".join("*" if part.isdigit() else part for part in one.at.split("/"))
        return any(
            one.kind == row["kind"]
            and any(fnmatchcase(operation or "", glob) for glob in row["operations"])
            and any(fnmatchcase(place, glob) for glob in row["at"])
            and fnmatchcase(one.sdk, row.get("says", "*"))
            for row in self.rows
        )
