"""Over a real loopback socket: what only a socket shows."""

from __future__ import annotations

import json
import socket
import threading
import urllib.request

import pytest

from wireproof.standin.backend import Setup
from wireproof.standin.faults import all_faults
from wireproof.standin.serve import bound, embedded, standin_at, uvicorn_server, with_faults
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


def test_a_cut_stream_closes_the_connection_without_its_end() -> None:
    listening = bound("127.0.0.1", 0)
    server = uvicorn_server(lambda _ask: Answer(frames=[Frame(0, b"data: {}\n\n")], cut=True))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    with socket.create_connection(listening.getsockname()) as client:
        client.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        heard = b""
        while piece := client.recv(65536):
            heard += piece
    server.should_exit = True
    thread.join()
    listening.close()
    assert b"data: {}" in heard
    assert not heard.endswith(b"0\r\n\r\n")


def test_a_taken_port_is_an_error_at_once() -> None:
    with bound("127.0.0.1", 0) as listening, pytest.raises(OSError, match="in use"):
        bound("127.0.0.1", listening.getsockname()[1])
