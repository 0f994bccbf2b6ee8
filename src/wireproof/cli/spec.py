"""`wireproof spec`: looks at the description itself."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wireproof.cli import BROKEN, KEPT, Fail

if TYPE_CHECKING:
    from wireproof.spec_coverage import Coverage, Exposed
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


@command.command("coverage", epilog="Example: wireproof spec coverage --json")
@click.option(
    "--sdk",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder of the package `openai` to read; the installed one by default.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def cover(sdk: Path | None, as_json: bool) -> int:
    """Count the operations described, of those that the official Python SDK exposes, and name the others.

    A report, not a judgement: the exit code is 0 whatever is missing. What is left out on purpose stands in
    spec/coverage.yaml.
    """
    from wireproof.spec import load_spec
    from wireproof.spec_coverage import coverage, exposed, installed_sdk, surfaces_of, version_of

    package = sdk or installed_sdk()
    if package is None:
        raise Fail("the package openai is not installed; `pip install openai`, or name its folder with --sdk")
    found = exposed(package)
    if not found:
        raise Fail(f"{package} exposes no operation; the folder of the package openai was expected")
    spec = load_spec()
    # A socket is described as the GET that opens it, which no client sends as a request of its own.
    ours = [(one.method, one.path) for one in spec.operations.values() if "101" not in one.node["responses"]]
    report = coverage(ours, found, surfaces_of(spec.catalogue("coverage")))
    version = version_of(package)
    if as_json:
        click.echo(
            json.dumps({"sdk": version, "described": len(ours), "exposed": len(found)} | asdict(report), indent=2)
        )
    else:
        click.echo(_counted(report, f"openai {version} exposes {len(found)} operations; {len(ours)} are described"))
    return KEPT


def _counted(report: Coverage, headline: str) -> str:
    width = max(len(one.name) for one in report.resources) if report.resources else 0
    lines = [headline, "", f"{'resource':{width}}  described / exposed"]
    lines += [
        f"{one.name:{width}}  {one.described:9} / {one.exposed}{'' if one.described == one.exposed else '  <-'}"
        for one in report.resources
    ]
    for name, ones in report.later.items():
        lines += ["", f"not covered yet: {name} ({len(ones)})", *_by_resource(ones)]
    lines += ["", f"exposed, not described, without a reason: {len(report.missing) or 'none'}"]
    lines += [f"  {one.method} {one.path}  client.{one.resource}.{one.call}" for one in report.missing]
    lines += ["", f"described, not exposed: {len(report.beyond) or 'none'}", *(f"  {one}" for one in report.beyond)]
    if report.unread:
        lines += ["", f"could not be read in the SDK: {len(report.unread)}"]
        lines += [f"  {one.at}  client.{one.call}" for one in report.unread]
    return "\n".join(lines)


def _by_resource(ones: Iterable[Exposed]) -> list[str]:
    calls: dict[str, list[str]] = {}
    for one in ones:
        calls.setdefault(one.resource, []).append(one.call)
    return [f"  {resource}: {', '.join(named)}" for resource, named in calls.items()]


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
