"""Where runs are told of, and how a fault changes them there: in answers, lists and events."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from wireproof.standin.faults.edit import edit_both, edit_frames, edit_json, told_again
from wireproof.standin.wire import Answer, Ask, Frame, Serve, event_of

THREADS = "/v1/threads"
RUNS, RUN, STEPS, MESSAGES = "/runs|/[^/]+/runs", "/[^/]+/runs/run_[^/]+", "/[^/]+/runs/[^/]+/steps", "/[^/]+/messages"
SUBMIT = "/[^/]+/runs/[^/]+/submit_tool_outputs"
ANY = f"{RUNS}|{RUN}|{SUBMIT}"

Edit = Callable[[dict[str, Any]], Any]


def is_at(ask: Ask, where: str, *methods: str) -> bool:
    is_meant = re.fullmatch(f"{THREADS}({where})", ask.path) is not None
    return is_meant and (not methods or ask.method in methods)


def edited_at(where: str, ask: Ask, serve: Serve, edit: Edit, *methods: str) -> Answer:
    answer = serve(ask)
    return edit_json(answer, edit) if is_at(ask, where, *methods) else answer


def each_row(where: str, ask: Ask, serve: Serve, edit: Edit) -> Answer:
    """`edit` on each row of a list."""
    return edited_at(where, ask, serve, lambda body: [edit(row) for row in body["data"]] and None, "GET")


def each_run(ask: Ask, serve: Serve, edit: Edit) -> Answer:
    """`edit` on every run, plain, listed or in an event."""

    def every(body: dict[str, Any]) -> None:
        for row in body.get("data", [body]):
            if row.get("object") == "thread.run":
                edit(row)

    answer = serve(ask)
    return edit_both(answer, every) if is_at(ask, ANY) else answer


def streamed(ask: Ask, serve: Serve, edit: Callable[[list[Frame]], Iterator[Frame]]) -> Answer:
    answer = serve(ask)
    return edit_frames(answer, edit) if is_at(ask, f"{RUNS}|{SUBMIT}", "POST") else answer


def name_of(frame: Frame) -> str:
    """What the `event:` line says."""
    found = re.match(rb"event: (\S+)\n", frame.data)
    return found[1].decode() if found else ""


def each_event(ask: Ask, serve: Serve, names: tuple[str, ...], edit: Edit) -> Answer:
    """`edit` on the data of each event of these names."""

    def every(frames: list[Frame]) -> Iterator[Frame]:
        for frame in frames:
            event = event_of(frame)
            if name_of(frame) in names and event is not None:
                edit(event)
                yield told_again(frame, event)
            else:
                yield frame

    return streamed(ask, serve, every)
