"""One response at a time: a second one is refused while the first is given, and a response can be stopped."""

from __future__ import annotations

from wireproof.clause import REALTIME_MODEL, Exchange, NotApplicable, Say, Talk, clause, expect, shown, talk, talked

from ._reading import as_object, as_text
from ._realtime import (
    MODEL_S,
    PATH,
    QUIET,
    REALTIME,
    SOON_S,
    UPDATED,
    Heard,
    answer_to,
    create,
    events_of,
    respond,
    response_in,
    turn,
    types_of,
    update,
    words,
)
from ._realtime_responses import ANSWERED, id_of

CAP = 300


@talk("realtime.cancel", PATH, about="a response that is stopped, and one too many", needs=REALTIME_MODEL,
      query={"model": REALTIME_MODEL}, weighs=(500, 2 * CAP))  # fmt: skip
def cancel() -> Talk:
    yield Say(None, until=("session.created", "error"))
    yield Say(update("wp_quiet", **QUIET), until=UPDATED)
    yield Say({"event_id": "wp_idle", "type": "response.cancel"}, ("error", "response.done"), SOON_S)
    asked = words("Count from one to two hundred, in words.")
    yield Say(create("wp_said", asked), until=("conversation.item.done", "error"))
    long = respond("wp_long", output_modalities=["text"], max_output_tokens=CAP)
    begun = yield Say(long, ("response.created", "error"), MODEL_S)
    if not begun or begun[-1].get("type") != "response.created":
        return
    heard = yield Say(respond("wp_second", output_modalities=["text"], max_output_tokens=16), ("error",), 3.0)
    if "response.done" not in [one.get("type") for one in heard]:
        yield Say({"event_id": "wp_stop", "type": "response.cancel"}, ANSWERED, SOON_S)
        yield Say(None, within_s=1.0)
    yield Say(create("wp_more", words("Say hello.")), until=("conversation.item.done", "error"))
    yield Say(respond("wp_after", output_modalities=["text"], max_output_tokens=CAP), ANSWERED, MODEL_S)


CANCEL = talked(REALTIME, probes="realtime.cancel")


def first_response(exchange: Exchange) -> Heard:
    return answer_to(exchange, "wp_long", "response.created")


def end_of(exchange: Exchange, id: object) -> Heard | None:
    return next((one for one in events_of(exchange) if one.type == "response.done" and id_of(one) == id), None)


@clause("realtime.turns.one", level="SHOULD", source="SPEC response.create; OBS",
        on=CANCEL)  # fmt: skip
def a_second_response_waits_for_the_first(exchange: Exchange) -> None:
    """While a response of the conversation is given, another is refused; the two are never told at once."""
    first = response_in(first_response(exchange)).get("id")
    second, end = turn(exchange, "wp_second"), end_of(exchange, first)
    begun = second.first("response.created")
    if end is not None and (begun is None or end.number < begun.number) and second.error is None:
        raise NotApplicable("the first response had ended before the second was asked for")
    expect(begun is None, expected="error", got="response.created", event=begun.number if begun else None)


@clause("realtime.turns.unharmed", level="MUST", source="SPEC RealtimeServerEventError: the session stays", on=CANCEL)
def a_response_goes_on_when_another_is_refused(exchange: Exchange) -> None:
    """A response is not ended by the refusal of another."""
    first = response_in(first_response(exchange)).get("id")
    second = turn(exchange, "wp_second")
    if second.error is None:
        raise NotApplicable("the second response was not refused")
    end = end_of(exchange, first)
    held = end is None or end.number > second.heard[-1].number or response_in(end).get("status") in (
        "completed", "incomplete")  # fmt: skip
    expect(held, expected="the first response to go on", got=shown(response_in(end).get("status")) if end else "",
           at="/response/status", event=end.number if end else None)  # fmt: skip


@clause("realtime.cancel.answered", level="MUST", source="SPEC response.cancel: response.done", on=CANCEL)
def a_response_that_is_stopped_is_done(exchange: Exchange) -> None:
    """`response.cancel` is answered by the `response.done` of what it stops, or by an error."""
    stopped = turn(exchange, "wp_stop")
    expect(not stopped.waited, expected="response.done", got=types_of(stopped.heard), event=stopped.number)


@clause("realtime.cancel.status", level="MUST", source="SPEC response.cancel: status cancelled", on=CANCEL)
def a_response_that_is_stopped_says_so(exchange: Exchange) -> None:
    """The response that was stopped ends with the status `cancelled`, unless it was over by then."""
    first = response_in(first_response(exchange)).get("id")
    stopped = turn(exchange, "wp_stop")
    end = next((one for one in stopped.heard if one.type == "response.done" and id_of(one) == first), None)
    if end is None:
        raise NotApplicable("no end of it came after that, which another clause judges")
    told = response_in(end).get("status")
    if told in ("completed", "incomplete") and stopped.error is not None:
        raise NotApplicable("the response was over before it was stopped")
    expect(told == "cancelled", expected="cancelled", got=shown(told), at="/response/status", event=end.number)


@clause("realtime.cancel.idle", level="SHOULD", source="SPEC response.cancel: an error when there is none", on=CANCEL)
def there_is_nothing_to_stop(exchange: Exchange) -> None:
    """`response.cancel` without a response to cancel is answered by an error, and by nothing else."""
    idle = turn(exchange, "wp_idle")
    end = idle.first("response.done")
    expect(end is None, expected="error", got="response.done", event=end.number if end else None)
    expect(not idle.waited, expected="error", got=types_of(idle.heard), event=idle.number)


@clause("realtime.cancel.after", level="MUST", source="SPEC response.cancel; response.create", on=CANCEL)
def after_a_response_was_stopped_another_is_given(exchange: Exchange) -> None:
    """After a response was stopped the conversation goes on: the next one is given."""
    after = turn(exchange, "wp_after")
    first = response_in(first_response(exchange)).get("id")
    if end_of(exchange, first) is None:
        raise NotApplicable("the first response did not end, which another clause judges")
    code = as_text(as_object(after.error.data.get("error")).get("code")) if after.error else ""
    expect(not after.waited and "active_response" not in code, expected="response.done",
           got=code or types_of(after.heard), event=after.error.number if after.error else after.number)  # fmt: skip
