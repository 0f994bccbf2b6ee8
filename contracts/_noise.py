"""The noise floor: whether a backend gives the same answer to the same request, before texts are compared.

Most do not, even at temperature 0: batching changes the arithmetic, and a mixture of experts its routes. A text that
differs from another shows a breach only where two equal requests were answered alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from wireproof.clause import Exchange, NotApplicable

from ._reading import as_object, choices_in, maybe_object

# What an answer can be made of, and by which names (the last two are no part of the API, but widely sent).
KINDS = {
    "content": "content",
    "refusal": "refusal",
    "tool_calls": "tool_calls",
    "function_call": "function_call",
    "audio": "audio",
    "reasoning_content": "reasoning",
    "reasoning": "reasoning",
}
HALF = "\N{REPLACEMENT CHARACTER}"


def kinds_of(part: dict[str, Any]) -> frozenset[str]:
    """What a message or a delta is made of."""
    return frozenset(kind for name, kind in KINDS.items() if part.get(name))


def said(exchange: Exchange) -> tuple[Any, ...]:
    """The texts of a plain answer, choice by choice, and what else it is made of; ids and counts are left out.

    A text ends before a character that the cap cut in two: its half may be shown differently each time.
    """
    return tuple(
        (str(message.get("content") or choice.get("text") or "").rstrip(HALF), kinds_of(message))
        for _, choice in choices_in(maybe_object(exchange))
        for message in [as_object(choice.get("message"))]
    )


def repeats(exchanges: Iterable[Exchange]) -> bool | None:
    """Whether equal requests among these were answered alike; None when no request was sent twice."""
    answers: dict[tuple[str, bytes], list[tuple[Any, ...]]] = {}
    for exchange in exchanges:
        if exchange.status == 200 and not exchange.streamed:
            answers.setdefault((exchange.request.path, exchange.request.body), []).append(said(exchange))
    twice = [found for found in answers.values() if len(found) > 1]
    return all(len(set(found)) == 1 for found in twice) if twice else None


def expect_repeats(exchanges: Iterable[Exchange]) -> None:
    """Ends the clause as not applicable where the backend varies, or was not seen to answer the same twice."""
    if repeats(exchanges) is not True:
        raise NotApplicable("the server does not repeat itself at temperature 0: nothing to compare with")
