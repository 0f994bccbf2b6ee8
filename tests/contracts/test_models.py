"""Clauses of models: the exchange that keeps each, and the nearest one that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from made import answer, clauses_of, outcome_of, verdict_of

from wireproof.clause import Exchange

NAME = "gpt-4.1-mini"
NOW = 1_760_000_000


@pytest.fixture(scope="module")
def models(contract: Callable[[str], ModuleType]) -> ModuleType:
    return contract("models")


def card(id: Any = NAME, **changed: Any) -> dict[str, Any]:
    return {"id": id, "object": "model", "created": 1_744_588_800, "owned_by": "system", **changed}


def listed(*cards: Any, **changed: Any) -> Exchange:
    said = {"object": "list", "data": list(cards), **changed}
    return answer(said, operation="listModels", probe="models.list")


def looked_up(said: Any, status: int = 200, name: str = NAME) -> Exchange:
    path = f"/models/{name}"
    return answer(said, operation="retrieveModel", probe="models.retrieve", status=status, path=path)


def unknown(said: Any, status: int = 404) -> Exchange:
    path = "/models/wireproof-no-such-model"
    return answer(said, operation="retrieveModel", probe="models.unknown", status=status, path=path)


def not_found(**changed: Any) -> dict[str, Any]:
    error = {"message": "It does not exist", "type": "invalid_request_error", "param": "model", **changed}
    return {"error": {"code": "model_not_found", **error}}


LIST = listed(card(), card("text-embedding-3-small"))
PAIRS: dict[str, tuple[str, list[Exchange], list[Exchange]]] = {
    "no owner": ("answers_follow_the_schema", [LIST], [listed({"id": NAME, "object": "model", "created": 1})]),
    "no created": ("answers_follow_the_schema", [LIST], [looked_up({"id": NAME, "object": "model", "owned_by": "me"})]),
    "a bare array": ("answers_follow_the_schema", [LIST], [answer([card()], operation="listModels")]),
    "no object": ("kinds_are_named", [LIST], [answer({"data": [card()]}, operation="listModels")]),
    "a model called list": ("kinds_are_named", [looked_up(card())], [looked_up(card(object="list"))]),
    "milliseconds": ("created_is_in_seconds", [LIST], [listed(card(created=NOW * 1000))]),
    "a fraction": ("created_is_in_seconds", [LIST], [listed(card(created=NOW + 0.5))]),
    "a date to come": ("created_is_in_seconds", [LIST], [listed(card(created=NOW * 2))]),
    "a blank behind a name": ("ids_are_what_requests_name", [LIST], [listed(card(f"{NAME} "))]),
    "a date": ("created_is_in_seconds", [looked_up(card())], [looked_up(card(created="2025-04-14"))]),
    "an empty list": ("some_model_is_listed", [LIST], [listed()]),
    "the same twice": ("each_model_is_listed_once", [LIST], [listed(card(), card())]),
    "a path for a name": ("ids_are_what_requests_name", [LIST], [listed(card(f"models/{NAME}"))]),
    "not listed": ("the_model_in_use_is_listed", [LIST, looked_up(card())], [listed(card("x")), looked_up(card())]),
    "not to be looked up": (
        "a_listed_model_can_be_looked_up",
        [LIST, looked_up(card())],
        [LIST, looked_up(not_found(), 404)],
    ),
    "another model": (
        "a_listed_model_can_be_looked_up",
        [LIST, looked_up(card())],
        [LIST, looked_up(card("default"))],
    ),
    "another owner": (
        "a_model_is_the_same_in_both_places",
        [LIST, looked_up(card())],
        [LIST, looked_up(card(owned_by="me"))],
    ),
    "another birthday": (
        "a_model_is_the_same_in_both_places",
        [listed(card(created=NOW)), looked_up(card(created=NOW + 1))],
        [LIST, looked_up(card(created=NOW))],
    ),
    "an invented model": ("an_unknown_model_is_not_found", [unknown(not_found())], [unknown(card("x"), 200)]),
    "nothing for an unknown model": ("an_unknown_model_is_not_found", [unknown(not_found())], [unknown(b"", 200)]),
    "a 404 of another shape": ("an_unknown_model_is_not_found", [unknown(not_found())], [unknown({"detail": "no"})]),
    "a 404 without code": (
        "an_unknown_model_has_its_code",
        [LIST, unknown(not_found())],
        [LIST, unknown(not_found(code=404))],
    ),
}
LEGAL: dict[str, list[Exchange]] = {
    "plain": [LIST, looked_up(card()), unknown(not_found())],
    "more keys": [listed(card(permission=[]), first_id=NAME), looked_up(card(parent=None)), unknown(not_found())],
    "a dated name": [listed(card(f"{NAME}-2025-04-14"))],
    "a qualified name": [listed(card(f"openai/{NAME}")), looked_up(card())],
    "an alias": [listed(card("mini.gguf", aliases=[NAME])), looked_up(card())],
    "created zero": [listed(card(created=0)), looked_up(card(created=0))],
    "not to be looked up one by one": [LIST, looked_up({}, 405), unknown({}, 405)],
    "throttled": [LIST, looked_up(not_found(), 429), unknown(not_found(), 429)],
}
MALFORMED: dict[str, list[Exchange]] = {
    "text": [answer("x", operation="listModels", probe="models.list"), looked_up([]), unknown("x")],
    "HTML": [answer(b"<p>", operation="listModels", probe="models.list"), looked_up(b""), unknown(b"")],
    "odd kinds": [listed(1, card([]), card(created=None)), looked_up({"id": {}}), unknown({"error": "no"})],
    "a list not served": [answer({}, operation="listModels", probe="models.list", status=404), looked_up(card())],
}


def test_every_clause_has_a_pair(models: ModuleType) -> None:
    assert {one.__name__ for one in clauses_of(models)} == {clause for clause, _, _ in PAIRS.values()}


@pytest.mark.parametrize("case", PAIRS)
def test_a_clause_tells_the_kept_exchange_from_the_broken_one(models: ModuleType, case: str) -> None:
    clause, kept, broken = PAIRS[case]
    assert outcome_of(getattr(models, clause), *kept) == "pass"
    assert outcome_of(getattr(models, clause), *broken) == "fail"


@pytest.mark.parametrize("case", LEGAL)
def test_a_legal_answer_raises_no_finding(models: ModuleType, case: str) -> None:
    for clause in clauses_of(models):
        verdict = verdict_of(clause, *LEGAL[case])
        assert verdict.outcome != "fail", verdict
        assert "the clause itself failed" not in verdict.reason


@pytest.mark.parametrize("case", MALFORMED)
def test_no_clause_stumbles_over_a_malformed_answer(models: ModuleType, case: str) -> None:
    for clause in clauses_of(models):
        assert "the clause itself failed" not in verdict_of(clause, *MALFORMED[case]).reason


def test_a_name_with_a_slash_is_read_from_the_path(models: ModuleType) -> None:
    exchanges = [listed(card("org/small")), looked_up(card("org/small"), name="org%2Fsmall")]
    assert outcome_of(models.a_listed_model_can_be_looked_up, *exchanges) == "pass"


def test_without_a_list_the_404_of_a_lookup_is_that_of_a_path(models: ModuleType) -> None:
    no_route = answer(not_found(code=None), operation="listModels", status=404, probe="models.list")
    for clause in (models.an_unknown_model_has_its_code, models.a_listed_model_can_be_looked_up):
        assert outcome_of(clause, no_route, looked_up(not_found(code=None), 404), unknown(not_found(code=None))) == (
            "not-applicable"
        )
