"""Which probes a budget buys: those that cover the most severe clauses for what they cost. Pure.

Choosing them is a weighted set cover with a price, which nobody solves exactly in reasonable time. A greedy order (most
weight newly covered for a share of the cost first) is walked with every limit there could be, by calls, by tokens, by
dollars and by all three; of what comes out of that, the heaviest that the budget pays for is taken. What there is to
choose from does not depend on the budget: so a larger one never covers less.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf

from wireproof.clause import Clause, Evidence
from wireproof.judge import Planned
from wireproof.plan import Budget, Cost, Plan

WEIGHTS: Mapping[str, int] = {"MUST": 8, "SHOULD": 3, "MAY": 1}
# What a probe may be answered when all is well, for evidence that wants a status.
LIKELY = {"answer": (200, 101), "refusal": (400, 401, 404, 422), "either": (200, 101, 400, 401, 404, 422)}

# The probes of one clause that needs several, or one by itself.
Bundle = tuple[str, ...]
Measure = Callable[[Cost], float]


@dataclass(frozen=True)
class Question:
    """What there is to choose from. `ways`: by clause, the bundles of probes any of which is evidence enough."""

    costs: Mapping[str, Cost]
    weights: Mapping[str, int]
    ways: Mapping[str, tuple[Bundle, ...]]

    def covered(self, probes: Collection[str]) -> set[str]:
        """The clauses that these probes are evidence for."""
        held = frozenset(probes)
        return {clause for clause, bundles in self.ways.items() if any(map(held.issuperset, bundles))}

    def weight(self, probes: Collection[str]) -> int:
        return sum(self.weights[clause] for clause in self.covered(probes))

    def cost(self, probes: Iterable[str]) -> Cost:
        return sum((self.costs[probe] for probe in probes), Cost())


def within(plan: Plan, clauses: Sequence[Clause], budget: Budget) -> Plan:
    """The plan without the probes that the budget does not pay for; they are told as left out.

    A plan that the budget pays for stays whole: what several probes show is better shown than what one does.
    """
    if fits(plan.cost, budget):
        return plan
    asked = question(plan, clauses)
    kept = chosen(asked, budget)
    left = [
        replace(one, unsent=_why(plan.costs[one.probe], budget))
        for one in plan.planned()
        if one.unsent is None and one.probe not in kept
    ]
    probes = tuple(probe for probe in plan.probes if probe.id in kept)
    costs = {probe.id: plan.costs[probe.id] for probe in probes}
    uncovered = asked.covered(plan.costs) - asked.covered(kept)
    return replace(
        plan,
        probes=probes,
        costs=costs,
        left_out=(*plan.left_out, *left),
        uncovered=tuple(clause.id for clause in severest(clauses) if clause.id in uncovered),
    )


def _why(cost: Cost, budget: Budget) -> str:
    unknown = ", and its price is unknown" if budget.usd is not None and cost.usd is None else ""
    return f"left out by the budget of {told(budget)}{unknown}"


def question(plan: Plan, clauses: Sequence[Clause]) -> Question:
    """What each probe of the plan is evidence for, as far as its first request tells.

    Clauses about the later steps of a flow are taken to be shown by the flows that begin with the same word.
    """
    sent = [one for one in plan.planned() if one.unsent is None]
    flows = [probe.id for probe in plan.probes if probe.most > 1]
    ways: dict[str, tuple[Bundle, ...]] = {}
    for clause in clauses:
        evidence = clause.evidence
        if evidence.shape == "together":
            named = tuple(dict.fromkeys(evidence.probes))
            ways[clause.id] = (named,) if set(named) <= plan.costs.keys() else ()
            continue
        bundles = [(one.probe,) for one in sent if _feeds(evidence, one)]
        surface = clause.id.partition(".")[0]
        ways[clause.id] = tuple(bundles or [(flow,) for flow in flows if flow.partition(".")[0] == surface])
    weights = {clause.id: WEIGHTS[clause.level] for clause in clauses}
    return Question(plan.costs, weights, ways)


def chosen(question: Question, budget: Budget) -> frozenset[str]:
    """The probes that the budget buys. It never pays more than it has; a larger budget never covers less weight."""
    affordable = [one for one in _candidates(question) if fits(question.cost(one), budget)]
    breadth = {probe: sum((probe,) in bundles for bundles in question.ways.values()) for probe in question.costs}
    return max(
        affordable,
        key=lambda one: (question.weight(one), sum(breadth[probe] for probe in one), sorted(one)),
        default=frozenset(),
    )


def fits(cost: Cost, budget: Budget) -> bool:
    """Whether the budget pays for it; an unknown price is more than any."""
    pairs = ((cost.calls, budget.calls), (cost.tokens, budget.tokens), (cost.usd, budget.usd))
    return all(limit is None or (wanted is not None and wanted <= limit) for wanted, limit in pairs)


def severest(clauses: Iterable[Clause]) -> list[Clause]:
    """The same, the heaviest first."""
    return sorted(clauses, key=lambda clause: -WEIGHTS[clause.level])


def not_covered(clauses: Sequence[str], most: int = 5) -> str:
    """`7 clauses were not covered by the budget: a, b, c, d, e and 2 more`."""
    more = f" and {len(clauses) - most} more" if len(clauses) > most else ""
    some = "1 clause was" if len(clauses) == 1 else f"{len(clauses)} clauses were"
    return f"{some} not covered by the budget: {', '.join(clauses[:most])}{more}"


def told(budget: Budget) -> str:
    """As the option has it: `calls=40,usd=0.01`."""
    named = {"calls": budget.calls, "tokens": budget.tokens, "usd": budget.usd}
    return ",".join(f"{name}={limit}" for name, limit in named.items() if limit is not None)


def _feeds(evidence: Evidence, one: Planned) -> bool:
    return evidence.means(one.probe, one.operation, one.asked) and any(
        map(evidence.accepts_status, LIKELY[one.expects])
    )


def _candidates(question: Question) -> list[frozenset[str]]:
    """What the greedy orders keep under each limit at which they keep something else, whatever the budget is."""
    found: dict[frozenset[str], None] = {frozenset(): None}
    for measure in _measures(question):
        prices = {probe: measure(cost) for probe, cost in question.costs.items()}
        order = _greedy(question, prices)
        for limit in _limits(order, prices):
            found[_walk(order, prices, limit)] = None
    return list(found)


def _measures(question: Question) -> list[Measure]:
    """Calls, tokens, dollars, and the three as shares of what everything costs."""

    def calls(cost: Cost) -> float:
        return cost.calls

    def tokens(cost: Cost) -> float:
        return cost.tokens

    def usd(cost: Cost) -> float:
        return inf if cost.usd is None else cost.usd

    plain: list[Measure] = [calls, tokens, usd]
    costs = question.costs.values()
    whole = [sum(price for cost in costs if (price := one(cost)) < inf) or 1.0 for one in plain]

    def shares(cost: Cost) -> float:
        return sum(one(cost) / total for one, total in zip(plain, whole, strict=True))

    return [*plain, shares]


def _greedy(question: Question, prices: Mapping[str, float]) -> list[Bundle]:
    """Bundles, the most weight newly covered for its price first; those that cover nothing new come last."""
    shows: dict[Bundle, set[str]] = {(probe,): set() for probe in question.costs}
    for clause, bundles in question.ways.items():
        for bundle in bundles:
            shows.setdefault(bundle, set()).add(clause)
    rank = {bundle: number for number, bundle in enumerate(shows)}
    taken: set[str] = set()
    order: list[Bundle] = []

    def worth(bundle: Bundle) -> tuple[float, float, int]:
        clauses = shows[bundle].union(*(shows.get((probe,), ()) for probe in bundle))
        price = sum(prices[probe] for probe in bundle if probe not in taken)
        weight = sum(question.weights[clause] for clause in clauses)
        return (weight / price if price else inf if weight else 0.0), -price, -rank[bundle]

    while shows:
        best = max(shows, key=worth)
        taken |= set(best)
        order.append(best)
        done = {clause for bundle, some in shows.items() if taken.issuperset(bundle) for clause in some}
        shows = {bundle: clauses - done for bundle, clauses in shows.items() if not taken.issuperset(bundle)}
    return order


def _limits(order: Sequence[Bundle], prices: Mapping[str, float]) -> list[float]:
    """Every sum that the order comes to, and a hundred steps between nothing and everything."""
    sums: list[float] = [0.0]
    taken: set[str] = set()
    for bundle in order:
        new = sum(prices[probe] for probe in bundle if probe not in taken)
        taken |= set(bundle)
        if new < inf:
            sums.append(sums[-1] + new)
    return sorted({*sums, *(sums[-1] * step / 100 for step in range(101))})


def _walk(order: Sequence[Bundle], prices: Mapping[str, float], limit: float) -> frozenset[str]:
    """What is kept when the order is followed and left out what the limit has no room for."""
    kept: set[str] = set()
    spent = 0.0
    for bundle in order:
        new = [probe for probe in bundle if probe not in kept]
        price = sum(prices[probe] for probe in new)
        if spent + price <= limit:
            kept.update(new)
            spent += price
    return frozenset(kept)
