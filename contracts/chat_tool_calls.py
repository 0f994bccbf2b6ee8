"""Tool calls of chat completions: what a call looks like, and the message around it.

Every law holds for plain and streamed answers alike: the deltas of a stream are joined first, as clients do.
The requests are those of chat_tools.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from wireproof.clause import (
    Exchange,
    Inconclusive,
    Undecodable,
    answered,
    clause,
    expect,
    parse_json,
    schema_breaches,
    sequence,
    shown,
)

from ._asked import chooses, declared_functions, has_strict, has_tools, names_declared
from ._reading import as_object, as_objects
from ._tool_calls import Choice, calls_told, choices_told, has_calls, whole_calls

CHAT = "createChatCompletion"
CALLS = answered(CHAT, asks=has_tools, shows=has_calls)


def _is_bound(body: dict[str, Any]) -> bool:
    """Whether the protocol, not the model's skill, stands for valid arguments."""
    return names_declared(body) or chooses("required")(body) or has_strict(body)


# ----------------------------------------------------------------------------------------------- the call


@clause("chat.tools.id", level="MUST", source="SPEC ChatCompletionMessageToolCall.id", on=CALLS)
def calls_have_ids(exchange: Exchange) -> None:
    """Every tool call has an `id`, a string that is not empty.

    The result of a call is sent back under its id.
    """
    for call in calls_told(exchange):
        is_id = isinstance(call.id, str) and call.id != ""
        call.must(is_id, "id", expected="a non-empty string", got=shown(call.id))


@clause(
    "chat.tools.ids-unique",
    level="MUST",
    source="SPEC ChatCompletionRequestToolMessage.tool_call_id: tells which call a result answers",
    on=CALLS,
)
def ids_are_unique_within_an_answer(exchange: Exchange) -> None:
    """No two tool calls of one answer have the same `id`."""
    for choice in choices_told(exchange):
        seen: set[str] = set()
        for call in choice.calls:
            if isinstance(call.id, str) and call.id:
                call.must(call.id not in seen, "id", expected="an id of its own", got=f"{call.id} a second time")
                seen.add(call.id)


@clause(
    "chat.tools.ids-fresh",
    level="SHOULD",
    source="CAP-OTEL: every recorded call has an id of its own",
    on=sequence(CALLS),
)
def ids_are_fresh_in_every_answer(exchanges: list[Exchange]) -> None:
    """Tool-call ids are not used again in a later answer.

    A conversation holds the calls of many answers; `call_0` in each of them makes results ambiguous. An answer
    replayed from a cache, recognised by its own id, does not count.
    """
    first: dict[str, tuple[str, Any]] = {}
    for exchange in exchanges:
        answer = _answer_id(exchange)
        for call in calls_told(exchange):
            if not isinstance(call.id, str) or not call.id:
                continue
            before, its_answer = first.setdefault(call.id, (exchange.id, answer))
            held = before == exchange.id or (answer is not None and answer == its_answer)
            there = replace(call, at=f"{exchange.id} {call.at}")
            there.must(held, "id", expected="an id that no earlier answer had", got=f"{call.id}, as in {before}")


def _answer_id(exchange: Exchange) -> Any:
    if not exchange.streamed:
        return as_object(exchange.json).get("id")
    data = next((event.data for event in exchange.events if event.data and not event.is_done), "null")
    try:
        return as_object(parse_json(data)).get("id")
    except Undecodable:
        return None


@clause("chat.tools.type", level="MUST", source="SPEC ChatCompletionMessageToolCall.type", on=CALLS)
def calls_of_functions_have_type_function(exchange: Exchange) -> None:
    """The call of a function has `type: "function"`."""
    for call in calls_told(exchange):
        if call.name is not None and not (exchange.streamed and call.type is None):
            call.must(call.type == "function", "type", expected="function", got=shown(call.type))


@clause(
    "chat.tools.declared",
    level="MUST",
    source="SPEC CreateChatCompletionRequest.tools",
    on=CALLS,
)
def called_functions_are_declared(exchange: Exchange) -> None:
    """Every call has a `function.name` that the request declares, letter for letter."""
    names = list(declared_functions(exchange.request.asked))
    for call in calls_told(exchange):
        if call.type != "custom":
            call.must(call.name in names, "function/name", expected=f"one of {shown(names)}", got=shown(call.name))


@clause(
    "chat.tools.arguments-string",
    level="MUST",
    source="SPEC ChatCompletionMessageToolCall.function.arguments",
    on=CALLS,
)
def arguments_are_a_string(exchange: Exchange) -> None:
    """`function.arguments` is a string, in a stream every piece of it; never an object.

    Clients hand it to a JSON parser, and join the pieces of a stream as text.
    """
    for call in calls_told(exchange):
        if call.type != "custom":
            is_text = isinstance(call.arguments, str)
            call.must(is_text, "function/arguments", expected="a string", got=shown(call.arguments))


@clause(
    "chat.tools.arguments-json",
    level="MUST",
    source="SPEC ChatCompletionMessageToolCall.function.arguments: in JSON format",
    on=answered(CHAT, asks=_is_bound, shows=has_calls),
)
def arguments_hold_a_json_object(exchange: Exchange) -> None:
    """`function.arguments` of a forced or strict call holds one JSON object; a stream's pieces join to one.

    Python literals (single quotes, None), a JSON string within the string, text around it, and a lost or
    repeated piece all break the client's `json.loads`.
    """
    for _, call in whole_calls(exchange):
        try:
            is_object = isinstance(parse_json(call.arguments), dict)
        except Undecodable:
            is_object = False
        call.must(is_object, "function/arguments", expected="a JSON object", got=shown(call.arguments))


@clause(
    "chat.tools.arguments-schema",
    level="MUST",
    source="DOCS-0715 function-calling, strict mode: calls reliably adhere to the function schema",
    on=answered(CHAT, asks=has_strict, shows=has_calls),
)
def strict_arguments_keep_their_schema(exchange: Exchange) -> None:
    """The arguments of a `strict` function keep its schema: all required keys, declared types, no other keys.

    Parallel calls are exempt, as the guide says; `parallel_tool_calls: false` rules them out.
    """
    functions = declared_functions(exchange.request.asked)
    for choice, call in whole_calls(exchange):
        function = functions.get(str(call.name), {})
        if function.get("strict") is not True or len(choice.calls) > 1:
            continue
        try:
            value = parse_json(call.arguments)
            # What is no object, arguments-json judges.
            breaches = schema_breaches(function.get("parameters") or {}, value) if isinstance(value, dict) else []
        except Undecodable:
            continue
        except ValueError as unusable:
            raise Inconclusive(f"the parameters of {call.name} are no usable schema: {unusable}") from unusable
        for breach in breaches:
            got = f"{breach.got} in {call.arguments}"
            call.must(False, "function/arguments", expected=breach.expected, got=got)


# ------------------------------------------------------------------------------- the message around calls


@clause(
    "chat.tools.finish",
    level="MUST",
    source="SPEC CreateChatCompletionResponse.choices.finish_reason",
    on=CALLS,
)
def choices_with_calls_finish_with_tool_calls(exchange: Exchange) -> None:
    """A choice with tool calls has `finish_reason: "tool_calls"`.

    `stop` is right too when `tool_choice` named the function, and `length` when the answer was cut.
    """
    allowed = ["tool_calls", "length", "content_filter"] + ["stop"] * names_declared(exchange.request.asked)
    for choice in choices_told(exchange):
        held = not choice.calls or choice.finish in allowed
        beside = replace(choice, at=choice.at.rpartition("/")[0])
        beside.must(held, "finish_reason", expected=f"one of {shown(allowed)}", got=shown(choice.finish))


@clause(
    "chat.tools.finish-needs-call",
    level="MUST",
    source="SPEC CreateChatCompletionResponse.choices.finish_reason: tool_calls if the model called a tool",
    on=answered(CHAT),
)
def finish_tool_calls_means_there_are_calls(exchange: Exchange) -> None:
    """`finish_reason: "tool_calls"` comes only with at least one tool call."""
    for choice in choices_told(exchange):
        held = choice.finish != "tool_calls" or bool(choice.calls)
        choice.must(held, "tool_calls", expected="a tool call, as finish_reason says", got="none")


@clause(
    "chat.tools.content-key",
    level="MUST",
    source="SPEC ChatCompletionResponseMessage.required: content",
    on=answered(CHAT, streamed=False, asks=has_tools, shows=has_calls),
)
def messages_with_calls_have_a_content_key(exchange: Exchange) -> None:
    """A message with tool calls still has the key `content`: null, or the text beside the calls."""
    for at, choice in enumerate(as_objects(as_object(exchange.json).get("choices"))):
        message = as_object(choice.get("message"))
        if message.get("tool_calls"):
            got = shown(message["content"]) if "content" in message else f"keys {shown(sorted(message))}"
            held = isinstance(message.get("content", 0), str | None)
            expect(held, expected="content, null or a string", got=got, at=f"/choices/{at}/message/content")


@clause(
    "chat.tools.empty-array",
    level="SHOULD",
    source="CAP-OTEL: recorded answers in words have no tool_calls key",
    on=answered(CHAT, streamed=False),
)
def answers_without_calls_have_no_empty_array(exchange: Exchange) -> None:
    """An answer without tool calls leaves `tool_calls` out; it is not an empty array.

    Clients that test for the key take `[]` for a turn that waits for tool results.
    """
    for at, choice in enumerate(as_objects(as_object(exchange.json).get("choices"))):
        held = as_object(choice.get("message")).get("tool_calls") != []
        expect(held, expected="no tool_calls key", got="[]", at=f"/choices/{at}/message/tool_calls")


@clause(
    "chat.tools.legacy",
    level="MUST",
    source="SPEC ChatCompletionResponseMessage.function_call: deprecated and replaced by tool_calls",
    on=answered(CHAT, asks=lambda body: has_tools(body) and not body.get("functions")),
)
def tools_are_not_answered_in_the_deprecated_form(exchange: Exchange) -> None:
    """A request with `tools` is answered with `tool_calls`, never with the deprecated `function_call`."""
    for choice in choices_told(exchange):
        choice.must(not choice.legacy, "function_call", expected="no function_call", got=shown(choice.legacy))


# How chat templates write a call. None of them is text for a user.
CALL_MARKS = ("<tool_call>", "<|tool_call", "<|python_tag|>", "[TOOL_CALLS]", "<function=", "<\uff5ctool\u2581call")
# How programs print an absent text.
NOTHING = ("null", "None", "undefined", "nil")
# Shorter arguments, such as {}, may stand in a text by chance.
LEAST_TELLING = 8


@clause(
    "chat.tools.leak",
    level="SHOULD",
    source="SPEC ChatCompletionResponseMessage.content: the contents of the message",
    on=answered(CHAT, asks=has_tools),
)
def calls_do_not_leak_into_the_text(exchange: Exchange) -> None:
    """`content` holds no tool call: neither the marks of a chat template nor a call as JSON.

    Agents show the text to people. A server that fails to parse its model's calls hands them out as words; one that
    has none prints `null` or `None`.
    """
    names = list(declared_functions(exchange.request.asked))
    for choice in choices_told(exchange):
        # A call that the limit cut is no call yet, and its beginning may come as text.
        leaked = None if choice.was_cut and not choice.calls else _leak(choice, names)
        got = f"{leaked} in {shown(choice.content)}"
        choice.must(leaked is None, "content", expected="text without a tool call in it", got=got)


def _leak(choice: Choice, names: Sequence[str]) -> str | None:
    """What of a call stands in the text, None when nothing does."""
    if choice.calls and choice.content.strip() in NOTHING:
        return "the word for nothing"
    for mark in CALL_MARKS:
        if mark in choice.content:
            return f"the mark {mark}"
    for call in choice.calls:
        arguments = call.arguments if isinstance(call.arguments, str) else ""
        if len(arguments) >= LEAST_TELLING and arguments in choice.content:
            return f"the arguments of {call.name}"
    try:
        said = parse_json(choice.content)
    except Undecodable:
        return None
    told = as_object(said[0] if isinstance(said, list) and said else said)
    is_call = told.get("name") in names and ("arguments" in told or "parameters" in told)
    return f"a call of {told['name']} as JSON" if is_call else None
