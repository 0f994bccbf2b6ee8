"""contracts/threads.py: the flow as the stand-in answers it, the nearest departures, the legal ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

import pytest
from lives import NONSENSE, answered_with, edited, findings, lived, nonsense_at, verdicts, with_fields, without
from made import clauses_of

from wireproof.standin.faults import Departure, all_faults

LIFE = "threads.life"
MADE, THREAD, SAID = "POST /threads", "GET /threads/[^/]+", "POST /threads/[^/]+/messages"
LISTED, MESSAGE = "GET /threads/[^/]+/messages", "GET /threads/[^/]+/messages/[^/]+"


@pytest.fixture(scope="module")
def threads(contract: Callable[[str], ModuleType]) -> ModuleType:
    return contract("threads")


def test_the_stand_in_keeps_every_clause_and_each_is_judged(threads: ModuleType) -> None:
    told = verdicts(lived(LIFE), threads)
    assert {id: (one.outcome, one.reason) for id, one in told.items() if one.outcome != "pass"} == {}


BROKEN: dict[str, tuple[str, Departure]] = {
    "a message without its thread": ("threads.schema", without(MESSAGE, "thread_id")),
    "labels in capitals": ("threads.echo", with_fields(MADE, metadata={"STAGE": "made"})),
    "a time as text": ("threads.times", with_fields(MADE, created_at="2026-11-26T12:00:00Z")),
    "a change forgotten": ("threads.update", with_fields(THREAD, metadata={"stage": "made"})),
    "not found at once": ("threads.get", answered_with(THREAD, 404)),
    "a message refused": ("threads.message", answered_with(SAID, 400)),
    "another thread": ("threads.message", with_fields(SAID, thread_id="thread_other")),
    "of a run": ("threads.message", with_fields(SAID, run_id="run_1")),
    "the oldest first": ("threads.messages", edited(LISTED, lambda body: body | {"data": body["data"][::-1]})),
    "words cut": ("threads.message-get", with_fields(MESSAGE, content=[])),
    "a message deleted in words": (
        "threads.message-gone",
        with_fields("DELETE /threads/[^/]+/messages/.*", deleted="true"),
    ),
    "a deletion refused": ("threads.delete", answered_with("DELETE /threads/[^/]+", 404)),
    "400 for what is gone": (
        "threads.gone",
        lambda ask, serve: replace(told, status=400) if (told := serve(ask)).status == 404 else told,
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_departure_breaks_its_clause(threads: ModuleType, name: str) -> None:
    clause, departure = BROKEN[name]
    assert clause in findings(lived(LIFE, departure), threads)


def test_every_clause_has_a_departure(threads: ModuleType) -> None:
    shown = {clause for clause, _ in BROKEN.values()} | {fault.breaks for fault in all_faults().values()}
    assert {one.clause.id for one in clauses_of(threads)} - shown == set()


LEGAL: dict[str, Departure] = {
    "more keys": edited(f"{MADE}|{THREAD}|{SAID}|{MESSAGE}", lambda row: row | {"x_vendor": 1}),
    "no state of user messages": without(f"{SAID}|{MESSAGE}", "status", "completed_at", "incomplete_at"),
    "no tool resources": without(f"{MADE}|{THREAD}|POST /threads/[^/]+", "tool_resources"),
    "no changes": answered_with("POST /threads/[^/]+", 405),
    "no deletion of messages": answered_with("DELETE /threads/[^/]+/messages/.*", 501),
    "no deletion": answered_with("DELETE /threads/[^/]+", 405),
}


@pytest.mark.parametrize("name", LEGAL)
def test_a_legal_departure_breaks_nothing(threads: ModuleType, name: str) -> None:
    assert findings(lived(LIFE, LEGAL[name]), threads) == {}


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_backend_without_threads_is_asked_once_and_breaks_nothing(threads: ModuleType, status: int) -> None:
    exchanges = lived(LIFE, answered_with(".*", status))
    assert len(exchanges) == 1
    assert {one.outcome for one in verdicts(exchanges, threads).values()} == {"not-applicable"}


@pytest.mark.parametrize("step", range(10))
def test_no_clause_stumbles_over_nonsense(threads: ModuleType, step: int) -> None:
    for body in (NONSENSE[step % len(NONSENSE)], NONSENSE[-1 - step % 3]):
        told = verdicts(lived(LIFE, nonsense_at(step, body)), threads)
        assert [one.reason for one in told.values() if "the clause itself failed" in one.reason] == []
