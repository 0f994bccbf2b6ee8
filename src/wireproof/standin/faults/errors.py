"""Departures of refusals: mistakes taken, answered with the wrong status, or told in another shape.

Those of the shape stay with refused chat requests, so that clauses about other surfaces keep their evidence.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_error, edit_json
from wireproof.standin.wire import Answer, Ask, Serve, json_answer, refusal

# In place of what a request lacks.
TURNS = [{"role": "user", "content": "Hi"}]
HTML = b"<!doctype html><html><head><title>400 Bad Request</title></head><body><h1>Bad Request</h1></body></html>"


def _is_chat(ask: Ask) -> bool:
    return ask.method == "POST" and ask.path.endswith("/chat/completions")


def _refused_chat(ask: Ask, serve: Serve, change: Callable[[Answer], Answer], *statuses: int) -> Answer:
    """The answer, changed when it refuses a chat request with one of these statuses (400 when none is named)."""
    answer = serve(ask)
    return change(answer) if _is_chat(ask) and answer.status in (statuses or (400,)) else answer


def _retold(ask: Ask, serve: Serve, **fields: Any) -> Answer:
    """Refused chat requests with these fields of the error changed."""
    return _refused_chat(ask, serve, lambda answer: edit_error(answer, lambda body: body["error"].update(fields)))


# -------------------------------------------------------------------------------------------------- shape


@fault("errors.detail", breaks="errors.envelope")
def errors_are_details(ask: Ask, serve: Serve) -> Answer:
    """Refused chat requests answer `{"detail": message}`."""
    return _refused_chat(ask, serve, lambda answer: answer.with_json({"detail": answer.json["error"]["message"]}))


@fault("errors.detail-list", breaks="errors.envelope", also=("errors.bad-request-status",))
def errors_are_lists_of_details(ask: Ask, serve: Serve) -> Answer:
    """Refused chat requests answer 422 and `{"detail": [{"loc", "msg", "type"}]}`."""

    def change(answer: Answer) -> Answer:
        told = {"type": "value_error", "loc": ["body"], "msg": answer.json["error"]["message"]}
        return replace(answer, status=422).with_json({"detail": [told]})

    return _refused_chat(ask, serve, change)


@fault("errors.html", breaks="errors.envelope")
def errors_are_pages(ask: Ask, serve: Serve) -> Answer:
    """Refused chat requests answer an HTML page."""
    return _refused_chat(
        ask, serve, lambda answer: replace(answer, body=HTML).with_header("content-type", "text/html; charset=utf-8")
    )


@fault("errors.route-html", breaks="errors.envelope")
def unknown_paths_are_pages(ask: Ask, serve: Serve) -> Answer:
    """An unknown path answers an HTML page."""
    answer = serve(ask)
    if answer.status != 404 or b"Invalid URL" not in answer.body:
        return answer
    return replace(answer, body=HTML).with_header("content-type", "text/html")


@fault("errors.param-absent", breaks="errors.keys", also=("errors.param",))
def param_is_absent(ask: Ask, serve: Serve) -> Answer:
    """Refused chat requests have an error without `param`."""

    def drop(body: dict[str, Any]) -> None:
        del body["error"]["param"]

    return _refused_chat(ask, serve, lambda answer: edit_error(answer, drop))


@fault("errors.code-absent", breaks="errors.keys")
def code_is_absent(ask: Ask, serve: Serve) -> Answer:
    """Refused chat requests have an error without `code` where that is null."""

    def drop(body: dict[str, Any]) -> None:
        if body["error"].get("code") is None:
            del body["error"]["code"]

    return _refused_chat(ask, serve, lambda answer: edit_error(answer, drop))


@fault("errors.code-number", breaks="errors.types")
def code_is_a_number(ask: Ask, serve: Serve) -> Answer:
    """The `code` of refused chat requests is the status as a number."""
    return _retold(ask, serve, code=400)


@fault("errors.message-object", breaks="errors.types")
def message_is_an_object(ask: Ask, serve: Serve) -> Answer:
    """The `message` of refused chat requests is an object."""
    return _retold(ask, serve, message={"text": "Invalid request"})


@fault("errors.message-empty", breaks="errors.types")
def message_is_empty(ask: Ask, serve: Serve) -> Answer:
    """The `message` of refused chat requests is empty."""
    return _retold(ask, serve, message="")


@fault("errors.json-as-text", breaks="errors.media")
def errors_are_typed_text(ask: Ask, serve: Serve) -> Answer:
    """Refused chat requests answer JSON typed text/plain."""
    return _refused_chat(ask, serve, lambda answer: answer.with_header("content-type", "text/plain"))


@fault("errors.code-is-status", breaks="errors.code-status")
def code_is_the_status(ask: Ask, serve: Serve) -> Answer:
    """The `code` of refused chat requests is the status as a string."""
    return _retold(ask, serve, code="400")


@fault("errors.none-word", breaks="errors.null-word")
def null_is_a_word(ask: Ask, serve: Serve) -> Answer:
    """The `code` of refused chat requests is the word `None`."""
    return _retold(ask, serve, code="None")


@fault("errors.type-own", breaks="errors.type-name")
def the_type_is_their_own(ask: Ask, serve: Serve) -> Answer:
    """The `type` of refused chat requests is the name of an exception."""
    return _retold(ask, serve, type="BadRequestError")


@fault("errors.inner-error", breaks="errors.internals")
def the_message_holds_another_error(ask: Ask, serve: Serve) -> Answer:
    """The `message` of refused chat requests is the upstream's error as a Python dict."""

    def wrap(body: dict[str, Any]) -> None:
        body["error"]["message"] = f"Error code: 400 - {body}"

    return _refused_chat(ask, serve, lambda answer: edit_error(answer, wrap))


@fault("errors.with-choices", breaks="errors.no-result")
def errors_carry_choices(ask: Ask, serve: Serve) -> Answer:
    """Refused chat requests carry a `usage` beside the error."""
    usage = {"prompt_tokens": 1, "completion_tokens": 0, "total_tokens": 1}
    return _refused_chat(ask, serve, lambda answer: edit_error(answer, lambda body: body.update(usage=usage)))


@fault("errors.as-200", breaks="errors.in-success", also=("embeddings.*", "errors.client-fault"))
def errors_are_answered_200(ask: Ask, serve: Serve) -> Answer:
    """Refused embeddings are answered 200 with the error in the body."""
    answer = serve(ask)
    return replace(answer, status=200) if answer.status == 400 and ask.path.endswith("/embeddings") else answer


# ------------------------------------------------------------------------------------------------- status


@fault("errors.crash", breaks="errors.client-fault")
def broken_json_is_a_500(ask: Ask, serve: Serve) -> Answer:
    """A body that is not JSON is answered 500."""
    if _is_chat(ask) and ask.json is None:
        return refusal(500, "Internal server error", type="server_error").with_header(
            "x-request-id", serve(ask).header("x-request-id") or ""
        )
    return serve(ask)


@fault("errors.method-crash", breaks="errors.client-fault")
def a_wrong_method_is_a_500(ask: Ask, serve: Serve) -> Answer:
    """A method that a path does not have is answered 500."""
    answer = serve(ask)
    return replace(answer, status=500) if answer.status == 405 else answer


@fault("errors.bad-json-404", breaks="errors.bad-json")
def broken_json_is_a_404(ask: Ask, serve: Serve) -> Answer:
    """A body that is not JSON is answered 404."""
    answer = serve(ask)
    return replace(answer, status=404) if _is_chat(ask) and ask.json is None else answer


@fault("errors.list-taken", breaks="errors.not-object", also=("chat.*",))
def a_list_is_taken(ask: Ask, serve: Serve) -> Answer:
    """A body that is a list is taken for one without messages, and answered."""
    if not _is_chat(ask) or not isinstance(ask.json, list):
        return serve(ask)
    return serve(ask.with_json({"model": "gpt-4.1-mini", "messages": TURNS, "max_tokens": 1}))


@fault("errors.no-message-taken", breaks="errors.invalid")
def nothing_is_answered(ask: Ask, serve: Serve) -> Answer:
    """A chat without a message is served as if there was one."""
    return serve(ask.changed(messages=TURNS) if _is_chat(ask) and ask.asked.get("messages") == [] else ask)


@fault("errors.missing-taken", breaks="errors.invalid")
def missing_messages_are_made_up(ask: Ask, serve: Serve) -> Answer:
    """A chat request without messages is answered."""
    if ask.streamed or not _is_chat(ask) or not ask.asked or "messages" in ask.asked:
        return serve(ask)
    return serve(ask.changed(messages=TURNS))


@fault(
    "errors.invalid-404",
    breaks="errors.invalid",
    also=(
        "errors.bad-json",
        "errors.not-object",
        "errors.range",
        "errors.needs-*",
        "errors.orphan",
        "chat.*",
        "cases.*",
    ),
)
def invalid_requests_are_404(ask: Ask, serve: Serve) -> Answer:
    """Chat requests that break the schema are answered 404."""
    return _refused_chat(ask, serve, lambda answer: replace(answer, status=404))


@fault("errors.penalty-unchecked", breaks="errors.range", also=("cases.*",))
def penalties_are_unchecked(ask: Ask, serve: Serve) -> Answer:
    """Penalties out of range are taken silently."""
    asked = ask.asked
    wild = {name: 0 for name in ("frequency_penalty", "presence_penalty") if _is_beyond(asked.get(name), 2)}
    return serve(ask.changed(**wild) if wild else ask)


@fault("errors.top-logprobs-unchecked", breaks="errors.range", also=("cases.*",))
def top_logprobs_are_unchecked(ask: Ask, serve: Serve) -> Answer:
    """`top_logprobs` above 20 is taken for 20."""
    return serve(ask.changed(top_logprobs=20) if _is_beyond(ask.asked.get("top_logprobs"), 20) else ask)


def _is_beyond(value: Any, most: int) -> bool:
    return isinstance(value, int | float) and abs(value) > most


@fault("errors.stream-options-unneeded", breaks="errors.needs-stream", also=("cases.*",))
def stream_options_stand_alone(ask: Ask, serve: Serve) -> Answer:
    """`stream_options` without `stream` is ignored."""
    return serve(ask if ask.streamed or "stream_options" not in ask.asked else ask.without("stream_options"))


@fault("errors.orphan-taken", breaks="errors.orphan")
def orphans_are_taken(ask: Ask, serve: Serve) -> Answer:
    """A tool's result without its call is taken for something that the user said."""
    messages = ask.asked.get("messages")
    if not _is_chat(ask) or not isinstance(messages, list) or not all(isinstance(one, dict) for one in messages):
        return serve(ask)
    if any(one.get("tool_calls") for one in messages):
        return serve(ask)
    taken = [{"role": "user", "content": one.get("content")} if one.get("role") == "tool" else one for one in messages]
    return serve(ask.changed(messages=taken))


# The bounds that a request may break, and the value that a tolerant server works with instead.
BOUNDS = {"top_p": (0, 1), "temperature": (0, 2), "frequency_penalty": (-2, 2), "presence_penalty": (-2, 2)}


@fault("errors.range-unchecked", breaks="errors.range", also=("cases.*", "responses.*"))
def numbers_are_clamped(ask: Ask, serve: Serve) -> Answer:
    """`top_p` and other numbers out of range are taken silently."""
    asked = ask.asked
    clamped = {
        name: min(max(asked[name], low), high)
        for name, (low, high) in BOUNDS.items()
        if isinstance(asked.get(name), int | float)
    }
    return serve(ask.changed(**clamped) if clamped else ask)


@fault("errors.logprobs-unneeded", breaks="errors.needs-logprobs", also=("cases.*", "responses.*"))
def top_logprobs_stand_alone(ask: Ask, serve: Serve) -> Answer:
    """`top_logprobs` without `logprobs` is ignored."""
    return serve(ask if ask.asked.get("logprobs") or "top_logprobs" not in ask.asked else ask.without("top_logprobs"))


@fault("errors.logprobs-unneeded-in-chat", breaks="errors.needs-logprobs")
def top_logprobs_stand_alone_in_chat(ask: Ask, serve: Serve) -> Answer:
    """`top_logprobs` without `logprobs` is ignored in chat."""
    return top_logprobs_stand_alone(ask, serve) if _is_chat(ask) else serve(ask)


@fault("errors.unprocessable", breaks="errors.bad-request-status")
def invalid_requests_are_422(ask: Ask, serve: Serve) -> Answer:
    """Chat requests that break the schema are answered 422."""

    def change(answer: Answer) -> Answer:
        return replace(answer, status=422) if answer.json["error"]["param"] else answer

    return _refused_chat(ask, serve, change)


@fault("errors.param-null", breaks="errors.param")
def param_is_null(ask: Ask, serve: Serve) -> Answer:
    """The `param` of refused chat requests is null."""
    return _retold(ask, serve, param=None)


@fault("errors.model-ignored", breaks="errors.unknown-model")
def any_model_is_served(ask: Ask, serve: Serve) -> Answer:
    """An unknown model is answered by the one there is."""
    answer = serve(ask)
    return serve(ask.changed(model="gpt-4.1-mini")) if _is_chat(ask) and answer.status == 404 else answer


@fault("errors.model-400", breaks="errors.unknown-model")
def an_unknown_model_is_a_400(ask: Ask, serve: Serve) -> Answer:
    """An unknown model is answered 400."""
    return _refused_chat(ask, serve, lambda answer: replace(answer, status=400), 404)


@fault("errors.model-codeless", breaks="errors.unknown-model-code")
def an_unknown_model_has_no_code(ask: Ask, serve: Serve) -> Answer:
    """The code for an unknown model is null."""
    return _refused_chat(
        ask, serve, lambda answer: edit_error(answer, lambda body: body["error"].update(code=None)), 404
    )


@fault("errors.route-200", breaks="errors.unknown-route")
def any_path_is_served(ask: Ask, serve: Serve) -> Answer:
    """An unknown path is answered 200 with a greeting."""
    answer = serve(ask)
    if answer.status != 404 or b"Invalid URL" not in answer.body:
        return answer
    return json_answer({"status": "ok"}, headers=answer.headers[1:])


@fault("errors.method-200", breaks="errors.wrong-method")
def any_method_is_served(ask: Ask, serve: Serve) -> Answer:
    """A method that a path does not have is answered 200 with nothing in it."""
    answer = serve(ask)
    return json_answer({}, headers=answer.headers[1:]) if answer.status == 405 else answer


@fault("errors.after-200", breaks="errors.parity", also=("errors.invalid", "sse.*"))
def streams_are_refused_inside(ask: Ask, serve: Serve) -> Answer:
    """A wrong request with `stream: true` is answered 200, with the error as the first event."""
    if not ask.streamed:
        return serve(ask)

    def change(answer: Answer) -> Answer:
        body = b"data: " + json.dumps(answer.json).encode() + b"\n\ndata: [DONE]\n\n"
        return replace(answer, status=200, body=body).with_header("content-type", "text/event-stream")

    return _refused_chat(ask, serve, change)


@fault("errors.stream-status", breaks="errors.parity")
def streams_are_refused_otherwise(ask: Ask, serve: Serve) -> Answer:
    """A wrong request with `stream: true` is refused with another code than without."""
    return _retold(ask, serve, code="stream_error") if ask.streamed else serve(ask)


@fault("errors.warning-in-success", breaks="errors.in-success")
def warnings_stand_in_successes(ask: Ask, serve: Serve) -> Answer:
    """A chat of stop sequences is answered, with a warning about them in `error`."""
    answer = serve(ask)
    if not _is_chat(ask) or not ask.asked.get("stop"):
        return answer
    return edit_json(answer, lambda body: body | {"error": {"message": "Stop sequences are slow.", "code": None}})


@fault("errors.retry-told", breaks="errors.no-retry")
def mistakes_are_to_be_repeated(ask: Ask, serve: Serve) -> Answer:
    """Refused chat requests carry `x-should-retry: true`."""
    return _refused_chat(ask, serve, lambda answer: answer.with_header("x-should-retry", "true"))


@fault("errors.path-told", breaks="errors.internals")
def the_message_tells_a_path(ask: Ask, serve: Serve) -> Answer:
    """The `message` of refused chat requests names the file of the program that raised it."""
    return _retold(ask, serve, message="Assertion failed in /opt/venv/lib/python3.12/site-packages/engine/protocol.py")


@fault("errors.validator-report", breaks="errors.internals")
def the_message_is_a_report(ask: Ask, serve: Serve) -> Answer:
    """The `message` of refused chat requests is what a validator says of its own classes."""
    return _retold(ask, serve, message="1 validation error for ChatCompletionRequest\nmessages\n  Field required")


@fault("errors.message-bytes", breaks="errors.internals")
def the_message_is_bytes(ask: Ask, serve: Serve) -> Answer:
    """The `message` of refused chat requests are bytes as Python prints them."""

    def wrap(body: dict[str, Any]) -> None:
        body["error"]["message"] = repr(body["error"]["message"].encode())

    return _refused_chat(ask, serve, lambda answer: edit_error(answer, wrap))


@fault("errors.temperature-clamped", breaks="errors.range")
def temperature_is_clamped(ask: Ask, serve: Serve) -> Answer:
    """A `temperature` above 2 is served as 2."""
    told = ask.asked.get("temperature")
    return serve(ask.changed(temperature=2) if _is_chat(ask) and isinstance(told, int | float) and told > 2 else ask)
