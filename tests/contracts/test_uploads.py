"""contracts/uploads.py: the flow as the stand-in answers it, the nearest departures, the legal ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

import pytest
from lives import NONSENSE, answered_with, edited, findings, lived, nonsense_at, verdicts, with_fields, without
from made import clauses_of

from wireproof.standin.faults import Departure, all_faults
from wireproof.standin.wire import Answer, Ask, Serve, refusal

LIFE = "uploads.life"


@pytest.fixture(scope="module")
def uploads(contract: Callable[[str], ModuleType]) -> ModuleType:
    return contract("uploads")


def test_the_stand_in_keeps_every_clause_and_each_is_judged(uploads: ModuleType) -> None:
    told = verdicts(lived(LIFE), uploads)
    assert {id: (one.outcome, one.reason) for id, one in told.items() if one.outcome != "pass"} == {}


def accepted(where: str, body: dict[str, object]) -> Departure:
    """What is refused is answered 200 with `body`."""

    def depart(ask: Ask, serve: Serve) -> Answer:
        answer = serve(ask)
        return (
            replace(answer, status=200).with_json(body) if ask.path.endswith(where) and answer.status == 400 else answer
        )

    return depart


def crashed(where: str) -> Departure:
    return lambda ask, serve: (
        replace(answer, status=500) if (answer := serve(ask)).status == 400 and ask.path.endswith(where) else answer
    )


BROKEN: dict[str, tuple[str, Departure]] = {
    "a part without a time": ("uploads.schema", without("POST /uploads/.*/parts", "created_at")),
    "another size": ("uploads.created", with_fields("POST /uploads", bytes=48)),
    "in progress": ("uploads.created", with_fields("POST /uploads", status="in_progress")),
    "milliseconds": ("uploads.times", edited("POST /uploads", lambda b: b | {"created_at": b["created_at"] * 1000})),
    "parts alike": ("uploads.parts", with_fields("POST /uploads/.*/parts", id="part_1")),
    "a part refused": ("uploads.parts", answered_with("POST /uploads/.*/parts", 400)),
    "another upload completed": ("uploads.completed", with_fields("POST /uploads/.*/complete", id="upload_0")),
    "completion refused": ("uploads.completed", answered_with("POST /uploads/.*/complete", 400)),
    "a file without its size": (
        "uploads.completed",
        edited("POST /uploads/.*/complete", lambda b: b | {"file": {**b["file"], "bytes": 0}}),
    ),
    "content of one part": ("uploads.content", answered_with("GET /files/.*", 200, b'{"custom_id": ')),
    "content is gone": ("uploads.content", answered_with("GET /files/.*", 404)),
    "missing bytes crash": ("uploads.bytes", crashed("/complete")),
    "a wrong digest crashes": ("uploads.md5", crashed("/complete")),
    "cancelled, it says otherwise": ("uploads.cancelled", with_fields("POST /uploads/.*/cancel", status="canceled")),
    "a cancellation refused": ("uploads.cancelled", answered_with("POST /uploads/.*/cancel", 400)),
    "parts of what is cancelled": ("uploads.closed", accepted("/parts", {"id": "part_9"})),
    "a part of none crashes": (
        "uploads.unknown",
        lambda ask, serve: replace(a, status=500) if (a := serve(ask)).status == 404 else a,
    ),
    "an hour more": (
        "uploads.expiry",
        edited("POST /uploads/.*/complete", lambda b: b | {"file": b["file"] | {"expires_at": 1_795_010_000}}),
    ),
    "unknown parts crash": ("uploads.part-ids", crashed("/complete")),
    "cancelled after its end": ("uploads.closed", accepted("/cancel", {"id": "upload_1", "status": "cancelled"})),
    "a second file": ("uploads.once", accepted("/complete", {"id": "upload_1", "file": {"id": "file-2"}})),
    "completed, then pending": ("uploads.moves", edited("POST /uploads", lambda b: b | {"status": "completed"})),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_departure_breaks_its_clause(uploads: ModuleType, name: str) -> None:
    clause, departure = BROKEN[name]
    assert clause in findings(lived(LIFE, departure), uploads)


def test_every_clause_has_a_departure(uploads: ModuleType) -> None:
    shown = {clause for clause, _ in BROKEN.values()} | {fault.breaks for fault in all_faults().values()}
    assert {one.clause.id for one in clauses_of(uploads)} - shown == set()


def answered_as_before(ask: Ask, serve: Serve) -> Answer:
    """A second completion is answered with the first, as after a retry."""
    answer = serve(ask)
    if ask.path.endswith("/complete") and answer.status == 200:
        FIRST[ask.path] = answer
    return FIRST.get(ask.path, answer)


FIRST: dict[str, Answer] = {}

LEGAL: dict[str, Departure] = {
    "more keys": edited("POST /uploads.*", lambda body: body | {"x_vendor": 1, "expires_in": None}),
    "no object": without("POST /uploads", "object"),
    "no file before there is one": edited(
        "POST /uploads.*", lambda body: {k: v for k, v in body.items() if (k, v) != ("file", None)}
    ),
    "a file without a status": edited(
        "POST /uploads/.*/complete",
        lambda body: body | {"file": {k: v for k, v in body["file"].items() if k != "status"}},
    ),
    "409 for what is over": lambda ask, serve: (
        replace(answer, status=409)
        if (answer := serve(ask)).status == 400 and b"only a pending" in answer.body
        else answer
    ),
    "404 for what is over": lambda ask, serve: (
        replace(answer, status=404)
        if (answer := serve(ask)).status == 400 and b"only a pending" in answer.body
        else answer
    ),
    "no content is given out": answered_with("GET /files/.*", 400),
    "no cancellation": answered_with("POST /uploads/.*/cancel", 501),
    "completed again as before": answered_as_before,
    "no expiry of uploads": lambda ask, serve: (
        refusal(400, "Unknown parameter: 'expires_after'.") if "expires_after" in ask.asked else serve(ask)
    ),
    "a completed upload is told as it is": lambda ask, serve: (
        FIRST.get(ask.path.replace("/cancel", "/complete"), serve(ask))
        if "cancel" in ask.path
        else answered_as_before(ask, serve)
    ),
    "422 for mistakes": lambda ask, serve: (
        replace(answer, status=422) if (answer := serve(ask)).status == 400 else answer
    ),
}


@pytest.mark.parametrize("name", LEGAL)
def test_a_legal_departure_breaks_nothing(uploads: ModuleType, name: str) -> None:
    assert findings(lived(LIFE, LEGAL[name]), uploads) == {}


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_backend_without_uploads_is_asked_once_and_breaks_nothing(uploads: ModuleType, status: int) -> None:
    exchanges = lived(LIFE, answered_with(".*", status))
    assert len(exchanges) == 1
    assert {one.outcome for one in verdicts(exchanges, uploads).values()} == {"not-applicable"}


@pytest.mark.parametrize("step", range(19))
def test_no_clause_stumbles_over_nonsense(uploads: ModuleType, step: int) -> None:
    for body in (NONSENSE[step % len(NONSENSE)], NONSENSE[-1 - step % 3]):
        told = verdicts(lived(LIFE, nonsense_at(step, body)), uploads)
        assert [one.reason for one in told.values() if "the clause itself failed" in one.reason] == []
