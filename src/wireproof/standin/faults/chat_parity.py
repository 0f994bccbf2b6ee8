"""Departures of streamed chat from plain chat: each answer is fine by itself, the two do not agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_events, edit_frames
from wireproof.standin.wire import Answer, Ask, Frame, Serve, event_of

CHAT = "/v1/chat/completions"

Event = dict[str, Any]


def _streams(ask: Ask, serve: Serve, edit: Callable[[Event], Any]) -> Answer:
    """The answer after `edit(event)` of each event, when it is a chat stream."""
    answer = serve(ask)
    return edit_events(answer, edit) if ask.path == CHAT else answer


def _usage(ask: Ask, serve: Serve, edit: Callable[[Event], Any]) -> Answer:
    def each(event: Event) -> None:
        if event.get("usage"):
            edit(event["usage"])

    return _streams(ask, serve, each)


def _without(answer: Answer, is_lost: Callable[[list[str]], int]) -> Answer:
    """A stream without one of the deltas of its choice 0: `is_lost(texts)` tells which."""

    def edit(frames: list[Frame]) -> Iterator[Frame]:
        texts = [(at, text) for at, frame in enumerate(frames) if (text := _text(frame))]
        lost = texts[is_lost([text for _, text in texts])][0] if len(texts) > 1 else None
        return (frame for at, frame in enumerate(frames) if at != lost)

    return edit_frames(answer, edit)


def _text(frame: Frame) -> str | None:
    event = event_of(frame)
    choices = [choice for choice in (event or {}).get("choices", []) if choice["index"] == 0]
    return choices[0]["delta"].get("content") if choices else None


@fault(
    "chat.parity.prompt-estimated",
    breaks="chat.parity.prompt-tokens",
    also=(
        "chat.recovers",
        "usage.prompt-once",
    ),
)
def prompt_estimated(ask: Ask, serve: Serve) -> Answer:
    """In streams `prompt_tokens` is an estimate."""

    def edit(usage: Event) -> None:
        usage["prompt_tokens"] += 3
        usage["total_tokens"] += 3

    return _usage(ask, serve, edit)


@fault("chat.parity.prompt-estimated-plainly", breaks="chat.parity.prompt-tokens")
def prompt_estimated_plainly(ask: Ask, serve: Serve) -> Answer:
    """In streams of one choice, without stop sequences and with room to speak, `prompt_tokens` is an estimate."""
    is_plain = not {"stop", "n"} & set(ask.asked) and (ask.asked.get("max_tokens") or 0) >= 20
    return prompt_estimated(ask, serve) if is_plain else serve(ask)


@fault("chat.parity.chunks-counted", breaks="chat.parity.completion-tokens")
def chunks_counted(ask: Ask, serve: Serve) -> Answer:
    """In streams `completion_tokens` is one less: the first chunk brings no text."""

    def edit(usage: Event) -> None:
        if usage["completion_tokens"] > 1:
            usage["completion_tokens"] -= 1
            usage["total_tokens"] -= 1

    return _usage(ask, serve, edit)


@fault("chat.parity.model-alias", breaks="chat.parity.model")
def model_alias(ask: Ask, serve: Serve) -> Answer:
    """Streams name the model as it was asked for, plain answers the snapshot."""
    return _streams(ask, serve, lambda event: event.update(model=str(ask.asked.get("model"))))


@fault(
    "chat.parity.headers-lost",
    breaks="chat.parity.headers",
    also=(
        "wire.request-id",
        "ratelimit.*",
        "headers.*",
    ),
)
def headers_lost(ask: Ask, serve: Serve) -> Answer:
    """Streams have no request id and no rate-limit headers."""
    answer = serve(ask)
    if not answer.is_stream:
        return answer
    gone = [name for name, _ in answer.headers if name.lower().startswith(("x-ratelimit-", "x-request-id"))]
    return answer.without_header(*gone)


@fault(
    "chat.parity.first-lost",
    breaks="chat.parity.nothing-lost",
    also=("chat.parity.text", "chat.logprobs.text", "chat.structured.*"),
)
def first_lost(ask: Ask, serve: Serve) -> Answer:
    """The first delta with text is lost."""
    answer = serve(ask)
    return _without(answer, lambda texts: 0) if ask.path == CHAT else answer


@fault(
    "chat.parity.last-lost",
    breaks="chat.parity.nothing-lost",
    also=("chat.parity.text", "chat.logprobs.text", "chat.structured.*"),
)
def last_lost(ask: Ask, serve: Serve) -> Answer:
    """The last delta with text is lost."""
    answer = serve(ask)
    return _without(answer, lambda texts: len(texts) - 1) if ask.path == CHAT else answer


@fault("chat.parity.middle-lost", breaks="chat.parity.text", also=("chat.logprobs.text", "chat.structured.*"))
def middle_lost(ask: Ask, serve: Serve) -> Answer:
    """A delta in the middle of the text is lost."""
    answer = serve(ask)
    return _without(answer, lambda texts: len(texts) // 2) if ask.path == CHAT else answer


@fault(
    "chat.parity.finish-differs",
    breaks="chat.parity.finish",
    also=(
        "chat.stop-finish",
        "chat.stream.length",
    ),
)
def finish_differs(ask: Ask, serve: Serve) -> Answer:
    """Streams end with stop where plain answers end with length, and the other way round."""
    other = {"stop": "length", "length": "stop"}

    def edit(event: Event) -> None:
        for choice in event.get("choices", []):
            choice["finish_reason"] = other.get(choice["finish_reason"], choice["finish_reason"])

    return _streams(ask, serve, edit)


@fault(
    "chat.parity.text-as-refusal",
    breaks="chat.parity.kinds",
    also=(
        "chat.stop-keeps",
        "chat.parity.nothing-lost",
        "chat.parity.text",
    ),
)
def text_as_refusal(ask: Ask, serve: Serve) -> Answer:
    """Streams bring the text as `refusal`."""

    def edit(event: Event) -> None:
        for choice in event.get("choices", []):
            if choice["delta"].get("content"):
                choice["delta"]["refusal"] = choice["delta"].pop("content")

    return _streams(ask, serve, edit)


@fault("chat.parity.duration-lost", breaks="chat.parity.headers")
def duration_lost(ask: Ask, serve: Serve) -> Answer:
    """Streams do not tell in `openai-processing-ms` how long they took to begin."""
    answer = serve(ask)
    return answer.without_header("openai-processing-ms") if answer.is_stream else answer


def _is_short(ask: Ask) -> bool:
    """A stream of a sentence or two, with nothing asked for beside."""
    cap = ask.asked.get("max_tokens")
    others = ("n", "tools", "response_format", "logprobs")
    is_capped = type(cap) is int and 16 < cap <= 32
    return ask.path == CHAT and ask.streamed and is_capped and not any(ask.asked.get(name) for name in others)


@fault("chat.parity.first-of-words-lost", breaks="chat.parity.nothing-lost")
def first_of_words_lost(ask: Ask, serve: Serve) -> Answer:
    """The first delta with text is lost where neither a form nor tools are asked for."""
    answer = serve(ask)
    return _without(answer, lambda texts: 0) if _is_short(ask) else answer


@fault("chat.parity.middle-of-words-lost", breaks="chat.parity.text")
def middle_of_words_lost(ask: Ask, serve: Serve) -> Answer:
    """A delta in the middle of the text is lost where neither a form nor tools are asked for."""
    answer = serve(ask)
    return _without(answer, lambda texts: len(texts) // 2) if _is_short(ask) else answer


@fault("chat.parity.full-is-stop", breaks="chat.parity.finish")
def full_is_stop(ask: Ask, serve: Serve) -> Answer:
    """A stream that fills a limit of many tokens ends with stop."""

    def edit(event: Event) -> None:
        for choice in event.get("choices", []):
            choice["finish_reason"] = choice["finish_reason"] and "stop"

    return _streams(ask, serve, edit) if _is_short(ask) else serve(ask)


@fault("chat.parity.thoughts-streamed", breaks="chat.parity.kinds")
def thoughts_streamed(ask: Ask, serve: Serve) -> Answer:
    """Streams bring thoughts beside the text, plain answers do not."""

    def edit(event: Event) -> None:
        for choice in event.get("choices", []):
            if choice["delta"].get("content"):
                choice["delta"]["reasoning_content"] = "Greet them."

    return _streams(ask, serve, edit) if _is_short(ask) else serve(ask)
