"""What a schema cannot say about a chat request: fields that need each other, and sizes."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from wireproof.standin.catalogue import Model
from wireproof.standin.chat import most_tokens
from wireproof.standin.conversation import check_turns, estimated_tokens, parts, prompt_tokens
from wireproof.standin.reasoning import check_reasoning, unsupported
from wireproof.standin.refusals import invalid, wrong_type
from wireproof.standin.structured import check_format
from wireproof.standin.toolcalls import check_tools

# Accepted by the schema, served by none of the models here: refused rather than ignored.
NOT_SERVED = ("audio", "web_search_options", "moderation")


def check_chat(body: Mapping[str, Any], model: Model) -> None:
    check_stream_options(body)
    check_reasoning(body, model)
    check_top_logprobs(body)
    check_extensions(body)
    check_not_served(body)
    check_media(body)
    check_turns(body["messages"])
    check_tools(body)
    check_format(body)
    check_size(body, model)


def check_stream_options(body: Mapping[str, Any]) -> None:
    if body.get("stream_options") is not None and not body.get("stream"):
        raise invalid("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options")


def check_top_logprobs(body: Mapping[str, Any]) -> None:
    if body.get("top_logprobs") is not None and not body.get("logprobs"):
        raise invalid("The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.", "top_logprobs")


def check_extensions(body: Mapping[str, Any]) -> None:
    """`min_tokens` and `ignore_eos` are in no description, but in many servers."""
    least = body.get("min_tokens")
    if least is not None and (not isinstance(least, int) or isinstance(least, bool) or least < 0):
        raise wrong_type("min_tokens", "an integer of at least 0", least)
    if not isinstance(body.get("ignore_eos"), bool | None):
        raise wrong_type("ignore_eos", "a boolean", body["ignore_eos"])


def check_not_served(body: Mapping[str, Any]) -> None:
    for name in NOT_SERVED:
        if body.get(name) is not None:
            raise unsupported(name)
    if "audio" in (body.get("modalities") or ()):
        raise invalid("Unsupported value: 'modalities' does not support 'audio' with this model.", "modalities",
                      "unsupported_value")  # fmt: skip


def check_media(body: Mapping[str, Any]) -> None:
    for at, message in enumerate(body["messages"]):
        for place, part in enumerate(parts(message)):
            where = f"messages[{at}].content[{place}]"
            if part.get("type") == "image_url":
                check_image(part["image_url"]["url"], f"{where}.image_url.url")
            elif part.get("type") == "input_audio" and not _is_base64(part["input_audio"]["data"]):
                raise invalid("Invalid base64 audio data.", f"{where}.input_audio.data", "invalid_value")


def check_image(url: str, where: str) -> None:
    if url.startswith(("http://", "https://")):
        return
    head, comma, data = url.partition(",")
    if not (head.startswith("data:image/") and head.endswith(";base64") and comma):
        raise invalid("Invalid image URL: expected http, https, or data:image/...;base64,...", where,
                      "invalid_image_url")  # fmt: skip
    if not data or not _is_base64(data):
        raise invalid("Invalid base64 image data.", where, "invalid_base64_image")


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def check_size(body: Mapping[str, Any], model: Model) -> None:
    for name in ("max_tokens", "max_completion_tokens"):
        asked = body.get(name)
        if asked is not None and asked < 1:
            raise invalid(f"Invalid '{name}': integer below minimum value. Expected a value >= 1, but got {asked} "
                          "instead.", name, "integer_below_min_value")  # fmt: skip
        if asked is not None and asked > model.max_output_tokens:
            raise invalid(f"{name} is too large: {asked}. This model supports at most {model.max_output_tokens} "
                          f"completion tokens, whereas you provided {asked}.", name, "invalid_value")  # fmt: skip
    prompt = prompt_tokens(body).total
    if prompt > model.context_window:
        raise invalid(
            f"This model's maximum context length is {model.context_window} tokens. However, your messages resulted "
            f"in {prompt} tokens. Please reduce the length of the messages.",
            "messages",
            "context_length_exceeded",
        )


def expected_chat_tokens(body: Mapping[str, Any]) -> int:
    """The larger of what may be written and what the characters of the prompt suggest.

    Source: the rate-limits guide, which says maximum, not sum.
    """
    return max(most_tokens(body) or 0, estimated_tokens(body))
