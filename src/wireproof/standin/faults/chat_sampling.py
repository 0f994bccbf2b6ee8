"""Departures of what steers the choice of tokens."""

from __future__ import annotations

from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import refused
from wireproof.standin.wire import Answer, Ask, Serve

CHAT = "/v1/chat/completions"


@fault("chat.bias-ignored", breaks="chat.logit-bias")
def bias_ignored(ask: Ask, serve: Serve) -> Answer:
    """`logit_bias` has no effect."""
    return serve(ask.without("logit_bias")) if ask.path == CHAT and ask.asked.get("logit_bias") else serve(ask)


@fault("chat.bias-refused", breaks="chat.logit-bias.accepts")
def bias_refused(ask: Ask, serve: Serve) -> Answer:
    """400 for `logit_bias`, as a field there is not."""
    answer = serve(ask)
    if ask.path != CHAT or not ask.asked.get("logit_bias") or answer.status != 200:
        return answer
    return refused(answer, "logit_bias: Extra inputs are not permitted", param="logit_bias")
