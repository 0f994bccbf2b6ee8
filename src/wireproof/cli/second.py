"""`--sdk`, as certify and judge share it: a second reading by the official SDK."""

from __future__ import annotations

from dataclasses import replace
from subprocess import SubprocessError
from typing import TYPE_CHECKING

import click

from wireproof.cli import Fail

if TYPE_CHECKING:
    from wireproof.report import Report

sdk_option = click.option(
    "--sdk",
    "by_sdk",
    is_flag=True,
    help="Let the official SDK read the answers too, and compare: Python, and Node where it is.",
)


def need_sdk(wanted: bool) -> None:
    """Raises Fail before anything is sent when the SDK is asked for and not there."""
    from wireproof.oracle import WANTING
    from wireproof.spec_coverage import installed_sdk

    if wanted and installed_sdk() is None:
        raise Fail(f"--sdk: {WANTING}")


def with_second_opinion(report: Report, wanted: bool) -> Report:
    """The report with what the SDK makes of those exchanges in which no clause found a fault."""
    if not wanted:
        return report
    from wireproof.oracle import faults_in, node_opinion, second_opinion
    from wireproof.oracle.node import has_node

    exchanges, faults = list(report.exchanges.values()), faults_in(report.verdicts)
    opinions = [second_opinion(exchanges, faults)]
    if has_node():
        try:
            opinions.append(node_opinion(exchanges, faults))
        except (OSError, ValueError, SubprocessError) as trouble:
            click.echo(f"the Node SDK was not asked: {type(trouble).__name__}", err=True)
    return replace(report, opinions=opinions)
