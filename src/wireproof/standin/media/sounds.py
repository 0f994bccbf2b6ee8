"""Speech that a player opens: one tone a token, so that its length follows the words and the speed.

24 kHz, 16 bit, mono, as the API has it. The words themselves travel in the comment of the file, where the format has
one (all but raw PCM), so that a transcription of our own speech finds them again.
"""

from __future__ import annotations

import io
import math
import sys
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from wireproof.standin.media.memory import remembered
from wireproof.standin.prose import dice
from wireproof.standin.tokens import tokenized

if TYPE_CHECKING:
    from av import AudioFrame
    from av.audio.stream import AudioStream

RATE = 24_000
BYTES_A_SAMPLE = 2
# About 150 words a minute, with the pauses of the full stops.
SECONDS_A_TOKEN = 0.3
SHORTEST_TONE_S = 0.02
LOUDNESS = 8_000
FADE = 0.1
FRAME_SAMPLES = 4_800
COMMENT = "comment"
MARK = "wireproof says: "
# Semitones above the voice's own: a pentatonic scale, so that whatever is said is bearable.
SCALE = (0, 2, 4, 7, 9, 12)


@dataclass(frozen=True, slots=True)
class Format:
    """`container` and `codec` by FFmpeg's names; none for raw samples."""

    media_type: str
    container: str = ""
    codec: str = ""


FORMATS = {
    "mp3": Format("audio/mpeg", "mp3", "libmp3lame"),
    "opus": Format("audio/opus", "ogg", "libopus"),
    "aac": Format("audio/aac", "adts", "aac"),
    "flac": Format("audio/flac", "flac", "flac"),
    "wav": Format("audio/wav", "wav", "pcm_s16le"),
    "pcm": Format("audio/pcm"),
}


@remembered
def speech(words: str, voice: str, format: str, speed: float = 1.0) -> bytes:
    """`words` read aloud by `voice`, in one of FORMATS."""
    samples = signal(words, voice, speed)
    made = FORMATS[format]
    return encoded(samples, made, words) if made.container else samples


def length_s(words: str, speed: float = 1.0) -> float:
    """How long `words` take; nothing said still takes a moment."""
    return max(1, len(tokenized(words))) * _tone_samples(speed) / RATE


def signal(words: str, voice: str, speed: float = 1.0) -> bytes:
    """Samples, little-endian. Full stops and the like are silent."""
    samples = _tone_samples(speed)
    base = dice("voice", voice).randint(40, 52)
    tones = []
    for token in tokenized(words) or [""]:
        note = base + SCALE[dice("tone", token).randrange(len(SCALE))] if any(map(str.isalnum, token)) else 0
        tones.append(_tone(note, samples))
    return b"".join(tones)


def _tone_samples(speed: float) -> int:
    return int(max(SHORTEST_TONE_S, SECONDS_A_TOKEN / speed) * RATE)


@lru_cache(maxsize=512)
def _tone(note: int, samples: int) -> bytes:
    """One tone and its octave, faded in and out. `note` as MIDI counts them; 0 is silence."""
    if not note:
        return bytes(samples * BYTES_A_SAMPLE)
    step = 2 * math.pi * 440 * 2 ** ((note - 69) / 12) / RATE
    fade = max(1, int(samples * FADE))
    wave = array("h", bytes(samples * BYTES_A_SAMPLE))
    for at in range(samples):
        swing = math.sin(at * step) + math.sin(2 * at * step) / 2
        wave[at] = int(LOUDNESS * swing * min(1.0, at / fade, (samples - at) / fade))
    if sys.byteorder == "big":
        wave.byteswap()
    return wave.tobytes()


def encoded(samples: bytes, made: Format, words: str) -> bytes:
    """`samples` in a container, with the words as its comment."""
    import av

    out = io.BytesIO()
    # ADTS has no place for a comment but may be preceded by the one of mp3.
    options = {"write_id3v2": "1"} if made.container == "adts" else {}
    hurry = {"compression_level": "9"} if made.codec == "libmp3lame" else {}
    with av.open(out, "w", format=made.container, options=options) as container:
        container.metadata[COMMENT] = MARK + words
        stream = cast("AudioStream", container.add_stream(made.codec, rate=RATE, layout="mono", options=hurry))
        if made.container == "ogg":
            stream.metadata[COMMENT] = MARK + words
        for frame in _frames(samples):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


def _frames(samples: bytes) -> Iterator[AudioFrame]:
    import av

    size = FRAME_SAMPLES * BYTES_A_SAMPLE
    for at in range(0, len(samples), size):
        piece = samples[at : at + size]
        frame = av.AudioFrame(format="s16", layout="mono", samples=len(piece) // BYTES_A_SAMPLE)
        frame.planes[0].update(piece.ljust(frame.planes[0].buffer_size, b"\0"))
        frame.sample_rate, frame.time_base, frame.pts = RATE, Fraction(1, RATE), at // BYTES_A_SAMPLE
        yield frame
