"""The description as a document: a valid OpenAPI 3.1 file in which every name leads somewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from wireproof.spec import load_spec
from wireproof.violations import follow

DOCUMENT = load_spec().document
COMPONENTS = [
    (section, name)
    for section, named in DOCUMENT["components"].items()
    for name in named
    if section != "securitySchemes"  # named by `security`, not by a ref
]
OPERATIONS = sorted(load_spec().operations)


def refs(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from refs(value)
    elif isinstance(node, list):
        for item in node:
            yield from refs(item)


def keywords(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from node
        for value in node.values():
            yield from keywords(value)
    elif isinstance(node, list):
        for item in node:
            yield from keywords(item)


def test_it_is_a_valid_openapi_3_1_document() -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()] == []


def test_every_ref_leads_somewhere() -> None:
    for ref in set(refs(DOCUMENT)):
        assert follow(DOCUMENT, ref.removeprefix("#")) is not None, ref


def test_no_component_is_unused() -> None:
    used = set(refs(DOCUMENT))
    assert [f"{section}/{name}" for section, name in COMPONENTS if f"#/components/{section}/{name}" not in used] == []


def test_null_is_spelt_as_a_type() -> None:
    assert "nullable" not in set(keywords(DOCUMENT))


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_an_operation_says_what_it_answers_and_where_that_is_from(operation_id: str) -> None:
    operation = load_spec().operations[operation_id]
    assert operation.node["summary"]
    # A socket is taken by 101, everything else by 2xx.
    first = next(status for status in operation.node["responses"] if status.startswith(("1", "2")))
    answered = operation.node["responses"][first].get("content", {})
    assert "application/json" not in answered or operation.answer_schema(int(first)) is not None
    for status in (400, 401, 403, 404, 405, 409, 422, 429, 500, 503):
        refusal = operation.answer_schema(status)
        assert refusal is not None, status
        assert refusal.ref == "#/components/schemas/ErrorEnvelope", status
    assert "x-request-id" in operation.node["responses"][first]["headers"]


@pytest.mark.parametrize("operation_id", ["createChatCompletion", "createCompletion"])
def test_a_streaming_operation_names_its_event_its_grammar_and_its_end(operation_id: str) -> None:
    operation = load_spec().operations[operation_id]
    stream = operation.node["responses"]["200"]["content"]["text/event-stream"]
    assert operation.event_schema is not None
    assert stream["x-terminator"] == "[DONE]"
    assert stream["x-grammar"] in ("chat", "completions")
    assert stream["x-error-event"]["$ref"] == "#/components/schemas/ErrorEnvelope"


@pytest.mark.parametrize("operation_id", ["createChatCompletion", "createCompletion", "createEmbedding"])
def test_a_limited_operation_tells_of_its_limits(operation_id: str) -> None:
    headers = load_spec().operations[operation_id].node["responses"]["200"]["headers"]
    assert sum(name.startswith("x-ratelimit-") for name in headers) == 6


def test_operations_and_components_name_sources_that_exist() -> None:
    known = load_spec().catalogue("sources")["sources"]
    named = {f"{section}/{name}": DOCUMENT["components"][section][name] for section, name in COMPONENTS}
    named |= {operation.id: operation.node for operation in load_spec().operations.values()}
    for place, node in named.items():
        assert node.get("x-source"), place
        assert set(node["x-source"]) <= set(known), place


def test_a_note_is_one_line_and_stands_where_we_depart() -> None:
    noted = [DOCUMENT["components"][section][name].get("x-note") for section, name in COMPONENTS]
    notes = [note for note in noted if note is not None]
    assert len(notes) >= 10
    assert all("\n" not in note for note in notes)


def test_schemas_of_answers_are_open() -> None:
    """A property that an answer has more is always legal."""
    answers = ["ChatCompletion", "ChatChunk", "Completion", "CompletionChunk", "EmbeddingList", "ModelList", "Model"]
    todo = [f"#/components/schemas/{name}" for name in [*answers, "ErrorEnvelope", "StoredMessagePage"]]
    seen: set[str] = set()
    while todo:
        ref = todo.pop()
        if ref not in seen:
            seen.add(ref)
            node = follow(DOCUMENT, ref[1:])
            assert node.get("additionalProperties") is not False, ref
            todo += refs(node)


def test_no_schema_is_defined_twice_under_two_names() -> None:
    bodies = Counter(
        repr({k: v for k, v in node.items() if not k.startswith("x-")})
        for node in DOCUMENT["components"]["schemas"].values()
    )
    assert [body for body, times in bodies.items() if times > 1] == []
