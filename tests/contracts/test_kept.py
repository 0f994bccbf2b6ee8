"""What is kept on a server, and which laws hold it: every resource of spec/ that is made, read, listed or deleted.

A law is there when a clause fails as soon as the answers of the stand-in are changed so that it does not hold. What no
clause notices is listed below, with its reason.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pytest
from certified import certified, contents_of_contracts, standin_plan

from wireproof.clause import Chunk, Clause, Exchange
from wireproof.judge import judge
from wireproof.spec import load_spec

PROFILES = ["core", "stateful", "legacy-assistants", "legacy-videos"]
STATE = (
    *("files.", "uploads.", "batches.", "vector-stores.", "conversations.", "containers.", "fine-tuning.", "evals."),
    *("paging.", "assistants.", "threads.", "runs.", "videos.", "chat.stored.", "responses.stored."),
)
# What a certification never makes: of models only those that were tuned can be deleted, the others have a price or
# need a key of an administrator.
PERMISSIONS = "/fine_tuning/checkpoints/{fine_tuned_model_checkpoint}/permissions"
NEVER_MADE = frozenset(("/models", "/videos", "/videos/characters", PERMISSIONS))
# Flows that make one thing of a kind read no second page of it: one more costs requests, or tokens.
ONE_IS_MADE = (
    *("/assistants", "/chat/completions", "/containers", "/evals/{eval_id}/runs"),
    *("/threads/{thread_id}/runs", "/threads/{thread_id}/runs/{run_id}/steps"),
)
OUTPUT_ITEMS = "/evals/{eval_id}/runs/{run_id}/output_items"
CONTAINER_FILES, ITEMS = "/containers/{container_id}/files", "/conversations/{conversation_id}/items"
NOT_HELD: dict[str, tuple[str, ...]] = {
    "more while there is more": (*ONE_IS_MADE, "/threads/{thread_id}/messages"),
    "behind the cursor": (*ONE_IS_MADE, OUTPUT_ITEMS, "/threads/{thread_id}/messages"),
    "in the order asked for": (*ONE_IS_MADE, OUTPUT_ITEMS, "/evals"),
    # Each is a request more a flow, and seldom told otherwise than by whoever deletes files and stores.
    "deleted once": (
        *("/assistants", "/chat/completions", "/containers", CONTAINER_FILES, "/conversations", ITEMS, "/evals"),
        *("/evals/{eval_id}/runs", "/responses", "/threads", "/threads/{thread_id}/messages"),
        "/vector_stores/{vector_store_id}/files",
    ),
    # What is answered is the conversation without the item.
    "deleted, and said so": (ITEMS,),
    # Read by their content alone.
    "read as it was made": (CONTAINER_FILES,),
    "gone when deleted": (CONTAINER_FILES,),
}


@dataclass(frozen=True)
class Resource:
    """A path under which things are made, with the operations on it and on one of them."""

    path: str
    make: str | None
    list: str | None
    read: str | None
    delete: str | None


def resources() -> Iterator[Resource]:
    at = {(operation.method, operation.path): operation for operation in load_spec().operations.values()}
    for one_path in sorted({path for _, path in at if path.endswith("}")}):
        path = one_path.rpartition("/")[0]
        ids = [at[key].id if key in at else None for key in (("GET", one_path), ("DELETE", one_path), ("POST", path))]
        listed = at.get(("GET", path))
        is_list = listed is not None and str(listed.node.get("x-paging", "")).startswith("cursor")
        yield Resource(path, ids[2], listed.id if listed is not None and is_list else None, ids[0], ids[1])


# ------------------------------------------------------------------------------------------------ changes

Change = Callable[[Resource, Sequence[Exchange]], list[Exchange]]


def is_json(exchange: Exchange) -> bool:
    return exchange.status == 200 and exchange.media_type == "application/json"


def told(exchange: Exchange, body: Any, status: int = 200) -> Exchange:
    return replace(exchange, status=status, chunks=(Chunk(0.05, json.dumps(body).encode()),))


def rows_changed(edit: Callable[[Exchange, list[Any]], list[Any]]) -> Change:
    """`edit` on the items of every page, whose ends are told as they are then."""

    def change(resource: Resource, exchanges: Sequence[Exchange]) -> list[Exchange]:
        def other(exchange: Exchange) -> Exchange:
            if exchange.operation != resource.list or exchange.status != 200:
                return exchange
            data = edit(exchange, exchange.json["data"])
            ends = {"first_id": data[0].get("id"), "last_id": data[-1].get("id")} if data else {}
            return told(exchange, {**exchange.json, "data": data, **ends})

        return list(map(other, exchanges))

    return change


def more_turned(resource: Resource, exchanges: Sequence[Exchange]) -> list[Exchange]:
    return [
        told(exchange, {**exchange.json, "has_more": not exchange.json["has_more"]})
        if exchange.operation == resource.list and exchange.status == 200
        else exchange
        for exchange in exchanges
    ]


def read_as_another(resource: Resource, exchanges: Sequence[Exchange]) -> list[Exchange]:
    return [
        told(exchange, {**exchange.json, "id": "another"})
        if exchange.operation == resource.read and is_json(exchange)
        else exchange
        for exchange in exchanges
    ]


def deletion_denied(resource: Resource, exchanges: Sequence[Exchange]) -> list[Exchange]:
    return [
        told(exchange, {**exchange.json, "deleted": False})
        if exchange.operation == resource.delete and exchange.status == 200
        else exchange
        for exchange in exchanges
    ]


def found_again(operation: str | None, exchanges: Sequence[Exchange]) -> list[Exchange]:
    """What is not found after it was is told as it was: 404 becomes the answer from before."""
    before: dict[str, Any] = {}
    changed = []
    for exchange in exchanges:
        if exchange.operation == operation and is_json(exchange):
            before[exchange.request.path] = exchange.json
        is_gone = exchange.operation == operation and exchange.status == 404 and exchange.request.path in before
        changed.append(told(exchange, before[exchange.request.path]) if is_gone else exchange)
    return changed


LAWS: dict[str, tuple[Callable[[Resource], bool], Change]] = {
    "read as it was made": (lambda r: bool(r.make and r.read), read_as_another),
    "listed": (lambda r: bool(r.make and r.list), rows_changed(lambda _, rows: [])),
    "deleted, and said so": (lambda r: bool(r.delete), deletion_denied),
    "gone when deleted": (lambda r: bool(r.delete and r.read), lambda r, told: found_again(r.read, told)),
    "deleted once": (lambda r: bool(r.delete), lambda r, told: found_again(r.delete, told)),
    "each item once": (lambda r: bool(r.list), rows_changed(lambda _, rows: rows + rows[-1:])),
    "as many as asked for": (
        lambda r: bool(r.list),
        rows_changed(lambda e, rows: [{**row, "id": f"{row['id']}-{n}"} for n in range(200) for row in rows]),
    ),
    "more while there is more": (lambda r: bool(r.list), more_turned),
    "in the order asked for": (lambda r: bool(r.list), rows_changed(lambda _, rows: rows[::-1])),
    "behind the cursor": (
        lambda r: bool(r.list),
        rows_changed(lambda e, rows: [{**row, "id": e.request.query.get("after", row["id"])} for row in rows]),
    ),
}  # fmt: skip


@cache
def recorded() -> tuple[tuple[Exchange, ...], list[Clause]]:
    clauses = [clause for clause in contents_of_contracts()[0] if clause.id.startswith(STATE)]
    return certified(plan=standin_plan(profiles=PROFILES)).exchanges, clauses


def held(resource: Resource, law: str) -> bool:
    exchanges, clauses = recorded()
    operations = {resource.make, resource.list, resource.read, resource.delete} - {None}
    probes = {exchange.probe for exchange in exchanges if exchange.operation in operations}
    evidence = [exchange for exchange in exchanges if exchange.probe in probes]
    changed = LAWS[law][1](resource, evidence)
    return changed != evidence and any(verdict.outcome == "fail" for verdict in judge(clauses, changed))


ROWS = [(resource, law) for resource in resources() for law, (applies, _) in LAWS.items() if applies(resource)]


@pytest.mark.parametrize(("resource", "law"), ROWS, ids=[f"{resource.path} {law}" for resource, law in ROWS])
def test_a_law_holds_every_resource_that_it_is_about(resource: Resource, law: str) -> None:
    if resource.path not in NOT_HELD.get(law, {}) and resource.path not in NEVER_MADE:
        assert held(resource, law)


def test_every_exception_is_of_a_resource_there_is() -> None:
    known = {(resource.path, law) for resource, law in ROWS}
    assert {(path, law) for law, paths in NOT_HELD.items() for path in paths} - known == set()
    assert set(NEVER_MADE) - {resource.path for resource, _ in ROWS} == set()
