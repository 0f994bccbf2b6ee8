"""The processes of a load run: the stand-in, if there is no other target, and Locust. Started here, ended here."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from wireproof.content import shelf
from wireproof.traffic.profile import Pace
from wireproof.traffic.run import workers_folder
from wireproof.traffic.settings import Settings

LOG = "locust.log"
GRACE_S = 10.0
LOCALHOST = "127.0.0.1"


class ChildFailed(RuntimeError):
    """A process of ours did not do its part; says which, and the last line it left."""


def command_line(*arguments: str) -> list[str]:
    """`wireproof ...` with this interpreter, wherever the script was installed to."""
    return [sys.executable, "-c", "from wireproof.cli import main; main()", *arguments]


@contextlib.contextmanager
def stand_in(tier: str | None, scale: float, pace: Pace, model: str) -> Iterator[tuple[str, str]]:
    """A stand-in on a free port of this machine, in a process of its own: `(base_url, key)`. Raises ChildFailed."""
    arguments = ["serve", "--port", "0", "--truth", "--ttft-ms", str(pace.ttft_ms), "--itl-ms", str(pace.itl_ms)]
    arguments += ["--jitter", str(pace.jitter)]
    if tier:
        arguments += ["--tier", tier, "--scale", str(scale)]
    process = subprocess.Popen(
        command_line(*arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        told = dict(_welcome(process))
        if "base URL" not in told:
            raise ChildFailed(f"the stand-in did not start: {told.get('', 'it said nothing')}")
        yield told["base URL"], told["key"]
    finally:
        _end(process)


def truth(base_url: str, key: str) -> dict[str, Any] | None:
    """What the stand-in really did (`GET /_standin/truth`); None when it does not tell."""
    url = f"{base_url.removesuffix('/v1')}/_standin/truth"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            told = json.load(answer)
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) else None


class LoadRun:
    """Locust in a child process. Iterating gives what the workers tell each second; `stop` lets them drain."""

    def __init__(self, settings: Settings, *, ui_port: int | None = None, key: str | None = None) -> None:
        out = workers_folder(Path(settings.out)).resolve()
        settings = replace(settings, out=str(Path(settings.out).resolve()), profile=_absolute(settings.profile))
        self._log = out / LOG
        variables = {
            name: value for name, value in os.environ.items() if not name.startswith(("LOCUST_", "WIREPROOF_"))
        }
        variables |= settings.environ() | {"WIREPROOF_PARENT": "1", "WIREPROOF_PROGRESS": "1"}
        if key is not None:
            variables[settings.key_variable] = key
        self._stops = 0
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                _locust(settings.workers, ui_port),
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                # Not in `out`'s parent: Locust reads a locust.conf from where it starts.
                cwd=out,
                env=variables,
                start_new_session=True,
            )

    def __iter__(self) -> Iterator[dict[str, Any]]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                with contextlib.suppress(ValueError):
                    yield json.loads(line)

    def stop(self) -> None:
        """First call: no new requests, those in flight may finish. Second: they are cut. Third: the process is."""
        self._stops += 1
        how = signal.SIGTERM if self._stops < 3 else signal.SIGKILL
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(how)

    def finish(self) -> None:
        """Waits for the end. Raises ChildFailed when Locust itself failed."""
        code = self._process.wait()
        if code != 0 and not self._stops:
            raise ChildFailed(f"Locust ended with {code}: {_last_line(self._log)} (whole log: {self._log})")

    def end(self) -> None:
        _end(self._process)


def _locust(workers: int, ui_port: int | None) -> list[str]:
    words = [sys.executable, "-m", "locust", "-f", str(shelf("load") / "locustfile.py"), "--loglevel", "WARNING"]
    words += ["-u", str(workers), "-r", str(workers), "--only-summary"]
    if workers > 1:
        port = str(_free_port())  # Locust's own default would keep two runs from one machine
        words += ["--processes", str(workers), "--expect-workers", str(workers)]
        words += ["--master-bind-host", LOCALHOST, "--master-bind-port", port, "--master-port", port]
    if ui_port is None:
        return [*words, "--headless"]
    return [*words, "--autostart", "--web-host", LOCALHOST, "--web-port", str(ui_port)]


def _free_port() -> int:
    with socket.create_server((LOCALHOST, 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


def _absolute(profile: str) -> str:
    return str(Path(profile).resolve()) if profile.endswith((".yaml", ".yml")) else profile


def _welcome(process: subprocess.Popen[str]) -> Iterator[tuple[str, str]]:
    """`name  value` lines up to the empty one; under "" the last line that was none."""
    assert process.stdout is not None
    for line in process.stdout:
        name, gap, value = line.strip().partition("  ")
        if not name:
            return
        yield (name, value.strip()) if gap else ("", line.strip())


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else "it said nothing"


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
