"""Conversations: what several responses remember together, from creation to deletion.

One flow walks through the life of a conversation; how its items are paged is judged in paging.py too. A backend without
them is asked once and left alone: its clauses are not applicable.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wireproof.clause import (
    MODEL,
    Call,
    Exchange,
    Flow,
    Inconclusive,
    NotApplicable,
    answered,
    clause,
    expect,
    flow,
    load_spec,
    shown,
    steps,
)

from ._flow import answered_step, id_in, id_of, is_ok, not_passing, step
from ._reading import as_count, as_object, as_objects, as_text, maybe_object, told
from ._response_asks import LEAST_CAP, UNKNOWN_RESPONSE
from ._shape import expect_created_now

# Long enough that it shows in the price whether the model was given it.
STORY = "Fog sleeps by day and walks by night. " * 48
TURNS = (f"{STORY}My cat is called Fog.", "My dog is called Rain.", "My horse is called Hail.")
QUESTION = "Say the name of my dog in one word."
LABELS = {"purpose": "wireproof", "stage": "made"}
NEW_LABELS = {"purpose": "wireproof", "stage": "changed"}


def _turn(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def _asked(id: str, question: Any, **more: Any) -> Call:
    body = {"model": MODEL, "conversation": id, "input": question, "max_output_tokens": LEAST_CAP, "store": False}
    return Call("POST", "/responses", {**body, **more})


@flow(
    "conversations.life",
    most=15,
    paid=(_asked("", [*map(_turn, TURNS), _turn(QUESTION)]),),
    about="make a conversation, add to it, page through it, respond in it, delete an item and all",
    expects="either",
)
def life_of_a_conversation() -> Flow:
    first, second, third = map(_turn, TURNS)
    made = yield Call("POST", "/conversations", {"metadata": LABELS, "items": [first, second]})
    id = id_of(made)
    if id is None:
        return
    path = f"/conversations/{id}"
    yield Call("POST", path, {"metadata": NEW_LABELS})
    yield Call("GET", path)
    yield Call("POST", f"{path}/items", {"items": [third]})
    page = yield Call("GET", f"{path}/items", query={"order": "asc", "limit": "2"})
    last = as_text(maybe_object(page).get("last_id")) or "none"
    yield Call("GET", f"{path}/items", query={"order": "asc", "limit": "10", "after": last})
    yield _asked(id, QUESTION)
    newest = yield Call("GET", f"{path}/items", query={"order": "desc", "limit": "20"})
    yield _asked(id, QUESTION, previous_response_id=UNKNOWN_RESPONSE)
    items = as_objects(maybe_object(newest).get("data"))
    item = id_in(items[-1]) if items else None
    if item is not None:
        yield Call("GET", f"{path}/items/{item}")
        yield Call("DELETE", f"{path}/items/{item}")
        yield Call("GET", f"{path}/items/{item}")
    yield Call("DELETE", path)
    yield Call("GET", path)
    yield _asked(id, QUESTION)


# ------------------------------------------------------------------------------------------------ reading


LIFE = steps("conversations.life")
WHOLE = answered("createConversation", "getConversation", "updateConversation", "deleteConversation")
PAGES = answered("listConversationItems", "createConversationItems")


def _made(exchanges: Sequence[Exchange]) -> dict[str, Any]:
    """The conversation as it was made. NotApplicable where there are none."""
    made = exchanges[0]
    if not is_ok(made) or len(exchanges) < 2:
        raise NotApplicable(f"no conversation was made: {made.id} was answered {made.status}")
    return maybe_object(made)


def _items(exchange: Exchange) -> list[dict[str, Any]]:
    return as_objects(maybe_object(exchange).get("data"))


def _messages(items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [item for item in items if item.get("type") == "message"]


def _texts(items: Sequence[dict[str, Any]]) -> list[str]:
    return ["".join(as_text(part.get("text")) for part in as_objects(item.get("content"))) for item in items]


def _pages(exchanges: Sequence[Exchange]) -> tuple[Exchange, Exchange]:
    """The two pages of the conversation before anybody responded in it, oldest first."""
    _made(exchanges)
    first = answered_step(exchanges, "listConversationItems", "the items of the conversation")
    return first, answered_step(exchanges, "listConversationItems", "the next page", 1)


# ------------------------------------------------------------------------------------------ conversations


@clause("conversations.schema", level="MUST", source="SPEC Conversation, ConversationDeleted", on=WHOLE)
def answers_follow_the_schema(exchange: Exchange) -> None:
    """A conversation is answered as documented, whether it is made, read, changed or deleted."""
    schema = load_spec().operations[exchange.operation or ""].answer_schema(200)
    assert schema is not None
    for violation in schema.breaches(exchange.json):
        if not violation.pointer.startswith(("/created_at", "/deleted")):
            expect(False, expected=violation.expected, got=violation.got, at=violation.pointer)


@clause("conversations.created", level="MUST", source="SPEC createConversation, Conversation.created_at", on=LIFE)
def a_conversation_is_made_as_asked(exchanges: list[Exchange]) -> None:
    """A new conversation has the `metadata` that was asked, and `created_at` in whole seconds, now."""
    made = _made(exchanges)
    labels = made.get("metadata")
    expect(labels == LABELS, expected=shown(LABELS), got=shown(labels), at=f"{exchanges[0].id} /metadata")
    expect_created_now(exchanges[0], made.get("created_at"), told(made, "created_at"))


@clause("conversations.update", level="MUST", source="SPEC updateConversation", on=LIFE)
def an_update_changes_the_metadata(exchanges: list[Exchange]) -> None:
    """An update is answered with the same conversation, made when it was made, and its new `metadata`."""
    made = _made(exchanges)
    exchange = answered_step(exchanges, "updateConversation", "the conversation with its new metadata")
    body = maybe_object(exchange)
    kept = {"id": made.get("id"), "created_at": made.get("created_at"), "metadata": NEW_LABELS}
    for name, wanted in kept.items():
        expect(body.get(name) == wanted, expected=shown(wanted), got=told(body, name), at=f"{exchange.id} /{name}")


@clause("conversations.get", level="MUST", source="SPEC getConversation", on=LIFE)
def a_conversation_reads_as_it_was_left(exchanges: list[Exchange]) -> None:
    """A conversation reads with the `id` and `created_at` it was made with, and the `metadata` of its last update."""
    made = _made(exchanges)
    exchange = answered_step(exchanges, "getConversation", "the conversation")
    updated = is_ok(step(exchanges, "updateConversation"))
    body = maybe_object(exchange)
    wanted = {"id": made.get("id"), "created_at": made.get("created_at"), "metadata": NEW_LABELS if updated else LABELS}
    for name, value in wanted.items():
        expect(body.get(name) == value, expected=shown(value), got=told(body, name), at=f"{exchange.id} /{name}")


@clause("conversations.delete", level="MUST", source="SPEC ConversationDeleted", on=LIFE)
def a_deletion_says_so(exchanges: list[Exchange]) -> None:
    """A deletion is answered `deleted: true`, with the id that was deleted."""
    made = _made(exchanges)
    exchange = answered_step(exchanges, "deleteConversation", "a deletion")
    body = maybe_object(exchange)
    for name, wanted in (("deleted", True), ("id", made.get("id"))):
        expect(body.get(name) == wanted, expected=shown(wanted), got=told(body, name), at=f"{exchange.id} /{name}")


@clause("conversations.gone", level="MUST", source="SPEC deleteConversation", on=LIFE)
def a_deleted_conversation_is_gone(exchanges: list[Exchange]) -> None:
    """A deleted conversation is not found: 404."""
    _made(exchanges)
    if not is_ok(step(exchanges, "deleteConversation")):
        raise NotApplicable("nothing was deleted")
    exchange = step(exchanges, "getConversation", 1)
    not_passing(exchange)
    expect(exchange.status == 404, expected="404", got=f"status {exchange.status}", at=f"{exchange.id} ")


# ------------------------------------------------------------------------------------------------ its items


@clause("conversations.items.schema", level="MUST", source="SPEC ConversationItemList", on=PAGES)
def items_follow_the_schema(exchange: Exchange) -> None:
    """The items of a conversation come as a list of items, with `first_id`, `last_id` and `has_more`."""
    schema = load_spec().schema("ConversationItemPage")
    for violation in schema.breaches(exchange.json):
        # Missing or null: what a user said needs no status.
        is_unsaid = violation.pointer.endswith("/status") and violation.got == "null"
        if violation.expected != "a key 'status'" and not is_unsaid:
            expect(False, expected=violation.expected, got=violation.got, at=violation.pointer)


@clause("conversations.items.added", level="MUST", source="SPEC createConversationItems", on=LIFE)
def added_items_are_answered(exchanges: list[Exchange]) -> None:
    """Adding items is answered with the items that were added, each with the id by which it is listed."""
    _made(exchanges)
    exchange = answered_step(exchanges, "createConversationItems", "the items that were added")
    items = _items(exchange)
    got = _texts(items)
    expect(got == [TURNS[2]], expected=shown([TURNS[2]]), got=shown(got), at=f"{exchange.id} /data")
    for at, item in enumerate(items):
        held = bool(as_text(item.get("id")))
        expect(held, expected="a non-empty string", got=told(item, "id"), at=f"{exchange.id} /data/{at}/id")
    listed = [item for page in exchanges if page.operation == "listConversationItems" for item in _items(page)]
    ids = [item.get("id") for item, text in zip(listed, _texts(listed), strict=True) if text == TURNS[2]]
    if ids:
        expected = f"{shown(ids[0])}, as it is listed"
        expect(items[0]["id"] in ids, expected=expected, got=shown(items[0]["id"]), at=f"{exchange.id} /data/0/id")


@clause("conversations.items.order", level="MUST", source="SPEC listConversationItems: order, after, limit", on=LIFE)
def pages_hold_every_item_once_in_order(exchanges: list[Exchange]) -> None:
    """Page by page, `order: asc` lists every item once, in the order in which they came."""
    first, second = _pages(exchanges)
    if not is_ok(step(exchanges, "createConversationItems")):
        raise NotApplicable("no item was added")
    got = _texts([*_items(first), *_items(second)])
    expect(got == list(TURNS), expected=shown(TURNS), got=shown(got), at=f"{second.id} /data")


@clause("conversations.items.more", level="MUST", source="SPEC ConversationItemList.has_more", on=LIFE)
def has_more_is_exact(exchanges: list[Exchange]) -> None:
    """`has_more` is true while there are items behind the page, and false on the last one."""
    first, second = _pages(exchanges)
    for page, wanted in ((first, bool(_items(second))), (second, False)):
        got = maybe_object(page).get("has_more")
        expect(got is wanted, expected=shown(wanted), got=shown(got), at=f"{page.id} /has_more")


@clause("conversations.items.descending", level="MUST", source="SPEC listConversationItems.order", on=LIFE)
def descending_is_ascending_turned_round(exchanges: list[Exchange]) -> None:
    """`order: desc` lists the same items, the newest first."""
    first, second = _pages(exchanges)
    newest = answered_step(exchanges, "listConversationItems", "the items, newest first", 2)
    before = [item.get("id") for item in [*_items(first), *_items(second)]]
    got = [item.get("id") for item in _items(newest)][::-1][: len(before)]
    expect(got == before, expected=f"{shown(before)}, from the end", got=shown(got), at=f"{newest.id} /data")


@clause("conversations.items.get", level="MUST", source="SPEC getConversationItem", on=LIFE)
def an_item_reads_as_it_is_listed(exchanges: list[Exchange]) -> None:
    """One item, read by its id, is the item of the list."""
    _made(exchanges)
    newest = answered_step(exchanges, "listConversationItems", "the items, newest first", 2)
    exchange = answered_step(exchanges, "getConversationItem", "the item")
    listed, body = next(iter(_items(newest)[::-1]), None), maybe_object(exchange)
    if listed is None:
        raise Inconclusive("the list has no items")
    for name in ("id", "type", "role", "content"):
        held = body.get(name) == listed.get(name)
        expect(held, expected=shown(listed.get(name)), got=told(body, name), at=f"{exchange.id} /{name}")


@clause("conversations.items.delete", level="MUST", source="SPEC deleteConversationItem", on=LIFE)
def a_deleted_item_leaves_the_conversation(exchanges: list[Exchange]) -> None:
    """To delete an item is answered with the conversation that is left."""
    made = _made(exchanges)
    exchange = answered_step(exchanges, "deleteConversationItem", "the conversation that is left")
    body = maybe_object(exchange)
    for name, wanted in (("id", made.get("id")), ("object", "conversation")):
        expect(body.get(name) == wanted, expected=shown(wanted), got=told(body, name), at=f"{exchange.id} /{name}")


@clause("conversations.items.gone", level="MUST", source="SPEC deleteConversationItem", on=LIFE)
def a_deleted_item_is_gone(exchanges: list[Exchange]) -> None:
    """An item that was deleted from a conversation is not found there any more: 404."""
    _made(exchanges)
    if not is_ok(step(exchanges, "deleteConversationItem")):
        raise NotApplicable("no item was deleted")
    exchange = step(exchanges, "getConversationItem", 1)
    not_passing(exchange)
    expect(exchange.status == 404, expected="404", got=f"status {exchange.status}", at=f"{exchange.id} ")


# ---------------------------------------------------------------------------------------- a response in it


def _response(exchanges: Sequence[Exchange]) -> tuple[Exchange, dict[str, Any]]:
    _made(exchanges)
    exchange = step(exchanges, "createResponse")
    not_passing(exchange)
    if not is_ok(exchange):
        raise NotApplicable(f"no response was made in the conversation: answered {exchange.status}")
    return exchange, maybe_object(exchange)


@clause("conversations.response", level="MUST", source="SPEC Response.conversation", on=LIFE)
def a_response_names_its_conversation(exchanges: list[Exchange]) -> None:
    """A response that was made in a conversation says so: `conversation: {id}`."""
    exchange, body = _response(exchanges)
    wanted = maybe_object(exchanges[0]).get("id")
    got = as_object(body.get("conversation")).get("id")
    expect(got == wanted, expected=shown(wanted), got=told(body, "conversation"), at=f"{exchange.id} /conversation")


@clause("conversations.appends", level="MUST", source="DOCS-0715 conversation-state; SPEC conversation", on=LIFE)
def a_response_becomes_part_of_its_conversation(exchanges: list[Exchange]) -> None:
    """Input and output of a response are added to the end of its conversation: its messages at least."""
    exchange, body = _response(exchanges)
    newest = answered_step(exchanges, "listConversationItems", "the items, newest first", 2)
    if body.get("status") not in ("completed", "incomplete"):
        raise Inconclusive(f"{exchange.id} did not come to an end")
    texts = _texts(_messages(_items(newest)))
    said = [text for text in _texts(_messages(as_objects(body.get("output")))) if text]
    wanted = [*said[::-1], QUESTION]
    got = [text for text in texts if text][: len(wanted)]
    expect(got == wanted, expected=shown(wanted), got=shown(got), at=f"{newest.id} /data")


@clause(
    "conversations.reach",
    level="MUST",
    source="DOCS-0715 conversation-state: items of the conversation are prepended to the input, and billed",
    on=LIFE,
    fields=("conversation",),
)
def a_response_reads_its_conversation(exchanges: list[Exchange]) -> None:
    """The model is given what was said before in the conversation: it costs `input_tokens`."""
    exchange, body = _response(exchanges)
    count = as_count(as_object(body.get("usage")).get("input_tokens"))
    if count is None:
        raise Inconclusive("the response has no usage")
    # No tokenizer is known that makes less than one token of two words.
    least = len(TURNS[0].split()) // 2
    expected = f"more than {least} input tokens, for {len(TURNS[0].split())} words and more"
    expect(count > least, expected=expected, got=count, at=f"{exchange.id} /usage/input_tokens")


def _to_be_refused(exchanges: Sequence[Exchange], number: int) -> Exchange:
    """A request for one more response that is wrong, once the first was answered."""
    _response(exchanges)
    exchange = step(exchanges, "createResponse", number)
    not_passing(exchange)
    return exchange


@clause("conversations.unknown", level="MUST", source="DOCS-0715 conversation-state; SPEC conversation", on=LIFE)
def an_unknown_conversation_is_refused(exchanges: list[Exchange]) -> None:
    """A response in a conversation that there is no more is refused, with 400 or 404.

    Answered as if it had not been said, the model has lost what was said before, and nobody is told.
    """
    exchange = _to_be_refused(exchanges, 2)
    if not is_ok(step(exchanges, "deleteConversation")):
        raise NotApplicable("nothing was deleted")
    held = exchange.status in (400, 404, 422)
    expect(held, expected="status 400 or 404", got=f"status {exchange.status}", at=f"{exchange.id} ")


@clause(
    "conversations.alone",
    level="SHOULD",
    source="SPEC CreateResponse.previous_response_id: cannot be used in conjunction with conversation",
    on=LIFE,
)
def one_past_at_a_time(exchanges: list[Exchange]) -> None:
    """`conversation` and `previous_response_id` together are refused: a response goes on from one of them."""
    exchange = _to_be_refused(exchanges, 1)
    held = exchange.status in (400, 404, 422)
    expect(held, expected="status 400", got=f"status {exchange.status}", at=f"{exchange.id} ")
