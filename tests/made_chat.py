"""Plain answers of chat made by hand, for tests of clauses: `said(choice(...), ...)` builds an exchange."""

from __future__ import annotations

from typing import Any

from made import answer

from wireproof.clause import Exchange

NOW = 1_760_000_000
MODEL = "gpt-4.1-mini"
WHOLE = "Hello there, my friend."


def choice(content: Any = WHOLE, finish: Any = "stop", index: int = 0, **message: Any) -> dict[str, Any]:
    said = {"role": "assistant", "content": content, "refusal": None, **message}
    return {"index": index, "message": said, "logprobs": None, "finish_reason": finish}


def body(*choices: Any, prompt: Any = 9, completion: Any = 6, **changed: Any) -> dict[str, Any]:
    return {
        "id": "chatcmpl-abc",
        "object": "chat.completion",
        "created": NOW,
        "model": MODEL,
        "choices": list(choices) or [choice()],
        "usage": {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion},
        **changed,
    }


def said(*choices: Any, probe: str = "made", ask: dict[str, Any] | None = None, **changed: Any) -> Exchange:
    return answer(body(*choices, **changed), asked={"model": MODEL, **(ask or {})}, probe=probe)


def without(key: str, value: dict[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in value.items() if name != key}


def plain(text: str = WHOLE, completion: int = 6, finish: str = "stop", **changed: Any) -> Exchange:
    return said(choice(text, finish), probe="chat.plain", ask={"max_tokens": 24}, completion=completion, **changed)
