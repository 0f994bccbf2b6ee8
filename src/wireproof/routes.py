"""From a path to the operations on it: a tree of segments, in which a literal one is preferred to a parameter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from wireproof.spec import Operation


@dataclass(slots=True)
class _Place:
    literal: dict[str, _Place] = field(default_factory=dict)
    parameter: _Place | None = None
    methods: dict[str, Operation] = field(default_factory=dict)


class Routes:
    def __init__(self, operations: Iterable[Operation]) -> None:
        self._root = _Place()
        for operation in operations:
            place = self._root
            for segment in operation.path.split("/")[1:]:
                if segment.startswith("{"):
                    place.parameter = place.parameter or _Place()
                    place = place.parameter
                else:
                    place = place.literal.setdefault(segment, _Place())
            place.methods[operation.method] = operation

    def at(self, path: str) -> tuple[Mapping[str, Operation], tuple[str, ...]]:
        """The operations on `path` by method, and the decoded values of its parameters; neither when there are none.

        `path` is what stands below the base URL, as it was sent. A parameter is never empty.
        """
        return _found(self._root, path.split("/")[1:], ()) or ({}, ())


def _found(
    place: _Place, segments: list[str], values: tuple[str, ...]
) -> tuple[Mapping[str, Operation], tuple[str, ...]] | None:
    if not segments:
        return (place.methods, values) if place.methods else None
    first, rest = segments[0], segments[1:]
    if first in place.literal and (found := _found(place.literal[first], rest, values)):
        return found
    if place.parameter is not None and first:
        return _found(place.parameter, rest, (*values, unquote(first)))
    return None
