"""contracts/wire_times.py: times in seconds, wherever the description tells one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from made import answer, outcome_of, stream, verdict_of

from wireproof.clause import Exchange

NOW = 1_795_000_000
CHUNK: dict[str, Any] = {"object": "chat.completion.chunk", "created": NOW, "choices": []}
BATCH: dict[str, Any] = {"object": "batch", "created_at": NOW, "expires_at": NOW + 86_400, "completed_at": None}


@pytest.fixture
def times(contract: Callable[[str], ModuleType]) -> Any:
    return contract("wire_times").times_are_unix_seconds


def batch(**fields: Any) -> Exchange:
    return answer({**BATCH, **fields}, operation="retrieveBatch", method="GET", path="/batches/batch_1")


LEGAL = {
    "as documented": batch(),
    "what has not happened left out": batch(completed_at=None, expires_at=None),
    "a fraction": batch(created_at=NOW + 0.5),
    "far ahead": batch(expires_at=NOW + 20 * 365 * 86_400),
    "an old one": batch(created_at=1_600_000_000),
    "metadata of the user's own": batch(metadata={"created_at": "0"}),
    "keys of a vendor": batch(x_created_at=0, engine={"created_at": 0}),
    "another type, which the schema judges": batch(created_at="now"),
    "chunks": stream([CHUNK]),
    "the report of a content filter": stream([{"id": "", "created": 0, "choices": []}, CHUNK]),
}
BROKEN = {
    "milliseconds": batch(created_at=NOW * 1000),
    "zero": batch(completed_at=0),
    "less than nothing": batch(expires_at=-1),
    "a duration": batch(expires_at=86_400),
    "in a list": answer({"data": [BATCH, {**BATCH, "failed_at": 0}]}, operation="listBatches", method="GET"),
    "in a chunk": stream([CHUNK, {**CHUNK, "created": NOW * 1000}]),
    "in an event": stream([{"type": "response.created", "response": {"completed_at": 0}}], operation="createResponse"),
}


@pytest.mark.parametrize("case", LEGAL)
def test_seconds_of_these_years_are_times(case: str, times: Any) -> None:
    assert outcome_of(times, LEGAL[case]) == "pass"


@pytest.mark.parametrize("case", BROKEN)
def test_another_unit_is_none(case: str, times: Any) -> None:
    assert outcome_of(times, BROKEN[case]) == "fail"


def test_a_finding_points_at_the_time(times: Any) -> None:
    (finding,) = verdict_of(times, BROKEN["in a list"]).findings
    assert (finding.where.pointer, finding.got) == ("/data/1/failed_at", "0")
    assert verdict_of(times, BROKEN["in a chunk"]).findings[0].where.event == 1


def test_what_other_clauses_judge_is_left_to_them(times: Any) -> None:
    made = answer({"object": "chat.completion", "created": 0})
    assert outcome_of(times, made) == "not-applicable"
    assert outcome_of(times, replace(made, operation=None)) == "not-applicable"
