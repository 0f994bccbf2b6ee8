"""What the rows of a run look like when they are new."""

from __future__ import annotations

from typing import Any

from wireproof.standin.store import Row

EXPIRES_S = 600


def new_message(
    id: str, thread_id: str, role: str, content: list[Row], now: int, *, run: Row | None = None, **more: Any
) -> Row:
    """A message: of a run, which is still at it, or of a client, which is whole."""
    return {
        "id": id,
        "object": "thread.message",
        "created_at": now,
        "thread_id": thread_id,
        "status": "in_progress" if run else "completed",
        "incomplete_details": None,
        "completed_at": None if run else now,
        "incomplete_at": None,
        "role": role,
        "content": content,
        "assistant_id": run["assistant_id"] if run else None,
        "run_id": run["id"] if run else None,
        "attachments": [],
        "metadata": {},
        **more,
    }


def new_step(id: str, run: Row, details: Row, now: int) -> Row:
    """A step that has just begun. `details` as the API has them, with their `type`."""
    return {
        "id": id,
        "object": "thread.run.step",
        "created_at": now,
        "assistant_id": run["assistant_id"],
        "thread_id": run["thread_id"],
        "run_id": run["id"],
        "type": details["type"],
        "status": "in_progress",
        "step_details": details,
        "last_error": None,
        "expired_at": None,
        "cancelled_at": None,
        "failed_at": None,
        "completed_at": None,
        "metadata": None,
        "usage": None,
    }


def new_run(id: str, fields: Row, thread: Row, assistant: Row, own: Row, now: int) -> Row:
    """A queued run. `fields` are what it is begun with, `own` its tool resources beside those of the thread."""
    return {
        "id": id,
        "object": "thread.run",
        "created_at": now,
        "thread_id": thread["id"],
        "assistant_id": assistant["id"],
        "status": "queued",
        "required_action": None,
        "last_error": None,
        "incomplete_details": None,
        "usage": None,
        "expires_at": now + EXPIRES_S,
        "started_at": None,
        "cancelled_at": None,
        "failed_at": None,
        "completed_at": None,
        **fields,
        "_stores": [
            id
            for held in (own, thread["tool_resources"])
            for id in held.get("file_search", {}).get("vector_store_ids", [])
        ],
    }
