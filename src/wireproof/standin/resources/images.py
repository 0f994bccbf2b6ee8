"""Pictures: generated, edited, varied; whole or with previews."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from wireproof.standin import image_orders as orders
from wireproof.standin.call import Call
from wireproof.standin.catalogue import Model, model_for
from wireproof.standin.media import pictures
from wireproof.standin.media.pictures import MEDIA_TYPES, Look
from wireproof.standin.metered import limited
from wireproof.standin.prose import dice, sentences
from wireproof.standin.resources.image_uploads import Originals, originals, varied_original
from wireproof.standin.resources.links import link
from wireproof.standin.serving import serves
from wireproof.standin.tokens import count
from wireproof.standin.wire import EVENT_STREAM, Answer, Frame, json_answer, named_event
from wireproof.standin.world import World

# Source: spec, the defaults of `model`.
DEFAULT, EDIT_DEFAULT = "dall-e-2", "gpt-image-1.5"
# The squares that a preview is made of, in pixels; the picture itself has squares of one.
PREVIEW_BLOCKS = (64, 32, 16)
SVG_AUTHOR = "gpt-4.1-mini"

# Draws one picture: from what it means and how it is to look.
Draw = Callable[[str, Look], bytes]


@dataclass(frozen=True)
class Work:
    """A checked request: who draws, at which look, what it costs in tokens of pictures, under which event names."""

    model: Model
    look: Look
    draw: Draw
    image_tokens: int = 0
    events: str = "image_generation"


@serves("createImage")
def create(world: World, call: Call) -> Answer:
    model = model_for(world.models, call.body.get("model") or _default(call.body), "image")
    return limited(
        world,
        call,
        model,
        check=lambda: orders.check(call.body, model),
        tokens=lambda: _expected(call, model),
        answer=lambda: _answer(world, call, Work(model, orders.look(call.body, model), pictures.picture)),
        images=call.body.get("n") or 1,
    )


@serves("createImageEdit")
def edit(world: World, call: Call) -> Answer:
    model = model_for(world.models, call.body.get("model") or EDIT_DEFAULT, "image")
    given: list[Originals] = []

    def check() -> None:
        orders.check(call.body, model, refuse_svg=True)
        given.append(originals(world, call, model))

    return limited(
        world,
        call,
        model,
        check=check,
        tokens=lambda: _expected(call, model),
        answer=lambda: _answer(world, call, _edit(call, model, given[0])),
        images=call.body.get("n") or 1,
    )


@serves("createImageVariation")
def vary(world: World, call: Call) -> Answer:
    model = model_for(world.models, call.body.get("model") or DEFAULT, "image")
    return limited(
        world,
        call,
        model,
        check=lambda: varied_original(call, model),
        tokens=lambda: 0,
        answer=lambda: _answer(world, call, _variation(call, model)),
        images=call.body.get("n") or 1,
    )


def _default(body: Mapping[str, Any]) -> str:
    """dall-e-2, unless a field is there that only the GPT models know."""
    return EDIT_DEFAULT if any(body.get(name) is not None for name in orders.ONLY_GPT_IMAGE) else DEFAULT


def _edit(call: Call, model: Model, given: Originals) -> Work:
    fidelity = call.body.get("input_fidelity") or "low"
    tokens = sum(orders.original_tokens(*size, fidelity) for size in given.sizes)
    told = hashlib.sha256(b"".join((*given.pictures[1:], given.markup or b""))).hexdigest()

    def draw(meaning: str, look: Look) -> bytes:
        return pictures.edited(f"{told}:{meaning}", look, given.pictures[0], given.mask)

    return Work(model, orders.look(call.body, model, given.sizes[0]), draw, tokens, "image_edit")


def _variation(call: Call, model: Model) -> Work:
    original = varied_original(call, model)
    told = hashlib.sha256(original).hexdigest()
    look = orders.look({**call.body, "size": call.body.get("size") or orders.SQUARE}, model)
    return Work(model, look, lambda meaning, look: pictures.varied(f"{told}:{meaning}", look, original))


def _answer(world: World, call: Call, work: Work) -> Answer:
    body = call.body
    if body.get("stream"):
        return Answer(200, EVENT_STREAM, frames=_frames(world, call, work))
    numbers = range(body.get("n") or 1)
    drawn = [work.draw(_meaning(call, work.model, number), work.look) for number in numbers]
    answer: dict[str, Any] = {"created": int(call.now)}
    if orders.family(work.model).is_classic:
        answer["data"] = [_classic(world, call, work, data, number) for number, data in enumerate(drawn)]
    else:
        answer["data"] = [{"b64_json": _base64(data)} for data in drawn]
        answer |= _told(body, work)
        used = orders.usage(body, work.model, work.look, work.image_tokens, 0)
        answer["usage"] = {
            **used,
            "output_tokens_details": {"text_tokens": 0, "image_tokens": used["output_tokens"]},
        }
        if work.look.format == "svg":
            answer["svg_usage"] = _svg_usage(body, drawn[0])
    return json_answer(answer, delay_ms=world.setup.latency.whole_ms(len(drawn), call.serial))


def _frames(world: World, call: Call, work: Work) -> list[Frame]:
    """A preview for each that was asked for, coarse at first, then the picture with what it cost."""
    partials = call.body.get("partial_images") or 0
    gaps = world.setup.latency.gaps(call.serial)
    meaning = _meaning(call, work.model, 0)
    shared = {"created_at": int(call.now), **_told(call.body, work)}
    frames = []
    for index, blocks in enumerate(islice(PREVIEW_BLOCKS, partials)):
        preview = _base64(work.draw(meaning, replace(work.look, blocks=blocks)))
        name = f"{work.events}.partial_image"
        event = {"type": name, "b64_json": preview, **shared, "partial_image_index": index}
        frames.append(named_event(name, event, next(gaps)))
    name = f"{work.events}.completed"
    used = orders.usage(call.body, work.model, work.look, work.image_tokens, partials)
    event = {"type": name, "b64_json": _base64(work.draw(meaning, work.look)), **shared, "usage": used}
    return [*frames, named_event(name, event, next(gaps))]


def _told(body: Mapping[str, Any], work: Work) -> dict[str, Any]:
    """What was made, `auto` resolved."""
    told = {
        "size": f"{work.look.width}x{work.look.height}",
        "quality": orders.quality_of(body, work.model),
        "background": "transparent" if work.look.transparent else "opaque",
        "output_format": work.look.format,
    }
    identifier = body.get("safety_identifier") or body.get("user")
    return {**told, "safety_identifier": identifier} if identifier else told


def _classic(world: World, call: Call, work: Work, data: bytes, number: int) -> dict[str, Any]:
    if call.body.get("response_format") == "b64_json":
        found = {"b64_json": _base64(data)}
    else:
        found = {"url": link(world, call, data, MEDIA_TYPES[work.look.format])}
    if work.model.id == "dall-e-3":
        found["revised_prompt"] = _revised(call.body["prompt"])
    return found


def _revised(prompt: str) -> str:
    """What dall-e-3 makes of a prompt before it draws: more words."""
    throw = dice("revised", prompt)
    more = "".join(islice(sentences(throw), 24)).partition(".")[0]
    return f"{prompt.rstrip('. ')}. {more}."


def _meaning(call: Call, model: Model, number: int) -> str:
    """What decides on the shapes. The look does not: in any size and format the same prompt shows the same."""
    return json.dumps([model.snapshot, call.body.get("prompt"), call.body.get("style"), number])


def _svg_usage(body: Mapping[str, Any], drawn: bytes) -> dict[str, Any]:
    asked, written = count(body["prompt"]), count(drawn.decode())
    author = (body.get("svg") or {}).get("model", SVG_AUTHOR)
    return {"model": author, "input_tokens": asked, "output_tokens": written, "reasoning_tokens": 0,
            "total_tokens": asked + written}  # fmt: skip


def _expected(call: Call, model: Model) -> int:
    """What a limiter expects: the words, and the pictures in tokens where the model is priced so."""
    if orders.family(model).is_classic:
        return count(call.body.get("prompt", ""))
    used = orders.usage(call.body, model, orders.look(call.body, model), 0, call.body.get("partial_images") or 0)
    return int(used["total_tokens"])


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
