"""Departures of assistants: what is lost of one, changes of too little or too much, deletions that do not delete."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_json
from wireproof.standin.wire import Answer, Ask, Serve

ROOT = "/v1/assistants"
BETA = ("openai-beta", "assistants=v2")

Edit = Callable[[dict[str, Any]], Any]


def _is_one(ask: Ask, *methods: str) -> bool:
    return ask.method in methods and re.fullmatch(f"{ROOT}/[^/]+", ask.path) is not None


def _assistant(ask: Ask, serve: Serve, edit: Edit) -> Answer:
    """`edit` on every assistant, made, read, changed or listed."""

    def every(body: dict[str, Any]) -> None:
        for row in body.get("data", [body]):
            edit(row)

    answer = serve(ask)
    return edit_json(answer, every) if ask.path == ROOT or _is_one(ask, "GET", "POST") else answer


@fault("assistants.object-old", breaks="assistants.schema")
def the_object_is_another(ask: Ask, serve: Serve) -> Answer:
    """An assistant has `object: "agent"`."""
    return _assistant(ask, serve, lambda row: row.update(object="agent"))


@fault("assistants.instructions-lost", breaks="assistants.echo")
def instructions_are_lost(ask: Ask, serve: Serve) -> Answer:
    """`instructions` are null."""
    return _assistant(ask, serve, lambda row: row.update(instructions=None))


@fault("assistants.toolless", breaks="assistants.tools")
def tools_are_lost(ask: Ask, serve: Serve) -> Answer:
    """An assistant has no tools."""
    return _assistant(ask, serve, lambda row: row.update(tools=[]))


@fault("assistants.created-ms", breaks="assistants.created")
def created_in_milliseconds(ask: Ask, serve: Serve) -> Answer:
    """`created_at` is in milliseconds."""
    return _assistant(ask, serve, lambda row: row.update(created_at=row["created_at"] * 1000))


@fault("assistants.update-ignored", breaks="assistants.update")
def changes_have_no_effect(ask: Ask, serve: Serve) -> Answer:
    """A change is answered with the assistant as it was."""
    return serve(replace(ask, method="GET", body=b"") if _is_one(ask, "POST") else ask)


@fault("assistants.update-replaces", breaks="assistants.get")
def changes_replace_everything(ask: Ask, serve: Serve) -> Answer:
    """A change takes away what it does not name."""
    return serve(ask.changed(instructions=None, description=None, tools=[]) if _is_one(ask, "POST") else ask)


@fault("assistants.unlisted", breaks="assistants.list")
def assistants_are_not_listed(ask: Ask, serve: Serve) -> Answer:
    """The list of assistants is empty."""
    answer = serve(ask)
    if ask.method != "GET" or ask.path != ROOT:
        return answer
    return edit_json(answer, lambda body: body | {"data": [], "first_id": None, "last_id": None, "has_more": False})


@fault("assistants.beta-optional", breaks="assistants.beta")
def the_header_is_optional(ask: Ask, serve: Serve) -> Answer:
    """A request without the header of the beta is served."""
    has_header = ask.header("openai-beta") is not None
    return serve(ask if has_header or not ask.path.startswith(ROOT) else replace(ask, headers=(*ask.headers, BETA)))


@fault("assistants.deletion-unsaid", breaks="assistants.delete")
def deletions_are_not_said(ask: Ask, serve: Serve) -> Answer:
    """A deletion is answered without `deleted`."""
    answer = serve(ask)
    return edit_json(answer, lambda body: body.pop("deleted") and None) if _is_one(ask, "DELETE") else answer


@fault("assistants.undead", breaks="assistants.gone")
def deletions_do_not_delete(ask: Ask, serve: Serve) -> Answer:
    """A deletion says yes and keeps the assistant."""
    if not _is_one(ask, "DELETE"):
        return serve(ask)
    kept = serve(replace(ask, method="GET"))
    return edit_json(kept, lambda row: {"id": row["id"], "object": "assistant.deleted", "deleted": True})
