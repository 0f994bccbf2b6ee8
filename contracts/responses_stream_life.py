"""Streamed responses: what the response says of itself while it comes about, how it fails, and that it comes in pieces.

The requests are those of responses.py and its neighbours.
"""

from __future__ import annotations

from typing import Any

from wireproof.clause import Exchange, Inconclusive, NotApplicable, Undecodable, answered, clause, expect, shown

from ._reading import as_object, told
from ._response_stream import ENDS, LIFE, Said, events_of, objects_of, place_of
from ._responses import RESPONSE

# A stream of a stored response is told again by the same rules.
TOLD = answered(RESPONSE, "getResponse", streamed=True)


# What an event of the response's life says of its status.
STATUS = {
    "response.created": ("queued", "in_progress"),
    "response.queued": ("queued",),
    "response.in_progress": ("in_progress",),
    "response.completed": ("completed",),
    "response.incomplete": ("incomplete",),
    "response.failed": ("failed",),
}


@clause("responses.stream.status", level="MUST", source="CAP-2510; SPEC Response.status", on=TOLD)
def status_fits_the_event(exchange: Exchange) -> None:
    """The `status` of the response fits the event that brings it: `in_progress` at the start, `completed` in
    `response.completed`, and so on.
    """
    judged = False
    for said in events_of(exchange):
        if said.type in STATUS and said.response is not None and "status" in said.response:
            judged, status = True, said.response["status"]
            wanted = " or ".join(STATUS[said.type])
            held = status in STATUS[said.type]
            expect(held, expected=wanted, got=shown(status), at="/response/status", event=said.number)
    if not judged:
        raise NotApplicable("no event says a status")


# What readers of a response take from its first event on: a typed one stops where it is not there.
HELD = {"id": str, "object": str, "model": str, "output": list, "created_at": int | float}


@clause(
    "responses.stream.response",
    level="MUST",
    source="SPEC ResponseCreatedEvent.response; SDK accumulate_event",
    on=TOLD,
)
def life_events_hold_the_response(exchange: Exchange) -> None:
    """`response.created`, `response.in_progress`, the last event: each holds the whole response, with its `id`, its
    `model`, its `created_at` and an `output`, if only an empty list.

    Clients take the first one for the response as it begins, and add to it.
    """
    lives = [said for said in events_of(exchange) if said.type in LIFE]
    for said in lives:
        response = as_object(said.data.get("response"))
        for name, kind in HELD.items():
            # What the last event lacks as well is judged where plain answers are.
            if name != "id" and name not in (lives[-1].response or {}):
                continue
            held = isinstance(response.get(name), kind) and response[name] != ""
            held = held and (name != "object" or response[name] == (lives[-1].response or {})[name])
            got = told(response, name) if response else told(said.data, "response")
            expect(held, expected=f"a response with its {name}", got=got, at=f"/response/{name}", event=said.number)


# What a response repeats of its request.
SETTINGS = (
    "background", "instructions", "max_output_tokens", "metadata", "parallel_tool_calls", "previous_response_id",
    "store", "temperature", "text", "tool_choice", "top_p", "truncation",
)  # fmt: skip


@clause("responses.stream.settings", level="SHOULD", source="CAP-2510; SPEC Response", on=TOLD)
def settings_stay_the_same(exchange: Exchange) -> None:
    """What a response repeats of its request, it repeats alike in every event that holds it; null says nothing."""
    seen: dict[str, Any] = {}
    for said in events_of(exchange):
        for name in SETTINGS if said.type in LIFE and said.response is not None else ():
            value = (said.response or {}).get(name)
            if value is not None:
                held = seen.setdefault(name, value) == value
                expected = f"{shown(seen[name])}, as before"
                expect(held, expected=expected, got=shown(value), at=f"/response/{name}", event=said.number)
    if not seen:
        raise NotApplicable("no event repeats the request")


@clause("responses.stream.usage-early", level="SHOULD", source="CAP-2510", on=TOLD)
def usage_comes_at_the_end(exchange: Exchange) -> None:
    """The `usage` of the response is null, or absent, until the last event: clients add up what they are told."""
    for said in events_of(exchange):
        if said.type in LIFE and said.type not in ENDS and said.response is not None:
            usage = said.response.get("usage")
            expect(not usage, expected="null", got=shown(usage), at="/response/usage", event=said.number)


@clause(
    "responses.stream.obfuscation",
    level="SHOULD",
    source="SPEC ResponseStreamOptions.include_obfuscation",
    on=answered(RESPONSE, streamed=True, asks=lambda body: _includes_obfuscation(body) is False),
    fields=("stream_options",),
)
def padding_can_be_left_out(exchange: Exchange) -> None:
    """With `stream_options: {"include_obfuscation": false}` no event has `obfuscation`: it costs bandwidth alone."""
    for said in events_of(exchange):
        padding = said.data.get("obfuscation")
        expect(not padding, expected="no padding", got=shown(padding), at="/obfuscation", event=said.number)


def _includes_obfuscation(body: dict[str, Any]) -> Any:
    return as_object(body.get("stream_options")).get("include_obfuscation")


@clause(
    "responses.stream.error",
    level="MUST",
    source="SPEC ResponseErrorEvent; SDK _streaming.py",
    on=answered(RESPONSE, "getResponse", streamed=True, shows=lambda exchange: bool(_errors(exchange))),
)
def errors_are_flat(exchange: Exchange) -> None:
    """What fails in the middle of a stream is told by an event `error` with `code`, `message` and `param` in itself.

    An object `error` around them is the form of a chat, and of an HTTP error.
    """
    for number, value in _errors(exchange):
        flat = value.get("type") == "error" and isinstance(value.get("message"), str)
        expect(flat, expected='{"type": "error", "code", "message", "param", ...}', got=value, event=number)


def _errors(exchange: Exchange) -> list[tuple[int, dict[str, Any]]]:
    try:
        found = list(objects_of(exchange))
    except (Inconclusive, NotApplicable, Undecodable):
        return []
    return [
        (number, value)
        for number, event, value in found
        if value.get("type") == "error" or (value.get("type") is None and value.get("error"))
    ]


# A whole answer in one delta is a plain answer in the dress of a stream. Chosen, not measured, as in sse_pace.py.
LONG_CHARACTERS = 100


@clause(
    "responses.stream.pieces",
    level="SHOULD",
    source="SPEC CreateResponse.stream: sent as it is generated",
    on=answered(RESPONSE, streamed=True, asks=lambda body: not body.get("tools")),
    model="some-output",
)
def long_text_comes_in_pieces(exchange: Exchange) -> None:
    """A long text comes in more than one delta, as it is generated."""
    deltas: dict[Any, list[Said]] = {}
    for said in events_of(exchange):
        if said.type == "response.output_text.delta" and said.data.get("delta"):
            deltas.setdefault(place_of(said), []).append(said)
    long = [
        pieces for pieces in deltas.values() if sum(len(str(one.data["delta"])) for one in pieces) >= LONG_CHARACTERS
    ]
    if not long:
        raise NotApplicable("no text was long enough to be cut")
    for pieces in long:
        got = f"one delta: {shown(pieces[0].data['delta'])}"
        expect(len(pieces) > 1, expected="a long text in several deltas", got=got, event=pieces[0].number)
