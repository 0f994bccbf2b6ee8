"""Departures of streamed responses in their events: types, numbers, indices, ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_frames, told_again
from wireproof.standin.faults.response_edits import (
    PATH,
    each_item,
    events,
    frames,
    is_of_words,
    is_unkept,
    last_response,
    tells_response,
    type_of,
    unkept,
)
from wireproof.standin.wire import DONE, Answer, Ask, Frame, Serve, event_frame, event_of

Body = dict[str, Any]

TEXT_DELTA = "response.output_text.delta"
TEXT_DONE = "response.output_text.done"


def _raw(ask: Ask, serve: Serve, edit: Callable[[list[Frame]], Iterator[Frame]]) -> Answer:
    """A stream after `edit(frames)`, whose numbers stay as they are."""
    answer = serve(ask)
    return edit_frames(answer, edit) if tells_response(ask) else answer


# ------------------------------------------------------------------------------------ each event by itself


def _as_chunk(event: Body) -> Body:
    choice = {"index": 0, "delta": {"content": event["delta"]}, "finish_reason": None}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


@fault("responses.stream.chat-chunks", breaks="responses.stream.typed")
def chat_chunks(ask: Ask, serve: Serve) -> Answer:
    """Beside each delta comes the chunk of a chat completion that it was made of."""

    def mixed(found: list[Frame]) -> Iterator[Frame]:
        for frame in found:
            if type_of(frame) == TEXT_DELTA:
                yield event_frame(_as_chunk(event_of(frame) or {}))
            yield frame

    return _raw(ask, serve, mixed)


@fault(
    "responses.stream.chat-chunks-only",
    breaks="responses.stream.typed",
    also=("responses.stream.*", "responses.logprobs.streamed", "responses.stored.resume*"),
)
def chat_chunks_only(ask: Ask, serve: Serve) -> Answer:
    """The text comes in chunks of a chat completion."""

    def replaced(found: list[Frame]) -> Iterator[Frame]:
        for frame in found:
            is_delta = type_of(frame) == TEXT_DELTA
            yield event_frame(_as_chunk(event_of(frame) or {}), frame.delay_ms) if is_delta else frame

    return _raw(ask, serve, replaced)


@fault("responses.stream.event-line-missing", breaks="responses.stream.event-line")
def event_line_missing(ask: Ask, serve: Serve) -> Answer:
    """The stream has data lines only."""

    def bare(found: list[Frame]) -> Iterator[Frame]:
        for frame in found:
            yield Frame(frame.delay_ms, frame.data[frame.data.find(b"data: ") :])

    return _raw(ask, serve, bare)


@fault("responses.stream.done", breaks="responses.stream.no-done")
def done(ask: Ask, serve: Serve) -> Answer:
    """A stream ends with [DONE]."""
    return _raw(ask, serve, lambda found: iter([*found, Frame(0, DONE)]))


@fault("responses.stream.reasoning-string", breaks="responses.stream.schema")
def reasoning_string(ask: Ask, serve: Serve) -> Answer:
    """`reasoning` is a string in the first event."""
    return events(ask, serve, "response.created", lambda event: event["response"].update(reasoning="low"))


@fault("responses.stream.delta-object", breaks="responses.stream.delta", also=("responses.stream.text",))
def delta_object(ask: Ask, serve: Serve) -> Answer:
    """The delta of a text is an object."""
    return events(ask, serve, TEXT_DELTA, lambda event: event.update(delta={"text": event["delta"]}))


@fault("responses.stream.part-text", breaks="responses.stream.parts")
def part_text(ask: Ask, serve: Serve) -> Answer:
    """The part that is added is of type `text`."""
    return events(ask, serve, "response.content_part.added", lambda event: event["part"].update(type="text"))


@fault("responses.stream.indices-missing", breaks="responses.stream.indices")
def indices_missing(ask: Ask, serve: Serve) -> Answer:
    """Deltas have neither `output_index` nor `content_index`."""
    return events(ask, serve, TEXT_DELTA, lambda event: {k: v for k, v in event.items() if not k.endswith("_index")})


# ------------------------------------------------------------------------------------------ their numbers


@fault("responses.stream.sequence-missing", breaks="responses.stream.sequence")
def sequence_missing(ask: Ask, serve: Serve) -> Answer:
    """No event has a `sequence_number`."""
    return events(ask, serve, "*", lambda event: {k: v for k, v in event.items() if k != "sequence_number"})


@fault("responses.stream.sequence-constant", breaks="responses.stream.sequence")
def sequence_constant(ask: Ask, serve: Serve) -> Answer:
    """Every event has the number 0."""
    return events(ask, serve, "*", lambda event: event.update(sequence_number=0))


@fault("responses.stream.sequence-restarts", breaks="responses.stream.sequence")
def sequence_restarts(ask: Ask, serve: Serve) -> Answer:
    """The numbers start anew with the first event that says that something is done."""

    def counted(found: list[Frame]) -> Iterator[Frame]:
        number, is_second = 0, False
        for frame in found:
            event = event_of(frame)
            if event is None:
                yield frame
                continue
            if event["type"].endswith(".done") and not is_second:
                number, is_second = 0, True
            yield told_again(frame, {**event, "sequence_number": number})
            number += 1

    return _raw(ask, serve, counted) if is_unkept(ask) else serve(ask)


# ------------------------------------------------------------------------------------ what stays the same


@fault("responses.stream.id-changes", breaks="responses.stream.id")
def id_changes(ask: Ask, serve: Serve) -> Answer:
    """The last event has another response id."""
    return last_response(ask, serve, lambda body: body.update(id=body["id"] + "x"))


@fault("responses.stream.created-at-changes", breaks="responses.stream.created-at")
def created_at_changes(ask: Ask, serve: Serve) -> Answer:
    """`created_at` is the time of the event."""
    return last_response(ask, serve, lambda body: body.update(created_at=body["created_at"] + 5))


@fault("responses.stream.model-changes", breaks="responses.stream.model")
def model_changes(ask: Ask, serve: Serve) -> Answer:
    """The last event names another model."""
    return last_response(ask, serve, lambda body: body.update(model=body["model"] + "-alias"))


@fault("responses.stream.item-id-invented", breaks="responses.stream.item-id")
def item_id_invented(ask: Ask, serve: Serve) -> Answer:
    """Deltas name an item that was never added."""
    return unkept(ask, serve, TEXT_DELTA, lambda event: event.update(item_id="msg_0"))


@fault("responses.stream.item-id-missing", breaks="responses.stream.item-id", also=("responses.item-ids",))
def item_id_missing(ask: Ask, serve: Serve) -> Answer:
    """Items of a stream have no `id`."""

    def edit(item: Body) -> None:
        item.pop("id", None)

    return each_item(ask, serve, edit) if is_unkept(ask) and ask.streamed else serve(ask)


@fault("responses.stream.call-renamed", breaks="responses.stream.item-kind")
def call_renamed(ask: Ask, serve: Serve) -> Answer:
    """A call is added under one name and done under another."""

    def edit(event: Body) -> None:
        if event["item"]["type"] == "function_call":
            event["item"]["name"] = "pending"

    return unkept(ask, serve, "response.output_item.added", edit)


@fault("responses.stream.status-early", breaks="responses.stream.status")
def status_early(ask: Ask, serve: Serve) -> Answer:
    """The response is completed when it is created."""
    return unkept(ask, serve, "response.created", lambda event: event["response"].update(status="completed"))


@fault("responses.stream.response-missing", breaks="responses.stream.response")
def response_missing(ask: Ask, serve: Serve) -> Answer:
    """`response.in_progress` holds no response."""
    return unkept(ask, serve, "response.in_progress", lambda event: {k: v for k, v in event.items() if k != "response"})


@fault("responses.stream.settings-default", breaks="responses.stream.settings")
def settings_default(ask: Ask, serve: Serve) -> Answer:
    """The response that is created has the default temperature."""
    return unkept(ask, serve, "response.created", lambda event: event["response"].update(temperature=1.0))


@fault("responses.stream.call-nameless", breaks="responses.stream.item-kind")
def call_nameless(ask: Ask, serve: Serve) -> Answer:
    """A call is added without its `name` and `call_id`."""

    def edit(event: Body) -> None:
        for name in ("name", "call_id"):
            event["item"].pop(name, None)

    return unkept(ask, serve, "response.output_item.added", edit)


@fault("responses.stream.done-in-progress", breaks="responses.stream.item-kind")
def done_in_progress(ask: Ask, serve: Serve) -> Answer:
    """An item that is done is in progress."""
    return unkept(ask, serve, "response.output_item.done", lambda event: event["item"].update(status="in_progress"))


@fault("responses.stream.response-bare", breaks="responses.stream.response")
def response_bare(ask: Ask, serve: Serve) -> Answer:
    """`response.created` holds no more of the response than its id and status."""

    def edit(event: Body) -> None:
        event["response"] = {name: event["response"][name] for name in ("id", "object", "status")}

    return unkept(ask, serve, "response.created", edit)


@fault("responses.stream.obfuscation-anyway", breaks="responses.stream.obfuscation")
def obfuscation_anyway(ask: Ask, serve: Serve) -> Answer:
    """Deltas are padded, whatever was asked."""
    return serve(ask.without("stream_options")) if ask.method == "POST" and ask.path == PATH else serve(ask)


@fault("responses.stream.usage-zero", breaks="responses.stream.usage-early")
def usage_zero(ask: Ask, serve: Serve) -> Answer:
    """The usage counts zeros before the end."""
    usage = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
    return unkept(ask, serve, "response.created", lambda event: event["response"].update(usage=usage))


@fault("responses.stream.error-nested", breaks="responses.stream.error", also=("responses.stream.terminal",))
def error_nested(ask: Ask, serve: Serve) -> Answer:
    """A stream breaks off with an error in the form of a chat."""
    error = {"message": "The server had an error.", "type": "server_error", "param": None, "code": None}

    def broken(found: list[Frame]) -> Iterator[Frame]:
        yield from found[:-1]
        yield event_frame({"error": error})

    return _raw(ask, serve, broken) if is_unkept(ask) else serve(ask)


@fault("responses.stream.one-delta", breaks="responses.stream.pieces", also=("responses.stored.resume*",))
def one_delta(ask: Ask, serve: Serve) -> Answer:
    """The whole text comes in one delta."""

    def joined(found: list[Frame]) -> Iterator[Frame]:
        deltas = [event_of(frame) or {} for frame in found if type_of(frame) == TEXT_DELTA]
        text = "".join(delta["delta"] for delta in deltas)
        entries = [entry for delta in deltas for entry in delta["logprobs"]]
        number, is_told, held_ms = 0, False, 0.0
        for frame in found:
            event = event_of(frame) or {}
            if type_of(frame) == TEXT_DELTA:
                if is_told:
                    held_ms += frame.delay_ms
                    continue
                is_told, event = True, {**event, "delta": text, "logprobs": entries}
            later = Frame(frame.delay_ms + held_ms, frame.data)
            yield told_again(later, {**event, "sequence_number": number})
            number, held_ms = number + 1, 0.0

    return _raw(ask, serve, joined) if ask.method == "POST" else serve(ask)


@fault("responses.stream.delta-null", breaks="responses.stream.delta")
def delta_null(ask: Ask, serve: Serve) -> Answer:
    """Before the first delta of a text comes one that is null."""

    def begun(found: list[Frame]) -> Iterator[Frame]:
        is_begun = False
        for frame in found:
            if type_of(frame) == TEXT_DELTA and not is_begun:
                is_begun = True
                yield told_again(frame, {**(event_of(frame) or {}), "delta": None})
            yield frame

    return frames(ask, serve, begun) if is_of_words(ask) else serve(ask)


@fault("responses.stream.error-nested-then-done", breaks="responses.stream.error")
def error_nested_then_done(ask: Ask, serve: Serve) -> Answer:
    """Before its last event a stream has an error in the form of a chat."""
    error = {"message": "The server had an error.", "type": "server_error", "param": None, "code": None}
    return (
        _raw(ask, serve, lambda found: iter([*found[:-1], event_frame({"error": error}), found[-1]]))
        if is_of_words(ask)
        else serve(ask)
    )


@fault("responses.stream.one-delta-everywhere", breaks="responses.stream.pieces")
def one_delta_everywhere(ask: Ask, serve: Serve) -> Answer:
    """The whole text comes in one delta, the first time and when the stream is told again."""
    place = next((value for name, value in ask.query if name == "starting_after"), None)
    if place is None:
        return one_delta(ask, serve)
    number = int(place)

    def rest(found: list[Frame]) -> Iterator[Frame]:
        kept = [frame for frame in found if type_of(frame) != TEXT_DELTA]
        for at, frame in enumerate(kept, number + 1):
            yield told_again(frame, {**(event_of(frame) or {}), "sequence_number": at})

    return edit_frames(serve(ask), rest)
