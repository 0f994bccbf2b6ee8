"""Choosing probes for a budget: the severest clauses first, never overdrawn, and never less for more."""

from __future__ import annotations

from typing import Any

import pytest
from certified import contents_of_contracts, standin_plan
from hypothesis import given
from hypothesis import strategies as st

from wireproof.clause import Clause, Say, Talk, answered, flow, probe, refused, talk, talked, together
from wireproof.cover import WEIGHTS, Question, chosen, fits, not_covered, question, within
from wireproof.plan import Budget, Cost, Models, Plan, make_plan
from wireproof.spec import load_spec


def a_clause(id: str, on: Any, level: Any = "MUST") -> Clause:
    return Clause(id, level, "A promise.", "SPEC", on, "none", lambda *exchanges: None)


def chat(id: str, tokens: int = 10, **more: Any) -> Any:
    body = {"model": "m", "messages": [{"role": "user", "content": "x"}], "max_tokens": tokens}
    return probe(id, "POST", "/chat/completions", body, about="a test", needs="", **more)


def planned(clauses: list[Clause], probes: list[Any]) -> Plan:
    return make_plan(load_spec(), clauses, probes, Models("m"))


PROBES = [chat("one"), chat("two"), chat("three"), chat("dear", 5_000)]
CLAUSES = [
    a_clause("by.one", answered(probes="one"), "MAY"),
    a_clause("by.two", answered(probes="two")),
    a_clause("by.three", answered(probes="three"), "SHOULD"),
    a_clause("by.dear", answered(probes="dear")),
]


@pytest.mark.parametrize(
    ("budget", "kept"),
    [
        (Budget(), {"one", "two", "three", "dear"}),
        (Budget(calls=4), {"one", "two", "three", "dear"}),
        (Budget(calls=1), {"two"}),
        (Budget(calls=2), {"two", "dear"}),
        (Budget(calls=2, tokens=100), {"two", "three"}),
        (Budget(tokens=30), {"two"}),
        (Budget(tokens=3), set()),
        (Budget(calls=0), set()),
        (Budget(usd=1.0), set()),  # the model has no price
    ],
)
def test_a_budget_buys_the_severest_clauses(budget: Budget, kept: set[str]) -> None:
    plan = within(planned(CLAUSES, PROBES), CLAUSES, budget)
    assert {one.id for one in plan.probes} == kept
    assert {one.probe for one in plan.planned() if one.unsent} == {one.id for one in PROBES} - kept
    assert set(plan.uncovered) == {f"by.{one.id}" for one in PROBES} - {f"by.{id}" for id in kept}
    assert plan.cost == sum((plan.costs[id] for id in kept), Cost())


def test_what_is_left_out_says_so_the_severest_first_and_is_not_declined() -> None:
    plan = within(planned(CLAUSES, PROBES), CLAUSES, Budget(calls=1, usd=0.5))
    assert plan.uncovered == ("by.two", "by.dear", "by.three", "by.one")
    [left, *_] = plan.left_out
    assert left.unsent == "left out by the budget of calls=1,usd=0.5, and its price is unknown"
    assert not left.declined
    assert not_covered(plan.uncovered, most=3) == (
        "4 clauses were not covered by the budget: by.two, by.dear, by.three and 1 more"
    )


def test_a_clause_that_needs_two_probes_counts_when_both_are_in() -> None:
    clauses = [a_clause("pair", together("one", "two")), a_clause("by.three", answered(probes="three"), "SHOULD")]
    plan = planned(clauses, PROBES)
    asked = question(plan, clauses)
    assert (asked.covered({"one"}), asked.covered({"one", "two"})) == (set(), {"pair"})
    assert [one.id for one in within(plan, clauses, Budget(calls=1)).probes] == ["three"]
    assert [one.id for one in within(plan, clauses, Budget(calls=2)).probes] == ["one", "two"]


def test_a_probe_shows_only_what_it_may_be_answered() -> None:
    clauses = [
        a_clause("kept", answered()),
        a_clause("refused", refused()),
        a_clause("throttled", refused(status="429")),
    ]
    plan = planned(clauses, [chat("right"), chat("wrong", expects="refusal"), chat("either", expects="either")])
    ways = question(plan, clauses).ways
    assert ways == {"kept": (("right",), ("either",)), "refused": (("wrong",), ("either",)), "throttled": ()}


def test_a_talk_is_bought_for_what_is_said_on_it() -> None:
    @talk("spoken", "/realtime", about="a test", needs="", expects="answer")
    def spoken() -> Talk:
        yield Say("hello")

    clauses = [a_clause("by.spoken", talked("connectRealtime")), a_clause("by.two", answered(probes="two"), "MAY")]
    kept = within(planned(clauses, [spoken, chat("two")]), clauses, Budget(calls=1))
    assert [probe.id for probe in kept.probes] == ["spoken"]


def test_later_steps_of_a_flow_are_shown_by_the_flows_of_their_surface() -> None:
    first = chat("made.life").first

    @flow("made.life", most=4, about="a test", needs="")
    def life() -> Any:
        yield first

    clauses = [a_clause("made.gone", answered("deleteFile")), a_clause("any", answered())]
    plan = planned(clauses, [life, chat("plain")])
    assert question(plan, clauses).ways["made.gone"] == (("made.life",),)
    assert within(plan, clauses, Budget(calls=3)).uncovered == ("made.gone",)


# ------------------------------------------------------------------------------------------------- as laws

IDS = "abcdefgh"
COSTS = st.builds(
    Cost,
    st.integers(1, 6),
    st.integers(0, 90),
    st.integers(0, 90),
    st.one_of(st.none(), st.floats(0, 0.01, allow_nan=False)),
)
BUDGETS = st.builds(
    Budget,
    st.one_of(st.none(), st.integers(0, 30)),
    st.one_of(st.none(), st.integers(0, 900)),
    st.one_of(st.none(), st.floats(0, 0.05, allow_nan=False)),
)


@st.composite
def questions(draw: Any) -> Question:
    probes = IDS[: draw(st.integers(1, len(IDS)))]
    bundle = st.lists(st.sampled_from(probes), min_size=1, max_size=3, unique=True).map(lambda ids: tuple(sorted(ids)))
    levels = draw(st.lists(st.sampled_from(sorted(WEIGHTS)), max_size=12))
    ways = {f"c{n}": tuple(draw(st.lists(bundle, max_size=3))) for n in range(len(levels))}
    return Question(
        {probe: draw(COSTS) for probe in probes}, {f"c{n}": WEIGHTS[level] for n, level in enumerate(levels)}, ways
    )


def larger(one: Budget, other: Budget) -> Budget:
    """The least budget that holds both."""

    def most(name: str) -> Any:
        values = getattr(one, name), getattr(other, name)
        return None if None in values else max(values)

    return Budget(most("calls"), most("tokens"), most("usd"))


# The machine may be busy: how long it takes says nothing.
@given(questions(), BUDGETS, BUDGETS)
def test_more_money_never_covers_less_and_none_is_overdrawn(asked: Question, one: Budget, other: Budget) -> None:
    more = larger(one, other)
    bought, with_more = chosen(asked, one), chosen(asked, more)
    assert fits(asked.cost(bought), one)
    assert asked.weight(with_more) >= asked.weight(bought)
    assert chosen(asked, one) == bought


def test_half_of_the_calls_cover_most_of_what_there_is() -> None:
    clauses, _ = contents_of_contracts()
    plan = standin_plan(profiles=["core"])
    asked = question(plan, clauses)
    half = within(plan, clauses, Budget(calls=plan.cost.calls // 2))
    assert half.cost.calls <= plan.cost.calls // 2
    assert asked.weight(half.costs) > 0.8 * asked.weight(plan.costs)
