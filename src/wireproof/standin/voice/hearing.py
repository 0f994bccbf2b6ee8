"""The buffer of what a client says: how long it is, and when somebody speaks in it.

Speech is whatever is loud enough, in windows of WINDOW_MS; it has stopped after so much silence as the session asks
for. Both are told once a window, so that the same sound gives the same turns however it was cut into pieces.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

WINDOW_MS = 20
# Per millisecond: 24 kHz of 16 bit, or 8 kHz of 8 bit.
BYTES_A_MS = {"audio/pcm": 48, "audio/pcmu": 8, "audio/pcma": 8}
# How loud (of 32,768) speech is at threshold 1; a tone of our own reaches a quarter of full scale.
LOUDEST = 4_096
# Semantic detection judges words; here eagerness is patience in silence. Source of the order, not of the numbers: SPEC.
PATIENCE_MS = {"low": 1_000, "medium": 500, "auto": 500, "high": 250}
# What may lie in the buffer: fifteen minutes.
MOST_MS = 15 * 60 * 1_000


@dataclass(frozen=True, slots=True)
class Turn:
    """Somebody began to speak (`is_begin`), or fell silent, `at_ms` after the first sound of the session."""

    is_begin: bool
    at_ms: int


class Buffer:
    """Sound that is not an item yet. `settings` are those of `audio.input`."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.settings = settings
        self.is_speech = False
        self._data = bytearray()
        self._judged = 0
        self._silent_ms = 0
        self._dropped = 0

    @property
    def ms(self) -> float:
        return len(self._data) / self._rate

    @property
    def heard_ms(self) -> int:
        """Of the whole session, up to now."""
        return int((self._dropped + len(self._data)) / self._rate)

    def take(self, data: bytes) -> Iterator[Turn]:
        """More sound; the turns it brings. Where turns are detected, old silence is let go."""
        self._data += data
        detection = self.settings.get("turn_detection")
        if detection:
            yield from self._turns(detection)

    def emptied(self) -> bytes:
        """All of it, and none is left."""
        data = bytes(self._data)
        self._dropped += len(data)
        self._data.clear()
        self._judged = self._silent_ms = 0
        self.is_speech = False
        return data

    @property
    def _rate(self) -> int:
        return BYTES_A_MS[(self.settings.get("format") or {}).get("type", "audio/pcm")]

    def _turns(self, detection: Mapping[str, Any]) -> Iterator[Turn]:
        window = WINDOW_MS * self._rate
        least = LOUDEST * float(detection.get("threshold", 0.5))
        patience = detection.get("silence_duration_ms") or PATIENCE_MS[detection.get("eagerness", "auto")]
        padding = detection.get("prefix_padding_ms", 300)
        while self._judged + window <= len(self._data):
            is_loud = _loudness(bytes(self._data[self._judged : self._judged + window]), self._rate) >= least
            at_ms = int((self._dropped + self._judged) / self._rate)
            self._judged += window
            self._silent_ms = 0 if is_loud else self._silent_ms + WINDOW_MS
            if is_loud and not self.is_speech:
                self.is_speech = True
                yield Turn(True, max(0, at_ms - padding))
            elif self.is_speech and self._silent_ms >= patience:
                self.is_speech = False
                yield Turn(False, at_ms + WINDOW_MS)
        if not self.is_speech:
            self._forget(padding * self._rate)

    def _forget(self, keep: int) -> None:
        old = max(0, self._judged - keep)
        del self._data[:old]
        self._dropped += old
        self._judged -= old


def _loudness(data: bytes, rate: int) -> int:
    """The highest swing of a window."""
    if rate == BYTES_A_MS["audio/pcm"]:
        samples = array("h", data[: len(data) // 2 * 2])
        if sys.byteorder == "big":
            samples.byteswap()
        return max(map(abs, samples), default=0)
    return max(map(_swings().__getitem__, data), default=0)


@cache
def _swings() -> tuple[int, ...]:
    """How far each byte of a telephone swings; the two laws are near enough for this. Source: ITU-T G.711."""
    swings = []
    for byte in range(256):
        inverted = ~byte & 0xFF
        swings.append((((inverted & 0x0F) << 3) + 0x84 << ((inverted & 0x70) >> 4)) - 0x84)
    return tuple(swings)
