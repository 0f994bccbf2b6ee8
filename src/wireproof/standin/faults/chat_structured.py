"""Departures of structured answers: JSON mode and strict schemas."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.chat_tools import refused
from wireproof.standin.faults.edit import edit_events, edit_frames, edit_json
from wireproof.standin.wire import Answer, Ask, Frame, Serve, event_of

CHAT = "/v1/chat/completions"


def _type(ask: Ask) -> str | None:
    """The type of the structured answer that is asked for, None when it is none."""
    wanted = ask.asked.get("response_format")
    kind = wanted.get("type") if isinstance(wanted, dict) and ask.path == CHAT else None
    return kind if kind in ("json_object", "json_schema") else None


def _messages(ask: Ask, serve: Serve, edit: Callable[[dict[str, Any]], Any], only: str | None = None) -> Answer:
    """The answer after `edit(message)` of each choice of a plain structured answer (of type `only`)."""

    def each(body: dict[str, Any]) -> None:
        for choice in body.get("choices", []):
            edit(choice["message"])

    answer = serve(ask)
    return edit_json(answer, each) if _type(ask) and only in (None, _type(ask)) else answer


def _values(ask: Ask, serve: Serve, edit: Callable[[Any], Any], only: str | None = None) -> Answer:
    """The same for the JSON value that the message holds: `edit(value)` is the new one."""

    def each(message: dict[str, Any]) -> None:
        message["content"] = json.dumps(edit(json.loads(message["content"])), ensure_ascii=False)

    return _messages(ask, serve, each, only)


@fault("structured.json-object-refused", breaks="chat.structured.accepts")
def json_mode_is_refused(ask: Ask, serve: Serve) -> Answer:
    """400 for `response_format` of type json_object."""
    answer = serve(ask)
    if _type(ask) != "json_object":
        return answer
    return refused(answer, "'response_format.type' must be 'json_schema' or 'text'", "response_format.type")


@fault("structured.content-parsed", breaks="chat.structured.text", also=("chat.content", "chat.text"))
def content_is_a_ready_object(ask: Ask, serve: Serve) -> Answer:
    """`content` is the object itself, not a text that holds it."""
    return _messages(ask, serve, lambda message: message.update(content=json.loads(message["content"])))


@fault("structured.refusal-beside-text", breaks="chat.structured.refusal")
def a_refusal_comes_with_text(ask: Ask, serve: Serve) -> Answer:
    """A `refusal` stands beside a whole answer in `content`."""
    return _messages(ask, serve, lambda message: message.update(refusal="I would rather not."))


@fault("structured.trailing-text", breaks="chat.structured.json")
def words_follow_the_json(ask: Ask, serve: Serve) -> Answer:
    """Words after the closing brace."""

    def add(message: dict[str, Any]) -> None:
        message["content"] += " I hope this helps!"

    return _messages(ask, serve, add)


@fault("structured.code-fence", breaks="chat.structured.json")
def json_comes_in_a_code_fence(ask: Ask, serve: Serve) -> Answer:
    """The JSON stands between marks of Markdown."""

    def fence(message: dict[str, Any]) -> None:
        message["content"] = f"```json\n{message['content']}\n```"

    return _messages(ask, serve, fence)


@fault("structured.ignored", breaks="chat.structured.json")
def the_format_is_ignored(ask: Ask, serve: Serve) -> Answer:
    """Prose, whatever `response_format` asks for."""
    return serve(ask.without("response_format") if _type(ask) else ask)


@fault("structured.stream-last-piece-lost", breaks="chat.structured.json")
def the_last_piece_is_lost(ask: Ask, serve: Serve) -> Answer:
    """The last piece of a streamed structured answer never comes."""

    def lose(frames: list[Frame]) -> Iterator[Frame]:
        last = max((at for at, frame in enumerate(frames) if b'"delta": {"content"' in frame.data), default=-1)
        return (frame for at, frame in enumerate(frames) if at != last)

    answer = serve(ask)
    return edit_frames(answer, lose) if _type(ask) else answer


@fault("structured.object-in-list", breaks="chat.structured.object")
def json_mode_answers_a_list(ask: Ask, serve: Serve) -> Answer:
    """JSON mode answers with a list that holds the object."""
    return _values(ask, serve, lambda value: [value], only="json_object")


@fault("structured.key-missing", breaks="chat.structured.schema")
def a_required_key_is_missing(ask: Ask, serve: Serve) -> Answer:
    """The last required key is left out of strict answers."""
    return _values(ask, serve, lambda value: dict(list(value.items())[:-1]), only="json_schema")


@fault("structured.enum-violated", breaks="chat.structured.schema")
def a_value_is_not_listed(ask: Ask, serve: Serve) -> Answer:
    """A text that the schema's enum does not list."""
    return _values(ask, serve, _unlisted, only="json_schema")


def _unlisted(value: Any) -> Any:
    first = next((key for key, item in value.items() if isinstance(item, str)), None)
    return {**value, first: "chartreuse"} if first else value


@fault("structured.schema-downgraded", breaks="chat.structured.schema")
def a_schema_is_taken_for_json_mode(ask: Ask, serve: Serve) -> Answer:
    """`json_schema` is served as `json_object`: some JSON, not the one that was asked for."""
    if _type(ask) != "json_schema":
        return serve(ask)
    messages = [{"role": "system", "content": "Answer in JSON."}, *ask.asked["messages"]]
    return serve(ask.changed(response_format={"type": "json_object"}, messages=messages))


@fault("structured.keys-sorted", breaks="chat.structured.key-order")
def keys_come_in_alphabetical_order(ask: Ask, serve: Serve) -> Answer:
    """The keys of strict answers come sorted, not in the order of the schema."""
    return _values(ask, serve, lambda value: dict(sorted(value.items())), only="json_schema")


@fault("structured.stream-empty", breaks="chat.structured.text")
def streams_bring_nothing(ask: Ask, serve: Serve) -> Answer:
    """A streamed structured answer has no content and no refusal."""
    answer = serve(ask)
    if not _type(ask):
        return answer
    return edit_frames(answer, lambda frames: (frame for frame in frames if not _brings_text(frame)))


def _brings_text(frame: Frame) -> bool:
    choices = (event_of(frame) or {}).get("choices") or []
    return any(choice["delta"].get("content") for choice in choices)


def _stream(ask: Ask, serve: Serve, edit: Callable[[list[Frame]], Iterator[Frame]]) -> Answer:
    """A streamed answer to a schema after `edit(frames)`."""
    answer = serve(ask)
    return edit_frames(answer, edit) if _type(ask) == "json_schema" else answer


def _delta(frame: Frame) -> str:
    """What a frame adds to the text."""
    choices = (event_of(frame) or {}).get("choices") or [{}]
    return str(choices[0].get("delta", {}).get("content") or "")


@fault("structured.stream-repeats-dropped", breaks="chat.structured.schema")
def a_delta_like_the_one_before_is_dropped(ask: Ask, serve: Serve) -> Answer:
    """A delta that is the same as the one before is taken for a replay, and dropped: 777777 becomes 777."""

    def drop(frames: list[Frame]) -> Iterator[Frame]:
        before = ""
        for frame in frames:
            if not _delta(frame) or _delta(frame) != before:
                yield frame
            before = _delta(frame)

    return _stream(ask, serve, drop)


@fault("structured.stream-blanks-dropped", breaks="chat.structured.schema")
def a_blank_delta_is_dropped(ask: Ask, serve: Serve) -> Answer:
    """A delta of white space alone is taken for an empty one, and dropped."""
    return _stream(ask, serve, lambda frames: (f for f in frames if not _delta(f) or _delta(f).strip()))


@fault("structured.stream-ascii-only", breaks="chat.structured.schema")
def what_is_no_ascii_is_dropped(ask: Ask, serve: Serve) -> Answer:
    """What is beyond ASCII is lost from the deltas."""

    def drop(event: dict[str, Any]) -> None:
        for choice in event.get("choices", []):
            content = choice["delta"].get("content")
            if content:
                choice["delta"]["content"] = content.encode("ascii", "ignore").decode()

    answer = serve(ask)
    return edit_events(answer, drop) if _type(ask) == "json_schema" else answer


@fault("structured.finish-length", breaks="chat.length-at-cap")
def json_mode_ends_with_length(ask: Ask, serve: Serve) -> Answer:
    """JSON mode ends with length, whatever ended it."""
    answer = serve(ask)
    if _type(ask) != "json_object":
        return answer

    def edit(body: dict[str, Any]) -> None:
        for choice in body.get("choices", []):
            choice["finish_reason"] = "length"

    return edit_json(answer, edit)
