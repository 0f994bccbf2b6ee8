"""What the clauses notice: every fault of the stand-in, certified in memory, and the clauses that fail of it.

Writes docs/detection.md, for people, and docs/traceability.json, for programs: which clause was declared, exercised,
seen failing, and by which faults alone. Made by `make detection`; some ten minutes on two cores. With globs of
faults, as in `make detection FAULTS='files.* paging.*'`, those alone are certified; of the others stands what stood.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from concurrent.futures import ProcessPoolExecutor
from fnmatch import fnmatchcase
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))  # certified.py and the legal variations: on a clock that never waits

from certified import certified, clauses_of, contents_of_contracts, plan_for, profile_of, standin_plan  # noqa: E402  # after the path is set
from test_legal_chat import VARIATIONS as OF_CHAT  # noqa: E402
from test_legal_jobs import ASSISTANTS as OF_ASSISTANTS  # noqa: E402
from test_legal_jobs import STATE as OF_JOBS  # noqa: E402
from test_legal_media import VARIATIONS as OF_MEDIA  # noqa: E402
from test_legal_realtime import LEGAL as OF_REALTIME  # noqa: E402
from test_legal_responses import VARIATIONS as OF_RESPONSES  # noqa: E402
from test_legal_state import VARIATIONS as OF_STATE  # noqa: E402
from test_legal_variations import VARIATIONS as OF_ALL  # noqa: E402

from wireproof.cases import draw  # noqa: E402
from wireproof.clause import Clause  # noqa: E402
from wireproof.cli.orders import STANDIN_CASES  # noqa: E402
from wireproof.spec import load_spec  # noqa: E402
from wireproof.standin.faults import Fault, all_faults  # noqa: E402

CONTROLS: tuple[Sized, ...] = (OF_ALL, OF_CHAT, OF_RESPONSES, OF_MEDIA, OF_STATE, OF_JOBS, OF_ASSISTANTS, OF_REALTIME)
PAGE, TRACES = ROOT / "docs" / "detection.md", ROOT / "docs" / "traceability.json"

Matrix = Mapping[str, frozenset[str]]


def caught_by(fault_id: str) -> tuple[str, frozenset[str]]:
    """The clauses that fail of one fault, of the profile that it belongs to."""
    fault = all_faults()[fault_id]
    return fault_id, clauses_of(profile_of(fault)) & certified(fault_id, plan=plan_for(fault)).failing


def matrix(ids: Iterable[str]) -> Matrix:
    ids, found = list(ids), {}
    with ProcessPoolExecutor() as workers:
        for number, (id, clauses) in enumerate(workers.map(caught_by, ids, chunksize=4), 1):
            found[id] = clauses
            if number % 25 == 0:
                print(f"{number} of {len(ids)} faults", file=sys.stderr)
    return found


def matrix_before() -> Matrix:
    """What stands in docs/traceability.json, of the clauses that there still are."""
    known = {clause.id for clause in contents_of_contracts()[0]}
    rows = json.loads(TRACES.read_text(encoding="utf-8"))["clauses"] if TRACES.exists() else {}
    failing: dict[str, set[str]] = {}
    for clause in known & set(rows):
        for fault in rows[clause]["seen_failing"]:
            failing.setdefault(fault, set()).add(clause)
    return {fault: frozenset(clauses) for fault, clauses in failing.items()}


def renewed(globs: Sequence[str]) -> Matrix:
    """The matrix of all faults: those of the globs certified, and those of which nothing is known."""
    before = matrix_before() if globs else {}
    wanted = [
        id for id in all_faults() if id not in before or not globs or any(fnmatchcase(id, glob) for glob in globs)
    ]
    found = {**before, **matrix(wanted)}
    return {id: found[id] for id in all_faults()}


def page(clauses: list[Clause], faults: Mapping[str, Fault], caught: Matrix) -> Iterator[str]:
    levels = {clause.id: clause.level for clause in clauses}
    yield "# Detection"
    yield ""
    yield f"{len(faults)} faults of the stand-in, each certified by itself against those of {len(clauses)} clauses"
    yield "that its profile has. Made by `make detection`; do not edit. A fault is caught when the clause that it was"
    yield "made to break fails."
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
    controls = sum(len(one) for one in CONTROLS)
    yield ""
    yield f"{controls} legal variations raise no finding: what correct backends do otherwise, each made of the stand-in"
    yield "and certified by itself in `tests/test_legal_*.py`."
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


def _alone(clause: Clause, caught: Matrix) -> list[str]:
    """The faults that nothing but the clause catches."""
    return sorted(fault for fault, failing in caught.items() if failing == {clause.id})


def _redundant(clauses: list[Clause], caught: Matrix) -> list[str]:
    """The clauses whose faults would all be caught without them."""
    return [clause.id for clause in clauses if not _alone(clause, caught)]


def traces(clauses: list[Clause], caught: Matrix) -> dict[str, object]:
    clean = certified(plan=standin_plan(draw(load_spec(), STANDIN_CASES, seed=1))).verdicts
    return {
        "schema_version": 2,
        "clauses": {
            clause.id: {
                "level": clause.level,
                "since": clause.since,
                "exercised": len(clean[clause.id].judged),
                "seen_failing": sorted(fault for fault, failing in caught.items() if clause.id in failing),
                "alone": _alone(clause, caught),
            }
            for clause in clauses
        },
    }


def main() -> None:
    clauses, _ = contents_of_contracts()
    caught = renewed(sys.argv[1:])
    PAGE.write_text("\n".join(page(clauses, all_faults(), caught)) + "\n", encoding="utf-8")
    TRACES.write_text(json.dumps(traces(clauses, caught), indent=1) + "\n", encoding="utf-8")
    missed = [fault.id for fault in all_faults().values() if fault.breaks not in caught[fault.id]]
    print(f"{len(caught)} faults, {len(missed)} missed {missed}; never alone: {_redundant(clauses, caught)}")


if __name__ == "__main__":
    main()
