"""contracts/evals.py: the flow as the stand-in answers it, the nearest departures, the legal ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from lives import NONSENSE, answered_with, edited, findings, lived, nonsense_at, verdicts, with_fields, without
from made import answer, clauses_of, outcome_of

from wireproof.standin.faults import Departure, all_faults
from wireproof.standin.wire import Answer, Ask, Serve

LIFE = "evals.life"
ONE = "(GET|POST) /evals/[^/]+"


@pytest.fixture(scope="module")
def evals(contract: Callable[[str], ModuleType]) -> ModuleType:
    return contract("evals")


def test_the_stand_in_keeps_every_clause_and_each_is_judged(evals: ModuleType) -> None:
    told = verdicts(lived(LIFE), evals)
    assert {id: (one.outcome, one.reason) for id, one in told.items() if one.outcome != "pass"} == {}


def made(**fields: Any) -> Departure:
    """An eval that is made with other fields, answered 200 as everything else is."""

    def depart(ask: Ask, serve: Serve) -> Answer:
        told = serve(ask)
        return replace(told.with_json(told.json | fields), status=200) if told.status == 201 else told

    return depart


BROKEN: dict[str, tuple[str, Departure]] = {
    "no criteria told": ("evals.schema", without("GET /evals/[^/]+", "testing_criteria")),
    "another name": ("evals.echo", made(name="eval")),
    "another source": ("evals.echo", made(data_source_config={"type": "logs", "schema": {}})),
    "criteria twice": ("evals.criteria", made(testing_criteria=[{"type": "string_check"}] * 2)),
    "a time as text": ("evals.created", made(created_at="2026-11-26T12:00:00Z")),
    "a change refused": ("evals.update", answered_with("POST /evals/[^/]+", 400)),
    "a change forgotten": ("evals.update", with_fields("GET /evals/[^/]+", name="wireproof")),
    "not found at once": ("evals.get", answered_with("GET /evals/[^/]+", 404)),
    "a list refused": ("evals.list", answered_with("GET /evals", 500)),
    "a crash for what is missing": (
        "evals.incomplete",
        lambda ask, serve: replace(told, status=500) if (told := serve(ask)).status == 400 else told,
    ),
    "deleted, it says in words": ("evals.delete", with_fields("DELETE /evals/.*", deleted="yes")),
    "400 for what is gone": (
        "evals.gone",
        lambda ask, serve: replace(told, status=400) if (told := serve(ask)).status == 404 else told,
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_departure_breaks_its_clause(evals: ModuleType, name: str) -> None:
    clause, departure = BROKEN[name]
    assert clause in findings(lived(LIFE, departure), evals)


def test_every_clause_has_a_departure(evals: ModuleType) -> None:
    shown = {clause for clause, _ in BROKEN.values()} | {fault.breaks for fault in all_faults().values()}
    assert {one.clause.id for one in clauses_of(evals)} - shown == set()


def with_grader_ids(ask: Ask, serve: Serve) -> Answer:
    """Criteria get ids of their own when they are kept."""
    told = serve(ask)
    return replace(told, body=told.body.replace(b'"type": "string_check"', b'"id": "g-1", "type": "string_check"'))


LEGAL: dict[str, Departure] = {
    "200 for what was made": made(),
    "more keys": edited(ONE, lambda row: row | {"created_by": "wireproof", "shared_with_openai": False}),
    "criteria with ids": with_grader_ids,
    "closed for new ones": answered_with("POST /evals", 410),
    "no lists": answered_with("GET /evals", 501),
    "no changes": answered_with("POST /evals/[^/]+", 405),
    "422 for mistakes": lambda ask, serve: replace(told, status=422) if (told := serve(ask)).status == 400 else told,
}


@pytest.mark.parametrize("name", LEGAL)
def test_a_legal_departure_breaks_nothing(evals: ModuleType, name: str) -> None:
    assert findings(lived(LIFE, LEGAL[name]), evals) == {}


def test_runs_are_judged_where_traffic_shows_them(evals: ModuleType) -> None:
    run: dict[str, Any] = {
        "id": "evalrun_1", "object": "eval.run", "eval_id": "eval_1", "created_at": 1_760_000_000, "status": "queued",
        "name": "r", "model": "m", "metadata": {}, "report_url": "https://example.com/r", "per_model_usage": [],
        "data_source": {"type": "jsonl", "source": {"type": "file_id", "id": "file-1"}}, "error": None,
        "result_counts": {"total": 0, "errored": 0, "failed": 0, "passed": 0}, "per_testing_criteria_results": [],
    }  # fmt: skip
    clause = evals.answers_follow_the_schema
    assert outcome_of(clause, answer(run, operation="getEvalRun")) == "pass"
    assert outcome_of(clause, answer(run | {"status": "cancelled"}, operation="getEvalRun")) == "fail"
    assert outcome_of(clause, answer(run | {"result_counts": None}, operation="cancelEvalRun")) == "fail"


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_backend_without_evals_is_asked_once_and_breaks_nothing(evals: ModuleType, status: int) -> None:
    exchanges = lived(LIFE, answered_with(".*", status))
    assert len(exchanges) == 1
    assert {one.outcome for one in verdicts(exchanges, evals).values()} == {"not-applicable"}


@pytest.mark.parametrize("step", range(7))
def test_no_clause_stumbles_over_nonsense(evals: ModuleType, step: int) -> None:
    for body in (NONSENSE[step % len(NONSENSE)], NONSENSE[-1 - step % 3]):
        told = verdicts(lived(LIFE, nonsense_at(step, body)), evals)
        assert [one.reason for one in told.values() if "the clause itself failed" in one.reason] == []
