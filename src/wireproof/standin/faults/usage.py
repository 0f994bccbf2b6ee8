"""Departures of token counts in answers in one piece, chat and legacy completions alike."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from itertools import count
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_json
from wireproof.standin.wire import Answer, Ask, Serve

ASKED = count()  # the same question comes twice in a run: every other time is the second
PATHS = ("/v1/chat/completions", "/v1/completions")

Usage = dict[str, Any]


def _body(ask: Ask, serve: Serve, edit: Callable[[dict[str, Any]], Any]) -> Answer:
    """The answer after `edit(body)`, unless it is kept: what is read back later should be the same."""
    answer = serve(ask)
    is_meant = ask.path in PATHS and ask.method == "POST" and not ask.streamed and not ask.asked.get("store")
    return edit_json(answer, edit) if is_meant else answer


def _usage(ask: Ask, serve: Serve, edit: Callable[[Usage], Any]) -> Answer:
    return _body(ask, serve, lambda body: edit(body["usage"]))


@fault("usage.missing", breaks="usage.present")
def missing(ask: Ask, serve: Serve) -> Answer:
    """There is no `usage`."""
    return _body(ask, serve, lambda body: {key: value for key, value in body.items() if key != "usage"})


@fault("usage.names-of-responses", breaks="usage.present")
def names_of_responses(ask: Ask, serve: Serve) -> Answer:
    """`input_tokens` and `output_tokens` in place of `prompt_tokens` and `completion_tokens`."""

    def edit(usage: Usage) -> None:
        usage["input_tokens"] = usage.pop("prompt_tokens")
        usage["output_tokens"] = usage.pop("completion_tokens")

    return _usage(ask, serve, edit)


@fault("usage.text-counts", breaks="usage.present")
def text_counts(ask: Ask, serve: Serve) -> Answer:
    """Counts are strings."""
    return _usage(ask, serve, lambda usage: usage.update(completion_tokens=str(usage["completion_tokens"])))


@fault("usage.total-wrong", breaks="usage.total")
def total_wrong(ask: Ask, serve: Serve) -> Answer:
    """`total_tokens` is what `completion_tokens` is."""
    return _usage(ask, serve, lambda usage: usage.update(total_tokens=usage["completion_tokens"]))


@fault("usage.prompt-zero", breaks="usage.prompt", also=("chat.parity.*", "chat.reach.*"))
def prompt_zero(ask: Ask, serve: Serve) -> Answer:
    """`prompt_tokens` is always 0."""
    return _usage(ask, serve, lambda usage: usage.update(prompt_tokens=0, total_tokens=usage["completion_tokens"]))


@fault("usage.prompt-zero-legacy", breaks="usage.prompt")
def prompt_zero_legacy(ask: Ask, serve: Serve) -> Answer:
    """`prompt_tokens` of legacy completions is 0."""
    return prompt_zero(ask, serve) if ask.path == PATHS[1] else serve(ask)


@fault("usage.completion-zero", breaks="usage.completion", also=("usage.choices", "chat.*"))
def completion_zero(ask: Ask, serve: Serve) -> Answer:
    """`completion_tokens` is always 0."""
    return _usage(ask, serve, lambda usage: usage.update(completion_tokens=0, total_tokens=usage["prompt_tokens"]))


@fault("usage.completion-zero-legacy", breaks="usage.completion")
def completion_zero_legacy(ask: Ask, serve: Serve) -> Answer:
    """`completion_tokens` of a single legacy completion is 0."""
    return completion_zero(ask, serve) if ask.path == PATHS[1] and not ask.asked.get("n") else serve(ask)


@fault("usage.cached-exceeds", breaks="usage.prompt-details")
def cached_exceeds(ask: Ask, serve: Serve) -> Answer:
    """`cached_tokens` is more than `prompt_tokens`."""

    def edit(usage: Usage) -> None:
        usage["prompt_tokens_details"] = {"cached_tokens": usage["prompt_tokens"] + 1, "audio_tokens": 0}

    return _usage(ask, serve, edit)


@fault("usage.reasoning-exceeds", breaks="usage.completion-details")
def reasoning_exceeds(ask: Ask, serve: Serve) -> Answer:
    """`reasoning_tokens` is more than `completion_tokens`."""

    def edit(usage: Usage) -> None:
        usage["completion_tokens_details"] = {"reasoning_tokens": usage["completion_tokens"] + 1}

    return _usage(ask, serve, edit)


@fault("usage.one-choice-only", breaks="usage.choices")
def one_choice_only(ask: Ask, serve: Serve) -> Answer:
    """`completion_tokens` counts the first choice only."""

    def edit(body: dict[str, Any]) -> None:
        usage = body["usage"]
        usage["completion_tokens"] = max(1, usage["completion_tokens"] // len(body["choices"]))
        usage["total_tokens"] = usage["prompt_tokens"] + usage["completion_tokens"]

    return _body(ask, serve, edit) if ask.asked.get("n") else serve(ask)


@fault(
    "usage.prompt-drifts",
    breaks="usage.repeats",
    also=("chat.nulls", "chat.parts", "chat.parity.*", "chat.reach.*", "chat.recovers", "usage.prompt*"),
)
def prompt_drifts(ask: Ask, serve: Serve) -> Answer:
    """`prompt_tokens` differs from call to call for the same prompt."""

    def edit(body: dict[str, Any]) -> None:
        more = hashlib.blake2b(body["id"].encode()).digest()[0]
        body["usage"]["prompt_tokens"] += more
        body["usage"]["total_tokens"] += more

    return _body(ask, serve, edit)


@fault("usage.cached-uncounted", breaks="usage.repeats")
def cached_uncounted(ask: Ask, serve: Serve) -> Answer:
    """The second time that a question is asked its tokens come from a cache, and are not counted."""
    is_whole = ask.asked.get("max_tokens") == 24 and not any(ask.asked.get(name) for name in ("stop", "stream", "n"))
    if not is_whole or ask.path != PATHS[0] or next(ASKED) % 2 == 0:
        return serve(ask)

    def edit(usage: Usage) -> None:
        usage["prompt_tokens"] = 1
        usage["total_tokens"] = 1 + usage["completion_tokens"]

    return _usage(ask, serve, edit)
