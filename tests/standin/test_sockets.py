"""Sessions carried over ASGI, without a server: taken, refused, heard, told in time, and closed by either side."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from wireproof.standin.sockets import converse, taken
from wireproof.standin.wire import Answer, Ask, Serve, refusal

GONE = {"type": "websocket.disconnect", "code": 1006}


class Echo:
    """Says what it hears after `wait_s`; "end" ends it, "fail" breaks it."""

    def __init__(self, wait_s: float = 0.0) -> None:
        self.closing: tuple[int, str] | None = None
        self.wait_s = wait_s
        self.due: list[tuple[float, str]] = [(time.time(), "hello")]

    @property
    def next_s(self) -> float:
        return min([due for due, _ in self.due], default=time.time() + 60)

    def hear(self, text: str | bytes) -> None:
        if text == "fail":
            raise RuntimeError("as asked")
        if text == "end":
            self.closing = (1000, "as asked")
        self.due.append((time.time() + self.wait_s, str(text)))

    def take(self) -> list[str]:
        now = time.time()
        said = [text for due, text in self.due if due <= now]
        self.due = [(due, text) for due, text in self.due if due > now]
        return said


def served(serve: Serve, *heard: dict[str, Any], **scope: Any) -> list[dict[str, Any]]:
    """What is sent to a client who says this and then goes away, each thing after an answer to the one before."""
    sent: list[dict[str, Any]] = []

    async def run() -> None:
        told = asyncio.Event()
        waiting = [{"type": "websocket.connect"}, *heard, GONE]

        async def receive() -> dict[str, Any]:
            message = waiting.pop(0)
            if message["type"] != "websocket.connect":
                await told.wait()
                told.clear()
            return message

        async def send(message: Any) -> None:
            sent.append(dict(message))
            if message["type"] == "websocket.send":
                told.set()

        plain = {"type": "websocket", "path": "/v1/x", "query_string": b"model=m", "headers": []}
        await asyncio.wait_for(converse(serve, time.time, {**plain, **scope}, receive, send), 10)

    asyncio.run(run())
    return sent


def texts(sent: list[dict[str, Any]]) -> list[str]:
    return [message["text"] for message in sent if message["type"] == "websocket.send"]


def said(text: str) -> dict[str, Any]:
    return {"type": "websocket.receive", "text": text}


def opening(session: Any, asked: list[Ask] | None = None) -> Serve:
    def serve(ask: Ask) -> Answer:
        if asked is not None:
            asked.append(ask)
        return session if isinstance(session, Answer) else taken(session, ask)

    return serve


def test_a_session_is_heard_and_told() -> None:
    sent = served(opening(Echo()), said("one"), {"type": "websocket.receive", "bytes": b"two"})
    assert sent[0] == {"type": "websocket.accept", "subprotocol": None, "headers": []}
    assert texts(sent) == ["hello", "one", "b'two'"]


def test_what_is_due_later_is_said_later() -> None:
    begun = time.monotonic()
    assert texts(served(opening(Echo(0.05)), said("one"))) == ["hello", "one"]
    assert time.monotonic() - begun >= 0.05


def test_a_session_that_ends_says_its_last_words_and_closes() -> None:
    sent = served(opening(Echo()), said("end"))
    assert texts(sent) == ["hello", "end"]
    assert sent[-1] == {"type": "websocket.close", "code": 1000, "reason": "as asked"}


def test_a_session_that_fails_closes_and_says_why_on_our_side(capsys: pytest.CaptureFixture[str]) -> None:
    assert served(opening(Echo()), said("fail"))[-1]["code"] == 1011
    assert "RuntimeError: as asked" in capsys.readouterr().err


def test_the_handshake_is_a_request_like_any_other() -> None:
    asked: list[Ask] = []
    served(opening(Echo(), asked), headers=[(b"authorization", b"Bearer sk-1")])
    assert asked == [Ask("GET", "/v1/x", (("model", "m"),), (("authorization", "Bearer sk-1"),), wants_socket=True)]


def test_a_key_may_come_as_a_subprotocol_and_is_not_chosen() -> None:
    asked: list[Ask] = []
    names = ["openai-insecure-api-key.sk-1", "realtime"]
    sent = served(opening(Echo(), asked), subprotocols=names)
    assert asked[0].header("authorization") == "Bearer sk-1"
    assert sent[0]["subprotocol"] == "realtime"


def test_a_refusal_is_an_ordinary_answer_where_the_server_can_send_one() -> None:
    answer = refusal(404, "No.")
    sent = served(opening(answer), extensions={"websocket.http.response": {}})
    assert [message["type"] for message in sent] == ["websocket.http.response.start", "websocket.http.response.body"]
    assert (sent[0]["status"], sent[1]["body"]) == (404, answer.body)
    assert served(opening(Answer(401))) == [{"type": "websocket.close", "code": 1008}]
