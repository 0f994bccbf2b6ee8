"""The candidates that `top_logprobs` brings for each token of chat: how many, in which order, how likely.

The requests are those of chat_logprobs.py.
"""

from __future__ import annotations

import math
from typing import Any

from wireproof.clause import Exchange, NotApplicable, answered, clause, expect, shown

from ._chat_logprobs import EPSILON, places_told
from ._reading import as_count, as_number


def _asks_top(body: dict[str, Any]) -> bool:
    return body.get("logprobs") is True and (as_count(body.get("top_logprobs")) or 0) > 0


SEVERAL = 3
ASKED_TOP = answered("createChatCompletion", asks=_asks_top)
SOURCE = "SPEC ChatCompletionTokenLogprob"


@clause(
    "chat.logprobs.top",
    level="MUST",
    source="SPEC CreateChatCompletionRequest.top_logprobs",
    on=ASKED_TOP,
    fields=("top_logprobs",),
)
def as_many_candidates_as_asked(exchange: Exchange) -> None:
    """`top_logprobs: 3` brings candidates for each token, at most three."""
    most = exchange.request.asked["top_logprobs"]
    for place in places_told(exchange):
        expect(
            1 <= len(place.top) <= most,
            expected=f"1 to {most} candidates",
            got=f"{len(place.top)}",
            at=f"{place.at}/top_logprobs",
            event=place.event,
        )


@clause(
    "chat.logprobs.top-number", level="SHOULD", source="SPEC CreateChatCompletionRequest.top_logprobs", on=ASKED_TOP
)
def as_many_candidates_as_asked_somewhere(exchange: Exchange) -> None:
    """`top_logprobs: 3` brings three candidates for most tokens: now and then there may be fewer, not everywhere."""
    most = exchange.request.asked["top_logprobs"]
    found = [len(place.top) for place in places_told(exchange)]
    if not any(found) or len(found) < SEVERAL:
        raise NotApplicable("there are too few tokens to tell, or no candidates at all: chat.logprobs.top judges that")
    expect(max(found) >= most, expected=f"{most} candidates for some token", got=f"at most {max(found)}")


@clause("chat.logprobs.top-sorted", level="SHOULD", source=f"{SOURCE}.top_logprobs", on=ASKED_TOP)
def likeliest_first(exchange: Exchange) -> None:
    """The candidates of a token come in order, the likeliest first.

    Sort by `logprob`, highest first, once the chosen token is among them: clients read the first as the likeliest.
    """
    for place in places_told(exchange):
        got = [as_number(one.get("logprob")) for one in place.top]
        known = [one for one in got if one is not None]
        expect(
            known == sorted(known, reverse=True),
            expected="the likeliest first",
            got=shown([[one.get("token"), one.get("logprob")] for one in place.top]),
            at=f"{place.at}/top_logprobs",
            event=place.event,
        )


@clause("chat.logprobs.top-likeliest", level="MUST", source=f"{SOURCE}.top_logprobs", on=ASKED_TOP)
def candidates_are_the_likeliest(exchange: Exchange) -> None:
    """The token that was chosen is among its candidates, unless it is less likely than all of them."""
    for place in places_told(exchange):
        logprob, token = place.logprob, place.known.get("token")
        known = [one for one in (as_number(top.get("logprob")) for top in place.top) if one is not None]
        # A token that completes a character may read otherwise among its candidates.
        among = any(one.get("token") == token for one in place.top) or "\ufffd" in str(token)
        if logprob is None or not known or among:
            continue
        expect(
            logprob <= min(known) + EPSILON,
            expected=f"{shown(token)} ({logprob:.4g}) among the candidates",
            got=shown([[one.get("token"), one.get("logprob")] for one in place.top]),
            at=f"{place.at}/top_logprobs",
            event=place.event,
        )


@clause("chat.logprobs.top-agrees", level="MUST", source=f"{SOURCE}.top_logprobs", on=ASKED_TOP)
def chosen_token_has_one_probability(exchange: Exchange) -> None:
    """The chosen token has the same `logprob` among its candidates as in its own entry."""
    judged = 0
    for place in places_told(exchange):
        logprob = place.logprob
        chosen = (place.known.get("token"), place.known.get("bytes"))
        # More than one token of a vocabulary can read the same.
        same = [one for one in place.top if (one.get("token"), one.get("bytes")) == chosen]
        found = [one for one in (as_number(top.get("logprob")) for top in same) if one is not None]
        if logprob is None or not found:
            continue
        near = any(abs(one - logprob) <= max(EPSILON, abs(logprob) * 0.01) for one in found)
        expect(near, expected=shown(logprob), got=shown(found), at=f"{place.at}/top_logprobs", event=place.event)
        judged += 1
    if not judged:
        raise NotApplicable("no chosen token is among its candidates")


@clause("chat.logprobs.sum", level="SHOULD", source=f"{SOURCE}.top_logprobs", on=ASKED_TOP)
def probabilities_sum_to_one_at_most(exchange: Exchange) -> None:
    """The probabilities of the candidates of one token sum to at most 1.

    More than 1 comes of candidates taken before and logprobs after the temperature, or of two tokens that share
    one.
    """
    for place in places_told(exchange):
        known = [one for one in (as_number(top.get("logprob")) for top in place.top) if one is not None]
        if any(one > 0.1 for one in known):
            continue  # chat.logprobs.negative says so
        total = math.fsum(math.exp(one) for one in known)
        expect(
            total <= 1.02,
            expected="at most 1",
            got=f"{total:.3f} for {shown([one.get('token') for one in place.top])}",
            at=f"{place.at}/top_logprobs",
            event=place.event,
        )
