"""Files that probes upload, made of nothing: the same bytes on every machine."""

from __future__ import annotations

import io
import math
import struct
import wave
import zlib
from array import array
from functools import cache

SIDE = 256
RATE = 8_000
# As long as a sentence or two, and told apart from a rounded one.
SOUND_S = 4.75


@cache
def png(hole: bool = False) -> bytes:
    """A square of one colour; with a `hole`, fully transparent in its middle, as masks are."""
    solid, clear = bytes((200, 60, 40, 255)), bytes(4)
    edge, middle = solid * (SIDE // 4), (clear if hole else solid) * (SIDE // 2)
    inner, outer = b"\0" + edge + middle + edge, b"\0" + solid * SIDE
    rows = outer * (SIDE // 4) + inner * (SIDE // 2) + outer * (SIDE // 4)
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


@cache
def wav() -> bytes:
    """A hum of SOUND_S seconds that rises, falls and pauses as a voice does, and says nothing."""
    samples = array("h")
    for at in range(int(RATE * SOUND_S)):
        second = at / RATE
        loud = max(0.0, math.sin(2 * math.pi * 2.5 * second))
        pitch = 120 + 30 * math.sin(2 * math.pi * 0.8 * second)
        tone = sum(math.sin(2 * math.pi * pitch * part * second) / part for part in (1, 2, 3, 5))
        samples.append(int(6_000 * loud * tone / 2))
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return out.getvalue()
