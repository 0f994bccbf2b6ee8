"""Which tools are called and with what: decided by `tool_choice`, else by the words of the last message."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wireproof.standin.conversation import last_words
from wireproof.standin.instances import instance
from wireproof.standin.prose import dice, reply
from wireproof.standin.refusals import invalid
from wireproof.standin.tokens import joined, tokenized

SHORTEST_TELLING_WORD = 4


@dataclass(frozen=True, slots=True)
class Tool:
    """A declared tool. `kind` is function or custom; `schema` that of its arguments."""

    name: str
    kind: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """`tokens` join to the JSON arguments of a function, or to the free input of a custom tool."""

    id: str
    tool: Tool
    tokens: tuple[str, ...]

    def json(self) -> dict[str, Any]:
        text = joined(self.tokens)
        if self.tool.kind == "custom":
            return {"id": self.id, "type": "custom", "custom": {"name": self.tool.name, "input": text}}
        return {"id": self.id, "type": "function", "function": {"name": self.tool.name, "arguments": text}}


def declared(body: Mapping[str, Any]) -> list[Tool]:
    """The tools of a request, those of the deprecated `functions` among them."""
    found = [Tool(f["name"], "function", f.get("parameters") or {}) for f in body.get("functions") or ()]
    for tool in body.get("tools") or ():
        kind = tool["type"]
        found.append(Tool(tool[kind]["name"], kind, tool[kind].get("parameters") or {}))
    return found


def speaks_legacy(body: Mapping[str, Any]) -> bool:
    """Whether calls are answered in the deprecated form: who sends `tools` as well knows the other."""
    return bool(body.get("functions")) and not body.get("tools")


def choice_of(body: Mapping[str, Any]) -> tuple[str, list[str] | None]:
    """`(mode, names)`: none, auto or required, and the only tools that may be called (None: any)."""
    choice = body.get("tool_choice") or body.get("function_call") or "auto"
    if isinstance(choice, str):
        return choice, None
    if choice.get("type") == "allowed_tools":
        allowed = choice["allowed_tools"]
        return allowed["mode"], [_named(tool) for tool in allowed["tools"]]
    return "required", [_named(choice)]


def _named(choice: Mapping[str, Any]) -> str:
    inner = choice.get(str(choice.get("type")), choice)
    return str(inner.get("name", ""))


def check_tools(body: Mapping[str, Any]) -> None:
    names = [tool.name for tool in declared(body)]
    _mode, wanted = choice_of(body)
    asked = body.get("tool_choice")
    if asked not in (None, "none") and not body.get("tools"):
        raise invalid("Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
                      "tool_choice")  # fmt: skip
    if body.get("parallel_tool_calls") is not None and not body.get("tools"):
        raise invalid("Invalid value for 'parallel_tool_calls': 'parallel_tool_calls' is only allowed when 'tools' "
                      "are specified.", "parallel_tool_calls")  # fmt: skip
    for name in wanted or ():
        if name not in names:
            field = "tool_choice" if asked else "function_call"
            raise invalid(f"Tool choice '{name}' not found in 'tools' parameter.", field)


def calls(body: Mapping[str, Any], meaning: str, serial: str) -> list[ToolCall]:
    """The calls of one choice, in order; none when it answers in words."""
    tools, said = _chosen(body), last_words(body["messages"])
    return [
        ToolCall(f"call_{serial}{index}", tool, tuple(arguments_of(tool, said, f"{meaning}/{tool.name}/{index}")))
        for index, tool in enumerate(tools)
    ]


def _chosen(body: Mapping[str, Any]) -> list[Tool]:
    tools = declared(body)
    mode, names = choice_of(body)
    if names is not None:
        tools = [tool for tool in tools if tool.name in names]
    if mode == "none" or not tools:
        return []
    if mode == "auto":
        if body["messages"][-1]["role"] in ("tool", "function"):
            return []
        said = last_words(body["messages"]).lower()
        tools = [tool for tool in tools if is_meant(tool, said)]
    named = isinstance(body.get("tool_choice"), Mapping) and body["tool_choice"].get("type") != "allowed_tools"
    alone = named or speaks_legacy(body) or body.get("parallel_tool_calls") is False
    return tools[: 1 if alone else 2]


def is_meant(tool: Tool, said: str) -> bool:
    words = re.findall(r"[a-z]+|[A-Z][a-z]*", tool.name)
    telling = [word.lower() for word in words if len(word) >= SHORTEST_TELLING_WORD]
    return tool.name.lower() in said or any(re.search(rf"\b{word}", said) for word in telling)


def arguments_of(tool: Tool, said: str, meaning: str) -> Sequence[str]:
    """Tokens of what a tool is called with, `said` being the last words of a user."""
    if tool.kind == "custom":
        return reply(said, meaning)
    schema = tool.schema if tool.schema.get("type") == "object" else {**tool.schema, "type": "object"}
    return tokenized(json.dumps(instance(schema, dice(meaning)), ensure_ascii=False))
