"""Departures of responses in their shape: keys, ids, status, items and parts."""

from __future__ import annotations

from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_json, refused
from wireproof.standin.faults.response_edits import (
    PATH,
    each_item,
    each_part,
    each_response,
    events,
    is_unkept,
    plain_response,
    whole_response,
)
from wireproof.standin.wire import Answer, Ask, Serve

Body = dict[str, Any]


def _without(*names: str) -> Any:
    return lambda body: {name: value for name, value in body.items() if name not in names}


def _cut(*names: str) -> Any:
    """The same, in place."""

    def edit(body: Body) -> None:
        for name in names:
            body.pop(name, None)

    return edit


@fault("responses.items-refused", breaks="responses.accepts")
def items_refused(ask: Ask, serve: Serve) -> Answer:
    """Only a string is taken as `input`, no list of messages."""
    answer, given = serve(ask), ask.asked.get("input")
    is_list = ask.path == PATH and isinstance(given, list) and given[0].get("type") == "message"
    return refused(answer, "input: value is not a valid string", param="input") if is_list else answer


@fault("responses.truncation-number", breaks="responses.schema", also=("responses.stream.schema",))
def truncation_number(ask: Ask, serve: Serve) -> Answer:
    """`truncation` is a number."""
    return each_response(ask, serve, lambda body: body.update(truncation=7))


@fault("responses.tools-missing", breaks="responses.echo-keys")
def tools_missing(ask: Ask, serve: Serve) -> Answer:
    """A response has neither `tools` nor `tool_choice`."""
    return each_response(ask, serve, _without("tools", "tool_choice"))


@fault("responses.object-chat", breaks="responses.object")
def object_chat(ask: Ask, serve: Serve) -> Answer:
    """`object` is that of a chat completion."""
    return each_response(ask, serve, lambda body: body.update(object="chat.completion"))


@fault("responses.id-missing", breaks="responses.id", also=("responses.stream.response",))
def id_missing(ask: Ask, serve: Serve) -> Answer:
    """A response has no `id`."""
    return each_response(ask, serve, _without("id"))


@fault("responses.id-constant", breaks="responses.id-unique")
def id_constant(ask: Ask, serve: Serve) -> Answer:
    """Every response has the same `id`."""
    return plain_response(ask, serve, lambda body: body.update(id="resp_1") if is_unkept(ask) else None)


@fault("responses.created-for-created-at", breaks="responses.created-at")
def created_for_created_at(ask: Ask, serve: Serve) -> Answer:
    """The time is called `created`, as in a chat completion."""
    return each_response(ask, serve, lambda body: {**_without("created_at")(body), "created": body["created_at"]})


@fault("responses.created-at-ms", breaks="responses.created-at")
def created_at_ms(ask: Ask, serve: Serve) -> Answer:
    """`created_at` counts milliseconds."""
    return each_response(ask, serve, lambda body: body.update(created_at=body["created_at"] * 1000))


@fault("responses.model-path", breaks="responses.model")
def model_path(ask: Ask, serve: Serve) -> Answer:
    """`model` is the path of the weights."""
    return each_response(ask, serve, lambda body: body.update(model=f"/models/{body['model']}.gguf"))


@fault("responses.status-missing", breaks="responses.status", also=("responses.incomplete",))
def status_missing(ask: Ask, serve: Serve) -> Answer:
    """A response has no `status`."""
    return each_response(ask, serve, _without("status"))


@fault("responses.reason-missing", breaks="responses.status-reason", also=("responses.incomplete",))
def reason_missing(ask: Ask, serve: Serve) -> Answer:
    """An incomplete response does not say why."""
    return each_response(ask, serve, lambda body: body.update(incomplete_details=None))


@fault("responses.items-in-progress", breaks="responses.item-status")
def items_in_progress(ask: Ask, serve: Serve) -> Answer:
    """The items of a response that is over are still in progress."""

    def edit(body: Body) -> None:
        for item in body["output"]:
            if "status" in item:
                item["status"] = "in_progress"

    return whole_response(ask, serve, edit)


@fault("responses.output-strings", breaks="responses.output")
def output_strings(ask: Ask, serve: Serve) -> Answer:
    """The output ends with a bare string."""
    return whole_response(ask, serve, lambda body: body["output"].append("done"))


@fault("responses.item-id-missing", breaks="responses.item-ids")
def item_id_missing(ask: Ask, serve: Serve) -> Answer:
    """Messages of plain answers have no `id`."""

    def edit(body: Body) -> None:
        for item in body["output"]:
            if item["type"] == "message":
                del item["id"]

    return plain_response(ask, serve, edit) if is_unkept(ask) else serve(ask)


@fault("responses.role-missing", breaks="responses.role")
def role_missing(ask: Ask, serve: Serve) -> Answer:
    """Messages have no `role`."""
    return each_item(ask, serve, _cut("role"))


@fault(
    "responses.part-type-text",
    breaks="responses.content",
    also=("responses.text", "responses.tools.result", "responses.stream.parts"),
)
def part_type_text(ask: Ask, serve: Serve) -> Answer:
    """Text comes in parts of type `text`."""
    return each_part(ask, serve, lambda part: part.update(type="text"))


@fault("responses.role-of-events", breaks="responses.role")
def role_of_events(ask: Ask, serve: Serve) -> Answer:
    """The message that is added to a stream has no `role`."""
    return events(ask, serve, "response.output_item.added", lambda event: _cut("role")(event["item"]))


@fault("responses.annotations-of-events", breaks="responses.annotations")
def annotations_of_events(ask: Ask, serve: Serve) -> Answer:
    """The part that is added to a stream has no `annotations`."""
    return events(ask, serve, "response.content_part.added", lambda event: _cut("annotations")(event["part"]))


@fault("responses.annotations-missing", breaks="responses.annotations")
def annotations_missing(ask: Ask, serve: Serve) -> Answer:
    """Texts have no `annotations`."""
    return each_part(ask, serve, _cut("annotations"))


@fault("responses.text-lost", breaks="responses.text", also=("responses.tools.result",))
def text_lost(ask: Ask, serve: Serve) -> Answer:
    """Plain answers have no messages."""

    def edit(body: Body) -> None:
        body["output"] = [item for item in body["output"] if item["type"] != "message"]

    return plain_response(ask, serve, edit) if is_unkept(ask) else serve(ask)


@fault("responses.thoughts-in-text", breaks="responses.leaks")
def thoughts_in_text(ask: Ask, serve: Serve) -> Answer:
    """The thoughts of the model stand in the text."""

    def edit(body: Body) -> None:
        for item in body["output"]:
            for part in item.get("content", ()):
                part["text"] = f"<think>Hm.</think>{part['text']}"

    answer = serve(ask)
    return edit_json(answer, edit) if is_unkept(ask) and "text" not in ask.asked else answer


@fault("responses.call-id-missing", breaks="responses.call-ids")
def call_id_missing(ask: Ask, serve: Serve) -> Answer:
    """Calls of functions have no `call_id`."""
    return each_item(ask, serve, _cut("call_id"))


@fault("responses.call-id-same", breaks="responses.call-id-kind")
def call_id_same(ask: Ask, serve: Serve) -> Answer:
    """The `call_id` of a call is the `id` of its item."""
    return each_item(ask, serve, lambda item: item.update(call_id=item["id"]) if "call_id" in item else None)


def _unkept(ask: Ask, serve: Serve, edit: Any) -> Answer:
    """Plain answers that are not stored after `edit(response)`."""
    return plain_response(ask, serve, edit) if is_unkept(ask) else serve(ask)


@fault("responses.truncation-number-plain", breaks="responses.schema")
def truncation_number_plain(ask: Ask, serve: Serve) -> Answer:
    """`truncation` is a number in plain answers."""
    return _unkept(ask, serve, lambda body: body.update(truncation=7))


@fault("responses.id-missing-plain", breaks="responses.id")
def id_missing_plain(ask: Ask, serve: Serve) -> Answer:
    """A plain response has no `id`."""
    return _unkept(ask, serve, _without("id"))


@fault("responses.status-done", breaks="responses.status")
def status_done(ask: Ask, serve: Serve) -> Answer:
    """A plain response that is completed is `done`."""
    return _unkept(ask, serve, lambda body: body.update(status="done") if body["status"] == "completed" else None)


@fault("responses.reason-beside-completed", breaks="responses.status-reason")
def reason_beside_completed(ask: Ask, serve: Serve) -> Answer:
    """A response that is completed says why it is not."""
    details = {"reason": "content_filter"}
    return _unkept(
        ask, serve, lambda body: body.update(incomplete_details=details) if body["status"] == "completed" else None
    )


@fault("responses.part-of-chat-beside", breaks="responses.content")
def part_of_chat_beside(ask: Ask, serve: Serve) -> Answer:
    """A message ends with a part of type `text`, as chat has them."""

    def edit(body: Body) -> None:
        for item in body["output"]:
            if item["type"] == "message":
                item["content"].append({"type": "text", "text": "Anything else?"})

    return _unkept(ask, serve, edit)


@fault("responses.text-lost-without-tools", breaks="responses.text")
def text_lost_without_tools(ask: Ask, serve: Serve) -> Answer:
    """Plain answers have no messages where no tools are declared."""
    return serve(ask) if ask.asked.get("tools") else text_lost(ask, serve)
