"""contracts/graders.py: scores as they should be and as they should not."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from lives import answered_with, lived, verdicts
from made import answer, clauses_of, outcome_of

from wireproof.clause import Exchange
from wireproof.standin.faults import all_faults

PROBES = [f"fine-tuning.graders.{name}" for name in ("validate", "validate-wrong", "equal", "within", "alike")]


@pytest.fixture(scope="module")
def graders(contract: Callable[[str], ModuleType]) -> ModuleType:
    return contract("graders")


def test_the_stand_in_keeps_every_clause_and_each_is_judged(graders: ModuleType) -> None:
    told = verdicts([exchange for probe in PROBES for exchange in lived(probe)], graders)
    assert {id: (one.outcome, one.reason) for id, one in told.items() if one.outcome != "pass"} == {}


def test_every_clause_has_a_fault(graders: ModuleType) -> None:
    assert {one.clause.id for one in clauses_of(graders)} - {fault.breaks for fault in all_faults().values()} == set()


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_backend_without_graders_breaks_nothing(graders: ModuleType, status: int) -> None:
    exchanges = [exchange for probe in PROBES for exchange in lived(probe, answered_with(".*", status))]
    assert {one.outcome for one in verdicts(exchanges, graders).values()} == {"not-applicable"}


def grader(**fields: Any) -> dict[str, Any]:
    return {"type": "string_check", "name": "g", "input": "{{sample.output_text}}", "reference": "{{ item.word }}",
            "operation": "eq", **fields}  # fmt: skip


NO_ERRORS: dict[str, Any] = dict.fromkeys(
    ("formula_parse_error", "sample_parse_error", "truncated_observation_error", "unresponsive_reward_error",
     "invalid_variable_error", "other_error", "python_grader_server_error", "python_grader_runtime_error",
     "model_grader_server_error", "model_grader_refusal_error", "model_grader_parse_error"), False
) | dict.fromkeys(("python_grader_server_error_type", "python_grader_runtime_error_details",
                   "model_grader_server_error_details"))  # fmt: skip


def run(reward: Any, said: str, word: str, *, failed: str | None = None, told: str = "g", **fields: Any) -> Exchange:
    one = grader(**fields)
    errors = NO_ERRORS | ({failed: True} if failed else {})
    metadata = {"name": told, "type": one["type"], "errors": errors, "execution_time": 0.1, "scores": {},
                "token_usage": None, "sampled_model_name": None}  # fmt: skip
    body = {"reward": reward, "metadata": metadata, "sub_rewards": {}, "model_grader_token_usage_per_model": {}}
    asked = {"grader": one, "model_sample": said, "item": {"word": word}}
    return answer(body, asked=asked, operation="runGrader", path="/fine_tuning/alpha/graders/run")


def alike(reward: Any, said: str, word: str, metric: str = "fuzzy_match") -> Exchange:
    return run(reward, said, word, type="text_similarity", evaluation_metric=metric, operation=None)


def validated(told: Any, **fields: Any) -> Exchange:
    return answer(told, asked={"grader": grader(**fields)}, operation="validateGrader", path="/validate")


def turned_down(status: int) -> Exchange:
    asked = {"grader": grader(operation="wireproof")}
    return answer({"error": {}}, asked=asked, operation="validateGrader", path="/validate", status=status)


CASES: list[tuple[str, Exchange, str]] = [
    ("answers_follow_the_schema", run(1, "a", "a"), "pass"),
    ("answers_follow_the_schema", run("1", "a", "a"), "fail"),
    ("a_string_check_is_passed_or_not", run(1.0, "wire", "wire"), "pass"),
    ("a_string_check_is_passed_or_not", run(0, "Wire", "wire"), "pass"),
    ("a_string_check_is_passed_or_not", run(1, "Wire", "wire"), "fail"),
    ("a_string_check_is_passed_or_not", run(True, "wire", "wire"), "fail"),
    ("a_string_check_is_passed_or_not", run(1, "Wire", "wire", operation="ne"), "pass"),
    ("a_string_check_is_passed_or_not", run(1, "a wire", "wire", operation="like"), "pass"),
    ("a_string_check_is_passed_or_not", run(1, "a WIRE", "wire", operation="like"), "fail"),
    ("a_string_check_is_passed_or_not", run(1, "a WIRE", "wire", operation="ilike"), "pass"),
    ("a_string_check_is_passed_or_not", run(0, "a WIRE", "wire", operation="ilike"), "fail"),
    ("a_string_check_is_passed_or_not", run(0, "wire", "wire", reference="{{ item.other }}"), "not-applicable"),
    ("a_string_check_is_passed_or_not", run(0, "wire", "wire", input="{{ item.word | upper }}"), "not-applicable"),
    ("a_string_check_is_passed_or_not", run(0, "wire", "wire", failed="other_error"), "not-applicable"),
    ("a_string_check_is_passed_or_not", run(0, "a", "a", operation="regex"), "not-applicable"),
    ("what_can_be_graded_is_no_error", run(1, "wire", "wire"), "pass"),
    ("what_can_be_graded_is_no_error", run(0, "wire", "wire", failed="sample_parse_error"), "fail"),
    ("what_can_be_graded_is_no_error", run(0, "wire", "wire", reference="{{ item.other }}"), "not-applicable"),
    ("similarity_is_a_share", alike(0.8, "a wire", "the wire"), "pass"),
    ("similarity_is_a_share", alike(80, "a wire", "the wire"), "fail"),
    ("similarity_is_a_share", alike(-0.1, "a wire", "the wire"), "fail"),
    ("similarity_is_a_share", alike(1, "a wire", "the wire"), "fail"),
    ("similarity_is_a_share", alike(1, "a wire", "A Wire"), "pass"),  # some look at lower case alone
    ("similarity_is_a_share", alike(0.2, "one two three four five", "one two three four five", "bleu"), "fail"),
    ("similarity_is_a_share", alike(-0.2, "a wire", "the wire", "cosine"), "not-applicable"),
    ("similarity_is_a_share", alike(None, "a wire", "the wire"), "not-applicable"),
    ("a_validated_grader_comes_back", validated({"grader": {**grader(), "id": "g-1"}}), "pass"),
    ("a_validated_grader_comes_back", validated({}), "not-applicable"),
    ("a_validated_grader_comes_back", validated({"grader": grader()}, reference="other"), "fail"),
    ("an_unknown_operation_is_refused", turned_down(400), "pass"),
    ("an_unknown_operation_is_refused", turned_down(422), "pass"),
    ("an_unknown_operation_is_refused", turned_down(500), "fail"),
    ("an_unknown_operation_is_refused", turned_down(503), "inconclusive"),
    ("a_run_names_its_grader", run(1, "a", "a"), "pass"),
    ("a_run_names_its_grader", run(1, "a", "a", told="other"), "fail"),
]


@pytest.mark.parametrize(("name", "exchange", "outcome"), CASES)
def test_a_grader_is_judged(graders: ModuleType, name: str, exchange: Exchange, outcome: str) -> None:
    assert outcome_of(getattr(graders, name), exchange) == outcome
