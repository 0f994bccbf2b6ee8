"""Reading what a request asked for, by its JSON body."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ._reading import as_count, as_object, as_objects


def stops(asked: dict[str, Any]) -> list[str]:
    """The stop sequences, whether one was given or a list."""
    stop = asked.get("stop")
    return [one for one in (stop if isinstance(stop, list) else [stop]) if isinstance(one, str) and one]


def cut(text: str, sequences: Sequence[str]) -> str | None:
    """`text` up to the first stop sequence in it; None when there is none."""
    ends = [text.index(stop) for stop in sequences if stop in text]
    return text[: min(ends)] if ends else None


def prompts(asked: dict[str, Any]) -> list[Any]:
    """The prompts of a legacy completion; a list of numbers is one prompt of tokens. Chat has one, which is None."""
    prompt = asked.get("prompt")
    if not isinstance(prompt, list) or not prompt or any(type(one) is int for one in prompt):
        return [prompt]
    return prompt


def choices_asked(asked: dict[str, Any]) -> int:
    """How many choices an answer must have: `n` (1 when nothing is asked) for each prompt."""
    return max(1, as_count(asked.get("n")) or 1) * len(prompts(asked))


def asks_usage(asked: dict[str, Any]) -> bool:
    """Whether a stream is to close with its usage."""
    options = asked.get("stream_options")
    return isinstance(options, dict) and options.get("include_usage") is True


# -------------------------------------------------------------------------------------------------- tools


def has_tools(asked: dict[str, Any]) -> bool:
    return bool(asked.get("tools"))


def declared_functions(asked: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The declared functions by name."""
    declared = [as_object(tool.get("function")) for tool in as_objects(asked.get("tools"))]
    return {str(function["name"]): function for function in declared if "name" in function}


def named_function(asked: dict[str, Any]) -> str | None:
    """The function that `tool_choice` names, None when it names none."""
    choice = as_object(asked.get("tool_choice"))
    name = as_object(choice.get("function")).get("name")
    return name if choice.get("type") == "function" and isinstance(name, str) else None


def names_declared(asked: dict[str, Any]) -> bool:
    return named_function(asked) in declared_functions(asked)


def names_undeclared(asked: dict[str, Any]) -> bool:
    return named_function(asked) is not None and not names_declared(asked)


def chooses(choice: str) -> Callable[[dict[str, Any]], bool]:
    return lambda asked: has_tools(asked) and asked.get("tool_choice") == choice


def has_strict(asked: dict[str, Any]) -> bool:
    return any(function.get("strict") is True for function in declared_functions(asked).values())


def holds_results(asked: dict[str, Any]) -> bool:
    """Whether the conversation has the result of an earlier call."""
    return any(message.get("role") == "tool" for message in as_objects(asked.get("messages")))
