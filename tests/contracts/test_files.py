"""contracts/files.py and paging.py: the flow as the stand-in answers it, the nearest departures, the legal ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from lives import NONSENSE, answered_with, edited, findings, lived, nonsense_at, verdicts, with_fields, without
from made import clauses_of

from wireproof.standin.faults import Departure, all_faults
from wireproof.standin.wire import Answer, Ask, Serve

LIFE = "files.life"
Modules = tuple[ModuleType, ModuleType]


@pytest.fixture(scope="module")
def modules(contract: Callable[[str], ModuleType]) -> Modules:
    return contract("files"), contract("paging")


def test_the_stand_in_keeps_every_clause_and_each_is_judged(modules: Modules) -> None:
    told = verdicts(lived(LIFE), *modules)
    assert {id for id, one in told.items() if one.outcome != "pass"} == {"paging.limit-most"}


def rows(change: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    def edit(body: dict[str, Any]) -> None:
        for row in body.get("data", [body]):
            change(row)

    return edit


def reversed_page(body: dict[str, Any]) -> dict[str, Any]:
    data = body["data"][::-1]
    ends = {"first_id": data[0]["id"], "last_id": data[-1]["id"]} if data else {}
    return {**body, "data": data, **ends}


BROKEN: dict[str, tuple[str, Departure]] = {
    "a list that is no list": ("files.schema", with_fields("GET /files", object="page")),
    "a deletion of another kind": ("files.schema", with_fields("DELETE /files/.*", object="file.deleted")),
    "an id that is missing": ("files.schema", without("GET /files/[^/]+", "id")),
    "a status in capitals": ("files.status", with_fields("POST /files", status="PROCESSED")),
    "one byte more": ("files.bytes", edited("POST /files", lambda row: row | {"bytes": row["bytes"] + 1})),
    "a path before the name": (
        "files.filename",
        edited("POST /files", lambda r: r | {"filename": f"/{r['filename']}"}),
    ),
    "a purpose of old": ("files.purpose", with_fields("POST /files", purpose="answers")),
    "a time in parts": (
        "files.created",
        edited("POST /files", lambda row: row | {"created_at": row["created_at"] + 0.5}),
    ),
    "an hour more of life": (
        "files.expiry",
        edited("POST /files", lambda row: row | {"expires_at": (row["expires_at"] or 0) + 3600}),
    ),
    "another name when read": ("files.get", with_fields("GET /files/[^/]+", filename="other.txt")),
    "not found at once": ("files.get", answered_with("GET /files/[^/]+", 404)),
    "content not found": ("files.content", answered_with("GET /files/[^/]+/content", 404)),
    "content lost": ("files.content", answered_with("GET /files/[^/]+/content", 200, b"")),
    "another size in lists": ("files.list", edited("GET /files", rows(lambda row: row.update(bytes=1)))),
    "a list refused": ("files.list", answered_with("GET /files", 404)),
    "deleted, it says in words": ("files.delete", with_fields("DELETE /files/.*", deleted="true")),
    "another one deleted": ("files.delete", with_fields("DELETE /files/.*", id="file-other")),
    "a deletion refused": ("files.delete", answered_with("DELETE /files/.*", 404)),
    "400 for what is gone": (
        "files.gone",
        lambda ask, serve: _as_400(serve(ask)) if ask.method == "GET" else serve(ask),
    ),
    "500 for what is gone": ("files.delete-twice", lambda ask, serve: _as_500(serve(ask))),
    "an upload without a purpose crashes": ("files.incomplete", lambda ask, serve: _as_500(serve(ask), 400)),
    "too short a life crashes": ("files.expiry-bounds", lambda ask, serve: _as_500(serve(ask), 400)),
    "too small a limit crashes": ("paging.limit-refused", lambda ask, serve: _as_500(serve(ask), 400)),
    "an unknown purpose is 404": ("files.unknown-purpose", lambda ask, serve: _as_500(serve(ask), 400)),
    "a list backwards": ("paging.order", edited("GET /files", reversed_page)),
    "no last id": ("paging.cursors", with_fields("GET /files", last_id=None)),
    "the wrong first": ("paging.ends", with_fields("GET /files", first_id="file-other")),
}


def _as_400(answer: Answer) -> Answer:
    return replace(answer, status=400) if answer.status == 404 else answer


def _as_500(answer: Answer, status: int = 404) -> Answer:
    return replace(answer, status=500) if answer.status == status else answer


@pytest.mark.parametrize("name", BROKEN)
def test_a_departure_breaks_its_clause(modules: Modules, name: str) -> None:
    clause, departure = BROKEN[name]
    assert clause in findings(lived(LIFE, departure), *modules)


def test_every_clause_has_a_departure(modules: Modules) -> None:
    shown = {clause for clause, _ in BROKEN.values()} | {fault.breaks for fault in all_faults().values()}
    assert {one.clause.id for one in clauses_of(*modules)} - shown == set()


# ------------------------------------------------------------------------------------------------ controls


def listed_as_kept(ask: Ask, serve: Serve) -> Answer:
    """A purpose that is known under one name alone."""
    if ask.method == "POST" and b"user_data" in ask.body:
        return answered_with("POST /files", 400)(ask, serve)
    return serve(ask)


def refusing(where: str, status: int) -> Departure:
    return answered_with(where, status)


def other_ids(ask: Ask, serve: Serve) -> Answer:
    """Ids of another shape, known by it."""
    known = replace(
        ask, path=ask.path.replace("01-", "file-"), query=tuple((k, v.replace("01-", "file-")) for k, v in ask.query)
    )
    answer = serve(known)
    return answer if ask.path.endswith("/content") else replace(answer, body=answer.body.replace(b"file-", b"01-"))


def clamped(ask: Ask, serve: Serve) -> Answer:
    """A cursor that is unknown begins at the front."""
    answer = serve(ask)
    if answer.status == 400 and ask.method == "GET":
        return serve(replace(ask, query=tuple(pair for pair in ask.query if pair[0] not in ("after", "limit"))))
    return answer


LEGAL: dict[str, Departure] = {
    "more keys": edited("(GET|POST|DELETE) /files(/[^/]+)?", rows(lambda row: row.update(x_vendor={"region": "eu"}))),
    "no expires_at where there is none": edited(
        "(GET|POST) /files(/[^/]+)?",
        rows(lambda row: row.pop("expires_at") if row.get("expires_at", 1) is None else None),
    ),
    "no status_details": edited("(GET|POST) /files(/[^/]+)?", rows(lambda row: row.pop("status_details", None))),
    "uploaded first": edited("POST /files", lambda row: row | {"status": "uploaded"}),
    "a status that moved on": edited("GET /files/[^/]+", lambda row: row | {"status": "error"}),
    "another purpose is all it knows": listed_as_kept,
    "no content": refusing("GET /files/[^/]+/content", 501),
    "content that is not given out": refusing("GET /files/[^/]+/content", 400),
    "no deletion": refusing("DELETE /files/.*", 405),
    "no lists": refusing("GET /files", 501),
    "ids of another shape": other_ids,
    "422 for mistakes": lambda ask, serve: (
        replace(answer, status=422) if (answer := serve(ask)).status == 400 else answer
    ),
    "content typed as text": lambda ask, serve: (
        serve(ask).with_header("content-type", "text/plain") if ask.path.endswith("/content") else serve(ask)
    ),
}


@pytest.mark.parametrize("name", LEGAL)
def test_a_legal_departure_breaks_nothing(modules: Modules, name: str) -> None:
    assert findings(lived(LIFE, LEGAL[name]), *modules) == {}


def test_an_unknown_cursor_may_begin_at_the_front(modules: Modules) -> None:
    assert set(findings(lived(LIFE, clamped), *modules)) == {"paging.limit-refused"}


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_backend_without_files_is_asked_once_and_breaks_nothing(modules: Modules, status: int) -> None:
    exchanges = lived(LIFE, refusing(".*", status))
    assert len(exchanges) == 1
    assert {one.outcome for one in verdicts(exchanges, *modules).values()} == {"not-applicable"}


@pytest.mark.parametrize("step", range(29))
def test_no_clause_stumbles_over_nonsense(modules: Modules, step: int) -> None:
    for body in (NONSENSE[step % len(NONSENSE)], NONSENSE[-1 - step % 3]):
        told: Mapping[str, Any] = verdicts(lived(LIFE, nonsense_at(step, body)), *modules)
        assert [one.reason for one in told.values() if "the clause itself failed" in one.reason] == []
