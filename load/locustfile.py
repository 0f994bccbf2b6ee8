r"""The load run as a Locust file: `wireproof load` starts this in a child process, and so can you.

    WIREPROOF_PROFILE=steady WIREPROOF_BASE_URL=http://127.0.0.1:8000/v1 WIREPROOF_MODEL=my-model \
        locust -f load/locustfile.py --headless

Any of Locust's own modes works: its web UI (no --headless), `--processes N`, `--master` and `--worker`. One
Locust user per worker walks the plan; requests, not users, are what the profile counts. Samples and reports go
to WIREPROOF_OUT (default `wireproof-load`).

    WIREPROOF_PROFILE       name of a profile that comes along, or the path of a YAML file
    WIREPROOF_BASE_URL      the target up to its version prefix (or Locust's --host)
    WIREPROOF_MODEL         the model, where the profile names none
    WIREPROOF_KEY_VARIABLE  which variable holds the key (OPENAI_API_KEY)
    WIREPROOF_SCALE, _DURATION_S, _USERS, _SEED, _WORKERS: as the options of `wireproof load`

How it fits: workers wait for one common zero of the clock, which the master sends; each owns the arrivals
i with i % workers == its number; when all have drained and written, the master ends the run.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import gevent
from gevent.event import AsyncResult, Event
from locust import User, events, task
from locust.exception import StopUser
from locust.runners import MasterRunner, WorkerRunner

from wireproof.traffic.child import command_line
from wireproof.traffic.crew.pacer import Crew, Seat
from wireproof.traffic.crew.sender import Destination
from wireproof.traffic.outcome import FAILED, THROTTLED
from wireproof.traffic.run import cleared, workers_folder
from wireproof.traffic.sample import Sample
from wireproof.traffic.settings import BadProfile, BadSettings, Settings, from_environ

ZERO, DONE = "wireproof-zero", "wireproof-done"
# Long enough for the master's message to reach every worker before the clock starts.
HEAD_START_S = 0.5


class Run:
    """This process's part of the run, from Locust's first event to its last."""

    def __init__(self, environment: Any, settings: Settings) -> None:
        self.environment, self.settings = environment, settings
        self.plan = settings.plan()
        self.out = workers_folder(Path(settings.out))
        self.zero_unix: AsyncResult = AsyncResult()
        self.finished = Event()
        self.crew: Crew | None = None
        self.done_workers = 0

    @property
    def runner(self) -> Any:
        return self.environment.runner

    def work(self) -> None:
        """The whole run of one worker, in the greenlet of its only user."""
        if self.crew is not None:
            return
        self.crew = Crew(self.plan, self._destination(), self._seat(), self.out, self._tell)
        told = gevent.spawn(self._print_progress) if os.environ.get("WIREPROOF_PROGRESS") else None
        try:
            self.crew.work()
        finally:
            if told is not None:
                told.kill()
            self.finished.set()
            gevent.spawn(self._leave)

    def halt(self) -> None:
        if self.crew is not None and not self.finished.is_set():
            self.crew.halt()

    def _seat(self) -> Seat:
        unix = self.zero_unix.get()
        worker = self.runner.worker_index if isinstance(self.runner, WorkerRunner) else 0
        return Seat(worker, self.settings.workers, time.monotonic() + unix - time.time(), unix)

    def _destination(self) -> Destination:
        return Destination(self.settings.base_url, os.environ.get(self.settings.key_variable, "").strip() or None)

    def _tell(self, sample: Sample) -> None:
        """One event a request for Locust's own statistics; a 429 has a row of its own and is no failure there."""
        throttled = sample.outcome in THROTTLED
        self.environment.events.request.fire(
            request_type="POST",
            name=f"{sample.kind} ({'throttled' if throttled else sample.stage})",
            response_time=sample.e2e_ms or sample.waited_ms or 0.0,
            response_length=0,
            exception=RuntimeError(sample.outcome) if sample.outcome in FAILED else None,
            context={},
        )

    def _print_progress(self) -> None:
        while True:
            gevent.sleep(1.0)
            if self.crew is not None:
                print(json.dumps(self.crew.progress()), flush=True)

    def _leave(self) -> None:
        if isinstance(self.runner, WorkerRunner):
            self.runner.send_message(DONE)
        else:
            self.end()

    def end(self) -> None:
        """Ends Locust, and its web UI, which would otherwise stay."""
        self.runner.quit()
        if self.environment.web_ui:
            self.environment.web_ui.stop()


class Pacer(User):
    """Walks the plan. Locust's user count says nothing here: the profile does."""

    @task
    def push(self) -> None:
        self.environment.wireproof.work()
        raise StopUser


@events.init.add_listener  # type: ignore[untyped-decorator]  # Locust's own
def _begin(environment: Any, **_: Any) -> None:
    try:
        settings = _settings(environment)
        run = Run(environment, settings)
    except (BadSettings, BadProfile) as wrong:
        print(f"wireproof: {wrong}", file=sys.stderr)
        raise SystemExit(2) from wrong
    environment.wireproof = run
    # Left alone, Ctrl-C would be raised in whichever request happens to run.
    gevent.signal_handler(signal.SIGINT, os.kill, os.getpid(), signal.SIGTERM)
    environment.process_exit_code = 0
    environment.stop_timeout = run.plan.profile.drain_s + 10
    run.out.mkdir(parents=True, exist_ok=True)
    if isinstance(environment.runner, WorkerRunner):
        environment.runner.register_message(ZERO, lambda environment, msg, **_: run.zero_unix.set(msg.data["unix"]))
    else:
        cleared(Path(settings.out))
        settings.write(Path(settings.out))
    if isinstance(environment.runner, MasterRunner):
        environment.runner.register_message(DONE, lambda environment, msg, **_: _one_done(run))


@events.test_start.add_listener  # type: ignore[untyped-decorator]  # Locust's own
def _start(environment: Any, **_: Any) -> None:
    run = environment.wireproof
    if isinstance(environment.runner, MasterRunner):
        environment.runner.send_message(ZERO, {"unix": time.time() + HEAD_START_S})
    elif not isinstance(environment.runner, WorkerRunner):
        run.zero_unix.set(time.time() + 0.05)


@events.test_stopping.add_listener  # type: ignore[untyped-decorator]  # Locust's own
def _stop(environment: Any, **_: Any) -> None:
    environment.wireproof.halt()


@events.quitting.add_listener  # type: ignore[untyped-decorator]  # Locust's own
def _conclude(environment: Any, **_: Any) -> None:
    """Without `wireproof load` around it, the run tells its own result; its exit code becomes Locust's."""
    if os.environ.get("WIREPROOF_PARENT") or isinstance(environment.runner, WorkerRunner):
        return
    environment.runner.stop()
    environment.process_exit_code = subprocess.call(command_line("load", "--from", environment.wireproof.settings.out))


def _one_done(run: Run) -> None:
    run.done_workers += 1
    if run.done_workers == run.settings.workers:
        gevent.spawn(run.end)


def _settings(environment: Any) -> Settings:
    variables = dict(os.environ)
    if environment.host:
        variables["WIREPROOF_BASE_URL"] = environment.host
    settings = from_environ(variables)
    options = environment.parsed_options
    expected = options.expect_workers if options and options.master and not options.worker else None
    return replace(settings, workers=expected) if expected and settings.workers == 1 else settings
