"""Who gets a realtime session: keys of a header or a subprotocol, keys for clients, and models that there are."""

from __future__ import annotations

from typing import Any

from wireproof.clause import (
    REALTIME_MODEL,
    Call,
    Exchange,
    Flow,
    NotApplicable,
    Say,
    Talk,
    answered,
    clause,
    expect,
    flow,
    load_spec,
    sent,
    shown,
    steps,
    talk,
    talked,
)

from ._reading import as_count, as_object, as_text, object_of
from ._realtime import PATH, REALTIME, Heard, events_of, message_of, session_in, socket_of

SECRETS = "createRealtimeClientSecret"
KEY_PROTOCOL = "openai-insecure-api-key."
LASTS_S = 60
ASKED: dict[str, Any] = {
    "type": "realtime",
    "model": REALTIME_MODEL,
    "output_modalities": ["text"],
    "instructions": "Answer in three words.",
}
SLACK_S = 30  # between clocks, and for the answer


def _greeted() -> Talk:
    """Whoever is not wanted may be told so on the socket, when it is open already."""
    yield Say(None, until=("session.created", "error"), within_s=5.0)
    yield Say(None, until=("error",), within_s=1.0)


def _stranger(name: str, about: str, **options: Any) -> Any:
    options = {"query": {"model": REALTIME_MODEL}, "expects": "refusal", **options}
    return talk(f"realtime.{name}", PATH, about=about, needs=REALTIME_MODEL, **options)(_greeted)


no_key = _stranger("no-key", "a session without a key", auth="none")
wrong_key = _stranger("wrong-key", "a session under the key less its last character", auth="cut")
no_model = _stranger("no-model", "a session with a model that there is not", query={"model": "wireproof-no-such-model"})


@talk("realtime.protocol", PATH, about="a session under a key in a subprotocol", needs=REALTIME_MODEL, expects="either",
      query={"model": REALTIME_MODEL}, auth="protocol", protocols=("realtime",), key_protocol=KEY_PROTOCOL)  # fmt: skip
def in_a_browser() -> Talk:
    yield Say(None, until=("session.created", "error"))


def _with(key: str, path: str = PATH, **more: Any) -> Call:
    return Call("GET", path, headers={"authorization": f"Bearer {key}"}, **more)


@flow("realtime.secret", most=3, about="a key for a client, the session it opens, and what it must not open",
      needs=REALTIME_MODEL, expects="either", paid=0)  # fmt: skip
def secret() -> Flow:
    body = {"expires_after": {"anchor": "created_at", "seconds": LASTS_S}, "session": ASKED}
    lent = yield Call("POST", "/realtime/client_secrets", body)
    if lent.status != 200 or lent.trouble:
        return
    value = as_text(object_of(lent).get("value"))
    if value and value.isascii() and value.isprintable():
        yield _with(value, query={"model": REALTIME_MODEL}, talk=in_a_browser_like)
        yield _with(value, "/models")


def in_a_browser_like() -> Talk:
    yield Say(None, until=("session.created", "error"))


SECRET = answered(SECRETS, probes="realtime.secret", status="200")


# ------------------------------------------------------------------------------------------------ who comes in


def _expect_refused(exchange: Exchange, got: str) -> None:
    if exchange.socket is None:
        return
    events = events_of(exchange)
    created = next((one for one in events if one.type == "session.created"), None)
    error = next((one for one in events if one.type == "error"), None)
    held = created is None or error is not None
    expect(held, expected="a refusal", got=got, event=created.number if created else None)


@clause(
    "realtime.keys.none", level="MUST", source="SPEC security; DOCS-0715", on=sent(REALTIME, probes="realtime.no-key")
)
def nobody_comes_in_without_a_key(exchange: Exchange) -> None:
    """A session without a key is refused: by the handshake, or by an `error` on the socket."""
    _expect_refused(exchange, "session.created without a key")


@clause("realtime.keys.wrong", level="MUST", source="SPEC security; DOCS-0715",
        on=sent(REALTIME, probes="realtime.wrong-key"))  # fmt: skip
def nobody_comes_in_under_a_wrong_key(exchange: Exchange) -> None:
    """A session under a key that is none is refused: by the handshake, or by an `error` on the socket."""
    _expect_refused(exchange, "session.created under a wrong key")


@clause("realtime.keys.model", level="SHOULD", source="SPEC connectRealtime.model; ERR-LATE",
        on=sent(REALTIME, probes="realtime.no-model"))  # fmt: skip
def a_model_that_there_is_not_is_refused(exchange: Exchange) -> None:
    """A session with a model that there is not is refused: by the handshake, or by an `error` on the socket."""
    _expect_refused(exchange, "session.created with such a model")


@clause("realtime.keys.refusal", level="MUST", source="SPEC ErrorResponse; DOCS-0715",
        on=sent(REALTIME, probes=("realtime.no-key", "realtime.wrong-key", "realtime.no-model")))  # fmt: skip
def a_refused_handshake_is_an_error_of_the_client(exchange: Exchange) -> None:
    """Who is refused at the handshake is told a status of 4xx: nothing broke, and asking again will not help."""
    status = exchange.status or 0
    if exchange.socket is not None:
        raise NotApplicable("the handshake was taken")
    if status in (429, 501, 503):
        raise NotApplicable(f"answered {status}")
    expect(400 <= status < 500, expected="a status of 4xx", got=str(status))


@clause("realtime.keys.protocol", level="SHOULD", source="SDK; DOCS-0715",
        on=talked(REALTIME, probes="realtime.protocol"))  # fmt: skip
def a_browser_comes_in_by_a_subprotocol(exchange: Exchange) -> None:
    """A key in a subprotocol opens a session, and the protocol agreed on is `realtime`, never the one with the key."""
    told = socket_of(exchange).protocol
    expect(told in (None, "realtime"), expected="realtime", got=shown(told), at="/sec-websocket-protocol")
    first = _greeting(exchange)
    expect(first.type == "session.created", expected="session.created", got=_told(first), event=first.number)


def _greeting(exchange: Exchange) -> Heard:
    """What a session begins with: that it was created, or why not; what comes before is judged elsewhere."""
    events = events_of(exchange)
    return next((one for one in events if one.type in ("session.created", "error")), events[0])


def _told(one: Heard) -> str:
    return f"{one.type}: {message_of(one)}"[:200] if one.type == "error" else one.type


# ------------------------------------------------------------------------------------------- keys for clients


@clause("realtime.secrets.schema", level="MUST", source="SPEC RealtimeCreateClientSecretResponse", on=SECRET)
def a_key_for_a_client_is_told_with_its_session(exchange: Exchange) -> None:
    """A key for a client comes with its `value`, when it expires, and the session that it opens."""
    schema = load_spec().operations[SECRETS].answer_schema(200)
    for breach in schema.violations(exchange.json) if schema else ():
        expect(False, expected=breach.expected, got=breach.got, at=breach.pointer)


@clause("realtime.secrets.expires", level="MUST", source="SPEC client_secrets.expires_after.seconds", on=SECRET)
def a_key_for_a_client_expires_when_asked(exchange: Exchange) -> None:
    """`expires_at` is as many seconds from now as were asked for."""
    told = as_count(object_of(exchange).get("expires_at"))
    if told is None:
        raise NotApplicable("it does not tell when it expires, which the schema judges")
    left = told - exchange.started_unix
    held = 0 < left <= LASTS_S + SLACK_S
    expect(
        held, expected=f"a second within {LASTS_S} s from now", got=f"{told}, {left:.0f} s from now", at="/expires_at"
    )


@clause("realtime.secrets.session", level="MUST", source="SPEC client_secrets.session", on=SECRET)
def a_key_for_a_client_is_bound_to_what_was_asked(exchange: Exchange) -> None:
    """The session of a key has the settings that were asked for."""
    told = as_object(object_of(exchange).get("session"))
    for key in ("type", "output_modalities", "instructions"):
        expect(told.get(key) == ASKED[key], expected=shown(ASKED[key]), got=shown(told.get(key)), at=f"/session/{key}")


@clause("realtime.secrets.opens", level="MUST", source="SPEC client_secrets; DOCS-0715", on=steps("realtime.secret"))
def a_key_for_a_client_opens_its_session(exchange: list[Exchange]) -> None:
    """The key opens a socket, and the session on it has the settings that it was made with."""
    opened = next((one for one in exchange if one.operation == REALTIME), None)
    if opened is None:
        raise NotApplicable("no key was given")
    if opened.socket is None:
        expect(False, expected="a session", got=f"status {opened.status}", at=f"{opened.id} ")
    first = _greeting(opened)
    at = f"{opened.id} "
    expect(first.type == "session.created", expected="session.created", got=_told(first), at=at, event=first.number)
    for key in ("output_modalities", "instructions"):
        told = session_in(first).get(key)
        expect(told == ASKED[key], expected=shown(ASKED[key]), got=shown(told), at=f"{at}/session/{key}",
               event=first.number)  # fmt: skip


@clause("realtime.secrets.confined", level="SHOULD", source="DOCS-0715 client secrets", on=steps("realtime.secret"))
def a_key_for_a_client_opens_nothing_else(exchange: list[Exchange]) -> None:
    """The key opens realtime alone: who lists models with it is refused."""
    listed = next((one for one in exchange if one.operation == "listModels"), None)
    if listed is None:
        raise NotApplicable("no key was given")
    held = (listed.status or 0) >= 400
    expect(held, expected="a refusal", got=f"status {listed.status}", at=f"{listed.id} ")
