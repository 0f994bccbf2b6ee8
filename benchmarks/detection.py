"""What the clauses notice: every fault of the stand-in, certified in memory, and the clauses that fail of it.

Writes docs/detection.md, for people, and docs/traceability.json, for programs: which clause was declared, exercised
and seen failing. Made by `make detection`; some ten minutes on two cores.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))  # certified.py: whole certifications on a clock that never waits

from certified import certified, contents_of_contracts, plan_for, standin_plan  # noqa: E402  # after the path is set

from wireproof.cases import draw  # noqa: E402
from wireproof.clause import Clause  # noqa: E402
from wireproof.cli.orders import STANDIN_CASES  # noqa: E402
from wireproof.spec import load_spec  # noqa: E402
from wireproof.standin.faults import Fault, all_faults  # noqa: E402

PAGE, TRACES = ROOT / "docs" / "detection.md", ROOT / "docs" / "traceability.json"

Matrix = Mapping[str, frozenset[str]]


def caught_by(fault_id: str) -> tuple[str, frozenset[str]]:
    """The clauses that fail of one fault, of the profile that it belongs to."""
    return fault_id, frozenset(certified(fault_id, plan=plan_for(all_faults()[fault_id])).failing)


def matrix() -> Matrix:
    found: dict[str, frozenset[str]] = {}
    with ProcessPoolExecutor() as workers:
        for number, (id, clauses) in enumerate(workers.map(caught_by, all_faults(), chunksize=4), 1):
            found[id] = clauses
            if number % 25 == 0:
                print(f"{number} of {len(all_faults())} faults", file=sys.stderr)
    return found


def page(clauses: list[Clause], faults: Mapping[str, Fault], caught: Matrix) -> Iterator[str]:
    levels = {clause.id: clause.level for clause in clauses}
    yield "# Detection"
    yield ""
    yield f"{len(faults)} faults of the stand-in, each certified by itself against {len(clauses)} clauses. Made by"
    yield "`make detection`; do not edit. A fault is caught when the clause that it was made to break fails."
    yield ""
    yield "| level | faults | caught |"
    yield "|---|---|---|"
    for level in ("MUST", "SHOULD", "MAY"):
        mine = [fault for fault in faults.values() if levels.get(fault.breaks) == level]
        hits = sum(fault.breaks in caught[fault.id] for fault in mine)
        yield f"| {level} | {len(mine)} | {hits} ({hits / len(mine):.1%}) |" if mine else f"| {level} | 0 | |"
    redundant = _redundant(clauses, caught)
    yield ""
    yield f"Without one of its clauses the suite would let a fault through: true of {len(clauses) - len(redundant)} of"
    yield f"{len(clauses)} clauses." + ("" if redundant else " None is there in vain.")
    if redundant:
        yield f"Each fault of these is caught by another clause as well: {', '.join(f'`{id}`' for id in redundant)}."
    for area in dict.fromkeys(clause.area for clause in clauses):
        yield from [
            "",
            f"## {area}",
            "",
            "| fault | what is wrong | must be caught by | caught by |",
            "|---|---|---|---|",
        ]
        here = {clause.id for clause in clauses if clause.area == area}
        for fault in faults.values():
            if fault.breaks in here:
                others = sorted(caught[fault.id] - {fault.breaks})
                hit = "✓" if fault.breaks in caught[fault.id] else "**missed**"
                also = f", also {', '.join(f'`{id}`' for id in others)}" if others else ""
                yield f"| `{fault.id}` | {fault.summary.replace('|', chr(92) + '|')} | `{fault.breaks}` | {hit}{also} |"


def _redundant(clauses: list[Clause], caught: Matrix) -> list[str]:
    """The clauses whose faults would all be caught without them."""
    alone = {next(iter(found)) for found in caught.values() if len(found) == 1}
    return [clause.id for clause in clauses if clause.id not in alone]


def traces(clauses: list[Clause], caught: Matrix) -> dict[str, object]:
    clean = certified(plan=standin_plan(draw(load_spec(), STANDIN_CASES, seed=1))).verdicts
    return {
        "schema_version": 1,
        "clauses": {
            clause.id: {
                "level": clause.level,
                "since": clause.since,
                "exercised": len(clean[clause.id].judged),
                "seen_failing": sorted(fault for fault, failing in caught.items() if clause.id in failing),
            }
            for clause in clauses
        },
    }


def main() -> None:
    clauses, _ = contents_of_contracts()
    caught = matrix()
    PAGE.write_text("\n".join(page(clauses, all_faults(), caught)) + "\n", encoding="utf-8")
    TRACES.write_text(json.dumps(traces(clauses, caught), indent=1) + "\n", encoding="utf-8")
    missed = [fault.id for fault in all_faults().values() if fault.breaks not in caught[fault.id]]
    print(
        f"{len(caught)} faults, {len(missed)} missed {missed}; {len(_redundant(clauses, caught))} clauses never alone"
    )


if __name__ == "__main__":
    main()
