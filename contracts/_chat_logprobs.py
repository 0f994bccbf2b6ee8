"""Reading the log probabilities of chat, plain and streamed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wireproof.clause import Exchange, NotApplicable, remembered

from ._reading import as_list, as_number, as_object, as_objects, as_text
from ._stream import Piece, by_choice

# Rounding of a probability of one, in half precision.
EPSILON = 0.005


@dataclass(frozen=True)
class Place:
    """One token of an answer. `entry` is what stands there; in a stream `event` is the number of its event."""

    entry: Any
    at: str
    event: int | None

    @property
    def known(self) -> dict[str, Any]:
        return self.entry if isinstance(self.entry, dict) else {}

    @property
    def logprob(self) -> float | None:
        return as_number(self.known.get("logprob"))

    @property
    def top(self) -> list[dict[str, Any]]:
        return as_objects(self.known.get("top_logprobs"))


@dataclass(frozen=True)
class Told:
    """One choice of an answer, put together if it was streamed."""

    text: str
    places: tuple[Place, ...]
    has_reasoning: bool


@remembered
def choices_told(exchange: Exchange) -> list[Told]:
    """The choices with text or tokens, in order of coming."""
    return [told for pieces in by_choice(exchange).values() if (told := _joined(pieces)) is not None]


def _joined(pieces: Sequence[Piece]) -> Told | None:
    """None when no piece has a message or a delta."""
    bodies: list[dict[str, Any]] = []
    places: list[Place] = []
    for event, at, choice in pieces:
        body = choice.get("message" if event is None else "delta")
        if isinstance(body, dict):
            bodies.append(body)
            entries = as_list(as_object(choice.get("logprobs")).get("content"))
            places += [Place(one, f"{at}/logprobs/content/{number}", event) for number, one in enumerate(entries)]
    if not bodies:
        return None
    text = "".join(as_text(body.get("content")) for body in bodies)
    return Told(
        text, tuple(places), any(body.get(key) for body in bodies for key in ("reasoning_content", "reasoning"))
    )


def places_told(exchange: Exchange) -> list[Place]:
    places = [place for told in choices_told(exchange) for place in told.places]
    if not places:
        raise NotApplicable("the answer has no log probabilities")
    return places


def spelled_bytes(entry: dict[str, Any]) -> bytes | None:
    spelled = entry.get("bytes")
    if isinstance(spelled, list) and all(type(one) is int and 0 <= one <= 255 for one in spelled):
        return bytes(spelled)
    return None
