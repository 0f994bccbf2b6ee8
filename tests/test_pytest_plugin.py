"""The pytest face: every clause an item, one recording, pytest's own selection and exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from certified import contents_of_contracts

from wireproof.cli.certify import command
from wireproof.journal import read_journal
from wireproof.pytest_plugin import OPTIONS
from wireproof.standin.backend import Setup
from wireproof.standin.latency import Latency
from wireproof.standin.serve import StandIn, embedded


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with embedded(Setup(latency=Latency(20.0, 3.0)), faults=["models.object-missing"]) as served:
        yield served


def pytest_run(standin: StandIn, folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--wireproof-base-url", standin.base_url]
    environment = {**os.environ, "OPENAI_API_KEY": standin.key}
    environment.pop("PYTEST_XDIST_WORKER", None)
    environment.pop("PYTEST_ADDOPTS", None)
    return subprocess.run(
        [*command, "--wireproof-model", standin.model, *more],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_selected_clauses_are_items_and_only_their_probes_are_sent(standin: StandIn, tmp_path: Path) -> None:
    ended = pytest_run(standin, tmp_path, "-k", "models", "-v")
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "models.objects" in ended.stdout
    assert "expected  " in ended.stdout
    assert "again     curl" in ended.stdout
    recorded = read_journal(tmp_path / "wireproof-out" / "journal.jsonl")
    assert {e.probe.split(".")[0] for e in recorded.exchanges} == {"models"}


def test_every_clause_is_collected_without_sending_anything(standin: StandIn, tmp_path: Path) -> None:
    ended = pytest_run(standin, tmp_path, "--collect-only", "-q", "--wireproof-profile", "all")
    assert f"{len(contents_of_contracts()[0])} tests collected" in ended.stdout
    assert not (tmp_path / "wireproof-out").exists()


def test_an_unreachable_target_is_a_usage_error_not_a_crash(tmp_path: Path) -> None:
    ended = pytest_run(StandIn("http://127.0.0.1:1/v1", "sk-looks-fake", "m"), tmp_path, "-k", "models")
    assert ended.returncode == pytest.ExitCode.USAGE_ERROR
    assert "refused the connection" in ended.stderr
    assert "INTERNALERROR" not in ended.stdout + ended.stderr


def test_a_refused_key_is_a_usage_error_not_a_crash(standin: StandIn, tmp_path: Path) -> None:
    ended = pytest_run(standin._replace(key="sk-another-one"), tmp_path, "-k", "models")
    assert ended.returncode == 4, ended.stdout
    assert "expected the target to take the key in" in ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr
    assert "sk-another-one" not in ended.stdout + ended.stderr


def test_without_the_option_nothing_of_ours_happens(tmp_path: Path) -> None:
    (tmp_path / "test_theirs.py").write_text("def test_theirs(): pass\n")
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 passed" in ended.stdout


def test_every_option_of_certify_is_there() -> None:
    theirs = {max(option.opts, key=len).removeprefix("--") for option in command.params}
    assert theirs - set(OPTIONS) == {"fault", "json"}  # no stand-in here, and no text of its own
    assert set(OPTIONS) - theirs == set()


def test_only_what_the_profile_and_the_level_ask_for_is_collected_and_sent(standin: StandIn, tmp_path: Path) -> None:
    collected = pytest_run(standin, tmp_path, "--collect-only", "-q", "--wireproof-level", "L0")
    assert "models.objects" in collected.stdout
    assert "chat.stream.done" not in collected.stdout
    ended = pytest_run(standin, tmp_path, "-q", "-k", "wire.complete", "--wireproof-budget", "calls=4")
    recorded = read_journal(tmp_path / "wireproof-out" / "journal.jsonl")
    assert {e.probe.split(".")[0] for e in recorded.exchanges} & {"files", "images", "threads"} == set()
    assert "at most 4 exchanges" in ended.stdout


def test_contracts_of_ones_own_are_items_too(standin: StandIn, tmp_path: Path) -> None:
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "region.py").write_text(
        "from wireproof.clause import Exchange, answered, clause, expect\n\n\n"
        '@clause("acme.region", level="MAY", source="ACME 4.2", on=answered("listModels"))\n'
        "def region(exchange: Exchange) -> None:\n"
        '    """Every answer names its region."""\n'
        '    expect(exchange.header("x-acme") is not None, expected="x-acme", got="none")\n'
    )
    chosen = ["-rs", "--wireproof-contracts", "acme", "--wireproof-only", "acme.region"]
    kept = pytest_run(standin, tmp_path, *chosen)
    assert kept.returncode == 0, kept.stdout + kept.stderr
    assert "a MAY does not count with --wireproof-fail-on should" in kept.stdout
    assert pytest_run(standin, tmp_path, *chosen, "--wireproof-fail-on", "may").returncode == 1


def test_claims_waivers_and_requirements_count_as_they_do_in_certify(standin: StandIn, tmp_path: Path) -> None:
    (tmp_path / "claims.yaml").write_text("features: {embeddings: true}\n")
    (tmp_path / "waivers.yaml").write_text(
        "waivers:\n"
        "  - {clause: models.objects, reason: known, owner: me, expires: 2999-01-01}\n"
        "  - {clause: models.schema, reason: known, owner: me, expires: 2999-01-01}\n"
        "  - {clause: models.unique, reason: gone, owner: me, expires: 2999-01-01}\n"
    )
    more = ["--wireproof-claims", "claims.yaml", "--wireproof-waivers", "waivers.yaml"]
    ended = pytest_run(standin, tmp_path, "-rs", "-k", "models", *more, "--wireproof-requirements", "2026-11")
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "waived: known (me, until 2999-01-01)" in ended.stdout
    assert "1 failed" in ended.stdout  # the waivers themselves
    assert "excuses nothing any more: models.unique" in ended.stdout


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--wireproof-dialect", "klingon"], "no dialect is called 'klingon'"),
        (["--wireproof-level", "L9"], "no level is called 'L9'"),
        (["--wireproof-samples", "0"], "expected a number from 1 to 100, got '0'"),
        (["--wireproof-waivers", "nowhere.yaml"], "expected a file"),
    ],
)
def test_a_wrong_option_is_a_usage_error(standin: StandIn, tmp_path: Path, more: list[str], said: str) -> None:
    ended = pytest_run(standin, tmp_path, "--wireproof-only", "models", *more)
    assert ended.returncode == pytest.ExitCode.USAGE_ERROR, ended.stdout + ended.stderr
    assert said in ended.stdout + ended.stderr
    assert "INTERNALERROR" not in ended.stdout + ended.stderr
    assert not (tmp_path / "wireproof-out").exists()
