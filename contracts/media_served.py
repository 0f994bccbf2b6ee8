"""What pictures, sounds and verdicts have in common when a backend cannot do all that is documented.

No probes of its own: the clauses read the answers to the requests that are right, of operations that are served.
"""

from __future__ import annotations

from collections.abc import Sequence

from wireproof.clause import Exchange, NotApplicable, clause, expect, sent, sequence

from ._errors import seen
from ._media import is_ok

OPERATIONS = (
    "createImage", "createImageEdit", "createImageVariation", "createSpeech", "createTranscription",
    "createTranslation", "createModeration",
)  # fmt: skip
# Those that are right: a field, a format or a model in them may be unknown, and is then refused.
RIGHT = (
    "images.generated", "images.url", "images.edit", "images.stream",
    "speech.default", "speech.wav", "speech.pcm", "speech.fast", "speech.long", "speech.stream",
    "transcriptions.timed", "transcriptions.text", "transcriptions.diarized", "transcriptions.stream",
    "transcriptions.logprobs", "translations.verbose",
    "moderations.batch", "moderations.text", "moderations.parts",
)  # fmt: skip
# What is broken inside; 502 to 504 tell of something behind it that may come back.
BROKEN = 500


@clause(
    "media.unsupported",
    level="SHOULD",
    source="ERR-LATE 400, 500; SDK _base_client.py: asks again after 500",
    on=sequence(sent(*OPERATIONS, probes=RIGHT)),
)
def what_is_not_supported_is_refused(exchanges: Sequence[Exchange]) -> None:
    """What a backend does not support of a documented request it refuses with a 4xx, never with a 500.

    Clients take a 500 for an accident and ask again, twice more, and nothing says what they should leave out.
    """
    served = {exchange.operation for exchange in exchanges if is_ok(exchange)}
    judged = [exchange for exchange in exchanges if exchange.operation in served]
    if not judged:
        raise NotApplicable("nothing is served")
    for exchange in judged:
        held = exchange.status != BROKEN
        expect(held, expected="an answer, or a 4xx that says why not", got=seen(exchange), at=f"{exchange.id} ")
