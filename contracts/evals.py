"""Evals: a set of criteria, kept under an id, and runs that put answers to them.

One flow makes an eval, changes it, lists it and deletes it. Its run has two items whose answers are given, and a
criterion that compares texts: no model is asked for anything. What runs promise is in eval_runs.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wireproof.clause import NO_MODEL, Call, Exchange, Flow, Inconclusive, answered, clause, expect, flow, shown, steps

from ._evals import ASKED, CHANGED, CRITERION, LIFE, RUN, eval_made
from ._flow import id_in
from ._life import (
    asked_for,
    at_path,
    expect_gone,
    expect_now,
    expect_same,
    expect_schema,
    expect_turned_down,
    id_of,
    ids_of,
    is_ok,
    rows_of,
    served,
)
from ._reading import as_object, as_objects, maybe_object

APART_S = 1.1
# A run of two items takes seconds, where its turn comes at once.
RUN_S, LONGER_S = 4.0, 12.0


@flow(LIFE, most=21, needs=NO_MODEL, about="an eval and a run over two answers that are given; no model is asked",
      expects="either")  # fmt: skip
def life_of_an_eval() -> Flow:
    id = id_of((yield Call("POST", "/evals", ASKED)))
    if id is None:
        return
    path = f"/evals/{id}"
    second = id_of((yield Call("POST", "/evals", ASKED, after_s=APART_S)))
    yield Call("POST", path, CHANGED)
    yield Call("GET", path)
    yield Call("GET", "/evals", query={"order": "desc", "limit": "1"})
    yield Call("GET", "/evals", query={"order": "desc", "limit": "1", "after": second or id})
    yield from _run(path)
    stray = id_of((yield Call("POST", "/evals", {k: v for k, v in ASKED.items() if k != "testing_criteria"})))
    yield Call("DELETE", path)
    yield Call("GET", path)
    for left in (second, stray):
        if left is not None:
            yield Call("DELETE", f"/evals/{left}")


def _run(path: str) -> Flow:
    id = id_of((yield Call("POST", f"{path}/runs", RUN)))
    if id is None:
        return
    place = f"{path}/runs/{id}"
    read = yield Call("GET", place, after_s=RUN_S)
    if maybe_object(read).get("status") in ("queued", "in_progress"):
        yield Call("GET", place, after_s=LONGER_S)
    yield Call("GET", f"{path}/runs", query={"limit": "5"})
    listed = yield Call("GET", f"{place}/output_items")
    last = id_in(next(iter(rows_of(listed)[::-1]), {}))
    if last is not None:
        yield Call("GET", f"{place}/output_items", query={"limit": "1"})
        yield Call("GET", f"{place}/output_items", query={"after": last})
        yield Call("GET", f"{place}/output_items", query={"status": "fail"})
        yield Call("GET", f"{place}/output_items/{last}")
    yield Call("DELETE", place)
    yield Call("GET", place)


# ------------------------------------------------------------------------------------------------ clauses


@clause(
    "evals.schema",
    level="MUST",
    source="SPEC Eval, EvalRun, EvalRunOutputItem and their lists",
    on=answered(
        "createEval", "getEval", "updateEval", "listEvals", "deleteEval", "createEvalRun", "getEvalRun", "getEvalRuns",
        "cancelEvalRun", "getEvalRunOutputItem", "getEvalRunOutputItems",
    ),
)  # fmt: skip
def answers_follow_the_schema(exchange: Exchange) -> None:
    """An eval has its name, what its items are and by what they are judged; runs and their output are as documented."""
    expect_schema(exchange, "/first_id", "/last_id", "/deleted", "/eval_id")


@clause(
    "evals.echo",
    level="MUST",
    source="SPEC CreateEvalRequest, Eval",
    on=steps(LIFE),
    fields=("name", "metadata", "data_source_config"),
)
def an_eval_is_what_was_asked_for(exchanges: list[Exchange]) -> None:
    """An eval has the `name`, `metadata` and kind of data source that it was made with."""
    exchange, body = eval_made(exchanges)
    expect_same(exchange, body, ASKED, "name", "metadata")
    kind = as_object(body.get("data_source_config")).get("type")
    expect(kind == "custom", expected="type custom", got=shown(kind), at=f"{exchange.id} /data_source_config/type")


@clause("evals.item-schema", level="SHOULD", source="SPEC EvalCustomDataSourceConfig.schema", on=steps(LIFE),
        fields=("data_source_config",))  # fmt: skip
def the_shape_of_items_is_told(exchanges: list[Exchange]) -> None:
    """The `schema` that an eval tells has the keys of an item that it was made with, however it wraps them."""
    exchange, body = eval_made(exchanges)
    schema = as_object(body.get("data_source_config")).get("schema")
    names = set(_names(schema))
    expect("word" in names, expected="a property 'word'", got=shown(schema),
           at=f"{exchange.id} /data_source_config/schema")  # fmt: skip


def _names(schema: Any, depth: int = 8) -> Iterator[str]:
    """The names of all properties in a schema."""
    if isinstance(schema, dict) and depth:
        for key, value in schema.items():
            if key == "properties":
                yield from as_object(value)
            yield from _names(value, depth - 1)


@clause(
    "evals.criteria",
    level="MUST",
    source="SPEC CreateEvalRequest.testing_criteria",
    on=steps(LIFE),
    fields=("testing_criteria",),
)
def criteria_are_kept(exchanges: list[Exchange]) -> None:
    """The `testing_criteria` of an eval are those it was made with; they may have more fields, an id for one."""
    exchange, body = eval_made(exchanges)
    criteria = as_objects(body.get("testing_criteria"))
    expect(len(criteria) == 1, expected="one criterion", got=len(criteria), at=f"{exchange.id} /testing_criteria")
    for name, value in CRITERION.items():
        told = criteria[0].get(name)
        expect(told == value, expected=f"{name} {shown(value)}", got=shown(told),
               at=f"{exchange.id} /testing_criteria/0/{name}")  # fmt: skip


@clause("evals.created", level="MUST", source="SPEC Eval.created_at: Unix timestamp in seconds", on=steps(LIFE))
def evals_are_created_now(exchanges: list[Exchange]) -> None:
    """`created_at` is the time of making, in whole seconds since 1970."""
    exchange, body = eval_made(exchanges)
    expect_now(exchange, body.get("created_at"), "created_at")


@clause("evals.update", level="MUST", source="SPEC updateEval", on=steps(LIFE), fields=("name", "metadata"))
def a_change_takes_effect(exchanges: list[Exchange]) -> None:
    """An eval that is given another `name` and `metadata` has them, in the answer and when it is read again."""
    _, made = eval_made(exchanges)
    change = asked_for(exchanges, "updateEval", at_path(f"/evals/{made.get('id')}"))
    expect_same(change, served(change, "the changed eval"), CHANGED, "name", "metadata")
    read = asked_for(exchanges, "getEval", at_path(change.request.path), after=change)
    expect_same(read, served(read, "the changed eval"), CHANGED, "name", "metadata")


@clause("evals.get", level="MUST", source="SPEC getEval", on=steps(LIFE))
def an_eval_reads_as_it_was_made(exchanges: list[Exchange]) -> None:
    """An eval is read with the id, time, data source and criteria it was made with; no change touches them."""
    _, made = eval_made(exchanges)
    names = ("id", "object", "created_at", "data_source_config", "testing_criteria")
    for operation in ("updateEval", "getEval"):
        exchange = asked_for(exchanges, operation, at_path(f"/evals/{made.get('id')}"))
        expect_same(exchange, served(exchange, "the eval"), made, *names)


@clause("evals.list", level="MUST", source="SPEC listEvals", on=steps(LIFE))
def evals_are_listed(exchanges: list[Exchange]) -> None:
    """Evals that were made are in the list, as they are read, the newest first where `order` is desc."""
    eval_made(exchanges)
    complete = [e for e in exchanges if e.operation == "createEval" and "testing_criteria" in e.request.asked]
    made = [id for e in complete if (id := id_of(e)) is not None]
    first = asked_for(exchanges, "listEvals")
    pages = [first, *(e for e in exchanges if e.operation == "listEvals" and e is not first)]
    bodies = [served(page, "a list of evals") for page in pages]
    ids = [id for page in pages for id in ids_of(page)]
    missing = [id for id in made if id not in ids]
    if missing and set(ids) - set(made) and any(body.get("has_more") is True for body in bodies):
        raise Inconclusive("others were made in the meantime")
    expect(not missing, expected=f"{shown(missing)} in the list", got=shown(ids), at=f"{pages[0].id} /data")
    read = asked_for(exchanges, "getEval")
    for page in pages:
        for row in rows_of(page):
            if is_ok(read) and row.get("id") == id_of(read):
                names = ("created_at", "name", "metadata", "data_source_config", "testing_criteria")
                expect_same(page, row, maybe_object(read), *names)


@clause("evals.incomplete", level="MUST", source="SPEC CreateEvalRequest: required; ERR-LATE 400", on=steps(LIFE))
def an_eval_without_criteria_is_refused(exchanges: list[Exchange]) -> None:
    """An eval without `testing_criteria` is refused with 400, or 422."""
    eval_made(exchanges)
    lacking = asked_for(exchanges, "createEval", lambda e: "testing_criteria" not in e.request.asked)
    expect_turned_down(lacking)


@clause("evals.delete", level="MUST", source="SPEC deleteEval", on=steps(LIFE))
def a_deletion_says_so(exchanges: list[Exchange]) -> None:
    """A deletion is answered `{object: "eval.deleted", deleted: true, eval_id}` with the id that was deleted."""
    _, made = eval_made(exchanges)
    exchange = asked_for(exchanges, "deleteEval", at_path(f"/evals/{made.get('id')}"))
    wanted = {"deleted": True, "eval_id": made.get("id"), "object": "eval.deleted"}
    expect_same(exchange, served(exchange, "a deletion"), wanted, *wanted)


@clause("evals.gone", level="MUST", source="SPEC deleteEval, getEval", on=steps(LIFE))
def a_deleted_eval_is_gone(exchanges: list[Exchange]) -> None:
    """A deleted eval is not found: 404."""
    _, made = eval_made(exchanges)
    deletion = asked_for(exchanges, "deleteEval", at_path(f"/evals/{made.get('id')}"))
    served(deletion, "a deletion")
    expect_gone(asked_for(exchanges, "getEval", at_path(deletion.request.path), after=deletion))
