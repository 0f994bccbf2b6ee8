"""Tool calls of chat completions: what `tool_choice` binds, what a call looks like, how a stream tells it.

Every law holds for plain and streamed answers alike: the deltas of a stream are joined first, as clients do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from wireproof.clause import (
    MODEL,
    Exchange,
    Inconclusive,
    Machine,
    NotApplicable,
    Probe,
    Symbol,
    Undecodable,
    answered,
    clause,
    expect,
    parse_json,
    probe,
    schema_breaches,
    sent,
    sequence,
    shown,
    together,
)

CHAT = "createChatCompletion"
# Enough for a call and for a short answer in words: who answers in words instead should be seen to finish.
ROOM = 200


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
# Long on purpose: contracts/chat_reach.py demands that it costs prompt tokens.
TIME = _tool(
    "get_local_time",
    "The current local time of a city, with its offset from UTC. Call it whenever the user asks what time it is, "
    "how late it is, or whether a shop or an office in another city is still open.",
    city={"type": "string", "description": "The city, as in Paris."},
    clock={"type": "string", "enum": ["12 hours", "24 hours"], "description": "How hours are counted."},
)
QUESTION = {"role": "user", "content": "What is the weather in Paris in celsius, and what is the local time there?"}
NAMED = {"type": "function", "function": {"name": "get_weather"}}
PAST_CALL = {
    "id": "call_wp0001",
    "type": "function",
    "function": {"name": "get_weather", "arguments": '{"city": "Paris", "unit": "celsius"}'},
}


PAST = [
    {"role": "user", "content": "What is the weather in Paris?"},
    {"role": "assistant", "content": None, "tool_calls": [PAST_CALL]},
    {"role": "tool", "tool_call_id": "call_wp0001", "content": '{"celsius": 21, "sky": "clear"}'},
    {"role": "user", "content": "And what is the weather in Rome?"},
]


def _ask(tools: Sequence[Any], choice: Any, messages: Sequence[Any] = (QUESTION,), **more: Any) -> dict[str, Any]:
    body = {"model": MODEL, "messages": list(messages), "tools": list(tools), "tool_choice": choice}
    return {**body, "max_tokens": ROOM, **more}


def _probe(name: str, about: str, body: dict[str, Any], expects: Literal["answer", "refusal"] = "answer") -> Probe:
    return probe(f"tools.{name}", "POST", "/chat/completions", body, about=about, expects=expects)


BOTH = [WEATHER, TIME]
UNKNOWN = {"type": "function", "function": {"name": "launch_rocket"}}
PROBES = (
    _probe("named", "one named function must be called", _ask([WEATHER], NAMED)),
    _probe("named-streamed", "the same, streamed", _ask([WEATHER], NAMED, stream=True)),
    _probe("required", "one or both of two functions must be called", _ask(BOTH, "required")),
    _probe("required-streamed", "the same, streamed", _ask(BOTH, "required", stream=True)),
    _probe("single", "exactly one of two must be called", _ask(BOTH, "required", parallel_tool_calls=False)),
    _probe("result", "a call and its result, then no further call", _ask([WEATHER], "none", PAST, max_tokens=40)),
    _probe("unknown-choice", "an undeclared function is named", _ask([WEATHER], UNKNOWN, max_tokens=8), "refusal"),
)


# ------------------------------------------------------------------------------------ reading the answers


@dataclass(frozen=True)
class ToolCall:
    """A call, or the part of one that a delta brings; what did not come is None. `event` is its place in a stream."""

    id: Any
    type: Any
    name: Any
    arguments: Any
    index: Any
    at: str
    event: int | None

    def must(self, held: bool, field: str, *, expected: str, got: Any) -> None:
        expect(held, expected=expected, got=got, at=f"{self.at}/{field}", event=self.event)


@dataclass(frozen=True)
class Choice:
    """One choice, plain or joined. `legacy` is its deprecated function_call, `at` points to its message or delta."""

    calls: tuple[ToolCall, ...]
    content: str
    refusal: Any
    finish: Any
    legacy: Any
    at: str
    event: int | None = None

    @property
    def was_cut(self) -> bool:
        return self.finish in ("length", "content_filter")

    def must(self, held: bool, field: str, *, expected: str, got: Any) -> None:
        expect(held, expected=expected, got=got, at=f"{self.at}/{field}", event=self.event)


@dataclass(frozen=True)
class Delta:
    """An entry of `delta.tool_calls`. `slot` counts the calls of its choice in order of opening."""

    choice: str
    slot: int
    part: ToolCall


def _choices(exchange: Exchange) -> list[Choice]:
    """Raises Inconclusive when there are none, and when a stream broke off with an error."""
    if (broken := _error_event(exchange)) is not None:
        raise Inconclusive(f"the stream broke off with an error: {shown(broken)}")
    found = _joined(exchange) if exchange.streamed else _plain(exchange)
    if not found:
        raise Inconclusive("the answer has no choices")
    return found


def _plain(exchange: Exchange) -> list[Choice]:
    choices = _objects(_object(exchange.json).get("choices"))
    return [_choice([choice], "message", f"/choices/{at}") for at, choice in enumerate(choices)]


def _joined(exchange: Exchange) -> list[Choice]:
    """The choices of a stream. Calls that came outside of deltas are taken from there, as a last resort."""
    told: dict[str, list[tuple[int, int, dict[str, Any]]]] = {}
    for number, at, choice in _stream_choices(exchange):
        told.setdefault(shown(choice.get("index")), []).append((number, at, choice))
    slots: dict[tuple[str, int], list[ToolCall]] = {}
    for delta in _deltas(exchange):
        slots.setdefault((delta.choice, delta.slot), []).append(delta.part)
    found = []
    for key, parts in told.items():
        number, at, _last = parts[-1]
        joined = _choice([part for _, _, part in parts], "delta", f"/choices/{at}", number)
        calls = tuple(_merged(pieces) for (owner, _), pieces in slots.items() if owner == key)
        stray = [call for n, i, part in parts for call in _entries(part, "message", f"/choices/{i}", n)]
        found.append(replace(joined, calls=calls or tuple(stray)))
    return found


def _choice(parts: Sequence[dict[str, Any]], holder: str, at: str, event: int | None = None) -> Choice:
    """`parts`: the one choice of a plain answer, or its deltas."""
    said = [_object(part.get(holder)) for part in parts]
    texts = [text for one in said if isinstance(text := one.get("content"), str)]
    return Choice(
        tuple(_entries(parts[0], holder, at)) if event is None else (),
        "".join(texts),
        next((one["refusal"] for one in said if one.get("refusal")), None),
        next((part["finish_reason"] for part in reversed(parts) if part.get("finish_reason")), None),
        next((one["function_call"] for one in said if one.get("function_call")), None),
        f"{at}/{holder}",
        event,
    )


def _entries(choice: dict[str, Any], holder: str, at: str, event: int | None = None) -> list[ToolCall]:
    found = []
    for number, entry in enumerate(_objects(_object(choice.get(holder)).get("tool_calls"))):
        function = _object(entry.get("function"))
        values = entry.get("id"), entry.get("type"), function.get("name"), function.get("arguments"), entry.get("index")
        found.append(ToolCall(*values, f"{at}/{holder}/tool_calls/{number}", event))
    return found


def _stream_bodies(exchange: Exchange) -> Iterator[tuple[int, dict[str, Any]]]:
    """`(event number, object)` of each event that can be read."""
    for number, event in enumerate(exchange.events):
        if event.data is not None and not event.is_done:
            try:
                yield number, _object(parse_json(event.data))
            except Undecodable:
                continue


def _error_event(exchange: Exchange) -> Any:
    """The `error` of a stream that broke off with one; the official SDK raises it, whatever came before."""
    bodies = _stream_bodies(exchange) if exchange.streamed else ()
    return next((body["error"] for _, body in bodies if body.get("error")), None)


def _stream_choices(exchange: Exchange) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """`(event number, place in choices, choice)` of each event that can be read."""
    for number, body in _stream_bodies(exchange):
        for at, choice in enumerate(_objects(body.get("choices"))):
            yield number, at, choice


def _deltas(exchange: Exchange) -> list[Delta]:
    """Every tool-call delta. One that brings a new id and a name opens a new call, whatever its index."""
    found: dict[str, list[Delta]] = {}
    for number, at, choice in _stream_choices(exchange):
        key = shown(choice.get("index"))
        siblings = found.setdefault(key, [])
        for part in _entries(choice, "delta", f"/choices/{at}", number):
            siblings.append(Delta(key, _slot(siblings, part), part))
    return sorted((delta for deltas in found.values() for delta in deltas), key=lambda delta: delta.part.event or 0)


def _slot(siblings: Sequence[Delta], part: ToolCall) -> int:
    unopened = max((delta.slot for delta in siblings), default=-1) + 1
    latest = next((d.slot for d in reversed(siblings) if part.index in (None, d.part.index)), unopened)
    known = next((d.part.id for d in siblings if d.slot == latest and d.part.id), None)
    is_another = bool(part.id and part.name and known and part.id != known)
    return unopened if is_another else latest


def _merged(parts: Sequence[ToolCall]) -> ToolCall:
    def first(*values: Any) -> Any:
        return next((value for value in values if value), None)

    pieces = [part.arguments for part in parts if part.arguments is not None]
    odd = next((piece for piece in pieces if not isinstance(piece, str)), None)
    return replace(
        parts[0],
        id=first(*(part.id for part in parts)),
        type=first(*(part.type for part in parts)),
        name=first(*(part.name for part in parts)),
        arguments=odd if odd is not None else "".join(pieces) if pieces else None,
    )


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _all_calls(exchange: Exchange) -> list[ToolCall]:
    return [call for choice in _choices(exchange) for call in choice.calls]


def _has_calls(exchange: Exchange) -> bool:
    try:
        return bool(_all_calls(exchange))
    except (Inconclusive, Undecodable):
        return False


def _whole_calls(exchange: Exchange) -> Iterator[tuple[Choice, ToolCall]]:
    """The calls whose arguments came as text. Raises Inconclusive when the answer was cut."""
    for choice in _choices(exchange):
        for call in choice.calls:
            if choice.was_cut:
                raise Inconclusive(f"the answer was cut (finish_reason {choice.finish}), maybe amid a call")
            if isinstance(call.arguments, str):
                yield choice, call


# ----------------------------------------------------------------------------------- reading the request


def _has_tools(body: dict[str, Any]) -> bool:
    return bool(body.get("tools"))


def _functions(body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The declared functions by name."""
    declared = [_object(tool.get("function")) for tool in _objects(body.get("tools"))]
    return {str(function["name"]): function for function in declared if "name" in function}


def _named(body: dict[str, Any]) -> str | None:
    """The function that `tool_choice` names, None when it names none."""
    choice = _object(body.get("tool_choice"))
    name = _object(choice.get("function")).get("name")
    return name if choice.get("type") == "function" and isinstance(name, str) else None


def _names_undeclared(body: dict[str, Any]) -> bool:
    return _named(body) is not None and _named(body) not in _functions(body)


def _names_declared(body: dict[str, Any]) -> bool:
    return _named(body) in _functions(body)


def _chooses(choice: str) -> Callable[[dict[str, Any]], bool]:
    return lambda body: _has_tools(body) and body.get("tool_choice") == choice


def _has_strict(body: dict[str, Any]) -> bool:
    return any(function.get("strict") is True for function in _functions(body).values())


def _is_bound(body: dict[str, Any]) -> bool:
    """Whether the protocol, not the model's skill, stands for valid arguments."""
    return _names_declared(body) or _chooses("required")(body) or _has_strict(body)


def _holds_results(body: dict[str, Any]) -> bool:
    return any(message.get("role") == "tool" for message in _objects(body.get("messages")))


def _asks_plainly(body: dict[str, Any]) -> bool:
    return _has_tools(body) and not _names_undeclared(body) and not _holds_results(body)


# ------------------------------------------------------------------------------------- what is accepted

# What a status says about the key, the route, the load: nothing about tools.
OTHER_TROUBLE = (401, 403, 404, 408, 429, 502, 503, 504)


def _expect_accepted(exchange: Exchange) -> None:
    status = exchange.status or 0
    if 200 <= status < 300:
        return
    try:
        error = _object(_object(exchange.json).get("error"))
    except Undecodable:
        error = {}
    said = f"{status}: {error.get('message') or exchange.wire[:120].decode('utf-8', 'replace')}"
    if status == 501 or str(error.get("code") or "").startswith("unsupported"):
        raise NotApplicable(said)
    # A 500 may be the model's: llama.cpp answers so when it can't parse what the model wrote.
    if status in OTHER_TROUBLE or status >= 500:
        raise Inconclusive(said)
    expect(False, expected="a 2xx answer", got=said)


@clause(
    "chat.tools.accepts",
    level="MUST",
    source="SPEC CreateChatCompletionRequest.tools, .tool_choice, .parallel_tool_calls",
    on=sent(CHAT, probes="tools.*", asks=_asks_plainly),
)
def tools_are_accepted(exchange: Exchange) -> None:
    """A request with tools and a documented `tool_choice` is accepted.

    A backend without tool calls refuses them with a code such as `unsupported_parameter`; that is no finding.
    """
    _expect_accepted(exchange)


@clause(
    "chat.tools.result",
    level="MUST",
    source="SPEC ChatCompletionRequestAssistantMessage.content, ChatCompletionRequestToolMessage",
    on=sent(CHAT, probes="tools.*", asks=_holds_results),
)
def conversations_with_tool_results_are_accepted(exchange: Exchange) -> None:
    """A conversation with a tool call, its assistant content null, and the tool's result is accepted.

    Every agent sends one after each call, with `content: null` exactly as the answer had it.
    """
    _expect_accepted(exchange)


@clause(
    "chat.tools.choice-unknown",
    level="MUST",
    source="OBS: refused with 400, the choice is not found in tools",
    on=sent(CHAT, asks=_names_undeclared),
)
def undeclared_choices_are_refused(exchange: Exchange) -> None:
    """`tool_choice` that names a function which `tools` does not declare is refused with 400."""
    if exchange.status in OTHER_TROUBLE:
        raise Inconclusive(f"{exchange.id} was answered {exchange.status}")
    expect(exchange.status in (400, 422), expected="status 400", got=f"status {exchange.status}")


# ---------------------------------------------------------------------------------- what tool_choice binds


def _expect_call(choice: Choice, expected: str) -> None:
    if not choice.calls and (choice.was_cut or choice.refusal):
        raise Inconclusive(f"the answer ended before a call came (finish_reason {choice.finish})")
    got = "a deprecated function_call" if choice.legacy else f"text {shown(choice.content)}"
    choice.must(bool(choice.calls), "tool_calls", expected=expected, got=got)


@clause(
    "chat.tools.named",
    level="MUST",
    source="SPEC ChatCompletionNamedToolChoice: forces the model to call that function",
    on=answered(CHAT, asks=_names_declared),
)
def named_functions_are_called(exchange: Exchange) -> None:
    """`tool_choice` with a function's name gets a call of that function and of no other.

    An answer that was cut before a call came proves nothing: raise `max_tokens`, or look at the chat template.
    """
    wanted = f"a call of {_named(exchange.request.asked)}"
    for choice in _choices(exchange):
        _expect_call(choice, wanted)
        for call in choice.calls:
            got = f"a call of {call.name}"
            call.must(got == wanted, "function/name", expected=wanted, got=got)


@clause(
    "chat.tools.required",
    level="MUST",
    source="SPEC ChatCompletionToolChoiceOption: required, the model must call one or more tools",
    on=answered(CHAT, asks=_chooses("required")),
)
def required_brings_a_call(exchange: Exchange) -> None:
    """`tool_choice: "required"` gets at least one tool call.

    An answer that was cut before a call came proves nothing: raise `max_tokens`, or look at the chat template.
    """
    for choice in _choices(exchange):
        _expect_call(choice, "at least one tool call")


@clause(
    "chat.tools.none",
    level="MUST",
    source="SPEC ChatCompletionToolChoiceOption: none, the model will not call any tool",
    on=answered(CHAT, asks=_chooses("none")),
)
def none_brings_no_call(exchange: Exchange) -> None:
    """`tool_choice: "none"` gets no tool call, though tools are declared."""
    for choice in _choices(exchange):
        names = [call.name for call in choice.calls]
        choice.must(not names, "tool_calls", expected="no tool call", got=f"calls of {shown(names)}")


@clause(
    "chat.tools.parallel-false",
    level="MUST",
    source="DOCS-0715 function-calling: parallel_tool_calls false ensures zero or one call",
    on=answered(CHAT, asks=lambda body: _has_tools(body) and body.get("parallel_tool_calls") is False),
)
def at_most_one_call_when_not_parallel(exchange: Exchange) -> None:
    """`parallel_tool_calls: false` gets at most one tool call."""
    choices = _choices(exchange)
    for choice in choices:
        names = [call.name for call in choice.calls]
        choice.must(len(names) <= 1, "tool_calls", expected="at most one call", got=f"calls of {shown(names)}")
    if not any(choice.calls for choice in choices):
        raise NotApplicable("no tool was called")


# ---------------------------------------------------------------------------------- what a call looks like

CALLS = answered(CHAT, asks=_has_tools, shows=_has_calls)


@clause("chat.tools.id", level="MUST", source="SPEC ChatCompletionMessageToolCall.id", on=CALLS)
def calls_have_ids(exchange: Exchange) -> None:
    """Every tool call has an `id`, a string that is not empty.

    The result of a call is sent back under its id.
    """
    for call in _all_calls(exchange):
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
    for choice in _choices(exchange):
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
        for call in _all_calls(exchange):
            if not isinstance(call.id, str) or not call.id:
                continue
            before, its_answer = first.setdefault(call.id, (exchange.id, answer))
            held = before == exchange.id or (answer is not None and answer == its_answer)
            there = replace(call, at=f"{exchange.id} {call.at}")
            there.must(held, "id", expected="an id that no earlier answer had", got=f"{call.id}, as in {before}")


def _answer_id(exchange: Exchange) -> Any:
    if not exchange.streamed:
        return _object(exchange.json).get("id")
    data = next((event.data for event in exchange.events if event.data and not event.is_done), "null")
    try:
        return _object(parse_json(data)).get("id")
    except Undecodable:
        return None


@clause("chat.tools.type", level="MUST", source="SPEC ChatCompletionMessageToolCall.type", on=CALLS)
def calls_of_functions_have_type_function(exchange: Exchange) -> None:
    """The call of a function has `type: "function"`."""
    for call in _all_calls(exchange):
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
    names = list(_functions(exchange.request.asked))
    for call in _all_calls(exchange):
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
    for call in _all_calls(exchange):
        if call.type != "custom":
            is_text = isinstance(call.arguments, str)
            call.must(is_text, "function/arguments", expected="a string", got=shown(call.arguments))


@clause(
    "chat.tools.arguments-json",
    level="MUST",
    source="SPEC ChatCompletionMessageToolCall.function.arguments: in JSON format",
    on=answered(CHAT, asks=_is_bound, shows=_has_calls),
)
def arguments_hold_a_json_object(exchange: Exchange) -> None:
    """`function.arguments` of a forced or strict call holds one JSON object; a stream's pieces join to one.

    Python literals (single quotes, None), a JSON string within the string, text around it, and a lost or
    repeated piece all break the client's `json.loads`.
    """
    for _, call in _whole_calls(exchange):
        try:
            is_object = isinstance(parse_json(call.arguments), dict)
        except Undecodable:
            is_object = False
        call.must(is_object, "function/arguments", expected="a JSON object", got=shown(call.arguments))


@clause(
    "chat.tools.arguments-schema",
    level="MUST",
    source="DOCS-0715 function-calling, strict mode: calls reliably adhere to the function schema",
    on=answered(CHAT, asks=_has_strict, shows=_has_calls),
)
def strict_arguments_keep_their_schema(exchange: Exchange) -> None:
    """The arguments of a `strict` function keep its schema: all required keys, declared types, no other keys.

    Parallel calls are exempt, as the guide says; `parallel_tool_calls: false` rules them out.
    """
    functions = _functions(exchange.request.asked)
    for choice, call in _whole_calls(exchange):
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


# --------------------------------------------------------------------------------- the message around calls


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
    allowed = ["tool_calls", "length", "content_filter"] + ["stop"] * _names_declared(exchange.request.asked)
    for choice in _choices(exchange):
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
    for choice in _choices(exchange):
        held = choice.finish != "tool_calls" or bool(choice.calls)
        choice.must(held, "tool_calls", expected="a tool call, as finish_reason says", got="none")


@clause(
    "chat.tools.content-key",
    level="MUST",
    source="SPEC ChatCompletionResponseMessage.required: content",
    on=answered(CHAT, streamed=False, asks=_has_tools, shows=_has_calls),
)
def messages_with_calls_have_a_content_key(exchange: Exchange) -> None:
    """A message with tool calls still has the key `content`: null, or the text beside the calls."""
    for at, choice in enumerate(_objects(_object(exchange.json).get("choices"))):
        message = _object(choice.get("message"))
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
    for at, choice in enumerate(_objects(_object(exchange.json).get("choices"))):
        held = _object(choice.get("message")).get("tool_calls") != []
        expect(held, expected="no tool_calls key", got="[]", at=f"/choices/{at}/message/tool_calls")


@clause(
    "chat.tools.legacy",
    level="MUST",
    source="SPEC ChatCompletionResponseMessage.function_call: deprecated and replaced by tool_calls",
    on=answered(CHAT, asks=lambda body: _has_tools(body) and not body.get("functions")),
)
def tools_are_not_answered_in_the_deprecated_form(exchange: Exchange) -> None:
    """A request with `tools` is answered with `tool_calls`, never with the deprecated `function_call`."""
    for choice in _choices(exchange):
        choice.must(not choice.legacy, "function_call", expected="no function_call", got=shown(choice.legacy))


# How chat templates write a call. None of them is text for a user.
CALL_MARKS = ("<tool_call>", "<|tool_call", "<|python_tag|>", "[TOOL_CALLS]", "<function=", "<\uff5ctool\u2581call")
# Shorter arguments, such as {}, may stand in a text by chance.
LEAST_TELLING = 8


@clause(
    "chat.tools.leak",
    level="SHOULD",
    source="SPEC ChatCompletionResponseMessage.content: the contents of the message",
    on=answered(CHAT, asks=_has_tools),
)
def calls_do_not_leak_into_the_text(exchange: Exchange) -> None:
    """`content` holds no tool call: neither the marks of a chat template nor a call as JSON.

    Agents show the text to people. A server that fails to parse its model's calls hands them out as words.
    """
    names = list(_functions(exchange.request.asked))
    for choice in _choices(exchange):
        leaked = _leak(choice, names)
        got = f"{leaked} in {shown(choice.content)}"
        choice.must(leaked is None, "content", expected="text without a tool call in it", got=got)


def _leak(choice: Choice, names: Sequence[str]) -> str | None:
    """What of a call stands in the text, None when nothing does."""
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
    told = _object(said[0] if isinstance(said, list) and said else said)
    is_call = told.get("name") in names and ("arguments" in told or "parameters" in told)
    return f"a call of {told['name']} as JSON" if is_call else None


# ------------------------------------------------------------------------------------------ how it streams

# One rule a machine, run for every call of every choice. The head of a call says who is called.
OPENS = Machine("new", {"new": {"whole head": "called"}, "called": {"whole head": "called", "less": "called"}})
ONCE = Machine("new", {"new": {"head": "called", "rest": "new"}, "called": {"rest": "called"}})


def _shows_deltas(exchange: Exchange) -> bool:
    return bool(_deltas(exchange))


DELTAS = answered(CHAT, streamed=True, asks=_has_tools, shows=_shows_deltas)


def _expect_rule(machine: Machine, exchange: Exchange, name: Callable[[ToolCall], str], expected: str) -> None:
    """`name` gives the symbol of each delta."""
    deltas = _deltas(exchange)
    symbols = [Symbol(name(d.part), at, (d.choice, d.slot), _head(d.part)) for at, d in enumerate(deltas)]
    offence = machine.first_offence(symbols)
    if offence is not None and offence.at is not None:
        part = deltas[offence.at].part
        expect(False, expected=expected, got=offence.got, at=part.at, event=part.event)


def _head(part: ToolCall) -> str:
    return shown({"index": part.index, "id": part.id, "type": part.type, "function.name": part.name})


@clause(
    "chat.tools.stream.opens",
    level="MUST",
    source="CAP-OTEL multiple_tools_streaming: the first delta of a call",
    on=DELTAS,
)
def first_deltas_name_the_call(exchange: Exchange) -> None:
    """The first delta of a tool call carries its `id`, its `type` and its `function.name`."""
    _expect_rule(
        OPENS,
        exchange,
        lambda part: "whole head" if part.id and part.type and part.name else "less",
        "id, type and name in the first delta of a call",
    )


@clause(
    "chat.tools.stream.once",
    level="MUST",
    source="CAP-OTEL multiple_tools_streaming: later deltas; SDK joins repeated strings",
    on=DELTAS,
)
def ids_and_names_come_once(exchange: Exchange) -> None:
    """`id` and `function.name` of a call come in its first delta alone; null or an empty string may follow.

    Clients that join deltas as text, as the official SDK does, would read `get_weatherget_weather`.
    """
    _expect_rule(
        ONCE,
        exchange,
        lambda part: "head" if part.id or part.name else "rest",
        "index and arguments alone in the later deltas of a call",
    )


@clause(
    "chat.tools.stream.type-once",
    level="SHOULD",
    source="CAP-OTEL multiple_tools_streaming: later deltas have index and arguments alone",
    on=DELTAS,
)
def types_come_once(exchange: Exchange) -> None:
    """`type` of a call comes in its first delta alone; null may follow."""
    _expect_rule(
        ONCE,
        exchange,
        lambda part: "head" if part.type else "rest",
        "no type in the later deltas of a call",
    )


@clause(
    "chat.tools.stream.index",
    level="MUST",
    source="SPEC ChatCompletionMessageToolCallChunk.index; SDK merges deltas by it",
    on=DELTAS,
)
def calls_are_told_apart_by_index(exchange: Exchange) -> None:
    """Every tool-call delta has an integer `index`: 0 for the first call of a choice, 1 for the next, and so on.

    The index is all that tells parallel calls apart; two calls under one index become a single broken one.
    """
    for delta in _deltas(exchange):
        index = delta.part.index
        held = isinstance(index, int) and not isinstance(index, bool) and index == delta.slot
        wanted = f"index {delta.slot} for call number {delta.slot + 1}"
        delta.part.must(held, "index", expected=wanted, got=shown(index))


@clause(
    "chat.tools.stream.in-delta",
    level="MUST",
    source="SPEC ChatCompletionStreamResponseDelta.tool_calls",
    on=answered(CHAT, streamed=True, asks=_has_tools),
)
def calls_stream_in_deltas(exchange: Exchange) -> None:
    """Streamed tool calls come in `delta.tool_calls`, never in a `message`."""
    for number, at, choice in _stream_choices(exchange):
        for stray in _entries(choice, "message", f"/choices/{at}", number):
            expect(False, expected="calls in delta", got=f"a call of {stray.name}", at=stray.at, event=stray.event)


@clause(
    "chat.tools.stream.same-as-plain",
    level="MUST",
    source="SPEC CreateChatCompletionRequest.stream",
    on=together("tools.named", "tools.named-streamed"),
)
def a_stream_calls_what_a_plain_answer_calls(plain: Exchange, streamed: Exchange) -> None:
    """A forced function is called in a stream as it is in a plain answer."""
    called = sorted({str(call.name) for call in _all_calls(plain)})
    if not called:
        raise NotApplicable("the plain answer called nothing")
    if any(choice.was_cut for choice in _choices(streamed)):
        raise Inconclusive("the streamed answer was cut")
    got = sorted({str(call.name) for call in _all_calls(streamed)})
    expect(got == called, expected=f"calls of {shown(called)}", got=f"calls of {shown(got)}", at="/choices")
