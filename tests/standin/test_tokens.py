from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wireproof.standin.prose import dice, reply, sentences, told_words
from wireproof.standin.tokens import count, joined, tokenized


@given(st.text())
def test_tokens_join_to_the_text(text: str) -> None:
    assert joined(tokenized(text)) == text
    assert count(text) == len(tokenized(text))


def test_a_word_is_a_token_with_the_space_before_it() -> None:
    assert tokenized("One river, two  stones.") == ["One", " river", ",", " two", " ", " stones", "."]


@given(st.text(max_size=20))
def test_every_prompt_has_an_answer_that_tokenizes_back(prompt: str) -> None:
    written = reply(prompt, "seed")
    assert tokenized(joined(written)) == written


def test_sentences_are_single_tokens_word_by_word() -> None:
    words = [token for token, _ in zip(sentences(dice("x")), range(500), strict=False)]
    assert tokenized(joined(words)) == words


def test_ordinary_colons_dictate_nothing() -> None:
    assert told_words("Answer the question: what is a river?") is None
    assert told_words("Translate: hello") is None
