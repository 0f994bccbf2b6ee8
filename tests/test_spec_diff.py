"""Two descriptions of one API: what differs is told, how it is spelt is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from wireproof.cli import run
from wireproof.spec_diff import Departure, Difference, compare


def document(answer: Any, *, request: Any = None, parameters: Any = (), **schemas: Any) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": "getThing",
        "parameters": list(parameters),
        "responses": {"200": {"description": "", "content": {"application/json": {"schema": answer}}}},
    }
    if request is not None:
        operation["requestBody"] = {"content": {"application/json": {"schema": request}}}
    return {"paths": {"/things": {"post": operation}}, "components": {"schemas": schemas}}


def thing(**changed: Any) -> dict[str, Any]:
    properties = {"id": {"type": "string"}, "status": {"type": "string", "enum": ["new", "old"]}}
    return {"type": "object", "required": ["id"], "properties": properties} | changed


def found(ours: Any, theirs: Any) -> list[tuple[str, str]]:
    return [(one.at, one.kind) for one in compare(document(ours), document(theirs), []).unexplained]


ANSWER = "getThing answer application/json"


def test_a_document_does_not_differ_from_itself() -> None:
    assert found(thing(), thing()) == []


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"const": "a"}, {"type": "string", "enum": ["a"]}),
        ({"type": ["string", "null"]}, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        (
            {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}},
            {"allOf": [{"properties": {"a": {"type": "string"}}}, {"properties": {"b": {"type": "string"}}}]},
        ),
        ({"type": "number"}, {"anyOf": [{"type": "integer"}, {"type": "number"}]}),
    ],
)
def test_spelling_is_no_difference(ours: Any, theirs: Any) -> None:
    assert found(ours, theirs) == []


@pytest.mark.parametrize(
    ("changed", "at", "kind"),
    [
        (thing(required=[]), f"{ANSWER}/id", "required"),
        (thing(properties={"id": {"type": "string"}}), f"{ANSWER}/status", "property"),
        (thing(properties=thing()["properties"] | {"id": {"type": "integer"}}), f"{ANSWER}/id", "type"),
        (thing(properties=thing()["properties"] | {"status": {"type": "string"}}), f"{ANSWER}/status", "enum"),
        (thing(properties=thing()["properties"] | {"status": {"enum": ["new"]}}), f"{ANSWER}/status", "enum"),
    ],
)
def test_what_differs_is_told_with_its_place(changed: Any, at: str, kind: str) -> None:
    assert found(changed, thing()) == [(at, kind)]
    assert found(thing(), changed) == [(at, kind)]


def test_unions_are_compared_branch_by_branch_of_their_tag() -> None:
    def union(*names: str, extra: str) -> Any:
        return {
            "oneOf": [
                {"type": "object", "properties": {"type": {"const": name}, extra: {"type": "string"}}} for name in names
            ]
        }

    assert found(union("a", "b", extra="x"), union("b", "a", extra="x")) == []
    assert found(union("a", "b", extra="x"), union("a", "c", extra="x")) == [
        (f"{ANSWER}<type>/b", "property"),
        (f"{ANSWER}<type>/c", "property"),
    ]
    assert (f"{ANSWER}<a>/x", "property") in found(union("a", "b", extra="x"), union("a", "b", extra="y"))


def test_a_difference_in_a_shared_schema_is_told_once_and_by_its_name() -> None:
    pair = {
        "type": "object",
        "properties": {"a": {"$ref": "#/components/schemas/Part"}, "b": {"$ref": "#/components/schemas/Part"}},
    }
    ours = document(pair, Part={"type": "string"})
    theirs = document(pair, Part={"type": "integer"})
    assert compare(ours, theirs, []).unexplained == (Difference("Part", "type", "string", "integer"),)


def test_a_schema_that_contains_itself_ends() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Node"}}}
    root = {"$ref": "#/components/schemas/Node"}
    assert compare(document(root, Node=node), document(root, Node=node), []).unexplained == ()


def test_parameters_and_media_types_are_compared() -> None:
    limit = {"name": "limit", "in": "query", "schema": {"type": "integer"}}
    ours = document(thing(), request=thing(), parameters=[limit])
    kinds = {(one.at, one.kind) for one in compare(ours, document(thing()), []).unexplained}
    assert kinds == {
        ("getThing parameter/query limit", "parameter"),
        ("getThing request/application/json", "media"),
    }
    required = document(thing(), request=thing(), parameters=[limit | {"required": True}])
    assert [one.kind for one in compare(ours, required, []).unexplained] == ["required"]


def test_an_operation_that_they_lack_is_a_difference_and_one_that_we_lack_is_not() -> None:
    empty: dict[str, Any] = {"paths": {}, "components": {}}
    assert [one.kind for one in compare(document(thing()), empty, []).unexplained] == ["operation"]
    assert compare(empty, document(thing()), []).unexplained == ()


def test_a_departure_explains_and_one_that_explains_nothing_is_stale() -> None:
    meant, vain = Departure("*/id", "ids are free"), Departure("Nothing", "gone")
    result = compare(document(thing(required=[])), document(thing()), [meant, vain])
    assert result.unexplained == ()
    assert [why for _, why in result.explained] == ["ids are free"]
    assert result.stale == (vain,)


def test_the_command_compares_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps({"paths": {}, "components": {}}))
    assert run(["spec", "diff", str(file), "--only", "listModels"]) == 1
    assert "listModels  operation: ours described, theirs not described" in capsys.readouterr().out
    file.write_text("[]")
    assert run(["spec", "diff", str(file)]) == 2
    assert "no OpenAPI document" in capsys.readouterr().err
    assert run(["spec", "diff", str(file), "--only", "/nothing"]) == 2
