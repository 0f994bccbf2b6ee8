"""Departures of chat in one piece: the shape of an answer, why it ended, limits and stops; those of its text apart."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_both, edit_json, refused
from wireproof.standin.wire import Answer, Ask, Serve

CHAT = "/v1/chat/completions"
NOT_PLAIN = ("tools", "response_format", "store", "stream", "logprobs")

Body = dict[str, Any]


def is_plain(ask: Ask) -> bool:
    """A question in words that is answered in words, in one piece: no tools, no schema, no log probabilities."""
    messages = ask.asked.get("messages")
    return (
        ask.path == CHAT
        and ask.method == "POST"
        and isinstance(messages, list)
        and all(isinstance(message, dict) for message in messages)
        and not any(ask.asked.get(name) for name in NOT_PLAIN)
    )


def number(ask: Ask, name: str) -> int:
    """A parameter that is a whole number, 0 when it is absent, null or anything else."""
    value = ask.asked.get(name)
    return value if type(value) is int else 0


def _body(ask: Ask, serve: Serve, edit: Callable[[Body], Any]) -> Answer:
    answer = serve(ask)
    return edit_json(answer, edit) if is_plain(ask) else answer


def _choices(ask: Ask, serve: Serve, edit: Callable[[Body], Any]) -> Answer:
    """The answer after `edit(choice)` of each choice, changed in place."""

    def each(body: Body) -> None:
        for choice in body["choices"]:
            edit(choice)

    return _body(ask, serve, each)


def each_message(ask: Ask, serve: Serve, edit: Callable[[Body], Any]) -> Answer:
    """The answer after `edit(message)` of each choice, changed in place."""
    return _choices(ask, serve, lambda choice: edit(choice["message"]))


def _is_plain_stream(ask: Ask) -> bool:
    return ask.streamed and is_plain(ask.without("stream"))


def each_told(ask: Ask, serve: Serve, edit: Callable[[Body, str], Any]) -> Answer:
    """`edit(choice, "message" or "delta")` of each choice, streamed or not, changed in place."""
    if not is_plain(ask) and not _is_plain_stream(ask):
        return serve(ask)

    def each(body: Body) -> None:
        for choice in body.get("choices", []):
            edit(choice, "delta" if ask.streamed else "message")

    return edit_both(serve(ask), each)


def _serial(ask: Ask) -> str:
    """Something that differs from question to question and not from call to call."""
    return hashlib.blake2b(ask.body, digest_size=8).hexdigest()


# ---------------------------------------------------------------------------------------------- the shape


@fault("chat.fingerprint-number", breaks="chat.schema")
def fingerprint_number(ask: Ask, serve: Serve) -> Answer:
    """`system_fingerprint` is a number."""
    return _body(ask, serve, lambda body: body.update(system_fingerprint=17))


@fault("chat.refusal-false", breaks="chat.schema")
def refusal_false(ask: Ask, serve: Serve) -> Answer:
    """`refusal` is false where it should be null."""
    return each_message(ask, serve, lambda message: message.update(refusal=False))


@fault("chat.message-missing", breaks="chat.schema")
def message_missing(ask: Ask, serve: Serve) -> Answer:
    """A choice has `text` in place of `message`."""

    def edit(choice: Body) -> None:
        choice["text"] = choice.pop("message")["content"]

    return _choices(ask, serve, edit)


@fault("chat.object-plural", breaks="chat.object")
def object_plural(ask: Ask, serve: Serve) -> Answer:
    """`object` is "chat.completions"."""
    return _body(ask, serve, lambda body: body.update(object="chat.completions"))


@fault("chat.id-empty", breaks="chat.id")
def id_empty(ask: Ask, serve: Serve) -> Answer:
    """`id` is an empty string."""
    return _body(ask, serve, lambda body: body.update(id=""))


@fault("chat.id-constant", breaks="chat.id-unique")
def id_constant(ask: Ask, serve: Serve) -> Answer:
    """Every answer has the same `id`."""
    return _body(ask, serve, lambda body: body.update(id="chatcmpl-1"))


@fault("chat.id-by-content", breaks="chat.id-unique")
def id_by_content(ask: Ask, serve: Serve) -> Answer:
    """`id` is a hash of the question, the same whenever it is asked."""
    return _body(ask, serve, lambda body: body.update(id=f"chatcmpl-{_serial(ask)}"))


@fault("chat.id-of-completions", breaks="chat.id-kind")
def id_of_completions(ask: Ask, serve: Serve) -> Answer:
    """`id` begins with `cmpl-`."""
    return _body(ask, serve, lambda body: body.update(id=body["id"].removeprefix("chat")))


@fault("chat.created-ms", breaks="chat.created")
def created_ms(ask: Ask, serve: Serve) -> Answer:
    """`created` is in milliseconds."""
    return _body(ask, serve, lambda body: body.update(created=body["created"] * 1000))


@fault("chat.created-fraction", breaks="chat.created")
def created_fraction(ask: Ask, serve: Serve) -> Answer:
    """`created` has a fraction."""
    return _body(ask, serve, lambda body: body.update(created=body["created"] + 0.25))


@fault("chat.model-path", breaks="chat.model", also=("chat.parity.model",))
def model_path(ask: Ask, serve: Serve) -> Answer:
    """`model` is the path of a file of weights."""
    return _body(ask, serve, lambda body: body.update(model=f"/models/{body['model']}.gguf"))


@fault("chat.model-path-everywhere", breaks="chat.model")
def model_path_everywhere(ask: Ask, serve: Serve) -> Answer:
    """`model` is the path of a file of weights, in plain answers as in streams."""
    if not is_plain(ask) and not _is_plain_stream(ask):
        return serve(ask)
    return edit_both(serve(ask), lambda body: body.update(model=f"/models/{body['model']}.gguf"))


@fault("chat.choice-index-from-1", breaks="chat.choices", also=("chat.n",))
def choice_index_from_1(ask: Ask, serve: Serve) -> Answer:
    """`index` of the first choice is 1."""
    return _choices(ask, serve, lambda choice: choice.update(index=choice["index"] + 1))


@fault("chat.choice-index-missing", breaks="chat.choices", also=("chat.n",))
def choice_index_missing(ask: Ask, serve: Serve) -> Answer:
    """Choices have no `index`."""
    return _choices(ask, serve, lambda choice: choice.pop("index"))


@fault("chat.choice-index-missing-alone", breaks="chat.choices")
def only_choice_without_index(ask: Ask, serve: Serve) -> Answer:
    """A choice that is the only one has no `index`."""
    return serve(ask) if number(ask, "n") > 1 else _choices(ask, serve, lambda choice: choice.pop("index"))


@fault("chat.n-ignored", breaks="chat.n")
def n_ignored(ask: Ask, serve: Serve) -> Answer:
    """One choice whatever `n` asks."""
    return serve(ask.without("n")) if is_plain(ask) else serve(ask)


@fault("chat.n-same-index", breaks="chat.n")
def n_same_index(ask: Ask, serve: Serve) -> Answer:
    """All choices have `index` 0."""
    return _choices(ask, serve, lambda choice: choice.update(index=0))


@fault("chat.role-model", breaks="chat.role")
def role_model(ask: Ask, serve: Serve) -> Answer:
    """The role of the message is "model"."""
    return each_message(ask, serve, lambda message: message.update(role="model"))


@fault("chat.role-missing", breaks="chat.role")
def role_missing(ask: Ask, serve: Serve) -> Answer:
    """The message has no role."""
    return each_message(ask, serve, lambda message: message.pop("role"))


@fault("chat.content-parts", breaks="chat.content", also=("chat.*",))
def content_parts(ask: Ask, serve: Serve) -> Answer:
    """`content` of the answer is a list of parts."""
    return each_message(
        ask, serve, lambda message: message.update(content=[{"type": "text", "text": message["content"]}])
    )


@fault("chat.content-missing", breaks="chat.content", also=("chat.*",))
def content_missing(ask: Ask, serve: Serve) -> Answer:
    """The message has no key `content`."""
    return each_message(ask, serve, lambda message: message.pop("content"))


@fault("chat.content-missing-when-cut", breaks="chat.content")
def content_missing_when_cut(ask: Ask, serve: Serve) -> Answer:
    """The message has no key `content` when a small limit leaves no room for it."""
    cap = number(ask, "max_tokens") or number(ask, "max_completion_tokens")
    return each_message(ask, serve, lambda message: message.pop("content")) if 0 < cap <= 5 else serve(ask)


# ------------------------------------------------------------------------------------------- why it ended


@fault("chat.finish-uppercase", breaks="chat.finish-reason", also=("chat.finish-length", "chat.stop-finish", "chat.p*"))
def finish_uppercase(ask: Ask, serve: Serve) -> Answer:
    """`finish_reason` is written in capitals."""
    return _choices(ask, serve, lambda choice: choice.update(finish_reason=choice["finish_reason"].upper()))


@fault("chat.finish-null", breaks="chat.finish-reason", also=("chat.finish-length", "chat.stop-finish", "chat.p*"))
def finish_null(ask: Ask, serve: Serve) -> Answer:
    """`finish_reason` is null in a finished answer."""
    return _choices(ask, serve, lambda choice: choice.update(finish_reason=None))


@fault("chat.finish-null-for-n", breaks="chat.finish-reason")
def finish_null_for_n(ask: Ask, serve: Serve) -> Answer:
    """Of several choices only the first has a `finish_reason`."""
    return _choices(ask, serve, lambda choice: choice.update(finish_reason=None) if choice["index"] else None)


@fault("chat.finish-always-stop", breaks="chat.finish-length", also=("chat.parity.finish",))
def finish_always_stop(ask: Ask, serve: Serve) -> Answer:
    """`finish_reason` is stop although the limit cut the text."""
    return _choices(ask, serve, lambda choice: choice.update(finish_reason="stop"))


@fault("chat.finish-stop-when-short", breaks="chat.finish-length")
def finish_stop_when_short(ask: Ask, serve: Serve) -> Answer:
    """`finish_reason` is stop where a limit of a few tokens cut the text."""
    cap = number(ask, "max_tokens") or number(ask, "max_completion_tokens")
    is_short = 0 < cap <= 2
    return _choices(ask, serve, lambda choice: choice.update(finish_reason="stop")) if is_short else serve(ask)


@fault("chat.finish-always-length", breaks="chat.length-at-cap", also=("chat.stop-finish",))
def finish_always_length(ask: Ask, serve: Serve) -> Answer:
    """`finish_reason` is length wherever a limit was given."""
    return _choices(ask, serve, lambda choice: choice.update(finish_reason="length"))


@fault("chat.cap-ignored-uncounted", breaks="chat.cap-cuts")
def cap_ignored_uncounted(ask: Ask, serve: Serve) -> Answer:
    """The whole text whatever the limit, while `usage` tells of the limit."""
    cap = number(ask, "max_tokens")
    if not is_plain(ask) or not 0 < cap <= 10 or ask.asked.get("n"):
        return serve(ask)

    def edit(body: Body) -> None:
        usage = body["usage"]
        usage["completion_tokens"] = cap
        usage["total_tokens"] = cap + usage["prompt_tokens"]

    return edit_json(serve(ask.changed(max_tokens=24)), edit)


@fault("chat.max-tokens-ignored", breaks="chat.max-tokens", also=("chat.cap-cuts", "chat.parity.*"))
def max_tokens_ignored(ask: Ask, serve: Serve) -> Answer:
    """`max_tokens` has no effect."""
    return serve(ask.without("max_tokens")) if is_plain(ask) else serve(ask)


@fault("chat.max-tokens-plus-one", breaks="chat.max-tokens", also=("chat.parity.*",))
def max_tokens_plus_one(ask: Ask, serve: Serve) -> Answer:
    """One token more than `max_tokens`."""
    cap = number(ask, "max_tokens")
    return serve(ask.changed(max_tokens=cap + 1)) if is_plain(ask) and cap > 0 else serve(ask)


@fault("chat.max-completion-tokens-ignored", breaks="chat.max-completion-tokens")
def max_completion_tokens_ignored(ask: Ask, serve: Serve) -> Answer:
    """`max_completion_tokens` has no effect."""
    return serve(ask.without("max_completion_tokens")) if is_plain(ask) else serve(ask)


# --------------------------------------------------------------------------------------------------- stop


@fault("chat.stop-ignored", breaks="chat.stop")
def stop_ignored(ask: Ask, serve: Serve) -> Answer:
    """`stop` has no effect."""
    return serve(ask.without("stop")) if is_plain(ask) else serve(ask)


@fault("chat.stop-first-only", breaks="chat.stop")
def stop_first_only(ask: Ask, serve: Serve) -> Answer:
    """Of a list of stop sequences only the first has effect."""
    stop = ask.asked.get("stop")
    return serve(ask.changed(stop=stop[:1])) if is_plain(ask) and isinstance(stop, list) else serve(ask)


@fault("chat.stop-included", breaks="chat.stop")
def stop_included(ask: Ask, serve: Serve) -> Answer:
    """The text ends with the stop sequence."""
    stop = ask.asked.get("stop")
    if not isinstance(stop, str):
        return serve(ask)
    return each_message(ask, serve, lambda message: message.update(content=message["content"] + stop))


@fault("chat.stop-says-length", breaks="chat.stop-finish")
def stop_says_length(ask: Ask, serve: Serve) -> Answer:
    """`finish_reason` is length although a stop sequence ended the text."""
    cap = number(ask, "max_tokens")

    def edit(body: Body) -> None:
        for choice in body["choices"]:
            choice["finish_reason"] = "length"
        body["usage"]["completion_tokens"] = cap
        body["usage"]["total_tokens"] = cap + body["usage"]["prompt_tokens"]

    return _body(ask, serve, edit) if ask.asked.get("stop") else serve(ask)


@fault("chat.stop-drops-token", breaks="chat.stop-keeps")
def stop_drops_token(ask: Ask, serve: Serve) -> Answer:
    """What stands before the stop sequence in the same word is lost with it."""
    if not ask.asked.get("stop"):
        return serve(ask)
    return each_message(ask, serve, lambda message: message.update(content=message["content"][:-1]))


# --------------------------------------------------------------------------------------------- what is asked


def _prompt_tokens(ask: Ask, serve: Serve, more: int) -> Answer:
    def edit(body: Body) -> None:
        body["usage"]["prompt_tokens"] += more
        body["usage"]["total_tokens"] += more

    return _body(ask, serve, edit)


@fault("chat.parts-as-written", breaks="chat.parts", also=("chat.reach.*",))
def parts_as_written(ask: Ask, serve: Serve) -> Answer:
    """Content given as parts reaches the model as JSON."""

    def spelled(message: Body) -> Body:
        content = message.get("content")
        return {**message, "content": json.dumps(content)} if isinstance(content, list) else message

    if not is_plain(ask):
        return serve(ask)
    return serve(ask.changed(messages=[spelled(message) for message in ask.asked["messages"]]))


@fault("chat.part-as-written", breaks="chat.parts")
def part_as_written(ask: Ask, serve: Serve) -> Answer:
    """Content of a single part reaches the model as JSON."""
    messages = ask.asked.get("messages") or [{}]
    content = messages[0].get("content") if is_plain(ask) else None
    if not isinstance(content, list) or len(content) != 1:
        return serve(ask)
    return serve(ask.changed(messages=[{**messages[0], "content": json.dumps(content)}, *messages[1:]]))


@fault("chat.nulls-in-prompt", breaks="chat.nulls")
def nulls_in_prompt(ask: Ask, serve: Serve) -> Answer:
    """Parameters that are null are written into the prompt."""
    nulls = sum(value is None for value in ask.asked.values())
    return _prompt_tokens(ask, serve, nulls) if nulls else serve(ask)


@fault("chat.nulls-refused", breaks="chat.accepts")
def nulls_refused(ask: Ask, serve: Serve) -> Answer:
    """Optional parameters may be absent but not null."""
    null = next((name for name, value in ask.asked.items() if value is None), None)
    if null is None or not is_plain(ask):
        return serve(ask)
    return refused(serve(ask), f"{null}: Input should be a valid value, got null", param=null)


@fault("chat.parts-refused", breaks="chat.accepts", also=("chat.reach.*",))
def parts_refused(ask: Ask, serve: Serve) -> Answer:
    """Content must be a string: parts are refused."""
    if is_plain(ask) and any(isinstance(message.get("content"), list) for message in ask.asked["messages"]):
        return refused(serve(ask), "messages.0.content: Input should be a valid string", param="messages")
    return serve(ask)


@fault("chat.n-fails", breaks="chat.accepts")
def n_fails(ask: Ask, serve: Serve) -> Answer:
    """More than one choice is an internal error."""
    if is_plain(ask) and number(ask, "n") > 1:
        return refused(serve(ask), "internal error", status=500)
    return serve(ask)
