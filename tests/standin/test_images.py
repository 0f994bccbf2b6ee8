"""Pictures over the API: what comes back opens at the size asked for, and what does not go together is refused."""

from __future__ import annotations

import base64
import io
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image, ImageChops
from standin import asking

from wireproof.standin.backend import Backend, Setup
from wireproof.standin.resources.links import LIFE_S
from wireproof.standin.wire import Answer, Ask, events_of

GPT, LATER, CLASSIC, ELDEST = "gpt-image-1.5", "gpt-image-2.5-flare", "dall-e-3", "dall-e-2"


def made(to: Backend | None = None, *, status: int = 200, **fields: Any) -> Answer:
    answer = asking.post("/images/generations", {"prompt": "A lighthouse", "model": GPT, **fields}, to)
    assert answer.status == status, answer.body[:500]
    return answer


def opened(encoded: str) -> Image.Image:
    image = Image.open(io.BytesIO(base64.b64decode(encoded, validate=True)))
    image.load()
    return image


def first(answer: Answer) -> Image.Image:
    return opened(answer.json["data"][0]["b64_json"])


def png(size: tuple[int, int] = (64, 64), mode: str = "RGBA", format: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, 7 if mode == "L" else (200, 40, 40, 255)[: len(mode)]).save(out, format)
    return out.getvalue()


def mask(size: tuple[int, int] = (64, 64), hole: tuple[int, int, int, int] = (16, 16, 48, 48)) -> bytes:
    image = Image.new("RGBA", size, (0, 0, 0, 255))
    image.paste((0, 0, 0, 0), hole)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def edited(*files: bytes, path: str = "/images/edits", status: int = 200, **fields: str | bytes) -> Answer:
    named = [("image[]" if len(files) > 1 else "image", ("in.png", data)) for data in files]
    more = [(name, ("in.png", one) if isinstance(one, bytes) else one) for name, one in fields.items()]
    prompt = {} if path.endswith("variations") else {"prompt": "A windmill"}
    answer = asking.backend().answer(asking.form(path, prompt, *named, *more))
    assert answer.status == status, answer.body[:500]
    return answer


# ---- generations


@pytest.mark.parametrize(
    ("model", "size", "pixels"),
    [
        (GPT, "1024x1024", (1024, 1024)),
        (GPT, "1536x1024", (1536, 1024)),
        (GPT, "1024x1536", (1024, 1536)),
        (GPT, "auto", (1024, 1024)),
        (GPT, None, (1024, 1024)),
        (LATER, "1536x864", (1536, 864)),
        (LATER, "3840x1280", (3840, 1280)),
    ],
)
def test_a_picture_has_the_size_that_was_asked_for(model: str, size: str | None, pixels: tuple[int, int]) -> None:
    answer = made(model=model, size=size)
    assert first(answer).size == pixels
    assert answer.json["size"] == f"{pixels[0]}x{pixels[1]}"


@pytest.mark.parametrize(("format", "frames"), [("png", 1), ("jpeg", 1), ("webp", 1), ("gif", 9)])
def test_a_picture_has_the_format_that_was_asked_for(format: str, frames: int) -> None:
    answer = made(output_format=format)
    image = first(answer)
    assert (image.format, getattr(image, "n_frames", 1)) == (format.upper(), frames)
    assert answer.json["output_format"] == format


def test_an_svg_says_what_its_author_used() -> None:
    answer = made(output_format="svg", svg={"model": "gpt-4o-mini"})
    assert base64.b64decode(answer.json["data"][0]["b64_json"]).startswith(b"<svg")
    used = answer.json["svg_usage"]
    assert used["model"] == "gpt-4o-mini"
    assert used["total_tokens"] == used["input_tokens"] + used["output_tokens"]


def test_several_pictures_of_one_prompt_differ_and_come_again_the_same() -> None:
    pictures = [one["b64_json"] for one in made(n=3).json["data"]]
    assert len(set(pictures)) == 3
    assert pictures == [one["b64_json"] for one in made(n=3).json["data"]]


def test_transparency_is_in_the_picture_and_in_the_answer() -> None:
    answer = made(background="transparent", output_format="webp")
    assert first(answer).getchannel("A").getextrema() == (0, 255)
    assert answer.json["background"] == "transparent"
    assert made().json["background"] == "opaque"


def test_compression_makes_a_picture_smaller() -> None:
    sizes = [len(made(output_format="jpeg", output_compression=q).json["data"][0]["b64_json"]) for q in (0, 50, 100)]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[2]


@pytest.mark.parametrize(
    ("quality", "size", "tokens"),
    [("low", "1024x1024", 272), ("medium", "1024x1536", 1584), ("high", "1536x1024", 6208), ("auto", None, 1056)],
)
def test_usage_is_the_published_price_of_a_picture_and_adds_up(quality: str, size: str | None, tokens: int) -> None:
    answer = made(quality=quality, size=size, n=2)
    used = answer.json["usage"]
    assert used["output_tokens"] == 2 * tokens
    assert used["total_tokens"] == used["input_tokens"] + used["output_tokens"]
    assert used["input_tokens_details"] == {"text_tokens": 2, "image_tokens": 0}
    assert used["output_tokens_details"] == {"text_tokens": 0, "image_tokens": 2 * tokens}
    assert answer.json["quality"] == ("medium" if quality == "auto" else quality)


def test_without_a_model_the_fields_decide_on_it() -> None:
    backend = asking.backend()
    plain = asking.post("/images/generations", {"prompt": "A lighthouse", "size": "256x256"}, backend)
    assert set(plain.json["data"][0]) == {"url"}
    later = asking.post("/images/generations", {"prompt": "A lighthouse", "output_format": "webp"}, backend)
    assert set(later.json["data"][0]) == {"b64_json"}


def test_the_safety_identifier_comes_back() -> None:
    assert made(safety_identifier="u-1", user="u-2").json["safety_identifier"] == "u-1"
    assert made(user="u-2").json["safety_identifier"] == "u-2"
    assert "safety_identifier" not in made().json


# ---- the older models


def linked(backend: Backend, url: str) -> Answer:
    """What a browser gets: no key, nothing but the path."""
    return backend.answer(Ask("GET", urlsplit(url).path))


def test_dall_e_gives_urls_that_can_be_fetched_for_an_hour_without_a_key() -> None:
    clock = asking.Clock()
    backend = asking.backend(clock=clock)
    ask = asking.ask("POST", "/images/generations", {"prompt": "A lighthouse", "model": CLASSIC, "size": "1792x1024"})
    answer = backend.answer(Ask(ask.method, ask.path, ask.query, (*ask.headers, ("host", "here:8000")), ask.body))
    url = answer.json["data"][0]["url"]
    assert url.startswith("http://here:8000/content/")
    fetched = linked(backend, url)
    assert (fetched.status, fetched.header("content-type")) == (200, "image/png")
    assert Image.open(io.BytesIO(fetched.body)).size == (1792, 1024)
    clock.now += LIFE_S + 1
    assert linked(backend, url).status == 404


def test_without_a_host_the_url_holds_the_picture_itself() -> None:
    url = made(model=ELDEST, size="256x256").json["data"][0]["url"]
    assert opened(url.removeprefix("data:image/png;base64,")).size == (256, 256)


def test_dall_e_3_tells_what_it_made_of_the_prompt_and_dall_e_2_does_not() -> None:
    told = made(model=CLASSIC, response_format="b64_json").json["data"][0]
    assert told["revised_prompt"].startswith("A lighthouse. ")
    assert set(made(model=ELDEST, response_format="b64_json").json["data"][0]) == {"b64_json"}


# ---- what does not go together


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"size": "512x512"}, "size", "invalid_value"),
        ({"model": LATER, "size": "1000x1000"}, "size", "invalid_value"),
        ({"model": LATER, "size": "3840x1024"}, "size", "invalid_value"),
        ({"model": LATER, "size": "4096x2160"}, "size", "invalid_value"),
        ({"model": CLASSIC, "size": "1536x1024"}, "size", "invalid_value"),
        ({"model": CLASSIC, "n": 2}, "n", "invalid_value"),
        ({"model": CLASSIC, "prompt": "x" * 4001}, "prompt", "string_above_max_length"),
        ({"model": ELDEST, "prompt": "x" * 1001}, "prompt", "string_above_max_length"),
        ({"model": ELDEST, "background": "opaque"}, "background", "unknown_parameter"),
        ({"model": ELDEST, "stream": True}, "stream", "unknown_parameter"),
        ({"response_format": "url"}, "response_format", "unknown_parameter"),
        ({"style": "vivid"}, "style", "unknown_parameter"),
        ({"quality": "hd"}, "quality", "invalid_value"),
        ({"quality": "max"}, "quality", "invalid_value"),
        ({"background": "transparent", "output_format": "jpeg"}, "background", "invalid_value"),
        ({"output_compression": 50}, "output_compression", "invalid_value"),
        ({"frame_count": 3}, "frame_count", "invalid_value"),
        ({"output_format": "gif", "stream": True}, "stream", "invalid_value"),
        ({"output_format": "svg", "n": 2}, "output_format", "invalid_value"),
        ({"stream": True, "n": 2}, "n", "invalid_value"),
        ({"n": 11}, "n", "integer_above_max_value"),
        ({"partial_images": 4}, "partial_images", "integer_above_max_value"),
        ({"prompt": ""}, "prompt", "string_below_min_length"),
        ({"size": "big"}, "size", "invalid_value"),
    ],
    ids=str,
)
def test_what_a_model_does_not_take_is_refused_by_name(fields: dict[str, Any], param: str, code: str) -> None:
    error = asking.error(made(status=400, **fields))
    assert (error["param"], error["code"]) == (param, code)


def test_harmful_prompts_are_blocked_and_low_moderation_lets_some_pass() -> None:
    assert asking.error(made(status=400, prompt="A bloody knife"))["code"] == "moderation_blocked"
    assert asking.error(made(status=400, model=CLASSIC, prompt="A bloody knife"))["code"] == "content_policy_violation"
    made(prompt="A bloody knife", moderation="low")
    made(status=400, prompt="An underage sex scene", moderation="low")


def test_other_models_draw_nothing() -> None:
    made(status=404, model="gpt-4.1-mini")
    made(status=404, model="no-such-model")


def test_images_a_minute_are_counted_by_the_picture() -> None:
    clock = asking.Clock()
    backend = asking.backend(Setup(tier="tier-1"), clock)
    assert made(backend, n=4, quality="low").header("x-ratelimit-remaining-requests") == "1"
    refused = made(backend, n=2, quality="low", status=429)
    assert "images per min (IPM)" in asking.error(refused)["message"]
    clock.now += 60
    made(backend, n=2, quality="low")


# ---- previews


@pytest.mark.parametrize("partials", [0, 1, 3])
def test_previews_come_first_and_the_picture_last(partials: int) -> None:
    answer = made(stream=True, partial_images=partials, quality="low", output_format="webp")
    assert answer.frames is not None
    frames = list(answer.frames)
    found = list(events_of(frames))
    assert all(f.data.startswith(f"event: {e['type']}\n".encode()) for f, e in zip(frames, found, strict=True))
    *previews, whole = found
    assert [event["partial_image_index"] for event in previews] == list(range(partials))
    assert {event["type"] for event in previews} <= {"image_generation.partial_image"}
    assert whole["type"] == "image_generation.completed"
    assert whole["usage"]["output_tokens"] == 272 + 100 * partials
    assert all(opened(event["b64_json"]).size == (1024, 1024) for event in found)
    assert len({event["b64_json"] for event in found}) == partials + 1
    assert whole["b64_json"] == made(quality="low", output_format="webp").json["data"][0]["b64_json"]


def test_every_preview_is_nearer_to_the_picture() -> None:
    answer = made(stream=True, partial_images=3)
    *previews, whole = [opened(event["b64_json"]).convert("L") for event in events_of(answer.frames or ())]
    off = [sum(ImageChops.difference(preview, whole).histogram()[32:]) for preview in previews]
    assert off == sorted(off, reverse=True)
    assert off[-1] > 0


# ---- edits


def test_an_edit_keeps_what_the_mask_covers() -> None:
    answer = edited(png((1024, 1024)), mask=mask((1024, 1024), (100, 100, 900, 900)), model=GPT)
    image = first(answer).convert("RGB")
    assert image.size == (1024, 1024)
    assert image.getpixel((50, 50)) == (200, 40, 40)
    assert len(image.crop((100, 100, 900, 900)).getcolors(10_000) or ()) > 1


def test_an_edit_without_a_size_follows_its_picture() -> None:
    assert first(edited(png((300, 200)), model=GPT)).size == (1536, 1024)
    assert first(edited(png((200, 300)), model=GPT)).size == (1024, 1536)


def test_further_pictures_count_and_change_the_result() -> None:
    one, two = edited(png(), model=GPT), edited(png(), png((32, 32)), model=GPT)
    assert one.json["data"] != two.json["data"]
    tokens = [answer.json["usage"]["input_tokens_details"]["image_tokens"] for answer in (one, two)]
    assert tokens == [194, 388]
    high = edited(png(), model=GPT, input_fidelity="high").json["usage"]["input_tokens_details"]
    assert high["image_tokens"] == 194 + 4160


def test_an_edit_is_streamed_under_its_own_names() -> None:
    answer = edited(png(), model=GPT, stream="true", partial_images="1", quality="low")
    assert [event["type"] for event in events_of(answer.frames or ())] == [
        "image_edit.partial_image",
        "image_edit.completed",
    ]


def test_an_edit_in_json_takes_what_is_in_a_url_in_a_link_or_in_a_file() -> None:
    backend = asking.backend()
    inline = "data:image/png;base64," + base64.b64encode(png()).decode()
    drawn = made(backend, model=ELDEST, response_format="url", size="256x256").json["data"][0]["url"]
    backend.world.table("files").put("file-1", {"id": "file-1"}, png())
    body = {"prompt": "A windmill", "images": [{"image_url": inline}, {"image_url": drawn}, {"file_id": "file-1"}]}
    answer = asking.post("/images/edits", body, backend)
    assert answer.status == 200, answer.body[:300]
    assert first(answer).size == (1024, 1024)
    for reference, status in (
        ({"image_url": "https://example.org/a.png"}, 400),
        ({"image_url": "data:image/png;base64,###"}, 400),
        ({"file_id": "file-2"}, 404),
        ({"file_id": "file-1", "image_url": inline}, 400),
    ):
        refused = asking.post("/images/edits", {"prompt": "A windmill", "images": [reference]}, backend)
        assert refused.status == status, reference


@pytest.mark.parametrize(
    ("files", "fields", "param"),
    [
        ([b"no picture"], {}, "image"),
        ([png(format="BMP", mode="RGB")], {}, "image"),
        ([png()[:80]], {}, "image"),
        ([png()], {"mask": mask((32, 32))}, "mask"),
        ([png()], {"mask": png(mode="RGB")}, "mask"),
        ([png()], {"mask": png(mode="RGB", format="JPEG")}, "mask"),
        ([png()], {"mask": b"no picture"}, "mask"),
        ([png()], {"mask": mask(), "markup": mask()}, "markup"),
        ([png()], {"output_format": "svg"}, "output_format"),
        ([png()], {"mask": "a string"}, "mask"),
        ([png((64, 32))], {"model": ELDEST}, "image"),
        ([png(mode="RGB")], {"model": ELDEST}, "image"),
        ([png(), png()], {"model": ELDEST}, "image"),
    ],
)
def test_what_cannot_be_edited_is_refused(files: list[bytes], fields: dict[str, Any], param: str) -> None:
    assert asking.error(edited(*files, status=400, **fields))["param"] == param


def test_dall_e_2_edits_a_square_png() -> None:
    answer = edited(png(), model=ELDEST, size="512x512", response_format="b64_json")
    assert first(answer).size == (512, 512)


# ---- variations


def test_variations_are_like_the_picture_but_not_it() -> None:
    answer = edited(png(), path="/images/variations", n="2", size="256x256", response_format="b64_json")
    found = [opened(one["b64_json"]) for one in answer.json["data"]]
    assert [image.size for image in found] == [(256, 256), (256, 256)]
    assert found[0].tobytes() != found[1].tobytes()


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        (png((64, 32)), {}),
        (png(mode="RGB", format="JPEG"), {}),
        (b"no picture", {}),
        (png(), {"size": "1536x1024"}),
        (png(), {"model": GPT}),
        (png() + bytes(4 << 20), {}),
    ],
    ids=["not square", "no png", "no picture", "no size", "no model", "too large"],
)
def test_variations_are_of_small_square_pngs_only(data: bytes, fields: dict[str, Any]) -> None:
    asking.error(edited(data, path="/images/variations", status=400, **fields))
