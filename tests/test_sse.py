"""The event-stream lexer: the same events however the bytes are cut, and the same as the official SDK's."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai._streaming import SSEDecoder

from wireproof.sse import BOM, Event, lex


def events(*chunks: bytes) -> list[Event]:
    """The events of a body that came in these chunks, times aside."""
    return [replace(event, at_s=0.0) for event in lex(enumerate(chunks))]


def data_of(body: bytes) -> list[str | None]:
    return [event.data for event in events(body)]


# ---- laws

# Bodies rich in what matters: line ends, field names, blank lines, halves of characters.
BITS = st.sampled_from(
    [
        *(b"\r", b"\n", b"\r\n", b"\n\n"),
        *(b"data", b"data:", b"data: ", b"event: x", b"id: 1", b"retry: 5", b":", b": ping", b"stray", b"x: y"),
        *(b" ", b"[DONE]", b'{"a": 1}', b"\xf0\x9f", b"\x91\x8b", b"\xff", BOM),
    ]
)
BODIES = st.lists(BITS, max_size=30).map(b"".join)


@given(BODIES, st.lists(st.integers(0, 200), max_size=12))
def test_the_events_are_the_same_however_the_bytes_are_cut(body: bytes, cuts: list[int]) -> None:
    places = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    chunks = [body[start:end] for start, end in pairwise(places)]
    assert events(*chunks) == events(body)


@given(BODIES)
def test_the_events_are_the_same_byte_by_byte(body: bytes) -> None:
    assert events(*(body[at : at + 1] for at in range(len(body)))) == events(body)


@given(BODIES)
def test_offsets_rise_and_stay_inside_the_body(body: bytes) -> None:
    offsets = [event.offset for event in events(body)]
    assert offsets == sorted(set(offsets))
    assert all(0 <= offset < len(body) for offset in offsets)


LINES = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), min_size=1, max_size=12)
# `id` alone makes the SDK dispatch on every later blank line, so well-formed streams here have none.
WELL_FORMED = st.lists(st.tuples(st.none() | LINES, st.lists(LINES, min_size=1, max_size=3)), max_size=6)


@given(WELL_FORMED, st.sampled_from(["\n", "\r", "\r\n"]), st.booleans())
def test_well_formed_streams_read_as_the_official_sdk_reads_them(
    told: list[tuple[str | None, list[str]]], end: str, comments: bool
) -> None:
    text = ""
    for name, lines in told:
        text += f": ping{end}" if comments else ""
        text += f"event: {name}{end}" if name is not None else ""
        text += "".join(f"data: {line}{end}" for line in lines) + end
    body = text.encode()
    theirs = [(one.event, one.data) for one in SSEDecoder().iter_bytes(iter([body]))]
    assert [(event.name, event.data) for event in events(body)] == theirs
    assert theirs == [(name, "\n".join(lines)) for name, lines in told]


# ---- cases


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_lines_end_in_lf_cr_or_crlf(end: bytes) -> None:
    assert data_of(b"data: a" + end + b"data: b" + end + end + b"data: c" + end + end) == ["a\nb", "c"]


def test_crlf_cut_between_two_chunks_is_one_line_end() -> None:
    assert [event.data for event in events(b"data: a\r", b"\ndata: b\r\n\r", b"\n")] == ["a\nb"]


def test_a_cr_ends_its_line_without_waiting_for_more() -> None:
    assert [event.at_s for event in lex([(1.0, b"data: a\r\r"), (2.0, b"data: b\r\r")])] == [1.0, 2.0]


def test_an_event_has_the_time_of_the_chunk_that_completed_it() -> None:
    assert [event.at_s for event in lex([(1.0, b"data: a"), (2.0, b"\n"), (3.0, b"\ndata: b\n\n")])] == [3.0, 3.0]


def test_a_bom_is_skipped_at_the_start_alone_even_when_cut() -> None:
    assert data_of(BOM + b"data: a\n\n") == ["a"]
    assert [event.data for event in events(BOM[:1], BOM[1:2], BOM[2:] + b"data: a\n\n")] == ["a"]
    (event,) = events(b"\n" + BOM + b"data: a\n\n")
    assert (event.data, event.strays) == (None, ("\ufeffdata: a",))


def test_comments_and_blank_lines_are_no_events() -> None:
    assert events(b": ping\n\n:\n\n\n\nid: 1\n\nretry: 10\n\nevent: x\n\n") == []


def test_one_space_after_the_colon_is_dropped_and_no_more() -> None:
    assert data_of(b"data:a\n\ndata: a\n\ndata:  a\n\ndata\n\ndata:\n\n") == ["a", "a", " a", "", ""]


def test_a_pending_event_is_told_and_marked() -> None:
    assert [(event.data, event.unfinished) for event in events(b"data: a\n\ndata: b")] == [("a", False), ("b", True)]
    assert [(event.data, event.unfinished) for event in events(b"data: a\n")] == [("a", True)]


def test_lines_that_are_no_field_are_kept_as_strays() -> None:
    first, second = events(b'[DONE]\n\n{"a": 1}\ndata: b\n\n')
    assert (first.data, first.strays) == (None, ("[DONE]",))
    assert (second.data, second.strays) == ("b", ('{"a": 1}',))


def test_bytes_that_are_no_utf8_do_not_stop_the_lexer() -> None:
    assert data_of(b"data: \xff\n\ndata: b\n\n") == ["\ufffd", "b"]


def test_offsets_point_at_the_first_line_of_an_event() -> None:
    body = BOM + b": ping\r\ndata: a\r\n\r\n\r\ndata: b\n\n"
    first, second = events(body)
    assert body[first.offset :].startswith(b": ping")
    assert body[second.offset :].startswith(b"data: b")


@pytest.mark.parametrize("data", ["data: [DONE]", "data:[DONE]", "data: [DONE] "])
def test_the_end_mark_is_known_with_and_without_spaces(data: str) -> None:
    (event,) = events(f"{data}\n\n".encode())
    assert event.is_done


def test_a_long_line_in_many_pieces_is_read_in_no_time() -> None:
    """8 MB without a line end in pieces of 50 bytes: a reader that copies what it has took 11 s for a tenth of it."""
    [event] = lex([(0.0, b"data: "), *[(1.0, b"x" * 50)] * 160_000, (2.0, b"\n\n")])
    assert len(event.data or "") == 8_000_000
    assert event.at_s == 2.0
