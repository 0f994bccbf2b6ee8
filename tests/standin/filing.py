"""Files that are there already, for tests of what is made from them."""

from __future__ import annotations

from wireproof.standin.backend import Backend
from wireproof.standin.resources.files import keep


def filed(to: Backend, content: str | bytes = "Rain falls.", filename: str = "notes.txt") -> str:
    """The id of a new File."""
    data = content.encode() if isinstance(content, str) else content
    return str(keep(to.world, filename, data, "assistants")["id"])
