"""Embeddings: one vector an input, told apart by its place, the same from call to call.

Clauses compare what different calls said about the same input, so most of them read all traffic at once
(`sequence`): a vector asked for as base64 is held against the same vector as numbers.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wireproof.clause import (
    EMBEDDING_MODEL,
    Exchange,
    Inconclusive,
    NotApplicable,
    Undecodable,
    Violation,
    answered,
    clause,
    expect,
    load_spec,
    probe,
    sent,
    sequence,
)

FOX = "The quick brown fox"
# The text that comes twice is of middling length, and neither first and last nor only in the middle: whatever
# reorders a batch (reversal, sorting by length) moves it.
BATCH = [FOX, "Rain", FOX, "A ledger of every ship that left the harbour"]
TOKENS = [1000, 318, 257]  # below the size of every vocabulary in use


def _ask(**fields: Any) -> dict[str, Any]:
    return {"model": EMBEDDING_MODEL, **fields}


def _embed(id: str, body: dict[str, Any], about: str, expects: Any = "answer") -> Any:
    return probe(id, "POST", "/embeddings", body, about=about, expects=expects, needs=EMBEDDING_MODEL)


PROBES = (
    _embed("embeddings.batch", _ask(input=BATCH), "four texts, one of them twice, in the default format"),
    _embed("embeddings.base64", _ask(input=FOX, encoding_format="base64"), "one text as the SDKs ask for it"),
    _embed(
        "embeddings.dimensions",
        _ask(input=FOX, dimensions=256, encoding_format="float"),
        "one text, a shorter vector",
        "either",
    ),
    _embed("embeddings.tokens", _ask(input=TOKENS), "one input given as token ids"),
    _embed("embeddings.empty", _ask(input=""), "an empty text, which must be refused", "refusal"),
    _embed(
        "embeddings.encoding-format",
        _ask(input=FOX, encoding_format="hex"),
        "an encoding_format that is none",
        "refusal",
    ),
)

FORMATS = (None, "float", "base64")
SAME_DIRECTION = 0.999  # cosine; batching and half precision on GPUs move it by less than 0.0005
NEAR_UNIT = 0.01  # a vector computed in float16 is off by less than 0.002
NOT_NOW = (401, 403, 429, 502, 503, 504)
NOT_SERVED = (404, 405, 501)
NO_EMBEDDER = re.compile(r"(not|n't) (support|allowed)[^.]{0,40}embedding|embedding[^.]{0,40}not support", re.I)


# ------------------------------------------------------------------------------------------------ reading


@dataclass(frozen=True)
class Embedded:
    """One vector of an answer with the input it stands for. `numbers` is None when it cannot be read."""

    exchange: Exchange
    at: int
    text: Any
    raw: Any
    numbers: tuple[float, ...] | None

    @property
    def place(self) -> str:
        return f"{self.exchange.id} /data/{self.at}/embedding"

    @property
    def model_and_size(self) -> tuple[Any, Any]:
        asked = self.exchange.request.asked
        return asked.get("model"), asked.get("dimensions")

    @property
    def is_packed(self) -> bool:
        return _wants_base64(self.exchange.request.asked)

    @property
    def length(self) -> float:
        return math.sqrt(math.fsum(x * x for x in self.numbers or ()))


def _wants_base64(asked: dict[str, Any]) -> bool:
    return asked.get("encoding_format") == "base64"


def _wants_numbers(asked: dict[str, Any]) -> bool:
    return asked.get("encoding_format") in (None, "float")


def _inputs(exchange: Exchange) -> list[Any]:
    """The inputs of a request: texts as they are, token arrays as tuples, what is neither as its repr."""
    asked = exchange.request.asked.get("input")
    if not isinstance(asked, list) or _are_tokens(asked):
        return [_input(asked)]
    return [_input(one) for one in asked]


def _input(one: Any) -> str | tuple[int, ...]:
    if isinstance(one, str):
        return one
    return tuple(one) if _are_tokens(one) else repr(one)


def _are_tokens(asked: Any) -> bool:
    return isinstance(asked, list) and bool(asked) and all(type(one) is int for one in asked)


def _data(exchange: Exchange) -> list[dict[str, Any]]:
    """`data` of an answer; when it is no list of objects, the schema clause says so and nobody else."""
    body = exchange.json
    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(data, list) or not all(isinstance(item, dict) for item in data):
        raise Inconclusive("`data` is not a list of objects")
    return data


def _numbers(raw: Any) -> tuple[float, ...] | None:
    """A vector as numbers, whether it came as an array or as base64 of little-endian float32."""
    if isinstance(raw, list) and raw and all(isinstance(x, int | float) and not isinstance(x, bool) for x in raw):
        return tuple(float(x) for x in raw)
    if isinstance(raw, str) and raw:
        try:
            data = base64.b64decode(raw, validate=True)
        except (binascii.Error, ValueError):
            return None
        if len(data) % 4 == 0:
            return struct.unpack(f"<{len(data) // 4}f", data)
    return None


def _embedded(exchange: Exchange) -> list[Embedded]:
    """The vectors of one answer, by their index, else by their place; none when there are not as many as inputs."""
    try:
        data = _data(exchange)
    except (Inconclusive, Undecodable):
        return []
    inputs = _inputs(exchange)
    if len(data) != len(inputs):
        return []
    told: list[Any] = [item.get("index") for item in data]
    is_order = all(type(index) is int for index in told) and sorted(told) == list(range(len(data)))
    order = told if is_order else range(len(data))
    vectors = [item.get("embedding") for item in data]
    return [Embedded(exchange, at, inputs[order[at]], raw, _numbers(raw)) for at, raw in enumerate(vectors)]


def _all_embedded(exchanges: Sequence[Exchange]) -> list[Embedded]:
    return [vector for exchange in exchanges for vector in _embedded(exchange)]


def _is_sane(vector: Embedded) -> bool:
    return vector.numbers is not None and all(map(math.isfinite, vector.numbers)) and 1e-6 < vector.length < 1e6


def _cosine(one: Embedded, other: Embedded) -> float:
    assert one.numbers is not None and other.numbers is not None
    dot = math.fsum(x * y for x, y in zip(one.numbers, other.numbers, strict=True))
    return dot / (one.length * other.length)


def _promises_unit_length(exchange: Exchange) -> bool:
    """Whether the model that was asked, or that answered, is one whose vectors are documented to have length 1."""
    models = load_spec().catalogue("models")["models"]
    promised = {name for name, row in models.items() if row.get("kind") == "embedding"}
    promised |= {row.get("snapshot") for name, row in models.items() if name in promised}
    body = exchange.json
    named = [exchange.request.asked.get("model"), body.get("model") if isinstance(body, dict) else None]
    return any(isinstance(name, str) and name.rpartition("/")[2] in promised for name in named)


def _error(exchange: Exchange) -> tuple[str, str]:
    """The code and message of a refusal, "" where there is none."""
    try:
        error = exchange.json["error"]
        return str(error.get("code") or ""), str(error.get("message") or "")
    except (Undecodable, LookupError, TypeError, AttributeError):
        return "", exchange.wire[:120].decode("utf-8", "replace")


def _needs_a_backend(exchange: Exchange) -> None:
    """Ends the clause when the answer is about something else than the request."""
    code, message = _error(exchange)
    said = f"{exchange.id} was answered {exchange.status}: {message}"[:200]
    if exchange.status in NOT_NOW or code == "model_not_found":
        raise Inconclusive(said)
    if exchange.status in NOT_SERVED or (exchange.status != 200 and NO_EMBEDDER.search(message)):
        raise NotApplicable(f"embeddings are not served: {said}")


# ---------------------------------------------------------------------------------------- what is accepted


@clause(
    "embeddings.accepts",
    level="MUST",
    source="SPEC CreateEmbeddingRequest; SDK resources/embeddings (asks for base64 by itself)",
    on=sent(
        "createEmbedding",
        probes=("embeddings.batch", "embeddings.base64", "embeddings.dimensions", "embeddings.tokens"),
    ),
)
def documented_requests_are_answered(exchange: Exchange) -> None:
    """A text, a batch of texts and an array of token ids are accepted, as numbers and as base64.

    The official Python SDK asks for base64 when the caller says nothing, and LangChain sends token ids: a
    backend that refuses either fails with clients that never chose it. `dimensions` may be refused by models
    that cannot shorten.
    """
    if exchange.status is not None and 200 <= exchange.status < 300:
        return
    _needs_a_backend(exchange)
    code, message = _error(exchange)
    asked = exchange.request.asked
    if code.startswith("unsupported_"):
        raise NotApplicable(f"{exchange.id}: {message}")
    if "dimensions" in asked and exchange.status in (400, 422) and "embedding-3" not in str(asked.get("model")):
        raise NotApplicable(f"the model does not shorten: {message}")
    expect(False, expected=f"an answer to {_form(asked)}", got=f"{exchange.status}: {message}")


def _form(asked: dict[str, Any]) -> str:
    given = asked.get("input")
    form = "a text" if isinstance(given, str) else "token ids" if given == TOKENS else "a batch of texts"
    extra = [f"{name} {asked[name]}" for name in ("encoding_format", "dimensions") if name in asked]
    return form + (f" with {' and '.join(extra)}" if extra else "")


@clause(
    "embeddings.empty",
    level="SHOULD",
    source="SPEC CreateEmbeddingRequest.input: cannot be an empty string",
    on=sent("createEmbedding", asks=lambda body: body.get("input") == ""),
)
def an_empty_text_is_refused(exchange: Exchange) -> None:
    """An empty text is refused with a 4xx, not embedded."""
    _is_refused(exchange, "input is an empty string")


@clause(
    "embeddings.encoding-format",
    level="MUST",
    source="SPEC CreateEmbeddingRequest.encoding_format: float or base64",
    on=sent("createEmbedding", asks=lambda body: body.get("encoding_format") not in FORMATS),
)
def an_unknown_format_is_refused(exchange: Exchange) -> None:
    """An `encoding_format` other than `float` and `base64` is refused with a 4xx.

    A backend that falls back to numbers hides the typing error until the client decodes something else.
    """
    _is_refused(exchange, f"encoding_format is {exchange.request.asked.get('encoding_format')!r}")


def _is_refused(exchange: Exchange, why: str) -> None:
    _needs_a_backend(exchange)
    assert exchange.status is not None
    expect(400 <= exchange.status < 500, expected=f"a 4xx: {why}", got=f"status {exchange.status}")


# ------------------------------------------------------------------------------------------ form of answers


# Told by clauses of their own, which say more than "required" or "const".
OWNED = ("object", "usage", "index")


@clause(
    "embeddings.schema",
    level="MUST",
    source="SPEC CreateEmbeddingResponse",
    on=answered("createEmbedding"),
)
def answers_follow_the_schema(exchange: Exchange) -> None:
    """An answer has a `model`, `data` as a list of `{object, index, embedding}`, and fields of the documented types."""
    schema = load_spec().operations["createEmbedding"].answer_schema(200)
    assert schema is not None
    for violation in schema.violations(exchange.json):
        if not _is_owned(violation):
            expect(False, expected=violation.expected, got=violation.got, at=violation.pointer)


def _is_owned(violation: Violation) -> bool:
    missing = violation.expected.split("'")[1] if violation.keyword == "required" else ""
    return missing in OWNED or any(part in OWNED for part in violation.pointer.split("/"))


@clause(
    "embeddings.objects",
    level="MUST",
    source="SPEC CreateEmbeddingResponse.object, Embedding.object",
    on=answered("createEmbedding"),
)
def kinds_are_named(exchange: Exchange) -> None:
    """The answer's `object` is `list`, that of each vector is `embedding`."""
    data = _data(exchange)
    expect(exchange.json.get("object") == "list", expected="list", got=exchange.json.get("object"), at="/object")
    for at, item in enumerate(data):
        kind = item.get("object")
        expect(kind == "embedding", expected="embedding", got=kind, at=f"/data/{at}/object")


@clause(
    "embeddings.count",
    level="MUST",
    source="SPEC CreateEmbeddingRequest.input, CreateEmbeddingResponse.data",
    on=answered("createEmbedding"),
)
def one_vector_an_input(exchange: Exchange) -> None:
    """There are as many vectors as inputs: equal texts count each, an array of token ids counts once."""
    got, wanted = len(_data(exchange)), len(_inputs(exchange))
    expect(got == wanted, expected=f"{wanted} vectors for {wanted} inputs", got=f"{got}", at="/data")


@clause(
    "embeddings.index",
    level="MUST",
    source="SPEC Embedding.index",
    on=answered("createEmbedding"),
)
def vectors_are_numbered_in_order(exchange: Exchange) -> None:
    """`index` counts 0, 1, 2 ... in the order of `data`.

    Clients take `data[i]` for the vector of input i; most never look at `index`.
    """
    got = [item.get("index") for item in _data(exchange)]
    is_counted = all(type(index) is int and index == at for at, index in enumerate(got))
    expect(is_counted, expected=f"index 0 to {len(got) - 1} in order", got=got, at="/data")


@clause(
    "embeddings.same-length",
    level="MUST",
    source="SPEC Embedding.embedding: the length depends on the model",
    on=answered("createEmbedding", asks=_wants_numbers),
)
def vectors_are_of_one_length(exchange: Exchange) -> None:
    """All vectors of an answer have the same number of components."""
    sizes = [len(vector.numbers or ()) for vector in _readable(exchange)]
    expect(len(set(sizes)) == 1, expected="vectors of one length", got=f"lengths {sizes}", at="/data")


def _readable(exchange: Exchange) -> list[Embedded]:
    """The vectors of an answer that can be read; at least one, else there is nothing to judge."""
    _data(exchange)
    vectors = [vector for vector in _embedded(exchange) if vector.numbers is not None]
    if not vectors:
        raise Inconclusive("no vector of the answer can be read")
    return vectors


@clause(
    "embeddings.float",
    level="MUST",
    source="SPEC CreateEmbeddingRequest.encoding_format: default float",
    on=answered("createEmbedding", asks=_wants_numbers),
)
def float_is_an_array_of_numbers(exchange: Exchange) -> None:
    """`encoding_format: float`, and none at all, is answered with arrays of numbers."""
    for at, item in enumerate(_data(exchange)):
        raw = item.get("embedding")
        expect(isinstance(raw, list), expected="an array of numbers", got=raw, at=f"/data/{at}/embedding")


@clause(
    "embeddings.base64",
    level="MUST",
    source="SPEC CreateEmbeddingRequest.encoding_format; SDK lib/_parsing/_embeddings.py",
    on=sequence(answered("createEmbedding")),
)
def base64_is_little_endian_float32(exchanges: list[Exchange]) -> None:
    """`encoding_format: base64` is answered with base64 of little-endian float32, as many as the vector has numbers.

    The official SDKs ask for it and decode it without looking: halves, doubles, big-endian or a text of another
    kind become vectors of the wrong length or of noise.
    """
    vectors = _all_embedded(exchanges)
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
    twin = next((one for one in plain if one.text == vector.text and _is_sane(one)), None)
    if twin is not None:
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
)
def dimensions_are_honoured(exchange: Exchange) -> None:
    """An accepted `dimensions` is the number of components of every vector.

    A vector store made for 256 refuses 1,536. A model that cannot shorten refuses the parameter instead.
    """
    wanted = exchange.request.asked["dimensions"]
    for vector in _readable(exchange):
        got = len(vector.numbers or ())
        expect(got == wanted, expected=f"{wanted} components", got=f"{got}", at=f"/data/{vector.at}/embedding")


@clause(
    "embeddings.unit-length",
    level="MUST",
    source="DOCS-0715 embeddings: vectors have length 1",
    on=answered("createEmbedding", asks=lambda body: body.get("dimensions") is None and _wants_numbers(body)),
)
def vectors_have_length_one(exchange: Exchange) -> None:
    """The vectors of OpenAI's embedding models have length 1, so that a dot product is the cosine."""
    if not _promises_unit_length(exchange):
        raise NotApplicable("only OpenAI's models are documented to have vectors of length 1")
    for vector in _readable(exchange):
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
    vectors = [vector for vector in _all_embedded(exchanges) if vector.numbers is not None]
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
    for vector in filter(_is_sane, _all_embedded(exchanges)):
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


@clause(
    "embeddings.distinct",
    level="MUST",
    source="DOCS-0715 embeddings: distance measures relatedness",
    on=answered("createEmbedding", asks=lambda body: isinstance(body.get("input"), list) and len(body["input"]) > 1),
)
def different_texts_have_different_vectors(exchange: Exchange) -> None:
    """Different texts of a batch have different vectors."""
    plain = [vector for vector in _readable(exchange) if isinstance(vector.text, str) and len(vector.text) < 1000]
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


@clause(
    "embeddings.precision",
    level="SHOULD",
    source="SPEC Embedding.embedding: floats",
    on=answered("createEmbedding", asks=_wants_numbers),
)
def numbers_are_not_rounded(exchange: Exchange) -> None:
    """Components have the precision of a float32, not a few decimals."""
    for vector in _readable(exchange):
        numbers = [x for x in vector.numbers or () if x]
        if len(numbers) < 16:
            continue  # a vector this short may be round by chance
        is_fine = any(abs(x - round(x, 4)) > 1e-9 for x in numbers)
        expect(
            is_fine,
            expected="more than four decimals",
            got=f"{numbers[:4]}",
            at=f"/data/{vector.at}/embedding",
        )


# ------------------------------------------------------------------------------------------------- usage


@clause(
    "embeddings.usage",
    level="MUST",
    source="SPEC CreateEmbeddingResponse.usage",
    on=answered("createEmbedding"),
)
def usage_counts_the_prompt(exchange: Exchange) -> None:
    """`usage` has `prompt_tokens`, at least one, and `total_tokens`, which is the same number."""
    _data(exchange)
    usage = exchange.json.get("usage")
    expect(isinstance(usage, dict), expected="an object with prompt_tokens and total_tokens", got=usage, at="/usage")
    prompt, total = usage.get("prompt_tokens"), usage.get("total_tokens")
    is_count = type(prompt) is int and prompt >= 1
    expect(is_count, expected="an integer of at least 1", got=prompt, at="/usage/prompt_tokens")
    is_same = type(total) is int and total == prompt
    expect(is_same, expected=f"prompt_tokens, {prompt}", got=total, at="/usage/total_tokens")


@clause(
    "embeddings.usage-batch",
    level="MUST",
    source="SPEC CreateEmbeddingResponse.usage.prompt_tokens: the tokens of the prompt",
    on=sequence(answered("createEmbedding")),
)
def a_batch_counts_every_input(exchanges: list[Exchange]) -> None:
    """`prompt_tokens` of a batch is at least the sum of what its inputs cost one by one; token ids count each.

    A backend that counts only the first input bills, and limits, a fraction of the work.
    """
    counts = [(exchange, _inputs(exchange), prompt) for exchange in exchanges if (prompt := _prompt_tokens(exchange))]
    alone: dict[Any, int] = {}
    for exchange, inputs, prompt in counts:
        if len(inputs) == 1:
            key = (exchange.request.asked.get("model"), inputs[0])
            alone[key] = min(prompt, alone.get(key, prompt))
    judged = [row for row in counts if len(row[1]) > 1 or isinstance(row[1][0], tuple)]
    if not judged:
        raise NotApplicable("no answer to a batch or to token ids carries usage")
    for exchange, inputs, prompt in judged:
        model = exchange.request.asked.get("model")
        least = sum(_least_tokens(one, alone.get((model, one), 1)) for one in inputs)
        expect(
            prompt >= least,
            expected=f"at least {least} for {_counted(inputs)}",
            got=f"{prompt}",
            at=f"{exchange.id} /usage/prompt_tokens",
        )


def _counted(inputs: Sequence[Any]) -> str:
    return f"{len(inputs)} inputs" if len(inputs) > 1 else f"{len(inputs[0])} token ids"


def _least_tokens(one: Any, known: int) -> int:
    return len(one) if isinstance(one, tuple) else known


def _prompt_tokens(exchange: Exchange) -> int | None:
    """The count when it is one; usage that is missing or zero is for embeddings.usage to say."""
    try:
        count = exchange.json["usage"]["prompt_tokens"]
    except (Undecodable, LookupError, TypeError):
        return None
    return count if type(count) is int and count > 0 else None
