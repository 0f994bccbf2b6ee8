"""Short films that a player opens, and the still pictures that go with them.

Few frames a second: a film has to have the length and the size that were asked for, not to look smooth, and each frame
costs some milliseconds.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from wireproof.standin.media.memory import remembered
from wireproof.standin.media.pictures import Look, drawn
from wireproof.standin.media.shapes import scene

if TYPE_CHECKING:
    from PIL.Image import Image

FRAMES_A_SECOND = 4
# The sheet: so many frames, evenly over the film, in rows of SHEET_COLUMNS, each so many times smaller.
SHEET_FRAMES = 12
SHEET_COLUMNS = 4
SHEET_SCALE = 4
# By FFmpeg's names. A list of what may be tried, lest an uploaded playlist makes it open other files.
ALLOWED = {"format_whitelist": "mov,mp4,matroska,webm"}
CODEC: Final = "libx264"
HURRY = {"preset": "ultrafast", "crf": "30", "tune": "zerolatency"}


class Unwatchable(ValueError):
    """The bytes are no film."""


@dataclass(frozen=True, slots=True)
class Footage:
    """`scenes` are shown one after the other: what each means, and for how many seconds."""

    scenes: tuple[tuple[str, int], ...]
    width: int
    height: int

    @property
    def seconds(self) -> int:
        return sum(seconds for _, seconds in self.scenes)

    def meaning(self, second: float) -> str:
        for meaning, seconds in self.scenes:
            if second < seconds:
                return meaning
            second -= seconds
        return self.scenes[-1][0]


@remembered
def film(footage: Footage) -> bytes:
    """MP4, H.264, without sound."""
    import av

    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream(CODEC, rate=FRAMES_A_SECOND, options=HURRY)
        stream.width, stream.height, stream.pix_fmt = footage.width, footage.height, "yuv420p"
        for index in range(footage.seconds * FRAMES_A_SECOND):
            frame = av.VideoFrame.from_bytes(
                _moment(footage, index / FRAMES_A_SECOND).tobytes(), footage.width, footage.height
            )
            frame.pts, frame.time_base = index, Fraction(1, FRAMES_A_SECOND)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


def thumbnail(footage: Footage) -> bytes:
    """The first frame, as WebP."""
    out = io.BytesIO()
    _moment(footage, 0.0).convert("RGB").save(out, "WEBP", quality=80, method=0)
    return out.getvalue()


def spritesheet(footage: Footage) -> bytes:
    """SHEET_FRAMES small frames in rows, as JPEG."""
    from PIL import Image

    width, height = footage.width // SHEET_SCALE, footage.height // SHEET_SCALE
    rows = -(-SHEET_FRAMES // SHEET_COLUMNS)
    sheet = Image.new("RGB", (width * SHEET_COLUMNS, height * rows))
    for index in range(SHEET_FRAMES):
        second = index * footage.seconds / SHEET_FRAMES
        small = drawn(scene(footage.meaning(second)), Look(width, height), second).convert("RGB")
        sheet.paste(small, (index % SHEET_COLUMNS * width, index // SHEET_COLUMNS * height))
    out = io.BytesIO()
    sheet.save(out, "JPEG", quality=80)
    return out.getvalue()


def watched(data: bytes) -> tuple[int, int, float]:
    """Width, height and seconds of an uploaded film. `Unwatchable` when no picture comes out of it."""
    import av

    try:
        with av.open(io.BytesIO(data), "r", options=ALLOWED, metadata_errors="replace") as container:
            if not container.streams.video or not container.duration:
                raise Unwatchable("there is no moving picture in it")
            first = next(container.decode(container.streams.video[0]), None)
            if first is None:
                raise Unwatchable("there is no picture in it")
            return first.width, first.height, container.duration / av.time_base
    except (av.FFmpegError, ValueError, OverflowError) as unwatchable:
        raise Unwatchable(str(unwatchable)) from unwatchable


def _moment(footage: Footage, second: float) -> Image:
    return drawn(scene(footage.meaning(second)), Look(footage.width, footage.height), second)
