"""Input and output judged by a moderation model, if that is asked for; what is flagged can be held back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from wireproof.standin.moderation import verdict
from wireproof.standin.refusals import invalid
from wireproof.standin.resources.responses.items import Item
from wireproof.standin.world import World


def check_moderation(world: World, body: Mapping[str, Any]) -> None:
    wanted = body.get("moderation")
    if wanted is None:
        return
    model = world.models.get(wanted["model"])
    if model is None or model.kind != "moderation":
        raise invalid(f"The requested model '{wanted['model']}' does not exist.", "moderation.model", "model_not_found")


def judged(world: World, body: Mapping[str, Any], items: Iterable[Item]) -> dict[str, Any]:
    """One `moderation_result` for all the texts of `items`."""
    model = world.models[body["moderation"]["model"]].snapshot
    return {"type": "moderation_result", "model": model, **verdict(model, list(_texts(items)))}


def holds_back(body: Mapping[str, Any], side: str, result: Mapping[str, Any]) -> bool:
    """Whether the policy of `side` (input or output) says not to let through what is flagged."""
    policy = (body["moderation"].get("policy") or {}).get(side) or {}
    return policy.get("mode") == "block" and bool(result["flagged"])


def _texts(items: Iterable[Item]) -> Iterable[str]:
    for item in items:
        for part in item["content"] if item["type"] == "message" else ():
            if part.get("text"):
                yield part["text"]
