"""Departures of responses in functions, formats and log probabilities."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_json, refused
from wireproof.standin.faults.response_edits import (
    PATH,
    each_item,
    each_response,
    events,
    is_unkept,
    tells_response,
    whole_response,
)
from wireproof.standin.wire import Answer, Ask, Serve

Body = dict[str, Any]


def _results(ask: Ask) -> bool:
    given = ask.asked.get("input")
    return (
        ask.path == PATH
        and isinstance(given, list)
        and any(item.get("type") == "function_call_output" for item in given)
    )


def _chosen(ask: Ask, serve: Serve, choice: Any, served: Any, **more: Any) -> Answer:
    """Requests with this `tool_choice` (or kind of it) are served as if they had another, and say what was asked."""
    asked = ask.asked.get("tool_choice")
    is_meant = isinstance(asked, dict) and asked["type"] == "function" if choice is dict else asked == choice
    if not (is_unkept(ask) and is_meant) or _results(ask):
        return serve(ask)
    said = {name: ask.asked.get(name) for name in ("tool_choice", *more)}
    return each_response(ask.changed(tool_choice=served, **more), serve, lambda body: body.update(said))


def _calls(ask: Ask, serve: Serve, edit: Callable[[Body], Any]) -> Answer:
    """Plain answers after `edit(call)` of each call, changed in place."""

    def found(body: Body) -> None:
        for item in body.get("output", ()):
            if item["type"] == "function_call":
                edit(item)

    answer = serve(ask)
    return edit_json(answer, found) if is_unkept(ask) else answer


@fault("responses.custom-as-function", breaks="responses.tools.custom")
def custom_as_function(ask: Ask, serve: Serve) -> Answer:
    """A custom tool is declared to the model as a function of one text, and its call is one of a function."""
    choice = ask.asked.get("tool_choice")
    if ask.path != PATH or not isinstance(choice, dict) or choice.get("type") != "custom":
        return serve(ask)
    schema = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}
    tools = [{"type": "function", "name": tool["name"], "parameters": schema} for tool in ask.asked["tools"]]
    said = {"tools": ask.asked["tools"], "tool_choice": choice}
    return each_response(
        ask.changed(tools=tools, tool_choice={**choice, "type": "function"}), serve, lambda body: body.update(said)
    )


@fault("responses.calls-share-an-id", breaks="responses.call-ids")
def calls_share_an_id(ask: Ask, serve: Serve) -> Answer:
    """Calls that come together have one `call_id`."""

    def edit(item: Body) -> None:
        if "call_id" in item:
            item["call_id"] = "call_0"

    return each_item(ask, serve, edit)


@fault("responses.logprobs-of-the-first", breaks="responses.logprobs.text")
def logprobs_of_the_first(ask: Ask, serve: Serve) -> Answer:
    """A text that is done has the probabilities of its first token alone."""
    return events(ask, serve, "response.output_text.done", lambda event: event.update(logprobs=event["logprobs"][:1]))


@fault("responses.results-refused", breaks="responses.tools.accepts")
def results_refused(ask: Ask, serve: Serve) -> Answer:
    """The result of a call is no input."""
    answer = serve(ask)
    return refused(answer, "Invalid value: 'function_call_output'.", param="input[2]") if _results(ask) else answer


@fault("responses.named-ignored", breaks="responses.tools.named")
def named_ignored(ask: Ask, serve: Serve) -> Answer:
    """A function that is named in `tool_choice` need not be called."""
    return _chosen(ask, serve, dict, "none")


@fault("responses.required-ignored", breaks="responses.tools.required")
def required_ignored(ask: Ask, serve: Serve) -> Answer:
    """`tool_choice: required` is taken for none."""
    return _chosen(ask, serve, "required", "none")


@fault("responses.none-ignored", breaks="responses.tools.none")
def none_ignored(ask: Ask, serve: Serve) -> Answer:
    """`tool_choice: none` is taken for required."""
    return _chosen(ask, serve, "none", "required")


@fault("responses.parallel-ignored", breaks="responses.tools.parallel-false")
def parallel_ignored(ask: Ask, serve: Serve) -> Answer:
    """`parallel_tool_calls: false` is not heard."""
    return _chosen(ask, serve, "required", "required", parallel_tool_calls=True)


@fault("responses.call-nested", breaks="responses.tools.call", also=("responses.tools.named",))
def call_nested(ask: Ask, serve: Serve) -> Answer:
    """A call has `function: {...}`, as in a chat completion."""
    return _calls(
        ask, serve, lambda call: call.update(function={"name": call.pop("name"), "arguments": call.pop("arguments")})
    )


@fault("responses.arguments-object", breaks="responses.tools.call")
def arguments_object(ask: Ask, serve: Serve) -> Answer:
    """The arguments of a call are an object, not a string."""
    return _calls(ask, serve, lambda call: call.update(arguments=json.loads(call["arguments"])))


@fault("responses.call-prefixed", breaks="responses.tools.declared", also=("responses.tools.named",))
def call_prefixed(ask: Ask, serve: Serve) -> Answer:
    """Functions are called under a name that nobody declared."""
    return _calls(ask, serve, lambda call: call.update(name=f"functions.{call['name']}"))


@fault("responses.call-prefixed-when-required", breaks="responses.tools.declared")
def call_prefixed_when_required(ask: Ask, serve: Serve) -> Answer:
    """A function that `required` brings is called under a name that nobody declared."""

    def edit(item: Body) -> None:
        if item["type"] == "function_call":
            item["name"] = f"functions.{item['name']}"

    return each_item(ask, serve, edit) if ask.asked.get("tool_choice") == "required" else serve(ask)


@fault("responses.arguments-python", breaks="responses.tools.arguments-json")
def arguments_python(ask: Ask, serve: Serve) -> Answer:
    """The arguments of a call are written as Python does."""
    return _calls(ask, serve, lambda call: call.update(arguments=str(json.loads(call["arguments"]))))


@fault("responses.arguments-loose", breaks="responses.tools.arguments-schema")
def arguments_loose(ask: Ask, serve: Serve) -> Answer:
    """The arguments of a strict function have a value that its schema does not list."""
    return _calls(
        ask,
        serve,
        lambda call: call.update(arguments=json.dumps({**json.loads(call["arguments"]), "city": "Atlantis"})),
    )


@fault("responses.result-unanswered", breaks="responses.tools.result", also=("responses.text",))
def result_unanswered(ask: Ask, serve: Serve) -> Answer:
    """After the result of a call nothing is said."""
    answer = serve(ask)
    return edit_json(answer, lambda body: body.update(output=[])) if _results(ask) else answer


@fault("responses.result-without-words", breaks="responses.tools.result")
def result_without_words(ask: Ask, serve: Serve) -> Answer:
    """After the result of a call comes nothing but an item that no client knows."""
    answer = serve(ask)
    item = {"id": "x_1", "type": "vendor_note", "status": "completed"}
    return edit_json(answer, lambda body: body.update(output=[item])) if _results(ask) else answer


# ------------------------------------------------------------------------------------------------ formats


def _text(ask: Ask, serve: Serve, kind: str, edit: Callable[[str], str]) -> Answer:
    """Plain answers in a format of this type after `edit(text)`."""
    wanted = (ask.asked.get("text") or {}).get("format") or {}

    def found(body: Body) -> None:
        for item in body["output"]:
            for part in item.get("content", ()):
                part["text"] = edit(part["text"])

    answer = serve(ask)
    return edit_json(answer, found) if is_unkept(ask) and wanted.get("type") == kind else answer


@fault("responses.schema-refused", breaks="responses.structured.accepts")
def schema_refused(ask: Ask, serve: Serve) -> Answer:
    """`text.format` of type `json_schema` is refused."""
    wanted = (ask.asked.get("text") or {}).get("format") or {}
    answer = serve(ask)
    is_meant = tells_response(ask) and wanted.get("type") == "json_schema"
    return refused(answer, "Invalid value: 'json_schema'.", param="text.format.type") if is_meant else answer


@fault("responses.format-ignored", breaks="responses.structured.json", also=("responses.echo.format",))
def format_ignored(ask: Ask, serve: Serve) -> Answer:
    """`text.format` is not heard: the answer is prose."""
    return serve(ask.without("text")) if is_unkept(ask) else serve(ask)


@fault("responses.json-then-prose", breaks="responses.structured.json")
def json_then_prose(ask: Ask, serve: Serve) -> Answer:
    """Words follow the JSON."""
    return _text(ask, serve, "json_schema", lambda text: f"{text}\n\nI hope that helps!")


@fault("responses.json-list", breaks="responses.structured.object")
def json_list(ask: Ask, serve: Serve) -> Answer:
    """JSON mode answers with a list."""
    return _text(ask, serve, "json_object", lambda text: f"[{text}]")


@fault("responses.key-missing", breaks="responses.structured.schema")
def key_missing(ask: Ask, serve: Serve) -> Answer:
    """The last required key of a strict schema is missing."""
    return _text(ask, serve, "json_schema", lambda text: json.dumps(dict(list(json.loads(text).items())[:-1])))


@fault("responses.enum-violated", breaks="responses.structured.schema")
def enum_violated(ask: Ask, serve: Serve) -> Answer:
    """A strict answer has a value that its schema does not list."""
    return _text(ask, serve, "json_schema", lambda text: json.dumps({**json.loads(text), "color": "mauve"}))


# ---------------------------------------------------------------------------------------- log probabilities


def _logprobs(ask: Ask, serve: Serve, edit: Callable[[list[Any]], list[Any]]) -> Answer:
    """The answer after `edit(entries)` of each text at the end."""

    def found(body: Body) -> None:
        for item in body["output"]:
            for part in item.get("content", ()):
                if part.get("logprobs"):
                    part["logprobs"] = edit(part["logprobs"])

    return whole_response(ask, serve, found)


@fault("responses.include-ignored", breaks="responses.logprobs.present")
def include_ignored(ask: Ask, serve: Serve) -> Answer:
    """`include` and `top_logprobs` are not heard."""
    if not is_unkept(ask) or "include" not in ask.asked:
        return serve(ask)
    most = ask.asked.get("top_logprobs")
    return each_response(ask.without("include", "top_logprobs"), serve, lambda body: body.update(top_logprobs=most))


@fault("responses.logprobs-probabilities", breaks="responses.logprobs.text")
def logprobs_probabilities(ask: Ask, serve: Serve) -> Answer:
    """Probabilities stand where their logarithms should."""
    return _logprobs(ask, serve, lambda entries: [{**entry, "logprob": 0.5} for entry in entries])


@fault("responses.logprobs-first-missing", breaks="responses.logprobs.text", also=("responses.logprobs.streamed",))
def logprobs_first_missing(ask: Ask, serve: Serve) -> Answer:
    """The first token of a text has no log probability."""
    return _logprobs(ask, serve, lambda entries: entries[1:])


@fault("responses.top-twice", breaks="responses.logprobs.top")
def top_twice(ask: Ask, serve: Serve) -> Answer:
    """Each token has twice as many alternatives as were asked for."""
    return _logprobs(
        ask, serve, lambda entries: [{**entry, "top_logprobs": entry["top_logprobs"] * 2} for entry in entries]
    )


@fault("responses.deltas-without-logprobs", breaks="responses.logprobs.streamed")
def deltas_without_logprobs(ask: Ask, serve: Serve) -> Answer:
    """The deltas of a stream have no log probabilities, the whole text has them."""
    return events(ask, serve, "response.output_text.delta", lambda event: event.update(logprobs=[]))
