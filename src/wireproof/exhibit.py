"""A finding as files that show it by themselves: a curl line, a test, a few lines of the official SDK.

A file in `reports/` that is named `finding_*.py` has `FILE` and `render(exhibit: Exhibit) -> str`, "" where it has no
way to show this one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from wireproof.again import call_of
from wireproof.clause import Call, Clause, Exchange
from wireproof.judge import Finding
from wireproof.report import Report, rendered

STEM = "finding"  # what FILE has in place of the clause's name


@dataclass(frozen=True)
class Exhibit:
    """One finding with the exchange that shows it.

    `target` names the models that were asked, `contracts` the user's folders, if the clause is theirs.
    """

    clause: Clause
    finding: Finding
    exchange: Exchange
    base_url: str
    target: Mapping[str, str] = field(default_factory=dict)
    key_variable: str = "OPENAI_API_KEY"
    seen: str = ""
    version: str = ""
    contracts: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not self.key_variable.isidentifier():
            raise ValueError(f"expected the name of an environment variable, got {self.key_variable!r}")

    @property
    def call(self) -> Call:
        return call_of(self.exchange)

    @property
    def stands_alone(self) -> bool:
        """Whether this one request is enough: no flow led up to it, and the clause judges one exchange at a time."""
        is_plain = self.exchange.step == 0 and not self.exchange.request.is_handshake
        return is_plain and self.clause.evidence.shape == "each"

    @property
    def name(self) -> str:
        """The id of the clause as a Python name."""
        return re.sub(r"\W", "_", self.clause.id)

    @property
    def models(self) -> list[str]:
        """The options that name the same models again."""
        words: list[str] = []
        for name, id in self.target.items():
            kind = name.removesuffix("_model")
            if name in ("model", "embedding_model", "completion_model"):
                words += [f"--{name.replace('_', '-')}", id]
            elif kind != name:
                words += ["--model-for", f"{kind}={id}"]
        return words

    @property
    def told(self) -> str:
        """What is wrong, in one sentence."""
        return " ".join(f"Expected {self.finding.expected}, got {self.finding.got}, at {self.finding.where}.".split())


def exhibits(report: Report, contracts: Sequence[Path] = ()) -> Iterator[Exhibit]:
    """One a broken clause: its first finding whose exchange is at hand."""
    for verdict in report.failing:
        finding = next((one for one in verdict.findings if one.where.exchange in report.exchanges), None)
        if finding is not None:
            yield Exhibit(
                verdict.clause,
                finding,
                report.exchanges[finding.where.exchange],
                report.target["base_url"],
                report.target,
                report.key_variable,
                report.started,
                report.version,
                [str(folder.resolve()) for folder in contracts],
            )


def leave(exhibit: Exhibit, folder: Path) -> list[Path]:
    """Writes its files into the folder, and says which."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in rendered(exhibit, "finding_").items():
        if not text:
            continue
        path = folder / name.replace(STEM, exhibit.name)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written
