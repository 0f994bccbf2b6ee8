"""Clauses of speech: the sound that keeps each, the nearest one that breaks it, and legal ones that are unusual."""

from __future__ import annotations

import base64
import json
import struct
from array import array
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from made import answer, clauses_of, outcome_of, verdict_of

from wireproof.clause import Exchange
from wireproof.standin.media.sounds import speech

SHORT, LONG = "A boat.", "A boat came in late, with its lamps out, and nobody asked."
NOBODY = "wireproof-no-such-voice"
TYPES = {"mp3": "audio/mpeg", "opus": "audio/ogg; codecs=opus", "aac": "audio/aac", "flac": "audio/flac",
         "wav": "audio/wav", "pcm": "audio/pcm"}  # fmt: skip
REFUSED = {"error": {"message": "Invalid value", "type": "invalid_request_error", "param": "input", "code": None}}


@pytest.fixture(scope="module")
def said(contract: Callable[[str], ModuleType]) -> ModuleType:
    return contract("speech")


def sounding(
    format: str = "mp3", data: bytes | None = None, type: str | None = None, words: str = SHORT, **asked: Any
) -> Exchange:
    """An answer with a sound in `format`; what was asked for agrees with it unless `asked` says otherwise."""
    data = speech(words, "alloy", format, asked.get("speed") or 1.0) if data is None else data
    body = {"model": "tts-1", "input": words, "voice": "alloy", "response_format": format, **asked}
    body = {name: value for name, value in body.items() if value is not None}
    return answer(
        data,
        asked=body,
        operation="createSpeech",
        path="/audio/speech",
        headers=(("content-type", type or TYPES[format]),),
        probe=f"made.{format}.{len(words)}.{asked.get('speed')}",
    )


def refusing(status: int = 400, param: str | None = "input", **asked: Any) -> Exchange:
    body = {"model": "tts-1", "input": SHORT, "voice": "alloy", **asked}
    error = {"error": {**REFUSED["error"], "param": param}}
    return answer(error, asked=body, operation="createSpeech", path="/audio/speech", status=status)


def swapped(data: bytes) -> bytes:
    samples = array("h", data)
    samples.byteswap()
    return samples.tobytes()


def doubled(data: bytes) -> bytes:
    return b"".join(data[at : at + 2] * 2 for at in range(0, len(data), 2))


WAV, PCM, MP3 = (speech(SHORT, "alloy", format) for format in ("wav", "pcm", "mp3"))
HEAD = WAV.index(b"data") + 8
SILENT = WAV[:HEAD] + bytes(len(WAV) - HEAD)
JSON = json.dumps({"audio": base64.b64encode(WAV).decode()}).encode()
TOO_LONG = "a" * 4097
KEPT: dict[str, tuple[Exchange, ...]] = {
    "": (sounding(),),
    "something_is_heard": (sounding("wav"),),
    "speed_shortens_the_sound": (sounding("wav"), sounding("opus", speed=2)),
    "more_text_takes_longer": (sounding("wav"), sounding("flac", words=LONG)),
    "the_same_text_takes_the_same_time": (sounding("wav"), sounding("pcm"), sounding("mp3")),
    "raw_samples_are_little_endian": (sounding("pcm"),),
    "wrong_requests_are_refused": (refusing(response_format="mp9"),),
    "nothing_is_not_said": (refusing(input=""),),
    "too_much_is_refused": (refusing(input=TOO_LONG),),
    "an_unknown_voice_is_refused": (refusing(voice=NOBODY),),
    "refusals_name_the_field": (refusing(input=""),),
}
BROKEN: dict[str, tuple[str, tuple[Exchange, ...]]] = {
    "no byte": ("bytes_are_a_sound", (sounding(data=b""),)),
    "a JSON document": ("bytes_are_a_sound", (sounding("wav", JSON, "application/json"),)),
    "a JSON document as raw samples": ("bytes_are_a_sound", (sounding("pcm", JSON + b" " * (len(JSON) % 2)),)),
    "base64": ("bytes_are_a_sound", (sounding("wav", base64.b64encode(WAV)),)),
    "HTML": ("bytes_are_a_sound", (sounding("mp3", b"<html>busy</html>"),)),
    "cut off": ("bytes_are_a_sound", (sounding("wav", WAV[:-100]),)),
    "half a sample": ("bytes_are_a_sound", (sounding("pcm", b"\1\2\3"),)),
    "a head alone": ("bytes_are_a_sound", (sounding("wav", WAV[: WAV.index(b"data") + 4] + bytes(4)),)),
    "mp3 for wav": ("sound_has_the_format_asked", (sounding("mp3", response_format="wav"),)),
    "wav by default": ("sound_has_the_format_asked", (sounding("wav", response_format=None),)),
    "wav for raw samples": ("sound_has_the_format_asked", (sounding("wav", response_format="pcm"),)),
    "aac for mp3": ("sound_has_the_format_asked", (sounding("aac", response_format="mp3"),)),
    "typed as another": ("type_says_what_the_bytes_are", (sounding("wav", type="audio/mpeg"),)),
    "typed as JSON": ("type_says_what_the_bytes_are", (sounding(type="application/json"),)),
    "typed as text": ("type_says_what_the_bytes_are", (sounding("flac", type="text/plain"),)),
    "silence": ("something_is_heard", (sounding("wav", SILENT),)),
    "raw silence": ("something_is_heard", (sounding("pcm", bytes(20_000)),)),
    "as slow as before": (
        "speed_shortens_the_sound",
        (sounding("wav"), sounding("opus", speech(SHORT, "alloy", "opus"), speed=2)),
    ),
    "as short as before": (
        "more_text_takes_longer",
        (sounding("wav"), sounding("flac", speech(SHORT, "alloy", "flac"), words=LONG)),
    ),
    "a quarter of it": (
        "more_text_takes_longer",
        (sounding("wav"), sounding("flac", speech(LONG[:12], "alloy", "flac"), words=LONG)),
    ),
    "samples for two ears": (
        "the_same_text_takes_the_same_time",
        (sounding("wav"), sounding("pcm", doubled(PCM)), sounding("mp3")),
    ),
    "samples of 48 kHz": (
        "the_same_text_takes_the_same_time",
        (sounding("wav"), sounding("pcm", PCM * 2), sounding("mp3")),
    ),
    "bytes in the order of networks": ("raw_samples_are_little_endian", (sounding("pcm", swapped(PCM)),)),
    "an error in its midst": ("bytes_are_a_sound", (sounding(data=MP3[:-200] + b'{"error": {"message": "no"}}'),)),
    "a format guessed": ("wrong_requests_are_refused", (sounding(response_format="mp9"),)),
    "no input": ("wrong_requests_are_refused", (sounding(input=None),)),
    "a server error": ("wrong_requests_are_refused", (sounding(), refusing(500, response_format="mp9"))),
    "nothing said": ("nothing_is_not_said", (sounding(input=""),)),
    "too much said": ("too_much_is_refused", (sounding(input=TOO_LONG),)),
    "somebody's voice": ("an_unknown_voice_is_refused", (sounding(voice=NOBODY),)),
    "no param": ("refusals_name_the_field", (refusing(param=None, voice=NOBODY),)),
}


def test_every_clause_has_a_pair(said: ModuleType) -> None:
    assert {one.__name__ for one in clauses_of(said)} == {clause for clause, _ in BROKEN.values()}


@pytest.mark.parametrize("case", BROKEN)
def test_a_clause_tells_the_kept_answer_from_the_broken_one(said: ModuleType, case: str) -> None:
    clause, broken = BROKEN[case]
    assert outcome_of(getattr(said, clause), *KEPT.get(clause, KEPT[""])) == "pass"
    assert outcome_of(getattr(said, clause), *broken) == "fail"


def unknown_length() -> bytes:
    at = WAV.index(b"data") + 4
    return WAV[:4] + struct.pack("<I", 0xFFFFFFFF) + WAV[8:at] + struct.pack("<I", 0xFFFFFFFF) + WAV[at + 4 :]


LEGAL: dict[str, tuple[Exchange, ...]] = {
    **{f"{format}, as it is": (sounding(format),) for format in TYPES},
    **{f"{format} of no stated kind": (sounding(format, type="application/octet-stream"),) for format in TYPES},
    "a WAV of unknown length": (sounding("wav", unknown_length()),),
    "an MP3 without a tag": (sounding(data=MP3[MP3.index(b"\xff\xf3") :]),),
    "an MP3 with a tag at its end": (sounding(data=MP3 + b"TAG" + bytes(125)),),
    "audio/x-wav": (sounding("wav", type="audio/x-wav"),),
    "audio/L16 with its rate": (sounding("pcm", type="audio/L16; rate=24000; channels=1"),),
    "samples for two ears that say so": (
        sounding("wav"),
        sounding("pcm", doubled(PCM), "audio/L16;rate=24000;channels=2"),
        sounding("mp3"),
    ),
    "samples of 48 kHz that say so": (
        sounding("wav"),
        sounding("pcm", PCM * 2, "audio/pcm; rate=48000"),
        sounding("mp3"),
    ),
    "two formats that differ": (sounding("wav"), sounding("pcm", PCM * 2)),
    "raw silence that is short": (sounding("pcm", b"\1\0" * 8),),
    "a null for a format": (sounding(response_format=None),),
    "raw samples that look like frames": (sounding("pcm", b"\xff\xf3\x64\xc4" * 2_000),),
    "two voices of different pace": (sounding("wav"), sounding("flac", voice="echo", words=LONG)),
    "a slightly longer text": (sounding("wav", words="A boat."), sounding("flac", words="A boat!!!")),
    "not served": (refusing(404), refusing(501, input=""), refusing(405, voice=NOBODY)),
    "throttled": (refusing(429, input=""), refusing(503, response_format="mp9")),
    "refused as unprocessable": (refusing(422, param=None, input=""),),
    "no such voice, whatever else is wrong": (refusing(400, "voice", response_format="mp9"),),
    "a format that the server does not make": (refusing(400, "response_format", response_format="flac"),),
}


@pytest.mark.parametrize("case", LEGAL)
def test_a_legal_answer_raises_no_finding(said: ModuleType, case: str) -> None:
    found = {one.__name__: verdict_of(one, *LEGAL[case]).findings for one in clauses_of(said)}
    assert {name: findings for name, findings in found.items() if findings} == {}


def test_a_text_of_the_most_characters_may_be_said(said: ModuleType) -> None:
    assert len(said.TOO_LONG) == said.MOST_CHARACTERS + 1
    assert outcome_of(said.too_much_is_refused, sounding(input="a" * 4096)) == "not-applicable"


@pytest.mark.parametrize("data", [b"5", b"null", b"[]", b"\xff\xfb", b"ID3", b"OggS", b"fLaC", b"RIFF\0\0\0\0WAVEfmt "])
def test_no_clause_stumbles_over_a_malformed_answer(said: ModuleType, data: bytes) -> None:
    for format in TYPES:
        for clause in clauses_of(said):
            assert "the clause itself failed" not in verdict_of(clause, sounding(format, data)).reason
    for clause in clauses_of(said):
        assert "the clause itself failed" not in verdict_of(clause, refusing(input=7, voice=[1])).reason
