"""A string that matches a regular expression of the plain kind: literals, classes, groups, choices, repeats.

Look-arounds and back references are not attempted: the caller checks what comes out.
"""

from __future__ import annotations

import random
import re
import string
from collections.abc import Callable
from importlib import import_module
from typing import Any

from wireproof.standin.purse import Purse

# The parser of `re`: nothing public gives the tree.
sre: Any = import_module("re._constants")
parser: Any = import_module("re._parser")

MOST_REPEATS = 3
ANYTHING = string.ascii_lowercase
CATEGORIES = {
    sre.CATEGORY_DIGIT: string.digits,
    sre.CATEGORY_WORD: string.ascii_lowercase + string.digits,
    sre.CATEGORY_SPACE: " ",
    sre.CATEGORY_NOT_DIGIT: string.ascii_lowercase,
    sre.CATEGORY_NOT_WORD: "-",
    sre.CATEGORY_NOT_SPACE: string.ascii_lowercase,
}
PRINTABLE = string.ascii_letters + string.digits + " -_.,:;/"


def matching(pattern: str, throw: random.Random) -> str:
    """A short match of `pattern`; "" when the pattern is not one Python can read."""
    try:
        return _written(parser.parse(pattern), throw)
    except re.error:
        return ""


def _written(nodes: Any, throw: random.Random) -> str:
    return "".join(WRITERS.get(kind, _nothing)(value, throw) for kind, value in nodes)


def _nothing(_value: Any, _throw: random.Random) -> str:
    return ""


def _repeat(value: Any, throw: random.Random) -> str:
    least, most, nodes = value
    upper = min(most, max(least, 1) + MOST_REPEATS)
    times = throw.randint(max(least, min(1, upper)), upper)
    if isinstance(throw, Purse):
        throw.spend(times)
    return "".join(_written(nodes, throw) for _ in range(times))


def _class(value: Any, throw: random.Random) -> str:
    negated = value[0][0] is sre.NEGATE
    members = "".join(map(_members, value))
    if negated:
        members = "".join(letter for letter in PRINTABLE if letter not in members)
    return throw.choice(members or ANYTHING)


def _members(item: Any) -> str:
    kind, value = item
    if kind is sre.LITERAL:
        return chr(value)
    if kind is sre.RANGE:
        return "".join(map(chr, range(value[0], min(value[1], value[0] + 200) + 1)))
    return CATEGORIES.get(value, "") if kind is sre.CATEGORY else ""


WRITERS: dict[Any, Callable[[Any, random.Random], str]] = {
    sre.LITERAL: lambda value, _throw: chr(value),
    sre.NOT_LITERAL: lambda value, throw: throw.choice([letter for letter in ANYTHING if letter != chr(value)]),
    sre.ANY: lambda _value, throw: throw.choice(ANYTHING),
    sre.IN: _class,
    sre.MAX_REPEAT: _repeat,
    sre.MIN_REPEAT: _repeat,
    sre.SUBPATTERN: lambda value, throw: _written(value[3], throw),
    sre.BRANCH: lambda value, throw: _written(throw.choice(value[1]), throw),
}
