"""The pytest face: `pytest --wireproof-base-url URL` runs every clause as a test item.

Recording happens once, before the first item, for the clauses that were selected (`-k`, `--wireproof-only`);
the journal is the same as certify's. Every pytest in the environment imports this module, so nothing of ours
is imported before the option is given.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from wireproof.clause import Clause
    from wireproof.judge import Verdict
    from wireproof.report import Report

FAILS = ("fail", "flaky")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("wireproof", "certify an OpenAI-compatible backend")
    group.addoption("--wireproof-base-url", metavar="URL", help="the backend; each clause becomes a test item")
    group.addoption("--wireproof-model", metavar="ID", help="the chat model; default: the only one listed")
    group.addoption("--wireproof-embedding-model", metavar="ID", help="the model for /embeddings")
    group.addoption("--wireproof-completion-model", metavar="ID", help="the model for /completions")
    group.addoption("--wireproof-model-for", metavar="KIND=ID", action="append", default=[], help="as --model-for")
    group.addoption("--wireproof-api-key-env", metavar="NAME", default="OPENAI_API_KEY", help="where the key is")
    group.addoption("--wireproof-only", metavar="GLOB", action="append", default=[], help="only these clauses")
    group.addoption("--wireproof-profile", metavar="NAME", action="append", default=[], help="as certify --profile")
    group.addoption("--wireproof-cases", metavar="N", type=int, default=0, help="property-based requests an operation")
    group.addoption(
        "--wireproof-out", metavar="DIR", default="wireproof-out", help="the folder for journal and reports"
    )


def pytest_configure(config: pytest.Config) -> None:
    if not config.getoption("--wireproof-base-url"):
        return
    if config.getoption("numprocesses", None) or os.environ.get("PYTEST_XDIST_WORKER"):
        raise pytest.UsageError("--wireproof-base-url: expected no -n; the recorder sends its own requests in parallel")
    from wireproof.content import shelf

    config.args.append(str(shelf("contracts")))
    config.pluginmanager.register(Certification(config, shelf("contracts")), "wireproof-certification")


class Certification:
    """What one pytest run remembers: the order, and after recording the verdicts."""

    def __init__(self, config: pytest.Config, folder: Path) -> None:
        self.config, self.folder = config, folder
        self.verdicts: dict[str, Verdict] = {}
        self.report: Report | None = None

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        if file_path.parent != self.folder or file_path.suffix != ".py":
            return None
        return Contract.from_parent(parent, path=file_path, nodeid=f"wireproof/{file_path.stem}", certification=self)

    def clauses_of(self, path: Path) -> list[Clause]:
        """The selected clauses of one contract file."""
        from wireproof.clause import contents
        from wireproof.content import load_file
        from wireproof.plan import select
        from wireproof.profiles import DEFAULT, EVERYTHING, in_profiles
        from wireproof.spec import load_spec

        clauses, _ = contents([load_file(path, "contracts")])
        only, profiles = self.config.getoption("--wireproof-only"), self.config.getoption("--wireproof-profile")
        chosen = profiles or ([EVERYTHING] if only else DEFAULT)
        try:
            return select(in_profiles(clauses, chosen, load_spec().catalogue("profiles")), only)
        except ValueError as unknown:
            raise pytest.UsageError(f"--wireproof-profile: {unknown}") from None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        chosen = [item.clause.id for item in session.items if isinstance(item, ClauseItem)]
        if chosen and not session.config.option.collectonly:
            self._record(chosen)

    def _record(self, chosen: list[str]) -> None:
        from wireproof.certification import load_contracts, prepare, report_of, run
        from wireproof.cli import Fail
        from wireproof.cli.orders import key_refused, remote
        from wireproof.fetch import KeyRefused, Unreachable
        from wireproof.order import Order
        from wireproof.profiles import EVERYTHING
        from wireproof.report import rendered

        option = self.config.getoption
        # pytest's rootdir need not be the user's folder; this is.
        out = Path(self.config.invocation_params.dir) / option("--wireproof-out")
        names = ("base_url", "model", "embedding_model", "completion_model", "api_key_env")
        try:
            named = {name: option(f"--wireproof-{name.replace('_', '-')}") for name in names}
            target, models = remote({**named, "models_for": tuple(option("--wireproof-model-for"))})
            order = Order(
                target,
                models,
                tuple(chosen),
                cases=option("--wireproof-cases"),
                profiles=(EVERYTHING,),
                key_variable=option("--wireproof-api-key-env"),
            )
            _, plan = prepare(order)
            recorded = run(order, plan, out)
        except* Fail as wrong:
            raise pytest.UsageError(str(wrong.exceptions[0])) from None
        except* Unreachable as nobody:
            raise pytest.UsageError(str(nobody.exceptions[0])) from None
        except* KeyRefused as refused:
            told = key_refused(target, option("--wireproof-api-key-env"), refused.exceptions[0])
            raise pytest.UsageError(str(told)) from None
        self.report = report_of(recorded, load_contracts()[0])
        self.verdicts = {verdict.clause.id: verdict for verdict in self.report.verdicts}
        for name, text in rendered(self.report).items():
            (out / name).write_text(text, encoding="utf-8")

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self.report:
            spend = self.report.spend
            terminalreporter.write_line(
                f"wireproof: {self.report.outcome}, {spend.calls} exchanges, {spend.tokens:,} tokens, "
                f"journal in {self.config.getoption('--wireproof-out')}"
            )


class Contract(pytest.File):
    """The node of one contract file."""

    def __init__(self, *, certification: Certification, **about: Any) -> None:
        super().__init__(**about)
        self.certification = certification

    def collect(self) -> list[pytest.Item]:
        clauses = self.certification.clauses_of(self.path)
        return [ClauseItem.from_parent(self, name=clause.id, clause=clause) for clause in clauses]


class Unkept(Exception):
    """A clause that is broken, or a MUST that could not be judged."""


class ClauseItem(pytest.Item):
    """One clause. Skipped with the reason when there was nothing to judge."""

    parent: Contract

    def __init__(self, *, clause: Clause, **about: Any) -> None:
        super().__init__(**about)
        self.clause = clause

    def runtest(self) -> None:
        verdict = self.parent.certification.verdicts[self.clause.id]
        if verdict.unscored and verdict.outcome != "pass":
            pytest.skip(f"{verdict.outcome}, but {verdict.unscored}")
        if verdict.outcome in FAILS:
            raise Unkept(verdict)
        if verdict.outcome == "inconclusive" and self.clause.level == "MUST":
            raise Unkept(verdict)
        if verdict.outcome != "pass":
            pytest.skip(f"{verdict.outcome}: {verdict.reason}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str:
        if not isinstance(excinfo.value, Unkept):
            return str(super().repr_failure(excinfo, style))
        return "\n".join(self._told(excinfo.value.args[0]))

    def _told(self, verdict: Verdict) -> Iterable[str]:
        yield f"{self.clause.level} {self.clause.sentence} ({self.clause.source})"
        if verdict.outcome == "inconclusive":
            yield f"could not be judged: {verdict.reason}"
        report = self.parent.certification.report
        for finding in verdict.findings:
            yield f"expected  {finding.expected}"
            yield f"got       {finding.got}"
            yield f"where     {finding.where}"
            yield f"again     {report.curl(finding.where.exchange) if report else ''}"

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, self.clause.id
