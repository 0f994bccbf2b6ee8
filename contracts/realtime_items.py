"""The items of a realtime conversation: made, placed, read and deleted, without a word from a model."""

from __future__ import annotations

from typing import Any

from wireproof.clause import (
    REALTIME_MODEL,
    Exchange,
    NotApplicable,
    Say,
    Talk,
    clause,
    expect,
    shown,
    talk,
    talked,
)

from ._reading import as_objects, as_text
from ._realtime import (
    PATH,
    QUIET,
    REALTIME,
    SOON_S,
    TALKS,
    UPDATED,
    Heard,
    answer_to,
    create,
    events_of,
    item_in,
    response_in,
    texts_in,
    turn,
    turns_of,
    types_of,
    update,
    words,
)

ONE, TWO, THREE = "wp_item_one", "wp_item_two", "wp_item_three"
TEXTS = {ONE: "My cat is called Fog.", TWO: "My dog is called Rain.", THREE: "My horse is called Hail."}
NOBODY = "wp_item_nobody"
PLACED = ("conversation.item.added", "conversation.item.created")
DONE = ("conversation.item.done", "conversation.item.created", "error")


def _item(verb: str, name: str, id: str, **more: Any) -> dict[str, Any]:
    return {"event_id": name, "type": f"conversation.item.{verb}", "item_id": id, **more}


@talk("realtime.items", PATH, about="items made, placed, read and deleted", needs=REALTIME_MODEL,
      query={"model": REALTIME_MODEL})  # fmt: skip
def items() -> Talk:
    yield Say(None, until=("session.created", "error"))
    yield Say(update("wp_quiet", **QUIET), until=UPDATED)
    yield Say(create("wp_one", words(TEXTS[ONE], ONE)), until=DONE)
    yield Say(create("wp_two", words(TEXTS[TWO], TWO)), until=DONE)
    yield Say(create("wp_three", words(TEXTS[THREE], THREE), previous_item_id=ONE), until=DONE)
    yield Say(create("wp_nameless", words("My fish has no name.")), until=DONE)
    yield Say(create("wp_first", words("Be brief.", role="system"), previous_item_id="root"), until=DONE)
    yield Say(_item("retrieve", "wp_read", THREE), ("conversation.item.retrieved", "error"), SOON_S)
    yield Say(create("wp_again", words("My cat is called Mist.", ONE)), DONE, SOON_S)
    yield Say(create("wp_nowhere", words("My bird."), previous_item_id=NOBODY), DONE, SOON_S)
    yield Say(_item("truncate", "wp_truncate", TWO, content_index=0, audio_end_ms=100),
              ("conversation.item.truncated", "error"), SOON_S)  # fmt: skip
    yield Say(_item("delete", "wp_delete", ONE), ("conversation.item.deleted", "error"), SOON_S)
    yield Say(_item("retrieve", "wp_gone", ONE), ("conversation.item.retrieved", "error"), SOON_S)
    yield Say(_item("delete", "wp_twice", ONE), ("conversation.item.deleted", "error"), SOON_S)
    yield Say(_item("retrieve", "wp_kept", TWO), ("conversation.item.retrieved", "error"), SOON_S)


ITEMS = talked(REALTIME, probes="realtime.items")


def placed_by(exchange: Exchange, name: str) -> Heard:
    return answer_to(exchange, name, *PLACED)


# -------------------------------------------------------------------------------------------- made and placed


@clause("realtime.items.answered", level="MUST", source="SPEC conversation.item.create, .added, .done", on=ITEMS)
def what_is_said_of_an_item_is_answered(exchange: Exchange) -> None:
    """Each event about an item is answered: by the event that tells it was done, or by an error."""
    asked = turns_of(exchange, *(f"conversation.item.{verb}" for verb in VERBS))
    if not asked:
        raise NotApplicable("the talk ended before an item")
    for one in asked:
        wanted = VERBS[as_text(one.said["type"]).rpartition(".")[2]]
        held = one.first("error", *wanted) is not None or not one.waited
        expect(held, expected=f"{wanted[0]} or error", got=types_of(one.heard), event=one.number)


VERBS = {
    "create": (*PLACED, "conversation.item.done"),
    "retrieve": ("conversation.item.retrieved",),
    "delete": ("conversation.item.deleted",),
    "truncate": ("conversation.item.truncated",),
}


@clause("realtime.items.done", level="SHOULD", source="SPEC conversation.item.done", on=ITEMS)
def an_item_that_was_added_is_done(exchange: Exchange) -> None:
    """`conversation.item.added` is followed by `conversation.item.done`, by which a client knows the item is whole."""
    for one in turns_of(exchange, "conversation.item.create"):
        added = one.first("conversation.item.added")
        held = added is None or not one.waited
        expect(held, expected="conversation.item.done", got=types_of(one.heard), event=added.number if added else None)


@clause("realtime.items.created", level="MUST", source="SPEC conversation.item.added", on=ITEMS)
def an_item_is_added_as_it_was_made(exchange: Exchange) -> None:
    """A new item is told again with the id, the role and the words it was made with, when it is added and when done."""
    for name in ("wp_one", "wp_two", "wp_three"):
        said = turn(exchange, name).said["item"]
        placed_by(exchange, name)
        for one in turn(exchange, name).heard:
            if one.type not in (*PLACED, "conversation.item.done"):
                continue
            item = item_in(one)
            for key in ("id", "type", "role"):
                expect(item.get(key) == said[key], expected=said[key], got=shown(item.get(key)), at=f"/item/{key}",
                       event=one.number)  # fmt: skip
            words = texts_in(said)
            expect(texts_in(item) == words, expected=shown(words), got=shown(texts_in(item)), at="/item/content",
                   event=one.number)  # fmt: skip


@clause("realtime.items.named", level="MUST", source="SPEC RealtimeConversationItem.id: the server makes one", on=ITEMS)
def an_item_without_an_id_is_given_one(exchange: Exchange) -> None:
    """An item that is made without an id is given one that no other item has."""
    said = texts_in(turn(exchange, "wp_nameless").said["item"])
    told = (one for one in turn(exchange, "wp_nameless").heard if one.type in PLACED)
    placed = next((one for one in told if texts_in(item_in(one)) == said), None)
    if placed is None:
        raise NotApplicable("the item was not told again")
    id = as_text(item_in(placed).get("id"))
    expect(bool(id) and id not in TEXTS, expected="an id of its own", got=shown(item_in(placed).get("id")),
           at="/item/id", event=placed.number)  # fmt: skip


@clause("realtime.items.order", level="MUST", source="SPEC conversation.item.create.previous_item_id", on=ITEMS)
def an_item_stands_where_it_was_put(exchange: Exchange) -> None:
    """`previous_item_id` names the item before: the last one when nothing was asked, else the one that was named."""
    placed_by(exchange, "wp_one")
    for name, before in (("wp_two", ONE), ("wp_three", ONE), ("wp_nameless", TWO)):
        placed = placed_by(exchange, name)
        told = placed.data.get("previous_item_id")
        expect(told == before, expected=before, got=shown(told), at="/previous_item_id", event=placed.number)
    root = placed_by(exchange, "wp_first")
    told = root.data.get("previous_item_id")
    expect(told in (None, "root"), expected="null", got=shown(told), at="/previous_item_id", event=root.number)


@clause("realtime.items.once", level="MUST", source="SPEC conversation.item.added, .done", on=TALKS)
def an_item_is_added_once_and_done_once(exchange: Exchange) -> None:
    """An item is added once, and after that done once, until it is deleted."""
    state: dict[str, set[str]] = {}
    for one in events_of(exchange):
        if one.type == "conversation.item.deleted":
            state.pop(as_text(one.data.get("item_id")), None)
        if one.type not in ("conversation.item.added", "conversation.item.done"):
            continue
        step, seen = one.type.rpartition(".")[2], state.setdefault(as_text(item_in(one).get("id")), set())
        expect(step not in seen, expected=f"one {step}", got="it again", at="/item/id", event=one.number)
        held = step == "added" or "added" in seen
        expect(held, expected="conversation.item.added before it", got=one.type, at="/item/id", event=one.number)
        seen.add(step)


# ------------------------------------------------------------------------------------------- read and deleted


FINISHED = ("conversation.item.done", "response.output_item.done", "conversation.item.retrieved")


@clause("realtime.items.alike", level="MUST", source="SPEC conversation.item.*, response.output_item.*, response.done",
        on=TALKS)  # fmt: skip
def an_item_is_the_same_wherever_it_is_told(exchange: Exchange) -> None:
    """All events that tell of an item tell the same: its type, its role, the name and id of a call, where it stands.

    Those that tell it when it is done agree on its words as well.
    """
    first: dict[tuple[str, str], tuple[Any, str]] = {}
    for one in events_of(exchange):
        outputs = as_objects(response_in(one).get("output")) if one.type == "response.done" else []
        told = [("/item", item_in(one))] if "item" in one.data else []
        told += [(f"/response/output/{number}", item) for number, item in enumerate(outputs)]
        if one.type == "conversation.item.deleted":
            first = {key: value for key, value in first.items() if key[0] != one.data.get("item_id")}
        if one.type == "response.function_call_arguments.done" and "name" in one.data:
            told.append(("", {"id": one.data.get("item_id"), "name": one.data.get("name")}))
        for at, item in told:
            id = as_text(item.get("id"))
            facts = {key: item[key] for key in ("type", "role", "name", "call_id") if item.get(key) is not None}
            if one.type in ("conversation.item.added", "conversation.item.done"):
                facts["previous_item_id"] = one.data.get("previous_item_id")
            if (one.type in FINISHED or outputs) and any(texts_in(item)):
                facts["content"] = texts_in(item)
            for key, value in facts.items():
                wanted, where = first.setdefault((id, key), (value, one.type))
                place = "/previous_item_id" if key == "previous_item_id" else f"{at}/{key}"
                is_late = key == "previous_item_id" and _moved(exchange, id, one.number)
                expect(value == wanted or is_late, expected=f"{shown(wanted)}, as {where} told", got=shown(value),
                       at=place, event=one.number)  # fmt: skip


def _moved(exchange: Exchange, id: str, until: int) -> bool:
    """Whether something came to stand before an item, or went from there, between its beginning and this."""
    begun = next(one.number for one in events_of(exchange) if item_in(one).get("id") == id)
    between = [one for one in events_of(exchange) if begun < one.number < until]
    return any(one.type in (*PLACED, "conversation.item.deleted") and item_in(one).get("id") != id for one in between)


@clause(
    "realtime.items.finished", level="MUST", source="SPEC conversation.item.done, response.output_item.done", on=TALKS
)
def what_is_done_is_not_in_progress(exchange: Exchange) -> None:
    """An item that is told to be done is not `in_progress`, and those of a completed response are `completed`."""
    judged = False
    for one in events_of(exchange):
        ended = response_in(one) if one.type == "response.done" else {}
        told = as_objects(ended.get("output")) if ended else [item_in(one)] if one.type in FINISHED[:2] else []
        for number, item in enumerate(told):
            judged, status = True, item.get("status")
            at = f"/response/output/{number}/status" if ended else "/item/status"
            held = status is None or (
                status != "in_progress" and (ended.get("status") != "completed" or status == "completed")
            )
            expect(held, expected="completed", got=shown(status), at=at, event=one.number)
    if not judged:
        raise NotApplicable("no item was done")


@clause("realtime.items.retrieved", level="MUST", source="SPEC conversation.item.retrieve", on=ITEMS)
def an_item_is_read_as_it_was_made(exchange: Exchange) -> None:
    """An item that is retrieved is the one that was asked for, with its role and its words."""
    for name, id in (("wp_read", THREE), ("wp_kept", TWO)):
        found = answer_to(exchange, name, "conversation.item.retrieved")
        item = item_in(found)
        expect(item.get("id") == id, expected=id, got=shown(item.get("id")), at="/item/id", event=found.number)
        got = [item.get("role"), *texts_in(item)]
        expect(got == ["user", TEXTS[id]], expected=shown(["user", TEXTS[id]]), got=shown(got), at="/item/content",
               event=found.number)  # fmt: skip


@clause("realtime.items.deleted", level="MUST", source="SPEC conversation.item.delete", on=ITEMS)
def a_deleted_item_is_gone(exchange: Exchange) -> None:
    """`conversation.item.deleted` names the item; after that it can neither be read nor deleted again."""
    gone = answer_to(exchange, "wp_delete", "conversation.item.deleted")
    expect(gone.data.get("item_id") == ONE, expected=ONE, got=shown(gone.data.get("item_id")), at="/item_id",
           event=gone.number)  # fmt: skip
    for name in ("wp_gone", "wp_twice"):
        still = turn(exchange, name).first("conversation.item.retrieved", "conversation.item.deleted")
        expect(still is None, expected="error", got=still.type if still else "", event=still.number if still else None)


# ------------------------------------------------------------------------------------------------- mistakes


@clause("realtime.items.duplicate", level="SHOULD", source="SPEC conversation.item.create: ids are unique", on=ITEMS)
def an_id_is_not_given_twice(exchange: Exchange) -> None:
    """An item with the id of another item of the conversation is refused."""
    placed_by(exchange, "wp_one")
    _refused(exchange, "wp_again", *PLACED, "conversation.item.done")


@clause("realtime.items.nowhere", level="SHOULD", source="SPEC conversation.item.create.previous_item_id: an error",
        on=ITEMS)  # fmt: skip
def an_item_after_one_that_there_is_not_is_refused(exchange: Exchange) -> None:
    """An item that is to stand after one that the conversation does not have is refused, and not put elsewhere."""
    _refused(exchange, "wp_nowhere", *PLACED, "conversation.item.done")


@clause("realtime.items.truncate", level="SHOULD", source="SPEC conversation.item.truncate: assistant audio", on=ITEMS)
def words_are_not_truncated(exchange: Exchange) -> None:
    """Only sound of the assistant is truncated: a written message of the user is refused, not said to be cut."""
    _refused(exchange, "wp_truncate", "conversation.item.truncated")


def _refused(exchange: Exchange, name: str, *types: str) -> None:
    taken = turn(exchange, name).first(*types)
    expect(taken is None, expected="error", got=taken.type if taken else "", event=taken.number if taken else None)
