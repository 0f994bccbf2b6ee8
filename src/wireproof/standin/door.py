"""Before any operation: who is asking, and is there such a route."""

from __future__ import annotations

from collections.abc import Collection

from wireproof.standin.refusals import Refused, invalid
from wireproof.standin.wire import Ask, refusal

# Source: API reference, debugging requests.
MOST_CLIENT_ID = 512


def key_of(ask: Ask, keys: Collection[str]) -> str:
    """The key a request carries. Refused when it has none, or one that is not in `keys`."""
    scheme, _, key = (ask.header("authorization") or "").partition(" ")
    key = key.strip()
    if scheme.lower() != "bearer" or not key:
        raise Refused(
            refusal(
                401,
                "You didn't provide an API key. You need to provide your API key in an Authorization header using "
                "Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
            ).with_header("www-authenticate", 'Bearer realm="OpenAI API"')
        )
    if key not in keys:
        raise Refused(
            refusal(401, f"Incorrect API key provided: {masked(key)}.", code="invalid_api_key").with_header(
                "www-authenticate", 'Bearer realm="OpenAI API"'
            )
        )
    return key


def masked(key: str) -> str:
    """A key that its owner recognises and nobody can use: a quarter of it at most, stars between."""
    shown = min(4, len(key) // 8)
    return key[:shown] + "*" * max(4, len(key) - 2 * shown) + (key[-shown:] if shown else "")


def check_client_id(ask: Ask) -> None:
    given = ask.header("x-client-request-id")
    if given is not None and (len(given) > MOST_CLIENT_ID or not given.isascii()):
        raise invalid(f"Invalid 'X-Client-Request-Id': expected at most {MOST_CLIENT_ID} ASCII characters.")


def no_route(ask: Ask) -> Refused:
    return Refused(refusal(404, f"Invalid URL ({ask.method} {ask.path})"))


def no_method(ask: Ask, allowed: Collection[str]) -> Refused:
    """The API has been seen to answer 404 "Invalid URL" here; 405 with Allow is what RFC 9110 asks for."""
    return Refused(
        refusal(405, f"Not allowed to {ask.method} on {ask.path}.").with_header("allow", ", ".join(sorted(allowed)))
    )
