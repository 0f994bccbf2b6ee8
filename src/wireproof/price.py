"""What a request costs at the published prices of `spec/models.yaml`: by tokens, pictures, minutes or seconds.

None is a price that nobody published, or that depends on what cannot be known before (how many tokens of sound a text
becomes); it is never taken for nothing.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

from wireproof.spec import Spec

# Kinds whose answers are made of tokens with a price of their own.
PREVIEW_TOKENS = 100  # DOCS: each partial image of a stream costs as many output tokens more
OUTPUT = {"image": "usd_per_million_image", "speech": "usd_per_million_audio", "transcription": "usd_per_million_audio"}


def usd(spec: Spec, model: str, prompt_tokens: int, completion_tokens: int) -> float | None:
    """Dollars for tokens; None when the model has no price for them."""
    row = _row(spec, model)
    if row.get("free"):
        return 0.0
    told = row.get("usd_per_million", {})
    answers = row.get(OUTPUT[row["kind"]], {}) if row.get("kind") in OUTPUT else told
    if "input" not in told or (completion_tokens and "output" not in answers):
        return None
    return float(prompt_tokens * told["input"] + completion_tokens * answers.get("output", 0)) / 1_000_000


def dollars(usd: float | None, at_least: float) -> str:
    """In words: `$0.0061`; `at least $0.0061` when a part has no price, and that is what the rest comes to."""
    if usd is None and not at_least:
        return "price unknown"
    return f"at least ${at_least:.4f}" if usd is None else f"${usd:.4f}"


def usd_at_most(
    spec: Spec, body: Mapping[str, Any], data: bytes, prompt_tokens: int, completion_tokens: int
) -> float | None:
    """Dollars for one request. `body` are its fields, `data` its bytes, in which sound is looked for."""
    row = _row(spec, str(body.get("model", "")))
    if "usd_per_image" in row:
        pictures = _pictures(row, body)
        words = usd(spec, str(body["model"]), prompt_tokens, 0) if "usd_per_million" in row else 0.0
        return None if pictures is None or words is None else pictures + words
    if "usd_per_minute" in row:
        seconds = seconds_of_sound(data)
        return None if seconds is None else row["usd_per_minute"] * seconds / 60
    if "usd_per_second" in row:
        length = str(body.get("seconds", ""))
        return max(row["usd_per_second"].values()) * int(length) if length.isdecimal() else None
    if row.get("kind") in OUTPUT:
        return None  # its answers are tokens whose number only the answer tells
    return usd(spec, str(body.get("model", "")), prompt_tokens, completion_tokens)


def usd_of_talk(spec: Spec, model: str, prompt_tokens: int, completion_tokens: int) -> float | None:
    """Dollars at most for tokens of a talk, any of which may be sound; None when the model has no price for them."""
    row = _row(spec, model)
    told = [row[name] for name in ("usd_per_million", "usd_per_million_audio") if name in row]
    if not told or any(name not in prices for prices in told for name in ("input", "output")):
        return None
    dearest = {name: max(prices[name] for prices in told) for name in ("input", "output")}
    return float(prompt_tokens * dearest["input"] + completion_tokens * dearest["output"]) / 1_000_000


def seconds_of_sound(data: bytes) -> float | None:
    """How long the first WAV in these bytes plays; None when there is none."""
    start = data.find(b"RIFF")
    if start < 0 or data[start + 8 : start + 16] != b"WAVEfmt " or len(data) < start + 32:
        return None
    size, rate = struct.unpack_from("<I", data, start + 4)[0], struct.unpack_from("<I", data, start + 28)[0]
    return float(min(size, len(data))) / rate if rate else None


def _pictures(row: Mapping[str, Any], body: Mapping[str, Any]) -> float | None:
    """The dearest that the quality and size allow, as often as is asked for, with the previews on the way."""
    prices: Mapping[str, Mapping[str, float]] = row["usd_per_image"]
    told, size = str(body.get("quality")), str(body.get("size"))
    qualities = [prices[told]] if told in prices else list(prices.values())
    each = [sizes[size] if size in sizes else max(sizes.values()) for sizes in qualities]
    number = str(body.get("n") or 1)
    previews = str(body.get("partial_images") or 0)
    if not (number.isdecimal() and previews.isdecimal()):
        return None
    preview = PREVIEW_TOKENS * row.get("usd_per_million_image", {}).get("output", 0) / 1_000_000
    return float(max(each) + preview * int(previews)) * int(number)


def _row(spec: Spec, model: str) -> Mapping[str, Any]:
    """What is known of a model, by its name or that of its snapshot; {} when nothing is."""
    known: Mapping[str, Any] = spec.catalogue("models")["models"]
    return known.get(model) or next((row for row in known.values() if row.get("snapshot") == model), {})
