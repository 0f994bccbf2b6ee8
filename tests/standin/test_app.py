"""The ASGI app without a server: messages in, messages out."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable, MutableMapping
from typing import Any

from standin.asking import CHAT, ask, backend, user

from wireproof.standin.app import asgi_app
from wireproof.standin.truth import Truth
from wireproof.standin.wire import DONE, Answer, Ask, Frame, event_frame, json_answer

Message = MutableMapping[str, Any]
LEAVES = {"type": "http.disconnect"}


def scope(method: str = "POST", path: str = "/v1/chat/completions", query: bytes = b"") -> Message:
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "headers": [],
    }


def sent(app: Any, *received: Message, to: Message | None = None, leave_after: int | None = None) -> list[Message]:
    """What the app sends; after `leave_after` messages its client leaves."""
    messages: list[Message] = []

    async def talk() -> None:
        left = asyncio.Event()
        waiting = iter(received or [{"type": "http.request", "body": b"", "more_body": False}])

        async def receive() -> Message:
            message = next(waiting, None)
            if message is not None:
                return message
            await left.wait()
            return LEAVES

        async def send(message: Message) -> None:
            messages.append(message)
            if len(messages) == leave_after:
                left.set()
            await asyncio.sleep(0)

        await app(to or scope(), receive, send)

    asyncio.run(asyncio.wait_for(talk(), 5))
    return messages


def always(answer: Answer) -> Any:
    return asgi_app(lambda _ask: answer)


def test_the_request_arrives_whole() -> None:
    heard: list[Ask] = []

    def serve(ask: Ask) -> Answer:
        heard.append(ask)
        return json_answer({})

    pieces = ({"type": "http.request", "body": b'{"a"', "more_body": True}, {"type": "http.request", "body": b": 1}"})
    sent(asgi_app(serve), *pieces, to=scope(path="/v1/x%2Fy", query=b"limit=2&metadata%5Ba%5D=b&empty="))
    (asked,) = heard
    assert (asked.method, asked.json) == ("POST", {"a": 1})
    assert asked.query == (("limit", "2"), ("metadata[a]", "b"), ("empty", ""))


def test_a_client_that_leaves_before_its_request_is_whole_gets_nothing() -> None:
    assert sent(always(json_answer({})), {"type": "http.request", "body": b"{", "more_body": True}, LEAVES) == []


def test_a_plain_answer_has_its_length() -> None:
    start, body = sent(always(json_answer({"a": 1})))
    assert (b"content-length", b"8") in start["headers"]
    assert body == {"type": "http.response.body", "body": b'{"a": 1}', "more_body": False}


def test_each_frame_is_a_write_of_its_own() -> None:
    frames = [Frame(0, b"one"), Frame(0, b"two"), Frame(0, DONE)]
    messages = sent(always(Answer(frames=frames)))
    assert [message["body"] for message in messages[1:]] == [b"one", b"two", DONE, b""]
    assert [message["more_body"] for message in messages[1:]] == [True, True, True, False]


def test_a_cut_answer_has_no_end() -> None:
    assert sent(always(Answer(frames=[Frame(0, b"one")], cut=True)))[-1]["more_body"] is True
    start, body = sent(always(Answer(body=b'{"a"', cut=True)))
    assert b"content-length" not in dict(start["headers"])
    assert body["more_body"] is True


def endless() -> Iterable[Frame]:
    return (Frame(0.0, b"again") for _ in itertools.count())


def test_an_endless_stream_ends_when_its_client_leaves() -> None:
    assert 3 <= len(sent(always(Answer(frames=endless())), leave_after=3)) < 10


def test_a_late_write_does_not_delay_the_next() -> None:
    truth = Truth()
    frames = [event_frame({"content": "x"}, 4.0) for _ in range(25)]
    messages = sent(asgi_app(lambda _ask: Answer(frames=frames), truth))
    assert len(messages) == 27
    (row,) = truth.report()["requests"]
    assert 100 <= row["ttft_ms"] + sum(row["itl_ms"]) < 150


def test_truth_tells_tokens_from_other_frames() -> None:
    truth, one = Truth(), backend()
    app = asgi_app(one.answer, truth)
    options = {"stream": True, "stream_options": {"include_usage": True}}
    body = {"model": CHAT, "messages": user("Repeat exactly: a b c"), **options}
    asked = ask("POST", "/chat/completions", body)
    headers = [(name.encode(), value.encode()) for name, value in asked.headers]
    sent(app, {"type": "http.request", "body": asked.body}, to={**scope(), "headers": headers})
    report = truth.report()
    (row,) = report["requests"]
    assert (row["tokens"], len(row["itl_ms"]), row["is_whole"], row["status"]) == (3, 2, True, 200)
    assert row["id"].startswith("req_")
    assert report["concurrent_max"] == 1
    assert report["counts"]["by_status"] == {"200": 1}
    assert report["itl_ms"]["n"] == 2


def test_truth_is_told_and_forgotten_over_http() -> None:
    truth = Truth()
    app = asgi_app(lambda _ask: json_answer({}), truth)
    sent(app)
    assert b'"requests": 1' in sent(app, to=scope("GET", "/_standin/truth"))[1]["body"]
    sent(app, to=scope("POST", "/_standin/reset"))
    assert truth.report()["counts"]["requests"] == 0


def test_without_truth_there_is_no_such_route() -> None:
    app = asgi_app(backend().answer)
    assert sent(app, to=scope("GET", "/_standin/truth"))[0]["status"] == 401


def test_a_client_that_leaves_leaves_an_unfinished_request_behind() -> None:
    truth = Truth()
    sent(asgi_app(lambda _ask: Answer(frames=endless()), truth), leave_after=3)
    counts = truth.report()["counts"]
    assert (counts["unfinished"], counts["running"]) == (1, 0)
