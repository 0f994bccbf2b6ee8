"""What is answered to a conversation: the words of the chat, by the settings of the session and of the one response."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wireproof.standin import chat
from wireproof.standin.catalogue import Model
from wireproof.standin.conversation import prompt_tokens
from wireproof.standin.media.sounds import SECONDS_A_TOKEN
from wireproof.standin.refusals import invalid
from wireproof.standin.voice.memory import ASSISTANT_MS_A_TOKEN, Item, as_chat
from wireproof.standin.voice.speaking import Answered

if TYPE_CHECKING:
    from wireproof.standin.voice.talk import Talk

# Where nothing is published for a model, its successor's number holds.
MOST_TOKENS = 4_096
# What a word costs that is spoken: itself, and its sound.
TOKENS_A_SPOKEN_WORD = 1 + int(SECONDS_A_TOKEN * 1000) // ASSISTANT_MS_A_TOKEN


def answered(talk: Talk, asked: Mapping[str, Any], conversation_id: str | None) -> Answered:
    """`asked` are the fields of `response.create`, which go before those of the session."""
    assert talk.model is not None
    session, world = talk.settings, talk.world
    spoken = {**session["audio"]["output"], **((asked.get("audio") or {}).get("output") or {})}
    modality = "audio" if "audio" in asked.get("output_modalities", session["output_modalities"]) else "text"
    most = asked.get("max_output_tokens", session["max_output_tokens"])
    items = _input(talk, asked.get("input"))
    body = _body({**session, **asked}, items, _words(most, talk.model, modality))
    prompt = prompt_tokens(body)
    serial = world.serial()
    turn = chat.Turn(talk.model, serial, int(world.now), world.setup.latency, prompt)
    voice = spoken["voice"]["id"] if isinstance(spoken["voice"], Mapping) else spoken["voice"]
    return Answered(
        said=chat.choices(body, turn)[0],
        modality=modality,
        voice=voice,
        format=spoken["format"],
        speed=spoken.get("speed", 1.0),
        gaps=world.setup.latency.gaps(serial),
        prompt_text=prompt.text,
        prompt_image=prompt.image,
        prompt_audio=talk.memory.audio_tokens(items),
        cached=0,
        conversation_id=conversation_id,
        max_output_tokens=most,
        metadata=asked.get("metadata"),
    )


def _input(talk: Talk, given: list[Item] | None) -> list[Item]:
    """The items to be answered: those given, by reference or as they are, else the conversation."""
    if given is None:
        return talk.memory.in_order()
    return [talk.memory.found(item["id"], "retrieve") if item["type"] == "item_reference" else item for item in given]


def _body(settings: Mapping[str, Any], items: list[Item], most: int) -> dict[str, Any]:
    """The same question as one to the chat, of `most` words. Tools of other servers (MCP) are not called."""
    messages = as_chat(items, settings.get("instructions"))
    body: dict[str, Any] = {"model": settings["model"], "messages": messages, "max_completion_tokens": most}
    tools = [tool for tool in settings.get("tools") or () if tool.get("type", "function") == "function"]
    if tools:
        keys = ("name", "description", "parameters")
        body["tools"] = [
            {"type": "function", "function": {key: tool[key] for key in keys if key in tool}}
            for tool in tools
            if "name" in tool
        ]
        body["tool_choice"] = _choice(settings.get("tool_choice", "auto"), [tool.get("name") for tool in tools])
    return body


def _words(most: int | str, model: Model, modality: str) -> int:
    """How many words the cap leaves room for, at least one."""
    if most == "inf":
        most = model.max_output_tokens or MOST_TOKENS
    if int(most) < 1:
        raise invalid("Invalid 'max_output_tokens': expected at least 1.", "response.max_output_tokens",
                      "integer_below_min_value")  # fmt: skip
    return max(1, int(most) // (TOKENS_A_SPOKEN_WORD if modality == "audio" else 1))


def _choice(choice: Any, names: list[str | None]) -> Any:
    if not isinstance(choice, Mapping):
        return choice
    if choice.get("type") != "function":
        return "auto"
    if choice["name"] not in names:
        raise invalid(f"Tool choice '{choice['name']}' not found in 'tools' parameter.", "response.tool_choice")
    return {"type": "function", "function": {"name": choice["name"]}}
