"""Chat: a mistake harms nobody but itself. What is wrong is refused, and the next request is served as ever.

The good request of the flow is `chat.plain` (chat.py), streamed and with stop sequences of two letters that a tokenizer
cuts in two: chat_limits.py judges where it ends.
"""

from __future__ import annotations

from wireproof.clause import (
    MODEL,
    Call,
    Exchange,
    Flow,
    Inconclusive,
    NotApplicable,
    clause,
    expect,
    flow,
    sent,
    sequence,
    where_served,
)

from ._acceptance import NOT_NOW, UNSUPPORTED
from ._errors import expect_refused
from ._mistakes import has_unknown_role
from ._reading import as_count, as_object, error_of
from ._stream import bodies

CHAT = "createChatCompletion"
QUESTION = "Say hello in three words."
PATH = "/chat/completions"
NO_ROLE = {"role": "wireproof", "content": QUESTION}
# Most English words end in one of these, and a token does, too: the blank comes with the next.
STOPS = ["e ", "s ", "d ", "t "]


@flow("chat.recovers", most=2, paid=2, expects="either", about="a role there is not, then a stream with stop sequences")
def mistake_and_good_request() -> Flow:
    yield Call("POST", PATH, {"model": MODEL, "messages": [NO_ROLE], "max_tokens": 1})
    good = {"messages": [{"role": "user", "content": QUESTION}], "max_tokens": 24, "temperature": 0, "seed": 7}
    streamed = {"stop": STOPS, "stream": True, "stream_options": {"include_usage": True}}
    yield Call("POST", PATH, {"model": MODEL, **good, **streamed})


@clause(
    "chat.role-unknown",
    level="SHOULD",
    source="SPEC ChatCompletionRequestMessage.role; OBS 400",
    on=where_served(sent(CHAT, asks=has_unknown_role)),
)
def unknown_roles_are_refused(exchange: Exchange) -> None:
    """A message of a role that there is not is refused with 400, or 422.

    Taken, it goes to a chat template that drops it, or prints it as somebody nobody knows.
    """
    expect_refused(exchange, "request-invalid", "unprocessable")


@clause(
    "chat.recovers",
    level="MUST",
    source="RFC9110 9.2, 15.5: a refused request has no effect on others",
    on=sequence(sent(CHAT, probes=("chat.plain", "chat.recovers"))),
)
def a_mistake_harms_no_other_request(exchanges: list[Exchange]) -> None:
    """After a request that was refused, a good one is served as before, at the price of its own prompt.

    What is half done when a request is refused stays in a slot, a cache or a connection, and the next caller finds it.
    """
    plain, mistake, good = _three(exchanges)
    if not 400 <= (mistake.status or 0) < 500:
        raise NotApplicable(f"the mistake was answered {mistake.status}")
    said = str(error_of(good).get("message") or "")
    if good.status in NOT_NOW or (good.status == 400 and UNSUPPORTED.search(said)):
        raise Inconclusive(f"{good.id} was answered {good.status}: {said}")
    expect(good.status == 200, expected="200, as before the mistake", got=f"{good.status} {said}", at=f"{good.id} ")
    before, after = _prompt_tokens(plain), _prompt_tokens(good)
    if before is None or after is None:
        return
    expect(after == before, expected=f"{before} prompt tokens, as before", got=str(after), at=f"{good.id} /usage")


def _three(exchanges: list[Exchange]) -> tuple[Exchange, Exchange, Exchange]:
    """The latest `chat.plain` that was served, and the two steps of the flow."""
    plain = [one for one in exchanges if one.probe == "chat.plain" and one.status == 200]
    steps = {one.step: one for one in exchanges if one.probe == "chat.recovers"}
    if not plain or len(steps) < 2:
        raise NotApplicable("there is no good request before and after a mistake")
    return plain[-1], steps[0], steps[1]


def _prompt_tokens(exchange: Exchange) -> int | None:
    counts = [as_count(as_object(body.get("usage")).get("prompt_tokens")) for _, body in bodies(exchange)]
    return next((count for count in reversed(counts) if count), None)
