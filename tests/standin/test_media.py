"""Pictures, sound and films as other programs see them: opened by Pillow and PyAV, at the size and length asked for."""

from __future__ import annotations

import io
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from itertools import pairwise

import av
import pytest
from PIL import Image, ImageChops

from wireproof.standin.media import films, pictures, recordings, sounds, transcripts
from wireproof.standin.media.memory import remembered
from wireproof.standin.media.pictures import Look
from wireproof.standin.media.shapes import scene
from wireproof.standin.tokens import tokenized

WORDS = "The quiet river carries a stone. Nobody (not even Zoë) minds! What now?"


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def sounding_s(data: bytes) -> float:
    """How long a file plays, by decoding all of it."""
    with av.open(io.BytesIO(data), "r") as container:
        stream = container.streams.audio[0]
        return sum(frame.samples / frame.sample_rate for frame in container.decode(stream))


# ---- pictures


@pytest.mark.parametrize("format", ["png", "jpeg", "webp", "gif"])
@pytest.mark.parametrize("size", [(1024, 1536), (256, 256), (1536, 864)])
def test_a_picture_opens_at_its_size_in_its_format(format: str, size: tuple[int, int]) -> None:
    image = opened(pictures.picture("a lighthouse", Look(*size, format=format)))
    assert (image.format, image.size) == (format.upper(), size)


def test_the_same_prompt_gives_the_same_bytes_and_another_another_picture() -> None:
    look = Look(256, 256)
    encoded = pictures.picture("a lighthouse", look)
    assert encoded == pictures.picture.__wrapped__("a lighthouse", look)  # type: ignore[attr-defined]  # not remembered
    assert pictures.picture("a windmill", look) != encoded


@pytest.mark.parametrize("format", ["png", "webp"])
def test_a_transparent_ground_is_transparent_and_the_shapes_are_not(format: str) -> None:
    image = opened(pictures.picture("a lighthouse", Look(256, 256, format, transparent=True)))
    assert image.mode == "RGBA"
    assert image.getchannel("A").getextrema() == (0, 255)
    assert opened(pictures.picture("a lighthouse", Look(256, 256, format))).mode == "RGB"


@pytest.mark.parametrize("format", ["jpeg", "webp"])
def test_more_compression_makes_fewer_bytes(format: str) -> None:
    sizes = [len(pictures.picture("a lighthouse", Look(512, 512, format, quality))) for quality in (10, 60, 100)]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]


def test_a_moving_gif_has_its_frames_and_its_pace() -> None:
    image = opened(pictures.picture("a lighthouse", Look(128, 128, "gif", frames=5, frame_ms=120)))
    assert getattr(image, "n_frames", 1) == 5
    assert image.info["duration"] == 120


def test_an_svg_has_its_size_and_a_shape_for_each_of_the_scene() -> None:
    root = ElementTree.fromstring(pictures.picture("a lighthouse", Look(640, 480, "svg")))
    assert (root.get("width"), root.get("height")) == ("640", "480")
    assert len(root) == 1 + len(scene("a lighthouse").shapes)


def test_an_edit_changes_nothing_outside_of_the_mask() -> None:
    size = (64, 64)
    original = pictures.picture("a lighthouse", Look(*size))
    hole = Image.new("RGBA", size, (0, 0, 0, 255))
    hole.paste((0, 0, 0, 0), (16, 16, 48, 48))
    mask = io.BytesIO()
    hole.save(mask, "PNG")
    before = opened(original)
    after = opened(pictures.edited("a windmill", Look(*size), original, mask.getvalue()))
    changed = ImageChops.difference(before.convert("RGB"), after.convert("RGB")).getbbox()
    assert changed is not None
    left, top, right, bottom = changed
    assert left >= 16
    assert top >= 16
    assert right <= 48
    assert bottom <= 48


def test_what_is_no_picture_is_said_so() -> None:
    for data in (b"", b"GIF89a", b"no picture", pictures.picture("x", Look(64, 64))[:100]):
        with pytest.raises(pictures.Unreadable):
            pictures.opened(data)


# ---- sound


@pytest.mark.parametrize("format", ["mp3", "opus", "aac", "flac", "wav"])
def test_speech_decodes_lasts_as_long_as_its_words_and_carries_them(format: str) -> None:
    data = sounds.speech(WORDS, "alloy", format)
    said_s = len(tokenized(WORDS)) * sounds.SECONDS_A_TOKEN
    assert sounding_s(data) == pytest.approx(said_s, abs=0.1)
    recording = recordings.heard(data)
    assert recording.words == WORDS
    assert recording.duration_s == pytest.approx(said_s, abs=0.1)


def test_raw_samples_are_those_of_the_wav() -> None:
    pcm = sounds.speech("Hello there.", "alloy", "pcm")
    assert sounds.speech("Hello there.", "alloy", "wav").endswith(pcm)
    assert max(pcm) > 0


def test_twice_the_speed_is_half_the_length() -> None:
    lengths = [len(sounds.speech(WORDS, "alloy", "pcm", speed)) for speed in (0.25, 0.5, 1.0, 2.0, 4.0)]
    assert [round(lengths[2] / length, 2) for length in lengths] == [0.25, 0.5, 1.0, 2.0, 4.0]


def test_every_voice_sounds_its_own_way() -> None:
    voices = ("alloy", "ash", "coral", "echo")
    assert len({sounds.speech("Hello there.", voice, "pcm") for voice in voices}) > 1


def test_a_recording_of_others_says_as_much_as_it_is_long_and_always_the_same() -> None:
    """Ours without its comment is a stranger's."""
    ours = sounds.speech(WORDS, "alloy", "wav")
    stranger = ours.replace(sounds.MARK.encode(), b"x" * len(sounds.MARK))
    recording = recordings.heard(stranger)
    assert recording.words != WORDS
    assert recording == recordings.heard(stranger)
    assert len(recording.tokens) == int(recording.duration_s / sounds.SECONDS_A_TOKEN)


def test_what_is_no_recording_is_said_so_and_a_playlist_opens_nothing() -> None:
    playlist = b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n"
    for data in (b"", b"no sound", playlist, b"ffconcat version 1.0\nfile /etc/hostname\n",
                 pictures.picture("x", Look(64, 64))):  # fmt: skip
        with pytest.raises(recordings.Unhearable):
            recordings.heard(data)


# ---- films


def test_a_film_opens_at_its_size_and_lasts_as_long_as_asked() -> None:
    data = films.film(films.Footage((("a lighthouse", 4),), 320, 180))
    assert films.watched(data) == (320, 180, 4.0)
    with av.open(io.BytesIO(data), "r") as container:
        frames = [bytes(frame.planes[0]) for frame in container.decode(container.streams.video[0])]
    assert len(frames) == 4 * films.FRAMES_A_SECOND
    assert len(set(frames)) > 1, "nothing moves"


def test_a_film_comes_with_a_still_and_a_sheet_of_them() -> None:
    footage = films.Footage((("a lighthouse", 4), ("a windmill", 4)), 720, 1280)
    still, sheet = opened(films.thumbnail(footage)), opened(films.spritesheet(footage))
    assert (still.format, still.size) == ("WEBP", (720, 1280))
    assert (sheet.format, sheet.size) == ("JPEG", (720 // 4 * 4, 1280 // 4 * 3))


def test_the_scenes_of_a_film_follow_one_another() -> None:
    footage = films.Footage((("one", 4), ("two", 8)), 320, 180)
    assert footage.seconds == 12
    assert [footage.meaning(second) for second in (0, 3.9, 4, 11.9, 12)] == ["one", "one", "two", "two", "two"]


def test_what_is_no_film_is_said_so() -> None:
    for data in (b"", b"no film", sounds.speech("Hello", "alloy", "wav")):
        with pytest.raises(films.Unwatchable):
            films.watched(data)


# ---- transcripts


def test_sentences_and_words_follow_one_another_and_end_with_the_recording() -> None:
    recording = recordings.Recording(9.0, tuple(tokenized(WORDS)))
    for parts in (transcripts.sentences(recording), transcripts.words(recording)):
        assert parts[0].start == 0.0
        assert parts[-1].end == 9.0
        assert all(before.end == after.start for before, after in pairwise(parts))
        assert all(part.start < part.end for part in parts)
        assert "".join(part.text for part in parts) == WORDS
    assert [part.text.strip() for part in transcripts.sentences(recording)] == [
        "The quiet river carries a stone.",
        "Nobody (not even Zoë) minds!",
        "What now?",
    ]
    assert [part.text.strip() for part in transcripts.words(recording)][-3:] == ["minds!", "What", "now?"]


def test_silence_has_no_captions() -> None:
    nothing = recordings.Recording(1.0, ())
    assert transcripts.sentences(nothing) == transcripts.words(nothing) == []
    assert transcripts.srt([]) == ""
    assert transcripts.vtt([]) == "WEBVTT\n\n"


def test_what_was_made_is_remembered_by_its_size_the_latest_longest() -> None:
    made: list[int] = []

    @remembered
    def blob(megabytes: int) -> bytes:
        made.append(megabytes)
        return bytes(megabytes << 20)

    for megabytes in (10, 11, 10, 12, 10, 11, 33, 33, 10):
        assert len(blob(megabytes)) == megabytes << 20
    assert made == [10, 11, 12, 11, 33, 33]


def test_neither_library_is_loaded_before_it_is_needed() -> None:
    loads = "import sys, wireproof.standin.media.films, wireproof.standin.media.transcripts, wireproof.standin.serve"
    shown = subprocess.run(
        [sys.executable, "-c", f"{loads}; print(sorted({{'av', 'PIL'}} & set(sys.modules)))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.strip() == "[]"
