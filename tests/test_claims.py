"""Claims: what follows for a feature that is claimed, and for one that is not."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from certified import contents_of_contracts
from made import answer

from wireproof.claims import BadClaims, Claimed, after_claims, features, read_claims, template
from wireproof.clause import Clause, Exchange, NotApplicable, answered, expect, steps
from wireproof.cli import run
from wireproof.fields import fields_asked
from wireproof.judge import Planned, Verdict, judge
from wireproof.spec import load_spec
from wireproof.violations import follow

CATALOGUE = load_spec().catalogue("features")
KNOWN = features(
    {
        "features": {
            "many": {"about": "Choices", "clauses": ["made.n"], "fields": {"createChatCompletion": ["n"]}},
            "all": {"about": "Everything", "clauses": ["made.*"]},
            "kept": {"about": "State", "clauses": ["flow.*"]},
        }
    }
)
REFUSAL = {"error": {"message": "nothing for you", "type": "invalid_request_error", "param": None, "code": None}}
NAMED = {"error": {"message": "n is not supported", "type": "invalid_request_error", "param": "n", "code": None}}


def shows_n(exchange: Exchange) -> None:
    expect(len(exchange.json["choices"]) == exchange.request.asked["n"], expected="n choices", got="others")


def is_kept(exchanges: list[Exchange]) -> None:
    if exchanges[0].status == 404:
        raise NotApplicable("not served: 404")


ASKS_N = answered("createChatCompletion", asks=lambda body: "n" in body)
N = Clause("made.n", "MUST", "`n` choices.", "SPEC", ASKS_N, "none", shows_n, fields=("n",))
KEPT = Clause("flow.kept", "MUST", "It is kept.", "SPEC", steps("flow"), "none", is_kept)
ELSE = Clause("other.law", "MUST", "A law.", "SPEC", answered(), "none", lambda exchange: None)


def after(*exchanges: Exchange, expects: str | None = "answer", **claims: bool) -> Claimed:
    planned = [Planned(e.probe, e.operation, expects=expects) for e in exchanges] if expects else []
    verdicts = judge([N, KEPT, ELSE], exchanges)
    told = {name: claims.get(name, False) for name in KNOWN}
    return after_claims(verdicts, exchanges, planned, fields_asked(verdicts, exchanges, planned), told, KNOWN)


def of(claimed: Claimed, id: str = "made.n") -> Verdict:
    return next(verdict for verdict in claimed.verdicts if verdict.clause.id == id)


def states(claimed: Claimed) -> dict[str, str]:
    return {one.feature: one.state for one in claimed.claims}


OTHER = answer({"choices": [1]}, asked={}, probe="plain")


def test_a_claimed_feature_that_is_declined_is_broken() -> None:
    refused = answer(REFUSAL, asked={"n": 2}, status=400)
    found = after(refused, OTHER, many=True, all=True)
    assert of(found).outcome == "fail"
    assert of(found).findings[0].expected == "many to be served, as claimed"
    assert of(found).findings[0].got == "status 400: nothing for you"
    assert states(found)["many"] == "broken"
    assert of(after(refused, OTHER)).outcome == "not-applicable"


def test_a_claimed_flow_that_ends_at_its_door_is_broken() -> None:
    gone = answer(REFUSAL, probe="flow", status=404)
    assert of(after(gone, kept=True), "flow.kept").outcome == "fail"
    assert of(after(gone), "flow.kept").outcome == "not-applicable"


def test_a_claimed_feature_that_nothing_shows_is_open() -> None:
    found = after(OTHER, many=True, all=True)
    assert of(found).outcome == "inconclusive"
    assert of(found).reason == "many is claimed, and not shown: nothing that was sent asks for it"
    assert states(found)["many"] == "undecided"


def test_what_may_be_wrong_on_purpose_declines_nothing() -> None:
    later = answer(REFUSAL, asked={"n": 2}, status=400, step=2)
    assert of(after(later, many=True, all=True)).outcome == "inconclusive"
    first = answer(REFUSAL, asked={"n": 0}, status=400)
    for expects in ("refusal", None):
        assert of(after(first, expects=expects, many=True, all=True)).outcome == "inconclusive"
    assert of(after(first, OTHER), "claims.refused").outcome == "fail"
    assert of(after(first, OTHER, expects=None), "claims.refused").outcome == "pass"


def test_a_claimed_feature_is_judged_as_ever() -> None:
    found = after(answer({"choices": [1, 2]}, asked={"n": 2}), many=True, all=True)
    assert (of(found).outcome, of(found).unscored, states(found)["many"]) == ("pass", "", "kept")
    found = after(answer({"choices": [1]}, asked={"n": 2}), many=True, all=True)
    assert (of(found).outcome, of(found).unscored, states(found)["many"]) == ("fail", "", "broken")


def test_a_field_that_is_not_claimed_and_ignored_is_a_finding_of_one_clause() -> None:
    found = after(answer({"choices": [1]}, asked={"n": 2}), all=True)
    assert of(found).unscored == "not claimed: many"
    (finding,) = of(found, "claims.refused").findings
    assert finding.expected == "n refused by its name, or honoured: many is not claimed"
    assert finding.got == "status 200, and made.n is broken"
    assert states(found)["many"] == "ignored"


def test_a_field_that_is_not_claimed_may_be_refused_by_name_or_honoured() -> None:
    refused = after(answer(NAMED, asked={"n": 2}, status=400), OTHER)
    assert (of(refused, "claims.refused").outcome, states(refused)["many"]) == ("pass", "refused")
    honoured = after(answer({"choices": [1, 2]}, asked={"n": 2}))
    assert (of(honoured, "claims.refused").outcome, states(honoured)["many"]) == ("pass", "served")


def test_a_refusal_without_the_name_is_none_where_the_operation_is_served() -> None:
    nameless = answer(REFUSAL, asked={"n": 2}, status=400)
    (finding,) = of(after(nameless, OTHER), "claims.refused").findings
    assert finding.expected == "a refusal that names n: many is not claimed"
    assert of(after(nameless), "claims.refused").outcome == "pass"
    for status in (401, 404, 429):
        other = answer(REFUSAL, asked={"n": 2}, status=status)
        assert of(after(other, OTHER), "claims.refused").outcome == "pass"


def test_clauses_of_no_feature_are_left_alone() -> None:
    assert of(after(OTHER), "other.law") == judge([ELSE], [OTHER])[0]
    every = after(OTHER, many=True, all=True, kept=True)
    assert of(every, "claims.refused").outcome == "not-applicable"


@pytest.mark.parametrize("name", CATALOGUE["features"])
def test_a_feature_means_clauses_and_fields_that_there_are(name: str) -> None:
    row = CATALOGUE["features"][name]
    assert {"about", "clauses"} <= set(row) <= {"about", "clauses", "fields"}
    ids = [clause.id for clause in contents_of_contracts()[0]]
    for glob in row["clauses"]:
        assert any(fnmatchcase(id, glob) for id in ids), glob
    spec = load_spec()
    for operation, fields in row.get("fields", {}).items():
        body = spec.operations[operation].node["requestBody"]["content"]["application/json"]["schema"]
        properties = _properties(spec, body)
        assert set(fields) <= properties, fields


def _properties(spec: Any, schema: Any) -> set[str]:
    """Those of a schema and of what it refers to; keys beside a `$ref` count too."""
    parts = [*schema.get("allOf", ())]
    if "$ref" in schema:
        parts.append(follow(spec.document, schema["$ref"].removeprefix("#")))
    return set(schema.get("properties", {})) | {name for part in parts for name in _properties(spec, part)}


def test_the_template_reads_as_claims(tmp_path: Path) -> None:
    file = tmp_path / "claims.yaml"
    file.write_text(template(KNOWN.values()))
    assert read_claims(file, KNOWN) == {"many": True, "all": True, "kept": True}
    file.write_text("features: {many: true}")
    assert read_claims(file, KNOWN) == {"many": True, "all": False, "kept": False}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "expected YAML"),
        ("[]", "an object with `features`"),
        ("features: {few: true}", "no feature is called 'few'; there are many, all, kept"),
        ("features: {many: 1}", "expected many as true or false, got 1"),
    ],
)
def test_a_file_that_is_no_list_of_claims_is_refused(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "claims.yaml"
    file.write_text(text)
    with pytest.raises(BadClaims, match=said):
        read_claims(file, KNOWN)


def test_the_command_line_judges_by_claims(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "claims.yaml"
    assert run(["plan", "--claims-template"]) == 0
    file.write_text(capsys.readouterr().out)
    out = ["--out", str(tmp_path / "out"), "--cases", "0"]
    assert run(["certify", "--only", "chat.n", "--only", "models", *out, "--claims", str(file)]) == 0
    file.write_text("features: {tools: true}")
    assert run(["certify", "--only", "chat.n", "--fault", "chat.n-ignored", *out, "--claims", str(file)]) == 1
    told = json.loads((tmp_path / "out" / "verdicts.json").read_text())
    rows = {row["id"]: row for row in told["clauses"]}
    assert rows["chat.n"]["unscored"] == "not claimed: choices"
    assert rows["claims.refused"]["findings"][0]["got"] == "status 200, and chat.n is broken"
    assert {"feature": "choices", "claimed": False, "state": "ignored"} in told["claims"]
    capsys.readouterr()
    assert run(["judge", str(tmp_path / "out" / "journal.jsonl")]) == 1
    assert "MUST claims.refused" in capsys.readouterr().out
    file.write_text("features: {few: true}")
    assert run(["judge", str(tmp_path / "out" / "journal.jsonl"), "--claims", str(file)]) == 2
    assert run(["explain", "claims.refused"]) == 0
    assert "whatever traffic shows it" in capsys.readouterr().out
