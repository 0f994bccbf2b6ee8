"""`client.containers` against the stand-in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import openai
import pytest

from wireproof.standin.serve import StandIn

BYTES = bytes(range(256))


def test_a_container_is_made_listed_and_deleted(client: openai.OpenAI) -> None:
    file = client.files.create(file=("rain.txt", b"Rain."), purpose="user_data")
    made = client.containers.create(
        name="Room",
        file_ids=[file.id],
        expires_after={"anchor": "last_active_at", "minutes": 5},
        memory_limit="4g",
        network_policy={"type": "allowlist", "allowed_domains": ["example.com"]},
    )
    assert (made.status, made.memory_limit) == ("running", "4g")
    assert made.expires_after is not None
    assert made.expires_after.minutes == 5
    assert client.containers.retrieve(made.id).id == made.id
    others = [client.containers.create(name="Other").id for _ in range(3)]
    assert [one.id for one in client.containers.list(limit=2)][:4] == [*reversed(others), made.id]
    assert [one.id for one in client.containers.list(name="Other", order="asc")][-3:] == others
    assert [one.bytes for one in client.containers.files.list(made.id)] == [5]
    client.containers.delete(made.id)
    with pytest.raises(openai.NotFoundError):
        client.containers.retrieve(made.id)


def test_files_go_in_and_come_out_byte_for_byte(client: openai.OpenAI) -> None:
    room = client.containers.create(name="Room").id
    sent = client.containers.files.create(room, file=("data.bin", BYTES))
    assert (sent.bytes, sent.source) == (256, "user")
    copied = client.containers.files.create(
        room, file_id=client.files.create(file=("rain.txt", b"Rain."), purpose="user_data").id
    )
    assert client.containers.files.content.retrieve(sent.id, container_id=room).read() == BYTES
    assert client.containers.files.retrieve(copied.id, container_id=room).path.endswith("rain.txt")
    assert [one.id for one in client.containers.files.list(room, limit=1)] == [copied.id, sent.id]
    client.containers.files.delete(sent.id, container_id=room)
    with pytest.raises(openai.NotFoundError):
        client.containers.files.content.retrieve(sent.id, container_id=room)


def test_the_async_client_does_it_too(async_client: Callable[[], openai.AsyncOpenAI], standin: StandIn) -> None:
    async def run() -> bytes:
        async with async_client() as client:
            room = await client.containers.create(name="Room")
            file = await client.containers.files.create(room.id, file=("data.bin", BYTES))
            assert [one.id async for one in client.containers.files.list(room.id)] == [file.id]
            content = await client.containers.files.content.retrieve(file.id, container_id=room.id)
            await client.containers.delete(room.id)
            return content.content

    assert asyncio.run(run()) == BYTES
