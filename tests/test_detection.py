"""The law behind docs/detection.md: no clause is there in vain.

Read off docs/traceability.json, which `make detection` writes: to certify every fault takes minutes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from certified import contents_of_contracts

from wireproof.standin.faults import all_faults

ROOT = Path(__file__).resolve().parents[1]
CLAUSES, _ = contents_of_contracts()


@pytest.fixture(scope="module")
def traced() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "docs" / "traceability.json").read_text(encoding="utf-8"))["clauses"]
    return found


def renewal(clauses: set[str]) -> str:
    """What to run so that the file tells of these clauses again."""
    areas = {fault.id.partition(".")[0] for fault in all_faults().values() if fault.breaks in clauses}
    globs = " ".join(f"{area}.*" for area in sorted(areas))
    return f"docs/traceability.json is not of these clauses {sorted(clauses)}: run make detection FAULTS='{globs}'"


def test_the_traces_are_of_the_clauses_there_are(traced: dict[str, Any]) -> None:
    changed = {clause.id for clause in CLAUSES} ^ set(traced)
    assert not changed, renewal(changed)


def test_every_clause_was_seen_failing(traced: dict[str, Any]) -> None:
    unseen = {id for id, row in traced.items() if not row["seen_failing"]}
    assert not unseen, renewal(unseen)


def test_without_any_one_clause_a_fault_gets_through(traced: dict[str, Any]) -> None:
    """Where another clause catches every fault of a clause too, write a fault that this one alone catches."""
    never_alone = {id for id, row in traced.items() if not row["alone"]}
    assert not never_alone, renewal(never_alone)


def test_the_page_tells_the_same(traced: dict[str, Any]) -> None:
    page = (ROOT / "docs" / "detection.md").read_text(encoding="utf-8")
    assert f"true of {len(traced)} of" in page
    assert "**missed**" not in page
