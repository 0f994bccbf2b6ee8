"""Items as they are kept: complete, with an id and a status, whatever short form they were sent in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from wireproof.standin.refusals import wrong_value

Item = dict[str, Any]

PREFIXES = {
    "message": "msg_",
    "reasoning": "rs_",
    "function_call": "fc_",
    "function_call_output": "fco_",
    "custom_tool_call": "ctc_",
    "custom_tool_call_output": "ctco_",
    "file_search_call": "fs_",
    "web_search_call": "ws_",
    "code_interpreter_call": "ci_",
    "image_generation_call": "ig_",
    "mcp_list_tools": "mcpl_",
    "mcp_approval_request": "mcpr_",
    "mcp_approval_response": "mcpa_",
    "mcp_call": "mcp_",
    "shell_call": "sh_",
    "shell_call_output": "sho_",
    "local_shell_call": "lsh_",
    "local_shell_call_output": "lsho_",
    "apply_patch_call": "apc_",
    "apply_patch_call_output": "apco_",
    "computer_call": "cu_",
    "computer_call_output": "cuo_",
    "tool_search_call": "tsc_",
    "tool_search_output": "tso_",
    "additional_tools": "at_",
    "compaction": "cmp_",
    "program": "prg_",
    "program_output": "prgo_",
}
# Kinds of items that have no status at all.
WITHOUT_STATUS = frozenset(
    (
        "reasoning",
        "mcp_list_tools",
        "mcp_approval_request",
        "mcp_approval_response",
        "mcp_call",
        "additional_tools",
        "compaction",
        "program",
    )
)
# What an answer always says of a kind, though it may be sent without.
ALWAYS: Mapping[str, Mapping[str, Any]] = {
    "shell_call": {"environment": None},
    "shell_call_output": {"max_output_length": None},
    "code_interpreter_call": {"code": None, "outputs": None},
    "image_generation_call": {"result": None},
    "tool_search_call": {"call_id": None, "execution": "server", "arguments": None},
    "tool_search_output": {"call_id": None, "execution": "server"},
}
# Output texts are the model's own; instructions and questions come in these parts.
SAID = ("output_text", "refusal")


def kept(item: Mapping[str, Any], new_id: Callable[[str], str], where: str = "input") -> Item:
    """`item` as it is listed later. Refused: an assistant's message with pictures or files in it."""
    kind = item.get("type") or "message"
    if kind == "message":
        return _message(item, new_id, where)
    made = {**ALWAYS.get(kind, {}), **{name: value for name, value in item.items() if value is not None}}
    made["id"] = made.get("id") or new_id(PREFIXES.get(kind, "item_"))
    if kind not in WITHOUT_STATUS:
        made.setdefault("status", "completed")
    if kind == "shell_call":
        made["action"] = {"timeout_ms": None, "max_output_length": None, **made["action"]}
    if kind.endswith("_call_output") and isinstance(made.get("output"), list) and kind != "shell_call_output":
        made["output"] = [_given(part) for part in made["output"]]
    return made


def _message(item: Mapping[str, Any], new_id: Callable[[str], str], where: str) -> Item:
    role, content = item["role"], item["content"]
    if isinstance(content, str):
        content = [{"type": "output_text" if role == "assistant" else "input_text", "text": content}]
    shape = _said if role == "assistant" else lambda part, _: _given(part)
    made = {
        "id": item.get("id") or new_id("msg_"),
        "type": "message",
        "status": item.get("status") or "completed",
        "role": role,
        "content": [shape(part, f"{where}.content[{at}]") for at, part in enumerate(content)],
    }
    return {**made, "phase": item["phase"]} if item.get("phase") else made


def _said(part: Mapping[str, Any], where: str) -> Item:
    if part["type"] == "refusal":
        return {"type": "refusal", "refusal": part["refusal"]}
    if part["type"] not in ("output_text", "input_text"):
        raise wrong_value(f"{where}.type", part["type"], list(SAID))
    return {
        "type": "output_text",
        "text": part["text"],
        "annotations": part.get("annotations") or [],
        "logprobs": part.get("logprobs") or [],
    }


def _given(part: Mapping[str, Any]) -> Item:
    made = {name: value for name, value in part.items() if value is not None}
    if part["type"] == "input_image":
        made = {"image_url": None, "file_id": None, "detail": "auto", **made}
    return made


def shown(item: Item, include: Collection[str]) -> Item:
    """An item without what only `include` asks for."""
    hide = HIDDEN.get(item["type"])
    return hide(item, include) if hide else item


def _message_shown(item: Item, include: Collection[str]) -> Item:
    with_images, with_logprobs = "message.input_image.image_url" in include, LOGPROBS in include
    parts = []
    for part in item["content"]:
        if part["type"] == "input_image" and not with_images:
            part = {**part, "image_url": None}
        elif part.get("logprobs") and not with_logprobs:
            part = {**part, "logprobs": []}
        parts.append(part)
    return {**item, "content": parts}


LOGPROBS = "message.output_text.logprobs"


def _web_shown(item: Item, include: Collection[str]) -> Item:
    if "web_search_call.action.sources" in include or "sources" not in item.get("action", {}):
        return item
    return {**item, "action": {name: value for name, value in item["action"].items() if name != "sources"}}


def _field(name: str, asked: str, otherwise: Any = None) -> Callable[[Item, Collection[str]], Item]:
    def hide(item: Item, include: Collection[str]) -> Item:
        return item if asked in include or name not in item else {**item, name: otherwise}

    return hide


def _screenshot_shown(item: Item, include: Collection[str]) -> Item:
    if "computer_call_output.output.image_url" in include:
        return item
    return {**item, "output": {name: value for name, value in item["output"].items() if name != "image_url"}}


HIDDEN: Mapping[str, Callable[[Item, Collection[str]], Item]] = {
    "message": _message_shown,
    "web_search_call": _web_shown,
    "file_search_call": _field("results", "file_search_call.results"),
    "code_interpreter_call": _field("outputs", "code_interpreter_call.outputs"),
    "reasoning": _field("encrypted_content", "reasoning.encrypted_content"),
    "computer_call_output": _screenshot_shown,
}
