"""Streamed responses: the order of their events, as nested automata: response, item, part, delta.

A stream is read as symbols, each of one item or one part; every law of order is a small automaton over them.
"""

from __future__ import annotations

from collections.abc import Iterable

from wireproof.clause import Exchange, Machine, NotApplicable, Symbol, answered, clause, expect

from ._response_stream import (
    acted_symbols,
    call_symbols,
    events_of,
    item_symbols,
    life_symbols,
    part_symbols,
    whole_events,
)
from ._responses import RESPONSE

STREAM = answered(RESPONSE, "getResponse", streamed=True)


def _all(*names: str, to: str) -> dict[str, str]:
    return dict.fromkeys(names, to)


# ------------------------------------------------------------------------------------------- the response

LIFE = ("created", "queued", "in progress", "event", "end", "error")
BEGINS = Machine("unborn", {"unborn": {"created": "born", "error": "born"}, "born": _all(*LIFE, to="born")})
BEGINS_ONCE = Machine("unborn", {"unborn": {"created": "born"}, "born": {}})
RUNS = Machine(
    "waiting",
    {
        "waiting": {**_all("created", "queued", to="waiting"), **_all("in progress", "end", "error", to="running")},
        "running": _all("created", "queued", "event", "end", "error", to="running"),
    },
)
OPEN = {**_all(*LIFE, to="open"), **_all("end", "error", to="ended")}
ENDS = Machine("open", {"open": OPEN, "ended": _all(*LIFE, to="ended")}, frozenset({"ended"}))
ENDS_LAST = Machine("open", {"open": OPEN, "ended": {}})

# ----------------------------------------------------------------------------------------------- an item

ITEM_OPENS = Machine("unseen", {"unseen": {"added": "seen"}, "seen": _all("added", "inside", "done", to="seen")})
ITEM_OPENS_ONCE = Machine("unseen", {"unseen": {"added": "seen"}, "seen": {}})
ITEM_ENDS = Machine(
    "unseen",
    {
        "unseen": {"added": "open", "inside": "open", "done": "closed"},
        "open": {"added": "open", "inside": "open", "done": "closed"},
        "closed": _all("added", "inside", "done", to="closed"),
    },
    frozenset({"unseen", "closed"}),
)
ITEM_ENDS_LAST = Machine("open", {"open": {"added": "open", "inside": "open", "done": "closed"}, "closed": {}})

# ------------------------------------------------------------------------------ a part: a text, a summary

PART = ("part added", "delta", "text done", "part done")
PART_OPENS = Machine("unseen", {"unseen": {"part added": "seen"}, "seen": _all(*PART, to="seen")})
PART_OPENS_ONCE = Machine("unseen", {"unseen": {"part added": "seen"}, "seen": {}})
PART_ENDS = Machine(
    "unseen",
    {
        "unseen": {**_all(*PART, to="open"), "part done": "closed"},
        "open": {**_all(*PART, to="open"), "part done": "closed"},
        "closed": {},
    },
    frozenset({"unseen", "closed"}),
)
TEXT_ENDS = Machine(
    "silent",
    {
        "silent": {"part added": "silent", "delta": "speaking", "text done": "said", "part done": "said"},
        "speaking": {"delta": "speaking", "text done": "said"},
        "said": {"part done": "said", "part added": "said", "text done": "said", "delta": "said"},
    },
    frozenset({"silent", "said"}),
)
TEXT_ENDS_LAST = Machine("open", {"open": {"delta": "open", "text done": "done"}, "done": {}})
# A call: its arguments are whole before it is.
CALL_ENDS = Machine(
    "unseen",
    {
        "unseen": {"call added": "open", "arguments delta": "open", "arguments done": "said"},
        "open": {"arguments delta": "open", "arguments done": "said"},
        "said": {"call done": "over"},
        "over": {},
    },
    frozenset({"unseen", "said", "over"}),
)


def _judge(machine: Machine, symbols: Iterable[Symbol], rule: str, end: int) -> None:
    """`rule` says what is expected; its braces take the item or part. `end` is the number of the last event."""
    read = list(symbols)
    if not any(symbol.name in row for symbol in read for row in machine.edges.values()):
        raise NotApplicable("the stream has no such events")
    offence = machine.first_offence(read)
    if offence is not None:
        key = offence.key
        place = f"part {key[2]} of item {key[0]}" if isinstance(key, tuple) else f"item {key}"
        at = end if offence.at is None else offence.at
        expect(False, expected=rule.format(place), got=offence.got, event=at)


def _order(machine: Machine, exchange: Exchange, symbols: str, rule: str) -> None:
    """For rules that hold at every moment, whatever becomes of the stream."""
    if exchange.request.query.get("starting_after") is not None:
        raise NotApplicable("the stream was taken up again in the middle")
    events = events_of(exchange)
    _judge(machine, READERS[symbols](events), rule, events[-1].number)


def _completed(machine: Machine, exchange: Exchange, symbols: str, rule: str) -> None:
    """For rules of what must have come by the end of a response that was completed."""
    events = whole_events(exchange)
    if events[-1].type != "response.completed" and not any(one.type == "response.completed" for one in events):
        raise NotApplicable("the response was not completed")
    _judge(machine, READERS[symbols](events), rule, events[-1].number)


READERS = {
    "life": life_symbols,
    "item": item_symbols,
    "acted": acted_symbols,
    "part": part_symbols,
    "call": call_symbols,
}


# --------------------------------------------------------------------------------- the laws of a response


@clause("responses.stream.created", level="MUST", source="CAP-2510; SDK _responses.py", on=STREAM)
def a_stream_begins_with_created(exchange: Exchange) -> None:
    """The first event is `response.created`: the official SDK's helper fails on any other."""
    _order(BEGINS, exchange, "life", "response.created as the first event")


@clause("responses.stream.created-once", level="MUST", source="CAP-2510; SPEC ResponseCreatedEvent", on=STREAM)
def a_response_is_created_once(exchange: Exchange) -> None:
    """`response.created` comes once."""
    _order(BEGINS_ONCE, exchange, "life", "response.created once")


@clause("responses.stream.in-progress", level="SHOULD", source="CAP-2510; SPEC ResponseInProgressEvent", on=STREAM)
def a_response_is_in_progress_before_it_says_anything(exchange: Exchange) -> None:
    """`response.in_progress` comes once, before the first item; what is queued waits before it."""
    _order(RUNS, exchange, "life", "response.in_progress, once, before any item")


@clause("responses.stream.terminal", level="MUST", source="CAP-2510; SDK get_final_response", on=STREAM)
def a_stream_has_a_last_event(exchange: Exchange) -> None:
    """A stream ends with `response.completed`, `response.incomplete` or `response.failed`; or it breaks with `error`.

    It tells a whole answer from a connection that was cut, and has the usage.
    """
    events = events_of(exchange)
    offence = ENDS.first_offence(life_symbols(events))
    if offence is not None:
        expected = "response.completed, response.incomplete or response.failed"
        expect(False, expected=expected, got=f"the end after {events[-1].type}", event=events[-1].number)


@clause("responses.stream.terminal-last", level="MUST", source="CAP-2510; SDK _responses.py", on=STREAM)
def nothing_follows_the_last_event(exchange: Exchange) -> None:
    """Nothing follows the last event: clients stop reading there, and a second one would end them twice."""
    _order(ENDS_LAST, exchange, "life", "nothing after the last event")


# ------------------------------------------------------------------------------------- the laws of an item


@clause("responses.stream.item-added", level="MUST", source="CAP-2510; SDK accumulate_event", on=STREAM)
def items_are_added_first(exchange: Exchange) -> None:
    """`response.output_item.added` comes before any other event of its item: its parts, deltas and end."""
    _order(ITEM_OPENS, exchange, "item", "response.output_item.added for {} before it")


@clause("responses.stream.item-once", level="MUST", source="SDK accumulate_event: output_index is unique", on=STREAM)
def items_are_added_once(exchange: Exchange) -> None:
    """An `output_index` is given to one item, once."""
    _order(ITEM_OPENS_ONCE, exchange, "item", "response.output_item.added once for {}")


@clause("responses.stream.item-done", level="MUST", source="CAP-2510; SPEC ResponseOutputItemDoneEvent", on=STREAM)
def items_are_done(exchange: Exchange) -> None:
    """Of a completed response every item that was added has its `response.output_item.done`: agents act on it."""
    _completed(ITEM_ENDS, exchange, "acted", "response.output_item.done for {}")


@clause("responses.stream.item-closed", level="MUST", source="CAP-2510; SDK accumulate_event", on=STREAM)
def nothing_follows_an_item_that_is_done(exchange: Exchange) -> None:
    """Nothing more comes of an item after its `response.output_item.done`, not even that once more."""
    _order(ITEM_ENDS_LAST, exchange, "item", "nothing more of {}")


# -------------------------------------------------------------------------------- the laws of a part, a call


@clause("responses.stream.part-added", level="MUST", source="CAP-2510; SDK accumulate_event", on=STREAM)
def parts_are_added_first(exchange: Exchange) -> None:
    """`response.content_part.added` comes before the text of its part; for summaries, their own event does."""
    _order(PART_OPENS, exchange, "part", "response.content_part.added for {} before it")


@clause("responses.stream.part-once", level="MUST", source="SDK accumulate_event: parts are appended", on=STREAM)
def parts_are_added_once(exchange: Exchange) -> None:
    """A part is added once: the official SDK appends one for each event, and the text would go to the wrong one."""
    _order(PART_OPENS_ONCE, exchange, "part", "response.content_part.added once for {}")


@clause("responses.stream.text-done", level="MUST", source="CAP-2510; SPEC ResponseTextDoneEvent", on=STREAM)
def texts_are_done(exchange: Exchange) -> None:
    """After the deltas of a text comes its `response.output_text.done`, before the part is done."""
    _completed(TEXT_ENDS, exchange, "part", "response.output_text.done for {}")


@clause("responses.stream.text-closed", level="MUST", source="CAP-2510; SPEC ResponseTextDoneEvent", on=STREAM)
def nothing_follows_a_text_that_is_done(exchange: Exchange) -> None:
    """No delta comes after the text is done, and it is done once."""
    _order(TEXT_ENDS_LAST, exchange, "part", "nothing more of the text of {}")


@clause("responses.stream.part-done", level="MUST", source="CAP-2510; SPEC ResponseContentPartDoneEvent", on=STREAM)
def parts_are_done(exchange: Exchange) -> None:
    """Of a completed response every part that was added has its `response.content_part.done`, once and last."""
    _completed(PART_ENDS, exchange, "part", "response.content_part.done for {}, once and last")


@clause(
    "responses.stream.arguments-done", level="MUST", source="SPEC ResponseFunctionCallArgumentsDoneEvent", on=STREAM
)
def arguments_are_done(exchange: Exchange) -> None:
    """A call has its `response.function_call_arguments.done`, once, after the deltas and before the call is done.

    For a custom tool it is `response.custom_tool_call_input.done`.
    """
    _completed(CALL_ENDS, exchange, "call", "response.function_call_arguments.done for {}, once, before it is done")
