"""Cursor lists, whichever they are: every item once, in the order that was asked for, and `has_more` as it is.

No probes of its own: it judges the pages that the flows of each surface ask for. Whoever loses an item at the end of a
page, or reads one twice, does so in production alone, where lists are longer than a page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wireproof.clause import (
    Evidence,
    Exchange,
    Inconclusive,
    NotApplicable,
    answered,
    clause,
    expect,
    sent,
    sequence,
    shown,
)

from ._life import NOT_NOW, alike, expect_turned_down, is_ok, rows_of, status_of
from ._pages import (
    NO_SUCH,
    Direction,
    Page,
    deletions,
    followed,
    is_changed_between,
    is_page,
    largest_limit,
    list_operation,
    page_of,
    pages_of,
    ranks,
    turned,
)
from ._reading import error_of, maybe_object

EACH = answered(shows=is_page)
# Refused deletions as well: they may have deleted all the same.
ALL = sequence(Evidence(status="any"))


def _ids(page: Page) -> str:
    return shown(list(page.ids))


# ------------------------------------------------------------------------------------------------ one page


@clause("paging.limit", level="MUST", source="SPEC limit of every list", on=EACH, fields=("limit",))
def a_page_is_no_longer_than_its_limit(exchange: Exchange) -> None:
    """A page has at most `limit` items."""
    page = page_of(exchange)
    if not page.limit:
        raise NotApplicable("no limit was asked for")
    expect(len(page.ids) <= page.limit, expected=f"at most {page.limit} items", got=len(page.ids), at="/data")


@clause("paging.unique", level="MUST", source="SPEC every list", on=EACH)
def no_item_comes_twice(exchange: Exchange) -> None:
    """No item stands twice in a page."""
    ids = [id for id in page_of(exchange).ids if isinstance(id, str)]
    twice = [id for id, times in Counter(ids).items() if times > 1]
    expect(not twice, expected="each item once", got=f"{shown(twice)} twice", at="/data")


@clause("paging.ends", level="MUST", source="SPEC first_id, last_id of every list", on=EACH)
def cursors_name_the_ends(exchange: Exchange) -> None:
    """`first_id` and `last_id`, where they are told, are the ids of the first and of the last item of the page.

    Clients ask for the next page with `after`: a cursor that is not the last id loses items or repeats them.
    """
    page, body = page_of(exchange), maybe_object(exchange)
    for name, at in (("first_id", 0), ("last_id", -1)):
        told = body.get(name)
        if told is not None and page.ids:
            expect(told == page.ids[at], expected=f"{name} {shown(page.ids[at])}", got=shown(told), at=f"/{name}")


@clause("paging.cursors", level="SHOULD", source="SPEC first_id, last_id of every list", on=EACH)
def pages_tell_their_ends(exchange: Exchange) -> None:
    """A page with items tells `first_id` and `last_id`, for clients that go on from there."""
    operation = list_operation(exchange)
    if operation is None or operation.node["x-paging"] != "cursor" or not page_of(exchange).ids:
        raise NotApplicable("the page has no ends to tell")
    body = maybe_object(exchange)
    missing = [name for name in ("first_id", "last_id") if body.get(name) is None]
    expect(not missing, expected=" and ".join(missing), got=f"only {shown(sorted(body))}")


@clause(
    "paging.after-itself",
    level="MUST",
    source="SPEC after: the object ID that defines your place in the list",
    on=EACH,
    fields=("after", "before"),
)
def a_cursor_is_not_in_its_page(exchange: Exchange) -> None:
    """The item that `after` or `before` names is not in the page itself."""
    page = page_of(exchange)
    cursors = [cursor for cursor in (page.after, page.before) if cursor is not None]
    if not cursors:
        raise NotApplicable("no cursor was asked with")
    for cursor in cursors:
        expect(cursor not in page.ids, expected=f"a page without {cursor}", got=_ids(page), at="/data")


# --------------------------------------------------------------------------------------------- many pages


@clause("paging.once", level="MUST", source="SPEC after; SDK pagination.py", on=ALL)
def pages_do_not_overlap(exchanges: Sequence[Exchange]) -> None:
    """What stood in a page does not come again in the one that follows it, whatever was added in the meantime."""
    judged = False
    for page, later in followed(pages_of(exchanges)):
        judged = True
        again = [id for id in later.ids if id in page.ids]
        expect(not again, expected=f"none of {_ids(page)} again", got=shown(again), at=f"{later.exchange.id} /data")
    if not judged:
        raise NotApplicable("no page was followed by the next")


@clause("paging.whole", level="MUST", source="SPEC after, limit; SDK pagination.py", on=ALL)
def small_pages_are_the_large_one(exchanges: Sequence[Exchange]) -> None:
    """Pages of a few items, one after the other, bring what one page of many brings: nothing is skipped."""
    pages = pages_of(exchanges)
    judged, deleted = False, deletions(exchanges)
    # What was read ten times over in the same way is judged once.
    wholes: dict[str, Page] = {}
    later_pages: dict[Direction, dict[str, Page]] = {}
    for page in pages:
        for whole in (page, turned(page)):
            if whole is not None:
                wholes.setdefault(repr((whole.direction, whole.ids, whole.exchange.step)), whole)
        if page.after is not None and page.before is None:
            what = page.after, page.ids, page.limit, page.exchange.step
            later_pages.setdefault(page.direction, {}).setdefault(repr(what), page)
    for whole in wholes.values():
        for later in later_pages.get(whole.direction, {}).values():
            if later.after not in whole.ids or later.exchange is whole.exchange:
                continue
            if is_changed_between(deleted, whole, later) or later.after in later.ids:
                continue
            ids, told = _once(whole.ids), _once(later.ids)
            rest = ids[ids.index(later.after) + 1 :]
            if not rest:
                continue
            judged = True
            common = min(len(rest), len(told), later.limit or len(rest))
            expect(
                told[:common] == rest[:common] and (common > 0 or not _still_there(pages, rest[0], later)),
                expected=f"{shown(rest)} after {later.after}, as in {whole.exchange.id}",
                got=_ids(later),
                at=f"{later.exchange.id} /data",
            )
    if not judged:
        raise NotApplicable("no list was read both in small pages and in a large one")


def _once(ids: Sequence[Any]) -> list[Any]:
    """Without those that came before: paging.unique judges that."""
    return [id for at, id in enumerate(ids) if id not in ids[:at]]


def _still_there(pages: Sequence[Page], id: Any, later: Page) -> bool:
    """Whether a page of the same list shows the item after `later` was asked for."""
    return any(
        page.list == later.list and id in page.ids and page.exchange.step > later.exchange.step for page in pages
    )


@clause("paging.more", level="MUST", source="SPEC has_more of every list; SDK pagination.py", on=ALL)
def has_more_is_true_while_items_remain(exchanges: Sequence[Exchange]) -> None:
    """`has_more` is true exactly while there are items behind the page.

    False too early, and clients stop with half of the list; true at the end, and they ask for ever.
    """
    pages = pages_of(exchanges)
    judged, deleted, shows = False, deletions(exchanges), _showing(exchanges)
    for page, later in followed(pages):
        if not isinstance(page.has_more, bool) or page.before is not None or later.after in later.ids:
            continue
        if is_changed_between(deleted, page, later):
            continue
        known = [id for id in later.ids if any(_came_before(one, page.exchange) for one in shows.get(repr(id), ()))]
        if later.ids and not known:
            continue
        judged = True
        expect(
            page.has_more == bool(later.ids),
            expected=f"has_more {str(bool(later.ids)).lower()}: {len(later.ids)} items follow in {later.exchange.id}",
            got=shown(page.has_more),
            at=f"{page.exchange.id} /has_more",
        )
    for page, rest, whole in _in_the_whole(pages):
        known = [id for id in rest if any(_came_before(one, page.exchange) for one in shows.get(repr(id), ()))]
        # At the end of an ascending list something may have been made since.
        is_sure = bool(known) if rest else page.order == "desc" or page.exchange.step < whole.exchange.step
        if not isinstance(page.has_more, bool) or is_changed_between(deleted, page, whole) or not is_sure:
            continue
        judged = True
        expect(
            page.has_more == bool(rest),
            expected=f"has_more {str(bool(rest)).lower()}: {len(rest)} items follow in {whole.exchange.id}",
            got=shown(page.has_more),
            at=f"{page.exchange.id} /has_more",
        )
    for page in pages:
        # A page of no items, where that is taken, says nothing of the end.
        if isinstance(page.has_more, bool) and not page.ids and page.before is None and page.limit != 0:
            judged = True
            at = f"{page.exchange.id} /has_more"
            expect(not page.has_more, expected="has_more false: the page is empty", got="true", at=at)
    if not judged:
        raise NotApplicable("no page was followed by the next")


def _in_the_whole(pages: Sequence[Page]) -> Iterator[tuple[Page, list[Any], Page]]:
    """Each page with what stands behind it in a page that has the end of the same list, and with that page."""
    ends: dict[Direction, list[Page]] = {}
    for page in pages:
        if page.has_more is False and page.before is None:
            ends.setdefault(page.direction, []).append(page)
    for page in pages:
        for whole in ends.get(page.direction, ()):
            if whole is not page and page.before is None and page.ids and page.ids[-1] in whole.ids:
                ids = _once(whole.ids)
                yield page, ids[ids.index(page.ids[-1]) + 1 :], whole


def _showing(exchanges: Sequence[Exchange]) -> Mapping[str, list[Exchange]]:
    """By id, as Python writes it, the exchanges by which the item was made, read or listed."""
    found: dict[str, list[Exchange]] = {}
    for exchange in exchanges:
        ids = [maybe_object(exchange).get("id"), *(page_of(exchange).ids if is_page(exchange) else ())]
        for id in dict.fromkeys(map(repr, ids)):
            found.setdefault(id, []).append(exchange)
    return found


def _came_before(one: Exchange, other: Exchange) -> bool:
    if one.probe == other.probe:
        return one.step < other.step
    return one.started_unix + one.ended_at_s <= other.started_unix


@clause("paging.order", level="MUST", source="SPEC order: by created_at, desc unless asc", on=ALL, fields=("order",))
def lists_are_in_order(exchanges: Sequence[Exchange]) -> None:
    """`order: desc` lists the newest first, `asc` the oldest first; without `order` a list has its documented order."""
    made = ranks(exchanges)
    judged = False
    for page in pages_of(exchanges):
        place = made.get((page.exchange.probe, page.exchange.request.path), {})
        known = [id for id in page.ids if id in place]
        if len({place[id] for id in known}) < 2 or page.order is None:
            continue
        judged = True
        wanted = sorted(known, key=place.__getitem__, reverse=page.order == "desc")
        expect(
            known == wanted,
            expected=f"{'newest' if page.order == 'desc' else 'oldest'} first: {shown(wanted)}",
            got=shown(known),
            at=f"{page.exchange.id} /data",
        )
    if not judged:
        raise NotApplicable("no page shows two things whose order is known")


@clause(
    "paging.beyond",
    level="MUST",
    source="SPEC after, before: your place in the list",
    on=ALL,
    fields=("after", "before"),
)
def a_page_is_on_its_side_of_the_cursor(exchanges: Sequence[Exchange]) -> None:
    """`after` brings what follows the cursor in the order asked for, `before` what stands before it."""
    made = ranks(exchanges)
    judged = False
    for page in pages_of(exchanges):
        place = made.get((page.exchange.probe, page.exchange.request.path), {})
        for cursor, is_after in ((page.after, True), (page.before, False)):
            known = [id for id in page.ids if id in place and place[id] != place.get(cursor or "")]
            if cursor not in place or page.order is None or not known:
                continue
            judged = True
            forward = is_after == (page.order == "asc")
            wrong = [id for id in known if (place[id] > place[cursor]) != forward]
            expect(
                not wrong,
                expected=f"only what stands {'after' if is_after else 'before'} {cursor}",
                got=shown(wrong),
                at=f"{page.exchange.id} /data",
            )
    if not judged:
        raise NotApplicable("no page was asked for from a known place")


# What is told of a thing alone, by flows that read it before and after they list it.
READ_AND_LISTED = ("files.life", "batches.life", "vector-stores.life")


@clause(
    "paging.rows",
    level="MUST",
    source="SPEC data of every list: the objects themselves",
    on=sequence(Evidence(probes=READ_AND_LISTED, status="2xx")),
)
def lists_tell_what_reading_tells(exchanges: Sequence[Exchange]) -> None:
    """An item of a list has the values that it has when it is read by itself.

    Judged by what is the same before and after the list was asked for, and told in both.
    """
    told: dict[tuple[str, Any, Any], list[Exchange]] = {}
    for exchange in exchanges:
        body = maybe_object(exchange)
        if isinstance(body.get("id"), str) and "deleted" not in body:
            told.setdefault((exchange.probe, body["id"], body.get("object")), []).append(exchange)
    judged = False
    for exchange in filter(is_page, exchanges):
        for at, row in enumerate(rows_of(exchange)):
            alone = told.get((exchange.probe, row.get("id"), row.get("object")), ()) if _is_named(row) else ()
            before = [maybe_object(one) for one in alone if one.step < exchange.step]
            after = [maybe_object(one) for one in alone if one.step > exchange.step]
            # What was taken out and in again is another thing of the same id.
            if not before or not after or before[-1].get("created_at") != after[0].get("created_at"):
                continue
            judged = True
            for name, value in before[-1].items():
                if name in row and alike(value, after[0].get(name)):
                    expect(alike(row[name], value), expected=f"{name} {shown(value)}", got=shown(row[name]),
                           at=f"{exchange.id} /data/{at}/{name}")  # fmt: skip
    if not judged:
        raise NotApplicable("nothing was read both before and after it was listed")


def _is_named(row: Mapping[str, Any]) -> bool:
    return isinstance(row.get("id"), str)


# ------------------------------------------------------------------------------------------------ mistakes


def _is_list(exchange: Exchange) -> bool:
    return list_operation(exchange) is not None


def _is_asked_rightly(exchange: Exchange) -> bool:
    """Whether a list was asked for with documented names and values, and no cursor that names nothing."""
    operation = list_operation(exchange)
    if operation is None or _asks_unknown(exchange):
        return False
    query = exchange.request.query
    known = {parameter.name: parameter.schema for parameter in operation.parameters if parameter.place == "query"}
    if not (set(query) <= set(known) and {"limit", "order", "after"} & set(query)):
        return False
    return all(
        known[name].holds(int(query[name]) if name == "limit" and query[name].isdecimal() else query[name])
        for name in ("limit", "order")
        if name in query
    )


@clause(
    "paging.accepts", level="MUST", source="SPEC limit, order, after of every list", on=sequence(sent(shows=_is_list))
)
def documented_parameters_are_taken(exchanges: list[Exchange]) -> None:
    """`limit`, `order` and `after` are taken by every list that documents them, and never refused as unknown."""
    known = {exchange.operation for exchange in exchanges if is_ok(exchange)}
    why: list[Exception] = []
    judged = 0
    for exchange in filter(_is_asked_rightly, exchanges):
        status, foreign = exchange.status or 0, _refused_parameter(exchange)
        if status in (404, 405, 501):
            why.append(NotApplicable(f"not served: answered {status}"))
        elif status in NOT_NOW or (status >= 500 and exchange.operation not in known):
            why.insert(0, Inconclusive(f"{exchange.id} was answered {status}"))
        elif foreign is not None:
            why.append(NotApplicable(f"{foreign} was refused, which does not page"))
        else:
            judged += 1
            expect(status < 400, expected="a page", got=status_of(exchange), at=f"{exchange.id} ")
    if not judged:
        raise why[0] if why else NotApplicable("no list was asked for so")


PAGING = ("limit", "order", "after")


def _refused_parameter(exchange: Exchange) -> str | None:
    """The parameter beside those of the page that a refusal speaks of."""
    error = error_of(exchange)
    said = f"{error.get('param')} {error.get('message')}" if (exchange.status or 0) < 500 else ""
    if any(name in said for name in PAGING):
        return None
    return next((name for name in exchange.request.query if name not in PAGING and name in said), None)


def _asks_for_nothing(exchange: Exchange) -> bool:
    limit = exchange.request.query.get("limit", "1")
    return list_operation(exchange) is not None and (limit == "0" or not limit.isdecimal())


@clause(
    "paging.limit-refused",
    level="SHOULD",
    source="SPEC limit: minimum 1; ERR-LATE 400",
    on=sent(shows=_asks_for_nothing),
)
def a_limit_of_nothing_is_refused(exchange: Exchange) -> None:
    """`limit: 0`, or a limit that is no number, is refused with 400, or 422: no page has less than one item."""
    if exchange.status == 404:
        raise NotApplicable("the list is not served")
    expect_turned_down(exchange)


def _asks_too_much(exchange: Exchange) -> bool:
    limit, most = exchange.request.query.get("limit", ""), largest_limit(exchange)
    return most is not None and limit.isdecimal() and int(limit) > most


@clause(
    "paging.limit-most",
    level="SHOULD",
    source="SPEC limit: maximum of every list; ERR-LATE 400",
    on=sent(shows=_asks_too_much),
)
def a_limit_above_the_largest_is_refused(exchange: Exchange) -> None:
    """A `limit` above the documented maximum is refused with 400, or 422: a client would wait for more than it gets."""
    if exchange.status == 404:
        raise NotApplicable("the list is not served")
    expect_turned_down(exchange)


@clause(
    "paging.unknown-cursor",
    level="SHOULD",
    source="ERR-LATE 400, 500",
    on=sent(shows=lambda exchange: list_operation(exchange) is not None and _asks_unknown(exchange)),
)
def an_unknown_cursor_is_no_server_error(exchange: Exchange) -> None:
    """A cursor that names nothing is refused as a mistake, or answered with a page; it is no fault of the server.

    An item may be deleted between two pages, and its id is then such a cursor.
    """
    status = exchange.status or 0
    if status in NOT_NOW or status == 501:
        raise Inconclusive(f"answered {status}")
    expect(status < 500, expected="a status below 500", got=status_of(exchange))


def _asks_unknown(exchange: Exchange) -> bool:
    query = exchange.request.query
    return any(NO_SUCH in query.get(name, "") for name in ("after", "before"))
