"""Responses in the background: answered at once, and looked after until they are over.

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

from ._flow import id_of, is_ok, not_passing
from ._reading import as_objects, maybe_object, told
from ._response_asks import LEAST_CAP, QUESTION

RUNNING = ("queued", "in_progress")
OVER = ("completed", "incomplete", "failed", "cancelled")
# Seconds before each look: a short answer is there at the first or the second, a busy queue may take longer.
LOOKS_AFTER_S = (2.0, 5.0, 15.0, 40.0)


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
        {"model": MODEL, "input": QUESTION, "max_output_tokens": LEAST_CAP, "background": True, "store": True},
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
