"""report.md of a load run: for a pull request's comment."""

from __future__ import annotations

from typing import Any

FILE = "report.md"
METRICS = {"ttft_ms": "TTFT", "itl_ms": "ITL", "tpot_ms": "TPOT", "e2e_ms": "E2E", "queue_delay_ms": "Queue delay"}
MARKS = {True: "✅", False: "❌", None: "❔"}


def render(summary: dict[str, Any]) -> str:
    target, validity = summary["target"], summary["validity"]
    where = "the built-in stand-in" if target["stand_in"] else target["base_url"]
    lines = [f"# Load {summary['profile']}: {summary['outcome']}", ""]
    lines += [
        f"{summary['requests']} requests to {where}, model `{target['model']}`. The run is **{validity['verdict']}**."
    ]
    lines += [f"- {reason}" for reason in validity["reasons"]]
    lines += ["", *_thresholds(summary), "", *_latencies(summary), "", *_saturated(summary), *_error(summary)]
    return "\n".join(lines) + "\n"


def _thresholds(summary: dict[str, Any]) -> list[str]:
    rows = [f"| {MARKS[one['kept']]} | `{_cell(one['text'])}` | {_cell(one['why'])} |" for one in summary["thresholds"]]
    return ["| | threshold | found |", "|---|---|---|", *rows]


def _latencies(summary: dict[str, Any]) -> list[str]:
    head = ["| ms | p50 | 95 % interval | p90 | p95 | p99 | 95 % interval | n |", "|---|---|---|---|---|---|---|---|"]
    return head + [
        f"| {label} | {_value(row, 'p50')} | {_interval(row, 'p50')} | {_value(row, 'p90')} | {_value(row, 'p95')} "
        f"| {_value(row, 'p99')} | {_interval(row, 'p99')} | {row['n']} |"
        for name, label in METRICS.items()
        if (row := summary["metrics"][name])["n"]
    ]


def _saturated(summary: dict[str, Any]) -> list[str]:
    rows = [(name, stage["saturated"]) for name, stage in summary["stages"].items() if stage["saturated"]]
    told = [
        f"- `{name}`: admitted {one['admitted_' + one['binding']]:,.2f} {one['binding'].upper()}, give or take "
        f"{one['error_percent']} % ({one['admitted']} requests in {one['window_s']:g} s)"
        for name, one in rows
    ]
    return ["At the limit:", *told, ""] if told else []


def _error(summary: dict[str, Any]) -> list[str]:
    client = summary["client"]
    late = client["send_lag_ms"]["p99"], client["recv_lag_ms"]["p99"]
    sent, read = (f"{value:g} ms" if value is not None else "unknown" for value in late)
    return [f"Our own error: sent late p99 {sent}, read late p99 {read} (clock: {client['clock']})."]


def _value(row: dict[str, Any], key: str) -> str:
    if row[key] is not None:
        return f"{row[key]:.2f}"
    return f"> {row['beyond'][key]:.1f}" if key in row["beyond"] else "-"


def _interval(row: dict[str, Any], key: str) -> str:
    low, high = row["interval"][key]
    return f"{'-∞' if low is None else format(low, '.2f')} … {'∞' if high is None else format(high, '.2f')}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
