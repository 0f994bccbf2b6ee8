"""How a text is cut: into windows of so many tokens, each beginning before the last one ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wireproof.standin.refusals import invalid
from wireproof.standin.tokens import joined, tokenized


@dataclass(frozen=True, slots=True)
class Sizes:
    """Tokens of a chunk, and how many of them it shares with the one before."""

    most: int = 800
    overlap: int = 400

    def told(self) -> dict[str, Any]:
        """As a file of a store answers it: `auto` is the static strategy of 800 and 400."""
        sizes = {"max_chunk_size_tokens": self.most, "chunk_overlap_tokens": self.overlap}
        return {"type": "static", "static": sizes}


def sizes(strategy: Mapping[str, Any] | None, param: str = "chunking_strategy") -> Sizes:
    """Of a `chunking_strategy` as it was asked, or told. Refuses an overlap of more than half the size."""
    if strategy is None or strategy["type"] != "static":
        return Sizes()
    asked = Sizes(strategy["static"]["max_chunk_size_tokens"], strategy["static"]["chunk_overlap_tokens"])
    if asked.overlap * 2 > asked.most:
        raise invalid(
            f"Invalid '{param}.static.chunk_overlap_tokens': {asked.overlap} is more than half of "
            f"'max_chunk_size_tokens', which is {asked.most}.",
            f"{param}.static.chunk_overlap_tokens",
            "invalid_value",
        )
    return asked


def cut(text: str, by: Sizes) -> list[str]:
    """The chunks of `text`, in order. Every token is in one; the last chunk holds one that no other has."""
    return first_chunks(text, by, len(text))[0]


def first_chunks(text: str, by: Sizes, characters: int) -> tuple[list[str], int | None]:
    """The chunks of about so many characters, and where in `text` the next one begins; None when these were all."""
    tokens = tokenized(text[:characters])
    starts = range(0, max(len(tokens) - by.overlap, 1), by.most - by.overlap) if tokens else range(0)
    if characters < len(text):
        # What was cut off may change the last token, so a chunk with that one is not whole yet.
        starts = range(0, max(len(tokens) - by.most, 0), by.most - by.overlap)
        if not starts:
            return first_chunks(text, by, 2 * characters)
    chunks = [joined(tokens[start : start + by.most]) for start in starts]
    return chunks, None if characters >= len(text) else len(joined(tokens[: starts[-1] + starts.step]))
