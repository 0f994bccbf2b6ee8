"""Puts what generates behind the limits of the tier."""

from __future__ import annotations

from collections.abc import Callable

from wireproof.standin.call import Call
from wireproof.standin.catalogue import Model
from wireproof.standin.refusals import Refused
from wireproof.standin.wire import Answer
from wireproof.standin.world import World


def limited(
    world: World,
    call: Call,
    model: Model,
    *,
    check: Callable[[], object],
    tokens: Callable[[], int],
    answer: Callable[[], Answer],
    images: int = 1,
) -> Answer:
    """`answer` behind the rate limit, with the headers that tell of it.

    `check` raises `Refused` for what a schema cannot say; such a request still counts as one, without tokens.
    `tokens` is what the limiter expects the request to cost before anything is counted, `images` how many it asks
    for, where those are counted and not requests. Inner requests of a batch
    count nowhere: its pool is another.
    """
    refused: Refused | None = None
    try:
        check()
    except Refused as reason:
        refused = reason
    if not call.is_metered:
        return refused.answer if refused else answer()
    expected = 0 if refused else tokens()
    decision = world.limiter.take(call.key, world.limits[model.limits_as], model.id, expected, call.now, images)
    given = decision.rejection or (refused.answer if refused else answer())
    return given.with_headers(decision.headers)
