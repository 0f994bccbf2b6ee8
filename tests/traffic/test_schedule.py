"""Arrivals are fixed before the stage starts."""

from __future__ import annotations

import itertools

import pytest

from wireproof.traffic.schedule import Spacing, arrivals


@pytest.mark.parametrize("spacing", ["constant", "poisson"])
def test_workers_share_one_schedule_without_loss(spacing: Spacing) -> None:
    whole = list(arrivals(20.0, spacing, "7/hold", 10.0))
    parts = [one for worker in range(3) for one in arrivals(20.0, spacing, "7/hold", 10.0, worker, 3)]
    assert sorted(parts) == whole


def test_a_constant_rate_holds_rate_times_time_arrivals() -> None:
    assert len(list(arrivals(12.5, "constant", "s", 8.0))) == 100


def test_poisson_arrivals_are_seeded_and_have_the_rate_and_the_spread() -> None:
    times = [at for _, at in arrivals(50.0, "poisson", "1/hold", 100.0)]
    assert times == [at for _, at in arrivals(50.0, "poisson", "1/hold", 100.0)]
    assert times != [at for _, at in arrivals(50.0, "poisson", "2/hold", 100.0)]
    assert len(times) == pytest.approx(5000, abs=4 * 5000**0.5)
    gaps = [after - before for before, after in itertools.pairwise(times)]
    mean = sum(gaps) / len(gaps)
    variance = sum((gap - mean) ** 2 for gap in gaps) / len(gaps)
    assert variance == pytest.approx(mean**2, rel=0.15)
