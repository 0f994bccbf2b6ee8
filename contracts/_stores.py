"""The store that vector_stores*.py make: its files, what is searched in it, and reading what became of them."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from typing import Any

from wireproof.clause import Call, Exchange, File, NotApplicable

from ._life import asked_for, first_made, id_of, is_final, is_ok, rows_of
from ._reading import as_list, as_object, as_objects, maybe_object

LIFE = "vector-stores.life"
TOWER = File(
    "wireproof-tower.txt",
    b"The lighthouse keeper winds the clockwork every four hours. The lamp turns once in ten seconds, and ships count "
    b"the flashes to know which rock they pass.\n",
    "text/plain",
)
ICE = File(
    "wireproof-ice.txt",
    b"A glacier moves a hand's breadth in a day. Crevasses open where the valley bends, and the ice in them is blue "
    b"because it swallows red light.\n",
    "text/plain",
)
BREAD = File(
    "wireproof-bread.txt",
    b"Sourdough rises slowly in a cold kitchen. The baker folds the dough three times and waits until morning before "
    b"the oven is lit.\n",
    "text/plain",
)
SENT = (TOWER, ICE, BREAD)
MARKS: dict[str, dict[str, Any]] = {
    TOWER.name: {"kind": "tower", "year": 1822, "open": True},
    ICE.name: {"kind": "ice", "year": 1903, "open": False},
    BREAD.name: {"kind": "bread", "year": 1750.5, "open": True},
}
# How one of the files is to be cut; the others are cut as the server likes.
CHUNKING = {"type": "static", "static": {"max_chunk_size_tokens": 400, "chunk_overlap_tokens": 100}}
THRESHOLD = 0.3
NEW_MARKS: dict[str, Any] = {"kind": "light", "year": 1823}
LABELS, NEW_LABELS = {"purpose": "wireproof", "stage": "made"}, {"purpose": "wireproof", "stage": "changed"}
DAYS, MORE_DAYS = 2, 3
ASKED = {"name": "wireproof", "metadata": LABELS, "expires_after": {"anchor": "last_active_at", "days": DAYS}}
NEW_NAME = "wireproof renamed"
# Every client sends it; a server that is past the beta does not look.
BETA = {"OpenAI-Beta": "assistants=v2"}
UNKNOWN_FILE = "file-wireproofnosuchfile"
UNKNOWN_BATCH = "vsfb_wireproofnosuchbatch"
QUERY, OTHER_QUERY = "The lamp turns once in ten seconds", "ice in the valley"
NO_FILTER = {"type": "wireproof", "key": "kind", "value": "ice"}
# Of three files each filter lets other ones through, and would let others if one of its comparisons were another.
FILTERS: tuple[dict[str, Any], ...] = (
    {"type": "and", "filters": [
        {"type": "lt", "key": "year", "value": 1822}, {"type": "ne", "key": "kind", "value": "ice"}]},
    {"type": "or", "filters": [
        {"type": "gt", "key": "year", "value": 1822}, {"type": "eq", "key": "kind", "value": "bread"}]},
    {"type": "or", "filters": [
        {"type": "and", "filters": [
            {"type": "in", "key": "kind", "value": ["tower", "bread"]},
            {"type": "gte", "key": "year", "value": 1822}, {"type": "lte", "key": "year", "value": 1822}]},
        {"type": "and", "filters": [
            {"type": "nin", "key": "kind", "value": ["tower", "ice"]}, {"type": "eq", "key": "open", "value": True}]}]},
)  # fmt: skip
# Half a minute in all for a few hundred bytes.
WAITS_S = (1.0, 6.0, 20.0)
BATCH_WAITS_S = (1.0, 4.0)


def asks(method: str, path: str, body: Any = None, after_s: float = 0.0, **query: str) -> Call:
    return Call(method, path, body, query=query, headers=BETA, after_s=after_s)


def watched(schema: str, path: str, waits_s: Iterator[float]) -> Generator[Call, Exchange, None]:
    """Looks again until the thing is at its end, or patience is; once at least."""
    wait_s: float | None = next(waits_s, 0.0)
    while wait_s is not None:
        told = yield asks("GET", path, after_s=wait_s)
        if not is_ok(told) or is_final(schema, maybe_object(told).get("status")):
            return
        wait_s = next(waits_s, None)


# ------------------------------------------------------------------------------------------------ reading


def store_of(exchanges: Sequence[Exchange]) -> tuple[Exchange, dict[str, Any]]:
    """The store as it was made. NotApplicable where stores are not served."""
    body = first_made(exchanges, "createVectorStore", "vector store")
    return next(e for e in exchanges if e.operation == "createVectorStore" and is_ok(e)), body


def store_path(exchanges: Sequence[Exchange]) -> str:
    return f"/vector_stores/{store_of(exchanges)[1].get('id')}"


def file_ids(exchanges: Sequence[Exchange]) -> dict[str, str]:
    """The ids of the Files that were kept, by the names they were sent under."""
    return {
        file.name: id
        for exchange in exchanges
        if exchange.operation == "createFile" and (id := id_of(exchange)) is not None
        for file in SENT
        if file.data in exchange.request.body
    }


def sent_as(exchanges: Sequence[Exchange], id: object) -> File | None:
    """The File of this id, as it was sent."""
    names = {known: name for name, known in file_ids(exchanges).items()}
    return next((file for file in SENT if isinstance(id, str) and file.name == names.get(id)), None)


def file_told(exchanges: Sequence[Exchange], file: File) -> list[tuple[Exchange, dict[str, Any]]]:
    """All that was told of one file of the store, by its own addresses, in order of time."""
    path, id = store_path(exchanges), file_ids(exchanges).get(file.name)
    told = [
        (exchange, maybe_object(exchange))
        for exchange in exchanges
        if is_ok(exchange)
        and (
            (exchange.request.path == f"{path}/files/{id}" and exchange.request.method != "DELETE")
            or (exchange.request.path == f"{path}/files" and exchange.request.asked.get("file_id") == id)
        )
    ]
    if not told or told[0][0].request.method != "POST":
        raise NotApplicable(f"{file.name} was not taken into the store")
    return told


def are_marked(exchanges: Sequence[Exchange]) -> bool:
    """Whether all files were taken in with their attributes; a server may have none."""
    marked = [e.request.asked for e in exchanges if is_ok(e) and e.request.asked.get("attributes")]
    taken = {id for asked in marked for id in (asked.get("file_id"), *as_list(asked.get("file_ids")))}
    return set(file_ids(exchanges).values()) <= taken


Told = list[tuple[Exchange, dict[str, Any]]]


def file_batches(exchanges: Sequence[Exchange]) -> list[Told]:
    """The batches of files that were made, each with all that was told of it, in order of time."""
    found: list[Told] = []
    for made in exchanges:
        id = id_of(made) if made.operation == "createVectorStoreFileBatch" else None
        if id is not None:
            path = f"{made.request.path}/{id}"
            told = [e for e in exchanges if is_ok(e) and (e is made or e.request.path in (path, f"{path}/cancel"))]
            found.append([(exchange, maybe_object(exchange)) for exchange in told])
    return found


def is_completed(exchanges: Sequence[Exchange], file: File) -> bool:
    """Whether the store was seen to be done with the file."""
    return any(body.get("status") == "completed" for _, body in file_told(exchanges, file))


def searches(exchanges: Sequence[Exchange]) -> list[tuple[Exchange, list[dict[str, Any]]]]:
    """The searches that were answered, with what was found. NotApplicable when there is none."""
    store_of(exchanges)
    found = [(e, rows_of(e)) for e in exchanges if e.operation == "searchVectorStore" and is_ok(e)]
    if not found:
        tried = asked_for(exchanges, "searchVectorStore")
        raise NotApplicable(f"nothing was searched: {tried.id} was answered {tried.status}")
    return found


def texts_of(row: dict[str, Any]) -> list[str]:
    """The texts of `content`, or of a page of content under `data`."""
    return [part["text"] for part in as_objects(row.get("content")) if isinstance(part.get("text"), str)]


def plain(text: str) -> str:
    """White space as one blank: readers of files join and cut lines."""
    return re.sub(r"\s+", " ", text).strip()


def counts_of(body: dict[str, Any]) -> dict[str, int]:
    """`file_counts` as far as they are whole numbers."""
    return {name: count for name, count in as_object(body.get("file_counts")).items() if type(count) is int}
