"""The noise floor: whether equal requests are answered alike."""

from __future__ import annotations

from typing import Any

import pytest
from made import answer, stream

from wireproof.clause import Exchange, NotApplicable

ASKED = {"messages": [{"role": "user", "content": "Hello"}], "temperature": 0}


@pytest.fixture
def noise(contract: Any) -> Any:
    return contract("_noise")


def says(text: str, asked: dict[str, Any] = ASKED, **message: Any) -> Exchange:
    choice = {"index": 0, "message": {"role": "assistant", "content": text, **message}, "finish_reason": "stop"}
    return answer({"id": text, "choices": [choice]}, asked=asked)


def test_equal_requests_are_compared_and_no_others(noise: Any) -> None:
    assert noise.repeats([says("hi"), says("hi")]) is True
    assert noise.repeats([says("hi"), says("ho")]) is False
    assert noise.repeats([says("hi"), says("ho", {**ASKED, "max_tokens": 2})]) is None
    assert noise.repeats([says("hi"), says("hi"), says("", {**ASKED, "max_tokens": 2})]) is True
    assert noise.repeats([]) is None


def test_what_an_answer_is_made_of_counts_and_its_ids_do_not(noise: Any) -> None:
    assert noise.repeats([says("", tool_calls=[{"id": "call_1"}]), says("", tool_calls=[{"id": "call_2"}])]) is True
    assert noise.repeats([says("", tool_calls=[{"id": "call_1"}]), says("")]) is False
    assert noise.repeats([says("caf\ufffd"), says("caf")]) is True


def test_legacy_texts_are_compared_too(noise: Any) -> None:
    one, other = (answer({"choices": [{"index": 0, "text": text}]}, asked=ASKED) for text in ("a", "b"))
    assert noise.repeats([one, other]) is False
    assert noise.repeats([one, one]) is True


def test_streams_refusals_and_what_cannot_be_read_say_nothing(noise: Any) -> None:
    assert noise.repeats([answer({}, asked=ASKED, status=500), stream([], asked=ASKED)]) is None
    assert noise.repeats([answer(b"no", asked=ASKED), answer(b"no", asked=ASKED)]) is True


def test_a_comparison_needs_two_equal_answers(noise: Any) -> None:
    noise.expect_repeats([says("hi"), says("hi")])
    for exchanges in ([says("hi")], [says("hi"), says("ho")]):
        with pytest.raises(NotApplicable, match="does not repeat itself"):
            noise.expect_repeats(exchanges)
