"""Holds answers against the description: what the stand-in says must be what `spec/` promises, to the last event."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from wireproof.spec import Operation, load_spec
from wireproof.sse import Event, lex
from wireproof.standin.admission import PREFIX
from wireproof.standin.wire import Answer, Ask, Serve
from wireproof.streams import Grammar, framing_slips, grammar, said, slips


def breaches(ask: Ask, answer: Answer) -> list[str]:
    """Where `answer` departs from what the operation promises; nothing for what is no operation."""
    operation = load_spec().operation_for(ask.method, ask.path.removeprefix(PREFIX))
    if operation is None or answer.cut:
        return []
    where = f"{operation.id} {answer.status}"
    return [f"{where}: {breach}" for breach in _breaches(operation, ask, answer)]


def _breaches(operation: Operation, ask: Ask, answer: Answer) -> Iterator[str]:
    promised = operation.answer_media(answer.status)
    kind = (answer.header("content-type") or "").partition(";")[0]
    if promised is None:
        yield "a status that is not described"
    elif not promised:
        if answer.body or answer.frames is not None:
            yield f"a body of {len(answer.body)} bytes where none is described"
    elif kind not in promised:
        yield f"content type {kind!r}, described are {sorted(promised)}"
    elif kind == "text/event-stream":
        yield from _stream(operation, ask, answer)
    elif kind == "application/json" and (schema := operation.answer_schema(answer.status)):
        yield from _violations(schema.violations(answer.json))


def _stream(operation: Operation, ask: Ask, answer: Answer) -> Iterator[str]:
    media = (operation.answer_media(200) or {})["text/event-stream"]
    if answer.frames is None or isinstance(answer.frames, Iterator):
        yield "frames that can be read once only"
        return
    events = list(lex((0.0, frame.data) for frame in answer.frames))
    terminator = media.get("x-terminator")
    if terminator is not None and (not events or events[-1].data != terminator):
        yield f"a stream that does not end in {terminator}"
    for number, event in enumerate(events):
        if event.data != terminator:
            yield from (f"event {number} {breach}" for breach in _event(operation, media, event))
    yield from _order(grammar(media["x-grammar"]), ask, events)


def _order(rules: Grammar, ask: Ask, events: list[Event]) -> Iterator[str]:
    """Where the stream leaves its grammar: event lines, terminator, order. What stands for an error may end it.

    A stream that is told again may be one that was cancelled, and then has no last event.
    """
    after = dict(ask.query).get("starting_after")
    lines = [(event.name, event.data or "", _decoded(event)) for event in events]
    told = [said(rules, data, name) for name, text, data in lines if text != rules.get("terminator")]
    failed = bool(told) and isinstance(told[-1].data, dict) and "error" in told[-1].data
    is_whole = not failed and ask.method == "POST"
    order = slips(rules, told, is_whole=is_whole, after=None if after is None else int(after))
    for slip in [*framing_slips(rules, lines), *order]:
        yield f"event {slip.at} leaves the grammar by {slip.rule}: expected {slip.expected}, got {slip.got}"


def _decoded(event: Event) -> Any:
    try:
        return json.loads(event.data or "null")
    except ValueError:
        return None


def _event(operation: Operation, media: Any, event: Event) -> Iterator[str]:
    """One event by the schema of its name, where names decide (`x-events`), else by the one schema of all."""
    named = media.get("x-events", {}).get(event.name or "")
    ref = (named or media["x-event"])["$ref"]
    yield from _violations(operation.spec.schema(ref).violations(json.loads(event.data or "null")))


def _violations(found: Iterable[Any]) -> Iterator[str]:
    for violation in found:
        yield f"{violation.pointer or '/'}: expected {violation.expected}, got {violation.got}"


def conforming(serve: Serve, found: list[str]) -> Serve:
    """`serve`, its breaches noted in `found`."""

    def watched(ask: Ask) -> Answer:
        answer = serve(ask)
        if answer.frames is not None and not isinstance(answer.frames, list):
            answer = replace(answer, frames=list(answer.frames))
        found.extend(breaches(ask, answer))
        return answer

    return watched
