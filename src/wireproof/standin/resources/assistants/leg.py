"""One leg of a run, played through: from the moment it is set going to its end, or to where it waits for outputs.

First the hosted tools that are forced or meant (a search of files, a piece of code), each a step of its own; then
what a chat model would do with the same thread: call functions, and the run waits; or speak, and it is done.
"""

from __future__ import annotations

from wireproof.standin.resources.assistants.hosted import use_hosted
from wireproof.standin.resources.assistants.moves import Score, cut_short
from wireproof.standin.resources.assistants.prompt import PromptTooLong
from wireproof.standin.resources.assistants.scene import Leg, Scene, SearchFailed
from wireproof.standin.resources.assistants.speech import answer


def play(scene: Scene, score: Score) -> None:
    """Writes the moves of the leg that begins now, with the run queued."""
    leg = Leg(scene, score, list(scene.steps))
    score.run(scene.run["id"], "queued", required_action=None)
    score.wait(scene.queue_ms)
    started = scene.run["started_at"] or score.now
    score.run(scene.run["id"], "in_progress", started_at=started)
    score.wait(scene.work_ms)
    try:
        cited = use_hosted(leg) if not scene.steps else []
        answer(leg, leg.ask(), cited)
    except PromptTooLong as reason:
        if reason.by_cap:
            leg.incomplete("max_prompt_tokens")
        else:
            error = {"code": "invalid_prompt", "message": f"The thread does not fit the model: {reason}."}
            cut_short(score, scene.run, leg.steps, [], "failed", error)
    except SearchFailed as reason:
        error = {"code": "server_error", "message": str(reason)}
        cut_short(score, scene.run, leg.steps, [], "failed", error)
