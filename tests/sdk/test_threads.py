"""`client.beta.threads` and its messages against the stand-in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import openai
import pytest

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the whole API is


def said(message: Any) -> str:
    return "".join(part.text.value for part in message.content if part.type == "text")


def test_a_thread_is_made_changed_read_and_deleted(client: openai.OpenAI) -> None:
    threads = client.beta.threads
    made = threads.create(messages=[{"role": "user", "content": "Hello"}], metadata={"a": "b"})
    assert threads.retrieve(made.id) == made
    assert threads.update(made.id, metadata={"c": "d"}).metadata == {"c": "d"}
    assert threads.delete(made.id).deleted
    with pytest.raises(openai.NotFoundError, match="No thread found"):
        threads.retrieve(made.id)


def test_a_message_is_made_changed_read_and_deleted(client: openai.OpenAI) -> None:
    thread, messages = client.beta.threads.create().id, client.beta.threads.messages
    file = client.files.create(file=("a.txt", b"The harbour opens at six."), purpose="assistants").id
    parts: Any = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}},
        {"type": "image_file", "image_file": {"file_id": file}},
    ]
    attached: Any = [{"file_id": file, "tools": [{"type": "file_search"}, {"type": "code_interpreter"}]}]
    made = messages.create(thread, role="user", content=parts, attachments=attached)
    assert [part.type for part in made.content] == ["text", "image_url", "image_file"]
    assert made.attachments is not None
    assert made.attachments[0].file_id == file
    assert messages.retrieve(made.id, thread_id=thread) == made
    assert messages.update(made.id, thread_id=thread, metadata={"a": "b"}).metadata == {"a": "b"}
    assert messages.delete(made.id, thread_id=thread).deleted
    with pytest.raises(openai.NotFoundError, match="No message found"):
        messages.retrieve(made.id, thread_id=thread)


def test_the_pages_of_a_thread_are_walked_to_the_end(client: openai.OpenAI) -> None:
    texts = [str(number) for number in range(7)]
    thread = client.beta.threads.create(messages=[{"role": "user", "content": text} for text in texts]).id
    messages = client.beta.threads.messages
    assert [said(one) for one in messages.list(thread, limit=3)] == texts[::-1]
    assert [said(one) for one in messages.list(thread, limit=3, order="asc")] == texts
    newest = messages.list(thread, limit=3)
    assert newest.has_more
    assert [said(one) for one in messages.list(thread, before=newest.data[-1].id)] == ["6", "5"]


def test_the_async_client_does_all_of_it(async_client: Callable[[], openai.AsyncOpenAI]) -> None:
    async def walk() -> None:
        async with async_client() as client:
            threads = client.beta.threads
            thread = await threads.create()
            assert await threads.retrieve(thread.id) == thread
            assert (await threads.update(thread.id, metadata={"a": "b"})).metadata == {"a": "b"}
            made = await threads.messages.create(thread.id, role="user", content="Hello")
            assert await threads.messages.retrieve(made.id, thread_id=thread.id) == made
            changed = await threads.messages.update(made.id, thread_id=thread.id, metadata={"a": "b"})
            assert [one async for one in threads.messages.list(thread.id)] == [changed]
            assert (await threads.messages.delete(made.id, thread_id=thread.id)).deleted
            assert (await threads.delete(thread.id)).deleted

    asyncio.run(walk())
