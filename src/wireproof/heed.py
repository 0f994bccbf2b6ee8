"""What an answer asks of the sender: how long to wait, which field to leave out, and what it cost."""

from __future__ import annotations

import email.utils
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeGuard

from wireproof.clause import Exchange, Socket, Undecodable, parse_json
from wireproof.plan import Cost
from wireproof.price import usd, usd_of_talk
from wireproof.spec import Spec

# What an answer calls its two counts, on one surface and on another.
PROMPT = ("prompt_tokens", "input_tokens")
COMPLETION = ("completion_tokens", "output_tokens")
THROTTLED = (429, 503)
MOST_TOKENS = 1_000_000_000  # of one answer; a larger count is no count, and dollars of it no number

# How a model says that it does not take a field, or not this value of it (reasoning models: `max_tokens`,
# `temperature`, `stop`). The run goes on without it.
UNSUPPORTED = ("unsupported_parameter", "unsupported_value")


def unsupported_field(exchange: Exchange) -> str | None:
    """The field that a refusal with a code of UNSUPPORTED names."""
    if exchange.status != 400:
        return None
    try:
        error = exchange.json["error"]
        field = error["param"] if error["code"] in UNSUPPORTED else None
    except (Undecodable, LookupError, TypeError):
        return None
    return field if isinstance(field, str) else None


def actual_cost(spec: Spec, exchange: Exchange, estimate: Cost) -> Cost:
    """What an exchange cost by the usage it reports; the estimate when it reports none and was answered 200."""
    model = exchange.request.asked.get("model")
    if exchange.status is None or exchange.status >= 400:
        return Cost(1)
    if exchange.socket is not None:
        return _talk_cost(spec, exchange.socket, exchange.request.query.get("model", ""), estimate)
    if not isinstance(model, str):  # a form; or a read, and what a stored answer says of usage was paid before
        return replace(estimate, calls=1)
    usage = _usage(exchange)
    prompt, completion = _count(usage, PROMPT), _count(usage, COMPLETION, 0)
    if not _is_count(prompt) or not _is_count(completion):
        return estimate if estimate.tokens or estimate.usd != 0 else Cost(1)
    return Cost(1, prompt, completion, usd(spec, model, prompt, completion))


def _talk_cost(spec: Spec, socket: Socket, model: str, estimate: Cost) -> Cost:
    """The sum of what the server says that its answers cost; the estimate when one of them does not say."""
    prompt = completion = 0
    for message in socket.messages:
        if message.ours or b'"usage"' not in message.data:
            continue
        with suppress(ValueError, AttributeError, UnicodeDecodeError):
            answer = parse_json(message.data.decode()).get("response")
            if not isinstance(answer, dict) or "usage" not in answer or answer.get("status") == "in_progress":
                continue
            usage = answer["usage"] if isinstance(answer["usage"], dict) else {}
            counts = _count(usage, PROMPT), _count(usage, COMPLETION, 0)
            if not all(map(_is_count, counts)):
                return estimate
            prompt, completion = prompt + counts[0], completion + counts[1]
    dollars = usd_of_talk(spec, model, prompt, completion) if prompt or completion else 0.0
    if estimate.usd is None:  # something of it has no price: what is written down of sound that was said
        return Cost(1, prompt, completion, None, dollars or 0.0)
    return Cost(1, prompt, completion, dollars)


def _count(usage: Mapping[str, Any], names: Iterable[str], otherwise: int | None = None) -> Any:
    return next((usage[name] for name in names if name in usage), otherwise)


def _is_count(tokens: object) -> TypeGuard[int]:
    """Whether a target may be believed: a negative count would be given back to the budget."""
    return isinstance(tokens, int) and not isinstance(tokens, bool) and 0 <= tokens < MOST_TOKENS


def _usage(exchange: Exchange) -> Mapping[str, Any]:
    try:
        if exchange.media_type != "text/event-stream":
            found = exchange.json.get("usage")
        else:
            told = [parse_json(event.data) for event in exchange.events if event.data and '"usage"' in event.data]
            # Events may hold the whole answer, usage and all.
            told = [one.get("response") or one for one in told]
            found = next((one["usage"] for one in reversed(told) if one.get("usage")), None)
    except (Undecodable, ValueError, AttributeError, LookupError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


def wait_s(exchange: Exchange, attempt: int, now: float) -> float | None:
    """How long the target wants us to wait before the next attempt; None when there should be none.

    As the official SDK reads it: `retry-after-ms`, then `retry-after` in seconds or as a date. A 503 without
    either is an answer like any other; a 429 without either backs off 1, 2 seconds.
    """
    if exchange.status not in THROTTLED:
        return None
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = exchange.header(name)
        if value is None:
            continue
        try:
            return max(0.0, float(value) * unit)
        except ValueError:
            date = email.utils.parsedate_tz(value)
            with suppress(ValueError, OverflowError):  # a date that is in no calendar
                if date:
                    return max(0.0, email.utils.mktime_tz(date) - now)
    return float(2 ** (attempt - 1)) if exchange.status == 429 else None
