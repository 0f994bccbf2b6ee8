"""Departures of searches in vector stores: the wrong thing is found, or told wrongly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_json, refused
from wireproof.standin.faults.store_edits import (
    CONTENT,
    SEARCH,
    edited,
    found,
    is_of,
)
from wireproof.standin.wire import Answer, Ask, Serve


@fault("vector-stores.worst-first", breaks="vector-stores.search-order", also=("vector-stores.search-finds",))
def the_worst_comes_first(ask: Ask, serve: Serve) -> Answer:
    """What is found comes with the lowest score first."""
    return found(ask, serve, lambda rows: rows[::-1])


@fault("vector-stores.most-ignored", breaks="vector-stores.search-most")
def any_number_is_found(ask: Ask, serve: Serve) -> Answer:
    """`max_num_results` has no effect."""
    is_number = bool(ask.asked.get("max_num_results"))
    return serve(ask.without("max_num_results") if is_of(ask, SEARCH) and is_number else ask)


@fault("vector-stores.threshold-ignored", breaks="vector-stores.search-threshold")
def the_threshold_is_ignored(ask: Ask, serve: Serve) -> Answer:
    """`score_threshold` has no effect."""
    return serve(ask.without("ranking_options") if is_of(ask, SEARCH) and "ranking_options" in ask.asked else ask)


@fault("vector-stores.filters-ignored", breaks="vector-stores.search-filter")
def filters_are_ignored(ask: Ask, serve: Serve) -> Answer:
    """`filters` have no effect."""
    is_known = (ask.asked.get("filters") or {}).get("type") != "wireproof"
    return serve(ask.without("filters") if is_of(ask, SEARCH) and is_known else ask)


@fault("vector-stores.filters-strict", breaks="vector-stores.search-filter-passes", also=("vector-stores.search-anew",))
def nothing_passes(ask: Ask, serve: Serve) -> Answer:
    """A search with filters finds nothing."""
    return found(ask, serve, lambda rows: [] if ask.asked.get("filters") else rows)


@fault("vector-stores.finds-another", breaks="vector-stores.search-finds")
def the_wrong_file_is_found(ask: Ask, serve: Serve) -> Answer:
    """What fits best is not found at all."""
    is_plain = set(ask.asked) == {"query"}
    return found(ask, serve, lambda rows: rows[1:] if is_plain else rows)


@fault("vector-stores.chunks-exchanged", breaks="vector-stores.search-content")
def chunks_are_of_another_file(ask: Ask, serve: Serve) -> Answer:
    """The texts of what is found are exchanged."""

    def edit(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        texts = [row["content"] for row in rows]
        return [{**row, "content": text} for row, text in zip(rows, texts[::-1], strict=True)]

    return found(ask, serve, edit)


@fault("vector-stores.filename-lost", breaks="vector-stores.search-content")
def names_of_files_are_lost(ask: Ask, serve: Serve) -> Answer:
    """What is found has no name of a file."""
    return found(ask, serve, lambda rows: [{**row, "filename": ""} for row in rows])


@fault("vector-stores.attributes-lost", breaks="vector-stores.search-attributes")
def attributes_are_lost(ask: Ask, serve: Serve) -> Answer:
    """What is found has no attributes."""
    return found(ask, serve, lambda rows: [{**row, "attributes": {}} for row in rows])


@fault("vector-stores.bounds-unchecked", breaks="vector-stores.search-bounds")
def any_bound_is_taken(ask: Ask, serve: Serve) -> Answer:
    """`max_num_results: 0` is taken for nothing said."""
    is_zero = ask.asked.get("max_num_results") == 0
    return serve(ask.without("max_num_results") if is_of(ask, SEARCH) and is_zero else ask)


@fault("vector-stores.content-empty", breaks="vector-stores.content")
def content_is_empty(ask: Ask, serve: Serve) -> Answer:
    """The content of a file of a store has no pieces."""
    return edited(CONTENT, ask, serve, lambda body: body | {"data": []})


@fault("vector-stores.rest-numbered", breaks="vector-stores.search-order")
def the_rest_is_numbered(ask: Ask, serve: Serve) -> Answer:
    """Behind the best of what is found, `score` rises with the place in the list."""
    return found(ask, serve, lambda rows: rows[:1] + [row | {"score": at / 100} for at, row in enumerate(rows[1:], 1)])


@fault("vector-stores.page-a-list", breaks="vector-stores.schema")
def results_are_a_list(ask: Ask, serve: Serve) -> Answer:
    """What is found has `object: "list"`."""
    return edited(SEARCH, ask, serve, lambda body: body | {"object": "list"})


@fault("vector-stores.scores-percent", breaks="vector-stores.schema")
def scores_are_percentages(ask: Ask, serve: Serve) -> Answer:
    """Scores run from 0 to 100."""
    return found(ask, serve, lambda rows: [row | {"score": 1 + row["score"] * 99} for row in rows])


Filter = dict[str, Any]


def _refiltered(ask: Ask, serve: Serve, edit: Callable[[Filter], Filter]) -> Answer:
    """`edit` on each comparison and compound of the filters that are asked with."""

    def every(one: Filter) -> Filter:
        return edit(one | {"filters": list(map(every, one["filters"]))} if "filters" in one else one)

    filters = ask.asked.get("filters")
    return serve(ask.changed(filters=every(filters)) if is_of(ask, SEARCH) and filters else ask)


@fault("vector-stores.bounds-included", breaks="vector-stores.search-filter")
def bounds_are_included(ask: Ask, serve: Serve) -> Answer:
    """`gt` and `lt` let through what is equal."""
    wider = {"gt": "gte", "lt": "lte"}
    return _refiltered(ask, serve, lambda one: one | {"type": wider.get(one["type"], one["type"])})


@fault("vector-stores.bounds-excluded", breaks="vector-stores.search-filter-passes")
def bounds_are_excluded(ask: Ask, serve: Serve) -> Answer:
    """`gte` and `lte` keep back what is equal."""
    narrower = {"gte": "gt", "lte": "lt"}
    return _refiltered(ask, serve, lambda one: one | {"type": narrower.get(one["type"], one["type"])})


@fault("vector-stores.or-as-and", breaks="vector-stores.search-filter-passes")
def any_is_all(ask: Ask, serve: Serve) -> Answer:
    """`or` is taken for `and`."""
    return _refiltered(ask, serve, lambda one: one | {"type": "and"} if one["type"] == "or" else one)


@fault("vector-stores.truth-as-text", breaks="vector-stores.search-filter-passes")
def truth_is_compared_as_text(ask: Ask, serve: Serve) -> Answer:
    """A filter for true looks for the word."""
    return _refiltered(ask, serve, lambda one: one | {"value": "true"} if one.get("value") is True else one)


@fault("vector-stores.filter-unknown-passed-over", breaks="vector-stores.search-filter-bounds")
def unknown_filters_are_passed_over(ask: Ask, serve: Serve) -> Answer:
    """A filter of a type that there is not is passed over."""
    filters = ask.asked.get("filters") or {}
    return serve(ask.without("filters") if is_of(ask, SEARCH) and filters.get("type") == "wireproof" else ask)


@fault("vector-stores.queries-crash", breaks="vector-stores.search-served")
def several_queries_crash(ask: Ask, serve: Serve) -> Answer:
    """500 for several queries at once."""
    answer = serve(ask)
    is_meant = is_of(ask, SEARCH) and isinstance(ask.asked.get("query"), list)
    return refused(answer, "expected string", status=500) if is_meant else answer


@fault("vector-stores.first-query", breaks="vector-stores.search-query")
def one_query_is_searched(ask: Ask, serve: Serve) -> Answer:
    """Of several queries the first is searched."""
    query = ask.asked.get("query")
    return serve(ask.changed(query=query[0]) if is_of(ask, SEARCH) and isinstance(query, list) else ask)


@fault("vector-stores.more-nowhere", breaks="vector-stores.pages")
def more_is_nowhere(ask: Ask, serve: Serve) -> Answer:
    """`has_more` is true, and there is no next page."""
    return edited(SEARCH, ask, serve, lambda body: body | {"has_more": True})


@fault("vector-stores.labels-stale", breaks="vector-stores.search-anew")
def labels_are_stale(ask: Ask, serve: Serve) -> Answer:
    """Searches know files by the attributes they came with."""
    filters = ask.asked.get("filters") or {}
    return found(ask, serve, lambda rows: [] if filters.get("value") == "light" else rows)


@fault("vector-stores.removed-found", breaks="vector-stores.search-anew", also=("vector-stores.search-filter*",))
def removed_files_are_found(ask: Ask, serve: Serve) -> Answer:
    """A file that was taken out of a store is still found there."""
    answer = serve(ask)
    is_meant = is_of(ask, SEARCH) and (ask.asked.get("filters") or {}).get("value") == "light"
    if not is_meant or answer.status != 200 or answer.json["data"]:
        return answer
    kept = serve(Ask("GET", "/v1/files", (("purpose", "assistants"), ("order", "asc")), ask.headers)).json["data"][0]
    text = [{"type": "text", "text": "The lighthouse keeper"}]
    row = {"file_id": kept["id"], "filename": kept["filename"], "score": 0.5, "content": text}
    return edit_json(answer, lambda body: body | {"data": [row | {"attributes": {"kind": "light", "year": 1823}}]})
