"""`wireproof shrink`: the smallest request and the smallest stream that still show a finding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wireproof.cli import KEPT, UNKNOWN, UNREACHABLE, Fail
from wireproof.cli.orders import checked_url, key_from, parse_budget

if TYPE_CHECKING:
    from wireproof.clause import Exchange
    from wireproof.exhibit import Exhibit
    from wireproof.judge import Finding
    from wireproof.report import Report

MOST_CALLS = 20


@click.command(
    "shrink",
    epilog="Example: wireproof shrink out/journal.jsonl chat.n --base-url https://host/v1 --budget calls=30",
)
@click.argument("recording", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("finding")
@click.option("--base-url", metavar="URL", help="Ask there for smaller requests. Default: nothing is sent.")
@click.option(
    "--api-key-env", metavar="NAME", help="The environment variable that holds the key. Default: as recorded."
)
@click.option("--budget", metavar="calls=N,tokens=N,usd=X", help=f"Of the requests. Default: calls={MOST_CALLS}.")
@click.option(
    "--contracts",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    metavar="DIR",
    help="A folder with contracts of your own. Repeatable.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("wireproof-shrunk"),
    show_default=True,
    help="The folder for the small exchange and what shows it again.",
)
def command(
    recording: Path,
    finding: str,
    base_url: str | None,
    api_key_env: str | None,
    budget: str | None,
    contracts: tuple[Path, ...],
    out: Path,
) -> int:
    """Make a FINDING of a RECORDING small; it is named by its clause or its fingerprint.

    The events of a stream are tried offline. With --base-url the request is, too: fields are left out as long as the
    clause breaks in the same way; a step of a flow is asked after the steps that led up to it, which count.
    Leaves a journal, a curl line, a pytest file and a snippet of the official SDK.
    Exit codes: 0 shown again, 2 wrong command, 3 it did not show again at the target, 4 unreachable.
    """
    from wireproof.bisection import first_asked
    from wireproof.certification import load_contracts, report_of
    from wireproof.exhibit import Exhibit, leave
    from wireproof.fetch import KeyRefused, Target, Unreachable
    from wireproof.journal import BadJournal
    from wireproof.order import WrongOrder
    from wireproof.recordings import BadRecording, read_recording

    try:
        run = read_recording(recording)
        report = report_of(run, load_contracts(contracts)[0])
    except (BadJournal, BadRecording, WrongOrder) as wrong:
        raise Fail(str(wrong)) from wrong
    verdict, found, exchange = _named(report, finding)
    variable = api_key_env or report.key_variable
    url = checked_url(base_url) if base_url else report.target["base_url"]
    exhibit = Exhibit(
        verdict.clause, found, exchange, url, report.target, variable, report.started, report.version,
        [str(folder.resolve()) for folder in contracts],
    )  # fmt: skip
    click.echo(f"{verdict.clause.level} {verdict.clause.id} at {found.where}\n  expected  {found.expected}")
    click.echo(f"  got       {found.got}")
    others = first_asked(report.exchanges.values())
    shows = True
    if base_url and exchange.request.is_handshake:
        raise Fail("--base-url: a talk on a WebSocket cannot be made smaller at a target; leave it out")
    if base_url:
        from wireproof.again import NotSent

        there, bound = Target(url, key_from(variable)), parse_budget(budget or f"calls={MOST_CALLS}")
        try:
            if exchange.step:
                from wireproof.cli.shrink_flow import asked_in_flow

                smaller, others = asked_in_flow(exhibit, others, there, bound, load_contracts(contracts)[1])
            else:
                smaller = _asked(exhibit, others, there, bound)
        except (NotSent, Unreachable, KeyRefused) as trouble:
            raise Fail(str(trouble), UNREACHABLE) from trouble
        shows = smaller is not None
        exhibit = smaller or exhibit
    exhibit = _fewer_events(exhibit, others)
    out.mkdir(parents=True, exist_ok=True)
    _write(exhibit, run.header, others, out / "journal.jsonl")
    written = [out / "journal.jsonl", *leave(exhibit, out)]
    click.echo(f"left in {out}: {', '.join(path.name for path in written)}")
    return KEPT if shows else UNKNOWN


def _named(report: Report, name: str) -> tuple[Any, Finding, Exchange]:
    """The finding with this fingerprint, or the first one of this clause. Raises Fail when there is none."""
    for verdict in report.failing:
        for one in verdict.findings:
            exchange = report.exchanges.get(one.where.exchange)
            if name in (verdict.clause.id, one.fingerprint) and exchange is not None:
                return verdict, one, exchange
    broken = ", ".join(verdict.clause.id for verdict in report.failing) or "none"
    raise Fail(f"no finding is called {name!r}; expected a fingerprint or a broken clause, of which there are {broken}")


def _asked(exhibit: Exhibit, others: Sequence[Exchange], target: Any, bound: Any) -> Exhibit | None:
    """The smallest request that shows the finding at the target, answered; None when not even the whole one does."""
    from wireproof.again import as_recorded, breach, sent
    from wireproof.plan import Cost
    from wireproof.shrinking import size_of, smallest_body

    first, whole = exhibit.exchange, exhibit.call
    spent = Cost()
    best: list[Exhibit] = []

    def holds(body: Any) -> bool:
        nonlocal spent
        left = _left(bound, spent)
        if left is None:
            return False
        answer, cost = sent(target, replace(whole, body=body), first.probe, budget=left)
        spent = spent + cost
        again = as_recorded(answer, first)
        found = breach(exhibit.clause, again, others, exhibit.finding.fingerprint)
        if found is not None:
            best[:] = [replace(exhibit, exchange=again, finding=found)]
        return found is not None

    if not holds(whole.body):
        click.echo("request   sent as it was, and the finding did not show again; the recorded one is kept")
        return None
    body = smallest_body(whole.body, holds)
    click.echo(
        f"request   {size_of(whole.body)} keys and items, {size_of(body)} of them needed "
        f"({spent.calls} calls, {spent.tokens} tokens)"
    )
    return best[0]


def _left(bound: Any, spent: Any) -> Any:
    """What is left of the budget; None when not one call is."""
    from wireproof.spending import left_of

    left = left_of(bound, spent)
    return None if any(value is not None and value <= 0 for value in (left.calls, left.tokens, left.usd)) else left


def _fewer_events(exhibit: Exhibit, others: Sequence[Exchange]) -> Exhibit:
    from wireproof.again import breach
    from wireproof.shrinking import event_pieces, smallest_stream

    if exhibit.exchange.media_type != "text/event-stream":
        return exhibit

    def found_in(one: Exchange) -> Finding | None:
        return breach(exhibit.clause, one, others, exhibit.finding.fingerprint)

    small = smallest_stream(exhibit.exchange, lambda one: found_in(one) is not None)
    click.echo(f"stream    {len(event_pieces(exhibit.exchange))} events, {len(event_pieces(small))} of them needed")
    return replace(exhibit, exchange=small, finding=found_in(small) or exhibit.finding)


def _write(exhibit: Exhibit, header: Any, others: Sequence[Exchange], path: Path) -> None:
    """A journal of the one exchange, or of all that the clause is judged on, that `judge` reads."""
    from wireproof.journal import Journal

    small = exhibit.exchange
    alone = exhibit.clause.evidence.shape == "each"
    about = {name: value for name, value in header.items() if name not in ("plan", "type", "schema_version", "order")}
    about |= {"only": [exhibit.clause.id], "profiles": ["all"], "shrunk": True}
    about["target"] = {**about["target"], "base_url": exhibit.base_url}
    path.unlink(missing_ok=True)
    with Journal(path) as journal:
        journal.header(about, [])
        for one in [small] if alone else others:
            kept = small if one.id == small.id else one
            journal.sent(kept.probe, kept.step, kept.attempt)
            journal.exchange(kept)
        spend = {"calls": 1 if alone else len(others), "tokens": 0, "usd": None, "wall_s": 0.0}
        journal.footer(reason="complete", spend=spend)
