"""`wireproof certify` as a user runs it: the built-in stand-in over a real socket, and what is left in --out."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import jsonschema
import pytest
from certified import contents_of_contracts

from wireproof.certification import report_of
from wireproof.cli import run
from wireproof.content import shelf
from wireproof.journal import read_journal
from wireproof.report import rendered
from wireproof.standin.backend import DEFAULT_KEY

ARTIFACTS = {"journal.jsonl", "verdicts.json", "report.html", "report.md", "junit.xml"}
FAULT = "embeddings.base64-ignored"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The artifacts of a certification of the stand-in."""
    out = tmp_path_factory.mktemp("kept")
    assert run(["certify", "--cases", "2", "--out", str(out)]) == 0
    return out


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a fault."""
    out = tmp_path_factory.mktemp("broken")
    assert run(["certify", "--cases", "0", "--fault", FAULT, "--out", str(out)]) == 1
    return out


def verdicts(out: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((out / "verdicts.json").read_text())
    return told


def test_the_stand_in_is_conformant_in_few_hundred_exchanges_and_its_cases(kept: Path) -> None:
    told = verdicts(kept)
    assert told["outcome"] == "conformant"
    assert "fail" not in told["counts"]
    exchanges = read_journal(kept / "journal.jsonl").exchanges
    assert len([e for e in exchanges if not e.probe.startswith("cases.")]) <= 450  # of every profile


def test_a_fault_is_named_with_its_clause_on_stdout(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["certify", "--cases", "0", "--only", "embeddings", "--fault", FAULT, "--out", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert re.search(r"probes: at most \d+ exchanges, \d+ tokens, \$0\.00", said.splitlines()[1])
    for part in (
        "MUST embeddings.base64",
        "expected  ",
        "got       ",
        "where     embeddings.base64",
        "again     curl -sS",
    ):
        assert part in said


@pytest.mark.parametrize("out", ["kept", "broken"])
def test_every_artifact_is_there_and_verdicts_keep_their_schema(out: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(out)
    assert {path.name for path in folder.iterdir()} == ARTIFACTS
    schema = json.loads((shelf("reports") / "schemas" / "verdicts.schema.json").read_text())
    jsonschema.validate(verdicts(folder), schema)


@pytest.mark.parametrize("out", ["kept", "broken"])
def test_the_key_is_in_no_artifact(out: str, request: pytest.FixtureRequest) -> None:
    for path in request.getfixturevalue(out).iterdir():
        assert DEFAULT_KEY not in path.read_text(encoding="utf-8"), path.name


def test_judging_the_journal_again_gives_the_same_verdicts(broken: Path, tmp_path: Path) -> None:
    assert run(["judge", str(broken / "journal.jsonl"), "--out", str(tmp_path)]) == 1
    for name in ARTIFACTS - {"journal.jsonl"}:
        assert (tmp_path / name).read_text() == (broken / name).read_text(), name


def test_an_earlier_journal_is_set_aside_not_overwritten(tmp_path: Path) -> None:
    for _ in range(2):
        assert run(["certify", "--only", "models", "--cases", "0", "--out", str(tmp_path)]) == 0
    assert len(list(tmp_path.glob("journal*.jsonl"))) == 2


def test_a_budget_that_is_too_small_is_incomplete_and_says_what_was_not_covered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["certify", "--cases", "0", "--budget", "calls=5", "--out", str(tmp_path)]) == 3
    told = verdicts(tmp_path)
    assert told["outcome"] == "incomplete"
    assert told["spend"]["calls"] == 5
    printed = capsys.readouterr().out
    assert "was not sent: left out by the budget of calls=5" in printed
    assert "clauses were not covered by the budget: " in printed
    assert "clauses were not covered by the budget: " in (tmp_path / "report.md").read_text()


def test_json_on_stdout_is_the_verdicts_file_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["certify", "--only", "models", "--cases", "0", "--json", "--out", str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out) == verdicts(tmp_path)


def test_junit_has_a_case_a_clause_and_a_failure_a_broken_one(broken: Path) -> None:
    suites = Xml.parse(broken / "junit.xml").getroot()
    cases = {case.get("name"): case for case in suites.iter("testcase")}
    clauses, _ = contents_of_contracts()
    assert set(cases) == {clause.id for clause in clauses}
    failed = {name for name, case in cases.items() if case.find("failure") is not None}
    assert "embeddings.base64" in failed
    failure = cases["embeddings.base64"].find("failure")
    assert failure is not None
    assert "curl -sS" in (failure.text or "")


def test_the_html_report_needs_nothing_from_outside_and_shows_the_bytes(broken: Path) -> None:
    page = (broken / "report.html").read_text()
    assert "<link" not in page
    assert "src=" not in page
    run_ = read_journal(broken / "journal.jsonl")
    exchange = next(e for e in run_.exchanges if e.probe == "embeddings.base64")
    request_id = exchange.header("x-request-id")
    assert request_id is not None
    assert request_id in page


HOSTILE = "</pre><script>alert(1)</script>\x00\x1b[31m"


def test_what_a_target_sends_cannot_break_the_reports(broken: Path) -> None:
    from dataclasses import replace

    from wireproof.clause import Chunk

    recorded = read_journal(broken / "journal.jsonl")
    spoilt = [replace(e, chunks=(Chunk(0.1, HOSTILE.encode()),)) for e in recorded.exchanges]
    texts = rendered(report_of(replace(recorded, exchanges=tuple(spoilt)), contents_of_contracts()[0]))
    assert "<script>alert" not in texts["report.html"]
    Xml.fromstring(texts["junit.xml"].encode())


def test_an_error_message_adds_no_tags_to_the_markdown(broken: Path) -> None:
    from dataclasses import replace

    from wireproof.clause import Chunk

    recorded = read_journal(broken / "journal.jsonl")
    body = json.dumps({"error": {"message": "no <img src=x> & | here"}}).encode()
    spoilt = tuple(replace(e, status=501, chunks=(Chunk(0.1, body),)) for e in recorded.exchanges)
    page = rendered(report_of(replace(recorded, exchanges=spoilt), contents_of_contracts()[0]))["report.md"]
    assert "501: no &lt;img src=x> &amp; \\| here" in page


def test_a_stream_encoded_as_nobody_can_read_it_is_in_the_report(broken: Path) -> None:
    from dataclasses import replace

    recorded = read_journal(broken / "journal.jsonl")
    headers = (("content-type", "text/event-stream"), ("content-encoding", "br"))
    spoilt = tuple(replace(e, headers=headers) for e in recorded.exchanges)
    texts = rendered(report_of(replace(recorded, exchanges=spoilt), contents_of_contracts()[0]))
    assert "content-encoding &#39;br&#39;, though only identity was accepted" in texts["report.html"]


def test_a_report_is_a_pure_function_of_its_journal(broken: Path) -> None:
    clauses, _ = contents_of_contracts()
    recorded = read_journal(broken / "journal.jsonl")
    assert rendered(report_of(recorded, clauses)) == rendered(report_of(recorded, clauses))


def test_a_users_own_contracts_are_judged_beside_ours(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "acme.py").write_text(
        "from wireproof.clause import Exchange, answered, clause, expect\n\n\n"
        '@clause("acme.region", level="SHOULD", source="ACME handbook", on=answered())\n'
        "def region_is_named(exchange: Exchange) -> None:\n"
        '    """Every answer names the region that served it."""\n'
        '    expect(exchange.header("x-acme-region") is not None, expected="an x-acme-region header", got="none")\n'
    )
    arguments = [
        "certify",
        "--cases",
        "0",
        "--only",
        "acme",
        "--contracts",
        str(folder),
        "--out",
        str(tmp_path / "out"),
    ]
    assert run(arguments) == 1
    [clause] = verdicts(tmp_path / "out")["clauses"]
    assert (clause["id"], clause["area"], clause["outcome"]) == ("acme.region", "acme", "fail")


def test_the_clause_reference_is_current() -> None:
    """Made again by `wireproof explain --markdown > docs/clauses.md`."""
    from wireproof.cli.explain import reference

    written = (Path(__file__).parents[1] / "docs" / "clauses.md").read_text()
    assert written == reference(contents_of_contracts()[0])


def test_every_clause_can_be_explained(capsys: pytest.CaptureFixture[str]) -> None:
    clauses, _ = contents_of_contracts()
    for clause in clauses:
        assert run(["explain", clause.id]) == 0
    said = capsys.readouterr().out
    assert said.count("source    ") == len(clauses)
    assert said.count("broken by wireproof serve --fault") >= len(clauses)


def test_a_plan_prints_its_probes_tokens_and_price_and_sends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    nobody = ["--base-url", "http://127.0.0.1:9/v1", "--model", "gpt-5.4-nano"]
    assert run(["plan", *nobody]) == 0
    said = capsys.readouterr().out
    assert "chat.plain" in said
    assert "$0.00" in said.splitlines()[-1]
    assert run(["plan", *nobody, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["total"]["calls"] == sum(probe["calls"] for probe in told["probes"]) <= 120
    assert {left["reason"] for left in told["left_out"]} >= {"no embedding model was named (--embedding-model)"}


def test_a_model_that_thinks_is_given_room_for_its_words(tmp_path: Path) -> None:
    assert run(["certify", "--model", "o4-mini", "--cases", "0", "--only", "chat.parity", "--out", str(tmp_path)]) == 0
    outcomes = {row["id"]: row["outcome"] for row in verdicts(tmp_path)["clauses"]}
    assert outcomes["chat.parity.text"] == outcomes["chat.parity.nothing-lost"] == "pass"
    caps = [e.request.asked["max_completion_tokens"] for e in read_journal(tmp_path / "journal.jsonl").exchanges[-3:]]
    assert min(caps) > 24
