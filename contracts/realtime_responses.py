"""Responses on a realtime socket: the order of their events, and what a response says of itself.

What the events add up to is judged in realtime_responses_fold.py, how a response is stopped in realtime_turns.py, its
sound in realtime_sound.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wireproof.clause import (
    REALTIME_MODEL,
    Exchange,
    Inconclusive,
    Machine,
    NotApplicable,
    Say,
    Symbol,
    Talk,
    clause,
    expect,
    shown,
    talk,
    talked,
)

from ._reading import as_object, as_objects, as_text
from ._realtime import (
    MODEL_S,
    PATH,
    QUIET,
    REALTIME,
    SILENT_S,
    TALKS,
    UPDATED,
    answer_to,
    create,
    events_of,
    item_in,
    respond,
    response_in,
    session_in,
    socket_of,
    texts_in,
    turn,
    turns_of,
    types_of,
    update,
    words,
)
from ._realtime_responses import ANSWERED, FOLDS, TOOL, finished, id_of, place_of, responses

LABELS = {"purpose": "wireproof"}
ASIDE, FOUND = "Answer with one word, whatever is said.", '{"meaning": "blue"}'
CAP = 300


@talk("realtime.text", PATH, about="written answers, in and out of the conversation, and a call of a tool",
      needs=REALTIME_MODEL, query={"model": REALTIME_MODEL}, weighs=(1_500, 3 * CAP))  # fmt: skip
def text() -> Talk:
    yield Say(None, until=("session.created", "error"))
    yield Say(update("wp_quiet", instructions="Answer in one short sentence.", **QUIET), until=UPDATED)
    yield Say(
        create("wp_said", words("What colour is the sky on a clear day?")), until=("conversation.item.done", "error")
    )
    yield Say(respond("wp_in", output_modalities=["text"], max_output_tokens=CAP, metadata=LABELS), ANSWERED, MODEL_S)
    yield Say(None, within_s=0.5)
    asked = [words("Say hello.")]
    apart = {"conversation": "none", "input": asked, "instructions": ASIDE, "metadata": LABELS}
    yield Say(respond("wp_out", **apart, output_modalities=["text"], max_output_tokens=CAP), ANSWERED, MODEL_S)
    yield Say(create("wp_asked", words("Look up the word azure.")), until=("conversation.item.done", "error"))
    heard = yield Say(respond("wp_tool", tools=[TOOL], tool_choice="required", output_modalities=["text"],
                              max_output_tokens=CAP), ANSWERED, MODEL_S)  # fmt: skip
    done = [as_object(one.get("item")) for one in heard if one.get("type") == "response.output_item.done"]
    call = next((as_text(item.get("call_id")) for item in done if item.get("type") == "function_call"), "")
    if call:
        result = {"type": "function_call_output", "call_id": call, "output": FOUND}
        yield Say(create("wp_found", result), until=("conversation.item.done", "error"))
    yield Say(update("wp_still", output_modalities=["text"]), until=UPDATED)
    yield Say(None, within_s=0.5)


TEXT = talked(REALTIME, probes="realtime.text")
ENDED = ("completed", "cancelled", "failed", "incomplete")
IN_PARTS = ("response.output_text.", "response.output_audio.", "response.output_audio_transcript.")
IN_ITEMS = (*IN_PARTS, "response.content_part.", "response.function_call_arguments.", "response.mcp_call_arguments.")


def _judge(machine: Machine, symbols: Iterator[Symbol]) -> None:
    offence = machine.first_offence(symbols)
    if offence is not None:
        expect(False, expected=" or ".join(offence.expected), got=offence.got, event=offence.at)


# ---------------------------------------------------------------------------------------------------- order

LIFE = Machine(
    "none",
    {"none": {"response.created": "open"}, "open": {"event": "open", "response.done": "over"}, "over": {}},
)
ITEM = Machine(
    "none",
    {
        "none": {"response.output_item.added": "open"},
        "open": {"event": "open", "response.output_item.done": "done"},
        "done": {},
    },
)
PART = Machine(
    "none",
    {
        "none": {"response.content_part.added": "open"},
        "open": {"event": "open", "response.content_part.done": "done"},
        "done": {},
    },
)
PIECES = Machine("open", {"open": {"delta": "open", "done": "done"}, "done": {}})


@clause("realtime.responses.answered", level="MUST", source="SPEC response.create, response.done", on=TEXT)
def a_response_comes_to_its_end(exchange: Exchange) -> None:
    """`response.create` is answered by a response that ends in `response.done`, or by an error."""
    asked = turns_of(exchange, "response.create")
    if not asked:
        raise NotApplicable("the talk ended before a response")
    messages = socket_of(exchange).messages
    for one in asked:
        if (
            one.waited
            and one.heard
            and messages[one.heard[-1].number].at_s > messages[one.number].at_s + MODEL_S - SILENT_S
        ):
            raise Inconclusive("the model was still speaking when patience ended")
        expect(not one.waited, expected="response.done or error", got=types_of(one.heard), event=one.number)


@clause("realtime.responses.life", level="MUST", source="SPEC response.created, response.done", on=TALKS)
def a_response_begins_once_and_ends_once(exchange: Exchange) -> None:
    """`response.created` is the first event of a response, `response.done` the last, each once."""
    told = (one for events in responses(exchange).values() for one in events)
    names = ("response.created", "response.done")
    _judge(LIFE, (Symbol(one.type if one.type in names else "event", one.number, id_of(one), one.type) for one in told))


@clause("realtime.responses.items", level="MUST", source="SPEC response.output_item.added, .done", on=TALKS)
def an_item_opens_before_its_words_and_closes_after(exchange: Exchange) -> None:
    """Of each output item `output_item.added` comes first and `output_item.done` last, each once."""
    names = ("response.output_item.added", "response.output_item.done")
    told = [one for events in responses(exchange).values() for one in events]
    _judge(ITEM, (Symbol(one.type if one.type in names else "event", one.number, place_of(one)[:2], one.type)
                  for one in told if one.type in names or one.type.startswith(IN_ITEMS)))  # fmt: skip


@clause("realtime.responses.parts", level="MUST", source="SPEC response.content_part.added, .done", on=TALKS)
def a_part_opens_before_its_words_and_closes_after(exchange: Exchange) -> None:
    """Of each part of a message `content_part.added` comes first and `content_part.done` last, each once."""
    names = ("response.content_part.added", "response.content_part.done")
    told = [one for events in responses(exchange).values() for one in events]
    _judge(PART, (Symbol(one.type if one.type in names else "event", one.number, place_of(one), one.type)
                  for one in told if one.type in names or one.type.startswith(IN_PARTS)))  # fmt: skip


@clause("realtime.responses.pieces", level="MUST", source="SPEC response.output_text.done and its like", on=TALKS)
def nothing_is_said_after_the_whole(exchange: Exchange) -> None:
    """After the event that has the whole text (transcript, arguments) no more pieces of it come, and it comes once."""
    told = [one for events in responses(exchange).values() for one in events]
    symbols = []
    for one in told:
        kind, _, step = one.type.rpartition(".")
        if kind in (*FOLDS, "response.output_audio"):
            symbols.append(Symbol(step, one.number, (kind, *place_of(one)), one.type))
    _judge(PIECES, iter(symbols))


@clause("realtime.responses.closed", level="MUST", source="SPEC response.output_item.done, content_part.done", on=TALKS)
def a_response_that_ends_well_has_closed_what_it_opened(exchange: Exchange) -> None:
    """By the end of a response that is completed each item and each part that was opened is closed.

    What was said in pieces has been told whole.
    """
    for events, end in finished(exchange):
        if response_in(end).get("status") != "completed":
            continue
        opened: dict[tuple[Any, ...], str] = {}
        closed: set[tuple[Any, ...]] = set()
        for one in events:
            kind, _, step = one.type.rpartition(".")
            place = place_of(one)[: 2 if kind == "response.output_item" else 3]
            if step == "done":
                opened.pop((kind, *place), None)
                closed.add((kind, *place))
            elif (kind, *place) in closed:
                continue  # realtime.responses.pieces
            elif step == "added" or (step == "delta" and kind in (*FOLDS, "response.output_audio")):
                opened[(kind, *place)] = f"{kind}.done"
        left = next(iter(opened.values()), "")
        expect(not left, expected=f"{left} before it", got="response.done", event=end.number)


@clause("realtime.responses.indices", level="MUST", source="SPEC output_index, content_index", on=TALKS)
def places_are_counted_from_zero(exchange: Exchange) -> None:
    """Output items are counted from 0 in their order, and so are the parts of each."""
    for events in responses(exchange).values():
        items = [one for one in events if one.type == "response.output_item.added"]
        for number, one in enumerate(items):
            told = one.data.get("output_index")
            expect(told == number, expected=str(number), got=shown(told), at="/output_index", event=one.number)
        parts: dict[Any, int] = {}
        for one in events:
            if one.type != "response.content_part.added":
                continue
            number = parts.setdefault(one.data.get("output_index"), 0)
            told = one.data.get("content_index")
            expect(told == number, expected=str(number), got=shown(told), at="/content_index", event=one.number)
            parts[one.data.get("output_index")] = number + 1


@clause("realtime.responses.names", level="MUST", source="SPEC item_id, response_id", on=TALKS)
def events_name_what_they_belong_to(exchange: Exchange) -> None:
    """What is said inside an item names it by the id that it was added with, and the response by its own."""
    for events in responses(exchange).values():
        added: dict[Any, str] = {}
        for one in events:
            place = one.data.get("output_index")
            if one.type == "response.output_item.added":
                added[place] = as_text(item_in(one).get("id"))
            elif one.type == "response.output_item.done":
                told = item_in(one).get("id")
                expect(told == added.get(place, told), expected=shown(added.get(place)), got=shown(told), at="/item/id",
                       event=one.number)  # fmt: skip
            elif one.type.startswith(IN_ITEMS) and place in added:
                told = one.data.get("item_id")
                expect(told == added[place], expected=added[place], got=shown(told), at="/item_id", event=one.number)
    begun = {id_of(one) for one in events_of(exchange) if one.type == "response.created"}
    for id, events in responses(exchange).items():
        expect(not begun or id in begun, expected=shown(sorted(map(str, begun))), got=id, at="/response_id",
               event=events[0].number)  # fmt: skip


# ------------------------------------------------------------------------------------- what it says of itself


@clause("realtime.responses.same", level="MUST", source="SPEC response.created, response.done", on=TALKS)
def a_response_keeps_its_settings(exchange: Exchange) -> None:
    """What `response.created` and `response.done` both tell of a response is the same, but for what it grew by."""
    judged = False
    for events, end in finished(exchange):
        begun = next((one for one in events if one.type == "response.created"), None)
        if begun is None:
            continue
        judged, was, now = True, response_in(begun), response_in(end)
        for key in ("object", "conversation_id", "metadata", "output_modalities", "max_output_tokens", "audio"):
            held = key not in was or key not in now or was[key] == now[key] or (was[key] or None) == (now[key] or None)
            expect(held, expected=shown(was.get(key)), got=shown(now.get(key)), at=f"/response/{key}", event=end.number)
    if not judged:
        raise NotApplicable("no response was told at both its ends")


@clause("realtime.responses.object", level="SHOULD", source="SPEC RealtimeResponse.object", on=TALKS)
def a_response_says_what_it_is(exchange: Exchange) -> None:
    """A response has `object: realtime.response` and its `id`, when it is created and when it is done."""
    for one in events_of(exchange):
        if one.type in ("response.created", "response.done"):
            kind, id = response_in(one).get("object"), response_in(one).get("id")
            expect(kind == "realtime.response", expected="realtime.response", got=shown(kind), at="/response/object",
                   event=one.number)  # fmt: skip
            expect(bool(as_text(id)), expected="an id", got=shown(id), at="/response/id", event=one.number)
    responses(exchange)


@clause("realtime.responses.status", level="MUST", source="SPEC RealtimeResponse.status", on=TALKS)
def a_response_is_in_progress_and_then_it_is_over(exchange: Exchange) -> None:
    """A response is `in_progress` when it is created, and at its end one of the four that are final."""
    for events in responses(exchange).values():
        for one in events:
            told = response_in(one).get("status")
            if one.type == "response.created":
                expect(told == "in_progress", expected="in_progress", got=shown(told), at="/response/status",
                       event=one.number)  # fmt: skip
            elif one.type == "response.done":
                expect(told in ENDED, expected=" or ".join(ENDED), got=shown(told), at="/response/status",
                       event=one.number)  # fmt: skip


@clause("realtime.responses.details", level="SHOULD", source="SPEC RealtimeResponse.status_details", on=TALKS)
def an_end_that_is_none_is_explained(exchange: Exchange) -> None:
    """A response that is incomplete, cancelled or failed tells in `status_details` why; its type is the status."""
    for _, end in finished(exchange):
        status = response_in(end).get("status")
        details = as_object(response_in(end).get("status_details"))
        if status in ("incomplete", "cancelled"):
            expect(isinstance(details.get("reason"), str), expected="a reason", got=shown(details),
                   at="/response/status_details", event=end.number)  # fmt: skip
        told = details.get("type", status)
        expect(told == status, expected=shown(status), got=shown(told), at="/response/status_details/type",
               event=end.number)  # fmt: skip


@clause("realtime.responses.metadata", level="MUST", source="SPEC response.create.response.metadata", on=TEXT)
def metadata_comes_back(exchange: Exchange) -> None:
    """`metadata` of `response.create` is in the response, by which a client knows which of several it is."""
    for name in ("wp_in", "wp_out"):
        end = answer_to(exchange, name, "response.done")
        told = response_in(end).get("metadata")
        expect(told == LABELS, expected=shown(LABELS), got=shown(told), at="/response/metadata", event=end.number)


@clause("realtime.responses.text", level="MUST", source="SPEC response.create.response.output_modalities", on=TEXT,
        model="some-output")  # fmt: skip
def text_alone_is_text_alone(exchange: Exchange) -> None:
    """When text alone was asked for nothing is spoken: the parts of the answer are text, and it says so."""
    end = answer_to(exchange, "wp_in", "response.done")
    told = responses(exchange).get(as_text(response_in(end).get("id")), [])
    for one in told:
        held = not one.type.startswith("response.output_audio")
        expect(held, expected="response.output_text.*", got=one.type, at="/type", event=one.number)
        if one.type.startswith("response.content_part."):
            kind = as_object(one.data.get("part")).get("type")
            expect(kind in ("text", "output_text"), expected="text", got=shown(kind), at="/part/type", event=one.number)
    output = as_objects(response_in(end).get("output"))
    is_said = any(item.get("type") == "message" and any(texts_in(item)) for item in output)
    held = not is_said or any(one.type.startswith("response.output_text.") for one in told)
    expect(held, expected="response.output_text.*", got=types_of(told), event=end.number)
    modalities = response_in(end).get("output_modalities")
    expect(modalities in (None, ["text"]), expected='["text"]', got=shown(modalities), at="/response/output_modalities",
           event=end.number)  # fmt: skip


@clause("realtime.responses.cap-told", level="SHOULD", source="SPEC RealtimeResponse.max_output_tokens", on=TEXT)
def a_cap_is_told(exchange: Exchange) -> None:
    """The response has the `max_output_tokens` that it was asked with."""
    end = answer_to(exchange, "wp_in", "response.done")
    told = response_in(end).get("max_output_tokens", CAP)
    expect(told == CAP, expected=str(CAP), got=shown(told), at="/response/max_output_tokens", event=end.number)


@clause("realtime.responses.kept", level="SHOULD", source="SPEC conversation.item.added: by the server", on=TEXT)
def what_is_answered_joins_the_conversation(exchange: Exchange) -> None:
    """The items of an answer are added to the conversation, by their ids, and are done there."""
    end = answer_to(exchange, "wp_in", "response.done")
    told: dict[str, set[str]] = {}
    for one in events_of(exchange):
        if one.type.startswith("conversation.item.") and "item" in one.data:
            told.setdefault(as_text(item_in(one).get("id")), set()).add(one.type.rpartition(".")[2])
    for item in as_objects(response_in(end).get("output")):
        steps = told.get(as_text(item.get("id")), set())
        held = bool(steps & {"added", "created"}) and ("done" in steps or "created" in steps)
        expect(held, expected=f"conversation.item.added and .done of {item.get('id')}", got=shown(sorted(steps)),
               at="/response/output", event=end.number)  # fmt: skip


@clause("realtime.responses.apart", level="MUST", source="SPEC response.create.response.conversation: none", on=TEXT)
def what_is_answered_apart_stays_apart(exchange: Exchange) -> None:
    """The items of an answer with `conversation: none` are not added to the conversation, nor does it name one."""
    end = answer_to(exchange, "wp_out", "response.done")
    told = response_in(end).get("conversation_id")
    expect(told is None, expected="null", got=shown(told), at="/response/conversation_id", event=end.number)
    ids = {one.get("id") for one in as_objects(response_in(end).get("output"))}
    for one in events_of(exchange):
        if one.type.startswith("conversation.item."):
            held = item_in(one).get("id") not in ids
            expect(held, expected="no item of the conversation", got=one.type, at="/item/id", event=one.number)


@clause("realtime.responses.aside", level="MUST", source="SPEC response.create: for this response only", on=TEXT)
def what_one_response_is_asked_is_for_it_alone(exchange: Exchange) -> None:
    """Instructions, tools and a cap of `response.create` are for that response: the session stays as it was set."""
    before, after = (answer_to(exchange, name, "session.updated") for name in ("wp_quiet", "wp_still"))
    answer_to(exchange, "wp_out", "response.done")
    for key in ("instructions", "tools", "tool_choice", "max_output_tokens"):
        was, now = session_in(before).get(key), session_in(after).get(key)
        expect(was == now, expected=shown(was), got=shown(now), at=f"/session/{key}", event=after.number)


@clause("realtime.responses.result", level="MUST", source="SPEC RealtimeConversationItemFunctionCallOutput", on=TEXT)
def the_result_of_a_call_joins_the_conversation(exchange: Exchange) -> None:
    """The result of a call becomes an item of the conversation, with the `call_id` and the output that it was given."""
    placed = answer_to(exchange, "wp_found", "conversation.item.added", "conversation.item.created")
    said = turn(exchange, "wp_found").said["item"]
    for key in ("type", "call_id", "output"):
        told = item_in(placed).get(key)
        expect(told == said[key], expected=shown(said[key]), got=shown(told), at=f"/item/{key}", event=placed.number)


@clause("realtime.responses.conversation", level="MUST", source="SPEC RealtimeResponse.conversation_id", on=TALKS)
def a_session_has_one_conversation(exchange: Exchange) -> None:
    """All responses that belong to a conversation name the same one: a session has one."""
    ids: dict[str, int] = {}
    for one in events_of(exchange):
        id = response_in(one).get("conversation_id") if one.type in ("response.created", "response.done") else None
        if isinstance(id, str) and id:
            ids.setdefault(id, one.number)
    expect(len(ids) < 2, expected="one conversation", got=shown(sorted(ids)), at="/response/conversation_id",
           event=max(ids.values(), default=None))  # fmt: skip
