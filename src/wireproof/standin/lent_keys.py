"""Keys that live for minutes and open realtime alone, lent to clients who must not have a real one."""

from __future__ import annotations

from typing import Any

from wireproof.standin.refusals import Refused
from wireproof.standin.wire import Ask, refusal
from wireproof.standin.world import World

PREFIX = "ek_"
OPENS = "/v1/realtime"
KIND = "client_secrets"


def lend(world: World, owner: str, session: dict[str, Any], expires_s: float) -> dict[str, Any]:
    """A new key of `owner`'s, as `{value, expires_at}`; `session` is what it opens."""
    value = world.id(PREFIX)
    row = {"value": value, "expires_at": int(expires_s), "_owner": owner, "_session": session}
    world.table(KIND).put(value, row)
    return {"value": value, "expires_at": row["expires_at"]}


def lent(world: World, ask: Ask) -> dict[str, Any] | None:
    """The row of the lent key that a request carries; None when it carries none. Refused when it is no good here."""
    scheme, _, key = (ask.header("authorization") or "").partition(" ")
    key = key.strip()
    row = world.table(KIND).get(key) if scheme.lower() == "bearer" and key.startswith(PREFIX) else None
    if row is None:
        return None
    if row["expires_at"] <= world.now:
        raise Refused(refusal(401, "The client secret has expired.", code="token_expired"))
    if not ask.path.startswith(OPENS) or ask.path.endswith("client_secrets"):
        raise Refused(refusal(401, "A client secret opens realtime sessions and nothing else.", code="invalid_api_key"))
    return row
