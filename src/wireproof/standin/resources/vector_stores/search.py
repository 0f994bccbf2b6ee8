"""What is found in stores: chunks ranked by a query, for the search of a store and for tools that search files."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wireproof.standin.call import Call
from wireproof.standin.resources.files import KIND as KEPT
from wireproof.standin.resources.vector_stores.filters import fits
from wireproof.standin.resources.vector_stores.intake import files_of
from wireproof.standin.resources.vector_stores.kinds import CHUNKS
from wireproof.standin.resources.vector_stores.stores import usable
from wireproof.standin.resources.vector_stores.vectors import Query, words
from wireproof.standin.serving import serves
from wireproof.standin.wire import Answer, json_answer
from wireproof.standin.world import World

MOST_RESULTS = 10


@dataclass(frozen=True, slots=True)
class Found:
    """One chunk, and whose it is. `score`: 0 to 1."""

    store_id: str
    file_id: str
    filename: str
    attributes: Mapping[str, Any]
    score: float
    text: str


def search(
    world: World,
    store_ids: Sequence[str],
    query: str | Sequence[str],
    most: int = MOST_RESULTS,
    filters: Mapping[str, Any] | None = None,
    *,
    threshold: float = 0.0,
    ranker: str = "auto",
) -> list[Found]:
    """The best chunks of all the stores, best first; of several queries the best counts.

    `filters` as the API has them. Refuses a store that is unknown (404) or expired (400).
    """
    queries = [Query(one) for one in ([query] if isinstance(query, str) else query)]
    found = []
    for store_id in store_ids:
        usable(world, store_id)
        meant = {row["id"]: row for row in files_of(world, store_id) if fits(row["attributes"], filters)}
        for chunk in world.table(CHUNKS, store_id).rows():
            file = meant.get(chunk["file_id"])
            if file is not None and file["status"] == "completed" and queries:
                text = chunk["text"]
                score = round(max(one.likeness(text) if ranker == "none" else one.rank(text) for one in queries), 4)
                if score >= threshold:
                    found.append((score, store_id, file, text))
    best = heapq.nlargest(most, found, key=lambda one: one[0])
    return [
        Found(store_id, file["id"], _filename(world, file["id"]), file["attributes"], score, text)
        for score, store_id, file, text in best
    ]


@serves("searchVectorStore")
def search_store(world: World, call: Call) -> Answer:
    body = call.body
    queries = [body["query"]] if isinstance(body["query"], str) else body["query"]
    if body.get("rewrite_query"):
        queries = [" ".join(words(query)) for query in queries]
    ranking = body.get("ranking_options", {})
    found = search(
        world,
        [call.path["vector_store_id"]],
        queries,
        body.get("max_num_results", MOST_RESULTS),
        body.get("filters"),
        threshold=ranking.get("score_threshold", 0.0),
        ranker=ranking.get("ranker", "auto"),
    )
    return json_answer(
        {
            "object": "vector_store.search_results.page",
            "search_query": queries,
            "data": [
                {
                    "file_id": one.file_id,
                    "filename": one.filename,
                    "score": one.score,
                    "attributes": one.attributes,
                    "content": [{"type": "text", "text": one.text}],
                }
                for one in found
            ],
            "has_more": False,
            "next_page": None,
        }
    )


def _filename(world: World, file_id: str) -> str:
    file = world.table(KEPT).get(file_id)
    return str(file["filename"]) if file else ""
