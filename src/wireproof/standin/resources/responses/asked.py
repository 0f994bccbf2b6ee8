"""What a response answers: its input, what it remembers, and both as a conversation that can be counted and answered.

The words are counted as the same conversation would be in a chat, so a prompt costs the same on both surfaces.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from typing import Any

from wireproof.standin.call import Call
from wireproof.standin.conversation import last_words, prompt_tokens
from wireproof.standin.refusals import invalid, missing, not_found
from wireproof.standin.resources.conversations import conversation_of, items_of
from wireproof.standin.resources.responses.compaction import summary_of
from wireproof.standin.resources.responses.items import Item, kept
from wireproof.standin.resources.responses.parts import check_parts
from wireproof.standin.resources.responses.tools import chat_tools
from wireproof.standin.store import Row
from wireproof.standin.world import World

KIND = "responses"
# What a chat calls a detail that it does not know.
DETAILS = {"original": "high"}
# Results of calls, each with the kind of its call.
RESULTS = {
    "function_call_output": "function_call",
    "custom_tool_call_output": "custom_tool_call",
    "shell_call_output": "shell_call",
    "local_shell_call_output": "local_shell_call",
    "apply_patch_call_output": "apply_patch_call",
    "computer_call_output": "computer_call",
}
# The last item of an input, when all is to be put in short.
TRIGGER = "compaction_trigger"
# What a model does not read again: bytes, and what only the books need.
UNREAD = ("id", "status", "result", "encrypted_content", "logprobs")


@dataclass(frozen=True)
class Asked:
    """`earlier` is what is remembered, `given` this request's own input, both as kept items, oldest first.

    `messages` are the two as a chat has them, the instructions first. `input_tokens` with the tools and the format.
    """

    given: tuple[Item, ...]
    earlier: tuple[Item, ...]
    conversation_id: str | None
    chat: Mapping[str, Any] = field(repr=False)
    threshold: int | None = None
    is_only_to_be_compacted: bool = False

    @property
    def is_to_be_compacted(self) -> bool:
        """Whether this is wished, or there is more than was allowed to pile up."""
        too_long = self.threshold is not None and self.input_tokens > self.threshold
        return self.is_only_to_be_compacted or too_long

    @property
    def items(self) -> tuple[Item, ...]:
        return (*self.earlier, *self.given)

    @property
    def messages(self) -> Sequence[Mapping[str, Any]]:
        found: Sequence[Mapping[str, Any]] = self.chat["messages"]
        return found

    @property
    def words(self) -> str:
        """The last words of a user."""
        return last_words(self.messages)

    @cached_property
    def input_tokens(self) -> int:
        return prompt_tokens(self.chat).total


def read(world: World, call: Call) -> Asked:
    """The request of `call`. Refuses references that lead nowhere and results of calls that nobody made."""
    body = call.body
    earlier, conversation_id = _remembered(world, call)
    given = list(_given(world, call, earlier))
    _check_results([*earlier, *given])
    return Asked(
        tuple(given),
        tuple(earlier),
        conversation_id,
        _chat(body, [*earlier, *given]),
        _threshold(body),
        _is_triggered(body.get("input")),
    )


def shortened(asked: Asked, body: Mapping[str, Any], most_tokens: int) -> Asked:
    """Without the oldest memories that do not fit in `most_tokens`."""
    earlier, given = list(asked.earlier), list(asked.given)
    while asked.input_tokens > most_tokens and (earlier or len(given) > 1):
        (earlier or given).pop(0)
        items = _with_calls([*earlier, *given])
        asked = replace(asked, chat=_chat(body, items))
    return asked


def _threshold(body: Mapping[str, Any]) -> int | None:
    """How many tokens may pile up before they are put in short; None when any number may."""
    wanted = [one.get("compact_threshold") for one in body.get("context_management") or ()]
    return min((tokens for tokens in wanted if tokens is not None), default=None)


def _is_triggered(sent: Any) -> bool:
    """Refuses a trigger that is not the last item."""
    places = [at for at, item in enumerate(sent) if item.get("type") == TRIGGER] if isinstance(sent, list) else []
    if places and places != [len(sent) - 1]:
        raise invalid(f"An item of type '{TRIGGER}' must be the last one.", f"input[{places[0]}]", "invalid_value")
    return bool(places)


def _remembered(world: World, call: Call) -> tuple[list[Item], str | None]:
    body = call.body
    previous, conversation = body.get("previous_response_id"), body.get("conversation")
    if previous and conversation:
        raise invalid(
            "Mutually exclusive parameters: 'previous_response_id' and 'conversation'. Use one of them.",
            "previous_response_id",
            "mutually_exclusive_parameters",
        )
    if conversation:
        id = conversation if isinstance(conversation, str) else conversation["id"]
        conversation_of(world, id)
        return items_of(world, id), id
    return (_chain(world, call, previous) if previous else []), None


def _chain(world: World, call: Call, id: str) -> list[Item]:
    """All that was said up to the end of response `id`. A link that was deleted takes what was before it along."""
    row: Row | None = world.table(KIND).get(id)
    # What was not to be stored is still known to the socket it was said on.
    if row is None or row.get("socket") not in (None, call.serial):
        raise invalid(
            f"Previous response with id '{id}' not found.", "previous_response_id", "previous_response_not_found"
        )
    links: list[Row] = []
    while row is not None:
        links.append(row)
        previous = row["response"]["previous_response_id"]
        row = world.table(KIND).get(previous) if previous else None
    return [item for link in reversed(links) for item in _said_in(link)]


def _said_in(row: Row) -> list[Item]:
    return [*row["input"], *row["response"]["output"]]


def _given(world: World, call: Call, earlier: Iterable[Item]) -> Iterator[Item]:
    sent = call.body.get("input")
    if isinstance(sent, str):
        sent = [{"role": "user", "content": sent}]
    for at, item in enumerate(sent or ()):
        where = f"input[{at}]"
        if item.get("type") in ("item_reference", None) and "role" not in item:
            yield _referred(world, item["id"], earlier, where)
        elif item.get("type") != TRIGGER:
            made = kept(item, call.id, where)
            check_parts(world, made, where)
            yield made


def _referred(world: World, id: str, earlier: Iterable[Item], where: str) -> Item:
    stored = (item for row in reversed(world.table(KIND).rows()) for item in _said_in(row))
    for item in chain(earlier, stored):
        if item["id"] == id:
            return item
    raise not_found(f"Item with id '{id}' not found. Items are not kept when `store` is false.", where)


def _check_results(items: Sequence[Item]) -> None:
    """Every result belongs to a call before it; every call to the caller has its result by now."""
    open_calls: dict[str, Item] = {}
    seen: set[tuple[str, str]] = set()
    for item in items:
        kind = item["type"]
        if kind in RESULTS.values():
            seen.add((kind, item["call_id"]))
            if kind in ("function_call", "custom_tool_call") and item.get("status") != "incomplete":
                open_calls[item["call_id"]] = item
        elif kind in RESULTS and item.get("call_id"):
            if (RESULTS[kind], item["call_id"]) not in seen:
                what = RESULTS[kind].replace("_", " ").removesuffix(" call")
                raise invalid(f"No tool call found for {what} call output with call_id {item['call_id']}.", "input")
            open_calls.pop(item["call_id"], None)
    for call_id, item in open_calls.items():
        raise invalid(f"No tool output found for {item['type'].replace('_', ' ')} {call_id}.", "input")


def _with_calls(items: Sequence[Item]) -> list[Item]:
    """Without the results whose calls have been forgotten."""
    calls = {item.get("call_id") for item in items if item["type"] in RESULTS.values()}
    return [item for item in items if item["type"] not in RESULTS or item.get("call_id") in calls]


def _chat(body: Mapping[str, Any], items: Sequence[Item]) -> dict[str, Any]:
    """The same request as a chat: `{messages, tools, response_format}`."""
    messages: list[dict[str, Any]] = []
    if body.get("instructions"):
        messages.append({"role": "system", "content": body["instructions"]})
    for item in since_compaction(items):
        _tell(messages, item)
    chat: dict[str, Any] = {"messages": messages, "tools": chat_tools(body.get("tools") or ())}
    wanted = (body.get("text") or {}).get("format") or {}
    if wanted.get("type") == "json_schema":
        chat["response_format"] = {"type": "json_schema", "json_schema": _named(wanted)}
    elif wanted.get("type") == "json_object":
        chat["response_format"] = wanted
    return chat


def since_compaction(items: Iterable[Item]) -> list[Item]:
    """What is still read: the last compaction, which stands for all before it, and what came after."""
    read = list(items)
    last = max((at for at, item in enumerate(read) if item["type"] == "compaction"), default=0)
    return read[last:]


def _named(wanted: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in wanted.items() if name != "type"}


def _tell(messages: list[dict[str, Any]], item: Item) -> None:
    kind = item["type"]
    if kind == "message":
        messages.append({"role": item["role"], "content": [_part(part) for part in item["content"]]})
    elif kind in ("function_call", "custom_tool_call"):
        field, text = ("function", "arguments") if kind == "function_call" else ("custom", "input")
        call = {"id": item["call_id"], "type": field, field: {"name": item["name"], text: item[text]}}
        if messages and messages[-1].get("tool_calls"):
            messages[-1]["tool_calls"].append(call)
        else:
            messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
    elif kind in ("function_call_output", "custom_tool_call_output"):
        content = item["output"] if isinstance(item["output"], str) else [_part(part) for part in item["output"]]
        messages.append({"role": "tool", "tool_call_id": item.get("call_id", ""), "content": content})
    elif kind == "compaction":
        messages.append({"role": "assistant", "content": summary_of(item)})
    elif kind != "reasoning":
        read = {name: value for name, value in item.items() if name not in UNREAD}
        messages.append({"role": "assistant", "content": json.dumps(read)})


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    kind = part["type"]
    if kind == "input_image":
        detail = DETAILS.get(part["detail"], part["detail"])
        return {"type": "image_url", "image_url": {"url": part["image_url"] or part["file_id"] or "", "detail": detail}}
    if kind == "input_file":
        return {"type": "file", "file": {name: part[name] for name in ("filename", "file_data") if name in part}}
    return {"type": "text", "text": part.get("text") or part.get("refusal") or ""}


def check_asked(body: Mapping[str, Any]) -> None:
    """That there is something to answer: a model and an input of one kind or another."""
    if body.get("prompt"):
        raise not_found(f"Prompt with id '{body['prompt']['id']}' not found.", "prompt")
    if body.get("model") is None:
        raise missing("model")
    if not any(body.get(name) for name in ("input", "previous_response_id", "conversation")):
        raise missing("input")
