"""Percentiles and what they rest on."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wireproof.traffic.lag import Lags, merged
from wireproof.traffic.statistics import censored_percentile, describe, interval_ranks, percentile, spread

VALUES = st.lists(st.floats(0, 1e6, allow_nan=False), min_size=1, max_size=200)


@given(VALUES, st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_a_percentile_is_an_observed_value_with_that_share_at_or_below_it(values: list[float], q: float) -> None:
    ordered = sorted(values)
    got = percentile(ordered, q)
    assert got in ordered
    assert sum(value <= got for value in ordered) >= q * len(ordered) - 1e-6
    assert sum(value < got for value in ordered) < q * len(ordered) + 1e-6


def test_the_ninth_of_ten_is_the_90th_percentile() -> None:
    assert percentile([float(i) for i in range(1, 11)], 0.9) == 9.0


def test_nothing_has_no_percentile() -> None:
    assert percentile([], 0.5) is None
    assert describe([])["p50"] is None
    assert describe([])["interval"]["p50"] == [None, None]


@pytest.mark.parametrize("q", [0.5, 0.95])
@pytest.mark.parametrize("n", [150, 5000])
def test_the_interval_holds_the_true_quantile_about_95_times_in_100(q: float, n: int) -> None:
    chance = random.Random(7)
    trials, held = 150, 0
    for _ in range(trials):
        one = spread(sorted(chance.random() for _ in range(n)), q)
        assert one.low is not None and one.high is not None
        held += one.low <= q <= one.high
    assert held / trials >= 0.90


def test_a_few_values_bound_a_high_percentile_from_below_only() -> None:
    low, high = interval_ranks(0.99, 50)
    assert low is not None
    assert high is None


def test_fewer_independent_draws_make_the_interval_wider() -> None:
    chance = random.Random(1)
    values = sorted(chance.random() for _ in range(1000))
    many, few = spread(values, 0.5), spread(values, 0.5, independent=20)
    assert few.value == many.value
    assert few.low is not None and many.low is not None and few.low < many.low
    assert few.high is not None and many.high is not None and few.high > many.high


@given(VALUES, st.sampled_from([0.5, 0.9, 0.99]))
def test_without_censoring_kaplan_meier_is_the_nearest_rank(values: list[float], q: float) -> None:
    assert censored_percentile(values, [], q) == (percentile(sorted(values), q), None)


def test_a_censored_wait_pushes_the_percentile_up_or_beyond_what_was_seen() -> None:
    fast = [1.0] * 75
    assert censored_percentile(fast, [30.0] * 25, 0.5) == (1.0, None)
    assert censored_percentile(fast, [30.0] * 25, 0.95) == (None, 30.0)
    told = describe(fast, [30.0] * 25)
    assert told["p95"] is None
    assert told["beyond"]["p95"] == 30.0


def test_percentiles_that_n_cannot_certify_are_named() -> None:
    assert describe([1.0] * 100)["weak"] == ["p95", "p99"]
    assert describe([1.0] * 700)["weak"] == []


def test_lags_of_two_workers_add_up_to_those_of_one() -> None:
    values = [0.05, 0.2, 0.2, 3.0, 40.0]
    one, two, three = Lags(), Lags(), Lags()
    for index, value in enumerate(values):
        one.add(value)
        (two if index % 2 else three).add(value)
    assert merged([two.rows(), three.rows()]).told() == one.told()
    told = one.told()
    assert 40.0 <= told["max"] <= 40.9
    assert 0.2 <= told["p50"] <= 0.21
