"""What is found in vector stores: chunks of the files that were meant, the best first, and no more than were asked for.

No probes of its own: the flow of vector_stores.py searches while all its files are there.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from wireproof.clause import Exchange, Inconclusive, NotApplicable, answered, clause, expect, sent, shown, steps

from ._life import NOT_NOW, alike, asked_for, expect_turned_down, is_ok, of_path, rows_of, served, status_of
from ._reading import as_number, as_object, as_objects, maybe_object
from ._stores import (
    FILTERS,
    LIFE,
    MARKS,
    NEW_MARKS,
    NO_FILTER,
    QUERY,
    SENT,
    TOWER,
    are_marked,
    file_ids,
    is_completed,
    plain,
    searches,
    sent_as,
    store_of,
    texts_of,
)

SEARCH = answered("searchVectorStore")


@clause("vector-stores.search-order", level="MUST", source="SPEC searchVectorStore: sorted by similarity", on=SEARCH)
def the_best_comes_first(exchange: Exchange) -> None:
    """What is found is sorted by `score`, the highest first."""
    scores = [(at, as_number(row.get("score"))) for at, row in enumerate(rows_of(exchange))]
    for (_, better), (at, worse) in pairwise(scores):
        if better is not None and worse is not None:
            expect(better >= worse, expected=f"a score of at most {better}", got=worse, at=f"/data/{at}/score")


@clause(
    "vector-stores.search-most",
    level="MUST",
    source="SPEC VectorStoreSearchRequest.max_num_results",
    on=SEARCH,
    fields=("max_num_results",),
)
def no_more_is_found_than_asked_for(exchange: Exchange) -> None:
    """At most `max_num_results` chunks are found, 10 when nothing is said."""
    asked = exchange.request.asked.get("max_num_results", 10)
    if type(asked) is not int or asked < 1:
        raise NotApplicable("no such number of results")
    found = len(rows_of(exchange))
    expect(found <= asked, expected=f"at most {asked}", got=found, at="/data")


@clause(
    "vector-stores.search-threshold",
    level="MUST",
    source="SPEC ranking_options.score_threshold",
    on=SEARCH,
    fields=("ranking_options",),
)
def nothing_below_the_threshold_is_found(exchange: Exchange) -> None:
    """Nothing is found whose `score` is below the `score_threshold` that was asked for."""
    least = as_number(as_object(exchange.request.asked.get("ranking_options")).get("score_threshold"))
    if least is None:
        raise NotApplicable("no threshold was asked for")
    for at, row in enumerate(rows_of(exchange)):
        score = as_number(row.get("score"))
        expect(score is None or score >= least, expected=f"a score of at least {least}", got=shown(row.get("score")),
               at=f"/data/{at}/score")  # fmt: skip


@clause(
    "vector-stores.search-filter",
    level="MUST",
    source="SPEC ComparisonFilter, CompoundFilter",
    on=steps(LIFE),
    fields=("filters",),
)
def filters_are_kept(exchanges: list[Exchange]) -> None:
    """Only chunks of files whose attributes pass the `filters` are found."""
    judged = False
    for exchange, rows, asked in _filtered(exchanges):
        judged = True
        for at, row in enumerate(rows):
            file = sent_as(exchanges, row.get("file_id"))
            if file is not None:
                expect(_passes(MARKS[file.name], asked), expected=f"only files that pass {shown(asked)}",
                       got=f"{file.name} with {shown(MARKS[file.name])}", at=f"{exchange.id} /data/{at}")  # fmt: skip
    if not judged:
        raise NotApplicable("nothing was searched with filters")


COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "in": lambda has, values: has in values,
    "nin": lambda has, values: has not in values,
}


def _passes(marks: dict[str, Any], asked: dict[str, Any]) -> bool:
    if asked["type"] in ("and", "or"):
        parts = [_passes(marks, part) for part in as_objects(asked.get("filters"))]
        return all(parts) if asked["type"] == "and" else any(parts)
    return COMPARE[asked["type"]](marks[asked["key"]], asked["value"])


def _filtered(exchanges: list[Exchange]) -> list[tuple[Exchange, list[dict[str, Any]], dict[str, Any]]]:
    """The searches by filters that there are, with the filters, while every file has the attributes it came with."""
    if not are_marked(exchanges):
        raise NotApplicable("files are taken in without attributes")
    found = [(e, rows, as_object(e.request.asked.get("filters"))) for e, rows in searches(exchanges)]
    return [(exchange, rows, asked) for exchange, rows, asked in found if asked in FILTERS]


@clause("vector-stores.search-filter-passes", level="SHOULD", source="SPEC ComparisonFilter", on=steps(LIFE))
def what_passes_is_found(exchanges: list[Exchange]) -> None:
    """A filter lets through what it names: a search of a store in which one file passes finds that file.

    Without a threshold even a poor match is the best there is.
    """
    judged = False
    everything = {
        row.get("file_id") for e, rows in searches(exchanges) if "filters" not in e.request.asked for row in rows
    }
    for exchange, rows, asked in _filtered(exchanges):
        wanted = {file_ids(exchanges).get(file.name) for file in SENT if _passes(MARKS[file.name], asked)}
        if not wanted or not wanted <= everything:
            continue
        judged = True
        found = {row.get("file_id") for row in rows}
        names = shown(sorted(map(str, wanted)))
        expect(wanted <= found, expected=f"chunks of {names}", got=shown(sorted(map(str, found))),
               at=f"{exchange.id} /data")  # fmt: skip
    if not judged:
        raise NotApplicable("what would pass is not found without filters either")


@clause("vector-stores.search-finds", level="SHOULD", source="DOCS-0715 retrieval: semantic search", on=steps(LIFE))
def what_is_said_is_found(exchanges: list[Exchange]) -> None:
    """A search for words that stand in one file, and in no other, finds that file first."""
    if not is_completed(exchanges, TOWER):
        raise NotApplicable("the file is not completed: vector-stores.ready judges that")
    exchange, rows = next(
        (found for found in searches(exchanges) if found[0].request.asked == {"query": QUERY}), (None, [])
    )
    if exchange is None:
        raise Inconclusive("the plain search was not answered")
    wanted, got = file_ids(exchanges).get(TOWER.name), rows[0].get("file_id") if rows else "nothing"
    expect(got == wanted, expected=f"{wanted} first, which says {QUERY!r}", got=shown(got), at=f"{exchange.id} /data/0")


@clause("vector-stores.search-content", level="MUST", source="SPEC VectorStoreSearchResultItem", on=steps(LIFE))
def chunks_are_those_of_their_file(exchanges: list[Exchange]) -> None:
    """Each chunk that is found stands in the file whose `file_id` and `filename` it tells."""
    judged = False
    for exchange, rows in searches(exchanges):
        for at, row in enumerate(rows):
            file = sent_as(exchanges, row.get("file_id"))
            where = f"{exchange.id} /data/{at}"
            expect(
                file is not None, expected="a file of the store", got=shown(row.get("file_id")), at=f"{where}/file_id"
            )
            assert file is not None
            judged = True
            name = row.get("filename")
            expect(name == file.name, expected=f"filename {file.name}", got=shown(name), at=f"{where}/filename")
            texts = texts_of(row)
            whole = plain(file.data.decode())
            for text in texts:
                expect(plain(text) in whole, expected=f"words of {file.name}", got=shown(text), at=f"{where}/content")
            expect(
                any(map(plain, texts)),
                expected="the text that was found",
                got=shown(row.get("content")),
                at=f"{where}/content",
            )
    if not judged:
        raise NotApplicable("nothing was found")


@clause("vector-stores.search-attributes", level="MUST", source="SPEC VectorStoreSearchResultItem.attributes",
        on=steps(LIFE))  # fmt: skip
def chunks_have_the_attributes_of_their_file(exchanges: list[Exchange]) -> None:
    """What is found has the `attributes` of its file."""
    if not are_marked(exchanges):
        raise NotApplicable("files are taken in without attributes")
    judged = False
    changes = [e for e in exchanges if e.operation == "updateVectorStoreFileAttributes"]
    for exchange, rows in searches(exchanges):
        for at, row in enumerate(rows):
            file = sent_as(exchanges, row.get("file_id"))
            if file is not None:
                judged = True
                changed = [
                    e for e in changes if e.request.path.endswith(f"/{row['file_id']}") and e.step < exchange.step
                ]
                # Of a change that was refused nobody knows.
                kept = [] if changed and is_ok(changed[-1]) else [MARKS[file.name]]
                known = [*kept, *(NEW_MARKS for _ in changed)]
                told = row.get("attributes")
                expect(any(alike(told, marks) for marks in known), expected=shown(known[-1]), got=shown(told),
                       at=f"{exchange.id} /data/{at}/attributes")  # fmt: skip
    if not judged:
        raise NotApplicable("nothing was found")


@clause("vector-stores.search-bounds", level="SHOULD", source="SPEC max_num_results: 1 to 50; ERR-LATE 400",
        on=steps(LIFE))  # fmt: skip
def a_search_for_nothing_is_refused(exchanges: list[Exchange]) -> None:
    """`max_num_results: 0` is refused with 400, or 422."""
    store_of(exchanges)
    exchange = asked_for(exchanges, "searchVectorStore", lambda e: e.request.asked.get("max_num_results") == 0)
    searches(exchanges)
    expect_turned_down(exchange)


@clause("vector-stores.content", level="MUST", source="SPEC retrieveVectorStoreFileContent", on=steps(LIFE))
def the_text_of_a_file_can_be_read(exchanges: list[Exchange]) -> None:
    """The content of a file of a store is the text that was in the File, in pieces."""
    if not is_completed(exchanges, TOWER):
        raise NotApplicable("the file is not completed: vector-stores.ready judges that")
    exchange = asked_for(exchanges, "retrieveVectorStoreFileContent")
    served(exchange, "the content of the file")
    texts = texts_of({"content": maybe_object(exchange).get("data")})
    whole = plain(TOWER.data.decode())
    expect(len(set(texts)) == len(texts), expected="each piece once", got=shown(texts), at=f"{exchange.id} /data")
    told = plain(" ".join(texts))
    for text in texts:
        expect(plain(text) in whole, expected=f"words of {TOWER.name}", got=shown(text), at=f"{exchange.id} /data")
    expect(QUERY in told, expected=f"a piece that says {QUERY!r}", got=shown(told), at=f"{exchange.id} /data")


def relabelling(exchanges: list[Exchange]) -> Exchange | None:
    """The change of the attributes of a file, once it was accepted."""
    return next((e for e in exchanges if e.operation == "updateVectorStoreFileAttributes" and is_ok(e)), None)


@clause("vector-stores.search-anew", level="SHOULD",
        source="SPEC updateVectorStoreFileAttributes, deleteVectorStoreFile", on=steps(LIFE))  # fmt: skip
def searches_know_what_changed(exchanges: list[Exchange]) -> None:
    """A file that was labelled anew is found by its new attributes, and not any more once it was taken out."""
    change = relabelling(exchanges)
    if change is None or not are_marked(exchanges) or not is_completed(exchanges, TOWER):
        raise NotApplicable("no file that is completed was labelled anew")
    id = change.request.path.rpartition("/")[2]
    removal = asked_for(exchanges, "deleteVectorStoreFile", of_path(change.request.path), after=change)
    judged = False
    for exchange, rows in searches(exchanges):
        if exchange.step > change.step and "filters" in exchange.request.asked:
            is_there = exchange.step < removal.step
            found = id in [row.get("file_id") for row in rows]
            if is_there or is_ok(removal):
                judged = True
                expect(found == is_there, expected=f"{'chunks' if is_there else 'no chunk'} of {id}",
                       got=shown([row.get("file_id") for row in rows]), at=f"{exchange.id} /data")  # fmt: skip
    if not judged:
        raise NotApplicable("nothing was searched after that")


def _is_asked_rightly(exchange: Exchange) -> bool:
    asked = exchange.request.asked
    return asked.get("max_num_results") != 0 and asked.get("filters") != NO_FILTER


@clause("vector-stores.search-served", level="SHOULD", source="SPEC VectorStoreSearchRequest; ERR-LATE 500",
        on=sent("searchVectorStore", shows=_is_asked_rightly))  # fmt: skip
def documented_searches_do_not_crash(exchange: Exchange) -> None:
    """A search as documented, by several queries, rewritten, by compound filters, is answered, or refused as such."""
    status = exchange.status or 0
    if status in NOT_NOW or status == 501:
        raise Inconclusive(f"answered {status}")
    if 400 <= status < 500:
        raise NotApplicable(f"not served: answered {status}")
    expect(status < 500, expected="an answer, or a refusal", got=status_of(exchange))


@clause(
    "vector-stores.search-query", level="SHOULD", source="SPEC VectorStoreSearchResultsPage.search_query", on=SEARCH
)
def the_query_is_told(exchange: Exchange) -> None:
    """`search_query` has the queries that were asked, all of them, unless they were to be rewritten."""
    asked = exchange.request.asked
    if asked.get("rewrite_query"):
        raise NotApplicable("the query was to be rewritten")
    wanted = asked["query"] if isinstance(asked.get("query"), list) else [asked.get("query")]
    told = maybe_object(exchange).get("search_query")
    expect(told in (wanted, asked.get("query")), expected=shown(wanted), got=shown(told), at="/search_query")


@clause("vector-stores.pages", level="SHOULD", source="SPEC VectorStoreSearchResultsPage.next_page",
        on=answered("searchVectorStore", "retrieveVectorStoreFileContent"))  # fmt: skip
def more_has_a_next_page(exchange: Exchange) -> None:
    """`next_page` is told where `has_more` is true, and null where it is not."""
    body = maybe_object(exchange)
    more, page = body.get("has_more"), body.get("next_page")
    if not isinstance(more, bool):
        raise NotApplicable("has_more is not told: vector-stores.schema judges that")
    expect(bool(page) == more, expected="a next_page" if more else "no next_page", got=shown(page), at="/next_page")


@clause("vector-stores.search-filter-bounds", level="SHOULD", source="SPEC ComparisonFilter.type; ERR-LATE 400",
        on=steps(LIFE))  # fmt: skip
def an_unknown_comparison_is_refused(exchanges: list[Exchange]) -> None:
    """A filter of a type that there is not is refused with 400, or 422, and not passed over: it may keep secrets."""
    searches(exchanges)
    expect_turned_down(asked_for(exchanges, "searchVectorStore", lambda e: e.request.asked.get("filters") == NO_FILTER))
