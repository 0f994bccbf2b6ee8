"""contracts/vector_stores*.py: the flow as the stand-in answers it, the nearest departures, the legal ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from lives import NONSENSE, answered_with, edited, findings, lived, nonsense_at, verdicts, with_fields, without
from made import clauses_of

from wireproof.standin.faults import Departure, all_faults
from wireproof.standin.wire import refusal

LIFE = "vector-stores.life"
STORE = "(POST|GET) /vector_stores(/[^/]+)?"
FILE = "(POST|GET) /vector_stores/[^/]+/files(/[^/]+)?"
BATCH = "(POST|GET) /vector_stores/[^/]+/file_batches(/[^/]+)?"
SEARCH = "POST /vector_stores/[^/]+/search"
Modules = tuple[ModuleType, ...]


@pytest.fixture(scope="module")
def modules(contract: Callable[[str], ModuleType]) -> Modules:
    return (*map(contract, ("vector_stores", "vector_stores_files", "vector_stores_search", "paging")),)


def test_the_stand_in_keeps_every_clause_and_each_is_judged(modules: Modules) -> None:
    told = verdicts(lived(LIFE), *modules)
    unjudged = {id: (one.outcome, one.reason) for id, one in told.items() if one.outcome != "pass"}
    assert set(unjudged) == {"paging.limit-refused", "paging.unknown-cursor"}, unjudged


def each_store(change: Callable[[dict[str, Any]], Any]) -> Departure:
    return edited(STORE, lambda body: change(body) if body.get("object") == "vector_store" else None)


def each_file(change: Callable[[dict[str, Any]], Any]) -> Departure:
    def edit(body: dict[str, Any]) -> None:
        for row in body.get("data", [body]):
            change(row)

    return edited(FILE, edit)


def found(change: Callable[[dict[str, Any]], Any]) -> Departure:
    return edited(SEARCH, lambda body: body | {"data": [row | change(row) for row in body["data"]]})


def named_for_days(body: dict[str, Any]) -> dict[str, Any]:
    return body | {"name": str(body["expires_after"])}


STATES = {1822: "cancelled", 1903: "completed", 1823: "completed"}
BROKEN: dict[str, tuple[str, Departure]] = {
    "a state of another thing": ("vector-stores.schema", each_store(lambda body: body | {"status": "ready"})),
    "no counts": ("vector-stores.schema", each_store(lambda body: body.pop("file_counts") and None)),
    "a score above 1": ("vector-stores.schema", found(lambda row: {"score": row["score"] + 1})),
    "one query as text": ("vector-stores.schema", edited(SEARCH, lambda b: b | {"search_query": b["search_query"][0]})),
    "an expiry lost": ("vector-stores.echo", each_store(lambda body: body | {"expires_after": None})),
    "a file of last year": ("vector-stores.times", each_file(lambda row: row.update(created_at=1_760_000_000))),
    "a day less": ("vector-stores.expiry", each_store(lambda b: b | {"expires_at": (b["expires_at"] or 0) - 86_400})),
    "another id when read": ("vector-stores.get", with_fields("GET /vector_stores/[^/]+", id="vs_other")),
    "a change refused": ("vector-stores.update", answered_with("POST /vector_stores/vs_[^/]+", 400)),
    "a list refused": ("vector-stores.list", answered_with("GET /vector_stores", 404)),
    "an id of its own": (
        "vector-stores.file",
        each_file(lambda row: row.update(id="vsf_1") if "status" in row else None),
    ),
    "a file refused": ("vector-stores.file", answered_with("POST /vector_stores/[^/]+/files", 400)),
    "completed, then cancelled": (
        "vector-stores.moves",
        edited("GET /vector_stores/[^/]+/files/[^/]+", lambda b: b | {"status": STATES[b["attributes"]["year"]]}),
    ),
    "no attributes": ("vector-stores.attributes", each_file(lambda row: row.pop("attributes", None))),
    "attributes refused": (
        "vector-stores.attributes-update",
        answered_with("POST /vector_stores/[^/]+/files/[^/]+", 400),
    ),
    "another overlap": (
        "vector-stores.chunking",
        edited("GET /vector_stores/[^/]+/files/[^/]+", lambda b: b | {"chunking_strategy": {"type": "static"}}),
    ),
    "one too many": (
        "vector-stores.counts",
        each_store(lambda b: b | {"file_counts": b["file_counts"] | {"total": b["file_counts"]["total"] + 1}}),
    ),
    "a batch that counts nothing": (
        "vector-stores.batch",
        edited(BATCH, lambda b: b | {"file_counts": dict.fromkeys(b["file_counts"], 0)}),
    ),
    "a list without files": ("vector-stores.files-list", with_fields("GET /vector_stores/[^/]+/files", data=[])),
    "gone with 400": (
        "vector-stores.removed",
        lambda ask, serve: replace(a, status=400) if (a := serve(ask)).status == 404 and ask.method == "GET" else a,
    ),
    "deleted, it says in words": ("vector-stores.delete", with_fields("DELETE /vector_stores/[^/]+", deleted="yes")),
    "deleted twice with 500": (
        "vector-stores.delete-twice",
        lambda ask, serve: replace(a, status=500) if (a := serve(ask)).status == 404 and ask.method == "DELETE" else a,
    ),
    "an unknown file crashes": (
        "vector-stores.unknown-file",
        lambda ask, serve: replace(a, status=500) if (a := serve(ask)).status == 404 and ask.method == "POST" else a,
    ),
    "a name that changes": ("vector-stores.update-partial", each_store(named_for_days)),
    "Files are gone": ("vector-stores.files-outlive", answered_with("DELETE /files/.*", 404)),
    "failed without a word": (
        "vector-stores.last-error",
        each_file(lambda row: row.update(status="failed", last_error=None) if "status" in row else None),
    ),
    "a batch that lingers": (
        "vector-stores.batch-ready",
        edited(BATCH, lambda body: body | {"status": "in_progress"}),
    ),
    "cancelled, with a file less": (
        "vector-stores.batch-cancel",
        edited("POST .*/cancel", lambda body: body | {"file_counts": dict.fromkeys(body["file_counts"], 0)}),
    ),
    "an unknown batch is made up": (
        "vector-stores.unknown-batch",
        lambda ask, serve: replace(a, status=200, body=b"{}") if (a := serve(ask)).status == 404 else a,
    ),
    "old labels are found": ("vector-stores.search-anew", edited(SEARCH, lambda body: body | {"data": []})),
    "searches crash": ("vector-stores.search-served", answered_with(SEARCH, 500)),
    "the query lost": ("vector-stores.search-query", edited(SEARCH, lambda body: body | {"search_query": []})),
    "a page that is nowhere": ("vector-stores.pages", edited(".*/content", lambda body: body | {"next_page": "p"})),
    "an unknown comparison crashes": (
        "vector-stores.search-filter-bounds",
        lambda ask, serve: replace(a, status=500) if (a := serve(ask)).status == 400 else a,
    ),
    "scores alike but one": (
        "vector-stores.search-order",
        edited(SEARCH, lambda b: b | {"data": [r | {"score": at / 10} for at, r in enumerate(b["data"])]}),
    ),
    "words of nobody": (
        "vector-stores.search-content",
        found(lambda row: {"content": [{"type": "text", "text": "xyz"}]}),
    ),
    "no words": ("vector-stores.search-content", found(lambda row: {"content": []})),
    "a file of another store": ("vector-stores.search-content", found(lambda row: {"file_id": "file-other"})),
    "no attributes found": ("vector-stores.search-attributes", found(lambda row: {"attributes": None})),
    "content of a reader": (
        "vector-stores.content",
        edited(".*/content", lambda body: body | {"data": [{"type": "text", "text": "%PDF-1.7"}]}),
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_departure_breaks_its_clause(modules: Modules, name: str) -> None:
    clause, departure = BROKEN[name]
    assert clause in findings(lived(LIFE, departure), *modules)


def test_every_clause_has_a_departure(modules: Modules) -> None:
    shown = {clause for clause, _ in BROKEN.values()} | {fault.breaks for fault in all_faults().values()}
    assert {one.clause.id for one in clauses_of(*modules)} - shown == set()


# ------------------------------------------------------------------------------------------------ controls


def split_chunks(row: dict[str, Any]) -> dict[str, Any]:
    text = row["content"][0]["text"]
    return {"content": [{"type": "text", "text": half} for half in (text[:60], text[50:])]}


LEGAL: dict[str, Departure] = {
    "more keys": edited(f"{STORE}|{FILE}|{BATCH}|{SEARCH}", lambda body: body | {"x_vendor": {"region": "eu"}}),
    "no description": each_store(lambda body: {k: v for k, v in body.items() if k != "description"}),
    "a store that is in progress": each_store(lambda body: body | {"status": "in_progress"}),
    "no chunking strategy": each_file(lambda row: row.pop("chunking_strategy", None)),
    "a strategy of another kind": each_file(
        lambda row: row.update(chunking_strategy={"type": "other"}) if "status" in row else None
    ),
    "chunks in pieces that overlap": found(split_chunks),
    "white space of a reader": found(
        lambda row: {"content": [{"type": "text", "text": row["content"][0]["text"].replace(" ", "\n") + "\n\n"}]}
    ),
    "scores alike": found(lambda row: {"score": 0.5}),
    "no score above a half": found(lambda row: {"score": row["score"] / 2}),
    "no search": answered_with(SEARCH, 501),
    "one query at a time": lambda ask, serve: (
        refusal(422, "Not text.") if isinstance(ask.asked.get("query"), list) else serve(ask)
    ),
    "no filters": lambda ask, serve: refusal(400, "No filters.") if "filters" in ask.asked else serve(ask),
    "no attributes": lambda ask, serve: (
        refusal(400, "Unknown parameter: 'attributes'.") if "attributes" in ask.asked else serve(ask)
    ),
    "no strategies": lambda ask, serve: (
        refusal(422, "Unknown parameter: 'chunking_strategy'.") if "chunking_strategy" in ask.asked else serve(ask)
    ),
    "no cancellation of batches": answered_with("POST .*/cancel", 404),
    "batches are over before": answered_with("POST .*/file_batches/.*/cancel", 501),
    "no batches": answered_with(BATCH, 501),
    "no such path for batches": answered_with(BATCH, 404),
    "no content": answered_with(".*/content", 501),
    "no attributes to change": answered_with("POST /vector_stores/[^/]+/files/[^/]+", 405),
    "no deletion": answered_with("DELETE .*", 501),
    "no lists": answered_with("GET /vector_stores(/[^/]+/files)?", 501),
    "422 for mistakes": lambda ask, serve: (
        replace(answer, status=422) if (answer := serve(ask)).status == 400 else answer
    ),
    "400 for an unknown file": lambda ask, serve: (
        replace(answer, status=400) if (answer := serve(ask)).status == 404 and ask.method == "POST" else answer
    ),
    "a page without cursors where it is empty": edited(
        "GET .*", lambda body: None if body.get("data", 1) else {k: v for k, v in body.items() if not k.endswith("_id")}
    ),
}


@pytest.mark.parametrize("name", LEGAL)
def test_a_legal_departure_breaks_nothing(modules: Modules, name: str) -> None:
    assert findings(lived(LIFE, LEGAL[name]), *modules) == {}


@pytest.mark.parametrize("pace", [0.1, 0.5, 1_000_000.0])
def test_slow_and_instant_stores_break_nothing(modules: Modules, pace: float) -> None:
    assert findings(lived(LIFE, pace=pace), *modules) == {}


def test_a_file_that_is_never_ready_is_told(modules: Modules) -> None:
    assert set(findings(lived(LIFE, pace=0.001), *modules)) == {"vector-stores.ready"}


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_backend_without_stores_is_asked_once_and_breaks_nothing(modules: Modules, status: int) -> None:
    exchanges = lived(LIFE, answered_with(".*", status))
    assert len(exchanges) == 1
    assert {one.outcome for one in verdicts(exchanges, *modules).values()} == {"not-applicable"}


@pytest.mark.parametrize("step", range(60))
def test_no_clause_stumbles_over_nonsense(modules: Modules, step: int) -> None:
    told = verdicts(lived(LIFE, nonsense_at(step, NONSENSE[step % len(NONSENSE)])), *modules)
    assert [one.reason for one in told.values() if "the clause itself failed" in one.reason] == []


def test_a_page_that_is_cut_by_nobody_is_whole(modules: Modules) -> None:
    """`has_more` may be absent where everything was listed."""
    bare = without("GET /vector_stores", "has_more")
    assert set(findings(lived(LIFE, bare), *modules)) <= {"vector-stores.schema"}
