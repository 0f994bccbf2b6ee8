"""Reading a body: fast where that makes no difference, carefully where it would."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wireproof.standin.refusals import Refused
from wireproof.standin.requests import body_of
from wireproof.standin.wire import encoded

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text("a😀0.e-"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_what_is_read_is_what_json_has_but_for_whole_floats(value: Any) -> None:
    raw = json.dumps({"value": value}).encode()
    read = body_of(raw)
    assert read == json.loads(raw)
    assert all(not isinstance(number, float) or number % 1 or abs(number) > 2**53 for number in numbers(read))


def numbers(value: Any) -> list[Any]:
    if isinstance(value, dict | list):
        return [number for one in (value.values() if isinstance(value, dict) else value) for number in numbers(one)]
    return [value] if isinstance(value, int | float) else []


@pytest.mark.parametrize(
    ("text", "read"),
    [("2.0", 2), ("20.50", 20.5), ("2e3", 2000), ("1.5E1", 15), ("18446744073709551616", 2**64), ("0.7", 0.7)],
)
def test_numbers_are_read_exactly(text: str, read: Any) -> None:
    value = body_of(b'{"x": %b}' % text.encode())["x"]
    assert (value, type(value)) == (read, type(read))


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b"{", b'{"x": NaN}', b'{"x": -Infinity}', b'{"x": "\\ud83d"}', b'{"x": "\xff"}', b'{"x": 1,}',
     b'{"x": ' + b"[" * 100_000, b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"],
    ids=repr,
)  # fmt: skip
def test_what_is_no_json_object_is_refused(raw: bytes) -> None:
    with pytest.raises(Refused):
        body_of(raw)


def test_an_empty_object_is_one() -> None:
    assert body_of(b"{}") == {}


@given(VALUES)
def test_what_is_written_reads_the_same(value: Any) -> None:
    assert json.loads(encoded(value)) == value
