"""What the schemas of requests take and what they refuse: the table of requests.yaml, and sizes too long to write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from wireproof.spec import Operation, load_spec, read_yaml

SPEC = load_spec()
REQUESTS = read_yaml(Path(__file__).with_name("requests.yaml"))
PARAMETERS = [(operation_id, name) for operation_id in REQUESTS for name in REQUESTS[operation_id]["parameters"]]

# The largest legal value, and the next one.
EDGES = {
    ("createChatCompletion", "seed"): (2**63 - 1, 2**63),
    ("createChatCompletion", "safety_identifier"): ("u" * 64, "u" * 65),
    ("createChatCompletion", "tools"): tuple(
        [{"type": "function", "function": {"name": "f" * length}}] for length in (64, 65)
    ),
    ("createChatCompletion", "functions"): tuple([{"name": "f"}] * count for count in (128, 129)),
    ("createChatCompletion", "metadata"): tuple({str(key): "" for key in range(count)} for count in (16, 17)),
    ("updateChatCompletion", "metadata"): ({"k" * 64: "v" * 512}, {"k" * 64: "v" * 513}),
    ("createEmbedding", "input"): (["a"] * 2048, ["a"] * 2049),
}
EDGES_OF_TOKENS = ([[1] * 8192], [[1] * 8193])


def breaches(operation_id: str, name: str, value: Any) -> bool:
    operation: Operation = SPEC.operations[operation_id]
    return bool(operation.request_violations({**REQUESTS[operation_id]["least"], name: value}))


@pytest.mark.parametrize(("operation_id", "name"), PARAMETERS)
def test_a_parameter_takes_the_legal_values_and_no_others(operation_id: str, name: str) -> None:
    row = REQUESTS[operation_id]["parameters"][name]
    assert [value for value in row["legal"] if breaches(operation_id, name, value)] == []
    assert [value for value in row["breach"] if not breaches(operation_id, name, value)] == []


@pytest.mark.parametrize(("operation_id", "name"), EDGES)
def test_a_size_has_its_edge(operation_id: str, name: str) -> None:
    inside, outside = EDGES[operation_id, name]
    assert not breaches(operation_id, name, inside)
    assert breaches(operation_id, name, outside)


def test_an_input_has_at_most_8192_tokens() -> None:
    inside, outside = EDGES_OF_TOKENS
    assert not breaches("createEmbedding", "input", inside)
    assert breaches("createEmbedding", "input", outside)


@pytest.mark.parametrize("operation_id", REQUESTS)
def test_every_parameter_is_in_the_table(operation_id: str) -> None:
    schema = SPEC.operations[operation_id].request_schema
    assert schema is not None
    described = set(SPEC.resolved({"$ref": schema.ref})["properties"])
    assert described <= set(REQUESTS[operation_id]["parameters"])


@pytest.mark.parametrize("operation_id", REQUESTS)
def test_the_least_request_is_legal_and_less_is_not(operation_id: str) -> None:
    operation: Operation = SPEC.operations[operation_id]
    least = REQUESTS[operation_id]["least"]
    assert operation.request_violations(least) == []
    for left_out in least:
        assert operation.request_violations({name: least[name] for name in least if name != left_out}), left_out


def test_the_table_is_about_operations_that_take_a_body() -> None:
    assert set(REQUESTS) <= {op.id for op in SPEC.operations.values() if op.request_schema}
