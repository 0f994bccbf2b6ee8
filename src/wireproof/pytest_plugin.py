"""The pytest face: `pytest --wireproof-base-url URL` runs every clause as a test item.

Recording happens once, before the first item, for the clauses that were selected (`-k`, `--wireproof-only`). The
options are certify's, each with `--wireproof-` before its name, and so are journal, reports and what counts as broken.
Every pytest in the environment imports this module, so nothing of ours is imported before the option is given.
"""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from wireproof.clause import Clause
    from wireproof.judge import Verdict
    from wireproof.report import Report


def _number(low: float, high: float, kind: Callable[[str], float] = int) -> Callable[[str], float]:
    """The reader of an option that is a number from `low` to `high`."""

    def read(text: str) -> float:
        try:
            number = kind(text)
        except ValueError:
            number = low - 1
        if not low <= number <= high:
            raise argparse.ArgumentTypeError(f"expected a number from {low} to {high}, got {text!r}")
        return number

    return read


# Option of certify -> how pytest takes it. Not here: `--fault`, for there is no stand-in, and `--json`.
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "base-url": {"metavar": "URL", "help": "the backend; each clause becomes a test item"},
    "model": {"metavar": "ID", "help": "the chat model; default: the only one listed"},
    "embedding-model": {"metavar": "ID", "help": "the model for /embeddings"},
    "completion-model": {"metavar": "ID", "help": "the model for /completions"},
    "model-for": {"metavar": "KIND=ID", "action": "append", "help": "the model for image, speech, ...; repeatable"},
    "api-key-env": {"metavar": "NAME", "default": "OPENAI_API_KEY", "help": "where the key is"},
    "only": {"metavar": "GLOB", "action": "append", "help": "only these clauses; repeatable"},
    "profile": {"metavar": "NAME", "action": "append", "help": "what to ask for: core, stateful, ..., all; repeatable"},
    "level": {"metavar": "Ln", "help": "only the clauses up to this rung: L0 to L5"},
    "cases": {"metavar": "N", "type": _number(0, 500), "help": "property-based requests an operation"},
    "seed": {"metavar": "N", "type": int, "default": 1, "help": "seed of the drawn requests"},
    "contracts": {"metavar": "DIR", "action": "append", "type": Path, "help": "contracts of your own; repeatable"},
    "budget": {"metavar": "calls=N,tokens=N,usd=X", "help": "send what covers the most severe clauses for it"},
    "out": {"metavar": "DIR", "default": "wireproof-out", "help": "the folder for journal and reports"},
    "resume": {"action": "store_true", "help": "go on with the journal in the folder"},
    "fail-on": {"choices": ("must", "should", "may"), "default": "should", "help": "the lowest level that fails"},
    "requirements": {"metavar": "DATE", "help": "count only the clauses of this dated set"},
    "dialect": {"metavar": "NAME", "help": "relax what this backend does otherwise on purpose"},
    "claims": {"metavar": "FILE", "type": Path, "help": "the features it claims to serve"},
    "waivers": {"metavar": "FILE", "type": Path, "help": "known findings with reason, owner and end"},
    "sdk": {"action": "store_true", "help": "let the official SDK read the answers too"},
    "samples": {
        "metavar": "N",
        "type": _number(1, 100),
        "default": 1,
        "help": "tries of a clause that needs obedience",
    },
    "concurrency": {"metavar": "N", "type": _number(1, 64), "default": 8, "help": "requests in flight"},
    "timeout": {"metavar": "S", "type": _number(1, 3600, float), "default": 180.0, "help": "seconds an answer"},
}
# What certify calls them inside, where that is another name.
DESTINATIONS = {"model-for": "models_for", "profile": "profiles", "sdk": "by_sdk"}
REPEATABLE = [name for name, about in OPTIONS.items() if about.get("action") == "append"]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("wireproof", "certify an OpenAI-compatible backend; as of `wireproof certify`")
    for name, about in OPTIONS.items():
        default: dict[str, Any] = {"default": []} if name in REPEATABLE else {}
        group.addoption(f"--wireproof-{name}", **default, **about)


def pytest_configure(config: pytest.Config) -> None:
    if not config.getoption("--wireproof-base-url"):
        return
    if config.getoption("numprocesses", None) or os.environ.get("PYTEST_XDIST_WORKER"):
        raise pytest.UsageError("--wireproof-base-url: expected no -n; the recorder sends its own requests in parallel")
    from wireproof.content import shelf

    folder = Path(config.invocation_params.dir)  # pytest's rootdir need not be the user's folder; this is
    options = _options(config, folder)
    for folder in options["contracts"]:
        if not folder.is_dir():
            raise pytest.UsageError(f"--wireproof-contracts: expected a folder, got {folder}")
    for name in ("claims", "waivers"):
        if options[name] and not options[name].is_file():
            raise pytest.UsageError(f"--wireproof-{name}: expected a file, got {options[name]}")
    folders = [shelf("contracts"), *options["contracts"]]
    config.args += [str(one) for one in folders]
    config.pluginmanager.register(Certification(options, folders), "wireproof-certification")


def _options(config: pytest.Config, folder: Path) -> dict[str, Any]:
    """The options as certify has them: tuples, and paths from the folder that pytest was called in."""
    options = {
        DESTINATIONS.get(name, name.replace("-", "_")): config.getoption(f"--wireproof-{name}") for name in OPTIONS
    }
    for name in REPEATABLE:
        name = DESTINATIONS.get(name, name)
        options[name] = tuple(options[name])
    options["contracts"] = tuple((folder / one).resolve() for one in options["contracts"])
    for name in ("out", "claims", "waivers"):
        options[name] = options[name] and folder / options[name]
    return options


@contextlib.contextmanager
def _told_as_usage() -> Iterator[None]:
    """What certify says in one line, pytest says as an error of usage."""
    from wireproof.cli import Fail
    from wireproof.journal import BadJournal
    from wireproof.order import WrongOrder

    try:
        yield
    except* (Fail, WrongOrder, BadJournal) as wrong:
        raise pytest.UsageError(str(wrong.exceptions[0])) from None


class Certification:
    """What one pytest run remembers: the order, and after recording the verdicts."""

    def __init__(self, options: dict[str, Any], folders: Sequence[Path]) -> None:
        from wireproof.certification import clauses_for
        from wireproof.profiles import DEFAULT, EVERYTHING

        self.folders = folders
        self.options = {**options, "profiles": options["profiles"] or ((EVERYTHING,) if options["only"] else DEFAULT)}
        with _told_as_usage():
            clauses_for([], self.options["profiles"], self.options["level"], ())
        self.verdicts: dict[str, Verdict] = {}
        self.report: Report | None = None

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        if file_path.parent not in self.folders or file_path.suffix != ".py" or file_path.name[0] == "_":
            return None
        return Contract.from_parent(parent, path=file_path, nodeid=f"wireproof/{file_path.stem}", certification=self)

    def clauses_of(self, path: Path) -> list[Clause]:
        """The selected clauses of one contract file."""
        from wireproof.certification import clauses_for
        from wireproof.clause import contents
        from wireproof.content import load_file

        clauses, _ = contents([load_file(path, "contracts")])
        return clauses_for(clauses, self.options["profiles"], self.options["level"], self.options["only"])

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """What no single clause says comes last, whatever was selected: the claims as a whole, and the waivers."""
        if not any(isinstance(item, ClauseItem) for item in items):
            return
        if self.options["claims"]:
            from wireproof.claims import REFUSED

            items.append(ClauseItem.from_parent(session, name=REFUSED.id, clause=REFUSED, certification=self))
        if self.options["waivers"]:
            items.append(WaiversItem.from_parent(session, name="waivers", certification=self))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        selected = [item.clause.id for item in session.items if isinstance(item, ClauseItem)]
        if selected and not session.config.option.collectonly:
            with _told_as_usage():
                self._record(selected, session.config.get_terminal_writer())

    def _record(self, selected: Sequence[str], terminal: Any) -> None:
        from wireproof.certification import prepare
        from wireproof.cli.certify import announced, certified, write
        from wireproof.cli.excuses import after, read_excuses
        from wireproof.cli.orders import order_from, remote, terms
        from wireproof.cli.second import need_sdk

        options = {**self.options, "only": tuple(selected)}
        need_sdk(options["by_sdk"])
        excuses = read_excuses(options["waivers"])
        target, models = remote(options)
        order = order_from(options, target, models, standin=False, **terms(options))
        clauses, plan = prepare(order)
        terminal.line(announced(order, len(clauses), plan))
        self.report = after(excuses, options["waivers"], certified(order, plan, options))
        self.verdicts = {verdict.clause.id: verdict for verdict in self.report.verdicts}
        write(self.report, options["out"])

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self.report:
            spend = self.report.spend
            for note in self.report.notes:
                terminalreporter.write_line(note)
            terminalreporter.write_line(
                f"wireproof: {self.report.outcome}, {spend.calls} exchanges, {spend.tokens:,} tokens, "
                f"journal in {self.options['out']}"
            )


class Contract(pytest.File):
    """The node of one contract file."""

    def __init__(self, *, certification: Certification, **about: Any) -> None:
        super().__init__(**about)
        self.certification = certification

    def collect(self) -> list[pytest.Item]:
        clauses = self.certification.clauses_of(self.path)
        made = {"certification": self.certification}
        return [ClauseItem.from_parent(self, name=clause.id, clause=clause, **made) for clause in clauses]


class Unkept(Exception):
    """A clause that is broken, or a MUST that could not be judged; waivers to be mended."""


class ClauseItem(pytest.Item):
    """One clause. Skipped with the reason when there was nothing to judge, or when its breach does not count."""

    def __init__(self, *, clause: Clause, certification: Certification, **about: Any) -> None:
        super().__init__(**about)
        self.clause, self.certification = clause, certification

    def runtest(self) -> None:
        from wireproof.judge import run_outcome

        verdict = self.certification.verdicts[self.clause.id]
        if verdict.outcome == "pass":
            return
        if verdict.unscored:
            pytest.skip(f"{verdict.outcome}, but {verdict.unscored}")
        report = self.certification.report
        if report and run_outcome([verdict], report.fail_on) != "conformant":
            raise Unkept(verdict)
        told = verdict.reason or f"a {self.clause.level} does not count with --wireproof-fail-on {self._fail_on}"
        pytest.skip(f"{verdict.outcome}: {told}")

    @property
    def _fail_on(self) -> str:
        return str(self.certification.options["fail_on"])

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str:
        if not isinstance(excinfo.value, Unkept):
            return str(super().repr_failure(excinfo, style))
        return "\n".join(self._told(excinfo.value.args[0]))

    def _told(self, verdict: Verdict) -> Iterable[str]:
        yield f"{self.clause.level} {self.clause.sentence} ({self.clause.source})"
        if verdict.outcome in ("inconclusive", "flaky"):
            yield f"could not be judged: {verdict.reason}"
        report = self.certification.report
        for finding in verdict.findings:
            yield f"expected  {finding.expected}"
            yield f"got       {finding.got}"
            yield f"where     {finding.where}"
            yield f"again     {report.curl(finding.where.exchange) if report else ''}"

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, self.clause.id


class WaiversItem(pytest.Item):
    """The file of waivers: none has expired, none excuses nothing any more."""

    def __init__(self, *, certification: Certification, **about: Any) -> None:
        super().__init__(**about)
        self.certification = certification

    def runtest(self) -> None:
        report = self.certification.report
        if report and report.complaints:
            raise Unkept("\n".join([*report.complaints, report.waivers_patch]).rstrip())

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str:
        if not isinstance(excinfo.value, Unkept):
            return str(super().repr_failure(excinfo, style))
        return str(excinfo.value)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.certification.options["waivers"], None, "waivers"
