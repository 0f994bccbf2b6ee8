"""How harmful a text or a picture is, by lists of words: what is listed is flagged, everything else is not.

Scores are drawn from what was given, high for what is flagged and close to nothing for the rest. Of a picture the URL
is read, not the pixels: `https://example.org/bloody.png` is flagged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from wireproof.standin.prose import dice

# A word list a category. Phrases match across any white space; words match whole, in any case.
WORDS: Mapping[str, tuple[str, ...]] = {
    "hate": ("subhuman", "master race", "inferior race"),
    "hate/threatening": ("exterminate them", "wipe them out"),
    "harassment": ("idiot", "moron", "loser", "worthless scum"),
    "harassment/threatening": ("hurt you", "hunt you down", "make you pay"),
    "illicit": ("shoplift", "counterfeit money", "hotwire a car", "launder money"),
    "illicit/violent": ("build a bomb", "make a bomb", "buy a gun illegally"),
    "self-harm": ("self-harm", "suicide", "cutting myself"),
    "self-harm/intent": ("kill myself", "end my life", "want to die"),
    "self-harm/instructions": ("how to kill myself", "ways to hurt myself"),
    "sexual": ("porn", "erotic", "explicit sex"),
    "sexual/minors": ("sexualized minor", "underage sex"),
    "violence": ("kill", "murder", "stab", "massacre"),
    "violence/graphic": ("gore", "bloody", "dismember", "mutilate"),
}
CATEGORIES = tuple(WORDS)
# Source: spec, ModerationInputs: the categories that a picture is judged by.
OF_PICTURES = frozenset(
    ("self-harm", "self-harm/intent", "self-harm/instructions", "sexual", "violence", "violence/graphic")
)
# Source: spec, ModerationFlags: nullable because the text models do not know them.
UNKNOWN_TO_TEXT_MODELS = frozenset(("illicit", "illicit/violent"))
FLAGGED_FROM = 0.5
FLAGGED, HARMLESS = (0.8, 0.999), (0.000001, 0.02)


def verdict(model: str, texts: Iterable[str], urls: Iterable[str] = (), *, text_model: bool = False) -> dict[str, Any]:
    """One result for all `texts` and picture `urls` together: the highest score of any of them counts."""
    said, seen = list(texts), list(urls)
    unknown = UNKNOWN_TO_TEXT_MODELS if text_model else frozenset[str]()
    scores, applied = {}, {}
    for category in CATEGORIES:
        judged = [] if category in unknown else list(said)
        pictures = seen if category in OF_PICTURES and not text_model else []
        scores[category] = max((score(model, category, one) for one in (*judged, *pictures)), default=0.0)
        applied[category] = [kind for kind, given in (("text", judged), ("image", pictures)) if given]
    flags = {category: None if category in unknown else scores[category] >= FLAGGED_FROM for category in CATEGORIES}
    return {
        "flagged": any(flags.values()),
        "categories": flags,
        "category_scores": scores,
        "category_applied_input_types": applied,
    }


def score(model: str, category: str, text: str) -> float:
    low, high = FLAGGED if category in flagged(text) else HARMLESS
    return round(dice("moderation", model, category, text).uniform(low, high), 6)


def flagged(text: str) -> frozenset[str]:
    """The categories of the words in `text`; `violence/graphic` is `violence` too, and so on."""
    found = {category for category in CATEGORIES if _pattern(category).search(text)}
    return frozenset(found | {category.partition("/")[0] for category in found})


@cache
def _pattern(category: str) -> re.Pattern[str]:
    phrases = (r"\s+".join(map(re.escape, phrase.split())) for phrase in WORDS[category])
    return re.compile(rf"\b(?:{'|'.join(phrases)})\b", re.IGNORECASE)
