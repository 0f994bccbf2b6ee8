"""Sound as telephones carry it: 8 kHz, a byte a sample, in the two laws of G.711."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable
from functools import lru_cache

from wireproof.standin.media.sounds import RATE

PHONE_RATE = 8_000
# What is added before the logarithm of the mu law is taken, and the loudest that then still fits.
BIAS, CLIP = 0x84, 32_635


@lru_cache(maxsize=512)
def telephoned(samples: bytes, type: str) -> bytes:
    """24 kHz samples of 16 bit in one of `audio/pcm` (as they are), `audio/pcmu`, `audio/pcma`."""
    if type not in LAWS:
        return samples
    wave = array("h", samples)
    if sys.byteorder == "big":
        wave.byteswap()
    law = LAWS[type]
    return bytes(law(sample) for sample in wave[:: RATE // PHONE_RATE])


def _mu(sample: int) -> int:
    size = min(abs(sample), CLIP) + BIAS
    segment = size.bit_length() - 8
    return ~((0x80 if sample < 0 else 0) | segment << 4 | size >> segment + 3 & 0x0F) & 0xFF


def _a(sample: int) -> int:
    """The first two segments are equally fine; even bits are turned over on the line."""
    size = (sample if sample >= 0 else ~sample) >> 3
    segment = max(0, size.bit_length() - 5)
    return ((0x80 if sample >= 0 else 0) | segment << 4 | size >> max(segment, 1) & 0x0F) ^ 0x55


LAWS: dict[str, Callable[[int], int]] = {"audio/pcmu": _mu, "audio/pcma": _a}
