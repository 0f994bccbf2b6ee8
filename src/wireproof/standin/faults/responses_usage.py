"""Departures of responses in what they cost, where they end, what they read and what they repeat."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_json
from wireproof.standin.faults.response_edits import (
    PATH,
    each_response,
    is_unkept,
    plain_response,
    tells_response,
    whole_response,
)
from wireproof.standin.wire import Answer, Ask, Serve

Body = dict[str, Any]


def _usage(ask: Ask, serve: Serve, edit: Callable[[Body], Any]) -> Answer:
    """The answer after `edit(usage)`, which may return another."""

    def found(body: Body) -> None:
        if body.get("usage"):
            other = edit(body["usage"])
            body["usage"] = body["usage"] if other is None else other

    return whole_response(ask, serve, found)


def _as_asked(ask: Ask, serve: Serve, served: Ask, *names: str) -> Answer:
    """The answer to another request, which repeats these fields as if they had been heard."""

    def repeat(body: Body) -> None:
        body.update({name: ask.asked[name] for name in names if name in ask.asked})

    return each_response(served, serve, repeat)


@fault("responses.usage-missing", breaks="responses.usage", also=("responses.stored.background",))
def usage_missing(ask: Ask, serve: Serve) -> Answer:
    """A response has no `usage`."""
    return whole_response(ask, serve, lambda body: body.update(usage=None))


@fault("responses.usage-of-chat", breaks="responses.usage")
def usage_of_chat(ask: Ask, serve: Serve) -> Answer:
    """The usage has the names of chat completions: `prompt_tokens`, `completion_tokens`."""
    return _usage(
        ask,
        serve,
        lambda usage: {
            "prompt_tokens": usage["input_tokens"],
            "completion_tokens": usage["output_tokens"],
            "total_tokens": usage["total_tokens"],
        },
    )


@fault("responses.usage-bare", breaks="responses.usage-details")
def usage_bare(ask: Ask, serve: Serve) -> Answer:
    """The usage has no details."""
    return _usage(ask, serve, lambda usage: {k: v for k, v in usage.items() if not k.endswith("_details")})


@fault("responses.cached-exceeds", breaks="responses.usage-parts")
def cached_exceeds(ask: Ask, serve: Serve) -> Answer:
    """More tokens come from the cache than there are."""
    return _usage(
        ask, serve, lambda usage: usage["input_tokens_details"].update(cached_tokens=usage["input_tokens"] + 1)
    )


@fault("responses.total-wrong", breaks="responses.usage-total")
def total_wrong(ask: Ask, serve: Serve) -> Answer:
    """`total_tokens` counts the output alone."""
    return _usage(ask, serve, lambda usage: usage.update(total_tokens=usage["output_tokens"]))


@fault("responses.output-uncounted", breaks="responses.usage-counts")
def output_uncounted(ask: Ask, serve: Serve) -> Answer:
    """`output_tokens` is 0."""
    return _usage(ask, serve, lambda usage: usage.update(output_tokens=0, total_tokens=usage["input_tokens"]))


@fault("responses.stream-counts-more", breaks="responses.usage-parity")
def stream_counts_more(ask: Ask, serve: Serve) -> Answer:
    """Streams count one input token more."""
    if not (ask.streamed and is_unkept(ask)):
        return serve(ask)
    return _usage(
        ask,
        serve,
        lambda usage: usage.update(input_tokens=usage["input_tokens"] + 1, total_tokens=usage["total_tokens"] + 1),
    )


@fault("responses.cap-ignored", breaks="responses.cap")
def cap_ignored(ask: Ask, serve: Serve) -> Answer:
    """`max_output_tokens` is not kept."""
    if not is_unkept(ask) or not isinstance(ask.asked.get("max_output_tokens"), int):
        return serve(ask)
    return _as_asked(ask, serve, ask.changed(max_output_tokens=400), "max_output_tokens")


@fault("responses.cut-completed", breaks="responses.incomplete")
def cut_completed(ask: Ask, serve: Serve) -> Answer:
    """A plain answer that was cut says that it is completed."""

    def edit(body: Body) -> None:
        if body["status"] == "incomplete":
            body.update(status="completed", incomplete_details=None)
            for item in body["output"]:
                item.update({"status": "completed"} if "status" in item else {})

    return plain_response(ask, serve, edit)


# --------------------------------------------------------------------------------- what reaches the model


@fault("responses.items-as-text", breaks="responses.reach.items")
def items_as_text(ask: Ask, serve: Serve) -> Answer:
    """A list of messages is read as it is written, brackets and all."""
    given = ask.asked.get("input")
    is_list = ask.path == PATH and isinstance(given, list) and given[0].get("type") == "message"
    return serve(ask.changed(input=json.dumps(given))) if is_list else serve(ask)


@fault("responses.instructions-dropped", breaks="responses.reach.instructions")
def instructions_dropped(ask: Ask, serve: Serve) -> Answer:
    """`instructions` are repeated, and not read; nor are they counted."""
    if ask.path == f"{PATH}/input_tokens":
        return serve(ask.without("instructions"))
    if not ask.asked.get("instructions") or not tells_response(ask):
        return serve(ask)
    return _as_asked(ask, serve, ask.without("instructions"), "instructions")


@fault("responses.first-tool-only", breaks="responses.reach.tools")
def first_tool_only(ask: Ask, serve: Serve) -> Answer:
    """Of several functions the first alone is read."""
    tools = ask.asked.get("tools") or ()
    if len(tools) < 2 or not tells_response(ask):
        return serve(ask)
    return _as_asked(ask, serve, ask.changed(tools=tools[:1]), "tools")


@fault("responses.image-dropped", breaks="responses.reach.image")
def image_dropped(ask: Ask, serve: Serve) -> Answer:
    """Images of the input are dropped in silence."""
    given = ask.asked.get("input")
    if ask.path != PATH or not isinstance(given, list) or not isinstance(given[0].get("content"), list):
        return serve(ask)
    parts = [part for part in given[0]["content"] if part["type"] != "input_image"]
    return serve(ask.changed(input=[{**given[0], "content": parts}]))


@fault("responses.count-off", breaks="responses.count")
def count_off(ask: Ask, serve: Serve) -> Answer:
    """The count of input tokens leaves out what stands around a message."""
    answer = serve(ask)
    if ask.path != f"{PATH}/input_tokens":
        return answer
    return edit_json(answer, lambda body: body.update(input_tokens=body["input_tokens"] - 3))


# -------------------------------------------------------------------------------------- what is repeated


def _made(ask: Ask, serve: Serve, edit: Callable[[Body], Any]) -> Answer:
    return each_response(ask, serve, edit) if ask.method == "POST" else serve(ask)


@fault("responses.instructions-unsaid", breaks="responses.echo.instructions")
def instructions_unsaid(ask: Ask, serve: Serve) -> Answer:
    """A response says that there were no instructions."""
    return _made(ask, serve, lambda body: body.update(instructions=None))


@fault("responses.metadata-unsaid", breaks="responses.echo.metadata")
def metadata_unsaid(ask: Ask, serve: Serve) -> Answer:
    """The answer that makes a response has empty metadata."""
    return _made(ask, serve, lambda body: body.update(metadata={}))


@fault("responses.previous-unsaid", breaks="responses.echo.previous")
def previous_unsaid(ask: Ask, serve: Serve) -> Answer:
    """A response does not say which one it went on from."""
    return _made(ask, serve, lambda body: body.update(previous_response_id=None))


@fault("responses.temperature-default", breaks="responses.echo.settings")
def temperature_default(ask: Ask, serve: Serve) -> Answer:
    """A response says the default temperature, whatever was asked."""
    return _made(ask, serve, lambda body: body.update(temperature=1.0))


@fault("responses.usage-null-counts", breaks="responses.usage-detail-counts")
def null_counts(ask: Ask, serve: Serve) -> Answer:
    """Where nothing is known of reasoning, `reasoning_tokens` is null."""

    def edit(body: Body) -> None:
        if body.get("usage"):
            body["usage"]["output_tokens_details"]["reasoning_tokens"] = None

    return each_response(ask, serve, edit)


@fault("responses.truncation-default", breaks="responses.echo.settings")
def truncation_default(ask: Ask, serve: Serve) -> Answer:
    """`truncation` is disabled, whatever was asked."""
    return serve(ask.without("truncation")) if ask.path == PATH and "truncation" in ask.asked else serve(ask)


@fault("responses.store-untrue", breaks="responses.echo.settings")
def store_untrue(ask: Ask, serve: Serve) -> Answer:
    """A response that is not stored says that it is."""
    return _made(ask, serve, lambda body: body.update(store=True))


@fault("responses.completed-before", breaks="responses.completed-at")
def completed_before(ask: Ask, serve: Serve) -> Answer:
    """A response was completed before it was created."""

    def edit(body: Body) -> None:
        if body.get("completed_at"):
            body["completed_at"] = body["created_at"] - 7

    return each_response(ask, serve, edit)


@fault("responses.count-bare", breaks="responses.count")
def count_bare(ask: Ask, serve: Serve) -> Answer:
    """The count of input tokens leaves out the instructions."""
    return serve(ask.without("instructions") if ask.path == f"{PATH}/input_tokens" else ask)


@fault("responses.format-text", breaks="responses.echo.format")
def format_text(ask: Ask, serve: Serve) -> Answer:
    """A response says that its format was text, whatever was asked."""
    return each_response(ask, serve, lambda body: body.update(text={"format": {"type": "text"}}))


@fault("responses.tools-unsaid", breaks="responses.echo.tools")
def tools_unsaid(ask: Ask, serve: Serve) -> Answer:
    """A response has an empty list of tools."""
    return _made(ask, serve, lambda body: body.update(tools=[]))


@fault("responses.choice-unsaid", breaks="responses.echo.tools")
def choice_unsaid(ask: Ask, serve: Serve) -> Answer:
    """A response says `tool_choice: auto`, whatever was asked."""
    return _made(ask, serve, lambda body: body.update(tool_choice="auto"))
