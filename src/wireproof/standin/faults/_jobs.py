"""Where jobs of fine-tuning are told of, and how a fault changes them there."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from wireproof.standin.faults.edit import edit_json
from wireproof.standin.wire import Answer, Ask, Serve

JOBS = "/v1/fine_tuning/jobs"
NAME = "ft:gpt-4.1-mini:wireproof::nothing"

Edit = Callable[[dict[str, Any]], Any]


def is_at(ask: Ask, where: str, *methods: str) -> bool:
    is_meant = re.fullmatch(f"{JOBS}{where}", ask.path) is not None
    return is_meant and (not methods or ask.method in methods)


def edited_at(where: str, ask: Ask, serve: Serve, edit: Edit, *methods: str) -> Answer:
    answer = serve(ask)
    return edit_json(answer, edit) if is_at(ask, where, *methods) else answer


def each_job(ask: Ask, serve: Serve, edit: Edit) -> Answer:
    """`edit` on every job, whatever tells of it."""

    def every(body: dict[str, Any]) -> None:
        for row in body.get("data", [body]):
            edit(row)

    return edited_at("(/[^/]+(/cancel)?)?", ask, serve, every)


def as_succeeded(ask: Ask, serve: Serve, **told: Any) -> Answer:
    """A job that failed is told as one that succeeded: a server that trains on anything, or says so."""

    def edit(job: dict[str, Any]) -> None:
        if job["status"] == "failed":
            trained = {"fine_tuned_model": NAME, "trained_tokens": 12, "error": None}
            job.update({"status": "succeeded", **trained, **told})

    return each_job(ask, serve, edit)


def as_under_way(ask: Ask, serve: Serve, **told: Any) -> Answer:
    """More in a job that is not at its end."""
    under_way = ("validating_files", "queued", "running")
    return each_job(ask, serve, lambda job: job.update(told) if job["status"] in under_way else None)
