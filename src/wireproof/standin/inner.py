"""Questions that the stand-in asks itself, by its own door: graders that are models, samples of evals."""

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
