"""Images through the official client."""

from __future__ import annotations

import asyncio
import base64
import io
from collections.abc import Callable
from urllib.request import urlopen

import openai
import pytest
from openai.types import ImagesResponse
from PIL import Image

GPT, CLASSIC = "gpt-image-1.5", "dall-e-2"


def picture(size: tuple[int, int] = (64, 64), alpha: int = 255) -> bytes:
    out = io.BytesIO()
    Image.new("RGBA", size, (200, 40, 40, alpha)).save(out, "PNG")
    return out.getvalue()


def size_of(data: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(data)).size


def drawn(answer: ImagesResponse) -> bytes:
    assert answer.data is not None
    return base64.b64decode(answer.data[0].b64_json or "")


def test_a_picture_is_generated_with_its_usage(client: openai.OpenAI) -> None:
    answer = client.images.generate(prompt="A lighthouse", model=GPT, size="1024x1536", quality="low")
    assert size_of(drawn(answer)) == (1024, 1536)
    assert answer.usage is not None
    assert answer.usage.output_tokens == 408


def test_a_url_can_be_fetched(client: openai.OpenAI) -> None:
    answer = client.images.generate(prompt="A lighthouse", model=CLASSIC, size="256x256", response_format="url")
    assert answer.data is not None
    assert answer.data[0].url is not None
    with urlopen(answer.data[0].url) as fetched:
        assert fetched.headers["content-type"] == "image/png"
        assert size_of(fetched.read()) == (256, 256)


def test_previews_are_streamed(client: openai.OpenAI) -> None:
    with client.images.generate(
        prompt="A lighthouse", model=GPT, quality="low", stream=True, partial_images=2
    ) as stream:
        events = list(stream)
    assert [event.type for event in events] == [
        "image_generation.partial_image",
        "image_generation.partial_image",
        "image_generation.completed",
    ]
    assert all(size_of(base64.b64decode(event.b64_json)) == (1024, 1024) for event in events)


def test_pictures_are_edited_under_a_mask(client: openai.OpenAI) -> None:
    answer = client.images.edit(
        image=[("a.png", picture()), ("b.png", picture((32, 32)))],
        mask=("mask.png", picture(alpha=0)),
        prompt="A windmill",
        model=GPT,
        size="1024x1024",
    )
    assert size_of(drawn(answer)) == (1024, 1024)
    with client.images.edit(
        image=("a.png", picture()), prompt="A windmill", model=GPT, stream=True, partial_images=1, quality="low"
    ) as stream:
        assert [event.type for event in stream] == ["image_edit.partial_image", "image_edit.completed"]


def test_a_picture_is_varied(client: openai.OpenAI) -> None:
    image = ("a.png", picture())
    with pytest.warns(DeprecationWarning):
        answer = client.images.create_variation(image=image, n=2, size="256x256", response_format="b64_json")
    assert answer.data is not None
    assert len(answer.data) == 2
    assert size_of(drawn(answer)) == (256, 256)


def test_the_async_client_draws_edits_and_streams(async_client: Callable[[], openai.AsyncOpenAI]) -> None:
    async def drawing() -> list[str]:
        async with async_client() as client:
            answer = await client.images.generate(prompt="A lighthouse", model=GPT, quality="low")
            assert size_of(drawn(answer)) == (1024, 1024)
            edit = await client.images.edit(image=("a.png", drawn(answer)), prompt="A windmill", model=GPT)
            assert size_of(drawn(edit)) == (1024, 1024)
            stream = await client.images.generate(prompt="A lighthouse", model=GPT, quality="low", stream=True)
            return [event.type async for event in stream]

    assert asyncio.run(drawing()) == ["image_generation.completed"]
