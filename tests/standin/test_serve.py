"""Over a real loopback socket: what only a socket shows."""

from __future__ import annotations

import json
import socket
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest

from wireproof.standin.backend import Setup
from wireproof.standin.faults import all_faults
from wireproof.standin.serve import Server, bound, embedded, standin_at, with_faults
from wireproof.standin.wire import Answer, Ask, Frame, json_answer


def get(url: str, key: str, body: object = None) -> bytes:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"authorization": f"Bearer {key}", "content-type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return bytes(answer.read())


def test_an_embedded_stand_in_answers_at_its_base_url() -> None:
    with embedded() as (base_url, key, model):
        listed = json.loads(get(f"{base_url}/models", key))
    assert model in [card["id"] for card in listed["data"]]


def test_a_stream_ends_with_done() -> None:
    with embedded() as (base_url, key, model):
        asked = {"model": model, "messages": [{"role": "user", "content": "hi"}], "stream": True}
        assert get(f"{base_url}/chat/completions", key, asked).endswith(b"data: [DONE]\n\n")


def test_an_ipv6_address_is_bracketed_in_the_base_url() -> None:
    if not socket.has_ipv6:
        return
    try:
        listening = bound("::1", 0)
    except OSError:  # no IPv6 loopback here
        return
    with listening:
        assert standin_at(listening, Setup()).base_url.startswith("http://[::1]:")


def test_a_stand_in_on_every_address_is_reached_on_this_machine_by_one() -> None:
    with bound("0.0.0.0", 0) as listening:
        assert standin_at(listening, Setup()).base_url.startswith("http://127.0.0.1:")


def test_faults_stand_in_front_of_the_backend() -> None:
    seen: list[str] = []

    def serve(ask: Ask) -> Answer:
        seen.append(ask.path)
        return json_answer({})

    assert with_faults(serve, []) is serve
    first = next(iter(all_faults()), None)
    if first is not None:
        assert with_faults(serve, [first]) is not serve
    with pytest.raises(ValueError, match="no fault 'nope'"):
        with_faults(serve, ["nope"])


@contextmanager
def running(server: Server) -> Iterator[socket.socket]:
    """A connection to `server`, which runs until the block ends."""
    with bound("127.0.0.1", 0) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        with socket.create_connection(listening.getsockname()) as client:
            client.settimeout(5)
            yield client
        server.should_exit = True
        thread.join()


def test_a_cut_stream_closes_the_connection_without_its_end() -> None:
    with running(Server(lambda _ask: Answer(frames=[Frame(0, b"data: {}\n\n")], cut=True))) as client:
        client.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        heard = b""
        while piece := client.recv(65536):
            heard += piece
    assert b"data: {}" in heard
    assert not heard.endswith(b"0\r\n\r\n")


def test_who_asks_for_a_websocket_gets_one_when_there_is_an_app_for_it() -> None:
    async def echo(scope: Any, receive: Any, send: Any) -> None:
        assert (scope["type"], scope["path"]) == ("websocket", "/v1/realtime")
        await receive()
        await send({"type": "websocket.accept"})
        heard = await receive()
        await send({"type": "websocket.send", "text": heard["text"] + "!"})

    asked = b"GET /v1/realtime HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
    asked += b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    with running(Server(lambda _ask: json_answer({}), sockets=echo)) as client:
        client.sendall(asked[:50])
        client.sendall(asked[50:])
        assert client.recv(65536).startswith(b"HTTP/1.1 101 ")
        client.sendall(b"\x81\x82\0\0\0\0hi")  # a text frame under a mask of zeros
        assert client.recv(65536)[:5] == b"\x81\x03hi!"


def test_without_an_app_such_a_request_is_like_any_other() -> None:
    with running(Server(lambda ask: json_answer({"path": ask.path}))) as client:
        client.sendall(b"GET /v1/x HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n")
        heard = client.recv(65536)
    assert heard.startswith(b"HTTP/1.1 200 ")
    assert heard.endswith(b'{"path":"/v1/x"}')


def test_a_server_that_ends_does_not_wait_for_streams() -> None:
    endless = (Frame(50.0, b"data: {}\n\n") for _ in count())
    with running(Server(lambda _ask: Answer(frames=endless))) as client:
        client.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        assert b"data: {}" in client.recv(65536) + client.recv(65536)


def test_a_taken_port_is_an_error_at_once() -> None:
    with bound("127.0.0.1", 0) as listening, pytest.raises(OSError, match="in use"):
        bound("127.0.0.1", listening.getsockname()[1])
