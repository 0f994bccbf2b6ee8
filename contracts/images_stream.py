"""Pictures that come while they are made: previews, then the picture itself.

All of them are read in images.py; that `stream: true` brings a stream at all is a law of sse.py.
"""

from __future__ import annotations

import re
from typing import Any

from wireproof.clause import IMAGE_MODEL, Exchange, NotApplicable, answered, clause, expect, load_spec, probe

from ._forms import asked_of
from ._images import COMPLETED, PARTIAL
from ._media import expect_closed, expect_events_of_json, said, streams, told_events
from ._reading import as_count
from ._shape import expect_schema

PARTIALS = 2

PROBES = (
    probe(
        "images.stream",
        "POST",
        "/images/generations",
        {
            "model": IMAGE_MODEL,
            "prompt": "A red circle.",
            "size": "1024x1024",
            "quality": "low",
            "background": "transparent",
            "stream": True,
            "partial_images": PARTIALS,
        },
        about="a picture with two previews of it",
        expects="either",
        needs=IMAGE_MODEL,
    ),
)

PREFIX = {"createImage": "image_generation", "createImageEdit": "image_edit"}
STREAM = answered("createImage", "createImageEdit", shows=streams)
# What images.picture, images.usage and the like say more about, or a client shows and no more.
ELSEWHERE = re.compile(r"/(quality|background|type)")


def _is_ours(event: dict[str, Any]) -> bool:
    return str(event.get("type")).endswith((PARTIAL, COMPLETED))


@clause("images.stream.schema", level="MUST", source="SPEC ImageGenStreamEvent, ImageEditStreamEvent", on=STREAM)
def events_follow_the_schema(exchange: Exchange) -> None:
    """Every event is JSON; each preview and picture has `b64_json`, `created_at`, `size` and the rest as documented."""
    expect_events_of_json(exchange)
    schema = load_spec().operations[str(exchange.operation)].event_schema
    assert schema is not None
    for number, event in told_events(exchange):
        if _is_ours(event):
            expect_schema(schema, said(event), ELSEWHERE, number)


@clause(
    "images.stream.type",
    level="MUST",
    source="SPEC ImageGenPartialImageEvent.type, ImageEditPartialImageEvent.type",
    on=STREAM,
)
def events_are_called_as_documented(exchange: Exchange) -> None:
    """Events of a generation are `image_generation.*`, of an edit `image_edit.*`; `event:`, if sent, says the same."""
    prefix = PREFIX[str(exchange.operation)]
    for number, event in told_events(exchange):
        name = event.get("type")
        expect(isinstance(name, str), expected="a type", got=name, at="/type", event=number)
        if _is_ours(event):
            kept = str(name).startswith(f"{prefix}.")
            expect(kept, expected=f"{prefix}.*", got=name, at="/type", event=number)
        line = exchange.events[number].name
        expect(line in (None, "", name), expected=f"event: {name}", got=f"event: {line}", event=number)


@clause(
    "images.stream.completed",
    level="MUST",
    source="SPEC ImageGenCompletedEvent, ImageEditCompletedEvent",
    on=STREAM,
    fields=("stream",),
)
def a_stream_ends_with_its_picture(exchange: Exchange) -> None:
    """A stream ends with the picture itself, in exactly one `completed` event: the previews are none."""
    expect_closed(exchange, PREFIX[str(exchange.operation)] + COMPLETED)


@clause(
    "images.stream.partials",
    level="MUST",
    source="SPEC partial_images, partial_image_index",
    on=STREAM,
    fields=("partial_images",),
)
def previews_are_counted_from_0(exchange: Exchange) -> None:
    """Previews carry `partial_image_index` 0, 1, 2 in this order, and are no more than `partial_images` asks for."""
    most = as_count(asked_of(exchange).get("partial_images")) or 0
    indexes = [
        (number, event.get("partial_image_index"))
        for number, event in told_events(exchange)
        if str(event.get("type")).endswith(PARTIAL)
    ]
    for wanted, (number, index) in enumerate(indexes):
        expect(index == wanted, expected=str(wanted), got=index, at="/partial_image_index", event=number)
        expect(wanted < most, expected=f"at most {most} previews", got=f"{len(indexes)}", event=number)
    if not indexes:
        raise NotApplicable("there are no previews: there may be fewer than asked for")
