"""Dialects: what they relax, what they leave, and what evidence suggests them."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from certified import contents_of_contracts
from made import JSON_HEADERS, answer

from wireproof.clause import Clause, sent
from wireproof.cli import run
from wireproof.dialects import Dialect, dialect, dialects, relaxed, suggestion
from wireproof.judge import Finding, Verdict, Where, run_outcome
from wireproof.spec import load_spec

CATALOGUE = load_spec().catalogue("dialects")
MADE: dict[str, Any] = {
    "dialects": {
        "loose": {
            "about": "A server",
            "evidence": [{"header": "x-loose-*"}, {"body": '"fp_loose"'}, {"header": "server", "value": "loose/*"}],
            "relaxations": [
                {"clause": "a.*", "finding": 'got "\\d+"$', "treat": "relaxed", "why": "numbers", "source": "docs"},
                {"clause": "b.one", "treat": "relaxed", "why": "no such thing", "source": "docs"},
            ],
        }
    }
}
LOOSE = dialect(MADE, "loose")


def broken(id: str, *got: str, unscored: str = "") -> Verdict:
    clause = Clause(id, "MUST", "A promise.", "SPEC", sent(), "none", lambda exchange: None)
    findings = tuple(Finding("a word", text, Where("made"), "f" * 16) for text in got)
    return Verdict(clause, "fail" if got else "pass", findings, unscored=unscored)


def reason(verdict: Verdict, chosen: Dialect = LOOSE) -> str:
    return relaxed([verdict], chosen)[0].unscored


def test_a_relaxed_breach_is_told_and_does_not_count() -> None:
    assert reason(broken("a.one", '"404"')) == "relaxed: dialect loose: numbers"
    assert run_outcome(relaxed([broken("a.one", '"404"')], LOOSE)) == "conformant"
    assert relaxed([broken("a.one", '"404"')], LOOSE)[0].findings


def test_only_the_breach_that_was_described_is_relaxed() -> None:
    assert reason(broken("a.one", '"word"')) == ""
    assert reason(broken("a.one", '"404"', '"word"')) == ""
    assert reason(broken("c.one", '"404"')) == ""
    assert reason(broken("b.one", "anything")) == "relaxed: dialect loose: no such thing"


def test_what_is_kept_or_does_not_count_already_stays_as_it_is() -> None:
    assert reason(broken("b.one")) == ""
    assert reason(broken("b.one", "x", unscored="pending: later")) == "pending: later"


@pytest.mark.parametrize(
    ("shown", "sign"),
    [
        (answer({}, headers=[*JSON_HEADERS, ("X-Loose-Id", "1")]), "x-loose-id"),
        (answer({}, headers=[*JSON_HEADERS, ("Server", "loose/2")]), "server: loose/2"),
        (answer({"system_fingerprint": "fp_loose"}), '"fp_loose"'),
    ],
)
def test_a_dialect_is_suggested_by_its_marks(shown: Any, sign: str) -> None:
    said = suggestion([shown, answer({})], [broken("b.one", "x"), broken("c.one", "x")], dialects(MADE))
    assert said == (
        f"This looks like loose ({sign} on 1 of 2 answers); --dialect loose relaxes 1 of the 2 broken clauses."
    )


def test_of_several_marks_the_first_of_the_catalogue_is_named() -> None:
    both = answer({"system_fingerprint": "fp_loose"}, headers=[*JSON_HEADERS, ("server", "loose/2")])
    said = suggestion([both], [broken("b.one", "x")], dialects(MADE))
    assert '("fp_loose" on 1 of 1 answers)' in said


def test_nothing_is_suggested_without_marks_or_without_use() -> None:
    marked = answer({"system_fingerprint": "fp_loose"})
    assert suggestion([answer({})], [broken("b.one", "x")], dialects(MADE)) == ""
    assert suggestion([marked], [broken("c.one", "x")], dialects(MADE)) == ""
    assert suggestion([marked], [broken("b.one")], dialects(MADE)) == ""


@pytest.mark.parametrize("name", CATALOGUE["dialects"])
def test_a_row_is_whole_and_means_clauses_that_there_are(name: str) -> None:
    row = CATALOGUE["dialects"][name]
    assert set(row) == {"about", "sources", "evidence", "relaxations"}
    assert row["sources"]
    ids = [clause.id for clause in contents_of_contracts()[0]]
    for one in row["relaxations"]:
        assert {"clause", "treat", "why", "source"} <= set(one) <= {"clause", "finding", "treat", "why", "source"}
        assert one["treat"] == "relaxed"
        assert any(fnmatchcase(id, one["clause"]) for id in ids), one["clause"]
        re.compile(one.get("finding", ""))
    for marker in row["evidence"]:
        assert set(marker) in ({"header"}, {"header", "value"}, {"body"})
        assert marker.get("header", "").islower() or "body" in marker


def test_what_azure_says_of_limits_and_keys_is_relaxed() -> None:
    """As recorded: resets without a unit, a status for a code, errors of two keys."""
    azure = dialect(CATALOGUE, "azure")
    bare = broken("ratelimit.reset-duration").clause
    said = Finding("a duration in x-ratelimit-reset-tokens, as 6m0s", '"7"', Where("made"), "f" * 16)
    assert reason(Verdict(bare, "fail", (said,)), azure)
    assert not reason(Verdict(bare, "fail", (Finding(said.expected, '"soon"', said.where, "f" * 16),)), azure)
    assert reason(broken("errors.code-status", '"401"'), azure)
    assert not reason(broken("chat.choices", "choices null"), azure)


def test_a_named_dialect_is_in_the_report_and_an_unknown_one_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fault = ["--only", "errors.code-status", "--fault", "errors.code-is-status", "--out", str(tmp_path)]
    assert run(["certify", *fault, "--cases", "0", "--dialect", "litellm"]) == 0
    told = json.loads((tmp_path / "verdicts.json").read_text())
    verdicts = {row["id"]: row for row in told["clauses"]}
    assert told["dialect"] == "litellm"
    assert verdicts["errors.code-status"]["outcome"] == "fail"
    assert verdicts["errors.code-status"]["unscored"].startswith("relaxed: dialect litellm")
    journal = str(tmp_path / "journal.jsonl")
    assert run(["judge", journal]) == 0
    assert run(["judge", journal, "--dialect", "openrouter"]) == 1
    for command in (["certify", *fault], ["judge", journal]):
        capsys.readouterr()
        assert run([*command, "--dialect", "esperanto"]) == 2
        assert "there are azure, vllm, litellm" in capsys.readouterr().err
