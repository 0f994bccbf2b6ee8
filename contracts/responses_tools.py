"""Functions in responses: which requests are taken, what `tool_choice` binds, and what a call looks like.

Every law holds for plain and streamed answers alike; how a stream tells a call is judged in responses_stream_order.py
and responses_stream_fold.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wireproof.clause import (
    Exchange,
    Inconclusive,
    NotApplicable,
    Undecodable,
    answered,
    clause,
    parse_json,
    schema_breaches,
    sent,
    shown,
)

from ._acceptance import expect_feature_served
from ._reading import as_count, as_object, as_objects, told
from ._response_asks import ask, asking
from ._responses import RESPONSE, Told, calls_of, ended, items_of, refuses, text_of, told_by

ROOM = 200


def _function(name: str, about: str, **properties: Any) -> dict[str, Any]:
    """In responses the name stands beside the type, not in an object of its own."""
    parameters = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    return {"type": "function", "name": name, "description": about, "parameters": parameters, "strict": True}


CITY = {"type": "string", "enum": ["Paris", "Rome", "Oslo"]}
WEATHER = _function(
    "get_weather", "The current weather of a city.", city=CITY, unit={"type": "string", "enum": ["celsius", "kelvin"]}
)
TIME = _function(
    "get_local_time",
    "The current local time of a city. Call it whenever the user asks what time it is there, or how late it is.",
    city=CITY,
    clock={"type": "string", "enum": ["12 hours", "24 hours"], "description": "How hours are counted."},
)
WISH = "What is the weather in Paris in celsius, and what is the local time there?"
NAMED = {"type": "function", "name": "get_weather"}
PAST = [
    {"role": "user", "content": "What is the weather in Paris?"},
    {
        "type": "function_call",
        "call_id": "call_wp0001",
        "name": "get_weather",
        "arguments": '{"city": "Paris", "unit": "celsius"}',
    },
    {"type": "function_call_output", "call_id": "call_wp0001", "output": '{"celsius": 21, "sky": "clear"}'},
]


# A tool without a schema: its input is any text. Editors of code live by it.
NOTE = {"type": "custom", "name": "write_note", "description": "Writes a short note on the board of the shop."}


def _ask(tools: list[Any], **more: Any) -> dict[str, Any]:
    return ask(**{"input": WISH, "tools": tools, "max_output_tokens": ROOM, **more})


PROBES = (
    asking("tools.named", _ask([WEATHER], tool_choice=NAMED), "a function that must be called"),
    asking(
        "tools.required",
        _ask([WEATHER, TIME], tool_choice="required", parallel_tool_calls=False, stream=True),
        "one of two functions, and one only, streamed",
    ),
    asking(
        "tools.parallel",
        _ask([WEATHER, TIME], tool_choice="required", parallel_tool_calls=True, stream=True),
        "two functions, both of use, streamed",
    ),
    asking(
        "custom",
        _ask(
            [NOTE], input="Note down: opens at nine.", tool_choice={"type": "custom", "name": NOTE["name"]}, stream=True
        ),
        "a custom tool that must be called, streamed",
        expects="either",
    ),
    asking(
        "tools.none", _ask([WEATHER], tool_choice="none", max_output_tokens=32), "a function that must not be called"
    ),
    asking(
        "tools.result",
        _ask([WEATHER], input=PAST, tool_choice="none", max_output_tokens=32),
        "a call of before, and its result",
    ),
)


def _functions(body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The declared functions by name."""
    return {str(tool.get("name")): tool for tool in as_objects(body.get("tools")) if tool.get("type") == "function"}


def _named(body: dict[str, Any]) -> str | None:
    choice = as_object(body.get("tool_choice"))
    return choice.get("name") if choice.get("type") == "function" else None


def _chooses(choice: str) -> Callable[[dict[str, Any]], bool]:
    return lambda body: bool(_functions(body)) and body.get("tool_choice") == choice


# Tools that bring no functions of their own.
CLOSED = (
    "function", "custom", "web_search", "web_search_preview", "file_search", "code_interpreter", "image_generation",
    "shell", "local_shell", "apply_patch", "computer", "computer_use_preview",
)  # fmt: skip
WITH_TOOLS = answered(RESPONSE, asks=lambda body: bool(_functions(body)))


def _calls(exchange: Exchange) -> tuple[Told, list[tuple[str, dict[str, Any]]]]:
    response = told_by(exchange)
    calls = calls_of(response)
    if not calls:
        raise NotApplicable("no function was called")
    return response, calls


@clause(
    "responses.tools.accepts",
    level="MUST",
    source="SPEC CreateResponse.tools, FunctionToolCallOutput",
    on=sent(RESPONSE, probes="responses.tools.*"),
)
def functions_are_accepted(exchange: Exchange) -> None:
    """Functions, each form of `tool_choice`, and the results of earlier calls are accepted.

    A backend without them refuses with a code such as `unsupported_parameter`; that is no finding.
    """
    if exchange.status in (404, 405):
        raise NotApplicable(f"{exchange.id} was answered {exchange.status}: responses are not served")
    expect_feature_served(exchange)


# --------------------------------------------------------------------------------- what tool_choice binds


def _expect_call(exchange: Exchange, expected: str) -> tuple[Told, list[tuple[str, dict[str, Any]]]]:
    response = ended(exchange)
    calls = calls_of(response)
    if not calls and (response.status == "incomplete" or refuses(response) or _used_up(exchange, response)):
        raise Inconclusive("the answer ended before a call came")
    response.must(bool(calls), "/output", expected=expected, got=f"text {shown(text_of(response))}")
    return response, calls


def _used_up(exchange: Exchange, response: Told) -> bool:
    """Whether the cap was spent, whatever the status says: some servers take every answer for completed."""
    cap = as_count(exchange.request.asked.get("max_output_tokens"))
    spent = as_count(as_object(response.body.get("usage")).get("output_tokens"))
    return cap is not None and spent is not None and spent >= cap


@clause(
    "responses.tools.named",
    level="MUST",
    source="SPEC ToolChoiceFunction: forces the model to call that function",
    on=answered(RESPONSE, asks=lambda body: _named(body) in _functions(body)),
    fields=("tool_choice",),
)
def named_functions_are_called(exchange: Exchange) -> None:
    """`tool_choice` with a function's name gets a call of that function and of no other.

    An answer that was cut before a call came proves nothing: raise `max_output_tokens`, or look at the template.
    """
    wanted = _named(exchange.request.asked)
    response, calls = _expect_call(exchange, f"a call of {wanted}")
    for at, call in calls:
        held = call.get("name") == wanted
        response.must(held, f"{at}/name", expected=f"a call of {wanted}", got=f"a call of {call.get('name')}")


@clause(
    "responses.tools.custom",
    level="MUST",
    source="SPEC CustomToolCall, ToolChoiceCustom: forces the model to call a specific custom tool",
    on=answered(RESPONSE, asks=lambda body: as_object(body.get("tool_choice")).get("type") == "custom"),
    fields=("tools", "tool_choice"),
)
def custom_tools_are_called(exchange: Exchange) -> None:
    """`tool_choice` with a custom tool gets an item `custom_tool_call` with its `name` and, as text, its `input`; or it
    is refused.

    Made into a function with an object for arguments, it is a call that no client of custom tools can answer.
    """
    response, wanted = ended(exchange), as_object(exchange.request.asked.get("tool_choice")).get("name")
    calls = list(items_of(response, "custom_tool_call"))
    if not calls and (response.status == "incomplete" or refuses(response) or _used_up(exchange, response)):
        raise Inconclusive("the answer ended before a call came")
    kinds = [item.get("type") for _, item in items_of(response)]
    response.must(bool(calls), "/output", expected="a custom_tool_call", got=f"items {shown(kinds)}")
    for at, call in calls:
        response.must(call.get("name") == wanted, f"{at}/name", expected=shown(wanted), got=told(call, "name"))
        held = isinstance(call.get("input"), str)
        response.must(held, f"{at}/input", expected="a string", got=told(call, "input"))


@clause(
    "responses.tools.required",
    level="MUST",
    source="SPEC ToolChoiceOptions: required, the model must call one or more tools",
    on=answered(RESPONSE, asks=_chooses("required")),
    fields=("tool_choice",),
)
def required_brings_a_call(exchange: Exchange) -> None:
    """`tool_choice: "required"` gets at least one call, of a function or of a tool that the server runs itself.

    Compile the declared functions into the grammar of the sampler; a sentence in the prompt does not bind the
    model.
    """
    if not any(str(item.get("type")).endswith("_call") for _, item in items_of(ended(exchange))):
        _expect_call(exchange, "at least one call")


@clause(
    "responses.tools.none",
    level="MUST",
    source="SPEC ToolChoiceOptions: none, the model will not call any tool",
    on=answered(RESPONSE, asks=_chooses("none")),
    fields=("tool_choice",),
)
def none_brings_no_call(exchange: Exchange) -> None:
    """`tool_choice: "none"` gets no call, though functions are declared."""
    response = told_by(exchange)
    names = [call.get("name") for _, call in calls_of(response)]
    response.must(not names, "/output", expected="no call", got=f"calls of {shown(names)}")


@clause(
    "responses.tools.parallel-false",
    level="MUST",
    source="DOCS-0715 function-calling: parallel_tool_calls false ensures zero or one call",
    on=answered(RESPONSE, asks=lambda body: bool(_functions(body)) and body.get("parallel_tool_calls") is False),
    fields=("parallel_tool_calls",),
)
def at_most_one_call_when_not_parallel(exchange: Exchange) -> None:
    """`parallel_tool_calls: false` gets at most one call."""
    response, calls = _calls(exchange)
    names = [call.get("name") for _, call in calls]
    response.must(len(names) <= 1, "/output", expected="at most one call", got=f"calls of {shown(names)}")


# ------------------------------------------------------------------------------------------ what a call is


@clause("responses.tools.call", level="MUST", source="SPEC FunctionToolCall", on=WITH_TOOLS)
def a_call_has_a_name_and_arguments(exchange: Exchange) -> None:
    """A call is an item `function_call` with `name` and `arguments` beside its type, the arguments as a string.

    `function: {...}`, the form of chat completions, and an object of arguments are read by no client.
    """
    response, calls = _calls(exchange)
    for at, call in calls:
        for name in ("name", "arguments"):
            held = isinstance(call.get(name), str) and (name == "arguments" or bool(call[name]))
            response.must(held, f"{at}/{name}", expected="a string", got=told(call, name))


@clause("responses.tools.declared", level="MUST", source="SPEC FunctionToolCall.name", on=WITH_TOOLS)
def only_declared_functions_are_called(exchange: Exchange) -> None:
    """Every call is of a function that `tools` declares."""
    response, calls = _calls(exchange)
    if any(tool.get("type") not in CLOSED for tool in as_objects(exchange.request.asked.get("tools"))):
        raise NotApplicable("a tool may bring functions with it: of a search, a namespace, a server")
    # What earlier items of the input brought is repeated with the tools of the response.
    known = [
        *_functions(exchange.request.asked),
        *(tool.get("name") for tool in as_objects(response.body.get("tools"))),
    ]
    for at, call in calls:
        if isinstance(call.get("name"), str):
            held = call["name"] in known
            response.must(held, f"{at}/name", expected=f"one of {shown(known)}", got=shown(call["name"]))


def _arguments(exchange: Exchange) -> tuple[Told, list[tuple[str, dict[str, Any], str]]]:
    """The calls that are whole, with their arguments."""
    response, calls = _calls(exchange)
    if response.status == "incomplete":
        raise Inconclusive("the answer was cut")
    found = [(at, call, call["arguments"]) for at, call in calls if isinstance(call.get("arguments"), str)]
    if not found:
        raise Inconclusive("no call has arguments as a string")
    return response, found


@clause("responses.tools.arguments-json", level="MUST", source="SPEC FunctionToolCall.arguments", on=WITH_TOOLS)
def arguments_are_a_json_object(exchange: Exchange) -> None:
    """The `arguments` of a call are a JSON object, written as a string."""
    response, calls = _arguments(exchange)
    for at, _, text in calls:
        try:
            value = parse_json(text)
        except Undecodable as bad:
            response.must(False, f"{at}/arguments", expected="a JSON object", got=f"{shown(text)}: {bad}")
        else:
            response.must(isinstance(value, dict), f"{at}/arguments", expected="a JSON object", got=shown(text))


@clause(
    "responses.tools.arguments-schema",
    level="MUST",
    source="DOCS-0715 function-calling: strict ensures that calls adhere to the schema",
    on=answered(RESPONSE, asks=lambda body: any(one.get("strict") is True for one in _functions(body).values())),
)
def strict_arguments_keep_their_schema(exchange: Exchange) -> None:
    """The arguments of a call keep the `parameters` of a function that was declared `strict`."""
    response, calls = _arguments(exchange)
    functions = _functions(exchange.request.asked)
    judged = False
    for at, call, text in calls:
        function = functions.get(str(call.get("name")), {})
        if function.get("strict") is not True:
            continue
        try:
            value = parse_json(text)
        except Undecodable:
            continue
        judged = True
        for breach in schema_breaches(function.get("parameters"), value):
            place = f" at {breach.pointer}" if breach.pointer else ""
            expected = f"{breach.expected}{place}"
            response.must(False, f"{at}/arguments", expected=expected, got=f"{breach.got} in {shown(text)}")
    if not judged:
        raise Inconclusive("no call of a strict function has arguments that can be read")


@clause(
    "responses.tools.result",
    level="SHOULD",
    source="DOCS-0715 function-calling: the model answers with the results it was given",
    on=answered(RESPONSE, probes="responses.tools.result"),
    model="some-output",
)
def results_are_answered_in_words(exchange: Exchange) -> None:
    """With the result of a call in its input, and no further call allowed, a response says something."""
    response = ended(exchange)
    if response.status == "incomplete" and not list(items_of(response, "message")):
        raise Inconclusive("the answer ended before a text came")
    says = bool(text_of(response)) or refuses(response)
    response.must(says, "/output", expected="a text", got=shown(response.body.get("output")))
