"""Pictures that an image library opens at the asked size: PNG, JPEG, WebP, moving GIF, and SVG.

Encoding is slow next to everything else here (a PNG of 1024 x 1024 takes some 10 ms), so what is drawn from a prompt
alone is remembered.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wireproof.standin.media.memory import remembered
from wireproof.standin.media.shapes import Scene, scene

if TYPE_CHECKING:
    from PIL.Image import Image

MEDIA_TYPES = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "svg": "image/svg+xml",
}
# A picture in hand needs four bytes a pixel; more than this is no upload but an attack.
MOST_PIXELS = 64_000_000


class Unreadable(ValueError):
    """The bytes are no picture, or none that is taken."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a picture is asked for. `compression` is the quality of a JPEG or WebP in percent, 100 the best.

    `blocks` above 1 coarsens it to squares of so many pixels: what is there before the picture is.
    """

    width: int = 1024
    height: int = 1024
    format: str = "png"
    compression: int = 100
    transparent: bool = False
    frames: int = 1
    frame_ms: int = 200
    blocks: int = 1


@remembered
def picture(meaning: str, look: Look) -> bytes:
    """What `meaning` looks like, encoded."""
    if look.format == "svg":
        return _svg(scene(meaning), look)
    if look.frames > 1:
        step_s = look.frame_ms / 1000
        return _encoded([drawn(scene(meaning), look, index * step_s) for index in range(look.frames)], look)
    return _encoded([drawn(scene(meaning), look)], look)


def edited(meaning: str, look: Look, original: bytes, mask: bytes | None = None) -> bytes:
    """`original` at the size asked for, with `meaning` drawn over it.

    With a mask only where that is fully transparent, and nowhere else is a pixel changed; without one half
    transparent, everywhere. `Unreadable` when either is no picture.
    """
    from PIL import Image

    size = (look.width, look.height)
    below = opened(original).convert("RGBA").resize(size, Image.Resampling.LANCZOS)
    kept = None
    if mask is not None:
        holes = opened(mask).convert("RGBA").getchannel("A").resize(size, Image.Resampling.NEAREST)
        kept = holes.point(lambda alpha: 255 if alpha else 0)
    moments = []
    for index in range(look.frames):
        above = drawn(scene(meaning), look, index * look.frame_ms / 1000)
        mixed = Image.blend(below, above, 0.5) if kept is None else Image.composite(below, above, kept)
        moments.append(_coarse(mixed, look.blocks))
    return _encoded(moments, look)


def varied(meaning: str, look: Look, original: bytes) -> bytes:
    """A picture like `original`: mirrored, and tinged with what `meaning` looks like."""
    from PIL import Image, ImageOps

    mirrored = ImageOps.mirror(opened(original).convert("RGBA").resize((look.width, look.height)))
    return _encoded([Image.blend(mirrored, drawn(scene(meaning), look), 0.25)], look)


def opened(data: bytes) -> Image:
    """The picture in `data`, decoded, upright as its camera says. `Unreadable` otherwise."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        found = Image.open(io.BytesIO(data))
        if found.width * found.height > MOST_PIXELS:
            raise Unreadable(f"{found.width}x{found.height} pixels are too many")
        found.load()
        return ImageOps.exif_transpose(found) or found
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as unreadable:
        raise Unreadable(str(unreadable)) from unreadable


def format_of(data: bytes) -> str:
    """`png`, `jpeg`, `webp`, ... by content, whatever its name says. `Unreadable` when it is none."""
    from PIL import Image, UnidentifiedImageError

    try:
        return (Image.open(io.BytesIO(data)).format or "").lower()
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as unreadable:
        raise Unreadable(str(unreadable)) from unreadable


def drawn(seen: Scene, look: Look, second: float = 0.0) -> Image:
    """One moment of a scene, as RGBA."""
    from PIL import Image, ImageDraw

    image = Image.new("RGBA", (look.width, look.height), (*seen.ground, 0 if look.transparent else 255))
    pen = ImageDraw.Draw(image)
    for shape in seen.shapes:
        if shape.kind == "triangle":
            pen.polygon(shape.corners(look.width, look.height, second), fill=(*shape.colour, 255))
        else:
            getattr(pen, shape.kind)(shape.box(look.width, look.height, second), fill=(*shape.colour, 255))
    return _coarse(image, look.blocks)


def _coarse(image: Image, blocks: int) -> Image:
    if blocks <= 1:
        return image
    small = image.resize((max(1, image.width // blocks), max(1, image.height // blocks)))
    return small.resize(image.size, 0)  # 0: the nearest pixel, so that the squares stay squares


def _encoded(moments: list[Image], look: Look) -> bytes:
    """PNG compresses fast rather than well; JPEG has no transparency and gets the ground's colour."""
    out = io.BytesIO()
    first, *rest = moments
    options: dict[str, Any] = {"png": {"compress_level": 1}, "webp": {"quality": look.compression, "method": 0}}.get(
        look.format, {"quality": look.compression}
    )
    if look.format == "jpeg" or not look.transparent:
        first, rest = first.convert("RGB"), [moment.convert("RGB") for moment in rest]
    if look.format == "gif":
        first, *rest = [moment.quantize(64, method=2) for moment in (first, *rest)]  # 2: octree, the fast one
        options = {"save_all": True, "append_images": rest, "duration": look.frame_ms, "loop": 0}
    first.save(out, look.format.upper(), **options)
    return out.getvalue()


def _svg(seen: Scene, look: Look) -> bytes:
    width, height = look.width, look.height
    rows = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">']
    if not look.transparent:
        rows.append(f'<rect width="{width}" height="{height}" fill="rgb{seen.ground}"/>')
    for shape in seen.shapes:
        left, top, right, bottom = shape.box(width, height)
        fill = f'fill="rgb{shape.colour}"'
        if shape.kind == "ellipse":
            rows.append(
                f'<ellipse cx="{(left + right) / 2:.1f}" cy="{(top + bottom) / 2:.1f}" '
                f'rx="{(right - left) / 2:.1f}" ry="{(bottom - top) / 2:.1f}" {fill}/>'
            )
        elif shape.kind == "rectangle":
            rows.append(
                f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}" {fill}/>'
            )
        else:
            points = " ".join(f"{x:.1f},{y:.1f}" for x, y in shape.corners(width, height))
            rows.append(f'<polygon points="{points}" {fill}/>')
    return "\n".join([*rows, "</svg>", ""]).encode()
