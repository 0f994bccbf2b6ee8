"""The stand-in's speed on one core, beside two other mock servers: part of `make bench`. Asserts nothing.

The server has one core, the client another. Each figure is the median of several runs, smallest and largest beside it.
Throughput is told twice: as seen on the clock, and for each second of CPU that the server really got, which holds on
a machine that does other things as well.

Lateness is measured twice too: by the client (how far an event came behind its stream's earliest, against the pace)
and by the stand-in itself (`/_standin/truth`: how far each write was behind its deadline).

Whether each event is flushed by itself is counted in the kernel: socket writes an event, 1 or a little more. 0 says
that the server does not write by write(2), which leaves it open.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.contenders import CONTENDERS, KEY, Contender, Running, install, running
from benchmarks.push import MOST_BUSY, Pushed, push_answers, push_paced, push_streams, request

PORT = 18950
SERVER_CORE, CLIENT_CORE = min(os.sched_getaffinity(0)), max(os.sched_getaffinity(0))
PACED_STREAMS, PACED_GAP_MS, PACED_TOKENS = 500, 50.0, 200


@dataclass(frozen=True)
class Rate:
    """Things a second on the clock and a CPU second, run by run, and how busy the client was at most."""

    wall: tuple[float, ...]
    cpu: tuple[float, ...]
    busy: float
    bad: int

    def cells(self) -> list[str]:
        marks = ("*" if self.busy > MOST_BUSY else "") + (" refused" if self.bad else "")
        wall = f"{statistics.median(self.wall):,.0f} ({min(self.wall):,.0f} to {max(self.wall):,.0f}){marks}"
        return [wall, f"{statistics.median(self.cpu):,.0f}"]


def chat(contender: Contender, words: str, most: int, **fields: object) -> bytes:
    messages = [{"role": "user", "content": words}]
    body = {"model": contender.model, "messages": messages, "max_tokens": most, **fields}
    return request("POST", "/v1/chat/completions", KEY, json.dumps(body).encode())


def rate(server: Running, push: Callable[[], Pushed], counted: Callable[[Pushed], int], runs: int) -> Rate:
    push()  # caches fill, pools grow
    wall, cpu, busy, bad = [], [], 0.0, 0
    for _ in range(runs):
        before = server.cpu_s()
        pushed = push()
        wall.append(counted(pushed) / pushed.wall_s)
        cpu.append(counted(pushed) / (server.cpu_s() - before))
        busy, bad = max(busy, pushed.busy), bad + pushed.bad
    return Rate(tuple(wall), tuple(cpu), busy, bad)


def measured(contender: Contender, runs: int, seconds: float) -> list[list[str]]:
    rows = []
    with running(contender, contender.free, PORT, SERVER_CORE) as server:
        plain = {
            "chat completion, 8 tokens": chat(contender, "Hello there", 8),
            "list of models": request("GET", "/v1/models", KEY),
        }
        for name, asked in plain.items():

            def answers(asked: bytes = asked) -> Pushed:
                return push_answers(PORT, asked, 16, seconds)

            rows.append([f"{name}, answers/s", *rate(server, answers, lambda pushed: pushed.answers, runs).cells()])
        asked = chat(contender, "Tell me about rivers", 500, stream=True, ignore_eos=True)
        events = 0

        def streams() -> Pushed:
            nonlocal events
            pushed = push_streams(PORT, asked, contender.streams, seconds)
            events += pushed.events
            return pushed

        before = server.writes()
        found = rate(server, streams, lambda pushed: pushed.events, runs)
        rows.append([f"events/s over {contender.streams} streams", *found.cells()])
        rows.append(["    socket writes an event", f"{(server.writes() - before) / events:.2f}", ""])
        rows.append(["memory after that, MB", f"{server.rss_mb():.0f}", ""])
    rows += paced(contender, runs)
    return rows


def paced(contender: Contender, runs: int) -> list[list[str]]:
    name = f"{PACED_STREAMS} streams of {1000 / PACED_GAP_MS:.0f}/s, lateness p50 / p99 / max ms"
    if contender.paced is None:
        return [[name, "its pace cannot be set", ""]]
    seen, told = [], []
    with running(contender, contender.paced + (("--truth",) if contender.is_ours else ()), PORT, SERVER_CORE) as server:
        asked = chat(contender, "Tell me about rivers", PACED_TOKENS, stream=True, ignore_eos=True)
        before = server.cpu_s()
        for _ in range(runs):
            pushed = push_paced(PORT, asked, PACED_STREAMS, PACED_GAP_MS)
            seen.append(percentiles(pushed.late_ms))
            if contender.is_ours:
                told.append(truth())
        share = (server.cpu_s() - before) / (runs * PACED_TOKENS * PACED_GAP_MS / 1000)
    rows = [[name, spread(seen), f"{share:.0%} of its core"]]
    if told:
        rows.append(["    the same by its own clock", spread(told), ""])
    return rows


def percentiles(values: Sequence[float]) -> tuple[float, float, float]:
    ranked = sorted(values)
    return ranked[len(ranked) // 2], ranked[len(ranked) * 99 // 100], ranked[-1]


def spread(runs: Sequence[tuple[float, float, float]]) -> str:
    return " / ".join(f"{statistics.median(column):.2f}" for column in zip(*runs, strict=True))


def truth() -> tuple[float, float, float]:
    """What the stand-in noted since it was last asked."""
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/_standin/truth") as answer:
        late = json.load(answer)["late_ms"]
    urllib.request.urlopen(f"http://127.0.0.1:{PORT}/_standin/reset", b"").close()
    return late["p50"], late["p99"], late["max"]


def main() -> None:
    parse = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parse.add_argument("--runs", type=int, default=5)
    parse.add_argument("--seconds", type=float, default=3.0)
    parse.add_argument("--only", choices=[contender.name for contender in CONTENDERS])
    parse.add_argument("--python", default=sys.executable, help="for the venvs of the others (they want 3.12)")
    asked = parse.parse_args()
    os.sched_setaffinity(0, {CLIENT_CORE})
    cores = f"{os.cpu_count()} cores, server on {SERVER_CORE}, client on {CLIENT_CORE}"
    print(f"Python {platform.python_version()}, {platform.machine()}, {cores}; {asked.runs} runs of {asked.seconds} s")
    for contender in CONTENDERS:
        if asked.only in (None, contender.name):
            try:
                install(contender, asked.python)
            except subprocess.CalledProcessError as failed:
                print(f"\n{contender.name} is left out: {failed}")
                continue
            print(f"\n{contender.name} {contender.version()}")
            print(f"  {'':<58} {'on the clock (least to most)':<34} {'a CPU second'}")
            for name, wall, cpu in measured(contender, asked.runs, asked.seconds):
                print(f"  {name:<58} {wall:<34} {cpu}", flush=True)
    print(f"\n* the client was busier than {MOST_BUSY:.0%}: the server is faster than that")


if __name__ == "__main__":
    main()
