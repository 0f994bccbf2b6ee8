"""`client.uploads` against the stand-in, by hand and by the helper that cuts a file into parts."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path

import openai
import pytest

WHOLE = bytes(range(256)) * 40


def test_parts_sent_in_any_order_become_a_file(client: openai.OpenAI) -> None:
    upload = client.uploads.create(filename="a.bin", purpose="user_data", bytes=6, mime_type="text/plain")
    late = client.uploads.parts.create(upload.id, data=b"def")
    early = client.uploads.parts.create(upload.id, data=b"abc")
    assert (upload.status, early.upload_id) == ("pending", upload.id)
    done = client.uploads.complete(upload.id, part_ids=[early.id, late.id], md5=hashlib.md5(b"abcdef").hexdigest())
    assert done.status == "completed"
    assert done.file is not None
    assert client.files.content(done.file.id).read() == b"abcdef"


@pytest.mark.parametrize("from_disk", [True, False])
def test_the_helper_cuts_a_file_into_parts(client: openai.OpenAI, tmp_path: Path, from_disk: bool) -> None:
    path = tmp_path / "big.bin"
    path.write_bytes(WHOLE)
    done = (
        client.uploads.upload_file_chunked(file=path, mime_type="text/plain", purpose="user_data", part_size=1000)
        if from_disk
        else client.uploads.upload_file_chunked(
            file=WHOLE, filename="big.bin", bytes=len(WHOLE), mime_type="text/plain", purpose="user_data",
            part_size=4096, md5=hashlib.md5(WHOLE).hexdigest(),
        )
    )  # fmt: skip
    assert done.file is not None
    assert (done.file.filename, done.file.bytes) == ("big.bin", len(WHOLE))
    assert client.files.content(done.file.id).read() == WHOLE


def test_a_cancelled_upload_takes_no_more(client: openai.OpenAI) -> None:
    upload = client.uploads.create(filename="a.bin", purpose="vision", bytes=6, mime_type="image/png")
    assert client.uploads.cancel(upload.id).status == "cancelled"
    with pytest.raises(openai.BadRequestError):
        client.uploads.parts.create(upload.id, data=b"abc")


def test_the_async_client_does_all_of_it(async_client: Callable[[], openai.AsyncOpenAI]) -> None:
    async def walk() -> None:
        async with async_client() as client:
            upload = await client.uploads.create(
                filename="a", purpose="user_data", bytes=3, mime_type="text/plain"
            )  # fmt: skip
            part = await client.uploads.parts.create(upload.id, data=b"abc")
            assert (await client.uploads.complete(upload.id, part_ids=[part.id])).status == "completed"
            other = await client.uploads.create(filename="a", purpose="user_data", bytes=3, mime_type="text/plain")
            assert (await client.uploads.cancel(other.id)).status == "cancelled"
            cut = await client.uploads.upload_file_chunked(
                file=WHOLE, filename="b", bytes=len(WHOLE), mime_type="text/plain", purpose="user_data", part_size=5000
            )
            assert cut.file is not None
            assert (await client.files.content(cut.file.id)).read() == WHOLE

    asyncio.run(walk())
