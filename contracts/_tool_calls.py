"""Reading tool calls, plain and streamed alike: the deltas of a stream are joined first, as clients do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from wireproof.clause import Exchange, Inconclusive, Undecodable, expect, remembered, shown

from ._reading import as_object, as_objects, as_text
from ._stream import Piece, by_choice, error_in, pieces_of


@dataclass(frozen=True)
class ToolCall:
    """A call, or the part of one that a delta brings; what did not come is None. `event` is its place in a stream."""

    id: Any
    type: Any
    name: Any
    arguments: Any
    index: Any
    at: str
    event: int | None

    def must(self, held: bool, field: str, *, expected: str, got: Any) -> None:
        expect(held, expected=expected, got=got, at=f"{self.at}/{field}", event=self.event)


@dataclass(frozen=True)
class Choice:
    """One choice, plain or joined. `legacy` is its deprecated function_call, `at` points to its message or delta."""

    calls: tuple[ToolCall, ...]
    content: str
    refusal: Any
    finish: Any
    legacy: Any
    at: str
    event: int | None = None

    @property
    def was_cut(self) -> bool:
        return self.finish in ("length", "content_filter")

    def must(self, held: bool, field: str, *, expected: str, got: Any) -> None:
        expect(held, expected=expected, got=got, at=f"{self.at}/{field}", event=self.event)


@dataclass(frozen=True)
class Delta:
    """An entry of `delta.tool_calls`. `slot` counts the calls of its choice in order of opening."""

    choice: str
    slot: int
    part: ToolCall


@remembered
def choices_told(exchange: Exchange) -> list[Choice]:
    """Raises Inconclusive when there are none, and when a stream broke off with an error."""
    if exchange.streamed and (broken := error_in(exchange)) is not None:
        raise Inconclusive(f"the stream broke off with an error: {shown(broken)}")
    found = _joined(exchange) if exchange.streamed else _plain(exchange)
    if not found:
        raise Inconclusive("the answer has no choices")
    return found


def _plain(exchange: Exchange) -> list[Choice]:
    return [_choice([piece], "message") for piece in pieces_of(exchange)]


def _joined(exchange: Exchange) -> list[Choice]:
    """The choices of a stream. Calls that came outside of deltas are taken from there, as a last resort."""
    slots: dict[tuple[str, int], list[ToolCall]] = {}
    for delta in deltas_told(exchange):
        slots.setdefault((delta.choice, delta.slot), []).append(delta.part)
    found = []
    for key, pieces in by_choice(exchange).items():
        calls = tuple(_merged(parts) for (owner, _), parts in slots.items() if owner == key)
        stray = [call for piece in pieces for call in entries(piece, "message")]
        found.append(replace(_choice(pieces, "delta"), calls=calls or tuple(stray)))
    return found


def _choice(pieces: Sequence[Piece], holder: str) -> Choice:
    """`pieces`: the one of a plain answer, or those of a stream, whose calls are left to be joined."""
    said = [as_object(piece.choice.get(holder)) for piece in pieces]
    reasons = [piece.choice["finish_reason"] for piece in pieces if piece.choice.get("finish_reason")]
    last = pieces[-1]
    return Choice(
        tuple(entries(last, holder)) if last.event is None else (),
        "".join(as_text(one.get("content")) for one in said),
        next((one["refusal"] for one in said if one.get("refusal")), None),
        reasons[-1] if reasons else None,
        next((one["function_call"] for one in said if one.get("function_call")), None),
        f"{last.at}/{holder}",
        last.event,
    )


def entries(piece: Piece, holder: str) -> list[ToolCall]:
    """The calls in a `message` or a `delta`."""
    found = []
    for number, entry in enumerate(as_objects(as_object(piece.choice.get(holder)).get("tool_calls"))):
        function = as_object(entry.get("function"))
        values = entry.get("id"), entry.get("type"), function.get("name"), function.get("arguments"), entry.get("index")
        found.append(ToolCall(*values, f"{piece.at}/{holder}/tool_calls/{number}", piece.event))
    return found


@remembered
def deltas_told(exchange: Exchange) -> list[Delta]:
    """Every tool-call delta. One that brings a new id and a name opens a new call, whatever its index."""
    found: dict[str, list[Delta]] = {}
    for key, pieces in by_choice(exchange).items():
        siblings = found.setdefault(key, [])
        for piece in pieces:
            for part in entries(piece, "delta"):
                siblings.append(Delta(key, _slot(siblings, part), part))
    return sorted((delta for deltas in found.values() for delta in deltas), key=lambda delta: delta.part.event or 0)


def _slot(siblings: Sequence[Delta], part: ToolCall) -> int:
    unopened = max((delta.slot for delta in siblings), default=-1) + 1
    latest = next((d.slot for d in reversed(siblings) if part.index in (None, d.part.index)), unopened)
    known = next((d.part.id for d in siblings if d.slot == latest and d.part.id), None)
    is_another = bool(part.id and part.name and known and part.id != known)
    return unopened if is_another else latest


def _merged(parts: Sequence[ToolCall]) -> ToolCall:
    def first(*values: Any) -> Any:
        return next((value for value in values if value), None)

    pieces = [part.arguments for part in parts if part.arguments is not None]
    odd = next((piece for piece in pieces if not isinstance(piece, str)), None)
    return replace(
        parts[0],
        id=first(*(part.id for part in parts)),
        type=first(*(part.type for part in parts)),
        name=first(*(part.name for part in parts)),
        arguments=odd if odd is not None else "".join(pieces) if pieces else None,
    )


@remembered
def calls_told(exchange: Exchange) -> list[ToolCall]:
    return [call for choice in choices_told(exchange) for call in choice.calls]


def has_calls(exchange: Exchange) -> bool:
    try:
        return bool(calls_told(exchange))
    except (Inconclusive, Undecodable):
        return False


def whole_calls(exchange: Exchange) -> Iterator[tuple[Choice, ToolCall]]:
    """The calls whose arguments came as text. Raises Inconclusive when the answer was cut."""
    for choice in choices_told(exchange):
        for call in choice.calls:
            if choice.was_cut:
                raise Inconclusive(f"the answer was cut (finish_reason {choice.finish}), maybe amid a call")
            if isinstance(call.arguments, str):
                yield choice, call
