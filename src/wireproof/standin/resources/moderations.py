"""Moderations of texts and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wireproof.standin.call import Call
from wireproof.standin.catalogue import Model, model_for
from wireproof.standin.metered import limited
from wireproof.standin.moderation import verdict
from wireproof.standin.refusals import invalid
from wireproof.standin.serving import serves
from wireproof.standin.tokens import IMAGE_TOKENS, count, estimate
from wireproof.standin.wire import Answer, json_answer
from wireproof.standin.world import World

DEFAULT = "omni-moderation-latest"
SCHEMES = ("http://", "https://", "data:image/")


@serves("createModeration")
def create(world: World, call: Call) -> Answer:
    model = model_for(world.models, call.body.get("model", DEFAULT), "moderation")
    return limited(
        world,
        call,
        model,
        check=lambda: _check(call.body["input"], model),
        tokens=lambda: _tokens(call.body["input"]),
        answer=lambda: _answer(world, call, model),
    )


def _is_of_texts(model: Model) -> bool:
    return model.id.startswith("text-")


def _check(given: Any, model: Model) -> None:
    for at, part in enumerate(_parts(given)):
        if part["type"] != "image_url":
            continue
        if _is_of_texts(model):
            raise invalid(f"Invalid 'input': {model.id} does not take images.", f"input[{at}]", "invalid_value")
        if not part["image_url"]["url"].startswith(SCHEMES):
            raise invalid("Invalid image URL: expected http(s) or a data URL of an image.",
                          f"input[{at}].image_url.url", "invalid_image_url")  # fmt: skip


def _answer(world: World, call: Call, model: Model) -> Answer:
    given, text_model = call.body["input"], _is_of_texts(model)
    if parts := _parts(given):
        texts = [part["text"] for part in parts if part["type"] == "text"]
        urls = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
        results = [verdict(model.snapshot, texts, urls, text_model=text_model)]
    else:
        results = [verdict(model.snapshot, [text], text_model=text_model) for text in _texts(given)]
    return json_answer(
        {"id": f"modr-{call.serial}", "model": model.snapshot, "results": results},
        delay_ms=world.setup.latency.whole_ms(1, call.serial),
    )


def _parts(given: Any) -> Sequence[Mapping[str, Any]]:
    """The parts, when the input is made of them."""
    return given if isinstance(given, list) and isinstance(given[0], dict) else ()


def _texts(given: Any) -> list[str]:
    return [given] if isinstance(given, str) else list(given)


def _tokens(given: Any) -> int:
    """What a limiter expects."""
    if parts := _parts(given):
        return sum(count(part["text"]) if part["type"] == "text" else IMAGE_TOKENS["low"] for part in parts)
    return sum(estimate(len(text)) for text in _texts(given))
