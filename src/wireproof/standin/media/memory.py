"""Remembers what was encoded, by bytes and not by number: one long speech is as large as a thousand pictures."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import wraps
from typing import ParamSpec, cast

MOST_BYTES = 32 << 20

Given = ParamSpec("Given")


def remembered(make: Callable[Given, bytes]) -> Callable[Given, bytes]:
    """`make`, its latest results kept as long as they are MOST_BYTES together. Its arguments must be small."""
    kept: OrderedDict[Hashable, bytes] = OrderedDict()

    @wraps(make)
    def recalled(*args: Given.args, **named: Given.kwargs) -> bytes:
        key = cast(Hashable, (args, tuple(named.items())))
        data = kept.pop(key, None)
        if data is None:
            data = make(*args, **named)
        if len(data) <= MOST_BYTES:
            kept[key] = data
        while sum(map(len, list(kept.values()))) > MOST_BYTES:
            kept.popitem(last=False)
        return data

    return recalled
