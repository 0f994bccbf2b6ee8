"""A client of a connection without a socket: bytes in, writes out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from wireproof.standin.connection import Connection
from wireproof.standin.floor import Floor
from wireproof.standin.wire import Answer, Serve

GET = b"GET /v1/x HTTP/1.1\r\nhost: x\r\n\r\n"
POST = b"POST /v1/x HTTP/1.1\r\nhost: x\r\ncontent-length: "


class Wire(asyncio.Transport):
    """A transport that keeps what is written, write by write."""

    guest: Connection

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.is_closed = self.is_aborted = self.has_said_all = self.is_reading_paused = False

    def write(self, data: Any) -> None:
        self.writes.append(bytes(data))

    def write_eof(self) -> None:
        self.has_said_all = True

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_aborted = True

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        assert high == 0

    def pause_reading(self) -> None:
        self.is_reading_paused = True

    def resume_reading(self) -> None:
        self.is_reading_paused = False

    @property
    def said(self) -> bytes:
        return b"".join(self.writes)


def talk(
    serve: Serve | Answer,
    *said: bytes,
    then: Callable[[Connection, Wire], None] = lambda _connection, _wire: None,
    until: Callable[[Wire], bool] | None = None,
    books: Sequence[Any] = (),
    on: Wire | None = None,
) -> Wire:
    """What is on the wire after a client `said` this and the loop came to rest, or `until`; then `then`, and rest."""
    wire = on or Wire()

    async def rest() -> None:
        for _ in range(50):
            await asyncio.sleep(0)
        while until is not None and not until(wire):
            await asyncio.sleep(0.001)

    async def spoken() -> None:
        called = serve if callable(serve) else lambda _ask: serve
        floor = Floor(called, asyncio.get_running_loop(), lambda *of: tuple(book.begin(*of) for book in books))
        guest = wire.guest = Connection(floor)
        guest.connection_made(wire)
        for piece in said:
            guest.data_received(piece)
        await rest()
        then(guest, wire)
        await rest()
        floor.guests.clear()  # those it would hang up on
        floor.close()

    asyncio.run(asyncio.wait_for(spoken(), 5))
    return wire


def head_of(wire: Wire) -> str:
    return wire.said.partition(b"\r\n\r\n")[0].decode()


def is_over(wire: Wire) -> bool:
    return wire.said.endswith(b"0\r\n\r\n")
