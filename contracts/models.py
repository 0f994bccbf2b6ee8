"""Models: the list names what may be asked for, each name once, and each can be looked up."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from wireproof.clause import (
    MODEL,
    Exchange,
    Inconclusive,
    NotApplicable,
    Violation,
    answered,
    clause,
    expect,
    load_spec,
    probe,
    sent,
    shown,
    together,
)

from ._reading import error_of

UNKNOWN = "wireproof-no-such-model"
PROBES = (
    probe("models.list", "GET", "/models", about="every model there is"),
    probe("models.retrieve", "GET", f"/models/{MODEL}", about="the model under test"),
    probe("models.unknown", "GET", f"/models/{UNKNOWN}", about="a model that does not exist", expects="refusal"),
)

NO_ROUTE = (404, 405, 501)
# Said of the operation: of a model it would be a 404.
NOT_SERVED = (405, 501)
NOT_NOW = (401, 403, 429, 502, 503, 504)
# 10^11 seconds is the year 5138; the same number of milliseconds was in March 1973.
MOST_SECONDS = 100_000_000_000
CLOCKS_APART_S = 24 * 3600


# ------------------------------------------------------------------------------------------------ reading


def _cards(exchange: Exchange) -> list[tuple[str, dict[str, Any]]]:
    """The model objects of an answer, each with its JSON Pointer: one, or those of the list."""
    body = exchange.json
    if exchange.operation == "retrieveModel":
        found = [("", body)]
    else:
        data = body.get("data") if isinstance(body, dict) else None
        if not isinstance(data, list):
            raise Inconclusive("`data` is not a list")
        found = [(f"/data/{at}", card) for at, card in enumerate(data)]
    return [(at, card) for at, card in found if isinstance(card, dict)]


def _ids(exchange: Exchange) -> list[str]:
    return [card["id"] for _, card in _cards(exchange) if isinstance(card.get("id"), str)]


def _asked_for(exchange: Exchange) -> str:
    """The model whose card was asked for."""
    return unquote(exchange.request.path.removeprefix("/models/"))


def _listing(exchange: Exchange) -> Exchange:
    """`exchange` when it is an answered list, else the end of the clause."""
    if exchange.status in NO_ROUTE:
        raise NotApplicable(f"the target has no list of models: {exchange.status}")
    if exchange.status is None or not 200 <= exchange.status < 300:
        raise Inconclusive(f"the list was answered {exchange.status}")
    return exchange


def _names(listed: str, model: str) -> bool:
    """Whether a listed id is the model, or the dated or qualified name of it."""
    return listed == model or listed.startswith(f"{model}-") or listed.endswith(f"/{model}")


# --------------------------------------------------------------------------------------------------- form


# Told by clauses of their own, which say more than "const" or "maximum".
OWNED = ("object", "created")


@clause(
    "models.schema",
    level="MUST",
    source="SPEC ListModelsResponse, Model",
    on=answered("listModels", "retrieveModel"),
)
def answers_follow_the_schema(exchange: Exchange) -> None:
    """The list is `{object, data}`, a model is `{id, object, created, owned_by}`, each of the documented type."""
    assert exchange.operation is not None
    schema = load_spec().operations[exchange.operation].answer_schema(200)
    assert schema is not None
    for violation in schema.breaches(exchange.json):
        if not _is_owned(violation):
            expect(False, expected=violation.expected, got=violation.got, at=violation.pointer)


def _is_owned(violation: Violation) -> bool:
    missing = violation.expected.split("'")[1] if violation.keyword == "required" else ""
    return missing == "object" or violation.pointer.rpartition("/")[2] in OWNED


@clause(
    "models.objects",
    level="MUST",
    source="SPEC ListModelsResponse.object, Model.object",
    on=answered("listModels", "retrieveModel"),
)
def kinds_are_named(exchange: Exchange) -> None:
    """The list's `object` is `list`, that of a model is `model`."""
    body = exchange.json
    if exchange.operation == "listModels" and isinstance(body, dict):
        expect(body.get("object") == "list", expected="list", got=body.get("object"), at="/object")
    for at, card in _cards(exchange):
        expect(card.get("object") == "model", expected="model", got=card.get("object"), at=f"{at}/object")


@clause(
    "models.created",
    level="MUST",
    source="SPEC Model.created: Unix seconds",
    on=answered("listModels", "retrieveModel"),
)
def created_is_in_seconds(exchange: Exchange) -> None:
    """`created` is a whole number of seconds since 1970, not milliseconds, a fraction or a date, and is past."""
    latest = MOST_SECONDS if "clock" in exchange.lacks else min(MOST_SECONDS, exchange.started_unix + CLOCKS_APART_S)
    for at, card in _cards(exchange):
        created = card.get("created", 0)  # a key that is missing is the schema's business
        is_seconds = type(created) is int and 0 <= created < latest
        expect(is_seconds, expected="whole Unix seconds, until now", got=created, at=f"{at}/created")


# ----------------------------------------------------------------------------------------------- the list


@clause("models.not-empty", level="MUST", source="SPEC ListModelsResponse.data", on=answered("listModels"))
def some_model_is_listed(exchange: Exchange) -> None:
    """The list names at least one model.

    Clients fill their menus from it and take an empty list for a wrong key.
    """
    body = exchange.json
    data = body.get("data") if isinstance(body, dict) else None
    expect(data != [], expected="at least one model", got="an empty list", at="/data")


@clause("models.unique", level="MUST", source="SPEC Model.id: referenced in requests", on=answered("listModels"))
def each_model_is_listed_once(exchange: Exchange) -> None:
    """No two models of the list have the same `id`."""
    ids = _ids(exchange)
    twice = sorted({name for name in ids if ids.count(name) > 1})
    expect(not twice, expected="each id once", got=f"{', '.join(twice)} more than once", at="/data")


@clause(
    "models.usable-ids",
    level="MUST",
    source="SPEC Model.id: can be referenced in the API endpoints",
    on=answered("listModels"),
)
def ids_are_what_requests_name(exchange: Exchange) -> None:
    """An `id` is the name as requests give it, without a `models/` before it, and without blanks around it."""
    for at, card in _cards(exchange):
        name = card.get("id")
        is_path = isinstance(name, str) and name.startswith(("models/", "/v1/"))
        is_padded = isinstance(name, str) and name != name.strip()
        expect(not is_path and not is_padded, expected="a name for `model`", got=shown(name), at=f"{at}/id")


@clause(
    "models.lists-asked",
    level="SHOULD",
    source="SPEC listModels: the currently available models",
    on=together("models.list", "models.retrieve", status="any"),
)
def the_model_in_use_is_listed(listed: Exchange, retrieved: Exchange) -> None:
    """The model under test is in the list: by its name, a dated or a qualified form of it, or an alias."""
    cards = _cards(_listing(listed))
    if not cards:
        raise NotApplicable("the list is empty")
    model = _asked_for(retrieved)
    aliases = {alias for _, card in cards if isinstance(card.get("aliases"), list) for alias in card["aliases"]}
    ids = _ids(listed)
    is_listed = model in aliases or any(_names(name, model) for name in ids)
    expect(is_listed, expected=f"{model} in the list", got=ids, at=f"{listed.id} /data")


# ------------------------------------------------------------------------------------------------ one model


@clause(
    "models.retrieve",
    level="MUST",
    source="SPEC retrieveModel",
    on=together("models.list", "models.retrieve", status="any"),
)
def a_listed_model_can_be_looked_up(listed: Exchange, retrieved: Exchange) -> None:
    """A model of the list is found at `/models/{id}`, and is the one that was asked for.

    Clients check a configured name this way before its first use, and report it as missing.
    """
    model = _asked_for(retrieved)
    if model not in _ids(_listing(listed)):
        raise NotApplicable(f"{model} is not in the list")
    if retrieved.status in NOT_NOW:
        raise Inconclusive(f"{retrieved.id} was answered {retrieved.status}")
    if retrieved.status in NOT_SERVED:
        raise NotApplicable(f"models are not looked up one by one: {retrieved.status}")
    expect(
        retrieved.status == 200,
        expected=f"200 with the model {model}, which the list names",
        got=f"status {retrieved.status}",
        at=f"{retrieved.id} ",
    )
    body = retrieved.json
    name = body.get("id") if isinstance(body, dict) else None
    expect(name == model, expected=model, got=name, at=f"{retrieved.id} /id")


@clause(
    "models.retrieve-equals",
    level="SHOULD",
    source="SPEC Model, ListModelsResponse.data",
    on=together("models.list", "models.retrieve"),
)
def a_model_is_the_same_in_both_places(listed: Exchange, retrieved: Exchange) -> None:
    """A model that is looked up has the `created` and `owned_by` that the list gives it."""
    model = _asked_for(retrieved)
    twin = next((card for _, card in _cards(listed) if card.get("id") == model), None)
    card = retrieved.json
    if twin is None or not isinstance(card, dict):
        raise NotApplicable(f"{model} is not in the list, or not a JSON object")
    for name in ("owned_by", "created"):
        ours, theirs = card.get(name), twin.get(name)
        if name == "created" and _is_now(ours, retrieved) and _is_now(theirs, listed):
            continue  # a server that stamps its answers; whether the second ticked in between is chance
        expect(ours == theirs, expected=f"{theirs!r} as in the list", got=ours, at=f"{retrieved.id} /{name}")


def _is_now(created: Any, exchange: Exchange) -> bool:
    return isinstance(created, int) and abs(created - exchange.started_unix) < 10


@clause("models.unknown", level="MUST", source="SPEC retrieveModel; CAP-OTEL (404)", on=sent(probes="models.unknown"))
def an_unknown_model_is_not_found(exchange: Exchange) -> None:
    """A model that does not exist is answered 404 with an error, never with an empty or made-up answer.

    A bare `detail` or an HTML page is what web frameworks answer themselves: give their 404 a handler that writes
    `error`.
    """
    if exchange.status in NOT_NOW:
        raise Inconclusive(f"{exchange.id} was answered {exchange.status}")
    if exchange.status in NOT_SERVED:
        raise NotApplicable(f"models are not looked up one by one: {exchange.status}")
    expect(exchange.status == 404, expected="404", got=f"status {exchange.status}")
    error = error_of(exchange)
    is_told = isinstance(error.get("message"), str) and bool(error["message"])
    expect(is_told, expected='{"error": {"message": ...}}', got=exchange.wire[:120].decode("utf-8", "replace"))


@clause(
    "models.unknown-code",
    level="SHOULD",
    source="CAP-OTEL test_chat_404, test_embeddings_404: model_not_found",
    on=together("models.list", "models.unknown", status="any"),
)
def an_unknown_model_has_its_code(listed: Exchange, exchange: Exchange) -> None:
    """The error of an unknown model has the code `model_not_found`.

    A wrong path is a 404 too: only the code tells a client which of the two it made.
    """
    _listing(listed)  # without a list there is no lookup either, and the 404 is that of a path
    if exchange.status != 404:
        raise NotApplicable(f"{exchange.id} was answered {exchange.status}")
    error = error_of(exchange)
    if not error:
        raise Inconclusive("no error object")
    code = error.get("code")
    expect(code == "model_not_found", expected="model_not_found", got=code, at="/error/code")
