"""Responses on a WebSocket, without the socket: in turn, in lanes, remembered, refused and closed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from standin.asking import CHAT, Clock, ask, backend
from standin.responding import get, text

from wireproof.spec import load_spec
from wireproof.standin.backend import Backend, Setup
from wireproof.standin.latency import Latency
from wireproof.standin.wire import Answer
from wireproof.streams import grammar, said, slips


class Client:
    def __init__(self, to: Backend | None = None, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.to = to or backend(clock=self.clock)
        session = self.to.connect(ask("GET", "/responses"))
        assert not isinstance(session, Answer)
        self.session = session
        self.heard: list[dict[str, Any]] = []

    def tell(self, type: str = "response.create", **fields: Any) -> list[dict[str, Any]]:
        self.session.hear(json.dumps({"type": type, **fields}))
        return self.listen()

    def listen(self, seconds: float = 0.0) -> list[dict[str, Any]]:
        self.clock.now += seconds
        found = [json.loads(told) for told in self.session.take()]
        schema, rules = load_spec().schema("ResponseSocketServerEvent"), grammar("response_socket")
        for event in found:
            assert [str(breach) for breach in schema.violations(event)] == []
        self.heard += found
        assert slips(rules, [said(rules, event) for event in self.heard], is_whole=False) == []
        return found

    def respond(self, input: Any, **fields: Any) -> dict[str, Any]:
        return dict(self.tell(model=CHAT, input=input, **fields)[-1]["response"])


def test_one_response_goes_on_from_another() -> None:
    client = Client()
    first = client.respond("Say: good day")
    second = client.respond("And?", previous_response_id=first["id"])
    assert text(first) == "good day"
    assert second["usage"]["input_tokens"] > first["usage"]["input_tokens"]
    assert get(client.to, f"/responses/{second['id']}").json == second


def test_what_is_not_stored_is_known_to_its_socket_until_the_next_turn() -> None:
    client = Client()
    first = client.respond("Say: one", store=False)
    assert get(client.to, f"/responses/{first['id']}").status == 404
    (elsewhere,) = Client(client.to, client.clock).tell(model=CHAT, input="And?", previous_response_id=first["id"])
    assert elsewhere["error"]["code"] == "previous_response_not_found"
    second = client.respond("Say: two", store=False, previous_response_id=first["id"])
    assert second["usage"]["input_tokens"] > first["usage"]["input_tokens"]
    (gone,) = client.tell(model=CHAT, input="And?", previous_response_id=first["id"])
    assert gone["error"]["code"] == "previous_response_not_found"


def test_a_turn_that_fails_takes_what_it_went_on_from_along() -> None:
    client = Client()
    first = client.respond("Say: one", store=False)
    again: Any = {"model": CHAT, "input": "And?", "previous_response_id": first["id"]}
    (failed,) = client.tell(**again, max_output_tokens=10**7)
    assert (failed["type"], failed["status"], failed["error"]["param"]) == ("error", 400, "max_output_tokens")
    (gone,) = client.tell(**again)
    assert gone["error"]["code"] == "previous_response_not_found"
    assert text(client.respond("Say: on")) == "on"


def test_a_warm_up_says_nothing_and_can_be_gone_on_from() -> None:
    client = Client()
    warm = client.respond("My name is Ada.", generate=False)
    assert (warm["output"], warm["usage"]["output_tokens"], warm["status"]) == ([], 0, "completed")
    assert (
        client.respond("And?", previous_response_id=warm["id"])["usage"]["input_tokens"]
        > (warm["usage"]["input_tokens"])
    )


def test_a_request_waits_for_the_answer_before_it_and_lanes_for_nobody() -> None:
    clock = Clock()
    client = Client(backend(Setup(latency=Latency(ttft_ms=1000, itl_ms=100)), clock), clock)
    client.tell(model=CHAT, input="Say: one two")
    assert client.tell(model=CHAT, input="Say: three") == []
    beside = client.tell(model=CHAT, input="Say: four", stream_id="b")
    assert {event["stream_id"] for event in beside} == {"b"}
    found = client.listen(1.2)
    ends = [event["response"] for event in found if event["type"] == "response.completed"]
    assert sorted(text(end) for end in ends) == ["four", "one two"]
    # The one that waited has begun, and has not said anything yet.
    assert [event["type"] for event in found].count("response.created") == 1
    assert text(client.listen(1.1)[-1]["response"]) == "three"


@pytest.mark.parametrize(
    ("event", "param"),
    [
        ({"type": "response.cancel"}, "type"),
        ({"type": "response.create", "input": 7}, "input"),
        ({"type": "response.create", "model": CHAT, "input": "Hi", "background": True}, "background"),
        ({"type": "response.create", "model": "none", "input": "Hi"}, "model"),
        ({"type": "response.create", "input": "Hi"}, "model"),
    ],
)
def test_a_refusal_is_nested_and_the_socket_stays_open(event: dict[str, Any], param: str) -> None:
    client = Client()
    (wrong,) = client.tell(**event)
    assert (wrong["type"], wrong["status"], wrong["error"]["param"]) == ("error", 400, param)
    assert client.session.closing is None
    assert text(client.respond("Say: on")) == "on"


def test_what_is_no_json_is_refused_as_well() -> None:
    client = Client()
    client.session.hear("{")
    assert client.listen()[0]["status"] == 400


def test_steering_comes_back_because_no_model_takes_it() -> None:
    (back,) = Client().tell("response.steer", previous_response_id="resp_1", input="Left!")
    assert (back["type"], back["steer"]["input"]) == ("response.steer.failed", "Left!")


def test_a_socket_ends_after_an_hour() -> None:
    client = Client()
    assert client.listen(3599) == []
    (end,) = client.listen(1)
    assert end["error"]["code"] == "websocket_connection_limit_reached"
    assert client.session.closing is not None


def test_without_an_upgrade_there_is_nothing_to_get() -> None:
    answer = backend().answer(ask("GET", "/responses"))
    assert (answer.status, answer.header("upgrade")) == (426, "websocket")


def test_a_handshake_needs_a_key() -> None:
    refused = backend().connect(ask("GET", "/responses", key=None))
    assert isinstance(refused, Answer)
    assert refused.status == 401
