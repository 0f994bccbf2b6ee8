"""Reading what a request asked for, by its JSON body."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ._reading import as_count


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
