"""Clauses of the list of models that is asked for again: what keeps each, and the nearest that breaks it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from made import answer, clauses_of, outcome_of, verdict_of

from wireproof.clause import Call, Exchange

NOW = 1_760_000_000
SLASHED = "org/small:free"


@pytest.fixture(scope="module")
def again(contract: Callable[[str], ModuleType]) -> ModuleType:
    return contract("models_again")


def card(id: Any, **changed: Any) -> dict[str, Any]:
    return {"id": id, "object": "model", "created": NOW - 1000, "owned_by": "system", **changed}


def listed(*cards: Any, probe: str = "models.again", status: int = 200) -> Exchange:
    said = {"object": "list", "data": list(cards)}
    return answer(said, operation="listModels", probe=probe, status=status)


def found(said: Any, name: str = "small", status: int = 200) -> Exchange:
    path = f"/models/{name}"
    return answer(said, operation="retrieveModel", probe="models.again", step=1, path=path, status=status)


ONCE = listed(card("large"), card("small"), probe="models.list")
TWICE = listed(card("large"), card("small"))
KEPT: dict[str, Sequence[Exchange]] = {
    "the_list_stays_as_it_is": (ONCE, TWICE),
    "created_does_not_run": (ONCE, TWICE),
    "any_listed_model_is_found": (TWICE, found(card("small"))),
}
BROKEN: dict[str, tuple[str, Sequence[Exchange]]] = {
    "one gone": ("the_list_stays_as_it_is", (ONCE, listed(card("large")))),
    "one more": ("the_list_stays_as_it_is", (ONCE, listed(card("large"), card("small"), card("tiny")))),
    "the time of the answer": (
        "created_does_not_run",
        (
            listed(card("small", created=NOW), probe="models.list"),
            listed(card("small", created=NOW + 2)),
        ),
    ),
    "another owner": ("created_does_not_run", (ONCE, listed(card("large"), card("small", owned_by="me")))),
    "not found": ("any_listed_model_is_found", (TWICE, found({"error": {"message": "no"}}, status=404))),
    "a server error": ("any_listed_model_is_found", (TWICE, found({"error": {"message": "no"}}, status=500))),
    "another one": ("any_listed_model_is_found", (TWICE, found(card("large")))),
    "a name as the path has it": (
        "any_listed_model_is_found",
        (TWICE, found(card("org%2Fsmall:free"), "org%2Fsmall:free")),
    ),
}


def test_every_clause_has_a_pair(again: ModuleType) -> None:
    assert {one.__name__ for one in clauses_of(again)} == {clause for clause, _ in BROKEN.values()} == set(KEPT)


@pytest.mark.parametrize("case", BROKEN)
def test_a_clause_tells_the_kept_list_from_the_broken_one(again: ModuleType, case: str) -> None:
    clause, broken = BROKEN[case]
    assert outcome_of(getattr(again, clause), *KEPT[clause]) == "pass"
    assert outcome_of(getattr(again, clause), *broken) == "fail"


LEGAL: dict[str, Sequence[Exchange]] = {
    "another order": (ONCE, listed(card("small"), card("large"))),
    "one that was made since": (ONCE, listed(card("large"), card("small"), card("ft:small:me::1", created=NOW + 1))),
    "more told of each": (ONCE, listed(card("small", root="x"), card("large", max_model_len=4096))),
    "no time of creation": (listed({"id": "small"}, probe="models.list"), listed({"id": "small"})),
    "no list": (listed(status=404, probe="models.list"), listed(status=404)),
    "an empty list": (listed(probe="models.list"), listed()),
    "no lookup": (TWICE, found({}, status=501)),
    "a lookup that is not allowed": (TWICE, found({}, status=405)),
    "a model of others": (TWICE, found({"error": {"message": "no"}}, status=403)),
    "throttled": (TWICE, found({}, status=429)),
    "a slash in a name": (listed(card(SLASHED)), found(card(SLASHED), "org%2Fsmall:free")),
    "rows of no kind": (listed(1, None, card(5), probe="models.list"), listed("small")),
}


@pytest.mark.parametrize("case", LEGAL)
def test_a_legal_answer_raises_no_finding(again: ModuleType, case: str) -> None:
    for clause in clauses_of(again):
        verdict = verdict_of(clause, *LEGAL[case])
        assert verdict.outcome != "fail", verdict
        assert "the clause itself failed" not in verdict.reason


def test_a_recording_that_does_not_tell_when_says_nothing(again: ModuleType) -> None:
    apart = [replace(one, lacks=frozenset({"clock"})) for one in BROKEN["one gone"][1]]
    assert outcome_of(again.the_list_stays_as_it_is, *apart) == "not-applicable"


@pytest.mark.parametrize(
    ("names", "path"),
    [
        (["a", "b"], "/models/b"),
        (["a", SLASHED, "b"], "/models/org%2Fsmall:free"),
        (["é 1", "b"], "/models/%C3%A9%201"),
    ],
)
def test_the_oddest_name_is_looked_up(again: ModuleType, names: list[str], path: str) -> None:
    going = again.the_list_again.run()
    first: Call = next(going)
    assert (first.path, first.after_s) == ("/models", again.AFTER_S)
    assert going.send(listed(*map(card, names))).path == path


def test_without_a_list_nothing_is_looked_up(again: ModuleType) -> None:
    for said in (listed(status=404), listed(), answer(b"<p>", operation="listModels")):
        going = again.the_list_again.run()
        next(going)
        with suppress(StopIteration):
            raise AssertionError(going.send(said))
