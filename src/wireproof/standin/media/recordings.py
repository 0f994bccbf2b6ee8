"""What is heard in an uploaded file: how long it is, and which words.

Our own speech says its words in a comment of the file. Any other recording is given words, as many as its length has
room for, by lot from its bytes: the same file always says the same.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from itertools import islice

from wireproof.standin.media.sounds import COMMENT, MARK, SECONDS_A_TOKEN
from wireproof.standin.prose import dice, sentences
from wireproof.standin.tokens import joined, tokenized

# By FFmpeg's names. A list of what may be tried, lest an uploaded playlist makes it open other files.
ALLOWED = {"format_whitelist": "mp3,wav,flac,ogg,aac,mov,mp4,m4a,matroska,webm,mpeg"}


# The longest that fits in the largest upload, at the rates speech is recorded at; silence can be squeezed further.
LONGEST_S = 7_200


class Unhearable(ValueError):
    """The bytes are no recording, or none that is taken."""


@dataclass(frozen=True, slots=True)
class Recording:
    """`tokens` joined are the words."""

    duration_s: float
    tokens: tuple[str, ...]

    @property
    def words(self) -> str:
        return joined(self.tokens)


def heard(data: bytes) -> Recording:
    """The recording in `data`. `Unhearable` when no audio comes out of it."""
    import av

    try:
        with av.open(io.BytesIO(data), "r", options=ALLOWED, metadata_errors="replace") as container:
            if not container.streams.audio:
                raise Unhearable("there is no sound in it")
            stream = container.streams.audio[0]
            comment = container.metadata.get(COMMENT) or stream.metadata.get(COMMENT) or ""
            lasts = 0.0
            for frame in container.decode(stream):
                lasts += frame.samples / frame.sample_rate
                if lasts > LONGEST_S:
                    raise Unhearable(f"it is longer than {LONGEST_S} seconds")
    except (av.FFmpegError, ValueError, ArithmeticError) as unhearable:
        raise Unhearable(str(unhearable)) from unhearable
    duration_s = round(lasts, 3)
    if not duration_s:
        raise Unhearable("there is no sound in it")
    words = comment.removeprefix(MARK) if comment.startswith(MARK) else _made_up(data, duration_s)
    return Recording(duration_s, tuple(tokenized(words)))


def _made_up(data: bytes, duration_s: float) -> str:
    room = max(1, int(duration_s / SECONDS_A_TOKEN))
    return joined(list(islice(sentences(dice("heard", hashlib.sha256(data).hexdigest())), room)))
