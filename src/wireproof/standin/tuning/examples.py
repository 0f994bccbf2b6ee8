"""The examples of a training file: JSON lines, in the shape that the method asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from wireproof.spec import TooDeep, load_spec
from wireproof.standin.conversation import prompt_tokens
from wireproof.standin.refusals import Refused
from wireproof.standin.requests import body_of
from wireproof.standin.tokens import count

FEWEST = 10  # Source: the guide to fine-tuning.
Example = Mapping[str, Any]


class BadFile(ValueError):
    """The file cannot be trained on; `code` as the job tells it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def examples(data: bytes, method: str, kind: str) -> list[Example]:
    """What is in the file, one example a line. `kind` is that of the model, `chat` or `completion`. BadFile."""
    problem = PROBLEMS[method] if kind == "chat" else _completion_problem
    found: list[Example] = []
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            example = body_of(line)
        except Refused:
            raise BadFile("invalid_file_format", f"Invalid file format. Line {number} is not a JSON object.") from None
        if (why := problem(example)) is not None:
            raise BadFile("invalid_training_file", f"Invalid file format. Line {number}: {why}.")
        found.append(example)
    if len(found) < FEWEST:
        few = f"Training file has {len(found)} example(s), but must have at least {FEWEST} examples"
        raise BadFile("invalid_n_examples", few)
    return found


def tokens(example: Example) -> int:
    """What one example counts when it is trained on once."""
    if "prompt" in example:
        return count(example["prompt"]) + count(example["completion"])
    first = example.get("input", example)
    spoken = [*first["messages"], *example.get("preferred_output", ()), *example.get("non_preferred_output", ())]
    return prompt_tokens({"messages": spoken, "tools": first.get("tools") or ()}).total


def _supervised_problem(example: Example) -> str | None:
    if (why := _message_problem(example)) is not None:
        return why
    taught = any(message["role"] == "assistant" for message in example["messages"])
    return None if taught else "no message of the assistant"


def _dpo_problem(example: Example) -> str | None:
    first = example.get("input")
    if not isinstance(first, dict):
        return "expected 'input' with the messages to answer"
    if (why := _message_problem(first)) is not None:
        return why
    for name in ("preferred_output", "non_preferred_output"):
        if (why := _message_problem({"messages": example.get(name)})) is not None:
            return f"'{name}': {why}"
        if any(message["role"] != "assistant" for message in example[name]):
            return f"'{name}' has a message that is not the assistant's"
    return None


def _reinforcement_problem(example: Example) -> str | None:
    if (why := _message_problem(example)) is not None:
        return why
    return "the last message is the assistant's own" if example["messages"][-1]["role"] == "assistant" else None


def _completion_problem(example: Example) -> str | None:
    if all(isinstance(example.get(name), str) for name in ("prompt", "completion")):
        return None
    return "expected a 'prompt' and a 'completion', both strings"


PROBLEMS: dict[str, Callable[[Example], str | None]] = {
    "supervised": _supervised_problem,
    "dpo": _dpo_problem,
    "reinforcement": _reinforcement_problem,
}


def _message_problem(example: Example) -> str | None:
    messages = example.get("messages")
    if not isinstance(messages, list) or not messages:
        return "expected 'messages', a list with one message at least"
    schema = load_spec().schema("RequestMessage")
    for at, message in enumerate(messages):
        try:
            if schema.holds(message):
                continue
            wrong = next(schema.violations(message))
        except TooDeep as deep:
            return f"messages[{at}]: {deep}"
        return f"messages[{at}]{wrong.pointer.replace('/', '.')}: expected {wrong.expected}, got {wrong.got}"
    return None
