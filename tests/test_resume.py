"""A run that is killed goes on where it was: over a real socket, with a real kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from wireproof.journal import read_journal
from wireproof.standin.backend import Backend, Setup
from wireproof.standin.latency import Latency
from wireproof.standin.serve import Server, bound, standin_at
from wireproof.standin.wire import Answer, Ask

COMMAND = [sys.executable, "-m", "wireproof", "certify", "--model", "gpt-4.1-mini", "--concurrency", "4"]
PATIENCE_S = 30.0


def _counted_standin(seen: Counter[str]):  # type: ignore[no-untyped-def]  # a context manager of test scope
    """The stand-in, slowed down, counting the requests it was sent by their body."""
    import contextlib
    import threading

    setup = Setup(latency=Latency(60.0, 5.0))
    backend = Backend(setup)

    def serve(ask: Ask) -> Answer:
        client_id = ask.header("x-client-request-id") or ""
        seen["-".join(client_id.split("-")[2:])] += 1
        return backend.answer(ask)

    @contextlib.contextmanager
    def running():  # type: ignore[no-untyped-def]
        listening = bound("127.0.0.1", 0)
        server = Server(serve)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield standin_at(listening, setup)
        finally:
            server.should_exit = True
            thread.join()
            listening.close()

    return running()


def test_a_killed_run_resumes_and_sends_nothing_again_that_was_answered(tmp_path: Path) -> None:
    seen: Counter[str] = Counter()
    with _counted_standin(seen) as standin:
        command = [*COMMAND, "--base-url", standin.base_url, "--out", str(tmp_path)]
        environment = {**os.environ, "OPENAI_API_KEY": standin.key}
        first = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        _wait_for_answers(tmp_path / "journal.jsonl", 12, first)
        first.send_signal(signal.SIGKILL)
        first.communicate()
        killed = read_journal(tmp_path / "journal.jsonl")
        assert killed.footer is None
        answered = {f"{e.probe}-{e.step}-{e.attempt}" for e in killed.exchanges}
        lost = {f"{probe}-{step}-{attempt}" for probe, step, attempt in killed.lost}

        again = subprocess.run([*command, "--resume"], env=environment, capture_output=True, text=True, timeout=120)
    assert again.returncode == 0, again.stdout + again.stderr
    twice = {name for name, times in seen.items() if times > 1}
    assert not twice & answered
    assert twice <= lost
    assert len(lost) <= 4
    verdicts = json.loads((tmp_path / "verdicts.json").read_text())
    assert verdicts["outcome"] == "conformant"
    whole = read_journal(tmp_path / "journal.jsonl")
    assert whole.footer is not None
    assert len(whole.exchanges) == len({e.id for e in whole.exchanges})


def test_resume_without_a_journal_is_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "wireproof", "certify", "--out", str(tmp_path), "--resume"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2
    assert "expected the journal of an earlier run" in ended.stderr


def test_an_interrupt_keeps_the_journal_and_says_how_to_go_on(tmp_path: Path) -> None:
    with _counted_standin(Counter()) as standin:
        command = [*COMMAND, "--base-url", standin.base_url, "--out", str(tmp_path)]
        environment = {**os.environ, "OPENAI_API_KEY": standin.key}
        running = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        _wait_for_answers(tmp_path / "journal.jsonl", 5, running)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=30)
    assert running.returncode == 3
    assert "--resume" in said
    assert "Traceback" not in said
    footer = read_journal(tmp_path / "journal.jsonl").footer
    assert footer is not None
    assert footer["reason"] == "interrupted"


def test_the_built_in_stand_in_remembers_what_a_run_that_goes_on_has_made(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "wireproof", "certify", "--only", "files", "--cases", "0", "--out", str(tmp_path)]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    _wait_for_answers(tmp_path / "journal.jsonl", 4, running)
    running.kill()
    running.communicate(timeout=30)
    assert (tmp_path / "standin.sqlite").exists()
    ended = subprocess.run([*command, "--resume"], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout
    assert not list(tmp_path.glob("standin.sqlite*"))


def _wait_for_answers(journal: Path, wanted: int, process: subprocess.Popen[bytes] | subprocess.Popen[str]) -> None:
    """Until the journal holds so many exchanges."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and process.poll() is None:
        if journal.exists() and journal.read_bytes().count(b'"type": "exchange"') >= wanted:
            return
        time.sleep(0.01)  # the one thing we wait for is another process
    raise AssertionError(f"{journal} did not come to {wanted} exchanges; the run ended with {process.poll()}")
