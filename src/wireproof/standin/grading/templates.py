"""Templates of graders and evals: `{{ item.question }}`, `{{ sample.output_text }}`, `{{ item.choices[0].text }}`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

NAME = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
STEP = re.compile(r"([A-Za-z_][\w-]*)|\[(\d+)\]|\.")


# Ours: what a filled template may come to. A short one can name a long field a thousand times.
MOST_CHARACTERS = 50_000


class TooLong(ValueError):
    """A template that is filled in comes to more than MOST_CHARACTERS."""


class UnknownName(ValueError):
    """A template speaks of something that is not there."""

    def __init__(self, name: str) -> None:
        super().__init__(f"'{name}' names nothing in the item or the sample")
        self.name = name


def rendered(text: str, names: Mapping[str, Any]) -> str:
    """`text` with every `{{ ... }}` replaced; what is no string stands as JSON.

    UnknownName when one leads nowhere, TooLong.
    """
    length = len(text)

    def filled(found: re.Match[str]) -> str:
        nonlocal length
        value = as_text(looked_up(found[1], names))
        length += len(value)
        if length > MOST_CHARACTERS:
            raise TooLong(f"a text of more than {MOST_CHARACTERS:,} characters is not graded")
        return value

    if length > MOST_CHARACTERS:
        raise TooLong(f"a text of more than {MOST_CHARACTERS:,} characters is not graded")
    return NAME.sub(filled, text)


def looked_up(path: str, names: Mapping[str, Any]) -> Any:
    """What `item.a.b` or `sample.choices[0].text` means. UnknownName when it means nothing."""
    value: Any = names
    at = 0
    while at < len(path):
        step = STEP.match(path, at)
        if step is None:
            raise UnknownName(path)
        at = step.end()
        if step[0] == ".":
            continue
        key: str | int = int(step[2]) if step[2] else step[1]
        try:
            value = value[key]
        except (LookupError, TypeError):
            raise UnknownName(path) from None
    if value is names:
        raise UnknownName(path)
    return value


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def names_of(text: str) -> list[str]:
    """The paths a template speaks of, as they stand there."""
    return [found[1] for found in NAME.finditer(text)]


def sample_of(output_text: str, **more: Any) -> dict[str, Any]:
    """The `sample` of templates: the words, and as `output_json` what they are when they are JSON."""
    sample: dict[str, Any] = {"output_text": output_text, **more}
    with suppress(ValueError, RecursionError):
        sample["output_json"] = json.loads(output_text)
    return sample
