"""Departures of tool calls: what `tool_choice` binds, how a call looks, how it streams."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_events, edit_frames, edit_json
from wireproof.standin.wire import Answer, Ask, Frame, Serve, event_frame, event_of, refusal

CHAT = "/v1/chat/completions"
Piece = dict[str, Any]


def _has_tools(ask: Ask) -> bool:
    return ask.path == CHAT and bool(ask.asked.get("tools"))


def _is_named(ask: Ask) -> bool:
    return _has_tools(ask) and isinstance(ask.asked.get("tool_choice"), dict)


def _is_declared(ask: Ask) -> bool:
    """Whether the function that `tool_choice` names is among the tools."""
    name = (ask.asked["tool_choice"].get("function") or {}).get("name")
    return name in [tool.get("function", {}).get("name") for tool in ask.asked["tools"]]


def _chooses(ask: Ask, choice: str) -> bool:
    return _has_tools(ask) and ask.asked.get("tool_choice") == choice


def refused(answer: Answer, message: str, param: str) -> Answer:
    """A 400 in place of `answer`, with its request id."""
    return refusal(400, message, param=param).with_header("x-request-id", answer.header("x-request-id") or "")


def _messages(ask: Ask, serve: Serve, edit: Callable[[Piece], Any]) -> Answer:
    """The answer after `edit(choice)` of each choice of a plain answer to a request with tools."""

    def each(body: Piece) -> None:
        for choice in body.get("choices", []):
            edit(choice)

    answer = serve(ask)
    return edit_json(answer, each) if _has_tools(ask) else answer


def _calls(ask: Ask, serve: Serve, edit: Callable[[Piece], Any]) -> Answer:
    """The same for `edit(call)` of each tool call."""

    def each(choice: Piece) -> None:
        for call in choice["message"].get("tool_calls", []):
            edit(call)

    return _messages(ask, serve, each)


def _arguments(ask: Ask, serve: Serve, edit: Callable[[str], Any]) -> Answer:
    def each(call: Piece) -> None:
        call["function"]["arguments"] = edit(call["function"]["arguments"])

    return _calls(ask, serve, each)


def _deltas(ask: Ask, serve: Serve, edit: Callable[[Piece], Any]) -> Answer:
    """The answer after `edit(delta)` of each entry of `delta.tool_calls` in a stream."""

    def each(event: Piece) -> None:
        for choice in event.get("choices", []):
            for delta in choice["delta"].get("tool_calls", []):
                edit(delta)

    answer = serve(ask)
    return edit_events(answer, each) if ask.path == CHAT else answer


# -------------------------------------------------------------------------------------- what is accepted


@fault("tools.refused", breaks="chat.tools.accepts")
def tools_are_refused(ask: Ask, serve: Serve) -> Answer:
    """400 for every request that forces a tool call."""
    answer = serve(ask)
    forced = _is_named(ask) or _chooses(ask, "required")
    return refused(answer, "tool_choice must be auto or none", "tool_choice") if forced else answer


def _refuse_content(ask: Ask, serve: Serve, says: str, when: Callable[[dict[str, Any]], Any]) -> Answer:
    """400 for the first message of which `when` holds; it `says` why."""
    answer = serve(ask)
    for at, message in enumerate(ask.asked.get("messages") or ()):
        if ask.path == CHAT and isinstance(message, dict) and when(message):
            return refused(answer, says, f"messages[{at}].content")
    return answer


@fault("tools.null-content-refused", breaks="chat.tools.result")
def null_content_is_refused(ask: Ask, serve: Serve) -> Answer:
    """400 for an assistant turn with tool calls whose content is null."""
    return _refuse_content(ask, serve, "Input should be a valid string", lambda m: m.get("content", "") is None)


@fault("tools.missing-content-refused", breaks="chat.tools.result")
def missing_content_is_refused(ask: Ask, serve: Serve) -> Answer:
    """400 for an assistant turn with tool calls that has no key `content`."""
    return _refuse_content(ask, serve, "Field required", lambda m: m.get("tool_calls") and "content" not in m)


@fault("tools.result-in-parts-refused", breaks="chat.tools.result")
def results_in_parts_are_refused(ask: Ask, serve: Serve) -> Answer:
    """400 for the result of a tool in parts."""

    def is_in_parts(message: dict[str, Any]) -> bool:
        return message.get("role") == "tool" and isinstance(message.get("content"), list)

    return _refuse_content(ask, serve, "Input should be a valid string", is_in_parts)


@fault("tools.nothing-in-words", breaks="chat.tools.leak")
def nothing_is_said_in_words(ask: Ask, serve: Serve) -> Answer:
    """`content` beside calls is the text "None"."""

    def edit(choice: Piece) -> None:
        if choice["message"].get("tool_calls"):
            choice["message"]["content"] = "None"

    return _messages(ask, serve, edit)


@fault("tools.bare-function-refused", breaks="chat.tools.result")
def functions_without_parameters_are_refused(ask: Ask, serve: Serve) -> Answer:
    """400 for a function that has no key `parameters`."""
    answer = serve(ask)
    for at, tool in enumerate(ask.asked.get("tools") or () if ask.path == CHAT else ()):
        if isinstance(tool, dict) and "parameters" not in (tool.get("function") or {}):
            return refused(answer, "Field required", f"tools[{at}].function.parameters")
    return answer


@fault("tools.unknown-choice-accepted", breaks="chat.tools.choice-unknown")
def unknown_choices_are_accepted(ask: Ask, serve: Serve) -> Answer:
    """200 for a `tool_choice` that names a function which is not declared."""
    return serve(ask.without("tool_choice") if _is_named(ask) and not _is_declared(ask) else ask)


# ---------------------------------------------------------------------------------- what tool_choice binds


@fault("tools.named-ignored", breaks="chat.tools.named")
def named_choices_are_ignored(ask: Ask, serve: Serve) -> Answer:
    """Words in answer to a `tool_choice` that names a function."""
    return serve(ask.changed(tool_choice="none") if _is_named(ask) and _is_declared(ask) else ask)


@fault("tools.required-ignored", breaks="chat.tools.required")
def required_is_ignored(ask: Ask, serve: Serve) -> Answer:
    """Words in answer to `tool_choice: "required"`."""
    return serve(ask.changed(tool_choice="none") if _chooses(ask, "required") else ask)


@fault(
    "tools.ignored",
    breaks="chat.tools.required",
    also=("chat.tools.named", "chat.tools.choice-unknown", "chat.reach.tools"),
)
def tools_are_ignored(ask: Ask, serve: Serve) -> Answer:
    """Answers as if no tools had been declared."""
    return serve(ask.without("tools", "tool_choice", "parallel_tool_calls") if _has_tools(ask) else ask)


@fault("tools.none-ignored", breaks="chat.tools.none")
def none_is_ignored(ask: Ask, serve: Serve) -> Answer:
    """A tool call although `tool_choice` is "none"."""
    return serve(ask.changed(tool_choice="required") if _chooses(ask, "none") else ask)


@fault("tools.parallel-false-ignored", breaks="chat.tools.parallel-false")
def parallel_false_is_ignored(ask: Ask, serve: Serve) -> Answer:
    """Two calls although `parallel_tool_calls` is false."""
    return serve(ask.without("parallel_tool_calls") if _has_tools(ask) else ask)


# ---------------------------------------------------------------------------------- what a call looks like


@fault("tools.id-empty", breaks="chat.tools.id")
def ids_are_empty(ask: Ask, serve: Serve) -> Answer:
    """Tool calls with an empty id."""
    return _calls(ask, serve, lambda call: call.update(id=""))


@fault("tools.id-missing", breaks="chat.tools.id")
def ids_are_missing(ask: Ask, serve: Serve) -> Answer:
    """Tool calls without an id."""
    return _calls(ask, serve, lambda call: call.pop("id"))


@fault("tools.ids-equal", breaks="chat.tools.ids-unique")
def parallel_calls_share_an_id(ask: Ask, serve: Serve) -> Answer:
    """The calls of one answer all have the id of the first."""

    def one_id(choice: Piece) -> None:
        calls = choice["message"].get("tool_calls", [])
        for call in calls:
            call["id"] = calls[0]["id"]

    return _messages(ask, serve, one_id)


@fault("tools.ids-constant", breaks="chat.tools.ids-fresh")
def ids_repeat_in_every_answer(ask: Ask, serve: Serve) -> Answer:
    """Ids are always call_0, call_1."""

    def count_up(choice: Piece) -> None:
        for number, call in enumerate(choice["message"].get("tool_calls", [])):
            call["id"] = f"call_{number}"

    return _messages(ask, serve, count_up)


@fault("tools.type-wrong", breaks="chat.tools.type")
def calls_have_another_type(ask: Ask, serve: Serve) -> Answer:
    """Tool calls of type "tool_call"."""
    return _calls(ask, serve, lambda call: call.update(type="tool_call"))


@fault("tools.name-prefixed", breaks="chat.tools.declared")
def names_have_a_prefix(ask: Ask, serve: Serve) -> Answer:
    """Function names come back as `functions.NAME`."""

    def prefix(call: Piece) -> None:
        call["function"]["name"] = f"functions.{call['function']['name']}"

    return serve(ask) if _is_named(ask) else _calls(ask, serve, prefix)


@fault("tools.arguments-object", breaks="chat.tools.arguments-string")
def arguments_are_an_object(ask: Ask, serve: Serve) -> Answer:
    """`arguments` is a JSON object, not a string that holds one."""
    return _arguments(ask, serve, json.loads)


@fault("tools.arguments-python", breaks="chat.tools.arguments-json")
def arguments_are_a_python_literal(ask: Ask, serve: Serve) -> Answer:
    """`arguments` holds a Python dict with single quotes."""
    return _arguments(ask, serve, lambda arguments: repr(json.loads(arguments)))


@fault("tools.arguments-encoded-twice", breaks="chat.tools.arguments-json")
def arguments_are_encoded_twice(ask: Ask, serve: Serve) -> Answer:
    """`arguments` holds a JSON string which holds the object."""
    return _arguments(ask, serve, json.dumps)


@fault("tools.arguments-empty", breaks="chat.tools.arguments-schema")
def required_arguments_are_left_out(ask: Ask, serve: Serve) -> Answer:
    """`arguments` is `{}` although the function has required parameters."""
    return _arguments(ask, serve, lambda _: "{}")


# --------------------------------------------------------------------------------- the message around calls


@fault("tools.finish-stop", breaks="chat.tools.finish")
def calls_finish_with_stop(ask: Ask, serve: Serve) -> Answer:
    """finish_reason "stop" beside tool calls that the model chose to make."""
    return _finish(ask, serve, "stop")


@fault("tools.finish-singular", breaks="chat.tools.finish", also=("chat.finish-reason",))
def calls_finish_with_tool_call(ask: Ask, serve: Serve) -> Answer:
    """finish_reason "tool_call", in the singular."""
    return _finish(ask, serve, "tool_call")


def _finish(ask: Ask, serve: Serve, reason: str) -> Answer:
    def change(choice: Piece) -> None:
        if choice["message"].get("tool_calls"):
            choice["finish_reason"] = reason

    return _messages(ask, serve, change)


@fault("tools.finish-without-call", breaks="chat.tools.finish-needs-call")
def words_finish_with_tool_calls(ask: Ask, serve: Serve) -> Answer:
    """finish_reason "tool_calls" where words were all that came."""

    def change(choice: Piece) -> None:
        if not choice["message"].get("tool_calls"):
            choice["finish_reason"] = "tool_calls"

    return _messages(ask, serve, change)


@fault("tools.content-key-missing", breaks="chat.tools.content-key")
def content_is_left_out(ask: Ask, serve: Serve) -> Answer:
    """A message with tool calls lacks the key `content`."""

    def drop(choice: Piece) -> None:
        if choice["message"].get("tool_calls"):
            del choice["message"]["content"]

    return _messages(ask, serve, drop)


@fault("tools.empty-array", breaks="chat.tools.empty-array")
def words_come_with_an_empty_array(ask: Ask, serve: Serve) -> Answer:
    """`tool_calls: []` in answers that call nothing."""

    def add(body: Piece) -> None:
        for choice in body.get("choices", []):
            choice["message"].setdefault("tool_calls", [])

    answer = serve(ask)
    return edit_json(answer, add) if ask.path == CHAT and ask.method == "POST" else answer


@fault("tools.legacy-form", breaks="chat.tools.legacy", also=("chat.tools.named",))
def calls_come_in_the_deprecated_form(ask: Ask, serve: Serve) -> Answer:
    """`message.function_call` in place of `tool_calls`."""

    def change(choice: Piece) -> None:
        calls = choice["message"].pop("tool_calls", None)
        if calls:
            choice["message"]["function_call"] = calls[0]["function"]
            choice["finish_reason"] = "function_call"

    return _messages(ask, serve, change) if _is_named(ask) else serve(ask)


@fault("tools.leaked", breaks="chat.tools.leak")
def calls_leak_into_the_text(ask: Ask, serve: Serve) -> Answer:
    """`content` repeats the call in the marks of a chat template."""

    def leak(choice: Piece) -> None:
        for call in choice["message"].get("tool_calls", []):
            choice["message"]["content"] = f"<tool_call>{json.dumps(call['function'])}</tool_call>"

    return _messages(ask, serve, leak)


@fault("tools.both-forms", breaks="chat.tools.legacy")
def calls_come_in_both_forms(ask: Ask, serve: Serve) -> Answer:
    """The first call comes as `function_call` as well."""

    def add(choice: Piece) -> None:
        if calls := choice["message"].get("tool_calls"):
            choice["message"]["function_call"] = calls[0]["function"]

    return _messages(ask, serve, add)


# ------------------------------------------------------------------------------------------ how it streams


@fault("tools.stream-head-late", breaks="chat.tools.stream.opens")
def the_head_comes_late(ask: Ask, serve: Serve) -> Answer:
    """id, type and name come in the second delta of a call, not in the first."""
    heads: dict[int, Piece] = {}

    def delay(delta: Piece) -> None:
        if "id" in delta:
            head = {key: delta.pop(key) for key in ("id", "type")}
            heads[delta["index"]] = {**head, "name": delta["function"].pop("name")}
        elif head := heads.pop(delta["index"], {}):
            delta["function"]["name"] = head.pop("name")
            delta.update(head)

    return _deltas(ask, serve, delay)


@fault("tools.stream-name-repeated", breaks="chat.tools.stream.once")
def names_are_repeated(ask: Ask, serve: Serve) -> Answer:
    """`function.name` in every delta of a call."""
    names: dict[int, str] = {}

    def repeat(delta: Piece) -> None:
        name = names.setdefault(delta["index"], delta["function"].get("name", ""))
        delta["function"]["name"] = name

    return _deltas(ask, serve, repeat)


@fault("tools.stream-type-repeated", breaks="chat.tools.stream.type-once")
def types_are_repeated(ask: Ask, serve: Serve) -> Answer:
    """`type` in every delta of a call."""
    return _deltas(ask, serve, lambda delta: delta.update(type="function"))


@fault("tools.stream-type-null", breaks="chat.tools.stream.type-null")
def types_are_taken_back(ask: Ask, serve: Serve) -> Answer:
    """`type` is null in the later deltas of a call."""
    return _deltas(ask, serve, lambda delta: delta.setdefault("type", None))


@fault("tools.stream-index-zero", breaks="chat.tools.stream.index")
def every_call_has_index_zero(ask: Ask, serve: Serve) -> Answer:
    """The second of two parallel calls streams under index 0."""
    return _deltas(ask, serve, lambda delta: delta.update(index=0))


@fault("tools.stream-last-piece-lost", breaks="chat.tools.arguments-json")
def the_last_piece_of_arguments_is_lost(ask: Ask, serve: Serve) -> Answer:
    """The last fragment of streamed arguments never comes."""

    def lose(frames: list[Frame]) -> Iterator[Frame]:
        last = max((at for at, frame in enumerate(frames) if b'"tool_calls": [' in frame.data), default=-1)
        return (frame for at, frame in enumerate(frames) if at != last)

    answer = serve(ask)
    return edit_frames(answer, lose) if ask.path == CHAT else answer


@fault("tools.stream-in-message", breaks="chat.tools.stream.in-delta", also=("chat.stream.delta",))
def calls_come_in_a_final_message(ask: Ask, serve: Serve) -> Answer:
    """No deltas: the whole calls come in `choices[].message` of the last chunk."""
    plain = serve(ask.without("stream", "stream_options")) if _has_tools(ask) and ask.streamed else None
    if plain is None or plain.status != 200:
        return serve(ask)
    calls = plain.json["choices"][0]["message"].get("tool_calls")

    def move(frames: list[Frame]) -> Iterator[Frame]:
        for frame in frames:
            choice = ((event_of(frame) or {}).get("choices") or [{}])[0]
            if "tool_calls" in choice.get("delta", {}):
                continue
            if choice.get("finish_reason") == "tool_calls":
                event = event_of(frame) or {}
                event["choices"][0]["message"] = {"role": "assistant", "content": None, "tool_calls": calls}
                yield event_frame(event, frame.delay_ms)
            else:
                yield frame

    return edit_frames(serve(ask), move)


@fault("tools.stream-in-both", breaks="chat.tools.stream.in-delta")
def calls_come_in_a_message_as_well(ask: Ask, serve: Serve) -> Answer:
    """The calls come in deltas, and once more in `choices[].message` of the last chunk."""
    plain = serve(ask.without("stream", "stream_options")) if _has_tools(ask) and ask.streamed else None
    if plain is None or plain.status != 200:
        return serve(ask)
    calls = plain.json["choices"][0]["message"].get("tool_calls")

    def add(event: Piece) -> None:
        for choice in event.get("choices", []):
            if choice.get("finish_reason") == "tool_calls":
                choice["message"] = {"role": "assistant", "content": None, "tool_calls": calls}

    return edit_events(serve(ask), add)


@fault("tools.stream-calls-nothing", breaks="chat.tools.named")
def streams_call_nothing(ask: Ask, serve: Serve) -> Answer:
    """A forced function is called in plain answers, but streams bring words."""
    return serve(ask.changed(tool_choice="none") if _is_named(ask) and ask.streamed else ask)
