from __future__ import annotations

from typing import Any

import pytest
from standin.asking import LEGACY, error, events, post

from wireproof.spec import load_spec
from wireproof.standin.tokens import count
from wireproof.standin.wire import Answer


def complete(prompt: Any = "Once upon a time", **fields: Any) -> Answer:
    return post("/completions", {"model": LEGACY, "prompt": prompt, **fields})


def texts(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.body
    return [choice["text"] for choice in answer.json["choices"]]


def test_sixteen_tokens_unless_told_otherwise() -> None:
    answer = complete("Write 100 words")
    schema = load_spec().operations["createCompletion"].answer_schema(200)
    assert schema is not None
    assert list(schema.violations(answer.json)) == []
    assert answer.json["usage"] == {"prompt_tokens": 3, "completion_tokens": 16, "total_tokens": 19}
    assert answer.json["choices"][0]["finish_reason"] == "length"
    assert answer.json["id"].startswith("cmpl-")
    assert answer.json["object"] == "text_completion"


def test_echo_puts_the_prompt_first_and_costs_nothing() -> None:
    plain, echoed = complete(), complete(echo=True)
    assert texts(echoed) == ["Once upon a time" + texts(plain)[0]]
    assert echoed.json["usage"] == plain.json["usage"]


def test_n_choices_for_each_prompt_in_their_order() -> None:
    answer = complete(["Repeat exactly: a", "Repeat exactly: b"], n=2)
    assert [choice["index"] for choice in answer.json["choices"]] == [0, 1, 2, 3]
    assert texts(answer) == ["a", "a", "b", "b"]
    free = complete(["One river", "One stone"], n=2)
    assert len(set(texts(free))) == 4


def test_prompts_of_tokens_are_read() -> None:
    assert complete([1, 2, 3]).json["usage"]["prompt_tokens"] == 3
    assert len(texts(complete([[1, 2], [3, 4]]))) == 2


def test_a_prompt_alone_is_answered_as_it_is_in_a_batch() -> None:
    assert texts(complete("One river")) + texts(complete("One stone")) == texts(complete(["One river", "One stone"]))


def test_a_stop_sequence_and_a_suffix_have_effect() -> None:
    assert texts(complete("Repeat exactly: a b c", stop="b")) == ["a "]
    assert texts(complete()) != texts(complete(suffix="The end."))


def test_no_tokens_with_echo_gives_the_prompt_back() -> None:
    answer = complete("Hello there", echo=True, max_tokens=0)
    assert texts(answer) == ["Hello there"]
    assert answer.json["usage"]["completion_tokens"] == 0


@pytest.mark.parametrize(("echo", "most"), [(False, 0), (False, 3), (True, 2)])
def test_logprobs_are_four_lists_of_one_length(echo: bool, most: int) -> None:
    answer = complete("Hello there", logprobs=most, echo=echo, max_tokens=5)
    rows = answer.json["choices"][0]["logprobs"]
    text = texts(answer)[0]
    assert "".join(rows["tokens"]) == text
    assert len(rows["tokens"]) == len(rows["token_logprobs"]) == len(rows["text_offset"]) == 5 + 2 * echo
    assert [text[at : at + len(token)] for at, token in zip(rows["text_offset"], rows["tokens"], strict=True)] == rows[
        "tokens"
    ]
    assert (rows["token_logprobs"][0] is None) == echo
    if most:
        assert [len(row) for row in rows["top_logprobs"][echo:]] == [most] * (5 + echo)


def test_best_of_counts_the_candidates_nobody_sees() -> None:
    seen = complete(max_tokens=5).json["usage"]["completion_tokens"]
    assert complete(max_tokens=5, best_of=3).json["usage"]["completion_tokens"] == 3 * seen
    assert len(texts(complete(best_of=3, n=2))) == 2


@pytest.mark.parametrize("fields", [{}, {"echo": True}, {"n": 2}, {"stop": "the"}, {"max_tokens": 50}])
def test_a_stream_says_what_the_plain_answer_says(fields: dict[str, Any]) -> None:
    found = events(complete(stream=True, stream_options={"include_usage": True}, **fields))
    schema = load_spec().operations["createCompletion"].event_schema
    assert schema is not None
    assert [list(schema.violations(event)) for event in found] == [[]] * len(found)
    plain = complete(**fields)
    for index, choice in enumerate(plain.json["choices"]):
        mine = [e["choices"][0] for e in found if e["choices"] and e["choices"][0]["index"] == index]
        assert "".join(piece["text"] for piece in mine) == choice["text"]
        assert [piece["finish_reason"] for piece in mine] == [None] * (len(mine) - 1) + [choice["finish_reason"]]
    assert (found[-1]["choices"], found[-1]["usage"]) == ([], plain.json["usage"])
    assert all(event["usage"] is None for event in found[:-1])


def test_logprobs_stream_with_their_tokens() -> None:
    plain = complete(logprobs=2, echo=True).json["choices"][0]["logprobs"]
    parts = [e["choices"][0]["logprobs"] for e in events(complete(logprobs=2, echo=True, stream=True))]
    for name, rows in plain.items():
        assert [row for part in parts if part for row in part[name]] == rows


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"best_of": 1, "n": 2}, "best_of"),
        ({"best_of": 2, "stream": True}, "best_of"),
        ({"prompt": []}, "prompt"),
        ({"logprobs": 6}, "logprobs"),
        ({"max_tokens": 4096}, "prompt"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
    ],
)
def test_what_cannot_be_is_refused(fields: dict[str, Any], param: str) -> None:
    answer = complete(**{"prompt": "Hello", **fields})
    assert answer.status == 400
    assert error(answer)["param"] == param


def test_tokens_of_a_prompt_are_those_of_the_counter() -> None:
    assert complete("Hello, world!").json["usage"]["prompt_tokens"] == count("Hello, world!")
