"""Departures of the text of chat: what is lost of it, what should not be in it."""

from __future__ import annotations

import re
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.chat import CHAT, Body, each_message, each_told, is_plain, number
from wireproof.standin.faults.edit import edit_events, edit_json
from wireproof.standin.wire import Answer, Ask, Serve


@fault("chat.text-lost", breaks="chat.text", also=("chat.parity.*",))
def text_lost(ask: Ask, serve: Serve) -> Answer:
    """An answer of six tokens ends with stop, and its content is null."""
    if not is_plain(ask) or number(ask, "max_tokens") < 20 or ask.asked.get("stop"):
        return serve(ask)

    def edit(body: Body) -> None:
        for choice in body["choices"]:
            choice["finish_reason"] = "stop"
            choice["message"]["content"] = None

    return edit_json(serve(ask.changed(max_tokens=6)), edit)


@fault("chat.think-block", breaks="chat.leaks", also=("chat.parity.*",))
def think_block(ask: Ask, serve: Serve) -> Answer:
    """The text begins with a block of reasoning."""
    if ask.asked.get("stop"):
        return serve(ask)
    return each_message(
        ask, serve, lambda message: message.update(content=f"<think>\nGreet them.\n</think>\n\n{message['content']}")
    )


@fault("chat.text-lost-everywhere", breaks="chat.text")
def text_lost_everywhere(ask: Ask, serve: Serve) -> Answer:
    """Answers of six tokens end with stop, and bring no text, streamed or not."""
    if number(ask, "max_tokens") != 24 or ask.asked.get("stop"):
        return serve(ask)

    def edit(choice: Body, where: str) -> None:
        choice["finish_reason"] = choice["finish_reason"] and "stop"
        if choice[where].get("content"):
            choice[where]["content"] = None

    return each_told(ask.changed(max_tokens=6), serve, edit)


@fault("chat.think-block-everywhere", breaks="chat.leaks")
def think_block_everywhere(ask: Ask, serve: Serve) -> Answer:
    """The text begins with a block of reasoning, streamed or not."""
    if ask.asked.get("stop"):
        return serve(ask)
    begun: set[int] = set()

    def edit(choice: Body, where: str) -> None:
        if choice[where].get("content") and choice["index"] not in begun:
            begun.add(choice["index"])
            choice[where]["content"] = f"<think>\nGreet them.\n</think>\n\n{choice[where]['content']}"

    return each_told(ask, serve, edit)


@fault("chat.template-token", breaks="chat.leaks", also=("chat.parity.*",))
def template_token(ask: Ask, serve: Serve) -> Answer:
    """The text ends with a token of the prompt template."""
    if ask.asked.get("stop"):
        return serve(ask)
    return each_message(ask, serve, lambda message: message.update(content=f"{message['content']}<|im_end|>"))


@fault("chat.template-token-streamed", breaks="chat.leaks")
def template_token_streamed(ask: Ask, serve: Serve) -> Answer:
    """A stream of several choices ends each with the end mark of the model."""

    def edit(event: Body) -> None:
        for choice in event.get("choices", []):
            if choice.get("finish_reason"):
                choice["delta"]["content"] = "</s>"

    answer = serve(ask)
    return edit_events(answer, edit) if ask.path == CHAT and number(ask, "n") > 1 else answer


# ------------------------------------------------------------------------------------------ its characters


BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")


@fault("chat.characters-halved", breaks="chat.characters")
def characters_halved(ask: Ask, serve: Serve) -> Answer:
    """Streams are decoded token by token: U+FFFD for each half of a character."""

    def edit(event: Body) -> None:
        for choice in event.get("choices", []):
            delta: dict[str, Any] = choice["delta"]
            if delta.get("content"):
                delta["content"] = BEYOND_ASCII.sub("\ufffd\ufffd", delta["content"])

    answer = serve(ask)
    return edit_events(answer, edit) if ask.path == CHAT and not ask.asked.get("response_format") else answer
