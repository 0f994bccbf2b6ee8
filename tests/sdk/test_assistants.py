"""`client.beta.assistants` against the stand-in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import openai
import pytest

MODEL = "gpt-4.1-mini"
TOOLS: Any = [{"type": "code_interpreter"}, {"type": "file_search", "file_search": {"max_num_results": 3}}]

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the whole API is


def test_an_assistant_is_made_changed_listed_and_deleted(client: openai.OpenAI) -> None:
    assistants = client.beta.assistants
    made = assistants.create(model=MODEL, name="Ada", tools=TOOLS, metadata={"a": "b"}, response_format="auto")
    assert (made.name, made.metadata, len(made.tools)) == ("Ada", {"a": "b"}, 2)
    changed = assistants.update(made.id, instructions="Be brief.", temperature=0.5)
    assert (changed.instructions, changed.temperature, changed.name) == ("Be brief.", 0.5, "Ada")
    assert assistants.retrieve(made.id) == changed
    assert made.id in [one.id for one in assistants.list(limit=100)]
    assert assistants.delete(made.id).deleted
    with pytest.raises(openai.NotFoundError, match="No assistant found"):
        assistants.retrieve(made.id)


def test_the_pages_of_a_list_are_walked_to_the_end(client: openai.OpenAI) -> None:
    made = [client.beta.assistants.create(model=MODEL).id for _ in range(5)]
    listed = [one.id for one in client.beta.assistants.list(limit=2)]
    assert listed[:5] == made[::-1]
    assert len(set(listed)) == len(listed)
    upwards = [one.id for one in client.beta.assistants.list(limit=2, order="asc")]
    assert upwards == listed[::-1]


def test_a_store_can_be_made_on_the_way(client: openai.OpenAI) -> None:
    file = client.files.create(file=("a.txt", b"The harbour opens at six."), purpose="assistants")
    made = client.beta.assistants.create(
        model=MODEL, tools=TOOLS, tool_resources={"file_search": {"vector_stores": [{"file_ids": [file.id]}]}}
    )
    assert made.tool_resources is not None
    assert made.tool_resources.file_search is not None
    (store,) = made.tool_resources.file_search.vector_store_ids or []
    assert client.vector_stores.retrieve(store).file_counts.total == 1


def test_a_model_that_there_is_not_is_refused(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="does not exist"):
        client.beta.assistants.create(model="gpt-0")


def test_the_async_client_does_all_of_it(async_client: Callable[[], openai.AsyncOpenAI]) -> None:
    async def walk() -> None:
        async with async_client() as client:
            assistants = client.beta.assistants
            made = await assistants.create(model=MODEL, description="Knows it all")
            changed = await assistants.update(made.id, name="Ada")
            assert await assistants.retrieve(made.id) == changed
            assert made.id in [one.id async for one in assistants.list(limit=3)]
            assert (await assistants.delete(made.id)).deleted

    asyncio.run(walk())
