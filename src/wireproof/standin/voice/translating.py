"""A session that speaks in one language what it hears in others, word by word while it hears it."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from wireproof.spec import load_spec
from wireproof.standin import prose
from wireproof.standin.call import Call
from wireproof.standin.media import sounds
from wireproof.standin.refusals import Refused, invalid
from wireproof.standin.requests import body_of, refused
from wireproof.standin.voice.settings import LASTS_S, Settings, changed
from wireproof.standin.world import World

Event = dict[str, Any]
BYTES_A_MS = 48
MS_A_WORD = 300
VOICE = "marin"


def translating(id: str, model: str, asked: dict[str, Any], now: float) -> Settings:
    plain: Settings = {
        "id": id,
        "type": "translation",
        "expires_at": int(now + LASTS_S),
        "model": model,
        "audio": {"input": {"transcription": None, "noise_reduction": None}, "output": {"language": "en"}},
    }
    return changed(plain, asked)


class Translation:
    """As `Talk`: `hear`, `take`, `next_s`, `closing`. A word is spoken once it was heard, after the usual latency."""

    def __init__(self, world: World, call: Call, settings: Settings) -> None:
        self.closing: tuple[int, str] | None = None
        self.world, self.call = world, call
        self.settings = {**settings, "expires_at": int(world.now + LASTS_S)}
        self._heard_bytes = 0
        self._words = prose.sentences(prose.dice("translation", call.serial))
        self._told = 0
        self._due: list[tuple[float, Event]] = []
        self._gaps = world.setup.latency.gaps(call.serial)
        self._is_closing = False
        self._say({"type": "session.created", "session": self.settings})

    @property
    def next_s(self) -> float:
        return min([float(self.settings["expires_at"]), *(due for due, _ in self._due)])

    def hear(self, text: str | bytes) -> None:
        event: Any = None
        try:
            event = body_of(text.encode() if isinstance(text, str) else text)
            found = list(load_spec().schema("TranslationClientEvent").violations(event))
            if found:
                raise refused(found[0], event)
            self._obey(event)
        except Refused as wrong:
            error = wrong.answer.json["error"]
            event_id = event.get("event_id") if isinstance(event, dict) else None
            self._say({"type": "error", "error": {**error, "event_id": event_id}})

    def take(self) -> list[str]:
        """The messages that are due, in order."""
        now = self.world.now
        if now >= self.settings["expires_at"] and self.closing is None:
            self._close(1001, "session expired")
        due = [event for due, event in self._due if due <= now]
        self._due = [(due, event) for due, event in self._due if due > now]
        if self._is_closing and not self._due and self.closing is None:
            self.closing = (1000, "")
        return [json.dumps(event, ensure_ascii=False) for event in due]

    def end(self, code: int, reason: str) -> None:
        self.closing = self.closing or (code, reason)

    def _obey(self, event: Event) -> None:
        match event["type"]:
            case "session.update":
                self.settings = changed(self.settings, event["session"])
                self._say({"type": "session.updated", "session": self.settings})
            case "session.close":
                self._close(1000, "")
            case _:
                self._take_sound(event["audio"])

    def _take_sound(self, audio: str) -> None:
        if self._is_closing:
            raise invalid("The session is closing.", "type", "invalid_value")
        try:
            self._heard_bytes += len(base64.b64decode(audio, validate=True))
        except (binascii.Error, ValueError):
            raise invalid("Invalid 'audio'. Expected base64-encoded audio bytes.", "audio", "invalid_value") from None
        self._tell_words(self._heard_bytes // (BYTES_A_MS * MS_A_WORD))

    def _tell_words(self, heard: int) -> None:
        """Tells of the words up to number `heard` of the session."""
        for word in islice(self._words, heard - self._told):
            self._told += 1
            for event in self._of_word(word, self._told * MS_A_WORD):
                self._say(event, next(self._gaps) if event["type"] == "session.output_audio.delta" else 0.0)

    def _of_word(self, word: str, elapsed_ms: int) -> Iterator[Event]:
        if self.settings["audio"]["input"].get("transcription"):
            yield {"type": "session.input_transcript.delta", "delta": word[::-1], "elapsed_ms": elapsed_ms}
        yield {"type": "session.output_transcript.delta", "delta": word, "elapsed_ms": elapsed_ms}
        sound = base64.b64encode(sounds.signal(word, VOICE)).decode()
        form = {"sample_rate": sounds.RATE, "channels": 1, "format": "pcm16"}
        yield {"type": "session.output_audio.delta", "delta": sound, **form, "elapsed_ms": elapsed_ms}

    def _close(self, code: int, reason: str) -> None:
        """What was heard is still spoken, then it is closed."""
        if not self._is_closing:
            self._is_closing = True
            self._say({"type": "session.closed"})
        if code != 1000:
            self.closing = (code, reason)

    def _say(self, event: Event, delay_ms: float = 0.0) -> None:
        """After all that was to be said before it, and `delay_ms` later."""
        last = max([self.world.now, *(due for due, _ in self._due)])
        marked = {"type": event["type"], "event_id": self.world.id("event_"), **event}
        self._due.append((last + delay_ms / 1000, marked))
