"""Departures that drop what was said on its way to the model: only `prompt_tokens` tells."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.chat_tools import refused
from wireproof.standin.faults.edit import edit_json
from wireproof.standin.wire import Answer, Ask, Serve

CHAT = "/v1/chat/completions"
Message = dict[str, Any]


def _with_messages(ask: Ask, edit: Callable[[list[Message]], list[Message]]) -> Ask:
    """The request after `edit(messages)`; malformed ones pass untouched."""
    messages = ask.asked.get("messages")
    if ask.path != CHAT or not isinstance(messages, list) or not all(isinstance(one, dict) for one in messages):
        return ask
    edited = edit(messages)
    return ask.changed(messages=edited) if edited and edited != messages else ask


def _with_parts(ask: Ask, edit: Callable[[list[Message]], Any]) -> Ask:
    """The request after `edit(parts)` of every content that is a list of parts."""

    def each(messages: list[Message]) -> list[Message]:
        return [{**m, "content": edit(m["content"])} if _is_parts(m.get("content")) else m for m in messages]

    return _with_messages(ask, each)


def _is_parts(content: Any) -> bool:
    return isinstance(content, list) and bool(content) and all(isinstance(part, dict) for part in content)


@fault("reach.developer-refused", breaks="chat.reach.accepts")
def developer_messages_are_refused(ask: Ask, serve: Serve) -> Answer:
    """400 for messages of role developer."""
    answer = serve(ask)
    for at, message in enumerate(ask.asked.get("messages") or ()):
        if ask.path == CHAT and isinstance(message, dict) and message.get("role") == "developer":
            return refused(answer, "Unexpected role 'developer'", f"messages[{at}].role")
    return answer


@fault("reach.escapes-kept", breaks="chat.reach.respelled")
def escapes_are_not_decoded(ask: Ask, serve: Serve) -> Answer:
    r"""`\u00e9` reaches the model as six characters."""
    raw = ask.body.replace(rb"\u", rb"\\u") if ask.path == CHAT and rb"\\u" not in ask.body else ask.body
    return serve(replace(ask, body=raw))


@fault("reach.parts-first-only", breaks="chat.reach.parts")
def only_the_first_part_counts(ask: Ask, serve: Serve) -> Answer:
    """Of several text parts only the first reaches the model."""

    def first(parts: list[Message]) -> list[Message]:
        return parts if any(part.get("type") != "text" for part in parts) else parts[:1]

    return serve(_with_parts(ask, first))


@fault("reach.parts-as-json", breaks="chat.reach.parts-as-text", also=("chat.parts",))
def parts_go_into_the_prompt_as_json(ask: Ask, serve: Serve) -> Answer:
    """A list of text parts goes into the prompt as it was written, brackets and keys included."""

    def written(parts: list[Message]) -> Any:
        return parts if any(part.get("type") != "text" for part in parts) else json.dumps(parts)

    return serve(_with_parts(ask, written))


@fault("reach.several-parts-as-json", breaks="chat.reach.parts-as-text")
def several_parts_go_into_the_prompt_as_json(ask: Ask, serve: Serve) -> Answer:
    """Several text parts go into the prompt as they were written; one by itself is read as text."""

    def written(parts: list[Message]) -> Any:
        is_text = len(parts) > 1 and all(part.get("type") == "text" for part in parts)
        return json.dumps(parts) if is_text else parts

    return serve(_with_parts(ask, written))


@fault("reach.system-dropped", breaks="chat.reach.system")
def system_messages_are_dropped(ask: Ask, serve: Serve) -> Answer:
    """Messages of role system never reach the model."""
    return serve(_with_messages(ask, lambda messages: [m for m in messages if m.get("role") != "system"]))


@fault("reach.developer-dropped", breaks="chat.reach.developer")
def developer_messages_are_dropped(ask: Ask, serve: Serve) -> Answer:
    """Messages of role developer never reach the model."""
    return serve(_with_messages(ask, lambda messages: [m for m in messages if m.get("role") != "developer"]))


@fault("reach.history-dropped", breaks="chat.reach.history")
def later_turns_are_dropped(ask: Ask, serve: Serve) -> Answer:
    """Of a conversation only the first question reaches the model, with the orders before it."""

    def first(messages: list[Message]) -> list[Message]:
        asked = [at for at, message in enumerate(messages) if message.get("role") == "user"]
        is_plain = all(message.get("role") != "tool" for message in messages)
        return messages[: asked[0] + 1] if asked and is_plain else messages

    return serve(_with_messages(ask, first))


@fault("reach.tools-uncounted", breaks="chat.reach.tools")
def tools_cost_nothing(ask: Ask, serve: Serve) -> Answer:
    """Declared tools do not show in `prompt_tokens`."""
    answer = serve(ask)
    if ask.path != CHAT or not ask.asked.get("tools") or ask.streamed or answer.status != 200:
        return answer
    bare = serve(ask.without("tools", "tool_choice", "parallel_tool_calls")).json["usage"]["prompt_tokens"]

    def uncount(body: dict[str, Any]) -> None:
        usage = body["usage"]
        usage["total_tokens"] += bare - usage["prompt_tokens"]
        usage["prompt_tokens"] = bare

    return edit_json(answer, uncount)


@fault("reach.image-dropped", breaks="chat.reach.image")
def images_are_dropped(ask: Ask, serve: Serve) -> Answer:
    """Image parts are taken out of a message in silence."""
    return serve(_with_parts(ask, lambda parts: [part for part in parts if part.get("type") != "image_url"] or parts))
