"""Which files a search is about: comparisons of their attributes, joined by `and` and `or`."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

Attributes = Mapping[str, Any]
ORDERED: Mapping[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def fits(attributes: Attributes, asked: Mapping[str, Any] | None) -> bool:
    """Whether a file with `attributes` is meant; without a filter every one is.

    An attribute that is not there, or of another type, equals nothing and has no order: `ne` and `nin` hold of it.
    """
    if asked is None:
        return True
    kind = asked["type"]
    if kind in ("and", "or"):
        # One frame for each depth, so that no filter which could be parsed is too deep for the stack.
        decisive: bool = kind == "or"
        for part in asked["filters"]:
            if fits(attributes, part) is decisive:
                return decisive
        return not decisive
    has, value = attributes.get(asked["key"]), asked["value"]
    if kind in ORDERED:
        return _kind(has) == _kind(value) != "bool" and ORDERED[kind](has, value)
    among = value if isinstance(value, list) else [value]
    is_among = any(_kind(has) == _kind(one) and has == one for one in among)
    return is_among if kind in ("eq", "in") else not is_among


def _kind(value: Any) -> str:
    """`number` for both kinds of numbers. True is no 1."""
    kind = type(value).__name__
    return "number" if kind in ("int", "float") else kind
