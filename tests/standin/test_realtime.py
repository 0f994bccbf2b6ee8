"""Keys that are lent, sessions of the beta, calls: realtime before and beside its sockets."""

from __future__ import annotations

from typing import Any

import pytest
from standin.asking import BEARER, Clock, ask, backend, error, form
from standin.conversing import OFFER, REALTIME, connected, one, refused

from wireproof.standin.backend import Backend
from wireproof.standin.resources.realtime_calls import ring
from wireproof.standin.wire import Answer, Ask

SECRETS = "/realtime/client_secrets"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def to(clock: Clock) -> Backend:
    return backend(clock=clock)


def post(to: Backend, path: str, body: Any = None, **options: Any) -> Answer:
    return to.answer(ask("POST", path, body, **options))


def offered(to: Backend, offer: str = OFFER, headers: tuple[tuple[str, str], ...] = BEARER) -> Answer:
    kind = ("content-type", "application/sdp")
    return to.answer(Ask("POST", "/v1/realtime/calls", (), (*headers, kind), offer.encode()))


# ---- lent keys


def test_a_lent_key_opens_the_session_it_was_lent_for(to: Backend) -> None:
    session = {"type": "realtime", "model": "gpt-realtime-mini", "instructions": "Be brief."}
    lent = post(to, SECRETS, {"session": session}).json
    assert lent["value"].startswith("ek_")
    assert lent["expires_at"] == 1_000_000 + 600
    opened = one(connected(to=to, key=lent["value"], model="gpt-realtime-mini").listen(), "session.created")["session"]
    assert (opened["instructions"], opened["model"]) == ("Be brief.", "gpt-realtime-mini")


def test_a_lent_key_opens_nothing_else(to: Backend) -> None:
    key = post(to, SECRETS, {}).json["value"]
    assert error(to.answer(ask("GET", "/models", key=key)))["code"] == "invalid_api_key"
    assert to.answer(ask("POST", SECRETS, {}, key=key)).status == 401
    assert error(to.answer(ask("GET", "/models", key="ek_unknown")))["code"] == "invalid_api_key"


def test_a_lent_key_expires(to: Backend, clock: Clock) -> None:
    lent = post(to, SECRETS, {"expires_after": {"anchor": "created_at", "seconds": 10}}).json
    handshake = ask("GET", "/realtime", key=lent["value"], model=REALTIME)
    clock.now += 9
    assert not isinstance(to.connect(handshake), Answer)
    clock.now += 1
    late = to.connect(handshake)
    assert isinstance(late, Answer)
    assert late.status == 401


@pytest.mark.parametrize(
    "body",
    [
        {"expires_after": {"seconds": 9}},
        {"expires_after": {"seconds": 7201}},
        {"session": {}},
        {"session": {"type": "realtime", "audio": {"output": {"speed": 3}}}},
    ],
)
def test_a_key_is_not_lent_for_what_is_no_session(to: Backend, body: dict[str, Any]) -> None:
    assert post(to, SECRETS, body).status == 400
    assert post(to, SECRETS, {"session": {"type": "realtime", "model": "none"}}).status == 404


def test_a_key_can_be_lent_to_transcribe_and_to_translate(to: Backend) -> None:
    lent = post(to, SECRETS, {"session": {"type": "transcription"}}).json
    assert one(connected(to=to, key=lent["value"]).listen(), "session.created")["session"]["type"] == "transcription"
    session = {"model": "gpt-realtime-translate", "audio": {"output": {"language": "fr"}}}
    lent = post(to, "/realtime/translations/client_secrets", {"session": session}).json
    client = connected(to=to, path="/realtime/translations", key=lent["value"], model="gpt-realtime-translate")
    assert one(client.listen(), "session.created")["session"]["audio"]["output"]["language"] == "fr"
    assert post(to, "/realtime/translations/client_secrets", {"session": {"model": REALTIME}}).status == 404


# ---- the beta


def test_a_session_of_the_beta_comes_with_its_key(to: Backend) -> None:
    asked = {"model": REALTIME, "modalities": ["text"], "voice": "ash", "turn_detection": None}
    session = post(to, "/realtime/sessions", asked).json
    assert (session["voice"], session["turn_detection"]) == ("ash", None)
    assert session["client_secret"]["expires_at"] == 1_000_000 + 60
    opened = one(connected(to=to, key=session["client_secret"]["value"]).listen(), "session.created")["session"]
    assert (opened["output_modalities"], opened["audio"]["output"]["voice"]) == (["text"], "ash")


def test_a_transcription_of_the_beta_comes_with_its_key(to: Backend) -> None:
    asked = {"input_audio_format": "g711_ulaw", "client_secret": {"expires_at": {"seconds": 100}}}
    session = post(to, "/realtime/transcription_sessions", asked).json
    assert session["input_audio_format"] == "g711_ulaw"
    assert session["client_secret"]["expires_at"] == 1_000_000 + 100


# ---- calls


def test_an_offer_is_answered_and_the_call_located(to: Backend) -> None:
    answer = offered(to)
    assert answer.status == 201
    assert answer.header("content-type") == "application/sdp"
    id = (answer.header("location") or "").rpartition("/")[2]
    assert id.startswith("rtc_")
    lines = answer.body.decode().split("\r\n")
    assert [line for line in lines if line.startswith("m=")] == [
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
    ]
    assert {"a=group:BUNDLE 0 1", "a=setup:active", "a=rtpmap:111 opus/48000/2"} <= set(lines)
    assert one(connected(to=to, call_id=id).listen(), "session.created")["session"]["model"] == REALTIME


def test_an_offer_can_come_with_a_session_as_a_form(to: Backend) -> None:
    answer = to.answer(
        form("/realtime/calls", {"sdp": OFFER, "session": '{"type": "realtime", "instructions": "Hm."}'})
    )
    id = (answer.header("location") or "").rpartition("/")[2]
    assert one(connected(to=to, call_id=id).listen(), "session.created")["session"]["instructions"] == "Hm."
    assert to.answer(form("/realtime/calls", {"session": '{"type": "realtime"}'})).status == 400


def test_a_lent_key_may_call(to: Backend) -> None:
    key = post(to, SECRETS, {"session": {"type": "realtime", "instructions": "Lent."}}).json["value"]
    answer = offered(to, headers=(("authorization", f"Bearer {key}"),))
    id = (answer.header("location") or "").rpartition("/")[2]
    assert one(connected(to=to, call_id=id).listen(), "session.created")["session"]["instructions"] == "Lent."


@pytest.mark.parametrize("offer", ["", "hello", "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n"])
def test_what_is_no_offer_of_sound_is_refused(to: Backend, offer: str) -> None:
    assert error(offered(to, offer))["code"] == "invalid_offer"


def test_a_call_that_rings_is_taken_handed_over_and_gone(to: Backend) -> None:
    id = ring(to.world)["call_id"]
    path = f"/realtime/calls/{id}"
    assert post(to, f"{path}/refer", {"target_uri": "sip:agent@example.com"}).status == 409
    taken = post(to, f"{path}/accept", {"type": "realtime", "instructions": "Hello."})
    assert (taken.status, taken.body) == (200, b"")
    assert one(connected(to=to, call_id=id).listen(), "session.created")["session"]["instructions"] == "Hello."
    assert post(to, f"{path}/accept", {"type": "realtime"}).status == 409
    assert error(post(to, f"{path}/refer", {"target_uri": "agent"}))["param"] == "target_uri"
    assert post(to, f"{path}/refer", {"target_uri": "tel:+14155550123"}).status == 200
    assert post(to, f"{path}/hangup").status == 404


def test_a_call_that_rings_can_be_rejected(to: Backend) -> None:
    id = ring(to.world)["call_id"]
    assert post(to, f"/realtime/calls/{id}/reject", {"status_code": 486}).status == 200
    assert post(to, f"/realtime/calls/{id}/reject").status == 404


def test_who_hangs_up_ends_the_sessions_of_the_call(to: Backend) -> None:
    id = (offered(to).header("location") or "").rpartition("/")[2]
    client = connected(to=to, call_id=id)
    client.listen()
    assert client.session.closing is None
    assert post(to, f"/realtime/calls/{id}/hangup").status == 200
    client.listen()
    assert client.session.closing == (1000, "the call has ended")
    assert refused(call_id=id).status == 404


@pytest.mark.parametrize("verb", ["accept", "reject", "refer", "hangup"])
def test_an_unknown_call_is_not_found(to: Backend, verb: str) -> None:
    body = {"accept": {"type": "realtime"}, "refer": {"target_uri": "tel:1"}}.get(verb)
    assert post(to, f"/realtime/calls/rtc_none/{verb}", body).status == 404


# ---- without a socket


@pytest.mark.parametrize("path", ["/realtime", "/realtime/translations"])
def test_a_socket_that_is_asked_for_as_a_page_says_so(to: Backend, path: str) -> None:
    answer = to.answer(ask("GET", path))
    assert (answer.status, answer.header("upgrade")) == (426, "websocket")
