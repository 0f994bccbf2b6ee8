"""Chance with an end: a random stream that pays for what is made of it, and raises when it has paid enough."""

from __future__ import annotations

import random


class Purse(random.Random):
    """Throws as `like` would, and holds `parts` to be spent."""

    def __init__(self, like: random.Random, parts: int) -> None:
        super().__init__(0)
        self.setstate(like.getstate())
        self._left = parts

    def spend(self, parts: float) -> None:
        """RecursionError when there is not so much left: what asks for it would go on without end."""
        if not parts <= self._left:  # also what is no number
            raise RecursionError("there is no end to it")
        self._left -= int(parts)
