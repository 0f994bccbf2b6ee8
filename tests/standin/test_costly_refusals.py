"""Requests whose refusal must cost no more than an answer: deep ones, and those that are wrong in every item."""

from __future__ import annotations

from typing import Any

import pytest
from standin.asking import CHAT, EMBEDDING, ask, backend, error, post

from wireproof.spec import TooDeep, load_spec


def nested(opening: bytes, closing: bytes, levels: int) -> bytes:
    return opening * levels + b"1" + closing * levels


@pytest.mark.parametrize("levels", [200, 300, 900, 5_000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_a_deep_body_is_refused(levels: int, opening: bytes, closing: bytes) -> None:
    inside = nested(opening, closing, levels)
    for body in (inside, b'{"model": "x", "messages": [{"role": "user", "content": ' + inside + b"}]}"):
        answer = backend().answer(ask("POST", "/chat/completions", body))
        assert (answer.status, error(answer)["type"]) == (400, "invalid_request_error")


def test_a_validator_that_gives_up_says_that_it_is_the_depth() -> None:
    value: Any = 1
    for _ in range(900):
        value = {"a": value}
    with pytest.raises(TooDeep):
        list(load_spec().schema("ChatRequest").violations(value))


def test_a_list_that_is_wrong_everywhere_is_refused_once() -> None:
    refused = error(post("/chat/completions", {"model": CHAT, "messages": [{"role": "nobody"}] * 100_000}))
    assert refused["param"].startswith("messages[")
    refused = error(post("/embeddings", {"model": EMBEDDING, "input": [["x"]] * 100_000}))
    assert refused["param"].startswith("input")


def test_a_list_that_is_too_long_is_told_with_its_length() -> None:
    refused = error(post("/embeddings", {"model": EMBEDDING, "input": ["x"] * 20_000}))
    assert (refused["param"], refused["code"]) == ("input", "array_above_max_length")
    assert "20000" in refused["message"]


def test_a_list_that_is_wrong_only_at_its_end_is_refused_all_the_same() -> None:
    messages = [{"role": "user", "content": "x"}] * 9_000
    refused = error(post("/chat/completions", {"model": CHAT, "messages": [*messages, {"role": "nobody"}]}))
    assert refused["type"] == "invalid_request_error"
