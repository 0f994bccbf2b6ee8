"""What is found in vector stores: chunks of the files that were meant, the best first, and no more than were asked for.

No probes of its own: the flow of vector_stores.py searches while all its files are there.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from wireproof.clause import Exchange, Inconclusive, NotApplicable, answered, clause, expect, shown, steps

from ._life import asked_for, expect_turned_down, rows_of, served
from ._reading import as_number, as_object, as_objects, maybe_object
from ._stores import (
    LIFE,
    MARKS,
    QUERY,
    SENT,
    TOWER,
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
    for exchange, rows in searches(exchanges):
        asked = as_object(exchange.request.asked.get("filters"))
        if not asked:
            continue
        judged = True
        for at, row in enumerate(rows):
            file = sent_as(exchanges, row.get("file_id"))
            if file is not None:
                expect(_passes(MARKS[file.name], asked), expected=f"only files that pass {shown(asked)}",
                       got=f"{file.name} with {shown(MARKS[file.name])}", at=f"{exchange.id} /data/{at}")  # fmt: skip
    if not judged:
        raise NotApplicable("nothing was searched with filters")


def _passes(marks: dict[str, Any], asked: dict[str, Any]) -> bool:
    if asked.get("type") == "and":
        return all(_passes(marks, part) for part in as_objects(asked.get("filters")))
    has, value, kind = marks[asked["key"]], asked["value"], asked["type"]
    return bool(has < value if kind == "lt" else (has == value) is (kind == "eq"))


@clause("vector-stores.search-filter-passes", level="SHOULD", source="SPEC ComparisonFilter", on=steps(LIFE))
def what_passes_is_found(exchanges: list[Exchange]) -> None:
    """A filter lets through what it names: a search of a store in which one file passes finds that file.

    Without a threshold even a poor match is the best there is.
    """
    judged = False
    everything = {
        row.get("file_id") for e, rows in searches(exchanges) if "filters" not in e.request.asked for row in rows
    }
    for exchange, rows in searches(exchanges):
        asked = as_object(exchange.request.asked.get("filters"))
        wanted = {file_ids(exchanges).get(file.name) for file in SENT if asked and _passes(MARKS[file.name], asked)}
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
                bool(texts), expected="the text that was found", got=shown(row.get("content")), at=f"{where}/content"
            )
    if not judged:
        raise NotApplicable("nothing was found")


@clause("vector-stores.search-attributes", level="MUST", source="SPEC VectorStoreSearchResultItem.attributes",
        on=steps(LIFE))  # fmt: skip
def chunks_have_the_attributes_of_their_file(exchanges: list[Exchange]) -> None:
    """What is found has the `attributes` of its file."""
    judged = False
    for exchange, rows in searches(exchanges):
        for at, row in enumerate(rows):
            file = sent_as(exchanges, row.get("file_id"))
            if file is not None:
                judged = True
                told = row.get("attributes")
                expect(told == MARKS[file.name], expected=shown(MARKS[file.name]), got=shown(told),
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
    told = plain(" ".join(texts))
    for text in texts:
        expect(plain(text) in whole, expected=f"words of {TOWER.name}", got=shown(text), at=f"{exchange.id} /data")
    expect(QUERY in told, expected=f"a piece that says {QUERY!r}", got=shown(told), at=f"{exchange.id} /data")
