"""Clauses of embeddings: the exchange that keeps each, and the nearest one that breaks it."""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import pytest
from made import answer, clauses_of, outcome_of, verdict_of

from wireproof.clause import Exchange

FOX = "The quick brown fox"
TEXTS = [FOX, "Rain", FOX, "A ledger"]
MODEL = "text-embedding-3-small"
Body = dict[str, Any]


@pytest.fixture(scope="module")
def embeddings(contract: Callable[[str], ModuleType]) -> Mapping[str, Any]:
    """The clauses by the names of their functions."""
    return {one.__name__: one for one in clauses_of(contract("embeddings"), contract("embeddings_vectors"))}


def vector(text: Any, size: int = 32) -> list[float]:
    """Of length 1, the same for the same text, exact in float32."""
    raw = [math.sin(sum(map(ord, f"{text}.")) * (at + 1.37)) for at in range(size)]
    length = math.sqrt(sum(x * x for x in raw))
    return list(struct.unpack(f"<{size}f", struct.pack(f"<{size}f", *(x / length for x in raw))))


def packed(numbers: list[float], kind: str = "<f") -> str:
    return base64.b64encode(struct.pack(f"{kind[0]}{len(numbers)}{kind[1]}", *numbers)).decode()


def body(vectors: list[Any], tokens: int = 4, **more: Any) -> Body:
    return {
        "object": "list",
        "model": MODEL,
        "data": [{"object": "embedding", "index": at, "embedding": one} for at, one in enumerate(vectors)],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        **more,
    }


def embed(
    given: Any, said: Any, *, probe: str = "made", status: int = 200, model: str = MODEL, **asked: Any
) -> Exchange:
    return answer(
        said, asked={"model": model, "input": given, **asked}, operation="createEmbedding", probe=probe, status=status
    )


def refusal(status: int, message: str, code: str | None = None) -> Body:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}


def batch(said: Any = None, **asked: Any) -> Exchange:
    return embed(TEXTS, said or body([vector(text) for text in TEXTS], 13), probe="batch", **asked)


def single(said: Any = None, **asked: Any) -> Exchange:
    return embed(FOX, said or body([vector(FOX)]), probe="single", **asked)


def as_base64(said: Any) -> Exchange:
    return embed(FOX, body([said]), probe="base64", encoding_format="base64")


def shortened(numbers: list[float]) -> Exchange:
    return embed(FOX, body([numbers]), probe="short", dimensions=8, encoding_format="float")


def edited(change: Callable[[Body], Any]) -> Exchange:
    said = body([vector(text) for text in TEXTS], 13)
    change(said)
    return batch(said)


PACKED = packed(vector(FOX))


# Clause, exchanges that keep it, exchanges that break it.
def written() -> Exchange:
    return embed("[1, 2, 3]", body([vector("[1, 2, 3]")]))


PAIRS: dict[str, tuple[str, list[Exchange], list[Exchange]]] = {
    "a row without usage": ("usage", [batch()], [edited(lambda b: b.pop("usage"))]),
    "no tokens of no text": ("usage", [embed("", body([vector(FOX)], 0))], [embed(FOX, body([vector(FOX)], 0))]),
    "no tokens": ("usage", [batch()], [batch(body([vector(t) for t in TEXTS], 0))]),
    "a total of its own": ("usage", [batch()], [edited(lambda b: b["usage"].update(total_tokens=14))]),
    "a count of the first input": (
        "usage_batch",
        [single(), batch()],
        [single(), batch(body([vector(t) for t in TEXTS], 4))],
    ),
    "fewer tokens than token ids": (
        "usage_batch",
        [embed([1, 2, 3], body([vector("t")], 3))],
        [embed([1, 2, 3], body([vector("t")], 1))],
    ),
    "a path for a model": ("model", [batch()], [edited(lambda b: b.update(model="/models/small.gguf"))]),
    "token ids as their digits": (
        "tokens",
        [written(), embed([1, 2, 3], body([vector((1, 2, 3))]))],
        [written(), embed([1, 2, 3], body([vector("[1, 2, 3]")]))],
    ),
    "a batch of token ids as their digits": (
        "tokens",
        [written(), embed([[1, 2, 3], [4]], body([vector((1, 2, 3)), vector((4,))]))],
        [written(), embed([[1, 2, 3], [4]], body([vector("[1, 2, 3]"), vector("[4]")]))],
    ),
    "no model": ("schema", [batch()], [edited(lambda b: b.pop("model"))]),
    "null in a vector": ("schema", [batch()], [edited(lambda b: b["data"][0]["embedding"].append(None))]),
    "a plural object": ("objects", [batch()], [edited(lambda b: b.update(object="lists"))]),
    "a vector of another kind": ("objects", [batch()], [edited(lambda b: b["data"][3].pop("object"))]),
    "one vector for equal texts": ("count", [batch()], [edited(lambda b: b["data"].pop())]),
    "one vector a token": (
        "count",
        [embed([1, 2, 3], body([vector(1)]))],
        [embed([1, 2, 3], body([vector(1), vector(2), vector(3)]))],
    ),
    "index from one": ("index", [batch()], [edited(lambda b: [d.update(index=d["index"] + 1) for d in b["data"]])]),
    "index as text": ("index", [single()], [single(body([]) | {"data": [{"index": "0", "embedding": [1.0]}]})]),
    "backwards with right indexes": ("in-order", [batch()], [edited(lambda b: b["data"].reverse())]),
    "one vector shorter": ("same_length", [batch()], [edited(lambda b: b["data"][1]["embedding"].pop())]),
    "base64 unasked": ("float", [batch()], [single(body([PACKED]))]),
    "numbers for base64": ("base64", [batch(), as_base64(PACKED)], [batch(), as_base64(vector(FOX))]),
    "halves": ("base64", [batch(), as_base64(PACKED)], [batch(), as_base64(packed(vector(FOX), "<e"))]),
    "doubles": ("base64", [batch(), as_base64(PACKED)], [batch(), as_base64(packed(vector(FOX), "<d"))]),
    "big-endian": ("base64", [batch(), as_base64(PACKED)], [batch(), as_base64(packed(vector(FOX), ">f"))]),
    "text that is no base64": ("base64", [batch(), as_base64(PACKED)], [batch(), as_base64("[0.1, 0.2]")]),
    "a vector unshortened": ("dimensions", [shortened(vector(FOX, 8))], [shortened(vector(FOX))]),
    "a vector too long": ("unit_length", [single()], [single(body([[2 * x for x in vector(FOX)]]))]),
    "a vector cut off": ("shortened", [batch(), shortened(vector(FOX, 8))], [batch(), shortened(vector(FOX)[:8])]),
    "another vector in the next call": ("deterministic", [batch(), single()], [batch(), single(body([vector("x")]))]),
    "another vector in the same batch": (
        "deterministic",
        [batch()],
        [edited(lambda b: b["data"][2].update(embedding=vector("x")))],
    ),
    "another vector in base64": (
        "deterministic",
        [batch(), as_base64(PACKED)],
        [batch(), as_base64(packed(vector("x")))],
    ),
    "vectors of a batch swapped": (
        "deterministic",
        [batch(), single()],
        [batch(body([vector(text) for text in reversed(TEXTS)])), single()],
    ),
    "one vector for all": ("distinct", [batch()], [batch(body([vector(FOX)] * 4))]),
    "two decimals": ("precision", [single()], [single(body([[round(x, 2) for x in vector(FOX)]]))]),
    "four decimals": ("precision", [single()], [single(body([[round(x, 4) for x in vector(FOX)]]))]),
    "an empty text embedded": (
        "empty",
        [embed("", refusal(400, "empty"), status=400)],
        [embed("", body([vector("")]))],
    ),
    "a hex format": (
        "encoding_format",
        [embed(FOX, refusal(400, "hex"), status=400, encoding_format="hex")],
        [embed(FOX, body([vector(FOX)]), encoding_format="hex")],
    ),
    "token ids refused": (
        "accepts",
        [embed([1000, 318, 257], body([vector("t")]), probe="embeddings.tokens")],
        [embed([1000, 318, 257], refusal(400, "must be text"), probe="embeddings.tokens", status=400)],
    ),
    "a batch that fails": (
        "accepts",
        [embed(TEXTS, body([]), probe="embeddings.batch")],
        [embed(TEXTS, b"Internal Server Error", probe="embeddings.batch", status=500)],
    ),
}
CLAUSES = {
    "accepts": "documented_requests_are_answered",
    "empty": "an_empty_text_is_refused",
    "encoding_format": "an_unknown_format_is_refused",
    "schema": "answers_follow_the_schema",
    "objects": "kinds_are_named",
    "count": "one_vector_an_input",
    "index": "vectors_are_numbered",
    "in-order": "vectors_come_in_order",
    "same_length": "vectors_are_of_one_length",
    "float": "float_is_an_array_of_numbers",
    "base64": "base64_is_little_endian_float32",
    "dimensions": "dimensions_are_honoured",
    "unit_length": "vectors_have_length_one",
    "shortened": "shortened_vectors_have_length_one",
    "deterministic": "an_input_has_one_vector",
    "distinct": "different_texts_have_different_vectors",
    "precision": "numbers_are_not_rounded",
    "model": "the_model_is_named",
    "tokens": "token_ids_are_no_text",
    "usage": "usage_counts_the_prompt",
    "usage_batch": "a_batch_counts_every_input",
}


def test_every_clause_has_a_pair(embeddings: Mapping[str, Any]) -> None:
    assert set(embeddings) == {CLAUSES[clause] for clause, _, _ in PAIRS.values()}


@pytest.mark.parametrize("case", PAIRS)
def test_a_clause_tells_the_kept_exchange_from_the_broken_one(embeddings: Mapping[str, Any], case: str) -> None:
    clause, kept, broken = PAIRS[case]
    judged = embeddings[CLAUSES[clause]]
    assert outcome_of(judged, *kept) == "pass"
    assert outcome_of(judged, *broken) == "fail"


LEGAL = {
    "a batch": batch(),
    "more keys": batch(body([vector(text) for text in TEXTS], 13, extra={"x": 1}, id="emb-1")),
    "base64": as_base64(PACKED),
    "a short vector": shortened(vector(FOX, 8)),
    "arrays of tokens": embed([[1, 2], [3]], body([vector(1), vector(3)], 5)),
    "float16 on the way": single(body([[x * (1 + 1e-4) for x in vector(FOX)]])),
    "long vectors of another model": embed(FOX, body([[3 * x for x in vector(FOX)]], model="bge-m3"), model="bge-m3"),
    "no such route": embed(FOX, refusal(404, "no such route"), status=404, probe="embeddings.batch"),
    "not implemented": embed(FOX, refusal(501, "not supported"), status=501, probe="embeddings.base64"),
    "a chat model": embed(FOX, refusal(400, "does not support embeddings"), status=400, probe="embeddings.tokens"),
    "throttled": embed(FOX, refusal(429, "slow down"), status=429, probe="embeddings.tokens"),
    "unsupported": embed(FOX, refusal(400, "no", "unsupported_parameter"), status=400, probe="embeddings.base64"),
    "cannot shorten": embed(
        FOX, refusal(400, "no matryoshka"), status=400, dimensions=8, probe="embeddings.dimensions", model="bge-m3"
    ),
}  # fmt: skip
MALFORMED = {
    "HTML": embed(FOX, b"<html>", probe="embeddings.batch"),
    "data of text": embed(FOX, {"data": "none"}),
    "a list": embed(FOX, []),
    "wrong kinds": embed([{}], {"data": [{"embedding": {}, "index": [], "object": 3}], "usage": []}),
    "base64 of an empty list": as_base64([]),
    "infinite floats": as_base64(packed([math.inf] * 32)),
    "zeros": batch(body([[0.0] * 32] * 4)),
}


@pytest.mark.parametrize("clause", CLAUSES)
@pytest.mark.parametrize("case", LEGAL)
def test_a_legal_answer_raises_no_finding(embeddings: Mapping[str, Any], clause: str, case: str) -> None:
    verdict = verdict_of(embeddings[CLAUSES[clause]], LEGAL[case])
    assert verdict.outcome != "fail", verdict.findings
    assert "the clause itself failed" not in verdict.reason


@pytest.mark.parametrize("clause", CLAUSES)
@pytest.mark.parametrize("case", MALFORMED)
def test_no_clause_stumbles_over_a_malformed_answer(embeddings: Mapping[str, Any], clause: str, case: str) -> None:
    verdict = verdict_of(embeddings[CLAUSES[clause]], MALFORMED[case], batch())
    assert "the clause itself failed" not in verdict.reason


def test_vectors_of_other_models_need_not_have_length_one(embeddings: Mapping[str, Any]) -> None:
    long = embed(FOX, body([[3 * x for x in vector(FOX)]], model="bge-m3"), model="bge-m3")
    assert outcome_of(embeddings["vectors_have_length_one"], long) == "not-applicable"
    short = embed(FOX, body([vector(FOX)[:8]], model="bge-m3"), model="bge-m3", dimensions=8)
    assert outcome_of(embeddings["shortened_vectors_have_length_one"], long, short) == "not-applicable"


def test_vectors_of_other_models_that_have_length_one_keep_it_when_shortened(embeddings: Mapping[str, Any]) -> None:
    whole = embed(FOX, body([vector(FOX)], model="bge-m3"), model="bge-m3")
    short = embed(FOX, body([vector(FOX)[:8]], model="bge-m3"), model="bge-m3", dimensions=8)
    assert outcome_of(embeddings["shortened_vectors_have_length_one"], whole, short) == "fail"


def test_a_shuffled_batch_with_right_indexes_keeps_its_vectors(embeddings: Mapping[str, Any]) -> None:
    assert outcome_of(embeddings["an_input_has_one_vector"], edited(lambda b: b["data"].reverse()), single()) == "pass"


def test_a_large_batch_out_of_order_raises_no_finding(embeddings: Mapping[str, Any]) -> None:
    texts = ["tick " * number for number in range(1, 201)]
    told = body([vector(text) for text in texts])
    told["data"] = [told["data"][at * 77 % 200] for at in range(200)]
    for name, clause in embeddings.items():
        if clause.clause.evidence.shape == "each" and name != "vectors_come_in_order":
            assert outcome_of(clause, embed(texts, told)) in ("pass", "not-applicable"), name


def test_a_finding_names_the_vector(embeddings: Mapping[str, Any]) -> None:
    verdict = verdict_of(embeddings["base64_is_little_endian_float32"], batch(), as_base64(vector(FOX)))
    assert str(verdict.findings[0].where) == "base64 /data/0/embedding"
