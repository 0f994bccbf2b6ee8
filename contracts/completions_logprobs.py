"""Legacy completions: the log probabilities that `logprobs: 2` brings, four lists side by side.

The requests are those of completions.py.
"""

from __future__ import annotations

import re
from typing import Any

from wireproof.clause import Exchange, NotApplicable, answered, clause, expect, shown

from ._asked import stops
from ._completions import choices_told
from ._reading import as_count, as_list, as_number, as_object, as_text, told


def _asks_logprobs(body: dict[str, Any]) -> bool:
    return (as_count(body.get("logprobs")) or 0) > 0


ASKED_LOGPROBS = answered("createCompletion", asks=_asks_logprobs)
LISTS = ("tokens", "token_logprobs", "top_logprobs", "text_offset")
# Rounding of a probability of one, in half precision.
EPSILON = 0.005


def _logprobs(exchange: Exchange) -> list[tuple[str, dict[str, Any], str]]:
    """`(pointer, logprobs, text)` of the choices that have the documented lists; those of a stream are put together."""
    found: dict[str, tuple[str, dict[str, Any], str]] = {}
    for _, at, choice in choices_told(exchange):
        logprobs = as_object(choice.get("logprobs"))
        where = "/choices" if exchange.streamed else f"{at}/logprobs"
        index = shown(choice.get("index")) if exchange.streamed else at
        _, before, text = found.get(index, (where, {}, ""))
        if isinstance(logprobs.get("tokens"), list):
            before = {name: [*as_list(before.get(name)), *as_list(logprobs.get(name))] for name in LISTS}
        found[index] = (where, before, text + as_text(choice.get("text")))
    told = [one for one in found.values() if one[1]]
    if not told:
        raise NotApplicable("no choice has log probabilities in the documented shape")
    return told


@clause(
    "completions.logprobs",
    level="MUST",
    source="SPEC CreateCompletionResponse.choices.logprobs",
    on=ASKED_LOGPROBS,
    model="some-output",
    fields=("logprobs",),
)
def logprobs_are_four_lists(exchange: Exchange) -> None:
    """`logprobs: 2` brings `tokens`, `token_logprobs`, `top_logprobs` and `text_offset`, one row a token.

    The shape is that of legacy completions, four lists side by side, not the `content` of chat.
    """
    seen = False
    for event, at, choice in choices_told(exchange):
        logprobs = as_object(choice.get("logprobs"))
        if not choice.get("text") or (exchange.streamed and not logprobs):
            continue  # a chunk may bring text whose tokens came before
        seen = True
        expect(
            bool(logprobs),
            expected=f"an object with {shown(LISTS)}",
            got=told(choice, "logprobs"),
            at=f"{at}/logprobs",
        )
        for name in LISTS:
            expect(
                isinstance(logprobs.get(name), list),
                expected=f"a list {name}",
                got=told(logprobs, name),
                at=f"{at}/logprobs/{name}",
                event=event,
            )
        sizes = {name: len(logprobs[name]) for name in LISTS}
        expect(
            len(set(sizes.values())) == 1 and sizes["tokens"] > 0,
            expected="four lists of the same length",
            got=shown(sizes),
            at=f"{at}/logprobs",
            event=event,
        )
    is_silent = not any(choice.get("text") for _, _, choice in choices_told(exchange))
    expect(seen or is_silent, expected="log probabilities beside the text", got="none in the stream", at="/choices")


@clause(
    "completions.logprobs-text",
    level="MUST",
    source="SPEC CreateCompletionResponse.choices.logprobs.tokens",
    on=ASKED_LOGPROBS,
    model="some-output",
)
def tokens_make_the_text(exchange: Exchange) -> None:
    """The tokens put together are the text, from the first to the last."""
    judged = 0
    for at, logprobs, text in _logprobs(exchange):
        tokens = [token for token in as_list(logprobs.get("tokens")) if isinstance(token, str)]
        joined = "".join(tokens)
        # Tokens that are a part of a character are shown in many ways.
        if not tokens or "\ufffd" in joined + text or any(token.startswith("bytes:") for token in tokens):
            continue
        before, found, after = joined.partition(text.strip())
        ended = bool(stops(exchange.request.asked)) or re.fullmatch(r"(\s|<[^<>\s]{1,40}>)*", after) is not None
        expect(
            bool(found) and not before.strip() and ended,
            expected=f"tokens that make {shown(text)}",
            got=shown(tokens),
            at=f"{at}/tokens",
        )
        judged += 1
    if not judged:
        raise NotApplicable("no tokens that can be put together")


@clause(
    "completions.logprobs-negative",
    level="MUST",
    source="SPEC CreateCompletionResponse.choices.logprobs.token_logprobs",
    on=ASKED_LOGPROBS,
)
def no_logprob_above_zero(exchange: Exchange) -> None:
    """Log probabilities are numbers, none above 0; only the first token of an echoed prompt may have null."""
    echo = exchange.request.asked.get("echo") is True
    for at, logprobs, _ in _logprobs(exchange):
        for number, got in enumerate(as_list(logprobs.get("token_logprobs"))):
            if got is None and number == 0 and echo:
                continue
            known = as_number(got)
            expect(
                known is not None and known <= EPSILON,
                expected="a number, at most 0",
                got=shown(got),
                at=f"{at}/token_logprobs/{number}",
            )


@clause(
    "completions.logprobs-top",
    level="MUST",
    source="SPEC CreateCompletionRequest.logprobs (up to logprobs+1 elements)",
    on=ASKED_LOGPROBS,
)
def as_many_candidates_as_asked(exchange: Exchange) -> None:
    """`logprobs: 2` brings the two likeliest candidates of a token, and the chosen one if it is neither."""
    most = exchange.request.asked["logprobs"] + 1
    for at, logprobs, _ in _logprobs(exchange):
        for number, got in enumerate(as_list(logprobs.get("top_logprobs"))):
            if got is None and number == 0:
                continue
            expect(
                isinstance(got, dict)
                and 1 <= len(got) <= most
                and all(value is not None and value <= EPSILON for value in map(as_number, got.values())),
                expected=f"an object of 1 to {most} tokens and their logprobs, at most 0",
                got=shown(got),
                at=f"{at}/top_logprobs/{number}",
            )


@clause(
    "completions.logprobs-chosen",
    level="MUST",
    source="SPEC CreateCompletionRequest.logprobs: the API always returns the logprob of the sampled token",
    on=ASKED_LOGPROBS,
)
def the_chosen_token_is_a_candidate(exchange: Exchange) -> None:
    """A token has the same log probability among its candidates as in its own row, or is less likely than all of them.

    Rows that are one token off, or candidates of another temperature, show here.
    """
    for at, logprobs, _ in _logprobs(exchange):
        lists = (as_list(logprobs.get(name)) for name in ("tokens", "token_logprobs", "top_logprobs"))
        for number, (token, logprob, top) in enumerate(zip(*lists, strict=False)):
            own = as_number(logprob)
            candidates = [one for value in as_object(top).values() if (one := as_number(value)) is not None]
            if own is None or own > EPSILON or not candidates or not isinstance(token, str) or "\ufffd" in token:
                continue
            among = as_number(as_object(top).get(token))
            is_same = among is not None and abs(among - own) <= max(EPSILON, abs(own) * 0.01)
            expect(
                is_same or (among is None and own <= min(candidates) + EPSILON),
                expected=f"{shown(token)} ({own:.4g}) among the candidates",
                got=shown(top),
                at=f"{at}/top_logprobs/{number}",
            )


@clause(
    "completions.logprobs-offset",
    level="SHOULD",
    source="SPEC CreateCompletionResponse.choices.logprobs.text_offset",
    on=ASKED_LOGPROBS,
)
def offsets_follow_the_tokens(exchange: Exchange) -> None:
    """`text_offset` says where each token begins: one after the other, each as far on as the token before is long."""
    for at, logprobs, _ in _logprobs(exchange):
        tokens, offsets = as_list(logprobs.get("tokens")), as_list(logprobs.get("text_offset"))
        if len(tokens) != len(offsets) or not all(type(offset) is int for offset in offsets):
            continue
        for number in range(1, len(offsets)):
            token, step = tokens[number - 1], offsets[number] - offsets[number - 1]
            plain = isinstance(token, str) and token.isascii() and not token.startswith("bytes:")
            expect(
                step == len(token) if plain else step >= 0,
                expected=f"{offsets[number - 1]} and the length of {shown(token)}",
                got=f"{offsets[number]}",
                at=f"{at}/text_offset/{number}",
            )


@clause(
    "completions.logprobs-unasked",
    level="SHOULD",
    source="SPEC CreateCompletionRequest.logprobs (default null)",
    on=answered("createCompletion", asks=lambda body: body.get("logprobs") is None),
)
def none_when_not_asked(exchange: Exchange) -> None:
    """Without `logprobs` there are no log probabilities: the key is null or absent."""
    for event, at, choice in choices_told(exchange):
        expect(
            not choice.get("logprobs"),
            expected="null or absent",
            got=shown(choice.get("logprobs")),
            at=f"{at}/logprobs",
            event=event,
        )
