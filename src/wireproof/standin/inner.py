"""Questions that the stand-in asks itself, by its own door: graders that are models, samples of evals.

They count against no tier. `usage` is told in one way, though the operations have three.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wireproof.standin.admission import PREFIX
from wireproof.standin.grading.graders import AskModel, ModelFailed

if TYPE_CHECKING:
    from wireproof.standin.world import World


def asking(world: World, key: str | None = None) -> AskModel:
    """What asks under this key, the first there is by default."""

    def ask(path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = world.perform("POST", f"{PREFIX}{path}", body, key=key)
        if answer.status != 200:
            raise ModelFailed(answer.json["error"]["message"])
        found: dict[str, Any] = answer.json
        return found

    return ask


class Meter:
    """Asks as `ask` does and adds up what each model was asked and told: `{model: {invocation_count, ...}}`."""

    def __init__(self, ask: AskModel) -> None:
        self._ask = ask
        self.by_model: dict[str, dict[str, int]] = {}

    def __call__(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self._ask(path, body)
        row = self.by_model.setdefault(body["model"], {"invocation_count": 0, **NO_USAGE})
        row["invocation_count"] += 1
        for name, count in usage_of(answer).items():
            row[name] += count
        return answer


NO_USAGE = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0, "cached_tokens": 0}


def usage_of(answer: dict[str, Any]) -> dict[str, int]:
    """The usage of an answer of the chat, of responses or of embeddings, by the names of NO_USAGE."""
    usage = answer["usage"]
    details = usage.get("prompt_tokens_details") or usage.get("input_tokens_details") or {}
    return {
        "prompt_tokens": usage.get("prompt_tokens", usage.get("input_tokens", 0)),
        "completion_tokens": usage.get("completion_tokens", usage.get("output_tokens", 0)),
        "total_tokens": usage["total_tokens"],
        "cached_tokens": details.get("cached_tokens", 0),
    }
