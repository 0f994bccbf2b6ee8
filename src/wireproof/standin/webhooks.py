"""Signs what would be sent to a customer. Pure: nothing is delivered here.

The receiver's side of the rules stands in `spec/resources/webhooks.yaml` as `x-signature`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from typing import Any

SECRET_PREFIX = "whsec_"


def webhook(secret: str, id: str, now: float, type: str, data: dict[str, Any]) -> tuple[dict[str, str], bytes]:
    """The headers and the body of a call that tells of `type`. Sent again, it is the same but for `now`."""
    news = {"id": id, "object": "event", "created_at": int(now), "type": type, "data": data}
    body = json.dumps(news, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": str(int(now)),
        "webhook-signature": sign(secret, id, int(now), body),
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
