"""What happens is told once, when it happens; and called about until somebody takes it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any

import openai
import pytest
from standin.asking import CHAT, Clock, ask, backend, form

from wireproof.spec import load_spec
from wireproof.standin.backend import Backend, Setup
from wireproof.standin.postman import Address
from wireproof.standin.resources.realtime_calls import ring
from wireproof.standin.serve import embedded
from wireproof.standin.webhooks import webhook

SECRET = "whsec_dGhlIHNlY3JldCBvZiBhIHN0YW5kLWlu"
SLOW = 60.0


@pytest.fixture
def to() -> Backend:
    return backend(Setup(tells=True), Clock())


def after(to: Backend, seconds: float) -> list[tuple[str, dict[str, Any]]]:
    """The news of the next `seconds`, held against the description."""
    assert isinstance(to.clock, Clock)
    to.clock.now += seconds
    found = to.fresh_news()
    for news in found:
        _, body = webhook(SECRET, news, to.clock.now)
        post = load_spec().document["webhooks"][news.type]["post"]
        schema = load_spec().schema(post["requestBody"]["content"]["application/json"]["schema"]["$ref"])
        assert [str(breach) for breach in schema.violations(json.loads(body))] == []
    return [(news.type, news.data) for news in found]


def responded(to: Backend, **fields: Any) -> str:
    answer = to.answer(ask("POST", "/responses", {"model": CHAT, "input": "Say: Hi", **fields}))
    id: str = answer.json["id"]
    return id


def batched(to: Backend) -> str:
    body = {"model": CHAT, "messages": [{"role": "user", "content": "Hi"}]}
    line = {"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": body}
    content = json.dumps(line).encode()
    file = to.answer(form("/files", {"purpose": "batch", "file": ("b.jsonl", content)})).json["id"]
    asked = {"input_file_id": file, "endpoint": "/v1/chat/completions", "completion_window": "24h"}
    id: str = to.answer(ask("POST", "/batches", asked)).json["id"]
    return id


def test_a_batch_that_ends_is_told_of_once(to: Backend) -> None:
    id = batched(to)
    assert after(to, 0) == []
    assert after(to, SLOW) == [("batch.completed", {"id": id})]
    assert after(to, SLOW) == []


def test_a_batch_that_is_cancelled_is_told_of(to: Backend) -> None:
    id = batched(to)
    to.answer(ask("POST", f"/batches/{id}/cancel"))
    assert after(to, SLOW) == [("batch.cancelled", {"id": id})]


def test_a_background_response_is_told_of_and_no_other(to: Backend) -> None:
    responded(to)
    assert after(to, SLOW) == []
    id = responded(to, background=True)
    assert after(to, 0) == []
    assert after(to, SLOW) == [("response.completed", {"id": id})]
    id = responded(to, background=True, input="A long story", max_output_tokens=16)
    assert after(to, SLOW) == [("response.incomplete", {"id": id})]


def test_a_response_that_is_cancelled_is_told_of_once(to: Backend) -> None:
    id = responded(to, background=True)
    for _ in range(2):
        to.answer(ask("POST", f"/responses/{id}/cancel"))
    assert after(to, SLOW) == [("response.cancelled", {"id": id})]


def test_a_call_that_rings_is_told_of(to: Backend) -> None:
    told = ring(to.world)
    assert after(to, 0) == [("realtime.call.incoming", told)]


def test_where_nobody_is_to_be_called_nothing_is_collected() -> None:
    to = backend(clock=Clock())
    responded(to, background=True)
    ring(to.world)
    assert after(to, SLOW) == []
    assert to.world.news is None


@pytest.mark.parametrize("url", ["http://example.com/hook", "ftp://127.0.0.1/x", "127.0.0.1:9", "http://10.0.0.1/", ""])
def test_strangers_are_not_called(url: str) -> None:
    with pytest.raises(ValueError, match="only addresses of this machine"):
        Address(url, SECRET)
    Address("http://[::1]:9/hook", SECRET)


# ---- delivered


@contextmanager
def receiver(*statuses: int) -> Iterator[tuple[str, Queue[tuple[dict[str, str], bytes]]]]:
    """A customer who answers with these statuses, then with 200; what it was sent."""
    got: Queue[tuple[dict[str, str], bytes]] = Queue()
    answers = iter(statuses)

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(next(answers, 200))
            self.send_header("content-length", "0")
            self.end_headers()
            got.put(({name.lower(): value for name, value in self.headers.items()}, body))

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/hook", got
        server.shutdown()
        thread.join()


def test_what_happens_is_delivered_without_being_asked_for_and_again_until_taken() -> None:
    with receiver(500) as (url, got), embedded(Setup(pace=100), webhook=Address(url, SECRET)) as standin:
        client = openai.OpenAI(base_url=standin.base_url, api_key=standin.key, webhook_secret=SECRET)
        with client:
            id = client.responses.create(model=standin.model, input="Say: Hi", background=True).id
            calls = [got.get(timeout=10) for _ in range(2)]
            news = [client.webhooks.unwrap(body, headers) for headers, body in calls]
    assert [(one.type, one.data.id) for one in news if one.type == "response.completed"] == [
        ("response.completed", id)
    ] * 2
    assert news[0].id == news[1].id
