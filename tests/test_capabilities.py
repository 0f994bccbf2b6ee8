"""What the head of a report says the model was seen to do."""

from __future__ import annotations

from typing import Any

import pytest
from certified import contents_of_contracts

from wireproof.capabilities import Capability, capabilities
from wireproof.clause import Clause, sent
from wireproof.judge import Finding, Verdict, Where
from wireproof.spec import load_spec

CATALOGUE = load_spec().catalogue("features")
MADE: dict[str, Any] = {"capabilities": {"stop": {"does": "stops", "clauses": ["a.stop", "b.stop"]},
                                         "json": {"does": "writes JSON", "clauses": ["a.json"]}}}  # fmt: skip


def verdict(id: str, *judged: str, broken: tuple[str, ...] = ()) -> Verdict:
    clause = Clause(id, "MUST", "A promise.", "SPEC", sent(), "none", lambda exchange: None)
    findings = tuple(Finding("a", "b", Where(name), "f" * 16) for name in broken)
    return Verdict(clause, "fail" if broken else "pass" if judged else "not-applicable", findings, judged=judged)


def test_exchanges_are_counted_once_however_many_clauses_judge_them() -> None:
    found = capabilities([verdict("a.stop", "x", "y"), verdict("b.stop", "x", "z", broken=("x",))], MADE)
    assert found == [Capability("stop", "stops", 2, 3)]
    assert str(found[0]) == "stops 2 of 3 times"


def test_what_nothing_asked_for_is_not_told() -> None:
    assert capabilities([verdict("a.json"), verdict("c.other", "x")], MADE) == []


@pytest.mark.parametrize("name", CATALOGUE["capabilities"])
def test_a_capability_means_clauses_that_there_are(name: str) -> None:
    ids = {clause.id for clause in contents_of_contracts()[0]}
    assert set(CATALOGUE["capabilities"][name]["clauses"]) <= ids
