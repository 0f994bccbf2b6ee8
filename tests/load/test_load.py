"""`wireproof load`, whole: its processes, its artifacts, its exit codes. Everything stays on this machine."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from wireproof.cli import BROKEN, KEPT, UNKNOWN, UNREACHABLE, WRONG, run
from wireproof.content import shelf
from wireproof.standin.backend import DEFAULT_KEY, Setup
from wireproof.standin.latency import Latency
from wireproof.standin.serve import embedded
from wireproof.traffic.child import command_line

PROFILE = """
name: brief
summary: a second of streams
model: gpt-4.1-mini
arrivals: {closed: {users: 8, ramp_s: 0.2}}
mix: [{kind: chat-stream, max_tokens: 10, ignore_eos: true}]
stages: [{name: hold, for_s: 1}]
stand_in: {ttft_ms: 50, itl_ms: 10}
thresholds: [ttft_ms.p50 < 1000, rates.failed_rpm == 0]
"""
ARTIFACTS = ("samples.jsonl", "summary.json", "report.html", "report.md", "junit.xml")


@pytest.fixture
def brief(tmp_path: Path) -> Path:
    path = tmp_path / "brief.yaml"
    path.write_text(PROFILE)
    return path


def summary_in(out: Path) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads((out / "summary.json").read_text())
    schema = json.loads((shelf("reports") / "schemas" / "summary.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(summary)
    return summary


def test_a_run_against_the_stand_in_is_kept_and_can_be_told_again(brief: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(["load", str(brief), "--out", str(out)]) == KEPT
    summary = summary_in(out)
    assert all((out / name).stat().st_size for name in ARTIFACTS)
    assert summary["target"]["stand_in"]
    assert summary["scheduled"] == sum(summary["outcomes"].values()) == summary["outcomes"]["ok"] > 0
    assert summary["calibration"]["paired"] == summary["requests"]
    assert abs(summary["calibration"]["itl_ms"]["error_p50"]) < 2
    assert run(["load", "--from", str(out)]) == KEPT
    assert summary_in(out) == summary


def test_two_workers_share_the_users_and_lose_nothing(brief: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(["load", str(brief), "--out", str(out), "--workers", "2"]) == KEPT
    summary = summary_in(out)
    assert summary["client"]["workers"] == 2
    assert summary["scheduled"] == sum(summary["outcomes"].values())
    assert {json.loads(line)["worker"] for line in (out / "samples.jsonl").read_text().splitlines()} == {0, 1}


def test_headers_that_break_the_contract_break_the_run(
    brief: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    monkeypatch.setenv("OPENAI_API_KEY", DEFAULT_KEY)
    with embedded(Setup(latency=Latency(20, 1)), faults=["ratelimit.reset-date"]) as standin:
        assert run(["load", str(brief), "--base-url", standin.base_url, "--out", str(out)]) == BROKEN
    (broken,) = [one for one in summary_in(out)["thresholds"] if one["kept"] is False]
    assert broken["text"] == "contract.ratelimit"
    assert "ratelimit.reset-duration" in broken["why"]
    assert all(DEFAULT_KEY not in path.read_text() for path in out.rglob("*") if path.is_file())


def test_ctrl_c_lets_requests_finish_and_tells_what_there_is(brief: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = command_line("load", str(brief), "--duration", "60", "--out", str(out))
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert "in flight" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == UNKNOWN
    summary = summary_in(out)
    assert summary["validity"]["verdict"] == "INVALID"
    assert summary["validity"]["reasons"][0].startswith("interrupted after")
    assert summary["scheduled"] == sum(summary["outcomes"].values()) > 0


def test_a_target_that_only_refuses_ends_the_run_early(
    brief: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    monkeypatch.setenv("OPENAI_API_KEY", DEFAULT_KEY)
    with embedded() as standin:
        arguments = ["--base-url", standin.base_url, "--model", "nobody", "--duration", "60", "--out", str(out)]
        assert run(["load", str(brief), *arguments]) == UNKNOWN
    assert "the first 50 requests all failed" in summary_in(out)["validity"]["reasons"][0]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["smok"], WRONG, "no profile 'smok'"),
        ([], WRONG, "expected a profile"),
        (["smoke", "--base-url", "http://127.0.0.1:9/v1"], WRONG, "say --model"),
        (["smoke", "--base-url", "localhost:8000"], WRONG, "--base-url"),
        (["tier-1", "--scale", "7"], WRONG, "scale must be"),
        (["tier-1", "--users", "3"], WRONG, "--users"),
        (["tier-1", "--duration", "3"], WRONG, "--duration"),
        (["tier-1", "--workers", "2"], WRONG, "only one worker"),
        (["--from", "/nonexistent"], WRONG, "settings.json"),
        (["smoke", "--base-url", "http://127.0.0.1:9/v1", "--model", "m"], UNREACHABLE, "is not reachable"),
    ],
)
def test_what_is_wrong_with_a_command_is_said_in_one_line(
    arguments: list[str], code: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["load", *arguments, "--out", str(tmp_path / "out")]) == code
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1


def test_help_lists_every_profile(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["load", "--help"]) == KEPT
    told = capsys.readouterr().out
    assert all(name in told for name in ("smoke", "steady", "tier-free", "tier-5"))


def test_nothing_but_the_crew_imports_gevent_or_locust() -> None:
    """`import locust` patches the whole process; the command line must stay whole."""
    modules = [path.stem for path in (Path(__file__).parents[2] / "src/wireproof/traffic").glob("*.py")]
    imports = "; ".join(f"import wireproof.traffic.{name}" for name in modules if name != "__init__")
    asked = f"import sys, wireproof.cli.load; {imports}; print([m for m in ('gevent', 'locust') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
