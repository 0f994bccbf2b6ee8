"""How alike two texts are, from 0 to 1, by the usual metrics of translation and summary.

All of them read lower-case words, `fuzzy_match` alone characters. METEOR matches equal words only: stems and
synonyms need a dictionary, which would be a download.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from itertools import pairwise

WORD = re.compile(r"\w+")
MOST_GRAM = 4


def words(text: str) -> list[str]:
    return WORD.findall(text.lower())


def fuzzy_match(text: str, reference: str) -> float:
    """Twice the longest common subsequence by both lengths, as the `ratio` of common fuzzy matchers."""
    both = len(text) + len(reference)
    return 2 * common_length(text, reference) / both if both else 1.0


def bleu(text: str, reference: str) -> float:
    """BLEU of one sentence to four words, smoothed by adding one above single words.

    Source: Papineni et al. 2002; smoothing by Lin and Och 2004.
    """
    said, meant = words(text), words(reference)
    if not said or not meant:
        return float(said == meant)
    logs = 0.0
    for size in range(1, MOST_GRAM + 1):
        hits, of = _hits(said, meant, size)
        more = int(size > 1)
        if hits + more == 0:
            return 0.0
        logs += math.log((hits + more) / (of + more))
    brevity = min(0.0, 1 - len(meant) / len(said))
    return math.exp(brevity + logs / MOST_GRAM)


def gleu(text: str, reference: str) -> float:
    """Common runs of one to four words, by those of the longer text. Source: Wu et al. 2016."""
    said, meant = words(text), words(reference)
    sizes = range(1, MOST_GRAM + 1)
    hits = sum(_hits(said, meant, size)[0] for size in sizes)
    most = max(sum(max(0, len(side) - size + 1) for size in sizes) for side in (said, meant))
    return hits / most if most else 1.0


def meteor(text: str, reference: str) -> float:
    """Weighted mean of precision and recall, less what the order is out of joint. Source: Banerjee and Lavie 2005."""
    said, meant = words(text), words(reference)
    pairs = _aligned(said, meant)
    if not pairs:
        return float(said == meant)
    precision, recall = len(pairs) / len(said), len(pairs) / len(meant)
    mean = 10 * precision * recall / (recall + 9 * precision)
    steps = [(here - last, there - before) for (last, before), (here, there) in pairwise(pairs)]
    chunks = 1 + sum(step != (1, 1) for step in steps)
    return mean * (1 - 0.5 * (chunks / len(pairs)) ** 3)


def rouge(size: int) -> Callable[[str, str], float]:
    """F1 of runs of `size` words. Source: Lin 2004."""

    def metric(text: str, reference: str) -> float:
        said, meant = words(text), words(reference)
        hits, of = _hits(said, meant, size)
        return _f1(hits, of, max(0, len(meant) - size + 1), same=said == meant)

    return metric


def rouge_l(text: str, reference: str) -> float:
    """F1 of the longest common subsequence of words. Source: Lin 2004."""
    said, meant = words(text), words(reference)
    return _f1(common_length(said, meant), len(said), len(meant), same=said == meant)


# `cosine` is not here: it needs a model of embeddings.
METRICS: dict[str, Callable[[str, str], float]] = {
    "fuzzy_match": fuzzy_match,
    "bleu": bleu,
    "gleu": gleu,
    "meteor": meteor,
    **{f"rouge_{size}": rouge(size) for size in range(1, 6)},
    "rouge_l": rouge_l,
}


def common_length(one: Sequence[Hashable], other: Sequence[Hashable]) -> int:
    """Length of the longest common subsequence, by one long integer a step (Hyyrö 2004)."""
    places: dict[Hashable, int] = {}
    for at, item in enumerate(one):
        places[item] = places.get(item, 0) | 1 << at
    every = (1 << len(one)) - 1
    open_places = every
    for item in other:
        met = open_places & places.get(item, 0)
        open_places = ((open_places + met) | (open_places - met)) & every
    return len(one) - open_places.bit_count()


def _hits(said: Sequence[str], meant: Sequence[str], size: int) -> tuple[int, int]:
    """Runs of `size` words of `said` that `meant` has too, each as often as there; and how many runs there are."""
    here, there = (Counter(zip(*(side[at:] for at in range(size)), strict=False)) for side in (said, meant))
    return sum((here & there).values()), sum(here.values())


def _f1(hits: int, said: int, meant: int, *, same: bool) -> float:
    if not said or not meant:
        return float(same)
    return 2 * hits / (said + meant)


def _aligned(said: Sequence[str], meant: Sequence[str]) -> list[tuple[int, int]]:
    """Places of equal words, each used once: next to the pair before where that can be, else the first free one."""
    free: dict[str, list[int]] = {}
    for at, word in enumerate(meant):
        free.setdefault(word, []).append(at)
    pairs: list[tuple[int, int]] = []
    for at, word in enumerate(said):
        places = free.get(word)
        if places:
            following = pairs[-1][1] + 1 if pairs else 0
            place = following if following in places else places[0]
            places.remove(place)
            pairs.append((at, place))
    return pairs
