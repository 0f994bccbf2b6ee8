"""Runs Schemathesis on the description against the stand-in: `make fuzz`. Exits 1 on findings nobody has explained.

python benchmarks/fuzz.py --only '/vector_stores*' --examples 100 --seed 7
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from fuzzing import PHASES, Finding, fuzz

MOST_SHOWN = 1200


def main() -> int:
    asked = _arguments()
    fuzzed = fuzz(
        examples=asked.examples,
        seed=asked.seed,
        only=asked.only,
        phases=asked.phase or PHASES,
        workers=asked.workers,
        bounds=asked.bounds,
    )
    alike: dict[tuple[str, ...], list[Finding]] = defaultdict(list)
    for finding in fuzzed.findings:
        alike[finding.kind].append(finding)
    for findings in alike.values():
        one = min(findings, key=lambda finding: len(finding.request))
        print(f"\n{one.operation}  {one.check}  {len(findings)} times, as in {one.phase}\n  {one.title}: {one.message}")
        print(f"  {one.request[:MOST_SHOWN]}\n  {one.answer[:MOST_SHOWN]}")
    for error in fuzzed.errors:
        print(f"\nnot tested: {error}")
    reasons = ", ".join(f"{name} {times}" for name, times in sorted(fuzzed.explained.items()))
    print(
        f"\n{fuzzed.cases} requests to {len(fuzzed.operations)} operations in {fuzzed.seconds:.0f} s: "
        f"{len(fuzzed.findings)} unexplained findings of {len(alike)} kinds, {len(fuzzed.errors)} errors; "
        f"explained: {reasons or 'none'}"
    )
    return 1 if fuzzed.findings or fuzzed.errors else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default="*", metavar="GLOB", help="operations by id or by path; all by default")
    parser.add_argument("--examples", type=int, default=10, metavar="N", help="drawn for each operation; default 10")
    parser.add_argument(
        "--bounds",
        type=int,
        default=40,
        metavar="N",
        help="thin out coverage after N of an operation; 0: never; default 40",
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--phase", action="append", choices=PHASES, help="may be given again; all by default")
    parser.add_argument("--workers", type=int, default=1, help="threads that send")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
