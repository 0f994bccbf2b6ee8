"""A finding made small: nothing is left that it does not need, and what is left shows it by itself."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from made import answer, stream

from wireproof.again import NotSent, auth_of, call_of, verdict
from wireproof.certification import load_contracts, report_of
from wireproof.clause import Exchange
from wireproof.cli import run
from wireproof.exhibit import Exhibit, exhibits, leave
from wireproof.journal import read_journal
from wireproof.judge import judge
from wireproof.report import curl, rendered
from wireproof.shrinking import event_pieces, put, size_of, smallest, smallest_body, smallest_stream, with_pieces
from wireproof.standin.backend import DEFAULT_KEY
from wireproof.standin.serve import StandIn, embedded

FAULTS = ["chat.n-ignored", "chat.stream.usage-early", "errors.param-absent"]


@pytest.fixture(scope="module")
def broken() -> Iterator[StandIn]:
    with pytest.MonkeyPatch.context() as patch, embedded(faults=FAULTS) as standin:
        patch.setenv("OPENAI_API_KEY", DEFAULT_KEY)
        yield standin


@pytest.fixture(scope="module")
def journal(broken: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("broken")
    words = ["--base-url", broken.base_url, "--model", "gpt-4.1-mini", "--only", "chat", "--only", "errors"]
    assert run(["certify", *words, "--profile", "core", "--out", str(out)]) == 1
    return out / "journal.jsonl"


def shrunk(out: Path) -> Exchange:
    (one,) = read_journal(out / "journal.jsonl").exchanges
    return one


@pytest.mark.parametrize(("wanted", "most"), [({3}, 12), ({0, 9}, 30), ({2, 3, 7}, 60), (set(), 12)])
def test_nothing_is_left_that_could_go(wanted: set[int], most: int) -> None:
    tries = 0

    def holds(kept: list[int]) -> bool:
        nonlocal tries
        tries += 1
        return wanted <= set(kept)

    assert smallest(list(range(10)), holds) == sorted(wanted)
    assert tries <= most


def test_what_could_not_be_tried_stays() -> None:
    assert smallest([1, 2, 3], lambda kept: False) == [1, 2, 3]
    assert smallest([], lambda kept: True) == []


def test_a_body_loses_keys_and_items_at_every_depth_and_never_its_cap() -> None:
    body = {"a": 1, "max_tokens": 4, "b": {"c": [1, {"d": 2, "e": 3}, 5], "f": 6}}

    def holds(candidate: Any) -> bool:
        try:
            return any(item == {"d": 2} or item.get("d") == 2 for item in candidate["b"]["c"] if isinstance(item, dict))
        except (KeyError, TypeError):
            return False

    assert smallest_body(body, holds) == {"max_tokens": 4, "b": {"c": [{"d": 2}]}}
    assert size_of(body) == 10


def test_put_changes_a_copy() -> None:
    body = {"a": [{"b": 1}, 2]}
    assert put(body, ("a", 0, "b"), 9) == {"a": [{"b": 9}, 2]}
    assert body == {"a": [{"b": 1}, 2]}


def test_the_pieces_of_a_stream_are_its_bytes() -> None:
    one = stream([{"n": 1}, b": ping\r\n\r\ndata: {}\r\n\r\n", {"n": 3}])
    pieces = event_pieces(one)
    assert b"".join(piece.data for piece in pieces) == one.body
    assert [event.data for event in with_pieces(one, pieces[1:3]).events] == ["{}", '{"n": 3}']
    assert smallest_stream(one, lambda kept: b'"n": 3' in kept.body).events[0].data == '{"n": 3}'
    assert smallest_stream(one, lambda kept: False) is one
    assert smallest_stream(stream([], done=False), lambda kept: True).body == b""


def test_a_stream_is_shrunk_offline_to_the_events_that_break_the_clause(journal: Path, tmp_path: Path) -> None:
    assert run(["shrink", str(journal), "chat.stream.usage-last", "--out", str(tmp_path)]) == 0
    small = shrunk(tmp_path)
    assert len(small.events) == 2
    assert '"usage"' in str(small.events[0].data)
    assert run(["judge", str(tmp_path / "journal.jsonl")]) == 1


def test_a_request_is_shrunk_at_the_target(
    journal: Path, broken: StandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = report_of(read_journal(journal), load_contracts()[0])
    fingerprint = next(v.findings[0].fingerprint for v in report.failing if v.clause.id == "chat.n")
    words = ["--base-url", broken.base_url, "--budget", "calls=40", "--out", str(tmp_path)]
    assert run(["shrink", str(journal), fingerprint, *words]) == 0
    asked = shrunk(tmp_path).request.asked
    assert set(asked) == {"model", "messages", "n", "max_tokens"}
    assert "of them needed" in capsys.readouterr().out
    assert all(DEFAULT_KEY not in file.read_text() for file in tmp_path.iterdir())


def test_the_budget_ends_the_search_not_the_result(journal: Path, broken: StandIn, tmp_path: Path) -> None:
    words = ["--base-url", broken.base_url, "--budget", "calls=3", "--out", str(tmp_path)]
    assert run(["shrink", str(journal), "chat.n", *words]) == 0
    assert len(shrunk(tmp_path).request.asked) > 4


def test_what_does_not_show_again_is_said_and_kept(
    journal: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], broken: StandIn
) -> None:
    with embedded() as right:
        assert run(["shrink", str(journal), "chat.n", "--base-url", right.base_url, "--out", str(tmp_path)]) == 3
    assert "did not show again" in capsys.readouterr().out
    assert len(shrunk(tmp_path).request.asked) > 4


def test_what_is_left_shows_the_finding_by_itself(
    journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The pytest file fails, and passes against a target without the fault; the snippet prints the answer."""
    assert run(["shrink", str(journal), "chat.n", "--out", str(tmp_path)]) == 0
    with pytest.raises(AssertionError, match=r"index \[0\]"):
        runpy.run_path(str(tmp_path / "test_chat_n.py"))["test_chat_n"]()
    with embedded() as right:
        monkeypatch.setenv("BASE_URL", right.base_url)
        runpy.run_path(str(tmp_path / "test_chat_n.py"))["test_chat_n"]()
    capsys.readouterr()
    runpy.run_path(str(tmp_path / "chat_n.py"))
    told = capsys.readouterr().out
    assert told.startswith("200 ")
    assert '"choices"' in told


def test_every_finding_leaves_its_files(journal: Path, tmp_path: Path) -> None:
    assert run(["judge", str(journal), "--emit", str(tmp_path)]) == 1
    names = {path.name for path in tmp_path.iterdir()}
    assert {"chat_n.sh", "chat_n.py", "test_chat_n.py", "errors_param.sh", "test_chat_stream_usage_last.py"} <= names
    for path in tmp_path.glob("*.py"):
        compile(path.read_text(), path.name, "exec")


def test_an_odd_request_is_sent_by_the_bare_client_of_the_sdk() -> None:
    clause = next(one for one in load_contracts()[0] if one.id == "errors.keys")
    odd = answer({"error": {}}, status=400, asked={"messages": 3, "vendor": {"a": 1}})
    (finding,) = judge([clause], [odd])[0].findings
    texts = rendered(Exhibit(clause, finding, odd, "http://a/v1"), "finding_")
    assert "client.post(" in texts["finding.py"]
    assert "body={'messages': 3, 'vendor': {'a': 1}}" in texts["finding.py"]
    bytes_ = rendered(Exhibit(clause, finding, answer({}, status=400, asked=b"{half"), "http://a/v1"), "finding_")
    assert "content=b'{half'" in bytes_["finding.py"]
    assert "BODY = b'{half'" in bytes_["test_finding.py"]


def test_a_finding_of_several_exchanges_is_certified_again(tmp_path: Path) -> None:
    clause = next(one for one in load_contracts()[0] if one.evidence.shape == "sequence")
    said = 'quotes """ and \\ and\nlines'
    (finding,) = judge(
        [one for one in load_contracts()[0] if one.id == "errors.keys"], [answer({"error": {}}, status=400)]
    )[0].findings
    exhibit = Exhibit(
        clause,
        finding,
        answer({}),
        f"http://a/v1?{said}",
        target={"model": "m", "realtime_model": "r"},
        contracts=["/my"],
    )
    assert not exhibit.stands_alone
    (test,) = [path for path in leave(exhibit, tmp_path) if path.name.startswith("test_")]
    compile(test.read_text(), test.name, "exec")
    assert "'--contracts', '/my'" in " ".join(test.read_text().split())
    assert "'--model', 'm', '--model-for', 'realtime=r'" in " ".join(test.read_text().split())


def test_nothing_of_a_journal_reaches_a_shell_as_a_word() -> None:
    sent = answer({}, asked={"a": 1}, sent_headers=(("authorization", "Bearer [redacted-key]"),))
    assert "$OPENAI_API_KEY" in curl(sent, "http://a/v1", '";rm -rf /;"')
    with pytest.raises(ValueError, match="environment variable"):
        Exhibit(load_contracts()[0][0], None, sent, "http://a/v1", key_variable='";rm')  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("told", "auth"),
    [("Bearer [redacted-key]", "key"), ("Bearer [redacted-key]+x", "extended"), ("Bearer [redacted-key]-1", "cut"),
     ("Bearer sk-made-up", "wrong"), ("", "none")],
)  # fmt: skip
def test_the_key_of_a_request_is_that_of_whoever_sends_it_again(told: str, auth: str) -> None:
    headers = (("authorization", told), ("x-own", "1"), ("content-type", "application/json"))
    sent = answer({}, asked={}, sent_headers=headers if told else headers[1:])
    assert auth_of(sent) == auth
    assert dict(call_of(sent).headers) == {"x-own": "1"}


def test_a_verdict_of_one_request(broken: StandIn) -> None:
    body = {"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": "Hi"}], "n": 2, "max_tokens": 2}
    found = verdict("chat.n", "POST", "/chat/completions", body, base_url=broken.base_url, key=DEFAULT_KEY)
    assert found.outcome == "fail"
    with pytest.raises(LookupError, match=r"chat\.unheard"):
        verdict("chat.unheard", "GET", "/models", base_url=broken.base_url, key=None)
    with pytest.raises(NotSent, match="refused the connection"):
        verdict("chat.n", "POST", "/chat/completions", body, base_url="http://127.0.0.1:9/v1", key=None)


def test_an_unknown_finding_is_one_line(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["shrink", str(journal), "chat.unheard"]) == 2
    assert "of which there are chat.n" in capsys.readouterr().err


def test_exhibits_are_one_a_broken_clause(journal: Path) -> None:
    report = report_of(read_journal(journal), load_contracts()[0])
    assert [one.clause.id for one in exhibits(report)] == [verdict.clause.id for verdict in report.failing]
