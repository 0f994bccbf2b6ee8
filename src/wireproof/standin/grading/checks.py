"""Whether a grader could be used: what its schema cannot say, refused with the field that is wrong."""

from __future__ import annotations

import ast
from collections.abc import Callable, Container, Iterator, Mapping
from typing import Any

from wireproof.standin.grading.formula import FormulaError, compiled
from wireproof.standin.grading.graders import parts_of
from wireproof.standin.grading.templates import names_of
from wireproof.standin.refusals import invalid

# Source: the guide to graders.
MOST_SOURCE_BYTES = 256_000
NAMESPACES = ("item", "sample")


def check_grader(grader: Mapping[str, Any], param: str, models: Container[str]) -> None:
    """Refused (400) with the first thing wrong; `param` is where the grader stands in the request."""
    for text, where in _templates(grader, param):
        for name in names_of(text):
            if name.partition(".")[0].partition("[")[0] not in NAMESPACES:
                raise invalid(f"Invalid template variable '{name}' in '{where}': names begin with 'item' or 'sample'.",
                              where, "invalid_variable")  # fmt: skip
    if "model" in grader and grader["model"] not in models:
        raise invalid(f"The model `{grader['model']}` does not exist or you do not have access to it.",
                      f"{param}.model", "model_not_found")  # fmt: skip
    check = CHECKS.get(grader["type"])
    if check is not None:
        check(grader, param, models)


def _python(grader: Mapping[str, Any], param: str, _: Container[str]) -> None:
    if len(grader["source"]) > MOST_SOURCE_BYTES:
        raise invalid(f"Invalid Python source: at most {MOST_SOURCE_BYTES:,} bytes are taken.", f"{param}.source",
                      "string_above_max_length")  # fmt: skip
    try:
        module = ast.parse(grader["source"])
    except (SyntaxError, ValueError, RecursionError, MemoryError) as wrong:
        raise invalid(f"Invalid Python source: {wrong}.", f"{param}.source", "invalid_source") from None
    functions = [node for node in module.body if isinstance(node, ast.FunctionDef) and node.name == "grade"]
    if not functions or len(functions[-1].args.args) != 2:
        raise invalid("Invalid Python source: expected a function 'grade(sample, item)'.", f"{param}.source",
                      "invalid_source")  # fmt: skip


def _score_model(grader: Mapping[str, Any], param: str, _: Container[str]) -> None:
    bounds = grader.get("range")
    if bounds is not None and (len(bounds) != 2 or bounds[0] >= bounds[1]):
        raise invalid("Invalid range: expected two numbers, the lower one first.", f"{param}.range", "invalid_range")


def _label_model(grader: Mapping[str, Any], param: str, _: Container[str]) -> None:
    if not grader["labels"] or not set(grader["passing_labels"]) <= set(grader["labels"]):
        raise invalid("Invalid passing labels: each must be one of 'labels', of which there must be one at least.",
                      f"{param}.passing_labels", "invalid_value")  # fmt: skip


def _multi(grader: Mapping[str, Any], param: str, models: Container[str]) -> None:
    parts = parts_of(grader)
    for name, part in parts.items():
        single = part is grader["graders"]
        check_grader(part, f"{param}.graders" if single else f"{param}.graders.{name}", models)
    try:
        compiled(grader["calculate_output"], parts)
    except FormulaError as wrong:
        raise invalid(f"Invalid formula: {wrong}.", f"{param}.calculate_output", "invalid_formula") from None


CHECKS: dict[str, Callable[[Mapping[str, Any], str, Container[str]], None]] = {
    "python": _python,
    "score_model": _score_model,
    "label_model": _label_model,
    "multi": _multi,
}


def _templates(grader: Mapping[str, Any], param: str) -> Iterator[tuple[str, str]]:
    """Every text of a grader that is a template, and where it stands."""
    for name in ("input", "reference"):
        if isinstance(grader.get(name), str):
            yield grader[name], f"{param}.{name}"
    if isinstance(grader.get("input"), list):
        for at, message in enumerate(grader["input"]):
            content = message["content"]
            for part in content if isinstance(content, list) else [content]:
                text = part if isinstance(part, str) else part.get("text") or part.get("image_url") or ""
                yield text, f"{param}.input[{at}].content"
