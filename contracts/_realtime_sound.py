"""What a client puts into the buffer of a realtime socket: a hum that rises and falls, which says nothing."""

from __future__ import annotations

import base64
import math
import struct
from array import array
from functools import cache
from typing import Any

RATE, BYTES = 24_000, 2


@cache
def hum(seconds: float, loud: bool = True) -> str:
    """Samples of 16 bit at 24 kHz in base64: a hum that rises and falls, or silence."""
    samples = array("h", bytes(int(RATE * seconds) * BYTES))
    for at in range(len(samples) if loud else 0):
        swell = 0.6 + 0.4 * math.sin(2 * math.pi * 3 * at / RATE)
        samples[at] = int(9_000 * swell * math.sin(2 * math.pi * 150 * at / RATE))
    return base64.b64encode(struct.pack(f"<{len(samples)}h", *samples)).decode()


def append(name: str, audio: str) -> dict[str, Any]:
    return {"event_id": name, "type": "input_audio_buffer.append", "audio": audio}


def buffer(verb: str, name: str) -> dict[str, Any]:
    return {"event_id": name, "type": f"input_audio_buffer.{verb}"}
