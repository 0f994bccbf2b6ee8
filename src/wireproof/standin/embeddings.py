"""POST /v1/embeddings: a unit vector for each input, drawn from a hash of it.

The same input gets the same vector in any batch, plain or base64. Components are exact in float32.
"""

from __future__ import annotations

import base64
import hashlib
import math
import sys
from array import array
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from wireproof.standin.catalogue import Model
from wireproof.standin.refusals import invalid
from wireproof.standin.tokens import count, estimate
from wireproof.standin.wire import Answer, json_answer

# Source: API reference, embeddings: an input, and a request as a whole.
MOST_TOKENS_OF_INPUT = 8_192
MOST_TOKENS = 300_000
MOST_INPUTS = 2_048


def inputs(body: Mapping[str, Any]) -> list[Any]:
    """The inputs of a request, each a string or a tuple of token ids."""
    asked = body["input"]
    if isinstance(asked, str):
        return [asked]
    if asked and isinstance(asked[0], int):
        return [tuple(asked)]
    return [one if isinstance(one, str) else tuple(one) for one in asked]


def token_count(one: Any) -> int:
    return count(one) if isinstance(one, str) else len(one)


def check(body: Mapping[str, Any], model: Model) -> None:
    asked = inputs(body)
    if not asked or any(len(one) == 0 for one in asked):
        raise invalid("Invalid 'input': input cannot be an empty string or an empty array.", "input")
    if len(asked) > MOST_INPUTS:
        raise invalid(f"Invalid 'input': array too long. Expected an array with maximum length {MOST_INPUTS}, but "
                      f"got an array with length {len(asked)} instead.", "input", "array_above_max_length")  # fmt: skip
    counts = [token_count(one) for one in asked]
    if max(counts) > MOST_TOKENS_OF_INPUT:
        raise invalid(f"This model's maximum context length is {MOST_TOKENS_OF_INPUT} tokens, however you requested "
                      f"{max(counts)} tokens. Please reduce your prompt.", "input",
                      "context_length_exceeded")  # fmt: skip
    if sum(counts) > MOST_TOKENS:
        raise invalid(f"Invalid 'input': maximum request size is {MOST_TOKENS} tokens per request.", "input",
                      "max_tokens_per_request")  # fmt: skip
    if (body.get("dimensions") or 0) > model.dimensions:
        raise invalid(f"Invalid value for 'dimensions': {body['dimensions']} is more than the {model.dimensions} of "
                      f"{model.id}.", "dimensions", "invalid_value")  # fmt: skip


def expected_tokens(body: Mapping[str, Any]) -> int:
    """What a limiter expects before counting."""
    return sum(estimate(len(one)) if isinstance(one, str) else len(one) for one in inputs(body))


def answer(body: Mapping[str, Any], model: Model) -> Answer:
    asked = inputs(body)
    prompt_tokens = sum(map(token_count, asked))
    size = body.get("dimensions") or model.dimensions
    as_base64 = body.get("encoding_format") == "base64"
    data = []
    for index, one in enumerate(asked):
        found = vector(model.snapshot, one, model.dimensions, size)
        data.append({"object": "embedding", "index": index, "embedding": packed(found) if as_base64 else list(found)})
    return json_answer(
        {
            "object": "list",
            "data": data,
            "model": model.snapshot,
            "usage": {"prompt_tokens": prompt_tokens, "total_tokens": prompt_tokens},
        }
    )


@lru_cache(maxsize=256)
def vector(model: str, one: Any, dimensions: int, size: int) -> tuple[float, ...]:
    """The first `size` of `dimensions` components, at length 1."""
    digest = hashlib.shake_256(repr((model, one)).encode("utf-8", "replace")).digest(4 * dimensions)
    raw = array("i")
    raw.frombytes(digest)
    if sys.byteorder == "big":
        raw.byteswap()
    kept = raw[:size]
    length = math.sqrt(sum(part * part for part in kept)) or 1.0
    return tuple(array("f", [part / length for part in kept]))


def packed(components: tuple[float, ...]) -> str:
    """Little-endian float32, base64."""
    floats = array("f", components)
    if sys.byteorder == "big":
        floats.byteswap()
    return base64.b64encode(floats.tobytes()).decode()
