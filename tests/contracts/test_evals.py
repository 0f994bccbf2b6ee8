"""contracts/evals.py and eval_runs.py: the flow as the stand-in answers it, the nearest departures, the legal ones."""

from __future__ import annotations

import re
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
def evals(contract: Callable[[str], ModuleType]) -> tuple[ModuleType, ...]:
    return contract("evals"), contract("eval_runs")


def test_the_stand_in_keeps_every_clause_and_each_is_judged(evals: tuple[ModuleType, ...]) -> None:
    told = verdicts(lived(LIFE), *evals)
    others = {id: one.outcome for id, one in told.items() if one.outcome != "pass"}
    assert others == {"evals.runs.usage": "not-applicable"}  # no model is asked for anything


def test_no_model_is_asked_by_a_run(evals: tuple[ModuleType, ...]) -> None:
    asked = [exchange.request.asked for exchange in lived(LIFE) if exchange.operation == "createEvalRun"]
    assert [one["data_source"]["type"] for one in asked] == ["jsonl"]
    assert "model" not in str(asked)


def made(**fields: Any) -> Departure:
    """An eval that is made with other fields, answered 200 as everything else is."""

    def depart(ask: Ask, serve: Serve) -> Answer:
        told = serve(ask)
        return replace(told.with_json(told.json | fields), status=200) if told.status == 201 else told

    return depart


RUNS = "/evals/[^/]+/runs"
ITEMS = f"{RUNS}/[^/]+/output_items"


def each(where: str, edit: Callable[[dict[str, Any]], Any]) -> Departure:
    """`edit` on each row of a list, or on the one thing that is served, made (201) or read."""

    def depart(ask: Ask, serve: Serve) -> Answer:
        told = serve(ask)
        path = ask.path.removeprefix("/v1")
        meant = where if " " in where else f"[A-Z]+ {where}(/[^/]+)?"
        if told.status >= 300 or re.fullmatch(meant, f"{ask.method} {path}") is None:
            return told
        body = told.json
        for row in body.get("data", [body]):
            edit(row)
        return told.with_json(body)

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
    "no shape": ("evals.item-schema", made(data_source_config={"type": "custom", "schema": {"properties": 3}})),
    "a run of no name": ("evals.runs.echo", each(RUNS, lambda run: run.update(name=""))),
    "a run refused": ("evals.runs.echo", answered_with(f"POST {RUNS}", 400)),
    "a run of long ago": ("evals.runs.created", each(RUNS, lambda run: run.update(created_at=3))),
    "items of long ago": ("evals.runs.created", each(ITEMS, lambda row: row.update(created_at=3))),
    "a run that comes back": ("evals.runs.moves", each(f"GET {RUNS}", lambda run: run.update(status="in_progress"))),
    "counts that wander": (
        "evals.runs.same",
        each(f"GET {RUNS}", lambda run: run["result_counts"].update(passed=0, failed=2)),
    ),
    "a run not found": ("evals.runs.same", answered_with(f"GET {RUNS}/[^/]+", 404)),
    "no runs": ("evals.runs.list", with_fields(f"GET {RUNS}", data=[])),
    "one lost on the way": (
        "evals.runs.counts",
        each(f"GET {RUNS}.*", lambda run: run.get("result_counts", {}).update(passed=0)),
    ),
    "more than there are": (
        "evals.runs.criteria",
        each(f"GET {RUNS}.*", lambda run: run.update(per_testing_criteria_results=[{"passed": 2, "failed": 1}])),
    ),
    "an error, and completed": (
        "evals.runs.error",
        each(f"GET {RUNS}.*", lambda run: run.update(error={"code": "x", "message": "No."})),
    ),
    "a total of its own": (
        "evals.runs.usage",
        each(
            f"GET {RUNS}.*",
            lambda run: run.update(
                per_model_usage=[{"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 3, "cached_tokens": 0}]
            ),
        ),
    ),
    "all pass": (
        "evals.runs.verdict",
        each(f"GET {RUNS}.*", lambda run: run.get("result_counts", {}).update(passed=2, failed=0)),
    ),
    "an item lost": ("evals.items.whole", edited(f"GET {ITEMS}", lambda body: body | {"data": body["data"][:1]})),
    "items of another run": ("evals.items.whole", each(ITEMS, lambda row: row.update(run_id="evalrun_0"))),
    "passed, with a failure": ("evals.items.results", each(ITEMS, lambda row: row.update(status="pass"))),
    "the wrong one passes": (
        "evals.items.verdict",
        each(ITEMS, lambda row: [one.update(passed=not one["passed"]) for one in row.get("results", ())]),
    ),
    "a criterion of another name": (
        "evals.items.verdict",
        each(ITEMS, lambda row: [one.update(name="grader") for one in row.get("results", ())]),
    ),
    "a filter of nothing": ("evals.items.filter", lambda ask, serve: serve(replace(ask, query=()))),
    "an item not found": ("evals.items.get", answered_with(f"GET {ITEMS}/[^/]+", 404)),
    "deleted, it says not": ("evals.runs.gone", with_fields(f"DELETE {RUNS}/[^/]+", deleted=False)),
    "400 for what is gone": (
        "evals.gone",
        lambda ask, serve: replace(told, status=400) if (told := serve(ask)).status == 404 else told,
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_departure_breaks_its_clause(evals: tuple[ModuleType, ...], name: str) -> None:
    clause, departure = BROKEN[name]
    assert clause in findings(lived(LIFE, departure), *evals)


def test_every_clause_has_a_departure(evals: tuple[ModuleType, ...]) -> None:
    shown = {clause for clause, _ in BROKEN.values()} | {fault.breaks for fault in all_faults().values()}
    assert {one.clause.id for one in clauses_of(*evals)} - shown == set()


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
    "no runs": answered_with(f"POST {RUNS}", 404),
    "runs not implemented": answered_with(f"POST {RUNS}", 501),
    "200 for what was run": lambda ask, serve: (
        replace(told, status=200) if (told := serve(ask)).status == 201 else told
    ),
    "no error, by null": each(RUNS, lambda run: run.update(error=None) if "error" in run else None),
    "a run that tells its criteria by their ids": each(
        RUNS,
        lambda run: [
            one.update(testing_criteria="String check-4f2a") for one in run.get("per_testing_criteria_results", ())
        ],
    ),
    "names with a number behind": each(
        ITEMS, lambda row: [one.update(name=f"{one['name']}-4f2a") for one in row.get("results", ())]
    ),
    "scores as whole numbers": each(
        ITEMS, lambda row: [one.update(score=int(one["score"])) for one in row.get("results", ())]
    ),
    "a total from the beginning": each(
        RUNS, lambda run: run["result_counts"].update(total=2) if run.get("status") == "queued" else None
    ),
    "items that start at one": each(
        ITEMS, lambda row: row.update(datasource_item_id=row["datasource_item_id"] + 1) if "results" in row else None
    ),
    "items in another order": edited(
        f"GET {ITEMS}",
        lambda body: body | {"data": body["data"][::-1], "first_id": body["last_id"], "last_id": body["first_id"]},
    ),
    "runs that cannot be judged": each(
        RUNS,
        lambda run: (
            run.update(
                status="failed",
                error={"code": "x", "message": "No."},
                result_counts={"total": 2, "errored": 2, "passed": 0, "failed": 0},
            )
            if run.get("status") == "completed"
            else None
        ),
    ),
    "a deletion of few words": lambda ask, serve: (
        told.with_json({})
        if (told := serve(ask)).status == 200 and ask.method == "DELETE" and "/runs/" in ask.path
        else told
    ),
    "422 for mistakes": lambda ask, serve: replace(told, status=422) if (told := serve(ask)).status == 400 else told,
}


@pytest.mark.parametrize("name", LEGAL)
def test_a_legal_departure_breaks_nothing(evals: tuple[ModuleType, ...], name: str) -> None:
    assert findings(lived(LIFE, LEGAL[name]), *evals) == {}


def test_runs_are_judged_where_traffic_shows_them(evals: tuple[ModuleType, ...]) -> None:
    run: dict[str, Any] = {
        "id": "evalrun_1", "object": "eval.run", "eval_id": "eval_1", "created_at": 1_760_000_000, "status": "queued",
        "name": "r", "model": "m", "metadata": {}, "report_url": "https://example.com/r", "per_model_usage": [],
        "data_source": {"type": "jsonl", "source": {"type": "file_id", "id": "file-1"}}, "error": None,
        "result_counts": {"total": 0, "errored": 0, "failed": 0, "passed": 0}, "per_testing_criteria_results": [],
    }  # fmt: skip
    clause = evals[0].answers_follow_the_schema
    assert outcome_of(clause, answer(run, operation="getEvalRun")) == "pass"
    assert outcome_of(clause, answer(run | {"status": "cancelled"}, operation="getEvalRun")) == "fail"
    assert outcome_of(clause, answer(run | {"result_counts": None}, operation="cancelEvalRun")) == "fail"


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_backend_without_evals_is_asked_once_and_breaks_nothing(evals: tuple[ModuleType, ...], status: int) -> None:
    exchanges = lived(LIFE, answered_with(".*", status))
    assert len(exchanges) == 1
    assert {one.outcome for one in verdicts(exchanges, *evals).values()} == {"not-applicable"}


@pytest.mark.parametrize("step", range(19))
def test_no_clause_stumbles_over_nonsense(evals: tuple[ModuleType, ...], step: int) -> None:
    for body in (NONSENSE[step % len(NONSENSE)], NONSENSE[-1 - step % 3]):
        told = verdicts(lived(LIFE, nonsense_at(step, body)), *evals)
        assert [one.reason for one in told.values() if "the clause itself failed" in one.reason] == []


@pytest.mark.parametrize("pace", [0.05, 0.3, 4.0, 10_000.0])
def test_no_pace_of_lives_breaks_anything(evals: tuple[ModuleType, ...], pace: float) -> None:
    assert findings(lived(LIFE, pace=pace), *evals) == {}
