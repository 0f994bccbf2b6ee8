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


@fault("reach.system-dropped", breaks="chat.reach.system", also=("chat.reach.in-parts",))
def system_messages_are_dropped(ask: Ask, serve: Serve) -> Answer:
    """Messages of role system never reach the model."""
    return serve(_with_messages(ask, lambda messages: [m for m in messages if m.get("role") != "system"]))


@fault("reach.plain-system-dropped", breaks="chat.reach.system")
def plain_answers_drop_the_system_message(ask: Ask, serve: Serve) -> Answer:
    """Where an answer comes in one piece, messages of role system never reach the model."""
    if ask.streamed:
        return serve(ask)
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


@fault("reach.assistant-dropped", breaks="chat.reach.history")
def answers_before_are_dropped(ask: Ask, serve: Serve) -> Answer:
    """What the assistant said before never reaches the model."""
    return serve(_with_messages(ask, lambda ms: [m for m in ms if m.get("role") != "assistant" or m.get("tool_calls")]))


@fault("reach.system-parts-as-object", breaks="chat.reach.in-parts")
def system_parts_are_printed_as_an_object(ask: Ask, serve: Serve) -> Answer:
    """Parts of a system message reach the model as `[object Object]`."""
    return serve(_of_role(ask, "system", lambda message: "[object Object]" if _is_parts(message["content"]) else None))


@fault("reach.assistant-parts-blank", breaks="chat.reach.in-parts")
def assistant_parts_are_blanked(ask: Ask, serve: Serve) -> Answer:
    """What the assistant said in parts reaches the model as an empty text."""
    return serve(_of_role(ask, "assistant", lambda message: "" if _is_parts(message.get("content")) else None))


@fault("reach.stream-system-dropped", breaks="chat.reach.in-parts")
def streams_drop_the_system_message(ask: Ask, serve: Serve) -> Answer:
    """Where an answer is streamed, messages of role system never reach the model."""
    if not ask.streamed:
        return serve(ask)
    return serve(_with_messages(ask, lambda messages: [m for m in messages if m.get("role") != "system"]))


def _of_role(ask: Ask, role: str, content: Callable[[Message], Any]) -> Ask:
    """The request with other content in the messages of a role, where `content(message)` is not None."""

    def each(messages: list[Message]) -> list[Message]:
        changed = [(m, content(m) if m.get("role") == role else None) for m in messages]
        return [m if other is None else {**m, "content": other} for m, other in changed]

    return _with_messages(ask, each)


@fault("reach.results-blank", breaks="chat.reach.tool-turns")
def results_of_tools_are_blanked(ask: Ask, serve: Serve) -> Answer:
    """The results of tools reach the model as empty texts."""
    return serve(_of_role(ask, "tool", lambda message: ""))


@fault("reach.past-arguments-dropped", breaks="chat.reach.tool-turns")
def arguments_of_earlier_calls_are_dropped(ask: Ask, serve: Serve) -> Answer:
    """Earlier calls reach the model without their arguments."""

    def bare(message: Message) -> Message:
        calls = [{**call, "function": {**call["function"], "arguments": "{}"}} for call in message["tool_calls"]]
        return {**message, "tool_calls": calls}

    return serve(_with_messages(ask, lambda messages: [bare(m) if m.get("tool_calls") else m for m in messages]))


@fault("reach.tool-descriptions-dropped", breaks="chat.reach.tools-described")
def descriptions_of_tools_are_dropped(ask: Ask, serve: Serve) -> Answer:
    """Tools reach the model by name and parameters alone."""
    tools = ask.asked.get("tools")
    if ask.path != CHAT or not isinstance(tools, list):
        return serve(ask)
    functions = [{k: v for k, v in tool["function"].items() if k != "description"} for tool in tools]
    return serve(ask.changed(tools=[{"type": "function", "function": function} for function in functions]))


@fault("reach.system-parts-refused", breaks="chat.reach.accepts")
def system_parts_are_refused(ask: Ask, serve: Serve) -> Answer:
    """400 for parts in any message but a user's."""
    answer = serve(ask)
    for at, message in enumerate(ask.asked.get("messages") or () if ask.path == CHAT else ()):
        if isinstance(message, dict) and message.get("role") == "system" and _is_parts(message.get("content")):
            return refused(answer, "content: Input should be a valid string", f"messages[{at}].content")
    return answer


@fault("reach.name-refused", breaks="chat.reach.accepts")
def names_of_speakers_are_refused(ask: Ask, serve: Serve) -> Answer:
    """400 for a message with the name of its speaker."""
    answer = serve(ask)
    for at, message in enumerate(ask.asked.get("messages") or () if ask.path == CHAT else ()):
        if isinstance(message, dict) and "name" in message:
            return refused(answer, "Extra inputs are not permitted", f"messages[{at}].name")
    return answer


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
