"""Reading legacy completions, plain and streamed alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from wireproof.clause import Exchange, Inconclusive, NotApplicable

from ._reading import as_count, as_text, choices_in, object_of
from ._stream import Piece, bodies

FINISH_REASONS = ("stop", "length", "content_filter")
# Three answers to the same prompt: plain, echoed and stopped, streamed (completions.py).
SAME_PROMPT = ("completions.plain", "completions.echo", "completions.stream")
# The same request of chat twice: whether this backend repeats itself at all.
TWICE = ("chat.plain", "chat.plain-again")


def objects_told(exchange: Exchange) -> Iterator[tuple[int | None, dict[str, Any]]]:
    """`(event, object)`: the answer, or each chunk of a stream with the number of its event.

    Events with a name of their own (a vendor's `ping`) are none of the chunks. Raises Inconclusive when there is none.
    """
    if not exchange.streamed:
        yield None, object_of(exchange)
        return
    found = False
    for event, chunk in bodies(exchange):
        if "error" not in chunk and (event is None or exchange.events[event].name in (None, "", "message")):
            found = True
            yield event, chunk
    if not found:
        raise Inconclusive("the stream has no chunk that can be read")


def choices_told(exchange: Exchange) -> Iterator[Piece]:
    """All choices in the answer or its chunks."""
    for event, body in objects_told(exchange):
        for at, choice in choices_in(body):
            yield Piece(event, at, choice)


def texts_of(exchange: Exchange) -> dict[Any, str]:
    """The text of each choice by index, put together if it was streamed."""
    texts: dict[Any, str] = {}
    for _, _, choice in choices_told(exchange):
        index = as_count(choice.get("index"))
        texts.setdefault(index, "")
        texts[index] += as_text(choice.get("text"))
    return texts


def first_text(exchange: Exchange) -> str:
    return texts_of(exchange).get(0, "")


def added_text(exchange: Exchange) -> str:
    """What the first choice adds to the prompt."""
    text, prompt = first_text(exchange), exchange.request.asked.get("prompt")
    if exchange.request.asked.get("echo") is True and isinstance(prompt, str):
        return text.removeprefix(prompt)
    return text


def tokens_told(exchange: Exchange, name: str) -> int | None:
    """A count of the usage that comes first; in a stream it comes once."""
    for _, body in objects_told(exchange):
        usage = body.get("usage")
        if isinstance(usage, dict):
            return as_count(usage.get(name))
    return None


def by_probe(exchanges: Sequence[Exchange]) -> dict[str, Exchange]:
    found = {exchange.probe: exchange for exchange in exchanges}
    if "completions.plain" not in found:
        raise NotApplicable("completions.plain was not answered, so there is nothing to compare with")
    return found
