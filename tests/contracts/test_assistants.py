"""contracts/assistants.py: the flow as the stand-in answers it, the nearest departures, the legal ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

import pytest
from lives import NONSENSE, answered_with, edited, findings, lived, nonsense_at, verdicts, with_fields, without
from made import clauses_of

from wireproof.standin.faults import Departure, all_faults
from wireproof.standin.wire import Answer, Ask, Serve

LIFE = "assistants.life"
MADE, ONE, READ = "POST /assistants", "(GET|POST) /assistants(/[^/]+)?", "GET /assistants/[^/]+"


@pytest.fixture(scope="module")
def assistants(contract: Callable[[str], ModuleType]) -> ModuleType:
    return contract("assistants")


def test_the_stand_in_keeps_every_clause_and_each_is_judged(assistants: ModuleType) -> None:
    told = verdicts(lived(LIFE), assistants)
    assert {id: (one.outcome, one.reason) for id, one in told.items() if one.outcome != "pass"} == {}


BROKEN: dict[str, tuple[str, Departure]] = {
    "no tools told": ("assistants.schema", without(READ, "tools")),
    "a name of its own": ("assistants.echo", with_fields(MADE, name="asst")),
    "a warm one": ("assistants.echo", with_fields(MADE, temperature=1)),
    "another function": (
        "assistants.tools",
        with_fields(MADE, tools=[{"type": "function", "function": {"name": "f"}}]),
    ),
    "a time in parts": ("assistants.created", edited(MADE, lambda row: row | {"created_at": row["created_at"] + 0.5})),
    "a change refused": ("assistants.update", answered_with("POST /assistants/[^/]+", 400)),
    "a change forgotten": ("assistants.update", with_fields(READ, name="wireproof")),
    "another model when read": ("assistants.get", with_fields(READ, model="other")),
    "a list refused": ("assistants.list", answered_with("GET /assistants", 500)),
    "deleted, it says in words": ("assistants.delete", with_fields("DELETE /assistants/.*", deleted="yes")),
    "400 for what is gone": (
        "assistants.gone",
        lambda ask, serve: replace(told, status=400) if (told := serve(ask)).status == 404 else told,
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_departure_breaks_its_clause(assistants: ModuleType, name: str) -> None:
    clause, departure = BROKEN[name]
    assert clause in findings(lived(LIFE, departure), assistants)


def test_every_clause_has_a_departure(assistants: ModuleType) -> None:
    shown = {clause for clause, _ in BROKEN.values()} | {fault.breaks for fault in all_faults().values()}
    assert {one.clause.id for one in clauses_of(assistants)} - shown == set()


def strict_added(ask: Ask, serve: Serve) -> Answer:
    """A function comes back with what it has by default."""
    told = serve(ask)
    return replace(told, body=told.body.replace(b'"name": "look_up"', b'"name": "look_up", "strict": false'))


LEGAL: dict[str, Departure] = {
    "more keys": edited(ONE, lambda row: row | {"x_vendor": 1}),
    "no optional keys": without(ONE, "tool_resources", "temperature", "top_p", "response_format", "reasoning_effort"),
    "more in a function": strict_added,
    "a resolved model": edited(ONE, lambda row: row | {"model": "gpt-4.1-mini-2025-04-14"} if "model" in row else None),
    "no changes": answered_with("POST /assistants/[^/]+", 405),
    "no lists": answered_with("GET /assistants", 501),
    "a model that is not served": answered_with(MADE, 400),
    "403 without the header": lambda ask, serve: (
        replace(told, status=403) if (told := serve(ask)).status == 400 else told
    ),
}


@pytest.mark.parametrize("name", LEGAL)
def test_a_legal_departure_breaks_nothing(assistants: ModuleType, name: str) -> None:
    assert findings(lived(LIFE, LEGAL[name]), assistants) == {}


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_backend_without_assistants_is_asked_once_and_breaks_nothing(assistants: ModuleType, status: int) -> None:
    exchanges = lived(LIFE, answered_with(".*", status))
    assert len(exchanges) == 1
    assert {one.outcome for one in verdicts(exchanges, assistants).values()} == {"not-applicable"}


@pytest.mark.parametrize("step", range(7))
def test_no_clause_stumbles_over_nonsense(assistants: ModuleType, step: int) -> None:
    for body in (NONSENSE[step % len(NONSENSE)], NONSENSE[-1 - step % 3]):
        told = verdicts(lived(LIFE, nonsense_at(step, body)), assistants)
        assert [one.reason for one in told.values() if "the clause itself failed" in one.reason] == []
