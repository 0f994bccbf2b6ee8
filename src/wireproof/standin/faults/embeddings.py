"""Departures of `/v1/embeddings`."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_json, refused
from wireproof.standin.wire import Answer, Ask, Serve

Vector = list[float]


def _is_embedding(ask: Ask) -> bool:
    return ask.path == "/v1/embeddings"


def _edited(ask: Ask, serve: Serve, edit: Callable[[dict[str, Any]], Any]) -> Answer:
    """The answer after `edit` when it is one of embeddings; `edit` changes the body in place or returns another."""
    answer = serve(ask)
    return edit_json(answer, edit) if _is_embedding(ask) else answer


def _each_vector(body: dict[str, Any], change: Callable[[int, Vector], Any]) -> None:
    """Puts `change(index, components)` in the place of every vector, packed again if it was packed."""
    for index, item in enumerate(body["data"]):
        raw = item["embedding"]
        changed = change(index, _unpacked(raw) if isinstance(raw, str) else raw)
        item["embedding"] = _packed(changed) if isinstance(raw, str) else changed


def _unpacked(text: str) -> Vector:
    data = base64.b64decode(text)
    return list(struct.unpack(f"<{len(data) // 4}f", data))


def _packed(vector: Vector, kind: str = "<f") -> str:
    return base64.b64encode(struct.pack(f"{kind[0]}{len(vector)}{kind[1]}", *vector)).decode()


def _repacked(ask: Ask, serve: Serve, kind: str) -> Answer:
    def edit(body: dict[str, Any]) -> None:
        for item in body["data"]:
            if isinstance(item["embedding"], str):
                item["embedding"] = _packed(_unpacked(item["embedding"]), kind)

    return _edited(ask, serve, edit)


@fault("embeddings.random", breaks="embeddings.deterministic", also=("embeddings.*",))
def vectors_are_drawn(ask: Ask, serve: Serve) -> Answer:
    """Every call draws other vectors for the same input."""
    answer = serve(ask)
    turn = sum((answer.header("x-request-id") or "").encode())

    def turned(index: int, vector: Vector) -> Vector:
        at = (turn + index) % max(len(vector), 1)
        return vector[at:] + vector[:at]

    return edit_json(answer, lambda body: _each_vector(body, turned)) if _is_embedding(ask) else answer


@fault("embeddings.token-input-refused", breaks="embeddings.accepts")
def token_input_refused(ask: Ask, serve: Serve) -> Answer:
    """400 for an input of token ids."""
    given = ask.asked.get("input")
    if _is_embedding(ask) and isinstance(given, list) and any(isinstance(one, int) for one in given):
        return refused(serve(ask), "Invalid type for 'input': expected a string.", param="input")
    return serve(ask)


@fault("embeddings.base64-refused", breaks="embeddings.accepts")
def base64_refused(ask: Ask, serve: Serve) -> Answer:
    """400 for `encoding_format: base64`, which the SDKs send by themselves."""
    if _is_embedding(ask) and ask.asked.get("encoding_format") == "base64":
        return refused(serve(ask), "Invalid value: 'base64'.", param="encoding_format")
    return serve(ask)


@fault("embeddings.empty-accepted", breaks="embeddings.empty")
def empty_accepted(ask: Ask, serve: Serve) -> Answer:
    """A vector for an empty text."""
    return serve(ask.changed(input=" ") if _is_embedding(ask) and ask.asked.get("input") == "" else ask)


@fault("embeddings.format-unchecked", breaks="embeddings.encoding-format", also=("cases.*",))
def format_unchecked(ask: Ask, serve: Serve) -> Answer:
    """An unknown `encoding_format` is taken for float."""
    if _is_embedding(ask) and ask.asked.get("encoding_format") not in (None, "float", "base64"):
        return serve(ask.without("encoding_format"))
    return serve(ask)


@fault("embeddings.model-missing", breaks="embeddings.schema")
def model_missing(ask: Ask, serve: Serve) -> Answer:
    """No `model` in the answer."""
    return _edited(ask, serve, lambda body: {k: v for k, v in body.items() if k != "model"})


@fault("embeddings.object-wrong", breaks="embeddings.objects")
def object_wrong(ask: Ask, serve: Serve) -> Answer:
    """Each vector calls itself `vector`."""

    def edit(body: dict[str, Any]) -> None:
        for item in body["data"]:
            item["object"] = "vector"

    return _edited(ask, serve, edit)


@fault("embeddings.duplicates-merged", breaks="embeddings.count")
def duplicates_merged(ask: Ask, serve: Serve) -> Answer:
    """Equal inputs of a batch share one vector, so there are fewer vectors than inputs."""

    def edit(body: dict[str, Any]) -> None:
        seen: list[Any] = []
        for item in body["data"]:
            if item["embedding"] not in seen:
                seen.append(item["embedding"])
        body["data"] = [{"object": "embedding", "index": at, "embedding": vector} for at, vector in enumerate(seen)]

    return _edited(ask, serve, edit)


@fault("embeddings.index-zero", breaks="embeddings.index")
def index_zero(ask: Ask, serve: Serve) -> Answer:
    """Every vector has index 0."""

    def edit(body: dict[str, Any]) -> None:
        for item in body["data"]:
            item["index"] = 0

    return _edited(ask, serve, edit)


@fault("embeddings.order-backwards", breaks="embeddings.in-order")
def order_backwards(ask: Ask, serve: Serve) -> Answer:
    """The vectors of a batch come last first, each with its right index."""
    return _edited(ask, serve, lambda body: body["data"].reverse())


@fault("embeddings.vectors-swapped", breaks="embeddings.deterministic")
def vectors_swapped(ask: Ask, serve: Serve) -> Answer:
    """The vectors of a batch come in reverse under indexes that count up."""

    def edit(body: dict[str, Any]) -> None:
        vectors = [item["embedding"] for item in body["data"]]
        for item, vector in zip(body["data"], reversed(vectors), strict=True):
            item["embedding"] = vector

    return _edited(ask, serve, edit)


@fault("embeddings.place-dependent", breaks="embeddings.deterministic")
def place_dependent(ask: Ask, serve: Serve) -> Answer:
    """The vector of a text depends on its place in the batch."""
    return _edited(ask, serve, lambda body: _each_vector(body, lambda at, vector: vector[at:] + vector[:at]))


@fault("embeddings.call-dependent", breaks="embeddings.deterministic")
def call_dependent(ask: Ask, serve: Serve) -> Answer:
    """The vector of a text depends on the other inputs of the request."""

    def edit(body: dict[str, Any]) -> None:
        shift = len(body["data"])
        _each_vector(body, lambda _, vector: vector[shift:] + vector[:shift])

    return _edited(ask, serve, edit)


@fault("embeddings.ragged", breaks="embeddings.same-length")
def ragged(ask: Ask, serve: Serve) -> Answer:
    """The last vector of a batch lacks a component."""

    def edit(body: dict[str, Any]) -> None:
        if len(body["data"]) > 1:
            body["data"][-1]["embedding"] = body["data"][-1]["embedding"][:-1]

    return _edited(ask, serve, edit)


@fault("embeddings.base64-by-default", breaks="embeddings.float")
def base64_by_default(ask: Ask, serve: Serve) -> Answer:
    """Base64 although no `encoding_format` was named."""
    if _is_embedding(ask) and "encoding_format" not in ask.asked:
        return serve(ask.changed(encoding_format="base64"))
    return serve(ask)


@fault("embeddings.base64-ignored", breaks="embeddings.base64")
def base64_ignored(ask: Ask, serve: Serve) -> Answer:
    """An array of numbers for `encoding_format: base64`."""
    if _is_embedding(ask) and ask.asked.get("encoding_format") == "base64":
        return serve(ask.without("encoding_format"))
    return serve(ask)


@fault("embeddings.base64-float16", breaks="embeddings.base64")
def base64_float16(ask: Ask, serve: Serve) -> Answer:
    """Base64 of halves, two bytes a component."""
    return _repacked(ask, serve, "<e")


@fault("embeddings.base64-float64", breaks="embeddings.base64")
def base64_float64(ask: Ask, serve: Serve) -> Answer:
    """Base64 of doubles, eight bytes a component."""
    return _repacked(ask, serve, "<d")


@fault("embeddings.base64-big-endian", breaks="embeddings.base64")
def base64_big_endian(ask: Ask, serve: Serve) -> Answer:
    """Base64 of float32 with the highest byte first."""
    return _repacked(ask, serve, ">f")


@fault("embeddings.dimensions-ignored", breaks="embeddings.dimensions")
def dimensions_ignored(ask: Ask, serve: Serve) -> Answer:
    """Whole vectors whatever `dimensions` asks."""
    if _is_embedding(ask) and (ask.asked.get("dimensions") or 0) > 0:
        return serve(ask.without("dimensions"))
    return serve(ask)


@fault("embeddings.unnormalised", breaks="embeddings.unit-length")
def unnormalised(ask: Ask, serve: Serve) -> Answer:
    """Whole vectors are three times too long."""
    if "dimensions" in ask.asked:
        return serve(ask)
    return _edited(ask, serve, lambda body: _each_vector(body, lambda _, vector: [3 * x for x in vector]))


@fault("embeddings.shortened-unscaled", breaks="embeddings.shortened-length")
def shortened_unscaled(ask: Ask, serve: Serve) -> Answer:
    """`dimensions` cuts components off and leaves the rest as it was."""
    size = ask.asked.get("dimensions")
    if not _is_embedding(ask) or type(size) is not int or size < 1:
        return serve(ask)
    return _edited(ask.without("dimensions"), serve, lambda body: _each_vector(body, lambda _, vector: vector[:size]))


@fault("embeddings.constant", breaks="embeddings.distinct")
def constant(ask: Ask, serve: Serve) -> Answer:
    """Every input of a batch gets the vector of the first."""

    def edit(body: dict[str, Any]) -> None:
        for item in body["data"]:
            item["embedding"] = body["data"][0]["embedding"]

    return _edited(ask, serve, edit)


@fault("embeddings.rounded", breaks="embeddings.precision")
def rounded(ask: Ask, serve: Serve) -> Answer:
    """Components are rounded to three decimals."""
    return _edited(ask, serve, lambda body: _each_vector(body, lambda _, vector: [round(x, 3) for x in vector]))


@fault("embeddings.usage-missing", breaks="embeddings.usage")
def usage_missing(ask: Ask, serve: Serve) -> Answer:
    """No `usage`."""
    return _edited(ask, serve, lambda body: {k: v for k, v in body.items() if k != "usage"})


@fault("embeddings.usage-zero", breaks="embeddings.usage")
def usage_zero(ask: Ask, serve: Serve) -> Answer:
    """`usage` counts no tokens."""
    return _edited(ask, serve, lambda body: body | {"usage": {"prompt_tokens": 0, "total_tokens": 0}})


@fault("embeddings.usage-total-wrong", breaks="embeddings.usage")
def usage_total_wrong(ask: Ask, serve: Serve) -> Answer:
    """`total_tokens` is one more than `prompt_tokens`."""

    def edit(body: dict[str, Any]) -> None:
        body["usage"]["total_tokens"] += 1

    return _edited(ask, serve, edit)


@fault("embeddings.usage-first-only", breaks="embeddings.usage-batch")
def usage_first_only(ask: Ask, serve: Serve) -> Answer:
    """`usage` of a batch counts its first input alone."""
    given = ask.asked.get("input")
    if not _is_embedding(ask) or not isinstance(given, list) or not given or not isinstance(given[0], str):
        return serve(ask)
    first = serve(ask.changed(input=given[0]))
    return _edited(ask, serve, lambda body: body | {"usage": first.json["usage"]} if first.status == 200 else None)


@fault("embeddings.tokens-written", breaks="embeddings.tokens")
def tokens_written(ask: Ask, serve: Serve) -> Answer:
    """Token ids are embedded as the digits they are written with."""
    given = ask.asked.get("input")
    if not _is_embedding(ask) or not isinstance(given, list) or not given or isinstance(given[0], str):
        return serve(ask)
    written = json.dumps(given) if isinstance(given[0], int) else [json.dumps(one) for one in given]
    return serve(ask.changed(input=written))


@fault("embeddings.token-batch-refused", breaks="embeddings.accepts")
def token_batch_refused(ask: Ask, serve: Serve) -> Answer:
    """A batch of token ids is refused."""
    given = ask.asked.get("input")
    is_batch = _is_embedding(ask) and isinstance(given, list) and bool(given) and isinstance(given[0], list)
    return refused(serve(ask), "input must be a string or a list of strings", param="input") if is_batch else serve(ask)


@fault("embeddings.model-path", breaks="embeddings.model")
def model_path(ask: Ask, serve: Serve) -> Answer:
    """`model` is the path of a file."""
    return _edited(ask, serve, lambda body: body | {"model": "/models/small.gguf"})
