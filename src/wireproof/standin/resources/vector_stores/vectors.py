"""Embeds texts so that a search means something: a bag of hashed words, no model and no download.

Texts that share words lie near each other, and words that begin alike count a little: `refund` is near `refunds`.
No meaning is known beyond that. The same text has the same vector in every process.
"""

from __future__ import annotations

import math
import re
from array import array
from collections import Counter
from functools import lru_cache
from zlib import crc32

from wireproof.standin import prose

DIMENSIONS = 1024
WORD = re.compile(r"[^\W_]+")
# Words that every text has tell nothing apart.
COMMON = frozenset(
    prose.words(
        "a about all an and any are as at be been but by can could did do does for from had has have he her his how i "
        "if in is it its me my no not of on or our she so some than that the their them then there these they this to "
        "was we were what when where which who why will with would you your"
    )
)
STEM_LENGTH = 5
STEM_WEIGHT = 0.5


def words(text: str) -> list[str]:
    """What tells `text` apart, in lower case; all of its words when it has none but common ones."""
    found = WORD.findall(text.lower())
    return [word for word in found if word not in COMMON] or found


@lru_cache(maxsize=8192)  # 4 KiB each
def embedded(text: str) -> array[float]:
    """A vector of length 1 without negative components; all zeros when there is no word in `text`."""
    vector = array("f", bytes(4 * DIMENSIONS))
    for word, times in Counter(words(text)).items():
        weight = 1 + math.log(times)
        for place in _places(word):
            vector[place] += weight
        if len(word) >= STEM_LENGTH:
            for place in _places(word[:STEM_LENGTH] + "-"):
                vector[place] += weight * STEM_WEIGHT
    length = math.sqrt(sum(part * part for part in vector))
    return array("f", [part / length for part in vector]) if length else vector


class Query:
    """One text to compare many with: only its own components need to be looked at."""

    def __init__(self, text: str) -> None:
        self._parts = [(at, part) for at, part in enumerate(embedded(text)) if part]
        self._sum = sum(part for _, part in self._parts)

    def likeness(self, text: str) -> float:
        """The cosine of both vectors, 0 to 1. What a search without a ranker goes by."""
        other = embedded(text)
        return min(1.0, sum(part * other[at] for at, part in self._parts))

    def rank(self, text: str) -> float:
        """0 to 1: mostly how much of the query is in `text`, a little how much of the text is in the query.

        The cosine alone would rank a short text that shares one word above a long one that shares them all.
        """
        other = embedded(text)
        shared = sum(part for at, part in self._parts if other[at])
        return min(1.0, 0.8 * shared / self._sum + 0.2 * self.likeness(text)) if self._sum else 0.0


def _places(word: str) -> tuple[int, int]:
    """Two components for each word: two words may share one, hardly ever both."""
    hashed = crc32(word.encode("utf-8", "replace"))
    return hashed % DIMENSIONS, (hashed >> 16) % DIMENSIONS
