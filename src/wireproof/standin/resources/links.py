"""Contents behind a URL of the stand-in's own host, for an hour and without a key: as signed URLs of a store are.

The host is the one that the request named; a request that names none gets its contents in a `data:` URL.
"""

from __future__ import annotations

import base64

from wireproof.standin.call import Call
from wireproof.standin.serving import deed
from wireproof.standin.wire import Answer, Ask
from wireproof.standin.world import World

PREFIX = "/content/"
KIND = "links"
# Source: SDK, images: a URL is good for 60 minutes.
LIFE_S = 3600.0


def link(world: World, call: Call, data: bytes, media_type: str) -> str:
    """Where `data` is to be had from now on."""
    host = call.ask.header("host")
    if host is None:
        return f"data:{media_type};base64,{base64.b64encode(data).decode()}"
    id = call.id("link-")
    world.table(KIND).put(id, {"id": id, "media_type": media_type}, data)
    world.at(call.now + world.lasts(LIFE_S), "links.expired", id)
    return f"{call.ask.header('x-forwarded-proto') or 'http'}://{host}{PREFIX}{id}"


def linked(world: World, ask: Ask) -> Answer:
    """What `ask` points to. Refused: nothing there, or nothing any more."""
    id = ask.path.removeprefix(PREFIX)
    row = world.table(KIND).found(id, "There is nothing behind this link, or nothing any more.")
    return Answer(200, (("content-type", row["media_type"]),), world.table(KIND).data(id))


def own_content(world: World, url: str) -> bytes | None:
    """The bytes behind one of our links, whatever host it names; None when it is none of ours."""
    _, ours, id = url.partition(PREFIX)
    return world.table(KIND).data(id) if ours and id in world.table(KIND) else None


@deed("links.expired")
def expired(world: World, id: str, now: float) -> None:
    world.table(KIND).delete(id)
