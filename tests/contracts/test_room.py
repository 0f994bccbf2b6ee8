"""Whether an answer had room to say anything."""

from __future__ import annotations

from typing import Any

import pytest
from made import answer, stream


@pytest.fixture
def ran_out(contract: Any) -> Any:
    return contract("_room").ran_out


def said(finish: str | None = "length", **message: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}]}


def chunk(finish: str | None = None, index: int = 0, **delta: Any) -> dict[str, Any]:
    return {"choices": [{"index": index, "delta": delta, "finish_reason": finish}]}


def test_an_answer_that_ends_at_its_cap_without_a_word_ran_out(ran_out: Any) -> None:
    assert ran_out(answer(said(content="")))
    assert ran_out(answer(said(content=None, reasoning_content="Let me think")))
    assert ran_out(stream([chunk(role="assistant"), chunk(reasoning="hm"), chunk("length")]))
    assert ran_out(stream([chunk(content="hi"), chunk("stop"), chunk("length", 1)]))
    assert ran_out(answer({"choices": [{"index": 0, "text": "", "finish_reason": "length"}]}))


def test_words_calls_and_other_ends_are_no_lack_of_room(ran_out: Any) -> None:
    assert not ran_out(answer(said(content="hi")))
    assert not ran_out(answer(said(content=None, tool_calls=[{"id": "call_1"}])))
    assert not ran_out(answer(said("stop", content="")))
    assert not ran_out(answer(said(None, content="")))
    assert not ran_out(stream([chunk(content="hi"), chunk("length")]))
    assert not ran_out(answer({"choices": [{"index": 0, "text": "hi", "finish_reason": "length"}]}))


def test_responses_are_read_too(ran_out: Any) -> None:
    thought: dict[str, Any] = {
        "object": "response",
        "status": "incomplete",
        "output": [{"type": "reasoning", "content": []}],
    }
    words = {"type": "message", "content": [{"type": "output_text", "text": "hi"}]}
    spoken = {**thought, "output": [words]}
    assert ran_out(answer(thought, operation="createResponse"))
    assert not ran_out(answer(spoken, operation="createResponse"))
    assert not ran_out(answer({**thought, "status": "completed"}, operation="createResponse"))
    begun = {"type": "response.created", "response": {**thought, "status": "in_progress", "output": []}}
    for response, expected in ((thought, True), (spoken, False)):
        ended = {"type": "response.incomplete", "response": response}
        assert ran_out(stream([begun, ended], operation="createResponse", done=False)) is expected


@pytest.mark.parametrize("body", [b"", b"no", [], {"choices": 5}, {"choices": [5]}, {"choices": [{}]}, b"\xff"])
def test_what_cannot_be_read_is_no_lack_of_room(body: Any, ran_out: Any) -> None:
    assert not ran_out(answer(body))
    assert not ran_out(stream([b"data: x\n\n", b"data: []\n\n", b"data: \xff\n\n"]))
