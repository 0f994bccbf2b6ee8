"""Departures after a mistake, and of streams with stop sequences: the second request of `chat.recovers`.

Faults remember nothing. What follows a refused request is known by what it asks: it alone streams with stop sequences.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_events, edit_frames, refused
from wireproof.standin.wire import Answer, Ask, Frame, Serve, event_frame, event_of

CHAT = "/v1/chat/completions"


def _follows(ask: Ask) -> bool:
    return ask.path == CHAT and ask.streamed and isinstance(ask.asked.get("stop"), list)


@fault("chat.unknown-role-taken", breaks="chat.role-unknown")
def unknown_roles_are_taken(ask: Ask, serve: Serve) -> Answer:
    """A message of an unknown role is taken for one of the user."""
    messages = ask.asked.get("messages")
    if ask.path != CHAT or not isinstance(messages, list):
        return serve(ask)
    known = [
        {**one, "role": "user"} if one.get("role") == "wireproof" else one for one in messages if type(one) is dict
    ]
    return serve(ask.changed(messages=known)) if len(known) == len(messages) else serve(ask)


@fault("chat.poisoned-by-a-mistake", breaks="chat.recovers")
def the_next_request_fails(ask: Ask, serve: Serve) -> Answer:
    """500 for the request after a refused one."""
    answer = serve(ask)
    return refused(answer, "slot is in an invalid state", status=500) if _follows(ask) else answer


@fault("chat.mistake-stays-in-the-prompt", breaks="chat.recovers")
def the_mistake_stays_in_the_prompt(ask: Ask, serve: Serve) -> Answer:
    """The prompt after a refused request holds the words of that one as well."""

    def add(event: dict[str, Any]) -> None:
        usage = event.get("usage")
        if usage:
            usage["prompt_tokens"] += 9
            usage["total_tokens"] += 9

    answer = serve(ask)
    return edit_events(answer, add) if _follows(ask) else answer


@fault("chat.stop-ignored-in-streams", breaks="chat.stop")
def streams_ignore_stop(ask: Ask, serve: Serve) -> Answer:
    """`stop` has no effect where the answer is streamed."""
    return serve(ask.without("stop")) if _follows(ask) else serve(ask)


@fault("chat.stop-says-length-in-streams", breaks="chat.stop-finish")
def streams_say_length_at_a_stop(ask: Ask, serve: Serve) -> Answer:
    """A stream that a stop sequence ended has `finish_reason` length."""

    def edit(event: dict[str, Any]) -> None:
        for choice in event.get("choices", []):
            choice["finish_reason"] = choice["finish_reason"] and "length"

    answer = serve(ask)
    return edit_events(answer, edit) if _follows(ask) else answer


@fault("chat.stop-half-sent", breaks="chat.stop-keeps")
def the_beginning_of_a_stop_sequence_is_sent(ask: Ask, serve: Serve) -> Answer:
    """A stream sends the first letter of a stop sequence before it knows that it is one."""
    answer = serve(ask)
    if not _follows(ask) or answer.frames is None:
        return answer
    kept, whole = _text(answer), _text(serve(ask.without("stop")))

    def leak(frames: list[Frame]) -> Iterator[Frame]:
        for frame in frames:
            event = event_of(frame) or {}
            if any(choice.get("finish_reason") for choice in event.get("choices", [])):
                [choice] = event["choices"]
                late = {**choice, "delta": {"content": whole[len(kept)]}, "finish_reason": None}
                yield event_frame({**event, "choices": [late]})
            yield frame

    return edit_frames(answer, leak)


def _text(answer: Answer) -> str:
    """What the first choice of a stream says."""
    events = [event_of(frame) or {} for frame in answer.frames or ()]
    deltas = [choice["delta"] for event in events for choice in event.get("choices", []) if not choice["index"]]
    return "".join(delta.get("content") or "" for delta in deltas)
