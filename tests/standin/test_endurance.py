"""What a crowd of rude clients leaves behind in a running stand-in: nothing."""

from __future__ import annotations

import json
import os
import resource
import socket
import struct
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from standin.serving import serving

STREAMS = 1000
KEPT_OPEN = 30  # files of the server itself
PATIENCE_S = 30.0

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@contextmanager
def many_files() -> Iterator[None]:
    """As many open files as the system lets us have, for us and for whom we start."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def memory_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def abort(link: socket.socket) -> None:
    """Closes without a goodbye: the server is told of a reset."""
    link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    link.close()


def wait_until_all_have_gone(pid: int) -> None:
    for _ in range(int(PATIENCE_S / 0.05)):
        if len(list(Path(f"/proc/{pid}/fd").iterdir())) <= KEPT_OPEN:
            return
        time.sleep(0.05)
    raise AssertionError("connections are left open")


def request(head: str, body: bytes = b"") -> bytes:
    return f"POST /v1/chat/completions HTTP/1.1\r\nauthorization: Bearer sk-mine\r\n{head}\r\n\r\n".encode() + body


STREAM = json.dumps(
    {"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": "Hi"}], "stream": True, "ignore_eos": True,
     "max_tokens": 50}
).encode()  # fmt: skip


def test_a_thousand_aborted_streams_leave_nothing_behind() -> None:
    with many_files(), serving("--tier", "unlimited", "--itl-ms", "1000") as (process, said):
        port = int(said["base URL"].rpartition(":")[2].removesuffix("/v1"))

        def aborted() -> float:
            links = [socket.create_connection(("127.0.0.1", port)) for _ in range(STREAMS)]
            for link in links:
                link.sendall(request(f"content-length: {len(STREAM)}", STREAM))
            assert all(link.recv(1000).startswith(b"HTTP/1.1 200 OK") for link in links)
            for link in links:
                abort(link)
            wait_until_all_have_gone(process.pid)
            return memory_mb(process.pid)

        first, second = aborted(), aborted()
        assert second <= 1.1 * first


def test_bodies_that_are_too_large_or_never_end_are_not_kept() -> None:
    with serving("--tier", "unlimited") as (process, said):
        port = int(said["base URL"].rpartition(":")[2].removesuffix("/v1"))
        asked = urllib.request.Request(f"{said['base URL']}/models", headers={"authorization": "Bearer sk-mine"})
        urllib.request.urlopen(asked).close()
        before = memory_mb(process.pid)
        half = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
        for link in half:
            link.sendall(request("content-length: 1000000", bytes(900_000)))
        with socket.create_connection(("127.0.0.1", port)) as link:
            link.sendall(request("content-length: 600000000", bytes(100_000)))
            assert link.recv(1000).startswith(b"HTTP/1.1 413 ")
        for link in half:
            abort(link)
        wait_until_all_have_gone(process.pid)
        assert memory_mb(process.pid) < before + 10
