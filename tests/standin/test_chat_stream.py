from __future__ import annotations

import json
from typing import Any

import pytest
from standin.asking import WEATHER, backend, chat, deltas, events, said, streamed_text

from wireproof.spec import load_spec
from wireproof.standin.backend import Setup
from wireproof.standin.latency import Latency


def stream(text: str = "Hello", **fields: Any) -> Any:
    return chat(text, stream=True, **fields)


def test_every_event_keeps_the_schema_and_is_of_one_answer() -> None:
    schema = load_spec().operations["createChatCompletion"].event_schema
    assert schema is not None
    found = events(stream(n=2, logprobs=True, top_logprobs=2, stream_options={"include_usage": True}))
    for event in found:
        assert list(schema.violations(event)) == []
    for field in ("id", "object", "created", "model", "system_fingerprint"):
        assert len({event[field] for event in found}) == 1
    assert found[0]["object"] == "chat.completion.chunk"


@pytest.mark.parametrize("fields", [{}, {"max_tokens": 4}, {"stop": "."}, {"logprobs": True}, {"seed": 9}])
def test_a_stream_says_what_the_plain_answer_says(fields: dict[str, Any]) -> None:
    assert streamed_text(stream(**fields)) == said(chat(**fields))
    last = [event["choices"][0] for event in events(stream(**fields))][-1]
    assert last["finish_reason"] == chat(**fields).json["choices"][0]["finish_reason"]


def test_the_role_comes_first_once_with_empty_content() -> None:
    found = list(deltas(stream()))
    assert found[0]["role"] == "assistant"
    assert found[0]["content"] == ""
    assert not any("role" in delta for delta in found[1:])


def test_the_finish_event_is_the_last_and_has_an_empty_delta() -> None:
    choices = [event["choices"][0] for event in events(stream())]
    assert (choices[-1]["delta"], choices[-1]["finish_reason"]) == ({}, "stop")
    assert {choice["finish_reason"] for choice in choices[:-1]} == {None}


def test_an_empty_answer_still_has_role_and_finish() -> None:
    choices = [event["choices"][0] for event in events(stream("Repeat exactly: one", stop="one"))]
    assert [choice["finish_reason"] for choice in choices] == [None, "stop"]


def test_each_event_carries_one_token() -> None:
    usage = chat("Hello").json["usage"]
    assert len(list(deltas(stream()))) == usage["completion_tokens"] + 2


def test_choices_run_side_by_side() -> None:
    answer = stream(n=2)
    order = [event["choices"][0]["index"] for event in events(answer)]
    assert order[:6] == [0, 1, 0, 1, 0, 1]
    plain = chat(n=2).json["choices"]
    assert [streamed_text(answer, index) for index in (0, 1)] == [choice["message"]["content"] for choice in plain]


def test_usage_comes_alone_at_the_end_and_is_null_before() -> None:
    found = events(stream(stream_options={"include_usage": True}))
    assert found[-1]["choices"] == []
    assert found[-1]["usage"] == chat("Hello").json["usage"]
    assert all(event["usage"] is None for event in found[:-1])


def test_without_being_asked_no_event_has_usage() -> None:
    assert not any("usage" in event for event in events(stream()))


def test_logprobs_stream_with_their_token() -> None:
    plain = chat(logprobs=True, top_logprobs=3).json["choices"][0]["logprobs"]["content"]
    parts = [e["choices"][0]["logprobs"] for e in events(stream(logprobs=True, top_logprobs=3))]
    assert [entry for part in parts if part for entry in part["content"]] == plain


def test_obfuscation_is_there_when_asked_for() -> None:
    assert not any("obfuscation" in event for event in events(stream()))
    found = events(stream(stream_options={"include_obfuscation": True, "include_usage": True}))
    assert all(event["obfuscation"] for event in found)


def test_a_call_is_introduced_once_and_its_arguments_follow_in_pieces() -> None:
    found = list(deltas(stream(tools=[WEATHER], tool_choice="required")))
    assert found[0] == {"role": "assistant", "content": None, "refusal": None}
    pieces = [delta["tool_calls"][0] for delta in found if "tool_calls" in delta]
    assert pieces[0]["type"] == "function"
    assert pieces[0]["id"].startswith("call_")
    assert pieces[0]["function"] == {"name": "get_weather", "arguments": ""}
    assert all(set(piece) == {"index", "function"} for piece in pieces[1:])
    plain = chat(tools=[WEATHER], tool_choice="required").json["choices"][0]["message"]["tool_calls"][0]
    assert "".join(piece["function"]["arguments"] for piece in pieces) == plain["function"]["arguments"]
    assert found[-1] == {}


def test_two_calls_stream_one_after_the_other() -> None:
    other = json.loads(json.dumps(WEATHER).replace("get_weather", "get_time"))
    found = deltas(stream(tools=[WEATHER, other], tool_choice="required"))
    order = [delta["tool_calls"][0]["index"] for delta in found if "tool_calls" in delta]
    assert order == sorted(order)
    assert set(order) == {0, 1}


def test_delays_are_ttft_then_itl() -> None:
    slow = backend(Setup(latency=Latency(100, 10)))
    frames = list(chat("Repeat exactly: a b c", slow, stream=True).frames or ())
    assert [frame.delay_ms for frame in frames] == [100, 0, 10, 10, 0, 0]


def test_a_plain_answer_takes_as_long_as_its_stream() -> None:
    slow = backend(Setup(latency=Latency(100, 10)))
    plain = chat("Repeat exactly: a b c", slow)
    assert plain.delay_ms == 120
    assert plain.header("openai-processing-ms") == "120"


def test_jitter_is_drawn_from_the_seed() -> None:
    def delays(seed: int) -> list[float]:
        jittery = backend(Setup(latency=Latency(100, 10, jitter=0.5, seed=seed)))
        return [frame.delay_ms for frame in chat("Hello", jittery, stream=True).frames or ()]

    assert delays(1) == delays(1)
    assert delays(1) != delays(2)
    assert min(delays(1)) >= 0


def test_a_stream_is_typed_as_one() -> None:
    assert stream().header("content-type") == "text/event-stream; charset=utf-8"
