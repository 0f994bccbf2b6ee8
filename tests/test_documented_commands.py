"""The commands that README, docs/ and --help show: each has options, clauses and faults that there are."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import click
import pytest
from certified import contents_of_contracts

from wireproof.cli import group
from wireproof.standin.faults import all_faults

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
# Made from the contracts themselves, a line a clause.
MADE = ("clauses.md", "detection.md")
OF_A_LINE = re.compile(r"(?:^|`|- run: )(?:\$ )?((?:[A-Z_]+=(?:\.\.\.|<[^>]+>|\S+) )?wireproof [^`\n]+)", re.MULTILINE)


def shown() -> Iterator[tuple[str, str]]:
    """(where, command) of every command users are shown."""
    for page in PAGES:
        if page.name not in MADE:
            text = re.sub(r"\\\n\s*", "", page.read_text(encoding="utf-8"))
            for found in OF_A_LINE.finditer(text):
                yield page.name, found[1]
    for name, command in commands(group):
        if command.epilog:
            for example in re.sub(r"^Examples?: ", "", command.epilog).split("; "):
                yield f"{name} --help", example


def commands(command: click.Command, name: str = "wireproof") -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for one in command.list_commands(context):
            below = command.get_command(context, one)
            assert below is not None
            yield from commands(below, f"{name} {one}")


SHOWN = sorted(set(shown()))


def words(command: str) -> list[str]:
    """What the shell would give to wireproof: without its variables, its comment and where the output goes."""
    found = shlex.split(command, comments=True)
    found = found[found.index("wireproof") + 1 :]
    return found[: found.index(">")] if ">" in found else found


def is_command(args: list[str]) -> bool:
    """Not a sentence that begins with our name: its second word is a command of ours."""
    return bool(args) and args[0] in group.list_commands(click.Context(group))


COMMANDS = [(where, command) for where, command in SHOWN if is_command(words(command))]


def test_there_are_commands_to_look_at() -> None:
    assert len(COMMANDS) > 40
    assert {words(command)[0] for _, command in COMMANDS} >= {
        "certify",
        "plan",
        "judge",
        "diff",
        "shrink",
        "explain",
        "load",
        "serve",
    }


@pytest.mark.parametrize(("where", "command"), COMMANDS, ids=lambda text: text[:60])
def test_a_documented_command_has_the_options_that_there_are(where: str, command: str) -> None:
    meant: click.Command = group
    args = words(command)
    while isinstance(meant, click.Group):
        below = meant.get_command(click.Context(meant), args[0])
        assert below is not None, f"{where}: {command}: there is no command {args[0]}"
        meant, args = below, args[1:]
    options = {name for option in meant.params for name in (*option.opts, *option.secondary_opts)}
    unknown = [word for word in args if re.match(r"--?[a-z]", word) and word.partition("=")[0] not in options]
    assert not unknown, f"{where}: {command}: no such option: {', '.join(unknown)}"


def test_a_documented_command_names_clauses_and_faults_that_there_are() -> None:
    clauses = {clause.id for clause in contents_of_contracts()[0]}
    strangers = []
    for where, command in COMMANDS:
        args = words(command)
        if args[0] == "explain" and args[1:] and re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", args[1]):
            strangers += [(where, args[1])] * (args[1] not in clauses)
        if args[0] == "shrink" and len(args) > 2:
            strangers += [(where, args[2])] * (args[2] not in clauses)
        for option, value in pairwise(args):
            if option == "--fault" and value not in all_faults():
                strangers.append((where, value))
    assert not strangers
