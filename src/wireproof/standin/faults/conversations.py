"""Departures of conversations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_json
from wireproof.standin.wire import Answer, Ask, Serve, json_answer

PATH = "/v1/conversations"
Body = dict[str, Any]
Edit = Callable[[Body], Any]


def _one(ask: Ask, serve: Serve, methods: tuple[str, ...], edit: Edit) -> Answer:
    """`edit` on the answer to one of these methods on a conversation; POST on no particular one makes it."""
    answer, rest = serve(ask), ask.path.removeprefix(PATH)
    is_meant = rest != ask.path and rest.count("/") <= 1 and (ask.method, bool(rest)) in [
        (method.lstrip("+"), not method.startswith("+")) for method in methods
    ]  # fmt: skip
    return edit_json(answer, edit) if is_meant else answer


def _list(ask: Ask, serve: Serve, edit: Edit) -> Answer:
    answer = serve(ask)
    return edit_json(answer, edit) if ask.method == "GET" and ask.path.endswith("/items") else answer


def _without(ask: Ask, *names: str) -> Ask:
    return replace(ask, query=tuple((name, value) for name, value in ask.query if name not in names))


@fault("conversations.object-thread", breaks="conversations.schema")
def object_thread(ask: Ask, serve: Serve) -> Answer:
    """A conversation says that it is a thread."""
    return _one(ask, serve, ("+POST", "GET", "POST"), lambda body: body.update(object="thread"))


@fault("conversations.metadata-dropped", breaks="conversations.created")
def metadata_dropped(ask: Ask, serve: Serve) -> Answer:
    """A new conversation has no metadata."""
    return _one(ask, serve, ("+POST",), lambda body: body.update(metadata={}))


@fault("conversations.update-ignored", breaks="conversations.update", also=("conversations.get",))
def update_ignored(ask: Ask, serve: Serve) -> Answer:
    """An update is answered 200 and changes nothing."""
    rest = ask.path.removeprefix(f"{PATH}/")
    if ask.method == "POST" and rest != ask.path and "/" not in rest:
        return serve(Ask("GET", ask.path, headers=ask.headers))
    return serve(ask)


@fault("conversations.update-untold", breaks="conversations.update")
def update_untold(ask: Ask, serve: Serve) -> Answer:
    """An update is made, and answered without its metadata."""
    return _one(ask, serve, ("POST",), lambda body: body.update(metadata={}))


@fault("conversations.read-anew", breaks="conversations.get")
def read_anew(ask: Ask, serve: Serve) -> Answer:
    """A conversation says it was created when it was read."""
    return _one(ask, serve, ("GET",), lambda body: body.update(created_at=body["created_at"] + 60))


@fault("conversations.deletion-unsaid", breaks="conversations.delete")
def deletion_unsaid(ask: Ask, serve: Serve) -> Answer:
    """A deletion says `deleted: false`."""
    return _one(ask, serve, ("DELETE",), lambda body: body.update(deleted=False))


@fault("conversations.undead", breaks="conversations.gone", also=("conversations.unknown",))
def undead(ask: Ask, serve: Serve) -> Answer:
    """A deletion says yes and keeps the conversation."""
    rest = ask.path.removeprefix(f"{PATH}/")
    if ask.method != "DELETE" or rest == ask.path or "/" in rest:
        return serve(ask)
    answer = serve(Ask("GET", ask.path, headers=ask.headers))
    told = json_answer({"id": rest, "object": "conversation.deleted", "deleted": True})
    return Answer(200, answer.headers, told.body)


@fault("conversations.more-missing", breaks="conversations.items.schema", also=("conversations.items.more", "paging.*"))
def more_missing(ask: Ask, serve: Serve) -> Answer:
    """A list of items has no `has_more`."""
    return _list(ask, serve, lambda page: {name: value for name, value in page.items() if name != "has_more"})


@fault("conversations.cursor-wrong", breaks="paging.ends")
def cursor_wrong(ask: Ask, serve: Serve) -> Answer:
    """`first_id` is not the id of the first item."""
    return _list(ask, serve, lambda page: page.update(first_id="msg_none"))


@fault("conversations.page-object", breaks="conversations.items.schema")
def page_object(ask: Ask, serve: Serve) -> Answer:
    """A list of items is a `page`."""
    return _list(ask, serve, lambda page: page.update(object="page"))


def _is_ascending(ask: Ask) -> bool:
    return ("order", "asc") in ask.query


@fault("conversations.texts-trimmed", breaks="conversations.items.order")
def texts_trimmed(ask: Ask, serve: Serve) -> Answer:
    """In ascending lists texts lack their last character."""

    def edit(page: Body) -> None:
        for part in (part for item in page["data"] for part in item.get("content", ())):
            part["text"] = part["text"][:-1]

    return _list(ask, serve, edit) if _is_ascending(ask) else serve(ask)


@fault("conversations.second-lost", breaks="conversations.items.descending")
def second_lost(ask: Ask, serve: Serve) -> Answer:
    """In descending lists the second item of a conversation is missing."""

    def edit(page: Body) -> None:
        del page["data"][-2]

    return serve(ask) if _is_ascending(ask) else _list(ask, serve, edit)


@fault("conversations.limit-ignored", breaks="paging.limit", also=("paging.*", "conversations.items.*"))
def limit_ignored(ask: Ask, serve: Serve) -> Answer:
    """`limit` is ignored: a page has all items."""
    return serve(_without(ask, "limit")) if ask.path.startswith(PATH) else serve(ask)


@fault("conversations.all-answered", breaks="conversations.items.added")
def all_answered(ask: Ask, serve: Serve) -> Answer:
    """Adding items is answered with all items of the conversation."""
    answer = serve(ask)
    if ask.method != "POST" or not ask.path.endswith("/items"):
        return answer
    return serve(Ask("GET", ask.path, headers=ask.headers))


@fault("conversations.after-ignored", breaks="conversations.items.order", also=("paging.*", "conversations.items.*"))
def after_ignored(ask: Ask, serve: Serve) -> Answer:
    """`after` is ignored: every page is the first."""
    return serve(_without(ask, "after")) if ask.path.startswith(PATH) else serve(ask)


@fault("conversations.more-always", breaks="conversations.items.more", also=("paging.more",))
def more_always(ask: Ask, serve: Serve) -> Answer:
    """`has_more` is true on the last page too."""
    return _list(ask, serve, lambda page: page.update(has_more=True))


@fault(
    "conversations.one-order", breaks="conversations.items.descending", also=("conversations.appends", "paging.order")
)
def one_order(ask: Ask, serve: Serve) -> Answer:
    """Items come oldest first, whatever was asked."""
    if not (ask.method == "GET" and ask.path.endswith("/items")):
        return serve(ask)
    return serve(replace(ask, query=(*_without(ask, "order").query, ("order", "asc"))))


@fault("conversations.item-bare", breaks="conversations.items.get")
def item_bare(ask: Ask, serve: Serve) -> Answer:
    """An item that is read has no content."""
    answer = serve(ask)
    is_item = ask.method == "GET" and "/items/" in ask.path
    return edit_json(answer, lambda body: body.update(content=[])) if is_item else answer


@fault("conversations.item-deleted-alone", breaks="conversations.items.delete")
def item_deleted_alone(ask: Ask, serve: Serve) -> Answer:
    """The deletion of an item is answered with the item's id, not with the conversation."""
    answer = serve(ask)
    item = ask.path.rpartition("/")[2]
    is_item = ask.method == "DELETE" and "/items/" in ask.path
    return edit_json(answer, lambda body: {"id": item, "deleted": True}) if is_item else answer


@fault("conversations.unnamed", breaks="conversations.response")
def unnamed(ask: Ask, serve: Serve) -> Answer:
    """A response does not name its conversation."""
    answer = serve(ask)
    return edit_json(answer, lambda body: body.update(conversation=None)) if "conversation" in ask.asked else answer


@fault("conversations.forgetful", breaks="conversations.appends")
def forgetful(ask: Ask, serve: Serve) -> Answer:
    """A response is not added to its conversation, though it names it."""
    named = ask.asked.get("conversation")
    count = replace(ask.without("max_output_tokens", "store"), path="/v1/responses/input_tokens")
    if named is None or "previous_response_id" in ask.asked or (counted := serve(count)).status != 200:
        return serve(ask)

    def edit(body: Body) -> None:
        read = counted.json["input_tokens"]
        total = read + body["usage"]["output_tokens"]
        body.update(conversation={"id": named}, usage={**body["usage"], "input_tokens": read, "total_tokens": total})

    return edit_json(serve(ask.without("conversation")), edit)


@fault("conversations.update-anew", breaks="conversations.update")
def update_anew(ask: Ask, serve: Serve) -> Answer:
    """The answer to an update says that the conversation was made just then."""
    return _one(ask, serve, ("POST",), lambda body: body.update(created_at=body["created_at"] + 60))


@fault("conversations.added-otherwise", breaks="conversations.items.added")
def added_otherwise(ask: Ask, serve: Serve) -> Answer:
    """Items that are added are answered with other ids than those they are listed by."""

    def edit(page: Body) -> None:
        for item in page["data"]:
            item["id"] += "0"
        page.update(first_id=page["data"][0]["id"], last_id=page["data"][-1]["id"])

    answer = serve(ask)
    return edit_json(answer, edit) if ask.method == "POST" and ask.path.endswith("/items") else answer


@fault("conversations.item-undead", breaks="conversations.items.gone")
def item_undead(ask: Ask, serve: Serve) -> Answer:
    """The deletion of an item is answered as one, and the item stays."""
    if ask.method != "DELETE" or "/items/" not in ask.path:
        return serve(ask)
    return serve(Ask("GET", ask.path.partition("/items/")[0], headers=ask.headers))


@fault("conversations.unread", breaks="conversations.reach")
def unread(ask: Ask, serve: Serve) -> Answer:
    """A response is added to its conversation, and the model is not given what was said before."""
    answer = serve(ask)
    if "conversation" not in ask.asked or answer.status != 200:
        return answer
    alone = serve(ask.without("conversation")).json["usage"]
    return edit_json(answer, lambda body: body.update(usage=alone))


@fault("conversations.made-up", breaks="conversations.unknown")
def made_up(ask: Ask, serve: Serve) -> Answer:
    """A conversation that there is not is passed over."""
    answer = serve(ask)
    is_unknown = answer.status == 404 and "conversation" in ask.asked and "previous_response_id" not in ask.asked
    return serve(ask.without("conversation")) if is_unknown else answer


@fault("conversations.two-pasts", breaks="conversations.alone")
def two_pasts(ask: Ask, serve: Serve) -> Answer:
    """Beside a conversation `previous_response_id` is passed over."""
    previous = ask.asked.get("previous_response_id")
    if previous is None or "conversation" not in ask.asked:
        return serve(ask)
    answer = serve(ask.without("previous_response_id"))
    return edit_json(answer, lambda body: body.update(previous_response_id=previous))


@fault("conversations.item-thread", breaks="conversations.items.delete")
def item_thread(ask: Ask, serve: Serve) -> Answer:
    """The conversation that an item was deleted from is a thread."""
    answer = serve(ask)
    is_item = ask.method == "DELETE" and "/items/" in ask.path
    return edit_json(answer, lambda body: body.update(object="thread")) if is_item else answer


@fault("conversations.gone-400", breaks="conversations.gone")
def gone_400(ask: Ask, serve: Serve) -> Answer:
    """To read a conversation that is gone is a mistake of the request: 400."""
    answer = serve(ask)
    is_read = ask.method == "GET" and ask.path.startswith(PATH) and "/items" not in ask.path
    return replace(answer, status=400) if is_read and answer.status == 404 else answer
