"""Captions as SRT and WebVTT, read strictly: what a player would stumble over is a flaw."""

from __future__ import annotations

import re
from typing import NamedTuple

SRT_TIMES = re.compile(r"(\d{2,}):([0-5]\d):([0-5]\d),(\d{3}) --> (\d{2,}):([0-5]\d):([0-5]\d),(\d{3})\s*")
# Source: W3C WebVTT 4.1: hours may be left out; settings may follow.
VTT_TIMES = re.compile(
    r"(?:(\d{2,}):)?([0-5]\d):([0-5]\d)\.(\d{3})[ \t]+-->[ \t]+(?:(\d{2,}):)?([0-5]\d):([0-5]\d)\.(\d{3})(?:[ \t].*)?"
)


class Malformed(ValueError):
    """The text is no file of captions; the message says what stands where something else is meant."""


class Caption(NamedTuple):
    """`start` and `end` in seconds."""

    start: float
    end: float
    text: str


def srt_in(text: str) -> list[Caption]:
    """Blocks of a number (from 1, or from 0 as some count), a line of times and the words. Raises Malformed."""
    found: list[Caption] = []
    blocks = _blocks(text)
    begin = 0 if blocks and blocks[0][0].strip() == "0" else 1
    for number, block in enumerate(blocks, begin):
        first, times, *words = [*block, ""] if len(block) == 1 else block
        if first.strip() != str(number):
            raise Malformed(f"{first[:60]!r} where the number {number} is meant")
        found.append(_caption(SRT_TIMES.fullmatch(times), times, words))
    return found


def vtt_in(text: str) -> list[Caption]:
    """The line WEBVTT, then cues, each a line of times and the words. Raises Malformed."""
    head, *blocks = _blocks(text) or [[""]]
    if not re.fullmatch(r"WEBVTT(?:[ \t].*)?", head[0]):
        raise Malformed(f"{head[0][:60]!r} where WEBVTT is meant")
    if any("-->" in line for line in head):
        raise Malformed("a cue right after WEBVTT: no blank line stands before it")
    found = []
    for block in blocks:
        if block[0].startswith(("NOTE", "STYLE", "REGION")):
            continue
        times, *words = block if "-->" in block[0] else [*block[1:], ""]
        found.append(_caption(VTT_TIMES.fullmatch(times), times, words))
    return found


def _blocks(text: str) -> list[list[str]]:
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    return [block.split("\n") for block in re.split(r"\n(?:[ \t]*\n)+", lines) if block.strip()]


def _caption(found: re.Match[str] | None, line: str, words: list[str]) -> Caption:
    if found is None:
        raise Malformed(f"{line[:60]!r} where times are meant")
    times = [int(part or 0) for part in found.groups()]
    start, end = (h * 3600 + m * 60 + s + ms / 1000 for h, m, s, ms in (times[:4], times[4:]))
    if stray := next((one for one in words if "-->" in one), None):
        raise Malformed(f"{stray[:60]!r} within the words of another caption: no blank line stands before it")
    return Caption(start, end, "\n".join(words).strip())
