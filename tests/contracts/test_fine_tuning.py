"""contracts/fine_tuning*.py: the flow as the stand-in answers it, and jobs of others as they stand in any journal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from lives import NONSENSE, answered_with, edited, findings, lived, nonsense_at, verdicts, with_fields, without
from made import answer, clauses_of, outcome_of

from wireproof.clause import Exchange
from wireproof.standin.faults import Departure, all_faults
from wireproof.standin.wire import Answer, Ask, Serve

LIFE = "fine-tuning.life"
JOBS = "/fine_tuning/jobs"
MADE, READ, LIST, EVENTS = f"POST {JOBS}", f"GET {JOBS}/[^/]+", f"GET {JOBS}", f"GET {JOBS}/.*/events"
CANCEL = f"POST {JOBS}/.*/cancel"
CHECKPOINTS = f"GET {JOBS}/.*/checkpoints"


@pytest.fixture(scope="module")
def tuning(contract: Callable[[str], ModuleType]) -> tuple[ModuleType, ...]:
    return tuple(contract(f"fine_tuning{more}") for more in ("", "_ends", "_events"))


def named(tuning: tuple[ModuleType, ...], clause: str) -> Any:
    return next(getattr(one, clause) for one in tuning if hasattr(one, clause))


def test_the_stand_in_keeps_every_clause_it_gives_evidence_of(tuning: tuple[ModuleType, ...]) -> None:
    told = verdicts(lived(LIFE), *tuning)
    others = {id: one.outcome for id, one in told.items() if one.outcome != "pass"}
    # No job of the flow can succeed.
    assert others == {"fine-tuning.model": "not-applicable", "fine-tuning.tokens": "not-applicable"}


def test_no_job_that_could_train_is_sent(tuning: tuple[ModuleType, ...]) -> None:
    files = [exchange for exchange in lived(LIFE) if exchange.operation == "createFile"]
    assert len(files) == 1
    assert b"messages" not in files[0].request.body and b"prompt" not in files[0].request.body


BROKEN: dict[str, tuple[str, Departure]] = {
    "the object of old": ("fine-tuning.schema", with_fields(READ, object="fine-tune")),
    "a state of others": ("fine-tuning.schema", with_fields(READ, status="error")),
    "no files": ("fine-tuning.schema", without(READ, "result_files")),
    "events of no kind": (
        "fine-tuning.schema",
        edited(EVENTS, lambda body: body | {"data": [row | {"object": "event"} for row in body["data"]]}),
    ),
    "labels lost": ("fine-tuning.echo", with_fields(MADE, metadata={})),
    "milliseconds": ("fine-tuning.created", edited(MADE, lambda job: job | {"created_at": job["created_at"] * 1000})),
    "cancelled, and going on": ("fine-tuning.moves", edited(LIST, lambda body: body | {"data": [
        job | {"status": "running"} for job in body["data"]]})),
    "another model": ("fine-tuning.same", with_fields(READ, model="other")),
    "not found at once": ("fine-tuning.same", answered_with(READ, 404)),
    "a list without": ("fine-tuning.list", with_fields(LIST, data=[], has_more=False)),
    "a list refused": ("fine-tuning.list", lambda ask, serve: (
        replace(told, status=500) if (told := serve(ask)).status == 200 and ask.method == "GET"
        and ask.path.endswith("/jobs") and b"cancelled" in told.body else told)),
    "events turned": ("fine-tuning.newest-first", edited(EVENTS, lambda b: b | {"data": b["data"][::-1]})),
    "cancelling without end": ("fine-tuning.cancel", with_fields(CANCEL, status="queued")),
    "a cancellation refused": ("fine-tuning.cancel", answered_with(CANCEL, 400)),
    "a cancellation crashes": ("fine-tuning.cancel", answered_with(CANCEL, 500)),
    "failed, and no word": ("fine-tuning.error", with_fields(READ, error={"code": "x", "message": "", "param": None})),
    "ended before it began": ("fine-tuning.finished", with_fields(MADE, finished_at=1_795_000_000)),
    "a model at once": ("fine-tuning.model-early", with_fields(MADE, fine_tuned_model="ft:x")),
    "no events": ("fine-tuning.events", with_fields(EVENTS, data=[])),
    "events refused": ("fine-tuning.events", answered_with(EVENTS, 404)),
    "events alike": (
        "fine-tuning.events",
        edited(EVENTS, lambda body: body | {"data": [row | {"id": "e"} for row in body["data"]]}),
    ),
    "400 for what there is not": ("fine-tuning.unknown", answered_with(f"GET {JOBS}/ftjob-wire.*", 400)),
    "an unknown file taken": ("fine-tuning.unknown-file", lambda ask, serve: (
        replace(told, status=200).with_json({"id": "ftjob-1"}) if (told := serve(ask)).status == 400 else told)),
    "epochs of its own": ("fine-tuning.hyperparameters", edited(MADE, lambda job: job | {
        "hyperparameters": {"n_epochs": 9}})),
    "another is read": ("fine-tuning.same", with_fields(READ, id="ftjob-0")),
    "a crash for what has ended": ("fine-tuning.steered", lambda ask, serve: (
        replace(told, status=500) if (told := serve(ask)).status == 400 and ask.path.endswith("/pause") else told)),
    "going on after all": ("fine-tuning.steered", answered_with(
        f"POST {JOBS}/.*/pause", 200, b'{"id": "ftjob-0", "status": "running"}')),
    "a crash for what there is not": ("fine-tuning.unknown", answered_with(f"POST {JOBS}/ftjob-wire.*/cancel", 500)),
    "no code": ("fine-tuning.error-code", with_fields(READ, error={"message": "Too few", "code": None})),
    "an error at once": ("fine-tuning.error-early", with_fields(MADE, error={"message": "Wait", "code": "x"})),
    "an end that wanders": ("fine-tuning.settled", edited(LIST, lambda body: body | {"data": [
        job | {"finished_at": 1_795_000_900} for job in body["data"]]})),
    "an end before the beginning": ("fine-tuning.times", with_fields(CANCEL, finished_at=1)),
    "billed at once": ("fine-tuning.tokens-early", with_fields(MADE, trained_tokens=3)),
    "a model of nothing": ("fine-tuning.useless-file", with_fields(READ, fine_tuned_model="ft:x")),
    "events of always other names": ("fine-tuning.events-kept", lambda ask, serve: edited(EVENTS, lambda body: body | {
        "data": [row | {"id": f"e{ask.query}{at}"} for at, row in enumerate(body["data"])]})(ask, serve)),
    "events before the job": ("fine-tuning.created", edited(EVENTS, lambda body: body | {
        "data": [row | {"created_at": row["created_at"] - 60} for row in body["data"]]})),
    "nothing happened to nothing": ("fine-tuning.unknown-events", answered_with(
        f"GET {JOBS}/ftjob-wire.*/events", 200, b'{"object": "list", "data": [], "has_more": false}')),
    "checkpoints of a failure": ("fine-tuning.checkpoints", with_fields(CHECKPOINTS, data=[
        {"id": "ftckpt_1", "fine_tuning_job_id": "ftjob-0"}])),
    "checkpoints that crash": ("fine-tuning.checkpoints", answered_with(CHECKPOINTS, 500)),
    "nothing named": ("fine-tuning.unknown-file-param", answered_with(MADE, 400)),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_departure_breaks_its_clause(tuning: tuple[ModuleType, ...], name: str) -> None:
    clause, departure = BROKEN[name]
    assert clause in findings(lived(LIFE, departure), *tuning)


def test_every_clause_has_a_departure(tuning: tuple[ModuleType, ...]) -> None:
    shown = {clause for clause, _ in BROKEN.values()} | {fault.breaks for fault in all_faults().values()}
    assert {one.clause.id for one in clauses_of(*tuning)} - shown == set()


# ------------------------------------------------------------------------------------------------ controls


def each_job(change: Callable[[dict[str, Any]], Any]) -> Departure:
    def edit(body: dict[str, Any]) -> None:
        for row in body.get("data", [body]):
            change(row)

    return edited(f"(GET|POST) {JOBS}(/[^/]+(/cancel)?)?", edit)


def only_listing(ask: Ask, serve: Serve) -> Answer:
    return answered_with(f"POST {JOBS}", 403)(ask, serve)


def cancelled_alike(ask: Ask, serve: Serve) -> Answer:
    """Who cancels a job a second time is told how it stands."""
    told = serve(ask)
    path, is_cancel = ask.path.removesuffix("/cancel"), ask.path.endswith("/cancel")
    return serve(replace(ask, method="GET", path=path)) if is_cancel and told.status == 400 else told


LEGAL: dict[str, Departure] = {
    "more keys": each_job(lambda job: job.update(user_provided_suffix=None, x_vendor=1)),
    "no optional keys": each_job(
        lambda job: [job.pop(name, None) for name in ("estimated_finish", "method", "integrations")] and None
    ),
    "an empty error where there is none": each_job(lambda job: job.update(error={}) if not job["error"] else None),
    "no time for an end without success": each_job(lambda job: job.update(finished_at=None)),
    "auto where nothing was asked": each_job(lambda job: job["hyperparameters"].update(batch_size="auto")),
    "told once": each_job(lambda job: job.pop("method", None) and None),
    "told in the newer words": each_job(lambda job: job["hyperparameters"].clear()),
    "cancelled twice, alike": cancelled_alike,
    "no pause": answered_with(f"POST {JOBS}/.*/pause", 404),
    "no checkpoints": answered_with(CHECKPOINTS, 404),
    "an empty error with its keys": each_job(
        lambda job: job["error"] or job.update(error={"code": None, "message": None, "param": None})
    ),
    "no code, but a number": each_job(lambda job: job["error"] and job["error"].update(code=400)),
    "no estimate": each_job(lambda job: job.update(estimated_finish=0)),
    "400 for the events of what there is not": answered_with(f"GET {JOBS}/ftjob-wire.*/events", 400),
    "owners by another name": each_job(lambda job: job.update(organization_id="")),
    "null results": each_job(lambda job: job.update(trained_tokens=None, fine_tuned_model=None)),
    "no events": answered_with(EVENTS, 501),
    "no cancellation": answered_with(CANCEL, 405),
    "no jobs for this model": only_listing,
    "no files at all": answered_with("POST /files", 501),
    "no files of this kind": answered_with("POST /files", 400),
    "404 for an unknown file": lambda ask, serve: (
        replace(told, status=404) if (told := serve(ask)).status == 400 and ask.path.endswith("/jobs") else told
    ),
    "events of one second in any order": edited(
        EVENTS, lambda body: body | {"data": [row | {"created_at": 1_795_000_001} for row in body["data"][::-1]]}
    ),
}


@pytest.mark.parametrize("name", LEGAL)
def test_a_legal_departure_breaks_nothing(tuning: tuple[ModuleType, ...], name: str) -> None:
    assert findings(lived(LIFE, LEGAL[name]), *tuning) == {}


@pytest.mark.parametrize("pace", [0.05, 0.5, 4.0, 10_000.0])
def test_no_pace_of_lives_breaks_anything(tuning: tuple[ModuleType, ...], pace: float) -> None:
    assert findings(lived(LIFE, pace=pace), *tuning) == {}


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_backend_without_jobs_is_asked_once_and_breaks_nothing(tuning: tuple[ModuleType, ...], status: int) -> None:
    exchanges = lived(LIFE, answered_with(".*", status))
    assert len(exchanges) == 1
    assert {one.outcome for one in verdicts(exchanges, *tuning).values()} == {"not-applicable"}


@pytest.mark.parametrize("step", range(21))
def test_no_clause_stumbles_over_nonsense(tuning: tuple[ModuleType, ...], step: int) -> None:
    for body in (NONSENSE[step % len(NONSENSE)], NONSENSE[-1 - step % 3]):
        told = verdicts(lived(LIFE, nonsense_at(step, body)), *tuning)
        assert [one.reason for one in told.values() if "the clause itself failed" in one.reason] == []


# -------------------------------------------------------------------------------- jobs of others, as they are listed

DONE: dict[str, Any] = {
    "id": "ftjob-1", "object": "fine_tuning.job", "created_at": 1_760_000_000, "finished_at": 1_760_000_900,
    "status": "succeeded", "error": None, "model": "gpt-4o-mini-2024-07-18",
    "fine_tuned_model": "ft:gpt-4o-mini:acme::1", "training_file": "file-1", "validation_file": None,
    "result_files": ["file-2"], "trained_tokens": 5_000, "hyperparameters": {"n_epochs": 3}, "seed": 1,
    "organization_id": "org-acme",
}  # fmt: skip


def read(**fields: Any) -> Exchange:
    return answer(DONE | fields, operation="retrieveFineTuningJob", method="GET", path=f"{JOBS}/ftjob-1")


def listing(*jobs: dict[str, Any]) -> Exchange:
    body = {"object": "list", "data": list(jobs), "has_more": False}
    return answer(body, operation="listPaginatedFineTuningJobs", method="GET", path=JOBS)


RUNNING = {"status": "running", "finished_at": None, "fine_tuned_model": None, "trained_tokens": None}
FAILED = {
    **RUNNING,
    "status": "failed",
    "error": {"code": "invalid_training_file", "message": "Too few", "param": None},
}
CASES: list[tuple[str, Exchange, str]] = [
    ("answers_follow_the_schema", read(), "pass"),
    ("answers_follow_the_schema", listing(DONE, DONE | FAILED), "pass"),
    ("answers_follow_the_schema", read(**RUNNING, error={}), "pass"),
    ("answers_follow_the_schema", read(status="complete"), "fail"),
    ("a_job_is_finished_at_its_end", read(), "pass"),
    ("a_job_is_finished_at_its_end", read(**RUNNING), "pass"),
    ("a_job_is_finished_at_its_end", read(finished_at=None), "fail"),
    ("a_job_is_finished_at_its_end", read(finished_at=1_759_999_999), "fail"),
    ("a_job_is_finished_at_its_end", read(**RUNNING | {"finished_at": 1_760_000_001}), "fail"),
    ("a_job_is_finished_at_its_end", read(**FAILED), "not-applicable"),
    ("a_job_that_succeeded_names_its_model", read(), "pass"),
    ("a_job_that_succeeded_names_its_model", listing(DONE | RUNNING, DONE), "pass"),
    ("a_job_that_succeeded_names_its_model", listing(DONE | RUNNING, DONE | {"fine_tuned_model": None}), "fail"),
    ("a_job_that_succeeded_names_its_model", read(fine_tuned_model=DONE["model"]), "fail"),
    ("a_job_that_succeeded_names_its_model", read(**FAILED), "not-applicable"),
    ("a_job_under_way_has_no_model", read(**RUNNING), "pass"),
    ("a_job_under_way_has_no_model", read(**RUNNING | {"fine_tuned_model": "ft:x"}), "fail"),
    ("a_job_under_way_has_no_model", read(), "not-applicable"),
    ("trained_tokens_are_counted", read(), "pass"),
    ("trained_tokens_are_counted", read(trained_tokens=None), "fail"),
    ("trained_tokens_are_counted", read(trained_tokens=0), "fail"),
    ("a_failed_job_says_why", read(**FAILED), "pass"),
    ("a_failed_job_says_why", read(**FAILED | {"error": None}), "fail"),
    ("a_failed_job_says_why", read(), "not-applicable"),
    ("lists_are_newest_first", listing(DONE | {"created_at": 1_760_000_100}, DONE), "pass"),
    ("lists_are_newest_first", listing(DONE, DONE | {"created_at": 1_760_000_100}), "fail"),
    ("lists_are_newest_first", listing(DONE, DONE), "not-applicable"),
]


@pytest.mark.parametrize(("name", "exchange", "outcome"), CASES)
def test_a_job_of_others_is_judged(tuning: tuple[ModuleType, ...], name: str, exchange: Exchange, outcome: str) -> None:
    assert outcome_of(named(tuning, name), exchange) == outcome


def test_a_job_does_not_come_back_from_its_end(tuning: tuple[ModuleType, ...]) -> None:
    clause = named(tuning, "a_job_moves_forward")
    states = [read(status="validating_files"), read(**RUNNING), read()]
    assert outcome_of(clause, *states) == "pass"
    assert outcome_of(clause, read(**RUNNING), read(status="queued"), read()) == "pass"  # it was paused
    assert outcome_of(clause, read(), read(**RUNNING)) == "fail"
    assert outcome_of(clause, read()) == "not-applicable"
