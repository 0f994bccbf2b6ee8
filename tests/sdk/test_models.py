"""`client.models` against the stand-in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import openai
import pytest

from wireproof.standin.serve import StandIn


def test_models_are_listed_and_retrieved(client: openai.OpenAI, standin: StandIn) -> None:
    assert standin.model in [model.id for model in client.models.list()]
    assert client.models.retrieve(standin.model).id == standin.model
    with pytest.raises(openai.NotFoundError) as refused:
        client.models.retrieve("none")
    assert refused.value.code == "model_not_found"


def test_a_model_that_was_not_tuned_here_cannot_be_deleted(client: openai.OpenAI, standin: StandIn) -> None:
    with pytest.raises(openai.PermissionDeniedError):
        client.models.delete(standin.model)


def test_the_async_client_does_all_of_it(async_client: Callable[[], openai.AsyncOpenAI], standin: StandIn) -> None:
    async def walk() -> None:
        async with async_client() as client:
            assert standin.model in [model.id async for model in client.models.list()]
            assert (await client.models.retrieve(standin.model)).id == standin.model
            with pytest.raises(openai.PermissionDeniedError):
                await client.models.delete(standin.model)

    asyncio.run(walk())
