"""Responses without a socket, for the tests of this folder; every stream is held against its order law."""

from __future__ import annotations

from typing import Any

from standin.asking import BEARER, CHAT, ask, backend, post

from wireproof.standin.backend import Backend
from wireproof.standin.wire import Answer, Ask, events_of
from wireproof.streams import grammar, said, slips

REASONER = "gpt-5.4-mini"
WEATHER: Any = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def asked(input: Any = "Hello", to: Backend | None = None, **fields: Any) -> Answer:
    return post("/responses", {"model": CHAT, "input": input, **fields}, to or backend())


def response(input: Any = "Hello", to: Backend | None = None, **fields: Any) -> dict[str, Any]:
    answer = asked(input, to, **fields)
    assert answer.status == 200, answer.body
    return dict(answer.json)


def get(to: Backend, path: str, query: str = "") -> Answer:
    pairs = tuple((name, value) for name, _, value in (one.partition("=") for one in query.split("&") if one))
    return to.answer(Ask("GET", f"/v1{path}", pairs, BEARER))


def delete(to: Backend, path: str) -> Answer:
    return to.answer(ask("DELETE", path))


def text(response: dict[str, Any]) -> str:
    return "".join(
        part.get("text", "") for item in response["output"] if item["type"] == "message" for part in item["content"]
    )


def kinds(response: dict[str, Any]) -> list[str]:
    return [item["type"] for item in response["output"]]


def events(answer: Answer, *, is_whole: bool = True) -> list[dict[str, Any]]:
    """The events of a whole stream, or of a part of one, whose order nobody judges."""
    assert answer.status == 200, answer.body
    assert answer.frames is not None
    found = list(events_of(answer.frames))
    if is_whole:
        rules = grammar("responses")
        assert slips(rules, [said(rules, event) for event in found]) == []
    return found


def streamed(input: Any = "Hello", to: Backend | None = None, **fields: Any) -> list[dict[str, Any]]:
    return events(asked(input, to, stream=True, **fields))


def names(found: list[dict[str, Any]]) -> list[str]:
    """The types of events without `response.`, each run of the same once."""
    made: list[str] = []
    for event in found:
        name = event["type"].removeprefix("response.")
        if not made or made[-1] != name:
            made.append(name)
    return made
