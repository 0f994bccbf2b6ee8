"""Sounds by their headers and frames: which format they are, and how long they last.

Frames are walked, not decoded. `NoSound` says what is wrong with the bytes. Raw samples have no header: whoever asked
for them reads them with `pcm_in`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

# Source: ISO/IEC 11172-3 and 13818-3, layer III: kbit/s by the index in the header, for version 1 and for 2 and 2.5.
MP3_KBITS = (
    (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
)
MP3_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
# Source: ISO/IEC 14496-3, sampling frequency index.
AAC_RATES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350)
AAC_SAMPLES = 1024
OPUS_RATE = 48_000
# Source: id3.org, ID3v1.
TAG_BYTES = 128
# Source: speech guide: raw samples are 16 bit, 24 kHz, mono.
PCM_RATE, PCM_BYTES = 24_000, 2
# What a stream writes where it does not know its length yet: nothing, or some number near the largest, less its head.
LEAST_UNKNOWN = 0x7FFF0000
# Integers, floats, and either of them with more told.
WAV_SAMPLES = (1, 3, 0xFFFE)
UNTIMED = {b"OpusHead": "opus", b"\x01vorbis": "vorbis", b"\x7fFLAC": "flac"}


class NoSound(ValueError):
    """The bytes are no sound, or one that no player plays to its end."""


@dataclass(frozen=True, slots=True)
class Sound:
    """`format`: mp3, opus, aac, flac, wav, vorbis, mp4, webm, pcm. `seconds` None when the file does not tell."""

    format: str
    seconds: float | None


# Bytes per frame and how many seconds they last, or None where no frame begins.
Step = Callable[[bytes, int], tuple[int, float] | None]


@lru_cache(maxsize=16)
def sound_in(data: bytes) -> Sound:
    """The sound that `data` is. Raises NoSound."""
    if not data:
        raise NoSound("no bytes at all")
    at = _after_id3(data)
    try:
        for begins, read in READERS:
            if begins(data, at):
                return read(data, at)
    except (struct.error, IndexError) as short:
        raise NoSound(f"a sound that is cut off after {len(data):,} bytes") from short
    raise NoSound(f"{len(data):,} bytes that begin with {data[at : at + 8].hex(' ')}")


def pcm_in(data: bytes, rate: int = PCM_RATE, channels: int = 1) -> Sound:
    """Raw samples of 16 bit. Raises NoSound when it cannot be that."""
    if len(data) < PCM_BYTES or len(data) % PCM_BYTES:
        raise NoSound(f"{len(data):,} bytes, which are no whole samples of 16 bit")
    return Sound("pcm", len(data) / PCM_BYTES / rate / channels)


def _after_id3(data: bytes, at: int = 0) -> int:
    """Where the sound begins behind its tags. Source: id3.org, ID3v2.4 3.1: a size of four times seven bits."""
    while data[at : at + 3] == b"ID3" and len(data) >= at + 10:
        a, b, c, d = data[at + 6 : at + 10]
        footer = 10 if data[at + 5] & 0x10 else 0
        at += 10 + footer + (a << 21 | b << 14 | c << 7 | d)
    return at


# ------------------------------------------------------------------------------------------ WAV, FLAC, Ogg


def _wav(data: bytes, at: int) -> Sound:
    bytes_a_second = 0
    for kind, at, size in _chunks(data):
        if kind == b"fmt ":
            bytes_a_second = _wav_rate(data, at)
        elif kind == b"data":
            there = len(data) - at
            if not bytes_a_second:
                raise NoSound("a WAV without its format before its samples")
            if _is_known(size) and size > there:
                raise NoSound(f"a WAV that announces {size:,} bytes of samples and has {there:,}")
            if data.find(b"WAVEfmt ", at) >= 0:
                raise NoSound("a WAV with the head of another one in its midst")
            if _is_known(size):
                _expect_whole(data, at + size)
            return Sound("wav", (size if _is_known(size) else there) / bytes_a_second)
    raise NoSound("a WAV without samples")


def _wav_rate(data: bytes, at: int) -> int:
    """Bytes a second. Source: Microsoft, WAVEFORMATEX: of plain samples it follows from rate, channels and bits."""
    kind, channels, rate, bytes_a_second, align, bits = struct.unpack_from("<HHIIHH", data, at)
    wanted = channels * ((bits + 7) // 8)
    if kind in WAV_SAMPLES and (align, bytes_a_second) != (wanted, rate * wanted):
        raise NoSound(
            f"a WAV of {channels} channels, {bits} bit and {rate:,} Hz that says {bytes_a_second:,} bytes a second, "
            f"{align} a frame"
        )
    return int(bytes_a_second)


def _expect_whole(data: bytes, end: int) -> None:
    """The samples end at `end`: so far reaches the file by its head, and what follows are chunks of it."""
    (told,) = struct.unpack_from("<I", data, 4)
    if _is_known(told) and told + 8 < end:
        raise NoSound(f"a WAV that ends after {told + 8:,} bytes by its head, and after {end:,} by its samples")
    rest = data[end + end % 2 :]
    if len(rest) >= 8 and rest.strip(b"\0") and not (rest[:4].isascii() and rest[:4].decode().isprintable()):
        raise NoSound(f"a WAV with {len(rest):,} bytes behind the samples that it announces")


def wav_samples(data: bytes) -> bytes:
    """The samples of a WAV; none when it has none."""
    for kind, at, size in _chunks(data):
        if kind == b"data":
            return data[at : at + size] if _is_known(size) else data[at:]
    return b""


def _is_known(size: int) -> bool:
    return 0 < size < LEAST_UNKNOWN


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, place and announced size of each chunk of a RIFF file."""
    at = 12
    while at + 8 <= len(data):
        kind, size = struct.unpack_from("<4sI", data, at)
        yield kind, at + 8, size
        at += 8 + size + size % 2


def _flac(data: bytes, at: int) -> Sound:
    """Source: RFC 9639 8.2: the first block tells the rate and, if it is known, how many samples there are."""
    if data[at + 4] & 0x7F:
        raise NoSound("a FLAC that does not begin with its stream info")
    packed = int.from_bytes(data[at + 18 : at + 26], "big")
    rate, samples = packed >> 44, packed & 0xFFFFFFFFF
    at += 4
    while True:
        is_last, size = data[at] & 0x80, int.from_bytes(data[at + 1 : at + 4], "big")
        at += 4 + size
        if is_last:
            break
    if data[at] != 0xFF or data[at + 1] & 0xFC != 0xF8:
        raise NoSound("a FLAC without frames")
    return Sound("flac", samples / rate if samples and rate else None)


def _ogg(data: bytes, at: int) -> Sound:
    """Pages to the last whole one; several streams may follow each other. Source: RFC 3533 6; RFC 7845 4 and 5.1."""
    samples, position, skip, codec, pages, next_number = 0, 0, 0, "", 0, 0
    while data[at : at + 4] == b"OggS":
        table = data[at + 27 : at + 27 + data[at + 26]]
        body = at + 27 + len(table)
        end = body + sum(table)
        if end > len(data):
            raise NoSound(f"an Ogg stream that is cut off in its page {pages}")
        granule, _, number, checksum = struct.unpack_from("<qIII", data, at + 6)
        if _ogg_checksum(data[at : at + 22] + bytes(4) + data[at + 26 : end]) != checksum:
            raise NoSound(f"an Ogg stream whose page {pages} is damaged: its checksum is another")
        if data[at + 5] & 2:  # the first page of a stream
            samples += max(0, position - skip)
            position, next_number = 0, number
            codec = next((name for mark, name in UNTIMED.items() if data.startswith(mark, body)), "")
            skip = struct.unpack_from("<H", data, body + 10)[0] if codec == "opus" else 0
        if number != next_number:
            raise NoSound(f"an Ogg stream that lacks its page {next_number}: page {number} follows")
        position, pages, next_number, at = max(position, granule), pages + 1, number + 1, end
    if not codec:
        raise NoSound("an Ogg stream of something that is neither Opus, Vorbis nor FLAC")
    if pages < 3:
        raise NoSound("an Ogg stream of headers alone")
    samples += max(0, position - skip)
    return Sound(codec, samples / OPUS_RATE if codec == "opus" else None)


def _ogg_checksum(page: bytes) -> int:
    """Source: RFC 3533 6: polynomial 0x04c11db7, neither reflected nor inverted."""
    found = 0
    for byte in page:
        found = found << 8 & 0xFFFFFFFF ^ OGG_CHECKSUMS[found >> 24 ^ byte]
    return found


def _ogg_remainder(value: int) -> int:
    value <<= 24
    for _ in range(8):
        value = value << 1 & 0xFFFFFFFF ^ (0x04C11DB7 if value & 0x80000000 else 0)
    return value


OGG_CHECKSUMS = tuple(map(_ogg_remainder, range(256)))


# ------------------------------------------------------------------------------------------ frame by frame


def _mp3_frame(data: bytes, at: int) -> tuple[int, float] | None:
    if len(data) < at + 4 or data[at] != 0xFF or data[at + 1] & 0xE6 != 0xE2:  # sync, layer III
        return None
    version, kbits, rate = data[at + 1] >> 3 & 3, data[at + 2] >> 4, data[at + 2] >> 2 & 3
    if version == 1 or rate == 3 or kbits in (0, 15):
        return None
    hertz = MP3_RATES[version][rate]
    samples = 1152 if version == 3 else 576
    size = samples // 8 * MP3_KBITS[version != 3][kbits] * 1000 // hertz + (data[at + 2] >> 1 & 1)
    # The first frame of LAME tells of the others and is silent itself.
    is_told = any(mark in data[at + 4 : at + 44] for mark in (b"Xing", b"Info", b"VBRI"))
    return size, 0.0 if is_told else samples / hertz


def _aac_frame(data: bytes, at: int) -> tuple[int, float] | None:
    """Source: ISO/IEC 13818-7, adts_frame."""
    if len(data) < at + 7 or data[at] != 0xFF or data[at + 1] & 0xF6 != 0xF0:
        return None
    rate = data[at + 2] >> 2 & 0xF
    size = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
    if rate >= len(AAC_RATES) or size < 7:
        return None
    return size, ((data[at + 6] & 3) + 1) * AAC_SAMPLES / AAC_RATES[rate]


def _framed(format: str, step: Step) -> Callable[[bytes, int], Sound]:
    """Frames to the last; tags and padding are no matter, a frame that is cut off is, and what is no sound at all."""
    begins = _begins(step)

    def read(data: bytes, at: int) -> Sound:
        seconds, frames = 0.0, 0
        for size, lasts in _frames(data, at, step):
            at += size
            if at > len(data):
                raise NoSound(f"{format} that is cut off in its frame {frames}")
            seconds, frames = seconds + lasts, frames + 1
        if rest := data[at:].lstrip(b"\0"):
            if rest[:1] in (b"{", b"<"):
                raise NoSound(f"{format} that ends with {rest[:60].decode('utf-8', 'replace')!r}")
            if any(begins(rest, place) for place in range(1, len(rest)) if rest[place] == 0xFF):
                raise NoSound(f"{format} with other bytes between its frames, after frame {frames}")
        if not seconds:
            raise NoSound(f"{format} without sound")
        return Sound(format, seconds)

    return read


def _frames(data: bytes, at: int, step: Step) -> Iterator[tuple[int, float]]:
    """Each frame; a tag between two, where sounds were joined, as one that does not last."""
    while True:
        if (frame := step(data, at)) is None:
            behind = _after_id3(data, at + TAG_BYTES if data[at : at + 3] == b"TAG" else at)
            if behind == at or step(data, behind) is None:
                return
            frame = behind - at, 0.0
        yield frame
        at += frame[0]


def _begins(step: Step) -> Callable[[bytes, int], bool]:
    """Two frames in a row, or one that is all there is: two bytes alike come by chance."""

    def begins(data: bytes, at: int) -> bool:
        first = step(data, at)
        return first is not None and (at + first[0] >= len(data) or step(data, at + first[0]) is not None)

    return begins


READERS: tuple[tuple[Callable[[bytes, int], bool], Callable[[bytes, int], Sound]], ...] = (
    (lambda data, at: data[:4] in (b"RIFF", b"RF64") and data[8:12] == b"WAVE", _wav),
    (lambda data, at: data[at : at + 4] == b"fLaC", _flac),
    (lambda data, at: data[at : at + 4] == b"OggS", _ogg),
    (lambda data, at: data[4:8] == b"ftyp", lambda data, at: Sound("mp4", None)),
    (lambda data, at: data.startswith(b"\x1a\x45\xdf\xa3"), lambda data, at: Sound("webm", None)),
    (_begins(_aac_frame), _framed("aac", _aac_frame)),
    (_begins(_mp3_frame), _framed("mp3", _mp3_frame)),
)
