"""A WebSocket over the network: what the library says becomes a line, a refusal or trouble of ours."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from wireproof.dial import opener
from wireproof.fetch import Bounds
from wireproof.talking import Closed, Declined, Line

Handler = Callable[[ServerConnection], Awaitable[None]]
BOUNDS = Bounds(connect_s=2, idle_s=2, total_s=5, most_bytes=10_000)


def port_of(server: Any) -> int:
    port: int = server.sockets[0].getsockname()[1]
    return port


def heard(handler: Handler, most: int = 10, **options: Any) -> list[Any]:
    """Whatever a client hears who listens until the end, or for `most` messages and then closes."""

    async def run() -> list[Any]:
        async with serve(handler, "127.0.0.1", 0, **options) as server:
            line = await dialled(server)
            assert not isinstance(line, Declined), line
            found: list[Any] = []
            while len(found) < most and not (found and isinstance(found[-1], Closed)):
                found.append(await line.hear(1.0))
            return found if isinstance(found[-1], Closed) else [*found, await line.close()]

    return asyncio.run(run())


async def dialled(server: Server | Any, **options: Any) -> Line | Declined:
    found: Line | Declined = await opener(proxied=False)(
        f"http://127.0.0.1:{port_of(server)}/v1/realtime?model=m",
        options.get("headers", ()),
        options.get("protocols", ()),
        BOUNDS,
    )
    return found


def declined(process: Callable[[ServerConnection, Request], Response | None]) -> Declined:
    async def run() -> Line | Declined:
        async def never(connection: ServerConnection) -> None:
            raise AssertionError

        async with serve(never, "127.0.0.1", 0, process_request=process) as server:
            return await dialled(server)

    found = asyncio.run(run())
    assert isinstance(found, Declined)
    return found


def raw(answer: bytes) -> Declined | Line:
    """What becomes of a handshake that is answered with these bytes."""

    async def run() -> Declined | Line:
        async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
            writer.close()

        async with await asyncio.start_server(answers, "127.0.0.1", 0) as server:
            return await dialled(server)

    return asyncio.run(run())


def test_messages_come_whole_pings_are_answered_and_a_close_is_told() -> None:
    async def speaks(connection: ServerConnection) -> None:
        await connection.send(["in ", "three ", "frames"])
        await (await connection.ping())
        await connection.send(b"\x00\xff")
        await connection.close(1001, "enough")

    assert heard(speaks) == ["in three frames", b"\x00\xff", Closed("server", 1001, "enough")]


def test_silence_is_none_and_a_client_may_close() -> None:
    async def waits(connection: ServerConnection) -> None:
        await connection.wait_closed()

    assert heard(waits, most=1) == [None, Closed("client", 1000, "")]


def test_a_lost_connection_is_theirs() -> None:
    async def drops(connection: ServerConnection) -> None:
        connection.transport.abort()

    end = heard(drops)[-1]
    assert (end.by, end.trouble.kind, end.trouble.theirs) == (None, "truncated", True)


def test_a_text_that_is_none_and_one_that_is_too_big_are_theirs() -> None:
    async def mumbles(connection: ServerConnection) -> None:
        await connection.send(b"\xff\xfe", text=True)
        await connection.wait_closed()

    async def shouts(connection: ServerConnection) -> None:
        await connection.send("x" * 20_000)
        await connection.wait_closed()

    assert heard(mumbles)[-1].trouble.kind == "garbage"
    assert heard(shouts)[-1].trouble.kind == "oversized"


def test_headers_and_protocols_go_out_and_the_chosen_one_comes_back() -> None:
    asked: list[Request] = []

    async def run() -> Line | Declined:
        async def quiet(connection: ServerConnection) -> None:
            assert connection.request is not None
            asked.append(connection.request)

        async with serve(quiet, "127.0.0.1", 0, subprotocols=["realtime"]) as server:  # type: ignore[list-item]
            return await dialled(server, headers=(("authorization", "Bearer k"),), protocols=("realtime", "key.k"))

    line = asyncio.run(run())
    assert not isinstance(line, Declined) and line.protocol == "realtime" and line.status == 101
    assert asked[0].headers["authorization"] == "Bearer k"
    assert asked[0].headers["sec-websocket-protocol"] == "realtime, key.k"
    assert "sec-websocket-extensions" not in asked[0].headers


def test_a_refusal_has_its_status_and_body() -> None:
    found = declined(lambda connection, request: connection.respond(HTTPStatus.UNAUTHORIZED, '{"error": {}}'))
    assert (found.status, found.body, found.trouble) == (401, b'{"error": {}}', None)


def test_a_redirect_is_not_followed() -> None:
    def elsewhere(connection: ServerConnection, request: Request) -> Response:
        answer = connection.respond(HTTPStatus.FOUND, "")
        answer.headers["location"] = "/v1/realtime"
        return answer

    found = declined(elsewhere)
    assert found.status == 302 and found.trouble is not None and found.trouble.kind == "redirect"


@pytest.mark.parametrize(
    ("answer", "status", "kind"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", 200, None),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", 101, "garbage"),
        (b"no HTTP at all\r\n\r\n", None, "garbage"),
        (b"", None, "dropped"),
    ],
)
def test_an_answer_that_is_no_upgrade(answer: bytes, status: int | None, kind: str | None) -> None:
    found = raw(answer)
    assert isinstance(found, Declined)
    assert (found.status, found.trouble and found.trouble.kind) == (status, kind)


def test_nobody_there_is_unreachable() -> None:
    async def run() -> Line | Declined:
        async with serve(lambda connection: asyncio.sleep(0), "127.0.0.1", 0) as server:
            port = port_of(server)
        found: Line | Declined = await opener(proxied=False)(f"http://127.0.0.1:{port}/v1/x", (), (), BOUNDS)
        return found

    found = asyncio.run(run())
    assert isinstance(found, Declined) and found.trouble is not None and found.trouble.kind == "unreachable"
