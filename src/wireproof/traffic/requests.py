"""A mix item made into the bytes of one request. Seeded: the same run sends the same requests."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wireproof.traffic.plan import charge, prompt_characters
from wireproof.traffic.profile import Item

PATH: Mapping[str, str] = {
    "chat-stream": "/chat/completions",
    "chat": "/chat/completions",
    "completion-stream": "/completions",
    "embeddings": "/embeddings",
}
OPERATION: Mapping[str, str] = {
    "/chat/completions": "createChatCompletion",
    "/completions": "createCompletion",
    "/embeddings": "createEmbedding",
}
PADDING = "waves come and waves go, "


@dataclass(frozen=True, slots=True)
class Ready:
    kind: str
    path: str
    body: bytes
    streamed: bool
    max_tokens: int | None
    tokens_charged: int


def pick(items: Sequence[Item], seed: str) -> Item:
    """One of the items by weight; the same for the same seed."""
    if len(items) == 1:
        return items[0]
    return random.Random(seed).choices(items, [item.weight for item in items])[0]


def ready(item: Item, model: str, mark: str) -> Ready:
    """`mark` opens the prompt and differs from request to request, so that no prefix cache flatters the target."""
    streamed = item.kind.endswith("-stream")
    body: dict[str, Any] = {"model": item.model or model}
    prompt = _prompt(item, mark)
    if item.kind == "embeddings":
        body["input"] = prompt
    elif item.kind == "completion-stream":
        body["prompt"] = prompt
    else:
        body["messages"] = [{"role": "user", "content": prompt}]
    if item.max_tokens is not None:
        body["max_completion_tokens" if item.cap == "max_completion_tokens" else "max_tokens"] = item.max_tokens
    if item.ignore_eos:
        body["ignore_eos"] = True
    if streamed:
        body["stream"] = True
        if item.include_usage:
            body["stream_options"] = {"include_usage": True}
    return Ready(item.kind, PATH[item.kind], json.dumps(body).encode(), streamed, item.max_tokens, charge(item))


def _prompt(item: Item, mark: str) -> str:
    text = f"[{mark}] {item.prompt}"
    missing = prompt_characters(item) - len(text)
    return text if missing <= 0 else f"{text} {(PADDING * (missing // len(PADDING) + 1))[:missing]}"
