"""What is judged: the answer of a model to an item, by the chat or by responses, or an answer that is there already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from wireproof.standin.grading.graders import AskModel, ModelFailed, chat_message
from wireproof.standin.grading.templates import as_text, looked_up, rendered
from wireproof.standin.inner import NO_USAGE, usage_of
from wireproof.standin.resources.evals.items import Item, input_text, said_by
from wireproof.standin.world import World

# The settings of a sample, told beside it, and what they are when a run does not say.
SETTINGS = {"temperature": 1, "top_p": 1, "seed": 42}


@dataclass(frozen=True, slots=True)
class Sampled:
    """The words, what else templates may name of them, the messages asked as text, the price and the settings."""

    text: str
    more: Mapping[str, Any] = field(default_factory=dict)
    asked: tuple[dict[str, str], ...] = ()
    usage: Mapping[str, int] = field(default_factory=lambda: NO_USAGE)
    settings: Mapping[str, Any] = field(default_factory=dict)


def sampled(world: World, data: Mapping[str, Any], item: Item, ask: AskModel) -> Sampled:
    """ModelFailed or UnknownName when there is no answer to be had."""
    if data["type"] == "jsonl" or "input_messages" not in data or "model" not in data:
        given = item.get("sample") or {}
        more = {name: value for name, value in given.items() if name not in ("output_text", "output_json")}
        return Sampled(as_text(given.get("output_text") or ""), more)
    by_chat = data["type"] == "completions"
    messages = _messages(data["input_messages"], {"item": item["item"]}, by_chat=by_chat)
    params = {name: value for name, value in (data.get("sampling_params") or {}).items() if value is not None}
    settings = {name: params.get(name, usual) for name, usual in SETTINGS.items()}
    most = params.get("max_completion_tokens", world.models[data["model"]].max_output_tokens)
    told = tuple({"role": message["role"], "content": input_text(message)} for message in messages)
    answer = (_chat if by_chat else _response)(data["model"], messages, params, ask)
    more = {"model": answer["model"], "finish_reason": answer["finish"], "output_tools": answer["tools"]}
    return Sampled(answer["text"], more, told, answer["usage"], {**settings, "max_completion_tokens": most})


def _messages(asked: Mapping[str, Any], names: Mapping[str, Any], *, by_chat: bool) -> list[dict[str, Any]]:
    if asked["type"] == "item_reference":
        found = looked_up(asked["item_reference"], names)
        if isinstance(found, str):
            return [{"role": "user", "content": found}]
        if not isinstance(found, list) or not all(isinstance(one, dict) and "role" in one for one in found):
            raise ModelFailed(f"'{asked['item_reference']}' is no list of messages")
        return found
    make = chat_message if by_chat else _input_message
    return [make(message, names) for message in asked["template"]]


def _chat(model: str, messages: list[dict[str, Any]], params: dict[str, Any], ask: AskModel) -> dict[str, Any]:
    found = ask("/chat/completions", {"model": model, "messages": messages, **params})
    choice = found["choices"][0]
    return {
        "text": choice["message"].get("content") or "",
        "tools": choice["message"].get("tool_calls") or [],
        "finish": choice["finish_reason"],
        "model": found["model"],
        "usage": usage_of(found),
    }


# How the parameters of a sample are called by a response; its seed is not.
OF_RESPONSE = {"max_completion_tokens": "max_output_tokens", "temperature": "temperature", "top_p": "top_p",
               "tools": "tools", "text": "text"}  # fmt: skip


def _response(model: str, messages: list[dict[str, Any]], params: dict[str, Any], ask: AskModel) -> dict[str, Any]:
    more = {OF_RESPONSE[name]: value for name, value in params.items() if name in OF_RESPONSE}
    if "reasoning_effort" in params:
        more["reasoning"] = {"effort": params["reasoning_effort"]}
    found = ask("/responses", {"model": model, "input": messages, "store": False, **more})
    return {
        "text": said_by(found),
        "tools": [item for item in found["output"] if item["type"].endswith("_call")],
        "finish": "length" if found["status"] == "incomplete" else "stop",
        "model": found["model"],
        "usage": usage_of(found),
    }


def _input_message(message: Mapping[str, Any], names: Mapping[str, Any]) -> dict[str, Any]:
    """A message of a template as a response takes it."""
    content = message["content"]
    parts = content if isinstance(content, list) else [content]
    if all(isinstance(part, str) for part in parts):
        return {"role": message["role"], "content": "".join(rendered(part, names) for part in parts)}
    return {"role": message["role"], "content": [_input_part(part, names) for part in parts]}


def _input_part(part: Any, names: Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "input_text", "text": rendered(part, names)}
    filled = {name: rendered(value, names) if isinstance(value, str) else value for name, value in part.items()}
    return {**filled, "type": "input_text" if part["type"] == "output_text" else part["type"]}
