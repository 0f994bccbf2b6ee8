"""`client.chat.completions` against the stand-in: said, streamed, parsed, kept, listed, changed, forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import openai
import pytest
from pydantic import BaseModel
from standin.asking import WEATHER

from wireproof.standin.backend import Setup
from wireproof.standin.serve import StandIn, embedded


def hello(model: str) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": "Hello"}]}


def test_a_chat_plain_and_streamed_says_the_same(client: openai.OpenAI, standin: StandIn) -> None:
    plain = client.chat.completions.create(**hello(standin.model))
    chunks = list(
        client.chat.completions.create(
            **hello(standin.model), stream=True, stream_options={"include_usage": True}
        )
    )  # fmt: skip
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert said == plain.choices[0].message.content
    # How much of the prompt was cached is another thing the second time; nothing of so short a one is.
    assert chunks[-1].usage == plain.usage


def test_the_stream_helper_accumulates_the_answer(client: openai.OpenAI, standin: StandIn) -> None:
    with client.chat.completions.stream(
        model=standin.model,
        messages=[{"role": "user", "content": "Hello"}],
        logprobs=True,
        top_logprobs=2,
    ) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_completion()
    assert {"chunk", "content.delta", "content.done", "logprobs.content.delta"} <= kinds
    assert final.choices[0].finish_reason == "stop"
    assert final.choices[0].logprobs is not None


def test_the_stream_helper_accumulates_tool_calls(client: openai.OpenAI, standin: StandIn) -> None:
    with client.chat.completions.stream(
        model=standin.model,
        messages=[{"role": "user", "content": "What is the weather?"}],
        tools=[WEATHER],
    ) as stream:
        done = [event for event in stream if event.type == "tool_calls.function.arguments.done"]
    assert [event.name for event in done] == ["get_weather"]


def test_a_conversation_with_a_tool_goes_on(client: openai.OpenAI, standin: StandIn) -> None:
    messages: Any = [{"role": "user", "content": "What is the weather?"}]
    first = client.chat.completions.create(model=standin.model, messages=messages, tools=[WEATHER])
    calls = first.choices[0].message.tool_calls
    assert calls
    messages += [first.choices[0].message, {"role": "tool", "tool_call_id": calls[0].id, "content": "sunny"}]
    second = client.chat.completions.create(model=standin.model, messages=messages, tools=[WEATHER])
    assert second.choices[0].message.content


class Address(BaseModel):
    street: str
    number: int


class Person(BaseModel):
    name: str
    age: int | None
    addresses: list[Address]


def test_a_pydantic_model_is_parsed(client: openai.OpenAI, standin: StandIn) -> None:
    answer = client.chat.completions.parse(
        model=standin.model, messages=[{"role": "user", "content": "A person"}], response_format=Person
    )
    assert isinstance(answer.choices[0].message.parsed, Person)


def test_strict_tools_of_pydantic_are_parsed(client: openai.OpenAI, standin: StandIn) -> None:
    answer = client.chat.completions.parse(
        model=standin.model,
        messages=[{"role": "user", "content": "A person"}],
        tools=[openai.pydantic_function_tool(Person)],
        tool_choice="required",
    )
    calls = answer.choices[0].message.tool_calls
    assert calls
    assert isinstance(calls[0].function.parsed_arguments, Person)


def test_a_model_that_reasons_tells_how_much(client: openai.OpenAI) -> None:
    question: Any = {"model": "o4-mini", "messages": [{"role": "user", "content": "Why?"}]}
    amounts = []
    for effort in ("low", "high"):
        usage = client.chat.completions.create(**question, reasoning_effort=effort).usage
        assert usage is not None
        assert usage.completion_tokens_details is not None
        amounts.append(usage.completion_tokens_details.reasoning_tokens or 0)
    assert 0 < amounts[0] < amounts[1]
    cut = client.chat.completions.create(**question, max_completion_tokens=10)
    assert (cut.choices[0].message.content, cut.choices[0].finish_reason) == ("", "length")
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(**question, max_tokens=10)
    assert (refused.value.param, refused.value.code) == ("max_tokens", "unsupported_parameter")


def test_a_long_prompt_is_cached_the_second_time(client: openai.OpenAI, standin: StandIn) -> None:
    messages: Any = [{"role": "user", "content": "A prompt of the client. " * 400}]
    cached = []
    for _ in range(2):
        usage = client.chat.completions.create(model=standin.model, messages=messages).usage
        assert usage is not None
        assert usage.prompt_tokens_details is not None
        cached.append(usage.prompt_tokens_details.cached_tokens)
    assert cached[0] == 0
    assert cached[1] is not None
    assert cached[1] >= 1024


def test_the_tier_that_served_is_told(client: openai.OpenAI, standin: StandIn) -> None:
    asked: tuple[Any, ...] = ("auto", "default", "flex", "scale", "priority", "fast")
    told = [client.chat.completions.create(**hello(standin.model), service_tier=tier).service_tier for tier in asked]
    assert told == ["default", "default", "flex", "scale", "priority", "priority"]


def test_stored_completions_live_and_die(client: openai.OpenAI, lenient: openai.OpenAI, standin: StandIn) -> None:
    made = [
        client.chat.completions.create(**hello(standin.model), store=True, metadata={"n": str(n)}).id for n in range(3)
    ]
    assert [row.id for row in client.chat.completions.list(limit=2)][-3:] == made
    assert [row.id for row in client.chat.completions.list(metadata={"n": "1"})][-1:] == made[1:2]
    assert client.chat.completions.retrieve(made[0]).id == made[0]
    assert [(row.role, row.content) for row in lenient.chat.completions.messages.list(made[0])] == [("user", "Hello")]
    assert client.chat.completions.update(made[0], metadata={"x": "y"}).metadata == {"x": "y"}
    for id in made:
        assert client.chat.completions.delete(id).deleted
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.retrieve(made[0])


def test_refusals_are_of_the_class_they_should_be(client: openai.OpenAI, standin: StandIn) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(**hello(standin.model), temperature=3)
    assert (refused.value.param, refused.value.request_id) != (None, None)
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="sk-wrong").models.list()
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(**hello("none"), stream=True)


def test_the_async_client_streams_side_by_side(
    async_client: Callable[[], openai.AsyncOpenAI], standin: StandIn
) -> None:
    async def words(client: openai.AsyncOpenAI) -> str:
        chunks = await client.chat.completions.create(**hello(standin.model), stream=True)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in chunks])

    async def several() -> list[str]:
        async with async_client() as client:
            return await asyncio.gather(*(words(client) for _ in range(8)))

    assert len(set(asyncio.run(several()))) == 1


def test_the_async_client_does_all_of_it(async_client: Callable[[], openai.AsyncOpenAI], standin: StandIn) -> None:
    async def walk() -> None:
        async with async_client() as client:
            kept = [await client.chat.completions.create(**hello(standin.model), store=True) for _ in range(3)]
            async with client.chat.completions.stream(**hello(standin.model)) as stream:
                final = await stream.get_final_completion()
            assert final.choices[0].message.content == kept[0].choices[0].message.content
            parsed = await client.chat.completions.parse(**hello(standin.model), response_format=Person)
            assert isinstance(parsed.choices[0].message.parsed, Person)
            listed = [row.id async for row in client.chat.completions.list(limit=2)]
            assert listed[-3:] == [one.id for one in kept]
            id = kept[0].id
            assert (await client.chat.completions.retrieve(id)).id == id
            assert (await client.chat.completions.update(id, metadata={"a": "b"})).metadata == {"a": "b"}
            # Not strict: `lenient` says why.
            async with openai.AsyncOpenAI(base_url=standin.base_url, api_key=standin.key) as loose:
                assert [row.content async for row in loose.chat.completions.messages.list(id)] == ["Hello"]
            for one in kept:
                assert (await client.chat.completions.delete(one.id)).deleted

    asyncio.run(walk())


def test_a_tier_ends_in_a_rate_limit_error_and_retries_get_through() -> None:
    with (
        embedded(Setup(tier="tier-1", scale=0.02)) as (base_url, key, model),
        openai.OpenAI(base_url=base_url, api_key=key, max_retries=0) as client,
    ):
        with pytest.raises(openai.RateLimitError) as refused:
            for _ in range(11):
                client.chat.completions.create(**hello(model))
        assert refused.value.code == "rate_limit_exceeded"
        assert int(refused.value.response.headers["retry-after"]) >= 1
        assert client.with_options(max_retries=1).chat.completions.create(**hello(model))
