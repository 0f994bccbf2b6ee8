"""POST /v1/chat/completions with `stream: true`: the choices of chat.py, told token by token.

Order: after the first wait, and after the thinking of a model that reasons, a role event for each choice; one event
a token or argument fragment, the choices in turn; a finish event with an empty delta for each choice as it ends; the
usage event when asked for; `[DONE]`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any

from wireproof.standin.chat import Said, Turn, fingerprint, logprob_entries, service_tier, usage
from wireproof.standin.events import EventWriter
from wireproof.standin.prose import dice
from wireproof.standin.toolcalls import speaks_legacy
from wireproof.standin.wire import DONE, Frame, Script

LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"

Step = tuple[str, list[dict[str, Any]] | None]


def frames(body: Mapping[str, Any], said: Sequence[Said], turn: Turn) -> Script:
    return Script(lambda: _written(body, said, turn))


def _written(body: Mapping[str, Any], said: Sequence[Said], turn: Turn) -> Iterator[Frame]:
    options = body.get("stream_options") or {}
    asks_usage = bool(options.get("include_usage"))
    writer = EventWriter(
        {
            "id": f"chatcmpl-{turn.serial}",
            "object": "chat.completion.chunk",
            "created": turn.created,
            "model": turn.model.snapshot,
            "service_tier": service_tier(body),
            "system_fingerprint": fingerprint(turn.model),
        },
        {"usage": None} if asks_usage else {},
    )
    padding = _padding(turn.serial) if options.get("include_obfuscation") else None

    def write(delay_ms: float, index: int, delta: str, entries: Any = None, finish: str | None = None) -> Frame:
        logprobs = "null" if entries is None else json.dumps({"content": entries, "refusal": None})
        reason = "null" if finish is None else f'"{finish}"'
        choice = f'{{"index": {index}, "delta": {delta}, "logprobs": {logprobs}, "finish_reason": {reason}}}'
        return writer.choice(delay_ms, choice, next(padding) if padding else "")

    gaps = turn.latency.gaps(turn.serial)
    thinking_ms = sum(islice(gaps, 1 + max(one.thought for one in said)))
    for index, one in enumerate(said):
        yield write(0.0 if index else thinking_ms, index, _role(one))
    steps = [_steps(one, body) for one in said]
    last = [len(one) - 1 for one in steps]
    for at in range(max(last) + 1):
        delay_ms = next(gaps) if at else 0.0
        for index, rest in enumerate(steps):
            if at < len(rest):
                yield write(delay_ms, index, *rest[at])
                delay_ms = 0.0
            if at == last[index]:
                yield write(0.0, index, "{}", finish=_finish(said[index], body))
    for index, at in enumerate(last):
        if at < 0:
            yield write(0.0, index, "{}", finish=_finish(said[index], body))
    if asks_usage:
        yield writer.usage(usage(said, turn, body), next(padding) if padding else "")
    yield Frame(0.0, DONE)


def _role(said: Said) -> str:
    content = "null" if said.calls else '""'
    return f'{{"role": "assistant", "content": {content}, "refusal": null}}'


def _finish(said: Said, body: Mapping[str, Any]) -> str:
    return "function_call" if said.finish == "tool_calls" and speaks_legacy(body) else said.finish


def _steps(said: Said, body: Mapping[str, Any]) -> list[Step]:
    """`(delta as JSON text, logprob entries)` for each event between the first and the last of a choice."""
    if said.calls:
        return [(delta, None) for delta in _call_deltas(said, legacy=speaks_legacy(body))]
    entries = logprob_entries(said, body)
    if entries is None:
        return [(_content(token), None) for token in said.tokens]
    return [(_content(token), [one]) for token, one in zip(said.tokens, entries, strict=True)]


@lru_cache(maxsize=4096)
def _content(token: str) -> str:
    return f'{{"content": {json.dumps(token, ensure_ascii=False)}}}'


def _call_deltas(said: Said, *, legacy: bool) -> Iterator[str]:
    """First who is called, with no arguments yet; then the arguments, piece by piece, and nothing else."""
    for index, call in enumerate(said.calls):
        kind, field = call.tool.kind, "input" if call.tool.kind == "custom" else "arguments"
        if legacy:
            yield json.dumps({"function_call": {"name": call.tool.name, "arguments": ""}})
        else:
            head = {"index": index, "id": call.id, "type": kind, kind: {"name": call.tool.name, field: ""}}
            yield json.dumps({"tool_calls": [head]})
        for token in call.tokens:
            piece = json.dumps(token, ensure_ascii=False)
            if legacy:
                yield f'{{"function_call": {{"arguments": {piece}}}}}'
            else:
                yield f'{{"tool_calls": [{{"index": {index}, "{kind}": {{"{field}": {piece}}}}}]}}'


def _padding(serial: str) -> Iterator[str]:
    """`obfuscation` fields of varying length, so that the size of an event does not tell its token."""
    throw = dice("obfuscation", serial)
    while True:
        letters = "".join(throw.choices(LETTERS, k=throw.randint(4, 16)))
        yield f', "obfuscation": "{letters}"'
