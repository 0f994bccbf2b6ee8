"""The servers that are measured: our own and two other mock servers, each in a venv of its own.

The others are installed from the package index on first use, below ~/.cache/wireproof-bench, with uvicorn's fast
extras beside them, so that what differs is the servers and not what happens to be installed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "wireproof-bench"
KEY = "sk-benchmark"
FAST = ("uvloop", "httptools")
STARTS_WITHIN_S = 40


@dataclass(frozen=True)
class Contender:
    """One server. `free` and `paced` are its arguments without delays and with one of 50 ms a token.

    `streams` are the connections it takes to keep it busy; `paced` is None where the pace cannot be set.
    """

    name: str
    model: str
    streams: int
    free: tuple[str, ...]
    paced: tuple[str, ...] | None
    files: tuple[tuple[str, str], ...] = ()

    @property
    def is_ours(self) -> bool:
        return self.name == "wireproof"

    @property
    def python(self) -> Path:
        return Path(sys.executable) if self.is_ours else CACHE / self.name / "bin" / "python"

    def version(self) -> str:
        script = f"from importlib.metadata import version; print(version({self.name!r}))"
        return subprocess.run([self.python, "-c", script], check=True, capture_output=True, text=True).stdout.strip()


OURS = ("serve", "--key", KEY, "--tier", "unlimited")
# 500 words, of which one is an event: what `max_tokens` sets with the others.
LONG = json.dumps({"version": 1, "rules": [{"name": "long", "when": {"messages_contain": "rivers"},
                                            "respond": {"content": "river " * 500}}]})  # fmt: skip
CONTENDERS = (
    Contender(
        "wireproof",
        "gpt-4.1-mini",
        16,
        (*OURS, "--ttft-ms", "0", "--itl-ms", "0"),
        (*OURS, "--ttft-ms", "50", "--itl-ms", "50"),
    ),
    Contender(
        "xpyd-sim",
        "bench",
        16,
        ("serve", "--model", "bench", "--prefill-delay-ms", "0", "--decode-delay-per-token-ms", "0",
         "--eos-min-ratio", "1", "--require-api-key", KEY),
        ("serve", "--model", "bench", "--prefill-delay-ms", "50", "--decode-delay-per-token-ms", "50",
         "--eos-min-ratio", "1", "--require-api-key", KEY),
    ),
    # Its pace is fixed at 10 ms a token: only many streams keep it busy.
    Contender("fakellm", "gpt-4o", 400, ("serve",), None, (("fakellm.yaml", LONG),)),
)  # fmt: skip


def install(contender: Contender, python: str) -> None:
    """Into its own venv, once. CalledProcessError when the index has it not for this Python."""
    if contender.is_ours or contender.python.exists():
        return
    venv = CACHE / contender.name
    try:
        subprocess.run([python, "-m", "venv", venv], check=True)
        subprocess.run([contender.python, "-m", "pip", "install", "-q", contender.name, *FAST], check=True)
    except subprocess.CalledProcessError:
        contender.python.unlink(missing_ok=True)
        raise


@dataclass(frozen=True)
class Running:
    port: int
    pid: int

    def cpu_s(self) -> float:
        """User and system seconds so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def writes(self) -> int:
        """write(2) and writev(2) calls so far; libuv writes by these, asyncio's own loop by send(2), not counted."""
        lines = Path(f"/proc/{self.pid}/io").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("syscw"))

    def rss_mb(self) -> float:
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextmanager
def running(contender: Contender, arguments: tuple[str, ...], port: int, core: int) -> Iterator[Running]:
    """The server on `core` alone, from when it answers until the block ends."""
    folder = CACHE / "run" / contender.name
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in contender.files:
        (folder / name).write_text(text)
    program = ["-m", "wireproof"] if contender.is_ours else [str(contender.python.with_name(contender.name))]
    process = subprocess.Popen(
        [contender.python, *program, *arguments, "--port", str(port)],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        os.sched_setaffinity(process.pid, {core})
        _wait(port, process)
        yield Running(port, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/v1/models", headers={"authorization": f"Bearer {KEY}"})
    for _ in range(STARTS_WITHIN_S * 10):
        if process.poll() is not None:
            raise RuntimeError(f"the server ended at once with {process.returncode}")
        try:
            urllib.request.urlopen(asked, timeout=2).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"no answer on port {port} after {STARTS_WITHIN_S} s")
