"""One certification from order to journal: contracts, plan, recorder and journal brought together.

The command line and the pytest face both call this; neither knows how it works inside.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence, Sized
from functools import cache
from pathlib import Path
from typing import Any

from wireproof import __version__
from wireproof.bisection import Bisector, blames, first_asked, is_search
from wireproof.claims import after_claims, features
from wireproof.clause import Clause, Probe, contents
from wireproof.content import load_folder, shelf
from wireproof.cover import not_covered, severest, within
from wireproof.dialects import Dialect, dialect, dialects, relaxed, suggestion
from wireproof.fields import fields_asked
from wireproof.journal import Journal, Run, read_journal
from wireproof.judge import FailOn, Planned, Verdict, judge, unsent_reason
from wireproof.ledger import Requirements, requirements, scored
from wireproof.order import Order, WrongOrder, header_of
from wireproof.plan import Cost, Plan, make_plan, select
from wireproof.profiles import EVERYTHING, in_profiles, up_to
from wireproof.record import Recorded, RecordEvent, Sent, Unsent, record
from wireproof.report import Report
from wireproof.resuming import answers_of, earlier_run, set_aside, spend_of
from wireproof.sampling import Sampler, first_answers, settled
from wireproof.spec import load_spec
from wireproof.spending import left_of

JOURNAL = "journal.jsonl"


def load_contracts(extra: Sequence[Path] = ()) -> tuple[list[Clause], list[Probe]]:
    """Clauses and probes of the built-in contracts and of the user's folders.

    Raises WrongOrder when a user's folder holds no contract, or a file that does not load.
    """
    modules = load_folder(shelf("contracts"), "contracts")
    for folder in extra:
        try:
            found = load_folder(folder.resolve(), "contracts")
        except Exception as broken:
            raise WrongOrder(f"{folder}: a contract file does not load: {type(broken).__name__}: {broken}") from broken
        if not found:
            raise WrongOrder(f"{folder}: expected a folder with contract files (*.py), found none")
        modules += found
    try:
        return contents(modules)
    except ValueError as twice:
        raise WrongOrder(str(twice)) from twice


def prepare(order: Order) -> tuple[list[Clause], Plan]:
    """The clauses in force and the plan that feeds them. Sends nothing."""
    spec = load_spec()
    clauses, probes = load_contracts(order.contracts)
    _pinned(order.requirements)
    _spoken(order.dialect)
    chosen = clauses_for(clauses, order.profiles, order.level, order.only)
    if not chosen:
        if clauses_for(clauses, (EVERYTHING,), None, order.only):
            raise WrongOrder(f"no clause of profile {', '.join(order.profiles)} matches {', '.join(order.only)}; "
                             f"see --profile, or ask for --profile {EVERYTHING}")  # fmt: skip
        raise WrongOrder(f"no clause matches {', '.join(order.only)}; `wireproof explain` lists them all")
    probes = in_profiles(probes, order.profiles, spec.catalogue("profiles"))
    if order.cases:
        from wireproof.cases import draw  # brings schemathesis: a second of import

        probes = [*probes, *draw(spec, order.cases, order.seed)]
    plan = make_plan(spec, chosen, probes, order.models, has_key=bool(order.target.key))
    return chosen, within(plan, chosen, order.budget)


def clauses_for(
    clauses: Sequence[Clause], profiles: Sequence[str], level: str | None, only: Sequence[str]
) -> list[Clause]:
    """The clauses of the profiles, up to the level, that match one of the globs. Raises WrongOrder for a bad name."""
    catalogue = load_spec().catalogue("profiles")
    try:
        found = in_profiles(clauses, profiles, catalogue)
        return select(up_to(found, level, catalogue) if level else found, only)
    except ValueError as unknown:
        raise WrongOrder(str(unknown)) from unknown


def run(
    order: Order,
    plan: Plan,
    out: Path,
    listen: Callable[[RecordEvent], None] = lambda event: None,
    *,
    resume: bool = False,
    **recorder: Any,
) -> Run:
    """Records the plan into `out/journal.jsonl` and returns the journal as read back.

    An interrupt ends the journal with a footer that says so, then leaves as KeyboardInterrupt. `recorder`
    are further arguments of `record`: a transport, clocks.
    """
    path = out / JOURNAL
    earlier = earlier_run(path, order) if resume else None
    if earlier is None:
        set_aside(path)
    begun = time.monotonic()
    already = answers_of(earlier)
    sampler = _sampler(order, plan, earlier)
    bisector = Bisector(load_spec(), plan.probes, earlier.exchanges if earlier else ())
    spent_before = spend_of(earlier)
    with Journal(path, resume=earlier is not None) as journal:
        if earlier is None:
            journal.header(header_of(order), plan.planned())

        cost, calls = Cost(), 0

        def hear(event: RecordEvent) -> None:
            nonlocal cost, calls
            match event:
                case Sent(probe, step, attempt):
                    calls += 1
                    journal.sent(probe, step, attempt)
                case Recorded(exchange, spent):
                    if not is_search(exchange):
                        sampler.heard(exchange)
                    bisector.heard(exchange)
                    journal.exchange(exchange)
                    cost = spent
                case Unsent(probe, reason):
                    sampler.gave_up(probe)
                    journal.unsent(probe, reason)
            listen(event)

        reason = "interrupted"
        try:
            asyncio.run(
                record(
                    plan,
                    order.target,
                    load_spec(),
                    hear,
                    already=already,
                    budget=left_of(order.budget, spent_before),
                    bounds=order.bounds,
                    gate=order.gate,
                    more=lambda: [*bisector(), *sampler()],
                    **recorder,
                )
            )
            reason = "complete"
        finally:
            both = cost + Cost(usd=spent_before.usd, known=spent_before.usd_at_least)
            journal.footer(
                reason=reason,
                spend={
                    "calls": calls + spent_before.calls,
                    "tokens": cost.tokens + spent_before.tokens,
                    "usd": both.usd,
                    "usd_at_least": both.usd_at_least,
                    "wall_s": round(time.monotonic() - begun + spent_before.wall_s, 3),
                },
            )
    return read_journal(path)


def _sampler(order: Order, plan: Plan, earlier: Run | None) -> Sampler:
    clauses: list[Clause] = []
    if order.samples > 1:
        every, _ = load_contracts(order.contracts)
        clauses = clauses_for(every, order.profiles, order.level, order.only)
    return Sampler(
        clauses, plan.probes, plan.operations, order.samples, first_asked(earlier.exchanges) if earlier else ()
    )


def report_of(
    run: Run,
    clauses: Sequence[Clause],
    *,
    fail_on: FailOn | None = None,
    pin: str | None = None,
    speaks: str | None = None,
    claims: Mapping[str, bool] | None = None,
) -> Report:
    """The report of a journal, judged now. Pure: the same journal and clauses give the same report.

    `pin` names a requirement set, `speaks` a dialect, `claims` the features that are served, in place of the run's own.
    Raises WrongOrder when there is no such set or dialect.
    """
    header = run.header
    spoken = _spoken(speaks or header.get("dialect"))
    footer = run.footer or {}
    notes = [] if footer.get("reason") == "complete" else ["The run was cut off; what was not sent is not judged."]
    if run.header.get("left_out"):
        notes.append(
            f"{run.header['left_out']} recorded requests mean no operation of the description, or have no answer."
        )
    if run.lost:
        notes.append(f"The run was cut off under {_requests(run.lost)}; what was answered to that is lost.")
    if run.asked_again:
        notes.append(f"An earlier run was cut off under {_requests(run.asked_again)}, sent again since.")
    chosen = clauses_for(clauses, header.get("profiles", (EVERYTHING,)), header.get("level"), header.get("only", ()))
    notes += [str(blame) for blame in blames(load_spec(), run.exchanges)]
    asked = first_asked(run.exchanges)
    first = first_answers(asked)
    verdicts = scored(
        settled(judge(chosen, first, run.planned), asked),
        ours=_ours(),
        proven=_proven(),
        pinned=_pinned(pin or header.get("requirements")),
    )
    if unpaid := _unpaid(verdicts, run.planned):
        notes.append(unpaid)
    fields = fields_asked(verdicts, first, run.planned)
    told = header.get("claims") if claims is None else claims
    claimed = None
    if told is not None:
        known = features(load_spec().catalogue("features"))
        told = {name: told.get(name, False) for name in known}
        claimed = after_claims(verdicts, first, run.planned, fields, told, known)
        verdicts = claimed.verdicts
    if spoken is not None:
        verdicts = relaxed(verdicts, spoken)
    elif hint := suggestion(asked, verdicts, dialects(load_spec().catalogue("dialects"))):
        notes.append(hint)
    return Report(
        target=header["target"],
        verdicts=verdicts,
        exchanges={exchange.id: exchange for exchange in run.exchanges},
        spend=spend_of(run),
        started=header["started"],
        version=__version__,
        key_variable=header.get("key_variable", "OPENAI_API_KEY"),
        fail_on=fail_on or header.get("fail_on", "SHOULD"),
        notes=notes,
        dialect=spoken.name if spoken else None,
        fields=fields,
        claims=claimed.claims if claimed else (),
        complete=footer.get("reason") == "complete",
    )


def _requests(some: Sized) -> str:
    return "1 request" if len(some) == 1 else f"{len(some)} requests"


def _unpaid(verdicts: Sequence[Verdict], planned: Sequence[Planned]) -> str:
    """Which clauses a budget left without evidence, in words; "" when none."""
    reasons = {unsent_reason(one) for one in planned if one.unsent and "the budget" in one.unsent}
    undecided = [one.clause for one in verdicts if one.outcome == "inconclusive" and one.reason in reasons]
    return not_covered([clause.id for clause in severest(undecided)]) if undecided else ""


def _pinned(date: str | None) -> Requirements | None:
    try:
        return requirements(shelf("spec") / "requirements", date) if date else None
    except ValueError as unknown:
        raise WrongOrder(str(unknown)) from unknown


def _spoken(name: str | None) -> Dialect | None:
    try:
        return dialect(load_spec().catalogue("dialects"), name) if name else None
    except ValueError as unknown:
        raise WrongOrder(str(unknown)) from unknown


@cache
def _ours() -> frozenset[str]:
    return frozenset(clause.id for clause in contents(load_folder(shelf("contracts"), "contracts"))[0])


@cache
def _proven() -> frozenset[str]:
    from wireproof.standin.faults import all_faults

    return frozenset(fault.breaks for fault in all_faults().values())
