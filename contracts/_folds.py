"""Our own reading of whole answers, for the second oracle: what any client must make of them.

`FOLDS` has a function an operation: an exchange in; out comes the answer in the shape of the plain one, with those
keys alone that every reading must agree on. None when there is nothing to agree on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from wireproof.clause import Exchange, Inconclusive

from ._embeddings import embedded
from ._stream import bodies, by_choice
from ._threads import events_of, texts_told
from ._tool_calls import Choice, ToolCall, choices_told


def completion(exchange: Exchange) -> dict[str, Any] | None:
    """The choices of a streamed chat completion in order of their index, with the usage that came last."""
    if not exchange.streamed:
        return None
    try:
        choices = dict(zip(by_choice(exchange), choices_told(exchange), strict=True))
    except Inconclusive:
        return None
    usages = [body["usage"] for _, body in bodies(exchange) if body.get("usage")]
    ordered = [choices[index] for index in sorted(choices)]
    return {"choices": [_choice(one) for one in ordered], "usage": usages[-1] if usages else None}


def _choice(choice: Choice) -> dict[str, Any]:
    calls = [_call(one) for one in choice.calls]
    return {"finish_reason": choice.finish, "message": {"content": choice.content, "tool_calls": calls}}


def _call(call: ToolCall) -> dict[str, Any]:
    return {"id": call.id, "function": {"name": call.name, "arguments": call.arguments}}


def response(exchange: Exchange) -> dict[str, Any] | None:
    """The response that the completing event of a stream holds."""
    if not exchange.streamed:
        return None
    held = [body.get("response") for _, body in bodies(exchange) if body.get("type") == "response.completed"]
    return held[-1] if held else None


def messages(exchange: Exchange) -> list[dict[str, Any]] | None:
    """The messages of a streamed run in the order of their creation, with the texts that their deltas make."""
    if not exchange.streamed:
        return None
    try:
        told = texts_told(events_of(exchange))
    except Inconclusive:
        return None
    return [
        {"id": id, "content": [{"text": {"value": text}} for _, text in sorted(texts.items())]}
        for id, texts in told.items()
    ] or None


def vectors(exchange: Exchange) -> dict[str, Any]:
    """Each vector as numbers, however it travelled."""
    return {"data": [{"embedding": list(one.numbers or ())} for one in embedded(exchange)]}


FOLDS: Mapping[str, Callable[[Exchange], Any]] = {
    "createChatCompletion": completion,
    "createResponse": response,
    "createEmbedding": vectors,
    "createRun": messages,
    "createThreadAndRun": messages,
    "submitToolOutputs": messages,
}
