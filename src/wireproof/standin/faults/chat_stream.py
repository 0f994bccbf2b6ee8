"""Departures of streamed chat: what the chunks say, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_events, edit_frames
from wireproof.standin.wire import DONE, Answer, Ask, Frame, Serve, event_frame, event_of

CHAT = "/v1/chat/completions"
SCHEMA = "chat.stream.schema"

Event = dict[str, Any]


def _events(ask: Ask, serve: Serve, edit: Callable[[Event], Any]) -> Answer:
    """The answer after `edit(event)` of each event, when it is a chat stream."""
    answer = serve(ask)
    return edit_events(answer, edit) if ask.path == CHAT else answer


def _choices(ask: Ask, serve: Serve, edit: Callable[[Event], Any]) -> Answer:
    """The same for `edit(choice)` of each choice of each event, changed in place."""

    def each(event: Event) -> None:
        for choice in event.get("choices", []):
            edit(choice)

    return _events(ask, serve, each)


def _frames(ask: Ask, serve: Serve, edit: Callable[[list[Frame]], Iterator[Frame]]) -> Answer:
    answer = serve(ask)
    return edit_frames(answer, edit) if ask.path == CHAT else answer


def _numbered(ask: Ask, serve: Serve, edit: Callable[[int, Event], Any]) -> Answer:
    """The same for `edit(number, event)`; counting begins at 0 in each stream."""

    def each(frames: list[Frame]) -> Iterator[Frame]:
        for number, frame in enumerate(frames):
            event = event_of(frame)
            if event is None:
                yield frame
            else:
                edit(number, event)
                yield event_frame(event, frame.delay_ms)

    return _frames(ask, serve, each)


def _is_of_several(ask: Ask) -> bool:
    """Whether several choices are asked for: streams that fewer clauses look at."""
    n = ask.asked.get("n")
    return ask.path == CHAT and type(n) is int and n > 1


def _first_choice(frame: Frame) -> Event | None:
    event = event_of(frame)
    choices = event.get("choices") if event else None
    return choices[0] if choices else None


# ------------------------------------------------------------------------------------- each chunk by itself


@fault("chat.stream.fingerprint-number", breaks=SCHEMA)
def fingerprint_number(ask: Ask, serve: Serve) -> Answer:
    """`system_fingerprint` is a number in chunks."""
    return _events(ask, serve, lambda event: event.update(system_fingerprint=7))


@fault("chat.stream.created-missing", breaks=SCHEMA)
def created_missing(ask: Ask, serve: Serve) -> Answer:
    """No chunk has `created`."""
    return _events(ask, serve, lambda event: {k: v for k, v in event.items() if k != "created"})


@fault("chat.stream.model-null", breaks=SCHEMA)
def model_null(ask: Ask, serve: Serve) -> Answer:
    """`model` is null in every chunk."""
    return _events(ask, serve, lambda event: event.update(model=None))


@fault("chat.stream.object-plain", breaks="chat.stream.object", also=(SCHEMA,))
def object_plain(ask: Ask, serve: Serve) -> Answer:
    """Chunks have the `object` of plain answers, `chat.completion`."""
    return _events(ask, serve, lambda event: event.update(object="chat.completion"))


@fault("chat.stream.id-changes", breaks="chat.stream.id")
def id_changes(ask: Ask, serve: Serve) -> Answer:
    """Every chunk has another `id`."""
    return _numbered(ask, serve, lambda number, event: event.update(id=f"{event['id']}-{number}"))


@fault("chat.stream.created-changes", breaks="chat.stream.created")
def created_changes(ask: Ask, serve: Serve) -> Answer:
    """`created` is the time of the chunk."""
    return _numbered(ask, serve, lambda number, event: event.update(created=event["created"] + number))


@fault("chat.stream.model-changes", breaks="chat.stream.model")
def model_changes(ask: Ask, serve: Serve) -> Answer:
    """The first chunk names the snapshot, the others something else."""

    def edit(number: int, event: Event) -> None:
        if number:
            event["model"] += "-alias"

    return _numbered(ask, serve, edit)


@fault("chat.stream.id-constant", breaks="chat.stream.id-fresh")
def id_constant(ask: Ask, serve: Serve) -> Answer:
    """All streams have the same `id`."""
    return _events(ask, serve, lambda event: event.update(id="chatcmpl-stream"))


@fault("chat.stream.delta-null", breaks="chat.stream.delta", also=(SCHEMA,))
def delta_null(ask: Ask, serve: Serve) -> Answer:
    """`delta` is null in the finishing chunk."""
    return _choices(ask, serve, lambda choice: choice.update(delta=None) if choice["finish_reason"] else None)


@fault(
    "chat.stream.message",
    breaks="chat.stream.delta",
    also=(
        "chat.stop-keeps",
        SCHEMA,
        "chat.stream.role",
        "chat.parity.*",
        "chat.tools.*",
        "chat.logprobs.*",
        "chat.structured.*",
    ),
)
def message_for_delta(ask: Ask, serve: Serve) -> Answer:
    """Chunks have `message` in place of `delta`."""
    return _choices(ask, serve, lambda choice: choice.update(message=choice.pop("delta")))


@fault(
    "chat.stream.content-parts",
    breaks="chat.stream.content",
    also=("chat.stop-keeps", SCHEMA, "chat.parity.*", "chat.structured.*"),
)
def content_parts(ask: Ask, serve: Serve) -> Answer:
    """`delta.content` is a list of parts."""

    def edit(choice: Event) -> None:
        if choice["delta"].get("content"):
            choice["delta"]["content"] = [{"type": "text", "text": choice["delta"]["content"]}]

    return _choices(ask, serve, edit)


@fault("chat.stream.content-parts-for-n", breaks="chat.stream.content")
def content_parts_for_n(ask: Ask, serve: Serve) -> Answer:
    """`delta.content` is a list of parts where several choices are asked for."""
    return content_parts(ask, serve) if _is_of_several(ask) else serve(ask)


@fault("chat.stream.finish-null-word", breaks="chat.stream.finish-reason", also=(SCHEMA,))
def finish_null_word(ask: Ask, serve: Serve) -> Answer:
    """`finish_reason` is the word "null" until the end."""
    return _choices(ask, serve, lambda choice: choice.update(finish_reason=choice["finish_reason"] or "null"))


@fault(
    "chat.stream.finish-eos",
    breaks="chat.stream.finish-reason",
    also=(
        "chat.stop-finish",
        SCHEMA,
    ),
)
def finish_eos(ask: Ask, serve: Serve) -> Answer:
    """Streams end with `finish_reason: "eos"` where it should be "stop"."""

    def edit(choice: Event) -> None:
        if choice["finish_reason"] == "stop":
            choice["finish_reason"] = "eos"

    return _choices(ask, serve, edit)


@fault(
    "chat.stream.cumulative",
    breaks="chat.stream.increments",
    also=("chat.logprobs.along", "chat.parity.text", "chat.logprobs.text", "chat.structured.*"),
)
def cumulative(ask: Ask, serve: Serve) -> Answer:
    """Each delta has the whole text so far."""

    def edit(frames: list[Frame]) -> Iterator[Frame]:
        so_far: dict[int, str] = {}
        for frame in frames:
            choice = _first_choice(frame)
            event = event_of(frame)
            if event and choice and choice["delta"].get("content"):
                index = choice["index"]
                so_far[index] = so_far.get(index, "") + choice["delta"]["content"]
                event["choices"][0]["delta"]["content"] = so_far[index]
                yield event_frame(event, frame.delay_ms)
            else:
                yield frame

    return _frames(ask, serve, edit)


@fault(
    "chat.stream.text-twice",
    breaks="chat.stream.increments",
    also=("chat.logprobs.along", "chat.parity.text", "chat.logprobs.text", "chat.structured.*"),
)
def text_twice(ask: Ask, serve: Serve) -> Answer:
    """The whole text comes again in the last delta before the finish."""

    def edit(frames: list[Frame]) -> Iterator[Frame]:
        so_far: dict[int, str] = {}
        for frame in frames:
            choice, event = _first_choice(frame), event_of(frame)
            if event and choice:
                index = choice["index"]
                if choice["finish_reason"] and so_far.get(index):
                    again = {**choice, "delta": {"content": so_far[index]}, "finish_reason": None}
                    yield event_frame({**event, "choices": [again]})
                so_far[index] = so_far.get(index, "") + (choice["delta"].get("content") or "")
            yield frame

    return _frames(ask, serve, edit)


@fault("chat.stream.cumulative-for-n", breaks="chat.stream.increments")
def cumulative_for_n(ask: Ask, serve: Serve) -> Answer:
    """Each delta has the whole text so far, where several choices are asked for."""
    return cumulative(ask, serve) if _is_of_several(ask) else serve(ask)


# ------------------------------------------------------------------------------- the choices and their order


@fault(
    "chat.stream.index-collapsed",
    breaks="chat.stream.choices",
    also=(
        "chat.stream.role-once",
        "chat.stream.finish-once",
        "chat.stream.after-finish",
    ),
)
def index_collapsed(ask: Ask, serve: Serve) -> Answer:
    """All choices of a stream have index 0."""
    return _choices(ask, serve, lambda choice: choice.update(index=0))


@fault("chat.stream.n-ignored", breaks="chat.stream.choices")
def n_ignored_in_streams(ask: Ask, serve: Serve) -> Answer:
    """One choice in a stream, whatever `n` asks."""
    return serve(ask.without("n")) if ask.path == CHAT and ask.streamed else serve(ask)


@fault("chat.stream.role-missing", breaks="chat.stream.role")
def role_missing(ask: Ask, serve: Serve) -> Answer:
    """No delta has a role."""
    return _choices(ask, serve, lambda choice: choice["delta"].pop("role", None))


@fault("chat.stream.role-model", breaks="chat.stream.role", also=(SCHEMA,))
def role_model(ask: Ask, serve: Serve) -> Answer:
    """The first delta has `role: "model"`."""

    def edit(choice: Event) -> None:
        if "role" in choice["delta"]:
            choice["delta"]["role"] = "model"

    return _choices(ask, serve, edit)


@fault("chat.stream.role-repeated", breaks="chat.stream.role-once")
def role_repeated(ask: Ask, serve: Serve) -> Answer:
    """Every delta has the role."""
    return _choices(ask, serve, lambda choice: choice["delta"].update(role="assistant"))


@fault(
    "chat.stream.finish-missing",
    breaks="chat.stream.finish",
    also=(
        "chat.stop-finish",
        "chat.parity.finish",
        "chat.tools.finish",
    ),
)
def finish_missing(ask: Ask, serve: Serve) -> Answer:
    """No chunk of a stream has a finish_reason."""
    return _choices(ask, serve, lambda choice: choice.update(finish_reason=None))


@fault("chat.stream.finish-missing-for-n", breaks="chat.stream.finish")
def finish_missing_for_n(ask: Ask, serve: Serve) -> Answer:
    """Of several choices only the first finishes."""
    return _choices(ask, serve, lambda choice: choice.update(finish_reason=None) if choice["index"] else None)


@fault("chat.stream.finish-twice", breaks="chat.stream.finish-once")
def finish_twice(ask: Ask, serve: Serve) -> Answer:
    """The finishing chunk comes twice."""

    def edit(frames: list[Frame]) -> Iterator[Frame]:
        for frame in frames:
            yield frame
            if (choice := _first_choice(frame)) and choice["finish_reason"]:
                yield Frame(0.0, frame.data)

    return _frames(ask, serve, edit)


@fault(
    "chat.stream.text-after-finish",
    breaks="chat.stream.after-finish",
    also=("chat.parity.text", "chat.logprobs.text", "chat.structured.*"),
)
def text_after_finish(ask: Ask, serve: Serve) -> Answer:
    """A delta with text follows the finish."""

    def edit(frames: list[Frame]) -> Iterator[Frame]:
        for frame in frames:
            yield frame
            choice, event = _first_choice(frame), event_of(frame)
            if event and choice and choice["finish_reason"]:
                late = {**choice, "delta": {"content": "."}, "finish_reason": None}
                yield event_frame({**event, "choices": [late]})

    return _frames(ask, serve, edit)


@fault("chat.stream.text-after-finish-for-n", breaks="chat.stream.after-finish")
def text_after_finish_for_n(ask: Ask, serve: Serve) -> Answer:
    """A delta with text follows the finish, where several choices are asked for."""
    return text_after_finish(ask, serve) if _is_of_several(ask) else serve(ask)


# ------------------------------------------------------------------------------------------------- errors


@fault("chat.stream.breaks-off", breaks="chat.stream.error", also=("chat.tools.*", "chat.structured.*"))
def breaks_off(ask: Ask, serve: Serve) -> Answer:
    """Streams longer than ten events break off with an error."""
    return _broken(
        ask, serve, {"error": {"message": "Overloaded.", "type": "server_error", "param": None, "code": None}}
    )


@fault(
    "chat.stream.error-text",
    breaks="chat.stream.error-shape",
    also=("chat.stream.error", "chat.tools.*", "chat.structured.*"),
)
def error_text(ask: Ask, serve: Serve) -> Answer:
    """Streams longer than ten events break off with an error that is only a text."""
    return _broken(ask, serve, {"error": "Overloaded."})


@fault("chat.stream.error-text-in-forms", breaks="chat.stream.error-shape")
def error_text_in_forms(ask: Ask, serve: Serve) -> Answer:
    """Structured answers break off with an error that is only a text, as where the model fails the form."""
    return error_text(ask, serve) if ask.asked.get("response_format") else serve(ask)


def _broken(ask: Ask, serve: Serve, error: Event) -> Answer:
    def edit(frames: list[Frame]) -> Iterator[Frame]:
        if len(frames) <= 10:
            return iter(frames)
        return iter([*frames[:6], event_frame(error), Frame(0.0, DONE)])

    return _frames(ask, serve, edit)
