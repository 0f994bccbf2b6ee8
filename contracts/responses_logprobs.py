"""Log probabilities of responses: what `include` asks for comes, and belongs to the text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wireproof.clause import Exchange, NotApplicable, answered, clause, shown

from ._reading import as_list, as_number, as_object, as_objects, as_text
from ._response_asks import ask, asking
from ._response_stream import events_of
from ._responses import RESPONSE, Told, ended, parts_of

LOGPROBS = "message.output_text.logprobs"
MOST = 2
# Rounding of a probability of one, in half precision.
EPSILON = 0.005

PROBES = (
    asking(
        "logprobs",
        ask(include=[LOGPROBS], top_logprobs=MOST, stream=True),
        "the short question with log probabilities, streamed",
        expects="either",
    ),
)


def _asks(body: dict[str, Any]) -> bool:
    return LOGPROBS in as_list(body.get("include"))


ASKED = answered(RESPONSE, asks=_asks)


def _texts(exchange: Exchange) -> list[tuple[str, dict[str, Any]]]:
    response = ended(exchange)
    found = [(at, part) for at, part in parts_of(response) if part.get("type") == "output_text" and part.get("text")]
    if not found:
        raise NotApplicable("the answer has no text")
    return found


DONE = {"response.output_text.done": "", "response.content_part.done": "/part"}


def _everywhere(exchange: Exchange) -> Iterator[tuple[Told, str, dict[str, Any]]]:
    """Each text as it is told at the end, and as events tell it that is done: who tells it, where, and with what."""
    response = ended(exchange)
    for at, part in _texts(exchange):
        yield response, at, part
    final = [part["text"] for _, part in _texts(exchange)]
    for said in events_of(exchange) if exchange.streamed else ():
        if said.type in DONE:
            part = as_object(said.data.get("part")) if DONE[said.type] else said.data
            # A text that is not the one at the end is judged by the fold laws.
            if part.get("text") in final:
                yield Told(said.data, event=said.number), DONE[said.type], part


@clause(
    "responses.logprobs.present",
    level="SHOULD",
    source="SPEC Includable, OutputTextContent.logprobs",
    on=ASKED,
    fields=("include",),
)
def asked_logprobs_come(exchange: Exchange) -> None:
    """`include: ["message.output_text.logprobs"]` brings `logprobs` with every text, or the request is refused."""
    response = ended(exchange)
    for at, part in _texts(exchange):
        held = bool(as_objects(part.get("logprobs")))
        got = shown(part.get("logprobs"))
        response.must(held, f"{at}/logprobs", expected="a list with an entry for each token", got=got)


@clause("responses.logprobs.text", level="MUST", source="SPEC OutputTextContent.logprobs", on=ASKED)
def tokens_are_those_of_the_text(exchange: Exchange) -> None:
    """The tokens of `logprobs` join to the text they belong to, each with a `logprob` of 0 or below, in the response at
    the end and in the events of a text that is done.
    """
    judged = False
    for told, at, part in _everywhere(exchange):
        entries = as_objects(part.get("logprobs"))
        if not entries:
            continue
        judged = True
        joined = "".join(as_text(entry.get("token")) for entry in entries)
        # A token may be half a character, which text cannot spell.
        held = joined == part["text"] or "\N{REPLACEMENT CHARACTER}" in joined
        told.must(held, f"{at}/logprobs", expected=f"tokens of {shown(part['text'])}", got=shown(joined))
        for number, entry in enumerate(entries):
            logprob = as_number(entry.get("logprob"))
            held = logprob is not None and logprob <= EPSILON
            place = f"{at}/logprobs/{number}/logprob"
            told.must(held, place, expected="a number, 0 or below", got=shown(entry.get("logprob")))
    if not judged:
        raise NotApplicable("no text has log probabilities")


@clause(
    "responses.logprobs.top",
    level="MUST",
    source="SPEC CreateResponse.top_logprobs",
    on=ASKED,
    fields=("top_logprobs",),
)
def as_many_alternatives_as_asked(exchange: Exchange) -> None:
    """No token has more than `top_logprobs` alternatives, in no event either."""
    most, judged = exchange.request.asked.get("top_logprobs") or 0, False
    for told, at, part in _everywhere(exchange):
        for number, entry in enumerate(as_objects(part.get("logprobs"))):
            judged, count = True, len(as_list(entry.get("top_logprobs")))
            place = f"{at}/logprobs/{number}/top_logprobs"
            told.must(count <= most, place, expected=f"at most {most}", got=count)
    if not judged:
        raise NotApplicable("no text has log probabilities")


@clause(
    "responses.logprobs.streamed",
    level="SHOULD",
    source="SPEC ResponseTextDeltaEvent.logprobs",
    on=answered(RESPONSE, asks=_asks, streamed=True),
)
def deltas_bring_their_logprobs(exchange: Exchange) -> None:
    """In a stream each delta brings the `logprobs` of its tokens; together they are those of the whole text."""
    response = ended(exchange)
    whole = [entry for _, part in _texts(exchange) for entry in as_objects(part.get("logprobs"))]
    if not whole:
        raise NotApplicable("no text has log probabilities")
    deltas = [said.data for said in events_of(exchange) if said.type == "response.output_text.delta"]
    told = [as_object(entry).get("token") for data in deltas for entry in as_list(data.get("logprobs"))]
    wanted = [entry.get("token") for entry in whole]
    response.must(told == wanted, "/output", expected=f"deltas with the tokens {shown(wanted)}", got=shown(told))
