"""Moderations through the official client."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import openai
from openai.types import ModerationMultiModalInputParam

PARTS: list[ModerationMultiModalInputParam] = [
    {"type": "text", "text": "What is this?"},
    {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
]


def test_texts_and_parts_are_judged(client: openai.OpenAI) -> None:
    found = client.moderations.create(input=["A calm morning", "I will kill you"], model="omni-moderation-latest")
    assert [one.flagged for one in found.results] == [False, True]
    assert found.results[1].categories.violence
    assert found.results[1].category_scores.violence > 0.5
    parts = client.moderations.create(input=PARTS)
    assert parts.results[0].category_applied_input_types.violence == ["text", "image"]


def test_a_text_model_fits_the_same_types(client: openai.OpenAI) -> None:
    found = client.moderations.create(input="Hello", model="text-moderation-latest")
    assert found.results[0].categories.illicit is None


def test_the_async_client_gets_the_same(async_client: Callable[[], openai.AsyncOpenAI]) -> None:
    async def judged() -> bool:
        async with async_client() as client:
            return (await client.moderations.create(input="You idiot")).results[0].categories.harassment

    assert asyncio.run(judged())
