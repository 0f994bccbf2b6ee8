"""Models of one's own: what fine-tuning makes, listed, asked and deleted like the others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wireproof.standin.world import World

OWNER = "org-standin"
TABLE = "tuned_models"


def add(world: World, name: str, base: str, created: int) -> None:
    """A model `name` that answers as `base` does, from now on."""
    row = {"id": name, "base": base, "created": created}
    world.table(TABLE).put(name, row)
    _serve(world, name, base, created)


def remove(world: World, name: str) -> None:
    world.table(TABLE).delete(name)
    world.models.pop(name, None)


def restore(world: World) -> None:
    """Serves again what the state file remembers, as far as this tier has what it was made from."""
    for row in world.table(TABLE).rows():
        if row["base"] in world.models:
            _serve(world, row["id"], row["base"], row["created"])


def base_of(world: World, name: str) -> str:
    """The model that `name` was trained from, at the very beginning; itself when it was not."""
    row = world.table(TABLE).get(name)
    base: str = row["base"] if row else world.models[name].snapshot
    return base


def _serve(world: World, name: str, base: str, created: int) -> None:
    world.models[name] = replace(world.models[base], id=name, snapshot=name, created=created, owned_by=OWNER)
