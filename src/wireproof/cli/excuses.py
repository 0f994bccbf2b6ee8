"""`--waivers`, as certify and judge share it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wireproof.cli import Fail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wireproof.report import Report
    from wireproof.waivers import Waiver

waivers_option = click.option(
    "--waivers",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Known findings with reason, owner and end (YAML); expired and stale ones break the run.",
)


def read_excuses(path: Path | None) -> Sequence[Waiver]:
    """The waivers of the file, none without one. Raises Fail before anything is sent."""
    from wireproof.waivers import BadWaivers, read_waivers

    try:
        return read_waivers(path) if path else ()
    except BadWaivers as wrong:
        raise Fail(f"--waivers: {wrong}") from wrong


def after(waivers: Sequence[Waiver], path: Path | None, report: Report) -> Report:
    from wireproof.waivers import excused

    return excused(report, waivers, datetime.now(UTC).date(), path) if waivers and path else report
