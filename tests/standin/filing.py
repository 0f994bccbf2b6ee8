"""Files that are there already, for tests of what is made from them."""

from __future__ import annotations

from itertools import count

from wireproof.standin.backend import Backend

NUMBERS = count(1)


def filed(to: Backend, content: str | bytes = "Rain falls.", filename: str = "notes.txt") -> str:
    """The id of a new File."""
    data = content.encode() if isinstance(content, str) else content
    id = f"file-{next(NUMBERS):06}"
    row = {
        "id": id,
        "object": "file",
        "bytes": len(data),
        "created_at": int(to.world.now),
        "filename": filename,
        "purpose": "assistants",
        "status": "processed",
        "expires_at": None,
    }
    to.world.table("files").put(id, row, data)
    return id
