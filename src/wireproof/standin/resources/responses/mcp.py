"""Tools of other people's servers. No server is asked: which tools it has follows from what is said of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from wireproof.standin.prose import dice, reply
from wireproof.standin.refusals import invalid
from wireproof.standin.resources.responses.items import Item
from wireproof.standin.resources.responses.tools import Declared
from wireproof.standin.tokens import joined

NewId = Callable[[str], str]

# The tools of a server whose request allows them all.
USUAL_TOOLS = ("search", "fetch")
RESULT_TOKENS = 12


def listing(tool: Declared, items: Sequence[Item], new_id: NewId) -> Item | None:
    """The tools of a server, as an item; None when the exchange has listed them already."""
    if any(item["type"] == "mcp_list_tools" and item["server_label"] == tool.name for item in items):
        return None
    schema = {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}
    tools = [{"name": name, "description": f"{name.capitalize()} {tool.name}", "input_schema": schema,
              "annotations": {"read_only": True}} for name in names(tool)]  # fmt: skip
    return {"id": new_id("mcpl_"), "type": "mcp_list_tools", "server_label": tool.name, "tools": tools, "error": None}


def names(tool: Declared) -> list[str]:
    allowed = tool.spec.get("allowed_tools")
    if isinstance(allowed, Mapping):
        allowed = allowed.get("tool_names")
    return list(allowed or USUAL_TOOLS)


def request(tool: Declared, choice: Any, words: str, new_id: NewId) -> Item:
    """A call that waits for approval, or is done at once where none is needed."""
    wanted = choice.get("name") if isinstance(choice, Mapping) else None
    offered = names(tool)
    if wanted is not None and wanted not in offered:
        raise invalid(f"Tool choice '{wanted}' not found in 'tools' parameter.", "tool_choice")
    name = wanted or next((one for one in offered if one.lower() in words.lower()), offered[0])
    arguments = json.dumps({"query": words})
    if _needs_approval(tool.spec.get("require_approval"), name):
        return {"id": new_id("mcpr_"), "type": "mcp_approval_request", "server_label": tool.name, "name": name,
                "arguments": arguments}  # fmt: skip
    return _call(tool.name, name, arguments, None, new_id)


def approved(given: Sequence[Item], items: Sequence[Item], new_id: NewId) -> list[Item]:
    """The calls that this request lets happen. Refuses approvals of what nobody asked for."""
    asked = {item["id"]: item for item in items if item["type"] == "mcp_approval_request"}
    made = []
    for item in given:
        if item["type"] != "mcp_approval_response":
            continue
        about = asked.get(item["approval_request_id"])
        if about is None:
            raise invalid(f"No approval request found with id '{item['approval_request_id']}'.", "input")
        if item["approve"]:
            made.append(_call(about["server_label"], about["name"], about["arguments"], about["id"], new_id))
    return made


def _call(label: str, name: str, arguments: str, request_id: str | None, new_id: NewId) -> Item:
    return {
        "id": new_id("mcp_"),
        "type": "mcp_call",
        "status": "completed",
        "server_label": label,
        "name": name,
        "arguments": arguments,
        "output": joined(reply("", repr(dice(label, name, arguments).random()), most=RESULT_TOKENS)),
        "error": None,
        "approval_request_id": request_id,
    }


def _needs_approval(setting: Any, name: str) -> bool:
    if isinstance(setting, Mapping):
        never = (setting.get("never") or {}).get("tool_names") or ()
        always = (setting.get("always") or {}).get("tool_names")
        return bool(name not in never and (always is None or name in always))
    return bool(setting != "never")
