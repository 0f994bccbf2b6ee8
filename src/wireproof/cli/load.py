"""`wireproof load`: push a target by a profile, tell what came of it."""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from wireproof.cli import BROKEN, KEPT, UNKNOWN, UNREACHABLE, WRONG, Fail
from wireproof.cli.load_console import Progress, tell, tell_plan

CODES = {"kept": KEPT, "broken": BROKEN, "unclear": UNKNOWN}


def print_profiles(context: click.Context, _option: click.Parameter, asked: bool) -> None:
    if not asked or context.resilient_parsing:
        return
    for name, summary in _profiles():
        click.echo(f"{name:<8}  {summary}")
    context.exit()


class WithProfiles(click.Command):
    """Lists the profiles below the options."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Profiles"):
            formatter.write_dl(list(_profiles()))
        super().format_epilog(ctx, formatter)


@click.command(
    cls=WithProfiles,
    epilog="Example: wireproof load steady --base-url http://127.0.0.1:8000/v1 --model my-model --out report",
)
@click.argument("profile", required=False)
@click.option("--base-url", metavar="URL", help="The target up to its version prefix; without it, the stand-in.")
@click.option("--model", default="", metavar="ID", help="The model to ask for, where the profile names none.")
@click.option("--api-key-env", default="OPENAI_API_KEY", show_default=True, metavar="NAME", help="Holds the key.")
@click.option("--scale", default=1.0, show_default=True, help="Shrinks a tier's limits and the rates together.")
@click.option("--duration", type=click.FloatRange(min=0.5), metavar="S", help="Seconds of each judged stage.")
@click.option("--users", type=click.IntRange(1, 10_000), metavar="N", help="Requests in flight in closed stages.")
@click.option("--seed", default=0, show_default=True, help="Of arrivals, mix and prompts.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Locust processes.")
@click.option("--ui", "ui_port", type=click.IntRange(1, 65535), metavar="PORT", help="Locust's web UI while it runs.")
@click.option("--out", default="wireproof-load", show_default=True, metavar="DIR", help="Where the artifacts go.")
@click.option(
    "--from", "source", metavar="DIR", help="Report again on a run whose artifacts are in DIR; sends nothing."
)
@click.option("--json", "as_json", is_flag=True, help="Print summary.json instead of text.")
@click.option(
    "--list", is_flag=True, expose_value=False, is_eager=True, callback=print_profiles, help="Print the profiles."
)
def command(profile: str | None, source: str | None, as_json: bool, **options: Any) -> int:
    """Push a target by a load PROFILE and judge latency, goodput and rate limits.

    PROFILE is one of those listed below, or the path of a YAML file of your own. Exit codes: 0 thresholds
    kept, 1 broken, 2 wrong command, 3 could not tell, 4 target unreachable.
    """
    from wireproof.traffic.child import ChildFailed
    from wireproof.traffic.settings import BadProfile, BadSettings

    if (profile is None) == (source is None):
        raise Fail("expected a profile (wireproof load --list prints them), or --from DIR")
    try:
        out = Path(source) if source else _run(profile or "", as_json, options)
        return _conclude(out, as_json)
    except (BadProfile, BadSettings) as wrong:
        raise Fail(str(wrong), WRONG) from wrong
    except ChildFailed as failed:
        raise Fail(str(failed), UNKNOWN) from failed
    except OSError as refused:
        raise Fail(f"{refused.filename or options['out']}: {refused.strerror}", WRONG) from refused


def _run(profile: str, quiet: bool, options: dict[str, Any]) -> Path:
    """Sends the load; returns the folder with what was seen."""
    from wireproof.traffic.child import LoadRun, truth
    from wireproof.traffic.conclude import TRUTH
    from wireproof.traffic.run import cleared

    settings = _settings(profile, options)
    plan = settings.plan()  # whatever is wrong with it is said before anything starts
    out = Path(settings.out)
    folder = cleared(out)
    with _target(settings, plan, options) as (settings, key):
        if not quiet:
            tell_plan(plan, settings)
        settings.write(out)
        run = LoadRun(settings, ui_port=options["ui_port"], key=key)
        try:
            _watch(run, plan, quiet, options["ui_port"])
        finally:
            run.end()
        if settings.stand_in and (told := truth(settings.base_url, key or "")):
            (folder / TRUTH).write_text(json.dumps(told), encoding="utf-8")
    return out


def _conclude(out: Path, as_json: bool) -> int:
    from wireproof.traffic.conclude import conclude

    summary = conclude(out)
    if as_json:
        click.echo((out / "summary.json").read_text(encoding="utf-8"), nl=False)
    else:
        tell(summary, out)
    if summary["requests"] and summary["outcomes"].get("connect", 0) == summary["requests"]:
        raise Fail(f"{summary['target']['base_url']} took no connection during the run", UNREACHABLE)
    return CODES[summary["outcome"]]


def _settings(profile: str, options: dict[str, Any]) -> Any:
    from wireproof.cli.orders import checked_url
    from wireproof.traffic.settings import Settings

    settings = Settings(
        profile=profile,
        base_url=checked_url(options["base_url"]) if options["base_url"] else "",
        model=options["model"],
        key_variable=options["api_key_env"],
        scale=options["scale"],
        duration_s=options["duration"],
        users=options["users"],
        seed=options["seed"],
        out=options["out"],
        workers=options["workers"],
        stand_in=not options["base_url"],
    )
    if settings.stand_in and not settings.model and not settings.read().model:
        from wireproof.standin.catalogue import DEFAULT_MODEL

        return replace(settings, model=DEFAULT_MODEL)
    return settings


@contextmanager
def _target(settings: Any, plan: Any, options: dict[str, Any]) -> Iterator[tuple[Any, str | None]]:
    """The settings with a target that answers, and its key if it is not the user's own."""
    from wireproof.traffic.child import stand_in

    if not settings.stand_in:
        _knock(settings.base_url, os.environ.get(settings.key_variable, "").strip(), settings.key_variable)
        yield settings, None
        return
    with stand_in(plan.profile.tier, settings.scale, plan.profile.stand_in, plan.model) as (base_url, key):
        yield replace(settings, base_url=base_url), key


def _knock(base_url: str, key: str, variable: str) -> None:
    """One GET before the load: is somebody there, and is the key taken?"""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    request = urllib.request.Request(f"{base_url}/models", headers=headers)
    try:
        urllib.request.urlopen(request, timeout=10).close()
    except urllib.error.HTTPError as answer:
        answer.close()
        if answer.code == 401:
            raise Fail(f"{base_url} refuses the key in {variable} (401)") from answer
    except OSError as nobody:
        reason = getattr(nobody, "reason", nobody)
        raise Fail(
            f"{base_url} is not reachable: {reason}; is the server up, is the port right?", UNREACHABLE
        ) from None


def _watch(run: Any, plan: Any, quiet: bool, ui_port: int | None) -> None:
    """Shows progress until Locust has ended. Ctrl-C lets the run drain, and again cuts it."""
    if ui_port:
        click.echo(f"Locust's web UI: http://127.0.0.1:{ui_port}", err=True)
    with Progress(plan, quiet, started=time.monotonic()) as progress:
        news = iter(run)
        while True:
            try:
                for row in news:
                    progress.show(row)
                run.finish()
                return
            except KeyboardInterrupt:
                run.stop()
                click.echo("stopping: requests in flight may finish; Ctrl-C again cuts them", err=True)
                news = iter(run)


def _profiles() -> Iterator[tuple[str, str]]:
    from wireproof.traffic.profile import BadProfile, profiles, read_profile

    for name, path in profiles().items():
        try:
            yield name, read_profile(path).summary
        except BadProfile as bad:
            print(bad, file=sys.stderr)
