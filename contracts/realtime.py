"""Realtime sessions: the events of the server one by one, the settings of a session, and what it makes of mistakes.

The items of a conversation are judged in realtime_items.py, responses in realtime_responses.py, sound in
realtime_sound.py, keys in realtime_keys.py. A target without such a socket refuses the handshake: then none applies.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from wireproof.clause import (
    REALTIME_MODEL,
    Exchange,
    NotApplicable,
    Say,
    Talk,
    Undecodable,
    clause,
    expect,
    needing,
    shown,
    talk,
    talked,
)

from ._reading import as_count, as_object, as_text
from ._realtime import (
    PATH,
    QUIET,
    REALTIME,
    SOON_S,
    TALKS,
    UPDATED,
    answer_to,
    events_of,
    message_of,
    schemas,
    session_in,
    socket_of,
    turn,
    turns,
    turns_of,
    types_of,
    update,
    value_in,
)
from ._shape import PATH_LIKE

FIRST, SECOND = "Answer in one word.", "Answer in two words."
CAP = 200
DAY_S = 86_400
# What of a session is judged by itself, or may change by itself.
OF_ITS_OWN = ("id", "expires_at", "client_secret")


@talk("realtime.session", PATH, about="a session, changed and mistaken", needs=REALTIME_MODEL,
      query={"model": REALTIME_MODEL})  # fmt: skip
def session() -> Talk:
    yield Say(None, until=("session.created", "error"))
    yield Say(update("wp_whole", instructions=FIRST, max_output_tokens=CAP, **QUIET), until=UPDATED)
    yield Say(update("wp_part", instructions=SECOND), until=UPDATED)
    yield Say(update("wp_bad", instructions="Never to be heard.", output_modalities=["smell"]), UPDATED, SOON_S)
    yield Say({"event_id": "wp_unknown", "type": "wireproof.unknown"}, ("error",), SOON_S)
    yield Say('{"type": "session.update", ', ("error",), SOON_S)
    yield Say({"event_id": "wp_missing", "type": "conversation.item.create"}, ("error",), SOON_S)
    yield Say(update("wp_last", max_output_tokens=CAP // 2), until=UPDATED)


SESSION = talked(REALTIME, probes="realtime.session")
# Talks in which each event of the client waits for what came to the one before.
OURS = talked(REALTIME, probes="realtime.*")
MISTAKES = ("wp_bad", "wp_unknown", "wp_missing")


# ------------------------------------------------------------------------------------ each event by itself


@clause("realtime.wire", level="MUST", source="RFC6455 7.1; SPEC realtime", on=replace(TALKS, troubled=True))
def a_socket_lasts_and_ends_with_a_close_frame(exchange: Exchange) -> None:
    """A socket that was opened keeps to the protocol, and whoever leaves it says so in a close frame."""
    trouble = exchange.trouble
    if trouble is None:
        socket_of(exchange)
    elif not trouble.theirs:
        raise NotApplicable(trouble.detail)
    expect(
        trouble is None, expected="frames by RFC 6455, the last a close frame", got=trouble.detail if trouble else ""
    )


@clause("realtime.events.json", level="MUST", source="SPEC RealtimeServerEvent; SDK", on=TALKS)
def every_message_is_one_event(exchange: Exchange) -> None:
    """Each message of the server is a text that holds one JSON object, which says in `type` what it is."""
    for number, message in enumerate(socket_of(exchange).messages):
        if message.ours:
            continue
        expect(message.is_text, expected="a text", got=f"{len(message.data)} bytes of binary", event=number)
        try:
            value = value_in(message)
        except Undecodable as bad:
            expect(False, expected="one JSON object", got=str(bad), event=number)
        held = isinstance(value, dict) and isinstance(value.get("type"), str)
        expect(held, expected="an object with a type", got=shown(value), at="/type", event=number)


ITEM_TYPES = ("message", "function_call", "function_call_output", "mcp_approval_response", "mcp_list_tools", "mcp_call",
              "mcp_approval_request")  # fmt: skip
# These have clauses of their own, which say more than a schema can.
JUDGED_ELSEWHERE = ("/response/usage", "/response/status", "/rate_limits", "/event_id")


@clause("realtime.events.schema", level="MUST", source="SPEC RealtimeServerEvent; SDK", on=TALKS)
def every_event_has_the_shape_of_its_type(exchange: Exchange) -> None:
    """Each event of a type that is described has what is described. Other types, also of items, are welcome."""
    for number, kind, data in events_of(exchange):
        schema = schemas().get(kind)
        for breach in schema.violations(data) if schema else ():
            is_elsewhere = breach.pointer.startswith(JUDGED_ELSEWHERE) or "event_id" in breach.expected
            if not is_elsewhere and not _is_in_a_new_item(data, breach.pointer):
                expect(False, expected=breach.expected, got=breach.got, at=breach.pointer, event=number)


def _is_in_a_new_item(data: dict[str, Any], pointer: str) -> bool:
    """Whether a place is in an item of a type that is not described."""
    output = as_object(data.get("response")).get("output")
    items = [("/item", data.get("item"))]
    items += [(f"/response/output/{at}", item) for at, item in enumerate(output if isinstance(output, list) else ())]
    new = [at for at, item in items if isinstance(item, dict) and as_text(item.get("type")) not in ("", *ITEM_TYPES)]
    return any(f"{pointer}/".startswith(f"{at}/") for at in new)


@clause("realtime.events.ids", level="MUST", source="SPEC RealtimeServerEvent.event_id", on=TALKS)
def every_event_has_an_id_of_its_own(exchange: Exchange) -> None:
    """Each event has an `event_id` that no other event of the session has."""
    seen: dict[str, int] = {}
    for number, kind, data in events_of(exchange):
        if kind not in schemas() or kind == "input_audio_buffer.dtmf_event_received":
            continue
        id = as_text(data.get("event_id"))
        expect(bool(id), expected="an id", got=shown(data.get("event_id")), at="/event_id", event=number)
        held = id not in seen
        expect(held, expected="an id of its own", got=f"{id}, as message {seen.get(id)}", at="/event_id", event=number)
        seen[id] = number


@clause("realtime.events.no-key", level="MUST", source="DOCS-0715: keys are secrets", on=replace(TALKS, troubled=True))
def no_event_holds_the_key(exchange: Exchange) -> None:
    """Neither the answer to the handshake nor any event of the server holds the key."""
    for name, value in exchange.headers:
        expect("redacted-key" not in value, expected="a header without the key", got=name, at=f"/{name}")
    for number, message in enumerate(socket_of(exchange).messages):
        held = message.ours or b"redacted-key" not in message.data
        expect(held, expected="an event without the key", got="the key", event=number)


# ----------------------------------------------------------------------------------------------- its settings


ACKNOWLEDGED = {
    "session.updated": "session.update",
    "conversation.item.retrieved": "conversation.item.retrieve",
    "conversation.item.deleted": "conversation.item.delete",
    "conversation.item.truncated": "conversation.item.truncate",
    "input_audio_buffer.cleared": "input_audio_buffer.clear",
}


@clause("realtime.events.once", level="MUST", source="SPEC RealtimeServerEvent", on=TALKS)
def what_was_asked_once_is_done_once(exchange: Exchange) -> None:
    """What a client asked for once is told to be done once, and nothing is that it did not ask for.

    No item is committed twice.
    """
    asked: dict[str, int] = {}
    committed: set[str] = set()
    kinds = {one.number: one for one in events_of(exchange)}
    said = {one.number: as_text(one.said.get("type")) for one in turns(exchange)}
    for number in sorted({*kinds, *said}):
        if number in said:
            asked[said[number]] = asked.get(said[number], 0) + 1
            continue
        one = kinds[number]
        wanted = ACKNOWLEDGED.get(one.type)
        if wanted is not None:
            asked[wanted] = asked.get(wanted, 0) - 1
            expect(asked[wanted] >= 0, expected=f"one for each {wanted}", got="one more", event=number)
        elif one.type == "input_audio_buffer.committed":
            id = as_text(one.data.get("item_id"))
            expect(id not in committed, expected="an item once", got=f"{id} again", at="/item_id", event=number)
            committed.add(id)


@clause("realtime.session.created", level="MUST", source="SPEC session.created", on=TALKS)
def a_session_is_created_first_and_once(exchange: Exchange) -> None:
    """`session.created` is the first event of a session, without being asked, and comes once."""
    told = [one for one in events_of(exchange) if one.type in schemas()]
    first = told[0] if told else events_of(exchange)[0]
    if first.type == "error":
        raise NotApplicable(f"the session was refused: {message_of(first)}"[:200])
    expect(first.type == "session.created", expected="session.created", got=first.type, at="/type", event=first.number)
    ours = next((at for at, one in enumerate(socket_of(exchange).messages) if one.ours), first.number + 1)
    is_awaited = "sequence" not in exchange.lacks  # other clients may not wait for it
    held = first.number < ours or not is_awaited
    expect(held, expected="it before the client speaks", got="it after that", event=first.number)
    again = next((one for one in told[1:] if one.type == "session.created"), None)
    expect(again is None, expected="it once", got="it again", event=again.number if again else None)


@clause("realtime.session.model", level="SHOULD", source="SPEC RealtimeSession.model", on=SESSION)
def a_session_speaks_for_the_model_that_was_asked_for(exchange: Exchange) -> None:
    """`model` of a session is the name that was asked for, its snapshot or alias, never a path of the server's disk."""
    asked = exchange.request.query.get("model")
    for one in events_of(exchange):
        if one.type not in ("session.created", "session.updated") or "model" not in session_in(one):
            continue
        told = session_in(one)["model"]
        held = told == asked or (bool(as_text(told).strip()) and not PATH_LIKE.match(as_text(told)))
        expect(held, expected=f"{shown(asked)} or the model it stands for", got=shown(told), at="/session/model",
               event=one.number)  # fmt: skip


@clause("realtime.session.expires", level="SHOULD", source="SPEC RealtimeSession.expires_at",
        on=needing(TALKS, "clock"))  # fmt: skip
def a_session_expires_later(exchange: Exchange) -> None:
    """`expires_at`, where a session tells it, is a time to come, in seconds, and within a day."""
    for one in events_of(exchange):
        told = session_in(one).get("expires_at") if one.type.startswith("session.") else None
        if told is None:
            continue
        left = (as_count(told) or 0) - exchange.started_unix
        held = 0 < left < DAY_S
        expect(held, expected="a second to come", got=told, at="/session/expires_at", event=one.number)


@clause("realtime.session.id", level="MUST", source="SPEC RealtimeSession.id", on=TALKS)
def a_session_keeps_its_id(exchange: Exchange) -> None:
    """Each `session.updated` speaks of the session that was created, by the same id."""
    told = [one for one in events_of(exchange) if one.type in ("session.created", "session.updated")]
    ids = [(one.number, session_in(one).get("id")) for one in told]
    for number, id in ids[1:]:
        expect(id == ids[0][1], expected=shown(ids[0][1]), got=shown(id), at="/session/id", event=number)


@clause("realtime.session.answered", level="MUST", source="SPEC session.update, session.updated", on=SESSION)
def an_update_is_answered(exchange: Exchange) -> None:
    """`session.update` is answered by `session.updated`, or by an error: a client waits for it."""
    asked = turns_of(exchange, "session.update")
    if not asked:
        raise NotApplicable("the talk ended before an update")
    for one in asked:
        expect(not one.waited, expected="session.updated or error", got=types_of(one.heard), event=one.number)


@clause("realtime.session.echo", level="MUST", source="SPEC session.updated: the full configuration", on=OURS)
def an_update_is_told_again(exchange: Exchange) -> None:
    """`session.updated` has what the update asked for."""
    judged = False
    for one in turns_of(exchange, "session.update"):
        updated = one.first("session.updated")
        if updated is None or one.said.get("event_id") in MISTAKES:
            continue
        judged = True
        asked = {key: value for key, value in as_object(one.said.get("session")).items() if key != "type"}
        for pointer, wanted, got in _unlike(asked, session_in(updated)):
            is_snapshot = pointer.endswith("/model") and as_text(got).startswith(as_text(wanted))
            expect(is_snapshot, expected=shown(wanted), got=shown(got), at=f"/session{pointer}", event=updated.number)
    if not judged:
        raise NotApplicable("no update was taken")


def _unlike(asked: dict[str, Any], told: dict[str, Any], place: str = "") -> list[tuple[str, Any, Any]]:
    """Where `told` does not have what was asked: the pointer, what was asked, what is there. Null may be left out."""
    found: list[tuple[str, Any, Any]] = []
    for key, value in asked.items():
        there = told.get(key)
        if isinstance(value, dict) and isinstance(there, dict | None):
            found += _unlike(value, there or {}, f"{place}/{key}")
        elif there != value:
            found.append((f"{place}/{key}", value, there if key in told else "nothing"))
    return found


@clause(
    "realtime.session.keeps", level="MUST", source="SPEC session.update: only present fields are updated", on=SESSION
)
def an_update_leaves_the_rest_alone(exchange: Exchange) -> None:
    """An update changes what it names; `session.updated` tells the whole session, all else as it was before."""
    told = [one for one in events_of(exchange) if one.type in ("session.created", "session.updated")]
    judged = False
    for name in ("wp_whole", "wp_part"):
        one = turn(exchange, name)
        updated = one.first("session.updated")
        earlier = [other for other in told if updated is not None and other.number < updated.number]
        if updated is None or not earlier:
            continue
        judged, after = True, session_in(updated)
        rest = {key: value for key, value in session_in(earlier[-1]).items() if key not in OF_ITS_OWN}
        for pointer, was, now in _unlike(_without(rest, as_object(one.said.get("session"))), after):
            expect(was is None, expected=shown(was), got=shown(now), at=f"/session{pointer}", event=updated.number)
    if not judged:
        raise NotApplicable("no update was taken")


def _without(before: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    """What stood before, without what was asked for."""
    kept: dict[str, Any] = {}
    for key, value in before.items():
        if key not in asked:
            kept[key] = value
        elif isinstance(value, dict) and isinstance(asked[key], dict):
            kept[key] = _without(value, asked[key])
    return kept


# ------------------------------------------------------------------------------------------------ its mistakes


@clause("realtime.mistakes.update", level="SHOULD", source="SPEC session.update, RealtimeServerEventError", on=SESSION)
def an_update_that_makes_no_sense_is_refused(exchange: Exchange) -> None:
    """An update with a value that is none of those described is answered by an error, and not taken."""
    one = turn(exchange, "wp_bad")
    updated = one.first("session.updated")
    expect(updated is None, expected="error", got="session.updated", event=updated.number if updated else None)


@clause(
    "realtime.mistakes.unharmed", level="MUST", source="SPEC RealtimeServerEventError: the session stays", on=SESSION
)
def a_refused_update_changes_nothing(exchange: Exchange) -> None:
    """After an update that was refused the session is as before, also in what that update had right."""
    if turn(exchange, "wp_bad").error is None:
        raise NotApplicable("the update was not refused")
    before, after = answer_to(exchange, "wp_part", "session.updated"), answer_to(exchange, "wp_last", "session.updated")
    for key in ("instructions", "output_modalities"):
        was, now = session_in(before).get(key), session_in(after).get(key)
        expect(was == now, expected=shown(was), got=shown(now), at=f"/session/{key}", event=after.number)


@clause("realtime.mistakes.unknown-event", level="SHOULD", source="SPEC RealtimeServerEventError", on=SESSION)
def an_unknown_event_is_refused(exchange: Exchange) -> None:
    """An event of a type that there is not is answered by an error, not by silence."""
    one = turn(exchange, "wp_unknown")
    expect(not one.waited, expected="error", got=types_of(one.heard), event=one.number)


@clause("realtime.mistakes.json", level="SHOULD", source="SPEC RealtimeServerEventError", on=SESSION)
def a_message_that_is_no_json_is_refused(exchange: Exchange) -> None:
    """A message that is no JSON is answered by an error, not by silence."""
    one = next((one for one in turns(exchange) if "text" in one.said), None)
    if one is None:
        raise NotApplicable("the talk ended before it was said")
    expect(not one.waited, expected="error", got=types_of(one.heard), event=one.number)


@clause(
    "realtime.mistakes.missing", level="SHOULD", source="SPEC conversation.item.create: item is required", on=SESSION
)
def an_event_without_what_it_needs_is_refused(exchange: Exchange) -> None:
    """An event without a field that it must have is answered by an error, not by silence."""
    one = turn(exchange, "wp_missing")
    expect(not one.waited, expected="error", got=types_of(one.heard), event=one.number)


@clause(
    "realtime.mistakes.open", level="MUST", source="SPEC RealtimeServerEventError: most are recoverable", on=SESSION
)
def a_mistake_does_not_end_the_session(exchange: Exchange) -> None:
    """After a client's mistake the socket stays open, and the session goes on."""
    socket = socket_of(exchange)
    if socket.closed_by != "server":
        return
    last = next((one for one in reversed(turns(exchange))), None)
    if last is None or (last.said.get("event_id") not in MISTAKES and "text" not in last.said):
        raise NotApplicable(f"the socket was closed with {socket.code}, though not after a mistake")
    got = f"closed with {socket.code}{f': {socket.reason}' if socket.reason else ''}"
    expect(False, expected="error, and an open socket", got=got, event=last.number)


@clause("realtime.mistakes.told", level="SHOULD", source="SPEC RealtimeServerEventError.error", on=OURS)
def an_error_says_what_is_wrong(exchange: Exchange) -> None:
    """An error has words, and a type; one event of a client brings one of them."""
    told: dict[str, int] = {}
    for one in events_of(exchange):
        if one.type != "error":
            continue
        error = as_object(one.data.get("error"))
        for key in ("message", "type"):
            held = bool(as_text(error.get(key))) or not error
            expect(held, expected="words", got=shown(error.get(key)), at=f"/error/{key}", event=one.number)
        id = error.get("event_id")
        if isinstance(id, str):
            held = id not in told
            expect(held, expected=f"one error for {id}", got="another", at="/error/event_id", event=one.number)
            told[id] = one.number
    if not any(one.type == "error" for one in events_of(exchange)):
        raise NotApplicable("nothing was wrong")


@clause("realtime.mistakes.named", level="SHOULD", source="SPEC RealtimeServerEventError.error.event_id", on=OURS)
def an_error_names_the_event_it_is_about(exchange: Exchange) -> None:
    """`error.event_id` is the id of the event of the client that was wrong."""
    judged = False
    said: set[str] = set()
    for one in turns(exchange):
        id, error = one.said.get("event_id"), one.error
        said |= {id} if isinstance(id, str) else set()
        if error is None or not isinstance(id, str):
            continue
        judged = True
        told = as_object(error.data.get("error")).get("event_id")  # it may be about one before
        expect(told in said, expected=id, got=shown(told), at="/error/event_id", event=error.number)
    if not judged:
        raise NotApplicable("no event with an id was refused")
