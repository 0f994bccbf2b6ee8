"""How fast the tool itself is: `make bench`. Prints medians; asserts nothing, because machines differ.

Each figure is the median of several whole runs, smallest and largest beside it.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wireproof.exchange import Exchange

RUNS = 5
JUDGED = 10_000
WIREPROOF = [sys.executable, "-m", "wireproof"]


def timed(deed: Callable[[], object], runs: int = RUNS) -> tuple[float, float, float]:
    """Median, smallest and largest seconds of `deed`, after one run that does not count."""
    deed()
    seconds = []
    for _ in range(runs):
        begun = time.perf_counter()
        deed()
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds), min(seconds), max(seconds)


def command(*arguments: str) -> Callable[[], object]:
    return lambda: subprocess.run([*WIREPROOF, *arguments], check=True, stdout=subprocess.DEVNULL)


def judge_many(journal: Path, *, at_once: bool = False) -> Callable[[], object]:
    """Judging what was recorded, repeated until there are JUDGED exchanges; derived values are made anew each time.

    `at_once`: as one journal, in which clauses that read all pages, or all headers, see every one of them.
    """
    from wireproof.certification import load_contracts
    from wireproof.journal import read_journal
    from wireproof.judge import judge

    clauses, _ = load_contracts()
    run = read_journal(journal)
    rounds = JUDGED // len(run.exchanges) + 1

    def fresh(times: int) -> list[Exchange]:
        some = [(exchange, 100.0 * turn) for turn in range(times) for exchange in run.exchanges]
        return [
            replace(one, request=replace(one.request), started_unix=one.started_unix + later) for one, later in some
        ]

    def in_rounds() -> None:
        for _ in range(rounds):
            judge(clauses, fresh(1), run.planned)

    return (lambda: judge(clauses, fresh(rounds), run.planned)) if at_once else in_rounds


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        figures = {
            "wireproof --help": timed(command("--help")),
            "wireproof plan": timed(command("plan", "--cases", "0")),
            "wireproof certify, the stand-in, 10 cases an operation": timed(
                command("certify", "--out", str(out / "10"))
            ),
            "wireproof certify, the stand-in, no cases": timed(
                command("certify", "--cases", "0", "--out", str(out / "0"))
            ),
            f"judging {JUDGED:,} exchanges": timed(judge_many(out / "0" / "journal.jsonl"), runs=3),
            f"judging {JUDGED:,} exchanges of one journal": timed(
                judge_many(out / "0" / "journal.jsonl", at_once=True), runs=3
            ),
        }
    for name, (median, least, most) in figures.items():
        print(f"{name:<56} {median:7.2f} s   ({least:.2f} to {most:.2f})")


if __name__ == "__main__":
    main()
