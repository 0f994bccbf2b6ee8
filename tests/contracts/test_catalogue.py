"""Defects of real servers, each by its id: the clause that notices it and the fault that shows it are named in
catalogue.yaml. That the clause does notice the fault is proven in tests/test_faults.py, where every fault is certified.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from certified import contents_of_contracts

from wireproof.spec import read_yaml
from wireproof.standin.faults import all_faults

CATALOGUE: dict[str, Any] = read_yaml(Path(__file__).with_name("catalogue.yaml"))
ROWS: dict[str, dict[str, str]] = {row["id"]: row for rows in CATALOGUE["covered"].values() for row in rows}


@pytest.mark.parametrize("id", ROWS)
def test_a_defect_has_a_fault_which_its_clause_notices(id: str) -> None:
    row = ROWS[id]
    assert row["clause"] in {clause.id for clause in contents_of_contracts()[0]}
    assert all_faults()[row["fault"]].breaks == row["clause"]


def test_no_defect_stands_twice() -> None:
    listed = [row["id"] for rows in CATALOGUE["covered"].values() for row in rows]
    listed += [row["id"] for row in CATALOGUE["uncovered"]]
    assert [id for id, times in Counter(listed).items() if times > 1] == []


def test_what_is_not_covered_says_why() -> None:
    assert [row["id"] for row in CATALOGUE["uncovered"] if not row.get("reason")] == []
