"""What a stream tells while it comes: the first token, the gaps, the end. Sans I/O.

Bytes with their arrival times go through `wireproof.sse.lex`, so an event may be split over reads and a read
may hold several events. Only events that carry generated text in some channel count as tokens: the role-only
opening, empty deltas, the usage event and comments do not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from wireproof.sse import Event, lex

VISIBLE = ("content", "refusal")
# Reasoning has no settled name: vLLM and DeepSeek say `reasoning_content`, OpenRouter `reasoning`.
HIDDEN = ("reasoning_content", "reasoning")


@dataclass(slots=True)
class Reading:
    """Grows while the stream comes, so that what was seen survives a cut. Times as given to `read`, seconds."""

    t_tok1: float | None = None
    t_vis1: float | None = None
    t_tokn: float | None = None
    gaps_s: list[float] = field(default_factory=list)
    events: int = 0
    finish: str | None = None
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    error: str | None = None
    bad: str | None = None
    done: bool = False

    def read(self, chunks: Iterable[tuple[float, bytes]]) -> None:
        """Takes the whole stream; `chunks` may block. Stops at `[DONE]` only in the sense that `done` is set."""
        for event in lex(chunks):
            self.take(event)

    def take(self, event: Event) -> None:
        if event.data is None:
            return
        if event.is_done:
            self.done = True
            return
        try:
            value = json.loads(event.data)
        except ValueError:
            self.bad = self.bad or f"event at byte {event.offset} is not JSON: {event.data[:80]!r}"
            return
        if not isinstance(value, dict):
            self.bad = self.bad or f"event at byte {event.offset} is no object: {event.data[:80]!r}"
            return
        if value.get("error"):
            self.error = self.error or event.data[:300]
            return
        if (usage := value.get("usage")) and isinstance(usage, dict):
            self._count(usage)
        said, seen = self._said(value.get("choices") or ())
        if said:
            self._token(event.at_s, seen)

    def _token(self, at_s: float, visible: bool) -> None:
        if self.t_tokn is None:
            self.t_tok1 = at_s
        else:
            self.gaps_s.append(at_s - self.t_tokn)
        self.t_tokn = at_s
        self.events += 1
        if visible and self.t_vis1 is None:
            self.t_vis1 = at_s

    def _count(self, usage: dict[str, Any]) -> None:
        """A later usage replaces an earlier one: where each event has one, they are running totals."""
        self.prompt_tokens = _whole(usage.get("prompt_tokens"), self.prompt_tokens)
        self.output_tokens = _whole(usage.get("completion_tokens"), self.output_tokens)

    def _said(self, choices: Any) -> tuple[bool, bool]:
        """Whether these choices carry generated text, and whether a user would see it."""
        said = seen = False
        for choice in choices if isinstance(choices, list) else ():
            if not isinstance(choice, dict):
                continue
            self.finish = choice.get("finish_reason") or self.finish
            delta = choice.get("delta")
            if delta is None:
                visible, hidden = bool(choice.get("text")), False
            elif isinstance(delta, dict):
                visible = any(delta.get(name) for name in VISIBLE) or bool(delta.get("audio")) or _calls(delta)
                hidden = any(delta.get(name) for name in HIDDEN)
            else:
                continue
            said, seen = said or visible or hidden, seen or visible
        return said, seen


def _calls(delta: dict[str, Any]) -> bool:
    """Whether the delta carries a part of a tool call: its name or some of its arguments."""
    calls = delta.get("tool_calls")
    functions = [call.get("function") or {} for call in calls if isinstance(call, dict)] if calls else []
    functions.append(delta.get("function_call") or {})
    return any(isinstance(one, dict) and (one.get("arguments") or one.get("name")) for one in functions)


def _whole(value: Any, otherwise: int | None) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else otherwise
