"""What counts as a token, and when."""

from __future__ import annotations

import itertools
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from wireproof.traffic.stream_reader import Reading


def event(*choices: dict[str, Any], **more: Any) -> bytes:
    return b"data: " + json.dumps({"choices": list(choices), **more}).encode() + b"\n\n"


def delta(finish: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"index": 0, "delta": fields, "finish_reason": finish}


STREAM = [
    (0.10, event(delta(role="assistant", content=""))),
    (0.30, event(delta(content="On"))),
    (0.35, event(delta(content="ce"))),
    (0.45, event(delta(content=" upon"))),
    (0.46, event(delta("stop"))),
    (0.47, event(usage={"prompt_tokens": 9, "completion_tokens": 3})),
    (0.48, b"data: [DONE]\n\n"),
]


def read(chunks: list[tuple[float, bytes]]) -> Reading:
    reading = Reading()
    reading.read(chunks)
    return reading


def test_the_role_opening_is_no_token_and_the_usage_event_neither() -> None:
    got = read(STREAM)
    assert (got.t_tok1, got.t_tokn, got.events) == (0.30, 0.45, 3)
    assert [round(gap, 6) for gap in got.gaps_s] == [0.05, 0.10]
    assert (got.finish, got.prompt_tokens, got.output_tokens, got.done) == ("stop", 9, 3, True)


def test_reasoning_is_a_token_that_nobody_sees() -> None:
    got = read([(1.0, event(delta(reasoning_content="hm"))), (2.0, event(delta(content="yes")))])
    assert (got.t_tok1, got.t_vis1) == (1.0, 2.0)


def test_arguments_of_a_tool_call_are_tokens() -> None:
    call = {"index": 0, "function": {"arguments": '{"a"'}}
    assert read([(1.0, event(delta(tool_calls=[call])))]).events == 1


def test_text_of_a_legacy_completion_is_a_token() -> None:
    assert read([(1.0, event({"index": 0, "text": "x", "finish_reason": None}))]).events == 1


def test_comments_and_pings_are_nothing() -> None:
    got = read([(0.1, b": ping\n\n"), (0.2, b":\n\n"), (0.3, event(delta(content="x")))])
    assert (got.t_tok1, got.bad) == (0.3, None)


def test_an_error_event_is_kept_and_is_no_token() -> None:
    got = read([(0.1, b'data: {"error": {"message": "boom"}}\n\n')])
    assert got.error is not None and "boom" in got.error
    assert got.events == 0


def test_an_event_that_is_not_json_is_named_with_its_place() -> None:
    assert read([(0.1, b"data: {oops\n\n")]).bad == "event at byte 0 is not JSON: '{oops'"


def test_events_in_one_read_share_its_time() -> None:
    whole = b"".join(data for _, data in STREAM)
    got = read([(0.9, whole)])
    assert (got.t_tok1, got.t_tokn, got.gaps_s) == (0.9, 0.9, [0.0, 0.0])


@given(st.lists(st.integers(0, 900), max_size=12))
def test_however_a_stream_is_cut_the_same_tokens_are_read(cuts: list[int]) -> None:
    whole = b"".join(data for _, data in STREAM)
    edges = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    got = read([(float(end), whole[start:end]) for start, end in itertools.pairwise(edges)])
    assert (got.events, got.finish, got.output_tokens, got.done) == (3, "stop", 3, True)


def test_an_event_has_the_time_of_the_read_that_completed_it() -> None:
    data = event(delta(content="x"))
    assert read([(1.0, data[:20]), (2.0, data[20:])]).t_tok1 == 2.0
