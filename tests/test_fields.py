"""What becomes of the fields that are asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from certified import contents_of_contracts
from made import answer
from made_media import formed

from wireproof.clause import Clause, Exchange, File, answered, expect
from wireproof.cli import run
from wireproof.fields import FieldAsked, fields_asked
from wireproof.judge import Planned, judge
from wireproof.spec import load_spec


def shows_n(exchange: Exchange) -> None:
    expect(len(exchange.json["choices"]) == exchange.request.asked["n"], expected="n choices", got="others")


N = Clause("made.n", "MUST", "`n` choices.", "SPEC", answered(asks=lambda b: "n" in b), "none", shows_n, fields=("n",))
CHAT = "createChatCompletion"


def refusal(message: str, param: str | None = None, code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}


def told(*exchanges: Exchange, expects: str | None = "answer") -> dict[str, FieldAsked]:
    planned = [Planned(e.probe, e.operation, expects=expects) for e in exchanges] if expects else []
    return {row.field: row for row in fields_asked(judge([N], exchanges), exchanges, planned)}


def test_a_field_is_honoured_when_its_clause_is_kept_and_ignored_when_it_is_broken() -> None:
    row = told(answer({"choices": [1, 2]}, asked={"n": 2}))["n"]
    assert (row.operation, row.state, row.clause, row.exchange) == (CHAT, "honoured", "made.n", "made")
    assert told(answer({"choices": [1]}, asked={"n": 2}))["n"].state == "ignored"


def test_ignored_once_is_ignored() -> None:
    kept, broken = answer({"choices": [1]}, asked={"n": 1}), answer({"choices": [1]}, asked={"n": 2}, probe="other")
    row = told(kept, broken)["n"]
    assert (row.state, row.exchange) == ("ignored", "other")


def test_what_no_clause_shows_is_unknown_and_null_asks_for_nothing() -> None:
    rows = told(answer({"choices": [1]}, asked={"seed": 7, "user": None}))
    assert {name: row.state for name, row in rows.items()} == {"seed": "unknown"}


def test_an_unknown_field_says_what_stood_in_the_way() -> None:
    row = told(answer(b"no", asked={"n": 2}))["n"]
    assert (row.state, row.clause) == ("unknown", "made.n")
    assert "not JSON" in row.why


@pytest.mark.parametrize(
    "body",
    [
        refusal("Unsupported parameter: 'n' is not supported with this model.", "n", "unsupported_parameter"),
        refusal("n must be 1", "n"),
        refusal("unrecognized request argument supplied: n"),
    ],
)
def test_a_refusal_that_names_the_field_refuses_it(body: Any) -> None:
    row = told(answer(body, asked={"n": 2, "seed": 7}, status=400))
    assert (row["n"].state, row["n"].exchange, row["n"].why) == ("refused", "made", body["error"]["message"])
    assert row["seed"].state == "unknown"


def test_what_is_wrong_on_purpose_or_may_be_refuses_no_field() -> None:
    wrong_value = answer(refusal("n must be at least 1", "n"), asked={"n": 0}, status=400)
    assert told(wrong_value, expects="refusal") == {}
    assert told(wrong_value, expects=None)["n"].state == "unknown"
    later = answer(refusal("n must be at least 1", "n"), asked={"n": 0}, status=400, step=3)
    assert told(later)["n"].state == "unknown"
    said = answer(refusal("n is not supported", "n"), asked={"n": 2}, status=400)
    assert told(said, expects=None)["n"].state == "refused"


def test_a_refusal_of_one_field_refuses_no_other_that_it_mentions() -> None:
    body = refusal("'logprobs' is not supported with this model when n is 2", "logprobs", "unsupported_value")
    rows = told(answer(body, asked={"n": 2, "logprobs": True, "model": "m"}, status=400))
    assert {name: row.state for name, row in rows.items()} == {
        "n": "unknown",
        "logprobs": "refused",
        "model": "unknown",
    }
    essential = told(answer(refusal("This input is not supported", "input"), asked={"input": []}, status=400))
    assert essential["input"].state == "unknown"


def test_a_server_error_refuses_nothing_and_other_bodies_are_read_past() -> None:
    for body, status in [(refusal("n", "n"), 500), ([], 400), ({"error": "n is not supported"}, 400), (b"\xff", 400)]:
        assert told(answer(body, asked={"n": 2}, status=status))["n"].state == "unknown"


def test_a_field_honoured_elsewhere_was_refused_for_its_value() -> None:
    refused = answer(refusal("n must be 1", "n"), asked={"n": 9}, status=400, probe="many")
    assert told(refused, answer({"choices": [1]}, asked={"n": 1}))["n"].state == "honoured"


def test_a_form_asks_for_its_fields_and_files() -> None:
    fields: list[tuple[str, str | File]] = [
        ("n", "2"),
        ("timestamp_granularities[]", "word"),
        ("image", File("a.png", b"x")),
    ]
    rows = told(formed({"choices": [1]}, fields, operation=CHAT))
    assert {name: row.state for name, row in rows.items()} == {
        "n": "unknown",
        "timestamp_granularities": "unknown",
        "image": "unknown",
    }
    refused = formed(refusal("n is not supported", "n"), fields, operation=CHAT, status=400)
    assert told(refused)["n"].state == "refused"


def test_an_operation_that_is_not_described_has_no_rows() -> None:
    assert told(answer({}, asked={"n": 2}, operation=None)) == {}


def test_clauses_name_fields_that_some_operation_takes() -> None:
    spec = load_spec()
    taken = {p.name for op in spec.operations.values() for p in op.parameters} | {
        name for schema in spec.document["components"]["schemas"].values() for name in schema.get("properties", {})
    }
    for clause in contents_of_contracts()[0]:
        assert set(clause.fields) <= taken, clause.id


def test_the_table_is_in_every_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run(["certify", "--only", "chat.n", "--only", "models", "--fault", "chat.n-ignored", "--out", str(tmp_path)])
        == 1
    )
    assert "taken and ignored: createChatCompletion n" in capsys.readouterr().out
    rows = json.loads((tmp_path / "verdicts.json").read_text())["fields"]
    row = next(row for row in rows if row["field"] == "n")
    assert (row["state"], row["clause"], row["exchange"]) == ("ignored", "chat.n", "chat.n")
    assert "| ✗ ignored | createChatCompletion | `n` | `chat.n`, `chat.n` |" in (tmp_path / "report.md").read_text()
    page = (tmp_path / "report.html").read_text()
    assert "Fields asked for" in page
    assert "chat.n on chat.n" in page
