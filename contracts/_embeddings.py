"""Reading answers of embeddings: each vector with the input it stands for."""

from __future__ import annotations

import base64
import binascii
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wireproof.clause import Exchange, Inconclusive, Undecodable, remembered

from ._reading import as_object


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


def wants_numbers(asked: dict[str, Any]) -> bool:
    return asked.get("encoding_format") in (None, "float")


def inputs_of(exchange: Exchange) -> list[Any]:
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


def data_of(exchange: Exchange) -> list[dict[str, Any]]:
    """`data` of an answer; when it is no list of objects, the schema clause says so and nobody else."""
    data = as_object(exchange.json).get("data")
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


@remembered
def embedded(exchange: Exchange) -> list[Embedded]:
    """The vectors of one answer, by their index, else by their place; none when there are not as many as inputs."""
    try:
        data = data_of(exchange)
    except (Inconclusive, Undecodable):
        return []
    inputs = inputs_of(exchange)
    if len(data) != len(inputs):
        return []
    told: list[Any] = [item.get("index") for item in data]
    is_order = all(type(index) is int for index in told) and sorted(told) == list(range(len(data)))
    order = told if is_order else range(len(data))
    vectors = [item.get("embedding") for item in data]
    return [Embedded(exchange, at, inputs[order[at]], raw, _numbers(raw)) for at, raw in enumerate(vectors)]


def all_embedded(exchanges: Sequence[Exchange]) -> list[Embedded]:
    return [vector for exchange in exchanges for vector in embedded(exchange)]


def readable(exchange: Exchange) -> list[Embedded]:
    """The vectors of an answer that can be read; at least one, else there is nothing to judge."""
    data_of(exchange)
    vectors = [vector for vector in embedded(exchange) if vector.numbers is not None]
    if not vectors:
        raise Inconclusive("no vector of the answer can be read")
    return vectors


def is_sane(vector: Embedded) -> bool:
    return vector.numbers is not None and all(map(math.isfinite, vector.numbers)) and 1e-6 < vector.length < 1e6
