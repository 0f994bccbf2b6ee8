"""Stored chat completions: what was made with `store: true` can be read, listed, relabelled and deleted.

One flow walks through the life of a completion. A backend that does not store is asked twice and left alone:
its clauses are not applicable. One that changes or deletes nothing, and says so, is judged by what it does.
"""

from __future__ import annotations

import re
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
    steps,
)

from ._chat import message_of
from ._flow import answered_step
from ._reading import as_list, as_object, choices_in, maybe_object

SAID = "Name a river."
LABELS = {"purpose": "wireproof", "stage": "made"}
NEW_LABELS = {"purpose": "wireproof", "stage": "changed"}
# An id that stays one segment of a path: a target must not choose where the next request goes.
ID = re.compile(r"(?!\.+$)[A-Za-z0-9._:~-]{1,200}")
COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")
PAGE = {"limit": "1", "order": "desc"}  # the newest alone, which is the one just made


@flow("chat.stored", most=6, about="make, read, relabel, list and delete a stored completion", expects="either")
def life_of_a_completion() -> Flow:
    made = yield Call(
        "POST",
        "/chat/completions",
        {
            "model": MODEL,
            "messages": [{"role": "user", "content": SAID}],
            "max_tokens": 16,
            "store": True,
            "metadata": LABELS,
        },
    )
    id = maybe_object(made).get("id")
    if not _is_ok(made) or not isinstance(id, str) or not ID.fullmatch(id):
        return
    path = f"/chat/completions/{id}"
    read = yield Call("GET", path)
    if not _is_ok(read):
        return
    yield Call("POST", path, {"metadata": NEW_LABELS})
    yield Call("GET", "/chat/completions", query=PAGE)
    yield Call("DELETE", path)
    yield Call("GET", path)


# ------------------------------------------------------------------------------------------------ reading


def _is_ok(exchange: Exchange) -> bool:
    return exchange.trouble is None and exchange.status is not None and 200 <= exchange.status < 300


def _stored(exchanges: Sequence[Exchange]) -> dict[str, Any]:
    """The completion as it was made, once it is known to be stored."""
    made, *later = exchanges
    if not _is_ok(made) or not later:
        raise NotApplicable(f"no completion was made: {made.id} was answered {made.status}")
    read = later[0]
    if not _is_ok(read):
        raise NotApplicable(f"completions are not stored: {read.id} was answered {read.status}")
    return maybe_object(made)


def _step(exchanges: Sequence[Exchange], operation: str, *, after: str | None = None) -> Exchange:
    """The first exchange of the operation, or the first that follows the operation `after`."""
    known = [exchange.operation for exchange in exchanges]
    start = known.index(after) + 1 if after in known else 0
    for exchange in exchanges[start:]:
        if exchange.operation == operation and (after is None or after in known):
            return exchange
    raise Inconclusive(f"{operation} was not asked")


def _said(completion: dict[str, Any]) -> list[tuple[Any, Any]]:
    """Text and finish reason of each choice."""
    choices = [choice for _, choice in choices_in(completion)]
    return [(message_of(choice).get("content") or "", choice.get("finish_reason")) for choice in choices]


# ------------------------------------------------------------------------------------------------- clauses


@clause(
    "chat.stored.schema",
    level="MUST",
    source="SPEC ChatCompletionList, ChatCompletionMessageList, ChatCompletionDeleted",
    on=answered(
        "listChatCompletions",
        "getChatCompletion",
        "getChatCompletionMessages",
        "updateChatCompletion",
        "deleteChatCompletion",
    ),
)
def answers_follow_the_schema(exchange: Exchange) -> None:
    """Reading, listing, changing and deleting are answered with the documented objects."""
    assert exchange.operation is not None
    schema = load_spec().operations[exchange.operation].answer_schema(200)
    assert schema is not None
    for violation in schema.breaches(exchange.json):
        elsewhere = violation.pointer.endswith(("/deleted", "/service_tier")) or violation.expected == "a key 'deleted'"
        if not elsewhere:
            expect(False, expected=violation.expected, got=violation.got, at=violation.pointer)


@clause(
    "chat.stored.kept",
    level="MAY",
    source="SPEC CreateChatCompletionRequest.store",
    on=steps("chat.stored"),
    fields=("store", "metadata"),
)
def what_is_to_be_stored_is_kept(exchanges: list[Exchange]) -> None:
    """A completion made with `store: true` can be read by its id; a backend that keeps none may refuse the field."""
    made, *later = exchanges
    if not _is_ok(made) or not later:
        raise NotApplicable(f"no completion was made: {made.id} was answered {made.status}")
    if later[0].status in (401, 403, 429, 500, 502, 503, 504):
        raise Inconclusive(f"{later[0].id} was answered {later[0].status}")
    expect(_is_ok(later[0]), expected="the completion", got=f"status {later[0].status}", at=f"{later[0].id} ")


@clause("chat.stored.get", level="MUST", source="SPEC getChatCompletion", on=steps("chat.stored"), fields=("store",))
def a_stored_completion_reads_as_it_was_made(exchanges: list[Exchange]) -> None:
    """A stored completion has the `id`, `object`, `created`, `model`, choices and counts of the answer that made it."""
    made = _stored(exchanges)
    exchange = _step(exchanges, "getChatCompletion")
    _expect_same(made, maybe_object(exchange), f"{exchange.id} ")


def _expect_same(made: dict[str, Any], read: dict[str, Any], at: str) -> None:
    """`at` is the exchange's id and a space, then a pointer to what was read."""
    for name in ("id", "object", "created", "model"):
        is_same = read.get(name) == made.get(name)
        expect(is_same, expected=f"{name} {made.get(name)!r}", got=read.get(name), at=f"{at}/{name}")
    expect(_said(read) == _said(made), expected=str(_said(made)), got=str(_said(read)), at=f"{at}/choices")
    before, after = as_object(made.get("usage")), as_object(read.get("usage"))
    for name in COUNTS:
        is_same = not after or after.get(name) == before.get(name)
        expect(is_same, expected=f"{name} {before.get(name)!r}", got=after.get(name), at=f"{at}/usage/{name}")


@clause(
    "chat.stored.metadata",
    level="MUST",
    source="SPEC Metadata, getChatCompletion",
    on=steps("chat.stored"),
    fields=("metadata",),
)
def metadata_comes_back(exchanges: list[Exchange]) -> None:
    """A stored completion carries the `metadata` it was made with, unchanged."""
    _stored(exchanges)
    exchange = _step(exchanges, "getChatCompletion")
    labels = maybe_object(exchange).get("metadata")
    expect(labels == LABELS, expected=str(LABELS), got=labels, at=f"{exchange.id} /metadata")


@clause("chat.stored.list", level="MUST", source="SPEC listChatCompletions", on=steps("chat.stored"))
def a_stored_completion_is_listed(exchanges: list[Exchange]) -> None:
    """A stored completion is in the list, as it was made; `order: desc` begins with the newest."""
    made = _stored(exchanges)
    id = made.get("id")
    exchange = answered_step(exchanges, "listChatCompletions", "a list of stored completions")
    page = maybe_object(exchange)
    ids = _ids(page)
    if id not in ids and ids and page.get("has_more") is True:
        raise Inconclusive("others were stored in the meantime")
    expect(id in ids, expected=f"{id} in the list", got=ids, at=f"{exchange.id} /data")
    number, item = _item(page, id)
    # A gateway may resolve the model's name in answers, and not in its list.
    _expect_same({**made, "model": item.get("model")}, item, f"{exchange.id} /data/{number}")


def _item(page: dict[str, Any], id: Any) -> tuple[int, dict[str, Any]]:
    """The item of a page with this id, and its place."""
    items = enumerate(as_list(page.get("data")))
    return next((number, item) for number, item in items if isinstance(item, dict) and item.get("id") == id)


def _ids(page: dict[str, Any]) -> list[Any]:
    data = page.get("data")
    if not isinstance(data, list):
        raise Inconclusive("`data` is not a list")
    return [item.get("id") for item in data if isinstance(item, dict)]


@clause("chat.stored.update", level="MUST", source="SPEC updateChatCompletion", on=steps("chat.stored"))
def an_update_changes_the_metadata(exchanges: list[Exchange]) -> None:
    """An update is answered with the same completion and its new `metadata`."""
    id = _stored(exchanges).get("id")
    exchange = answered_step(exchanges, "updateChatCompletion", "the completion with its new metadata")
    changed = maybe_object(exchange)
    expect(changed.get("id") == id, expected=f"id {id}", got=changed.get("id"), at=f"{exchange.id} /id")
    labels = changed.get("metadata")
    expect(labels == NEW_LABELS, expected=str(NEW_LABELS), got=labels, at=f"{exchange.id} /metadata")


@clause("chat.stored.update-kept", level="MUST", source="SPEC updateChatCompletion", on=steps("chat.stored"))
def an_update_is_kept(exchanges: list[Exchange]) -> None:
    """What an update changed is there when the completion is listed next, and the rest is as it was."""
    id = _stored(exchanges).get("id")
    if maybe_object(_step(exchanges, "updateChatCompletion")).get("metadata") != NEW_LABELS:
        raise NotApplicable("nothing was changed: chat.stored.update judges that")
    exchange = _step(exchanges, "listChatCompletions", after="updateChatCompletion")
    page = maybe_object(exchange)
    if not _is_ok(exchange) or id not in _ids(page):
        raise Inconclusive("the completion is not in the list: chat.stored.list judges that")
    number, item = _item(page, id)
    labels = item.get("metadata")
    expect(labels == NEW_LABELS, expected=str(NEW_LABELS), got=labels, at=f"{exchange.id} /data/{number}/metadata")


@clause("chat.stored.delete", level="MUST", source="SPEC ChatCompletionDeleted", on=steps("chat.stored"))
def a_deletion_says_so(exchanges: list[Exchange]) -> None:
    """A deletion is answered `{id, object: "chat.completion.deleted", deleted: true}` with the id that was deleted."""
    id = _stored(exchanges).get("id")
    exchange = answered_step(exchanges, "deleteChatCompletion", "a deletion")
    told = maybe_object(exchange)
    expect(told.get("deleted") is True, expected="deleted true", got=told.get("deleted"), at=f"{exchange.id} /deleted")
    expect(told.get("id") == id, expected=f"id {id}", got=told.get("id"), at=f"{exchange.id} /id")


@clause("chat.stored.gone", level="MUST", source="SPEC deleteChatCompletion", on=steps("chat.stored"))
def a_deleted_completion_is_gone(exchanges: list[Exchange]) -> None:
    """A deleted completion is not found: 404."""
    _stored(exchanges)
    if not _is_ok(_step(exchanges, "deleteChatCompletion")):
        raise NotApplicable("nothing was deleted")
    exchange = _step(exchanges, "getChatCompletion", after="deleteChatCompletion")
    if exchange.status in (401, 403, 429, 502, 503, 504):
        raise Inconclusive(f"{exchange.id} was answered {exchange.status}")
    expect(exchange.status == 404, expected="404", got=f"status {exchange.status}", at=f"{exchange.id} ")
