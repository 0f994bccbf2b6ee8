"""The command line: one file a command, imported when it is called. The only package that prints or exits.

Exit codes, everywhere: 0 kept · 1 broken · 2 the command was wrong · 3 could not tell · 4 target unreachable.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import sys
import traceback
from typing import Any

import click

from wireproof import __version__

KEPT, BROKEN, WRONG, UNKNOWN, UNREACHABLE = range(5)

# Name -> what `wireproof --help` says of it. The module `wireproof.cli.<name>` holds `command`.
COMMANDS = {
    "certify": "Check a backend against the contract (the built-in stand-in, when no URL is given).",
    "plan": "Print what certify would send, and what it would cost, without sending it.",
    "judge": "Judge a journal again, offline.",
    "diff": "Show where the answers of several backends part, or those of yesterday and today (drift).",
    "shrink": "Make a finding small: fewer fields, fewer events, and files that show it again.",
    "explain": "Say what a clause demands, why, and which fault breaks it.",
    "load": "Push a backend by a load profile and measure latency, goodput and rate limits.",
    "spec": "Look at the description itself: what it covers, where it differs from another.",
    "serve": "Run the stand-in: a reference backend with tiers, latencies and named faults.",
}


class Fail(Exception):
    """Ends a command with one line on stderr and an exit code."""

    def __init__(self, line: str, code: int = WRONG) -> None:
        super().__init__(line)
        self.code = code


class Commands(click.Group):
    """Imports a command when it is called: `--help` pays for none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"wireproof.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: wireproof certify --base-url http://127.0.0.1:8000/v1 --model my-model --out report",
)
@click.version_option(__version__, prog_name="wireproof")
def group() -> None:
    """Certify and load-test any OpenAI-compatible backend."""


def main(arguments: list[str] | None = None) -> None:
    """Runs a command and exits with its code; whatever the user or the target does wrong is one line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a Windows code page has no ✓
    try:
        code = run(arguments)
    except Exception:  # our own fault: Python's exit 1 would read as a verdict
        traceback.print_exc()
        code = _fail("this is a fault of wireproof, not of the target; please report it with the lines above", UNKNOWN)
    sys.exit(code)


def run(arguments: list[str] | None = None) -> int:
    """The exit code of a command line, without leaving the process."""
    try:
        result: Any = group.main(args=arguments, prog_name="wireproof", standalone_mode=False)
    except click.exceptions.Exit as asked:
        return asked.exit_code
    except click.exceptions.NoArgsIsHelpError as bare:
        click.echo(bare.format_message(), err=True)
        return WRONG
    except click.ClickException as wrong:
        context = getattr(wrong, "ctx", None)
        where = f" (see {context.command_path} --help)" if context else ""
        return _fail(f"{wrong.format_message()}{where}", WRONG)
    except Fail as failed:
        return _fail(str(failed), failed.code)
    except (click.Abort, KeyboardInterrupt):
        return _fail("interrupted", UNKNOWN)
    except BrokenPipeError:  # `wireproof explain | head`
        stop_telling()
        return KEPT
    return result if isinstance(result, int) else KEPT


def stop_telling() -> None:
    """Nobody is left to read stdout: what is still to be flushed at the exit goes nowhere."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(line: str, code: int) -> int:
    click.echo(f"wireproof: {' '.join(line.split())}", err=True)
    return code


if __name__ == "__main__":
    main()
