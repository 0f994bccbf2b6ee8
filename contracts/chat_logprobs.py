"""Log probabilities of chat: what `logprobs: true` brings, whole and streamed.

Everything is arithmetic about one answer: no clause asks what the model should have said. The candidates that
`top_logprobs` brings are judged in chat_logprobs_top.py.
"""

from __future__ import annotations

import re
from typing import Any

from wireproof.clause import MODEL, Exchange, Inconclusive, NotApplicable, answered, clause, expect, probe, sent, shown

from ._acceptance import expect_served
from ._chat_logprobs import EPSILON, Place, choices_told, places_told, spelled_bytes
from ._reading import as_count, as_number, as_object, as_objects, as_text, told
from ._room import ran_out
from ._stream import by_choice

TOP = 3


def _ask(**fields: Any) -> dict[str, Any]:
    return {
        "model": MODEL,
        "messages": [{"role": "user", "content": "Name three colours."}],
        "max_tokens": 12,
        "temperature": 0,
        "logprobs": True,
        "top_logprobs": TOP,
        **fields,
    }


PROBES = (
    probe(
        "chat.logprobs",
        "POST",
        "/chat/completions",
        _ask(),
        about="the probabilities of each token, with three candidates",
        ran_out=ran_out,
    ),
    probe(
        "chat.logprobs-streamed",
        "POST",
        "/chat/completions",
        _ask(stream=True),
        about="the same, streamed",
        ran_out=ran_out,
    ),
)


def _asks(body: dict[str, Any]) -> bool:
    return body.get("logprobs") is True


def _asks_none(body: dict[str, Any]) -> bool:
    return body.get("logprobs") in (None, False)


ASKED = answered("createChatCompletion", asks=_asks)
SOURCE = "SPEC ChatCompletionTokenLogprob"


# ----------------------------------------------------------------------------------------- are they there


def _expect_there(exchange: Exchange) -> None:
    choices = choices_told(exchange)
    if not any(one.text for one in choices):
        raise NotApplicable("the answer has no text")
    for one in choices:
        expect(
            bool(one.places) or not one.text,
            expected="one entry a token in logprobs.content",
            got=f"none for the text {shown(one.text)}",
            at="/choices/0/logprobs",
        )


@clause(
    "chat.logprobs.present",
    level="MUST",
    source="SPEC CreateChatCompletionRequest.logprobs",
    on=answered("createChatCompletion", streamed=False, asks=_asks),
    model="some-output",
    fields=("logprobs",),
)
def they_come_when_asked(exchange: Exchange) -> None:
    """`logprobs: true` brings `choices[].logprobs.content`, one entry a token."""
    _expect_there(exchange)


@clause(
    "chat.logprobs.streamed",
    level="MUST",
    source="SPEC CreateChatCompletionStreamResponse.choices.logprobs",
    on=answered("createChatCompletion", streamed=True, asks=_asks),
    model="some-output",
    fields=("logprobs",),
)
def chunks_carry_them(exchange: Exchange) -> None:
    """With `stream: true` the chunks carry the log probabilities of their tokens."""
    _expect_there(exchange)


@clause(
    "chat.logprobs.unasked",
    level="SHOULD",
    source="SPEC CreateChatCompletionRequest.logprobs (default false)",
    on=answered("createChatCompletion", asks=_asks_none),
)
def none_when_not_asked(exchange: Exchange) -> None:
    """Without `logprobs: true` there are no log probabilities: the key is null or absent."""
    for choice in choices_told(exchange):
        for place in choice.places[:1]:
            expect(False, expected="logprobs null or absent", got=place.entry, at=place.at, event=place.event)


# ---------------------------------------------------------------------------------------------- one entry


@clause("chat.logprobs.entry", level="MUST", source=SOURCE, on=ASKED)
def entries_are_whole(exchange: Exchange) -> None:
    """Each entry has `token` (text), `logprob` (number), `bytes` (numbers or null) and `top_logprobs` (a list)."""
    for place in places_told(exchange):
        _expect_entry(place.entry, place.at, place.event)
        top = place.known.get("top_logprobs")
        expect(
            isinstance(top, list),
            expected="a list top_logprobs",
            got=told(place.known, "top_logprobs"),
            at=f"{place.at}/top_logprobs",
            event=place.event,
        )
        for number, one in enumerate(top or []):
            _expect_entry(one, f"{place.at}/top_logprobs/{number}", place.event)


def _expect_entry(entry: Any, at: str, event: int | None) -> None:
    expect(isinstance(entry, dict), expected="an object", got=entry, at=at, event=event)
    token, spelled = entry.get("token"), entry.get("bytes")
    expect(isinstance(token, str), expected="a text token", got=told(entry, "token"), at=f"{at}/token", event=event)
    expect(
        as_number(entry.get("logprob")) is not None,
        expected="a number logprob",
        got=told(entry, "logprob"),
        at=f"{at}/logprob",
        event=event,
    )
    is_bytes = isinstance(spelled, list) and all(type(one) is int and 0 <= one <= 255 for one in spelled)
    expect(
        "bytes" in entry and (spelled is None or is_bytes),
        expected="bytes, a list of numbers from 0 to 255 or null",
        got=told(entry, "bytes"),
        at=f"{at}/bytes",
        event=event,
    )


@clause("chat.logprobs.negative", level="MUST", source=f"{SOURCE}.logprob", on=ASKED)
def no_logprob_above_zero(exchange: Exchange) -> None:
    """No `logprob` is above 0: it is the logarithm of a probability, not the probability."""
    for place in places_told(exchange):
        for at, one in [(place.at, place.known), *_candidates(place)]:
            got = as_number(one.get("logprob"))
            if got is not None:
                expect(got <= EPSILON, expected="at most 0", got=shown(got), at=f"{at}/logprob", event=place.event)


def _candidates(place: Place) -> list[tuple[str, dict[str, Any]]]:
    return [(f"{place.at}/top_logprobs/{number}", one) for number, one in enumerate(place.top)]


@clause("chat.logprobs.bytes", level="MUST", source=f"{SOURCE}.bytes", on=ASKED)
def bytes_spell_the_token(exchange: Exchange) -> None:
    """`bytes` are the UTF-8 bytes of `token`.

    Only where they make whole characters: a token may be a part of one, and `token` then shows a stand-in.
    """
    judged = 0
    for place in places_told(exchange):
        for at, one in [(place.at, place.known), *_candidates(place)]:
            spelled, token = spelled_bytes(one), one.get("token")
            if spelled is None or not isinstance(token, str) or "\ufffd" in token:
                continue
            try:
                text = spelled.decode("utf-8")
            except UnicodeDecodeError:
                continue
            expect(
                text == token,
                expected=f"the bytes of {shown(token)}, {shown(list(token.encode('utf-8', 'replace')))}",
                got=shown(list(spelled)),
                at=f"{at}/bytes",
                event=place.event,
            )
            judged += 1
    if not judged:
        raise NotApplicable("no entry has bytes of a whole token")


# -------------------------------------------------------------------------------------------- all entries


# Marks that end an answer and are no part of its text.
END_MARKS = re.compile(r"(\s|<[^<>\s]{1,40}>|<\|.{1,40}\|>|\[EOS\]|\x00)*", re.DOTALL)


@clause("chat.logprobs.text", level="MUST", source=f"{SOURCE}.token", on=ASKED, model="some-output")
def tokens_make_the_text(exchange: Exchange) -> None:
    """The tokens put together are the text, from the first to the last."""
    judged = 0
    for choice in choices_told(exchange):
        if not choice.places or not choice.text:
            continue
        joined = b"".join(_bytes_of(place.known) for place in choice.places).decode("utf-8", "replace")
        text = choice.text.strip()
        before, found, after = joined.partition(text)
        if not found and ("\ufffd" in text or "\ufffd" in joined):
            continue  # characters in pieces: how they are shown is nobody's promise
        held = bool(found) and not before.strip() and (END_MARKS.fullmatch(after) is not None or _stopped(exchange))
        if not held and choice.has_reasoning:
            continue  # whether the tokens of the reasoning are among them is not documented
        expect(
            held,
            expected=f"tokens that make {shown(choice.text)}",
            got=shown(joined),
            at=choice.places[0].at.rpartition("/")[0],
            event=choice.places[0].event,
        )
        judged += 1
    if not judged:
        raise NotApplicable("no text with log probabilities that can be put together")


def _bytes_of(entry: dict[str, Any]) -> bytes:
    token = entry.get("token")
    spelled = spelled_bytes(entry)
    if spelled is not None:
        return spelled
    return token.encode("utf-8", "replace") if isinstance(token, str) else b""


def _stopped(exchange: Exchange) -> bool:
    """Whether a stop sequence may have taken text away again; the tokens it was made of may still be told."""
    return bool(exchange.request.asked.get("stop"))


# How far a text may run ahead of its tokens: a token or two, whose rows come with the next chunk.
AHEAD = 32


@clause(
    "chat.logprobs.along",
    level="SHOULD",
    source="SPEC CreateChatCompletionStreamResponse.choices.logprobs: information for the choice of the chunk",
    on=answered("createChatCompletion", streamed=True, asks=_asks),
    model="some-output",
)
def tokens_come_with_their_text(exchange: Exchange) -> None:
    """The log probabilities of a stream come along with the text they are of, not all at its end.

    Clients color words, or break an answer off, while it comes.
    """
    if not any(one.places for one in choices_told(exchange)):
        raise NotApplicable("the stream has no log probabilities: chat.logprobs.streamed judges that")
    for pieces in by_choice(exchange).values():
        text, told_so_far = "", b""
        for event, at, choice in pieces:
            entries = as_objects(as_object(choice.get("logprobs")).get("content"))
            text += as_text(as_object(choice.get("delta")).get("content"))
            told_so_far += b"".join(map(_bytes_of, entries))
            ahead = len(text) - len(told_so_far.decode("utf-8", "replace"))
            expect(
                ahead <= AHEAD,
                expected="the log probabilities of the text so far",
                got=f"none of its last {ahead} characters",
                at=f"{at}/logprobs",
                event=event,
            )


# An end mark, and a token that a stop sequence took back.
COUNT_SLACK = 2


@clause(
    "chat.logprobs.count",
    level="SHOULD",
    source=f"{SOURCE}; SPEC CompletionUsage.completion_tokens",
    on=answered("createChatCompletion", streamed=False, asks=_asks),
    model="some-output",
)
def as_many_as_were_counted(exchange: Exchange) -> None:
    """There are as many entries as `usage.completion_tokens` has tokens, but for an end mark.

    A difference means that text and usage are counted by different tokenizers, or that special tokens are told.
    """
    usage = as_object(as_object(exchange.json).get("usage"))
    spent = as_count(usage.get("completion_tokens"))
    details = as_object(usage.get("completion_tokens_details"))
    choices = choices_told(exchange)
    entries = sum(len(one.places) for one in choices)
    if spent is None:
        raise Inconclusive("the answer does not say how many tokens it has")
    if not entries:
        raise NotApplicable("the answer has no log probabilities")
    if any(one.has_reasoning for one in choices) or details.get("reasoning_tokens"):
        raise NotApplicable("whether reasoning is among the entries is not documented")
    expect(
        abs(entries - spent) <= COUNT_SLACK * len(choices),
        expected=f"{spent} entries",
        got=f"{entries}",
        at="/choices/0/logprobs/content",
    )


# --------------------------------------------------------------------------------------- what is accepted


@clause(
    "chat.logprobs.accepts",
    level="MUST",
    source="SPEC CreateChatCompletionRequest.logprobs, top_logprobs",
    on=sent("createChatCompletion", probes=[one.id for one in PROBES]),
)
def requests_are_served(exchange: Exchange) -> None:
    """`logprobs` and `top_logprobs` are served, or refused as unsupported by name."""
    expect_served(exchange, exchange.wire[:300].decode("utf-8", "replace"))
