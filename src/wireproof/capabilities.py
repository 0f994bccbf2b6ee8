"""What the model, or the server around it, was seen to do when asked: the head of a report, before any verdict.

Read off the exchanges that a run has anyway: in how many of those that asked, the clauses of a capability are kept. It
tells whether a page of findings is about the server or about a model that cannot. Data: `capabilities` in
`spec/features.yaml`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from wireproof.judge import Verdict


@dataclass(frozen=True, slots=True)
class Capability:
    """`does` reads after "it": "calls a forced function". Kept in `kept` of the `tried` exchanges that asked."""

    name: str
    does: str
    kept: int
    tried: int

    def __str__(self) -> str:
        return f"{self.does} {self.kept} of {self.tried} times"


def capabilities(verdicts: Iterable[Verdict], catalogue: Mapping[str, Any]) -> list[Capability]:
    """Those that something asked for, in the catalogue's order."""
    by_id = {verdict.clause.id: verdict for verdict in verdicts}
    found = []
    for name, row in catalogue["capabilities"].items():
        judged = [by_id[id] for id in row["clauses"] if id in by_id]
        tried = {id for verdict in judged for id in verdict.judged}
        broken = {finding.where.exchange for verdict in judged for finding in verdict.findings}
        if tried:
            found.append(Capability(name, row["does"], len(tried - broken), len(tried)))
    return found
