"""Words with their times: sentences and words of a recording, captions as SRT and WebVTT.

Tokens lie evenly over the recording, as our own speech says them. Times rise, touch, and end with the recording.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from wireproof.standin.media.recordings import Recording

ENDS = (".", "!", "?")
# A sentence without end is cut here: captions have to be read in passing.
MOST_TOKENS = 24


@dataclass(frozen=True, slots=True)
class Spoken:
    """Some tokens of a recording, from `start` to `end` seconds. `at` counts the tokens before them."""

    tokens: tuple[str, ...]
    start: float
    end: float
    at: int = 0

    @property
    def text(self) -> str:
        return "".join(self.tokens)


def sentences(recording: Recording) -> list[Spoken]:
    """The whole recording, cut after full stops; [] when nothing is said."""
    return list(_cut(recording, lambda tokens: tokens[-1].rstrip()[-1:] in ENDS or len(tokens) >= MOST_TOKENS))


def words(recording: Recording) -> list[Spoken]:
    """Every word with the marks that follow it, without the space before it."""
    tokens = recording.tokens
    starts = [
        at
        for at, token in enumerate(tokens)
        if at == 0 or (token.strip() and (token[0].isspace() or tokens[at - 1][-1].isspace()))
    ]
    pieces = (_spoken(recording, at, to) for at, to in pairwise([*starts, len(tokens)]))
    return [piece for piece in pieces if piece.text.strip()]


def _cut(recording: Recording, is_whole: Callable[[tuple[str, ...]], bool]) -> Iterator[Spoken]:
    at = 0
    for to in range(1, len(recording.tokens) + 1):
        if to == len(recording.tokens) or is_whole(recording.tokens[at:to]):
            yield _spoken(recording, at, to)
            at = to


def _spoken(recording: Recording, at: int, to: int) -> Spoken:
    step = recording.duration_s / len(recording.tokens)
    return Spoken(recording.tokens[at:to], round(at * step, 3), round(to * step, 3), at)


def srt(parts: Iterable[Spoken]) -> str:
    """SubRip: numbered from 1, a comma before the milliseconds."""
    rows = enumerate(parts, 1)
    return "".join(f"{at}\n{_clock(p.start, ',')} --> {_clock(p.end, ',')}\n{_line(p)}\n\n" for at, p in rows)


def vtt(parts: Iterable[Spoken]) -> str:
    """WebVTT. Its text is HTML-like, so three signs are written as entities."""
    rows = (f"{_clock(p.start, '.')} --> {_clock(p.end, '.')}\n{_escaped(_line(p))}\n\n" for p in parts)
    return "WEBVTT\n\n" + "".join(rows)


def _line(part: Spoken) -> str:
    """A caption ends at an empty line, so it has none inside."""
    return " ".join(part.text.split())


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _clock(seconds: float, mark: str) -> str:
    ms = round(seconds * 1000)
    return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d}{mark}{ms % 1000:03d}"
