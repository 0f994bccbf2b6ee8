"""Responses on a WebSocket: one after the other in each lane, events as in a stream, refusals nested and the socket
still open. What is not stored is remembered as long as the next response of its lane may go on from it.

Source: DOCS-0715 websocket-mode; lanes (`stream_id`) and steering are from the SDK.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from wireproof.spec import load_spec
from wireproof.standin.call import Call
from wireproof.standin.refusals import Refused, invalid
from wireproof.standin.requests import body_of, refused
from wireproof.standin.resources.responses.asked import KIND
from wireproof.standin.resources.responses.create import create
from wireproof.standin.serving import converses, serves
from wireproof.standin.wire import Answer, Frame, refusal
from wireproof.standin.world import World

LASTS_S = 3600.0
# What belongs to the event and not to the request that it carries; `stream` goes without saying.
NOT_BODY = ("type", "stream_id", "stream")


@serves("connectResponses")
def not_upgraded(world: World, call: Call) -> Answer:
    raise Refused(refusal(426, "Open this URL as a WebSocket.").with_header("upgrade", "websocket"))


@converses("connectResponses")
def open_socket(world: World, call: Call) -> ResponseSocket:
    return ResponseSocket(world, call)


@dataclass
class Lane:
    """Requests that wait for those before them; what is to be said, each with its time; the response of the last."""

    name: str | None
    waiting: deque[dict[str, Any]] = field(default_factory=deque)
    said: deque[tuple[float, str]] = field(default_factory=deque)
    last_id: str | None = None


class ResponseSocket:
    def __init__(self, world: World, call: Call) -> None:
        self.closing: tuple[int, str] | None = None
        self._world, self._call = world, call
        self._ends_s = world.now + LASTS_S
        self._lanes: dict[str | None, Lane] = {}
        self._now: list[str] = []

    @property
    def next_s(self) -> float:
        if self._now:
            return self._world.now
        return min([self._ends_s, *(lane.said[0][0] for lane in self._lanes.values() if lane.said)])

    def hear(self, text: str | bytes) -> None:
        event: dict[str, Any] = {}
        try:
            event = body_of(text.encode() if isinstance(text, str) else text)
            found = list(load_spec().schema("ResponseSocketClientEvent").violations(event))
            if found:
                raise refused(found[0], event)
        except Refused as wrong:
            self._now.append(_error(wrong.answer, event.get("stream_id")))
            return
        if event["type"] == "response.steer":
            self._now.append(_not_steered(event))
            return
        lane = self._lanes.setdefault(event.get("stream_id"), Lane(event.get("stream_id")))
        lane.waiting.append(event)
        self._go_on(lane)

    def take(self) -> list[str]:
        """What is due. An answer that ends makes room for the request behind it."""
        now = self._world.now
        told, self._now = self._now, []
        for lane in self._lanes.values():
            while True:
                while lane.said and lane.said[0][0] <= now:
                    told.append(lane.said.popleft()[1])
                if lane.said or not lane.waiting:
                    break
                self._go_on(lane)
        if now >= self._ends_s and self.closing is None:
            limit = "Responses websocket connection limit reached (60 minutes). Create a new connection to continue."
            told.append(_error(refusal(400, limit, code="websocket_connection_limit_reached"), None))
            self.closing = (1000, "connection limit reached")
        return told

    def _go_on(self, lane: Lane) -> None:
        """Takes up the next request of a lane that has nothing left to say."""
        if lane.said:
            return
        event = lane.waiting.popleft()
        at_s = self._world.now
        answer = self._answered(event, at_s)
        if answer.frames is None:
            self._forget(lane)
            lane.said.append((at_s, _error(answer, lane.name)))
            return
        due_s = at_s
        for frame in answer.frames:
            due_s += frame.delay_ms / 1000
            lane.said.append((due_s, _text(frame, lane.name)))
        self._forget(lane)
        lane.last_id = json.loads(lane.said[0][1])["response"]["id"]

    def _answered(self, event: Mapping[str, Any], at_s: float) -> Answer:
        body = {name: value for name, value in event.items() if name not in NOT_BODY}
        try:
            if body.pop("background", None):
                raise invalid("'background' is not supported over WebSocket.", "background", "unsupported_parameter")
            return create(self._world, replace(self._call, body={**body, "stream": True}, now=at_s))
        except Refused as wrong:
            return wrong.answer

    def _forget(self, lane: Lane) -> None:
        """The response before, if it was kept for this socket only: another took its place, or a turn failed."""
        table = self._world.table(KIND)
        row = table.get(lane.last_id or "")
        if row is not None and row.get("socket") is not None:
            table.delete(row["id"])
        lane.last_id = None


def _text(frame: Frame, lane: str | None) -> str:
    text = frame.data.partition(b"data: ")[2].decode().strip()
    return text if lane is None else f'{text[:-1]}, "stream_id": {json.dumps(lane)}}}'


def _error(answer: Answer, lane: str | None) -> str:
    event = {"type": "error", "status": answer.status, "error": answer.json["error"]}
    return json.dumps(event if lane is None else {**event, "stream_id": lane})


def _not_steered(event: Mapping[str, Any]) -> str:
    """No model here can be steered; the input goes back to where it came from."""
    return json.dumps(
        {
            "type": "response.steer.failed",
            "steer": {"previous_response_id": event["previous_response_id"], "input": event["input"]},
            "error": {
                "type": "invalid_request_error",
                "code": "steering_not_supported",
                "message": "This model does not support steering.",
            },
            "sequence_number": 0,
        }
    )
