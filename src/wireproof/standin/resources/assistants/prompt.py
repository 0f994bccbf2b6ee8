"""What a model is asked in a run: the thread and what the run did so far, as one chat request."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from wireproof.standin.catalogue import Model
from wireproof.standin.conversation import prompt_tokens
from wireproof.standin.store import Row
from wireproof.standin.tokens import REPLY_TOKENS
from wireproof.standin.toolcalls import Tool

Body = dict[str, Any]

HOSTED = ("code_interpreter", "file_search")


class PromptTooLong(Exception):
    """Not even the end of the thread fits. `by_cap`: within `max_prompt_tokens`; else within the context window."""

    def __init__(self, tokens: int, room: int, *, by_cap: bool) -> None:
        super().__init__(f"the prompt has {tokens} tokens, there is room for {room}")
        self.by_cap = by_cap


def asked(run: Row, messages: Sequence[Row], steps: Sequence[Row], model: Model, prompt_used: int = 0) -> Body:
    """The request, the thread cut to what `truncation_strategy`, the caps and the window leave room for.

    A function is forced in the first turn alone: forced again after its outputs, a run would never end. What hosted
    tools gave stands before the thread, whose last message is still to be answered, by functions or in words.
    PromptTooLong when there is no room for the least of it.
    """
    called = [step for step in steps if _is_of_functions(step)]
    body = _body(run, is_first=not called)
    before = [{"role": "system", "content": run["instructions"]}] if run["instructions"] else []
    before += _calls_and_outputs(step for step in steps if step not in called)
    turns = [*_calls_and_outputs(called)]
    thread = [as_chat(row) for row in _recent(run, messages)]
    cap = run["max_prompt_tokens"]
    room = model.context_window if cap is None else min(model.context_window, cap - prompt_used)
    cost = prompt_tokens({**body, "messages": [*before, *thread, *turns]}).total
    dropped = 0
    while cost > room and dropped < len(thread) - 1:
        cost -= prompt_tokens({"messages": [thread[dropped]]}).total - REPLY_TOKENS
        dropped += 1
    if cost > room:
        raise PromptTooLong(cost, room, by_cap=cap is not None and room < model.context_window)
    return {**body, "messages": [*before, *thread[dropped:], *turns]}


def forced_hosted(run: Row) -> str | None:
    """The hosted tool that `tool_choice` names, or that it can only mean; None when it leaves the choice."""
    choice = run["tool_choice"]
    if isinstance(choice, Mapping):
        return choice["type"] if choice["type"] in HOSTED else None
    kinds = [tool["type"] for tool in run["tools"]]
    if choice == "required" and "function" not in kinds:
        return next((kind for kind in kinds if kind in HOSTED), None)
    return None


def hosted_tools(run: Row) -> list[Tool]:
    return [Tool(tool["type"], "hosted", tool) for tool in run["tools"] if tool["type"] in HOSTED]


def _is_of_functions(step: Row) -> bool:
    return any(call["type"] == "function" for call in step["step_details"].get("tool_calls", ()))


def _body(run: Row, *, is_first: bool) -> Body:
    functions = [tool for tool in run["tools"] if tool["type"] == "function"]
    body: Body = {"model": run["model"], "temperature": run["temperature"], "top_p": run["top_p"]}
    if run.get("_reasoning_effort"):
        body["reasoning_effort"] = run["_reasoning_effort"]
    if isinstance(run["response_format"], Mapping):
        body["response_format"] = run["response_format"]
    if functions:
        choice = run["tool_choice"]
        if (not is_first and choice != "none") or (isinstance(choice, Mapping) and choice["type"] in HOSTED):
            choice = "auto"
        body |= {"tools": functions, "tool_choice": choice, "parallel_tool_calls": run["parallel_tool_calls"]}
    return body


def _recent(run: Row, messages: Sequence[Row]) -> Sequence[Row]:
    strategy = run["truncation_strategy"] or {}
    if strategy.get("type") == "last_messages" and strategy.get("last_messages"):
        return messages[-strategy["last_messages"] :]
    return messages


def as_chat(row: Row) -> Body:
    """A message of a thread as one of a chat."""
    return {"role": row["role"], "content": [_part(part) for part in row["content"]]}


def _part(part: Row) -> Body:
    """A content part of a thread as one of a chat; a file that is an image costs what an image costs."""
    if part["type"] == "text":
        return {"type": "text", "text": part["text"]["value"]}
    if part["type"] == "image_file":
        file = part["image_file"]
        return {"type": "image_url", "image_url": {"url": f"file:{file['file_id']}", "detail": file["detail"]}}
    return dict(part)


def _calls_and_outputs(steps: Iterable[Row]) -> Iterator[Body]:
    """What the run called before, and what came of it, as the turns of a chat."""
    for step in steps:
        if step["type"] == "tool_calls":
            calls = [(call["id"], *_told(call)) for call in step["step_details"]["tool_calls"]]
            yield {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}
                    for id, name, arguments, _ in calls
                ],
            }
            yield from ({"role": "tool", "tool_call_id": id, "content": output} for id, _, _, output in calls)


def _told(call: Row) -> tuple[str, str, str]:
    """Name, arguments and output of a call of any kind."""
    if call["type"] == "function":
        function = call["function"]
        return function["name"], function["arguments"], function["output"] or ""
    if call["type"] == "code_interpreter":
        code = call["code_interpreter"]
        logs = "\n".join(output.get("logs", "") for output in code["outputs"])
        return "code_interpreter", json.dumps({"input": code["input"]}), logs
    results = call["file_search"].get("results", [])
    found = "\n".join(part["text"] for result in results for part in result.get("content", []))
    return "file_search", "{}", found
