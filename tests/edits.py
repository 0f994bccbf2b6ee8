"""Answers changed in one place: `edit(path, value)` sets what `path` (`choices.0.message.role`) names, `cut` drops."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

Edit = Callable[[Any], None]


def edit(path: str, value: Any) -> Edit:
    def change(body: Any) -> None:
        *parents, last = [int(part) if part.isdecimal() else part for part in path.split(".")]
        for part in parents:
            body = body[part]
        body[last] = value

    return change


def cut(path: str) -> Edit:
    def change(body: Any) -> None:
        *parents, last = [int(part) if part.isdecimal() else part for part in path.split(".")]
        for part in parents:
            body = body[part]
        del body[last]

    return change


def changed(body: Any, *edits: Edit) -> Any:
    body = copy.deepcopy(body)
    for change in edits:
        change(body)
    return body
