"""Departures of videos. The stand-in has none unless somebody orders one: some faults bring a video of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_error
from wireproof.standin.wire import Answer, Ask, Serve, json_answer

PLACE = "/v1/videos"
BEGUN = 1_790_000_000
VIDEO = {
    "id": "video_1",
    "object": "video",
    "model": "sora-2",
    "status": "completed",
    "progress": 100,
    "created_at": BEGUN,
    "completed_at": BEGUN + 60,
    "expires_at": BEGUN + 3660,
    "prompt": "A boat.",
    "size": "720x1280",
    "seconds": "4",
    "remixed_from_video_id": None,
    "error": None,
}


def _listed(ask: Ask, serve: Serve, edit: Callable[[dict[str, Any]], dict[str, Any]]) -> Answer:
    """The list with one video in it, after `edit`."""
    answer = serve(ask)
    if ask.method != "GET" or ask.path != PLACE:
        return answer
    row = edit(VIDEO)
    return answer.with_json(
        {"object": "list", "data": [row], "first_id": "video_1", "last_id": "video_1", "has_more": False}
    )


@fault("videos.object-other", breaks="videos.schema")
def object_other(ask: Ask, serve: Serve) -> Answer:
    """`object` is `video.generation`."""
    return _listed(ask, serve, lambda video: video | {"object": "video.generation"})


@fault("videos.completed-early", breaks="videos.state")
def completed_early(ask: Ask, serve: Serve) -> Answer:
    """A completed video is at 80 per cent."""
    return _listed(ask, serve, lambda video: video | {"progress": 80})


@fault("videos.failed-silently", breaks="videos.state")
def failed_silently(ask: Ask, serve: Serve) -> Answer:
    """A failed video does not say why."""
    return _listed(ask, serve, lambda video: video | {"status": "failed"})


@fault("videos.completed-before", breaks="videos.times")
def completed_before(ask: Ask, serve: Serve) -> Answer:
    """A video was completed before it was ordered."""
    return _listed(ask, serve, lambda video: video | {"completed_at": BEGUN - 60})


@fault("videos.unknown-deleted", breaks="videos.unknown")
def unknown_deleted(ask: Ask, serve: Serve) -> Answer:
    """What never was is deleted without a word."""
    answer = serve(ask)
    if ask.method != "DELETE" or not ask.path.startswith(PLACE):
        return answer
    told = {"id": ask.path.rpartition("/")[2], "object": "video.deleted", "deleted": True}
    return replace(answer, status=200, body=json_answer(told).body)


@fault("videos.promptless-ordered", breaks="videos.refuses")
def promptless_ordered(ask: Ask, serve: Serve) -> Answer:
    """An order without a prompt is taken."""
    is_meant = ask.method == "POST" and ask.path == PLACE and not ask.asked.get("prompt")
    return serve(ask.changed(prompt="A boat.") if is_meant else ask)


@fault("videos.param-null", breaks="videos.param")
def param_null(ask: Ask, serve: Serve) -> Answer:
    """A refusal does not say which field is wrong."""

    def edit(body: dict[str, Any]) -> None:
        body["error"]["param"] = None

    return edit_error(serve(ask), edit) if ask.path == PLACE else serve(ask)
