"""A realtime session: hears what a client says, says what a server says, at the times of a clock that is asked.

No socket: `hear` takes one message, `take` gives those that are due, `next_s` tells when there will be more.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from wireproof.spec import load_spec
from wireproof.standin import prose
from wireproof.standin.call import Call
from wireproof.standin.catalogue import Model
from wireproof.standin.logprobs import entry, ranked
from wireproof.standin.refusals import Refused, invalid
from wireproof.standin.requests import body_of, refused
from wireproof.standin.tokens import tokenized
from wireproof.standin.voice import settings as set_to
from wireproof.standin.voice.answering import answered
from wireproof.standin.voice.hearing import MOST_MS, Buffer, Turn
from wireproof.standin.voice.memory import USER_MS_A_TOKEN, Item, Memory
from wireproof.standin.voice.settings import LASTS_S, Settings
from wireproof.standin.voice.speaking import Event, Speaking, Step
from wireproof.standin.world import World

LEAST_MS = 100
# Of one piece of sound. Source: SPEC, input_audio_buffer.append.
MOST_APPENDED = 15 * 1024 * 1024
MS_A_WORD = 300


@dataclass
class Line:
    """Steps on their way, and when the next is due; `speaking` is None for what cannot be cut."""

    steps: Iterator[Step]
    due_s: float
    speaking: Speaking | None = None


class Talk:
    """`closing` is the code and the reason to close the socket with, once there is one.

    `model` None: nothing is answered, only written down. `is_on`: whether the call that it is part of still lasts.
    """

    def __init__(
        self,
        world: World,
        call: Call,
        model: Model | None,
        settings: Settings,
        is_on: Callable[[], bool] = lambda: True,
    ) -> None:
        self.closing: tuple[int, str] | None = None
        self._is_on = is_on
        self.world, self.call, self.model = world, call, model
        self.ends_s = world.now + LASTS_S
        self.settings: Settings = {**settings, "expires_at": int(self.ends_s)}
        self.memory = Memory()
        self._conversation_id = world.id("conv_")
        self._buffer = Buffer(self.settings["audio"]["input"])
        self._speech_item = world.id("item_")
        self._lines: list[Line] = []
        self._said: list[Event] = []
        self._has_spoken = False
        self._idle_s: float | None = None
        self._say("session.created", session=self.settings)

    # ---- the outside

    @property
    def next_s(self) -> float:
        if self._said:
            return self.world.now
        waits = [self.ends_s, *(line.due_s for line in self._lines)]
        return min([*waits, self._idle_s] if self._idle_s is not None else waits)

    def hear(self, text: str | bytes) -> None:
        """One message of the client. Whatever is wrong with it is answered by an event, and the session goes on."""
        self._hasten()
        event: Any = None
        try:
            event = body_of(text.encode() if isinstance(text, str) else text)
            found = list(load_spec().schema("RealtimeClientEvent").violations(event))
            if found:
                raise refused(found[0], event)
            HEARD[event["type"]](self, event)
        except Refused as wrong:
            self._object(wrong, event.get("event_id") if isinstance(event, dict) else None)

    def take(self) -> list[str]:
        """The messages that are due, in order."""
        self._hasten()
        said, self._said = self._said, []
        return [json.dumps(event, ensure_ascii=False) for event in said]

    def end(self, code: int, reason: str) -> None:
        self.closing = self.closing or (code, reason)
        self._lines.clear()

    # ---- time

    def _hasten(self) -> None:
        """Says all that has fallen due, each line in its own time."""
        now = self.world.now
        if self._idle_s is not None and self._idle_s <= now:
            self._nudge()
        while self._lines and (line := min(self._lines, key=lambda one: one.due_s)).due_s <= now:
            step = next(line.steps, None)
            if step is None:
                self._lines.remove(line)
                self._rest(line)
            elif isinstance(step, dict):
                self._said.append(self._marked(step))
            else:
                line.due_s += step / 1000
        if now >= self.ends_s and self.closing is None:
            self._object(invalid("Your session hit the maximum duration of 60 minutes.", code="session_expired"), None)
            self.end(1001, "session expired")
        if not self._is_on():
            self.end(1000, "the call has ended")

    def _rest(self, line: Line) -> None:
        """After the end of a response; from here silence counts, where it may nudge the model."""
        if line.speaking is not None:
            detection = self.settings["audio"]["input"].get("turn_detection") or {}
            idle_ms = detection.get("idle_timeout_ms")
            self._idle_s = None if idle_ms is None else line.due_s + idle_ms / 1000

    def _nudge(self) -> None:
        start, self._idle_s = self._buffer.heard_ms, None
        idle_ms = self.settings["audio"]["input"]["turn_detection"]["idle_timeout_ms"]
        times = {"audio_start_ms": start, "audio_end_ms": start + idle_ms}
        self._say("input_audio_buffer.timeout_triggered", **times, item_id=self._speech_item)
        self._commit(may_be_short=True)
        self._answer({})

    # ---- saying

    def _say(self, type: str, **fields: Any) -> None:
        self._said.append(self._marked({"type": type, **fields}))

    def _marked(self, event: Event) -> Event:
        return {"type": event["type"], "event_id": self.world.id("event_"), **event}

    def _object(self, wrong: Refused, event_id: str | None) -> None:
        error = wrong.answer.json["error"]
        told = {key: error[key] for key in ("type", "code", "message", "param")}
        self._say("error", error={**told, "event_id": event_id})

    # ---- the session

    def _update(self, event: Event) -> None:
        set_to.check_change(self.settings, event["session"], has_spoken=self._has_spoken)
        self.settings = set_to.changed(self.settings, event["session"])
        self._buffer.settings = self.settings["audio"]["input"]
        self._idle_s = None
        self._say("session.updated", session=self.settings)

    # ---- items

    def _create_item(self, event: Event) -> None:
        item: Item = {"id": self.world.id("item_"), "object": "realtime.item", "status": "completed", **event["item"]}
        if item["type"].startswith("mcp_"):
            item.pop("object"), item.pop("status")
        self._place(item, event.get("previous_item_id"))

    def _place(self, item: Item, after: str | None = None) -> None:
        before = self.memory.place(item, after)
        self._say("conversation.item.added", previous_item_id=before, item=item)
        self._say("conversation.item.done", previous_item_id=before, item=item)

    def _retrieve_item(self, event: Event) -> None:
        self._say("conversation.item.retrieved", item=self.memory.found(event["item_id"], "retrieve"))

    def _delete_item(self, event: Event) -> None:
        self.memory.drop(event["item_id"])
        self._say("conversation.item.deleted", item_id=event["item_id"])

    def _truncate_item(self, event: Event) -> None:
        """Of sound that was not heard to its end, the words go as well: nobody knows which were heard."""
        id, end_ms = event["item_id"], event["audio_end_ms"]
        item, has_ms = self.memory.found(id, "truncate"), self.memory.audio_ms.get(id, 0.0)
        if item.get("role") != "assistant" or id not in self.memory.audio_ms:
            raise invalid("Only model output audio messages can be truncated", "item_id", "invalid_value")
        if event["content_index"] != 0:
            raise invalid("Error truncating item: there is no such content part.", "content_index", "invalid_value")
        if not 0 <= end_ms <= has_ms:
            raise invalid(
                f"Audio content of {int(has_ms)}ms is already shorter than {end_ms}ms", "audio_end_ms", "invalid_value"
            )
        self.memory.audio_ms[id] = end_ms
        self.memory.change({**item, "content": [{"type": "output_audio"}]})
        self._say("conversation.item.truncated", item_id=id, content_index=0, audio_end_ms=end_ms)

    # ---- sound

    def _append(self, event: Event) -> None:
        try:
            data = base64.b64decode(event["audio"], validate=True)
        except (binascii.Error, ValueError):
            raise invalid("Invalid 'audio'. Expected base64-encoded audio bytes.", "audio", "invalid_value") from None
        if len(data) > MOST_APPENDED or self._buffer.ms > MOST_MS:
            raise invalid("Error appending audio: the buffer would be too large.", "audio", "invalid_value")
        for turn in self._buffer.take(data):
            self._turn(turn)

    def _turn(self, turn: Turn) -> None:
        detection = self.settings["audio"]["input"]["turn_detection"]
        if turn.is_begin:
            self._idle_s = None
            self._say("input_audio_buffer.speech_started", audio_start_ms=turn.at_ms, item_id=self._speech_item)
            if detection.get("interrupt_response", True):
                self._cut("turn_detected")
            return
        self._say("input_audio_buffer.speech_stopped", audio_end_ms=turn.at_ms, item_id=self._speech_item)
        self._commit()
        if detection.get("create_response", True) and self.settings["type"] == "realtime":
            self._answer({})

    def _commit_buffer(self, event: Event) -> None:
        self._commit()

    def _commit(self, *, may_be_short: bool = False) -> None:
        ms = self._buffer.ms
        if ms < LEAST_MS and not may_be_short:
            raise invalid(
                f"Error committing input audio buffer: buffer too small. Expected at least {LEAST_MS}ms of audio, but "
                f"buffer only has {ms:.2f}ms of audio.",
                code="input_audio_buffer_commit_empty",
            )
        data, id = self._buffer.emptied(), self._speech_item
        self._speech_item = self.world.id("item_")
        self._say("input_audio_buffer.committed", previous_item_id=self.memory.last_id, item_id=id)
        content = [{"type": "input_audio", "transcript": None}]
        plain = {"id": id, "object": "realtime.item", "type": "message", "status": "completed"}
        self._place({**plain, "role": "user", "content": content})
        self.memory.audio_ms[id] = ms
        if self.settings["audio"]["input"].get("transcription"):
            self._lines.append(Line(self._transcript(id, ms, data), self.world.now))

    def _transcript(self, id: str, ms: float, data: bytes) -> Iterator[Step]:
        """What was said, as far as a stand-in can tell: as many words as there was time for."""
        words = prose.reply("", repr(prose.dice(data).getrandbits(64)), most=max(1, int(ms // MS_A_WORD)))
        text, gaps = "", self.world.setup.latency.gaps(id)
        entries = self._logprobs(words, id)
        kind, place = "conversation.item.input_audio_transcription", {"item_id": id, "content_index": 0}
        for at, word in enumerate(words):
            yield next(gaps)
            text += word
            yield {"type": f"{kind}.delta", **place, "delta": word, **_some(logprobs=entries[at : at + 1])}
        if item := self.memory.items.get(id):
            self.memory.change({**item, "content": [{"type": "input_audio", "transcript": text}]})
        heard, written = int(ms) // USER_MS_A_TOKEN, len(tokenized(text))
        usage = {
            "type": "tokens",
            "total_tokens": heard + written,
            "input_tokens": heard,
            "input_token_details": {"text_tokens": 0, "audio_tokens": heard},
            "output_tokens": written,
        }
        yield {"type": f"{kind}.completed", **place, "transcript": text, **_some(logprobs=entries), "usage": usage}

    def _logprobs(self, words: list[str], id: str) -> list[dict[str, Any]]:
        """One a word; none where they were not asked for."""
        if "item.input_audio_transcription.logprobs" not in (self.settings.get("include") or ()):
            return []
        keys = ("token", "logprob", "bytes")
        made = (entry(rows, 0) for rows in ranked(words, id, 1))
        return [{key: one[key] for key in keys} for one in made]

    def _clear_buffer(self, event: Event) -> None:
        self._buffer.emptied()
        self._speech_item = self.world.id("item_")
        self._say("input_audio_buffer.cleared")

    def _clear_output(self, event: Event) -> None:
        raise invalid("output_audio_buffer.clear is only for WebRTC and SIP.", "type", "invalid_value")

    # ---- responses

    def _create_response(self, event: Event) -> None:
        if self.model is None:
            raise invalid("A transcription session does not respond.", "type", "invalid_value")
        self._answer(event.get("response") or {})

    def _answer(self, asked: Mapping[str, Any]) -> None:
        """Begins a response. Its rate limits are told after it; one that they refuse has failed at once."""
        assert self.model is not None
        is_part = asked.get("conversation", "auto") != "none"
        if is_part and self._active():
            raise invalid(
                f"Conversation already has an active response in progress: {self._active()[0].id}. Wait until the "
                "response is finished before creating a new one.",
                code="conversation_already_has_active_response",
            )
        self._idle_s = None
        made = answered(self, asked, self._conversation_id if is_part else None)
        speaking = Speaking(made, self.memory, self.world.id)
        self._has_spoken = self._has_spoken or made.modality == "audio"
        limits = self.world.limits[self.model.limits_as]
        expected = made.prompt_text + made.prompt_image + made.prompt_audio
        decision = self.world.limiter.take(self.call.key, limits, self.model.id, expected, self.world.now)

        def steps() -> Iterator[Step]:
            if decision.rejection is None:
                yield from speaking.steps()
            else:
                yield from speaking.fail(decision.rejection.json["error"])
            yield rate_limits(dict(decision.headers), limits.minute_s)

        self._lines.append(Line(steps(), self.world.now, speaking))

    def _active(self) -> list[Speaking]:
        """The responses that belong to the conversation and have not ended."""
        found = [line.speaking for line in self._lines if line.speaking is not None]
        return [one for one in found if one.answered.conversation_id is not None and not one.has_ended]

    def _cancel(self, event: Event) -> None:
        if not self._cut("client_cancelled", event.get("response_id")):
            raise invalid("Cancellation failed: no active response found", code="response_cancel_not_active")

    def _cut(self, reason: str, id: str | None = None) -> bool:
        """Whether there was something to cut: the response of this id, else that of the conversation."""
        for line in self._lines:
            speaking = line.speaking
            if speaking is None or speaking.has_ended:
                continue
            if speaking.id == id or (id is None and speaking.answered.conversation_id is not None):
                self._lines.remove(line)
                self._said += map(self._marked, speaking.cut(reason))
                return True
        return False


def _some(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}


def rate_limits(headers: Mapping[str, str], minute_s: float) -> Event:
    """`rate_limits.updated`, of the headers that a plain answer would have had."""
    rows = []
    for name in ("requests", "tokens"):
        if f"x-ratelimit-limit-{name}" in headers:
            limit = int(headers[f"x-ratelimit-limit-{name}"])
            remaining = int(headers[f"x-ratelimit-remaining-{name}"])
            reset_s = round((limit - remaining) * minute_s / limit, 3)
            rows.append({"name": name, "limit": limit, "remaining": remaining, "reset_seconds": reset_s})
    return {"type": "rate_limits.updated", "rate_limits": rows}


HEARD: Mapping[str, Callable[[Talk, Event], None]] = {
    "session.update": Talk._update,
    "conversation.item.create": Talk._create_item,
    "conversation.item.retrieve": Talk._retrieve_item,
    "conversation.item.delete": Talk._delete_item,
    "conversation.item.truncate": Talk._truncate_item,
    "input_audio_buffer.append": Talk._append,
    "input_audio_buffer.commit": Talk._commit_buffer,
    "input_audio_buffer.clear": Talk._clear_buffer,
    "output_audio_buffer.clear": Talk._clear_output,
    "response.create": Talk._create_response,
    "response.cancel": Talk._cancel,
}
