"""Remembers prompt beginnings, so that usage can report cached tokens.

As published: from 1,024 tokens on, in steps of 128, for the exact same beginning.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from itertools import islice

LEAST_TOKENS = 1024
STEP_TOKENS = 128
MOST_REMEMBERED = 10_000


class PromptCache:
    """Digests of the beginnings seen so far, the oldest forgotten first."""

    def __init__(self) -> None:
        self._seen: OrderedDict[bytes, None] = OrderedDict()

    def cached_tokens(self, owner: str, pieces: Iterable[str]) -> int:
        """Tokens of the longest beginning `owner` has sent before; this prompt is remembered from now on."""
        digest = hashlib.blake2b(owner.encode("utf-8", "replace"), digest_size=16)
        cached = length = 0
        rest = iter(pieces)
        while len(step := list(islice(rest, STEP_TOKENS))) == STEP_TOKENS:
            digest.update("\0".join(step).encode("utf-8", "replace"))
            length += STEP_TOKENS
            if length < LEAST_TOKENS:
                continue
            mark = digest.digest()
            if mark in self._seen:
                cached = length
            self._seen[mark] = None
            self._seen.move_to_end(mark)
        while len(self._seen) > MOST_REMEMBERED:
            self._seen.popitem(last=False)
        return cached
