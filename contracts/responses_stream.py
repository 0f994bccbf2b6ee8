"""Streamed responses: each event by itself, its number, and what must not change from the first to the last.

What the response says of itself meanwhile is judged in responses_stream_life.py, in which order events come in
responses_stream_order.py, that they add up to the response in responses_stream_fold.py, the bytes below in sse.py. The
requests are those of responses.py and its neighbours.
"""

from __future__ import annotations

import re
from typing import Any

from wireproof.clause import (
    Exchange,
    Inconclusive,
    NotApplicable,
    answered,
    clause,
    expect,
    load_spec,
    shown,
)

from ._reading import as_count, as_object, told
from ._response_stream import CALLS, events_of, known_types, objects_of, required_keys
from ._responses import NAMED_ITEMS, RESPONSE, SPOKEN, is_new_value, known_items, where_of, without_strangers
from ._stream import framed

STREAM = answered(RESPONSE, streamed=True)
# A stream of a stored response is told again by the same rules.
TOLD = answered(RESPONSE, "getResponse", streamed=True)


# ------------------------------------------------------------------------------------ each event by itself


@clause("responses.stream.typed", level="MUST", source="SPEC ResponseStreamEvent.type; CAP-2510", on=TOLD)
def every_event_says_its_type(exchange: Exchange) -> None:
    """The data of each event is an object that says in `type` what it is; chunks of chat completions are none of them.

    Events of types that are not documented are welcome, for new ones may come at any time.
    """
    for number, event, value in objects_of(exchange):
        if event.name not in (None, "", "message") and "choices" not in value and event.name not in known_types():
            continue  # a ping, under a name of its own
        held = isinstance(value.get("type"), str) and bool(value["type"])
        if value.get("error") and not held:
            continue  # responses.stream.error
        expect(held, expected="an event with a type", got=value, at="/type", event=number)


@clause("responses.stream.event-line", level="SHOULD", source="SPEC example; CAP-2510", on=TOLD)
def the_event_line_is_the_type(exchange: Exchange) -> None:
    """Each event has an `event:` line, equal to the `type` in its data.

    Listeners of browsers are called by it.
    """
    for said in events_of(exchange):
        held = said.event.name == said.type
        expect(held, expected=f"event: {said.type}", got=said.event.name or "no event line", event=said.number)


@clause("responses.stream.no-done", level="SHOULD", source="CAP-2510; SPEC ResponseStreamEvent", on=TOLD)
def there_is_no_done(exchange: Exchange) -> None:
    """A stream of a response ends with its last event: no `data: [DONE]`, which is no JSON, comes after it.

    The mark belongs to chat completions. Clients of responses stop at the terminal event and decode all data as
    JSON.
    """
    for number, event in framed(exchange):
        expect(not event.is_done, expected="no [DONE]", got="data: [DONE]", event=number)


# These have clauses of their own, which say more than a schema can.
JUDGED_ELSEWHERE = re.compile(
    r"/(sequence_number|output_index|content_index|summary_index|item_id|logprobs|obfuscation|name|delta|text|refusal|arguments)"
    r"|/item/(id|role|status|call_id|name|arguments)"
    r"|(/item/content/\d+|/part)(/(type|text|annotations|logprobs))?"
    r"|/response/(id|object|created_at|model|status|usage|output_text)\b.*"
    r"|/response/(error|incomplete_details|instructions|tools|tool_choice|parallel_tool_calls|temperature|top_p|metadata)"
    r"|/response(/output(/\d+)?)?|/response/output/\d+/(id|role|status|call_id|name|arguments)"
    r"|/response/output/\d+/content/\d+(/(type|text|annotations|logprobs))?"
)


@clause("responses.stream.schema", level="MUST", source="SPEC ResponseStreamEvent", on=TOLD)
def events_follow_their_schema(exchange: Exchange) -> None:
    """Every event has the keys and types that are documented for its `type`; unknown keys and events are welcome.

    Numbers, indices, ids and what a message says are judged by clauses of their own.
    """
    schema = load_spec().schema("ResponseEvent")
    known = known_items()
    for said in events_of(exchange):
        if said.type == "error":
            continue
        item = said.data.get("item")
        if isinstance(item, dict) and item.get("type") not in known:
            continue
        body = said.data
        if said.response is not None:
            body = {**body, "response": without_strangers(said.response)}
        for violation in schema.breaches(body):
            if not JUDGED_ELSEWHERE.fullmatch(where_of(violation)) and not is_new_value(violation):
                expect(False, expected=violation.expected, got=violation.got, at=violation.pointer, event=said.number)


@clause("responses.stream.delta", level="MUST", source="SPEC ResponseTextDeltaEvent.delta", on=TOLD)
def deltas_are_strings(exchange: Exchange) -> None:
    """The `delta` of a text, a refusal or of arguments is a string, as is what their `done` event says of the whole."""
    judged = False
    for said in events_of(exchange):
        field = _field(said.type)
        if field is None:
            continue
        judged = True
        held = isinstance(said.data.get(field), str)
        expect(held, expected="a string", got=told(said.data, field), at=f"/{field}", event=said.number)
    if not judged:
        raise NotApplicable("the stream has no delta")


FIELDS = {
    "response.output_text.done": "text",
    "response.refusal.done": "refusal",
    "response.function_call_arguments.done": "arguments",
}


def _field(kind: str) -> str | None:
    if kind in ("response.output_text.delta", "response.refusal.delta", "response.function_call_arguments.delta"):
        return "delta"
    return FIELDS.get(kind)


@clause("responses.stream.parts", level="MUST", source="SPEC ResponseContentPartAddedEvent.part", on=TOLD)
def parts_are_of_known_types(exchange: Exchange) -> None:
    """A part that is added or done says what it is: `output_text`, `refusal`; `text` is the type of another API."""
    judged = False
    for said in events_of(exchange):
        part = said.data.get("part")
        if said.type not in ("response.content_part.added", "response.content_part.done"):
            continue
        judged = True
        kind = as_object(part).get("type")
        held = isinstance(kind, str) and kind not in ("", "text") and (kind not in SPOKEN or isinstance(part, dict))
        expect(held, expected="a part of type output_text", got=shown(part), at="/part/type", event=said.number)
    if not judged:
        raise NotApplicable("the stream has no part")


INDICES = ("output_index", "content_index", "summary_index", "annotation_index")


@clause("responses.stream.indices", level="MUST", source="SPEC ResponseTextDeltaEvent.output_index, CAP-2510", on=TOLD)
def events_say_where_they_belong(exchange: Exchange) -> None:
    """Every event of an item has its `output_index`, every event of a part its `content_index` too: numbers from 0.

    Clients put the pieces together by them.
    """
    judged = False
    for said in events_of(exchange):
        for name in INDICES:
            if name in required_keys(said.type):
                judged, index = True, as_count(said.data.get(name))
                held = index is not None and index >= 0
                expect(held, expected="a number from 0", got=told(said.data, name), at=f"/{name}", event=said.number)
    if not judged:
        raise NotApplicable("the stream has no event of an item")


# ------------------------------------------------------------------------------------------ their numbers


@clause("responses.stream.sequence", level="MUST", source="SPEC ResponseStreamEvent.sequence_number; CAP-2510", on=TOLD)
def events_are_numbered(exchange: Exchange) -> None:
    """Every event has a `sequence_number`, a whole number that rises by one from event to event.

    A reader that lost the connection asks for what came after the last number it saw.
    """
    before: int | None = None
    known = known_types()
    for number, _, value in objects_of(exchange):
        if value.get("type") not in known and "sequence_number" not in value:
            continue  # a stranger need not be numbered
        got = as_count(value.get("sequence_number"))
        seen = told(value, "sequence_number")
        expect(got is not None, expected="a whole number", got=seen, at="/sequence_number", event=number)
        if before is not None:
            expect(got == before + 1, expected=f"{before + 1}", got=seen, at="/sequence_number", event=number)
        before = got
    if before is None:
        raise Inconclusive("the stream has no event of a response")


# --------------------------------------------------------------------------------------- what stays the same


def _expect_same(exchange: Exchange, name: str) -> None:
    seen: Any = None
    for said in events_of(exchange):
        if said.response is None or said.response.get(name) is None:
            continue
        value = said.response[name]
        seen = value if seen is None else seen
        expect(
            value == seen, expected=f"{shown(seen)}, as before", got=value, at=f"/response/{name}", event=said.number
        )
    if seen is None:
        raise NotApplicable(f"no event says {name}")


@clause("responses.stream.id", level="MUST", source="CAP-2510; SDK _responses.py", on=TOLD)
def the_id_stays_the_same(exchange: Exchange) -> None:
    """The response has the same `id` in every event that holds it."""
    _expect_same(exchange, "id")


@clause("responses.stream.created-at", level="MUST", source="CAP-2510; SPEC Response.created_at", on=TOLD)
def created_at_stays_the_same(exchange: Exchange) -> None:
    """The response has the same `created_at` in every event that holds it."""
    _expect_same(exchange, "created_at")


@clause("responses.stream.model", level="SHOULD", source="CAP-2510; SPEC Response.model", on=TOLD)
def the_model_stays_the_same(exchange: Exchange) -> None:
    """The response has the same `model` in every event that holds it."""
    _expect_same(exchange, "model")


@clause("responses.stream.item-id", level="MUST", source="SDK accumulate_event; CAP-2510", on=TOLD)
def items_keep_their_ids(exchange: Exchange) -> None:
    """An item has one `id` from `output_item.added` to `output_item.done`, and its events name that as `item_id`."""
    ids: dict[Any, Any] = {}
    judged = False
    for said in events_of(exchange):
        index = said.item
        item = as_object(said.data.get("item"))
        if item and item.get("type") in NAMED_ITEMS:
            judged, id = True, item.get("id")
            is_named = isinstance(id, str) and bool(id)
            expect(is_named, expected="a non-empty string", got=told(item, "id"), at="/item/id", event=said.number)
            first = ids.setdefault(index, id)
            expect(id == first, expected=f"{shown(first)}, as before", got=shown(id), at="/item/id", event=said.number)
        elif "item_id" in required_keys(said.type) and index in ids:
            judged, id = True, said.data.get("item_id")
            wanted = f"{shown(ids[index])}, the item at {index}"
            expect(id == ids[index], expected=wanted, got=told(said.data, "item_id"), at="/item_id", event=said.number)
    if not judged:
        raise NotApplicable("the stream has no item")


CALLED_BY = ("type", "name", "call_id")


@clause(
    "responses.stream.item-kind", level="MUST", source="SDK accumulate_event: done has the identity of added", on=TOLD
)
def items_stay_what_they_are(exchange: Exchange) -> None:
    """An item that is done is what it was when it was added: it has its `type` from the first, a call its `name` and
    `call_id`. Once done, it is no longer in progress.
    """
    added: dict[Any, dict[str, Any]] = {}
    judged = False
    for said in events_of(exchange):
        index, item = said.item, as_object(said.data.get("item"))
        if said.type == "response.output_item.added" and item:
            added[index] = item
        elif said.type == "response.output_item.done" and index in added:
            judged = True
            for name in CALLED_BY if item.get("type") in CALLS else ("type",):
                before, now = added[index].get(name), item.get(name)
                # What it does not have in the end either, others judge.
                held = before == now or now in (None, "")
                expected = f"{shown(before)}, as it was added"
                expect(held, expected=expected, got=shown(now), at=f"/item/{name}", event=said.number)
            held = item.get("type") not in NAMED_ITEMS or item.get("status") != "in_progress"
            expect(held, expected="an item that is over", got='"in_progress"', at="/item/status", event=said.number)
    if not judged:
        raise NotApplicable("no item is both added and done")
