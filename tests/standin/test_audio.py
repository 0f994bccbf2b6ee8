"""Speech that decodes, transcripts that say it again, and captions that parse."""

from __future__ import annotations

import base64
import io
import json
import re
from itertools import pairwise
from typing import Any

import av
import pytest
from standin import asking

from wireproof.standin.backend import Setup
from wireproof.standin.latency import Latency
from wireproof.standin.media.sounds import MARK, RATE, SECONDS_A_TOKEN, speech
from wireproof.standin.tokens import count
from wireproof.standin.wire import Answer, Frame, events_of

WORDS = "The quiet river carries a stone. Nobody minds! Every sailor opens a letter beside the harbor. What now?"
MEDIA_TYPES = {
    "mp3": "audio/mpeg",
    "opus": "audio/opus",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}
WHISPER, GPT, DIARIZE = "whisper-1", "gpt-4o-transcribe", "gpt-4o-transcribe-diarize"


def frames_of(answer: Answer) -> list[Frame]:
    assert answer.status == 200, answer.body
    assert answer.frames is not None
    return list(answer.frames)


def spoken(words: str = WORDS, *, status: int = 200, setup: Setup | None = None, **fields: Any) -> Answer:
    body = {"model": "gpt-4o-mini-tts", "voice": "alloy", "input": words, **fields}
    answer = asking.post("/audio/speech", body, asking.backend(setup))
    assert answer.status == status, answer.body
    return answer


def sound(words: str = WORDS, **fields: Any) -> bytes:
    return b"".join(frame.data for frame in frames_of(spoken(words, **fields)))


def heard(
    data: bytes, *more: tuple[str, str], status: int = 200, path: str = "/audio/transcriptions", **fields: Any
) -> Answer:
    ask = asking.form(path, {"model": WHISPER, **fields}, ("file", ("in.bin", data)), *more)
    answer = asking.backend().answer(ask)
    assert answer.status == status, answer.body
    return answer


def decoded_s(data: bytes) -> float:
    with av.open(io.BytesIO(data), "r") as container:
        stream = container.streams.audio[0]
        return sum(frame.samples / frame.sample_rate for frame in container.decode(stream))


# ---- speech


@pytest.mark.parametrize("format", MEDIA_TYPES)
def test_speech_comes_in_its_format_and_lasts_as_long_as_its_words(format: str) -> None:
    answer = spoken(response_format=format)
    assert answer.header("content-type") == MEDIA_TYPES[format]
    data = b"".join(frame.data for frame in frames_of(answer))
    lasts = len(data) / RATE / 2 if format == "pcm" else decoded_s(data)
    assert lasts == pytest.approx(count(WORDS) * SECONDS_A_TOKEN, abs=0.1)


def test_speech_is_mp3_when_nothing_is_said_about_it() -> None:
    assert spoken().header("content-type") == "audio/mpeg"
    assert sound() == sound(response_format="mp3")


def test_the_speed_divides_the_length() -> None:
    slow, normal, fast = (len(sound(response_format="pcm", speed=speed)) for speed in (0.25, 1, 4))
    assert (slow, fast) == (4 * normal, normal // 4)


def test_the_pieces_keep_the_pace_of_the_latency() -> None:
    answer = spoken(setup=Setup(latency=Latency(ttft_ms=200, itl_ms=10)))
    frames = frames_of(answer)
    assert [frame.delay_ms for frame in frames] == [200.0] + [10.0] * (len(frames) - 1)
    assert len(frames) > 2


def test_events_carry_the_same_sound_and_what_it_cost() -> None:
    frames = frames_of(spoken(stream_format="sse", instructions="Speak slowly."))
    *deltas, done = events_of(frames)
    assert {delta["type"] for delta in deltas} == {"speech.audio.delta"}
    assert b"".join(base64.b64decode(delta["audio"], validate=True) for delta in deltas) == sound()
    assert done["type"] == "speech.audio.done"
    used = done["usage"]
    assert used["input_tokens"] == count(WORDS) + count("Speak slowly.")
    assert used["output_tokens"] == pytest.approx(20 * count(WORDS) * SECONDS_A_TOKEN, abs=1)
    assert used["total_tokens"] == used["input_tokens"] + used["output_tokens"]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"voice": "nobody"}, "voice"),
        ({"speed": 0.2}, "speed"),
        ({"speed": 4.1}, "speed"),
        ({"input": ""}, "input"),
        ({"input": "x" * 4097}, "input"),
        ({"response_format": "midi"}, "response_format"),
        ({"model": "tts-1", "stream_format": "sse"}, "stream_format"),
    ],
    ids=str,
)
def test_what_cannot_be_read_aloud_is_refused(fields: dict[str, Any], param: str) -> None:
    assert asking.error(spoken(status=400, **fields))["param"] == param


def test_other_models_do_not_speak_and_a_voice_of_ones_own_does() -> None:
    spoken(status=404, model=WHISPER)
    assert sound(voice={"id": "voice_1234"}) != sound(voice={"id": "voice_5678"})


# ---- transcriptions


@pytest.mark.parametrize("format", ["mp3", "opus", "aac", "flac", "wav"])
@pytest.mark.parametrize("words", [WORDS, "Grüße an Zoë — 你好!"])
def test_what_was_spoken_here_is_heard_again(format: str, words: str) -> None:
    assert heard(sound(words, response_format=format)).json["text"] == words


def test_the_recording_of_a_stranger_always_says_the_same() -> None:
    data = sound(response_format="wav").replace(MARK.encode(), b"-" * len(MARK))
    first, second = heard(data).json["text"], heard(data).json["text"]
    assert first == second != WORDS
    assert count(first) == count(WORDS)


def test_whisper_is_priced_by_the_second_and_its_successors_by_the_token() -> None:
    data = sound(response_format="wav")
    seconds = count(WORDS) * SECONDS_A_TOKEN
    assert heard(data).json["usage"] == {"type": "duration", "seconds": -int(-seconds // 1)}
    used = heard(data, model=GPT, prompt="Rivers and harbors").json["usage"]
    assert used["type"] == "tokens"
    assert used["input_token_details"] == {"text_tokens": 3, "audio_tokens": round(seconds * 10)}
    assert used["output_tokens"] == count(WORDS)
    assert used["total_tokens"] == used["input_tokens"] + used["output_tokens"]


def test_verbose_times_rise_and_end_with_the_recording() -> None:
    data = sound(response_format="wav")
    granular = [("timestamp_granularities[]", name) for name in ("word", "segment")]
    told = heard(data, *granular, response_format="verbose_json", language="de").json
    assert told["duration"] == pytest.approx(decoded_s(data), abs=0.001)
    assert (told["language"], told["task"], told["text"]) == ("german", "transcribe", WORDS)
    for parts in (told["segments"], told["words"]):
        assert parts[0]["start"] == 0
        assert parts[-1]["end"] == told["duration"]
        assert all(before["end"] <= after["start"] for before, after in pairwise(parts))
        assert all(part["start"] < part["end"] for part in parts)
    assert "".join(segment["text"] for segment in told["segments"]) == WORDS
    assert [segment["id"] for segment in told["segments"]] == list(range(4))
    assert [word["word"] for word in told["words"]] == re.sub(r"[.,;:!?]", "", WORDS).split()


@pytest.mark.parametrize(
    ("asked", "told"), [((), {"segments"}), (("segment",), {"segments"}), (("word",), {"words"})], ids=str
)
def test_only_the_granularity_that_was_asked_for_is_told(asked: tuple[str, ...], told: set[str]) -> None:
    granular = [("timestamp_granularities[]", name) for name in asked]
    answer = heard(sound(), *granular, response_format="verbose_json").json
    assert {"segments", "words"} & set(answer) == told


def test_text_is_plain() -> None:
    answer = heard(sound(), response_format="text")
    assert answer.header("content-type") == "text/plain; charset=utf-8"
    assert answer.body.decode() == WORDS + "\n"


CLOCK = r"(\d\d):([0-5]\d):([0-5]\d)%s(\d\d\d)"
CUE = {"srt": re.compile(f"{CLOCK % ','} --> {CLOCK % ','}"), "vtt": re.compile(f"{CLOCK % '[.]'} --> {CLOCK % '[.]'}")}


def cues(text: str, format: str) -> list[tuple[float, float, str]]:
    """Start, end and text of every caption, by a reader that forgives nothing."""
    assert text.endswith("\n\n")
    blocks = text.removesuffix("\n\n").split("\n\n")
    if format == "vtt":
        assert blocks.pop(0) == "WEBVTT"
    found = []
    for number, block in enumerate(blocks, 1):
        lines = block.split("\n")
        if format == "srt":
            assert lines.pop(0) == str(number)
        times = CUE[format].fullmatch(lines.pop(0))
        assert times is not None, block
        start, end = (
            int(h) * 3600 + int(m) * 60 + int(s) + int(ms) / 1000
            for h, m, s, ms in (times.groups()[:4], times.groups()[4:])
        )
        assert lines
        assert all(lines)
        found.append((start, end, "\n".join(lines)))
    return found


@pytest.mark.parametrize("format", ["srt", "vtt"])
def test_captions_parse_and_follow_one_another(format: str) -> None:
    found = cues(heard(sound(), response_format=format).body.decode(), format)
    assert " ".join(text for _, _, text in found) == WORDS
    assert found[0][0] == 0
    assert all(start < end for start, end, _ in found)
    assert all(before[1] <= after[0] for before, after in pairwise(found))


def test_captions_escape_what_means_something_to_webvtt() -> None:
    words = "Is 1 < 2 & 3 --> 4?\n\nYes."
    vtt = cues(heard(sound(words), response_format="vtt").body.decode(), "vtt")
    assert [text for _, _, text in vtt] == ["Is 1 &lt; 2 &amp; 3 --&gt; 4?", "Yes."]
    srt = cues(heard(sound(words), response_format="srt").body.decode(), "srt")
    assert [text for _, _, text in srt] == ["Is 1 < 2 & 3 --> 4?", "Yes."]


def test_speakers_take_turns_and_known_ones_keep_their_names() -> None:
    told = heard(sound(), model=DIARIZE, response_format="diarized_json").json
    assert told["text"] == "".join(turn["text"] for turn in told["segments"]) == WORDS
    assert {turn["speaker"] for turn in told["segments"]} == {"A", "B"}
    assert told["duration"] == told["segments"][-1]["end"]
    sample = "data:audio/wav;base64," + base64.b64encode(speech("Hi", "ash", "wav")).decode()
    known = [("known_speaker_names[]", "agent"), ("known_speaker_names[]", "customer"),
             ("known_speaker_references[]", sample), ("known_speaker_references[]", sample)]  # fmt: skip
    told = heard(sound(), *known, model=DIARIZE, response_format="diarized_json").json
    assert {turn["speaker"] for turn in told["segments"]} == {"agent", "customer"}


def test_logprobs_are_of_the_tokens_of_the_text() -> None:
    told = heard(sound(), ("include[]", "logprobs"), model=GPT).json
    assert "".join(entry["token"] for entry in told["logprobs"]) == WORDS
    assert all(entry["logprob"] <= 0 for entry in told["logprobs"])
    assert b"".join(bytes(entry["bytes"]) for entry in told["logprobs"]).decode() == WORDS


def test_the_newest_model_tells_the_language() -> None:
    told = heard(sound(), ("languages[]", "fr"), ("languages[]", "en"), model="gpt-transcribe").json
    assert told["languages"] == [{"code": "fr"}]


# ---- as events


def streamed(*more: tuple[str, str], **fields: Any) -> list[dict[str, Any]]:
    return list(events_of(frames_of(heard(sound(), *more, stream="true", **fields))))


def test_the_deltas_make_the_text_of_the_end() -> None:
    *deltas, done = streamed(("include[]", "logprobs"), model=GPT)
    assert {delta["type"] for delta in deltas} == {"transcript.text.delta"}
    assert "".join(delta["delta"] for delta in deltas) == done["text"] == WORDS
    assert [entry for delta in deltas for entry in delta["logprobs"]] == done["logprobs"]
    assert done["type"] == "transcript.text.done"
    assert done["usage"]["output_tokens"] == len(deltas)


def test_a_turn_is_told_once_its_deltas_are() -> None:
    found = streamed(model=DIARIZE, response_format="diarized_json")
    told: dict[str, str] = {}
    for event in found[:-1]:
        if event["type"] == "transcript.text.delta":
            told[event["segment_id"]] = told.get(event["segment_id"], "") + event["delta"]
        else:
            assert event["type"] == "transcript.text.segment"
            assert event["text"] == told[event["id"]]
    assert list(told.values()) == [e["text"] for e in found if e["type"] == "transcript.text.segment"]
    assert found[-1]["text"] == "".join(told.values())


def test_whisper_does_not_stream_whatever_it_is_told() -> None:
    assert heard(sound(), stream="true").json["text"] == WORDS


# ---- translations


def test_a_translation_is_english() -> None:
    assert heard(sound(), path="/audio/translations").json == {"text": WORDS}
    told = heard(sound("Grüße an Zoë"), path="/audio/translations", response_format="verbose_json").json
    assert (told["task"], told["language"]) == ("translate", "english")
    assert told["text"].isascii()
    assert told["segments"][-1]["end"] == told["duration"]
    assert "usage" not in told


@pytest.mark.parametrize("format", ["srt", "vtt"])
def test_translated_captions_parse(format: str) -> None:
    answer = heard(sound(), path="/audio/translations", response_format=format)
    assert " ".join(text for _, _, text in cues(answer.body.decode(), format)) == WORDS


# ---- what is refused


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"response_format": "diarized_json"}, "response_format"),
        ({"model": GPT, "response_format": "srt"}, "response_format"),
        ({"model": DIARIZE, "response_format": "verbose_json"}, "response_format"),
        ({"timestamp_granularities[]": "word"}, "timestamp_granularities"),
        ({"include[]": "logprobs"}, "include"),
        ({"model": GPT, "response_format": "text", "include[]": "logprobs"}, "include"),
        ({"model": DIARIZE, "prompt": "Rivers"}, "prompt"),
        ({"languages[]": "en"}, "languages"),
        ({"known_speaker_names[]": "agent"}, "known_speaker_names"),
        ({"model": DIARIZE, "known_speaker_names[]": "agent"}, "known_speaker_references"),
        ({"language": "english"}, "language"),
        ({"temperature": "1.5"}, "temperature"),
        ({"response_format": "xml"}, "response_format"),
        ({"path": "/audio/translations", "model": GPT}, "model"),
        ({"path": "/audio/translations", "response_format": "diarized_json"}, "response_format"),
    ],
    ids=str,
)
def test_what_does_not_go_together_is_refused_by_name(fields: dict[str, Any], param: str) -> None:
    assert asking.error(heard(sound(), status=400, **fields))["param"] == param


def test_a_file_that_is_no_recording_is_refused() -> None:
    for data in (b"", b"no recording", sound(response_format="pcm")):
        assert asking.error(heard(data, status=400))["param"] == "file"
    assert asking.error(heard(bytes((25 << 20) + 1), status=413))["type"] == "invalid_request_error"
    text = asking.backend().answer(asking.form("/audio/transcriptions", {"model": WHISPER, "file": "text"}))
    assert asking.error(text)["param"] == "file"
    missing = asking.backend().answer(asking.form("/audio/transcriptions", {"model": WHISPER}))
    assert asking.error(missing)["param"] == "file"


def test_a_long_talk_of_several_needs_a_chunking_strategy() -> None:
    data = sound("The river. " * 40)
    assert asking.error(heard(data, status=400, model=DIARIZE))["param"] == "chunking_strategy"
    heard(data, model=DIARIZE, chunking_strategy="auto")
    heard(data, model=DIARIZE, chunking_strategy=json.dumps({"type": "server_vad", "threshold": 0.4}))
