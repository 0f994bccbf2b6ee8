"""Departures of legacy completions row by row: log probabilities of streams and prompts, order and echo of choices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_events, edit_json
from wireproof.standin.wire import Answer, Ask, Serve

COMPLETIONS = "/v1/completions"

Body = dict[str, Any]


def _plain(ask: Ask, serve: Serve, edit: Callable[[Body], Any]) -> Answer:
    """The answer after `edit(choice)` of each choice, when it comes in one piece."""

    def each(body: Body) -> None:
        for choice in body["choices"]:
            edit(choice)

    answer = serve(ask)
    return edit_json(answer, each) if ask.path == COMPLETIONS else answer


def _streamed(ask: Ask, serve: Serve, edit: Callable[[Body], Any]) -> Answer:
    """The stream after `edit(choice)` of each choice of each chunk."""

    def each(body: Body) -> None:
        for choice in body.get("choices", []):
            edit(choice)

    answer = serve(ask)
    return edit_events(answer, each) if ask.path == COMPLETIONS else answer


@fault("completions.echo-of-another-prompt", breaks="completions.echo")
def choices_come_in_another_order(ask: Ask, serve: Serve) -> Answer:
    """The choices of several prompts are numbered across, not prompt by prompt."""

    def edit(body: Body) -> None:
        texts = [choice["text"] for choice in body["choices"]]
        for choice in body["choices"]:
            choice["text"] = texts[choice["index"] // 2 + choice["index"] % 2 * 2]

    answer = serve(ask)
    is_meant = ask.path == COMPLETIONS and isinstance(ask.asked.get("prompt"), list) and ask.asked.get("n") == 2
    return edit_json(answer, edit) if is_meant else answer


@fault("completions.logprobs-lost-in-streams", breaks="completions.logprobs")
def streams_have_no_logprobs(ask: Ask, serve: Serve) -> Answer:
    """`logprobs` has no effect where the answer is streamed."""
    return _streamed(ask, serve, lambda choice: choice.update(logprobs=None))


@fault("completions.offsets-begin-again", breaks="completions.logprobs-offset")
def offsets_begin_again_in_each_chunk(ask: Ask, serve: Serve) -> Answer:
    """`text_offset` counts from the beginning of each chunk."""

    def edit(choice: Body) -> None:
        if choice.get("logprobs"):
            choice["logprobs"]["text_offset"] = [0 for _ in choice["logprobs"]["text_offset"]]

    return _streamed(ask, serve, edit)


@fault("completions.prompt-not-scored", breaks="completions.logprobs-text")
def the_prompt_has_no_rows(ask: Ask, serve: Serve) -> Answer:
    """With `echo` only the last token has its row: none of the prompt's has."""

    def edit(choice: Body) -> None:
        if choice["logprobs"]:
            choice["logprobs"] = {name: values[-1:] for name, values in choice["logprobs"].items()}

    return _plain(ask, serve, edit) if ask.asked.get("echo") else serve(ask)


@fault("completions.candidates-of-the-next", breaks="completions.logprobs-chosen")
def candidates_are_those_of_the_next(ask: Ask, serve: Serve) -> Answer:
    """`top_logprobs` is one token off."""

    def edit(choice: Body) -> None:
        if choice["logprobs"]:
            top = choice["logprobs"]["top_logprobs"]
            choice["logprobs"]["top_logprobs"] = [*top[1:], top[-1]]

    return serve(ask) if ask.asked.get("echo") else _plain(ask, serve, edit)


@fault("completions.stop-drops-word", breaks="completions.stop-keeps")
def what_stands_before_a_stop_is_lost(ask: Ask, serve: Serve) -> Answer:
    """What stands before the stop sequence is lost with it: the prompt comes back alone."""
    prompt = ask.asked.get("prompt")
    return _plain(ask, serve, lambda choice: choice.update(text=prompt)) if ask.asked.get("stop") else serve(ask)


@fault("usage.first-prompt-only", breaks="usage.prompts")
def only_the_first_prompt_is_counted(ask: Ask, serve: Serve) -> Answer:
    """`prompt_tokens` is that of the first prompt of several, and one for each other."""
    prompt = ask.asked.get("prompt")
    if ask.path != COMPLETIONS or not isinstance(prompt, list):
        return serve(ask)
    first = serve(ask.without("n").changed(prompt=prompt[:1])).json["usage"]["prompt_tokens"]

    def edit(body: Body) -> None:
        body["usage"]["prompt_tokens"] = first + len(prompt) - 1
        body["usage"]["total_tokens"] = body["usage"]["prompt_tokens"] + body["usage"]["completion_tokens"]

    return edit_json(serve(ask), edit)


@fault("usage.prompt-times-n", breaks="usage.prompt-once")
def each_choice_counts_the_prompt(ask: Ask, serve: Serve) -> Answer:
    """`prompt_tokens` is counted for each choice of chat."""
    n = ask.asked.get("n")

    def edit(body: Body) -> None:
        usage = body["usage"]
        usage["prompt_tokens"] *= len(body["choices"])
        usage["total_tokens"] = usage["prompt_tokens"] + usage["completion_tokens"]

    answer = serve(ask)
    return edit_json(answer, edit) if ask.path == "/v1/chat/completions" and n else answer
