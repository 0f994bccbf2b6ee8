"""The tools of a request: which there are, how they are told back, and which of them are used."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wireproof.standin.refusals import invalid
from wireproof.standin.structured import check_json_schema, departures
from wireproof.standin.toolcalls import Tool, is_meant

Body = Mapping[str, Any]

FAMILIES = {
    "function": "function",
    "custom": "custom",
    "web_search": "web_search",
    "web_search_2025_08_26": "web_search",
    "web_search_preview": "web_search",
    "web_search_preview_2025_03_11": "web_search",
    "file_search": "file_search",
    "code_interpreter": "code_interpreter",
    "image_generation": "image_generation",
    "mcp": "mcp",
    "shell": "shell",
    "local_shell": "local_shell",
    "apply_patch": "apply_patch",
    "computer": "computer",
    "computer_use": "computer",
    "computer_use_preview": "computer",
}
# Families that the caller runs; the answer waits for what comes of it.
CALLED_BACK = ("function", "custom", "local_shell", "apply_patch", "computer")
# Words by which a user means a hosted tool; functions, custom tools and servers are meant by their names.
MEANT_BY = {
    "web_search": re.compile(r"\b(?:web|news|internet|online)", re.IGNORECASE),
    "file_search": re.compile(r"\b(?:files?|documents?)\b", re.IGNORECASE),
    "code_interpreter": re.compile(r"\b(?:python|code|calculat|comput|plot)", re.IGNORECASE),
    "image_generation": re.compile(r"\b(?:images?|pictures?|draw|paint)\b", re.IGNORECASE),
    "shell": re.compile(r"\b(?:shell|terminal|command)", re.IGNORECASE),
    "local_shell": re.compile(r"\b(?:shell|terminal|command)", re.IGNORECASE),
    "apply_patch": re.compile(r"\b(?:patch|edit)", re.IGNORECASE),
    "computer": re.compile(r"\b(?:computer|screen|browser|click)", re.IGNORECASE),
}
# What is told back of a tool though it was not said, by type.
TOLD: Mapping[str, Mapping[str, Any]] = {
    "function": {"description": None, "parameters": None},
    "custom": {"format": {"type": "text"}},
    "web_search": {"filters": None, "search_context_size": "medium", "user_location": None},
    "file_search": {
        "filters": None,
        "max_num_results": 20,
        "ranking_options": {"ranker": "auto", "score_threshold": 0},
    },
    "image_generation": {"background": "auto", "output_format": "png", "quality": "auto", "size": "auto"},
    "mcp": {"allowed_tools": None, "headers": None, "require_approval": "always"},
    "shell": {"environment": None},
}
SECRET = ("authorization", "headers")
MOST_AT_ONCE = 2


@dataclass(frozen=True)
class Declared:
    """One tool: its `family`, the `name` it is called or chosen by, and all that was said of it."""

    family: str
    name: str
    spec: Mapping[str, Any]
    namespace: str | None = None

    @property
    def is_hosted(self) -> bool:
        """Whether the answer goes on by itself once it has been used."""
        if self.family == "shell":
            return str((self.spec.get("environment") or {}).get("type", "local")).startswith("container")
        return self.family not in CALLED_BACK

    @property
    def pattern(self) -> str | None:
        """The regular expression that the input of a custom tool has to match, if there is one."""
        form = self.spec.get("format") or {}
        return form["definition"] if form.get("syntax") == "regex" else None

    @property
    def as_chat(self) -> Tool:
        return Tool(self.name, self.family, self.spec.get("parameters") or {})


def declared(body: Body) -> list[Declared]:
    return list(_declared(body.get("tools") or ()))


def _declared(tools: Sequence[Mapping[str, Any]], namespace: str | None = None) -> Iterator[Declared]:
    for at, tool in enumerate(tools):
        if tool["type"] == "namespace":
            yield from _declared(tool["tools"], tool["name"])
            continue
        family = FAMILIES.get(tool["type"])
        if family is None:
            raise invalid(
                f"Tool '{tool['type']}' is not supported with this model.", f"tools[{at}].type", "unsupported_value"
            )
        name = tool.get("name") or tool.get("server_label") or family
        yield Declared(family, name, tool, namespace)


def chat_tools(tools: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The tools as a chat declares them, so that they cost the same tokens there; hosted ones as they are."""
    found: list[Mapping[str, Any]] = []
    for tool in tools:
        inner = {name: value for name, value in tool.items() if name != "type"}
        family = tool["type"]
        found.append({"type": family, family: inner} if family in ("function", "custom") else tool)
    return found


def told(tool: Mapping[str, Any]) -> dict[str, Any]:
    """A tool as its response repeats it: with defaults, without secrets, a function with what `strict` became."""
    made = {**TOLD.get(FAMILIES.get(tool["type"], ""), {}), **tool}
    for name in SECRET:
        if name in made:
            made[name] = None
    if tool["type"] == "function":
        made |= _strictness(tool)
    if tool["type"] == "namespace":
        made["tools"] = [told(inner) for inner in tool["tools"]]
    if tool["type"] == "mcp":
        made.pop("authorization", None)
    return made


def _strictness(tool: Mapping[str, Any]) -> dict[str, Any]:
    """Nothing said of `strict` means: strict, if the parameters can be made so, else not. (function calling guide)"""
    parameters = tool.get("parameters")
    if tool.get("strict") is not None or not parameters:
        return {"strict": bool(tool.get("strict"))}
    closed = _closed(parameters)
    is_strict = next(departures(closed), None) is None
    return {"strict": is_strict, "parameters": closed if is_strict else parameters}


def _closed(schema: Any) -> Any:
    """`schema` with every object closed and all of its properties required."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    made = {name: _closed(value) if name != "enum" else value for name, value in schema.items()}
    if schema.get("type") == "object" and isinstance(schema.get("properties"), Mapping):
        made |= {"required": list(schema["properties"]), "additionalProperties": False}
    return made


def check_tools(body: Body) -> None:
    """That the choice names a tool there is, and that every function can be called."""
    tools = declared(body)
    for at, tool in enumerate(body.get("tools") or ()):
        if tool["type"] == "function" and tool.get("parameters") is not None:
            check_json_schema(
                tool["parameters"],
                f"function '{tool['name']}'",
                f"tools[{at}].parameters",
                "invalid_function_parameters",
                strict=bool(tool.get("strict")),
            )
    mode, wanted = choice_of(body)
    if mode == "required" and not tools:
        raise invalid("Tool choice 'required' must be specified with 'tools' parameter.", "tool_choice")
    for one in wanted or ():
        if not any(_is_chosen(tool, one) for tool in tools):
            named = one.get("name") or one.get("server_label") or one.get("type")
            raise invalid(f"Tool choice '{named}' not found in 'tools' parameter.", "tool_choice")


def choice_of(body: Body) -> tuple[str, list[Mapping[str, Any]] | None]:
    """`(mode, tools)`: none, auto or required, and the only tools that may be used (None: any)."""
    choice = body.get("tool_choice") or "auto"
    if isinstance(choice, str):
        return choice, None
    if choice["type"] == "allowed_tools":
        return choice["mode"], choice["tools"]
    return "required", [choice]


def _is_chosen(tool: Declared, choice: Mapping[str, Any]) -> bool:
    if FAMILIES.get(str(choice.get("type"))) != tool.family:
        return False
    if tool.family == "mcp":
        return choice.get("server_label") == tool.name
    return tool.family not in ("function", "custom") or choice.get("name") == tool.name


def chosen(body: Body, words: str, *, is_answered: bool) -> list[Declared]:
    """What is used now, in order of declaration. `is_answered`: the last thing that happened was a tool's result."""
    tools = declared(body)
    mode, wanted = choice_of(body)
    if wanted is not None:
        tools = [tool for tool in tools if any(_is_chosen(tool, one) for one in wanted)]
    if mode == "none" or (mode == "auto" and is_answered):
        return []
    if mode == "auto":
        tools = [tool for tool in tools if _is_meant(tool, words)]
    named = isinstance(body.get("tool_choice"), Mapping) and body["tool_choice"]["type"] != "allowed_tools"
    alone = named or body.get("parallel_tool_calls") is False
    return tools[: 1 if alone else MOST_AT_ONCE]


def _is_meant(tool: Declared, words: str) -> bool:
    if tool.family in MEANT_BY:
        return bool(MEANT_BY[tool.family].search(words))
    names = (tool.name, *_listed(tool))
    return any(is_meant(Tool(name, "function", {}), words.lower()) for name in names)


def _listed(tool: Declared) -> Sequence[str]:
    """The tools of a server that a request names one by one."""
    allowed = tool.spec.get("allowed_tools") if tool.family == "mcp" else None
    return allowed if isinstance(allowed, list) else ()
