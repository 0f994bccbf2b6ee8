"""Which models respond, and what they cannot be asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wireproof.standin.catalogue import Model
from wireproof.standin.reasoning import check_reasoning, unsupported
from wireproof.standin.refusals import invalid, wrong_value
from wireproof.standin.world import World

# Accepted by the schema, served by none of the models here: refused rather than ignored.
NOT_SERVED = ("background_options",)


def responding(world: World, name: str) -> Model:
    """Source: recorded 400s of /responses, where chat answers 404 (CAP-OTEL, 2025-12-17)."""
    model = world.models.get(name)
    if model is None or model.kind != "chat":
        raise invalid(f"The requested model '{name}' does not exist.", "model", "model_not_found")
    return model


def check_model(body: Mapping[str, Any], model: Model) -> None:
    for name in NOT_SERVED:
        if body.get(name) is not None:
            raise unsupported(name)
    reasoning = body.get("reasoning") or {}
    for name in ("effort", "summary", "generate_summary"):
        if reasoning.get(name) is not None and not model.reasons:
            raise unsupported(f"reasoning.{name}")
    for at, one in enumerate(body.get("context_management") or ()):
        if one["type"] != "compaction":
            raise wrong_value(f"context_management[{at}].type", one["type"], ["compaction"])
    check_reasoning({**body, "reasoning_effort": reasoning.get("effort")}, model, "reasoning.effort")
