"""The stand-in against the contracts, and the contracts against its faults: each proves the other."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from certified import certified, contents_of_contracts, plan_for, standin_plan

from wireproof.spec import load_spec
from wireproof.standin.faults import Fault, all_faults

FAULTS = list(all_faults().values())
CATALOGUE = load_spec().catalogue("profiles")
# What a certification of one profile may cost, in exchanges.
MOST = {"core": 120, "stateful": 230, "media": 40, "legacy-assistants": 30}
MOST_OTHERWISE = 60


def test_the_stand_in_keeps_every_clause() -> None:
    verdicts = certified().verdicts
    assert {id: v.findings for id, v in verdicts.items() if v.outcome == "fail"} == {}
    assert {id: v.reason for id, v in verdicts.items() if v.outcome == "inconclusive"} == {}


@pytest.mark.parametrize("profile", CATALOGUE["profiles"])
def test_a_profile_fits_in_few_exchanges(profile: str) -> None:
    plan = standin_plan(profiles=[profile])
    assert plan.cost.calls <= MOST.get(profile, MOST_OTHERWISE)
    assert len(certified(plan=plan).exchanges) <= plan.cost.calls


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_a_fault_is_noticed_by_the_clause_it_breaks_and_by_no_stranger(fault: Fault) -> None:
    failing = certified(fault.id, plan=plan_for(fault)).failing
    assert fault.breaks in failing, f"{fault.summary} {sorted(failing)} noticed something, {fault.breaks} did not"
    strangers = {id for id in failing - {fault.breaks} if not any(fnmatchcase(id, glob) for glob in fault.also)}
    assert not strangers, f"{fault.summary} also fails {sorted(strangers)}"


def test_every_clause_has_a_fault_that_breaks_it() -> None:
    clauses, _ = contents_of_contracts()
    proven = {fault.breaks for fault in FAULTS}
    assert {clause.id for clause in clauses} - proven == set()


def test_every_fault_names_a_clause_there_is() -> None:
    clauses, _ = contents_of_contracts()
    assert {fault.breaks for fault in FAULTS} - {clause.id for clause in clauses} == set()


def test_every_clause_names_sources_there_are() -> None:
    tags = set(load_spec().catalogue("sources")["sources"])
    clauses, _ = contents_of_contracts()
    nameless = {clause.id: clause.source for clause in clauses if clause.source.split()[0].strip(",;:") not in tags}
    assert nameless == {}
