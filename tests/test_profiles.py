"""Profiles and levels: which clauses are asked for."""

from __future__ import annotations

from typing import Any

import pytest
from certified import contents_of_contracts

from wireproof.clause import Clause, Evidence, sent
from wireproof.plan import select
from wireproof.profiles import EVERYTHING, in_profiles, reads_all, rung, up_to
from wireproof.spec import load_spec

CATALOGUE = load_spec().catalogue("profiles")
CLAUSES, _ = contents_of_contracts()
MADE: dict[str, Any] = {
    "profiles": {"plain": {"clauses": ["a.*"]}, "rich": {"clauses": ["b.*"]}},
    "levels": {"L0": {"clauses": ["a.door"]}, "L2": {"clauses": ["b.*"]}, "L1": {"clauses": ["*"]}},
}


OF_MODELS = sent("listModels")


def clauses(*ids: str, on: Evidence = OF_MODELS) -> list[Clause]:
    return [Clause(id, "MUST", "A promise.", "SPEC", on, "none", lambda exchange: None) for id in ids]


def ids(found: list[Clause]) -> list[str]:
    return [one.id for one in found]


def test_a_profile_has_its_clauses_and_those_that_none_names() -> None:
    some = clauses("a.one", "b.one", "mine.one")
    assert ids(in_profiles(some, ["plain"], MADE)) == ["a.one", "mine.one"]
    assert ids(in_profiles(some, ["plain", "rich"], MADE)) == ["a.one", "b.one", "mine.one"]
    assert ids(in_profiles(some, [EVERYTHING], MADE)) == ["a.one", "b.one", "mine.one"]


def test_a_law_of_all_traffic_is_in_every_profile() -> None:
    some = [*clauses("a.one"), *clauses("a.law", on=sent())]
    assert ids(in_profiles(some, ["rich"], MADE)) == ["a.law"]


def test_a_level_has_the_rungs_below_too() -> None:
    some = clauses("a.door", "a.one", "b.one")
    assert ids(up_to(some, "L0", MADE)) == ["a.door"]
    assert ids(up_to(some, "L1", MADE)) == ["a.door", "a.one"]
    assert ids(up_to(some, "L2", MADE)) == ["a.door", "a.one", "b.one"]


def test_an_unknown_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="plain, rich"):
        in_profiles([], ["poor"], MADE)
    with pytest.raises(ValueError, match="L0, L1, L2"):
        up_to([], "L9", MADE)


def test_every_clause_is_in_one_profile_or_in_all_and_stands_on_a_rung() -> None:
    names = list(CATALOGUE["profiles"])
    by_name = {name: set(ids(in_profiles(CLAUSES, [name], CATALOGUE))) for name in names}
    for clause in CLAUSES:
        found = [name for name in names if clause.id in by_name[name]]
        assert len(found) == (len(names) if reads_all(clause) else 1), clause.id
        assert rung(clause.id, CATALOGUE) in CATALOGUE["levels"]


def test_every_rung_that_is_judged_today_has_clauses() -> None:
    used = {rung(clause.id, CATALOGUE) for clause in CLAUSES}
    assert {"L0", "L1", "L2", "L3", "L4"} <= used
    assert select(CLAUSES, ["chat.stream"])
