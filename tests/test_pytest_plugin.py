"""The pytest face: every clause an item, one recording, pytest's own selection and exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from certified import contents_of_contracts

from wireproof.journal import read_journal
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
