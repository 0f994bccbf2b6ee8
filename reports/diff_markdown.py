"""diff.md: where the answers of several targets part, as a page for a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from wireproof.divergence import Comparison, Divergence, alone, by_clause, by_header, by_words, sentence, witnesses

FILE = "diff.md"


def render(comparison: Comparison) -> str:
    lines = [f"# {comparison.outcome}: {len(comparison.sides)} targets", "", f"{sentence(comparison)}.", ""]
    for number, side in enumerate(comparison.sides, 1):
        model = side.run.header["target"].get("model", "")
        lines.append(f"{number}. {_cell(side.name)} {_cell(model)} ({side.run.header['started']})")
    lines += ["", "## A clause parts them", ""] if comparison.classified else [""]
    for clause, held in by_clause(comparison.classified):
        lines += [f"### {clause.level} `{clause.id}`", "", clause.sentence, "", *_table(comparison, held)]
    if comparison.unspecified:
        lines += ["## No clause decides", ""]
    if others := [one for _, held in by_words(comparison.unspecified) for one in held]:
        lines += _table(comparison, others)
    for said, names in by_header(comparison.unspecified):
        shown = ", ".join(f"{number} {word}" for number, word in enumerate(said, 1))
        lines += [f"Headers ({shown}): {', '.join(f'`{name}`' for name in names)}", ""]
    if comparison.missing:
        lines += [f"Not on every side: {', '.join(f'`{one}`' for one in comparison.missing)}", ""]
    return "\n".join(lines)


def _table(comparison: Comparison, divergences: Sequence[Divergence]) -> list[str]:
    numbers = [str(number) for number in range(1, len(comparison.sides) + 1)]
    is_any_odd = any(one.odd for one in divergences)
    columns = ["where", *numbers, *(["alone"] if is_any_odd else []), "exchanges"]
    rows = [
        [
            f"`{_cell(one.place)}`",
            *map(_cell, one.said),
            *([_cell(alone(comparison, one.odd).partition(" ")[0])] if is_any_odd else []),
            witnesses(one),
        ]
        for one in divergences
    ]
    return [f"| {' | '.join(row)} |" for row in [columns, ["---"] * len(columns), *rows]] + [""]


def _cell(text: str) -> str:
    """As plain text in a table: neither cells nor tags of its own."""
    return " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")
