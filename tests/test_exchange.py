"""Exchanges as values: what a body is, and what it is when it is not what it should be."""

from __future__ import annotations

import gzip
import zlib

import pytest
from made import JSON_HEADERS, answer, stream

from wireproof.clause import Undecodable, parse_json
from wireproof.exchange import MOST_DECODED_BYTES


@pytest.mark.parametrize(
    ("coding", "data"),
    [
        ("identity", b"[1]"),
        ("gzip", gzip.compress(b"[1]", mtime=0)),
        ("x-gzip", gzip.compress(b"[1]", mtime=0)),
        ("deflate", zlib.compress(b"[1]")),
        ("deflate", zlib.compress(b"[1]")[2:-4]),
    ],
    ids=["identity", "gzip", "x-gzip", "deflate", "bare deflate"],
)
def test_a_compressed_body_is_read_as_what_it_holds(coding: str, data: bytes) -> None:
    exchange = answer(data, headers=(*JSON_HEADERS, ("content-encoding", coding)))
    assert exchange.json == [1]


@pytest.mark.parametrize(
    ("coding", "data", "said"),
    [
        ("gzip", b"not gzip", "does not decode as gzip"),
        ("br", b"x", "content-encoding 'br'"),
        ("gzip", gzip.compress(b"\0" * (MOST_DECODED_BYTES + 1), 1, mtime=0), "a bomb"),
        ("identity", b'{"a": "\xff"}', "byte 7 (0xff) is not UTF-8"),
        ("identity", b"<html>", "not JSON"),
        ("identity", b'{"a": NaN}', "NaN is not JSON"),
        ("identity", b"[" * 100_000, "not JSON|nested too deep"),
        ("identity", b"1" * 400, "an integer of 400 digits"),
    ],
    ids=["not gzip", "brotli", "bomb", "not utf-8", "html", "nan", "deep", "huge integer"],
)
def test_a_body_that_is_not_what_it_should_be_says_why_every_time(coding: str, data: bytes, said: str) -> None:
    exchange = answer(data, headers=(*JSON_HEADERS, ("content-encoding", coding)))
    for _ in range(2):
        with pytest.raises(Undecodable, match=said.replace("(", r"\(").replace(")", r"\)")):
            _ = exchange.json


def test_headers_are_found_whatever_their_case() -> None:
    exchange = answer({}, headers=(("Content-Type", "Application/JSON; charset=utf-8"), ("X-A", "1"), ("x-a", "2")))
    assert exchange.media_type == "application/json"
    assert (exchange.header("x-A"), exchange.headers_named("X-a")) == ("1", ["1", "2"])


def test_events_come_with_the_time_of_the_chunk_that_completed_them() -> None:
    exchange = stream([{"a": 1}, {"a": 2}], first_s=0.5, gap_s=0.25)
    assert [(event.at_s, event.data) for event in exchange.events] == [
        (0.5, '{"a": 1}'),
        (0.75, '{"a": 2}'),
        (1.0, "[DONE]"),
    ]


def test_integers_and_floats_are_what_json_says() -> None:
    assert parse_json("[1, 1.0, -0, 1e3]") == [1, 1.0, 0, 1000.0]
