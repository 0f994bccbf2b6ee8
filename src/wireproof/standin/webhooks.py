"""What is sent to a customer, and how it is signed. Pure: `postman` delivers it.

The receiver's side of the rules stands in `spec/resources/webhooks.yaml` as `x-signature`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any

SECRET_PREFIX = "whsec_"


@dataclass(frozen=True, slots=True)
class News:
    """One event. `id` tells a receiver what it has had already."""

    id: str
    created_at: int
    type: str
    data: dict[str, Any]


def webhook(secret: str, news: News, now: float) -> tuple[dict[str, str], bytes]:
    """The headers and the body of the call that tells of `news`. Sent again, it is the same but for `now`."""
    told = {"id": news.id, "object": "event", "created_at": news.created_at, "type": news.type, "data": news.data}
    body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {
        "content-type": "application/json",
        "webhook-id": news.id,
        "webhook-timestamp": str(int(now)),
        "webhook-signature": sign(secret, news.id, int(now), body),
    }
    return headers, body


def sign(secret: str, id: str, timestamp: int, payload: bytes) -> str:
    """What the header `webhook-signature` says of `payload`, sent as `id` at `timestamp` (Unix seconds).

    A `secret` that does not begin with SECRET_PREFIX is the key itself. ValueError when what follows it is no base64.
    """
    signed = b"%s.%d.%s" % (id.encode(), timestamp, payload)
    return "v1," + base64.b64encode(hmac.digest(_key(secret), signed, hashlib.sha256)).decode()


def _key(secret: str) -> bytes:
    if not secret.startswith(SECRET_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error as broken:
        raise ValueError(f"a secret is {SECRET_PREFIX} and base64, this one is not: {broken}") from broken
