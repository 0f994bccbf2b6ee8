"""The same questions to several backends: nothing where they agree, the place and the clause where they do not."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from certified import certified, contents_of_contracts, standin_plan
from made import JSON_HEADERS, answer, stream
from recorded import har, mitmproxy, vcr

from wireproof.certification import report_of
from wireproof.clause import Exchange
from wireproof.cli import run
from wireproof.content import shelf
from wireproof.divergence import Comparison, Divergence, Side, by_header, by_words, compare, sentence
from wireproof.journal import Journal, Run
from wireproof.judge import Where
from wireproof.outline import departures, outline
from wireproof.recordings import read_recording
from wireproof.spec import load_spec
from wireproof.standin.backend import DEFAULT_KEY
from wireproof.standin.serve import embedded

RULES: dict[str, Any] = load_spec().catalogue("outline")
HEADER = {"target": {"base_url": "http://a/v1"}, "started": "2026-11-01T00:00:00+00:00", "plan": []}


@cache
def side(name: str, *faults: str) -> Side:
    found = certified(*faults, plan=standin_plan(profiles=("core",)))
    return Side(name, run_of(found.exchanges), list(found.verdicts.values()))


def run_of(exchanges: Sequence[Exchange], reason: str = "complete") -> Run:
    return Run(HEADER, tuple(exchanges), {}, (), (), {"reason": reason}, len(exchanges))


def plain(name: str, *exchanges: Exchange, reason: str = "complete") -> Side:
    """A side without verdicts."""
    return Side(name, run_of(exchanges, reason), [])


def against(*faults: str) -> Comparison:
    return compare([side("right"), side("broken", *faults)], RULES)


def parted(*bodies: Any) -> list[tuple[str, tuple[str, ...]]]:
    """The places at which answers with these bodies part."""
    return list(departures([outline(answer(body), RULES) for body in bodies]))


def chunk(**delta: Any) -> dict[str, Any]:
    return {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta}]}


def test_a_backend_does_not_differ_from_itself() -> None:
    found = against()
    assert (found.outcome, list(found.divergences), list(found.missing)) == ("same", [], [])
    assert found.compared > 40


@pytest.mark.parametrize(
    ("fault", "place", "said", "clause"),
    [
        ("models.owner-missing", "/data/*/owned_by", ("string", "absent"), "models.schema"),
        ("chat.n-ignored", "/choices, items", ("2", "1"), "chat.n"),
        ("errors.model-400", "status", ("404", "400"), "errors.unknown-model"),
        ("chat.fingerprint-number", "/system_fingerprint", ("string", "integer"), "chat.schema"),
        ("wire.request-id-missing", "header x-request-id", ("present", "absent"), "wire.request-id"),
        ("chat.stream.usage-early", "events", None, "chat.stream.usage-last"),
    ],
)
def test_what_parts_them_is_named_with_the_clause(
    fault: str, place: str, said: tuple[str, ...] | None, clause: str
) -> None:
    found = against(fault)
    assert found.outcome == "differ"
    here = [one for one in found.classified if one.place == place and one.clause and one.clause.id == clause]
    assert here
    assert said is None or here[0].said == said


def test_a_breach_without_a_place_of_its_own_is_told_by_its_verdict() -> None:
    (one,) = [one for one in against("errors.param-absent").divergences if one.place == "verdict"]
    assert (one.said, one.clause and one.clause.id) == (("pass", "fail"), "errors.param")


def test_the_one_that_stands_alone_is_named() -> None:
    found = compare([side("a"), side("b", "chat.n-ignored"), side("c")], RULES)
    assert {one.odd for one in found.divergences} == {"b"}
    assert found.odd["b"] == len(found.divergences)
    assert "b stands alone most often" in sentence(found)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({"a": "x", "created": 1}, {"a": "y", "created": 2}, []),
        ({"a": None}, {}, [("/a", ("null", "absent"))]),
        ({"a": {"b": 1}}, {}, [("/a", ("object", "absent"))]),
        ({"role": "user"}, {"role": "tool"}, [("/role", ('"user"', '"tool"'))]),
        ({"n": 1}, {"n": 1.5}, [("/n", ("integer", "number"))]),
        ({"n": [1, 1.5]}, {"n": [1.5]}, []),
        ({"rows": [{"a": 1}]}, {"rows": []}, []),
        ({"rows": [{"a": 1}, {}]}, {"rows": [{"a": 1}]}, [("/rows/*/a", ("absent or integer", "integer"))]),
        ({"metadata": {"mine": "1"}}, {"metadata": {}}, []),
        (
            {"output": [{"type": "message"}, {"type": "reasoning"}]},
            {"output": [{"type": "message"}]},
            [("/output/{reasoning}", ("object", "absent"))],
        ),
    ],
)
def test_structure_is_compared_and_content_is_not(one: Any, other: Any, expected: list[Any]) -> None:
    assert parted(one, other) == expected


def test_where_statuses_differ_bodies_are_not_compared() -> None:
    refusal = answer({"error": {}}, status=400)
    assert list(departures([outline(answer({"id": "x"}), RULES), outline(refusal, RULES)])) == [
        ("status", ("200", "400"))
    ]


def test_a_body_that_is_no_json_is_told_once() -> None:
    page = answer(b"<p>", headers=JSON_HEADERS)
    assert list(departures([outline(answer({"id": "x"}), RULES), outline(page, RULES)])) == [
        ("body", ("JSON", "no JSON"))
    ]


def test_streams_are_compared_by_the_kinds_of_their_events_however_cut() -> None:
    end = {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    few = stream([chunk(role="assistant"), chunk(content="ab"), end])
    many = stream([chunk(role="assistant"), chunk(content="a"), chunk(content="b"), end])
    mute = stream([chunk(role="assistant"), chunk(content="ab"), end], done=False)
    assert list(departures([outline(few, RULES), outline(many, RULES)])) == []
    assert dict(departures([outline(few, RULES), outline(mute, RULES)])) == {
        "events": ("role > content > finish > [DONE]", "role > content > finish"),
        "last event": ("[DONE]", "finish"),
    }


def test_a_finding_about_another_kind_of_event_classifies_nothing() -> None:
    """`finish_reason` of a first chunk may be null or absent, whatever is wrong with that of the last one."""
    found = against("chat.finish-uppercase")
    first = {**chunk(role="assistant")}
    first["choices"][0]["finish_reason"] = None
    end: dict[str, Any] = {**first, "choices": [{"index": 0, "delta": {}, "finish_reason": "STOP"}]}
    verdicts = [v for v in found.sides[1].verdicts if v.clause.id == "chat.finish-reason"]
    broken = replace(
        verdicts[0], findings=(replace(verdicts[0].findings[0], where=Where("made", 1, "/choices/0/finish_reason")),)
    )
    sides = [
        plain("a", stream([first, {**end, "choices": [{**end["choices"][0], "finish_reason": "stop"}]}])),
        Side("b", run_of([stream([chunk(role="assistant"), end])]), [broken]),
    ]
    named = {one.place: one.clause and one.clause.id for one in compare(sides, RULES).divergences}
    assert named == {
        "/{role}/choices/*/finish_reason": None,
        "/{finish}/choices/*/finish_reason": "chat.finish-reason",
    }


def test_headers_are_told_together_and_habits_too() -> None:
    a = plain("a", answer({"x": None, "y": None}))
    b = plain("b", answer({}, headers=(*JSON_HEADERS, ("x-vendor-a", "1"), ("x-vendor-b", "2"), ("Date", "now"))))
    found = compare([a, b], RULES)
    assert by_header(found.unspecified) == [(("absent", "present"), ["x-vendor-a", "x-vendor-b"])]
    ((said, places),) = by_words(found.unspecified)
    assert (said, [one.place for one in places]) == (("null", "absent"), ["/x", "/y"])
    assert found.outcome == "same"  # nobody is wrong


def test_what_one_side_alone_was_asked_is_missing_and_a_cut_run_incomplete() -> None:
    found = compare([plain("a", answer({}), answer({}, probe="more")), plain("b", answer({}), reason="cut")], RULES)
    assert (found.compared, found.missing, found.outcome) == (1, ["more"], "incomplete")
    assert compare([plain("a", answer({})), plain("b", answer({}, probe="other"))], RULES).outcome == "incomplete"


def asked_as(model: str, exchange: Exchange) -> Exchange:
    """The same question, in the name of another model."""
    request = exchange.request
    path = request.path.replace("gpt-4.1-mini", model)
    body = request.body.replace(b"gpt-4.1-mini", model.encode())
    return replace(exchange, request=replace(request, path=path, body=body))


@pytest.mark.parametrize("file", ["traffic.har", "cassette.yaml", "dump.mitm"])
def test_recordings_of_others_are_aligned_by_what_was_asked(file: str, tmp_path: Path) -> None:
    """In another order, of another model, with other ids: a difference is none of that."""
    writers: dict[str, Callable[[list[Exchange]], str | bytes]] = {
        "traffic.har": har,
        "cassette.yaml": vcr,
        "dump.mitm": mitmproxy,
    }
    theirs = [asked_as("their-model", one) for one in side("broken", "chat.n-ignored").run.exchanges]
    theirs.sort(key=lambda one: one.probe[::-1])
    content = writers[file](theirs)
    (tmp_path / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    recorded = read_recording(tmp_path / file)
    broken = Side("theirs", recorded, report_of(recorded, contents_of_contracts()[0]).verdicts)
    found = compare([side("right"), broken], RULES)
    assert found.compared > 90
    assert set(found.missing) <= {
        "errors.unknown-route",
        "errors.wrong-method",
    }  # no operations: left out of recordings
    assert {(one.place, one.said) for one in found.divergences} == {("/choices, items", ("2", "1"))}
    assert found.divergences[0].exchanges == ("chat.n",)


def test_a_question_that_was_throttled_is_the_one_that_was_answered(tmp_path: Path) -> None:
    asked = answer({"id": "x"})
    (tmp_path / "t.har").write_text(har([replace(asked, status=429), asked]))
    theirs = Side("theirs", read_recording(tmp_path / "t.har"), [])
    assert [one.place for one in compare([plain("ours", asked), theirs], RULES).divergences] == []


def test_a_target_differs_from_its_journal_of_yesterday(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", DEFAULT_KEY)
    asked = ["--model", "gpt-4.1-mini", "--embedding-model", "text-embedding-3-small", "--only", "embeddings"]
    with embedded() as standin:
        assert run(["certify", "--base-url", standin.base_url, *asked, "--out", str(tmp_path / "then")]) == 0
        then = str(tmp_path / "then" / "journal.jsonl")
        assert run(["diff", then, standin.base_url, *asked[:4], "--out", str(tmp_path / "same")]) == 0
    with embedded(faults=["embeddings.base64-ignored"]) as standin:
        capsys.readouterr()
        assert run(["diff", then, standin.base_url, *asked[:4], "--out", str(tmp_path / "now")]) == 1
    said = capsys.readouterr().out
    assert "MUST embeddings.base64" in said
    told = json.loads((tmp_path / "now" / "diff.json").read_text())
    jsonschema.validate(told, json.loads((shelf("reports") / "schemas" / "diff.schema.json").read_text()))
    assert told["outcome"] == "differ"
    assert [one["name"] for one in told["targets"]] == [then, standin.base_url]
    assert "`embeddings.base64`" in (tmp_path / "now" / "diff.md").read_text()
    assert (tmp_path / "now" / "2" / "journal.jsonl").exists()
    assert all(DEFAULT_KEY not in file.read_text() for file in (tmp_path / "now").rglob("*.*"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["http://127.0.0.1:9/v1"], "two targets or more"),
        (["a.jsonl", "b.jsonl", "c.jsonl", "--model", "x", "--model", "y"], "one for each of the 3 targets, got 2"),
        (["missing.jsonl", "b.jsonl"], "missing.jsonl"),
    ],
)
def test_a_wrong_command_is_one_line(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["diff", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_the_same_target_twice_has_two_names(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        journal.header({key: value for key, value in HEADER.items() if key != "plan"}, [])
        journal.exchange(answer({}))
        journal.footer(reason="complete", spend={"calls": 1, "tokens": 0, "usd": None, "wall_s": 0.0})
    assert run(["diff", str(path), str(path), "--out", str(tmp_path / "out")]) == 0
    told = json.loads((tmp_path / "out" / "diff.json").read_text())
    assert [one["name"] for one in told["targets"]] == [str(path), f"{path} (2)"]


def test_a_clause_that_may_be_broken_does_not_part_them() -> None:
    may = next(v.clause for v in side("right").verdicts if v.clause.level == "MAY")
    both = [side("right"), side("right")]
    assert Comparison(both, 1, [Divergence("/x", ("a", "b"), ("e",), may)]).outcome == "same"
