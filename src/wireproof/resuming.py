"""Going on with a run that was cut off: what its journal holds, what it spent, and whether it asks the same."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from wireproof.clause import Exchange
from wireproof.heed import actual_cost
from wireproof.journal import Run, read_journal
from wireproof.order import Order, WrongOrder, fingerprint, target_of
from wireproof.plan import Cost
from wireproof.report import Spend
from wireproof.spec import load_spec


def earlier_run(path: Path, order: Order) -> Run:
    """The run to go on with. Raises WrongOrder when there is none, or it answers another question."""
    if not path.exists():
        raise WrongOrder(f"--resume: expected the journal of an earlier run at {path}, found none")
    run = read_journal(path)
    if run.header.get("order") != fingerprint(order):
        raise WrongOrder(f"--resume: {path} was recorded with other models, clauses or cases; repeat that command")
    theirs, ours = _backend(run.header["target"]), _backend(target_of(order))
    if theirs != ours:
        raise WrongOrder(f"--resume: {path} belongs to {theirs}, not {ours}")
    return run


def _backend(target: Mapping[str, str]) -> str:
    """What a journal is about, in words; a backend of ours has another port every time."""
    faults = f" with {target['faults']}" if "faults" in target else ""
    return target.get("backend", target["base_url"]) + faults


def answers_of(run: Run | None) -> dict[tuple[str, int], Exchange]:
    """The last answer of each step."""
    return {(e.probe, e.step): e for e in run.exchanges} if run else {}


def spend_of(run: Run | None) -> Spend:
    """From the footer; of a run that was killed, counted: calls as they were sent, tokens as they were answered."""
    if run is None:
        return Spend(0, 0, 0.0, 0.0)
    if run.footer:
        told = run.footer["spend"]
        at_least = told.get("usd_at_least") or told["usd"] or 0.0  # journals of before have no lower bound
        return Spend(told["calls"], told["tokens"], told["usd"], told["wall_s"], at_least)
    spec = load_spec()
    cost = sum((actual_cost(spec, exchange, Cost(1)) for exchange in run.exchanges), Cost())
    begun = min((e.started_unix for e in run.exchanges), default=0.0)
    ended = max((e.started_unix + e.ended_at_s for e in run.exchanges), default=0.0)
    return Spend(run.sent, cost.tokens, cost.usd, ended - begun, cost.usd_at_least)


def set_aside(path: Path) -> None:
    """An earlier journal was paid for: it is renamed, never overwritten."""
    if path.exists():
        stamp = datetime.fromtimestamp(path.stat().st_mtime, UTC).strftime("%Y%m%dT%H%M%S")
        path.rename(path.with_name(f"journal.{stamp}.{time.time_ns() % 1_000_000:06d}.jsonl"))
