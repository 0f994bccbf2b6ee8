"""`client.vector_stores` against the stand-in: every operation, its poll helpers, its iterators."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from io import BytesIO

import openai
import pytest

from wireproof.standin.serve import StandIn, embedded

REFUNDS = b"Refunds are paid within ten days of the return of the goods."
MOON = b"The moon is a long way off, and nobody lives there."


def named(name: str, data: bytes) -> BytesIO:
    file = BytesIO(data)
    file.name = name
    return file


def filed(client: openai.OpenAI, data: bytes = MOON, name: str = "moon.md") -> str:
    return client.files.create(file=(name, data), purpose="assistants").id


def test_a_store_is_made_changed_listed_and_deleted(client: openai.OpenAI) -> None:
    store = client.vector_stores.create(
        name="Shelf",
        description="Books",
        expires_after={"anchor": "last_active_at", "days": 7},
        metadata={"shelf": "1"},
        file_ids=[filed(client)],
        chunking_strategy={"type": "static", "static": {"max_chunk_size_tokens": 200, "chunk_overlap_tokens": 50}},
    )
    assert store.expires_at is not None
    assert store.last_active_at is not None
    assert store.expires_at - store.last_active_at == 7 * 86_400
    assert client.vector_stores.retrieve(store.id).metadata == {"shelf": "1"}
    changed = client.vector_stores.update(store.id, name="Rack", expires_after=None)
    assert (changed.name, changed.expires_after) == ("Rack", None)
    others = [client.vector_stores.create().id for _ in range(3)]
    listed = [one.id for one in client.vector_stores.list(limit=2)]
    assert listed[:4] == [*reversed(others), store.id]
    assert client.vector_stores.delete(store.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.vector_stores.retrieve(store.id)


def test_files_are_polled_until_they_are_in(client: openai.OpenAI) -> None:
    store = client.vector_stores.create()
    file = client.vector_stores.files.create_and_poll(
        filed(client, REFUNDS, "refunds.md"), vector_store_id=store.id, attributes={"year": 2026, "draft": False}
    )
    assert (file.status, file.usage_bytes, file.last_error) == ("completed", len(REFUNDS), None)
    assert file.attributes == {"year": 2026, "draft": False}
    uploaded = client.vector_stores.files.upload_and_poll(vector_store_id=store.id, file=named("moon.md", MOON))
    assert uploaded.status == "completed"
    bad = client.vector_stores.files.upload_and_poll(vector_store_id=store.id, file=named("moon.png", b"\x89PNG"))
    assert bad.last_error is not None
    assert (bad.status, bad.last_error.code) == ("failed", "unsupported_file")
    assert [one.id for one in client.vector_stores.files.list(store.id, limit=1)] == [bad.id, uploaded.id, file.id]
    assert [one.id for one in client.vector_stores.files.list(store.id, filter="failed")] == [bad.id]
    counts = client.vector_stores.retrieve(store.id).file_counts
    assert (counts.completed, counts.failed, counts.total) == (2, 1, 3)


def test_files_are_labelled_read_and_taken_out(client: openai.OpenAI) -> None:
    store = client.vector_stores.create()
    file = client.vector_stores.files.create_and_poll(filed(client), vector_store_id=store.id)
    files = client.vector_stores.files
    assert files.update(file.id, vector_store_id=store.id, attributes={"kind": "note"}).attributes == {"kind": "note"}
    assert files.retrieve(file.id, vector_store_id=store.id).attributes == {"kind": "note"}
    assert [part.text for part in files.content(file.id, vector_store_id=store.id)] == [MOON.decode()]
    assert files.delete(file.id, vector_store_id=store.id).deleted
    with pytest.raises(openai.NotFoundError):
        files.retrieve(file.id, vector_store_id=store.id)
    assert client.files.retrieve(file.id).filename == "moon.md"


def test_a_search_finds_and_filters(client: openai.OpenAI) -> None:
    store = client.vector_stores.create()
    for name, data, year in (("moon.md", MOON, 2020), ("refunds.md", REFUNDS, 2026)):
        client.vector_stores.files.create_and_poll(
            filed(client, data, name), vector_store_id=store.id, attributes={"year": year}
        )
    found = list(client.vector_stores.search(store.id, query="When are refunds paid?", rewrite_query=True))
    assert [one.filename for one in found] == ["refunds.md", "moon.md"]
    assert found[0].content[0].text == REFUNDS.decode()
    assert found[0].score > found[1].score
    older = client.vector_stores.search(
        store.id,
        query=["refunds", "moon"],
        max_num_results=50,
        ranking_options={"ranker": "none", "score_threshold": 0.1},
        filters={"type": "or", "filters": [{"type": "lt", "key": "year", "value": 2021}]},
    )
    assert [one.attributes for one in older] == [{"year": 2020}]


def test_a_batch_is_polled_until_all_of_it_is_in(client: openai.OpenAI) -> None:
    store = client.vector_stores.create()
    batch = client.vector_stores.file_batches.upload_and_poll(
        store.id, files=[named("moon.md", MOON), named("refunds.md", REFUNDS)], file_ids=[filed(client)]
    )
    assert (batch.status, batch.file_counts.completed, batch.file_counts.total) == ("completed", 3, 3)
    batches = client.vector_stores.file_batches
    listed = list(batches.list_files(batch.id, vector_store_id=store.id, limit=2))
    assert {one.status for one in listed} == {"completed"}
    assert len({one.id for one in listed}) == 3
    assert not list(batches.list_files(batch.id, vector_store_id=store.id, filter="cancelled"))
    polled = batches.create_and_poll(store.id, file_ids=[filed(client), filed(client, b"\0", "a.bin")])
    assert (polled.file_counts.completed, polled.file_counts.failed) == (1, 1)


def test_a_batch_is_cancelled() -> None:
    # At the ordinary pace: elsewhere a batch may be over before it can be cancelled.
    with (
        embedded() as standin,
        openai.OpenAI(base_url=standin.base_url, api_key=standin.key, _strict_response_validation=True) as client,
    ):
        store = client.vector_stores.create()
        ids = [filed(client) for _ in range(3)]
        batches = client.vector_stores.file_batches
        batch = batches.create(store.id, files=[{"file_id": id} for id in ids])
        assert batches.retrieve(batch.id, vector_store_id=store.id).id == batch.id
        cancelled = batches.cancel(batch.id, vector_store_id=store.id)
    assert cancelled.status == "cancelled"
    assert cancelled.file_counts.in_progress == 0


def test_the_async_client_does_it_too(async_client: Callable[[], openai.AsyncOpenAI], standin: StandIn) -> None:
    async def run() -> tuple[list[str], list[str], str]:
        async with async_client() as client:
            store = await client.vector_stores.create(name="Async")
            batch = await client.vector_stores.file_batches.upload_and_poll(
                store.id, files=[named("moon.md", MOON), named("refunds.md", REFUNDS)]
            )
            await client.vector_stores.files.upload_and_poll(vector_store_id=store.id, file=named("rain.md", b"Rain."))
            found = [one.filename async for one in client.vector_stores.search(store.id, query="refund")]
            files = [str(one.status) async for one in client.vector_stores.files.list(store.id, limit=1)]
            await client.vector_stores.delete(store.id)
            return found, files, batch.status

    found, files, status = asyncio.run(run())
    assert (found[0], len(found)) == ("refunds.md", 3)
    assert (files, status) == (["completed"] * 3, "completed")
