"""The ledger: which clauses count, and that frozen sets stay frozen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from certified import contents_of_contracts

from wireproof.clause import Clause, sent
from wireproof.cli import run
from wireproof.content import shelf
from wireproof.judge import Verdict, run_outcome
from wireproof.ledger import Requirements, dates, requirements, scored

FOLDER = shelf("spec") / "requirements"
PINNED = Requirements("2026-11", {"a.old": "MUST"})


def verdict(id: str, outcome: str = "fail") -> Verdict:
    clause = Clause(id, "MUST", "A promise.", "SPEC", sent(), "none", lambda exchange: None)
    return Verdict(clause, outcome)  # type: ignore[arg-type]  # outcomes are told by their names here


def unscored(*ids: str, pinned: Requirements | None = None, proven: tuple[str, ...] = ("a.old", "a.new")) -> list[str]:
    found = scored(map(verdict, ids), ours=("a.old", "a.new", "a.bare"), proven=proven, pinned=pinned)
    return [one.unscored.partition(":")[0] for one in found]


def test_a_clause_that_came_after_the_pinned_set_is_pending() -> None:
    assert unscored("a.old", "a.new", pinned=PINNED) == ["", "pending"]
    assert unscored("a.old", "a.new") == ["", ""]


def test_a_clause_that_no_fault_breaks_is_unproven_and_a_users_own_is_not() -> None:
    assert unscored("a.bare", "mine.bare") == ["unproven", ""]


def test_what_does_not_count_breaks_nothing_and_leaves_nothing_open() -> None:
    for outcome in ("fail", "inconclusive"):
        pending = scored([verdict("a.new", outcome)], ours=["a.new"], proven=["a.new"], pinned=PINNED)
        assert run_outcome(pending) == "conformant"
        assert run_outcome([verdict("a.new", outcome)]) != "conformant"


@pytest.mark.parametrize("date", dates(FOLDER))
def test_a_frozen_set_still_holds(date: str) -> None:
    """Ids are stable for ever and levels do not move: what changes gets another id."""
    clauses = {clause.id: clause for clause in contents_of_contracts()[0]}
    levels = requirements(FOLDER, date).levels
    assert {id: clauses[id].level for id in levels if id in clauses} == levels
    assert {id for id, clause in clauses.items() if clause.since <= date} == set(levels)


def test_an_unknown_date_is_refused_with_those_there_are(tmp_path: Path) -> None:
    (tmp_path / "2026-11.yaml").write_text("clauses: {a.b: MUST}\n")
    with pytest.raises(ValueError, match="2026-11"):
        requirements(tmp_path, "2025-01")


def test_the_ledger_is_data(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "--json"]) == 0
    told = {row["id"]: row for row in json.loads(capsys.readouterr().out)["clauses"]}
    row = told["chat.stream.usage"]
    assert all(row.pop(name) for name in ("breaks", "mend"))
    assert row | {"text": ""} == {
        "id": "chat.stream.usage",
        "level": "MUST",
        "area": "chat stream usage",
        "rung": "L2",
        "text": "",
        "source": row["source"],
        "kind": "schema",
        "evidence": "exchange",
        "model": "none",
        "since": "2026-11",
        "fields": ["stream_options"],
        "faults": told["chat.stream.usage"]["faults"],
    }
    assert all(row["faults"] for row in told.values())
    assert {row["kind"] for row in told.values()} <= {"schema", "docs", "sdk", "observed"}


def test_a_pinned_certification_counts_only_what_is_in_the_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    only = ["--only", "models", "--out", str(tmp_path)]
    assert run(["certify", *only, "--fault", "models.created-ms", "--requirements", "2026-11"]) == 1
    assert run(["certify", *only, "--requirements", "1999-01"]) == 2
    assert "no requirement set is dated '1999-01'" in capsys.readouterr().err
