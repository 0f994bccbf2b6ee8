"""Responses in the background: answered at once, looked after until they are over, or cancelled.

Part of the stored responses: what runs in the background is kept at least until it was fetched.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wireproof.clause import (
    MODEL,
    Call,
    Exchange,
    Flow,
    Inconclusive,
    NotApplicable,
    clause,
    expect,
    flow,
    shown,
    steps,
)

from ._flow import id_of, is_ok, not_passing, step
from ._reading import as_objects, maybe_object, told
from ._response_asks import LEAST_CAP, LONG, QUESTION

RUNNING = ("queued", "in_progress")
OVER = ("completed", "incomplete", "failed", "cancelled")
# Settings that came later than most; who runs anything in the background knows them.
NEWER = {"truncation": "auto", "max_tool_calls": 2, "safety_identifier": "wireproof", "prompt_cache_key": "wireproof"}
# Seconds before each look: a short answer is there at the first, a busy queue may take longer.
LOOKS_AFTER_S = (3.0, 30.0)


@flow(
    "responses.background",
    most=len(LOOKS_AFTER_S) + 2,
    about="make a response in the background, look after it, delete it",
    expects="either",
)
def a_life_in_the_background() -> Flow:
    made = yield Call(
        "POST",
        "/responses",
        {"model": MODEL, "input": QUESTION, "max_output_tokens": LEAST_CAP, "background": True, "store": True, **NEWER},
    )
    id = id_of(made)
    if id is None:
        return
    path = f"/responses/{id}"
    if maybe_object(made).get("status") not in RUNNING:
        yield Call("DELETE", path)
        return
    for after_s in LOOKS_AFTER_S:
        read = yield Call("GET", path, after_s=after_s)
        if maybe_object(read).get("status") not in RUNNING:
            break
    yield Call("DELETE", path)


# A cancelled response that goes on all the same is over by then.
CANCELLED_FOR_S = 3.0


@flow(
    "responses.cancelled",
    most=4,
    about="cancel a response in the background, twice, and delete it",
    expects="either",
)
def a_life_cut_short() -> Flow:
    made = yield Call(
        "POST",
        "/responses",
        {"model": MODEL, "input": LONG, "max_output_tokens": 160, "background": True, "store": True},
    )
    id = id_of(made)
    if id is None:
        return
    path = f"/responses/{id}"
    if maybe_object(made).get("status") in RUNNING:
        cancelled = yield Call("POST", f"{path}/cancel")
        if is_ok(cancelled):
            yield Call("POST", f"{path}/cancel", after_s=CANCELLED_FOR_S)
        else:
            yield Call("GET", path)
    yield Call("DELETE", path)


def _life(exchanges: Sequence[Exchange]) -> tuple[dict[str, Any], list[tuple[Exchange, dict[str, Any]]]]:
    """The response as it was made, and each look at it."""
    made = maybe_object(exchanges[0])
    if not is_ok(exchanges[0]):
        raise NotApplicable(f"nothing runs in the background: answered {exchanges[0].status}")
    if made.get("background") is not True and made.get("status") not in RUNNING:
        raise NotApplicable("nothing says that this ran in the background")
    looks = [(one, maybe_object(one)) for one in exchanges[1:] if one.operation == "getResponse"]
    return made, looks


BACKGROUND = steps("responses.background")


@clause("responses.stored.background", level="MUST", source="DOCS-0715 background; SPEC Response.status", on=BACKGROUND)
def a_background_response_comes_to_an_end(exchanges: list[Exchange]) -> None:
    """A response with `background: true` can be fetched by its id until it is over, and then has its output and usage.

    Its status goes from queued by way of in_progress to an end, never back.
    """
    made, looks = _life(exchanges)
    if not looks:
        raise NotApplicable("the response was over at once")
    before = made
    for exchange, body in looks:
        not_passing(exchange)
        expect(is_ok(exchange), expected="the response", got=f"status {exchange.status}", at=f"{exchange.id} ")
        was, now = before.get("status"), body.get("status")
        held = now in OVER or (was in RUNNING and now in RUNNING[RUNNING.index(was) :])
        expect(held, expected=f"{shown(was)}, or what comes after it", got=shown(now), at=f"{exchange.id} /status")
        before = body
    if before.get("status") in RUNNING:
        raise NotApplicable("the response was not over when we stopped looking")
    if looks and before.get("status") in ("completed", "incomplete"):
        exchange, body = looks[-1]
        held = isinstance(body.get("usage"), dict)
        expect(
            held, expected="the usage of a response that is over", got=told(body, "usage"), at=f"{exchange.id} /usage"
        )
        if before["status"] == "completed":
            says = bool(as_objects(body.get("output")))
            expect(
                says,
                expected="the output of a completed response",
                got=told(body, "output"),
                at=f"{exchange.id} /output",
            )


@clause(
    "responses.stored.background-start",
    level="SHOULD",
    source="DOCS-0715 background; SPEC",
    on=BACKGROUND,
    fields=("background",),
)
def a_background_response_is_answered_at_once(exchanges: list[Exchange]) -> None:
    """A response with `background: true` is answered while it is still queued or in progress: nobody has to wait."""
    made, _ = _life(exchanges)
    status = made.get("status")
    if not isinstance(status, str):
        raise Inconclusive("the response has no status")
    expect(status in RUNNING, expected=" or ".join(RUNNING), got=shown(status), at=f"{exchanges[0].id} /status")


# ---------------------------------------------------------------------------------------------- cut short


CUT_SHORT = steps("responses.cancelled")


def _cancelled(exchanges: Sequence[Exchange]) -> Exchange:
    """The cancellation. NotApplicable where nothing was running, or nothing can be cancelled."""
    made, _ = _life(exchanges)
    if made.get("status") not in RUNNING:
        raise NotApplicable("the response was over at once")
    cancellation = step(exchanges, "cancelResponse")
    not_passing(cancellation)
    if cancellation.status in (404, 405, 501):
        raise NotApplicable(f"nothing can be cancelled: answered {cancellation.status}")
    return cancellation


@clause(
    "responses.stored.cancelled", level="MUST", source="SPEC cancelResponse, Response.status cancelled", on=CUT_SHORT
)
def a_cancelled_response_is_over(exchanges: list[Exchange]) -> None:
    """To cancel a response that runs in the background is answered with that response, and it is over: `cancelled`, if
    it did not end by itself before. It stays what it is then.

    Who cancels wants the meter to stop: end the generation, not only the row in the table.
    """
    cancellation = _cancelled(exchanges)
    body = maybe_object(cancellation)
    if not is_ok(cancellation):
        later = maybe_object(step(exchanges, "getResponse"))
        if later.get("status") in OVER and later["status"] != "cancelled":
            raise NotApplicable("the response was over before it was cancelled")
        expect(False, expected="the response", got=f"status {cancellation.status}", at=f"{cancellation.id} ")
    made, status = maybe_object(exchanges[0]), body.get("status")
    expect(body.get("id") == made.get("id"), expected=shown(made.get("id")), got=told(body, "id"),
           at=f"{cancellation.id} /id")  # fmt: skip
    expect(status in OVER, expected="cancelled", got=told(body, "status"), at=f"{cancellation.id} /status")
    again = step(exchanges, "cancelResponse", 1)
    if is_ok(again):
        later = maybe_object(again)
        held = later.get("status") == status
        expect(held, expected=f"{shown(status)}, as before", got=told(later, "status"), at=f"{again.id} /status")


@clause("responses.stored.cancel-again", level="SHOULD", source="DOCS-0715 background: idempotent", on=CUT_SHORT)
def a_response_can_be_cancelled_twice(exchanges: list[Exchange]) -> None:
    """To cancel a response once more is answered with the response as it is."""
    cancellation = _cancelled(exchanges)
    if not is_ok(cancellation):
        raise NotApplicable(f"nothing was cancelled: answered {cancellation.status}")
    again = step(exchanges, "cancelResponse", 1)
    not_passing(again)
    expect(is_ok(again), expected="the response", got=f"status {again.status}", at=f"{again.id} ")
