"""Chat: what steers the choice of tokens, as far as an answer shows it whatever the model.

Compared with `chat.plain` (chat.py), the same question at temperature 0.
"""

from __future__ import annotations

from wireproof.clause import MODEL, Exchange, NotApplicable, clause, expect, probe, sent, sequence, shown

from ._acceptance import expect_served
from ._chat import first_text
from ._noise import expect_repeats
from ._reading import error_of

CHAT = "createChatCompletion"
# A number that is a piece of a word in every vocabulary there is, and no special token.
TOKEN = "1000"

PROBES = (
    probe(
        "chat.bias",
        "POST",
        "/chat/completions",
        {
            "model": MODEL,
            "messages": [{"role": "user", "content": "Say hello in three words."}],
            "max_tokens": 4,
            "temperature": 0,
            "seed": 7,
            "logit_bias": {TOKEN: 100},
            "user": "wireproof",
        },
        about="the same question, with one token forced by logit_bias",
    ),
)


@clause(
    "chat.logit-bias.accepts",
    level="MUST",
    source="SPEC CreateChatCompletionRequest.logit_bias, user",
    on=sent(CHAT, probes="chat.bias"),
)
def biases_are_accepted(exchange: Exchange) -> None:
    """`logit_bias` and `user` are served, or refused as unsupported by name."""
    error = error_of(exchange)
    expect_served(exchange, f"{error.get('code')}: {error.get('message')}")


@clause(
    "chat.logit-bias",
    level="MUST",
    source="SPEC CreateChatCompletionRequest.logit_bias: 100 results in exclusive selection of the token",
    on=sequence(sent(CHAT, probes=("chat.plain", "chat.plain-again", "chat.bias"))),
    model="some-output",
    fields=("logit_bias",),
)
def a_forced_token_changes_the_answer(exchanges: list[Exchange]) -> None:
    """`logit_bias` of 100 forces its token: the answer is no longer the beginning of the one without.

    A gateway that has no such field drops it without a word; look at what it passes on.
    """
    served = {one.probe: one for one in exchanges if one.status == 200}
    biased, plain = served.get("chat.bias"), served.get("chat.plain")
    if biased is None or plain is None or not biased.request.asked.get("logit_bias"):
        raise NotApplicable("there is no answer with a bias and one without")
    expect_repeats(exchanges)
    text, whole = first_text(biased).strip(), first_text(plain).strip()
    if not text or not whole:
        raise NotApplicable("the forced token is not shown as text")
    expect(
        not whole.startswith(text),
        expected=f"the forced token, not {shown(whole)}",
        got=shown(text),
        at=f"{biased.id} /choices/0/message/content",
    )
