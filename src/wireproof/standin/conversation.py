"""What a chat request says: its last words, its price in tokens, and whether its turns fit together."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wireproof.standin.refusals import invalid
from wireproof.standin.tokens import (
    MESSAGE_TOKENS,
    NAME_TOKENS,
    REPLY_TOKENS,
    count,
    estimate,
    part_tokens,
    tokenized,
)

Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PromptTokens:
    text: int
    image: int
    audio: int

    @property
    def total(self) -> int:
        return self.text + self.image + self.audio


def parts(message: Message) -> list[Mapping[str, Any]]:
    content = message.get("content")
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return list(content or ())


def text_of(message: Message) -> str:
    return "\n".join(part["text"] for part in parts(message) if part.get("type") == "text")


def last_words(messages: Sequence[Message]) -> str:
    """The text of the last user message, "" when no user spoke."""
    return next((text_of(message) for message in reversed(messages) if message["role"] == "user"), "")


def prompt_tokens(body: Mapping[str, Any]) -> PromptTokens:
    """Frame, name, content, tool calls of every message; tools and the response schema as their JSON."""
    kinds = {"text": REPLY_TOKENS, "image": 0, "audio": 0}
    for message in body["messages"]:
        kinds["text"] += MESSAGE_TOKENS + (NAME_TOKENS + count(message["name"]) if message.get("name") else 0)
        for part in parts(message):
            for kind, tokens in part_tokens(part).items():
                kinds[kind] += tokens
        if message.get("tool_calls"):
            kinds["text"] += count(json.dumps(message["tool_calls"]))
    for declared in (*body.get("tools", ()), *body.get("functions", ())):
        kinds["text"] += count(json.dumps(declared))
    if (body.get("response_format") or {}).get("type") == "json_schema":
        kinds["text"] += count(json.dumps(body["response_format"]["json_schema"]))
    return PromptTokens(**kinds)


def prompt_pieces(body: Mapping[str, Any]) -> Iterator[str]:
    """The prompt in order, token by token, an image as one: what a prompt cache compares."""
    yield from tokenized(json.dumps([*body.get("tools", ()), *body.get("functions", ())]))
    for message in body["messages"]:
        yield message["role"]
        for part in parts(message):
            yield from tokenized(part["text"]) if part.get("type") == "text" else [json.dumps(part)]


def estimated_tokens(body: Mapping[str, Any]) -> int:
    """What a limiter expects before counting: the characters of all messages."""
    return estimate(sum(len(part.get("text", "")) for message in body["messages"] for part in parts(message)))


def check_turns(messages: Sequence[Message]) -> None:
    """Every tool call is answered by tool messages right after it, and those answer nothing else."""
    waiting: dict[str, int] = {}
    for index, message in enumerate(messages):
        if message["role"] == "tool":
            if waiting.pop(message["tool_call_id"], None) is None:
                raise invalid(
                    "Invalid parameter: messages with role 'tool' must be a response to a preceeding message "
                    "with 'tool_calls'.",
                    f"messages[{index}].role",
                )
            continue
        _refuse_unanswered(waiting)
        waiting = {call["id"]: index for call in message.get("tool_calls") or ()}
    _refuse_unanswered(waiting)


def _refuse_unanswered(waiting: Mapping[str, int]) -> None:
    if waiting:
        raise invalid(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            f"'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(waiting)}",
            f"messages[{next(iter(waiting.values()))}].tool_calls",
        )
