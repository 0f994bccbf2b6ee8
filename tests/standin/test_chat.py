from __future__ import annotations

import json
from typing import Any

import pytest
from standin.asking import CHAT, WEATHER, backend, chat, post, said, user

from wireproof.spec import load_spec
from wireproof.standin.tokens import tokenized


def test_a_plain_answer_keeps_the_schema_and_names_the_snapshot() -> None:
    answer = chat("Hello")
    schema = load_spec().operations["createChatCompletion"].answer_schema(200)
    assert schema is not None
    assert list(schema.violations(answer.json)) == []
    assert answer.json["model"] == "gpt-4.1-mini-2025-04-14"
    assert answer.json["choices"][0]["finish_reason"] == "stop"
    assert answer.json["id"].startswith("chatcmpl-")


def test_the_same_question_gets_the_same_words_and_another_one_others() -> None:
    assert said(chat("Hello")) == said(chat("Hello"))
    assert said(chat("Hello")) != said(chat("Goodbye"))
    assert said(chat("Hello", seed=1)) != said(chat("Hello", seed=2))


def test_ids_differ_from_request_to_request() -> None:
    one = backend()
    answers = [chat("Hello", one) for _ in range(3)]
    assert len({answer.json["id"] for answer in answers}) == 3
    assert len({answer.header("x-request-id") for answer in answers}) == 3


def test_n_choices_differ_and_are_numbered() -> None:
    choices = chat("Hello", n=3).json["choices"]
    assert [choice["index"] for choice in choices] == [0, 1, 2]
    assert len({choice["message"]["content"] for choice in choices}) == 3


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
def test_a_token_limit_cuts_the_same_words_short(field: str) -> None:
    limit: dict[str, Any] = {field: 3}
    whole, cut = chat("Hello"), chat("Hello", **limit)
    assert said(whole).startswith(said(cut))
    assert cut.json["choices"][0]["finish_reason"] == "length"
    assert cut.json["usage"]["completion_tokens"] == 3


def test_a_limit_that_is_just_enough_is_not_felt() -> None:
    whole = chat("Hello")
    tokens = whole.json["usage"]["completion_tokens"]
    same = chat("Hello", max_tokens=tokens)
    assert (said(same), same.json["choices"][0]["finish_reason"]) == (said(whole), "stop")


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        ("Repeat exactly: one two three", "one two three"),
        ("Reply with: yes", "yes"),
        ("Please say exactly this: 'a b c'", "a b c"),
        ("Reply with only the word: pong", "pong"),
        ("Count to 5", "1, 2, 3, 4, 5"),
        ("Count from 3 to 5.", "3, 4, 5"),
    ],
)
def test_what_is_dictated_is_said(prompt: str, answer: str) -> None:
    assert said(chat(prompt)) == answer


@pytest.mark.parametrize(
    ("stop", "left"),
    [("three", "one two "), (["nine", "two"], "one "), (["four", "three"], "one two "), (None, "one two three four")],
)
def test_the_first_stop_sequence_ends_the_answer_and_is_not_in_it(stop: Any, left: str) -> None:
    answer = chat("Repeat exactly: one two three four", stop=stop)
    assert said(answer) == left
    assert answer.json["choices"][0]["finish_reason"] == "stop"
    assert answer.json["usage"]["completion_tokens"] == len(tokenized(left))


def test_a_stop_sequence_beyond_the_limit_is_not_reached() -> None:
    answer = chat("Repeat exactly: one two three four", stop="four", max_tokens=2)
    assert answer.json["choices"][0]["finish_reason"] == "length"


def test_asked_for_so_many_words_it_writes_so_many_tokens() -> None:
    assert chat("Write 300 words about rivers.").json["usage"]["completion_tokens"] == 300


def test_ignore_eos_writes_until_the_limit() -> None:
    answer = chat("Reply with: yes", ignore_eos=True, max_tokens=77)
    assert answer.json["usage"]["completion_tokens"] == 77
    assert answer.json["choices"][0]["finish_reason"] == "length"


def test_min_tokens_are_written_at_least() -> None:
    assert chat("Reply with: yes", min_tokens=20).json["usage"]["completion_tokens"] == 20


def test_totals_add_up_and_turns_tools_and_pictures_cost_more() -> None:
    def prompt_tokens(**fields: Any) -> int:
        usage = post("/chat/completions", {"model": CHAT, "messages": user("Hello"), **fields}).json["usage"]
        assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
        return int(usage["prompt_tokens"])

    plain = prompt_tokens()
    picture = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    sound = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
    words = {"type": "text", "text": "Hello"}
    turns = [*user("Hello"), {"role": "assistant", "content": "Hi"}, *user("Hello")]
    assert prompt_tokens(messages=turns) > plain
    assert prompt_tokens(tools=[WEATHER]) > plain
    assert prompt_tokens(messages=user([words, picture])) == plain + 765
    assert prompt_tokens(messages=user([words, sound])) > plain


def test_usage_of_n_choices_counts_them_all() -> None:
    answer = chat("Hello", n=3)
    written = sum(len(tokenized(choice["message"]["content"])) for choice in answer.json["choices"])
    assert answer.json["usage"]["completion_tokens"] == written


def test_a_long_prompt_is_cached_the_second_time() -> None:
    one, long = backend(), "word " * 1500
    first, second = chat(long, one).json["usage"], chat(long, one).json["usage"]
    assert first["prompt_tokens_details"]["cached_tokens"] == 0
    assert 1024 <= second["prompt_tokens_details"]["cached_tokens"] <= second["prompt_tokens"]
    assert second["prompt_tokens_details"]["cached_tokens"] % 128 == 0
    assert chat("other " + long, one).json["usage"]["prompt_tokens_details"]["cached_tokens"] == 0


def test_a_prediction_is_accepted_as_far_as_it_goes() -> None:
    answer = chat("Repeat exactly: one two three", prediction={"type": "content", "content": "one two four"})
    details = answer.json["usage"]["completion_tokens_details"]
    assert (details["accepted_prediction_tokens"], details["rejected_prediction_tokens"]) == (2, 1)
    assert answer.json["usage"]["completion_tokens"] == 4


@pytest.mark.parametrize(
    ("asked", "served"), [(None, "default"), ("auto", "default"), ("fast", "priority"), ("flex", "flex")]
)
def test_the_reply_reports_the_service_tier_used(asked: str | None, served: str) -> None:
    assert chat("Hello", service_tier=asked).json["service_tier"] == served


def test_verbosity_stretches_the_answer() -> None:
    low, high = (len(said(chat("Hello", verbosity=v, seed=3))) for v in ("low", "high"))
    assert low < high


def test_a_banned_word_is_not_written() -> None:
    from wireproof.standin.prose import VOCABULARY

    bias = {str(VOCABULARY.index(word)): -100 for word in VOCABULARY if word.startswith("s")}
    text = said(chat("Write 500 words.", logit_bias=bias))
    assert not [word for word in text.replace(".", "").split() if word.startswith("s")]


def test_a_forced_word_is_all_that_is_written() -> None:
    from wireproof.standin.prose import VOCABULARY

    bias = {str(VOCABULARY.index("harbor")): 100}
    assert said(chat("Say: something else", logit_bias=bias, max_tokens=3)) == " harbor harbor harbor"


@pytest.mark.parametrize("most", [0, 1, 5, 20])
def test_logprobs_have_one_entry_a_token_and_the_chosen_one_on_top(most: int) -> None:
    answer = chat("Repeat exactly: héllo 👋 world", logprobs=True, top_logprobs=most)
    entries = answer.json["choices"][0]["logprobs"]["content"]
    assert len(entries) == answer.json["usage"]["completion_tokens"]
    assert b"".join(bytes(entry["bytes"]) for entry in entries).decode() == "héllo 👋 world"
    for entry in entries:
        top = entry["top_logprobs"]
        assert len(top) == most
        assert entry["logprob"] <= 0
        assert [row["logprob"] for row in top] == sorted((row["logprob"] for row in top), reverse=True)
        assert len({row["token"] for row in top}) == most
        assert not most or top[0]["token"] == entry["token"]


def test_logprobs_are_null_when_not_asked_for() -> None:
    assert chat("Hello").json["choices"][0]["logprobs"] is None


def test_json_mode_writes_an_object() -> None:
    assert isinstance(json.loads(said(chat("Answer as JSON.", response_format={"type": "json_object"}))), dict)


def test_every_parameter_of_the_description_is_accepted() -> None:
    answer = chat(
        "Hello",
        temperature=0.5, top_p=0.9, frequency_penalty=1, presence_penalty=-1, logit_bias={"5": -1}, seed=1,
        user="u", safety_identifier="s", prompt_cache_key="k", reasoning_effort="low", modalities=["text"],
        metadata={"a": "b"}, store=False, stream=False, n=1, stop=None, response_format={"type": "text"},
        max_completion_tokens=5, stream_options=None, logprobs=False, something_new=1,
    )  # fmt: skip
    assert answer.status == 200
    assert answer.json["metadata"] == {"a": "b"}
