"""`wireproof serve` as people call it."""

from __future__ import annotations

import json
import signal
import urllib.request
from pathlib import Path

import pytest
from standin.serving import serving

from wireproof.cli import WRONG, run
from wireproof.journal import read_journal
from wireproof.standin.serve import bound


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--fault", "nope"], "no fault 'nope'"),
        (["--tier", "tier-9"], "no tier 'tier-9'"),
        (["--scale", "3"], "scale must be above 0"),
        (["--port", "99999"], "99999"),
        (["--ttft-ms", "-1"], "-1"),
        (["--pace", "0"], "0"),
        (["--webhook", "http://example.com/hook"], "only addresses of this machine"),
    ],
)
def test_what_cannot_be_served_is_one_line(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["serve", "--port", "0", *arguments]) == WRONG
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1


def test_a_taken_port_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with bound("127.0.0.1", 0) as listening:
        port = str(listening.getsockname()[1])
        assert run(["serve", "--port", port]) == WRONG
    assert f"port {port} of 127.0.0.1 is taken" in capsys.readouterr().err


def test_faults_are_listed_with_the_clause_they_break(capsys: pytest.CaptureFixture[str]) -> None:
    from wireproof.standin.faults import all_faults

    assert run(["serve", "--list-faults"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(all_faults())


def get(url: str, body: bytes | None = None) -> bytes:
    headers = {"authorization": "Bearer sk-mine", "content-type": "application/json"}
    request = urllib.request.Request(url, body, headers)
    with urllib.request.urlopen(request) as answer:
        return bytes(answer.read())


def test_it_says_where_it_is_and_ends_by_an_interrupt() -> None:
    with serving("--model", "my-model", "--truth") as (process, said):
        assert (said["key"], said["model"]) == ("sk-mine", "my-model")
        assert b"my-model" in get(f"{said['base URL']}/models")
        assert b'"requests":1' in get(said["base URL"].replace("/v1", "/_standin/truth"))
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


def test_a_recording_ends_well_when_a_container_is_stopped(tmp_path: Path) -> None:
    journal = tmp_path / "clients.jsonl"
    with serving("--record", str(journal)) as (process, said):
        get(f"{said['base URL']}/models")
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    recorded = read_journal(journal)
    assert [exchange.operation for exchange in recorded.exchanges] == ["listModels"]
    assert recorded.footer is not None
    assert "sk-mine" not in journal.read_text()


def test_what_was_kept_is_there_after_a_kill(tmp_path: Path) -> None:
    state = ("--state", str(tmp_path / "state.db"))
    with serving(*state) as (process, said):
        conversation = json.loads(get(f"{said['base URL']}/conversations", b'{"metadata": {"a": "b"}}'))
        process.kill()
    with serving(*state) as (_, said):
        assert json.loads(get(f"{said['base URL']}/conversations/{conversation['id']}")) == conversation


def test_a_recording_that_is_there_already_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "clients.jsonl").touch()
    assert run(["serve", "--port", "0", "--record", str(tmp_path / "clients.jsonl")]) == WRONG
    assert "clients.jsonl is there already" in capsys.readouterr().err


def test_a_state_file_that_is_none_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "state").write_text("no database at all, but a text of some length")
    assert run(["serve", "--port", "0", "--state", str(tmp_path / "state")]) == WRONG
    assert capsys.readouterr().err.count("\n") == 1
