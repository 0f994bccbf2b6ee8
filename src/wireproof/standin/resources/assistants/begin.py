"""What a run is begun with: what the request says, else its assistant; and whether that can be done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wireproof.standin.catalogue import Model
from wireproof.standin.conversation import estimated_tokens
from wireproof.standin.reasoning import check_reasoning
from wireproof.standin.refusals import invalid
from wireproof.standin.store import Row
from wireproof.standin.structured import check_format
from wireproof.standin.toolcalls import check_tools


def fields_of(body: Mapping[str, Any], assistant: Row) -> Row:
    """What the request says, else what the assistant says, else what holds for all."""

    def said(name: str, default: Any = None) -> Any:
        found = body.get(name) if body.get(name) is not None else assistant.get(name)
        return default if found is None else found

    instructions = said("instructions", "")
    if body.get("additional_instructions"):
        instructions = "\n".join(filter(None, (instructions, body["additional_instructions"])))
    return {
        "model": said("model"),
        "instructions": instructions,
        "tools": said("tools", []),
        "metadata": body.get("metadata") or {},
        "temperature": said("temperature", 1.0),
        "top_p": said("top_p", 1.0),
        "max_prompt_tokens": body.get("max_prompt_tokens"),
        "max_completion_tokens": body.get("max_completion_tokens"),
        "truncation_strategy": {"type": "auto", "last_messages": None, **(body.get("truncation_strategy") or {})},
        "tool_choice": body.get("tool_choice") or "auto",
        "parallel_tool_calls": body.get("parallel_tool_calls", True),
        "response_format": said("response_format", "auto"),
        "_reasoning_effort": said("reasoning_effort"),
    }


def check(fields: Row, model: Model, chat: Sequence[Mapping[str, Any]]) -> None:
    """What a schema cannot say: tools that are chosen are there, a format that is asked for can be had, the model
    takes what it is told.
    """
    sampling = {name: fields[name] for name in ("temperature", "top_p") if fields[name] != 1}
    check_reasoning({**sampling, "reasoning_effort": fields["_reasoning_effort"]}, model)
    choice, kinds = fields["tool_choice"], [tool["type"] for tool in fields["tools"]]
    if choice == "required" and not kinds:
        raise invalid("Invalid value for 'tool_choice': 'required' is only allowed when 'tools' are specified.",
                      "tool_choice")  # fmt: skip
    if isinstance(choice, Mapping):
        if choice["type"] not in kinds:
            raise invalid(f"Tool choice '{choice['type']}' not found in 'tools' parameter.", "tool_choice")
        if choice["type"] == "function":
            functions = [tool for tool in fields["tools"] if tool["type"] == "function"]
            check_tools({"tools": functions, "tool_choice": choice})
    if isinstance(fields["response_format"], Mapping):
        instructions = {"role": "system", "content": fields["instructions"]}
        check_format({"response_format": fields["response_format"], "messages": [instructions, *chat]})


def expected_tokens(fields: Row, new: Sequence[Mapping[str, Any]]) -> int:
    texts = [{"content": message["content"]} for message in new]
    return max(fields["max_completion_tokens"] or 0, estimated_tokens({"messages": texts}))
