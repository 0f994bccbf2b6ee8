"""Whether an answer had room to say anything: a model that thinks may use its whole cap before the first word.

Chat, legacy completions and responses, plain and streamed. Probes whose clauses need something to see give `ran_out` to
the recorder, which then asks again with a larger cap.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wireproof.clause import Exchange, Undecodable, parse_json

from ._reading import as_object, as_objects, maybe_object

# Thoughts are no words: who only thinks has not begun to answer.
SEEN = ("content", "refusal", "tool_calls", "function_call", "audio", "text")


def ran_out(exchange: Exchange) -> bool:
    """Whether an answer ended at its cap with nothing to see in one of its choices. Other oddities are not told."""
    ends: dict[Any, str] = {}
    seen: set[Any] = set()
    for body in _bodies(exchange):
        response = as_object(body.get("response")) or body
        if response.get("object") == "response":
            return response.get("status") == "incomplete" and not _says_something(response)
        for choice in as_objects(body.get("choices")):
            index = str(choice.get("index"))
            parts = (choice, as_object(choice.get("message")), as_object(choice.get("delta")))
            if any(part.get(name) for part in parts for name in SEEN):
                seen.add(index)
            if isinstance(choice.get("finish_reason"), str):
                ends[index] = choice["finish_reason"]
    return any(reason == "length" and index not in seen for index, reason in ends.items())


def _says_something(response: dict[str, Any]) -> bool:
    items = as_objects(response.get("output"))
    return any(item.get("type") != "reasoning" and (item.get("content") or item.get("arguments")) for item in items)


def _bodies(exchange: Exchange) -> Iterator[dict[str, Any]]:
    """The objects that an answer is or streams; of a stream of a response only the last one that has it whole."""
    if exchange.media_type != "text/event-stream":
        yield maybe_object(exchange)
        return
    try:
        events = exchange.events
    except Undecodable:
        return
    for event in events:
        try:
            body = as_object(parse_json(event.data or ""))
        except Undecodable:
            continue
        if "response" not in body or str(body.get("type")) in ("response.completed", "response.incomplete"):
            yield body
