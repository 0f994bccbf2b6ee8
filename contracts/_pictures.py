"""Pictures by their headers: which format they are, how large, with or without an alpha channel, still or moving.

Read as far as it takes to know that, and that the picture is whole: pixels are not decoded. `NoPicture` says what is
wrong with the bytes.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

PNG, WEBP_ALPHA, WEBP_MOVING = b"\x89PNG\r\n\x1a\n", 0x10, 0x02
# Markers of JPEG that begin a frame, and those that stand alone. Source: ITU-T T.81, table B.1.
FRAMES = frozenset((*range(0xC0, 0xD0),)) - {0xC4, 0xC8, 0xCC}
ALONE = frozenset((0x01, *range(0xD0, 0xD8)))
SVG = re.compile(rb"<svg\b[^>]*>", re.DOTALL)
SVG_SIDE = r'\b{}\s*=\s*["\']\s*([0-9]+)(?:\.[0-9]*)?(?:px)?\s*["\']'


class NoPicture(ValueError):
    """The bytes are no picture, or not a whole one."""


@dataclass(frozen=True, slots=True)
class Picture:
    """`format` as the API names it: png, jpeg, webp, gif, svg. `frames` is 2 for any number above 1."""

    format: str
    width: int
    height: int
    has_alpha: bool
    frames: int = 1

    @property
    def size(self) -> str:
        return f"{self.width}x{self.height}"


def picture_in(data: bytes) -> Picture:
    """The picture that `data` is. Raises NoPicture."""
    if not data:
        raise NoPicture("no bytes at all")
    for begins, read in READERS:
        if begins(data):
            try:
                found = read(data)
            except (struct.error, IndexError) as short:
                raise NoPicture(f"a picture that is cut off after {len(data):,} bytes") from short
            if found.format != "svg" and not (found.width and found.height):
                raise NoPicture(f"a {found.format} of {found.size} pixels")
            return found
    raise NoPicture(f"{len(data):,} bytes that begin with {data[:8].hex(' ')}")


def _png(data: bytes) -> Picture:
    """Chunks from IHDR to IEND. Source: W3C PNG (third edition) 5."""
    length, kind = struct.unpack_from(">I4s", data, 8)
    width, height, _, colour = struct.unpack_from(">IIBB", data, 16)
    if kind != b"IHDR" or length != 13:
        raise NoPicture("a PNG that does not begin with its header")
    has_alpha, has_pixels, frames, at = colour in (4, 6), False, 1, 8
    while True:
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"tRNS":
            has_alpha = True
        elif kind == b"acTL":
            frames = min(2, struct.unpack_from(">I", data, at + 8)[0])
        elif kind == b"IDAT":
            has_pixels = has_pixels or length > 0
        begin, at = at, at + 12 + length
        if at > len(data):
            raise NoPicture(f"a PNG that is cut off in its {kind.decode('latin-1')} chunk")
        if zlib.crc32(data[begin + 4 : at - 4]) != int.from_bytes(data[at - 4 : at], "big"):
            raise NoPicture(f"a PNG whose {kind.decode('latin-1')} chunk is damaged: its checksum is another")
        if kind == b"IEND":
            break
    if not has_pixels:
        raise NoPicture("a PNG without pixels")
    return Picture("png", width, height, has_alpha, frames)


def _jpeg(data: bytes) -> Picture:
    at = 2
    while True:
        if data[at] != 0xFF:
            raise NoPicture("a JPEG with bytes between its segments")
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker in ALONE:
            at += 2
        elif marker in FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 5)
            break
        else:
            at += 2 + int(struct.unpack_from(">H", data, at + 2)[0])
    # Some encoders pad the end.
    if b"\xff\xd9" not in data[-1024:]:
        raise NoPicture("a JPEG that is cut off before its end")
    return Picture("jpeg", width, height, False)


def _webp(data: bytes) -> Picture:
    """Source: RFC 9649, 2.4 to 2.7."""
    size, kind = struct.unpack_from("<I", data, 4)[0], data[12:16]
    if len(data) < size + 8:
        raise NoPicture(f"a WebP of {size + 8:,} bytes that is cut off after {len(data):,}")
    if kind == b"VP8X":
        flags = data[20]
        width, height = (1 + int.from_bytes(data[at : at + 3], "little") for at in (24, 27))
        return Picture("webp", width, height, bool(flags & WEBP_ALPHA), 2 if flags & WEBP_MOVING else 1)
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return Picture("webp", 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF), bool(bits >> 28 & 1))
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", data, 26)
        return Picture("webp", width & 0x3FFF, height & 0x3FFF, False)
    raise NoPicture("a WebP whose first chunk is no picture")


def _gif(data: bytes) -> Picture:
    """Blocks up to the trailer. Source: GIF89a, 17 to 27."""
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    at, frames, has_alpha = 13 + _colours(flags), 0, False
    while data[at] != 0x3B:
        if data[at] == 0x2C:
            frames += 1
            at += 10 + _colours(data[at + 9]) + 1
        elif data[at] == 0x21:
            has_alpha = has_alpha or (data[at + 1] == 0xF9 and bool(data[at + 3] & 1))
            at += 2
        else:
            raise NoPicture(f"a GIF with an unknown block {data[at]:#04x}")
        while data[at]:
            at += 1 + data[at]
        at += 1
    if not frames:
        raise NoPicture("a GIF without pictures")
    return Picture("gif", width, height, has_alpha, min(2, frames))


def _colours(flags: int) -> int:
    """How many bytes the table of colours takes."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _svg(data: bytes) -> Picture:
    """Sides of 0 when the picture fits any."""
    tag = SVG.search(data)
    if tag is None or b"</svg>" not in data[-256:]:
        raise NoPicture("an SVG that is cut off")
    text = tag[0].decode("utf-8", "replace")
    sides = [re.search(SVG_SIDE.format(name), text) for name in ("width", "height")]
    width, height = (int(side[1]) if side else 0 for side in sides)
    return Picture("svg", width, height, True)


def _is_svg(data: bytes) -> bool:
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    return head.startswith(b"<") and b"<svg" in head


READERS: tuple[tuple[Callable[[bytes], bool], Callable[[bytes], Picture]], ...] = (
    (lambda data: data.startswith(PNG), _png),
    (lambda data: data.startswith(b"\xff\xd8\xff"), _jpeg),
    (lambda data: data.startswith(b"RIFF") and data[8:12] == b"WEBP", _webp),
    (lambda data: data[:6] in (b"GIF87a", b"GIF89a"), _gif),
    (_is_svg, _svg),
)
