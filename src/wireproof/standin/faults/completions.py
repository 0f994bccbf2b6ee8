"""Departures of legacy completions, plain and streamed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_both, edit_events, edit_frames, edit_json, refused
from wireproof.standin.wire import Answer, Ask, Frame, Serve, event_frame, event_of

COMPLETIONS = "/v1/completions"

Body = dict[str, Any]


def _both(ask: Ask, serve: Serve, edit: Callable[[Body], Any]) -> Answer:
    """The answer after `edit(body)` of its object, or of each chunk."""
    answer = serve(ask)
    return edit_both(answer, edit) if ask.path == COMPLETIONS else answer


def _choices(ask: Ask, serve: Serve, edit: Callable[[Body], Any]) -> Answer:
    def each(body: Body) -> None:
        for choice in body.get("choices", []):
            edit(choice)

    return _both(ask, serve, each)


def _whole(ask: Ask, serve: Serve, edit: Callable[[Body], Any]) -> Answer:
    return serve(ask) if ask.streamed else _choices(ask, serve, edit)


def _logprobs(ask: Ask, serve: Serve, edit: Callable[[Body], Any]) -> Answer:
    return _whole(ask, serve, lambda choice: edit(choice["logprobs"]) if choice["logprobs"] else None)


def _frames(ask: Ask, serve: Serve, edit: Callable[[list[Frame]], Iterator[Frame]]) -> Answer:
    answer = serve(ask)
    return edit_frames(answer, edit) if ask.path == COMPLETIONS else answer


# ---------------------------------------------------------------------------------------------- the shape


@fault("completions.fingerprint-number", breaks="completions.schema")
def fingerprint_number(ask: Ask, serve: Serve) -> Answer:
    """`system_fingerprint` is a number."""
    return _both(ask, serve, lambda body: body.update(system_fingerprint=17))


@fault("completions.object-of-chat", breaks="completions.object")
def object_of_chat(ask: Ask, serve: Serve) -> Answer:
    """`object` is "chat.completion"."""
    return _both(ask, serve, lambda body: body.update(object="chat.completion"))


@fault("completions.id-missing", breaks="completions.id")
def id_missing(ask: Ask, serve: Serve) -> Answer:
    """There is no `id`."""
    return _both(ask, serve, lambda body: {key: value for key, value in body.items() if key != "id"})


@fault("completions.id-constant", breaks="completions.id-unique")
def id_constant(ask: Ask, serve: Serve) -> Answer:
    """Every answer has the same `id`."""
    return _both(ask, serve, lambda body: body.update(id="cmpl-1"))


@fault("completions.id-of-chat", breaks="completions.id-kind")
def id_of_chat(ask: Ask, serve: Serve) -> Answer:
    """`id` begins with `chatcmpl-`."""
    return _both(ask, serve, lambda body: body.update(id=f"chat{body['id']}"))


@fault("completions.created-ms", breaks="completions.created")
def created_ms(ask: Ask, serve: Serve) -> Answer:
    """`created` is in milliseconds."""
    return _both(ask, serve, lambda body: body.update(created=body["created"] * 1000))


@fault("completions.model-null", breaks="completions.model")
def model_null(ask: Ask, serve: Serve) -> Answer:
    """`model` is null."""
    return _both(ask, serve, lambda body: body.update(model=None))


@fault("completions.model-path", breaks="completions.model-path")
def model_path(ask: Ask, serve: Serve) -> Answer:
    """`model` is the path of a file of weights."""
    return _both(ask, serve, lambda body: body.update(model=f"/models/{body['model']}.gguf"))


@fault("completions.n-ignored", breaks="completions.choices")
def n_ignored(ask: Ask, serve: Serve) -> Answer:
    """One choice a prompt whatever `n` asks."""
    return serve(ask.without("n")) if ask.path == COMPLETIONS else serve(ask)


@fault("completions.first-prompt-only", breaks="completions.choices")
def first_prompt_only(ask: Ask, serve: Serve) -> Answer:
    """Of several prompts only the first is answered."""
    prompt = ask.asked.get("prompt")
    if ask.path == COMPLETIONS and isinstance(prompt, list) and prompt and isinstance(prompt[0], str):
        return serve(ask.changed(prompt=prompt[0]))
    return serve(ask)


@fault("completions.index-by-prompt", breaks="completions.choices")
def index_by_prompt(ask: Ask, serve: Serve) -> Answer:
    """`index` begins again with each prompt."""
    asked = ask.asked.get("n")
    each = asked if type(asked) is int and asked > 0 else 1
    return _choices(ask, serve, lambda choice: choice.update(index=choice["index"] % each))


@fault("completions.text-null", breaks="completions.text")
def text_null(ask: Ask, serve: Serve) -> Answer:
    """`text` is null where nothing is added, in the chunk that finishes a choice."""
    return _choices(ask, serve, lambda choice: choice.update(text=choice["text"] or None))


# ------------------------------------------------------------------------------------------- why it ended


@fault("completions.finish-uppercase", breaks="completions.finish-reason", also=("completions.stop-finish",))
def finish_uppercase(ask: Ask, serve: Serve) -> Answer:
    """`finish_reason` is written in capitals."""
    return _whole(ask, serve, lambda choice: choice.update(finish_reason=choice["finish_reason"].upper()))


@fault("completions.finish-always-stop", breaks="completions.finish-length")
def finish_always_stop(ask: Ask, serve: Serve) -> Answer:
    """`finish_reason` is stop although the limit cut the text."""
    return _whole(ask, serve, lambda choice: choice.update(finish_reason="stop"))


@fault("completions.max-tokens-ignored", breaks="completions.max-tokens", also=("completions.*",))
def max_tokens_ignored(ask: Ask, serve: Serve) -> Answer:
    """At least 40 tokens whatever `max_tokens` says."""
    return serve(ask.changed(max_tokens=40, min_tokens=40)) if ask.path == COMPLETIONS else serve(ask)


# ------------------------------------------------------------------------------------------- stop and echo


@fault("completions.stop-ignored", breaks="completions.stop")
def stop_ignored(ask: Ask, serve: Serve) -> Answer:
    """`stop` has no effect."""
    return serve(ask.without("stop")) if ask.path == COMPLETIONS else serve(ask)


@fault("completions.stop-first-only", breaks="completions.stop")
def stop_first_only(ask: Ask, serve: Serve) -> Answer:
    """Of a list of stop sequences only the first has effect."""
    stop = ask.asked.get("stop")
    if ask.path == COMPLETIONS and isinstance(stop, list):
        return serve(ask.changed(stop=stop[:1]))
    return serve(ask)


@fault("completions.stop-says-length", breaks="completions.stop-finish")
def stop_says_length(ask: Ask, serve: Serve) -> Answer:
    """`finish_reason` is length although a stop sequence ended the text."""
    return _whole(ask, serve, lambda choice: choice.update(finish_reason="length"))


@fault("completions.echo-ignored", breaks="completions.echo")
def echo_ignored(ask: Ask, serve: Serve) -> Answer:
    """`echo` has no effect."""
    return serve(ask.without("echo")) if ask.path == COMPLETIONS else serve(ask)


@fault(
    "completions.always-echo",
    breaks="completions.echo-unasked",
    also=("completions.logprobs-negative", "completions.stream.text"),
)
def always_echo(ask: Ask, serve: Serve) -> Answer:
    """The text begins with the prompt whether asked for or not."""
    is_meant = ask.path == COMPLETIONS and not ask.streamed
    return serve(ask.changed(echo=True)) if is_meant else serve(ask)


# ----------------------------------------------------------------------------------------------- logprobs


@fault("completions.logprobs-ignored", breaks="completions.logprobs")
def logprobs_ignored(ask: Ask, serve: Serve) -> Answer:
    """`logprobs` has no effect."""
    return _whole(ask, serve, lambda choice: choice.update(logprobs=None))


@fault("completions.logprobs-of-chat", breaks="completions.logprobs")
def logprobs_of_chat(ask: Ask, serve: Serve) -> Answer:
    """Log probabilities have the shape of chat."""

    def edit(choice: Body) -> None:
        found = choice["logprobs"]
        if found:
            rows = zip(found["tokens"], found["token_logprobs"], strict=True)
            choice["logprobs"] = {"content": [{"token": token, "logprob": logprob} for token, logprob in rows]}

    return _whole(ask, serve, edit)


@fault("completions.logprobs-text-missing", breaks="completions.logprobs-text")
def logprobs_text_missing(ask: Ask, serve: Serve) -> Answer:
    """The lists begin with the second token."""

    def edit(logprobs: Body) -> None:
        for rows in logprobs.values():
            del rows[0]

    return _logprobs(ask, serve, edit)


@fault("completions.logprobs-probabilities", breaks="completions.logprobs-negative")
def logprobs_probabilities(ask: Ask, serve: Serve) -> Answer:
    """`token_logprobs` are probabilities."""
    return _logprobs(
        ask, serve, lambda logprobs: logprobs.update(token_logprobs=[0.5 for _ in logprobs["token_logprobs"]])
    )


@fault("completions.logprobs-top-all", breaks="completions.logprobs-top")
def logprobs_top_all(ask: Ask, serve: Serve) -> Answer:
    """Five candidates a token whatever number is asked for."""
    if ask.path == COMPLETIONS and ask.asked.get("logprobs"):
        return serve(ask.changed(logprobs=5))
    return serve(ask)


@fault("completions.logprobs-offset-zero", breaks="completions.logprobs-offset")
def logprobs_offset_zero(ask: Ask, serve: Serve) -> Answer:
    """`text_offset` is 0 for every token."""
    return _logprobs(ask, serve, lambda logprobs: logprobs.update(text_offset=[0 for _ in logprobs["text_offset"]]))


@fault("completions.logprobs-always", breaks="completions.logprobs-unasked")
def logprobs_always(ask: Ask, serve: Serve) -> Answer:
    """Log probabilities come whether asked for or not."""
    if ask.path != COMPLETIONS or ask.asked.get("logprobs") is not None:
        return serve(ask)
    return serve(ask.changed(logprobs=1))


# ----------------------------------------------------------------------------------------------- streamed


@fault("completions.stream.id-changes", breaks="completions.stream.same")
def stream_id_changes(ask: Ask, serve: Serve) -> Answer:
    """Every chunk has an `id` of its own."""

    def edit(frames: list[Frame]) -> Iterator[Frame]:
        for number, frame in enumerate(frames):
            event = event_of(frame)
            yield frame if event is None else event_frame({**event, "id": f"{event['id']}{number}"}, frame.delay_ms)

    return _frames(ask, serve, edit)


@fault("completions.stream.no-finish", breaks="completions.stream.finish")
def stream_no_finish(ask: Ask, serve: Serve) -> Answer:
    """No chunk has a `finish_reason`."""
    return _choices(ask, serve, lambda choice: choice.update(finish_reason=None)) if ask.streamed else serve(ask)


@fault("completions.stream.finish-always", breaks="completions.stream.finish")
def stream_finish_always(ask: Ask, serve: Serve) -> Answer:
    """Every chunk has a `finish_reason`."""
    return _choices(ask, serve, lambda choice: choice.update(finish_reason="stop")) if ask.streamed else serve(ask)


@fault("completions.stream.usage-ignored", breaks="completions.stream.usage")
def stream_usage_ignored(ask: Ask, serve: Serve) -> Answer:
    """`stream_options` has no effect."""
    return serve(ask.without("stream_options")) if ask.path == COMPLETIONS else serve(ask)


@fault("completions.stream.usage-with-choices", breaks="completions.stream.usage")
def stream_usage_with_choices(ask: Ask, serve: Serve) -> Answer:
    """The chunk with the usage has a choice."""

    def edit(body: Body) -> None:
        if body.get("usage"):
            body["choices"] = [{"index": 0, "text": "", "logprobs": None, "finish_reason": None}]

    answer = serve(ask)
    return edit_events(answer, edit) if ask.path == COMPLETIONS else answer


@fault("completions.stream.usage-everywhere", breaks="completions.stream.usage-once")
def stream_usage_everywhere(ask: Ask, serve: Serve) -> Answer:
    """Every chunk has counts, as far as they go."""

    def edit(body: Body) -> None:
        if "usage" in body and body["usage"] is None:
            body["usage"] = {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}

    answer = serve(ask)
    return edit_events(answer, edit) if ask.path == COMPLETIONS else answer


@fault("completions.stream.first-lost", breaks="completions.stream.text")
def stream_first_lost(ask: Ask, serve: Serve) -> Answer:
    """The first piece of the text is not sent."""
    return _frames(ask, serve, lambda frames: iter(frames[1:]))


# ----------------------------------------------------------------------------------------------- accepted


@fault("completions.batch-refused", breaks="completions.accepts")
def batch_refused(ask: Ask, serve: Serve) -> Answer:
    """`prompt` must be a string."""
    answer = serve(ask)
    if ask.path == COMPLETIONS and isinstance(ask.asked.get("prompt"), list):
        return refused(answer, "prompt: Input should be a valid string", param="prompt")
    return answer


@fault("completions.usage-missing", breaks="usage.present")
def usage_missing(ask: Ask, serve: Serve) -> Answer:
    """There is no `usage`, in legacy completions alone."""
    answer = serve(ask)
    if ask.path != COMPLETIONS:
        return answer
    return edit_json(answer, lambda body: {key: value for key, value in body.items() if key != "usage"})


@fault("completions.finish-of-others", breaks="completions.finish-reason")
def finish_of_others(ask: Ask, serve: Serve) -> Answer:
    """A plain text that the limit cut ends for `max_tokens`."""
    if ask.asked.get("stop") or ask.asked.get("n"):
        return serve(ask)
    return _whole(ask, serve, lambda choice: choice.update(finish_reason="max_tokens"))


@fault("completions.echo-everywhere", breaks="completions.echo-unasked")
def echo_everywhere(ask: Ask, serve: Serve) -> Answer:
    """The prompt stands before every text, streamed or not, and none of its tokens has a null."""
    if ask.path != COMPLETIONS or not isinstance(ask.asked.get("prompt"), str) or ask.asked.get("echo"):
        return serve(ask)

    def fill(body: Body) -> None:
        for choice in body.get("choices", []):
            if choice["logprobs"]:
                rows = choice["logprobs"]
                rows["token_logprobs"] = [-1.0 if one is None else one for one in rows["token_logprobs"]]

    return edit_both(serve(ask.changed(echo=True)), fill)
