"""Log probabilities of chat: what `logprobs: true` brings, whole and streamed.

Everything is arithmetic about one answer: no clause asks what the model should have said.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from wireproof.clause import (
    MODEL,
    Exchange,
    Inconclusive,
    NotApplicable,
    Undecodable,
    answered,
    clause,
    expect,
    parse_json,
    probe,
    sent,
    shown,
)

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
    ),
    probe(
        "chat.logprobs-streamed",
        "POST",
        "/chat/completions",
        _ask(stream=True),
        about="the same, streamed",
    ),
)


def _asks(body: dict[str, Any]) -> bool:
    return body.get("logprobs") is True


def _asks_none(body: dict[str, Any]) -> bool:
    return body.get("logprobs") in (None, False)


def _asks_top(body: dict[str, Any]) -> bool:
    return _asks(body) and type(body.get("top_logprobs")) is int and body["top_logprobs"] > 0


ASKED = answered("createChatCompletion", asks=_asks)
ASKED_TOP = answered("createChatCompletion", asks=_asks_top)
SOURCE = "SPEC ChatCompletionTokenLogprob"

# Rounding of a probability of one, in half precision.
EPSILON = 0.005


# ------------------------------------------------------------------------------------------------ reading


@dataclass(frozen=True)
class Place:
    """One token of an answer. `entry` is what stands there; in a stream `event` is the number of its event."""

    entry: Any
    at: str
    event: int | None

    @property
    def known(self) -> dict[str, Any]:
        return self.entry if isinstance(self.entry, dict) else {}

    @property
    def logprob(self) -> float | None:
        return _number(self.known.get("logprob"))

    @property
    def top(self) -> list[dict[str, Any]]:
        top = self.known.get("top_logprobs")
        return [one for one in top if isinstance(one, dict)] if isinstance(top, list) else []


@dataclass(frozen=True)
class Told:
    """One choice of an answer, put together if it was streamed."""

    text: str
    places: tuple[Place, ...]
    has_reasoning: bool


def _number(value: Any) -> float | None:
    return float(value) if type(value) in (int, float) and math.isfinite(value) else None


def _told(exchange: Exchange) -> list[Told]:
    """The choices with text or tokens, in order of index. Raises Inconclusive when the answer cannot be read."""
    parts: dict[Any, list[tuple[dict[str, Any], list[Place]]]] = {}
    for choice, body, at, event in _pieces(exchange):
        logprobs = choice.get("logprobs")
        content = logprobs.get("content") if isinstance(logprobs, dict) else None
        listed = content if isinstance(content, list) else []
        places = [Place(one, f"{at}/logprobs/content/{number}", event) for number, one in enumerate(listed)]
        parts.setdefault(choice.get("index"), []).append((body, places))
    return [
        Told(
            "".join(body["content"] for body, _ in pieces if isinstance(body.get("content"), str)),
            tuple(place for _, places in pieces for place in places),
            any(body.get(key) for body, _ in pieces for key in ("reasoning_content", "reasoning")),
        )
        for pieces in parts.values()
    ]


def _pieces(exchange: Exchange) -> Iterator[tuple[dict[str, Any], dict[str, Any], str, int | None]]:
    """`(choice, message or delta, pointer, event)` of all choices that the answer or its chunks hold."""
    if not exchange.streamed:
        yield from _choices(exchange.json, "message", None)
        return
    for number, event in enumerate(exchange.events):
        if event.data is None or event.is_done:
            continue
        try:
            yield from _choices(parse_json(event.data), "delta", number)
        except Undecodable:
            continue


def _choices(
    body: Any, key: str, event: int | None
) -> Iterator[tuple[dict[str, Any], dict[str, Any], str, int | None]]:
    choices = body.get("choices") if isinstance(body, dict) else None
    for at, choice in enumerate(choices if isinstance(choices, list) else []):
        if isinstance(choice, dict) and isinstance(choice.get(key), dict):
            yield choice, choice[key], f"/choices/{at}", event


def _places(exchange: Exchange) -> list[Place]:
    places = [place for told in _told(exchange) for place in told.places]
    if not places:
        raise NotApplicable("the answer has no log probabilities")
    return places


def _expect_there(exchange: Exchange) -> None:
    told = _told(exchange)
    if not any(one.text for one in told):
        raise NotApplicable("the answer has no text")
    for one in told:
        expect(
            bool(one.places) or not one.text,
            expected="one entry a token in logprobs.content",
            got=f"none for the text {shown(one.text)}",
            at="/choices/0/logprobs",
        )


# ---------------------------------------------------------------------------------------------- are they there


@clause(
    "chat.logprobs.present",
    level="MUST",
    source="SPEC CreateChatCompletionRequest.logprobs",
    on=answered("createChatCompletion", streamed=False, asks=_asks),
    model="some-output",
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
    for told in _told(exchange):
        for place in told.places[:1]:
            expect(False, expected="logprobs null or absent", got=place.entry, at=place.at, event=place.event)


# ---------------------------------------------------------------------------------------------- one entry


@clause("chat.logprobs.entry", level="MUST", source=SOURCE, on=ASKED)
def entries_are_whole(exchange: Exchange) -> None:
    """Each entry has `token` (text), `logprob` (number), `bytes` (numbers or null) and `top_logprobs` (a list)."""
    for place in _places(exchange):
        _expect_entry(place.entry, place.at, place.event)
        top = place.known.get("top_logprobs")
        expect(
            isinstance(top, list),
            expected="a list top_logprobs",
            got=_value(place.known, "top_logprobs"),
            at=f"{place.at}/top_logprobs",
            event=place.event,
        )
        for number, one in enumerate(top or []):
            _expect_entry(one, f"{place.at}/top_logprobs/{number}", place.event)


def _expect_entry(entry: Any, at: str, event: int | None) -> None:
    expect(isinstance(entry, dict), expected="an object", got=entry, at=at, event=event)
    token, spelled = entry.get("token"), entry.get("bytes")
    expect(isinstance(token, str), expected="a text token", got=_value(entry, "token"), at=f"{at}/token", event=event)
    expect(
        _number(entry.get("logprob")) is not None,
        expected="a number logprob",
        got=_value(entry, "logprob"),
        at=f"{at}/logprob",
        event=event,
    )
    is_bytes = isinstance(spelled, list) and all(type(one) is int and 0 <= one <= 255 for one in spelled)
    expect(
        "bytes" in entry and (spelled is None or is_bytes),
        expected="bytes, a list of numbers from 0 to 255 or null",
        got=_value(entry, "bytes"),
        at=f"{at}/bytes",
        event=event,
    )


def _value(entry: dict[str, Any], key: str) -> str:
    return shown(entry[key]) if key in entry else f"no key {key!r}, only {shown(sorted(entry))}"


@clause("chat.logprobs.negative", level="MUST", source=f"{SOURCE}.logprob", on=ASKED)
def no_logprob_above_zero(exchange: Exchange) -> None:
    """No `logprob` is above 0: it is the logarithm of a probability, not the probability."""
    for place in _places(exchange):
        for at, one in [(place.at, place.known), *_candidates(place)]:
            got = _number(one.get("logprob"))
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
    for place in _places(exchange):
        for at, one in [(place.at, place.known), *_candidates(place)]:
            spelled, token = _spelled(one), one.get("token")
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


def _spelled(entry: dict[str, Any]) -> bytes | None:
    spelled = entry.get("bytes")
    if isinstance(spelled, list) and all(type(one) is int and 0 <= one <= 255 for one in spelled):
        return bytes(spelled)
    return None


# -------------------------------------------------------------------------------------------- all entries

# Marks that end an answer and are no part of its text.
END_MARKS = re.compile(r"(\s|<[^<>\s]{1,40}>|<\|.{1,40}\|>|\[EOS\]|\x00)*", re.DOTALL)


@clause("chat.logprobs.text", level="MUST", source=f"{SOURCE}.token", on=ASKED, model="some-output")
def tokens_make_the_text(exchange: Exchange) -> None:
    """The tokens put together are the text, from the first to the last."""
    judged = 0
    for told in _told(exchange):
        if not told.places or not told.text:
            continue
        joined = b"".join(_bytes_of(place.known) for place in told.places).decode("utf-8", "replace")
        text = told.text.strip()
        before, found, after = joined.partition(text)
        if not found and ("\ufffd" in text or "\ufffd" in joined):
            continue  # characters in pieces: how they are shown is nobody's promise
        held = bool(found) and not before.strip() and (END_MARKS.fullmatch(after) is not None or _stopped(exchange))
        if not held and told.has_reasoning:
            continue  # whether the tokens of the reasoning are among them is not documented
        expect(
            held,
            expected=f"tokens that make {shown(told.text)}",
            got=shown(joined),
            at=told.places[0].at.rpartition("/")[0],
            event=told.places[0].event,
        )
        judged += 1
    if not judged:
        raise NotApplicable("no text with log probabilities that can be put together")


def _bytes_of(entry: dict[str, Any]) -> bytes:
    token = entry.get("token")
    spelled = _spelled(entry)
    if spelled is not None:
        return spelled
    return token.encode("utf-8", "replace") if isinstance(token, str) else b""


def _stopped(exchange: Exchange) -> bool:
    """Whether a stop sequence may have taken text away again; the tokens it was made of may still be told."""
    return bool(exchange.request.asked.get("stop"))


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
    """There are as many entries as `usage.completion_tokens` has tokens, but for an end mark."""
    usage = exchange.json.get("usage") if isinstance(exchange.json, dict) else None
    spent = usage.get("completion_tokens") if isinstance(usage, dict) else None
    details = usage.get("completion_tokens_details") if isinstance(usage, dict) else None
    told = _told(exchange)
    entries = sum(len(one.places) for one in told)
    if type(spent) is not int:
        raise Inconclusive("the answer does not say how many tokens it has")
    if not entries:
        raise NotApplicable("the answer has no log probabilities")
    if any(one.has_reasoning for one in told) or (isinstance(details, dict) and details.get("reasoning_tokens")):
        raise NotApplicable("whether reasoning is among the entries is not documented")
    expect(
        abs(entries - spent) <= COUNT_SLACK * len(told),
        expected=f"{spent} entries",
        got=f"{entries}",
        at="/choices/0/logprobs/content",
    )


# ------------------------------------------------------------------------------------------- the candidates


@clause("chat.logprobs.top", level="MUST", source="SPEC CreateChatCompletionRequest.top_logprobs", on=ASKED_TOP)
def as_many_candidates_as_asked(exchange: Exchange) -> None:
    """`top_logprobs: 3` brings candidates for each token, at most three."""
    most = exchange.request.asked["top_logprobs"]
    for place in _places(exchange):
        expect(
            1 <= len(place.top) <= most,
            expected=f"1 to {most} candidates",
            got=f"{len(place.top)}",
            at=f"{place.at}/top_logprobs",
            event=place.event,
        )


@clause("chat.logprobs.top-sorted", level="SHOULD", source=f"{SOURCE}.top_logprobs", on=ASKED_TOP)
def likeliest_first(exchange: Exchange) -> None:
    """The candidates of a token come in order, the likeliest first."""
    for place in _places(exchange):
        got = [_number(one.get("logprob")) for one in place.top]
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
    for place in _places(exchange):
        logprob, token = place.logprob, place.known.get("token")
        known = [one for one in (_number(top.get("logprob")) for top in place.top) if one is not None]
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
    for place in _places(exchange):
        logprob = place.logprob
        chosen = (place.known.get("token"), place.known.get("bytes"))
        # More than one token of a vocabulary can read the same.
        same = [one for one in place.top if (one.get("token"), one.get("bytes")) == chosen]
        found = [one for one in (_number(top.get("logprob")) for top in same) if one is not None]
        if logprob is None or not found:
            continue
        near = any(abs(one - logprob) <= max(EPSILON, abs(logprob) * 0.01) for one in found)
        expect(near, expected=shown(logprob), got=shown(found), at=f"{place.at}/top_logprobs", event=place.event)
        judged += 1
    if not judged:
        raise NotApplicable("no chosen token is among its candidates")


@clause("chat.logprobs.sum", level="SHOULD", source=f"{SOURCE}.top_logprobs", on=ASKED_TOP)
def probabilities_sum_to_one_at_most(exchange: Exchange) -> None:
    """The probabilities of the candidates of one token sum to at most 1."""
    for place in _places(exchange):
        known = [one for one in (_number(top.get("logprob")) for top in place.top) if one is not None]
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


# ---------------------------------------------------------------------------------------------- accepted

NOT_NOW = (401, 402, 403, 404, 408, 409, 413, 429, 502, 503, 504, 529)
UNSUPPORTED = re.compile(r"unsupported|(?:not|n't)[ _](?:yet )?(?:support|available|implemented|allowed)", re.I)


@clause(
    "chat.logprobs.accepts",
    level="MUST",
    source="SPEC CreateChatCompletionRequest.logprobs, top_logprobs",
    on=sent("createChatCompletion", probes=[one.id for one in PROBES]),
)
def requests_are_served(exchange: Exchange) -> None:
    """`logprobs` and `top_logprobs` are served, or refused as unsupported by name."""
    status = exchange.status or 0
    if 200 <= status < 300:
        return
    said = exchange.wire[:300].decode("utf-8", "replace")
    if status in NOT_NOW:
        raise NotApplicable(f"{exchange.probe} was answered {status}, which says nothing about the request")
    if status == 501 or UNSUPPORTED.search(said):
        raise NotApplicable(f"{exchange.probe} is not supported: {said[:160]}")
    expect(False, expected="an answer, or a refusal as unsupported", got=f"{status} {said[:160]}")
