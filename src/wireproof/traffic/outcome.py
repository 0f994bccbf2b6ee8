"""How a load request can end: a closed list, and the rules that choose from it.

A throttled answer is its own thing, never a failure of the server and never a success.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

OUTCOMES = (
    "ok",
    "ok_empty",
    "truncated",
    "throttled_requests",
    "throttled_tokens",
    "throttled_concurrency",
    "throttled_unknown",
    "quota_exhausted",
    "overloaded",
    "http_4xx",
    "http_5xx",
    "connect",
    "tls",
    "timeout_first_token",
    "timeout_gap",
    "timeout_total",
    "stream_error",
    "stream_cut",
    "protocol",
    "cancelled_by_test",
)
ANSWERED = frozenset({"ok", "ok_empty", "truncated"})
THROTTLED = frozenset({"throttled_requests", "throttled_tokens", "throttled_concurrency", "throttled_unknown"})
CENSORED = frozenset({"cancelled_by_test", "timeout_first_token", "timeout_gap", "timeout_total"})
FAILED = frozenset(OUTCOMES) - ANSWERED - THROTTLED - {"cancelled_by_test", "quota_exhausted"}

# Which limit a 429 names, most telling first: `type`, `code`, then the sentence that the message puts it in.
# Source: the public guide's error texts ("Rate limit reached ... on requests per min (RPM): Limit ...").
_NAMED = (
    ("quota_exhausted", re.compile(r"insufficient_quota|exceeded your current quota", re.I)),
    ("throttled_tokens", re.compile(r"^tokens$|tokens per (min|day)|\b[ti]?TP[MD]\b", re.I | re.M)),
    ("throttled_requests", re.compile(r"^requests$|requests per (min|day)|\bRP[MD]\b", re.I | re.M)),
    ("throttled_concurrency", re.compile(r"concurren|parallel|in.flight|queue.full", re.I)),
)


def refused(status: int, body: Any) -> str:
    """The class of an answer that is not 2xx. `body` is its JSON, or None."""
    if status == 429:
        told = "\n".join(_told(body))
        return next((name for name, pattern in _NAMED if pattern.search(told)), "throttled_unknown")
    if status in (503, 529):
        return "overloaded"
    return "http_5xx" if status >= 500 else "http_4xx"


def answered(finish: str | None, tokens_out: int | None, asked_tokens: int | None, has_content: bool) -> str:
    """The class of a whole 2xx answer.

    Ending by `length` is truncation, unless the answer is as long as `max_tokens` asked: then it got its fill.
    """
    if not has_content:
        return "ok_empty"
    full = asked_tokens is not None and tokens_out is not None and tokens_out >= asked_tokens
    return "truncated" if finish == "length" and not full else "ok"


def _told(body: Any) -> list[str]:
    error = body.get("error") if isinstance(body, Mapping) else None
    if not isinstance(error, Mapping):
        return [str(error or body or "")]
    return [str(error[key]) for key in ("type", "code", "message") if error.get(key)]
