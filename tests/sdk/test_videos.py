"""Videos through the official client, which calls all of them deprecated."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import openai
import pytest

from wireproof.standin.media.films import Footage, film, watched

pytestmark = pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")


def finished(client: openai.OpenAI, prompt: str = "A lighthouse") -> openai.types.Video:
    return client.videos.create_and_poll(prompt=prompt, poll_interval_ms=20)


def test_a_film_is_ordered_awaited_and_fetched(client: openai.OpenAI) -> None:
    made = finished(client)
    assert (made.status, made.progress) == ("completed", 100)
    assert watched(client.videos.download_content(made.id).read()) == (720, 1280, 4.0)
    assert client.videos.download_content(made.id, variant="thumbnail").read().startswith(b"RIFF")
    assert client.videos.download_content(made.id, variant="spritesheet").read().startswith(b"\xff\xd8")
    assert client.videos.retrieve(made.id).completed_at == made.completed_at


def test_films_are_listed_and_deleted(client: openai.OpenAI) -> None:
    made = [client.videos.create(prompt=f"Scene {number}").id for number in range(3)]
    assert [video.id for video in client.videos.list(limit=2)][:3] == made[::-1]
    assert client.videos.delete(made[0]).deleted
    with pytest.raises(openai.NotFoundError):
        client.videos.retrieve(made[0])


def test_films_are_made_from_films(client: openai.OpenAI) -> None:
    source = finished(client)
    assert client.videos.remix(source.id, prompt="At night").remixed_from_video_id == source.id
    sent = ("mine.mp4", film(Footage((("mine", 4),), 320, 180)))
    assert client.videos.edit(video=sent, prompt="At night").size == "1280x720"
    assert client.videos.extend(video=sent, prompt="On and on", seconds="8").seconds == "12"
    character = client.videos.create_character(name="Ada", video=sent)
    assert client.videos.get_character(character.id or "").name == "Ada"


@pytest.mark.parametrize(("path", "more", "seconds"), [("edits", {}, "4"), ("extensions", {"seconds": "8"}, "12")])
def test_a_film_is_named_by_its_id(client: openai.OpenAI, path: str, more: dict[str, str], seconds: str) -> None:
    """Through the untyped door: the typed methods take the reference, and then miss the bytes of a file in it."""
    body = {"video": {"id": finished(client).id}, "prompt": "At night", **more}
    assert client.post(f"/videos/{path}", body=body, cast_to=openai.types.Video).seconds == seconds


def test_a_harmful_prompt_fails(client: openai.OpenAI) -> None:
    made = finished(client, "A bloody knife")
    assert made.status == "failed"
    assert made.error is not None
    assert made.error.code == "moderation_blocked"


def test_the_async_client_does_the_same(async_client: Callable[[], openai.AsyncOpenAI]) -> None:
    async def made() -> bytes:
        async with async_client() as client:
            video = await client.videos.create_and_poll(prompt="A lighthouse", poll_interval_ms=20)
            assert video.id in [one.id async for one in client.videos.list()]
            remix = await client.videos.remix(video.id, prompt="At night")
            assert (await client.videos.delete(remix.id)).deleted
            return (await client.videos.download_content(video.id, variant="thumbnail")).read()

    assert asyncio.run(made()).startswith(b"RIFF")
