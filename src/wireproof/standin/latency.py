"""How long the stand-in takes: time to the first token, then from token to token.

Constants, or lognormal with the constant as median and `jitter` as sigma: the long right tail of real
servers, and never negative. All in milliseconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING

from wireproof.standin.prose import dice

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Latency:
    ttft_ms: float = 0.0
    itl_ms: float = 0.0
    jitter: float = 0.0
    seed: int = 0

    def gaps(self, salt: object) -> Iterator[float]:
        """TTFT, then ITL without end. The same seed and salt give the same gaps."""
        if not self.jitter:
            yield self.ttft_ms
            yield from repeat(self.itl_ms)
        throw = dice(self.seed, salt)
        yield self.ttft_ms * math.exp(throw.gauss(0, self.jitter))
        while True:
            yield self.itl_ms * math.exp(throw.gauss(0, self.jitter))

    def whole_ms(self, tokens: int, salt: object) -> float:
        """From request to last token of a plain answer: what its stream would have taken."""
        gaps = self.gaps(salt)
        if not self.jitter:
            return self.ttft_ms + max(0, tokens - 1) * self.itl_ms
        return sum(next(gaps) for _ in range(max(1, tokens)))
