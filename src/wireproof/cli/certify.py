"""`wireproof certify`: record a backend, judge it, tell the verdict."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wireproof.cli import BROKEN, KEPT, UNKNOWN, UNREACHABLE, Fail, stop_telling
from wireproof.cli.console import Progress, tell
from wireproof.cli.excuses import after, read_excuses, waivers_option
from wireproof.cli.measures import claims_option, dialect_option
from wireproof.cli.orders import key_refused, order_from, remote, standin_models, target_options, terms
from wireproof.cli.second import need_sdk, sdk_option, with_second_opinion

if TYPE_CHECKING:
    from wireproof.order import Order
    from wireproof.plan import Plan
    from wireproof.record import RecordEvent
    from wireproof.report import Report

# The stand-in's pace: slow enough that a stream can be seen to stream, fast enough for a demo.
TTFT_MS, ITL_MS = 20.0, 3.0
STANDIN = "the built-in stand-in"
EXIT_CODES = {"conformant": KEPT, "nonconformant": BROKEN, "incomplete": UNKNOWN}


@click.command(
    "certify",
    epilog="Examples: OPENAI_API_KEY=... wireproof certify --base-url https://host/v1 --model my-model --out report; "
    "wireproof certify --base-url https://host/v1 --model my-model --dialect litellm --claims claims.yaml",
)
@target_options
@click.option(
    "--fault", metavar="ID", multiple=True, help="Of the stand-in: break this on purpose (serve --list-faults)."
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("wireproof-out"),
    show_default=True,
    help="The folder for journal and reports.",
)
@click.option(
    "--resume", is_flag=True, help="Go on with the journal in --out; nothing that was answered is sent again."
)
@click.option(
    "--fail-on",
    type=click.Choice(["must", "should", "may"]),
    default="should",
    show_default=True,
    help="The lowest level whose breach ends in exit 1.",
)
@click.option(
    "--requirements", metavar="DATE", help="Count only the clauses of this dated set (2026-11); later ones are pending."
)
@dialect_option
@claims_option
@waivers_option
@sdk_option
@click.option(
    "--samples",
    type=click.IntRange(1, 100),
    default=1,
    show_default=True,
    help="Tries at most of a clause that needs an obedient model; stops as soon as it is decided.",
)
@click.option("--concurrency", type=click.IntRange(1, 64), default=8, show_default=True, help="Requests in flight.")
@click.option("--timeout", type=click.FloatRange(1, 3600), default=180.0, show_default=True, help="Seconds an answer.")
@click.option("--json", "as_json", is_flag=True, help="Print verdicts.json instead of the text.")
def command(**options: Any) -> int:
    """Check a backend against the contract, clause by clause.

    Without --base-url the built-in stand-in is started and certified. The key comes from the environment
    and is written nowhere. Exit codes: 0 kept, 1 broken, 2 wrong command, 3 could not tell, 4 unreachable.
    """
    from wireproof.journal import BadJournal
    from wireproof.order import WrongOrder

    need_sdk(options["by_sdk"])
    with _ordered(options) as order:
        try:
            return _certify(order, options)
        except (WrongOrder, BadJournal) as wrong:
            raise Fail(str(wrong)) from wrong
        except BrokenPipeError:
            raise
        except OSError as trouble:
            raise Fail(f"{trouble.filename or options['out']}: {trouble.strerror or trouble}") from trouble


def _certify(order: Order, options: dict[str, Any]) -> int:
    from wireproof.certification import prepare

    clauses, plan = prepare(order)
    excuses = read_excuses(options["waivers"])
    quiet = options["as_json"]
    with contextlib.suppress(BrokenPipeError):
        click.echo(announced(order, len(clauses), plan), err=quiet)
    with Progress(plan) as progress:
        report = certified(order, plan, options, progress)
    return finish(after(excuses, options["waivers"], report), options["out"], as_json=quiet)


def certified(
    order: Order, plan: Plan, options: dict[str, Any], listen: Callable[[RecordEvent], None] = lambda event: None
) -> Report:
    """Records the plan and judges it, before any waiver. Raises Fail when the target does not let us."""
    from wireproof.certification import load_contracts, report_of, run
    from wireproof.fetch import KeyRefused, Unreachable

    out = options["out"]
    try:
        recorded = run(order, plan, out, listen, resume=options["resume"])
    except* Unreachable as nobody:
        raise Fail(str(nobody.exceptions[0]), UNREACHABLE) from nobody
    except* KeyRefused as refused:
        raise key_refused(order.target, order.key_variable, refused.exceptions[0]) from refused
    except* KeyboardInterrupt:
        raise Fail(
            f"interrupted; go on with the same command and --resume (journal: {out / 'journal.jsonl'})", UNKNOWN
        ) from None
    everything, _ = load_contracts(order.contracts)
    report = report_of(recorded, everything, speaks=order.dialect, claims=order.claims)
    return with_second_opinion(report, options["by_sdk"])


def write(report: Report, out: Path | None) -> dict[str, str]:
    """The texts of the artifacts by their names; written too, where there is a folder."""
    from wireproof.report import rendered

    texts = rendered(report)
    if out is not None:
        try:
            out.mkdir(parents=True, exist_ok=True)
            for name, text in texts.items():
                (out / name).write_text(text, encoding="utf-8")
        except OSError as trouble:
            raise Fail(f"--out {out}: {trouble.strerror or trouble}") from trouble
    return texts


def finish(report: Report, out: Path | None, *, as_json: bool) -> int:
    """Writes the artifacts, tells the verdict, gives the exit code."""
    texts = write(report, out)
    with _whoever_reads():
        if as_json:
            click.echo(texts["verdicts.json"], nl=False)
        else:
            tell(report)
            if out is not None:
                click.echo(f"report: {out / 'report.html'}  (also {', '.join(n for n in texts if n != 'report.html')})")
    return EXIT_CODES[report.outcome]


@contextlib.contextmanager
def _whoever_reads() -> Iterator[None]:
    """`wireproof certify | head` has the verdict's exit code, however little of it is read."""
    try:
        yield
    except BrokenPipeError:
        stop_telling()


@contextlib.contextmanager
def _ordered(options: dict[str, Any]) -> Iterator[Order]:
    """The order; around it the stand-in, when there is no URL."""
    from wireproof.fetch import Target

    more = terms(options)
    if options["base_url"]:
        if options["fault"]:
            raise Fail("--fault: expected no --base-url beside it; faults are the stand-in's")
        target, models = remote(options)
        yield order_from(options, target, models, standin=False, **more)
        return
    from wireproof.standin.backend import Setup
    from wireproof.standin.faults import all_faults
    from wireproof.standin.latency import Latency
    from wireproof.standin.serve import embedded

    models = standin_models(options)
    for unknown in set(options["fault"]) - set(all_faults()):
        raise Fail(f"--fault: no fault is called {unknown!r}; `wireproof serve --list-faults` prints them all")
    with (
        _memory(options["out"], is_resumed=options["resume"]) as state,
        embedded(Setup(latency=Latency(TTFT_MS, ITL_MS), state=state), faults=options["fault"]) as standin,
    ):
        target = Target(standin.base_url, standin.key)
        faults = {"faults": ", ".join(options["fault"])} if options["fault"] else {}
        about = {"backend": STANDIN, **faults}
        yield order_from(options, target, models, standin=True, about=about, **more)


@contextlib.contextmanager
def _memory(out: Path, *, is_resumed: bool) -> Iterator[Path]:
    """The file by which the stand-in remembers: a run that goes on must meet what it made before.

    It stays beside the journal of a run that was cut off, and is gone after one that was whole.
    """
    path = out / "standin.sqlite"
    try:
        if not is_resumed:
            _forget(path)
        out.mkdir(parents=True, exist_ok=True)
    except OSError as trouble:
        raise Fail(f"{trouble.filename or out}: {trouble.strerror or trouble}") from trouble
    try:
        yield path
    except BaseException:
        if not (out / "journal.jsonl").exists():
            _forget(path)
            with contextlib.suppress(OSError):
                out.rmdir()  # unless something else is in it
        raise
    _forget(path)


def _forget(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def announced(order: Order, clauses: int, plan: Plan) -> str:
    """What is certified and what it may cost, for people, before the first byte is sent."""
    from wireproof.cover import not_covered

    where = f"{STANDIN} (no --base-url was given)" if order.about.get("backend") == STANDIN else order.target.base_url
    cases = f" ({order.cases} cases an operation)" if order.cases else ""
    if order.samples > 1:
        cases += f", those that need an obedient model up to {order.samples} times"
    cost = plan.cost
    uncovered = f"\n{not_covered(plan.uncovered)}" if plan.uncovered else ""
    return (
        f"certifying {where}\n{clauses} clauses, {len(plan.probes)} probes{cases}: "
        f"at most {cost.calls} exchanges, {cost.tokens:,} tokens, {plan.price}{uncovered}"
    )
