"""What a run has spent, and has promised to requests in flight, against what it may spend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireproof.plan import Budget, Cost

if TYPE_CHECKING:
    from wireproof.report import Spend


class OverBudget(Exception):
    """The next request would break the budget; the message says which part of it."""


class Spending:
    """`spent` by what was answered; what is in flight counts by its estimate until it is."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.spent = Cost()
        self._promised = Cost()

    def promise(self, estimate: Cost) -> None:
        """Holds the cost of a request before it leaves. Raises OverBudget when there is not so much left."""
        then = self.spent + self._promised + estimate
        for name, limit in (("calls", self.budget.calls), ("tokens", self.budget.tokens), ("usd", self.budget.usd)):
            wanted = getattr(then, name)
            if limit is not None and wanted is None:
                raise OverBudget(f"the budget is {name}={limit} and the model's price is unknown")
            if limit is not None and wanted > limit:
                raise OverBudget(f"the budget of {name}={limit} is spent")
        self._promised = self._promised + estimate

    def release(self, estimate: Cost) -> None:
        """The request is in flight no more."""
        self._promised = _minus(self._promised, estimate)

    def spend(self, cost: Cost) -> Cost:
        """Adds what an answer cost; returns all that was spent."""
        self.spent = self.spent + cost
        return self.spent


def left_of(budget: Budget, spent: Cost | Spend) -> Budget:
    """What is left of it; of money whose amount is not known, at most."""
    return Budget(
        None if budget.calls is None else budget.calls - spent.calls,
        None if budget.tokens is None else budget.tokens - spent.tokens,
        None if budget.usd is None else budget.usd - spent.usd_at_least,
    )


def has_room(budget: Budget, cost: Cost) -> bool:
    """Whether all of that can be spent."""
    try:
        Spending(budget).promise(cost)
    except OverBudget:
        return False
    return True


def _minus(one: Cost, other: Cost) -> Cost:
    dollars = None if one.usd is None or other.usd is None else one.usd - other.usd
    return Cost(
        one.calls - other.calls,
        one.prompt_tokens - other.prompt_tokens,
        one.completion_tokens - other.completion_tokens,
        dollars,
        one.usd_at_least - other.usd_at_least if dollars is None else 0.0,
    )
