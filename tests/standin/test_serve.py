"""Over a real loopback socket: what only a socket shows."""

from __future__ import annotations

import json
import socket
import urllib.request

from wireproof.standin.serve import bound, embedded, standin_at


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
    from wireproof.standin.backend import Setup

    with listening:
        assert standin_at(listening, Setup()).base_url.startswith("http://[::1]:")
