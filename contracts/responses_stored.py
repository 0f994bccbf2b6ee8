"""Stored responses: what was made can be read, gone on from, and deleted; responses_resumed.py has what is told again.

A response is stored unless `store` is false. A backend that offers no stored responses (its GET is answered 404, 405
or 501 whatever was asked) is asked once and left alone: its clauses are not applicable.
"""

from __future__ import annotations

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
    sent,
    sequence,
    shown,
    steps,
)

from ._flow import answered_step, id_of, is_ok, not_passing, step
from ._reading import as_objects, as_text, maybe_object, told
from ._response_asks import LEAST_CAP, LONG, ask
from ._responses import input_tokens
from ._stored_responses import expect_read_as_made, stored

TURNS = ("My cat is called Fog.", "Say its name in one word.")
INPUT = [{"role": "user", "content": text} for text in TURNS]
LABELS = {"purpose": "wireproof"}


@flow(
    "responses.stored",
    most=8,
    paid=2,
    about="make, read, go on from, fail to cancel and delete a response",
    expects="either",
)
def life_of_a_response() -> Flow:
    made = yield Call(
        "POST", "/responses", {"model": MODEL, "input": INPUT, "max_output_tokens": LEAST_CAP, "metadata": LABELS}
    )
    id = id_of(made)
    if id is None:
        return
    path = f"/responses/{id}"
    read = yield Call("GET", path)
    if not is_ok(read):
        return
    yield Call("GET", f"{path}/input_items", query={"order": "asc", "limit": "10"})
    yield Call("GET", f"{path}/input_items", query={"limit": "1"})
    yield Call(
        "POST",
        "/responses",
        {
            "model": MODEL,
            "input": INPUT,
            "max_output_tokens": LEAST_CAP,
            "previous_response_id": id,
            "store": False,
        },
    )
    yield Call("POST", f"{path}/cancel")
    yield Call("DELETE", path)
    yield Call("GET", path)


@flow("responses.unstored", most=2, about="a long answer cut by max_output_tokens, not to be kept, and asked for")
def a_response_not_kept() -> Flow:
    made = yield Call("POST", "/responses", ask(input=LONG, max_output_tokens=LEAST_CAP))
    id = id_of(made)
    if id is not None:
        yield Call("GET", f"/responses/{id}")


# ------------------------------------------------------------------------------------------------ reading


LIFE = steps("responses.stored")


# ------------------------------------------------------------------------------------------------- clauses


@clause("responses.stored.get", level="MUST", source="SPEC getResponse", on=LIFE)
def a_stored_response_reads_as_it_was_made(exchanges: list[Exchange]) -> None:
    """A stored response has the time, model, status, output and usage of the answer that made it."""
    made = stored(exchanges)
    read = step(exchanges, "getResponse")
    expect_read_as_made(read, maybe_object(read), maybe_object(made))


# What a response repeats of its request, and when it was done.
SETTINGS = (
    "background", "completed_at", "instructions", "max_output_tokens", "parallel_tool_calls", "previous_response_id",
    "store", "temperature", "text", "tool_choice", "tools", "top_p", "truncation",
)  # fmt: skip


@clause("responses.stored.settings", level="SHOULD", source="SPEC getResponse, Response", on=LIFE)
def a_stored_response_keeps_its_settings(exchanges: list[Exchange]) -> None:
    """A stored response repeats its request as the answer that made it did: its settings, and when it was completed."""
    made = maybe_object(stored(exchanges))
    read = step(exchanges, "getResponse")
    body = maybe_object(read)
    if body.get("status") != made.get("status"):
        raise NotApplicable("the response is in another state by now")
    names = [name for name in SETTINGS if made.get(name) is not None and body.get(name) is not None]
    if not names:
        raise NotApplicable("the response repeats nothing")
    for name in names:
        held = body[name] == made[name]
        expect(held, expected=shown(made[name]), got=shown(body[name]), at=f"{read.id} /{name}")


@clause("responses.stored.metadata", level="MUST", source="SPEC Metadata", on=LIFE, fields=("metadata",))
def metadata_is_kept(exchanges: list[Exchange]) -> None:
    """A stored response carries the `metadata` it was made with, unchanged."""
    stored(exchanges)
    read = step(exchanges, "getResponse")
    labels = maybe_object(read).get("metadata")
    expect(labels == LABELS, expected=shown(LABELS), got=shown(labels), at=f"{read.id} /metadata")


@clause(
    "responses.stored.default",
    level="MUST",
    source="SPEC CreateResponse.store: default true",
    on=sequence(sent("getResponse", probes=("responses.stored", "responses.stored-stream"))),
)
def responses_are_stored_unless_told_otherwise(exchanges: list[Exchange]) -> None:
    """A response is stored when `store` is absent, just as when it is true."""
    first = {exchange.probe: exchange for exchange in reversed(exchanges) if exchange.step == 1}
    asked, unasked = first.get("responses.stored-stream"), first.get("responses.stored")
    if asked is None or unasked is None or not is_ok(asked):
        raise NotApplicable("responses are not stored, or were not made")
    not_passing(unasked)
    expect(is_ok(unasked), expected="the response", got=f"status {unasked.status}", at=f"{unasked.id} ")


@clause("responses.stored.input-schema", level="MUST", source="SPEC ResponseItemList", on=answered("listInputItems"))
def input_items_follow_the_schema(exchange: Exchange) -> None:
    """The input items of a response come as a list of items, with `first_id`, `last_id` and `has_more`."""
    schema = load_spec().operations["listInputItems"].answer_schema(200)
    assert schema is not None
    for violation in schema.breaches(exchange.json):
        # Missing or null: what a user said needs no status.
        is_unsaid = violation.pointer.endswith("/status") and violation.got == "null"
        if violation.expected != "a key 'status'" and not is_unsaid:
            expect(False, expected=violation.expected, got=violation.got, at=violation.pointer)


@clause("responses.stored.input-items", level="MUST", source="SPEC listInputItems, order", on=LIFE)
def input_items_are_what_was_sent(exchanges: list[Exchange]) -> None:
    """`GET /responses/{id}/input_items` lists what was sent; with `order: asc` in the order in which it was.

    The default order is `desc`; a reversed list means that `order` was not passed on.
    """
    stored(exchanges)
    if step(exchanges, "listInputItems").status == 404:
        raise NotApplicable("input items are not listed")
    page = answered_step(exchanges, "listInputItems", "the list of input items")
    items = as_objects(maybe_object(page).get("data"))
    got = [_said(item) for item in items]
    expect(got == list(TURNS), expected=shown(TURNS), got=shown(got), at=f"{page.id} /data")


def _said(item: dict[str, Any]) -> str:
    content = item.get("content")
    return content if isinstance(content, str) else "".join(as_text(part.get("text")) for part in as_objects(content))


@clause(
    "responses.stored.input-pages",
    level="MUST",
    source="SPEC listInputItems: limit, order: default desc",
    on=LIFE,
    fields=("limit",),
)
def input_items_come_page_by_page(exchanges: list[Exchange]) -> None:
    """Without `order` the last input item comes first, by the id it has in any list; `limit` holds, and more is said to
    follow.
    """
    stored(exchanges)
    whole = step(exchanges, "listInputItems")
    items = as_objects(maybe_object(whole).get("data"))
    if not is_ok(whole) or [_said(item) for item in items] != list(TURNS):
        raise NotApplicable("there is no whole list to compare with")
    page = answered_step(exchanges, "listInputItems", "the last item", 1)
    got, wanted = [item.get("id") for item in as_objects(maybe_object(page).get("data"))], items[-1].get("id")
    expected = f"{shown([wanted])}, the last of {whole.id}"
    expect(got == [wanted], expected=expected, got=shown(got), at=f"{page.id} /data")
    more = maybe_object(page).get("has_more")
    held = more is True or not isinstance(more, bool)
    expect(held, expected="true", got=shown(more), at=f"{page.id} /has_more")


@clause("responses.stored.input-page", level="MUST", source="SPEC ResponseItemList", on=answered("listInputItems"))
def a_page_names_its_ends(exchange: Exchange) -> None:
    """`first_id` and `last_id` of a page are the ids of its first and last item; a short input fits on one page."""
    page = maybe_object(exchange)
    ids = [item.get("id") for item in as_objects(page.get("data"))]
    if not ids:
        raise NotApplicable("the page is empty")
    for name, wanted in (("first_id", ids[0]), ("last_id", ids[-1])):
        expect(page.get(name) == wanted, expected=shown(wanted), got=told(page, name), at=f"/{name}")
    asked = exchange.request.query.get("limit", "")
    if asked.isdecimal() and len(ids) < int(asked):
        expect(page.get("has_more") is False, expected="false", got=told(page, "has_more"), at="/has_more")


@clause(
    "responses.stored.previous",
    level="MUST",
    source="DOCS-0715 conversation-state: all previous input tokens are billed as input tokens",
    on=LIFE,
    fields=("previous_response_id",),
)
def what_was_said_before_is_remembered(exchanges: list[Exchange]) -> None:
    """With `previous_response_id` the model reads what was said before: the same input costs more `input_tokens`."""
    made = stored(exchanges)
    after = answered_step(exchanges, "createResponse", "a response that goes on", 1)
    least, got = input_tokens(made), input_tokens(after)
    expected = f"more than {least} input tokens, with what was said before"
    expect(got > least, expected=expected, got=got, at=f"{after.id} /usage/input_tokens")


@clause("responses.stored.cancel", level="MUST", source="SPEC cancelResponse: only background responses", on=LIFE)
def only_background_responses_can_be_cancelled(exchanges: list[Exchange]) -> None:
    """To cancel a response that did not run in the background is refused with a 4xx."""
    stored(exchanges)
    exchange = step(exchanges, "cancelResponse")
    not_passing(exchange)
    if exchange.status == 501:
        raise NotApplicable("nothing can be cancelled")
    status = exchange.status or 0
    expect(400 <= status < 500, expected="a status from 400 to 499", got=f"status {status}", at=f"{exchange.id} ")


@clause("responses.stored.delete", level="MUST", source="SPEC deleteResponse", on=LIFE)
def a_deletion_says_so(exchanges: list[Exchange]) -> None:
    """A stored response can be deleted; an answer with a body says `deleted: true` of a response."""
    stored(exchanges)
    exchange = answered_step(exchanges, "deleteResponse", "a deletion")
    body = maybe_object(exchange)
    if body:
        got = told(body, "deleted")
        expect(body.get("deleted") is True, expected="true", got=got, at=f"{exchange.id} /deleted")
        kind = body.get("object")
        held = kind is None or str(kind).startswith("response")
        expect(held, expected="object response", got=shown(kind), at=f"{exchange.id} /object")


@clause("responses.stored.id", level="MUST", source="SPEC Response.id: unique identifier", on=LIFE)
def a_response_keeps_its_id(exchanges: list[Exchange]) -> None:
    """A response has one `id`: made, read and deleted it is known by the same.

    A gateway that makes ids of its own must make the same one each time: no nonce, no time in it.
    """
    id = maybe_object(stored(exchanges)).get("id")
    for exchange in exchanges[1:]:
        body = maybe_object(exchange)
        if exchange.operation in ("getResponse", "deleteResponse") and is_ok(exchange) and body:
            expect(body.get("id") == id, expected=shown(id), got=told(body, "id"), at=f"{exchange.id} /id")


@clause("responses.stored.gone", level="MUST", source="SPEC deleteResponse", on=LIFE)
def a_deleted_response_is_gone(exchanges: list[Exchange]) -> None:
    """A deleted response is not found: 404."""
    stored(exchanges)
    if not is_ok(step(exchanges, "deleteResponse")):
        raise NotApplicable("nothing was deleted")
    exchange = step(exchanges, "getResponse", 1)
    not_passing(exchange)
    expect(exchange.status == 404, expected="404", got=f"status {exchange.status}", at=f"{exchange.id} ")


@clause(
    "responses.stored.unstored",
    level="MUST",
    source="SPEC CreateResponse.store; DOCS-0715 data controls",
    on=steps("responses.unstored"),
    fields=("store",),
)
def what_is_not_to_be_kept_is_not(exchanges: list[Exchange]) -> None:
    """A response made with `store: false` is not found afterwards: 404.

    Who says so has reasons: what is kept all the same is a matter for the data protection officer.
    """
    if len(exchanges) < 2:
        raise NotApplicable("no response was made")
    exchange = exchanges[1]
    not_passing(exchange)
    if exchange.status in (405, 501):
        raise NotApplicable("responses are not stored at all")
    if exchange.status == 500:
        raise Inconclusive(f"{exchange.id} was answered 500")
    expect(exchange.status == 404, expected="404", got=f"status {exchange.status}", at=f"{exchange.id} ")
