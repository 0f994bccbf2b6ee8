"""`wireproof spec`: looks at the description itself."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wireproof.cli import BROKEN, KEPT, Fail

if TYPE_CHECKING:
    from wireproof.spec_diff import Comparison


@click.group("spec", epilog="Example: wireproof spec diff openapi.json --only '/files*'")
def command() -> None:
    """Look at the description itself: what it covers, where it differs from another."""


@command.command("diff", epilog="Example: wireproof spec diff openapi.json --only '/chat/*'")
@click.argument("document", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--only", default="*", metavar="GLOB", help="Operations by path below /v1, or by id; all by default.")
@click.option("--all", "show_all", is_flag=True, help="Print the explained differences too, with their reasons.")
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
def diff(document: Path, only: str, show_all: bool, as_json: bool) -> int:
    """Compare our description with the OpenAPI file DOCUMENT (JSON or YAML), operation by operation.

    Parameters, media types, property names, types, required keys and closed sets of values. Exit 1 when a
    difference is left that spec/departures.yaml does not explain, or explains in vain.
    """
    from wireproof.spec import load_spec
    from wireproof.spec_diff import compare, departures_of

    spec = load_spec()
    found = compare(spec.document, _read(document), departures_of(spec.catalogue("departures")), only)
    if not found.compared:
        raise Fail(f"no operation of ours matches {only!r}; a path below /v1 as '/files*', or an id, was expected")
    click.echo(json.dumps(asdict(found), indent=2) if as_json else _told(found, show_all))
    return BROKEN if found.unexplained or found.stale else KEPT


def _read(path: Path) -> dict[str, Any]:
    import yaml

    try:
        content = json.loads(path.read_text()) if path.suffix == ".json" else yaml.safe_load(path.read_text())
    except (ValueError, yaml.YAMLError) as wrong:
        raise Fail(f"{path} is neither JSON nor YAML: {wrong}") from None
    if not isinstance(content, dict) or not isinstance(content.get("paths"), dict):
        raise Fail(f"{path} is no OpenAPI document: expected an object with `paths`")
    return content


def _told(found: Comparison, show_all: bool) -> str:
    lines = [f"{one.at}  {one.kind}: ours {one.ours}, theirs {one.theirs}" for one in found.unexplained]
    if show_all:
        lines += [
            f"{one.at}  {one.kind}: ours {one.ours}, theirs {one.theirs}\n    because: {why}"
            for one, why in found.explained
        ]
    lines += [f"departures.yaml explains nothing any more: {one.at} ({one.why})" for one in found.stale]
    counts = f"{len(found.unexplained)} unexplained and {len(found.explained)} explained differences"
    return "\n".join([*lines, f"{found.compared} operations compared: {counts}"])
