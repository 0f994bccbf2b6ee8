"""Models that think before they answer: what they refuse, and how their thinking is counted."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from standin.asking import CHAT, WEATHER, backend, chat, error, events, said, streamed_text

from wireproof.standin.backend import Setup
from wireproof.standin.latency import Latency
from wireproof.standin.wire import Answer

O4, NANO = "o4-mini", "gpt-5.4-nano"


def thought(answer: Answer) -> int:
    assert answer.status == 200, answer.body
    tokens: int = answer.json["usage"]["completion_tokens_details"]["reasoning_tokens"]
    return tokens


def test_thinking_is_counted_as_completion_and_not_shown() -> None:
    answer = chat("Repeat exactly: one two three", model=O4)
    usage = answer.json["usage"]
    assert said(answer) == "one two three"
    assert usage["completion_tokens"] == 3 + usage["completion_tokens_details"]["reasoning_tokens"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert thought(answer) > 0
    assert thought(chat(model=CHAT)) == 0


def test_more_effort_is_more_thinking() -> None:
    amounts = [thought(chat(model=NANO, reasoning_effort=e)) for e in ("none", "low", "medium", "high", "xhigh")]
    assert amounts[0] == 0
    assert all(less < more for less, more in pairwise(amounts))
    assert thought(chat(model=NANO)) == 0, "this one does not think unless told to"
    assert thought(chat(model=O4)) == thought(chat(model=O4)), "the same request, the same thinking"


def test_thinking_counts_within_the_limit_and_may_use_it_up() -> None:
    cut = chat("Count to 100", model=O4, max_completion_tokens=20)
    choice, usage = cut.json["choices"][0], cut.json["usage"]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("", "length")
    assert (usage["completion_tokens"], thought(cut)) == (20, 20)
    room = chat("Count to 100", model=O4, max_completion_tokens=200)
    assert room.json["usage"]["completion_tokens"] == 200
    assert room.json["choices"][0]["finish_reason"] == "length"
    assert said(room).startswith("1, 2, 3")


def test_each_choice_thinks_for_itself() -> None:
    one, two = chat(model=O4), chat(model=O4, n=2)
    assert thought(two) > thought(one)


def test_a_stream_says_and_counts_the_same() -> None:
    plain, options = chat("Blue?", model=O4), {"include_usage": True}
    streamed = chat("Blue?", model=O4, stream=True, stream_options=options)
    assert streamed_text(streamed) == said(plain)
    assert events(streamed)[-1]["usage"] == plain.json["usage"]
    empty = chat("Blue?", model=O4, stream=True, stream_options=options, max_completion_tokens=5)
    told = events(empty)
    assert [choice["finish_reason"] for event in told for choice in event["choices"]] == [None, "length"]
    assert told[-1]["usage"]["completion_tokens_details"]["reasoning_tokens"] == 5


def test_thinking_takes_its_time_before_the_first_word() -> None:
    to = backend(Setup(latency=Latency(ttft_ms=100, itl_ms=10)))
    plain = chat("Repeat exactly: one two", to, model=O4)
    frames = list(chat("Repeat exactly: one two", to, model=O4, stream=True).frames or ())
    assert frames[0].delay_ms == 100 + 10 * thought(plain)
    assert sum(frame.delay_ms for frame in frames) == plain.delay_ms


def test_tools_are_called_after_thinking() -> None:
    answer = chat("Weather?", model=O4, tools=[WEATHER], tool_choice="required")
    call = answer.json["choices"][0]["message"]["tool_calls"][0]
    assert json.loads(call["function"]["arguments"])
    assert thought(answer) > 0


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"model": O4, "max_tokens": 10}, "max_tokens", "unsupported_parameter"),
    ({"model": NANO, "max_tokens": 10}, "max_tokens", "unsupported_parameter"),
    ({"model": O4, "temperature": 0}, "temperature", "unsupported_value"),
    ({"model": O4, "top_p": 0.5}, "top_p", "unsupported_value"),
    ({"model": O4, "logprobs": True}, "logprobs", "unsupported_parameter"),
    ({"model": O4, "stop": "x"}, "stop", "unsupported_parameter"),
    ({"model": O4, "reasoning_effort": "none"}, "reasoning_effort", "unsupported_value"),
    ({"model": NANO, "reasoning_effort": "max"}, "reasoning_effort", "unsupported_value"),
    ({"model": NANO, "reasoning_effort": "low", "temperature": 0}, "temperature", "unsupported_value"),
]


@pytest.mark.parametrize(("fields", "param", "code"), REFUSED)
def test_what_a_thinking_model_does_not_take_is_refused(fields: dict[str, Any], param: str, code: str) -> None:
    answer = chat(**fields)
    told = error(answer)
    assert (answer.status, told["type"], told["param"], told["code"]) == (400, "invalid_request_error", param, code)


def test_without_thinking_it_takes_what_others_take() -> None:
    assert chat(model=NANO, temperature=0, top_p=0.5, logprobs=True, stop="x").status == 200
    assert chat(model=O4, temperature=1, top_p=1, stop=None, max_tokens=None).status == 200
    assert chat(model=CHAT, reasoning_effort="high", max_tokens=5).status == 200


def test_a_snapshot_thinks_like_its_alias() -> None:
    assert thought(chat(model="o4-mini-2025-04-16")) > 0
