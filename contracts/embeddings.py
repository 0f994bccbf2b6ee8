"""Embeddings: which requests are taken, the form of an answer, and what it costs.

What the vectors say is judged in embeddings_vectors.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
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
    shown,
)

from ._embeddings import data_of, inputs_of
from ._reading import maybe_object
from ._shape import PATH_LIKE

FOX = "The quick brown fox"
# The text that comes twice is of middling length, and neither first and last nor only in the middle: whatever
# reorders a batch (reversal, sorting by length) moves it.
# The last is a text like any other, unless token ids are written out as one.
BATCH = [FOX, "Rain", FOX, "A ledger of every ship that left the harbour", "[1000, 318, 257]"]
TOKENS = [1000, 318, 257]  # below the size of every vocabulary in use
MORE_TOKENS = [257, 1000]


def _ask(**fields: Any) -> dict[str, Any]:
    return {"model": EMBEDDING_MODEL, **fields}


def _embed(id: str, body: dict[str, Any], about: str, expects: Any = "answer") -> Any:
    return probe(id, "POST", "/embeddings", body, about=about, expects=expects, needs=EMBEDDING_MODEL)


PROBES = (
    _embed("embeddings.batch", _ask(input=BATCH), "five texts, one of them twice, in the default format"),
    _embed("embeddings.base64", _ask(input=FOX, encoding_format="base64"), "one text as the SDKs ask for it"),
    _embed(
        "embeddings.dimensions",
        _ask(input=FOX, dimensions=64, encoding_format="float"),
        "one text, a shorter vector",
        "either",
    ),
    _embed("embeddings.tokens", _ask(input=TOKENS), "one input given as token ids"),
    _embed("embeddings.token-batch", _ask(input=[TOKENS, MORE_TOKENS]), "two inputs given as token ids"),
    _embed("embeddings.empty", _ask(input=""), "an empty text, which must be refused", "refusal"),
    _embed(
        "embeddings.encoding-format",
        _ask(input=FOX, encoding_format="hex"),
        "an encoding_format that is none",
        "refusal",
    ),
)

FORMATS = (None, "float", "base64")
NOT_NOW = (401, 403, 429, 502, 503, 504)
NOT_SERVED = (404, 405, 501)
NO_EMBEDDER = re.compile(r"(not|n't) (support|allowed)[^.]{0,40}embedding|embedding[^.]{0,40}not support", re.I)


# --------------------------------------------------------------------------------------- what is accepted


@clause(
    "embeddings.accepts",
    level="MUST",
    source="SPEC CreateEmbeddingRequest; SDK resources/embeddings (asks for base64 by itself)",
    on=sent(
        "createEmbedding",
        probes=(
            "embeddings.batch",
            "embeddings.base64",
            "embeddings.dimensions",
            "embeddings.tokens",
            "embeddings.token-batch",
        ),
    ),
)
def documented_requests_are_answered(exchange: Exchange) -> None:
    """A text, a batch of texts, an array of token ids and a batch of them are accepted, as numbers and as base64.

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
    form = "a text"
    if isinstance(given, list) and given:
        kinds = ((int, "token ids"), (list, "a batch of token ids"))
        form = next((name for kind, name in kinds if isinstance(given[0], kind)), "a batch of texts")
    extra = [f"{name} {asked[name]}" for name in ("encoding_format", "dimensions") if name in asked]
    return form + (f" with {' and '.join(extra)}" if extra else "")


@clause(
    "embeddings.empty",
    level="SHOULD",
    source="SPEC CreateEmbeddingRequest.input: cannot be an empty string",
    on=sent("createEmbedding", asks=lambda body: body.get("input") == ""),
)
def an_empty_text_is_refused(exchange: Exchange) -> None:
    """An empty text is refused with a 4xx, not embedded.

    Its vector stands for nothing, and comes up in every search: refuse with a message that names `input`.
    """
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


def _needs_a_backend(exchange: Exchange) -> None:
    """Ends the clause when the answer is about something else than the request."""
    code, message = _error(exchange)
    said = f"{exchange.id} was answered {exchange.status}: {message}"[:200]
    if exchange.status in NOT_NOW or code == "model_not_found":
        raise Inconclusive(said)
    if exchange.status in NOT_SERVED or (exchange.status != 200 and NO_EMBEDDER.search(message)):
        raise NotApplicable(f"embeddings are not served: {said}")


def _error(exchange: Exchange) -> tuple[str, str]:
    """The code and message of a refusal, "" where there is none."""
    try:
        error = exchange.json["error"]
        return str(error.get("code") or ""), str(error.get("message") or "")
    except (Undecodable, LookupError, TypeError, AttributeError):
        return "", exchange.wire[:120].decode("utf-8", "replace")


# ------------------------------------------------------------------------------------ the form of answers


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
    for violation in schema.breaches(exchange.json):
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
    data = data_of(exchange)
    expect(exchange.json.get("object") == "list", expected="list", got=exchange.json.get("object"), at="/object")
    for at, item in enumerate(data):
        kind = item.get("object")
        expect(kind == "embedding", expected="embedding", got=kind, at=f"/data/{at}/object")


@clause(
    "embeddings.count",
    level="MUST",
    source="SPEC CreateEmbeddingRequest.input, CreateEmbeddingResponse.data",
    on=answered("createEmbedding"),
    fields=("input",),
)
def one_vector_an_input(exchange: Exchange) -> None:
    """There are as many vectors as inputs: equal texts count each, an array of token ids counts once.

    An array of whole numbers is one input, as tokens; only an array of texts or of such arrays is a batch.
    """
    got, wanted = len(data_of(exchange)), len(inputs_of(exchange))
    expect(got == wanted, expected=f"{wanted} vectors for {wanted} inputs", got=f"{got}", at="/data")


@clause(
    "embeddings.index",
    level="MUST",
    source="SPEC Embedding.index",
    on=answered("createEmbedding"),
)
def vectors_are_numbered(exchange: Exchange) -> None:
    """The vectors of an answer have the `index` 0, 1, 2 ..., each once: the place of their input."""
    got = [item.get("index") for item in data_of(exchange)]
    counted = sorted(index for index in got if type(index) is int)
    expect(counted == list(range(len(got))), expected=f"index 0 to {len(got) - 1}, each once", got=got, at="/data")


@clause(
    "embeddings.in-order",
    level="MAY",
    source="SPEC Embedding.index: in the list of embeddings",
    on=answered("createEmbedding"),
)
def vectors_come_in_order(exchange: Exchange) -> None:
    """`data` is in the order of the inputs.

    Many clients take `data[i]` for the vector of input i and never look at `index`. Sorting by it is easy, though, and
    no sentence of the API forbids another order.
    """
    told = [item.get("index") for item in data_of(exchange)]
    got = [index for index in told if type(index) is int]
    if len(got) < len(told):
        raise Inconclusive("the vectors have no index: embeddings.index judges that")
    at = next((at for at, index in enumerate(got[1:], 1) if index < got[at - 1]), 0)
    expect(not at, expected="data by rising index", got=got, at=f"/data/{at}")


@clause("embeddings.model", level="SHOULD", source="SPEC CreateEmbeddingResponse.model", on=answered("createEmbedding"))
def the_model_is_named(exchange: Exchange) -> None:
    """`model` names what made the vectors: the name asked for, or the model it stands for, never a path of a disk."""
    got, asked = maybe_object(exchange).get("model"), exchange.request.asked.get("model")
    if not isinstance(got, str):
        raise NotApplicable("no model is told: embeddings.schema judges that")
    is_path = PATH_LIKE.match(got) is not None
    expect(got == asked or not is_path, expected=f"{shown(asked)} or the model it stands for", got=got, at="/model")


# -------------------------------------------------------------------------------------------------- usage


@clause(
    "embeddings.usage",
    level="MUST",
    source="SPEC CreateEmbeddingResponse.usage",
    on=answered("createEmbedding"),
)
def usage_counts_the_prompt(exchange: Exchange) -> None:
    """`usage` has `prompt_tokens`, at least one, and `total_tokens`, which is the same number."""
    data_of(exchange)
    usage = exchange.json.get("usage")
    expect(isinstance(usage, dict), expected="an object with prompt_tokens and total_tokens", got=usage, at="/usage")
    prompt, total = usage.get("prompt_tokens"), usage.get("total_tokens")
    # An empty text that is taken, which embeddings.empty judges, may well have no token.
    least = 1 if any(inputs_of(exchange)) else 0
    is_count = type(prompt) is int and prompt >= least
    expect(is_count, expected=f"an integer of at least {least}", got=prompt, at="/usage/prompt_tokens")
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
    counts = [(exchange, inputs_of(exchange), prompt) for exchange in exchanges if (prompt := _prompt_tokens(exchange))]
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
