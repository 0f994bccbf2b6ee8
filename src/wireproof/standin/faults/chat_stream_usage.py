"""Departures of the usage of streamed chat."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_frames
from wireproof.standin.wire import Answer, Ask, Frame, Serve, event_frame, event_of

CHAT = "/v1/chat/completions"

Event = dict[str, Any]


def _frames(ask: Ask, serve: Serve, edit: Callable[[list[Frame]], Iterator[Frame]]) -> Answer:
    answer = serve(ask)
    return edit_frames(answer, edit) if ask.path == CHAT else answer


def _closes(frame: Frame) -> bool:
    """Whether a frame is the chunk with the usage."""
    event = event_of(frame)
    return event is not None and bool(event.get("usage"))


def _usage(ask: Ask, serve: Serve, edit: Callable[[Event], Any]) -> Answer:
    """The answer after `edit(usage)` in its closing chunk, changed in place."""

    def each(frames: list[Frame]) -> Iterator[Frame]:
        for frame in frames:
            event = event_of(frame)
            if event and event.get("usage"):
                edit(event["usage"])
                yield event_frame(event, frame.delay_ms)
            else:
                yield frame

    return _frames(ask, serve, each)


@fault("chat.stream.usage-missing", breaks="chat.stream.usage")
def usage_missing(ask: Ask, serve: Serve) -> Answer:
    """`include_usage` is ignored."""
    return _frames(ask, serve, lambda frames: (frame for frame in frames if not _closes(frame)))


@fault("chat.stream.usage-with-finish", breaks="chat.stream.usage")
def usage_with_finish(ask: Ask, serve: Serve) -> Answer:
    """The usage stands in the last chunk with choices; there is no chunk without."""

    def edit(frames: list[Frame]) -> Iterator[Frame]:
        usage = next((event["usage"] for event in map(event_of, frames) if event and event.get("usage")), None)
        if usage is None:
            yield from frames
            return
        kept = [frame for frame in frames if not _closes(frame)]
        last = max(at for at, frame in enumerate(kept) if event_of(frame))
        for at, frame in enumerate(kept):
            event = event_of(frame)
            yield event_frame({**event, "usage": usage}, frame.delay_ms) if event and at == last else frame

    return _frames(ask, serve, edit)


@fault("chat.stream.usage-growing", breaks="chat.stream.usage-once")
def usage_growing(ask: Ask, serve: Serve) -> Answer:
    """Every chunk has a usage, with counts that grow."""
    if not (ask.asked.get("stream_options") or {}).get("include_usage"):
        return serve(ask)

    def edit(frames: list[Frame]) -> Iterator[Frame]:
        for at, frame in enumerate(frames):
            event = event_of(frame)
            if event is None or event.get("usage"):
                yield frame
            else:
                usage = {"prompt_tokens": 12, "completion_tokens": at, "total_tokens": 12 + at}
                yield event_frame({**event, "usage": usage}, frame.delay_ms)

    return _frames(ask, serve, edit)


@fault("chat.stream.usage-early", breaks="chat.stream.usage-last")
def usage_early(ask: Ask, serve: Serve) -> Answer:
    """The usage chunk comes first."""

    def edit(frames: list[Frame]) -> Iterator[Frame]:
        yield from (frame for frame in frames[:1] if not _closes(frame))
        yield from (frame for frame in frames if _closes(frame))
        yield from (frame for frame in frames[1:] if not _closes(frame))

    return _frames(ask, serve, edit)


@fault("chat.stream.usage-always", breaks="chat.stream.usage-unasked")
def usage_always(ask: Ask, serve: Serve) -> Answer:
    """A usage chunk comes without `include_usage`."""
    if ask.path != CHAT or not ask.streamed:
        return serve(ask)
    options = {**(ask.asked.get("stream_options") or {}), "include_usage": True}
    return serve(ask.changed(stream_options=options))


@fault("chat.stream.usage-total-wrong", breaks="chat.stream.usage-sum")
def usage_total_wrong(ask: Ask, serve: Serve) -> Answer:
    """In streams `total_tokens` leaves out the prompt."""
    return _usage(ask, serve, lambda usage: usage.update(total_tokens=usage["completion_tokens"]))


@fault("chat.stream.cached-beyond-prompt", breaks="chat.stream.usage-details")
def cached_beyond_prompt(ask: Ask, serve: Serve) -> Answer:
    """In streams more tokens are cached than the prompt has."""
    return _usage(
        ask, serve, lambda usage: usage["prompt_tokens_details"].update(cached_tokens=usage["prompt_tokens"] + 8)
    )


@fault(
    "chat.stream.usage-zero",
    breaks="chat.stream.usage-counts",
    also=(
        "chat.parity.prompt-tokens",
        "chat.parity.completion-tokens",
        "chat.reach.in-parts",
    ),
)
def usage_zero(ask: Ask, serve: Serve) -> Answer:
    """The usage of streams is all zeros."""
    return _usage(
        ask, serve, lambda usage: usage.update(dict.fromkeys(("prompt_tokens", "completion_tokens", "total_tokens"), 0))
    )


@fault("chat.stream.usage-zero-for-n", breaks="chat.stream.usage-counts")
def usage_zero_for_n(ask: Ask, serve: Serve) -> Answer:
    """The usage of a stream of several choices is all zeros."""
    return usage_zero(ask, serve) if (ask.asked.get("n") or 1) != 1 else serve(ask)


@fault("chat.stream.cut-says-stop", breaks="chat.stream.length", also=("chat.parity.finish",))
def cut_says_stop(ask: Ask, serve: Serve) -> Answer:
    """Streams that max_tokens cut end with `finish_reason: "stop"`."""

    def edit(frames: list[Frame]) -> Iterator[Frame]:
        for frame in frames:
            event = event_of(frame)
            choice = event["choices"][0] if event and event.get("choices") else None
            if event and choice and choice["finish_reason"] == "length":
                choice["finish_reason"] = "stop"
                yield event_frame(event, frame.delay_ms)
            else:
                yield frame

    return _frames(ask, serve, edit)


@fault("chat.stream.short-cut-says-stop", breaks="chat.stream.length")
def short_cut_says_stop(ask: Ask, serve: Serve) -> Answer:
    """Streams that are cut after a few tokens end with `finish_reason: "stop"`."""
    cap = ask.asked.get("max_tokens")
    return cut_says_stop(ask, serve) if type(cap) is int and cap <= 4 else serve(ask)
