"""Tools of chat completions: which requests are taken, and what `tool_choice` binds.

Every law holds for plain and streamed answers alike. What a call looks like is judged in chat_tool_calls.py, how a
stream tells it in chat_tool_streams.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Literal

from wireproof.clause import (
    MODEL,
    Exchange,
    Inconclusive,
    NotApplicable,
    Probe,
    answered,
    clause,
    expect,
    probe,
    sent,
    shown,
)

from ._acceptance import OTHER_TROUBLE, expect_feature_served
from ._asked import chooses, has_tools, holds_results, named_function, names_declared, names_undeclared
from ._measure import LONG, TIME_IS_TOLD
from ._room import ran_out
from ._tool_calls import Choice, choices_told

CHAT = "createChatCompletion"
# Enough for a call and for a short answer in words: who answers in words instead should be seen to finish.
ROOM = 200
# What a backend without them calls the whole of it; `tool_choice` and its values are parts.
TOOLS = re.compile(r"\btools\b|\btool[ -](?:use|call)|\bfunction[ -]?call", re.I)


def _tool(name: str, about: str, **properties: Any) -> dict[str, Any]:
    parameters = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    return {
        "type": "function",
        "function": {"name": name, "description": about, "parameters": parameters, "strict": True},
    }


WEATHER = _tool(
    "get_weather",
    "The current weather of a city.",
    city={"type": "string", "description": "The city, as in Paris."},
    unit={"type": "string", "enum": ["celsius", "fahrenheit"]},
)
TIME = _tool(
    "get_local_time",
    TIME_IS_TOLD,
    city={"type": "string", "description": "The city, as in Paris."},
    clock={"type": "string", "enum": ["12 hours", "24 hours"], "description": "How hours are counted."},
)
# Without parameters there is nothing to fill in. Source: SPEC FunctionObject.parameters, which may be left out.
BARE = {"type": "function", "function": {"name": "ring_the_bell", "description": "Rings the bell of the shop."}}
QUESTION = {"role": "user", "content": "What is the weather in Paris in celsius, and what is the local time there?"}
NAMED = {"type": "function", "function": {"name": "get_weather"}}


def _call(id: str, city: str) -> dict[str, Any]:
    arguments = json.dumps({"city": city, "unit": "celsius"}, ensure_ascii=False)
    return {"id": id, "type": "function", "function": {"name": "get_weather", "arguments": arguments}}


# Two calls as agents tell them again: content null and left out, results as a string and in parts. What is long is
# demanded by contracts/chat_reach.py to cost prompt tokens.
PAST = [
    {"role": "user", "content": "What is the weather in Paris?"},
    {"role": "assistant", "content": None, "tool_calls": [_call("call_wp0001", f"Paris, of which is said: {LONG}")]},
    {"role": "tool", "tool_call_id": "call_wp0001", "content": '{"celsius": 21, "sky": "clear"}'},
    {"role": "user", "content": "And what is the weather in Oslo?"},
    {"role": "assistant", "tool_calls": [_call("call_wp0002", "Oslo")]},
    {
        "role": "tool",
        "tool_call_id": "call_wp0002",
        "content": [{"type": "text", "text": f"4 degrees celsius, and a leaflet that reads: {LONG}"}],
    },
    {"role": "user", "content": "And what is the weather in Rome?"},
]


def _ask(tools: Sequence[Any], choice: Any, messages: Sequence[Any] = (QUESTION,), **more: Any) -> dict[str, Any]:
    body = {"model": MODEL, "messages": list(messages), "tools": list(tools), "tool_choice": choice}
    return {**body, "max_tokens": ROOM, **more}


def _probe(name: str, about: str, body: dict[str, Any], expects: Literal["answer", "refusal"] = "answer") -> Probe:
    return probe(f"tools.{name}", "POST", "/chat/completions", body, about=about, expects=expects, ran_out=ran_out)


BOTH = [WEATHER, TIME]
UNKNOWN = {"type": "function", "function": {"name": "launch_rocket"}}
PROBES = (
    _probe("named", "one named function must be called", _ask([WEATHER], NAMED)),
    _probe("named-streamed", "the same, streamed", _ask([WEATHER], NAMED, stream=True)),
    _probe("required", "one or both of two functions must be called", _ask(BOTH, "required")),
    _probe("required-streamed", "the same, streamed", _ask(BOTH, "required", stream=True)),
    _probe("single", "exactly one of two must be called", _ask(BOTH, "required", parallel_tool_calls=False)),
    _probe(
        "result",
        "two calls and their results, then no further call",
        _ask([WEATHER, BARE], "none", PAST, max_tokens=40),
    ),
    _probe("unknown-choice", "an undeclared function is named", _ask([WEATHER], UNKNOWN, max_tokens=8), "refusal"),
)


# --------------------------------------------------------------------------------------- what is accepted


def _asks_plainly(body: dict[str, Any]) -> bool:
    return has_tools(body) and not names_undeclared(body) and not holds_results(body)


@clause(
    "chat.tools.accepts",
    level="MUST",
    source="SPEC CreateChatCompletionRequest.tools, .tool_choice, .parallel_tool_calls",
    on=sent(CHAT, probes="tools.*", asks=_asks_plainly),
)
def tools_are_accepted(exchange: Exchange) -> None:
    """A request with tools and a documented `tool_choice` is accepted.

    A backend without tool calls refuses them as unsupported, by a code such as `unsupported_parameter` or in words;
    that is no finding.
    """
    expect_feature_served(exchange, TOOLS)


@clause(
    "chat.tools.result",
    level="MUST",
    source="SPEC ChatCompletionRequestAssistantMessage.content, ChatCompletionRequestToolMessage",
    on=sent(CHAT, probes="tools.*", asks=holds_results),
)
def conversations_with_tool_results_are_accepted(exchange: Exchange) -> None:
    """A conversation with tool calls and their results is accepted: content null or left out, results as text or parts.

    So is a function without parameters among the tools.
    Every agent sends one after each call, with `content: null` exactly as the answer had it.
    """
    expect_feature_served(exchange, TOOLS)


@clause(
    "chat.tools.choice-unknown",
    level="MUST",
    source="OBS: refused with 400, the choice is not found in tools",
    on=sent(CHAT, asks=names_undeclared),
)
def undeclared_choices_are_refused(exchange: Exchange) -> None:
    """`tool_choice` that names a function which `tools` does not declare is refused with 400.

    Compare the name with those declared before the prompt is made; else the model is forced into a call nobody can
    run.
    """
    if exchange.status in OTHER_TROUBLE:
        raise Inconclusive(f"{exchange.id} was answered {exchange.status}")
    expect(exchange.status in (400, 422), expected="status 400", got=f"status {exchange.status}")


# --------------------------------------------------------------------------------- what tool_choice binds


def _expect_call(choice: Choice, expected: str) -> None:
    if not choice.calls and (choice.was_cut or choice.refusal):
        raise Inconclusive(f"the answer ended before a call came (finish_reason {choice.finish})")
    got = "a deprecated function_call" if choice.legacy else f"text {shown(choice.content)}"
    choice.must(bool(choice.calls), "tool_calls", expected=expected, got=got)


@clause(
    "chat.tools.named",
    level="MUST",
    source="SPEC ChatCompletionNamedToolChoice: forces the model to call that function",
    on=answered(CHAT, asks=names_declared),
    fields=("tool_choice",),
)
def named_functions_are_called(exchange: Exchange) -> None:
    """`tool_choice` with a function's name gets a call of that function and of no other.

    An answer that was cut before a call came proves nothing: raise `max_tokens`, or look at the chat template.
    """
    wanted = f"a call of {named_function(exchange.request.asked)}"
    for choice in choices_told(exchange):
        _expect_call(choice, wanted)
        for call in choice.calls:
            got = f"a call of {call.name}"
            call.must(got == wanted, "function/name", expected=wanted, got=got)


@clause(
    "chat.tools.required",
    level="MUST",
    source="SPEC ChatCompletionToolChoiceOption: required, the model must call one or more tools",
    on=answered(CHAT, asks=chooses("required")),
    fields=("tool_choice",),
)
def required_brings_a_call(exchange: Exchange) -> None:
    """`tool_choice: "required"` gets at least one tool call.

    An answer that was cut before a call came proves nothing: raise `max_tokens`, or look at the chat template.
    """
    for choice in choices_told(exchange):
        _expect_call(choice, "at least one tool call")


@clause(
    "chat.tools.none",
    level="MUST",
    source="SPEC ChatCompletionToolChoiceOption: none, the model will not call any tool",
    on=answered(CHAT, asks=chooses("none")),
    fields=("tool_choice",),
)
def none_brings_no_call(exchange: Exchange) -> None:
    """`tool_choice: "none"` gets no tool call, though tools are declared."""
    for choice in choices_told(exchange):
        names = [call.name for call in choice.calls]
        choice.must(not names, "tool_calls", expected="no tool call", got=f"calls of {shown(names)}")


@clause(
    "chat.tools.parallel-false",
    level="MUST",
    source="DOCS-0715 function-calling: parallel_tool_calls false ensures zero or one call",
    on=answered(CHAT, asks=lambda body: has_tools(body) and body.get("parallel_tool_calls") is False),
    fields=("parallel_tool_calls",),
)
def at_most_one_call_when_not_parallel(exchange: Exchange) -> None:
    """`parallel_tool_calls: false` gets at most one tool call."""
    choices = choices_told(exchange)
    for choice in choices:
        names = [call.name for call in choice.calls]
        choice.must(len(names) <= 1, "tool_calls", expected="at most one call", got=f"calls of {shown(names)}")
    if not any(choice.calls for choice in choices):
        raise NotApplicable("no tool was called")
