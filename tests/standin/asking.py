"""Requests to a backend without a socket, for the tests of this folder."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from conforming import breaches

from wireproof.standin.backend import DEFAULT_KEY, Backend, Setup
from wireproof.standin.wire import Answer, Ask, events_of

CHAT = "gpt-4.1-mini"
LEGACY = "gpt-3.5-turbo-instruct"
EMBEDDING = "text-embedding-3-small"
BEARER = (("authorization", f"Bearer {DEFAULT_KEY}"),)
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class Checked(Backend):
    """Holds every answer it gives against the description."""

    def answer(self, ask: Ask) -> Answer:
        answer = super().answer(ask)
        assert breaches(ask, answer) == []
        return answer


def backend(setup: Setup | None = None, clock: Clock | None = None) -> Backend:
    return Checked(setup, clock=clock or Clock(), boot="test")


def ask(method: str, path: str, body: Any = None, *, key: str | None = DEFAULT_KEY, **query: str) -> Ask:
    headers = (("authorization", f"Bearer {key}"),) if key else ()
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return Ask(method, f"/v1{path}", tuple(query.items()), headers, raw)


def form(path: str, fields: Mapping[str, str | tuple[str, bytes]], *more: tuple[str, str | tuple[str, bytes]]) -> Ask:
    """A POST of `multipart/form-data`; a field that is a pair is a file, `(name, content)`. `more` may repeat."""
    pieces = []
    for field, value in (*fields.items(), *more):
        filename, data = (f'; filename="{value[0]}"', value[1]) if isinstance(value, tuple) else ("", value.encode())
        pieces.append(f'--xyz\r\nContent-Disposition: form-data; name="{field}"{filename}\r\n\r\n'.encode() + data)
    raw = b"\r\n".join([*pieces, b"--xyz--\r\n"])
    return Ask("POST", f"/v1{path}", (), (*BEARER, ("content-type", "multipart/form-data; boundary=xyz")), raw)


def post(path: str, body: Any, to: Backend | None = None) -> Answer:
    return (to or backend()).answer(ask("POST", path, body))


def user(text: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": text}]


def chat(text: Any = "Hello", to: Backend | None = None, **fields: Any) -> Answer:
    return post("/chat/completions", {"model": CHAT, "messages": user(text), **fields}, to)


def said(answer: Answer) -> str:
    assert answer.status == 200, answer.body
    content = answer.json["choices"][0]["message"]["content"]
    assert isinstance(content, str)
    return content


def error(answer: Answer) -> dict[str, Any]:
    assert answer.status >= 400, answer.body
    found = answer.json["error"]
    assert set(found) == {"message", "type", "param", "code"}
    assert answer.header("content-type") == "application/json"
    return dict(found)


def events(answer: Answer) -> list[dict[str, Any]]:
    assert answer.status == 200, answer.body
    assert answer.frames is not None
    frames = list(answer.frames)
    assert frames[-1].data == b"data: [DONE]\n\n"
    return list(events_of(frames))


def deltas(answer: Answer, index: int = 0) -> Iterator[dict[str, Any]]:
    for event in events(answer):
        for choice in event["choices"]:
            if choice["index"] == index:
                yield choice["delta"]


def streamed_text(answer: Answer, index: int = 0) -> str:
    return "".join(delta.get("content") or "" for delta in deltas(answer, index))
