"""A response as events: which ones, in which order, and how many tokens had to be made before each.

The events follow from the finished response alone, so a stream can be told again whenever it is asked for. They
come in the order that was recorded: a response is created and in progress; its items are added, filled and done,
one after the other; then it is over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from wireproof.standin.resources.responses.compaction import summary_of
from wireproof.standin.resources.responses.hosted import COARSE, drawn
from wireproof.standin.resources.responses.items import Item
from wireproof.standin.tokens import count, tokenized

Event = dict[str, Any]
# Tokens that have to be made before an event can be sent, and the event, still without its number.
Step = tuple[int, Event]

# What a response does not know before it is over.
UNKNOWN: Mapping[str, Any] = {
    "completed_at": None, "error": None, "incomplete_details": None, "moderation": None, "output": [],
    "usage": None,
}  # fmt: skip


def begun(response: Mapping[str, Any], status: str) -> dict[str, Any]:
    """The response before anything was said."""
    return {**response, **UNKNOWN, "status": status}


def steps(response: Mapping[str, Any], reasoning_tokens: int = 0, partial_images: int = 0) -> Iterator[Step]:
    """Every event of a finished response, without `sequence_number`.

    `reasoning_tokens` were thought before the reasoning was done; `partial_images` are shown before each picture.
    """
    if response.get("background"):
        yield 0, _life("response.created", begun(response, "queued"))
        yield 0, _life("response.queued", begun(response, "queued"))
    else:
        yield 0, _life("response.created", begun(response, "in_progress"))
    yield 0, _life("response.in_progress", begun(response, "in_progress"))
    for index, item in enumerate(response["output"]):
        if item["type"] == "reasoning":
            yield from _reasoning(index, item, reasoning_tokens)
        elif item["type"] == "image_generation_call":
            yield from _image(index, item, partial_images)
        else:
            yield from TELL.get(item["type"], _whole)(index, item)
    yield 0, _life(f"response.{response['status']}", dict(response))


def _life(kind: str, response: Item) -> Event:
    return {"type": kind, "response": response}


def _added(index: int, item: Item, **unfinished: Any) -> Step:
    return 0, {"type": "response.output_item.added", "output_index": index, "item": {**item, **unfinished}}


def _done(index: int, item: Item) -> Step:
    return 0, {"type": "response.output_item.done", "output_index": index, "item": item}


def _whole(index: int, item: Item) -> Iterator[Step]:
    """An item that comes in one piece: results, requests for approval."""
    unfinished = {"status": "in_progress"} if "status" in item else {}
    yield _added(index, item, **unfinished)
    yield _done(index, item)


def _message(index: int, item: Item) -> Iterator[Step]:
    yield _added(index, item, status="in_progress", content=[])
    for place, part in enumerate(item["content"]):
        at = {"item_id": item["id"], "output_index": index, "content_index": place}
        tell = _refusal if part["type"] == "refusal" else _text
        yield from tell(at, part)
    yield _done(index, item)


def _text(at: Item, part: Item) -> Iterator[Step]:
    empty = {**part, "text": "", "annotations": [], "logprobs": []}
    yield 0, {"type": "response.content_part.added", **at, "part": empty}
    logprobs = part["logprobs"]
    for number, token in enumerate(tokenized(part["text"])):
        told = logprobs[number : number + 1]
        yield 1, {"type": "response.output_text.delta", **at, "delta": token, "logprobs": told}
    for number, annotation in enumerate(part["annotations"]):
        yield (
            0,
            {
                "type": "response.output_text.annotation.added",
                **at,
                "annotation_index": number,
                "annotation": annotation,
            },
        )
    yield 0, {"type": "response.output_text.done", **at, "text": part["text"], "logprobs": logprobs}
    yield 0, {"type": "response.content_part.done", **at, "part": part}


def _refusal(at: Item, part: Item) -> Iterator[Step]:
    yield 0, {"type": "response.content_part.added", **at, "part": {"type": "refusal", "refusal": ""}}
    for token in tokenized(part["refusal"]):
        yield 1, {"type": "response.refusal.delta", **at, "delta": token}
    yield 0, {"type": "response.refusal.done", **at, "refusal": part["refusal"]}
    yield 0, {"type": "response.content_part.done", **at, "part": part}


def _reasoning(index: int, item: Item, tokens: int) -> Iterator[Step]:
    """The summary takes a token's time for each of its own; the rest of the thinking shows in nothing."""
    yield _added(index, {name: value for name, value in item.items() if name != "encrypted_content"}, summary=[])
    for place, part in enumerate(item["summary"]):
        at = {"item_id": item["id"], "output_index": index, "summary_index": place}
        yield 0, {"type": "response.reasoning_summary_part.added", **at, "part": {**part, "text": ""}}
        for token in tokenized(part["text"]):
            step = min(1, tokens)
            tokens -= step
            yield step, {"type": "response.reasoning_summary_text.delta", **at, "delta": token}
        yield 0, {"type": "response.reasoning_summary_text.done", **at, "text": part["text"]}
        yield 0, {"type": "response.reasoning_summary_part.done", **at, "part": part}
    _, done = _done(index, item)
    yield tokens, done


def _call(kind: str, text: str) -> Callable[[int, Item], Iterator[Step]]:
    """A call to the caller: `text` names the field that is told piece by piece."""

    def tell(index: int, item: Item) -> Iterator[Step]:
        at = {"item_id": item["id"], "output_index": index}
        yield _added(index, item, status="in_progress", **{text: ""})
        for token in tokenized(item[text]):
            yield 1, {"type": f"response.{kind}.delta", **at, "delta": token}
        done = {"type": f"response.{kind}.done", **at, text: item[text]}
        yield 0, {**done, "name": item["name"]} if kind == "function_call_arguments" else done
        yield _done(index, item)

    return tell


def _search(index: int, item: Item) -> Iterator[Step]:
    at = {"item_id": item["id"], "output_index": index}
    hidden = {"results": None} if "results" in item else {}
    yield _added(index, item, status="in_progress", **hidden)
    yield 0, {"type": f"response.{item['type']}.in_progress", **at}
    query = item["queries"][0] if "queries" in item else item["action"].get("query", "")
    yield len(tokenized(query)), {"type": f"response.{item['type']}.searching", **at}
    yield 0, {"type": f"response.{item['type']}.completed", **at}
    yield _done(index, item)


def _code(index: int, item: Item) -> Iterator[Step]:
    at = {"item_id": item["id"], "output_index": index}
    yield _added(index, item, status="in_progress", code="", outputs=None)
    yield 0, {"type": "response.code_interpreter_call.in_progress", **at}
    for token in tokenized(item["code"]):
        yield 1, {"type": "response.code_interpreter_call_code.delta", **at, "delta": token}
    yield 0, {"type": "response.code_interpreter_call_code.done", **at, "code": item["code"]}
    yield 0, {"type": "response.code_interpreter_call.interpreting", **at}
    yield 0, {"type": "response.code_interpreter_call.completed", **at}
    yield _done(index, item)


def _image(index: int, item: Item, partial_images: int) -> Iterator[Step]:
    at = {"item_id": item["id"], "output_index": index}
    looks = {name: item[name] for name in ("size", "quality", "background", "output_format")}
    yield _added(index, item, status="in_progress", result=None)
    yield 0, {"type": "response.image_generation_call.in_progress", **at}
    yield len(tokenized(item["revised_prompt"])), {"type": "response.image_generation_call.generating", **at}
    for number, squares in enumerate(COARSE[:partial_images]):
        told = {"partial_image_index": number, "partial_image_b64": drawn(item, squares)}
        yield 0, {"type": "response.image_generation_call.partial_image", **at, **told, **looks}
    yield 0, {"type": "response.image_generation_call.completed", **at}
    yield _done(index, item)


def _compaction(index: int, item: Item) -> Iterator[Step]:
    at = {"item_id": item["id"], "output_index": index}
    yield _added(index, item, encrypted_content="")
    yield 0, {"type": "response.compaction.compacting", **at}
    _, done = _done(index, item)
    yield count(summary_of(item)), done


def _mcp_tools(index: int, item: Item) -> Iterator[Step]:
    at = {"item_id": item["id"], "output_index": index}
    yield _added(index, item, tools=[])
    yield 0, {"type": "response.mcp_list_tools.in_progress", **at}
    yield 0, {"type": "response.mcp_list_tools.completed", **at}
    yield _done(index, item)


def _mcp_call(index: int, item: Item) -> Iterator[Step]:
    at = {"item_id": item["id"], "output_index": index}
    yield _added(index, item, status="in_progress", arguments="", output=None)
    yield 0, {"type": "response.mcp_call.in_progress", **at}
    yield 0, {"type": "response.mcp_call_arguments.delta", **at, "delta": item["arguments"]}
    yield 0, {"type": "response.mcp_call_arguments.done", **at, "arguments": item["arguments"]}
    yield 0, {"type": "response.mcp_call.completed", **at}
    yield _done(index, item)


def _shell(index: int, item: Item) -> Iterator[Step]:
    yield _added(index, item, status="in_progress", action={**item["action"], "commands": []})
    for place, command in enumerate(item["action"]["commands"]):
        at = {"output_index": index, "command_index": place}
        yield 0, {"type": "response.shell_call_command.added", **at, "command": ""}
        for token in tokenized(command):
            yield 1, {"type": "response.shell_call_command.delta", **at, "delta": token}
        yield 0, {"type": "response.shell_call_command.done", **at, "command": command}
    yield _done(index, item)


def _shell_output(index: int, item: Item) -> Iterator[Step]:
    yield _added(index, item, status="in_progress", output=[])
    for place, printed in enumerate(item["output"]):
        at = {"item_id": item["id"], "output_index": index, "command_index": place}
        delta = {"stdout": printed["stdout"]}
        yield 0, {"type": "response.shell_call_output_content.delta", **at, "delta": delta}
        yield 0, {"type": "response.shell_call_output_content.done", **at, "output": [printed]}
    yield _done(index, item)


TELL: Mapping[str, Callable[[int, Item], Iterator[Step]]] = {
    "message": _message,
    "function_call": _call("function_call_arguments", "arguments"),
    "custom_tool_call": _call("custom_tool_call_input", "input"),
    "web_search_call": _search,
    "file_search_call": _search,
    "code_interpreter_call": _code,
    "compaction": _compaction,
    "mcp_list_tools": _mcp_tools,
    "mcp_call": _mcp_call,
    "shell_call": _shell,
    "shell_call_output": _shell_output,
}
