"""A client of realtime without a socket, who holds whatever it is told against the description and its grammar."""

from __future__ import annotations

import base64
import json
from typing import Any

from standin.asking import Clock, ask, backend

from wireproof.spec import load_spec
from wireproof.standin.backend import DEFAULT_KEY, Backend, Setup
from wireproof.standin.media.sounds import signal
from wireproof.standin.wire import Answer, Session
from wireproof.streams import grammar, said, slips

REALTIME = "gpt-realtime"
# What servers say on which socket, and by which grammar.
SPOKEN = {
    "/realtime": ("RealtimeServerEvent", "realtime"),
    "/realtime/translations": ("TranslationServerEvent", "realtime_translation"),
}
MS = 48  # bytes of a millisecond of sound
# As a browser makes it, of a microphone and a channel for events.
OFFER = "\r\n".join(
    [
        "v=0",
        "o=- 4611731400430051336 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111 63",
        "a=mid:0",
        "a=rtpmap:111 opus/48000/2",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        "a=mid:1",
        "",
    ]
)


class Client:
    """`heard` is all that the server said."""

    def __init__(self, session: Session, clock: Clock, *, schema: str, rules: str) -> None:
        self.session, self.clock = session, clock
        self.heard: list[dict[str, Any]] = []
        self._schema = load_spec().schema(schema)
        self._rules = grammar(rules)

    def tell(self, type: str, **fields: Any) -> list[dict[str, Any]]:
        """What the server says to this event, by now."""
        self.session.hear(json.dumps({"type": type, **fields}))
        return self.listen()

    def listen(self, seconds: float = 0.0) -> list[dict[str, Any]]:
        """What it says in the next `seconds`."""
        self.clock.now += seconds
        found = [json.loads(text) for text in self.session.take()]
        for event in found:
            assert [str(breach) for breach in self._schema.violations(event)] == []
        self.heard += found
        assert slips(self._rules, [said(self._rules, event) for event in self.heard], is_whole=False) == []
        ids = [event["event_id"] for event in self.heard]
        assert len(set(ids)) == len(ids)
        return found

    def ask(self, text: str, **response: Any) -> list[dict[str, Any]]:
        """A message of the user and the response to it, when answers take no time."""
        self.tell("conversation.item.create", item=message(text))
        return self.tell("response.create", response=response)

    def sound(self, data: bytes) -> list[dict[str, Any]]:
        return self.tell("input_audio_buffer.append", audio=base64.b64encode(data).decode())


def message(text: str, role: str = "user", id: str | None = None) -> dict[str, Any]:
    kind = "output_text" if role == "assistant" else "input_text"
    item: dict[str, Any] = {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}
    return item if id is None else {**item, "id": id}


def types(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]


def one(events: list[dict[str, Any]], type: str) -> dict[str, Any]:
    found = [event for event in events if event["type"] == type]
    assert len(found) == 1, types(events)
    return found[0]


def error(events: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = one(events, "error")["error"]
    return found


def connected(
    setup: Setup | None = None,
    path: str = "/realtime",
    *,
    to: Backend | None = None,
    key: str = DEFAULT_KEY,
    **query: str,
) -> Client:
    """A client that has just connected, by default to a conversation with REALTIME."""
    clock = Clock()
    serving = to or backend(setup, clock)
    if isinstance(serving.clock, Clock):
        clock = serving.clock
    session = serving.connect(ask("GET", path, key=key, **(query or {"model": REALTIME})))
    assert not isinstance(session, Answer), session.body
    schema, rules = SPOKEN[path]
    return Client(session, clock, schema=schema, rules=rules)


def refused(path: str = "/realtime", *, key: str = DEFAULT_KEY, **query: str) -> Answer:
    answer = backend().connect(ask("GET", path, key=key, **query))
    assert isinstance(answer, Answer)
    return answer


def loud(ms: int) -> bytes:
    return signal("word " * (ms // 200 + 2), "marin")[: ms * MS]


def silent(ms: int) -> bytes:
    return bytes(ms * MS)
