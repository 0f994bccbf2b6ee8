"""Reading pages of cursor lists, whichever operation they are of: what was asked, what came, and in what order.

Two pages belong together when they are of one list: the same path, asked for with the same filters. The order in
which things were made is known where the same flow made them: by POST to the path of the list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from wireproof.clause import Exchange, NotApplicable, Operation, load_spec, remembered

from ._life import id_of, ids_of, is_ok, rows_of
from ._reading import as_count, maybe_object

CURSORS = ("cursor", "cursor-bare")
WALK = ("after", "before", "limit", "order")
TURNED = {"asc": "desc", "desc": "asc"}
# In every id that names nothing.
NO_SUCH = "wireproofnosuch"

List = tuple[str, str, tuple[tuple[str, str], ...]]
Direction = tuple[List, str | None]


def list_operation(exchange: Exchange) -> Operation | None:
    """The operation when it is a list with cursors."""
    operation = load_spec().operations.get(exchange.operation or "")
    return operation if operation is not None and operation.node.get("x-paging") in CURSORS else None


@remembered
def is_page(exchange: Exchange) -> bool:
    """Whether a page of a cursor list was served."""
    is_list = isinstance(maybe_object(exchange).get("data"), list)
    return list_operation(exchange) is not None and is_ok(exchange) and is_list


@dataclass(frozen=True)
class Page:
    """One page. `order` is what was asked for, or what the operation does by itself, None when neither is known."""

    exchange: Exchange
    ids: tuple[Any, ...]
    times: tuple[Any, ...]
    after: str | None
    before: str | None
    limit: int | None
    order: str | None
    has_more: Any

    @cached_property
    def list(self) -> List:
        query = self.exchange.request.query
        filters = tuple(sorted((name, value) for name, value in query.items() if name not in WALK))
        return self.exchange.probe, self.exchange.request.path, filters

    @cached_property
    def direction(self) -> Direction:
        return self.list, self.order


@remembered
def page_of(exchange: Exchange) -> Page:
    query = exchange.request.query
    limit = query.get("limit", "")
    return Page(
        exchange,
        tuple(ids_of(exchange)),
        tuple(row.get("created_at") for row in rows_of(exchange)),
        query.get("after"),
        query.get("before"),
        int(limit) if limit.isdecimal() else None,
        query.get("order") or _default_order(exchange),
        maybe_object(exchange).get("has_more"),
    )


def turned(page: Page) -> Page | None:
    """The list in the other order, where the page is the whole of it and each item has a second of its own."""
    is_whole = page.has_more is False and page.after is None and page.before is None and page.order in TURNED
    is_ordered = all(isinstance(time, int) for time in page.times) and len(set(page.times)) == len(page.ids)
    if not is_whole or not is_ordered:
        return None
    return replace(page, ids=page.ids[::-1], times=page.times[::-1], order=TURNED[page.order or ""])


def _default_order(exchange: Exchange) -> str | None:
    """What is documented; newest first where no order can be asked for, as in the lists of batches and of jobs."""
    operation = list_operation(exchange)
    assert operation is not None
    given = [one.node["schema"] for one in operation.parameters if one.name == "order"]
    return given[0].get("default") if given else "desc"


def largest_limit(exchange: Exchange) -> int | None:
    """The documented maximum of `limit` of a list."""
    operation = list_operation(exchange)
    given = [one.node["schema"] for one in operation.parameters if one.name == "limit"] if operation else []
    return given[0].get("maximum") if given else None


def pages_of(exchanges: Sequence[Exchange]) -> list[Page]:
    """The pages among what was served, in order of time. NotApplicable when there is none."""
    pages = [page_of(exchange) for exchange in exchanges if is_page(exchange)]
    if not pages:
        raise NotApplicable("no cursor list was asked for")
    return pages


def followed(pages: Sequence[Page]) -> Iterator[tuple[Page, Page]]:
    """Each page with one that was asked for later and goes on after its last item, in the same list and order."""
    asked: dict[tuple[str | None, Direction], list[int]] = {}
    for at, page in enumerate(pages):
        asked.setdefault((page.after, page.direction), []).append(at)
    for at, page in enumerate(pages):
        if page.ids and isinstance(page.ids[-1], str | None):
            for place in asked.get((page.ids[-1], page.direction), ()):
                if place > at:
                    yield page, pages[place]


Deletions = Mapping[str, frozenset[int]]


def deletions(exchanges: Sequence[Exchange]) -> Deletions:
    """By probe, the steps that deleted something."""
    found: dict[str, set[int]] = {}
    for exchange in exchanges:
        if exchange.request.method == "DELETE":
            found.setdefault(exchange.probe, set()).add(exchange.step)
    return {probe: frozenset(steps) for probe, steps in found.items()}


def is_changed_between(deleted: Deletions, one: Page, other: Page) -> bool:
    """Whether their flow deleted something between the two."""
    first, last = sorted((one.exchange.step, other.exchange.step))
    return any(first < step < last for step in deleted.get(one.exchange.probe, ()))


# Two clocks are rarely off by more; what is farther off is no time of making.
CLOCKS_DIFFER_S = 3600


def ranks(exchanges: Sequence[Exchange]) -> dict[tuple[str, str], dict[str, int]]:
    """By probe and path of the list: the ids that were made there, and when.

    Seconds, as lists are ordered by them: what was made in one second may stand in any order. They are those of the
    server, where it tells them: two that it made in one second may be asked for in two.
    """
    made: dict[tuple[str, str], dict[str, int]] = {}
    for exchange in exchanges:
        id = id_of(exchange)
        if exchange.request.method == "POST" and id is not None:
            asked, told = int(exchange.started_unix), as_count(maybe_object(exchange).get("created_at"))
            second = asked if told is None or abs(told - asked) > CLOCKS_DIFFER_S else told
            made.setdefault((exchange.probe, exchange.request.path), {}).setdefault(id, second)
    return made
