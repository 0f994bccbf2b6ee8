"""Assistants: a model with instructions and tools, kept under an id until it is deleted.

Switched off officially on 2026-08-26, and still served by others: a profile of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    shown,
    steps,
)

from ._life import (
    asked_for,
    expect_gone,
    expect_now,
    expect_same,
    expect_schema,
    expect_turned_down,
    first_made,
    id_of,
    ids_of,
    is_ok,
    rows_of,
    served,
)
from ._reading import as_object, as_objects, maybe_object
from ._threads import asks

LIFE = "assistants.life"
FUNCTION = {"name": "look_up", "parameters": {"type": "object", "properties": {"word": {"type": "string"}}}}
ASKED: dict[str, Any] = {
    "model": MODEL,
    "name": "wireproof",
    "description": "Made by a certification, and deleted by it",
    "instructions": "Answer in one word.",
    "tools": [{"type": "function", "function": FUNCTION}],
    "metadata": {"stage": "made"},
    "temperature": 0.5,
}
CHANGED: dict[str, Any] = {"name": "wireproof renamed", "metadata": {"stage": "changed"}}
KEPT = ("name", "description", "instructions", "metadata", "temperature")


@flow(LIFE, most=7, about="make an assistant, change, list and delete it; nothing is generated", expects="either")
def life_of_an_assistant() -> Flow:
    id = id_of((yield asks("POST", "/assistants", ASKED)))
    if id is None:
        return
    path = f"/assistants/{id}"
    yield asks("POST", path, CHANGED)
    yield asks("GET", path)
    yield asks("GET", "/assistants", order="desc", limit="3")
    yield Call("GET", path)
    yield asks("DELETE", path)
    yield asks("GET", path)


def _assistant(exchanges: Sequence[Exchange]) -> tuple[Exchange, dict[str, Any]]:
    """The assistant as it was made. NotApplicable where there are none."""
    body = first_made(exchanges, "createAssistant", "assistant")
    return next(e for e in exchanges if e.operation == "createAssistant" and is_ok(e)), body


def _has_beta(exchange: Exchange) -> bool:
    return any(name.lower() == "openai-beta" for name, _ in exchange.request.headers)


def _at(path: str) -> Callable[[Exchange], bool]:
    return lambda exchange: exchange.request.path == path and _has_beta(exchange)


@clause(
    "assistants.schema",
    level="MUST",
    source="SPEC AssistantObject, ListAssistantsResponse, DeleteAssistantResponse",
    on=answered("createAssistant", "getAssistant", "modifyAssistant", "listAssistants", "deleteAssistant"),
)
def answers_follow_the_schema(exchange: Exchange) -> None:
    """An assistant has its id, model, name, instructions and tools; lists and deletions are as documented."""
    expect_schema(exchange, "/first_id", "/last_id", "/deleted")


@clause(
    "assistants.echo",
    level="MUST",
    source="SPEC CreateAssistantRequest, AssistantObject",
    on=steps(LIFE),
    fields=("name", "description", "instructions", "metadata", "temperature"),
)
def an_assistant_is_what_was_asked_for(exchanges: list[Exchange]) -> None:
    """An assistant has the name, description, instructions, metadata and temperature that it was made with."""
    exchange, body = _assistant(exchanges)
    expect_same(exchange, body, ASKED, *(name for name in KEPT if name != "temperature" or name in body))


@clause("assistants.tools", level="MUST", source="SPEC AssistantObject.tools", on=steps(LIFE), fields=("tools",))
def tools_are_kept(exchanges: list[Exchange]) -> None:
    """The tools of an assistant are those that it was made with, functions with their name and parameters."""
    exchange, body = _assistant(exchanges)
    tools = as_objects(body.get("tools"))
    told = as_object(tools[0].get("function")) if len(tools) == 1 else {}
    for name, value in FUNCTION.items():
        expect(told.get(name) == value, expected=f"one function with {name} {shown(value)}", got=shown(tools),
               at=f"{exchange.id} /tools")  # fmt: skip


@clause("assistants.created", level="MUST", source="SPEC AssistantObject.created_at: Unix timestamp", on=steps(LIFE))
def assistants_are_created_now(exchanges: list[Exchange]) -> None:
    """`created_at` is the time of making, in whole seconds since 1970."""
    exchange, body = _assistant(exchanges)
    expect_now(exchange, body.get("created_at"), "created_at")


@clause("assistants.update", level="MUST", source="SPEC modifyAssistant", on=steps(LIFE), fields=("name", "metadata"))
def a_change_takes_effect(exchanges: list[Exchange]) -> None:
    """An assistant that is given another `name` and `metadata` has them, in the answer and when it is read again."""
    _, made = _assistant(exchanges)
    change = asked_for(exchanges, "modifyAssistant", _at(f"/assistants/{made.get('id')}"))
    expect_same(change, served(change, "the changed assistant"), CHANGED, "name", "metadata")
    read = asked_for(exchanges, "getAssistant", _at(change.request.path), after=change)
    expect_same(read, served(read, "the changed assistant"), CHANGED, "name", "metadata")


@clause("assistants.get", level="MUST", source="SPEC getAssistant, modifyAssistant", on=steps(LIFE))
def what_is_not_named_stays(exchanges: list[Exchange]) -> None:
    """An assistant reads as it was made, and a change leaves alone what it does not name."""
    _, made = _assistant(exchanges)
    names = ("id", "object", "created_at", "model", "description", "instructions", "tools")
    for operation in ("modifyAssistant", "getAssistant"):
        exchange = asked_for(exchanges, operation, _at(f"/assistants/{made.get('id')}"))
        expect_same(exchange, served(exchange, "the assistant"), made, *names)


@clause("assistants.list", level="MUST", source="SPEC listAssistants", on=steps(LIFE))
def assistants_are_listed(exchanges: list[Exchange]) -> None:
    """An assistant that was made is in the list, as it is read."""
    _, made = _assistant(exchanges)
    exchange = asked_for(exchanges, "listAssistants")
    body, ids = served(exchange, "a list of assistants"), ids_of(exchange)
    if made.get("id") not in ids and body.get("has_more") is True:
        raise Inconclusive("others were made in the meantime")
    expect(made.get("id") in ids, expected=f"{made.get('id')} in the list", got=shown(ids), at=f"{exchange.id} /data")
    read = maybe_object(asked_for(exchanges, "getAssistant", _at(f"/assistants/{made.get('id')}")))
    for row in rows_of(exchange):
        if row.get("id") == read.get("id"):
            expect_same(exchange, row, read, "object", "created_at", "name", "instructions", "tools", "metadata")


@clause("assistants.beta", level="MAY", source="DOCS-0715 OpenAI-Beta: assistants=v2", on=steps(LIFE))
def the_header_of_the_beta_is_required(exchanges: list[Exchange]) -> None:
    """A request without the header `OpenAI-Beta: assistants=v2` is refused, as the official API did.

    Nobody breaks where it is served nevertheless, and several backends do.
    """
    _assistant(exchanges)
    expect_turned_down(asked_for(exchanges, "getAssistant", lambda exchange: not _has_beta(exchange)), 404, 403)


@clause("assistants.delete", level="MUST", source="SPEC DeleteAssistantResponse", on=steps(LIFE))
def a_deletion_says_so(exchanges: list[Exchange]) -> None:
    """A deletion is answered `{id, object: "assistant.deleted", deleted: true}` with the id that was deleted."""
    _, made = _assistant(exchanges)
    exchange = asked_for(exchanges, "deleteAssistant")
    expect_same(exchange, served(exchange, "a deletion"), {"id": made.get("id"), "deleted": True}, "id", "deleted")


@clause("assistants.gone", level="MUST", source="SPEC deleteAssistant, getAssistant", on=steps(LIFE))
def a_deleted_assistant_is_gone(exchanges: list[Exchange]) -> None:
    """A deleted assistant is not found: 404."""
    _assistant(exchanges)
    deletion = asked_for(exchanges, "deleteAssistant")
    if not is_ok(deletion):
        raise NotApplicable(f"nothing was deleted: {deletion.id} was answered {deletion.status}")
    expect_gone(asked_for(exchanges, "getAssistant", _at(deletion.request.path), after=deletion))
