"""Models that think before they answer: how long, and what they cannot be asked for.

The thinking is never shown; its tokens are counted as completion, and within its limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wireproof.standin import prose
from wireproof.standin.catalogue import Model
from wireproof.standin.refusals import Refused, invalid

# Ours: how many tokens are thought, at the least; up to twice as many.
EFFORT = {"none": 0, "minimal": 8, "low": 32, "medium": 64, "high": 128, "xhigh": 256, "max": 512}
# Source: the guide to the latest models: these are for effort `none` alone. OBS has the refusals.
FIXED = {"temperature": 1, "top_p": 1}
UNSUPPORTED = ("logprobs", "top_logprobs")


def effort(model: Model, asked: str | None) -> str:
    """How hard the model thinks: `none` for one that does not."""
    return (asked or model.default_effort) if model.reasons else "none"


def thought_tokens(model: Model, asked: str | None, meaning: str) -> int:
    least = EFFORT[effort(model, asked)]
    return prose.dice("reasoning", meaning).randint(least, 2 * least) if least else 0


def check_reasoning(body: Mapping[str, Any], model: Model, effort_param: str = "reasoning_effort") -> None:
    """`effort_param` is what the surface calls the effort. Source: OBS, for `max_tokens` and `temperature`; SPEC for
    `stop`.
    """
    if not model.reasons:
        return
    if body.get("max_tokens") is not None:
        raise invalid("Unsupported parameter: 'max_tokens' is not supported with this model. Use "
                      "'max_completion_tokens' instead.", "max_tokens", "unsupported_parameter")  # fmt: skip
    for name in model.refuses:
        if body.get(name) is not None:
            raise unsupported(name)
    asked = body.get("reasoning_effort")
    if asked is not None and model.efforts and asked not in model.efforts:
        choices = ", ".join(f"'{one}'" for one in model.efforts)
        raise invalid(f"Unsupported value: '{effort_param}' does not support '{asked}' with this model. Supported "
                      f"values are: {choices}.", effort_param, "unsupported_value")  # fmt: skip
    if effort(model, asked) != "none":
        _check_sampling(body)


def _check_sampling(body: Mapping[str, Any]) -> None:
    for name, only in FIXED.items():
        if body.get(name) not in (None, only):
            raise invalid(f"Unsupported value: '{name}' does not support {body[name]} with this model. Only the "
                          f"default ({only}) value is supported.", name, "unsupported_value")  # fmt: skip
    for name in UNSUPPORTED:
        if body.get(name):
            raise unsupported(name)


def unsupported(name: str) -> Refused:
    return invalid(f"Unsupported parameter: '{name}' is not supported with this model.", name, "unsupported_parameter")
