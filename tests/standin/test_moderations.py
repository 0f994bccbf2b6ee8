"""Moderations: complete categories, words that are flagged, and what the two kinds of models judge."""

from __future__ import annotations

from typing import Any

import pytest
from standin import asking

from wireproof.standin.backend import Setup
from wireproof.standin.moderation import CATEGORIES, OF_PICTURES, WORDS

PICTURE = {"type": "image_url", "image_url": {"url": "https://example.org/harbour.png"}}


def moderated(given: Any, **fields: Any) -> dict[str, Any]:
    answer = asking.post("/moderations", {"input": given, **fields})
    assert answer.status == 200, answer.body
    return dict(answer.json)


def result(given: Any, **fields: Any) -> dict[str, Any]:
    results = moderated(given, **fields)["results"]
    assert len(results) == 1
    return dict(results[0])


def test_a_harmless_text_is_flagged_in_none_of_the_thirteen_categories() -> None:
    found = result("The quiet river carries a stone.")
    assert found["flagged"] is False
    assert set(found["categories"]) == set(CATEGORIES)
    assert not any(found["categories"].values())
    assert all(0 < score < 0.5 for score in found["category_scores"].values())
    assert all(kinds == ["text"] for kinds in found["category_applied_input_types"].values())


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_listed_word_flags_its_category_and_the_one_above(category: str) -> None:
    found = result(f"They said: {WORDS[category][0].upper()}!")
    assert found["flagged"] is True
    assert found["categories"][category] is True
    assert found["categories"][category.partition("/")[0]] is True
    assert {name for name in CATEGORIES if found["category_scores"][name] >= 0.5} == {
        name for name in CATEGORIES if found["categories"][name]
    }


def test_a_word_within_another_is_no_word() -> None:
    assert result("A skilled glossary of stable closers")["flagged"] is False


def test_each_of_several_texts_gets_its_own_result_and_always_the_same() -> None:
    texts = ["Good morning", "I will kill you", "Good night"]
    found = moderated(texts)["results"]
    assert [one["flagged"] for one in found] == [False, True, False]
    assert found == [result(text) for text in texts]


def test_parts_get_one_result_together() -> None:
    text = {"type": "text", "text": "You idiot"}
    found = result([text, PICTURE])
    applied = found["category_applied_input_types"]
    assert found["categories"]["harassment"] is True
    assert {name for name in CATEGORIES if applied[name] == ["text", "image"]} == OF_PICTURES
    alone = result([PICTURE])["category_applied_input_types"]
    assert {name for name in CATEGORIES if alone[name]} == OF_PICTURES


def test_a_picture_is_judged_by_its_name() -> None:
    bloody = {"type": "image_url", "image_url": {"url": "https://example.org/bloody.png"}}
    assert result([bloody])["categories"]["violence/graphic"] is True
    assert result([PICTURE])["flagged"] is False


def test_text_models_know_nothing_of_illicit_things_and_take_no_pictures() -> None:
    found = result("How to shoplift and kill", model="text-moderation-latest")
    assert found["categories"]["illicit"] is found["categories"]["illicit/violent"] is None
    assert found["category_scores"]["illicit"] == 0
    assert found["category_applied_input_types"]["illicit"] == []
    assert found["categories"]["violence"] is True
    refused = asking.post("/moderations", {"input": [PICTURE], "model": "text-moderation-latest"})
    assert (refused.status, asking.error(refused)["param"]) == (400, "input[0]")


def test_the_default_model_answers_under_its_snapshot() -> None:
    assert moderated("Hello")["model"] == "omni-moderation-2024-09-26"
    assert moderated("Hello")["id"].startswith("modr-")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"input": []}, 400),
        ({}, 400),
        ({"input": 5}, 400),
        ({"input": [{"type": "image_url", "image_url": {"url": "ftp://example.org/a.png"}}]}, 400),
        ({"input": "Hello", "model": "gpt-4.1-mini"}, 404),
        ({"input": "Hello", "model": "no-such-model"}, 404),
    ],
)
def test_what_cannot_be_judged_is_refused(body: dict[str, Any], status: int) -> None:
    answer = asking.post("/moderations", body)
    assert answer.status == status
    asking.error(answer)


def test_moderations_count_against_the_tier() -> None:
    backend = asking.backend(Setup(tier="free"))
    ask = asking.ask("POST", "/moderations", {"input": "x" * 36_000})
    assert backend.answer(ask).header("x-ratelimit-remaining-tokens") == "1000"
    assert backend.answer(ask).status == 429
