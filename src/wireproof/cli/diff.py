"""`wireproof diff`: the same questions to several backends, and where their answers part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wireproof.cli import BROKEN, KEPT, UNKNOWN, UNREACHABLE, Fail
from wireproof.cli.console import Progress
from wireproof.cli.diff_console import tell
from wireproof.cli.orders import key_refused, order_from, remote

if TYPE_CHECKING:
    from wireproof.clause import Clause
    from wireproof.divergence import Side
    from wireproof.journal import Run

EXIT_CODES = {"same": KEPT, "differ": BROKEN, "incomplete": UNKNOWN}
# Options that name one thing for all targets, or one for each.
EACH = ("model", "embedding_model", "completion_model", "api_key_env")


@click.command(
    "diff",
    epilog="Examples: wireproof diff http://127.0.0.1:8000/v1 https://gateway/v1 --model m --out diff; "
    "wireproof diff yesterday/journal.jsonl https://host/v1 --model m; "
    "wireproof diff yesterday/journal.jsonl today/journal.jsonl",
)
@click.argument("targets", nargs=-1, required=True, metavar="A B [C...]")
@click.option("--model", multiple=True, metavar="ID", help="The chat model: one for all targets, or one for each.")
@click.option("--embedding-model", multiple=True, metavar="ID", help="The model for /embeddings; the same way.")
@click.option("--completion-model", multiple=True, metavar="ID", help="The model for /completions; the same way.")
@click.option(
    "--api-key-env",
    multiple=True,
    metavar="NAME",
    help="The environment variable of the key; the same way. Default: OPENAI_API_KEY.",
)
@click.option("--only", metavar="GLOB", multiple=True, help="Only what feeds these clauses. Repeatable.")
@click.option(
    "--profile", "profiles", multiple=True, metavar="NAME", help="As of certify. Default: as recorded, or core."
)
@click.option("--level", metavar="Ln", help="Only the clauses up to this rung: L0 to L5.")
@click.option("--budget", metavar="calls=N,tokens=N,usd=X", help="For each target that is recorded.")
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
    default=Path("wireproof-diff"),
    show_default=True,
    help="The folder for diff.json, diff.md, and a journal a target.",
)
@click.option("--concurrency", type=click.IntRange(1, 64), default=8, show_default=True, help="Requests in flight.")
@click.option("--json", "as_json", is_flag=True, help="Print diff.json instead of the text.")
def command(targets: tuple[str, ...], out: Path, as_json: bool, **options: Any) -> int:
    """Ask several targets the same and show where the structure of their answers parts.

    A target is a base URL, or a journal (any recording that judge reads). Yesterday's journal beside today's URL, or
    beside today's journal, shows the drift. Journals of ours are compared probe by probe, recordings of others by
    what was asked. Texts, ids, times and counts are not compared. Exit codes: 0 no MUST or SHOULD clause parts them,
    1 one does, 2 wrong command, 3 could not tell, 4 unreachable.
    """
    from wireproof.certification import load_contracts
    from wireproof.divergence import compare
    from wireproof.journal import BadJournal
    from wireproof.order import WrongOrder
    from wireproof.recordings import BadRecording
    from wireproof.report import rendered
    from wireproof.spec import load_spec

    if len(targets) < 2:
        raise Fail("expected two targets or more, base URLs or journals, got one")
    each = [_options_of(number, len(targets), options) for number in range(len(targets))]
    try:
        clauses, _ = load_contracts(options["contracts"])
        recorded = {name: _read(name) for name in targets if not _is_url(name)}
        plan = next((dict(run.header) for run in recorded.values()), {})
        sides = [
            _side(
                name, clauses, recorded[name] if name in recorded else _asked(name, each[at], plan, out / str(at + 1))
            )
            for at, name in enumerate(targets)
        ]
        comparison = compare(_told_apart(sides), load_spec().catalogue("outline"))
        texts = rendered(comparison, "diff_")
        out.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (out / name).write_text(text, encoding="utf-8")
    except (BadJournal, BadRecording, WrongOrder) as wrong:
        raise Fail(str(wrong)) from wrong
    except OSError as trouble:
        raise Fail(f"{trouble.filename or out}: {trouble.strerror or trouble}") from trouble
    if as_json:
        click.echo(texts["diff.json"], nl=False)
    else:
        tell(comparison)
        click.echo(f"report: {out / 'diff.md'}  (also diff.json)")
    return EXIT_CODES[comparison.outcome]


def _is_url(name: str) -> bool:
    return "://" in name


def _options_of(number: int, count: int, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of one target among `count`. Raises Fail when there is neither one for all nor one for each."""
    own = dict(options)
    for name in EACH:
        given = options[name]
        if len(given) not in (0, 1, count):
            option = f"--{name.replace('_', '-')}"
            raise Fail(f"{option}: expected one for all, or one for each of the {count} targets, got {len(given)}")
        own[name] = given[number] if len(given) == count else given[0] if given else None
    own["api_key_env"] = own["api_key_env"] or "OPENAI_API_KEY"
    return own


def _read(name: str) -> Run:
    from wireproof.recordings import read_recording

    return read_recording(Path(name))


def _asked(url: str, options: dict[str, Any], plan: Mapping[str, Any], out: Path) -> Run:
    """Asks a target; what, is as `plan`, the header of a journal beside it, unless the options say otherwise."""
    from wireproof.certification import prepare, run
    from wireproof.fetch import KeyRefused, Unreachable

    chosen = {name: options[name] or tuple(plan.get(name, ())) for name in ("profiles", "only")}
    chosen["level"] = options["level"] or plan.get("level")
    theirs = plan.get("target", {})
    if theirs.get("base_url") == url.rstrip("/"):
        chosen |= {name: options[name] or theirs.get(name) for name in EACH[:3]}
    more = {"base_url": url, "models_for": (), "cases": plan.get("cases", 0), "seed": plan.get("seed", 1)}
    asked = {**options, **more, **chosen}
    variable = asked["api_key_env"]
    target, models = remote(asked)
    order = order_from(asked, target, models, standin=False, gate=options["concurrency"], key_variable=variable)
    _, probes = prepare(order)
    click.echo(f"asking {url}: at most {probes.cost.calls} exchanges", err=True)
    try:
        with Progress(probes) as progress:
            return run(order, probes, out, progress)
    except* Unreachable as nobody:
        raise Fail(str(nobody.exceptions[0]), UNREACHABLE) from nobody
    except* KeyRefused as refused:
        raise key_refused(target, variable, refused.exceptions[0]) from refused


def _side(name: str, clauses: Sequence[Clause], run: Run) -> Side:
    from wireproof.certification import report_of
    from wireproof.divergence import Side

    return Side(name, run, report_of(run, clauses).verdicts)


def _told_apart(sides: Sequence[Side]) -> list[Side]:
    """The same target twice is two names: `URL`, `URL (2)`."""
    names = [side.name for side in sides]
    return [
        replace(side, name=f"{side.name} ({names[: at + 1].count(side.name)})") if side.name in names[:at] else side
        for at, side in enumerate(sides)
    ]
