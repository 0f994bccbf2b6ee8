"""Departures of `/v1/models`."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_error, edit_json, refused
from wireproof.standin.wire import Answer, Ask, Serve, json_answer

LIST = "/v1/models"
ONE = "/v1/models/"


def _edited_list(ask: Ask, serve: Serve, edit: Callable[[dict[str, Any]], Any]) -> Answer:
    answer = serve(ask)
    return edit_json(answer, edit) if ask.path == LIST else answer


def _edited_cards(ask: Ask, serve: Serve, edit: Callable[[dict[str, Any]], Any]) -> Answer:
    """`edit` on every model object, of the list and of a lookup."""

    def every(body: dict[str, Any]) -> None:
        for card in body.get("data", [body]):
            edit(card)

    answer = serve(ask)
    return edit_json(answer, every) if ask.path == LIST or _is_lookup(ask) else answer


def _is_lookup(ask: Ask) -> bool:
    return ask.method == "GET" and ask.path.startswith(ONE)


@fault("models.owner-missing", breaks="models.schema")
def owner_missing(ask: Ask, serve: Serve) -> Answer:
    """No `owned_by` in a model."""
    return _edited_cards(ask, serve, lambda card: card.pop("owned_by") and None)


@fault("models.object-missing", breaks="models.objects")
def object_missing(ask: Ask, serve: Serve) -> Answer:
    """No `object` in the list."""
    return _edited_list(ask, serve, lambda body: {"data": body["data"]})


@fault("models.created-ms", breaks="models.created")
def created_ms(ask: Ask, serve: Serve) -> Answer:
    """`created` in milliseconds."""
    return _edited_cards(ask, serve, lambda card: card.update(created=card["created"] * 1000))


@fault("models.created-later", breaks="models.created")
def created_later(ask: Ask, serve: Serve) -> Answer:
    """`created` is a date to come."""
    return _edited_cards(ask, serve, lambda card: card.update(created=4_102_444_800))


@fault("models.created-now", breaks="models.created-stable")
def created_now(ask: Ask, serve: Serve) -> Answer:
    """`created` is the time of the answer."""
    if ask.path != LIST and not _is_lookup(ask):
        return serve(ask)
    told = serve(Ask("POST", "/v1/conversations", (), (*ask.headers, ("content-type", "application/json")), b"{}"))
    now = told.json.get("created_at") if told.status == 200 else 0
    return _edited_cards(ask, serve, lambda card: card.update(created=now))


@fault("models.by-turns", breaks="models.stable")
def by_turns(ask: Ask, serve: Serve) -> Answer:
    """Each answer lacks another model, as where replicas answer in turn."""
    answer = serve(ask)
    if ask.path != LIST or answer.status != 200:
        return answer
    chosen = zlib.crc32((answer.header("x-request-id") or "").encode())

    def edit(body: dict[str, Any]) -> None:
        others = body["data"][8:-1]
        body["data"].remove(others[chosen % len(others)])

    return edit_json(answer, edit)


ELSEWHERE = {"id": "team/gpt-4.1-mini", "object": "model", "created": 1_744_588_800, "owned_by": "team"}


@fault("models.ghost", breaks="models.listed-found")
def ghost(ask: Ask, serve: Serve) -> Answer:
    """A model with a slash in its name is listed, and found under no path."""
    return _edited_list(ask, serve, lambda body: body["data"].insert(0, ELSEWHERE))


@fault("models.name-encoded", breaks="models.listed-found")
def name_encoded(ask: Ask, serve: Serve) -> Answer:
    """A lookup of a name with a slash answers with the name as the path has it."""
    if _is_lookup(ask) and ask.path.removeprefix(ONE) in ("team/gpt-4.1-mini", "team%2Fgpt-4.1-mini"):
        return json_answer({**ELSEWHERE, "id": "team%2Fgpt-4.1-mini"}).with_header("x-request-id", "req_encoded")
    return ghost(ask, serve)


@fault("models.id-padded", breaks="models.usable-ids")
def id_padded(ask: Ask, serve: Serve) -> Answer:
    """One of the listed names ends with a blank."""

    def edit(body: dict[str, Any]) -> None:
        body["data"][len(body["data"]) // 2]["id"] += "\t"

    return _edited_list(ask, serve, edit)


@fault("models.empty", breaks="models.not-empty")
def empty(ask: Ask, serve: Serve) -> Answer:
    """A list of no models."""
    return _edited_list(ask, serve, lambda body: body | {"data": []})


@fault("models.listed-twice", breaks="models.unique")
def listed_twice(ask: Ask, serve: Serve) -> Answer:
    """Every model twice."""
    return _edited_list(ask, serve, lambda body: body | {"data": body["data"] * 2})


@fault("models.id-prefixed", breaks="models.usable-ids", also=("models.listed-found",))
def id_prefixed(ask: Ask, serve: Serve) -> Answer:
    """Listed names begin with `models/`."""

    def edit(body: dict[str, Any]) -> None:
        for card in body["data"]:
            card["id"] = f"models/{card['id']}"

    return _edited_list(ask, serve, edit)


@fault("models.unlisted", breaks="models.lists-asked")
def unlisted(ask: Ask, serve: Serve) -> Answer:
    """The default model is served but not listed."""

    def edit(body: dict[str, Any]) -> None:
        default = body["data"][0]["id"]
        body["data"] = [card for card in body["data"] if not card["id"].startswith(default)]

    return _edited_list(ask, serve, edit)


@fault("models.lookup-missing", breaks="models.retrieve", also=("models.listed-found",))
def lookup_missing(ask: Ask, serve: Serve) -> Answer:
    """404 for models that the list names."""
    answer = serve(ask)
    if _is_lookup(ask) and answer.status == 200:
        return refused(answer, "File not found", status=404)
    return answer


@fault("models.lookup-renamed", breaks="models.retrieve")
def lookup_renamed(ask: Ask, serve: Serve) -> Answer:
    """A lookup of the model that is loaded answers with another id than the one asked for."""
    answer = serve(ask)
    is_loaded = _is_lookup(ask) and ask.path == f"{ONE}gpt-4.1-mini"
    return edit_json(answer, lambda card: card | {"id": "default"}) if is_loaded else answer


@fault("models.owner-differs", breaks="models.retrieve-equals")
def owner_differs(ask: Ask, serve: Serve) -> Answer:
    """A lookup names another owner than the list."""
    answer = serve(ask)
    return edit_json(answer, lambda card: card | {"owned_by": "nobody"}) if _is_lookup(ask) else answer


@fault("models.unknown-invented", breaks="models.unknown")
def unknown_invented(ask: Ask, serve: Serve) -> Answer:
    """A made-up model for a name that does not exist."""
    answer = serve(ask)
    if _is_lookup(ask) and answer.status == 404:
        name = ask.path.removeprefix(ONE)
        invented = json_answer({"id": name, "object": "model", "created": 0, "owned_by": "system"})
        return Answer(200, answer.headers, invented.body)
    return answer


@fault("models.unknown-empty", breaks="models.unknown", also=("wire.json",))
def unknown_empty(ask: Ask, serve: Serve) -> Answer:
    """200 and no bytes for a model that does not exist."""
    answer = serve(ask)
    return Answer(200, answer.headers) if _is_lookup(ask) and answer.status == 404 else answer


@fault("models.unknown-codeless", breaks="models.unknown-code")
def unknown_codeless(ask: Ask, serve: Serve) -> Answer:
    """The error of an unknown model has no code."""
    answer = serve(ask)
    return edit_error(answer, lambda body: body["error"].update(code=None)) if _is_lookup(ask) else answer
