"""When requests are meant to leave: offsets from the start of a stage, fixed before it starts.

Every worker of n owns the arrivals i with i % n == its own number, so a run sends the same requests at the
same times whether one process or four push it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import count
from typing import Literal

Spacing = Literal["constant", "poisson"]


def offsets(rate_rps: float, spacing: Spacing, seed: str) -> Iterator[float]:
    """Seconds since the start of the stage, ascending, without end.

    `constant` begins half a gap in, so that a stage of k gaps holds k arrivals whatever rounding does.
    """
    if spacing == "constant":
        return ((index + 0.5) / rate_rps for index in count())
    return _poisson(rate_rps, random.Random(seed))


def arrivals(
    rate_rps: float, spacing: Spacing, seed: str, until_s: float, worker: int = 0, workers: int = 1
) -> Iterator[tuple[int, float]]:
    """`(number, offset)` of this worker's share of the arrivals before `until_s`."""
    for number, offset in enumerate(offsets(rate_rps, spacing, seed)):
        if offset >= until_s:
            return
        if number % workers == worker:
            yield number, offset


def _poisson(rate_rps: float, chance: random.Random) -> Iterator[float]:
    at_s = 0.0
    while True:
        at_s += chance.expovariate(rate_rps)
        yield at_s
