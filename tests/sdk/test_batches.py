"""`client.batches` against the stand-in."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable

import openai
import pytest
from openai.types import Batch

from wireproof.standin.serve import StandIn

LONG_ENOUGH_S = 10


def lines(model: str, *texts: str) -> bytes:
    return "".join(
        json.dumps(
            {
                "custom_id": text,
                "method": "POST",
                "url": "/v1/chat/completions",
                "body": {"model": model, "messages": [{"role": "user", "content": text}]},
            }
        )
        + "\n"
        for text in texts
    ).encode()


def many(model: str) -> bytes:
    """So many that they are not done before a test could ask for something else."""
    return lines(model, *map(str, range(4000)))


def begun(client: openai.OpenAI, data: bytes) -> Batch:
    file = client.files.create(file=("in.jsonl", data), purpose="batch")
    return client.batches.create(
        input_file_id=file.id,
        endpoint="/v1/chat/completions",
        completion_window="24h",
        metadata={"job": "7"},
        output_expires_after={"anchor": "created_at", "seconds": 3600},
    )


def ended(client: openai.OpenAI, batch: Batch) -> Batch:
    until = time.monotonic() + LONG_ENOUGH_S
    while batch.status not in ("completed", "failed", "cancelled", "expired") and time.monotonic() < until:
        batch = client.batches.retrieve(batch.id)
    return batch


def test_a_batch_is_begun_followed_and_read(client: openai.OpenAI, standin: StandIn) -> None:
    batch = begun(client, lines(standin.model, "red", "blue"))
    assert (batch.status, batch.metadata) == ("validating", {"job": "7"})
    batch = ended(client, batch)
    assert batch.status == "completed"
    assert batch.request_counts is not None
    assert (batch.request_counts.completed, batch.request_counts.failed) == (2, 0)
    assert batch.usage is not None
    assert batch.usage.total_tokens == batch.usage.input_tokens + batch.usage.output_tokens
    assert batch.output_file_id is not None
    told = [json.loads(line) for line in client.files.content(batch.output_file_id).iter_lines()]
    assert {line["custom_id"] for line in told} == {"red", "blue"}
    assert batch.id in [one.id for one in client.batches.list(limit=1)]


def test_a_bad_file_fails_with_its_lines(client: openai.OpenAI, standin: StandIn) -> None:
    batch = ended(client, begun(client, lines(standin.model, "red", "red") + b"no json\n"))
    assert batch.status == "failed"
    assert batch.errors is not None
    assert [(one.code, one.line) for one in batch.errors.data or ()] == [
        ("duplicate_custom_id", 2),
        ("invalid_json_line", 3),
    ]


def test_a_batch_is_cancelled_once(client: openai.OpenAI, standin: StandIn) -> None:
    batch = begun(client, many(standin.model))
    assert client.batches.cancel(batch.id).status == "cancelling"
    batch = ended(client, batch)
    assert batch.status == "cancelled"
    with pytest.raises(openai.ConflictError):
        client.batches.cancel(batch.id)


def test_the_async_client_does_all_of_it(async_client: Callable[[], openai.AsyncOpenAI], standin: StandIn) -> None:
    async def walk() -> None:
        async with async_client() as client:

            async def begin(data: bytes) -> Batch:
                file = await client.files.create(file=("in.jsonl", data), purpose="batch")
                return await client.batches.create(
                    input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h"
                )

            made = [await begin(lines(standin.model, "red")) for _ in range(3)]
            listed = [batch.id async for batch in client.batches.list(limit=2)]
            assert listed[:3] == [batch.id for batch in made][::-1]
            assert (await client.batches.retrieve(made[0].id)).id == made[0].id
            assert (await client.batches.cancel((await begin(many(standin.model))).id)).status == "cancelling"

    asyncio.run(walk())
