"""Embeddings: the vectors. In the form that was asked for, and the same from call to call.

Clauses compare what different calls said about the same input, so several of them read all traffic at once
(`sequence`): a vector asked for as base64 is held against the same vector as numbers. The requests are those of
embeddings.py.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Sequence
from typing import Any

from wireproof.clause import Exchange, Inconclusive, NotApplicable, answered, clause, expect, load_spec, sequence

from ._embeddings import Embedded, all_embedded, data_of, is_sane, readable, wants_numbers
from ._reading import as_object

SAME_DIRECTION = 0.999  # cosine; batching and half precision on GPUs move it by less than 0.0005
NEAR_UNIT = 0.01  # a vector computed in float16 is off by less than 0.002


# --------------------------------------------------------------------------------------------- the format


@clause(
    "embeddings.same-length",
    level="MUST",
    source="SPEC Embedding.embedding: the length depends on the model",
    on=answered("createEmbedding", asks=wants_numbers),
)
def vectors_are_of_one_length(exchange: Exchange) -> None:
    """All vectors of an answer have the same number of components."""
    sizes = [len(vector.numbers or ()) for vector in readable(exchange)]
    expect(len(set(sizes)) == 1, expected="vectors of one length", got=f"lengths {sizes}", at="/data")


@clause(
    "embeddings.float",
    level="MUST",
    source="SPEC CreateEmbeddingRequest.encoding_format: default float",
    on=answered("createEmbedding", asks=wants_numbers),
    fields=("encoding_format",),
)
def float_is_an_array_of_numbers(exchange: Exchange) -> None:
    """`encoding_format: float`, and none at all, is answered with arrays of numbers."""
    for at, item in enumerate(data_of(exchange)):
        raw = item.get("embedding")
        expect(isinstance(raw, list), expected="an array of numbers", got=raw, at=f"/data/{at}/embedding")


@clause(
    "embeddings.base64",
    level="MUST",
    source="SPEC CreateEmbeddingRequest.encoding_format; SDK lib/_parsing/_embeddings.py",
    on=sequence(answered("createEmbedding")),
    fields=("encoding_format",),
)
def base64_is_little_endian_float32(exchanges: list[Exchange]) -> None:
    """`encoding_format: base64` is answered with base64 of little-endian float32, as many as the vector has numbers.

    The official SDKs ask for it and decode it without looking: halves, doubles, big-endian or a text of another
    kind become vectors of the wrong length or of noise.
    """
    vectors = all_embedded(exchanges)
    packed = [vector for vector in vectors if vector.is_packed]
    if not packed:
        raise NotApplicable("no answer to a request for base64")
    plain = [vector for vector in vectors if isinstance(vector.raw, list) and not vector.is_packed]
    for vector in packed:
        _is_packed_like(vector, [one for one in plain if one.model_and_size == vector.model_and_size])


def _is_packed_like(vector: Embedded, plain: Sequence[Embedded]) -> None:
    expect(isinstance(vector.raw, str), expected="a base64 string", got=vector.raw, at=vector.place)
    numbers = vector.numbers
    if numbers is None:
        expect(False, expected="base64 of float32, four bytes each", got=vector.raw, at=vector.place)
        return
    is_finite = all(map(math.isfinite, numbers))
    expect(is_finite, expected="finite float32, little-endian", got="infinite or no numbers", at=vector.place)
    sizes = {len(one.numbers) for one in plain if one.numbers}
    if len(sizes) == 1:
        (size,) = sizes
        expect(len(numbers) == size, expected=f"{size} float32", got=f"bytes for {len(numbers)}", at=vector.place)
    twins = [one for one in plain if one.text == vector.text and is_sane(one)]
    if twins and all(math.isclose(one.length, twins[0].length, rel_tol=0.02) for one in twins):
        twin = twins[0]
        near = math.isclose(vector.length, twin.length, rel_tol=0.02)
        expect(
            near,
            expected=f"little-endian float32 of a vector of length {twin.length:.4g}",
            got=f"length {vector.length:.4g}",
            at=vector.place,
        )


# -------------------------------------------------------------------------------------------- the numbers


@clause(
    "embeddings.dimensions",
    level="MUST",
    source="SPEC CreateEmbeddingRequest.dimensions",
    on=answered("createEmbedding", asks=lambda body: isinstance(body.get("dimensions"), int)),
    fields=("dimensions",),
)
def dimensions_are_honoured(exchange: Exchange) -> None:
    """An accepted `dimensions` is the number of components of every vector.

    A vector store made for 256 refuses 1,536. A model that cannot shorten refuses the parameter instead.
    """
    wanted = exchange.request.asked["dimensions"]
    for vector in readable(exchange):
        got = len(vector.numbers or ())
        expect(got == wanted, expected=f"{wanted} components", got=f"{got}", at=f"/data/{vector.at}/embedding")


@clause(
    "embeddings.unit-length",
    level="MUST",
    source="DOCS-0715 embeddings: vectors have length 1",
    on=answered("createEmbedding", asks=lambda body: body.get("dimensions") is None and wants_numbers(body)),
)
def vectors_have_length_one(exchange: Exchange) -> None:
    """The vectors of OpenAI's embedding models have length 1, so that a dot product is the cosine."""
    if not _promises_unit_length(exchange):
        raise NotApplicable("only OpenAI's models are documented to have vectors of length 1")
    for vector in readable(exchange):
        _has_unit_length(vector, f"/data/{vector.at}/embedding")


@clause(
    "embeddings.shortened-length",
    level="MUST",
    source="DOCS-0715 embeddings: shortened vectors are normalised again",
    on=sequence(answered("createEmbedding")),
)
def shortened_vectors_have_length_one(exchanges: list[Exchange]) -> None:
    """Where whole vectors have length 1, vectors shortened by `dimensions` have it too.

    Cutting components off makes a vector shorter than 1; unless it is scaled again, similarities are too small.
    """
    vectors = [vector for vector in all_embedded(exchanges) if vector.numbers is not None]
    short = [vector for vector in vectors if _is_shortened(vector)]
    whole = [vector for vector in vectors if vector.model_and_size[1] is None and isinstance(vector.raw, list)]
    judged = [vector for vector in short if _promises_unit_length(vector.exchange) or _are_units(vector, whole)]
    if not judged:
        raise NotApplicable("no shortened vector of a model whose vectors have length 1")
    for vector in judged:
        _has_unit_length(vector, vector.place)


def _is_shortened(vector: Embedded) -> bool:
    return vector.model_and_size[1] is not None and len(vector.numbers or ()) == vector.model_and_size[1]


def _are_units(short: Embedded, whole: Sequence[Embedded]) -> bool:
    """Whether the whole vectors of the same model have length 1, and there is one."""
    lengths = [one.length for one in whole if one.model_and_size[0] == short.model_and_size[0]]
    return bool(lengths) and all(abs(length - 1) < NEAR_UNIT for length in lengths)


def _has_unit_length(vector: Embedded, at: str) -> None:
    expect(abs(vector.length - 1) < NEAR_UNIT, expected="a vector of length 1", got=f"{vector.length:.4f}", at=at)


def _promises_unit_length(exchange: Exchange) -> bool:
    """Whether the model that was asked, or that answered, is one whose vectors are documented to have length 1."""
    models = load_spec().catalogue("models")["models"]
    promised = {name for name, row in models.items() if row.get("kind") == "embedding"}
    promised |= {row.get("snapshot") for name, row in models.items() if name in promised}
    named = [exchange.request.asked.get("model"), as_object(exchange.json).get("model")]
    return any(isinstance(name, str) and name.rpartition("/")[2] in promised for name in named)


@clause(
    "embeddings.deterministic",
    level="MUST",
    source="DOCS-0715 embeddings; SPEC CreateEmbeddingRequest (nothing in it is random)",
    on=sequence(answered("createEmbedding")),
)
def an_input_has_one_vector(exchanges: list[Exchange]) -> None:
    """The vector of an input is the same from call to call, in any place of a batch and in either format.

    Stored vectors are compared with new ones for years. A difference here is most often a batch that was
    answered in another order than it was asked.
    """
    first: dict[Any, Embedded] = {}
    compared = 0
    for vector in filter(is_sane, all_embedded(exchanges)):
        known = first.setdefault((*vector.model_and_size, vector.text), vector)
        assert known.numbers is not None and vector.numbers is not None
        if known is vector or len(known.numbers) != len(vector.numbers):
            continue
        if vector.is_packed and not math.isclose(vector.length, known.length, rel_tol=0.02):
            continue  # bytes of another kind: embeddings.base64 says so
        compared += 1
        cosine = _cosine(known, vector)
        expect(
            cosine > SAME_DIRECTION,
            expected=f"the vector of {known.place} again",
            got=f"another one, cosine {cosine:.3f}",
            at=vector.place,
        )
    if not compared:
        raise Inconclusive("no two vectors of one input can be compared")


def _cosine(one: Embedded, other: Embedded) -> float:
    assert one.numbers is not None and other.numbers is not None
    dot = math.fsum(x * y for x, y in zip(one.numbers, other.numbers, strict=True))
    return dot / (one.length * other.length)


@clause(
    "embeddings.tokens",
    level="MUST",
    source="SPEC CreateEmbeddingRequest.input: array of tokens",
    on=sequence(answered("createEmbedding")),
)
def token_ids_are_no_text(exchanges: list[Exchange]) -> None:
    """An array of token ids is embedded as the text that they stand for, not as the digits they are written with.

    LangChain sends token ids by default: nobody sees them, and searches find nothing.
    """
    vectors = list(filter(is_sane, all_embedded(exchanges)))
    pairs = [
        (one, other)
        for one in vectors
        if isinstance(one.text, tuple)
        for other in vectors
        if other.text in _written(one.text) and other.model_and_size == one.model_and_size
        if len(one.numbers or ()) == len(other.numbers or ())
    ]
    if not pairs:
        raise NotApplicable("token ids were not embedded beside their digits")
    for one, other in pairs:
        cosine = _cosine(one, other)
        expect(
            cosine < SAME_DIRECTION,
            expected=f"another vector than that of the text {other.text!r}",
            got=f"the same one, cosine {cosine:.4f}",
            at=one.place,
        )


def _written(ids: tuple[int, ...]) -> set[str]:
    """Token ids as careless programs write them out."""
    digits = [str(id) for id in ids]
    return {f"[{', '.join(digits)}]", f"[{','.join(digits)}]", " ".join(digits), ",".join(digits), ", ".join(digits)}


@clause(
    "embeddings.distinct",
    level="MUST",
    source="DOCS-0715 embeddings: distance measures relatedness",
    on=answered("createEmbedding", asks=lambda body: isinstance(body.get("input"), list) and len(body["input"]) > 1),
)
def different_texts_have_different_vectors(exchange: Exchange) -> None:
    """Different texts of a batch have different vectors."""
    plain = [vector for vector in readable(exchange) if isinstance(vector.text, str) and len(vector.text) < 1000]
    texts = {"".join(re.findall(r"\w", vector.text.casefold())) for vector in plain}
    if len(texts) < 2:
        raise NotApplicable("all texts are alike")
    vectors = {vector.numbers for vector in plain}
    expect(
        len(vectors) >= len(texts),
        expected=f"{len(texts)} different vectors for {len(texts)} different texts",
        got=f"{len(vectors)}",
        at="/data",
    )


def _as_float32(number: float) -> float:
    """The nearest float32, as a server prints it that computes in single precision."""
    (single,) = struct.unpack("<f", struct.pack("<f", number))
    return float(single)


@clause(
    "embeddings.precision",
    level="SHOULD",
    source="SPEC Embedding.embedding: floats",
    on=answered("createEmbedding", asks=wants_numbers),
)
def numbers_are_not_rounded(exchange: Exchange) -> None:
    """Components have the precision of a float32, not a few decimals."""
    for vector in readable(exchange):
        numbers = [x for x in vector.numbers or () if x]
        if len(numbers) < 16:
            continue  # a vector this short may be round by chance
        is_fine = any(x not in (round(x, 4), _as_float32(round(x, 4))) for x in numbers)
        expect(
            is_fine,
            expected="more than four decimals",
            got=f"{numbers[:4]}",
            at=f"/data/{vector.at}/embedding",
        )
