"""Log probabilities of tokens: made up, but they obey the laws.

The chosen token is the likeliest; all probabilities of a position sum to at most one; the same token in the
same place of the same answer always gets the same ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from wireproof.standin.prose import VOCABULARY, dice

Ranked = list[tuple[str, float]]


def ranked(tokens: Sequence[str], meaning: str, most: int) -> list[Ranked]:
    """For each token its `most` likeliest candidates, itself first: at least itself, even when `most` is 0."""
    throw = dice("logprobs", meaning)
    found = []
    for token in tokens:
        likelihood = 0.5 + 0.49 * throw.random()
        start = int(throw.random() * len(VOCABULARY))
        rows = [(token, round(math.log(likelihood), 7))]
        step, rest = start, 1 - likelihood
        while len(rows) < most:
            other = " " + VOCABULARY[step % len(VOCABULARY)]
            step += 1
            if other != token:
                rest /= 2
                rows.append((other, round(math.log(rest), 7)))
        found.append(rows)
    return found


def entry(rows: Ranked, most: int) -> dict[str, Any]:
    """One entry of `logprobs.content` of a chat choice."""
    return {**_one(*rows[0]), "top_logprobs": [_one(*row) for row in rows[:most]]}


def _one(token: str, logprob: float) -> dict[str, Any]:
    return {"token": token, "logprob": logprob, "bytes": list(token.encode("utf-8"))}
