"""Videos, as far as reading and refusing show them: a film that is ordered is paid for, so none is.

Pages as such are judged in paging.py. A backend that has no list of videos is asked for nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from wireproof.clause import (
    NO_MODEL,
    Call,
    Exchange,
    Flow,
    NotApplicable,
    answered,
    clause,
    expect,
    flow,
    load_spec,
    sent,
    shown,
)

from ._errors import seen, set_aside
from ._media import expect_named, expect_refused, is_ok, json_or_none
from ._reading import as_count, as_object, as_objects
from ._shape import expect_schema

VIDEOS = "/videos"
NONE = "video_wireproof_none"
OF_ONE = ("getVideo", "retrieveVideoContent", "deleteVideo")
ANYWHERE = re.compile("(?!)")


@flow(
    "videos.read",
    most=5,
    about="a list, a video that there is not, an order without a prompt",
    needs=NO_MODEL,
    expects="either",
)
def reading_and_refusing() -> Flow:
    listed = yield Call("GET", VIDEOS, query={"limit": "10"})
    if not is_ok(listed):
        return
    yield Call("GET", f"{VIDEOS}/{NONE}")
    yield Call("GET", f"{VIDEOS}/{NONE}/content")
    yield Call("DELETE", f"{VIDEOS}/{NONE}")
    yield Call("POST", VIDEOS, {"seconds": "4"})


READ = answered("listVideos", "getVideo")


def videos_in(exchange: Exchange) -> Iterator[tuple[str, dict[str, Any]]]:
    """`(pointer, video)` of each."""
    body = as_object(json_or_none(exchange))
    rows = as_objects(body.get("data")) if exchange.operation == "listVideos" else [body] if body else []
    if not rows:
        raise NotApplicable("there is no video")
    yield from (
        (f"/data/{number}" if exchange.operation == "listVideos" else "", row) for number, row in enumerate(rows)
    )


@clause("videos.schema", level="MUST", source="SPEC VideoListResource, VideoResource", on=READ)
def answers_follow_the_schema(exchange: Exchange) -> None:
    """A list of videos, and each video, is the documented object."""
    schema = load_spec().operations[str(exchange.operation)].answer_schema(200)
    assert schema is not None
    expect_schema(schema, json_or_none(exchange), ANYWHERE)


@clause("videos.state", level="MUST", source="SPEC VideoResource.status, progress, error", on=READ)
def videos_are_where_they_say(exchange: Exchange) -> None:
    """A video is completed at 100 per cent, with the time of it; failed with an error; and otherwise neither."""
    for at, video in videos_in(exchange):
        status, progress, error = (video.get(name) for name in ("status", "progress", "error"))
        if status == "completed":
            expect(progress == 100, expected="100", got=shown(progress), at=f"{at}/progress")
        wanted = "an error" if status == "failed" else "no error"
        expect((status == "failed") == bool(error), expected=f"{wanted} of what is {status}", got=shown(error),
               at=f"{at}/error")  # fmt: skip


@clause("videos.times", level="MUST", source="SPEC VideoResource.created_at, completed_at, expires_at", on=READ)
def videos_end_after_they_begin(exchange: Exchange) -> None:
    """`completed_at` is no earlier than `created_at`, and `expires_at` no earlier than either; all are seconds."""
    for at, video in videos_in(exchange):
        earlier = 0
        for name in ("created_at", "completed_at", "expires_at"):
            count = as_count(video.get(name))
            if count is not None:
                expect(count >= earlier, expected=f"{earlier} or later", got=count, at=f"{at}/{name}")
                held = count < 100_000_000_000
                expect(held, expected="seconds", got=f"{count}, which are milliseconds", at=f"{at}/{name}")
                earlier = count


@clause(
    "videos.unknown",
    level="MUST",
    source="SPEC getVideo, retrieveVideoContent, deleteVideo; DOCS-0715 404",
    on=sent(*OF_ONE, shows=lambda e: NONE in e.request.path),
)
def a_video_that_there_is_not_is_a_404(exchange: Exchange) -> None:
    """A video that there is not is answered 404, when read, fetched or deleted."""
    set_aside(exchange)
    if exchange.status in (405, 501):
        raise NotApplicable(f"not served: {seen(exchange)}")
    expect(exchange.status == 404, expected="status 404", got=seen(exchange))


def is_promptless(exchange: Exchange) -> bool:
    return bool(exchange.request.asked) and not exchange.request.asked.get("prompt")


@clause(
    "videos.refuses",
    level="MUST",
    source="SPEC CreateVideoJsonBody.prompt (required); ERR-LATE 400",
    on=sent("createVideo", shows=is_promptless),
)
def an_order_needs_its_prompt(exchange: Exchange) -> None:
    """An order without a prompt is refused with a 4xx: what is filmed instead is paid for."""
    expect_refused(exchange, "there is no prompt")


@clause(
    "videos.param",
    level="SHOULD",
    source="SPEC Error.param; ERR-LATE 400",
    on=answered("createVideo", status="400", shows=is_promptless),
)
def refusals_name_the_field(exchange: Exchange) -> None:
    """The refusal of an order without a prompt names it in `param`."""
    expect_named(exchange, ("prompt",))
