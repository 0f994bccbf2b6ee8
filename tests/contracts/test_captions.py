"""Captions: what a player takes, and what it stumbles over."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest

from wireproof.standin.media.transcripts import Spoken, srt, vtt

PARTS = [Spoken(("A boat.",), 0.0, 1.5), Spoken((" Then", " <another>."), 1.5, 3725.25)]
SRT = "1\n00:00:00,000 --> 00:00:01,500\nA boat.\n\n2\n00:00:01,500 --> 01:02:05,250\nThen\nanother.\n\n"
VTT = "WEBVTT\n\n00:00.000 --> 00:01.500\nA boat.\n\n01:02:05.250 --> 01:02:06.000 align:start\nAnother.\n"


@pytest.fixture(scope="module")
def captions(contract: Callable[[str], ModuleType]) -> ModuleType:
    return contract("_captions")


def test_what_the_stand_in_writes_is_read(captions: ModuleType) -> None:
    for read, written in ((captions.srt_in, srt(PARTS)), (captions.vtt_in, vtt(PARTS))):
        assert [(one.start, one.end) for one in read(written)] == [(0.0, 1.5), (1.5, 3725.25)]


KEPT_SRT = [
    SRT,
    "",
    "\n",
    SRT.replace("\n", "\r\n"),
    "\ufeff" + SRT,
    SRT.rstrip(),
    SRT.replace("2\n00", "1\n00").replace("1\n00", "0\n00", 1),
    "1\n00:00:00,000 --> 00:00:01,000\n",
]
KEPT_VTT = [
    VTT,
    "WEBVTT",
    "WEBVTT - made by hand\n\n",
    VTT.replace("\n", "\r\n"),
    VTT.replace("00:00.000 -->", "intro\n00:00.000 -->"),
    VTT.replace("WEBVTT\n\n", "WEBVTT\n\nNOTE by hand\n\nSTYLE\n::cue { color: red }\n\n"),
]
BROKEN_SRT = [
    SRT.replace("\n\n", "\n"),
    SRT.replace(",", "."),
    SRT.replace("2\n", "3\n", 1),
    SRT.replace("1\n", "0\n", 1),
    SRT.replace("1\n", "2\n", 1),
    SRT.replace("-->", "->"),
    SRT.replace("00:00:01,500", "1.5"),
    SRT.replace("00:00:00,000", "00:00:00,0"),
    '"1\\n00:00:00,000 --> 00:00:01,500"',
    '{"text": "A boat."}',
    "A boat.",
    VTT,
]
BROKEN_VTT = ["", SRT, VTT.removeprefix("WEBVTT\n\n"), VTT.replace(".", ","), "WEBVTTX\n\n",
              VTT.replace("00:01", "0:1"),
              '{"text": "A boat."}']  # fmt: skip


@pytest.mark.parametrize("text", KEPT_SRT)
def test_a_file_of_subrip_is_read(captions: ModuleType, text: str) -> None:
    assert all(one.end >= one.start for one in captions.srt_in(text))


@pytest.mark.parametrize("text", BROKEN_SRT)
def test_what_is_no_subrip_is_refused(captions: ModuleType, text: str) -> None:
    with pytest.raises(captions.Malformed):
        captions.srt_in(text)


@pytest.mark.parametrize("text", KEPT_VTT)
def test_a_file_of_webvtt_is_read(captions: ModuleType, text: str) -> None:
    assert all(one.end >= one.start for one in captions.vtt_in(text))


@pytest.mark.parametrize("text", BROKEN_VTT)
def test_what_is_no_webvtt_is_refused(captions: ModuleType, text: str) -> None:
    with pytest.raises(captions.Malformed):
        captions.vtt_in(text)
