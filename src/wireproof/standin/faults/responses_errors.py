"""Departures of responses in what they refuse, and how."""

from __future__ import annotations

from dataclasses import replace

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_error
from wireproof.standin.faults.response_edits import PATH, each_response
from wireproof.standin.wire import EVENT_STREAM, Answer, Ask, Serve, named_event

SERVED = "gpt-4.1-mini"


def _is_made(ask: Ask) -> bool:
    return ask.method == "POST" and ask.path == PATH


@fault("responses.any-model", breaks="responses.errors.unknown-model")
def any_model(ask: Ask, serve: Serve) -> Answer:
    """A model that does not exist is answered by another."""
    answer = serve(ask)
    is_unknown = _is_made(ask) and answer.status in (400, 404) and answer.json["error"]["code"] == "model_not_found"
    return serve(ask.changed(model=SERVED)) if is_unknown else answer


@fault("responses.model-codeless", breaks="responses.errors.unknown-model")
def model_codeless(ask: Ask, serve: Serve) -> Answer:
    """The refusal of a model that does not exist has no code."""
    answer = serve(ask)
    return edit_error(answer, lambda body: body["error"].update(code=None)) if _is_made(ask) else answer


@fault("responses.range-unchecked", breaks="responses.errors.range", also=("responses.echo.settings",))
def range_unchecked(ask: Ask, serve: Serve) -> Answer:
    """A `top_p` above 1 is taken for 1."""
    is_wrong = _is_made(ask) and (ask.asked.get("top_p") or 0) > 1
    return serve(ask.without("top_p")) if is_wrong else serve(ask)


@fault("responses.type-unchecked", breaks="responses.errors.invalid", also=("responses.echo.settings",))
def type_unchecked(ask: Ask, serve: Serve) -> Answer:
    """A `max_output_tokens` that is no number is left out."""
    is_wrong = _is_made(ask) and isinstance(ask.asked.get("max_output_tokens"), str)
    return serve(ask.without("max_output_tokens")) if is_wrong else serve(ask)


@fault("responses.error-in-stream", breaks="responses.errors.stream", also=("sse.error-status",))
def error_in_stream(ask: Ask, serve: Serve) -> Answer:
    """What is refused is answered 200, with an error as the first event, when a stream is asked for."""
    answer = serve(ask)
    if not (_is_made(ask) and ask.streamed and answer.status == 400):
        return answer
    error = answer.json["error"]
    event = {"type": "error", "sequence_number": 0, **{name: error[name] for name in ("code", "message", "param")}}
    headers = tuple((name, value) for name, value in answer.headers if name.lower() != "content-type")
    return Answer(200, (*EVENT_STREAM[:1], *headers), frames=[named_event("error", event)])


@fault("responses.param-null", breaks="responses.errors.param")
def param_null(ask: Ask, serve: Serve) -> Answer:
    """No refusal says which field is wrong."""
    answer = serve(ask)
    return edit_error(answer, lambda body: body["error"].update(param=None)) if _is_made(ask) else answer


@fault("responses.previous-ignored", breaks="responses.errors.previous")
def previous_ignored(ask: Ask, serve: Serve) -> Answer:
    """A `previous_response_id` that names no response is passed over."""
    answer, previous = serve(ask), ask.asked.get("previous_response_id")
    if not _is_made(ask) or previous is None or answer.status == 200:
        return answer
    return each_response(
        ask.without("previous_response_id"), serve, lambda body: body.update(previous_response_id=previous)
    )


@fault("responses.range-not-found", breaks="responses.errors.range")
def range_not_found(ask: Ask, serve: Serve) -> Answer:
    """A `top_p` above 1 is not found: 404."""
    answer = serve(ask)
    is_wrong = _is_made(ask) and answer.status == 400 and (ask.asked.get("top_p") or 0) > 1
    return replace(answer, status=404) if is_wrong else answer


@fault("responses.type-not-found", breaks="responses.errors.invalid")
def type_not_found(ask: Ask, serve: Serve) -> Answer:
    """A `max_output_tokens` that is no number is not found: 404."""
    answer = serve(ask)
    is_wrong = _is_made(ask) and isinstance(ask.asked.get("max_output_tokens"), str)
    return replace(answer, status=404) if is_wrong else answer


@fault("responses.stream-refused-otherwise", breaks="responses.errors.stream")
def stream_refused_otherwise(ask: Ask, serve: Serve) -> Answer:
    """What is refused with 400 is refused with 422 when a stream is asked for."""
    answer = serve(ask)
    return replace(answer, status=422) if _is_made(ask) and ask.streamed and answer.status == 400 else answer
