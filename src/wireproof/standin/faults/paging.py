"""Departures of cursor lists: pages that lose, repeat or turn around what is in them. Shown on the list of files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_json, refused
from wireproof.standin.wire import Answer, Ask, Serve

LIST = "/v1/files"
TURNED = {"asc": "desc", "desc": "asc"}

Edit = Callable[[dict[str, Any]], Any]


def _is_list(ask: Ask) -> bool:
    return ask.method == "GET" and ask.path == LIST


def _is_store_list(ask: Ask) -> bool:
    """Whether the files of a vector store are listed."""
    is_meant = ask.path.startswith("/v1/vector_stores/") and ask.path.count("/") == 4 and ask.path.endswith("/files")
    return ask.method == "GET" and is_meant


def _query(ask: Ask, **changed: str | None) -> Ask:
    """The same request with these parameters; None drops one."""
    kept = [(name, value) for name, value in ask.query if name not in changed]
    return replace(ask, query=(*kept, *((name, value) for name, value in changed.items() if value is not None)))


def _asked(ask: Ask, name: str) -> str | None:
    return next((value for key, value in ask.query if key == name), None)


def _edited(ask: Ask, serve: Serve, edit: Edit) -> Answer:
    answer = serve(ask)
    return edit_json(answer, edit) if _is_list(ask) else answer


def _with_ends(body: dict[str, Any], data: list[Any]) -> dict[str, Any]:
    ends = {"first_id": data[0]["id"] if data else None, "last_id": data[-1]["id"] if data else None}
    return {**body, "data": data, **ends}


@fault("paging.limit-ignored", breaks="paging.limit", also=("files.list", "paging.limit-refused", "paging.more"))
def limit_is_ignored(ask: Ask, serve: Serve) -> Answer:
    """`limit` has no effect."""
    is_number = (_asked(ask, "limit") or "0") != "0"
    return serve(_query(ask, limit=None) if _is_list(ask) and is_number else ask)


@fault("paging.twice", breaks="paging.unique", also=("paging.limit", "paging.more", "paging.whole"))
def items_come_twice(ask: Ask, serve: Serve) -> Answer:
    """The last item of every page comes twice."""
    return _edited(ask, serve, lambda body: body | {"data": body["data"] + body["data"][-1:]})


@fault("paging.twice-in-a-store", breaks="paging.unique")
def files_of_a_store_come_twice(ask: Ask, serve: Serve) -> Answer:
    """The last file of a vector store comes twice where the page has room for it."""
    answer = serve(ask)
    if not _is_store_list(ask) or _asked(ask, "limit"):
        return answer
    return edit_json(answer, lambda body: body | {"data": body["data"] + body["data"][-1:]})


@fault("paging.last-is-first", breaks="paging.ends")
def the_last_id_is_the_first(ask: Ask, serve: Serve) -> Answer:
    """`last_id` is the id of the first item."""
    return _edited(ask, serve, lambda body: body | {"last_id": body["first_id"]})


@fault("paging.cursors-missing", breaks="paging.cursors")
def cursors_are_missing(ask: Ask, serve: Serve) -> Answer:
    """Lists have neither `first_id` nor `last_id`."""
    return _edited(ask, serve, lambda body: {k: v for k, v in body.items() if k not in ("first_id", "last_id")})


@fault("paging.after-included", breaks="paging.after-itself", also=("paging.*",))
def the_cursor_is_included(ask: Ask, serve: Serve) -> Answer:
    """A page begins with the item that `after` names."""
    cursor = _asked(ask, "after")
    whole = serve(_query(ask, after=None, limit=None)) if _is_list(ask) and cursor else None
    own = [row for row in whole.json["data"] if row["id"] == cursor] if whole is not None else []
    if not own:
        return serve(ask)
    return edit_json(serve(ask), lambda body: _with_ends(body, (own + body["data"])[: int(_asked(ask, "limit") or 20)]))


@fault("paging.offset-cursor", breaks="paging.once", also=("paging.*",))
def cursors_are_places(ask: Ask, serve: Serve) -> Answer:
    """A page begins as many items from the front as were read before it, whatever came since."""
    if not _is_list(ask) or _asked(ask, "order") != "desc" or not _asked(ask, "after"):
        return serve(ask)
    limit = int(_asked(ask, "limit") or 20)
    whole = serve(_query(ask, after=None, limit=None))
    return edit_json(
        whole,
        lambda body: _with_ends(body, body["data"][limit : 2 * limit]) | {"has_more": len(body["data"]) > 2 * limit},
    )


@fault("paging.skips", breaks="paging.whole", also=("paging.more",))
def an_item_is_skipped(ask: Ask, serve: Serve) -> Answer:
    """The item right behind the cursor is not in the next page."""
    cursor = _asked(ask, "after")
    if not _is_list(ask) or not cursor:
        return serve(ask)
    ahead = edit_json(serve(_query(ask, limit="1")), lambda body: body)
    rows = ahead.json["data"] if ahead.status == 200 else []
    return serve(_query(ask, after=rows[0]["id"])) if rows else serve(ask)


@fault("paging.newest-again", breaks="paging.once", also=("paging.whole",))
def the_newest_comes_again(ask: Ask, serve: Serve) -> Answer:
    """A later page of the files of a vector store, the newest first, is that of the newest again."""
    is_meant = _is_store_list(ask) and _asked(ask, "after") and not _asked(ask, "order")
    return serve(_query(ask, after=None) if is_meant else ask)


@fault("paging.last-but-one-again", breaks="paging.once")
def the_last_but_one_comes_again(ask: Ask, serve: Serve) -> Answer:
    """Behind the last item of an ascending list comes the one before it again, and so on for ever."""
    cursor, answer = _asked(ask, "after"), serve(ask)
    if not _is_list(ask) or _asked(ask, "order") != "asc" or not cursor or answer.status != 200:
        return answer
    ids = [row["id"] for row in serve(_query(ask, after=None, limit=None)).json["data"]]
    before = ids[-3] if ids[-1] == cursor else cursor
    return edit_json(serve(_query(ask, after=before, limit="1" if before != cursor else _asked(ask, "limit"))),
                     lambda body: body | {"has_more": True})  # fmt: skip


@fault("paging.limit-text-crash", breaks="paging.limit-refused")
def a_limit_that_is_no_number_crashes(ask: Ask, serve: Serve) -> Answer:
    """500 for a limit that is no number."""
    answer, limit = serve(ask), _asked(ask, "limit")
    is_meant = limit is not None and not limit.isdecimal() and answer.status == 400
    return refused(answer, "invalid literal for int()", status=500) if is_meant else answer


@fault("paging.more-batches", breaks="paging.more")
def there_are_always_more_batches(ask: Ask, serve: Serve) -> Answer:
    """`has_more` of the list of batches is always true."""
    answer = serve(ask)
    is_meant = ask.method == "GET" and ask.path == "/v1/batches"
    return edit_json(answer, lambda body: body | {"has_more": True}) if is_meant else answer


@fault("paging.one-store-more", breaks="paging.limit", also=("paging.whole", "paging.more"))
def one_store_more_is_listed(ask: Ask, serve: Serve) -> Answer:
    """A page of stores has one item more than its limit."""
    limit = _asked(ask, "limit") or ""
    is_meant = ask.method == "GET" and ask.path == "/v1/vector_stores" and limit.isdecimal() and 0 < int(limit) < 100
    return serve(_query(ask, limit=str(int(limit) + 1)) if is_meant else ask)


@fault("paging.rows-bare", breaks="paging.rows")
def rows_are_bare(ask: Ask, serve: Serve) -> Answer:
    """In lists the files of a vector store have no attributes, and use no bytes."""
    answer = serve(ask)
    bare = {"attributes": {}, "usage_bytes": 0}
    if not _is_store_list(ask):
        return answer
    return edit_json(answer, lambda body: body | {"data": [row | bare for row in body["data"]]})


@fault("paging.skips-in-a-store", breaks="paging.whole")
def a_file_of_a_store_is_skipped(ask: Ask, serve: Serve) -> Answer:
    """The file of a vector store right behind the cursor is not in the next page, unless it is the last."""
    cursor = _asked(ask, "after")
    if not _is_store_list(ask) or not cursor:
        return serve(ask)
    ahead = serve(_query(ask, limit="2"))
    rows = ahead.json["data"] if ahead.status == 200 else []
    return serve(_query(ask, after=rows[0]["id"])) if len(rows) == 2 else serve(ask)


@fault("paging.no-more", breaks="paging.more")
def there_is_never_more(ask: Ask, serve: Serve) -> Answer:
    """`has_more` is always false."""
    return _edited(ask, serve, lambda body: body | {"has_more": False})


@fault("paging.always-more", breaks="paging.more")
def there_is_always_more(ask: Ask, serve: Serve) -> Answer:
    """`has_more` is true wherever a page is full, also the last one."""
    limit = _asked(ask, "limit") or "20"
    return _edited(ask, serve, lambda body: body | {"has_more": len(body["data"]) >= int(limit)})


@fault("paging.order-turned", breaks="paging.order", also=("paging.*",))
def order_is_turned_around(ask: Ask, serve: Serve) -> Answer:
    """Ascending where descending was asked for, and the reverse."""
    return serve(_query(ask, order=TURNED[_asked(ask, "order") or "desc"]) if _is_list(ask) else ask)


@fault("paging.order-ignored", breaks="paging.order", also=("paging.*",))
def order_is_ignored(ask: Ask, serve: Serve) -> Answer:
    """`order` has no effect: the newest is always first."""
    return serve(_query(ask, order=None) if _is_list(ask) else ask)


@fault("paging.default-ascending", breaks="paging.order", also=("paging.*",))
def lists_ascend_by_default(ask: Ask, serve: Serve) -> Answer:
    """Without `order` the oldest comes first."""
    return serve(_query(ask, order="asc") if _is_list(ask) and _asked(ask, "order") is None else ask)


@fault("paging.newest-last", breaks="paging.order")
def the_newest_is_last(ask: Ask, serve: Serve) -> Answer:
    """What is first by the order asked for stands at the end of the first page."""
    if _asked(ask, "after"):
        return serve(ask)
    return _edited(ask, serve, lambda body: _with_ends(body, body["data"][1:] + body["data"][:1]))


@fault("paging.after-ignored", breaks="paging.beyond", also=("paging.*",))
def the_cursor_is_ignored(ask: Ask, serve: Serve) -> Answer:
    """`after` has no effect: every page is the first."""
    return serve(_query(ask, after=None) if _is_list(ask) else ask)


@fault("paging.ring", breaks="paging.beyond")
def lists_are_rings(ask: Ask, serve: Serve) -> Answer:
    """Behind the last item of an ascending list comes the first again."""
    answer = serve(ask)
    if not _is_list(ask) or _asked(ask, "order") != "asc" or answer.status != 200:
        return answer
    if answer.json["data"]:
        return edit_json(answer, lambda body: body | {"has_more": True})
    return edit_json(serve(_query(ask, after=None, limit="1")), lambda body: body | {"has_more": True})


@fault("paging.order-refused", breaks="paging.accepts")
def order_is_refused(ask: Ask, serve: Serve) -> Answer:
    """`order` is an unknown parameter."""
    answer = serve(ask)
    return (
        refused(answer, "Unknown parameter: 'order'.", param="order")
        if _is_list(ask) and _asked(ask, "order")
        else answer
    )


@fault("paging.limit-unchecked", breaks="paging.limit-refused")
def any_limit_is_taken(ask: Ask, serve: Serve) -> Answer:
    """A limit of 0 is taken for none."""
    return serve(_query(ask, limit=None) if _asked(ask, "limit") == "0" else ask)


@fault("paging.limit-clamped", breaks="paging.limit-most")
def limits_are_clamped(ask: Ask, serve: Serve) -> Answer:
    """A limit above the maximum is taken for none."""
    limit = _asked(ask, "limit") or ""
    return serve(_query(ask, limit=None) if limit.isdecimal() and int(limit) > 100 else ask)


@fault("paging.cursor-a-time", breaks="paging.whole", also=("paging.more",))
def cursors_are_times(ask: Ask, serve: Serve) -> Answer:
    """A page begins behind the second in which the item of the cursor was made: others of that second are lost."""
    whole = serve(_query(ask, after=None, limit=None)) if _is_list(ask) and _asked(ask, "after") else None
    rows = whole.json["data"] if whole is not None and whole.status == 200 else []
    told = [row["created_at"] for row in rows if row["id"] == _asked(ask, "after")]
    if whole is None or not told:
        return serve(ask)
    sign, limit = (1 if _asked(ask, "order") == "asc" else -1), int(_asked(ask, "limit") or 20)
    left = [row for row in rows if sign * row["created_at"] > sign * told[0]]
    return edit_json(whole, lambda body: _with_ends(body, left[:limit]) | {"has_more": len(left) > limit})


@fault("paging.cursor-crash", breaks="paging.unknown-cursor")
def an_unknown_cursor_crashes(ask: Ask, serve: Serve) -> Answer:
    """500 for a cursor that names nothing."""
    answer = serve(ask)
    if _is_list(ask) and _asked(ask, "after") and answer.status == 400:
        return refused(answer, "Internal server error", status=500)
    return answer
