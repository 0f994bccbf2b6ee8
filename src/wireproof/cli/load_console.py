"""What `wireproof load` shows: the plan before, a line while, the figures after."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import click

MARKS = {True: ("✓", "green"), False: ("✗", "red"), None: ("?", "yellow")}
COLOURS = {"kept": "green", "broken": "red", "unclear": "yellow"}
VALIDITY_COLOURS = {"VALID": "green", "DEGRADED": "yellow", "INVALID": "red"}
SECONDS_BETWEEN_LINES = 5.0
SHOWN = {"ttft_ms": "TTFT", "itl_ms": "ITL", "tpot_ms": "TPOT", "e2e_ms": "E2E", "queue_delay_ms": "queue delay"}


def tell_plan(plan: Any, settings: Any) -> None:
    """What will be sent, and what it costs at most, before it is."""
    where = "the built-in stand-in (no --base-url was given)" if settings.stand_in else settings.base_url
    click.echo(f"load profile {plan.profile.name} on {where}, model {plan.model}: about {plan.longest_s:.0f} s at most")
    if plan.ceiling:
        one = plan.ceiling
        minute = "" if one.minute_s == 60 else f", in a minute of {one.minute_s:g} s"
        limits = ", ".join(
            f"{limit} {unit}" for limit, unit in ((one.rpm, "RPM"), (one.tpm, "TPM"), (one.rpd, "RPD")) if limit
        )
        click.echo(f"  limits of {one.tier}: {limits}{minute}")
    for leg in plan.legs:
        shape = f"{leg.users} users" if leg.users else f"{leg.rate_rps:.3g} requests/s, {leg.spacing}"
        much = f", {leg.most_requests} requests" if leg.most_requests else ""
        until = f" or the first 429 for {leg.until_throttled}" if leg.until_throttled else ""
        bound = f", {leg.binding.upper()}-bound" if leg.binding else ""
        click.echo(
            f"  {leg.name:<14} {leg.for_s:5.1f} s{until}: {shape}{much}, {leg.cost_tokens:.0f} tokens each{bound}"
        )


class Progress:
    """A live line on a terminal; elsewhere a plain one every few seconds."""

    def __init__(self, plan: Any, quiet: bool, started: float) -> None:
        self._plan, self._quiet, self._told = plan, quiet, started
        self._rows: dict[int, dict[str, Any]] = {}
        self._status: Any = None
        if not quiet and sys.stderr.isatty():
            from rich.console import Console

            self._status = Console(stderr=True).status("starting")

    def show(self, row: dict[str, Any]) -> None:
        self._rows[row.get("worker", 0)] = row
        total = {
            key: sum(one.get(key, 0) for one in self._rows.values())
            for key in ("ok", "throttled", "failed", "in_flight")
        }
        text = (
            f"{row['t']:6.1f} s  {row['stage']:<14} {total['in_flight']} in flight, {total['ok']} answered, "
            f"{total['throttled']} throttled, {total['failed']} failed"
        )
        if self._status:
            self._status.update(text)
        elif not self._quiet and time.monotonic() - self._told >= SECONDS_BETWEEN_LINES:
            self._told = time.monotonic()
            click.echo(text, err=True)

    def __enter__(self) -> Progress:
        if self._status:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status:
            self._status.stop()


def tell(summary: dict[str, Any], out: Path) -> None:
    click.echo("\nms            p50       p90       p95       p99      mean      n    95 % interval of p50 and p99")
    for name, label in SHOWN.items():
        row = summary["metrics"][name]
        if row["n"]:
            numbers = "".join(f"{_number(row, key):>10}" for key in ("p50", "p90", "p95", "p99", "mean"))
            click.echo(f"{label:<11}{numbers}{row['n']:>7}    {_interval(row, 'p50')}  {_interval(row, 'p99')}")
    counts = ", ".join(f"{number} {name}" for name, number in summary["outcomes"].items()) or "no request"
    click.echo(f"\n{summary['requests']} requests judged: {counts}")
    for name, stage in summary["stages"].items():
        full = stage["saturated"]
        if full:
            error = f" ± {full['error_percent']}%" if full["error_percent"] else ""
            click.echo(
                f"{name}: admitted {full['admitted_' + full['binding']]:,.2f} {full['binding'].upper()}{error} "
                f"({full['admitted']} requests in {full['window_s']:g} s; {full['refusals']} refused)"
            )
    _tell_error(summary)
    click.echo()
    for ruling in summary["thresholds"]:
        mark, colour = MARKS[ruling["kept"]]
        click.echo(f"  {click.style(mark, fg=colour)} {ruling['text']}  ({ruling['why']})")
    verdict = summary["validity"]["verdict"]
    click.echo(
        f"\n{click.style(summary['outcome'], fg=COLOURS[summary['outcome']], bold=True)}; "
        f"the run is {click.style(verdict, fg=VALIDITY_COLOURS[verdict])}"
    )
    for reason in summary["validity"]["reasons"]:
        click.echo(f"  {reason}")
    click.echo(f"report: {out / 'report.html'}  (also report.md, summary.json, samples.jsonl, junit.xml)")


def _tell_error(summary: dict[str, Any]) -> None:
    """Our own error: how late we sent and read, what we cost, how far from the truth we were where it is known."""
    client, truth = summary["client"], summary["calibration"]
    lags = {"sent": client["send_lag_ms"], "read": client["recv_lag_ms"]}
    late = ", ".join(f"{what} {lag['p99']:g} ms" for what, lag in lags.items() if lag["n"]) or "unknown"
    corrected = " (corrected by kernel time stamps)" if client["clock"] == "kernel" else ""
    click.echo(f"our error: p99 late {late}{corrected}; {client['cpu_s']:g} CPU-s, {client['rss_mb']:g} MB")
    if truth:
        off = [f"{SHOWN[key]} {truth[key]['error_p50']:+g} ms" for key in ("ttft_ms", "itl_ms") if truth[key]["p50"]]
        click.echo(f"against the stand-in's own clock: medians {', '.join(off)} ({truth['paired']} requests paired)")


def _number(row: dict[str, Any], key: str) -> str:
    if row[key] is None:
        return f">{row['beyond'][key]:.1f}" if key in row["beyond"] else "-"
    return f"{row[key]:.2f}{'?' if key in row['weak'] else ''}"


def _interval(row: dict[str, Any], key: str) -> str:
    low, high = row["interval"][key]
    return f"[{'-∞' if low is None else format(low, '.2f')}, {'∞' if high is None else format(high, '.2f')}]"
