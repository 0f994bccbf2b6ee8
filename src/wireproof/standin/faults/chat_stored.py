"""Departures of stored chat completions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_json
from wireproof.standin.wire import Answer, Ask, Serve, json_answer

LIST = "/v1/chat/completions"
ONE = "/v1/chat/completions/"

Edit = Callable[[dict[str, Any]], Any]


def _edited(method: str, ask: Ask, serve: Serve, edit: Edit) -> Answer:
    """`edit` on the answer to this method on one stored completion."""
    answer = serve(ask)
    is_meant = ask.method == method and ask.path.startswith(ONE) and "/" not in ask.path.removeprefix(ONE)
    return edit_json(answer, edit) if is_meant else answer


def _edited_list(ask: Ask, serve: Serve, edit: Edit) -> Answer:
    answer = serve(ask)
    return edit_json(answer, edit) if ask.method == "GET" and ask.path == LIST else answer


@fault("chat.stored.more-missing", breaks="chat.stored.schema")
def more_missing(ask: Ask, serve: Serve) -> Answer:
    """A list without `has_more`."""
    return _edited_list(ask, serve, lambda page: {k: v for k, v in page.items() if k != "has_more"})


@fault("chat.stored.not-kept", breaks="chat.stored.kept")
def not_kept(ask: Ask, serve: Serve) -> Answer:
    """`store` has no effect, and no completion is ever found."""
    return serve(ask.without("store")) if ask.path == LIST and ask.asked.get("store") else serve(ask)


@fault("chat.stored.made-anew", breaks="chat.stored.get")
def made_anew(ask: Ask, serve: Serve) -> Answer:
    """A stored completion says it was created later than it was."""
    return _edited("GET", ask, serve, lambda body: body | {"created": body["created"] + 60})


@fault("chat.stored.metadata-lost", breaks="chat.stored.metadata")
def metadata_lost(ask: Ask, serve: Serve) -> Answer:
    """A stored completion has empty metadata."""
    return _edited("GET", ask, serve, lambda body: body | {"metadata": {}})


@fault("chat.stored.unlisted", breaks="chat.stored.list")
def unlisted(ask: Ask, serve: Serve) -> Answer:
    """The list of stored completions is always empty."""
    bare: dict[str, Any] = {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}
    return _edited_list(ask, serve, lambda _: bare)


@fault("chat.stored.update-ignored", breaks="chat.stored.update")
def update_ignored(ask: Ask, serve: Serve) -> Answer:
    """An update answers 200 and changes nothing."""
    if ask.method == "POST" and ask.path.startswith(ONE):
        return serve(Ask("GET", ask.path, headers=ask.headers))
    return serve(ask)


@fault("chat.stored.update-forgotten", breaks="chat.stored.update-kept")
def update_forgotten(ask: Ask, serve: Serve) -> Answer:
    """An update is told as done, and forgotten."""
    if ask.method != "POST" or not ask.path.startswith(ONE):
        return serve(ask)
    kept = serve(Ask("GET", ask.path, headers=ask.headers))
    return edit_json(kept, lambda body: body | {"metadata": ask.asked.get("metadata")})


@fault("chat.stored.counts-lost", breaks="chat.stored.get")
def counts_lost(ask: Ask, serve: Serve) -> Answer:
    """A stored completion counts its tokens anew, without the prompt."""

    def edit(body: dict[str, Any]) -> None:
        body["usage"] |= {"prompt_tokens": 0, "total_tokens": body["usage"]["completion_tokens"]}

    return _edited("GET", ask, serve, edit)


@fault("chat.stored.listed-otherwise", breaks="chat.stored.list")
def listed_otherwise(ask: Ask, serve: Serve) -> Answer:
    """Items of the list say they were created when they are listed."""
    return _edited_list(
        ask, serve, lambda page: [item.update(created=item["created"] + 60) for item in page["data"]] and None
    )


@fault("chat.stored.deletion-unsaid", breaks="chat.stored.delete")
def deletion_unsaid(ask: Ask, serve: Serve) -> Answer:
    """A deletion is answered without `deleted`."""
    return _edited("DELETE", ask, serve, lambda body: {k: v for k, v in body.items() if k != "deleted"})


@fault("chat.stored.undead", breaks="chat.stored.gone")
def undead(ask: Ask, serve: Serve) -> Answer:
    """A deletion says yes and keeps the completion."""
    if ask.method == "DELETE" and ask.path.startswith(ONE):
        answer = serve(Ask("GET", ask.path, headers=ask.headers))
        id = ask.path.removeprefix(ONE)
        told = json_answer({"object": "chat.completion.deleted", "id": id, "deleted": True})
        return Answer(200, answer.headers, told.body)
    return serve(ask)
