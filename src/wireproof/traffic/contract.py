"""The contract under load: the clauses on rate limits, judged on exchanges that were kept whole during the run."""

from __future__ import annotations

from collections.abc import Sequence

from wireproof.certification import load_contracts
from wireproof.exchange import Exchange
from wireproof.judge import FAILS, FailOn, Verdict, judge
from wireproof.traffic.threshold import Ruling

AREA = "ratelimit."
NAME = "contract.ratelimit"


def judged_headers(exchanges: Sequence[Exchange], fail_on: FailOn = "SHOULD") -> list[Ruling]:
    """One ruling, or none when no clause had anything to judge (the target sends no rate-limit headers)."""
    clauses = [clause for clause in load_contracts()[0] if clause.id.startswith(AREA)]
    if not exchanges or not clauses:
        return []
    verdicts = [verdict for verdict in judge(clauses, exchanges) if verdict.outcome in ("pass", "fail")]
    if not verdicts:
        return []
    broken = [verdict for verdict in verdicts if verdict.outcome == "fail" and verdict.clause.level in FAILS[fail_on]]
    why = f"{len(verdicts) - len(broken)} of {len(verdicts)} clauses kept on {len(exchanges)} exchanges"
    told = "; ".join([why, *map(_told, broken)])
    return [Ruling(NAME, None, float(len(broken)), 0.0, not broken, told)]


def _told(verdict: Verdict) -> str:
    finding = verdict.findings[0]
    return f"{verdict.clause.id}: expected {finding.expected}, got {finding.got} ({finding.where})"
