"""The stand-in's one token counter: no vocabulary file, no download, the same count everywhere.

A token is up to ten Latin letters or up to three digits, with the space before it; up to three marks of
punctuation, likewise; a run of white space; or one character of any other script. English comes out at
about four characters a token, as the usual byte-pair encodings do. Joining the tokens gives the text back,
and no token splits a character, so the UTF-8 bytes of the tokens are the bytes of the text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any

TOKEN = re.compile(
    r" ?[A-Za-z]{1,10}| ?[0-9]{1,3}| ?[!-/:-@\[-`{-~]{1,3}|\s+(?!\S)|\s|.",
    re.DOTALL,
)

# More than any context window takes. A body of 64 MiB has thirty million, and the loop waits while they are counted.
MOST_COUNTED = 2_000_000
# What a chat format adds: 3 tokens a message for its frame, 1 for a name, 3 to open the reply.
# Source: the counting recipe published for the gpt-3.5 and gpt-4 families.
MESSAGE_TOKENS = 3
NAME_TOKENS = 1
REPLY_TOKENS = 3
# Source: the vision guide's price of an image, detail low, and of 1024 x 1024 pixels, detail high.
IMAGE_TOKENS = {"low": 85, "high": 765, "auto": 765}
# Ours: ten tokens a second of 16 kHz, 16 bit, mono.
AUDIO_BYTES_PER_TOKEN = 3200
# The guide on rate limits speaks of an estimate from the number of characters; four is the usual ratio.
CHARACTERS_PER_TOKEN = 4


def tokenized(text: str) -> list[str]:
    """`text` as tokens; "" has none. "".join gives it back."""
    return TOKEN.findall(text)


def count(text: str) -> int:
    """The tokens of `text`; MOST_COUNTED when there are more, for a request that is refused anyway."""
    return _count(text) if len(text) < 4096 else sum(1 for _ in islice(TOKEN.finditer(text), MOST_COUNTED))


@lru_cache(maxsize=2048)
def _count(text: str) -> int:
    return len(TOKEN.findall(text))


def estimate(characters: int) -> int:
    """Tokens a rate limiter expects of so many characters, before it has counted any."""
    return -(-characters // CHARACTERS_PER_TOKEN)


def media_bytes(base64_text: str) -> int:
    return len(base64_text) * 3 // 4


def part_tokens(part: Mapping[str, Any]) -> dict[str, int]:
    """What one content part adds to the prompt: `{kind: tokens}`, kind one of text, image, audio."""
    kind = part.get("type")
    if kind == "image_url":
        return {"image": IMAGE_TOKENS[part["image_url"].get("detail", "auto")]}
    if kind == "input_audio":
        return {"audio": 1 + media_bytes(part["input_audio"]["data"]) // AUDIO_BYTES_PER_TOKEN}
    if kind == "file":
        file = part.get("file", {})
        return {"text": count(file.get("filename", "")) + estimate(media_bytes(file.get("file_data", ""))) + 1}
    return {"text": count(part.get("text") or part.get("refusal") or "")}


def joined(tokens: Sequence[str]) -> str:
    return "".join(tokens)
