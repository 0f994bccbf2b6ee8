"""Streamed responses: the fold law. Put together, the events are the response that the last one holds.

Every `done` says what the deltas before it said, every part what its text said, every item what its parts said, and
the response at the end is made of its items: a client may read at whichever level it likes.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any

from wireproof.clause import Exchange, Inconclusive, NotApplicable, answered, clause, expect, load_spec, shown

from ._reading import as_list, as_object, as_objects, as_text, told
from ._response_stream import LIFE, Said, events_of, is_listing, place_of, whole_events
from ._responses import RESPONSE, essence, part_essence

STREAM = answered(RESPONSE, "getResponse", streamed=True)


def _sums(kinds: Iterable[str]) -> list[tuple[str, str, str, str]]:
    """`(piece, its key, whole, its key)` of the grammar's sums whose pieces are of these kinds."""
    rows = load_spec().catalogue("streams")["streams"]["responses"]["sums"]
    known = frozenset(kinds)
    return [(*row["pieces"], *row["whole"]) for row in rows if row["pieces"][0].split(".")[1] in known]


TEXTS = ("output_text", "refusal", "reasoning_text", "reasoning_summary_text")
CALLS = ("function_call_arguments", "custom_tool_call_input", "mcp_call_arguments", "code_interpreter_call_code")


def _expect_sums(exchange: Exchange, kinds: Iterable[str]) -> None:
    """Each whole is its pieces, joined. A whole without pieces says what no reader of deltas has seen."""
    events, judged = whole_events(exchange), False
    for piece, part, whole, field in _sums(kinds):
        joined: dict[Any, str] = {}
        for said in events:
            key = place_of(said)
            if said.type == piece:
                joined[key] = joined.get(key, "") + as_text(said.data.get(part))
            elif said.type == whole and isinstance(said.data.get(field), str):
                judged, wanted = True, joined.get(key, "")
                held = said.data[field] == wanted
                got = _shown(said.data[field], wanted)
                expect(held, expected=f"{shown(wanted)}, the deltas", got=got, at=f"/{field}", event=said.number)
    if not judged:
        raise NotApplicable("the stream has no such deltas")


def _shown(got: Any, wanted: Any) -> str:
    """`got` in short; of two long texts, from where they part."""
    if isinstance(got, str) and isinstance(wanted, str) and got[:40] == wanted[:40]:
        at = next((n for n, (a, b) in enumerate(zip(got, wanted, strict=False)) if a != b), min(len(got), len(wanted)))
        return f"{shown(got[max(0, at - 20) :])} from character {max(0, at - 20)} of {len(got)}"
    return shown(got)


@clause("responses.stream.text", level="MUST", source="CAP-2510; SPEC ResponseTextDoneEvent.text", on=STREAM)
def a_text_is_its_deltas(exchange: Exchange) -> None:
    """The `text` of `response.output_text.done` is the deltas before it, joined. So with refusals and reasoning."""
    _expect_sums(exchange, TEXTS)


@clause(
    "responses.stream.arguments",
    level="MUST",
    source="SPEC ResponseFunctionCallArgumentsDoneEvent.arguments; DOCS-0715 function-calling",
    on=STREAM,
)
def arguments_are_their_deltas(exchange: Exchange) -> None:
    """The `arguments` of `response.function_call_arguments.done` are the deltas before it, joined."""
    _expect_sums(exchange, CALLS)


# What brings more of a thing, by the type of event: of a part its text, of a call its arguments.
MORE_TEXT = {"response.output_text.delta": "text", "response.refusal.delta": "refusal"}
MORE_ARGUMENTS = {
    "response.function_call_arguments.delta": "arguments",
    "response.mcp_call_arguments.delta": "arguments",
    "response.custom_tool_call_input.delta": "input",
}
ADDED, PART_ADDED = "response.output_item.added", "response.content_part.added"


@clause("responses.stream.opens", level="MUST", source="CAP-2510; SDK accumulate_event: += delta, append", on=STREAM)
def what_is_added_is_still_empty(exchange: Exchange) -> None:
    """What is added has nothing yet of what its events are going to bring: a response no items, a message no parts, a
    part an empty text, a call empty arguments; the empty string, never null.

    Clients put deltas behind what they were given first: what stands there already is read twice.
    """
    events = events_of(exchange)
    items = {said.item for said in events if said.type == ADDED}
    parts = {said.item for said in events if said.type == PART_ADDED}
    texts = {(place_of(said), MORE_TEXT[said.type]) for said in events if said.type in MORE_TEXT}
    calls = {(said.item, MORE_ARGUMENTS[said.type]) for said in events if said.type in MORE_ARGUMENTS}
    for said in events:
        if said.type in LIFE[:3] and items:
            _expect_empty(said, said.response or {}, "output", [None, []], "/response")
        elif said.type == ADDED:
            item = as_object(said.data.get("item"))
            if item.get("type") == "message" and said.item in parts:
                _expect_empty(said, item, "content", [[]], "/item")
            for name in ("arguments", "input"):
                if (said.item, name) in calls:
                    _expect_empty(said, item, name, [""], "/item")
        elif said.type == PART_ADDED:
            for name in ("text", "refusal"):
                if (place_of(said), name) in texts:
                    _expect_empty(said, as_object(said.data.get("part")), name, [""], "/part")
    if not items:
        raise NotApplicable("the stream adds nothing")


def _expect_empty(said: Said, held: dict[str, Any], name: str, empty: list[Any], at: str) -> None:
    expected = f"{shown(empty[-1])}: more comes later"
    expect(held.get(name) in empty, expected=expected, got=told(held, name), at=f"{at}/{name}", event=said.number)


@clause("responses.stream.part", level="MUST", source="CAP-2510; SPEC ResponseContentPartDoneEvent.part", on=STREAM)
def a_part_is_its_text(exchange: Exchange) -> None:
    """The part of `response.content_part.done` has the text that was done before it, and the annotations that came."""
    said_of: dict[Any, str] = {}
    noted: dict[Any, list[Any]] = {}
    judged = False
    for said in whole_events(exchange):
        key = place_of(said)
        if said.type == "response.output_text.done":
            said_of[key] = as_text(said.data.get("text"))
        elif said.type == "response.refusal.done":
            said_of[key] = as_text(said.data.get("refusal"))
        elif said.type == "response.output_text.annotation.added":
            noted.setdefault(key, []).append(said.data.get("annotation"))
        elif said.type == "response.content_part.done" and key in said_of:
            judged, part = True, as_object(said.data.get("part"))
            got = part.get("text", part.get("refusal"))
            held = got == said_of[key]
            expected = f"{shown(said_of[key])}, as it was done"
            expect(held, expected=expected, got=_shown(got, said_of[key]), at="/part/text", event=said.number)
            if key in noted:
                held = as_list(part.get("annotations")) == noted[key]
                expected, got = f"the annotations {shown(noted[key])}", shown(part.get("annotations"))
                expect(held, expected=expected, got=got, at="/part/annotations", event=said.number)
    if not judged:
        raise NotApplicable("no part is done after its text")


# What a tool is given, whole: the event that has it, and its key there and in the item.
GIVEN = {
    "response.function_call_arguments.done": "arguments",
    "response.mcp_call_arguments.done": "arguments",
    "response.custom_tool_call_input.done": "input",
    "response.code_interpreter_call_code.done": "code",
}


@clause("responses.stream.item", level="MUST", source="CAP-2510; SPEC ResponseOutputItemDoneEvent.item", on=STREAM)
def an_item_is_its_parts(exchange: Exchange) -> None:
    """The item of `response.output_item.done` has the parts that were done before it, and the arguments of its call.

    The `content_index` of a part is its place in the item.
    """
    parts: dict[Hashable, dict[int, dict[str, Any]]] = {}
    given: dict[tuple[Hashable, str], str] = {}
    judged = False
    for said in whole_events(exchange):
        index = said.item
        if said.type == "response.content_part.done":
            parts.setdefault(index, {})[place_of(said)[2]] = part_essence(as_object(said.data.get("part")))
        elif said.type in GIVEN:
            given[index, GIVEN[said.type]] = as_text(said.data.get(GIVEN[said.type]))
        elif said.type == "response.output_item.done":
            item = as_object(said.data.get("item"))
            if index in parts:
                judged = True
                got = [part_essence(part) for part in as_objects(item.get("content"))]
                wanted = [parts[index].get(place, {}) for place in range(max(*parts[index], len(parts[index]) - 1) + 1)]
                _expect_equal(said, got, wanted, "/item/content", "the parts as they were done")
            for name in ("arguments", "input", "code"):
                if (index, name) in given:
                    judged = True
                    _expect_equal(said, item.get(name), given[index, name], f"/item/{name}", "as they were done")
    if not judged:
        raise NotApplicable("no item is done after its parts")


def _expect_equal(said: Said, got: Any, wanted: Any, at: str, why: str) -> None:
    expect(got == wanted, expected=f"{shown(wanted)}, {why}", got=_shown(got, wanted), at=at, event=said.number)


@clause("responses.stream.output", level="MUST", source="CAP-2510; SDK accumulate_event", on=STREAM)
def the_response_is_its_items(exchange: Exchange) -> None:
    """The `output` of the response at the end is the items as they were done, in the order of `output_index`.

    Whoever reads the last event alone and whoever reads the others must have the same answer.
    """
    events = whole_events(exchange)
    last = next((said for said in reversed(events) if said.response is not None), None)
    done = {said.item: as_object(said.data.get("item")) for said in _done(events)}
    if last is None or last.type not in ("response.completed", "response.incomplete"):
        raise Inconclusive("the stream has no last event with a response")
    if not done:
        raise NotApplicable("no item is done")
    wanted = [essence(item) for item in _in_order(done) if not is_listing(item)]
    got = [essence(item) for item in as_objects((last.response or {}).get("output")) if not is_listing(item)]
    if last.type == "response.incomplete":
        # What was cut need not have been done.
        got = got[: len(wanted)] if len(got) > len(wanted) else got
    kinds = [item.get("type") for item in wanted]
    expect(
        [item.get("type") for item in got] == kinds,
        expected=f"items {shown(kinds)}, as they were done",
        got=f"items {shown([item.get('type') for item in got])}",
        at="/response/output",
        event=last.number,
    )
    for number, (one, other) in enumerate(zip(got, wanted, strict=True)):
        for name in other:
            _expect_equal(last, one.get(name), other[name], f"/response/output/{number}/{name}", "as it was done")


def _done(events: Iterable[Said]) -> Iterator[Said]:
    return (said for said in events if said.type == "response.output_item.done")


def _in_order(done: Mapping[Hashable, dict[str, Any]]) -> list[dict[str, Any]]:
    """The items by their index; as they came, where one has none."""
    indices = [index for index in done if isinstance(index, int)]
    if len(indices) < len(done):
        return list(done.values())
    return [done[index] for index in sorted(indices)]
