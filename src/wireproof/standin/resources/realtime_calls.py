"""Calls: answered at once when they come over WebRTC, ringing until somebody takes them when they come over SIP.

No sound flows: the SDP answers are formally correct and lead nowhere. A socket with the `call_id` is the session.
"""

from __future__ import annotations

from typing import Any

from wireproof.standin import lent_keys
from wireproof.standin.call import Call
from wireproof.standin.prose import dice
from wireproof.standin.refusals import Refused, invalid, not_found
from wireproof.standin.resources.realtime import opened
from wireproof.standin.serving import serves
from wireproof.standin.wire import Answer, refusal
from wireproof.standin.world import World

KIND = "realtime_calls"
RINGING, ACTIVE = "ringing", "active"
SDP = "application/sdp"


def ring(world: World) -> dict[str, Any]:
    """A SIP call comes in; what a webhook tells of it."""
    id = world.id("rtc_")
    headers = [{"name": "From", "value": "sip:caller@example.com"}, {"name": "Call-ID", "value": world.serial()}]
    session = opened(world, {"type": "realtime"})
    world.table(KIND).put(id, {"id": id, "status": RINGING, "_session": session, "_sip_headers": headers})
    return {"call_id": id, "sip_headers": headers}


@serves("createRealtimeCall")
def create(world: World, call: Call) -> Answer:
    offer = call.body.get("sdp") if call.body else call.ask.body.decode("utf-8", "replace")
    lent = lent_keys.lent(world, call.ask)
    session = opened(world, call.body["session"]) if call.body.get("session") else None
    if session is None:
        session = lent["_session"] if lent else opened(world, {"type": "realtime"})
    id = call.id("rtc_")
    answer = answered(str(offer), id)
    world.table(KIND).put(id, {"id": id, "status": ACTIVE, "_session": session})
    headers = (("content-type", SDP), ("location", f"/v1/realtime/calls/{id}"))
    return Answer(201, headers, answer.encode())


@serves("acceptRealtimeCall")
def accept(world: World, call: Call) -> Answer:
    row = _call(world, call, RINGING)
    world.table(KIND).put(row["id"], {**row, "status": ACTIVE, "_session": opened(world, call.body)})
    return Answer(200)


@serves("rejectRealtimeCall")
def reject(world: World, call: Call) -> Answer:
    return _ended(world, _call(world, call, RINGING))


@serves("referRealtimeCall")
def refer(world: World, call: Call) -> Answer:
    row = _call(world, call, ACTIVE)
    if call.body["target_uri"].partition(":")[0].lower() not in ("sip", "sips", "tel"):
        raise invalid("Invalid 'target_uri': expected a URI as in 'tel:+14155550123' or 'sip:agent@example.com'.",
                      "target_uri", "invalid_value")  # fmt: skip
    return _ended(world, row)


@serves("hangupRealtimeCall")
def hang_up(world: World, call: Call) -> Answer:
    return _ended(world, _call(world, call, RINGING, ACTIVE))


def _call(world: World, call: Call, *states: str) -> dict[str, Any]:
    """The call that is meant. What has ended is gone; what is in another state conflicts."""
    id = call.path["call_id"]
    row = world.table(KIND).get(id)
    if row is None:
        raise not_found(f"No call with id '{id}'.", "call_id")
    if row["status"] not in states:
        raise Refused(refusal(409, f"The call '{id}' is {row['status']}, expected was {' or '.join(states)}."))
    return row


def _ended(world: World, row: dict[str, Any]) -> Answer:
    world.table(KIND).delete(row["id"])
    return Answer(200)


def answered(offer: str, id: str) -> str:
    """The SDP answer (RFC 8829) to an offer of WebRTC: its media in their order, sound taken, all else refused."""
    lines = offer.replace("\r\n", "\n").split("\n")
    media = [line for line in lines if line.startswith("m=")]
    if not offer.startswith("v=0") or not any(line.startswith("m=audio ") for line in media):
        raise invalid(
            "Invalid SDP offer: expected a session description with a line 'm=audio'.", "sdp", "invalid_offer"
        )
    throw = dice("sdp", id)
    names = [line.removeprefix("a=mid:") for line in lines if line.startswith("a=mid:")]
    said = ["v=0", f"o=- {throw.getrandbits(62)} 2 IN IP4 127.0.0.1", "s=-", "t=0 0"]
    if names:
        said.append(f"a=group:BUNDLE {' '.join(names)}")
    fingerprint = ":".join(f"{throw.getrandbits(8):02X}" for _ in range(32))
    for at, line in enumerate(media):
        kind, _, protocol, *formats = line.removeprefix("m=").split(" ")
        is_taken = kind in ("audio", "application")
        port = "9" if is_taken else "0"
        kept = formats[:1] if kind == "audio" else formats
        said += [f"m={kind} {port} {protocol} {' '.join(kept)}", "c=IN IP4 0.0.0.0"]
        if at < len(names):
            said.append(f"a=mid:{names[at]}")
        if is_taken:
            said += [
                f"a=ice-ufrag:{throw.getrandbits(32):08x}",
                f"a=ice-pwd:{throw.getrandbits(128):032x}",
                f"a=fingerprint:sha-256 {fingerprint}",
                "a=setup:active",
            ]
        if kind == "audio":
            said += ["a=sendrecv", "a=rtcp-mux"]
            said += [one for one in lines if one.startswith(f"a=rtpmap:{kept[0]} ")]
    return "\r\n".join([*said, ""])
