"""`wireproof judge`: the verdicts of a journal, again and offline."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from wireproof.cli import KEPT, Fail
from wireproof.cli.certify import finish
from wireproof.cli.excuses import after, read_excuses, waivers_option
from wireproof.cli.measures import claims_option, dialect_option, read_features
from wireproof.cli.second import need_sdk, sdk_option, with_second_opinion


@click.command(
    "judge",
    epilog="Examples: wireproof judge out/journal.jsonl --out report; wireproof judge traffic.har --dialect azure",
)
@click.argument("recording", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Write the reports there. Default: print only."
)
@click.option(
    "--contracts",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    metavar="DIR",
    help="A folder with contracts of your own. Repeatable.",
)
@click.option("--fail-on", type=click.Choice(["must", "should", "may"]), help="Default: as the run was recorded with.")
@click.option("--requirements", metavar="DATE", help="Count only the clauses of this dated set. Default: as recorded.")
@dialect_option
@claims_option
@waivers_option
@sdk_option
@click.option(
    "--draft-waivers", metavar="OWNER", help="Print waivers for all findings instead, owned by OWNER, for 30 days."
)
@click.option(
    "--emit",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Leave every finding there as a curl line, a pytest file and a snippet of the official SDK.",
)
@click.option("--json", "as_json", is_flag=True, help="Print verdicts.json instead of the text.")
def command(
    recording: Path,
    out: Path | None,
    contracts: tuple[Path, ...],
    fail_on: str | None,
    requirements: str | None,
    dialect: str | None,
    claims: Path | None,
    waivers: Path | None,
    by_sdk: bool,
    draft_waivers: str | None,
    emit: Path | None,
    as_json: bool,
) -> int:
    """Judge a RECORDING with the clauses of today: a journal of ours, a HAR file, a VCR cassette, a mitmproxy dump.

    Sends nothing; the same recording, the same verdicts. What a recording does not tell is not judged.
    """
    from wireproof.certification import load_contracts, report_of
    from wireproof.journal import BadJournal
    from wireproof.order import WrongOrder
    from wireproof.recordings import BadRecording, read_recording

    need_sdk(by_sdk)
    excuses, served = read_excuses(waivers), read_features(claims)
    try:
        clauses, _ = load_contracts(contracts)
        run, level = read_recording(recording), fail_on and fail_on.upper()
        report = report_of(
            run,
            clauses,
            fail_on=level,  # type: ignore[arg-type]  # click checked it
            pin=requirements,
            speaks=dialect,
            claims=served,
        )
    except (BadJournal, BadRecording, WrongOrder) as wrong:
        raise Fail(str(wrong)) from wrong
    except OSError as trouble:
        raise Fail(f"{recording}: {trouble.strerror}") from trouble
    report = after(excuses, waivers, with_second_opinion(report, by_sdk))
    if draft_waivers:
        from wireproof.waivers import draft

        today = datetime.now(UTC).date()
        click.echo(draft(report.verdicts, report.target["base_url"], draft_waivers, today), nl=False)
        return KEPT
    if emit:
        from wireproof.exhibit import exhibits, leave

        for exhibit in exhibits(report, contracts):
            leave(exhibit, emit)
    return finish(report, out, as_json=as_json)
