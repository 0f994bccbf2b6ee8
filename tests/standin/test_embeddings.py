from __future__ import annotations

import base64
import math
from array import array
from typing import Any

import pytest
from standin.asking import CHAT, EMBEDDING, error, post

from wireproof.spec import load_spec
from wireproof.standin.wire import Answer

LARGE = "text-embedding-3-large"


def embed(input: Any, model: str = EMBEDDING, **fields: Any) -> Answer:
    return post("/embeddings", {"model": model, "input": input, **fields})


def vectors(answer: Answer) -> list[list[float]]:
    assert answer.status == 200, answer.body
    return [row["embedding"] for row in answer.json["data"]]


@pytest.mark.parametrize(("model", "size"), [(EMBEDDING, 1536), (LARGE, 3072)])
def test_a_vector_has_the_models_size_and_length_one(model: str, size: int) -> None:
    answer = embed("river", model)
    schema = load_spec().operations["createEmbedding"].answer_schema(200)
    assert schema is not None
    assert list(schema.violations(answer.json)) == []
    (vector,) = vectors(answer)
    assert len(vector) == size
    assert math.isclose(math.hypot(*vector), 1, abs_tol=1e-6)


def test_the_same_input_has_the_same_vector_in_any_batch() -> None:
    assert vectors(embed(["stone", "river"]))[1] == vectors(embed("river"))[0]
    assert vectors(embed("river")) != vectors(embed("stone"))


def test_a_batch_is_numbered_and_its_tokens_add_up() -> None:
    answer = embed(["a river", "one", "two three four"])
    assert [row["index"] for row in answer.json["data"]] == [0, 1, 2]
    alone = sum(embed(one).json["usage"]["prompt_tokens"] for one in ("a river", "one", "two three four"))
    assert answer.json["usage"] == {"prompt_tokens": alone, "total_tokens": alone}


@pytest.mark.parametrize(("input", "rows", "tokens"), [([1, 2, 3], 1, 3), ([[1, 2], [3]], 2, 3)])
def test_tokens_are_taken_for_text(input: Any, rows: int, tokens: int) -> None:
    answer = embed(input)
    assert len(vectors(answer)) == rows
    assert answer.json["usage"]["prompt_tokens"] == tokens


@pytest.mark.parametrize("size", [1, 256, 1536])
def test_fewer_dimensions_are_the_first_ones_at_length_one_again(size: int) -> None:
    (whole,), (short,) = vectors(embed("river")), vectors(embed("river", dimensions=size))
    assert len(short) == size
    assert math.isclose(math.hypot(*short), 1, abs_tol=1e-6)
    ratio = short[0] / whole[0]
    assert all(math.isclose(a, b * ratio, rel_tol=1e-4) for a, b in zip(short, whole, strict=False))


def test_base64_holds_the_same_floats() -> None:
    (packed,) = vectors(embed("river", encoding_format="base64"))
    assert isinstance(packed, str)
    assert array("f", base64.b64decode(packed)).tolist() == vectors(embed("river"))[0]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"input": ["a", ""]}, "input[1]"),
        ({"input": "a", "dimensions": 1537}, "dimensions"),
        ({"input": "a", "dimensions": 0}, "dimensions"),
        ({"input": "a", "encoding_format": "hex"}, "encoding_format"),
        ({"input": ["a"] * 2049}, "input"),
        ({"input": "word " * 8193}, "input"),
        ({"input": ["word " * 8000] * 38}, "input"),
        ({}, "input"),
    ],
)
def test_what_cannot_be_embedded_is_refused(fields: dict[str, Any], param: str) -> None:
    answer = post("/embeddings", {"model": EMBEDDING, **fields})
    assert answer.status == 400
    assert error(answer)["param"] == param


def test_a_chat_model_does_not_embed() -> None:
    assert embed("a", CHAT).status == 404
