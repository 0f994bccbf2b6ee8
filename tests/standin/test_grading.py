"""What graders are made of: templates, formulas, measures of likeness. Worked by hand where it says so."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wireproof.standin.grading.formula import FormulaError, NoValue, calculated, compiled
from wireproof.standin.grading.graders import ModelFailed, graded, parts_of
from wireproof.standin.grading.similarity import METRICS, common_length
from wireproof.standin.grading.templates import UnknownName, rendered, sample_of

NAMES = {
    "item": {"q": "Why?", "n": 3, "list": [{"x": "y"}], "a-b": None},
    "sample": sample_of('{"answer": 42}', finish_reason="stop"),
}
MAT = ("the cat sat on a mat", "The cat is on the mat.")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("{{item.q}}", "Why?"),
        ("{{ item.n }} and {{item.list[0].x}}", "3 and y"),
        ("{{ item.a-b }}", "null"),
        ("{{ sample.output_json.answer }}!", "42!"),
        ("{{ sample.output_text }}", '{"answer": 42}'),
        ("{ item.q } {{", "{ item.q } {{"),
    ],
)
def test_a_template_is_filled_in(text: str, meant: str) -> None:
    assert rendered(text, NAMES) == meant


@pytest.mark.parametrize("name", ["item.x", "item.q.z", "item.list[7]", "other", "", "item.list.x", "1"])
def test_a_template_that_leads_nowhere_says_so(name: str) -> None:
    with pytest.raises(UnknownName):
        rendered("{{" + name + "}}", NAMES)


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("1 + 2 * 3", 7),
        ("-2 ^ 2", -4),
        ("2 ^ 3 ^ 2", 512),
        ("(a + b) / 2", 0.5),
        ("10 - 4 - 3", 3),
        ("min(a, 0.5, b) + max(a, b)", 1),
        ("abs(-1) + floor(1.7) + ceil(1.2) + sqrt(4) + log(exp(2))", 8),
        ("2e-1 + .5", 0.7),
        ("+".join(["1"] * 900), 900),
    ],
)
def test_a_formula_has_the_value_of_its_arithmetic(formula: str, value: float) -> None:
    assert calculated(formula, {"a": 1.0, "b": 0.0}) == pytest.approx(value)


@pytest.mark.parametrize(
    "formula", ["", "1 +", "(1", "1 2", "c", "a.b", "__import__('os')", "min()", "(" * 99, "9" * 3000]
)
def test_what_is_no_formula_is_refused_without_a_value(formula: str) -> None:
    with pytest.raises(FormulaError) as refused:
        compiled(formula, ("a", "b"))
    assert not isinstance(refused.value, NoValue)


@pytest.mark.parametrize("formula", ["1 / a", "sqrt(a - 1)", "10 ^ 9999", "exp(1000)", "1e308 * 10", "abs(a, a)"])
def test_a_formula_without_a_finite_value_says_so(formula: str) -> None:
    compiled(formula, ("a",))
    with pytest.raises(NoValue):
        calculated(formula, {"a": 0.0})


# By hand: 4 of 6 words are common, "the cat" is the one common pair of 5; BLEU adds one above single words.
@pytest.mark.parametrize(
    ("metric", "score"),
    [
        ("rouge_1", 4 / 6),
        ("rouge_2", 2 * 1 / 10),
        ("rouge_3", 0.0),
        ("rouge_l", 4 / 6),
        ("gleu", 5 / 18),
        ("bleu", (4 / 6 * 2 / 6 * 1 / 5 * 1 / 4) ** 0.25),
        ("meteor", 4 / 6 * (1 - 0.5 * (3 / 4) ** 3)),
    ],
)
def test_a_measure_of_likeness_is_the_published_one(metric: str, score: float) -> None:
    assert METRICS[metric](*MAT) == pytest.approx(score)


def test_fuzzy_match_reads_characters() -> None:
    assert METRICS["fuzzy_match"]("this is a test", "this is a test!") == pytest.approx(28 / 29)
    assert METRICS["fuzzy_match"]("", "") == 1


@pytest.mark.parametrize("metric", METRICS)
@settings(max_examples=30)
@given(text=st.text(max_size=30), reference=st.text(max_size=30))
def test_likeness_lies_between_nought_and_one(metric: str, text: str, reference: str) -> None:
    assert 0 <= METRICS[metric](text, reference) <= 1 + 1e-9


@settings(max_examples=50)
@given(one=st.text(alphabet="abc", max_size=12), other=st.text(alphabet="abc", max_size=12))
def test_the_longest_common_subsequence_is_that_of_the_textbook(one: str, other: str) -> None:
    rows = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i, x in enumerate(one):
        for j, y in enumerate(other):
            rows[i + 1][j + 1] = rows[i][j] + 1 if x == y else max(rows[i][j + 1], rows[i + 1][j])
    assert common_length(one, other) == rows[-1][-1]


def unasked(path: str, body: dict[str, Any]) -> dict[str, Any]:
    raise AssertionError(f"{path} was asked")


def checked(operation: str, text: str, reference: str) -> float:
    grader = {"type": "string_check", "name": "s", "input": text, "reference": reference, "operation": operation}
    return graded(grader, NAMES, unasked).score


def test_strings_are_checked_four_ways() -> None:
    assert [checked("eq", "{{item.q}}", "Why?"), checked("eq", "why?", "Why?")] == [1, 0]
    assert [checked("ne", "{{item.q}}", "Why?"), checked("ne", "why?", "Why?")] == [0, 1]
    assert [checked("like", "Why? Not!", "{{item.q}}"), checked("like", "why? not!", "{{item.q}}")] == [1, 0]
    assert [checked("ilike", "why? not!", "{{item.q}}"), checked("ilike", "not", "{{item.q}}")] == [1, 0]


def test_a_grader_with_an_unknown_name_scores_nought_and_says_why() -> None:
    grader = {"type": "string_check", "name": "s", "input": "{{item.zz}}", "reference": "", "operation": "eq"}
    found = graded(grader, NAMES, unasked)
    assert (found.score, dict(found.errors)) == (0, {"invalid_variable_error": True})


def test_cosine_is_the_product_of_unit_vectors() -> None:
    def ask(path: str, body: dict[str, Any]) -> dict[str, Any]:
        assert (path, body["input"]) == ("/embeddings", ["Why?", "Because"])
        return {"data": [{"embedding": [1.0, 0.0]}, {"embedding": [0.6, 0.8]}], "usage": {"total_tokens": 4}}

    grader = {"type": "text_similarity", "name": "t", "input": "{{item.q}}", "reference": "Because",
              "evaluation_metric": "cosine"}  # fmt: skip
    found = graded(grader, NAMES, ask)
    assert math.isclose(found.score, 0.6)
    assert dict(found.tokens) == {"text-embedding-3-large": 4}


def test_a_model_that_fails_is_told_and_scores_nought() -> None:
    def ask(path: str, body: dict[str, Any]) -> dict[str, Any]:
        raise ModelFailed("no such model")

    grader = {"type": "score_model", "name": "m", "model": "x", "input": [{"role": "user", "content": "Grade"}]}
    found = graded(grader, NAMES, ask)
    assert found.score == 0
    assert found.errors == {"model_grader_server_error": True, "model_grader_server_error_details": "no such model"}


def test_python_is_never_run() -> None:
    source = "raise SystemExit\ndef grade(sample, item): return 1"
    found = graded({"type": "python", "name": "p", "source": source}, NAMES, unasked)
    assert found.score == 0
    assert found.errors["python_grader_server_error"] is True


def test_a_text_that_is_too_long_is_not_graded() -> None:
    names = {"item": {"long": "x" * 15_000}, "sample": {}}
    grader = {"type": "string_check", "name": "s", "input": "{{item.long}}" * 5, "reference": "", "operation": "eq"}
    assert graded(grader, names, unasked).errors == {"other_error": True}
    assert graded({**grader, "input": "{{item.long}}" * 3}, names, unasked).errors == {}


def test_a_multi_grader_adds_up_its_parts() -> None:
    part = {"type": "string_check", "name": "one", "input": "{{item.q}}", "reference": "Why?", "operation": "eq"}
    similar = {"type": "text_similarity", "name": "two", "input": "a b", "reference": "a c",
               "evaluation_metric": "rouge_1"}  # fmt: skip
    multi = {"type": "multi", "name": "m", "graders": {"x": part, "y": similar}, "calculate_output": "0.5*x + y"}
    found = graded(multi, NAMES, unasked)
    assert (found.score, dict(found.scores)) == (1.0, {"x": 1.0, "y": 0.5})
    single = {**multi, "graders": part, "calculate_output": "one"}
    assert list(parts_of(single)) == ["one"]
    assert graded(single, NAMES, unasked).score == 1
    wrong = graded({**multi, "calculate_output": "x / (y - y)"}, NAMES, unasked)
    assert (wrong.score, wrong.errors["formula_parse_error"]) == (0, True)
