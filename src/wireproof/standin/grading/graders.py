"""Graders at work. Each takes the names its templates may use, `item` and `sample`, and gives a score.

Graders that are models ask the chat of this very backend. A prompt that spells out its answer ("Reply with: 0.7")
is asked as it is, so that a test can choose the score; any other is held to the range or the labels by a schema.

Python is read but never run: there is no sandbox here. Such a grader scores 0 and says so in its errors.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from wireproof.standin.grading.formula import FormulaError, calculated
from wireproof.standin.grading.similarity import METRICS
from wireproof.standin.grading.templates import TooLong, UnknownName, rendered
from wireproof.standin.prose import told_words

Names = Mapping[str, Any]
# Asks this backend: a path below the base URL and a body; ModelFailed unless the answer is a 200.
AskModel = Callable[[str, dict[str, Any]], dict[str, Any]]

EMBEDDING_MODEL = "text-embedding-3-large"  # Source: the guide to graders, on `cosine`.
NO_SANDBOX = "python_sandbox_unavailable"
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
# Every kind of error there is, as it stands when there is none.
NO_ERRORS: dict[str, bool | str | None] = {
    "formula_parse_error": False,
    "sample_parse_error": False,
    "truncated_observation_error": False,
    "unresponsive_reward_error": False,
    "invalid_variable_error": False,
    "other_error": False,
    "python_grader_server_error": False,
    "python_grader_server_error_type": None,
    "python_grader_runtime_error": False,
    "python_grader_runtime_error_details": None,
    "model_grader_server_error": False,
    "model_grader_refusal_error": False,
    "model_grader_parse_error": False,
    "model_grader_server_error_details": None,
}


class ModelFailed(Exception):
    """The model that should grade did not answer; the message says why."""


@dataclass(frozen=True, slots=True)
class Graded:
    """A score, what went wrong (by the keys of NO_ERRORS), the scores it is made of, the tokens it took by model.

    `told` is what the grader itself said: the label, the words of the model.
    """

    score: float
    errors: Mapping[str, bool | str] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    tokens: Mapping[str, int] = field(default_factory=dict)
    told: Mapping[str, Any] | None = None


def graded(grader: Mapping[str, Any], names: Names, ask: AskModel) -> Graded:
    try:
        return GRADERS[grader["type"]](grader, names, ask)
    except UnknownName as wrong:
        return Graded(0.0, {"invalid_variable_error": True}, told={"error": str(wrong)})
    except TooLong as wrong:
        return Graded(0.0, {"other_error": True}, told={"error": str(wrong)})
    except ModelFailed as wrong:
        return Graded(0.0, {"model_grader_server_error": True, "model_grader_server_error_details": str(wrong)})


def _string_check(grader: Mapping[str, Any], names: Names, _: AskModel) -> Graded:
    text, reference = rendered(grader["input"], names), rendered(grader["reference"], names)
    return Graded(float(CHECKS[grader["operation"]](text, reference)))


CHECKS: dict[str, Callable[[str, str], bool]] = {
    "eq": lambda text, reference: text == reference,
    "ne": lambda text, reference: text != reference,
    "like": lambda text, reference: reference in text,
    "ilike": lambda text, reference: reference.lower() in text.lower(),
}


def _text_similarity(grader: Mapping[str, Any], names: Names, ask: AskModel) -> Graded:
    text, reference = rendered(grader["input"], names), rendered(grader["reference"], names)
    metric = grader["evaluation_metric"]
    if metric != "cosine":
        return Graded(METRICS[metric](text, reference))
    if not text or not reference:
        return Graded(float(text == reference))
    answer = ask("/embeddings", {"model": EMBEDDING_MODEL, "input": [text, reference]})
    one, other = (row["embedding"] for row in answer["data"])
    tokens = {EMBEDDING_MODEL: answer["usage"]["total_tokens"]}
    return Graded(sum(x * y for x, y in zip(one, other, strict=True)), tokens=tokens)


def _python(_: Mapping[str, Any], __: Names, ___: AskModel) -> Graded:
    return Graded(0.0, {"python_grader_server_error": True, "python_grader_server_error_type": NO_SANDBOX})


def _score_model(grader: Mapping[str, Any], names: Names, ask: AskModel) -> Graded:
    least, most = grader.get("range") or (0, 1)
    result = {"type": "number", "minimum": least, "maximum": most}
    answer = ask("/chat/completions", _chat(grader, names, result, _sampling(grader)))
    said = answer["choices"][0]["message"]["content"] or ""
    tokens = {grader["model"]: answer["usage"]["total_tokens"]}
    number = NUMBER.search(said)
    if number is None or not least <= float(number[0]) <= most:
        return Graded(float(least), {"model_grader_parse_error": True}, tokens=tokens, told={"output": said})
    return Graded(float(number[0]), tokens=tokens, told={"output": said})


def _label_model(grader: Mapping[str, Any], names: Names, ask: AskModel) -> Graded:
    answer = ask("/chat/completions", _chat(grader, names, {"type": "string", "enum": grader["labels"]}, {}))
    said = answer["choices"][0]["message"]["content"] or ""
    tokens = {grader["model"]: answer["usage"]["total_tokens"]}
    label = next((label for label in grader["labels"] if label in (said, _result(said))), None)
    if label is None:
        return Graded(0.0, {"model_grader_parse_error": True}, tokens=tokens, told={"output": said})
    return Graded(float(label in grader["passing_labels"]), tokens=tokens, told={"label": label})


def _multi(grader: Mapping[str, Any], names: Names, ask: AskModel) -> Graded:
    parts = {name: graded(part, names, ask) for name, part in parts_of(grader).items()}
    tokens: dict[str, int] = {}
    errors: dict[str, bool | str] = {}
    for part in parts.values():
        errors |= part.errors
        for model, count in part.tokens.items():
            tokens[model] = tokens.get(model, 0) + count
    scores = {name: part.score for name, part in parts.items()}
    try:
        return Graded(calculated(grader["calculate_output"], scores), errors, scores, tokens)
    except FormulaError as wrong:
        return Graded(0.0, {**errors, "formula_parse_error": True}, scores, tokens, {"error": str(wrong)})


GRADERS: dict[str, Callable[[Mapping[str, Any], Names, AskModel], Graded]] = {
    "string_check": _string_check,
    "text_similarity": _text_similarity,
    "python": _python,
    "score_model": _score_model,
    "label_model": _label_model,
    "multi": _multi,
}


def parts_of(multi: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The graders of a multi grader by the names of its formula: several by key, or a single one by its own name."""
    graders = multi["graders"]
    return {graders["name"]: graders} if isinstance(graders.get("type"), str) else dict(graders)


def _sampling(grader: Mapping[str, Any]) -> dict[str, Any]:
    given = dict(grader.get("sampling_params") or {})
    if (most := given.pop("max_completions_tokens", None)) is not None:
        given["max_completion_tokens"] = most
    return {name: value for name, value in given.items() if value is not None}


def _chat(grader: Mapping[str, Any], names: Names, result: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    messages = [chat_message(message, names) for message in grader["input"]]
    body = {"model": grader["model"], "messages": messages, **more}
    last = messages[-1]["content"] if messages else ""
    if isinstance(last, str) and told_words(last) is not None:
        return body
    schema = {"type": "object", "properties": {"result": result}, "required": ["result"]}
    form = {"type": "json_schema", "json_schema": {"name": "grade", "schema": schema}}
    return {**body, "response_format": form}


def chat_message(message: Mapping[str, Any], names: Names) -> dict[str, Any]:
    """A message of a grader or a template as the chat takes it, with its templates filled in."""
    content = message["content"]
    parts = [_chat_part(part, names) for part in (content if isinstance(content, list) else [content])]
    if all(part["type"] == "text" for part in parts):
        return {"role": message["role"], "content": "".join(part["text"] for part in parts)}
    return {"role": message["role"], "content": parts}


def _chat_part(part: Any, names: Names) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": rendered(part, names)}
    if part["type"] == "input_image":
        image = {"url": rendered(part.get("image_url") or "", names), "detail": part.get("detail") or "auto"}
        return {"type": "image_url", "image_url": image}
    if part["type"] == "input_audio":
        return dict(part)
    return {"type": "text", "text": rendered(part.get("text") or "", names)}


def _result(said: str) -> Any:
    """What a model that was held to a schema says; None when it is not of it."""
    try:
        found = json.loads(said)
    except ValueError:
        return None
    return found.get("result") if isinstance(found, dict) else None
