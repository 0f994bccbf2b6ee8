"""Streamed tool calls: the order in which the deltas of a call come, and how parallel calls are told apart."""

from __future__ import annotations

from collections.abc import Callable

from wireproof.clause import (
    Exchange,
    Machine,
    Symbol,
    answered,
    clause,
    expect,
    shown,
)

from ._asked import has_tools
from ._chat import delta_of
from ._reading import as_objects
from ._stream import by_choice, pieces_of
from ._tool_calls import ToolCall, deltas_told, entries

CHAT = "createChatCompletion"

# One rule a machine, run for every call of every choice. The head of a call says who is called.
OPENS = Machine("new", {"new": {"whole head": "called"}, "called": {"whole head": "called", "less": "called"}})
ONCE = Machine("new", {"new": {"head": "called", "rest": "new"}, "called": {"rest": "called"}})


def _shows_deltas(exchange: Exchange) -> bool:
    return bool(deltas_told(exchange))


DELTAS = answered(CHAT, streamed=True, asks=has_tools, shows=_shows_deltas)


def _expect_rule(machine: Machine, exchange: Exchange, name: Callable[[ToolCall], str], expected: str) -> None:
    """`name` gives the symbol of each delta."""
    deltas = deltas_told(exchange)
    symbols = [Symbol(name(d.part), at, (d.choice, d.slot), _head(d.part)) for at, d in enumerate(deltas)]
    offence = machine.first_offence(symbols)
    if offence is not None and offence.at is not None:
        part = deltas[offence.at].part
        expect(False, expected=expected, got=offence.got, at=part.at, event=part.event)


def _head(part: ToolCall) -> str:
    return shown({"index": part.index, "id": part.id, "type": part.type, "function.name": part.name})


@clause(
    "chat.tools.stream.opens",
    level="MUST",
    source="CAP-OTEL multiple_tools_streaming: the first delta of a call",
    on=DELTAS,
)
def first_deltas_name_the_call(exchange: Exchange) -> None:
    """The first delta of a tool call carries its `id`, its `type` and its `function.name`."""
    _expect_rule(
        OPENS,
        exchange,
        lambda part: "whole head" if part.id and part.type and part.name else "less",
        "id, type and name in the first delta of a call",
    )


@clause(
    "chat.tools.stream.once",
    level="MUST",
    source="CAP-OTEL multiple_tools_streaming: later deltas; SDK joins repeated strings",
    on=DELTAS,
)
def ids_and_names_come_once(exchange: Exchange) -> None:
    """`id` and `function.name` of a call come in its first delta alone; null or an empty string may follow.

    Clients that join deltas as text, as the official SDK does, would read `get_weatherget_weather`.
    """
    _expect_rule(
        ONCE,
        exchange,
        lambda part: "head" if part.id or part.name else "rest",
        "index and arguments alone in the later deltas of a call",
    )


@clause(
    "chat.tools.stream.type-once",
    level="SHOULD",
    source="CAP-OTEL multiple_tools_streaming: later deltas have index and arguments alone",
    on=DELTAS,
)
def types_come_once(exchange: Exchange) -> None:
    """`type` of a call comes in its first delta alone.

    Send index and arguments alone after the first delta, as clients that join deltas as text would read
    `functionfunction`.
    """
    _expect_rule(
        ONCE,
        exchange,
        lambda part: "head" if part.type else "rest",
        "no type in the later deltas of a call",
    )


@clause(
    "chat.tools.stream.type-null",
    level="MUST",
    source="SDK lib/streaming/_deltas.py: the type of a later delta replaces the one before",
    on=DELTAS,
)
def types_are_not_taken_back(exchange: Exchange) -> None:
    """The later deltas of a call leave `type` out, or say it again; none of them says null.

    The stream helper of the official SDK takes the last `type` for that of the call, and breaks off at null.
    Serializers that write out every field (`exclude_none` is missing) are the usual cause.
    """
    for pieces in by_choice(exchange).values():
        for piece in pieces:
            for number, part in enumerate(as_objects(delta_of(piece.choice).get("tool_calls"))):
                is_null = not part.get("id") and part.get("type", "") is None
                at = f"{piece.at}/delta/tool_calls/{number}/type"
                expect(not is_null, expected="no type, or that of the call", got="null", at=at, event=piece.event)


@clause(
    "chat.tools.stream.index",
    level="MUST",
    source="SPEC ChatCompletionMessageToolCallChunk.index; SDK merges deltas by it",
    on=DELTAS,
)
def calls_are_told_apart_by_index(exchange: Exchange) -> None:
    """Every tool-call delta has an integer `index`: 0 for the first call of a choice, 1 for the next, and so on.

    The index is all that tells parallel calls apart; two calls under one index become a single broken one.
    """
    for delta in deltas_told(exchange):
        index = delta.part.index
        held = isinstance(index, int) and not isinstance(index, bool) and index == delta.slot
        wanted = f"index {delta.slot} for call number {delta.slot + 1}"
        delta.part.must(held, "index", expected=wanted, got=shown(index))


@clause(
    "chat.tools.stream.in-delta",
    level="MUST",
    source="SPEC ChatCompletionStreamResponseDelta.tool_calls",
    on=answered(CHAT, streamed=True, asks=has_tools),
)
def calls_stream_in_deltas(exchange: Exchange) -> None:
    """Streamed tool calls come in `delta.tool_calls`, never in a `message`."""
    for piece in pieces_of(exchange):
        for stray in entries(piece, "message"):
            expect(False, expected="calls in delta", got=f"a call of {stray.name}", at=stray.at, event=stray.event)
