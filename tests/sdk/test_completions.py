"""`client.completions` against the stand-in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import openai
import pytest
from standin.asking import LEGACY

from wireproof.standin.serve import StandIn


def test_plain_and_streamed_say_the_same(client: openai.OpenAI, lenient: openai.OpenAI) -> None:
    plain = client.completions.create(model=LEGACY, prompt="Once", logprobs=2)
    pieces = lenient.completions.create(model=LEGACY, prompt="Once", stream=True)
    assert "".join(piece.choices[0].text for piece in pieces) == plain.choices[0].text
    assert plain.choices[0].logprobs is not None


def test_an_echo_begins_with_the_prompt_and_its_first_token_has_no_logprob(lenient: openai.OpenAI) -> None:
    echoed = lenient.completions.create(model=LEGACY, prompt="Once", echo=True, logprobs=1).choices[0]
    assert echoed.text.startswith("Once")
    assert echoed.logprobs is not None
    assert (echoed.logprobs.token_logprobs or [0.0])[0] is None


def test_several_prompts_and_the_best_of_several(client: openai.OpenAI) -> None:
    answer = client.completions.create(model=LEGACY, prompt=["Red", "Blue"], n=2, best_of=3, max_tokens=4)
    assert [choice.index for choice in answer.choices] == [0, 1, 2, 3]
    assert {choice.finish_reason for choice in answer.choices} == {"length"}
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_a_chat_model_does_not_complete(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        client.completions.create(model="gpt-4.1-mini", prompt="Once")


def test_the_async_client_does_all_of_it(async_client: Callable[[], openai.AsyncOpenAI], standin: StandIn) -> None:
    async def walk() -> None:
        async with async_client() as client:
            plain = await client.completions.create(model=LEGACY, prompt="Once")
        # Not strict: `lenient` says why.
        async with openai.AsyncOpenAI(base_url=standin.base_url, api_key=standin.key) as client:
            pieces = await client.completions.create(
                model=LEGACY, prompt="Once", stream=True, stream_options={"include_usage": True}
            )
            told = [piece async for piece in pieces]
        assert "".join(choice.text for piece in told for choice in piece.choices) == plain.choices[0].text
        assert told[-1].usage == plain.usage

    asyncio.run(walk())
