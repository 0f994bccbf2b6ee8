"""verdicts.json: the outcome of a certification, for programs. Schema: `schemas/verdicts.schema.json`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from wireproof.judge import Verdict
from wireproof.report import Report

FILE = "verdicts.json"
SCHEMA_VERSION = 1


def render(report: Report) -> str:
    spend = report.spend
    document = {
        "schema_version": SCHEMA_VERSION,
        "outcome": report.outcome,
        "fail_on": report.fail_on,
        "target": dict(report.target),
        "started": report.started,
        "wireproof": report.version,
        "spend": {
            "calls": spend.calls,
            "tokens": spend.tokens,
            "usd": None if spend.usd is None else round(spend.usd, 6),
            "usd_at_least": round(spend.usd_at_least if spend.usd is None else spend.usd, 6),
            "wall_s": round(spend.wall_s, 3),
        },
        "counts": dict(report.counts),
        "levels": dict(report.rungs),
        "reached": report.reached,
        "capabilities": [
            {"name": one.name, "does": one.does, "kept": one.kept, "tried": one.tried} for one in report.capabilities
        ],
        "dialect": report.dialect,
        "complaints": list(report.complaints),
        "waivers_patch": report.waivers_patch,
        "notes": [*report.notes, *(said.sentence for said in report.opinions)],
        "oracle": [{"by": said.by, **asdict(one)} for said in report.opinions for one in said.disagreements],
        "fields": [
            {
                "operation": row.operation,
                "field": row.field,
                "state": row.state,
                "clause": row.clause or None,
                "exchange": row.exchange or None,
                "why": row.why,
            }
            for row in report.fields
        ],
        "claims": [{"feature": one.feature, "claimed": one.claimed, "state": one.state} for one in report.claims],
        "clauses": [_clause(verdict) for verdict in report.verdicts],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _clause(verdict: Verdict) -> dict[str, Any]:
    clause = verdict.clause
    return {
        "id": clause.id,
        "level": clause.level,
        "area": clause.area,
        "outcome": verdict.outcome,
        "text": clause.sentence,
        "source": clause.source,
        "reason": verdict.reason,
        "unscored": verdict.unscored,
        "judged": list(verdict.judged),
        "findings": [
            {
                "fingerprint": finding.fingerprint,
                "expected": finding.expected,
                "got": finding.got,
                "where": {
                    "exchange": finding.where.exchange,
                    "event": finding.where.event,
                    "pointer": finding.where.pointer,
                },
            }
            for finding in verdict.findings
        ],
    }
