"""What the stand-in says: deterministic, endless, plain English, or the words it was told to say.

Three prompts are obeyed to the letter, so that `stop` and lengths can be tested without an obedient model:

* "Repeat exactly: X", "Reply with: X", "Say: X" and their like are answered with X;
* "Count to N", "Count from M to N" with "M, M+1, ..., N";
* "... N words" or "... N tokens" with so many tokens; "a long ..." with LONG_TOKENS.

Everything else gets whole sentences of SHORT_TOKENS, or a few more, drawn from a hash of the question.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Collection, Iterator
from itertools import islice

from wireproof.standin.tokens import tokenized

SHORT_TOKENS = (10, 50)
LONG_TOKENS = 2000
MOST_COUNTED = 100_000
MOST_TOKENS = 1_000_000


def words(lines: str) -> tuple[str, ...]:
    return tuple(lines.split())


ADJECTIVES = words(
    "quiet bright small warm green late gentle clear steady plain narrow wide golden silver "
    "distant nearby simple patient curious careful brave calm fresh heavy light soft tall"
)
NOUNS = words(
    "river stone window garden letter table mountain bridge morning teacher sailor baker farmer "
    "painter lantern harbor forest meadow village station market kitchen library ladder basket "
    "compass feather mirror pocket signal thread valley wagon winter summer candle"
)
VERBS = words(
    "carries follows finds keeps opens crosses watches mends paints builds brings holds joins leaves "
    "meets passes reaches shows turns visits waters measures gathers answers counts"
)
PLACES = words("beside under above near behind past across beyond within around")
PATTERNS = (
    (("The",), ADJECTIVES, NOUNS, VERBS, ("the",), NOUNS, PLACES, ("the",), ADJECTIVES, NOUNS),
    (("A",), NOUNS, VERBS, ("the",), ADJECTIVES, NOUNS),
    (("Every",), ADJECTIVES, NOUNS, VERBS, ("a",), NOUNS, PLACES, ("the",), NOUNS),
    (("The",), NOUNS, PLACES, ("the",), NOUNS, VERBS, ("a",), ADJECTIVES, NOUNS),
)
VOCABULARY = tuple(dict.fromkeys([*ADJECTIVES, *NOUNS, *VERBS, *PLACES]))

FILLER = (
    r"(?: (?:with|exactly|only|just|this|these|the|word|words|text|phrase|sentence|line|following|verbatim|"
    r"after|back|me|it|as|is|to|and|nothing|else|string|message))*"
)
TOLD_TO_SAY = re.compile(
    rf"\b(?:repeat|reply|respond|answer|say|echo|print|output|write){FILLER}\s*:\s*(?P<words>\S.*)",
    re.IGNORECASE | re.DOTALL,
)
TOLD_TO_COUNT = re.compile(r"\bcount(?: up)?(?: from (?P<first>\d{1,6}))? to (?P<last>\d{1,6})\b", re.IGNORECASE)
TOLD_LENGTH = re.compile(r"\b(?P<count>\d{1,6})[- ](?:word|token)s?\b", re.IGNORECASE)
TOLD_LONG = re.compile(r"\blong\b", re.IGNORECASE)


def dice(*meaning: object) -> random.Random:
    """A random stream that depends on nothing but `meaning`."""
    return random.Random(hashlib.blake2b(repr(meaning).encode("utf-8", "replace"), digest_size=8).digest())


def reply(
    prompt: str,
    meaning: str,
    *,
    most: int = MOST_TOKENS,
    verbosity: float = 1.0,
    banned: Collection[str] = (),
) -> list[str]:
    """The tokens of the natural answer to `prompt`, or the first `most` of them.

    `meaning` tells apart requests with the same prompt; `verbosity` stretches the natural length;
    `banned` words are never drawn.
    """
    told = told_words(prompt)
    if told is not None:
        return tokenized(told)[:most]
    throw = dice(meaning)
    if (length := _told_length(prompt)) is not None:
        return list(islice(sentences(throw, banned), min(length, most)))
    least = int(throw.randint(*SHORT_TOKENS) * verbosity)
    return list(islice(_to_full_stop(sentences(throw, banned), least), most))


def told_words(prompt: str) -> str | None:
    """The answer a prompt spells out, None when it leaves it to the model."""
    if said := TOLD_TO_SAY.search(prompt):
        words = said["words"].strip()
        quoted = len(words) > 1 and words[0] == words[-1] and words[0] in "\"'`"
        return words[1:-1] if quoted else words
    if counted := TOLD_TO_COUNT.search(prompt):
        first, last = int(counted["first"] or 1), int(counted["last"])
        return ", ".join(str(number) for number in range(first, min(last, first + MOST_COUNTED) + 1))
    return None


def sentences(throw: random.Random, banned: Collection[str] = ()) -> Iterator[str]:
    """Tokens without end. Every word is one token with the space before it, every full stop another."""
    space = ""
    while True:
        for place in PATTERNS[int(throw.random() * len(PATTERNS))]:
            kind = [word for word in place if word not in banned] or place if banned else place
            yield space + kind[int(throw.random() * len(kind))]
            space = " "
        yield "."


def _told_length(prompt: str) -> int | None:
    if told := TOLD_LENGTH.search(prompt):
        return max(1, int(told["count"]))
    return LONG_TOKENS if TOLD_LONG.search(prompt) else None


def _to_full_stop(tokens: Iterator[str], least: int) -> Iterator[str]:
    for number, token in enumerate(tokens, 1):
        yield token
        if token == "." and number >= least:
            return


def spelled(ids: list[int]) -> str:
    """What a prompt given as token ids says: word `id modulo vocabulary` for each."""
    return " ".join(VOCABULARY[number % len(VOCABULARY)] for number in ids)
