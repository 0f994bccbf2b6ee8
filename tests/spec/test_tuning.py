"""What the schemas of fine-tuning, graders and evals take, and the nearest thing that each does not."""

from __future__ import annotations

from typing import Any

import pytest
from edits import changed, cut, edit

from wireproof.spec import load_spec

SPEC = load_spec()
GRADER: dict[str, Any] = {"type": "string_check", "name": "s", "input": "{{a}}", "reference": "b", "operation": "eq"}
MODEL_GRADER: dict[str, Any] = {
    "type": "score_model",
    "name": "m",
    "model": "gpt-4.1-mini",
    "input": [{"role": "user", "content": ["Rate", {"type": "input_text", "text": "this"}]}],
    "sampling_params": {"seed": None, "max_completions_tokens": 10, "reasoning_effort": "low"},
}
JOB: dict[str, Any] = {
    "id": "ftjob-1",
    "object": "fine_tuning.job",
    "created_at": 1760000000,
    "finished_at": None,
    "status": "running",
    "error": None,
    "model": "gpt-4o-mini",
    "fine_tuned_model": None,
    "training_file": "file-1",
    "validation_file": None,
    "result_files": [],
    "trained_tokens": None,
    "hyperparameters": {"n_epochs": "auto", "batch_size": None, "learning_rate_multiplier": 1.8},
    "method": {"type": "dpo", "dpo": {"hyperparameters": {"beta": "auto"}}},
    "integrations": [{"type": "wandb", "wandb": {"project": "p", "entity": None}}],
    "seed": 1,
    "organization_id": "org-1",
}
RUN: dict[str, Any] = {
    "id": "evalrun_1",
    "object": "eval.run",
    "eval_id": "eval_1",
    "created_at": 1760000000,
    "status": "in_progress",
    "name": "r",
    "model": "gpt-4.1-mini",
    "data_source": {
        "type": "completions",
        "source": {"type": "file_id", "id": "file-1"},
        "input_messages": {"type": "template", "template": [{"role": "user", "content": "{{item.q}}"}]},
    },
    "metadata": None,
    "report_url": "https://example.com/1",
    "result_counts": {"total": 1, "errored": 0, "failed": 0, "passed": 1},
    "per_model_usage": [
        {"model_name": "m", "invocation_count": 1, "prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2,
         "cached_tokens": 0}
    ],
    "per_testing_criteria_results": [{"testing_criteria": "s", "passed": 1, "failed": 0}],
    "error": None,
}  # fmt: skip
LEGAL: dict[str, tuple[str, Any]] = {
    "a string check": ("Grader", GRADER),
    "a model that grades": ("Grader", MODEL_GRADER),
    "one grader in a multi grader": (
        "Grader",
        {"type": "multi", "name": "x", "graders": GRADER, "calculate_output": "s"},
    ),
    "several by name": (
        "Grader",
        {"type": "multi", "name": "x", "graders": {"a": GRADER, "b": MODEL_GRADER}, "calculate_output": "a + b"},
    ),
    "a job": ("FineTuningJob", JOB),
    "a run": ("EvalRun", RUN),
    "a page of no evals": (
        "EvalPage",
        {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False},
    ),
}
BREACHES: dict[str, tuple[Any, dict[str, Any]]] = {
    "Grader": (
        GRADER,
        {
            "no name": cut("name"),
            "an operation that is none": edit("operation", "is"),
            "a kind that is none": edit("type", "regex"),
            "input as a list": edit("input", []),
        },
    ),
    "Grader of a model": (
        MODEL_GRADER,
        {
            "no model": cut("model"),
            "a role that is none": edit("input.0.role", "tool"),
            "a part without text": cut("input.0.content.1.text"),
            "no tokens at all": edit("sampling_params.max_completions_tokens", 0),
        },
    ),
    "FineTuningJob": (
        JOB,
        {
            "no trained_tokens": cut("trained_tokens"),
            "a status that is none": edit("status", "paused"),
            "an error without code": edit("error", {"message": "m", "param": None}),
            "no epochs at all": edit("hyperparameters.n_epochs", 0),
            "beta too big": edit("method.dpo.hyperparameters.beta", 3),
            "an integration without project": cut("integrations.0.wandb.project"),
        },
    ),
    "EvalRun": (
        RUN,
        {
            "cancelled, with two l": edit("status", "cancelled"),
            "no counts": cut("result_counts.errored"),
            "a model without its name": cut("per_model_usage.0.model_name"),
            "a model without its tokens": cut("per_model_usage.0.total_tokens"),
            "a source that is none": edit("data_source.source.type", "url"),
            "no report": cut("report_url"),
        },
    ),
}


@pytest.mark.parametrize("case", LEGAL)
def test_a_legal_object_is_taken(case: str) -> None:
    name, body = LEGAL[case]
    assert [str(violation) for violation in SPEC.schema(name).violations(body)] == []


@pytest.mark.parametrize(("name", "case"), [(name, case) for name, (_, cases) in BREACHES.items() for case in cases])
def test_the_nearest_breach_is_refused(name: str, case: str) -> None:
    legal, cases = BREACHES[name]
    schema = SPEC.schema(name.split()[0])
    assert schema.holds(legal)
    assert not schema.holds(changed(legal, cases[case]))


def test_a_threshold_is_needed_for_likeness_alone() -> None:
    criterion = SPEC.schema("TestingCriterion")
    alike = {"type": "text_similarity", "name": "t", "input": "", "reference": "", "evaluation_metric": "bleu"}
    assert not criterion.holds(alike)
    assert criterion.holds({**alike, "pass_threshold": 0.5})
    assert criterion.holds({"type": "python", "name": "p", "source": ""})
