"""`client.files` against the stand-in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import openai
import pytest


def test_a_file_is_sent_read_listed_and_deleted(client: openai.OpenAI, tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b'{"a": 1}\n')
    made = client.files.create(file=path, purpose="batch")
    assert (made.filename, made.bytes, made.status) == ("lines.jsonl", 9, "processed")
    assert client.files.retrieve(made.id) == made
    assert client.files.content(made.id).read() == b'{"a": 1}\n'
    assert made.id in [file.id for file in client.files.list(purpose="batch")]
    assert client.files.delete(made.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.content(made.id)


def test_the_pages_of_a_list_are_walked_to_the_end(client: openai.OpenAI) -> None:
    made = [client.files.create(file=(f"{n}.txt", b"x"), purpose="assistants").id for n in range(7)]
    listed = [file.id for file in client.files.list(purpose="assistants", limit=3, order="asc")]
    assert listed[-7:] == made
    assert len(set(listed)) == len(listed)


def test_an_expiry_travels_in_the_form(client: openai.OpenAI) -> None:
    made = client.files.create(
        file=("a.txt", b"x"), purpose="user_data", expires_after={"anchor": "created_at", "seconds": 3600}
    )
    assert made.expires_at == made.created_at + 3600


def test_waiting_for_processing_ends(client: openai.OpenAI) -> None:
    made = client.files.create(file=("a.jsonl", b"{}"), purpose="fine-tune")
    assert client.files.wait_for_processing(made.id, poll_interval=0.02).status == "processed"


def test_a_file_for_a_batch_must_be_jsonl(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match=r"Must be \.jsonl"):
        client.files.create(file=("a.csv", b"x"), purpose="batch")


def test_the_async_client_does_all_of_it(async_client: Callable[[], openai.AsyncOpenAI]) -> None:
    async def walk() -> None:
        async with async_client() as client:
            made = await client.files.create(file=("a.bin", bytes(range(256))), purpose="vision")
            assert (await client.files.retrieve(made.id)).id == made.id
            assert (await client.files.content(made.id)).read() == bytes(range(256))
            assert [file.id async for file in client.files.list(purpose="vision", limit=1)] == [made.id]
            assert (await client.files.delete(made.id)).deleted

    asyncio.run(walk())
