"""What a request for pictures asks of its model: what each family takes, at which size and price.

The official schemas take every field for every model; which go together stands in their words, and here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wireproof.standin.catalogue import Model
from wireproof.standin.media.pictures import Look
from wireproof.standin.moderation import flagged
from wireproof.standin.refusals import Refused, invalid, wrong_value
from wireproof.standin.tokens import count

SQUARE, LANDSCAPE, PORTRAIT = "1024x1024", "1536x1024", "1024x1536"


@dataclass(frozen=True, slots=True)
class Family:
    """`sizes` None: any that is a multiple of 16, no narrower than 1:3, within the largest. `is_classic`: dall-e."""

    sizes: tuple[str, ...] | None
    qualities: tuple[str, ...]
    longest_prompt: int
    most: int = 10
    is_classic: bool = False


# Source: SDK and spec, the words on `size`, `quality`, `prompt` and `n`. The first prefix that fits.
FAMILIES = {
    "dall-e-2": Family(("256x256", "512x512", SQUARE), ("standard",), 1_000, is_classic=True),
    "dall-e-3": Family((SQUARE, "1792x1024", "1024x1792"), ("standard", "hd"), 4_000, most=1, is_classic=True),
    "gpt-image-2.": Family(None, ("low", "medium", "high", "xhigh", "max"), 32_000),
    "gpt-image-2": Family(None, ("low", "medium", "high"), 32_000),
    "": Family((SQUARE, LANDSCAPE, PORTRAIT), ("low", "medium", "high"), 32_000),
}
LARGEST = (3840, 2160)
# Fields that one side has and the other knows not, whatever their value; null is nothing.
ONLY_CLASSIC = ("response_format", "style")
ONLY_GPT_IMAGE = ("background", "complexity", "moderation", "output_format", "output_compression", "stream",
                  "partial_images", "frame_count", "frame_duration_ms", "svg", "input_fidelity", "markup")  # fmt: skip
# Words that even `moderation: low` does not let pass.
NEVER = frozenset(("sexual/minors",))
GIF_FRAMES, GIF_FRAME_MS, LONGEST_FRAME_MS = 9, 200, 655_350

# Source: images guide, tokens of one picture by quality, for the square, the portrait and the landscape.
TOKENS = {"low": (272, 408, 400), "medium": (1056, 1584, 1568), "high": (4160, 6240, 6208)}
# Ours: the two later qualities have no published figures.
TIMES_HIGH = {"xhigh": 2, "max": 4}
PARTIAL_TOKENS = 100
SQUARE_PIXELS = 1024 * 1024


def family(model: Model) -> Family:
    return next(found for prefix, found in FAMILIES.items() if model.id.startswith(prefix))


def check(body: Mapping[str, Any], model: Model, *, refuse_svg: bool = False) -> None:
    """Refused: what the schema takes but this model, or this combination, does not."""
    takes = family(model)
    for name in ONLY_GPT_IMAGE if takes.is_classic else ONLY_CLASSIC:
        if body.get(name) is not None:
            raise invalid(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
    if len(body.get("prompt", "")) > takes.longest_prompt:
        raise invalid(f"Invalid 'prompt': string too long. Expected a string with maximum length "
                      f"{takes.longest_prompt}, but got a string with length {len(body['prompt'])} instead.",
                      "prompt", "string_above_max_length")  # fmt: skip
    if (body.get("n") or 1) > takes.most:
        raise invalid(f"Invalid 'n': {model.id} makes {takes.most} image at a time.", "n", "invalid_value")
    quality = body.get("quality") or "auto"
    if quality not in ("auto", *takes.qualities):
        raise wrong_value("quality", quality, [*takes.qualities, "auto"])
    _check_size(body.get("size") or "auto", takes)
    if not takes.is_classic:
        _check_format(body, refuse_svg)
    _check_content(body, takes)


def _check_size(size: str, takes: Family) -> None:
    if size == "auto" and not takes.is_classic:
        return
    if takes.sizes is not None:
        if size not in takes.sizes and size != "auto":
            raise wrong_value("size", size, [*takes.sizes, *(() if takes.is_classic else ("auto",))])
        return
    width, height = pixels(size)
    fits = max(width, height) <= LARGEST[0] and min(width, height) <= LARGEST[1]
    if width % 16 or height % 16 or not fits or max(width, height) > 3 * min(width, height):
        raise invalid(f"Invalid size '{size}': width and height must be divisible by 16, no more than 3840x2160, and "
                      "at most three times each other.", "size", "invalid_value")  # fmt: skip


def _check_format(body: Mapping[str, Any], refuse_svg: bool) -> None:
    format, is_streamed = body.get("output_format") or "png", bool(body.get("stream"))
    if body.get("background") == "transparent" and format == "jpeg":
        raise invalid("Transparent background is not supported for JPEG output format.", "background", "invalid_value")
    if (body.get("output_compression") or 100) < 100 and format not in ("jpeg", "webp"):
        raise invalid(f"Compression less than 100 is not supported for {format.upper()} output format.",
                      "output_compression", "invalid_value")  # fmt: skip
    for name in ("frame_count", "frame_duration_ms"):
        if body.get(name) is not None and format != "gif":
            raise invalid(f"'{name}' is only supported with output_format 'gif'.", name, "invalid_value")
    if body.get("svg") is not None and format != "svg":
        raise invalid("'svg' is only supported with output_format 'svg'.", "svg", "invalid_value")
    if is_streamed and format in ("gif", "svg"):
        raise invalid(f"Streaming is not supported for {format.upper()} output format.", "stream", "invalid_value")
    if is_streamed and (body.get("n") or 1) > 1:
        # The events have nothing to tell pictures apart by.
        raise invalid("Streaming is only supported for one image at a time.", "n", "invalid_value")
    if format == "svg" and (refuse_svg or (body.get("n") or 1) > 1):
        raise invalid("SVG output is not available for this request.", "output_format", "invalid_value")
    if format == "gif" and (body.get("mask") is not None):
        raise invalid("Masks are not supported for GIF output format.", "mask", "invalid_value")


def _check_content(body: Mapping[str, Any], takes: Family) -> None:
    found = flagged(body.get("prompt", ""))
    if found & NEVER or (found and body.get("moderation") != "low"):
        code = "content_policy_violation" if takes.is_classic else "moderation_blocked"
        raise _blocked(code)


def _blocked(code: str) -> Refused:
    return invalid(
        "Your request was rejected by the safety system. If you believe this is an error, try another prompt.",
        None,
        code,
    )


def pixels(size: str) -> tuple[int, int]:
    width, _, height = size.partition("x")
    return int(width), int(height)


def quality_of(body: Mapping[str, Any], model: Model) -> str:
    """What was asked for, or what `auto` means: the middle one, dall-e's standard."""
    asked = body.get("quality") or "auto"
    return asked if asked != "auto" else "standard" if family(model).is_classic else "medium"


def look(body: Mapping[str, Any], model: Model, like: tuple[int, int] | None = None) -> Look:
    """How the pictures of a checked request look. `like`: the size of the picture it edits, which `auto` follows."""
    size = body.get("size") or "auto"
    if size == "auto":
        width, height = like or (1, 1)
        size = SQUARE if width == height or family(model).is_classic else LANDSCAPE if width > height else PORTRAIT
    width, height = pixels(size)
    format = body.get("output_format") or "png"
    frame_ms = min(LONGEST_FRAME_MS, round(body.get("frame_duration_ms") or GIF_FRAME_MS, -1) or 10)
    return Look(
        width,
        height,
        format,
        100 if body.get("output_compression") is None else body["output_compression"],
        body.get("background") == "transparent",
        (body.get("frame_count") or GIF_FRAMES) if format == "gif" else 1,
        frame_ms,
    )


def picture_tokens(quality: str, width: int, height: int) -> int:
    """What one picture costs; sizes without a published figure by their share of the square."""
    square, portrait, landscape = TOKENS.get(quality, TOKENS["high"])
    published = {(1024, 1024): square, (1024, 1536): portrait, (1536, 1024): landscape}
    tokens = published.get((width, height)) or -(-square * width * height // SQUARE_PIXELS)
    return tokens * TIMES_HIGH.get(quality, 1)


def original_tokens(width: int, height: int, fidelity: str) -> int:
    """What a picture costs that is edited: by tiles of 512 once its shorter side is 512.

    Source: images guide; high fidelity adds the tokens of a square, or of an oblong, in high quality.
    """
    longer = 512 * max(width, height) / min(width, height)
    tiles = -(-int(longer) // 512)
    more = {"high": 4160 if width == height else 6240}.get(fidelity, 0)
    return 65 + 129 * tiles + more


def usage(body: Mapping[str, Any], model: Model, seen: Look, image_tokens: int, partials: int) -> dict[str, Any]:
    text_tokens = count(body.get("prompt", ""))
    quality = quality_of(body, model)
    made = picture_tokens(quality, seen.width, seen.height) * (body.get("n") or 1) + PARTIAL_TOKENS * partials
    return {
        "input_tokens": text_tokens + image_tokens,
        "output_tokens": made,
        "total_tokens": text_tokens + image_tokens + made,
        "input_tokens_details": {"text_tokens": text_tokens, "image_tokens": image_tokens},
    }
