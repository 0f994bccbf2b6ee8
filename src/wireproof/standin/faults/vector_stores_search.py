"""Departures of searches in vector stores: the wrong thing is found, or told wrongly."""

from __future__ import annotations

from typing import Any

from wireproof.standin.faults import fault
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
    return serve(ask.without("filters") if is_of(ask, SEARCH) else ask)


@fault("vector-stores.filters-strict", breaks="vector-stores.search-filter-passes")
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
