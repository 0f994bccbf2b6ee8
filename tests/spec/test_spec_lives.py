"""What the description says of lists and of lives: how a list is walked, from which state an object moves to which."""

from __future__ import annotations

from typing import Any

import pytest

from wireproof.spec import Operation, load_spec

SPEC = load_spec()
SCHEMAS = SPEC.document["components"]["schemas"]
LIVES = [name for name, node in SCHEMAS.items() if "x-lifecycle" in node]


def page_of(operation: Operation) -> dict[str, Any] | None:
    """The properties of the list that an operation answers; None when it answers something else."""
    schema = operation.answer_schema(200)
    properties: dict[str, Any] = SPEC.resolved({"$ref": schema.ref}).get("properties", {}) if schema else {}
    return properties if {"object", "data"} <= set(properties) and operation.method == "GET" else None


LISTS = [operation.id for operation in SPEC.operations.values() if page_of(operation) is not None]


@pytest.mark.parametrize("operation_id", LISTS)
def test_a_list_says_how_it_is_walked(operation_id: str) -> None:
    operation = SPEC.operations[operation_id]
    page, style = page_of(operation) or {}, operation.node.get("x-paging")
    taken = {parameter.name for parameter in operation.parameters}
    if style == "whole":
        assert "after" not in taken
    else:
        assert style == ("cursor" if "first_id" in page else "cursor-bare")
        assert "has_more" in page
        assert {"after", "limit"} <= taken


def test_there_are_lists_and_lives() -> None:
    assert len(LISTS) > 5
    assert len(LIVES) > 3


@pytest.mark.parametrize("name", LIVES)
def test_a_life_leads_through_every_state_and_no_other(name: str) -> None:
    node = SCHEMAS[name]
    life = node["x-lifecycle"]
    closed = SPEC.resolved(node["properties"][life["field"]]).get("enum")
    moves = life["moves"]
    reached: set[str] = set()
    todo = list(life["start"])
    while todo:
        state = todo.pop()
        if state not in reached:
            reached.add(state)
            todo += moves.get(state, [])
    assert set(moves) <= reached
    assert closed is None or reached == set(closed) - {None}
    assert any(state not in moves for state in reached), "a life has an end"
