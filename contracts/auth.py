"""Keys: a request without the right one is refused with 401, and says so in the way clients branch on.

The bodies of these refusals are judged in errors_shape.py, and that none echoes a key in wire.py. Without a key of
the user none of this is asked: many local servers take any.
"""

from __future__ import annotations

from typing import Any, Literal

from wireproof.clause import (
    EMBEDDING_MODEL,
    MODEL,
    Exchange,
    Inconclusive,
    Probe,
    clause,
    expect,
    probe,
    refused,
    sent,
    shown,
    where_served,
)

from ._errors import error_told, seen

# A right key would make each of them one token. Not GET /models: some providers publish that list on purpose.
BODY = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}


def _ask(id: str, about: str, auth: Literal["none", "cut"]) -> Probe:
    return probe(id, "POST", "/chat/completions", BODY, about=about, expects="refusal", auth=auth)


def _open_door(id: str, path: str, body: Any, needs: str, about: str) -> Probe:
    return probe(id, "POST", path, body, about=about, expects="refusal", auth="none", needs=needs)


# Whoever takes any key, or any that looks like one, also takes the user's less a character: one wrong key will do.
PROBES = (
    _ask("auth.none", "a chat request without a key", "none"),
    _ask("auth.cut", "a chat request with the key less its last character", "cut"),
    _open_door(
        "auth.none-embeddings",
        "/embeddings",
        {"model": EMBEDDING_MODEL, "input": "Hi"},
        EMBEDDING_MODEL,
        "a request for a vector without a key",
    ),
    _open_door(
        "auth.none-responses",
        "/responses",
        {"model": MODEL, "input": "Hi", "max_output_tokens": 16, "store": False},
        MODEL,
        "a response without a key",
    ),
)
WRONG = "auth.cut"

# Answers that say nothing about the key: too many, or nobody there.
ELSEWHERE = (408, 429, 502, 503, 504)
TYPES = ("invalid_request_error", "authentication_error")


@clause(
    "auth.none",
    level="MUST",
    source="SPEC security: ApiKeyAuth; ERR-LATE 401",
    on=where_served(sent(probes="auth.none*")),
)
def a_key_is_needed(exchange: Exchange) -> None:
    """A request without a key is refused, on every route that generates.

    A check that hangs on each handler is forgotten on the next one: hang it before the router.
    """
    _expect_refused(exchange, "without a key")


@clause(
    "auth.wrong", level="MUST", source="SPEC security: ApiKeyAuth; ERR-LATE 401", on=where_served(sent(probes=WRONG))
)
def a_wrong_key_is_refused(exchange: Exchange) -> None:
    """A request with a wrong key is refused, also when it is right but for its last character.

    Comparing only a part makes a key guessable one character at a time.
    """
    _expect_refused(exchange, "with a wrong key")


def _expect_refused(exchange: Exchange, how: str) -> None:
    status = exchange.status or 0
    expect(status >= 400, expected=f"a refusal of a request {how}", got=f"status {status}")
    if status in ELSEWHERE:
        raise Inconclusive(f"answered {status}, which says nothing about the key")


@clause(
    "auth.status",
    level="MUST",
    source="ERR-LATE 401; SDK AuthenticationError",
    on=where_served(refused(probes="auth.*")),
)
def a_bad_key_is_a_401(exchange: Exchange) -> None:
    """A missing or wrong key is answered 401, not 403 (known, but not allowed), 400 or 500.

    Clients ask for another key on 401, give up on 403 and try again on 500.
    """
    if exchange.status in ELSEWHERE:
        raise Inconclusive(f"answered {exchange.status}, which says nothing about the key")
    expect(exchange.status == 401, expected="status 401", got=seen(exchange))


@clause("auth.type", level="SHOULD", source="OBS 401; ERR-LATE", on=refused(probes="auth.*", status="401"))
def a_bad_key_has_a_known_type(exchange: Exchange) -> None:
    """The `type` of a 401 is `invalid_request_error`; `authentication_error`, which many servers send, passes too.

    Another word falls through the branches of clients that tell a bad key from a bad request by it.
    """
    kind = error_told(exchange).get("type")
    expect(kind in TYPES, expected=f"type {' or '.join(TYPES)}", got=shown(kind), at="/error/type")


@clause("auth.code", level="MUST", source="OBS 401; ERR-LATE", on=refused(probes=WRONG, status="401"))
def a_wrong_key_has_its_code(exchange: Exchange) -> None:
    """The `code` for a wrong key is `invalid_api_key`.

    By it a client tells a mistyped key from an account that may not use the API: both are 401.
    """
    code = error_told(exchange).get("code")
    expect(code == "invalid_api_key", expected="code invalid_api_key", got=shown(code), at="/error/code")
