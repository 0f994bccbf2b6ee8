"""One response on its way: its events in order with the waits between them, and what closes it when it is cut off.

The order is that of recorded responses: an item opens in the output, then in the conversation, its part, the pieces,
and all of it closes again from the inside out.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from wireproof.standin.chat import Said
from wireproof.standin.media import sounds
from wireproof.standin.toolcalls import ToolCall
from wireproof.standin.voice.memory import ASSISTANT_MS_A_TOKEN, Item, Memory
from wireproof.standin.voice.telephone import telephoned

Event = dict[str, Any]
# An event, or so many milliseconds until the next.
Step = Event | float

MS_A_SAMPLE = 1_000 / sounds.RATE


@dataclass(frozen=True)
class Answered:
    """What is to be said, how, and what it cost to be asked. `conversation_id` None: outside of any."""

    said: Said
    modality: str
    voice: str
    format: dict[str, Any]
    speed: float
    gaps: Iterator[float]
    prompt_text: int
    prompt_image: int
    prompt_audio: int
    cached: int
    conversation_id: str | None
    max_output_tokens: int | str
    metadata: dict[str, Any] | None


class Speaking:
    """`response` is how it stands now; `has_ended` after `response.done`."""

    def __init__(self, answered: Answered, memory: Memory, new_id: Callable[[str], str]) -> None:
        self.answered = answered
        self.has_ended = False
        self._memory = memory
        self._new_id = new_id
        self._item: Item | None = None
        self._text = ""
        self._words = self._arguments = 0
        self._audio_ms = 0.0
        self._done: list[Item] = []
        self.response: dict[str, Any] = {
            "object": "realtime.response",
            "id": new_id("resp_"),
            "status": "in_progress",
            "status_details": None,
            "output": [],
            "conversation_id": answered.conversation_id,
            "output_modalities": [answered.modality],
            "max_output_tokens": answered.max_output_tokens,
            "audio": {"output": {"format": answered.format, "voice": answered.voice}},
            "usage": None,
            "metadata": answered.metadata,
        }

    @property
    def id(self) -> str:
        id: str = self.response["id"]
        return id

    def steps(self) -> Iterator[Step]:
        yield {"type": "response.created", "response": self.response}
        said = self.answered.said
        if said.calls:
            for call in said.calls:
                yield from self._call(call)
        else:
            yield from self._message(said.tokens)
        if said.finish == "length":
            yield from self._end("incomplete", {"type": "incomplete", "reason": "max_output_tokens"})
        else:
            yield from self._end("completed", None)

    def cut(self, reason: str) -> Iterator[Event]:
        """What closes it before its time: `reason` is client_cancelled or turn_detected."""
        yield from self._close("incomplete")
        yield from self._end("cancelled", {"type": "cancelled", "reason": reason})

    def fail(self, error: dict[str, Any]) -> Iterator[Event]:
        """A response that never was, and why."""
        yield {"type": "response.created", "response": self.response}
        told = {"type": error["type"], "code": error["code"]}
        yield from self._end("failed", {"type": "failed", "error": told})

    def _message(self, tokens: tuple[str, ...]) -> Iterator[Step]:
        yield from self._open({"type": "message", "role": "assistant", "content": []}, "item_")
        yield {"type": "response.content_part.added", **self._place(), "part": self._part("")}
        is_audio, gaps = self.answered.modality == "audio", self.answered.gaps
        for token in tokens:
            yield next(gaps)
            self._text += token
            self._words += 1
            if is_audio:
                yield {"type": "response.output_audio_transcript.delta", **self._place(), "delta": token}
                yield {"type": "response.output_audio.delta", **self._place(), "delta": self._sound(token)}
            else:
                yield {"type": "response.output_text.delta", **self._place(), "delta": token}
        yield from self._close("incomplete" if self.answered.said.finish == "length" else "completed")

    def _call(self, call: ToolCall) -> Iterator[Step]:
        item = {"type": "function_call", "name": call.tool.name, "call_id": call.id, "arguments": ""}
        yield from self._open(item, "item_")
        for token in call.tokens:
            yield next(self.answered.gaps)
            self._text += token
            self._arguments += 1
            place = {"item_id": self._opened["id"], "output_index": len(self._done), "call_id": call.id}
            yield {"type": "response.function_call_arguments.delta", "response_id": self.id, **place, "delta": token}
        yield from self._close("incomplete" if self.answered.said.finish == "length" else "completed")

    def _open(self, fields: Item, prefix: str) -> Iterator[Event]:
        self._item = {"id": self._new_id(prefix), "object": "realtime.item", "status": "in_progress", **fields}
        self._text = ""
        yield {"type": "response.output_item.added", **self._index(), "item": self._item}
        if self.answered.conversation_id is not None:
            before = self._memory.place(self._item)
            yield {"type": "conversation.item.added", "previous_item_id": before, "item": self._item}

    def _close(self, status: str) -> Iterator[Event]:
        """Closes what is open of the present item, as far as it has come."""
        if self._item is None:
            return
        item = self._opened
        if item["type"] == "function_call":
            item = {**item, "status": status, "arguments": self._text}
            place = {"item_id": item["id"], "output_index": len(self._done), "call_id": item["call_id"]}
            said = {"name": item["name"], "arguments": self._text}
            yield {"type": "response.function_call_arguments.done", "response_id": self.id, **place, **said}
        else:
            item = {**item, "status": status, "content": [self._content()]}
            if self.answered.modality == "audio":
                yield {"type": "response.output_audio.done", **self._place()}
                kind, key = "output_audio_transcript", "transcript"
            else:
                kind, key = "output_text", "text"
            yield {"type": f"response.{kind}.done", **self._place(), key: self._text}
            yield {"type": "response.content_part.done", **self._place(), "part": self._part(self._text)}
        if self.answered.conversation_id is not None:
            self._memory.change(item)
            yield {"type": "conversation.item.done", "previous_item_id": self._memory.before(item["id"]), "item": item}
        yield {"type": "response.output_item.done", **self._index(), "item": item}
        self._done.append(item)
        self._item = None

    def _end(self, status: str, details: dict[str, Any] | None) -> Iterator[Event]:
        changes = {"status": status, "status_details": details, "output": self._done, "usage": self.usage}
        self.response = {**self.response, **changes}
        self.has_ended = True
        yield {"type": "response.done", "response": self.response}

    @property
    def usage(self) -> dict[str, Any]:
        """Words count as text even where they are spoken, and their sound on top, as recorded."""
        asked = self.answered
        text, sound = self._words + self._arguments, int(self._audio_ms) // ASSISTANT_MS_A_TOKEN
        taken = asked.prompt_text + asked.prompt_image + asked.prompt_audio
        return {
            "total_tokens": taken + text + sound,
            "input_tokens": taken,
            "output_tokens": text + sound,
            "input_token_details": {
                "text_tokens": asked.prompt_text,
                "audio_tokens": asked.prompt_audio,
                "image_tokens": asked.prompt_image,
                "cached_tokens": asked.cached,
                "cached_tokens_details": {"text_tokens": asked.cached, "audio_tokens": 0, "image_tokens": 0},
            },
            "output_token_details": {"text_tokens": text, "audio_tokens": sound},
        }

    @property
    def _opened(self) -> Item:
        assert self._item is not None
        return self._item

    def _index(self) -> dict[str, Any]:
        return {"response_id": self.id, "output_index": len(self._done)}

    def _place(self) -> dict[str, Any]:
        return {**self._index(), "item_id": self._opened["id"], "content_index": 0}

    def _part(self, text: str) -> dict[str, Any]:
        is_audio = self.answered.modality == "audio"
        return {"type": "audio", "transcript": text} if is_audio else {"type": "text", "text": text}

    def _content(self) -> dict[str, Any]:
        is_audio = self.answered.modality == "audio"
        return (
            {"type": "output_audio", "transcript": self._text}
            if is_audio
            else {"type": "output_text", "text": self._text}
        )

    def _sound(self, token: str) -> str:
        asked = self.answered
        samples = sounds.signal(token, asked.voice, asked.speed)
        ms = len(samples) // sounds.BYTES_A_SAMPLE * MS_A_SAMPLE
        self._audio_ms += ms
        if asked.conversation_id is not None:
            id = self._opened["id"]
            self._memory.audio_ms[id] = self._memory.audio_ms.get(id, 0.0) + ms
        return base64.b64encode(telephoned(samples, asked.format.get("type", "audio/pcm"))).decode()
