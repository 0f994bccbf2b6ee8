"""Audio through the official client."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from pathlib import Path

import av
import openai
import pytest

WORDS = "The quiet river carries a stone. Nobody minds!"


def spoken(client: openai.OpenAI) -> bytes:
    return client.audio.speech.create(model="tts-1", voice="alloy", input=WORDS, response_format="wav").read()


def test_speech_is_streamed_into_a_file_that_decodes(client: openai.OpenAI, tmp_path: Path) -> None:
    file = tmp_path / "speech.mp3"
    with client.audio.speech.with_streaming_response.create(
        model="gpt-4o-mini-tts", voice="coral", input=WORDS, instructions="Calmly."
    ) as response:
        assert response.headers["content-type"] == "audio/mpeg"
        response.stream_to_file(file)
    with av.open(str(file), "r") as container:
        assert sum(frame.samples for frame in container.decode(container.streams.audio[0])) > 0


def test_speech_as_events_is_read_as_lines(client: openai.OpenAI) -> None:
    with client.audio.speech.with_streaming_response.create(
        model="gpt-4o-mini-tts", voice="coral", input=WORDS, stream_format="sse"
    ) as response:
        lines = [line for line in response.iter_lines() if line]
    assert lines[0].startswith('data: {"type":"speech.audio.delta"')
    assert '"speech.audio.done"' in lines[-1]


def test_a_recording_is_transcribed_in_all_six_formats(client: openai.OpenAI) -> None:
    file = ("speech.wav", spoken(client))
    create = client.audio.transcriptions.create
    assert create(file=file, model="whisper-1").text == WORDS
    verbose = create(
        file=file, model="whisper-1", response_format="verbose_json", timestamp_granularities=["word", "segment"]
    )
    assert verbose.words is not None
    assert verbose.segments is not None
    assert (len(verbose.words), len(verbose.segments)) == (8, 2)
    assert create(file=file, model="whisper-1", response_format="text") == WORDS + "\n"
    assert create(file=file, model="whisper-1", response_format="srt").startswith("1\n00:00:00,000 --> ")
    assert create(file=file, model="whisper-1", response_format="vtt").startswith("WEBVTT\n\n00:00:00.000 --> ")
    diarized = create(
        file=file, model="gpt-4o-transcribe-diarize", response_format="diarized_json", chunking_strategy="auto"
    )
    assert "".join(turn.text for turn in diarized.segments) == WORDS


def test_logprobs_come_with_the_transcription(client: openai.OpenAI) -> None:
    told = client.audio.transcriptions.create(
        file=("speech.wav", spoken(client)), model="gpt-4o-transcribe", include=["logprobs"], prompt="Rivers"
    )
    assert "".join(entry.token or "" for entry in told.logprobs or []) == WORDS
    assert told.usage is not None
    assert told.usage.type == "tokens"


def test_a_transcription_is_streamed(client: openai.OpenAI) -> None:
    with client.audio.transcriptions.create(
        file=("speech.wav", spoken(client)), model="gpt-4o-mini-transcribe", stream=True
    ) as stream:
        *deltas, done = list(stream)
    assert "".join(event.delta for event in deltas if event.type == "transcript.text.delta") == WORDS
    assert done.type == "transcript.text.done"
    assert done.text == WORDS


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
def test_a_recording_is_translated(client: openai.OpenAI) -> None:
    file = ("speech.wav", spoken(client))
    assert client.audio.translations.create(file=file, model="whisper-1").text == WORDS
    verbose = client.audio.translations.create(file=file, model="whisper-1", response_format="verbose_json")
    assert verbose.language == "english"
    assert client.audio.translations.create(file=file, model="whisper-1", response_format="srt").startswith("1\n")


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
def test_the_async_client_speaks_hears_and_streams(async_client: Callable[[], openai.AsyncOpenAI]) -> None:
    async def heard() -> str:
        async with async_client() as client:
            async with client.audio.speech.with_streaming_response.create(
                model="tts-1", voice="echo", input=WORDS, response_format="flac"
            ) as response:
                data = await response.read()
            plain = await client.audio.transcriptions.create(file=("a.flac", data), model="gpt-4o-transcribe")
            assert plain.text == WORDS
            english = await client.audio.translations.create(file=("a.flac", io.BytesIO(data)), model="whisper-1")
            assert english.text == WORDS
            stream = await client.audio.transcriptions.create(
                file=("a.flac", data), model="gpt-4o-transcribe-diarize", response_format="diarized_json", stream=True
            )
            return "".join([event.text async for event in stream if event.type == "transcript.text.segment"])

    assert asyncio.run(heard()) == WORDS
