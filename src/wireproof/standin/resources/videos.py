"""Films: ordered, made while the clock runs, fetched, and made again from one another.

A row of the table is the film as it is told, and `_scenes`: what is shown, as `[meaning, seconds]`. The film itself is
drawn when it is fetched.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from wireproof.standin.call import Call, Upload
from wireproof.standin.catalogue import Model, model_for
from wireproof.standin.media import films
from wireproof.standin.media.films import Footage, Unwatchable, watched
from wireproof.standin.media.pictures import Unreadable, opened
from wireproof.standin.metered import limited
from wireproof.standin.moderation import flagged
from wireproof.standin.paging import page, public
from wireproof.standin.references import referred
from wireproof.standin.refusals import invalid, not_found, wrong_value
from wireproof.standin.serving import deed, serves
from wireproof.standin.store import Row
from wireproof.standin.tokens import count
from wireproof.standin.wire import Answer, json_answer
from wireproof.standin.world import World

KIND, CHARACTERS = "videos", "video.characters"
# Source: SDK, the defaults of `model`, `seconds` and `size`.
DEFAULT, SECONDS, SIZE = "sora-2", "4", "720x1280"
# Source: video guide: the larger sizes are for the larger model.
SIZES = {"sora-2": ("720x1280", "1280x720"), "sora-2-pro": ("720x1280", "1280x720", "1024x1792", "1792x1024")}
QUEUED_S, STEP_S = 1.0, 2.0
STEP_PERCENT = 20
# Source: video guide: a download is good for an hour.
CONTENT_LIFE_S = 3600.0
VARIANTS: dict[str, tuple[str, Callable[[Footage], bytes]]] = {
    "video": ("video/mp4", films.film),
    "thumbnail": ("image/webp", films.thumbnail),
    "spritesheet": ("image/jpeg", films.spritesheet),
}

Scenes = list[list[Any]]


@serves("createVideo")
def create(world: World, call: Call) -> Answer:
    body = call.body
    model = model_for(world.models, body.get("model") or DEFAULT, "video")
    size, seconds = body.get("size") or SIZE, body.get("seconds") or SECONDS

    def scenes() -> Scenes:
        sizes = next(sizes for name, sizes in reversed(SIZES.items()) if model.id.startswith(name))
        if size not in sizes:
            raise wrong_value("size", size, list(sizes))
        told = _reference(world, call)
        return [[_meaning(model, body["prompt"], told), int(seconds)]]

    return _ordered(world, call, model, scenes, size=size)


@serves("createVideoEdit")
def edit(world: World, call: Call) -> Answer:
    source = _source(world, call)
    model = _model(world, source)
    scenes = [[_meaning(model, call.body["prompt"], meaning), seconds] for meaning, seconds in source["_scenes"]]
    return _ordered(world, call, model, lambda: scenes, size=source["size"])


@serves("createVideoExtension")
def extend(world: World, call: Call) -> Answer:
    source = _source(world, call)
    model = _model(world, source)
    more = [_meaning(model, call.body["prompt"], ""), int(call.body["seconds"])]
    return _ordered(world, call, model, lambda: [*source["_scenes"], more], size=source["size"])


@serves("createVideoRemix")
def remix(world: World, call: Call) -> Answer:
    source = _finished(_found(world, call.path["video_id"]), "video_id")
    model = _model(world, source)
    scenes = [[_meaning(model, call.body["prompt"], meaning), seconds] for meaning, seconds in source["_scenes"]]
    return _ordered(world, call, model, lambda: scenes, size=source["size"], remixed_from=source["id"])


@serves("listVideos")
def listed(world: World, call: Call) -> Answer:
    return page(world.table(KIND).rows(), call)


@serves("getVideo")
def one(world: World, call: Call) -> Answer:
    return json_answer(public(_found(world, call.path["video_id"])))


@serves("deleteVideo")
def delete(world: World, call: Call) -> Answer:
    id = _found(world, call.path["video_id"])["id"]
    world.table(KIND).delete(id)
    return json_answer({"id": id, "object": "video.deleted", "deleted": True})


@serves("retrieveVideoContent")
def content(world: World, call: Call) -> Answer:
    row = _found(world, call.path["video_id"])
    if row["status"] != "completed":
        raise not_found("Video is not ready yet, use GET /v1/videos/{video_id} to check status.", "video_id")
    if call.now >= row["expires_at"]:
        raise not_found("The content of this video has expired.", "video_id")
    width, _, height = row["size"].partition("x")
    footage = Footage(tuple((meaning, seconds) for meaning, seconds in row["_scenes"]), int(width), int(height))
    media_type, made = VARIANTS[call.query["variant"]]
    return Answer(200, (("content-type", media_type),), made(footage))


@serves("createVideoCharacter")
def create_character(world: World, call: Call) -> Answer:
    _watched(call.body["video"], "video")
    row = {"id": call.id("char_"), "name": call.body["name"], "created_at": int(call.now)}
    world.table(CHARACTERS).put(row["id"], row, call.body["video"].data)
    return json_answer(row)


@serves("getVideoCharacter")
def character(world: World, call: Call) -> Answer:
    id = call.path["character_id"]
    return json_answer(world.table(CHARACTERS).found(id, f"No such character: {id}", "character_id"))


@deed("videos.advanced")
def advanced(world: World, id: str, now: float) -> None:
    """One step nearer to the end: begun, some percent further, completed; blocked at the beginning if at all."""
    row = world.table(KIND).get(id)
    if row is None:
        return
    changed: dict[str, Any]
    if row["status"] == "queued":
        is_harmful = bool(flagged(row["prompt"]))
        changed = {"status": "failed", "error": _blocked()} if is_harmful else {"status": "in_progress"}
    elif row["progress"] + STEP_PERCENT < 100:
        changed = {"progress": row["progress"] + STEP_PERCENT}
    else:
        expires_at = int(now + world.lasts(CONTENT_LIFE_S))
        changed = {"status": "completed", "progress": 100, "completed_at": int(now), "expires_at": expires_at}
    row = {**row, **changed}
    world.table(KIND).put(id, row)
    if row["status"] == "in_progress":
        world.at(now + world.lasts(STEP_S), "videos.advanced", id)


def _blocked() -> dict[str, Any]:
    return {"code": "moderation_blocked", "message": "Your request was blocked by our moderation system."}


def _ordered(
    world: World,
    call: Call,
    model: Model,
    scenes: Callable[[], Scenes],
    *,
    size: str,
    remixed_from: str | None = None,
) -> Answer:
    """A new order behind the limit. `scenes` says what is to be shown, or refuses."""
    shown: Scenes = []

    def answer() -> Answer:
        row: Row = {
            "id": call.id("video_"),
            "object": "video",
            "model": model.id,
            "status": "queued",
            "progress": 0,
            "created_at": int(call.now),
            "completed_at": None,
            "expires_at": None,
            "prompt": call.body["prompt"],
            "size": size,
            "seconds": str(sum(seconds for _, seconds in shown)),
            "remixed_from_video_id": remixed_from,
            "error": None,
            "_scenes": shown,
        }
        world.table(KIND).put(row["id"], row)
        world.at(call.now + world.lasts(QUEUED_S), "videos.advanced", row["id"])
        return json_answer(public(row))

    return limited(
        world,
        call,
        model,
        check=lambda: shown.extend(scenes()),
        tokens=lambda: count(call.body["prompt"]),
        answer=answer,
    )


def _meaning(model: Model, prompt: str, told: str) -> str:
    """What decides on the shapes: the prompt, and what the film is made from."""
    return json.dumps([model.snapshot, prompt, told])


def _reference(world: World, call: Call) -> str:
    """The picture that a film begins with, as a digest; "" for none. Refused: no picture."""
    given = call.body.get("input_reference")
    if given is None:
        return ""
    if isinstance(given, str):
        raise invalid("Invalid type for 'input_reference': expected a file or an object, but got a string instead.",
                      "input_reference", "invalid_type")  # fmt: skip
    data = given.data if isinstance(given, Upload) else referred(world, given, "input_reference")
    try:
        opened(data)
    except Unreadable:
        raise invalid("Invalid 'input_reference': it is no image.", "input_reference", "invalid_image_file") from None
    return hashlib.sha256(data).hexdigest()


def _source(world: World, call: Call) -> Row:
    """The film that another is made from: one of ours, or one that was sent along."""
    given = call.body["video"]
    if isinstance(given, dict):
        return _finished(_found(world, given["id"], "video.id"), "video.id")
    width, height, seconds = _watched(given, "video")
    return {
        "model": DEFAULT,
        "size": "720x1280" if height >= width else "1280x720",
        "_scenes": [[hashlib.sha256(given.data).hexdigest(), max(1, round(seconds))]],
    }


def _watched(given: Any, param: str) -> tuple[int, int, float]:
    if not isinstance(given, Upload):
        raise invalid(f"Invalid type for '{param}': expected a file, but got a string instead.", param, "invalid_type")
    try:
        return watched(given.data)
    except Unwatchable:
        raise invalid(f"Invalid '{param}': it is no video that can be decoded.", param, "invalid_video_file") from None


def _found(world: World, id: str, param: str = "video_id") -> Row:
    return world.table(KIND).found(id, f"Video with id '{id}' not found.", param)


def _finished(row: Row, param: str) -> Row:
    if row["status"] != "completed":
        raise invalid(f"Video '{row['id']}' is {row['status']}; only completed videos can be used.", param,
                      "invalid_value")  # fmt: skip
    return row


def _model(world: World, source: Row) -> Model:
    return model_for(world.models, source["model"], "video")
