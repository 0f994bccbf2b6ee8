"""What a person sees: progress while a run goes on, then the verdict by area and every finding."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from wireproof.plan import Plan
    from wireproof.record import RecordEvent
    from wireproof.report import Report

MARKS = {"fail": "✗", "flaky": "≈", "inconclusive": "?", "waived": "~", "pass": "✓", "not-applicable": "-"}
COLOURS = {"fail": "red", "flaky": "yellow", "inconclusive": "yellow", "pass": "green"}
OUTCOME_COLOURS = {"conformant": "green", "nonconformant": "red", "incomplete": "yellow"}
SECONDS_BETWEEN_LINES = 5.0


class Progress:
    """Listens to the recorder. A bar on a terminal; elsewhere a line now and then, and one for each wait."""

    def __init__(self, plan: Plan, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.total = plan.cost.calls
        self.done = self.waits = 0
        self.clock, self.told = clock, clock()
        self.bar = None
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

            self.bar = Progress(
                TextColumn("recording"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.description}"),
                TimeElapsedColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self.task = self.bar.add_task("", total=self.total)

    def __call__(self, event: RecordEvent) -> None:
        from wireproof.record import Recorded, Unsent, Waiting

        match event:
            case Recorded(exchange):
                self.done += 1
                self._advance(exchange.probe)
            case Waiting(probe, seconds, status):
                self._line(f"{probe}: answered {status}, waiting {seconds:g} s as the target asks")
            case Unsent(probe, reason):
                self._line(f"{probe}: not sent, {reason}")

    def _advance(self, probe: str) -> None:
        if self.bar:
            self.bar.update(self.task, completed=self.done, total=max(self.total, self.done), description=probe)
        elif self.clock() - self.told >= SECONDS_BETWEEN_LINES:
            self.told = self.clock()
            click.echo(f"recorded {self.done} of at most {max(self.total, self.done)} exchanges", err=True)

    def _line(self, text: str) -> None:
        if self.bar:
            self.bar.console.print(text, highlight=False, markup=False)
        else:
            click.echo(text, err=True)

    def __enter__(self) -> Progress:
        if self.bar:
            self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.bar:
            self.bar.stop()


def tell(report: Report) -> None:
    """The whole verdict on stdout."""
    _areas(report)
    _findings(report)
    _undecided(report)
    _second(report)
    _summary(report)


def _areas(report: Report) -> None:
    width = max(len(area.name) for area in report.areas)
    for area in report.areas:
        counts = ", ".join(f"{number} {outcome}" for outcome, number in area.counts.items())
        mark = click.style(MARKS[area.outcome], fg=COLOURS.get(area.outcome))
        click.echo(f"  {mark} {area.name:<{width}}  {counts}")


def _findings(report: Report) -> None:
    from wireproof.report import elsewhere

    for verdict in report.failing:
        clause, first = verdict.clause, verdict.findings[0]
        click.echo(f"\n{click.style(clause.level, fg='red', bold=True)} {click.style(clause.id, bold=True)}")
        click.echo(f"  {clause.sentence}")
        if verdict.unscored:
            click.echo(f"  does not count  {verdict.unscored}")
        if verdict.reason:
            click.echo(f"  {verdict.outcome:<9} {verdict.reason}")
        click.echo(f"  expected  {first.expected}")
        click.echo(f"  got       {first.got}")
        click.echo(f"  where     {first.where}")
        if len(verdict.findings) > 1:
            click.echo(f"            {elsewhere(verdict)}")
        click.echo(f"  again     {report.curl(first.where.exchange)}")


def _undecided(report: Report) -> None:
    undecided = [verdict for verdict in report.verdicts if verdict.outcome == "inconclusive"]
    if undecided:
        click.echo("\ncould not be judged:")
    for verdict in undecided:
        click.echo(f"  {verdict.clause.level} {verdict.clause.id}: {verdict.reason}")


def _second(report: Report) -> None:
    for said in report.opinions:
        click.echo(f"\n{said.sentence}")
        for one, more in said.habits:
            also = f" (and in {more} more)" if more else ""
            click.echo(f"  {click.style(one.kind, fg='yellow')} {one.exchange} {one.at}{also}")
            click.echo(f"    the SDK  {one.sdk}")
            click.echo(f"    we       {one.ours}")


def _summary(report: Report) -> None:
    spend = report.spend
    counts = ", ".join(f"{number} {outcome}" for outcome, number in report.counts.items())
    outcome = click.style(report.outcome, fg=OUTCOME_COLOURS[report.outcome], bold=True)
    click.echo(f"\n{outcome}: {len(report.verdicts)} clauses, {counts}")
    click.echo(f"spent {spend.calls} exchanges, {spend.tokens:,} tokens, {spend.price}, {spend.wall_s:.1f} s")
    if report.capabilities:
        click.echo(f"the model {', '.join(map(str, report.capabilities))}")
    if report.claims:
        loud = [
            f"{one.feature} {one.state}" for one in report.claims if one.state in ("broken", "undecided", "ignored")
        ]
        claimed = sum(one.claimed for one in report.claims)
        click.echo(f"claims: {claimed} of {len(report.claims)} features{': ' if loud else ''}{', '.join(loud)}")
    ignored = [f"{row.operation} {row.field}" for row in report.fields if row.state == "ignored"]
    if ignored:
        click.echo(f"taken and ignored: {', '.join(ignored)}")
    if report.reached:
        click.echo(f"reached {report.reached}")
    if report.waivers_patch:
        click.echo(f"\n{report.waivers_patch}")
    for note in (*report.notes, *report.complaints):
        click.echo(note)
