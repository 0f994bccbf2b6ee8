"""Clauses of videos: the answer that keeps each, and the nearest one that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from made import answer, clauses_of, outcome_of, verdict_of

from wireproof.clause import Exchange
from wireproof.standin.faults.videos import BEGUN, VIDEO

NONE = "/videos/video_wireproof_none"
QUEUED = {**VIDEO, "status": "queued", "progress": 0, "completed_at": None, "expires_at": None}
FAILED = {**QUEUED, "status": "failed", "error": {"code": "moderation_blocked", "message": "Blocked."}}
ERROR = {"message": "no", "type": "invalid_request_error", "param": "prompt", "code": None}


@pytest.fixture(scope="module")
def said(contract: Callable[[str], ModuleType]) -> ModuleType:
    return contract("videos")


def listed(*rows: Any) -> Exchange:
    page = {"object": "list", "data": list(rows), "first_id": "video_1", "last_id": "video_1", "has_more": False}
    return answer(page, operation="listVideos", method="GET", path="/videos")


def one(status: int, operation: str = "getVideo", path: str = NONE) -> Exchange:
    body = VIDEO if status == 200 else {"error": ERROR}
    return answer(body, operation=operation, method="GET", path=path, status=status)


def ordered(status: int, param: str | None = "prompt", **asked: Any) -> Exchange:
    body = VIDEO if status == 200 else {"error": {**ERROR, "param": param}}
    return answer(body, asked={"seconds": "4", **asked}, operation="createVideo", path="/videos", status=status)


PAIRS: dict[str, tuple[str, Exchange, Exchange]] = {
    "another object": ("answers_follow_the_schema", listed(VIDEO), listed({**VIDEO, "object": "job"})),
    "no list": (
        "answers_follow_the_schema",
        listed(),
        answer([], operation="listVideos", method="GET", path="/videos"),
    ),
    "seconds as a number": ("answers_follow_the_schema", listed(QUEUED), listed({**VIDEO, "seconds": 4})),
    "completed too early": ("videos_are_where_they_say", listed(VIDEO), listed({**VIDEO, "progress": 99})),
    "failed without a word": ("videos_are_where_they_say", listed(FAILED), listed({**FAILED, "error": None})),
    "queued with an error": ("videos_are_where_they_say", listed(QUEUED), listed({**QUEUED, "error": FAILED["error"]})),
    "completed before": ("videos_end_after_they_begin", listed(VIDEO), listed({**VIDEO, "completed_at": BEGUN - 1})),
    "milliseconds": ("videos_end_after_they_begin", listed(QUEUED), listed({**QUEUED, "created_at": BEGUN * 1000})),
    "a video there is not": ("a_video_that_there_is_not_is_a_404", one(404), one(200)),
    "a deletion of none": ("a_video_that_there_is_not_is_a_404", one(404, "deleteVideo"), one(200, "deleteVideo")),
    "a crash": ("a_video_that_there_is_not_is_a_404", one(404), one(500)),
    "an order without a prompt": ("an_order_needs_its_prompt", ordered(400), ordered(200)),
    "no param": ("refusals_name_the_field", ordered(400), ordered(400, None)),
}


def test_every_clause_has_a_pair(said: ModuleType) -> None:
    assert {one.__name__ for one in clauses_of(said)} == {clause for clause, _, _ in PAIRS.values()}


@pytest.mark.parametrize("case", PAIRS)
def test_a_clause_tells_the_kept_answer_from_the_broken_one(said: ModuleType, case: str) -> None:
    clause, kept, broken = PAIRS[case]
    assert outcome_of(getattr(said, clause), kept) == "pass"
    assert outcome_of(getattr(said, clause), broken) == "fail"


LEGAL = {
    "none": listed(),
    "more keys": listed({**VIDEO, "fps": 30}),
    "begun": listed({**QUEUED, "status": "in_progress", "progress": 40}),
    "completed after its end": listed(FAILED | {"completed_at": BEGUN + 1}),
    "one": answer(VIDEO, operation="getVideo", method="GET", path="/videos/video_1"),
    "not served": one(501),
    "not deleted": one(405, "deleteVideo"),
    "a whole order": ordered(200, prompt="A boat."),
    "throttled": ordered(429),
}


@pytest.mark.parametrize("case", LEGAL)
def test_a_legal_answer_raises_no_finding(said: ModuleType, case: str) -> None:
    found = {one.__name__: verdict_of(one, LEGAL[case]).findings for one in clauses_of(said)}
    assert {name: findings for name, findings in found.items() if findings} == {}


@pytest.mark.parametrize("body", [[], 5, None, {"data": [3, {"status": []}]}, {"data": {}}], ids=str)
def test_no_clause_stumbles_over_a_malformed_answer(said: ModuleType, body: Any) -> None:
    for operation in ("listVideos", "getVideo"):
        exchange = answer(body, operation=operation, method="GET", path="/videos")
        for clause in clauses_of(said):
            assert "the clause itself failed" not in verdict_of(clause, exchange).reason


def test_where_there_is_no_list_nothing_else_is_asked(said: ModuleType) -> None:
    for first, calls in ((one(404), 1), (listed(), 5)):
        going, asked = said.reading_and_refusing.run(), 1
        next(going)
        try:
            while going.send(first):
                asked += 1
        except StopIteration:
            assert asked == calls
