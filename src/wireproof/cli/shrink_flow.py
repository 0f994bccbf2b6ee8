"""What `wireproof shrink` does with a step of a flow: every attempt walks the flow again, and all of it is paid for.

Clauses of a flow know what its steps ask. Of a request that asks for less, one may say that a backend did not do what
it was never asked; so the reference backend, asked in memory and for nothing, must do as well with it as with all.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import click

from wireproof.again import NotSent, breach
from wireproof.clause import Exchange, Probe
from wireproof.cli.orders import standin_models
from wireproof.exhibit import Exhibit
from wireproof.fetch import KeyRefused, Target, Unreachable
from wireproof.judge import Outcome, judge
from wireproof.order import models_of
from wireproof.plan import Budget, Cost
from wireproof.retrace import Trail, Walk, in_place, leaves, trail_to, walk
from wireproof.shrinking import size_of, smallest_body
from wireproof.spending import has_room, left_of
from wireproof.standin.backend import DEFAULT_KEY, Backend, Setup
from wireproof.standin.virtual import VirtualClock, VirtualTransport

NAMED_NONE: Mapping[str, Any] = {"model": None, "embedding_model": None, "completion_model": None, "models_for": ()}

Found = tuple[Exhibit | None, list[Exchange]]


def asked_in_flow(
    exhibit: Exhibit, others: list[Exchange], target: Target, bound: Budget, probes: Sequence[Probe]
) -> Found:
    """The smallest request of the step that shows the finding, and all exchanges with those of its walk among them.

    None, and `others` as they are, when not even the step as it was recorded shows it.
    """
    first = exhibit.exchange
    trail = trail_to(first, others, probes, models_of(exhibit.target))
    if trail is None:
        click.echo(f"request   not asked: no flow of these contracts is called {first.probe}; the recorded one is kept")
        return None, others
    search = _Search(exhibit, others, target, bound, trail)
    whole = leaves(first.request.json)
    if search.holds(whole):
        body = smallest_body(whole, search.holds)
        click.echo(
            f"request   {size_of(whole)} keys and items of step {trail.step}, {size_of(body)} of them needed "
            f"({search.spent.calls} calls, {search.spent.tokens} tokens)"
        )
        if search.reference is None and size_of(body) < size_of(whole):
            click.echo("          the reference backend is no help with this flow: what is left may ask too little")
        if search.why_over:
            click.echo(f"          stopped early, more could go: {search.why_over}")
    else:
        why = search.why_over or search.astray or f"step {trail.step} of {first.probe} did not show the finding again"
        click.echo(f"request   {why}; the recorded one is kept")
    if search.left_behind:
        click.echo(f"left at the target, not deleted: {', '.join(search.left_behind)}")
    return search.best or (None, others)


class _Search:
    """What the attempts so far have spent, found and left behind.

    `astray` is where the last one left the recorded way, `why_over` why there is no other, `reference` what the clause
    says of the reference backend when the step is asked as it was: None where that is no comparison.
    """

    def __init__(self, exhibit: Exhibit, others: list[Exchange], target: Target, bound: Budget, trail: Trail) -> None:
        self.exhibit, self.others, self.target, self.bound, self.trail = exhibit, others, target, bound, trail
        self.spent = Cost()
        self.best: Found | None = None
        self.left_behind: list[str] = []
        self.astray = self.why_over = ""
        self.reference: Outcome | None = None

    def holds(self, body: Any) -> bool:
        left = left_of(self.bound, self.spent)
        if not self.why_over and not has_room(left, self.trail.needs):
            self.why_over = f"an attempt takes {_told(self.trail.needs, left)}"
        if self.why_over:
            return False
        try:
            walked = walk(self.trail, self.target, body, left)
        except (NotSent, Unreachable, KeyRefused) as trouble:
            if self.best is None:
                raise
            self.why_over = str(trouble)
            return False
        self.spent = self.spent + walked.spent
        self.left_behind += walked.left_behind
        self.astray, self.why_over = walked.astray, walked.unsent
        if walked.answer is None:
            return False
        judged = in_place(self.others, walked.exchanges)
        found = breach(self.exhibit.clause, walked.answer, judged, self.exhibit.finding.fingerprint)
        if found is None:
            return False
        by_reference = self._by_reference(body)
        if self.best is None:
            self.reference = by_reference
        elif by_reference != self.reference is not None:
            return False
        self.best = replace(self.exhibit, exchange=walked.answer, finding=found), judged
        return True

    def _by_reference(self, body: Any) -> Outcome | None:
        """What the clause says of the stand-in; None when that goes another way, or shows the finding as well."""
        walked = walked_in_memory(replace(self.trail, models=standin_models(dict(NAMED_NONE))), body)
        if walked.answer is None:
            return None
        clause, judged = self.exhibit.clause, in_place(self.others, walked.exchanges)
        if breach(clause, walked.answer, judged, self.exhibit.finding.fingerprint) is not None:
            return None
        return judge([clause], [walked.answer] if clause.evidence.shape == "each" else judged)[0].outcome


def walked_in_memory(trail: Trail, body: Any) -> Walk:
    """The walk at the stand-in, on a clock that never waits."""
    clock = VirtualClock()
    began = time.time()
    backend = Backend(Setup(), clock=lambda: began + clock.now)
    try:
        return walk(
            trail,
            Target("http://standin/v1", DEFAULT_KEY),
            body,
            Budget(),
            gate=1,
            transport=VirtualTransport(backend.answer, clock),
            clock=clock,
            wall=lambda: began + clock.now,
            sleep=clock.sleep,
        )
    finally:
        backend.close()


def _told(needs: Cost, left: Budget) -> str:
    """What is wanted beside what there is: `7 requests, and calls=3 are left`."""
    wanted = f"{needs.calls} requests" + (f" and {needs.tokens} tokens at most" if left.tokens is not None else "")
    if left.usd is not None:
        wanted += " at an unknown price" if needs.usd is None else f" and ${needs.usd:.4f} at most"
    there = {"calls": left.calls, "tokens": left.tokens, "usd": left.usd}
    return f"{wanted}, and {', '.join(f'{name}={value}' for name, value in there.items() if value is not None)} is left"
