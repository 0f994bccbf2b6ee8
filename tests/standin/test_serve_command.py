"""`wireproof serve` as people call it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request

import pytest

from wireproof.cli import WRONG, run
from wireproof.standin.serve import bound


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--fault", "nope"], "no fault 'nope'"),
        (["--tier", "tier-9"], "no tier 'tier-9'"),
        (["--scale", "3"], "scale must be above 0"),
        (["--port", "99999"], "99999"),
        (["--ttft-ms", "-1"], "-1"),
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


def test_it_says_where_it_is_and_ends_by_an_interrupt() -> None:
    command = [
        sys.executable,
        "-c",
        "from wireproof.cli import main; main()",
        "serve",
        "--port",
        "0",
        "--model",
        "my-model",
        "--truth",
    ]
    environment = {**os.environ, "WIREPROOF_STANDIN_KEY": "sk-mine", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as serving:
        assert serving.stdout is not None
        said = dict(serving.stdout.readline().split("  ", 1) for _ in range(3))
        said = {name.strip(): value.strip() for name, value in said.items()}
        assert (said["key"], said["model"]) == ("sk-mine", "my-model")
        request = urllib.request.Request(f"{said['base URL']}/models", headers={"authorization": "Bearer sk-mine"})
        with urllib.request.urlopen(request) as answer:
            assert b"my-model" in answer.read()
        with urllib.request.urlopen(said["base URL"].replace("/v1", "/_standin/truth")) as truth:
            assert b'"requests": 1' in truth.read()
        serving.send_signal(signal.SIGINT)
        assert serving.wait(10) == 0
