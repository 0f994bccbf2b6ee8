"""The official client against the stand-in, over a real loopback socket: what it parses is what people get."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from pydantic import BaseModel
from standin.asking import EMBEDDING, LEGACY, WEATHER

from wireproof.standin.backend import Setup
from wireproof.standin.serve import StandIn, embedded


@pytest.fixture(scope="module")
def standin() -> Iterator[StandIn]:
    with embedded() as running:
        yield running


@pytest.fixture
def client(standin: StandIn) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=standin.base_url, api_key=standin.key, max_retries=0) as client:
        yield client


def hello(model: str) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": "Hello"}]}


def test_models_are_listed_and_retrieved(client: openai.OpenAI, standin: StandIn) -> None:
    assert standin.model in [model.id for model in client.models.list()]
    assert client.models.retrieve(standin.model).id == standin.model
    with pytest.raises(openai.NotFoundError) as refused:
        client.models.retrieve("none")
    assert refused.value.code == "model_not_found"


def test_a_chat_plain_and_streamed_says_the_same(client: openai.OpenAI, standin: StandIn) -> None:
    plain = client.chat.completions.create(**hello(standin.model))
    chunks = list(
        client.chat.completions.create(
            **hello(standin.model), stream=True, stream_options={"include_usage": True}
        )
    )  # fmt: skip
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert said == plain.choices[0].message.content
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


def test_embeddings_come_in_base64_by_default_and_in_floats_when_asked(client: openai.OpenAI) -> None:
    default = client.embeddings.create(model=EMBEDDING, input=["river", "stone"], dimensions=64)
    floats = client.embeddings.create(model=EMBEDDING, input=["river", "stone"], dimensions=64, encoding_format="float")
    for one, other in zip(default.data, floats.data, strict=True):
        assert one.embedding == pytest.approx(other.embedding)
        assert math.hypot(*one.embedding) == pytest.approx(1, abs=1e-6)


def test_legacy_completions_plain_and_streamed(client: openai.OpenAI) -> None:
    plain = client.completions.create(model=LEGACY, prompt="Once", echo=True, logprobs=2)
    pieces = client.completions.create(model=LEGACY, prompt="Once", echo=True, stream=True)
    assert "".join(piece.choices[0].text for piece in pieces) == plain.choices[0].text


def test_stored_completions_live_and_die(client: openai.OpenAI, standin: StandIn) -> None:
    made = [
        client.chat.completions.create(**hello(standin.model), store=True, metadata={"n": str(n)}).id for n in range(3)
    ]
    assert [row.id for row in client.chat.completions.list(limit=2)][-3:] == made
    assert [row.id for row in client.chat.completions.list(metadata={"n": "1"})] == made[1:2]
    assert client.chat.completions.retrieve(made[0]).id == made[0]
    assert [row.content for row in client.chat.completions.messages.list(made[0])] == ["Hello"]
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


def test_the_async_client_streams_side_by_side(standin: StandIn) -> None:
    async def words(client: openai.AsyncOpenAI) -> str:
        chunks = await client.chat.completions.create(**hello(standin.model), stream=True)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in chunks])

    async def several() -> list[str]:
        async with openai.AsyncOpenAI(base_url=standin.base_url, api_key=standin.key) as client:
            return await asyncio.gather(*(words(client) for _ in range(8)))

    assert len(set(asyncio.run(several()))) == 1


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
