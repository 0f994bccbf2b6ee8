"""What a schema cannot say about the parts of an input: that pictures are some, and that files are there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wireproof.standin.refusals import invalid
from wireproof.standin.resources.responses.items import Item
from wireproof.standin.semantics import check_image
from wireproof.standin.world import World

# What each kind of part can carry its content in.
CARRIERS = {"input_image": ("image_url", "file_id"), "input_file": ("file_data", "file_id", "file_url")}


def check_parts(world: World, item: Item, where: str) -> None:
    """The parts of a message, or of a tool's result that came in parts."""
    name = "content" if item["type"] == "message" else "output"
    parts = item.get(name)
    for at, part in enumerate(parts if isinstance(parts, list) else ()):
        if part.get("type") in CARRIERS:
            _check(world, part, f"{where}.{name}[{at}]")


def _check(world: World, part: Mapping[str, Any], where: str) -> None:
    carriers = CARRIERS[part["type"]]
    if not any(part.get(name) for name in carriers):
        named = ", ".join(f"'{name}'" for name in carriers)
        raise invalid(f"Invalid '{where}': expected one of {named}.", where, "missing_required_parameter")
    if file_id := part.get("file_id"):
        world.table("files").found(file_id, f"No such File object: {file_id}", f"{where}.file_id")
    if url := part.get("image_url"):
        check_image(url, f"{where}.image_url")
