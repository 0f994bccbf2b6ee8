"""Waivers: what they cover, what they leave, and when they themselves break a run."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from wireproof.clause import Clause, sent
from wireproof.cli import run
from wireproof.judge import Finding, Verdict, Where
from wireproof.waivers import BadWaivers, Waiver, draft, patch, read_waivers, waived

TODAY = date(2026, 11, 26)
URL = "http://127.0.0.1:8000/v1"


def verdict(id: str, *fingerprints: str, outcome: str = "pass") -> Verdict:
    clause = Clause(id, "MUST", "A promise.", "SPEC", sent(), "none", lambda exchange: None)
    findings = tuple(Finding("a", "b", Where("e"), one) for one in fingerprints)
    return Verdict(clause, "fail" if findings else outcome, findings)  # type: ignore[arg-type]  # told by name here


def waiver(clause: str = "a.*", expires: date = date(2027, 1, 1), **more: Any) -> Waiver:
    return Waiver(clause, "known upstream", "team-x", expires, **more)


def test_a_finding_that_is_covered_is_waived_with_the_reason() -> None:
    result = waived([verdict("a.b", "f1")], [waiver()], URL, TODAY)
    assert (result.verdicts[0].outcome, result.complaints) == ("waived", ())
    assert result.verdicts[0].reason == "known upstream (team-x, until 2027-01-01)"


def test_a_waiver_narrower_than_the_finding_leaves_the_rest() -> None:
    result = waived([verdict("a.b", "f1", "f2")], [waiver(fingerprint="f1")], URL, TODAY)
    assert result.verdicts[0].outcome == "fail"
    assert [one.fingerprint for one in result.verdicts[0].findings] == ["f2"]
    assert result.complaints == ()


@pytest.mark.parametrize("other", [{"clause": "b.*"}, {"target": "https://elsewhere/*"}])
def test_a_waiver_of_something_else_covers_nothing(other: dict[str, Any]) -> None:
    assert waived([verdict("a.b", "f1")], [waiver(**other)], URL, TODAY).verdicts[0].outcome == "fail"


def test_an_expired_waiver_covers_nothing_and_complains() -> None:
    result = waived([verdict("a.b", "f1")], [waiver(expires=date(2026, 11, 25))], URL, TODAY)
    assert result.verdicts[0].outcome == "fail"
    assert "expired" in result.complaints[0]
    assert waived([verdict("a.b", "f1")], [waiver(expires=TODAY)], URL, TODAY).complaints == ()


def test_a_waiver_that_excuses_nothing_any_more_complains() -> None:
    assert "nothing any more" in waived([verdict("a.b")], [waiver()], URL, TODAY).complaints[0]
    assert "nothing any more" in waived([verdict("a.b", "f2")], [waiver(fingerprint="f1")], URL, TODAY).complaints[0]


def test_a_clause_that_could_not_be_judged_does_not_make_a_waiver_stale() -> None:
    assert waived([verdict("a.b", outcome="inconclusive")], [waiver()], URL, TODAY).complaints == ()
    assert waived([verdict("c.d")], [waiver()], URL, TODAY).complaints == ()


def test_a_draft_reads_as_waivers_of_all_findings(tmp_path: Path) -> None:
    found = [verdict("a.b", "f1", "f1", "f2"), verdict("c.d")]
    file = tmp_path / "waivers.yaml"
    file.write_text(draft(found, URL, "team-x", TODAY))
    read = read_waivers(file)
    assert [(one.clause, one.fingerprint, one.target) for one in read] == [("a.b", "f1", URL), ("a.b", "f2", URL)]
    assert waived(found, read, URL, TODAY).verdicts[0].outcome == "waived"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "expected YAML"),
        ("[]", "list `waivers`"),
        ("waivers: [x]", "waiver 1: expected an object"),
        ("waivers: [{clause: a, reason: b, expires: 2027-01-01}]", "expected owner"),
        ("waivers: [{clause: a, reason: b, owner: c, expires: soon}]", "expected `expires` as a date"),
        ("waivers: [{clause: a, reason: b, owner: c, expires: 2027-01-01, until: x}]", "got until"),
    ],
)
def test_a_file_that_is_no_list_of_waivers_is_refused(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "waivers.yaml"
    file.write_text(text)
    with pytest.raises(BadWaivers, match=said):
        read_waivers(file)


def test_the_command_line_waives_and_breaks_on_a_stale_waiver(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    only = ["certify", "--only", "models", "--fault", "models.created-ms", "--out", str(tmp_path / "out")]
    assert run(only) == 1
    journal = str(tmp_path / "out" / "journal.jsonl")
    capsys.readouterr()
    assert run(["judge", journal, "--draft-waivers", "team-x"]) == 0
    file = tmp_path / "waivers.yaml"
    file.write_text(capsys.readouterr().out)
    assert run(["judge", journal, "--waivers", str(file), "--out", str(tmp_path / "judged")]) == 0
    told = json.loads((tmp_path / "judged" / "verdicts.json").read_text())
    assert {row["id"]: row["outcome"] for row in told["clauses"]}["models.created"] == "waived"
    file.write_text("waivers: [{clause: models.objects, reason: x, owner: y, expires: 2099-01-01}]")
    assert run(["judge", journal, "--waivers", str(file)]) == 1
    assert "excuses nothing any more" in capsys.readouterr().out
    file.write_text("waivers: 3")
    assert run(["judge", journal, "--waivers", str(file)]) == 2


FILE = """# What we know of.
waivers:
  # upstream
  - clause: a.*
    reason: known
    owner: me
    expires: 2027-01-01
  - { clause: b.c, reason: known, owner: me, expires: 2027-01-01 }
"""


@pytest.mark.skipif(shutil.which("patch") is None, reason="needs patch")
@pytest.mark.parametrize(
    ("broken", "left"),
    [
        (["a.b"], FILE.replace("  - { clause: b.c, reason: known, owner: me, expires: 2027-01-01 }\n", "")),
        (["b.c"], FILE[: FILE.index("  - clause")] + FILE[FILE.index("  - { clause") :]),
        ([], "# What we know of.\nwaivers: []\n  # upstream\n"),
        (["a.b", "b.c"], FILE),
    ],
)
def test_stale_waivers_are_taken_out_by_a_patch(broken: list[str], left: str, tmp_path: Path) -> None:
    path = tmp_path / "waivers.yaml"
    path.write_text(FILE)
    verdicts = [verdict(id, *(["f1"] if id in broken else [])) for id in ("a.b", "b.c")]
    told = patch(path, waived(verdicts, read_waivers(path), URL, TODAY).stale)
    assert bool(told) == (left != FILE)
    if told:
        subprocess.run(["patch", "-s", "-p0", str(path)], input=told, text=True, check=True)
    assert path.read_text() == left
    read_waivers(path)


def test_two_waivers_in_one_line_are_taken_apart_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "waivers.yaml"
    rows = [f"{{clause: {id}, reason: x, owner: me, expires: 2027-01-01}}" for id in ("a.b", "b.c")]
    path.write_text(f"waivers: [{', '.join(rows)}]\n")
    assert patch(path, waived([verdict("a.b"), verdict("b.c", "f1")], read_waivers(path), URL, TODAY).stale) == ""
