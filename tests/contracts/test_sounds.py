"""The headers and frames of real sounds, read by our own few lines and made by FFmpeg."""

from __future__ import annotations

import io
import struct
import wave
from collections.abc import Callable
from types import ModuleType

import pytest

from wireproof.standin.media.sounds import FORMATS, Format, encoded, length_s, signal, speech

WORDS = "The harbour was quiet. Two boats came in late."
LASTS = length_s(WORDS)
# What encoders put before and after a sound: a frame or two, of up to 1,152 samples.
PADDING_S = 0.12
CONTAINERS = sorted(FORMATS.keys() - {"pcm"})


@pytest.fixture(scope="module")
def sounds(contract: Callable[[str], ModuleType]) -> ModuleType:
    return contract("_sounds")


@pytest.mark.parametrize("format", CONTAINERS)
def test_speech_is_read(sounds: ModuleType, format: str) -> None:
    found = sounds.sound_in(speech(WORDS, "alloy", format))
    assert found.format == format
    assert found.seconds == pytest.approx(LASTS, abs=PADDING_S)


def test_raw_samples_are_counted(sounds: ModuleType) -> None:
    data = speech(WORDS, "alloy", "pcm")
    assert sounds.pcm_in(data).seconds == pytest.approx(LASTS)
    with pytest.raises(sounds.NoSound):
        sounds.pcm_in(data[:-1])
    with pytest.raises(sounds.NoSound):
        sounds.pcm_in(b"")


@pytest.mark.parametrize("length", [0, 0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000, 0xFFFFFFFF - 44])
def test_a_wav_of_unknown_length_lasts_as_long_as_it_has_samples(sounds: ModuleType, length: int) -> None:
    data = bytearray(wav(b"\1\0" * 12_000))
    data[4:8] = struct.pack("<I", length)
    data[40:44] = struct.pack("<I", length)
    assert sounds.sound_in(bytes(data)).seconds == pytest.approx(0.5)


def wav(samples: bytes) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(24_000)
        file.writeframes(samples)
    return out.getvalue()


def test_an_mp3_needs_no_tag_and_may_end_with_one(sounds: ModuleType) -> None:
    data = speech(WORDS, "alloy", "mp3")
    bare = data[sounds._after_id3(data) :]
    assert data.startswith(b"ID3")
    for one in (bare, bare + b"TAG" + bytes(125)):
        assert sounds.sound_in(one).seconds == pytest.approx(LASTS, abs=PADDING_S)


@pytest.mark.parametrize(
    ("made", "format"), [(Format("", "ipod", "aac"), "mp4"), (Format("", "webm", "libopus"), "webm")], ids=str
)
def test_other_containers_are_known_by_name(sounds: ModuleType, made: Format, format: str) -> None:
    try:
        data = encoded(signal(WORDS, "alloy"), made, WORDS)
    except ValueError as missing:
        pytest.skip(f"this FFmpeg does not write it: {missing}")
    found = sounds.sound_in(data)
    assert (found.format, found.seconds) == (format, None)


@pytest.mark.parametrize("format", CONTAINERS)
def test_a_sound_that_is_cut_off_is_none(sounds: ModuleType, format: str) -> None:
    data = speech(WORDS, "alloy", format)
    if format == "flac":
        data = data[:40]  # of its frames only the first is looked at
    with pytest.raises(sounds.NoSound):
        sounds.sound_in(data[: len(data) * 2 // 3 - 5])


def told(at: int, form: str, value: int) -> bytes:
    """A WAV of half a second, one number in its head another."""
    data = bytearray(wav(b"\1\0" * 12_000))
    struct.pack_into(form, data, at, value)
    return bytes(data)


@pytest.mark.parametrize(
    "data",
    [
        told(24, "<I", 48_000),
        told(28, "<I", 24_000),
        told(32, "<H", 4),
        told(34, "<H", 8),
        told(22, "<H", 2),
        told(4, "<I", 1_000),
        told(40, "<I", 1_000),
        wav(b"\1\0" * 600) + wav(b"\1\0" * 600),
        wav(b"\1\0" * 600 + wav(b"\1\0" * 600)),
    ],
    ids=["rate", "byte rate", "alignment", "bits", "channels", "file size", "samples size", "joined", "nested"],
)
def test_a_wav_that_contradicts_itself_is_none(sounds: ModuleType, data: bytes) -> None:
    with pytest.raises(sounds.NoSound):
        sounds.sound_in(data)


def test_chunks_may_follow_the_samples_of_a_wav(sounds: ModuleType) -> None:
    data = bytearray(wav(b"\1\0" * 12_000) + b"LIST" + struct.pack("<I", 4) + b"INFO")
    struct.pack_into("<I", data, 4, len(data) - 8)
    for one in (data, data[:-12] + bytes(3)):
        assert sounds.sound_in(bytes(one)).seconds == pytest.approx(0.5)


def test_sounds_joined_with_their_tags_are_one(sounds: ModuleType) -> None:
    data = speech(WORDS, "alloy", "mp3")
    for one in (data + data, data + b"TAG" + bytes(125) + data):
        assert sounds.sound_in(one).seconds == pytest.approx(2 * LASTS, abs=2 * PADDING_S)


def test_streams_of_ogg_may_follow_each_other(sounds: ModuleType) -> None:
    data = speech(WORDS, "alloy", "opus")
    assert sounds.sound_in(data + data).seconds == pytest.approx(2 * LASTS, abs=2 * PADDING_S)


def test_pages_of_ogg_are_whole_and_in_their_order(sounds: ModuleType) -> None:
    data = speech(WORDS, "alloy", "opus")
    last = data.rindex(b"OggS")
    with pytest.raises(sounds.NoSound, match="damaged"):
        sounds.sound_in(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(sounds.NoSound, match="lacks its page"):
        sounds.sound_in(data + data[last:])


@pytest.mark.parametrize("noise", [b"busy" * 10, b'{"status": "busy"}'])
def test_frames_have_nothing_between_them(sounds: ModuleType, noise: bytes) -> None:
    data = speech(WORDS, "alloy", "mp3")
    bare = data[sounds._after_id3(data) :]
    with pytest.raises(sounds.NoSound):
        sounds.sound_in(bare + noise + bare)


@pytest.mark.parametrize(
    "data", [b"", b'{"audio": "UklGR"}', b"UklGRiQAAABXQVZF", b"<html>", bytes(400), b"ID3" + bytes(7)]
)
def test_other_bytes_are_no_sound(sounds: ModuleType, data: bytes) -> None:
    with pytest.raises(sounds.NoSound):
        sounds.sound_in(data)
