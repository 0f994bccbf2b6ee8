"""Exchanges: what is read from the bytes of an answer."""

from __future__ import annotations

import gzip

import pytest
from made import SSE_HEADERS, answer, stream

from wireproof.clause import Undecodable


@pytest.mark.parametrize("coding", ["identity", " Identity", ""])
def test_events_keep_their_times_when_identity_is_said_aloud(coding: str) -> None:
    plain = stream([{"n": 1}, {"n": 2}])
    told = stream([{"n": 1}, {"n": 2}], headers=(*SSE_HEADERS, ("Content-Encoding", coding)))
    assert [event.at_s for event in told.events] == [event.at_s for event in plain.events]
    assert len({event.at_s for event in told.events}) == 3


def test_events_of_a_compressed_body_have_the_time_of_its_end() -> None:
    body = gzip.compress(b"data: 1\n\ndata: 2\n\n")
    exchange = answer(body, headers=(*SSE_HEADERS, ("content-encoding", "gzip")))
    assert [(event.at_s, event.data) for event in exchange.events] == [(0.05, "1"), (0.05, "2")]


def test_events_of_a_body_that_nobody_can_decode_are_undecodable() -> None:
    with pytest.raises(Undecodable, match="'br', though only identity"):
        _ = stream([{}], headers=(*SSE_HEADERS, ("content-encoding", "br"))).events
