"""contracts/auth.py: each clause with an exchange that keeps it and the nearest that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from made import answer, outcome_of

from wireproof.clause import Exchange

Contract = Callable[[str], ModuleType]
PLAIN: dict[str, Any] = {"choices": []}


def told(status: int, probe: str = "auth.cut", body: Any = None, **fields: Any) -> Exchange:
    error = {"message": "No.", "type": "invalid_request_error", "param": None, "code": "invalid_api_key", **fields}
    return answer(body or {"error": error}, status=status, probe=probe, asked={"model": "m"})


def elsewhere(status: int) -> Exchange:
    """On a route that is not served everywhere."""
    return replace(told(status, "auth.none-responses"), operation="createResponse")


CASES: list[tuple[str, Exchange, str]] = [
    ("a_key_is_needed", told(401, "auth.none", code=None), "pass"),
    ("a_key_is_needed", told(200, "auth.none", PLAIN), "fail"),
    ("a_key_is_needed", told(429, "auth.none"), "inconclusive"),
    ("a_key_is_needed", told(200, "chat.plain", PLAIN), "not-applicable"),
    ("a_key_is_needed", told(401, "auth.none-embeddings"), "pass"),
    ("a_key_is_needed", told(200, "auth.none-responses", {"object": "response"}), "fail"),
    ("a_key_is_needed", told(404, "auth.none-responses"), "pass"),
    ("a_wrong_key_is_refused", told(401), "pass"),
    ("a_wrong_key_is_refused", told(403), "pass"),
    ("a_wrong_key_is_refused", told(200, body=PLAIN), "fail"),
    ("a_wrong_key_is_refused", told(503), "inconclusive"),
    ("a_bad_key_is_a_401", told(401), "pass"),
    ("a_bad_key_is_a_401", told(403), "fail"),
    ("a_bad_key_is_a_401", told(400), "fail"),
    ("a_bad_key_is_a_401", told(500), "fail"),
    ("a_bad_key_is_a_401", told(429), "inconclusive"),
    ("a_bad_key_is_a_401", told(404), "fail"),
    ("a_bad_key_is_a_401", elsewhere(403), "fail"),
    ("a_bad_key_is_a_401", told(403, "chat.plain"), "not-applicable"),
    ("a_bad_key_has_a_known_type", told(401), "pass"),
    ("a_bad_key_has_a_known_type", told(401, type="authentication_error"), "pass"),
    ("a_bad_key_has_a_known_type", told(401, type="auth_error"), "fail"),
    ("a_bad_key_has_a_known_type", told(401, body={"detail": "No."}), "not-applicable"),
    ("a_wrong_key_has_its_code", told(401), "pass"),
    ("a_wrong_key_has_its_code", told(401, code=None), "fail"),
    ("a_wrong_key_has_its_code", told(401, code=401), "fail"),
    ("a_wrong_key_has_its_code", told(401, "auth.none", code=None), "not-applicable"),
    ("a_wrong_key_has_its_code", told(401, body=b"Unauthorized"), "not-applicable"),
]


@pytest.mark.parametrize(("clause", "exchange", "outcome"), CASES)
def test_a_clause_tells_kept_from_broken(contract: Contract, clause: str, exchange: Exchange, outcome: str) -> None:
    assert outcome_of(getattr(contract("auth"), clause), exchange) == outcome
