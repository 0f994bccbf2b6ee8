"""report.md: the certification as a page for a pull request or a step summary."""

from __future__ import annotations

from wireproof.fields import FieldAsked
from wireproof.judge import Verdict
from wireproof.oracle import Opinion
from wireproof.report import Report, elsewhere

FILE = "report.md"
MARKS = {"fail": "✗", "flaky": "≈", "inconclusive": "?", "waived": "~", "pass": "✓", "not-applicable": "–"}
FIELD_MARKS = {"honoured": "✓", "refused": "–", "ignored": "✗"}


def render(report: Report) -> str:
    parts = [
        *_head(report),
        *_areas(report),
        *_findings(report),
        *_claims(report),
        *_fields(report),
        *_oracle(report),
        *_untested(report),
    ]
    return "\n".join(parts) + "\n"


def _head(report: Report) -> list[str]:
    spend = report.spend
    counts = ", ".join(f"{number} {outcome}" for outcome, number in report.counts.items())
    return [
        f"# {report.outcome}: {report.target['base_url']}",
        "",
        f"{len(report.verdicts)} clauses: {counts}. "
        f"{spend.calls} exchanges, {spend.tokens:,} tokens, {spend.price}, {spend.wall_s:.1f} s. "
        f"wireproof {report.version}, {report.started}.",
        *([f"\nThe model {', '.join(map(str, report.capabilities))}."] if report.capabilities else []),
        *(f"\n> {note}" for note in (*report.notes, *report.complaints)),
        *([f"\n```diff\n{report.waivers_patch}```"] if report.waivers_patch else []),
        "",
    ]


def _areas(report: Report) -> list[str]:
    rows = [
        f"| {MARKS[area.outcome]} | {area.name} | {', '.join(f'{n} {outcome}' for outcome, n in area.counts.items())} |"
        for area in report.areas
    ]
    return ["| | area | clauses |", "|---|---|---|", *rows, ""]


def _findings(report: Report) -> list[str]:
    if not report.failing:
        return ["No finding.", ""]
    return ["## Findings", "", *(line for verdict in report.failing for line in _finding(report, verdict))]


def _finding(report: Report, verdict: Verdict) -> list[str]:
    clause, first = verdict.clause, verdict.findings[0]
    return [
        f"### {clause.level} `{clause.id}`",
        "",
        f"{clause.sentence} ({clause.source})",
        "",
        *([f"- does not count: {verdict.unscored}"] if verdict.unscored else []),
        *([f"- {verdict.outcome}: {_cell(verdict.reason)}"] if verdict.reason else []),
        f"- expected: {_code(first.expected)}",
        f"- got: {_code(first.got)}",
        f"- where: {_code(str(first.where))}, fingerprint `{first.fingerprint}`",
        *([f"- {_cell(elsewhere(verdict))}"] if len(verdict.findings) > 1 else []),
        "",
        "```sh",
        report.curl(first.where.exchange),
        "```",
        "",
    ]


def _claims(report: Report) -> list[str]:
    rows = [f"| {one.feature} | {'yes' if one.claimed else 'no'} | {one.state} |" for one in report.claims]
    return ["## Features", "", "| feature | claimed | found |", "|---|---|---|", *rows, ""] if rows else []


def _fields(report: Report) -> list[str]:
    """What became of the fields that were asked for; those of which nothing is known in a line an operation."""
    if not report.fields:
        return []
    known = [row for row in report.fields if row.state != "unknown"]
    rows = [
        f"| {FIELD_MARKS[row.state]} {row.state} | {row.operation} | `{row.field}` | {_evidence(row)} |"
        for row in known
    ]
    rest: dict[str, list[str]] = {}
    for row in report.fields:
        if row.state == "unknown":
            rest.setdefault(row.operation, []).append(f"`{row.field}`")
    unknown = [f"- {operation}: {', '.join(names)}" for operation, names in rest.items()]
    table = ["| | operation | field | evidence |", "|---|---|---|---|", *rows, ""] if rows else []
    told = ["Taken, with no effect that is judged:", "", *unknown, ""] if unknown else []
    return ["## Fields asked for", "", *table, *told]


def _evidence(row: FieldAsked) -> str:
    clause = f"`{row.clause}`, " if row.clause else ""
    return f"{clause}`{row.exchange}`" + (f": {_cell(row.why)}" if row.why else "")


def _oracle(report: Report) -> list[str]:
    return [line for said in report.opinions for line in _opinion(said)]


def _opinion(said: Opinion) -> list[str]:
    rows = [
        f"| {_code(one.exchange)}{f' and {more} more' if more else ''} | {one.kind} | {_code(one.at or '/')} "
        f"| {_cell(one.sdk)} | {_cell(one.ours)} |"
        for one, more in said.habits
    ]
    table = ["| exchange | kind | where | SDK | we |", "|---|---|---|---|---|", *rows, ""] if rows else []
    return ["## The official SDK disagrees" if rows else "## The official SDK agrees", "",
            _cell(said.sentence), "", *table]  # fmt: skip


def _untested(report: Report) -> list[str]:
    rest = [v for v in report.verdicts if v.outcome in ("inconclusive", "not-applicable", "flaky", "waived")]
    if not rest:
        return []
    rows = [f"| {v.outcome} | {v.clause.level} | `{v.clause.id}` | {_cell(v.reason)} |" for v in rest]
    return ["## Not judged", "", "| outcome | level | clause | why |", "|---|---|---|---|", *rows, ""]


def _code(text: str) -> str:
    """As a code span, whatever backticks it holds."""
    fence = "`" * (max((len(run) for run in "".join(c if c == "`" else " " for c in text).split()), default=0) + 1)
    pad = " " if text[:1] == "`" or text[-1:] == "`" else ""
    return f"{fence}{pad}{' '.join(text.split())}{pad}{fence}"


def _cell(text: str) -> str:
    """As plain text in a table: neither cells nor tags of its own."""
    return " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")
