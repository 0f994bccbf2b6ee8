"""Making a counterexample small: what is left when nothing more can go without the breach going with it.

Delta debugging (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002). Pure: `holds` says
whether a candidate still shows the breach; that it asks a live target, and stops when the money is spent, is its own
affair: a candidate that could not be tried does not hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from wireproof.clause import Chunk, Exchange

# What bounds an answer is kept: a smaller request must not become a dear one.
CAPS = frozenset({"max_tokens", "max_completion_tokens", "max_output_tokens"})

T = TypeVar("T")
Path = tuple[str | int, ...]


def smallest(units: Sequence[T], holds: Callable[[list[T]], bool]) -> list[T]:
    """A part of `units`, in their order, that holds, and of which no single one can go. All of them together hold."""
    kept = list(units)
    pieces = 2
    while len(kept) >= 2:
        size = -(-len(kept) // pieces)
        cuts = [(start, min(start + size, len(kept))) for start in range(0, len(kept), size)]
        for start, end in cuts:
            rest = kept[:start] + kept[end:]
            if rest and holds(rest):
                kept, pieces = rest, max(pieces - 1, 2)
                break
        else:
            if size == 1:
                break
            pieces = min(pieces * 2, len(kept))
    return [] if len(kept) == 1 and holds([]) else kept


def smallest_body(body: Any, holds: Callable[[Any], bool]) -> Any:
    """A JSON body with as few keys and items as will do: from the outside in, each container by itself. CAPS stay."""
    waiting: list[Path] = [()]
    while waiting:
        place = waiting.pop(0)
        here = at(body, place)
        if not isinstance(here, dict | list) or not here:
            continue
        names: list[str | int] = list(here) if isinstance(here, dict) else list(range(len(here)))
        caps: list[str | int] = [name for name in names if name in CAPS]
        whole = body

        def still(kept: list[str | int], place: Path = place, whole: Any = whole, caps: list[str | int] = caps) -> bool:
            return holds(put(whole, place, only(at(whole, place), kept + caps)))

        kept = smallest([name for name in names if name not in CAPS], still)
        body = put(whole, place, only(here, kept + caps))
        left = at(body, place)
        waiting += [(*place, name) for name in (left if isinstance(left, dict) else range(len(left)))]
    return body


def only(container: Any, kept: Sequence[str | int]) -> Any:
    """A dict with these keys alone, or a list with these items."""
    if isinstance(container, dict):
        return {name: container[name] for name in container if name in kept}
    return [container[int(number)] for number in kept]


def at(body: Any, place: Path) -> Any:
    for name in place:
        body = body[name]
    return body


def put(body: Any, place: Path, value: Any) -> Any:
    """The body with `value` at a place; nothing is changed in place."""
    if not place:
        return value
    name, rest = place[0], place[1:]
    if isinstance(body, dict):
        return {**body, name: put(body[name], rest, value)}
    return [put(item, rest, value) if number == name else item for number, item in enumerate(body)]


def size_of(body: Any) -> int:
    """How many keys and items a body has, all the way down."""
    if isinstance(body, dict):
        return len(body) + sum(map(size_of, body.values()))
    return len(body) + sum(map(size_of, body)) if isinstance(body, list) else 0


def smallest_stream(exchange: Exchange, holds: Callable[[Exchange], bool]) -> Exchange:
    """The exchange with as few of its events as will do, each with the bytes and the time it came with.

    As it is when the breach is not in its events.
    """
    pieces = event_pieces(exchange)
    if not pieces or not holds(with_pieces(exchange, pieces)):
        return exchange
    return with_pieces(exchange, smallest(pieces, lambda kept: holds(with_pieces(exchange, kept))))


def event_pieces(exchange: Exchange) -> list[Chunk]:
    """The body cut before each event; what stands before the first belongs to it."""
    body = exchange.body
    starts = [event.offset for event in exchange.events][1:]
    edges = list(zip([0, *starts], [*starts, len(body)], strict=True))
    return [Chunk(event.at_s, body[start:end]) for event, (start, end) in zip(exchange.events, edges, strict=False)]


def with_pieces(exchange: Exchange, pieces: Sequence[Chunk]) -> Exchange:
    """The exchange with this body; headers that spoke of the old one are gone."""
    gone = ("content-length", "content-encoding")
    headers = tuple((name, value) for name, value in exchange.headers if name.lower() not in gone)
    return replace(exchange, chunks=tuple(pieces), headers=headers)
