"""Graders by their two operations; what they are made of is in test_grading."""

from __future__ import annotations

from typing import Any

import pytest
from standin.asking import CHAT, backend, error, post, user

SAME: dict[str, Any] = {
    "type": "string_check",
    "name": "same",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.answer }}",
    "operation": "eq",
}
ALIKE: dict[str, Any] = {
    "type": "text_similarity",
    "name": "alike",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.answer }}",
    "evaluation_metric": "fuzzy_match",
}
SCORE: dict[str, Any] = {"type": "score_model", "name": "score", "model": CHAT, "input": user("Rate {{ item.answer }}")}
LABEL: dict[str, Any] = {
    "type": "label_model",
    "name": "label",
    "model": CHAT,
    "input": user("Is it good? {{ sample.output_text }}"),
    "labels": ["good", "bad"],
    "passing_labels": ["good"],
}
PYTHON: dict[str, Any] = {"type": "python", "name": "p", "source": "def grade(sample, item):\n    return 1.0\n"}


def multi(formula: str = "(a + b) / 2", **graders: Any) -> dict[str, Any]:
    parts = graders or {"a": SAME, "b": ALIKE}
    return {"type": "multi", "name": "both", "graders": parts, "calculate_output": formula}


def run(grader: dict[str, Any], sample: str = "42", answer: str = "42") -> dict[str, Any]:
    body = {"grader": grader, "model_sample": sample, "item": {"answer": answer}}
    answered = post("/fine_tuning/alpha/graders/run", body)
    assert answered.status == 200, answered.body
    return dict(answered.json)


@pytest.mark.parametrize(
    "grader", [SAME, ALIKE, SCORE, PYTHON, multi(), multi("label", label=LABEL), multi("same", **SAME)]
)
def test_a_grader_that_could_be_used_is_given_back(grader: dict[str, Any]) -> None:
    assert post("/fine_tuning/alpha/graders/validate", {"grader": grader}).json == {"grader": grader}


@pytest.mark.parametrize(
    ("grader", "param", "code"),
    [
        ({**SAME, "operation": "is"}, "grader.operation", "invalid_value"),
        ({**SAME, "input": "{{ question }}"}, "grader.input", "invalid_variable"),
        ({**ALIKE, "evaluation_metric": "bleurt"}, "grader.evaluation_metric", "invalid_value"),
        ({**SCORE, "model": "gpt-none"}, "grader.model", "model_not_found"),
        ({**SCORE, "range": [1, 0]}, "grader.range", "invalid_range"),
        ({**SCORE, "input": user("{{ other.x }}")}, "grader.input[0].content", "invalid_variable"),
        ({**PYTHON, "source": "def grade(:"}, "grader.source", "invalid_source"),
        ({**PYTHON, "source": "x = 1"}, "grader.source", "invalid_source"),
        (multi("a +"), "grader.calculate_output", "invalid_formula"),
        (multi("a + c"), "grader.calculate_output", "invalid_formula"),
        (multi("a", a={**SAME, "input": "{{ x }}"}), "grader.graders.a.input", "invalid_variable"),
        (multi("a", a={**LABEL, "passing_labels": ["fine"]}), "grader.graders.a.passing_labels", "invalid_value"),
    ],
)  # fmt: skip
def test_a_grader_that_could_not_is_refused_where_it_is_wrong(grader: dict[str, Any], param: str, code: str) -> None:
    for path, more in (("validate", {}), ("run", {"model_sample": "x"})):
        found = error(post(f"/fine_tuning/alpha/graders/{path}", {"grader": grader, **more}))
        assert (found["param"], found["code"]) == (param, code)


def test_a_run_tells_the_score_and_that_nothing_went_wrong() -> None:
    found = run(SAME)
    assert found["reward"] == 1
    assert (found["metadata"]["name"], found["metadata"]["type"]) == ("same", "string_check")
    assert found["metadata"]["scores"] == {"same": 1.0}
    assert not any(found["metadata"]["errors"].values())
    assert run(SAME, sample="43")["reward"] == 0


def test_a_multi_grader_tells_its_parts() -> None:
    found = run(multi(), sample="42!")
    assert found["sub_rewards"] == {"a": 0.0, "b": pytest.approx(0.8)}
    assert found["reward"] == pytest.approx(0.4)


def test_a_model_that_is_told_its_score_gives_it_and_its_price() -> None:
    told = {**SCORE, "input": user("Reply with: {{ item.answer }}")}
    found = run(told, answer="0.25")
    assert found["reward"] == 0.25
    assert found["model_grader_token_usage_per_model"] == {CHAT: found["metadata"]["token_usage"]}
    assert found["metadata"]["token_usage"] > 3
    assert found["metadata"]["sampled_model_name"] == CHAT


def test_a_model_that_is_not_told_keeps_to_the_range() -> None:
    for least, most in ((0, 1), (1, 5), (-3, -2)):
        found = run({**SCORE, "range": [least, most]})
        assert least <= found["reward"] <= most
        assert found == run({**SCORE, "range": [least, most]})
        assert not any(found["metadata"]["errors"].values())


def test_a_model_that_says_no_score_is_an_error_of_parsing() -> None:
    found = run({**SCORE, "input": user("Reply with: very good")})
    assert (found["reward"], found["metadata"]["errors"]["model_grader_parse_error"]) == (0, True)
    beyond = run({**SCORE, "input": user("Reply with: 7")})
    assert beyond["metadata"]["errors"]["model_grader_parse_error"] is True


def test_a_label_passes_or_not() -> None:
    said = {**LABEL, "input": user("Reply with: {{ item.answer }}")}
    assert [run(multi("x", x=said), answer=label)["reward"] for label in ("good", "bad", "other")] == [1, 0, 0]
    assert run(multi("x", x=LABEL))["reward"] in (0, 1)


def test_cosine_is_taken_from_the_embeddings() -> None:
    same = run({**ALIKE, "evaluation_metric": "cosine"})
    assert same["reward"] == pytest.approx(1)
    assert list(same["model_grader_token_usage_per_model"]) == ["text-embedding-3-large"]
    assert run({**ALIKE, "evaluation_metric": "cosine"}, sample="rivers")["reward"] < 0.99


def test_python_is_refused_in_words_when_it_should_run() -> None:
    found = run(PYTHON)
    assert found["reward"] == 0
    assert found["metadata"]["errors"]["python_grader_server_error"] is True
    assert found["metadata"]["errors"]["python_grader_server_error_type"] == "python_sandbox_unavailable"


def test_a_variable_the_item_does_not_have_is_an_error_of_the_run() -> None:
    found = run({**SAME, "reference": "{{ item.other }}"})
    assert (found["reward"], found["metadata"]["errors"]["invalid_variable_error"]) == (0, True)


def test_a_grader_asks_without_counting_against_the_tier() -> None:
    one = backend()
    body = {"grader": SCORE, "model_sample": "x", "item": {"answer": "y"}}
    assert post("/fine_tuning/alpha/graders/run", body, one).header("x-ratelimit-remaining-requests") is None
