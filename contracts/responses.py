"""Responses: the shape of an answer, plain or at the end of its stream, and that what is asked is served.

What it says is judged in responses_output.py, what it costs and where it ends in responses_usage.py, what it repeats of
the request in responses_echo.py, its events in responses_stream.py, its life on the server in responses_stored.py.
"""

from __future__ import annotations

import re
from typing import Any

from wireproof.clause import Exchange, NotApplicable, clause, expect, load_spec, needing, sent, sequence, shown

from ._acceptance import expect_served
from ._reading import as_number, as_object, as_text, error_of, maybe_object, told
from ._response_asks import LEAST_CAP, LONG, ORDERS, QUESTION, TURNS, ask, asking
from ._response_stream import events_of
from ._responses import (
    NAMED_ITEMS,
    RESPONSE,
    WHOLE,
    ended,
    is_new_value,
    items_of,
    told_by,
    where_of,
    without_strangers,
)
from ._shape import CREATED_WITHIN_S, PATH_LIKE, expect_ids_of_their_own

AS_ITEM = [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": QUESTION}]}]
# What the API reference lets be null.
NULLS = (
    "instructions",
    "previous_response_id",
    "metadata",
    "parallel_tool_calls",
    "max_tool_calls",
    "include",
    "stream",
    "stream_options",
    "top_p",
    "truncation",
    "background",
    "service_tier",
)
# 64 x 64 pixels of one blue, PNG: small, and yet above the least size that vision models take.
PICTURE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAAT0lEQVR42u3PQQkAAAgEsItiVCMayQi+hcEKLNXzWgQEBAQE"
    "BAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQELgu0mwFamOOLGQAAAABJRU5ErkJggg=="
)
WITH_PICTURE = [
    {
        "role": "user",
        "content": [
            {"type": "input_text", "text": QUESTION},
            {"type": "input_image", "image_url": PICTURE, "detail": "low"},
        ],
    }
]


PROBES = (
    asking("plain", ask(), "one short question"),
    asking("items", ask(input=AS_ITEM, **dict.fromkeys(NULLS)), "the same as an item; optional parameters null"),
    asking(
        "settings",
        ask(
            input=TURNS,
            instructions=ORDERS,
            metadata={"purpose": "wireproof"},
            top_p=0.9,
            text={"format": {"type": "text"}},
        ),
        "the same after a developer's message, with instructions and settings that come back",
    ),
    asking("image", ask(input=WITH_PICTURE, max_output_tokens=LEAST_CAP), "the same with a picture"),
    asking("stream", ask(stream=True), "the same question, streamed"),
    asking("cut-stream", ask(input=LONG, max_output_tokens=LEAST_CAP, stream=True), "a long answer cut, streamed"),
)


@clause(
    "responses.accepts",
    level="MUST",
    source="SPEC CreateResponse",
    on=sent(RESPONSE, probes=["responses.unstored", *(one.id for one in PROBES if one.id != "responses.image")]),
)
def documented_requests_are_served(exchange: Exchange) -> None:
    """Documented parameters and forms of input are served, or refused as unsupported by name.

    A backend without the Responses API (404, 405, 501) breaks nothing.
    """
    if exchange.status == 405:
        raise NotApplicable("the Responses API is not served")
    error = error_of(exchange)
    text = exchange.wire[:200].decode("utf-8", "replace")
    expect_served(exchange, f"{error.get('code')}: {error['message']}" if "message" in error else text)


# ----------------------------------------------------------------------------------------------- the shape


# These have clauses of their own, which say more than a schema can.
JUDGED_ELSEWHERE = re.compile(
    r"/(id|object|created_at|model|status|usage|output_text)\b.*"
    r"|/output(/\d+)?|/output/\d+/(id|role|status|call_id|name|arguments)"
    r"|/output/\d+/content/\d+(/(type|text|annotations|logprobs))?"
)
# Promised by the description, and yet left out by many: responses.echo-keys judges that.
REPEATED = (
    "error",
    "incomplete_details",
    "instructions",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "temperature",
    "top_p",
    "metadata",
)


@clause("responses.schema", level="MUST", source="SPEC Response", on=WHOLE)
def answer_keeps_the_schema(exchange: Exchange) -> None:
    """Every part of a response has the documented type; unknown keys and items of new types are welcome.

    Ids, times, status, usage and what a message says are judged by clauses of their own.
    """
    response = told_by(exchange)
    for violation in load_spec().schema("Response").breaches(without_strangers(response.body)):
        place = where_of(violation)
        if violation.keyword == "required" and place[1:] in REPEATED:
            continue
        if not JUDGED_ELSEWHERE.fullmatch(place) and not is_new_value(violation):
            response.must(False, violation.pointer, expected=violation.expected, got=violation.got)


NEVER_NULL = ("tools", "tool_choice", "parallel_tool_calls")


@clause("responses.echo-keys", level="SHOULD", source="SPEC Response.required", on=WHOLE)
def what_was_asked_has_its_keys(exchange: Exchange) -> None:
    """A response has `tools`, `tool_choice` and `parallel_tool_calls`, though none were asked for.

    Typed clients read them without asking whether they are there. What may be null, like `error`, may be absent.
    """
    response = told_by(exchange)
    missing = [name for name in NEVER_NULL if response.body.get(name) is None]
    response.must(not missing, "", expected=f"the keys {shown(missing)}", got=f"keys {shown(sorted(response.body))}")


@clause("responses.object", level="MUST", source="SPEC Response.object", on=WHOLE)
def object_literal(exchange: Exchange) -> None:
    """`object` is `response`."""
    response = told_by(exchange)
    response.must(
        response.body.get("object") == "response", "/object", expected='"response"', got=told(response.body, "object")
    )


@clause("responses.id", level="MUST", source="SPEC Response.id", on=WHOLE)
def id_is_there(exchange: Exchange) -> None:
    """Every response has an `id`, a string that is not empty."""
    response = told_by(exchange)
    id = response.body.get("id")
    held = isinstance(id, str) and bool(id.strip())
    response.must(held, "/id", expected="a non-empty string", got=told(response.body, "id"))


@clause(
    "responses.id-unique",
    level="MUST",
    source="SPEC Response.id: unique identifier",
    on=sequence(sent(RESPONSE, shows=lambda exchange: exchange.status == 200 and not exchange.streamed)),
)
def ids_are_unique(exchanges: list[Exchange]) -> None:
    """No two responses share an `id`, not even answers to the same question."""
    expect_ids_of_their_own(exchanges, lambda exchange: as_text(maybe_object(exchange).get("id")) or None)


@clause("responses.created-at", level="MUST", source="SPEC Response.created_at", on=needing(WHOLE, "clock"))
def created_at_is_now(exchange: Exchange) -> None:
    """`created_at` is the moment of the request in Unix seconds. (`created` is the name of chat completions.)"""
    response = told_by(exchange)
    created, now = as_number(response.body.get("created_at")), exchange.started_unix
    is_time = created is not None and abs(created - now) <= CREATED_WITHIN_S
    response.must(
        is_time, "/created_at", expected=f"seconds within a day of {now:.0f}", got=told(response.body, "created_at")
    )


# One clock may cut what the other rounds; what is further apart is in another unit, or no time at all.
CLOCK_SLACK_S, LONGEST_S = 1, 24 * 3600


@clause("responses.completed-at", level="MUST", source="SPEC Response.completed_at: only when completed", on=WHOLE)
def completed_at_is_the_end(exchange: Exchange) -> None:
    """`completed_at`, where a response tells it, is not before its `created_at`; there is none while the response runs,
    in the events of a stream as well.
    """
    bodies: list[tuple[int | None, dict[str, Any]]] = [(None, told_by(exchange).body)]
    if exchange.streamed:
        bodies = [(said.number, said.response) for said in events_of(exchange) if said.response is not None]
    begun = next((as_number(body.get("created_at")) for _, body in bodies), None)
    judged = False
    for event, body in bodies:
        completed = body.get("completed_at")
        if completed is None:
            continue
        judged, at = True, "/completed_at" if event is None else "/response/completed_at"
        runs = body.get("status") in ("queued", "in_progress")
        expect(not runs, expected="null before the end", got=shown(completed), at=at, event=event)
        seconds = as_number(completed)
        expect(seconds is not None, expected="seconds since 1970, or null", got=shown(completed), at=at, event=event)
        if seconds is not None and begun is not None:
            held = not CLOCK_SLACK_S < begun - seconds < LONGEST_S
            expect(held, expected=f"no time before created_at {begun}", got=shown(completed), at=at, event=event)
    if not judged:
        raise NotApplicable("no response tells when it was completed")


@clause("responses.model", level="SHOULD", source="SPEC Response.model", on=WHOLE)
def model_is_named(exchange: Exchange) -> None:
    """`model` names what answered: the name asked for, its snapshot or alias, never a path of the server's disk."""
    response = told_by(exchange)
    got, asked = response.body.get("model"), exchange.request.asked.get("model")
    is_named = isinstance(got, str) and bool(got.strip())
    response.must(
        is_named and (got == asked or not PATH_LIKE.match(str(got))),
        "/model",
        expected=f"{shown(asked)} or the model it stands for" if asked else "the name of a model",
        got=told(response.body, "model"),
    )


# ---------------------------------------------------------------------------------------------- its status


STATUSES = ("completed", "failed", "in_progress", "cancelled", "queued", "incomplete")


@clause("responses.status", level="MUST", source="SPEC Response.status", on=WHOLE)
def status_is_known(exchange: Exchange) -> None:
    """`status` is one of six: completed, failed, in_progress, cancelled, queued, incomplete.

    An answer that was not asked for in the background has come to an end: it is neither queued nor in progress.
    """
    response = told_by(exchange)
    got = told(response.body, "status")
    response.must(response.status in STATUSES, "/status", expected=f"one of {shown(STATUSES)}", got=got)
    if exchange.operation == RESPONSE and exchange.request.asked.get("background") is not True:
        over = response.status not in ("queued", "in_progress")
        response.must(over, "/status", expected="the status of an answer that is over", got=got)


@clause("responses.status-reason", level="MUST", source="SPEC Response.incomplete_details, Response.error", on=WHOLE)
def status_has_its_reason(exchange: Exchange) -> None:
    """An `incomplete` response says why in `incomplete_details.reason`, a `failed` one in `error`; others do not."""
    response = told_by(exchange)
    details, error = response.body.get("incomplete_details"), response.body.get("error")
    if response.status == "incomplete":
        reason = as_object(details).get("reason")
        held = isinstance(reason, str) and bool(reason)
        response.must(held, "/incomplete_details", expected="an object with a reason", got=shown(details))
    elif response.status == "completed":
        is_silent = not as_object(details).get("reason")
        response.must(is_silent, "/incomplete_details", expected="null beside completed", got=shown(details))
    if response.status == "failed":
        response.must(isinstance(error, dict), "/error", expected="an error beside failed", got=shown(error))
    elif response.status == "completed":
        response.must(not error, "/error", expected="null beside completed", got=shown(error))


@clause("responses.item-status", level="MUST", source="SPEC OutputMessage.status", on=WHOLE)
def items_end_with_the_response(exchange: Exchange) -> None:
    """Items end with their response: in a completed one each is completed, in an incomplete one none is in progress."""
    response = ended(exchange)
    judged = False
    for at, item in items_of(response, *NAMED_ITEMS):
        status = item.get("status")
        if status is None:
            continue
        judged = True
        wanted = ("completed",) if response.status == "completed" else ("completed", "incomplete")
        response.must(status in wanted, f"{at}/status", expected=" or ".join(wanted), got=shown(status))
    if not judged:
        raise NotApplicable("no item has a status")
