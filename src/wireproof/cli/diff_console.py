"""What a person sees of a comparison: who was asked, what a clause decides, what nobody decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from wireproof.divergence import Comparison, Divergence

COLOURS = {"same": "green", "differ": "red", "incomplete": "yellow"}
SHORT = 26  # what fits beside its neighbours on a line


def tell(comparison: Comparison) -> None:
    """The whole comparison on stdout."""
    from wireproof.divergence import alone, by_clause, by_header, by_words, sentence

    for number, side in enumerate(comparison.sides, 1):
        click.echo(f"  {number}  {side.name}  {side.run.header['target'].get('model', '')}")
    if comparison.classified:
        click.echo("\na clause parts them:")
    for clause, held in by_clause(comparison.classified):
        click.echo(f"\n{click.style(clause.level, fg='red', bold=True)} {click.style(clause.id, bold=True)}")
        click.echo(f"  {clause.sentence}")
        for one in held:
            _place(one)
            _said(one.said, alone(comparison, one.odd))
    if comparison.unspecified:
        click.echo("\nno clause decides:")
    for said, divergences in by_words(comparison.unspecified):
        click.echo()
        _said(said, alone(comparison, divergences[0].odd))
        for one in divergences:
            _place(one)
    for said, names in by_header(comparison.unspecified):
        click.echo()
        _said(said, "")
        click.echo(f"  {len(names)} header{'' if len(names) == 1 else 's'}: {', '.join(names)}")
    click.echo(
        f"\n{click.style(comparison.outcome, fg=COLOURS[comparison.outcome], bold=True)}: {sentence(comparison)}"
    )


def _place(one: Divergence) -> None:
    from wireproof.divergence import witnesses

    click.echo(f"  {one.place}  {click.style(witnesses(one), dim=True)}")


def _said(said: Sequence[str], alone: str) -> None:
    """Beside each other when they are short, else below; `alone` says who stands so."""
    told = [f"{number} {word}" for number, word in enumerate(said, 1)]
    is_short = all(len(word) <= SHORT for word in said)
    for line in ["   ".join(told)] if is_short else told:
        click.echo(f"      {line}{f'   ({alone})' if alone and is_short else ''}")
    if alone and not is_short:
        click.echo(f"      ({alone})")
