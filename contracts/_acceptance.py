"""How the clauses `*.accepts` end: which refusals are findings, which say that a backend lacks a thing."""

from __future__ import annotations

import re

from wireproof.clause import Exchange, Inconclusive, NotApplicable, expect

from ._reading import error_of

# What a status says about the key, the route, the load: nothing about the request.
NOT_NOW = (401, 402, 403, 404, 408, 409, 413, 429, 502, 503, 504, 529)
OTHER_TROUBLE = (401, 403, 404, 408, 429, 502, 503, 504)
UNSUPPORTED = re.compile(r"unsupported|(?:not|n't)[ _](?:yet )?(?:support|available|implemented|allowed)", re.I)
# A model with a small window cannot take what is right: vLLM, llama.cpp and the API say so in these words.
TOO_LONG = re.compile(r"context[ _](length|window|size)", re.I)


def expect_served(exchange: Exchange, said: str) -> None:
    """For plain requests: answered, or refused as unsupported. `said` is what the answer says for a reason."""
    status = exchange.status or 0
    if 200 <= status < 300:
        return
    if status in NOT_NOW:
        raise NotApplicable(f"{exchange.probe} was answered {status}, which says nothing about the request")
    if status == 400 and TOO_LONG.search(said):
        raise NotApplicable(f"{exchange.probe} is longer than the model can take: {said[:160]}")
    if status == 501 or UNSUPPORTED.search(said):
        raise NotApplicable(f"{exchange.probe} is not supported: {said[:160]}")
    expect(False, expected="an answer, or a refusal as unsupported", got=f"{status} {said[:160]}")


def expect_feature_served(exchange: Exchange, feature: re.Pattern[str] | None = None) -> None:
    """For a feature that a backend may lack: answered, or refused with a code that says so.

    Words do as well where they name the `feature` as a whole: a value that is refused ("tool_choice required is not
    supported") is a documented request that is not served.
    """
    status = exchange.status or 0
    if 200 <= status < 300:
        return
    error = error_of(exchange)
    said = f"{status}: {error.get('message') or exchange.wire[:120].decode('utf-8', 'replace')}"
    if status == 400 and TOO_LONG.search(f"{error.get('code')} {error.get('type')} {said}"):
        raise NotApplicable(said)
    is_named = feature is not None and UNSUPPORTED.search(said) and feature.search(said)
    if status == 501 or str(error.get("code") or "").startswith("unsupported") or is_named:
        raise NotApplicable(said)
    # A 500 may be the model's: llama.cpp answers so when it can't parse what the model wrote.
    if status in OTHER_TROUBLE or status >= 500:
        raise Inconclusive(said)
    expect(False, expected="a 2xx answer", got=said)
