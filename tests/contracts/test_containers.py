"""contracts/containers.py: the flow as the stand-in answers it, the nearest departures, the legal ones."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

import pytest
from lives import NONSENSE, answered_with, edited, findings, lived, nonsense_at, verdicts, with_fields, without
from made import clauses_of

from wireproof.standin.faults import Departure, all_faults
from wireproof.standin.wire import Answer, Ask, Serve

LIFE = "containers.life"
MADE, READ, PUT = "POST /containers", "GET /containers/[^/]+", "POST /containers/[^/]+/files"
FILES, CONTENT = "GET /containers/[^/]+/files", "GET /containers/.*/content"
FILE, FILE_OFF = "GET /containers/[^/]+/files/[^/]+", "DELETE /containers/[^/]+/files/[^/]+"


@pytest.fixture(scope="module")
def containers(contract: Callable[[str], ModuleType]) -> ModuleType:
    return contract("containers")


def test_the_stand_in_keeps_every_clause_and_each_is_judged(containers: ModuleType) -> None:
    told = verdicts(lived(LIFE), containers)
    assert {id: (one.outcome, one.reason) for id, one in told.items() if one.outcome != "pass"} == {}


BROKEN: dict[str, tuple[str, Departure]] = {
    "a file without a path": ("containers.schema", without(PUT, "path")),
    "a page that is no list": ("containers.schema", with_fields(FILES, object="page")),
    "another kind": ("containers.object", with_fields(MADE, object="Container")),
    "a name in capitals": ("containers.echo", edited(MADE, lambda row: row | {"name": row["name"].upper()})),
    "a time in parts": ("containers.times", edited(PUT, lambda row: row | {"created_at": row["created_at"] + 0.5})),
    "used before it was made": ("containers.times", edited(MADE, lambda row: row | {"last_active_at": 1})),
    "another kind deleted": ("containers.delete", with_fields("DELETE /containers/[^/]+", object="file")),
    "expired when made": ("containers.running", with_fields(MADE, status="expired")),
    "not found at once": ("containers.get", answered_with(READ, 404)),
    "another name when read": ("containers.get", with_fields(READ, name="other")),
    "a list refused": ("containers.list", answered_with("GET /containers", 500)),
    "files alike": ("containers.file", with_fields(PUT, id="cfile_1")),
    "a file refused": ("containers.file", answered_with(PUT, 400)),
    "one byte more": ("containers.bytes", edited(PUT, lambda row: row | {"bytes": row["bytes"] + 1})),
    "a path without the name": ("containers.path", with_fields(PUT, path="/mnt/data/file")),
    "the source in capitals": ("containers.source", with_fields(PUT, source="User")),
    "content lost": ("containers.content", answered_with(CONTENT, 200, b"")),
    "content not found": ("containers.content", answered_with(CONTENT, 404)),
    "another size in lists": (
        "containers.files-list",
        edited(FILES, lambda body: body | {"data": [row | {"bytes": 1} for row in body["data"]]}),
    ),
    "400 for a file that is gone": ("containers.file-gone", answered_with(FILE, 400)),
    "a deletion refused": ("containers.file-gone", answered_with(FILE_OFF, 404)),
    "another one deleted": ("containers.delete", with_fields("DELETE /containers/[^/]+", id="cntr_other")),
    "500 for what is gone": (
        "containers.gone",
        lambda ask, serve: replace(answer, status=500) if (answer := serve(ask)).status == 404 else answer,
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_departure_breaks_its_clause(containers: ModuleType, name: str) -> None:
    clause, departure = BROKEN[name]
    assert clause in findings(lived(LIFE, departure), containers)


def test_every_clause_has_a_departure(containers: ModuleType) -> None:
    shown = {clause for clause, _ in BROKEN.values()} | {fault.breaks for fault in all_faults().values()}
    assert {one.clause.id for one in clauses_of(containers)} - shown == set()


def bodiless(ask: Ask, serve: Serve) -> Answer:
    """The official document has no body for a deletion."""
    answer = serve(ask)
    return replace(answer, status=204, body=b"") if ask.method == "DELETE" and answer.status == 200 else answer


def elsewhere(ask: Ask, serve: Serve) -> Answer:
    answer = serve(ask)
    return replace(answer, body=re.sub(rb"/mnt/data/[0-9a-f]+-", b"/home/", answer.body))


LEGAL: dict[str, Departure] = {
    "more keys": edited(f"{MADE}|{READ}|{PUT}", lambda row: row | {"x_vendor": {"region": "eu"}}),
    "no memory, no network, no use told": without(
        f"{MADE}|{READ}", "memory_limit", "network_policy", "last_active_at", "expires_after"
    ),
    "deletions that do not say of what": without("DELETE /containers/.*", "object"),
    "a state of its own": with_fields(f"{MADE}|{READ}", status="active"),
    "another folder, the name alone": elsewhere,
    "deletions without a body": bodiless,
    "no deletion of files": answered_with(FILE_OFF, 405),
    "no lists": answered_with("GET /containers(/[^/]+/files)?", 501),
    "no content": answered_with(CONTENT, 501),
    "ids of another shape": lambda ask, serve: (
        answer
        if (answer := serve(replace(ask, path=ask.path.replace("/01:", "/cntr_")))).status != 200
        or ask.path.endswith("/content")
        else replace(answer, body=answer.body.replace(b'"cntr_', b'"01:'))
    ),
    "201 for what was made": lambda ask, serve: (
        replace(answer, status=201) if (answer := serve(ask)).status == 200 and ask.method == "POST" else answer
    ),
}


@pytest.mark.parametrize("name", LEGAL)
def test_a_legal_departure_breaks_nothing(containers: ModuleType, name: str) -> None:
    assert findings(lived(LIFE, LEGAL[name]), containers) == {}


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_backend_without_containers_is_asked_once_and_breaks_nothing(containers: ModuleType, status: int) -> None:
    exchanges = lived(LIFE, answered_with(".*", status))
    assert len(exchanges) == 1
    assert {one.outcome for one in verdicts(exchanges, containers).values()} == {"not-applicable"}


@pytest.mark.parametrize("step", range(13))
def test_no_clause_stumbles_over_nonsense(containers: ModuleType, step: int) -> None:
    for body in (NONSENSE[step % len(NONSENSE)], NONSENSE[-1 - step % 3]):
        told = verdicts(lived(LIFE, nonsense_at(step, body)), containers)
        assert [one.reason for one in told.values() if "the clause itself failed" in one.reason] == []
