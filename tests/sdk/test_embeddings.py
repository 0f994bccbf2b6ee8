"""`client.embeddings` against the stand-in."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any

import openai
import pytest
from standin.asking import EMBEDDING


def test_they_come_in_base64_by_default_and_in_floats_when_asked(client: openai.OpenAI, lenient: openai.OpenAI) -> None:
    default = lenient.embeddings.create(model=EMBEDDING, input=["river", "stone"], dimensions=64)
    floats = client.embeddings.create(model=EMBEDDING, input=["river", "stone"], dimensions=64, encoding_format="float")
    for one, other in zip(default.data, floats.data, strict=True):
        assert one.embedding == pytest.approx(other.embedding)
        assert math.hypot(*one.embedding) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(("model", "size"), [(EMBEDDING, 1536), ("text-embedding-3-large", 3072)])
def test_each_model_has_its_own_dimensions(client: openai.OpenAI, model: str, size: int) -> None:
    answer = client.embeddings.create(model=model, input="river", encoding_format="float")
    assert len(answer.data[0].embedding) == size
    assert answer.usage.total_tokens == answer.usage.prompt_tokens > 0


def test_more_dimensions_than_there_are_are_refused(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.embeddings.create(model=EMBEDDING, input="river", dimensions=1537)
    assert refused.value.param == "dimensions"


def test_the_async_client_embeds_too(async_client: Callable[[], openai.AsyncOpenAI], client: openai.OpenAI) -> None:
    asked: Any = {"model": EMBEDDING, "input": [[1, 2, 3]], "encoding_format": "float"}

    async def one() -> list[float]:
        async with async_client() as client:
            return (await client.embeddings.create(**asked)).data[0].embedding

    assert asyncio.run(one()) == client.embeddings.create(**asked).data[0].embedding
