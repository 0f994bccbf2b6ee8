"""Evals: a set of criteria, kept under an id. Naming one costs nothing; runs of it do, and none is ever made here.

One flow makes an eval, changes it, lists it and deletes it. Runs and their output are judged where traffic shows them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wireproof.clause import (
    NO_MODEL,
    Call,
    Exchange,
    Flow,
    Inconclusive,
    answered,
    clause,
    expect,
    flow,
    shown,
    steps,
)

from ._life import (
    asked_for,
    expect_gone,
    expect_now,
    expect_same,
    expect_schema,
    expect_turned_down,
    first_made,
    id_of,
    ids_of,
    is_ok,
    served,
)
from ._reading import as_object, as_objects

LIFE = "evals.life"
CRITERION = {
    "type": "string_check",
    "name": "wireproof",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.word }}",
    "operation": "eq",
}
WORD = {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]}
ASKED: dict[str, Any] = {
    "name": "wireproof",
    "metadata": {"stage": "made"},
    "data_source_config": {"type": "custom", "item_schema": WORD, "include_sample_schema": True},
    "testing_criteria": [CRITERION],
}
CHANGED: dict[str, Any] = {"name": "wireproof renamed", "metadata": {"stage": "changed"}}


@flow(LIFE, most=8, needs=NO_MODEL, about="name an eval, change, list and delete it; never run it",
      expects="either")  # fmt: skip
def life_of_an_eval() -> Flow:
    id = id_of((yield Call("POST", "/evals", ASKED)))
    if id is None:
        return
    path = f"/evals/{id}"
    yield Call("POST", path, CHANGED)
    yield Call("GET", path)
    yield Call("GET", "/evals", query={"order": "desc", "limit": "3"})
    stray = id_of((yield Call("POST", "/evals", {k: v for k, v in ASKED.items() if k != "testing_criteria"})))
    yield Call("DELETE", path)
    yield Call("GET", path)
    if stray is not None:
        yield Call("DELETE", f"/evals/{stray}")


# ------------------------------------------------------------------------------------------------ reading


def _eval(exchanges: Sequence[Exchange]) -> tuple[Exchange, dict[str, Any]]:
    """The eval as it was made. NotApplicable where there are none."""
    body = first_made(exchanges, "createEval", "eval")
    return next(e for e in exchanges if e.operation == "createEval" and is_ok(e)), body


def _at(path: str) -> Callable[[Exchange], bool]:
    return lambda exchange: exchange.request.path == path


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
    exchange, body = _eval(exchanges)
    expect_same(exchange, body, ASKED, "name", "metadata")
    kind = as_object(body.get("data_source_config")).get("type")
    expect(kind == "custom", expected="type custom", got=shown(kind), at=f"{exchange.id} /data_source_config/type")


@clause(
    "evals.criteria",
    level="MUST",
    source="SPEC CreateEvalRequest.testing_criteria",
    on=steps(LIFE),
    fields=("testing_criteria",),
)
def criteria_are_kept(exchanges: list[Exchange]) -> None:
    """The `testing_criteria` of an eval are those it was made with; they may have more fields, an id for one."""
    exchange, body = _eval(exchanges)
    criteria = as_objects(body.get("testing_criteria"))
    expect(len(criteria) == 1, expected="one criterion", got=len(criteria), at=f"{exchange.id} /testing_criteria")
    for name, value in CRITERION.items():
        told = criteria[0].get(name)
        expect(told == value, expected=f"{name} {shown(value)}", got=shown(told),
               at=f"{exchange.id} /testing_criteria/0/{name}")  # fmt: skip


@clause("evals.created", level="MUST", source="SPEC Eval.created_at: Unix timestamp in seconds", on=steps(LIFE))
def evals_are_created_now(exchanges: list[Exchange]) -> None:
    """`created_at` is the time of making, in whole seconds since 1970."""
    exchange, body = _eval(exchanges)
    expect_now(exchange, body.get("created_at"), "created_at")


@clause("evals.update", level="MUST", source="SPEC updateEval", on=steps(LIFE), fields=("name", "metadata"))
def a_change_takes_effect(exchanges: list[Exchange]) -> None:
    """An eval that is given another `name` and `metadata` has them, in the answer and when it is read again."""
    _, made = _eval(exchanges)
    change = asked_for(exchanges, "updateEval", _at(f"/evals/{made.get('id')}"))
    expect_same(change, served(change, "the changed eval"), CHANGED, "name", "metadata")
    read = asked_for(exchanges, "getEval", _at(change.request.path), after=change)
    expect_same(read, served(read, "the changed eval"), CHANGED, "name", "metadata")


@clause("evals.get", level="MUST", source="SPEC getEval", on=steps(LIFE))
def an_eval_reads_as_it_was_made(exchanges: list[Exchange]) -> None:
    """An eval is read with the id, time, data source and criteria it was made with; no change touches them."""
    _, made = _eval(exchanges)
    exchange = asked_for(exchanges, "getEval", _at(f"/evals/{made.get('id')}"))
    names = ("id", "object", "created_at", "data_source_config", "testing_criteria")
    expect_same(exchange, served(exchange, "the eval"), made, *names)


@clause("evals.list", level="MUST", source="SPEC listEvals", on=steps(LIFE))
def evals_are_listed(exchanges: list[Exchange]) -> None:
    """An eval that was made is in the list, among the newest where `order` is desc."""
    _, made = _eval(exchanges)
    exchange = asked_for(exchanges, "listEvals")
    body, ids = served(exchange, "a list of evals"), ids_of(exchange)
    if made.get("id") not in ids and body.get("has_more") is True:
        raise Inconclusive("others were made in the meantime")
    expect(made.get("id") in ids, expected=f"{made.get('id')} in the list", got=shown(ids), at=f"{exchange.id} /data")


@clause("evals.incomplete", level="MUST", source="SPEC CreateEvalRequest: required; ERR-LATE 400", on=steps(LIFE))
def an_eval_without_criteria_is_refused(exchanges: list[Exchange]) -> None:
    """An eval without `testing_criteria` is refused with 400, or 422."""
    _eval(exchanges)
    lacking = asked_for(exchanges, "createEval", lambda e: "testing_criteria" not in e.request.asked)
    expect_turned_down(lacking)


@clause("evals.delete", level="MUST", source="SPEC deleteEval", on=steps(LIFE))
def a_deletion_says_so(exchanges: list[Exchange]) -> None:
    """A deletion is answered `{object: "eval.deleted", deleted: true, eval_id}` with the id that was deleted."""
    _, made = _eval(exchanges)
    exchange = asked_for(exchanges, "deleteEval", _at(f"/evals/{made.get('id')}"))
    wanted = {"deleted": True, "eval_id": made.get("id")}
    expect_same(exchange, served(exchange, "a deletion"), wanted, "deleted", "eval_id")


@clause("evals.gone", level="MUST", source="SPEC deleteEval, getEval", on=steps(LIFE))
def a_deleted_eval_is_gone(exchanges: list[Exchange]) -> None:
    """A deleted eval is not found: 404."""
    _, made = _eval(exchanges)
    deletion = asked_for(exchanges, "deleteEval", _at(f"/evals/{made.get('id')}"))
    served(deletion, "a deletion")
    expect_gone(asked_for(exchanges, "getEval", _at(deletion.request.path), after=deletion))
