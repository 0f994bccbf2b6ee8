"""What a picture shows: coloured shapes on a ground, drawn by lot from its prompt.

Places and sizes are fractions of the picture, so that the same scene fits any size. Every shape drifts, which a
still picture does not show and a film does.
"""

from __future__ import annotations

import colorsys
import math
import random
from dataclasses import dataclass
from functools import lru_cache

from wireproof.standin.prose import dice

Colour = tuple[int, int, int]
Point = tuple[float, float]

KINDS = ("ellipse", "rectangle", "triangle")
FEWEST, MOST = 5, 9


@dataclass(frozen=True, slots=True)
class Shape:
    """`x`, `y` is its middle, `drift` how far that moves in one second."""

    kind: str
    x: float
    y: float
    width: float
    height: float
    colour: Colour
    drift: Point

    def box(self, width: int, height: int, second: float = 0.0) -> tuple[float, float, float, float]:
        """Left, top, right, bottom in pixels, at a moment of a film. What drifts out comes in on the other side."""
        x = _inside(self.x + self.drift[0] * second)
        y = _inside(self.y + self.drift[1] * second)
        half_width, half_height = self.width / 2, self.height / 2
        return (
            (x - half_width) * width,
            (y - half_height) * height,
            (x + half_width) * width,
            (y + half_height) * height,
        )

    def corners(self, width: int, height: int, second: float = 0.0) -> list[Point]:
        """Of a triangle: its top, then its base."""
        left, top, right, bottom = self.box(width, height, second)
        return [((left + right) / 2, top), (right, bottom), (left, bottom)]


@dataclass(frozen=True, slots=True)
class Scene:
    ground: Colour
    shapes: tuple[Shape, ...]


@lru_cache(maxsize=256)
def scene(meaning: str) -> Scene:
    """The same for the same `meaning`, in every process."""
    throw = dice("scene", meaning)
    ground = _colour(throw, 0.15, 0.95)
    return Scene(ground, tuple(_shape(throw) for _ in range(throw.randint(FEWEST, MOST))))


def _shape(throw: random.Random) -> Shape:
    heading, pace = throw.uniform(0, 2 * math.pi), throw.uniform(0.02, 0.1)
    return Shape(
        throw.choice(KINDS),
        throw.uniform(0.1, 0.9),
        throw.uniform(0.1, 0.9),
        throw.uniform(0.1, 0.4),
        throw.uniform(0.1, 0.4),
        _colour(throw, 0.75, 0.85),
        (pace * math.cos(heading), pace * math.sin(heading)),
    )


def _colour(throw: random.Random, saturation: float, value: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(throw.random(), saturation, value)
    return int(red * 255), int(green * 255), int(blue * 255)


def _inside(place: float) -> float:
    """Wraps round a little outside of the picture, so that nothing pops up within it."""
    return (place + 0.25) % 1.5 - 0.25
