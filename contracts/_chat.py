"""Reading answers of chat: the messages of a plain one, the deltas of a streamed one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wireproof.clause import Exchange, Inconclusive

from ._reading import as_count, as_object, as_text, object_of

FINISH_REASONS = ("stop", "length", "tool_calls", "content_filter", "function_call")
# What a delta can bring besides its role. The last two are no part of the API, but widely sent.
INCREMENTS = ("content", "refusal", "tool_calls", "function_call", "audio", "reasoning_content", "reasoning")


def choices_of(exchange: Exchange) -> list[dict[str, Any]]:
    """The choices of a plain answer, at least one. Raises Inconclusive when they are no list of objects."""
    choices = object_of(exchange).get("choices")
    if not isinstance(choices, list) or not choices or not all(isinstance(choice, dict) for choice in choices):
        raise Inconclusive("`choices` is not a list of objects")
    return choices


def message_of(choice: dict[str, Any]) -> dict[str, Any]:
    return as_object(choice.get("message"))


def messages_of(exchange: Exchange) -> Iterator[tuple[str, dict[str, Any]]]:
    """`(pointer, message)` of each choice that has one."""
    for at, choice in enumerate(choices_of(exchange)):
        if isinstance(choice.get("message"), dict):
            yield f"/choices/{at}/message", choice["message"]


def text_of(message: dict[str, Any]) -> str:
    return as_text(message.get("content"))


def first_text(exchange: Exchange) -> str:
    return text_of(message_of(choices_of(exchange)[0]))


def reasoning_tokens(exchange: Exchange) -> int:
    """Completion tokens that are not part of the text, as far as the backend says."""
    usage = as_object(object_of(exchange).get("usage"))
    return as_count(as_object(usage.get("completion_tokens_details")).get("reasoning_tokens")) or 0


def delta_of(choice: dict[str, Any]) -> dict[str, Any]:
    return as_object(choice.get("delta"))


def increments(choice: dict[str, Any]) -> list[str]:
    """The names of what a choice of a chunk adds to the answer: text, thoughts, a call."""
    delta = delta_of(choice)
    return [name for name in INCREMENTS if delta.get(name)]


def ends(choice: dict[str, Any]) -> bool:
    """Whether a choice of a chunk has a finish_reason, however its absence is spelled."""
    return choice.get("finish_reason") not in (None, "", "null")
